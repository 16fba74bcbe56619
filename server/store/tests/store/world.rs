//! A database with tenants in it, in one call.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::appointment::AppointmentStatus;
use cupo_core::event_type::{Location, Options, Rules, RulesInput, Window};
use cupo_core::ids::*;
use cupo_core::interval::Interval;
use cupo_core::parse::{EmailAddress, Slug};
use cupo_core::schedule::WeeklyHours;
use cupo_core::text::{LanguageTag, Locale};
use cupo_core::theme::Theme;
use cupo_core::zone::TimeZoneName;
use cupo_store::*;
use futures::FutureExt;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use uuid::Uuid;

/// Defines a test that runs on both stores: `on_both! { async fn a_behaviour(world: World) { .. } }`.
macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($world:ident: World) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, reason = "not every test needs every name of its file")]
            use super::*;

            $(#[$attribute])*
            async fn behaviour($world: $crate::world::World) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                $crate::world::on_sqlite(behaviour).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                $crate::world::on_postgres(behaviour).await;
            }
        }
    )+};
}
pub(crate) use on_both;

/// A migrated database.
#[derive(Clone)]
pub struct World {
    pub store: Store,
}

pub async fn on_sqlite<F: Future<Output = ()>>(behaviour: impl FnOnce(World) -> F) {
    let store = Store::connect("sqlite::memory:").await.unwrap();
    store.migrate().await.unwrap();
    behaviour(World { store }).await;
}

pub async fn on_postgres<F: Future<Output = ()>>(behaviour: impl FnOnce(World) -> F) {
    let Some(database) = PostgresDatabase::create().await else { return };
    let store = Store::connect(&database.url).await.unwrap();
    store.migrate().await.unwrap();
    let outcome = AssertUnwindSafe(behaviour(World { store: store.clone() })).catch_unwind().await;
    store.close().await;
    database.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// An empty database on the server of `CUPO_TEST_POSTGRES_URL`.
pub struct PostgresDatabase {
    server_url: String,
    name: String,
    pub url: String,
}

impl PostgresDatabase {
    pub async fn create() -> Option<Self> {
        let Ok(server_url) = std::env::var("CUPO_TEST_POSTGRES_URL") else {
            eprintln!("left out: CUPO_TEST_POSTGRES_URL names no PostgreSQL server to test on");
            return None;
        };
        let name = format!("cupo_test_{}", Uuid::now_v7().simple());
        let (address, query) = server_url.split_once('?').unwrap_or((&server_url, ""));
        let (scheme, rest) = address.split_once("://").unwrap();
        let authority = rest.split('/').next().unwrap();
        let url = format!("{scheme}://{authority}/{name}?{query}");
        let mut server = PgConnection::connect(&server_url).await.unwrap();
        server.execute(AssertSqlSafe(format!("create database {name} template template0"))).await.unwrap();
        Some(Self { server_url, name, url })
    }

    pub async fn remove(self) {
        let mut server = PgConnection::connect(&self.server_url).await.unwrap();
        server.execute(AssertSqlSafe(format!("drop database {} with (force)", self.name))).await.unwrap();
    }
}

/// An organization with one host who can be booked, and whose one mailbox is connected.
#[derive(Clone)]
pub struct Tenant {
    pub organization: Organization,
    pub user: User,
    pub schedule: Schedule,
    pub event_type: EventType,
    pub account: CalendarProviderAccount,
    pub calendar: Calendar,
}

impl Tenant {
    pub fn id(&self) -> &OrganizationId {
        &self.organization.id
    }
}

impl World {
    /// One change in a transaction of its own, repeated for as long as it collides with others.
    pub async fn write<T>(&self, change: impl AsyncFn(&mut Tx) -> Result<T, StoreError>) -> Result<T, StoreError> {
        loop {
            let mut tx = self.store.write().await?;
            let outcome = match change(&mut tx).await {
                Ok(value) => tx.commit().await.map(|()| value),
                Err(error) => tx.rollback().await.and(Err(error)),
            };
            if !matches!(outcome, Err(StoreError::Retry)) {
                return outcome;
            }
        }
    }

    pub async fn read<T>(&self, question: impl AsyncFn(&mut Tx) -> Result<T, StoreError>) -> T {
        let mut tx = self.store.read().await.unwrap();
        let answer = question(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        answer
    }

    /// Makes and stores a tenant whose names all carry `name`.
    pub async fn tenant(&self, name: &str) -> Tenant {
        let organization = Organization {
            id: OrganizationId::parse(&id()).unwrap(),
            slug: Slug::parse(name).unwrap(),
            name: name.to_uppercase(),
            theme: Theme::default(),
            created_at: at(0),
        };
        let user = user(&format!("{name}@example.com"));
        let schedule = schedule(&organization.id, &user.id, "Office hours", true);
        let event_type = event_type(&organization.id, &user.id, &schedule.id, "first-visit");
        let account = account(&organization.id, &user.id, user.email.as_str());
        let calendar = calendar(&account, "primary");
        let tenant = Tenant { organization, user, schedule, event_type, account, calendar };
        self.write(async |tx| {
            let membership = Membership {
                organization_id: tenant.organization.id.clone(),
                user_id: tenant.user.id.clone(),
                role: Role::Owner,
            };
            organization_insert(tx, &tenant.organization).await?;
            user_insert(tx, &tenant.user).await?;
            membership_insert(tx, &membership).await?;
            schedule_insert(tx, &tenant.schedule).await?;
            event_type_insert(tx, &tenant.event_type).await?;
            let host = host(&tenant.event_type, &tenant.user.id, &tenant.schedule.id);
            event_type_hosts_replace(tx, &tenant.organization.id, &tenant.event_type.id, &[host]).await?;
            account_insert(tx, &tenant.account).await?;
            calendar_upsert(tx, &tenant.calendar).await
        })
        .await
        .unwrap();
        tenant
    }

    /// Another host of the tenant, with a default schedule.
    pub async fn member(&self, tenant: &Tenant, email: &str) -> (User, Schedule) {
        let user = user(email);
        let schedule = schedule(tenant.id(), &user.id, "Office hours", true);
        let membership =
            Membership { organization_id: tenant.id().clone(), user_id: user.id.clone(), role: Role::Host };
        self.write(async |tx| {
            user_insert(tx, &user).await?;
            membership_insert(tx, &membership).await?;
            schedule_insert(tx, &schedule).await
        })
        .await
        .unwrap();
        (user, schedule)
    }
}

/// A fresh id text; later ones sort behind earlier ones.
pub fn id() -> String {
    Uuid::now_v7().to_string()
}

/// The instant `minute` minutes after Monday 2026-11-23 09:00 UTC.
pub fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_424_400, 0).unwrap() + TimeDelta::minutes(minute)
}

/// Minutes as in [`at`].
pub fn between(start: i64, end: i64) -> Interval {
    Interval::new(at(start), at(end)).unwrap()
}

pub fn user(email: &str) -> User {
    User {
        id: UserId::parse(&id()).unwrap(),
        email: EmailAddress::parse(email).unwrap(),
        name: "Ana Host".to_owned(),
        password_hash: "$argon2id$the-password-hash".to_owned(),
        locale: Locale::Es,
        created_at: at(0),
    }
}

pub fn schedule(organization_id: &OrganizationId, user_id: &UserId, name: &str, is_default: bool) -> Schedule {
    Schedule {
        id: ScheduleId::parse(&id()).unwrap(),
        organization_id: organization_id.clone(),
        user_id: user_id.clone(),
        name: name.to_owned(),
        time_zone: TimeZoneName::parse("Europe/Madrid").unwrap(),
        weekly_hours: WeeklyHours::office_hours(),
        overrides: Vec::new(),
        travels: Vec::new(),
        holiday_calendar_ids: Vec::new(),
        is_default,
        updated_at: at(0),
    }
}

pub fn host(event_type: &EventType, user_id: &UserId, schedule_id: &ScheduleId) -> EventTypeHost {
    EventTypeHost {
        organization_id: event_type.organization_id.clone(),
        event_type_id: event_type.id.clone(),
        user_id: user_id.clone(),
        schedule_id: schedule_id.clone(),
        is_required: true,
        weight: 1,
        priority: 1,
        conflict_calendar_ids: None,
        target_calendar_id: None,
    }
}

pub fn event_type(
    organization_id: &OrganizationId,
    host_user_id: &UserId,
    schedule_id: &ScheduleId,
    slug: &str,
) -> EventType {
    EventType {
        id: EventTypeId::parse(&id()).unwrap(),
        organization_id: organization_id.clone(),
        host_user_id: host_user_id.clone(),
        schedule_id: schedule_id.clone(),
        slug: Slug::parse(slug).unwrap(),
        title: "First visit".to_owned(),
        description: "Half an hour\nto get acquainted".to_owned(),
        rules: Rules::parse(RulesInput {
            duration_minutes: 30,
            increment_minutes: 15,
            buffer_before_minutes: 5,
            buffer_after_minutes: 10,
            notice_minutes: 120,
            window: Window::RollingDays { days: 60 },
            ..RulesInput::default()
        })
        .unwrap(),
        options: Options::default(),
        location: Location::Address("Calle Mayor 1".to_owned()),
        is_active: true,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub fn account(organization_id: &OrganizationId, user_id: &UserId, email: &str) -> CalendarProviderAccount {
    CalendarProviderAccount {
        id: AccountId::parse(&id()).unwrap(),
        organization_id: organization_id.clone(),
        user_id: user_id.clone(),
        provider: Provider::Google,
        auth_kind: AuthKind::UserOauth,
        email: email.to_owned(),
        impersonated_email: None,
        credential_id: None,
        scopes: vec!["calendar.events".to_owned(), "calendar.readonly".to_owned()],
        token_ciphertext: Some(b"token-ciphertext".to_vec()),
        token_version: 1,
        state: AccountState::Active,
        state_reason: None,
        claims_challenge: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub fn calendar(account: &CalendarProviderAccount, external_id: &str) -> Calendar {
    Calendar {
        id: CalendarId::parse(&id()).unwrap(),
        organization_id: account.organization_id.clone(),
        account_id: account.id.clone(),
        user_id: account.user_id.clone(),
        external_id: external_id.to_owned(),
        name: external_id.to_uppercase(),
        time_zone: Some("Europe/Madrid".to_owned()),
        color: None,
        can_write: true,
        is_primary: external_id == "primary",
        meetings: vec!["meet".to_owned()],
        checks_conflicts: true,
        receives_events: external_id == "primary",
        tentative_blocks: true,
        unanswered_blocks: true,
        sync_cursor: None,
        synced_at: None,
        mirror_until: None,
        sync_error: None,
    }
}

/// A confirmed half-hour appointment that starts at the minute and claims 5 minutes before and 10 after.
pub fn appointment(tenant: &Tenant, start: i64) -> Appointment {
    let id = id();
    Appointment {
        organization_id: tenant.organization.id.clone(),
        event_type_id: tenant.event_type.id.clone(),
        host_user_id: tenant.user.id.clone(),
        title: tenant.event_type.title.clone(),
        status: AppointmentStatus::Confirmed,
        start_at: at(start),
        end_at: at(start + 30),
        claim: between(start - 5, start + 40),
        claim_id: ClaimId::parse(&id).unwrap(),
        series_id: None,
        series_position: None,
        visitor_name: "Vera Visitor".to_owned(),
        visitor_email: EmailAddress::parse("vera@example.org").unwrap(),
        visitor_phone: None,
        visitor_notes: Some("On the 2nd floor?".to_owned()),
        visitor_time_zone: TimeZoneName::parse("America/Bogota").unwrap(),
        visitor_language: LanguageTag::parse("es-MX").unwrap(),
        answers: Vec::new(),
        tracking: BTreeMap::new(),
        location: tenant.event_type.location.clone(),
        meeting_url: None,
        manage_token_hash: id.as_bytes().to_vec(),
        sequence: 0,
        cancel_reason: None,
        cancelled_by: None,
        expires_at: None,
        created_at: at(0),
        updated_at: at(0),
        id: AppointmentId::parse(&id).unwrap(),
    }
}

/// Stores the appointment; where it claims time, that of its one host.
pub async fn insert(tx: &mut Tx, appointment: &Appointment) -> Result<(), StoreError> {
    appointment_insert(tx, appointment, std::slice::from_ref(&appointment.host_user_id), 1).await
}

/// Where the appointment moves to when it shall start at the minute, by a claim of its own.
pub fn moved(appointment: &Appointment, start: i64) -> Moved {
    Moved {
        host_user_id: appointment.host_user_id.clone(),
        start_at: at(start),
        end_at: at(start + 30),
        claim: between(start - 5, start + 40),
        claim_id: ClaimId::from(&appointment.id),
        status: appointment.status,
        expires_at: appointment.expires_at,
    }
}

/// Moves the appointment of one host to the minute.
pub async fn shift(tx: &mut Tx, appointment: &Appointment, start: i64, now: i64) -> Result<MoveOutcome, StoreError> {
    let hosts = std::slice::from_ref(&appointment.host_user_id);
    appointment_move(tx, appointment, &moved(appointment, start), hosts, 1, at(now)).await
}

pub fn hold(tenant: &Tenant, start: i64, expires: i64) -> Hold {
    let id = id();
    Hold {
        organization_id: tenant.organization.id.clone(),
        event_type_id: tenant.event_type.id.clone(),
        host_user_ids: vec![tenant.user.id.clone()],
        token_hash: id.as_bytes().to_vec(),
        start_at: at(start),
        end_at: at(start + 30),
        claim: between(start - 5, start + 40),
        created_at: at(0),
        expires_at: at(expires),
        id: HoldId::parse(&id).unwrap(),
    }
}

pub fn busy(tenant: &Tenant, calendar_id: &CalendarId, event: &str, start: i64, end: i64) -> BusyInterval {
    BusyInterval {
        calendar_id: calendar_id.clone(),
        organization_id: tenant.id().clone(),
        external_event_id: event.to_owned(),
        interval: between(start, end),
        kind: BusyKind::Busy,
        title: Some(event.to_uppercase()),
    }
}

pub fn subscription(tenant: &Tenant, expires: i64) -> ProviderSubscription {
    ProviderSubscription {
        id: SubscriptionId::parse(&id()).unwrap(),
        organization_id: tenant.organization.id.clone(),
        calendar_id: tenant.calendar.id.clone(),
        provider: Provider::Google,
        resource_id: "resource".to_owned(),
        token_hash: b"channel-token-hash".to_vec(),
        expires_at: at(expires),
        last_message_number: 0,
        created_at: at(0),
    }
}

pub fn mapping(appointment: &Appointment, calendar: &Calendar, external_event_id: &str) -> AppointmentExternalMapping {
    AppointmentExternalMapping {
        claim_id: appointment.claim_id.clone(),
        organization_id: appointment.organization_id.clone(),
        calendar_id: calendar.id.clone(),
        external_event_id: external_event_id.to_owned(),
        etag: Some("\"1\"".to_owned()),
        ical_uid: Some(format!("{external_event_id}@google.com")),
        html_link: None,
        meeting_state: MeetingState::Pending,
        pushed_sequence: 0,
        guests: Vec::new(),
        declined: Vec::new(),
        untold_since: None,
        pushed_start: None,
        deleted_at: None,
    }
}

pub fn job(organization_id: Option<&OrganizationId>, key: Option<&str>, run_at: i64) -> NewJob {
    NewJob {
        id: JobId::parse(&id()).unwrap(),
        organization_id: organization_id.cloned(),
        kind: "pull_changes".to_owned(),
        payload: serde_json::json!({ "calendar_id": "c" }),
        coalescing_key: key.map(str::to_owned),
        run_at: at(run_at),
        created_at: at(0),
    }
}

/// The constraint that a `Unique` error names.
pub fn taken<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> String {
    match outcome {
        Err(StoreError::Unique(constraint)) => constraint,
        other => panic!("expected Unique, got {other:?}"),
    }
}
