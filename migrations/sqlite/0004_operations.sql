-- What keeps several processes, and the calendars that they follow, in order. `../postgres` says the same: a test compares the
-- tables that come out.

-- Work that one process at a time does, such as refreshing an account's token, and until when it is that one's.
create table lease (
    name text not null primary key,
    owner text not null,
    until integer not null
) strict;

-- When its events were last compared with the appointments.
alter table calendar add column reconciled_at integer;
-- When its host was told that it is stale; null again once it was read.
alter table calendar add column stale_told_at integer;

-- Whoever waits longest is polled first.
create index calendar_by_age on calendar (coalesce(synced_at, 0), id);

-- The guests who have declined the event, as far as people were told.
alter table appointment_external_mapping add column declined text not null default '[]';
