//! `cupo selftest`, on both databases.

use std::future::pending;
use std::panic::AssertUnwindSafe;

use cupo_server::commands::{RaceOptions, race};
use cupo_server::config::Config;
use futures::FutureExt;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};

use crate::world::configuration;

const OPTIONS: RaceOptions = RaceOptions { concurrency: 60, slots: 8, seed: Some(7) };

fn config(database: &str) -> Config {
    let text = configuration("http://127.0.0.1:9", 9, "").replace("sqlite::memory:", database);
    Config::from_toml(&text).unwrap()
}

/// How many rows are left of what a race makes.
async fn rows(database: &str) -> i64 {
    let tables = [
        "organization",
        "\"user\"",
        "membership",
        "session",
        "schedule",
        "event_type",
        "event_type_host",
        "appointment",
        "claim",
        "hold",
        "hold_host",
        "history",
        "job",
        "idempotency_key",
        "audit_entry",
    ];
    let counts = tables.map(|table| format!("(select count(*) from {table})")).join(" + ");
    let text = AssertSqlSafe(format!("select {counts}"));
    if database.starts_with("sqlite:") {
        SqliteConnection::connect(database).await.unwrap().fetch_one(text).await.unwrap().get(0)
    } else {
        PgConnection::connect(database).await.unwrap().fetch_one(text).await.unwrap().get(0)
    }
}

async fn race_in_order(database: &str) {
    let report = race(&config(database), &OPTIONS, pending()).await.unwrap();
    let told = report.to_string();
    assert!(report.violations.is_empty(), "{told}");
    assert!(report.wins > 8 && report.refusals > 8, "{told}");
    let last = format!("wins={} refusals={} violations=0", report.wins, report.refusals);
    assert_eq!(told.lines().last(), Some(last.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_race_on_sqlite_finds_everything_in_order_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("cupo.db").display());
    race_in_order(&database).await;
    assert_eq!(rows(&database).await, 0);
}

/// Whether the scratch organization is there; before its tables are, it is not.
async fn race_has_begun(database: &str) -> bool {
    let Ok(mut connection) = SqliteConnection::connect(database).await else { return false };
    let events = connection.fetch_one("select count(*) from event_type").await;
    events.is_ok_and(|row| row.get::<i64, _>(0) > 0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_race_that_is_interrupted_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("cupo.db").display());
    // As soon as there is something that would be left.
    let interrupted = async {
        while !race_has_begun(&database).await {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let outcome = race(&config(&database), &RaceOptions { concurrency: 2_000, ..OPTIONS }, interrupted).await;
    assert!(outcome.unwrap_err().to_string().contains("stopped before the end"));
    assert_eq!(rows(&database).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_races_at_once_on_postgres_find_everything_in_order_and_leave_nothing() {
    let Ok(server) = std::env::var("CUPO_TEST_POSTGRES_URL") else {
        eprintln!("left out: CUPO_TEST_POSTGRES_URL names no PostgreSQL server to test on");
        return;
    };
    let name = format!("cupo_race_{}", std::process::id());
    let (address, query) = server.split_once('?').unwrap_or((&server, ""));
    let database = format!("{}/{name}?{query}", address.rsplit_once('/').unwrap().0);
    let mut connection = PgConnection::connect(&server).await.unwrap();
    connection.execute(AssertSqlSafe(format!("create database {name} template template0"))).await.unwrap();
    let both = async { tokio::join!(race_in_order(&database), race_in_order(&database)) };
    let outcome = AssertUnwindSafe(both).catch_unwind().await;
    let left = if outcome.is_ok() { rows(&database).await } else { 0 };
    connection.execute(AssertSqlSafe(format!("drop database {name} with (force)"))).await.unwrap();
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
    assert_eq!(left, 0);
}
