-- Availability and booking rules in full. `../sqlite` says the same: a test compares the tables that come out.

alter table schedule
    drop constraint "schedule.user_id",
    add column overrides text not null default '[]',
    add column travels text not null default '[]',
    add column holiday_calendar_ids text not null default '[]',
    -- Until now a member had one schedule: it is the default.
    add column is_default bigint not null default 1 check (is_default in (0, 1));
alter table schedule alter column is_default drop default;

create index schedule_by_user on schedule (organization_id, user_id);
-- One default per member.
create unique index "schedule.user_id" on schedule (organization_id, user_id) where is_default = 1;

-- Before the lengths of the event types go into their rules.
alter table hold
    add column end_at bigint,
    add column created_at bigint;

-- When it was taken is not known: ten minutes before its end is the usual time.
update hold
   set end_at = case when start_at + e.duration_minutes * 60000000 < claim_end
                     then start_at + e.duration_minutes * 60000000 else claim_end end,
       created_at = expires_at - 600000000
  from event_type e
 where e.id = hold.event_type_id;

alter table hold
    alter column end_at set not null,
    alter column created_at set not null,
    add constraint hold_of_organization unique (organization_id, id),
    add check (claim_start <= start_at and start_at < end_at and end_at <= claim_end);

create table hold_host (
    hold_id text not null,
    organization_id text not null,
    host_user_id text not null,
    position bigint not null,
    constraint "hold_host.host_user_id" primary key (organization_id, hold_id, host_user_id),
    foreign key (organization_id, hold_id) references hold (organization_id, id) on delete cascade,
    foreign key (organization_id, host_user_id) references membership (organization_id, user_id) on delete cascade
);

insert into hold_host (hold_id, organization_id, host_user_id, position)
select id, organization_id, host_user_id, 0 from hold;

-- Its index `hold_claims` goes with it.
alter table hold drop column host_user_id;

drop index hold_by_event_type;
create index hold_by_event_type on hold (organization_id, event_type_id, start_at);
create index hold_host_by_host on hold_host (organization_id, host_user_id, hold_id);

alter table event_type
    add column rules text,
    add column options text not null default '{}';

-- What the rules do not say has its default.
update event_type
   set rules =
       '{"duration_minutes":' || duration_minutes || ',"increment_minutes":' || increment_minutes
       || ',"buffer_before_minutes":' || buffer_before_minutes || ',"buffer_after_minutes":' || buffer_after_minutes
       || ',"notice_minutes":' || notice_minutes || ',"window":{"kind":"rolling_days","days":' || window_days || '}}';

alter table event_type
    alter column rules set not null,
    drop column duration_minutes,
    drop column increment_minutes,
    drop column buffer_before_minutes,
    drop column buffer_after_minutes,
    drop column notice_minutes,
    drop column window_days;

create table event_type_host (
    organization_id text not null,
    event_type_id text not null,
    user_id text not null,
    schedule_id text not null,
    is_required bigint not null check (is_required in (0, 1)),
    weight bigint not null check (weight >= 1),
    priority bigint not null,
    position bigint not null,
    conflict_calendar_ids text,
    constraint "event_type_host.user_id" primary key (organization_id, event_type_id, user_id),
    foreign key (organization_id, event_type_id) references event_type (organization_id, id) on delete cascade,
    foreign key (organization_id, user_id) references membership (organization_id, user_id),
    foreign key (organization_id, schedule_id) references schedule (organization_id, id)
);

insert into event_type_host
    (organization_id, event_type_id, user_id, schedule_id, is_required, weight, priority, position)
select organization_id, id, host_user_id, schedule_id, 1, 1, 1, 0 from event_type;

create index event_type_host_by_user on event_type_host (organization_id, user_id);
create index event_type_host_by_schedule on event_type_host (organization_id, schedule_id);

drop index appointment_claims;

alter table appointment
    drop constraint claim_taken,
    drop constraint appointment_status_check,
    add check (status in ('pending', 'confirmed', 'cancelled', 'declined', 'expired')),
    add column claim_id text,
    add column series_id text,
    add column series_position bigint,
    add column answers text not null default '[]',
    add column expires_at bigint;
update appointment set claim_id = id;
alter table appointment alter column claim_id set not null;

create index appointment_by_claim on appointment (organization_id, claim_id);
create index appointment_by_series on appointment (organization_id, series_id, series_position)
    where series_id is not null;
create index appointment_ended on appointment (organization_id, start_at, id)
    where status in ('cancelled', 'declined', 'expired');
create index appointment_loads on appointment (organization_id, event_type_id, created_at, host_user_id)
    where status in ('pending', 'confirmed');
create index appointment_by_expiry on appointment (expires_at) where status = 'pending';

-- A row for each host whose time is taken, for as long as pending or confirmed appointments use it: `seats_taken` of them.
create table claim (
    id text not null,
    organization_id text not null,
    host_user_id text not null,
    event_type_id text not null,
    start_at bigint not null,
    end_at bigint not null,
    claim_start bigint not null,
    claim_end bigint not null,
    seats bigint not null,
    seats_taken bigint not null,
    recorded_at bigint not null,
    constraint "claim.host_user_id" primary key (organization_id, id, host_user_id),
    check (claim_start <= start_at and start_at < end_at and end_at <= claim_end),
    check (1 <= seats_taken and seats_taken <= seats),
    -- No two claims on a host's time overlap, whoever writes. SQLite has triggers for this.
    constraint claim_taken exclude using gist (
        organization_id with =, host_user_id with =, int8range(claim_start, claim_end) with &&
    ),
    foreign key (organization_id, event_type_id) references event_type (organization_id, id),
    foreign key (organization_id, host_user_id) references membership (organization_id, user_id)
);

insert into claim
    (id, organization_id, host_user_id, event_type_id, start_at, end_at, claim_start, claim_end, seats, seats_taken,
     recorded_at)
select id, organization_id, host_user_id, event_type_id, start_at, end_at, claim_start, claim_end, 1, 1, updated_at
  from appointment where status = 'confirmed';

-- By end first, as for busy time: the past is skipped at once. It covers the slots' query.
create index claim_by_host on claim
    (organization_id, host_user_id, claim_end, claim_start, start_at, end_at, id, event_type_id, seats, seats_taken,
     recorded_at);
create index claim_by_event_type on claim (organization_id, event_type_id, start_at);

-- Neither column refers to a row: what is known of an external event outlives its claim and its calendar.
alter table appointment_external_mapping add column claim_id text;
alter table appointment_external_mapping add column guests text not null default '[]';
update appointment_external_mapping set claim_id = appointment_id;
-- Its primary key and its foreign key go with it.
alter table appointment_external_mapping drop column appointment_id;
alter table appointment_external_mapping
    alter column claim_id set not null,
    add constraint "appointment_external_mapping.claim_id" primary key (claim_id),
    add foreign key (organization_id) references organization (id) on delete cascade;

create index appointment_external_mapping_by_event on appointment_external_mapping (organization_id, external_event_id);

alter table calendar
    add column tentative_blocks bigint not null default 1 check (tentative_blocks in (0, 1)),
    add column unanswered_blocks bigint not null default 1 check (unanswered_blocks in (0, 1));

alter table busy_interval
    drop constraint busy_interval_kind_check,
    add check (kind in ('busy', 'tentative', 'out_of_office', 'unanswered')),
    add column title text,
    -- Since when it has been known is not: it counts as known ever since.
    add column recorded_at bigint not null default 0;
alter table busy_interval alter column recorded_at drop default;

-- By end first: of a mirror that has been kept for years, the past is skipped at once. It covers the slots' query.
drop index busy_interval_by_time;
create index busy_interval_by_time on busy_interval (organization_id, calendar_id, end_at, start_at, kind);

-- Local times such as 2026-12-24T00:00:00, in the zone that holds on their dates.
create table absence (
    id text not null constraint "absence.id" primary key,
    organization_id text not null,
    user_id text not null,
    from_local text not null,
    to_local text not null,
    note text not null,
    created_at bigint not null,
    check (from_local < to_local),
    foreign key (organization_id, user_id) references membership (organization_id, user_id) on delete cascade
);

create index absence_by_user on absence (organization_id, user_id, from_local);

create table holiday_calendar (
    id text not null constraint "holiday_calendar.id" primary key,
    organization_id text not null,
    user_id text not null,
    name text not null,
    source_url text,
    holidays text not null,
    etag text,
    fetched_at bigint,
    error text,
    created_at bigint not null,
    updated_at bigint not null,
    foreign key (organization_id, user_id) references membership (organization_id, user_id) on delete cascade
);

create index holiday_calendar_by_user on holiday_calendar (organization_id, user_id);
create index holiday_calendar_due on holiday_calendar (coalesce(fetched_at, 0)) where source_url is not null;

-- `created_by` and `appointment_id` refer to no row: they say who made it and what it was used for.
create table booking_link (
    id text not null constraint "booking_link.id" primary key,
    organization_id text not null,
    event_type_id text not null,
    token_hash bytea not null constraint "booking_link.token_hash" unique,
    created_by text not null,
    created_at bigint not null,
    expires_at bigint,
    used_at bigint,
    appointment_id text,
    foreign key (organization_id, event_type_id) references event_type (organization_id, id) on delete cascade
);

create index booking_link_by_event_type on booking_link (organization_id, event_type_id, created_at);

-- What was true from `valid_from` until before `valid_to`, and is not any more. It refers to no other row: what it tells
-- of may be gone.
create table history (
    organization_id text not null references organization (id) on delete cascade,
    kind text not null,
    subject_id text not null,
    record_id text not null,
    start_at bigint,
    end_at bigint,
    body text not null,
    valid_from bigint not null,
    valid_to bigint not null,
    check (valid_from < valid_to)
);

create index history_by_subject on history (organization_id, kind, subject_id, valid_to);
create index history_by_age on history (valid_to);
