//! Moving a running installation to another database, and saving and restoring one.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use cupo_engine::EngineError;
use cupo_server::Server;
use cupo_server::commands::examine;
use cupo_store::StoreError;
use serde_json::{Value, json};

use crate::commands::Operator;
use crate::installation::Database;
use crate::world::{World, booking, problem};

/// What a visitor read: when, and by which secret.
#[derive(Debug, Clone)]
struct Confirmed {
    start: DateTime<Utc>,
    token: String,
}

/// The visitor's link of an appointment.
fn link(confirmed: &Confirmed) -> String {
    format!("/embed/v1/appointments/{}", confirmed.token)
}

/// Books one slot after the other until the database has moved away, or all are taken. `next` is shared by all visitors.
async fn book_until_moved(world: &World, slots: &[DateTime<Utc>], next: &AtomicUsize) -> Vec<Confirmed> {
    let mut confirmed = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let start = *slots.get(number).expect("the move is over before all slots are taken");
        let answer = world.book(&format!("visitor-number-{number}"), &booking(start)).await;
        if answer.status() == 503 {
            let told = problem(answer, 503, "moved").await;
            assert_eq!(told["title"], "This installation has moved to another database. Please try again shortly.");
            return confirmed;
        }
        // The buffers of its neighbour may have taken it.
        if answer.status() != 201 {
            assert!([409, 422].contains(&answer.status().as_u16()), "{}", answer.text().await.unwrap());
            continue;
        }
        let body: Value = answer.json().await.unwrap();
        confirmed.push(Confirmed { start, token: body["token"].as_str().unwrap().to_owned() });
    }
}

/// The figures of a command's last line.
fn figures<'t>(told: &'t str, done: &str) -> (u64, u64, &'t str) {
    let last = told.lines().last().unwrap();
    let rest = last.strip_prefix(done).and_then(|it| it.strip_prefix(" tables=")).unwrap_or_else(|| panic!("{told}"));
    let (tables, rest) = rest.split_once(" rows=").unwrap();
    let (rows, checksum) = rest.split_once(" checksum=").unwrap();
    assert_eq!(checksum.len(), 32, "{last}");
    let sum: u64 =
        told.lines().rev().skip(1).map(|line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!((told.lines().count() as u64 - 1, sum), (tables.parse().unwrap(), rows.parse().unwrap()), "{told}");
    (tables.parse().unwrap(), sum, checksum)
}

/// Visitors book in a loop while everything moves from one database to the other.
async fn moves(from: &str, operator: &Operator, to: &str) {
    // No worker: whatever is booked leaves a job behind.
    let world = operator.world_with(from, "[worker]\nin_server = false\n").await;
    Box::pin(world.settle()).await;
    let slots = world.slots().await;
    let rehearsed = operator.told(&["migrate", "--from", from, "--to", to, "--keep-source"], &[]).await;
    assert!(figures(&rehearsed, "copied").0 > 25);

    let next = AtomicUsize::new(0);
    let visitor = || book_until_moved(&world, &slots, &next);
    let moving = async {
        world.until("the first bookings", async || (next.load(Ordering::Relaxed) > 6).then_some(())).await;
        let occupied = operator.refused(&["migrate", "--from", from, "--to", to], &[]).await;
        assert!(occupied.contains("the target is not empty"), "{occupied}");
        operator.told(&["migrate", "--from", from, "--to", to, "--replace"], &[]).await
    };
    let (one, two, three, told) = tokio::join!(visitor(), visitor(), visitor(), moving);
    let confirmed: Vec<Confirmed> = [one, two, three].concat();
    assert!(confirmed.len() > 3, "{}", confirmed.len());
    figures(&told, "moved");
    assert!(!told.contains('@'), "no user and no password");

    // The old server says so, and no second one starts on the old database.
    let ready = world.get("/readyz").await;
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.json::<Value>().await.unwrap()["database"], "moved");
    let refused = Server::start(operator.config(from)).await.err().unwrap();
    assert!(format!("{refused:#}").contains("has moved to another database"), "{refused:#}");
    let findings = examine(&operator.config(from), None, std::sync::Arc::new(cupo_engine::clock::SystemClock)).await;
    assert!(findings.iter().any(|it| it.subject == "moved" && it.is_wrong()), "{findings:?}");
    let again = operator.refused(&["migrate", "--from", from, "--to", to, "--replace"], &[]).await;
    assert!(again.contains("everything in it has moved to"), "{again}");
    let engine = world.server.engine.clone();
    let working = tokio::spawn(async move { engine.run_due_jobs().await }).await.unwrap();
    assert!(matches!(&working, Err(EngineError::Store(StoreError::Moved(_)))), "{working:?}");
    assert_eq!(world.events().len(), 0, "no old worker does what the new ones will");
    let World { server: old, google, client, mail, demo, config: _ } = world;
    old.stop().await;

    // The new one knows every appointment of which a visitor read that it is confirmed, and does what was left to do.
    let config = operator.config(to);
    let world = World { server: Server::start(config.clone()).await.unwrap(), google, client, mail, demo, config };
    for appointment in &confirmed {
        let known: Value = world.get(&link(appointment)).await.json().await.unwrap();
        assert_eq!((&known["status"], &known["start"]), (&json!("confirmed"), &json!(appointment.start)));
    }
    let starts = || {
        let start = |event: &Value| event["start"]["dateTime"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        let mut starts: Vec<DateTime<Utc>> = world.events().iter().map(start).collect();
        starts.sort_unstable();
        starts
    };
    let mut expected: Vec<DateTime<Utc>> = confirmed.iter().map(|it| it.start).collect();
    expected.sort_unstable();
    world.until("all events", async || (starts() == expected).then_some(())).await;
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_moves_from_sqlite_to_postgres_while_visitors_book() {
    let Some(database) = Database::create().await else { return };
    let operator = Operator::new();
    Box::pin(moves(&operator.sqlite("cupo.db"), &operator, &database.url)).await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_moves_from_postgres_to_sqlite_while_visitors_book() {
    let Some(database) = Database::create().await else { return };
    let operator = Operator::new();
    Box::pin(moves(&database.url, &operator, &operator.sqlite("cupo.db"))).await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_moves_from_one_sqlite_file_to_another_while_visitors_book() {
    let operator = Operator::new();
    Box::pin(moves(&operator.sqlite("one.db"), &operator, &operator.sqlite("two.db"))).await;
}

/// A backup is made while bookings go on, and restored into the other database.
async fn is_saved_and_restored(from: &str, operator: &Operator, to: &str) {
    let world = operator.world(from).await;
    let slots = world.slots().await;
    let mut before = Vec::new();
    for (number, start) in slots.iter().step_by(8).take(3).enumerate() {
        let answer = world.book(&format!("visitor-number-{number}"), &booking(*start)).await;
        let body: Value = answer.json().await.unwrap();
        before.push(Confirmed { start: *start, token: body["token"].as_str().unwrap().to_owned() });
    }
    world.until("the events", async || (world.events().len() == 3).then_some(())).await;
    world.settle().await;

    let file = operator.path("backup.db");
    let file = file.to_str().unwrap();
    let saving = async { operator.told(&["backup", file], &[]).await };
    let booking_on = async {
        let mut later = 0;
        for (number, start) in slots.iter().skip(24).step_by(8).take(6).enumerate() {
            let answer = world.book(&format!("later-visitor-{number}"), &booking(*start)).await;
            assert_eq!(answer.status(), 201, "the server goes on");
            later += 1;
        }
        later
    };
    let (saved, later) = tokio::join!(saving, booking_on);
    assert_eq!(later, 6);
    let taken = operator.refused(&["backup", file], &[]).await;
    assert!(taken.contains("--force"), "{taken}");
    world.until("the events", async || (world.events().len() == 9).then_some(())).await;
    let World { server: old, google, client, mail, demo, config: _ } = world;
    old.stop().await;

    let elsewhere = [("DATABASE_URL", to)];
    let restored = operator.told(&["restore", file], &elsewhere).await;
    assert_eq!(figures(&restored, "restored"), figures(&saved, "saved"));
    let full = operator.refused(&["restore", file], &elsewhere).await;
    assert!(full.contains("the target is not empty"), "{full}");
    let again = operator.told(&["restore", "--replace", file], &elsewhere).await;
    assert_eq!(figures(&again, "restored"), figures(&saved, "saved"));

    let config = operator.config(to);
    let world = World { server: Server::start(config.clone()).await.unwrap(), google, client, mail, demo, config };
    for appointment in &before {
        let known: Value = world.get(&link(appointment)).await.json().await.unwrap();
        assert_eq!((&known["status"], &known["start"]), (&json!("confirmed"), &json!(appointment.start)));
    }
    // Cancelling takes the token that was sealed before the backup: the event goes.
    let is_there = |start: DateTime<Utc>| {
        let at = |event: &Value| event["start"]["dateTime"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        world.events().iter().any(|event| at(event) == start)
    };
    assert!(is_there(before[1].start));
    let cancel = world.client.post(world.url(&format!("{}/cancel", link(&before[1])))).json(&json!({}));
    assert_eq!(cancel.send().await.unwrap().status(), 200);
    world.until("the end of the event", async || (!is_there(before[1].start)).then_some(())).await;
    assert!(is_there(before[0].start) && is_there(before[2].start));
    world.sign_in().await;
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_sqlite_is_restored_to_postgres() {
    let Some(database) = Database::create().await else { return };
    let operator = Operator::new();
    Box::pin(is_saved_and_restored(&operator.sqlite("cupo.db"), &operator, &database.url)).await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_postgres_is_restored_to_sqlite() {
    let Some(database) = Database::create().await else { return };
    let operator = Operator::new();
    Box::pin(is_saved_and_restored(&database.url, &operator, &operator.sqlite("cupo.db"))).await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_sqlite_is_restored_to_another_file() {
    let operator = Operator::new();
    Box::pin(is_saved_and_restored(&operator.sqlite("one.db"), &operator, &operator.sqlite("two.db"))).await;
}

/// Nobody has to stop the server for a restore: it shows the old state or the restored one.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_runs_on_the_database_shows_what_was_restored() {
    let operator = Operator::new();
    let world = operator.world(&operator.sqlite("cupo.db")).await;
    let slots = world.slots().await;
    world.settle().await;
    let file = operator.path("backup.db");
    let file = file.to_str().unwrap();
    operator.told(&["backup", file], &[]).await;
    let booked = world.booked().await;
    let path = format!("/embed/v1/appointments/{}", booked["token"].as_str().unwrap());
    assert_eq!(world.get(&path).await.status(), 200);
    assert!(!world.slots().await.contains(&slots[0]));
    world.until("the event", async || world.events().into_iter().next()).await;
    operator.told(&["restore", "--replace", file], &[]).await;
    assert_eq!(world.get(&path).await.status(), 404);
    assert_eq!(world.book("another-key-of-this-world", &booking(slots[9])).await.status(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_names_what_is_wrong_with_its_addresses() {
    let operator = Operator::new();
    let (there, missing) = (operator.sqlite("cupo.db"), operator.sqlite("missing.db"));
    operator
        .told(
            &["migrate"],
            &[
                ("DATABASE_URL", there.as_str()),
                ("CUPO_SECRETS__ENCRYPTION_KEYS", "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
                ("CUPO_SECRETS__SESSION_SECRET", "a session secret of more than 32 characters"),
            ],
        )
        .await;
    assert!(operator.path("cupo.db").exists(), "DATABASE_URL decides");
    for (from, to, word) in [
        (missing.as_str(), there.as_str(), "missing.db cannot be read"),
        (there.as_str(), there.as_str(), "the same database"),
        (there.as_str(), "postgres://cupo:hunter2@127.0.0.1:9/cupo", "***@127.0.0.1:9/cupo"),
    ] {
        let told = operator.refused(&["migrate", "--from", from, "--to", to], &[]).await;
        assert!(told.contains(word) && !told.contains("hunter2"), "{told}");
    }
    assert!(!operator.path("missing.db").exists());
    let half = operator.run(&["migrate", "--from", &there], &[]).await;
    assert_eq!(half.status.code(), Some(2));
}
