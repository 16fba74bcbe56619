-- What keeps several processes, and the calendars that they follow, in order. `../sqlite` says the same: a test
-- compares the tables that come out.

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
create index calendar_by_reconciled on calendar (reconciled_at, id);

-- When it is next looked at whether it has to be polled: also one that nobody uses is, so that it is not come upon
-- again and again.
alter table calendar add column poll_at bigint not null default 0;
create index calendar_by_poll on calendar (poll_at, id);

-- Whoever waits longest comes first.
create index calendar_by_age on calendar (coalesce(synced_at, 0), id);

-- The guests who have declined the event, as far as people were told.
alter table appointment_external_mapping add column declined text not null default '[]';

-- How many leases of the job in a row ended without a word of their owner: a job that ends its process again and again
-- is given up.
alter table job add column lost_leases bigint not null default 0;
-- A provider asked to be left alone until then: nothing brings the job forward.
alter table job add column not_before bigint;

-- Of each coalescing key the last failure is kept, until the work succeeds.
create index job_dead_by_key on job (coalescing_key) where state = 'dead';

-- The start that the provider was last told: an event at another one was moved by the host. Null where it is not known.
alter table appointment_external_mapping add column pushed_start bigint;
