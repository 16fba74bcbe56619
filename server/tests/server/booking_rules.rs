//! What an event type decides, over HTTP: lengths, hosts, questions, seats, links, deadlines.

use std::collections::BTreeSet;

use cupo_core::event_type::{Listing, Options, RulesInput};
use cupo_engine::EventTypeInput;
use serde_json::{Value, json};

use crate::world::{World, booking_of, problem, refused_fields, slots_path, starts, today};

async fn view(world: &World, event: &str) -> Value {
    world.get(&format!("/embed/v1/event-types/demo/{event}")).await.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_books_one_of_the_lengths_on_offer() {
    let world = World::start().await;
    assert_eq!(view(&world, "coaching").await["durations"], json!([30, 45, 60]));
    let short = world.slots_of("coaching", "").await;
    let long = world.slots_of("coaching", "&duration=60").await;
    assert!(long.len() < short.len(), "fewer starts leave room for an hour");

    let booked = world.booked_with("an-hour", "coaching", long[0], json!({ "duration": 60 })).await;
    let instant = |name: &str| booked[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert_eq!((instant("end") - instant("start")).num_minutes(), 60);

    let other = world.book("fifty", &booking_of("coaching", short[5], json!({ "duration": 50 }))).await;
    assert_eq!(refused_fields(&problem(other, 422, "invalid-input").await), ["duration"]);
    let path = slots_path("coaching", today(), today());
    let other = world.get(&format!("{path}&duration=50")).await;
    assert_eq!(refused_fields(&problem(other, 422, "invalid-input").await), ["duration"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_chooses_one_of_several_hosts() {
    let world = World::start().await;
    let hosts = view(&world, "visit").await["hosts"].clone();
    let names: BTreeSet<&str> = hosts.as_array().unwrap().iter().map(|host| host["name"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["Ana Demo", "Ben Demo", "Cleo Demo"]));
    let ben = hosts.as_array().unwrap().iter().find(|host| host["name"] == "Ben Demo").unwrap()["id"].clone();
    let of_ben = world.slots_of("visit", &format!("&host={}", ben.as_str().unwrap())).await;
    let of_all = world.slots_of("visit", "").await;
    assert!(of_ben.len() < of_all.len() && of_ben.iter().all(|start| of_all.contains(start)));
    let ana = hosts.as_array().unwrap().iter().find(|host| host["name"] == "Ana Demo").unwrap()["id"].clone();
    let of_ana = world.slots_of("visit", &format!("&host={}", ana.as_str().unwrap())).await;
    let of_both = *of_ben.iter().find(|start| of_ana.contains(start)).unwrap();

    let booked = world.booked_with("ben-please", "visit", of_both, json!({ "host": ben })).await;
    assert_eq!(booked["host_name"], "Ben Demo");
    let again = world.book("ben-again", &booking_of("visit", of_both, json!({ "host": ben }))).await;
    let told = problem(again, 409, "slot-taken").await;
    assert!(!starts(&told["slots"]).contains(&of_both), "what is told to be free is free with Ben");
    let booked = world.booked_with("anybody", "visit", of_both, json!({})).await;
    assert_ne!(booked["host_name"], "Ben Demo");

    let nobody = world.book("nobody", &booking_of("visit", of_ben[1], json!({ "host": "somebody" }))).await;
    assert_eq!(refused_fields(&problem(nobody, 422, "invalid-input").await), ["host"]);
    let no_choice = world.book("no-choice", &booking_of("intro", of_ben[1], json!({ "host": ben }))).await;
    assert_eq!(refused_fields(&problem(no_choice, 422, "invalid-input").await), ["host"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_judged_one_by_one() {
    let world = World::start().await;
    let questions = view(&world, "portrait").await["questions"].clone();
    assert_eq!(
        questions[1],
        json!({
            "id": "size", "label": "Which size?", "is_required": true, "kind": "choice",
            "choices": ["Small", "Medium", "Large"],
        })
    );
    let start = *world.slots_of("portrait", "").await.last().unwrap();
    let none = world.book("no-answers", &booking_of("portrait", start, json!({}))).await;
    let none = problem(none, 422, "invalid-input").await;
    assert_eq!(refused_fields(&none), ["answers.occasion", "answers.size", "answers.people", "answers.terms"]);

    let wrong = json!({ "occasion": "A birthday", "size": "Huge", "people": 5, "terms": false });
    let wrong = world.book("wrong-answers", &booking_of("portrait", start, json!({ "answers": wrong }))).await;
    let wrong = problem(wrong, 422, "invalid-input").await;
    assert_eq!(refused_fields(&wrong), ["answers.size", "answers.people", "answers.terms"]);

    let right = json!({ "occasion": " A birthday ", "size": "Large", "people": 2, "terms": true });
    let booked = world.booked_with("right-answers", "portrait", start, json!({ "answers": right })).await;
    assert_eq!(booked["status"], "pending");
    let answers = booked["answers"].as_array().unwrap();
    let values: Vec<_> = answers.iter().map(|answer| (&answer["id"], &answer["values"])).collect();
    assert_eq!(
        json!(values),
        json!([["occasion", ["A birthday"]], ["size", ["Large"]], ["people", ["2"]], ["terms", ["on"]]])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_are_counted_and_the_last_one_is_the_last() {
    let world = World::start().await;
    let rules = RulesInput { seats: 2, ..RulesInput::default() };
    world.offer("pair", EventTypeInput { rules, ..EventTypeInput::default() }).await;
    let start = world.slots_of("pair", "").await[3];
    let left = async || {
        let path = slots_path("pair", start.date_naive(), start.date_naive());
        let answer: Value = world.get(&path).await.json().await.unwrap();
        let place = starts(&answer["slots"]).iter().position(|slot| *slot == start)?;
        answer["seats_left"][place].as_u64()
    };
    assert_eq!(left().await, Some(2));
    world.booked_with("first-seat", "pair", start, json!({})).await;
    assert_eq!(left().await, Some(1));
    let wanted = json!({ "org": "demo", "event": "pair", "start": start });
    let hold = world.client.post(world.url("/embed/v1/holds")).json(&wanted).send().await.unwrap();
    let hold: Value = hold.json().await.unwrap();
    assert_eq!(left().await, None, "the last seat is kept for somebody");
    world.booked_with("second-seat", "pair", start, json!({ "hold": hold["hold"] })).await;
    problem(world.book("third-seat", &booking_of("pair", start, json!({}))).await, 409, "slot-taken").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_link_is_not_there_without_one_and_serves_once() {
    let world = World::start().await;
    let options = Options { listing: Listing::LinkOnly, ..Options::default() };
    let id = world.offer("secret", EventTypeInput { options, ..EventTypeInput::default() }).await;
    let made = world.server.engine.booking_link_make(&world.ana().await, &id.parse().unwrap(), None).await.unwrap();
    let link = made.url.split_once("link=").unwrap().1.to_owned();

    let event = "/embed/v1/event-types/demo/secret".to_owned();
    let slots = slots_path("secret", today(), today() + chrono::Days::new(7));
    let seen = world.get(&format!("{event}?link={link}")).await;
    assert_eq!((seen.status().as_u16(), &seen.headers()["cache-control"]), (200, &"no-store".parse().unwrap()));
    let start = world.slots_of("secret", &format!("&link={link}")).await[0];
    for path in [&event, &slots] {
        problem(world.get(path).await, 404, "not-found").await;
        let other = if path.contains('?') { "&link=guessed" } else { "?link=guessed" };
        problem(world.get(&format!("{path}{other}")).await, 404, "not-found").await;
    }
    problem(world.book("no-link", &booking_of("secret", start, json!({}))).await, 404, "not-found").await;
    let wanted = json!({ "org": "demo", "event": "secret", "start": start });
    let hold = world.client.post(world.url("/embed/v1/holds")).json(&wanted).send().await.unwrap();
    problem(hold, 404, "not-found").await;
    problem(world.get(&format!("/embed/v1/event-types/demo/intro?link={link}")).await, 404, "not-found").await;

    let booked = world.booked_with("by-link", "secret", start, json!({ "link": link })).await;
    let used = world.book("by-link-again", &booking_of("secret", start, json!({ "link": link }))).await;
    let told = problem(used, 409, "conflict").await;
    assert!(told["title"].as_str().unwrap().contains("link"), "{told}");
    problem(world.get(&format!("{event}?link={link}")).await, 409, "conflict").await;
    problem(world.get(&format!("{slots}&link={link}")).await, 409, "conflict").await;
    let same = world.book("by-link", &booking_of("secret", start, json!({ "link": link }))).await;
    assert_eq!(same.headers()["idempotency-replayed"], "true");

    let token = booked["token"].as_str().unwrap();
    assert!(
        !world.slots_of("secret", &format!("&reschedule={token}")).await.is_empty(),
        "it can move without the link"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn past_its_deadlines_an_appointment_stays_as_it_is() {
    let world = World::start().await;
    let days_90 = 90 * 24 * 60;
    let options = Options { cancel_notice_minutes: days_90, reschedule_notice_minutes: days_90, ..Options::default() };
    world.offer("fixed", EventTypeInput { options, ..EventTypeInput::default() }).await;
    let slots = world.slots_of("fixed", "").await;
    let booked = world.booked_with("for-good", "fixed", slots[0], json!({})).await;
    assert_eq!((&booked["can_cancel"], &booked["can_reschedule"]), (&json!(false), &json!(false)));
    let path = format!("/embed/v1/appointments/{}", booked["token"].as_str().unwrap());
    let post = async |action: &str, body: Value| {
        world.client.post(world.url(&format!("{path}/{action}"))).json(&body).send().await.unwrap()
    };
    let late = problem(post("cancel", json!({})).await, 409, "conflict").await;
    assert!(late["title"].as_str().unwrap().contains("too late to cancel"), "{late}");
    let late = problem(post("reschedule", json!({ "start": slots[3] })).await, 409, "conflict").await;
    assert!(late["title"].as_str().unwrap().contains("too late to change"), "{late}");
    let after: Value = world.get(&path).await.json().await.unwrap();
    assert_eq!((&after["status"], &after["start"]), (&json!("confirmed"), &json!(slots[0])));
}
