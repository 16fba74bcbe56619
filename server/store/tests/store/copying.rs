//! Copies between databases of both kinds, moves, backups.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cupo_store::copy::*;
use cupo_store::*;
use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqliteConnection};

use crate::migration::{SQLITE, first, tenant as first_tenant};
use crate::world::{PostgresDatabase, World, appointment, at, hold, insert, job, on_both, on_postgres, on_sqlite};

async fn move_to(source: &Store, target: &Store, address: &str, occupied: Occupied) -> Result<Copied, CopyError> {
    move_all(source, target, address, occupied, &|| at(0)).await
}

/// Runs a statement; a blob is written as SQLite writes it.
async fn execute(tx: &mut Tx, text: impl Into<String>) {
    let text = text.into();
    match tx {
        Tx::Sqlite(connection) => drop(connection.execute(AssertSqlSafe(text)).await.unwrap()),
        Tx::Postgres(connection) => drop(connection.execute(AssertSqlSafe(text.replace("x'", "'\\x"))).await.unwrap()),
    }
}

/// A row in every table, some with values that are easily damaged on the way.
async fn fill(world: &World) {
    let tenant = world.tenant("acme").await;
    let (organization, user, event_type) = (tenant.id(), &tenant.user.id, &tenant.event_type.id);
    let booked = appointment(&tenant, 60);
    let mut writing = world.store.write().await.unwrap();
    let tx = &mut writing;
    insert(tx, &booked).await.unwrap();
    hold_insert(tx, &hold(&tenant, 200, 300), None).await.unwrap();
    job_enqueue(tx, &job(Some(organization), Some("key"), 0)).await.unwrap();
    for (table, columns, values) in [
        (
            "session",
            "token_hash, user_id, organization_id, created_at, expires_at",
            format!("x'00ff', '{user}', '{organization}', 0, 9"),
        ),
        (
            "appointment_external_mapping",
            "claim_id, organization_id, calendar_id, external_event_id, meeting_state, pushed_sequence",
            format!("'{}', '{organization}', '{}', '', 'none', 0", booked.claim_id, tenant.calendar.id),
        ),
        (
            "busy_interval",
            "calendar_id, organization_id, external_event_id, start_at, end_at, kind, title, recorded_at",
            format!(
                "'{}', '{organization}', 'a ''quoted'' \"name\"', -9223372036854775808, 9223372036854775807, 'busy', 'Ñandú 🗓', 0",
                tenant.calendar.id
            ),
        ),
        (
            "provider_subscription",
            "id, organization_id, calendar_id, provider, resource_id, token_hash, expires_at, last_message_number, created_at",
            format!("'s', '{organization}', '{}', 'google', '$1', x'', 0, 0, 0", tenant.calendar.id),
        ),
        (
            "site",
            "id, organization_id, name, allowed_origins, created_at",
            format!("'s', '{organization}', '', '[]', 0"),
        ),
        (
            "inbox_message",
            "id, organization_id, subscription_id, dedupe_key, received_at",
            format!("'i', '{organization}', 's', '1', 0"),
        ),
        (
            "idempotency_key",
            "organization_id, key, request_hash, status, body, created_at",
            format!("'{organization}', 'k', x'01', 201, '{{\"a\":\n1}}', 0"),
        ),
        (
            "audit_entry",
            "id, organization_id, actor, action, subject_kind, subject_id, detail, at",
            format!("'a', '{organization}', '', '', '', '', '{{}}', 0"),
        ),
        (
            "oauth_state",
            "state_hash, organization_id, user_id, provider, session_token_hash, pkce_verifier_ciphertext, created_at, expires_at",
            format!("x'02', '{organization}', '{user}', 'google', x'03', x'04', 0, 9"),
        ),
        (
            "absence",
            "id, organization_id, user_id, from_local, to_local, note, created_at",
            format!("'a', '{organization}', '{user}', '1', '2', '', 0"),
        ),
        (
            "holiday_calendar",
            "id, organization_id, user_id, name, holidays, created_at, updated_at",
            format!("'h', '{organization}', '{user}', '', '[]', 0, 0"),
        ),
        (
            "booking_link",
            "id, organization_id, event_type_id, token_hash, created_by, created_at",
            format!("'b', '{organization}', '{event_type}', x'05', '{user}', 0"),
        ),
        (
            "history",
            "organization_id, kind, subject_id, record_id, body, valid_from, valid_to",
            format!("'{organization}', 'busy', '', '', '', 0, 1"),
        ),
        (
            "provider_credential",
            "id, organization_id, provider, name, ciphertext, created_at",
            format!("'c', '{organization}', 'google', '', x'06', 0"),
        ),
        ("operator_alert", "code, detail, first_at, last_at", "'code', 'detail', 0, 0".to_owned()),
        ("lease", "name, owner, until", "'n', 'o', 0".to_owned()),
    ] {
        execute(tx, format!("insert into {table} ({columns}) values ({values})")).await;
    }
    // Two that are equal in everything but their order.
    execute(tx, "insert into history select * from history where kind = 'busy'").await;
    writing.commit().await.unwrap();
}

/// What a filled database holds.
async fn filled(world: &World) -> Copied {
    fill(world).await;
    let held = measure_all(&world.store).await.unwrap();
    let empty: Vec<&str> = held.0.iter().filter(|it| it.rows == 0).map(|it| it.table.as_str()).collect();
    assert!(empty.is_empty(), "a copy of these tables is not tested, because nothing is in them: {empty:?}");
    held
}

/// What is held, whatever the order of the tables.
fn contents(copied: &Copied) -> BTreeSet<(String, u64, String)> {
    copied.0.iter().map(|it| (it.table.clone(), it.rows, it.checksum.to_string())).collect()
}

async fn an_empty_file() -> Store {
    let store = Store::connect("sqlite::memory:").await.unwrap();
    store.migrate().await.unwrap();
    store
}

async fn moves(source: &World, target: &World) {
    let held = filled(source).await;
    let copied = move_to(&source.store, &target.store, "there", Occupied::Refuse).await.unwrap();
    assert_eq!(contents(&copied), contents(&held));
    assert_eq!(contents(&measure_all(&target.store).await.unwrap()), contents(&held));
    assert!(copied.0.len() > 25 && copied.rows() > 25 && copied.checksum() == held.checksum());

    assert_eq!(source.store.moved_to().await.unwrap().as_deref(), Some("there"));
    let refused = source.write(async |tx| job_enqueue(tx, &job(None, None, 0)).await).await;
    assert!(matches!(&refused, Err(StoreError::Moved(address)) if address == "there"), "{refused:?}");
    assert_eq!(target.store.moved_to().await.unwrap(), None);
    target.write(async |tx| job_enqueue(tx, &job(None, None, 0)).await).await.unwrap();
    assert_eq!(contents(&measure_all(&source.store).await.unwrap()), contents(&held));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_moves_from_sqlite_to_sqlite() {
    on_sqlite(async |source: World| moves(&source, &World { store: an_empty_file().await }).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_moves_from_sqlite_to_postgres() {
    on_postgres(async |target: World| on_sqlite(async |source: World| moves(&source, &target).await).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_moves_from_postgres_to_sqlite() {
    on_postgres(async |source: World| on_sqlite(async |target: World| moves(&source, &target).await).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_moves_from_postgres_to_postgres() {
    on_postgres(async |source: World| on_postgres(async |target: World| moves(&source, &target).await).await).await;
}

/// Many batches of many bytes: nothing is lost at their borders.
async fn fill_history(world: &World, rows: usize) {
    let tenant = world.tenant("acme").await;
    let mut tx = world.store.write().await.unwrap();
    for first in (0..rows).step_by(500) {
        let row = |number: usize| {
            let long = if number.is_multiple_of(997) { "y".repeat(300_000) } else { String::new() };
            format!("('{}', 'busy', 's', '{number}', '{long}', 0, 1)", tenant.id())
        };
        let values = (first..rows.min(first + 500)).map(row).collect::<Vec<_>>().join(", ");
        let columns = "organization_id, kind, subject_id, record_id, body, valid_from, valid_to";
        execute(&mut tx, format!("insert into history ({columns}) values {values}")).await;
    }
    tx.commit().await.unwrap();
}

on_both! {
    async fn a_large_table_is_copied_whole(world: World) {
        fill_history(&world, 20_001).await;
        let target = an_empty_file().await;
        let copied = copy_all(&world.store, &target, Occupied::Refuse).await.unwrap();
        let history = copied.0.iter().find(|it| it.table == "history").unwrap();
        assert_eq!(history.rows, 20_001);
        assert_eq!(contents(&copied), contents(&measure_all(&target).await.unwrap()));
        assert_eq!(world.store.moved_to().await.unwrap(), None);
    }

    async fn a_target_that_is_not_empty_is_left_alone_unless_it_is_to_be_replaced(world: World) {
        let source = World { store: an_empty_file().await };
        let held = filled(&source).await;
        world.tenant("other").await;
        let before = contents(&measure_all(&world.store).await.unwrap());
        let refused = copy_all(&source.store, &world.store, Occupied::Refuse).await;
        assert!(matches!(refused, Err(CopyError::NotEmpty(_))), "{refused:?}");
        assert_eq!(contents(&measure_all(&world.store).await.unwrap()), before);
        copy_all(&source.store, &world.store, Occupied::Replace).await.unwrap();
        assert_eq!(contents(&measure_all(&world.store).await.unwrap()), contents(&held));
    }

    async fn a_closed_database_is_open_again_when_it_is_replaced(world: World) {
        let elsewhere = an_empty_file().await;
        world.tenant("acme").await;
        let there = "sqlite:///it's/there.db";
        move_to(&world.store, &elsewhere, there, Occupied::Refuse).await.unwrap();
        assert_eq!(world.store.moved_to().await.unwrap().as_deref(), Some(there));
        let again = move_to(&world.store, &an_empty_file().await, "", Occupied::Refuse).await;
        assert!(matches!(&again, Err(CopyError::SourceMoved(address)) if address == there), "{again:?}");
        move_to(&elsewhere, &world.store, "back", Occupied::Replace).await.unwrap();
        assert_eq!(world.store.moved_to().await.unwrap(), None);
        world.write(async |tx| job_enqueue(tx, &job(None, None, 0)).await).await.unwrap();
        assert_eq!(elsewhere.moved_to().await.unwrap().as_deref(), Some("back"));
        // And it can be moved once more.
        move_to(&world.store, &elsewhere, "there", Occupied::Replace).await.unwrap();
    }

    async fn a_transaction_that_is_open_when_the_move_begins_is_waited_for_and_moved(world: World) {
        let tenant = world.tenant("acme").await;
        let target = an_empty_file().await;
        let mut writing = world.store.write().await.unwrap();
        let booked = appointment(&tenant, 60);
        insert(&mut writing, &booked).await.unwrap();
        let moving = tokio::spawn({
            let (source, target) = (world.store.clone(), target.clone());
            async move { move_to(&source, &target, "there", Occupied::Refuse).await }
        });
        writing.commit().await.unwrap();
        moving.await.unwrap().unwrap();
        let moved = World { store: target };
        let there = moved.read(async |tx| appointment_get(tx, tenant.id(), &booked.id).await).await.unwrap();
        assert_eq!(there.manage_token_hash, booked.manage_token_hash);
    }

    async fn what_writers_are_told_is_done_while_all_moves_is_in_the_target_and_nothing_else(world: World) {
        let target = an_empty_file().await;
        fill_history(&world, 3_000).await;
        let begun = tokio::sync::Notify::new();
        let writer = async || {
            let mut done = Vec::new();
            loop {
                let new = job(None, None, 0);
                match world.write(async |tx| job_enqueue(tx, &new).await).await {
                    Ok(()) => done.push(new.id.as_str().to_owned()),
                    Err(StoreError::Moved(address)) => {
                        assert_eq!(address, "there");
                        return done;
                    }
                    Err(other) => panic!("{other:?}"),
                }
                begun.notify_one();
            }
        };
        let moving = async {
            begun.notified().await;
            move_to(&world.store, &target, "there", Occupied::Refuse).await.unwrap();
        };
        let (one, two, ()) = tokio::join!(writer(), writer(), moving);
        let told: BTreeSet<String> = one.into_iter().chain(two).collect();
        let mut tx = target.read().await.unwrap();
        let Tx::Sqlite(connection) = &mut tx else { panic!("not SQLite") };
        let rows = sqlx::query("select id from job").fetch_all(&mut **connection).await.unwrap();
        let moved: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(!told.is_empty());
        assert_eq!(moved, told);
    }

    async fn a_copy_is_of_one_moment(world: World) {
        // A writer that always leaves two more rows: a copy that sees half of it has an odd number.
        fill_history(&world, 3_000).await;
        let (stop, begun) = (AtomicBool::new(false), tokio::sync::Notify::new());
        let writer = async {
            while !stop.load(Ordering::Relaxed) {
                let pair = [job(None, None, 0), job(None, None, 0)];
                world
                    .write(async |tx| {
                        job_enqueue(tx, &pair[0]).await?;
                        tokio::task::yield_now().await;
                        job_enqueue(tx, &pair[1]).await
                    })
                    .await
                    .unwrap();
                begun.notify_one();
            }
        };
        let copies = async {
            for _ in 0..3 {
                begun.notified().await;
                let copied = copy_all(&world.store, &an_empty_file().await, Occupied::Refuse).await.unwrap();
                let jobs = copied.0.iter().find(|it| it.table == "job").unwrap();
                assert!(jobs.rows > 0 && jobs.rows.is_multiple_of(2), "{jobs:?}");
            }
            stop.store(true, Ordering::Relaxed);
        };
        tokio::join!(writer, copies);
    }

    /// Its owner may be getting a token that it could not store any more.
    async fn a_lease_that_stands_is_waited_for_while_others_write(world: World) {
        let target = an_empty_file().await;
        let lease = async |until: i64| {
            let mut tx = world.store.write_leases().await.unwrap();
            assert!(lease_take(&mut tx, "refresh:a", "one", at(0), at(until)).await.unwrap());
            tx.commit().await.unwrap();
        };
        // One that has ended is nobody's.
        lease(0).await;
        copy_all(&world.store, &an_empty_file().await, Occupied::Refuse).await.unwrap();
        lease(10).await;
        let looks = AtomicUsize::new(0);
        let now = || {
            looks.fetch_add(1, Ordering::Relaxed);
            at(0)
        };
        let holding = async {
            while looks.load(Ordering::Relaxed) < 2 {
                world.write(async |tx| job_enqueue(tx, &job(None, None, 0)).await).await.unwrap();
            }
            let mut tx = world.store.write_leases().await.unwrap();
            job_enqueue(&mut tx, &job(None, Some("the token"), 0)).await.unwrap();
            assert!(lease_release(&mut tx, "refresh:a", "one").await.unwrap());
            tx.commit().await.unwrap();
        };
        let (moved, ()) = tokio::join!(move_all(&world.store, &target, "there", Occupied::Refuse, &now), holding);
        moved.unwrap();
        let Tx::Sqlite(mut connection) = target.read().await.unwrap() else { panic!("not SQLite") };
        let stored = sqlx::query("select count(*) from job where coalescing_key = 'the token'");
        assert_eq!(stored.fetch_one(&mut *connection).await.unwrap().get::<i64, _>(0), 1);
    }

    async fn readers_go_on_while_all_moves(world: World) {
        let tenant = world.tenant("acme").await;
        let mut reader = world.store.read().await.unwrap();
        assert!(organization_get(&mut reader, tenant.id()).await.unwrap().is_some());
        move_to(&world.store, &an_empty_file().await, "there", Occupied::Refuse).await.unwrap();
        assert!(organization_get(&mut reader, tenant.id()).await.unwrap().is_some());
        drop(reader);
        assert!(world.read(async |tx| organization_get(tx, tenant.id()).await).await.is_some());
    }

    async fn a_database_is_not_moved_onto_itself(world: World) {
        world.tenant("acme").await;
        for occupied in [Occupied::Refuse, Occupied::Replace] {
            let refused = move_to(&world.store, &world.store.clone(), "there", occupied).await;
            assert!(matches!(refused, Err(CopyError::SameDatabase)), "{refused:?}");
        }
        assert_eq!(world.store.moved_to().await.unwrap(), None);
    }

    async fn a_table_that_only_one_side_has_is_named(world: World) {
        let mut tx = world.store.write().await.unwrap();
        execute(&mut tx, "create table extra (id text)").await;
        tx.commit().await.unwrap();
        let refused = copy_all(&world.store, &an_empty_file().await, Occupied::Refuse).await.unwrap_err();
        assert!(matches!(&refused, CopyError::Tables(told) if told == "extra.id Text"), "{refused:?}");
    }

    async fn a_value_that_the_target_refuses_stops_the_move_and_names_its_table(world: World) {
        world.tenant("acme").await;
        let target = an_empty_file().await;
        let mut tx = target.write().await.unwrap();
        execute(&mut tx, "create trigger picky before insert on schedule begin select raise(abort, 'no'); end").await;
        tx.commit().await.unwrap();
        let refused = move_to(&world.store, &target, "there", Occupied::Refuse).await;
        assert!(matches!(&refused, Err(CopyError::Refused { table, .. }) if table == "schedule"), "{refused:?}");
        assert_eq!(measure_all(&target).await.unwrap().rows(), 0);
        world.write(async |tx| job_enqueue(tx, &job(None, None, 0)).await).await.unwrap();
    }

    async fn a_backup_is_one_private_file_that_can_be_restored(world: World) {
        let held = filled(&world).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a backup?.db");
        let saved = backup(&world.store, &file, Overwrite::Refuse).await.unwrap();
        assert_eq!(contents(&saved), contents(&held));
        assert_eq!(names(folder.path()), ["a backup?.db"]);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);

        let refused = backup(&world.store, &file, Overwrite::Refuse).await.unwrap_err().to_string();
        assert!(refused.contains("--force"), "{refused}");
        world.write(async |tx| job_enqueue(tx, &job(None, None, 0)).await).await.unwrap();
        let newer = backup(&world.store, &file, Overwrite::Replace).await.unwrap();
        assert_ne!(contents(&newer), contents(&held));
        assert_eq!(names(folder.path()), ["a backup?.db"]);

        let before = std::fs::read(&file).unwrap();
        let refused = restore(&file, &world.store, Occupied::Refuse).await;
        assert!(matches!(refused, Err(CopyError::NotEmpty(_))), "{refused:?}");
        world.write(async |tx| job_enqueue(tx, &job(None, None, 0)).await).await.unwrap();
        for target in [&world.store, &an_empty_file().await] {
            let restored = restore(&file, target, Occupied::Replace).await.unwrap();
            assert_eq!(contents(&restored), contents(&newer));
            assert_eq!(contents(&measure_all(target).await.unwrap()), contents(&newer));
        }
        assert!(std::fs::read(&file).unwrap() == before, "the file itself is only read");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[tokio::test]
async fn a_backup_that_fails_leaves_the_old_one_and_nothing_else() {
    let source = World { store: an_empty_file().await };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.db");
    backup(&source.store, &file, Overwrite::Refuse).await.unwrap();
    let before = std::fs::read(&file).unwrap();
    let mut tx = source.store.write().await.unwrap();
    execute(&mut tx, "create table extra (id text)").await;
    tx.commit().await.unwrap();
    let refused = backup(&source.store, &file, Overwrite::Replace).await;
    assert!(matches!(refused, Err(CopyError::Tables(_))), "{refused:?}");
    assert!(std::fs::read(&file).unwrap() == before);
    assert_eq!(names(folder.path()), ["backup.db"]);
}

#[tokio::test]
async fn a_backup_that_was_damaged_is_not_restored() {
    let source = World { store: an_empty_file().await };
    source.tenant("acme").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.db");
    let target = an_empty_file().await;
    for (damage, table) in [
        ("update organization set name = 'Other'", "organization"),
        ("delete from calendar", "calendar"),
        ("insert into operator_alert values ('c', 'd', 0, 0, null)", "operator_alert"),
        ("drop table lease", "lease"),
    ] {
        backup(&source.store, &file, Overwrite::Replace).await.unwrap();
        let mut connection = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
        connection.execute(damage).await.unwrap();
        connection.close().await.unwrap();
        let refused = restore(&file, &target, Occupied::Refuse).await.unwrap_err().to_string();
        assert!(refused.contains("damaged") && refused.contains(table), "{refused}");
    }
    assert_eq!(measure_all(&target).await.unwrap().rows(), 0);
}

#[tokio::test]
async fn a_file_that_is_no_backup_is_told_apart_from_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let target = an_empty_file().await;
    let told = async || restore(&file, &target, Occupied::Refuse).await.unwrap_err().to_string();
    assert!(told().await.contains("No such file"));
    std::fs::write(&file, "not a database at all, but longer than a header of SQLite has to be. ".repeat(20)).unwrap();
    assert!(told().await.contains("cannot be read"), "{}", told().await);
    std::fs::remove_file(&file).unwrap();
    // A database of Cupo's, but not one that carries what it held when it was made.
    let plain = Store::connect_file(&file).await.unwrap();
    plain.migrate().await.unwrap();
    plain.close().await;
    assert!(told().await.contains("no backup"), "{}", told().await);
}

/// What an earlier version of Cupo saved.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_the_first_tables_is_brought_up_to_date_when_it_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.db");
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", file.display())).await.unwrap();
    first(SQLITE).run(&mut connection).await.unwrap();
    for statement in first_tenant(1) {
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    let old = Store::connect_file(&file).await.unwrap();
    let held = measure_all(&old).await.unwrap();
    let manifest = "create table _cupo_backup
        (table_name text not null primary key, row_count integer not null, checksum text not null) strict";
    connection.execute(manifest).await.unwrap();
    for TableCopied { table, rows, checksum } in &held.0 {
        let row = format!("insert into _cupo_backup values ('{table}', {rows}, '{checksum}')");
        connection.execute(AssertSqlSafe(row)).await.unwrap();
    }
    let refused = backup(&old, &folder.path().join("new.db"), Overwrite::Refuse).await.unwrap_err().to_string();
    assert!(refused.contains("cupo migrate") && refused.contains("0002"), "{refused}");
    old.close().await;
    connection.close().await.unwrap();
    let before = std::fs::read(&file).unwrap();
    let behaviour = async |target: World| {
        let restored = restore(&file, &target.store, Occupied::Refuse).await.unwrap();
        let rows = |copied: &Copied, table: &str| copied.0.iter().find(|it| it.table == table).map(|it| it.rows);
        assert_eq!(rows(&restored, "appointment"), Some(2));
        assert_eq!(rows(&restored, "claim"), Some(1), "the migration makes it of the confirmed appointment");
    };
    on_sqlite(behaviour).await;
    on_postgres(behaviour).await;
    assert!(std::fs::read(&file).unwrap() == before);
}

#[tokio::test]
async fn a_database_without_tables_and_one_of_an_earlier_version_are_refused_with_what_to_do() {
    let (empty, current) = (Store::connect("sqlite::memory:").await.unwrap(), an_empty_file().await);
    for (source, target, side) in [(&empty, &current, Side::Source), (&current, &empty, Side::Target)] {
        let refused = copy_all(source, target, Occupied::Refuse).await;
        assert!(matches!(refused, Err(CopyError::NotCupo(it)) if it == side), "{refused:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.db");
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", file.display())).await.unwrap();
    first(SQLITE).run(&mut connection).await.unwrap();
    let old = Store::connect_file(&file).await.unwrap();
    let refused = move_to(&old, &current, "there", Occupied::Refuse).await.unwrap_err().to_string();
    assert!(refused.contains("the source lacks the migrations 0002") && refused.contains("cupo migrate"), "{refused}");
    assert_eq!(old.moved_to().await.unwrap(), None);
}

/// A move that ends in the middle, as by a kill, leaves both sides as they were.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_is_broken_off_leaves_both_sides_as_they_were() {
    let Some(database) = PostgresDatabase::create().await else { return };
    let source = World { store: an_empty_file().await };
    fill_history(&source, 20_000).await;
    let target = Store::connect(&database.url).await.unwrap();
    target.migrate().await.unwrap();
    let moving = tokio::spawn({
        let (source, target) = (source.store.clone(), target.clone());
        async move { move_to(&source, &target, "there", Occupied::Refuse).await }
    });
    // Until it waits for no lock any more: it holds the source's.
    while source_is_free(&source.store).await && !moving.is_finished() {
        tokio::task::yield_now().await;
    }
    moving.abort();
    let cancelled = moving.await.is_err_and(|error| error.is_cancelled());
    assert!(cancelled, "it was too fast to be broken off");
    source.write(async |tx| job_enqueue(tx, &job(None, None, 0)).await).await.unwrap();
    assert_eq!(measure_all(&target).await.unwrap().rows(), 0);
    assert_eq!(source.store.moved_to().await.unwrap(), None);
    move_to(&source.store, &target, "there", Occupied::Refuse).await.unwrap();
    target.close().await;
    database.remove().await;
}

async fn source_is_free(store: &Store) -> bool {
    let waiting = std::time::Duration::from_millis(20);
    tokio::time::timeout(waiting, store.write()).await.is_ok()
}
