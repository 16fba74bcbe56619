//! Series over HTTP: looked at, booked, moved and cancelled.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::world::{World, booking_of, problem, refused_fields, starts};

/// A start from which the same hour is free for weeks.
async fn start(world: &World) -> DateTime<Utc> {
    world.slots_of("lesson", "").await[4]
}

fn weekly(count: u32, skip_taken: bool) -> Value {
    json!({ "recurrence": { "frequency": "weekly", "count": count, "skip_taken": skip_taken } })
}

fn path(event: &str, start: DateTime<Utc>, frequency: &str, count: &str) -> String {
    let start = start.format("%Y-%m-%dT%H:%M:%SZ");
    format!("/embed/v1/series?org=demo&event={event}&start={start}&frequency={frequency}&count={count}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_tells_which_of_its_dates_are_free() {
    let world = World::start().await;
    let start = start(&world).await;
    let looked_at = world.get(&path("lesson", start, "weekly", "3")).await;
    assert_eq!(looked_at.headers()["cache-control"], "no-store");
    let dates: Value = looked_at.json().await.unwrap();
    let dates = dates["dates"].as_array().unwrap();
    assert_eq!(dates.len(), 3);
    assert!(dates.iter().all(|date| date["is_free"] == true), "{dates:?}");
    let second: DateTime<Utc> = dates[1]["start"].as_str().unwrap().parse().unwrap();
    assert!((second - start - TimeDelta::days(7)).abs() <= TimeDelta::hours(1), "a week by the local clock");

    world.booked_with("in-the-way", "lesson", second, json!({})).await;
    let spanish = format!("{}&lang=es", path("lesson", start, "weekly", "3"));
    let dates: Value = world.get(&spanish).await.json().await.unwrap();
    assert_eq!(dates["dates"][1]["is_free"], false);
    assert!(dates["dates"][1]["reason"].as_str().unwrap().contains("ocupad"), "{dates}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_is_booked_whole_and_once() {
    let world = World::start().await;
    let start = start(&world).await;
    let body = booking_of("lesson", start, weekly(4, false));
    let first = world.book("four-lessons", &body).await;
    assert_eq!(first.status(), 201);
    let first: Value = first.json().await.unwrap();
    assert_eq!(first["series"].as_array().unwrap().len(), 3);
    let again = world.book("four-lessons", &body).await;
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(again.json::<Value>().await.unwrap(), first, "every secret link included");
    let free = world.slots_of("lesson", "").await;
    assert!(starts(&json!([first["series"][0]["start"]])).iter().all(|start| !free.contains(start)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_date_refuses_the_series_unless_it_is_left_out() {
    let world = World::start().await;
    let start = start(&world).await;
    let looked_at: Value = world.get(&path("lesson", start, "weekly", "3")).await.json().await.unwrap();
    let second = looked_at["dates"][1]["start"].as_str().unwrap().parse().unwrap();
    world.booked_with("in-the-way", "lesson", second, json!({})).await;
    let all = world.book("all-or-nothing", &booking_of("lesson", start, weekly(3, false))).await;
    let told = problem(all, 422, "invalid-input").await;
    assert_eq!(refused_fields(&told), ["recurrence"]);
    assert!(world.slots_of("lesson", "").await.contains(&start), "nothing was booked");
    let rest = world.booked_with("the-free-ones", "lesson", start, weekly(3, true)).await;
    assert_eq!(rest["series"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_reaches_one_date_or_all_that_follow() {
    let world = World::start().await;
    let start = start(&world).await;
    let first = world.booked_with("three-lessons", "lesson", start, weekly(3, false)).await;
    let token_of = |entry: &Value| entry["manage_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let (second, third) = (token_of(&first["series"][0]), token_of(&first["series"][1]));
    let post = async |token: &str, action: &str, body: Value| {
        let url = world.url(&format!("/embed/v1/appointments/{token}/{action}"));
        world.client.post(url).json(&body).send().await.unwrap().json::<Value>().await.unwrap()
    };
    let read =
        async |token: &str| world.get(&format!("/embed/v1/appointments/{token}")).await.json::<Value>().await.unwrap();
    let before: DateTime<Utc> = read(&third).await["start"].as_str().unwrap().parse().unwrap();
    let at: DateTime<Utc> = read(&second).await["start"].as_str().unwrap().parse().unwrap();
    let later = at + TimeDelta::hours(1);
    let moved = post(&second, "reschedule", json!({ "start": later, "scope": "following" })).await;
    assert_eq!(moved["start"], json!(later), "{moved}");
    assert_eq!(read(&third).await["start"], json!(before + TimeDelta::hours(1)));
    assert_eq!(read(first["token"].as_str().unwrap()).await["start"], json!(start), "what comes before stays");

    let cancelled = post(&second, "cancel", json!({ "scope": "following", "reason": "Moving away." })).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(read(&third).await["status"], "cancelled");
    assert_eq!(read(first["token"].as_str().unwrap()).await["status"], "confirmed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_series_is_told() {
    let world = World::start().await;
    let start = start(&world).await;
    let many = problem(world.get(&path("lesson", start, "weekly", "many")).await, 400, "malformed-query").await;
    assert_eq!(refused_fields(&many), ["count"]);
    let nothing = problem(world.get("/embed/v1/series?org=demo").await, 400, "malformed-query").await;
    assert_eq!(refused_fields(&nothing), ["event", "start", "frequency", "count"]);
    let too_many = problem(world.get(&path("lesson", start, "weekly", "25")).await, 422, "invalid-input").await;
    assert_eq!(refused_fields(&too_many), ["recurrence.count"]);
    let daily = problem(world.get(&path("lesson", start, "daily", "3")).await, 422, "invalid-input").await;
    assert_eq!(refused_fields(&daily), ["recurrence.frequency"]);
    let none = problem(world.get(&path("intro", start, "weekly", "3")).await, 422, "invalid-input").await;
    assert_eq!(refused_fields(&none), ["recurrence"]);
    problem(world.get(&path("nothing", start, "weekly", "3")).await, 404, "not-found").await;
}
