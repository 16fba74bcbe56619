-- Availability and booking rules in full. `../postgres` says the same: a test compares the tables that come out.
-- What SQLite cannot alter is made anew beside the old table, filled, and renamed once the old ones are gone: parents are
-- made first and children dropped first, so that foreign keys stay on and nothing is deleted in passing.

create table schedule_new (
    id text not null primary key,
    organization_id text not null,
    user_id text not null,
    name text not null,
    time_zone text not null,
    weekly_hours text not null,
    overrides text not null default '[]',
    travels text not null default '[]',
    holiday_calendar_ids text not null default '[]',
    is_default integer not null check (is_default in (0, 1)),
    updated_at integer not null,
    unique (organization_id, id),
    foreign key (organization_id, user_id) references membership (organization_id, user_id) on delete cascade
) strict;

-- Until now a member had one schedule: it is the default.
insert into schedule_new (id, organization_id, user_id, name, time_zone, weekly_hours, is_default, updated_at)
select id, organization_id, user_id, name, time_zone, weekly_hours, 1, updated_at from schedule;

create table event_type_new (
    id text not null primary key,
    organization_id text not null,
    host_user_id text not null,
    schedule_id text not null,
    slug text not null,
    title text not null,
    description text not null,
    rules text not null,
    options text not null default '{}',
    location_kind text not null,
    location_detail text not null,
    is_active integer not null check (is_active in (0, 1)),
    created_at integer not null,
    updated_at integer not null,
    unique (organization_id, id),
    unique (organization_id, slug),
    foreign key (organization_id, host_user_id) references membership (organization_id, user_id),
    foreign key (organization_id, schedule_id) references schedule_new (organization_id, id)
) strict;

-- What the rules do not say has its default.
insert into event_type_new
    (id, organization_id, host_user_id, schedule_id, slug, title, description, rules, location_kind, location_detail,
     is_active, created_at, updated_at)
select id, organization_id, host_user_id, schedule_id, slug, title, description,
       '{"duration_minutes":' || duration_minutes || ',"increment_minutes":' || increment_minutes
       || ',"buffer_before_minutes":' || buffer_before_minutes || ',"buffer_after_minutes":' || buffer_after_minutes
       || ',"notice_minutes":' || notice_minutes || ',"window":{"kind":"rolling_days","days":' || window_days || '}}',
       location_kind, location_detail, is_active, created_at, updated_at
  from event_type;

create table event_type_host (
    organization_id text not null,
    event_type_id text not null,
    user_id text not null,
    schedule_id text not null,
    is_required integer not null check (is_required in (0, 1)),
    weight integer not null check (weight >= 1),
    priority integer not null,
    position integer not null,
    conflict_calendar_ids text,
    primary key (organization_id, event_type_id, user_id),
    foreign key (organization_id, event_type_id) references event_type_new (organization_id, id) on delete cascade,
    foreign key (organization_id, user_id) references membership (organization_id, user_id),
    foreign key (organization_id, schedule_id) references schedule_new (organization_id, id)
) strict;

insert into event_type_host
    (organization_id, event_type_id, user_id, schedule_id, is_required, weight, priority, position)
select organization_id, id, host_user_id, schedule_id, 1, 1, 1, 0 from event_type;

create table appointment_new (
    id text not null primary key,
    organization_id text not null,
    event_type_id text not null,
    host_user_id text not null,
    title text not null,
    status text not null check (status in ('pending', 'confirmed', 'cancelled', 'declined', 'expired')),
    start_at integer not null,
    end_at integer not null,
    claim_start integer not null,
    claim_end integer not null,
    claim_id text not null,
    series_id text,
    series_position integer,
    visitor_name text not null,
    visitor_email text not null,
    visitor_phone text,
    visitor_notes text,
    visitor_time_zone text not null,
    visitor_locale text not null,
    answers text not null default '[]',
    location_kind text not null,
    location_detail text not null,
    meeting_url text,
    manage_token_hash blob not null unique,
    sequence integer not null,
    cancel_reason text,
    cancelled_by text check (cancelled_by in ('visitor', 'host', 'calendar')),
    expires_at integer,
    created_at integer not null,
    updated_at integer not null,
    unique (organization_id, id),
    check (claim_start <= start_at and start_at < end_at and end_at <= claim_end),
    foreign key (organization_id, event_type_id) references event_type_new (organization_id, id),
    foreign key (organization_id, host_user_id) references membership (organization_id, user_id)
) strict;

insert into appointment_new
    (id, organization_id, event_type_id, host_user_id, title, status, start_at, end_at, claim_start, claim_end, claim_id,
     visitor_name, visitor_email, visitor_phone, visitor_notes, visitor_time_zone, visitor_locale, location_kind,
     location_detail, meeting_url, manage_token_hash, sequence, cancel_reason, cancelled_by, created_at, updated_at)
select id, organization_id, event_type_id, host_user_id, title, status, start_at, end_at, claim_start, claim_end, id,
       visitor_name, visitor_email, visitor_phone, visitor_notes, visitor_time_zone, visitor_locale, location_kind,
       location_detail, meeting_url, manage_token_hash, sequence, cancel_reason, cancelled_by, created_at, updated_at
  from appointment;

-- A row for each host whose time is taken, for as long as pending or confirmed appointments use it: `seats_taken` of them.
create table claim (
    id text not null,
    organization_id text not null,
    host_user_id text not null,
    event_type_id text not null,
    start_at integer not null,
    end_at integer not null,
    claim_start integer not null,
    claim_end integer not null,
    seats integer not null,
    seats_taken integer not null,
    recorded_at integer not null,
    primary key (organization_id, id, host_user_id),
    check (claim_start <= start_at and start_at < end_at and end_at <= claim_end),
    check (1 <= seats_taken and seats_taken <= seats),
    foreign key (organization_id, event_type_id) references event_type_new (organization_id, id),
    foreign key (organization_id, host_user_id) references membership (organization_id, user_id)
) strict;

insert into claim
    (id, organization_id, host_user_id, event_type_id, start_at, end_at, claim_start, claim_end, seats, seats_taken,
     recorded_at)
select id, organization_id, host_user_id, event_type_id, start_at, end_at, claim_start, claim_end, 1, 1, updated_at
  from appointment where status = 'confirmed';

-- Neither column refers to a row: what is known of an external event outlives its claim and its calendar.
create table appointment_external_mapping_new (
    claim_id text not null primary key,
    organization_id text not null references organization (id) on delete cascade,
    calendar_id text not null,
    external_event_id text not null,
    etag text,
    html_link text,
    meeting_state text not null check (meeting_state in ('none', 'pending', 'ready', 'failed')),
    pushed_sequence integer not null,
    guests text not null default '[]',
    deleted_at integer,
    unique (organization_id, calendar_id, external_event_id)
) strict;

insert into appointment_external_mapping_new
    (claim_id, organization_id, calendar_id, external_event_id, etag, html_link, meeting_state, pushed_sequence,
     deleted_at)
select appointment_id, organization_id, calendar_id, external_event_id, etag, html_link, meeting_state, pushed_sequence,
       deleted_at
  from appointment_external_mapping;

create table hold_new (
    id text not null primary key,
    organization_id text not null,
    event_type_id text not null,
    token_hash blob not null unique,
    start_at integer not null,
    end_at integer not null,
    claim_start integer not null,
    claim_end integer not null,
    created_at integer not null,
    expires_at integer not null,
    unique (organization_id, id),
    check (claim_start <= start_at and start_at < end_at and end_at <= claim_end),
    foreign key (organization_id, event_type_id) references event_type_new (organization_id, id) on delete cascade
) strict;

-- When it was taken is not known: ten minutes before its end is the usual time.
insert into hold_new
    (id, organization_id, event_type_id, token_hash, start_at, end_at, claim_start, claim_end, created_at, expires_at)
select h.id, h.organization_id, h.event_type_id, h.token_hash, h.start_at,
       case when h.start_at + e.duration_minutes * 60000000 < h.claim_end
            then h.start_at + e.duration_minutes * 60000000 else h.claim_end end,
       h.claim_start, h.claim_end, h.expires_at - 600000000, h.expires_at
  from hold h join event_type e on e.id = h.event_type_id;

create table hold_host (
    hold_id text not null,
    organization_id text not null,
    host_user_id text not null,
    position integer not null,
    primary key (organization_id, hold_id, host_user_id),
    foreign key (organization_id, hold_id) references hold_new (organization_id, id) on delete cascade,
    foreign key (organization_id, host_user_id) references membership (organization_id, user_id) on delete cascade
) strict;

insert into hold_host (hold_id, organization_id, host_user_id, position)
select id, organization_id, host_user_id, 0 from hold;

create table busy_interval_new (
    calendar_id text not null,
    organization_id text not null,
    external_event_id text not null,
    start_at integer not null,
    end_at integer not null,
    kind text not null check (kind in ('busy', 'tentative', 'out_of_office', 'unanswered')),
    title text,
    recorded_at integer not null,
    primary key (calendar_id, external_event_id),
    check (start_at < end_at),
    foreign key (organization_id, calendar_id) references calendar (organization_id, id) on delete cascade
) strict;

-- Since when it has been known is not: it counts as known ever since.
insert into busy_interval_new (calendar_id, organization_id, external_event_id, start_at, end_at, kind, recorded_at)
select calendar_id, organization_id, external_event_id, start_at, end_at, kind, 0 from busy_interval;

drop table busy_interval;
drop table hold;
drop table appointment_external_mapping;
drop table appointment;
drop table event_type;
drop table schedule;

alter table schedule_new rename to schedule;
alter table event_type_new rename to event_type;
alter table appointment_new rename to appointment;
alter table appointment_external_mapping_new rename to appointment_external_mapping;
alter table hold_new rename to hold;
alter table busy_interval_new rename to busy_interval;

alter table calendar
    add column tentative_blocks integer not null default 1 check (tentative_blocks in (0, 1));
alter table calendar
    add column unanswered_blocks integer not null default 1 check (unanswered_blocks in (0, 1));

create index schedule_by_user on schedule (organization_id, user_id);
-- One default per member.
create unique index "schedule.user_id" on schedule (organization_id, user_id) where is_default = 1;

create index event_type_by_host on event_type (organization_id, host_user_id);
create index event_type_by_schedule on event_type (organization_id, schedule_id);
create index event_type_host_by_user on event_type_host (organization_id, user_id);
create index event_type_host_by_schedule on event_type_host (organization_id, schedule_id);

create index appointment_by_start on appointment (organization_id, status, start_at, id);
create index appointment_by_end on appointment (organization_id, status, end_at);
create index appointment_by_event_type on appointment (organization_id, event_type_id, status, end_at);
create index appointment_by_claim on appointment (organization_id, claim_id);
create index appointment_by_series on appointment (organization_id, series_id, series_position)
    where series_id is not null;
create index appointment_ended on appointment (organization_id, start_at, id)
    where status in ('cancelled', 'declined', 'expired');
create index appointment_loads on appointment (organization_id, event_type_id, created_at, host_user_id)
    where status in ('pending', 'confirmed');
create index appointment_by_expiry on appointment (expires_at) where status = 'pending';

-- By end first, as for busy time: the past is skipped at once. It covers the slots' query.
create index claim_by_host on claim
    (organization_id, host_user_id, claim_end, claim_start, start_at, end_at, id, event_type_id, seats, seats_taken,
     recorded_at);
create index claim_by_event_type on claim (organization_id, event_type_id, start_at);

-- No two claims on a host's time overlap, whoever writes. PostgreSQL has an exclusion constraint for this.
create trigger claim_insert before insert on claim
begin
    select raise(abort, 'claim_taken') where exists (
        select 1 from claim
         where organization_id = new.organization_id and host_user_id = new.host_user_id
           and claim_end > new.claim_start and claim_start < new.claim_end
    );
end;

create trigger claim_update before update of organization_id, host_user_id, claim_start, claim_end on claim
begin
    select raise(abort, 'claim_taken') where exists (
        select 1 from claim
         where organization_id = new.organization_id and host_user_id = new.host_user_id
           and claim_end > new.claim_start and claim_start < new.claim_end and id <> old.id
    );
end;

create index appointment_external_mapping_by_event on appointment_external_mapping (organization_id, external_event_id);

create index hold_by_event_type on hold (organization_id, event_type_id, start_at);
create index hold_by_expiry on hold (expires_at);
create index hold_host_by_host on hold_host (organization_id, host_user_id, hold_id);

-- By end first: of a mirror that has been kept for years, the past is skipped at once. It covers the slots' query.
create index busy_interval_by_time on busy_interval (organization_id, calendar_id, end_at, start_at, kind);

-- Local times such as 2026-12-24T00:00:00, in the zone that holds on their dates.
create table absence (
    id text not null primary key,
    organization_id text not null,
    user_id text not null,
    from_local text not null,
    to_local text not null,
    note text not null,
    created_at integer not null,
    check (from_local < to_local),
    foreign key (organization_id, user_id) references membership (organization_id, user_id) on delete cascade
) strict;

create index absence_by_user on absence (organization_id, user_id, from_local);

create table holiday_calendar (
    id text not null primary key,
    organization_id text not null,
    user_id text not null,
    name text not null,
    source_url text,
    holidays text not null,
    etag text,
    fetched_at integer,
    error text,
    created_at integer not null,
    updated_at integer not null,
    foreign key (organization_id, user_id) references membership (organization_id, user_id) on delete cascade
) strict;

create index holiday_calendar_by_user on holiday_calendar (organization_id, user_id);
create index holiday_calendar_due on holiday_calendar (coalesce(fetched_at, 0)) where source_url is not null;

-- `created_by` and `appointment_id` refer to no row: they say who made it and what it was used for.
create table booking_link (
    id text not null primary key,
    organization_id text not null,
    event_type_id text not null,
    token_hash blob not null unique,
    created_by text not null,
    created_at integer not null,
    expires_at integer,
    used_at integer,
    appointment_id text,
    foreign key (organization_id, event_type_id) references event_type (organization_id, id) on delete cascade
) strict;

create index booking_link_by_event_type on booking_link (organization_id, event_type_id, created_at);

-- What was true from `valid_from` until before `valid_to`, and is not any more. It refers to no other row: what it tells
-- of may be gone.
create table history (
    organization_id text not null references organization (id) on delete cascade,
    kind text not null,
    subject_id text not null,
    record_id text not null,
    start_at integer,
    end_at integer,
    body text not null,
    valid_from integer not null,
    valid_to integer not null,
    check (valid_from < valid_to)
) strict;

create index history_by_subject on history (organization_id, kind, subject_id, valid_to);
create index history_by_age on history (valid_to);
