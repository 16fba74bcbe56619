//! A database that was filled before a migration holds all of it afterwards.

use std::collections::BTreeMap;

use cupo_core::appointment::{AppointmentStatus, CancelledBy};
use cupo_core::event_type::{Options, Rules, RulesInput, Window};
use cupo_core::ids::*;
use cupo_store::*;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqlSafeStr, SqliteConnection};

use crate::world::{PostgresDatabase, World, at, between, insert};

pub const SQLITE: &str = include_str!("../../../../migrations/sqlite/0001_initial.sql");
pub const POSTGRES: &str = include_str!("../../../../migrations/postgres/0001_initial.sql");

/// The migration as it was applied then.
pub fn first(text: &'static str) -> Migrator {
    let kind = MigrationType::Simple;
    Migrator::with_migrations(vec![Migration::new(1, "initial".into(), kind, text.into_sql_str(), false)])
}

/// A UUID that the digits name.
fn uuid(digits: u64) -> String {
    format!("00000000-0000-7000-8000-{digits:012}")
}

/// An instant as it is stored.
fn micros(minute: i64) -> i64 {
    at(minute).timestamp_micros()
}

/// A tenant with a row in every table of the first migration; `n` makes its ids and names its own.
pub fn tenant(n: u64) -> Vec<String> {
    let id = |digits: u64| uuid(n * 100 + digits);
    let (organization, user, account, calendar, schedule) = (id(1), id(2), id(3), id(4), id(5));
    let (visit, review, confirmed, cancelled, hold) = (id(6), id(7), id(8), id(9), id(10));
    let (zero, start, end) = (micros(0), micros(60), micros(90));
    let (claim_start, claim_end) = (micros(55), micros(100));
    let event_type = |event_type: &str, slug: &str, window: u32| {
        format!(
            "insert into event_type (id, organization_id, host_user_id, schedule_id, slug, title, description,
                 duration_minutes, increment_minutes, buffer_before_minutes, buffer_after_minutes, notice_minutes,
                 window_days, location_kind, location_detail, is_active, created_at, updated_at)
             values ('{event_type}', '{organization}', '{user}', '{schedule}', '{slug}', 'Visit', 'To get acquainted',
                     30, 15, 5, 10, 120, {window}, 'address', 'Calle Mayor 1', 1, {zero}, {zero})"
        )
    };
    let appointment = |appointment: &str, status: &str, by: &str, hash: &str, updated: i64| {
        format!(
            "insert into appointment (id, organization_id, event_type_id, host_user_id, title, status, start_at, end_at,
                 claim_start, claim_end, visitor_name, visitor_email, visitor_phone, visitor_notes, visitor_time_zone,
                 visitor_locale, location_kind, location_detail, meeting_url, manage_token_hash, sequence, cancel_reason,
                 cancelled_by, created_at, updated_at)
             values ('{appointment}', '{organization}', '{visit}', '{user}', 'Visit', '{status}', {start}, {end},
                     {claim_start}, {claim_end}, 'Vera Visitor', 'vera@example.org', '+34600123456', 'On the 2nd floor?',
                     'America/Bogota', 'es', 'address', 'Calle Mayor 1', 'https://meet.example/room', x'{hash}{n}', 3, null,
                     {by}, {zero}, {updated})"
        )
    };
    vec![
        format!("insert into organization values ('{organization}', 'tenant-{n}', 'Tenant', {zero})"),
        format!("insert into \"user\" values ('{user}', 'ana{n}@example.com', 'Ana', '$argon2id$', 'es', {zero})"),
        format!("insert into membership values ('{organization}', '{user}', 'owner')"),
        format!("insert into session values (x'a{n}', '{user}', '{organization}', {zero}, {end})"),
        format!(
            "insert into calendar_provider_account values ('{account}', '{organization}', '{user}', 'google',
                 'user_oauth', 'ana{n}@example.com', null, '[]', x'b{n}', 1, 'active', null, {zero}, {zero})"
        ),
        format!(
            "insert into calendar values ('{calendar}', '{organization}', '{account}', '{user}', 'primary', 'Ana',
                 'Europe/Madrid', null, 1, 1, 1, 1, 'cursor', {zero}, {end}, null)"
        ),
        format!(
            "insert into schedule values ('{schedule}', '{organization}', '{user}', 'Office hours', 'Europe/Madrid',
                 '{{\"monday\":[{{\"start\":\"09:00\",\"end\":\"17:00\"}}]}}', {zero})"
        ),
        event_type(&visit, "visit", 60),
        event_type(&review, "review", 365),
        appointment(&confirmed, "confirmed", "null", "c", micros(7)),
        appointment(&cancelled, "cancelled", "'host'", "d", micros(8)),
        format!(
            "insert into appointment_external_mapping values ('{confirmed}', '{organization}', '{calendar}', 'event-1',
                 'etag', 'https://calendar.example/1', 'ready', 3, null)"
        ),
        format!(
            "insert into appointment_external_mapping values ('{cancelled}', '{organization}', '{calendar}', 'event-2',
                 null, null, 'none', 3, {end})"
        ),
        format!("insert into busy_interval values ('{calendar}', '{organization}', 'event-3', {zero}, {start}, 'busy')"),
        format!(
            "insert into busy_interval values ('{calendar}', '{organization}', 'event-4', {start}, {end}, 'tentative')"
        ),
        format!(
            "insert into provider_subscription values ('{}', '{organization}', '{calendar}', 'google', 'resource', x'e{n}',
                 {end}, 4, {zero})",
            id(11)
        ),
        format!("insert into site values ('{}', '{organization}', 'Shop', '[\"https://shop.example\"]', {zero})", id(12)),
        format!(
            "insert into job values ('{}', '{organization}', 'push_event', '{{}}', null, {zero}, 0, null, null, 'pending',
                 null, {zero})",
            id(13)
        ),
        format!("insert into inbox_message values ('{}', '{organization}', '{}', '1', {zero})", id(14), id(11)),
        format!("insert into idempotency_key values ('{organization}', 'key', x'f{n}', 201, '{{}}', {zero})"),
        format!(
            "insert into audit_entry values ('{}', '{organization}', 'visitor', 'booked', 'appointment', '{confirmed}',
                 '{{}}', {zero})",
            id(15)
        ),
        format!(
            "insert into hold values ('{hold}', '{organization}', '{visit}', '{user}', x'1{n}', {}, {}, {}, {})",
            micros(200),
            micros(195),
            micros(240),
            micros(20)
        ),
        format!(
            "insert into oauth_state values (x'2{n}', '{organization}', '{user}', 'google', x'3{n}', x'4{n}', {zero}, {end})"
        ),
    ]
}

const TABLES: [&str; 19] = [
    "organization",
    "\"user\"",
    "membership",
    "session",
    "calendar_provider_account",
    "calendar",
    "schedule",
    "event_type",
    "appointment",
    "appointment_external_mapping",
    "busy_interval",
    "provider_subscription",
    "site",
    "job",
    "inbox_message",
    "idempotency_key",
    "audit_entry",
    "hold",
    "oauth_state",
];

/// What stands in each table.
async fn counts(store: &Store) -> BTreeMap<&'static str, i64> {
    let mut tx = store.read().await.unwrap();
    let mut counts = BTreeMap::new();
    for table in TABLES {
        let count = AssertSqlSafe(format!("select count(*) from {table}"));
        let rows = match &mut tx {
            Tx::Sqlite(connection) => sqlx::query(count).fetch_one(&mut **connection).await.unwrap().get(0),
            Tx::Postgres(connection) => sqlx::query(count).fetch_one(&mut **connection).await.unwrap().get(0),
        };
        counts.insert(table, rows);
    }
    counts
}

/// Migrates the database of two such tenants and looks at what became of the first one.
async fn survives(url: &str) {
    let store = Store::connect(url).await.unwrap();
    assert_eq!(
        store.pending_migrations().await.unwrap(),
        ["0002 availability", "0003 providers", "0004 operations", "0005 theme", "0006 tracking", "0007 untold events"]
    );
    let before = counts(&store).await;
    assert!(before.values().all(|rows| *rows >= 2), "{before:?}");
    store.migrate().await.unwrap();
    assert_eq!(counts(&store).await, before);

    let id = |digits: u64| uuid(100 + digits);
    let organization_id = &OrganizationId::parse(&id(1)).unwrap();
    let user_id = &UserId::parse(&id(2)).unwrap();
    let calendar_id = &CalendarId::parse(&id(4)).unwrap();
    let (visit, review) = (&EventTypeId::parse(&id(6)).unwrap(), &EventTypeId::parse(&id(7)).unwrap());
    let confirmed_id = &AppointmentId::parse(&id(8)).unwrap();
    let cancelled_id = &AppointmentId::parse(&id(9)).unwrap();
    let mut reading = store.read().await.unwrap();
    let tx = &mut reading;

    let schedule = schedule_get_by_user(tx, organization_id, user_id).await.unwrap().unwrap();
    assert_eq!((schedule.id.as_str(), schedule.name.as_str(), schedule.is_default), (&*id(5), "Office hours", true));
    assert_eq!((schedule.time_zone.as_str(), schedule.updated_at), ("Europe/Madrid", at(0)));
    assert_eq!((schedule.weekly_hours.days()[0].len(), schedule.overrides.len()), (1, 0));
    assert!(schedule.travels.is_empty() && schedule.holiday_calendar_ids.is_empty());

    for (event_type_id, slug, days) in [(visit, "visit", 60), (review, "review", 365)] {
        let event_type = event_type_get(tx, organization_id, event_type_id).await.unwrap().unwrap();
        let rules = RulesInput {
            duration_minutes: 30,
            increment_minutes: 15,
            buffer_before_minutes: 5,
            buffer_after_minutes: 10,
            notice_minutes: 120,
            window: Window::RollingDays { days },
            ..RulesInput::default()
        };
        assert_eq!((event_type.rules, event_type.options), (Rules::parse(rules).unwrap(), Options::default()));
        assert_eq!((event_type.slug.as_str(), event_type.title.as_str()), (slug, "Visit"));
        assert_eq!((event_type.location.detail(), event_type.is_active), ("Calle Mayor 1", true));
        let host = EventTypeHost {
            organization_id: organization_id.clone(),
            event_type_id: event_type_id.clone(),
            user_id: user_id.clone(),
            schedule_id: schedule.id.clone(),
            is_required: true,
            weight: 1,
            priority: 1,
            conflict_calendar_ids: None,
            target_calendar_id: None,
        };
        assert_eq!(event_type_host_list(tx, organization_id, event_type_id).await.unwrap(), [host]);
    }

    let confirmed = appointment_get(tx, organization_id, confirmed_id).await.unwrap().unwrap();
    assert_eq!((confirmed.status, confirmed.cancelled_by), (AppointmentStatus::Confirmed, None));
    assert_eq!((confirmed.start_at, confirmed.end_at, confirmed.claim), (at(60), at(90), between(55, 100)));
    assert_eq!((confirmed.sequence, confirmed.created_at, confirmed.updated_at), (3, at(0), at(7)));
    assert_eq!(
        (confirmed.visitor_name.as_str(), confirmed.visitor_email.as_str()),
        ("Vera Visitor", "vera@example.org")
    );
    assert_eq!(
        (confirmed.visitor_notes.as_deref(), confirmed.visitor_time_zone.as_str()),
        (Some("On the 2nd floor?"), "America/Bogota")
    );
    assert_eq!(confirmed.visitor_phone.as_ref().unwrap().as_str(), "+34600123456");
    assert_eq!(
        (confirmed.meeting_url.as_deref(), &confirmed.manage_token_hash[..]),
        (Some("https://meet.example/room"), &[0xc1][..])
    );
    assert_eq!((confirmed.answers.len(), confirmed.series_id.as_ref(), confirmed.expires_at), (0, None, None));
    assert!(confirmed.tracking.is_empty());
    assert_eq!(confirmed.claim_id, ClaimId::from(confirmed_id));
    let cancelled = appointment_get(tx, organization_id, cancelled_id).await.unwrap().unwrap();
    assert_eq!((cancelled.status, cancelled.cancelled_by), (AppointmentStatus::Cancelled, Some(CancelledBy::Host)));
    assert_eq!(cancelled.claim_id, ClaimId::from(cancelled_id));

    let claim = Claim {
        id: ClaimId::from(confirmed_id),
        organization_id: organization_id.clone(),
        host_user_id: user_id.clone(),
        event_type_id: visit.clone(),
        start_at: at(60),
        end_at: at(90),
        claim: between(55, 100),
        seats: 1,
        seats_taken: 1,
        recorded_at: at(7),
    };
    assert_eq!(claim_list(tx, organization_id, user_id, between(-1000, 1000)).await.unwrap(), [claim]);

    let pushed = mapping_get(tx, organization_id, &confirmed.claim_id).await.unwrap().unwrap();
    assert_eq!((pushed.external_event_id.as_str(), pushed.etag.as_deref()), ("event-1", Some("etag")));
    assert_eq!((&pushed.calendar_id, pushed.html_link.as_deref()), (calendar_id, Some("https://calendar.example/1")));
    assert_eq!((pushed.meeting_state, pushed.pushed_sequence, pushed.deleted_at), (MeetingState::Ready, 3, None));
    let gone = mapping_get(tx, organization_id, &cancelled.claim_id).await.unwrap().unwrap();
    assert_eq!((gone.external_event_id.as_str(), gone.deleted_at), ("event-2", Some(at(90))));

    let calendar = calendar_get(tx, organization_id, calendar_id).await.unwrap().unwrap();
    assert!(calendar.tentative_blocks && calendar.unanswered_blocks);
    assert_eq!(calendar.meetings, ["meet"], "every account was Google's");
    let calendars = std::slice::from_ref(calendar_id);
    let busy = busy_interval_list_detailed(tx, organization_id, calendars, between(-1000, 1000)).await.unwrap();
    let told: Vec<_> = busy.iter().map(|busy| (busy.external_event_id.as_str(), busy.interval, busy.kind)).collect();
    let expected = [("event-3", between(0, 60), BusyKind::Busy), ("event-4", between(60, 90), BusyKind::Tentative)];
    assert_eq!(told, expected);
    assert!(busy.iter().all(|busy| busy.title.is_none()));

    let kept = hold_list(tx, organization_id, user_id, between(0, 1000), at(0)).await.unwrap();
    assert_eq!((kept.len(), kept[0].id.as_str(), &kept[0].host_user_ids), (1, &*id(10), &vec![user_id.clone()]));
    assert_eq!((kept[0].start_at, kept[0].end_at, kept[0].claim), (at(200), at(230), between(195, 240)));
    assert_eq!((kept[0].created_at, kept[0].expires_at), (at(10), at(20)));

    drop(reading);
    let world = World { store: store.clone() };
    let again = Appointment {
        id: AppointmentId::parse(&id(50)).unwrap(),
        manage_token_hash: b"another".to_vec(),
        claim_id: ClaimId::parse(&id(50)).unwrap(),
        ..confirmed
    };
    let refused = world.write(async |tx| insert(tx, &again).await).await;
    assert!(matches!(refused, Err(StoreError::ClaimTaken)), "{refused:?}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_of_the_first_tables_survives_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("cupo.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    first(SQLITE).run(&mut connection).await.unwrap();
    for statement in tenant(1).into_iter().chain(tenant(2)) {
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    connection.close().await.unwrap();
    survives(&url).await;
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let broken = connection.fetch_all("pragma foreign_key_check").await.unwrap();
    assert!(broken.is_empty());
    let integrity: String = connection.fetch_one("pragma integrity_check").await.unwrap().get(0);
    assert_eq!(integrity, "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_of_the_first_tables_survives_on_postgres() {
    let Some(database) = PostgresDatabase::create().await else { return };
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    first(POSTGRES).run(&mut connection).await.unwrap();
    for statement in tenant(1).into_iter().chain(tenant(2)) {
        connection.execute(AssertSqlSafe(statement.replace("x'", "'\\x"))).await.unwrap();
    }
    connection.close().await.unwrap();
    survives(&database.url).await;
    database.remove().await;
}

/// A row that the new tables refuse stops the migration, and the database stays as it was.
#[tokio::test]
async fn a_migration_that_fails_on_sqlite_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("cupo.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    first(SQLITE).run(&mut connection).await.unwrap();
    for statement in tenant(1).into_iter().chain(tenant(2)) {
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    // In the way of a table that the migration makes late.
    connection.execute("create table booking_link (id text)").await.unwrap();
    let store = Store::connect(&url).await.unwrap();
    let before = counts(&store).await;
    assert!(matches!(store.migrate().await, Err(StoreError::Migration(_))));
    assert_eq!(counts(&store).await, before);
    connection.execute("drop table booking_link").await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(counts(&store).await, before);
}
