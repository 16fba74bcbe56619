//! A request is answered in time, whatever it waits for.

use std::time::Duration;

use sqlx::{Connection, SqliteConnection, query, query_scalar};
use tokio::time::timeout;

use crate::world::{World, booking, configuration, problem, slots_path, today};

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_takes_too_long_is_put_off_and_is_booked_once_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", directory.path().join("cupo.db").display());
    let world = World::configured(|google, port, limits| {
        configuration(google, port, &format!("{limits}request_seconds = 1\n")).replace("sqlite::memory:", &database)
    })
    .await;
    let start = world.slots().await[0];
    // Nobody else can write in the meantime.
    let mut elsewhere = SqliteConnection::connect(&database).await.unwrap();
    query("begin immediate").execute(&mut elsewhere).await.unwrap();
    let answer = world.book("a-key", &booking(start)).await;
    assert_eq!(answer.headers()["retry-after"], "5");
    problem(answer, 503, "unavailable").await;
    query("rollback").execute(&mut elsewhere).await.unwrap();

    let mut booked = async || {
        let count = query_scalar::<_, i64>("select count(*) from appointment");
        count.fetch_one(&mut elsewhere).await.unwrap()
    };
    world.until("the appointment", async || (booked().await == 1).then_some(())).await;
    let again = world
        .until("the saved answer", async || {
            Some(world.book("a-key", &booking(start)).await).filter(|answer| answer.status() != 503)
        })
        .await;
    assert!(again.status().is_success(), "{}", again.status());
    assert_eq!(booked().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_long_for_a_database_that_answers_nobody() {
    let world = World::configured(|google, port, limits| {
        let text = configuration(google, port, &format!("{limits}request_seconds = 1\n"));
        format!("{text}[worker]\nin_server = false\n")
    })
    .await;
    let paths = [slots_path("intro", today(), today()), "/embed/v1/event-types/demo/lesson".to_owned()];
    // Whoever comes now waits for a connection, as without the database.
    let mut taken = Vec::new();
    while let Ok(connection) = timeout(Duration::from_millis(500), world.server.store.read()).await {
        taken.push(connection.unwrap());
    }
    for path in &paths {
        let answer = world.client.get(world.url(path)).header("origin", "https://site.example").send().await.unwrap();
        assert_eq!(answer.headers().get("retry-after").unwrap(), "5", "{path}");
        // A widget on another site can read why.
        assert_eq!(answer.headers().get("access-control-allow-origin").unwrap(), "https://site.example", "{path}");
        problem(answer, 503, "unavailable").await;
    }
    let page = world.browse("/demo/intro").await;
    assert_eq!(page.status(), 503);
    assert!(page.text().await.unwrap().contains("<html"), "people are told by a page");
    drop(taken);
    for path in &paths {
        world.until(path, async || (world.get(path).await.status() == 200).then_some(())).await;
    }
}
