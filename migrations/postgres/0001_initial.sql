-- The first tables. `../sqlite` holds the same ones: a test compares tables and columns.
-- A constraint over which inserts may fail is named "table.column", as SQLite reports it.
-- Ids are UUID texts, instants microseconds since 1970 in UTC, flags 0 or 1, lists and objects JSON texts.

-- For equality in an exclusion constraint (table `appointment`). The extension is trusted: the owner of a database may
-- create it, where PostgreSQL's contrib package is installed.
create extension if not exists btree_gist;

create table organization (
    id text not null constraint "organization.id" primary key,
    slug text not null constraint "organization.slug" unique,
    name text not null,
    created_at bigint not null
);

create table "user" (
    id text not null constraint "user.id" primary key,
    email text not null,
    name text not null,
    password_hash text not null,
    locale text not null,
    created_at bigint not null
);

create unique index "user.email" on "user" (lower(email));

create table membership (
    organization_id text not null references organization (id) on delete cascade,
    user_id text not null references "user" (id) on delete cascade,
    role text not null check (role in ('owner', 'admin', 'host')),
    constraint "membership.user_id" primary key (organization_id, user_id)
);

create index membership_by_user on membership (user_id);

create table session (
    token_hash bytea not null constraint "session.token_hash" primary key,
    user_id text not null,
    organization_id text not null,
    created_at bigint not null,
    expires_at bigint not null,
    foreign key (organization_id, user_id) references membership (organization_id, user_id) on delete cascade
);

create index session_by_member on session (organization_id, user_id);
create index session_by_expiry on session (expires_at);

create table calendar_provider_account (
    id text not null constraint "calendar_provider_account.id" primary key,
    organization_id text not null,
    user_id text not null,
    provider text not null check (provider in ('google', 'outlook', 'caldav', 'ics')),
    auth_kind text not null check (auth_kind in ('user_oauth', 'service_account', 'application', 'password')),
    email text not null,
    impersonated_email text,
    scopes text not null,
    token_ciphertext bytea,
    token_version bigint not null,
    state text not null check (state in ('active', 'reconnect_needed', 'disconnected')),
    state_reason text,
    created_at bigint not null,
    updated_at bigint not null,
    constraint calendar_provider_account_of_organization unique (organization_id, id),
    constraint "calendar_provider_account.email" unique (organization_id, user_id, provider, email),
    foreign key (organization_id, user_id) references membership (organization_id, user_id) on delete cascade
);

create index calendar_provider_account_active on calendar_provider_account (id) where state = 'active';

create table calendar (
    id text not null constraint "calendar.id" primary key,
    organization_id text not null,
    account_id text not null,
    user_id text not null,
    external_id text not null,
    name text not null,
    time_zone text,
    color text,
    can_write bigint not null check (can_write in (0, 1)),
    is_primary bigint not null check (is_primary in (0, 1)),
    checks_conflicts bigint not null check (checks_conflicts in (0, 1)),
    receives_events bigint not null check (receives_events in (0, 1)),
    sync_cursor text,
    synced_at bigint,
    mirror_until bigint,
    sync_error text,
    constraint calendar_of_organization unique (organization_id, id),
    constraint "calendar.external_id" unique (account_id, external_id),
    foreign key (organization_id, account_id)
        references calendar_provider_account (organization_id, id) on delete cascade,
    foreign key (organization_id, user_id) references membership (organization_id, user_id) on delete cascade
);

create index calendar_by_account on calendar (organization_id, account_id);
create index calendar_by_user on calendar (organization_id, user_id);
-- One target for new events per host.
create unique index "calendar.user_id" on calendar (organization_id, user_id) where receives_events = 1;

create table schedule (
    id text not null constraint "schedule.id" primary key,
    organization_id text not null,
    user_id text not null,
    name text not null,
    time_zone text not null,
    weekly_hours text not null,
    updated_at bigint not null,
    constraint schedule_of_organization unique (organization_id, id),
    constraint "schedule.user_id" unique (organization_id, user_id),
    foreign key (organization_id, user_id) references membership (organization_id, user_id) on delete cascade
);

create table event_type (
    id text not null constraint "event_type.id" primary key,
    organization_id text not null,
    host_user_id text not null,
    schedule_id text not null,
    slug text not null,
    title text not null,
    description text not null,
    duration_minutes bigint not null check (duration_minutes > 0),
    increment_minutes bigint not null check (increment_minutes > 0),
    buffer_before_minutes bigint not null check (buffer_before_minutes >= 0),
    buffer_after_minutes bigint not null check (buffer_after_minutes >= 0),
    notice_minutes bigint not null check (notice_minutes >= 0),
    window_days bigint not null check (window_days > 0),
    location_kind text not null,
    location_detail text not null,
    is_active bigint not null check (is_active in (0, 1)),
    created_at bigint not null,
    updated_at bigint not null,
    constraint event_type_of_organization unique (organization_id, id),
    constraint "event_type.slug" unique (organization_id, slug),
    foreign key (organization_id, host_user_id) references membership (organization_id, user_id),
    foreign key (organization_id, schedule_id) references schedule (organization_id, id)
);

create index event_type_by_host on event_type (organization_id, host_user_id);
create index event_type_by_schedule on event_type (organization_id, schedule_id);

create table appointment (
    id text not null constraint "appointment.id" primary key,
    organization_id text not null,
    event_type_id text not null,
    host_user_id text not null,
    title text not null,
    status text not null check (status in ('confirmed', 'cancelled')),
    start_at bigint not null,
    end_at bigint not null,
    claim_start bigint not null,
    claim_end bigint not null,
    visitor_name text not null,
    visitor_email text not null,
    visitor_phone text,
    visitor_notes text,
    visitor_time_zone text not null,
    visitor_locale text not null,
    location_kind text not null,
    location_detail text not null,
    meeting_url text,
    manage_token_hash bytea not null constraint "appointment.manage_token_hash" unique,
    sequence bigint not null,
    cancel_reason text,
    cancelled_by text check (cancelled_by in ('visitor', 'host', 'calendar')),
    created_at bigint not null,
    updated_at bigint not null,
    constraint appointment_of_organization unique (organization_id, id),
    check (claim_start <= start_at and start_at < end_at and end_at <= claim_end),
    -- No two confirmed appointments of a host overlap, whoever writes. SQLite has triggers for this.
    constraint claim_taken exclude using gist (
        organization_id with =, host_user_id with =, int8range(claim_start, claim_end) with &&
    ) where (status = 'confirmed'),
    foreign key (organization_id, event_type_id) references event_type (organization_id, id),
    foreign key (organization_id, host_user_id) references membership (organization_id, user_id)
);

create index appointment_claims on appointment (organization_id, host_user_id, claim_end, claim_start, id)
    where status = 'confirmed';
create index appointment_by_start on appointment (organization_id, status, start_at, id);
create index appointment_by_end on appointment (organization_id, status, end_at);
create index appointment_by_event_type on appointment (organization_id, event_type_id, status, end_at);

-- `calendar_id` refers to no row: what is known of an external event outlives its calendar.
create table appointment_external_mapping (
    appointment_id text not null constraint "appointment_external_mapping.appointment_id" primary key,
    organization_id text not null,
    calendar_id text not null,
    external_event_id text not null,
    etag text,
    html_link text,
    meeting_state text not null check (meeting_state in ('none', 'pending', 'ready', 'failed')),
    pushed_sequence bigint not null,
    deleted_at bigint,
    constraint "appointment_external_mapping.external_event_id"
        unique (organization_id, calendar_id, external_event_id),
    foreign key (organization_id, appointment_id) references appointment (organization_id, id) on delete cascade
);

create table busy_interval (
    calendar_id text not null,
    organization_id text not null,
    external_event_id text not null,
    start_at bigint not null,
    end_at bigint not null,
    kind text not null check (kind in ('busy', 'tentative', 'out_of_office')),
    constraint "busy_interval.external_event_id" primary key (calendar_id, external_event_id),
    check (start_at < end_at),
    foreign key (organization_id, calendar_id) references calendar (organization_id, id) on delete cascade
);

-- By end first: of a mirror that has been kept for years, the past is skipped at once. It covers the slots' query.
create index busy_interval_by_time on busy_interval (organization_id, calendar_id, end_at, start_at);

create table provider_subscription (
    id text not null constraint "provider_subscription.id" primary key,
    organization_id text not null,
    calendar_id text not null,
    provider text not null check (provider in ('google', 'outlook', 'caldav', 'ics')),
    resource_id text not null,
    token_hash bytea not null,
    expires_at bigint not null,
    last_message_number bigint not null,
    created_at bigint not null,
    foreign key (organization_id, calendar_id) references calendar (organization_id, id) on delete cascade
);

create index provider_subscription_by_calendar on provider_subscription (organization_id, calendar_id);
create index provider_subscription_by_expiry on provider_subscription (expires_at);

create table site (
    id text not null constraint "site.id" primary key,
    organization_id text not null references organization (id) on delete cascade,
    name text not null,
    allowed_origins text not null,
    created_at bigint not null
);

create index site_by_organization on site (organization_id, created_at);

create table job (
    id text not null constraint "job.id" primary key,
    organization_id text references organization (id) on delete cascade,
    kind text not null,
    payload text not null,
    coalescing_key text,
    run_at bigint not null,
    attempts bigint not null,
    leased_until bigint,
    lease_owner text,
    state text not null check (state in ('pending', 'dead')),
    last_error text,
    created_at bigint not null,
    check ((leased_until is null) = (lease_owner is null))
);

create index job_due on job (run_at) where state = 'pending';
create index job_dead on job (organization_id, run_at) where state = 'dead';
create index job_by_organization on job (organization_id);
-- Of each coalescing key one job waits and one runs, at most.
create unique index "job.waiting" on job (coalescing_key) where state = 'pending' and lease_owner is null;
create unique index "job.running" on job (coalescing_key) where state = 'pending' and lease_owner is not null;

-- `subscription_id` refers to no row: a late copy of a message is still known when its subscription is gone.
create table inbox_message (
    id text not null constraint "inbox_message.id" primary key,
    organization_id text not null references organization (id) on delete cascade,
    subscription_id text not null,
    dedupe_key text not null,
    received_at bigint not null,
    constraint "inbox_message.dedupe_key" unique (subscription_id, dedupe_key)
);

create index inbox_message_by_age on inbox_message (received_at);
create index inbox_message_by_organization on inbox_message (organization_id);

create table idempotency_key (
    organization_id text not null references organization (id) on delete cascade,
    key text not null,
    request_hash bytea not null,
    status bigint not null,
    body text not null,
    created_at bigint not null,
    constraint "idempotency_key.key" primary key (organization_id, key)
);

create index idempotency_key_by_age on idempotency_key (created_at);

create table audit_entry (
    id text not null constraint "audit_entry.id" primary key,
    organization_id text not null references organization (id) on delete cascade,
    actor text not null,
    action text not null,
    subject_kind text not null,
    subject_id text not null,
    detail text not null,
    at bigint not null
);

create index audit_entry_by_subject on audit_entry (organization_id, subject_kind, subject_id, at);

create table hold (
    id text not null constraint "hold.id" primary key,
    organization_id text not null,
    event_type_id text not null,
    host_user_id text not null,
    token_hash bytea not null constraint "hold.token_hash" unique,
    start_at bigint not null,
    claim_start bigint not null,
    claim_end bigint not null,
    expires_at bigint not null,
    check (claim_start < claim_end),
    foreign key (organization_id, event_type_id) references event_type (organization_id, id) on delete cascade,
    foreign key (organization_id, host_user_id) references membership (organization_id, user_id) on delete cascade
);

create index hold_claims on hold (organization_id, host_user_id, claim_end, claim_start);
create index hold_by_event_type on hold (organization_id, event_type_id);
create index hold_by_expiry on hold (expires_at);

create table oauth_state (
    state_hash bytea not null constraint "oauth_state.state_hash" primary key,
    organization_id text not null,
    user_id text not null,
    provider text not null check (provider in ('google', 'outlook', 'caldav', 'ics')),
    session_token_hash bytea not null,
    pkce_verifier_ciphertext bytea not null,
    created_at bigint not null,
    expires_at bigint not null,
    foreign key (organization_id, user_id) references membership (organization_id, user_id) on delete cascade
);

create index oauth_state_by_member on oauth_state (organization_id, user_id);
create index oauth_state_by_expiry on oauth_state (expires_at);
