//! Booking over HTTP, from the widget's point of view.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::world::{World, booking, problem, starts};

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_bookings_of_one_slot_one_wins_and_the_others_are_told_what_is_free() {
    let world = World::start().await;
    let slots = world.slots().await;
    let start = slots[0];
    let attempts = (0..50).map(|number| {
        let mut body = booking(start);
        body["email"] = json!(format!("visitor{number}@example.com"));
        let key = format!("visitor-number-{number}");
        let world = &world;
        async move { world.book(&key, &body).await }
    });
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for answer in join_all(attempts).await {
        *statuses.entry(answer.status().as_u16()).or_default() += 1;
        if answer.status() != 201 {
            let told = problem(answer, 409, "slot-taken").await;
            let free = starts(&told["slots"]);
            assert!(!free.contains(&start), "the taken slot is not offered again");
            assert!(free.contains(&slots[1]), "another one is");
        }
    }
    assert_eq!(statuses, BTreeMap::from([(201, 1), (409, 49)]));
    let events = world.until("the event", async || Some(world.events()).filter(|events| !events.is_empty())).await;
    assert_eq!(events.len(), 1);
    // Whatever jobs are left are run: none of them may add another.
    world.server.engine.run_due_jobs().await.unwrap();
    assert_eq!(world.events().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_books_reschedules_and_cancels_and_the_calendar_follows() {
    let world = World::start().await;
    let slots = world.slots().await;
    let view = world.booked().await;
    let path = format!("/embed/v1/appointments/{}", view["token"].as_str().unwrap());
    assert_eq!(view["status"], "confirmed");
    assert!(!world.slots().await.contains(&slots[0]), "the booked slot is gone at once");
    let event = world.until("the event", async || world.events().into_iter().next()).await;
    assert_eq!(event["attendees"][0]["email"], "vera@example.com");
    world
        .until("the meeting link", async || {
            let view: Value = world.get(&path).await.json().await.unwrap();
            view["meeting_url"].as_str().map(str::to_owned)
        })
        .await;

    let moved = world.client.post(world.url(&format!("{path}/reschedule"))).json(&json!({ "start": slots[4] }));
    let moved = moved.send().await.unwrap();
    assert_eq!(moved.status(), 200);
    assert_eq!(moved.json::<Value>().await.unwrap()["start"], json!(slots[4]));
    world
        .until("the moved event", async || {
            let start = world.events().first()?["start"]["dateTime"].as_str()?.parse::<chrono::DateTime<chrono::Utc>>();
            (start.ok()? == slots[4]).then_some(())
        })
        .await;

    let ics = world.get(&format!("{path}/calendar.ics")).await;
    assert_eq!(ics.headers()["content-type"], "text/calendar; charset=utf-8");
    assert!(ics.text().await.unwrap().starts_with("BEGIN:VCALENDAR"));

    let cancelled = world.client.post(world.url(&format!("{path}/cancel"))).json(&json!({ "reason": "Ill." }));
    let cancelled: Value = cancelled.send().await.unwrap().json().await.unwrap();
    assert_eq!((cancelled["status"].as_str(), cancelled["cancel_reason"].as_str()), (Some("cancelled"), Some("Ill.")));
    world.until("the deletion", async || world.events().is_empty().then_some(())).await;
    assert!(world.slots().await.contains(&slots[4]), "the slot is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_slot_is_kept_for_its_visitor_and_free_again_when_let_go() {
    let world = World::start().await;
    let start = world.slots().await[0];
    let wanted = json!({ "org": "demo", "event": "intro", "start": start });
    let hold = world.client.post(world.url("/embed/v1/holds")).json(&wanted).send().await.unwrap();
    assert_eq!(hold.status(), 201);
    let token = hold.json::<Value>().await.unwrap()["hold"].as_str().unwrap().to_owned();
    assert!(!world.slots().await.contains(&start));
    let second = world.client.post(world.url("/embed/v1/holds")).json(&wanted).send().await.unwrap();
    problem(second, 409, "slot-taken").await;

    let release = world.client.delete(world.url(&format!("/embed/v1/holds/{token}"))).send().await.unwrap();
    assert_eq!(release.status(), 204);
    assert!(world.slots().await.contains(&start));
}

#[tokio::test(flavor = "multi_thread")]
async fn unchanged_slots_are_not_sent_twice_and_changed_ones_are() {
    let world = World::start().await;
    let path = crate::world::slots_path("intro", crate::world::today(), crate::world::today() + chrono::Days::new(28));
    let tag = world.get(&path).await.headers()["etag"].clone();
    let ask = || world.client.get(world.url(&path)).header("if-none-match", tag.clone()).send();
    let same = ask().await.unwrap();
    assert_eq!((same.status().as_u16(), same.headers()["etag"].clone()), (304, tag.clone()));
    world.booked().await;
    assert_eq!(ask().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_ten_times_at_once_is_carried_out_once_and_answered_alike() {
    let world = World::start().await;
    let body = booking(world.slots().await[0]);
    let copies = (0..10).map(|_| world.book("the-same-for-all", &body));
    let mut tokens = BTreeMap::new();
    for answer in join_all(copies).await {
        assert_eq!(answer.status(), 201);
        let view: Value = answer.json().await.unwrap();
        *tokens.entry(view["token"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert_eq!(tokens.into_values().collect::<Vec<_>>(), [10]);
}
