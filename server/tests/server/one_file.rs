//! Several processes on one SQLite file: nobody sees that another one writes.

use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use sqlx::{Connection, Executor, SqliteConnection};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use crate::commands::Operator;
use crate::world::booking;

/// The address of the file whose lock the second process holds.
const FILE: &str = "CUPO_TEST_LOCKED_FILE";
/// How long it holds it.
const HELD: Duration = Duration::from_secs(3);

/// A second process, which has the write lock once this returns.
async fn lock(database: &str) -> Child {
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["one_file::holds_the_write_lock", "--exact", "--ignored", "--nocapture"])
        .env(FILE, database)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stderr.take().unwrap()).lines();
    while lines.next_line().await.unwrap().expect("the holder ended before it held the lock") != "held" {}
    holder
}

#[tokio::test]
#[ignore = "it is the second process of the other tests"]
async fn holds_the_write_lock() {
    let Ok(database) = std::env::var(FILE) else { return };
    let mut connection = SqliteConnection::connect(&database).await.unwrap();
    connection.execute("begin immediate").await.unwrap();
    eprintln!("held");
    let mut line = String::new();
    BufReader::new(tokio::io::stdin()).read_line(&mut line).await.unwrap();
    connection.execute("rollback").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_who_book_while_another_process_writes_wait_and_see_no_error() {
    let operator = Operator::new();
    let database = operator.sqlite("cupo.db");
    let world = operator.world(&database).await;
    let slots = world.slots().await;
    world.settle().await;
    let mut holder = lock(&database).await;
    let done = AtomicUsize::new(0);
    let visitors = slots.iter().step_by(8).take(6).enumerate().map(|(number, start)| {
        let (world, done) = (&world, &done);
        async move {
            let answer = world.book(&format!("visitor-number-{number}"), &booking(*start)).await;
            done.fetch_add(1, Ordering::Relaxed);
            answer.status().as_u16()
        }
    });
    let freeing = async {
        tokio::time::sleep(HELD).await;
        let before = done.load(Ordering::Relaxed);
        // Reading goes on meanwhile.
        assert_eq!(world.get("/demo/intro").await.status(), 200);
        holder.stdin.take().unwrap().write_all(b"\n").await.unwrap();
        before
    };
    let (statuses, before) = tokio::join!(join_all(visitors), freeing);
    assert_eq!((statuses, before), (vec![201; 6], 0));
    assert!(holder.wait().await.unwrap().success());
    world.until("the events", async || (world.events().len() == 6).then_some(())).await;
}
