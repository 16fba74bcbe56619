//! A request is answered in time, whatever it waits for.

use std::time::Duration;

use cupo_server::Server;
use sqlx::{Connection, SqliteConnection, query, query_scalar};

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
async fn slots_that_cannot_be_had_in_time_are_put_off() {
    let world = World::start().await;
    let mut config = world.config.clone();
    // Only what is there at once can be answered.
    config.limits.request = Duration::ZERO;
    let hasty = Server::start(config).await.unwrap();
    let answer = world.client.get(format!("{}{}", hasty.base_url, slots_path("intro", today(), today())));
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "5");
    problem(answer, 503, "unavailable").await;
    hasty.stop().await;
}
