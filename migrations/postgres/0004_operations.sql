-- What keeps several processes, and the calendars that they follow, in order. `../sqlite` says the same: a test compares the
-- tables that come out.

-- Work that one process at a time does, such as refreshing an account's token, and until when it is that one's.
create table lease (
    name text not null constraint "lease.name" primary key,
    owner text not null,
    until bigint not null
);

alter table calendar
    -- When its events were last compared with the appointments.
    add column reconciled_at bigint,
    -- When its host was told that it is stale; null again once it was read.
    add column stale_told_at bigint;

-- Whoever waits longest is polled first.
create index calendar_by_age on calendar (coalesce(synced_at, 0), id);

-- The guests who have declined the event, as far as people were told.
alter table appointment_external_mapping add column declined text not null default '[]';
