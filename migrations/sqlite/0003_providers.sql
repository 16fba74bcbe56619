-- Every calendar provider. `../postgres` says the same: a test compares the tables that come out.

-- What an organization has been given at a provider to act for its members: the key of a Google service account, the secret or
-- certificate of a Microsoft application.
create table provider_credential (
    id text not null primary key,
    organization_id text not null references organization (id) on delete cascade,
    provider text not null check (provider in ('google', 'outlook')),
    -- Its own name at the provider: the service account's address, the application's id.
    name text not null,
    ciphertext blob not null,
    created_at integer not null,
    unique (organization_id, id),
    unique (organization_id, provider, name)
) strict;

alter table calendar_provider_account add column credential_id text;
-- The claims (JSON) that a policy demands of the next sign-in.
alter table calendar_provider_account add column claims_challenge text;

-- The video meetings that can be made with an event of the calendar.
alter table calendar add column meetings text not null default '[]';
-- Until now every account was Google's.
update calendar set meetings = '["meet"]' where can_write = 1;

-- Where the events of this event type go; null: to the calendar that the host chose for all.
alter table event_type_host add column target_calendar_id text;

-- RFC 5545 `UID`: by which the copies of an event in other calendars are known.
alter table appointment_external_mapping add column ical_uid text;
create index appointment_external_mapping_by_uid on appointment_external_mapping (organization_id, ical_uid);

-- What only the operator can mend, such as an expired client secret; gone when it works again.
create table operator_alert (
    code text not null primary key,
    detail text not null,
    first_at integer not null,
    last_at integer not null,
    told_at integer
) strict;
