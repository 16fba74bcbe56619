//! Slots that several visitors share.

use cupo_core::event_type::{Options, RulesInput};
use cupo_core::wire::{BookingRequest, HoldRequest};
use cupo_engine::{EngineError, EventTypeInput, SlotsRequest};

use crate::world::{World, at, because, first_visit, hold_request, request, slots_request, to};

const START: &str = "2026-11-25T09:00:00Z";

fn course(seats: u32) -> EventTypeInput {
    EventTypeInput {
        rules: RulesInput { seats, ..RulesInput::default() },
        options: Options { seats_shown: true, ..Options::default() },
        ..first_visit()
    }
}

fn by(name: &str, start: &str) -> BookingRequest {
    BookingRequest { name: name.into(), email: format!("{name}@visitor.example"), ..request(start) }
}

async fn seats_left(world: &World, start: &str) -> Option<u32> {
    let answer = world.engine.slots(&slots_request("2026-11-25", "2026-11-25")).await.unwrap();
    let place = answer.starts.iter().position(|offered| *offered == at(start))?;
    Some(answer.seats_left[place])
}

#[tokio::test]
async fn a_slot_is_booked_until_its_seats_are_taken_and_stands_once_in_the_calendar() {
    let world = World::new().await;
    world.connect().await;
    world.offer(course(2)).await;
    world.run().await;
    assert_eq!(seats_left(&world, START).await, Some(2));
    let leo = world.engine.book("a", by("leo", START)).await.unwrap().view;
    assert_eq!(seats_left(&world, START).await, Some(1));
    assert_eq!(seats_left(&world, "2026-11-25T09:30:00Z").await, Some(2));
    world.run().await;
    world.engine.book("b", by("mia", START)).await.unwrap();
    assert_eq!(seats_left(&world, START).await, None);
    let third = world.engine.book("c", by("tom", START)).await;
    assert!(matches!(third, Err(EngineError::SlotTaken)), "{third:?}");
    world.run().await;
    let event = world.the_event();
    let mut guests: Vec<_> =
        event["attendees"].as_array().unwrap().iter().map(|a| a["email"].as_str().unwrap()).collect();
    guests.sort_unstable();
    assert_eq!(guests, ["leo@visitor.example", "mia@visitor.example"]);
    assert_eq!(event["summary"], "First visit (2/2)");
    assert_eq!(event["guestsCanSeeOtherGuests"], false);
    assert!(
        event["description"].as_str().unwrap_or_default().is_empty(),
        "what one visitor wrote is not for the others"
    );

    world.engine.cancel_by_token(&leo.token, &because("")).await.unwrap();
    assert_eq!(seats_left(&world, START).await, Some(1));
    world.run().await;
    assert_eq!(world.the_event()["summary"], "First visit (1/2)");
    assert_eq!(world.the_event()["attendees"].as_array().unwrap().len(), 1);
    assert_eq!(world.the_event()["id"], event["id"]);
}

#[tokio::test]
async fn who_moves_leaves_the_others_where_they_are() {
    let world = World::new().await;
    world.connect().await;
    world.offer(course(3)).await;
    let leo = world.engine.book("a", by("leo", START)).await.unwrap().view;
    world.engine.book("b", by("mia", START)).await.unwrap();
    world.run().await;
    let moved = world.engine.reschedule_by_token(&leo.token, &to("2026-11-25T12:00:00Z")).await.unwrap();
    assert_eq!(moved.start, at("2026-11-25T12:00:00Z"));
    world.run().await;
    let mut events = world.events();
    events.sort_by_key(|event| event["start"]["dateTime"].as_str().map(str::to_owned));
    let told: Vec<_> = events.iter().map(|event| event["attendees"][0]["email"].as_str().unwrap()).collect();
    assert_eq!(told, ["mia@visitor.example", "leo@visitor.example"]);
    assert_eq!((seats_left(&world, START).await, seats_left(&world, "2026-11-25T12:00:00Z").await), (Some(2), Some(2)));
    // And back again to the others.
    world.engine.reschedule_by_token(&leo.token, &to(START)).await.unwrap();
    world.run().await;
    assert_eq!(world.the_event()["attendees"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_course_that_the_host_drags_takes_everybody_along_and_one_that_is_deleted_ends_for_all() {
    let world = World::new().await;
    world.connect().await;
    world.offer(course(3)).await;
    let leo = world.engine.book("a", by("leo", START)).await.unwrap().view;
    let mia = world.engine.book("b", by("mia", START)).await.unwrap().view;
    world.run().await;
    let id = world.the_event()["id"].as_str().unwrap().to_owned();
    let patch = serde_json::json!({
        "start": { "dateTime": "2026-11-25T12:00:00Z" }, "end": { "dateTime": "2026-11-25T12:30:00Z" }
    });
    world.google.patch_event(crate::world::CALENDAR, &id, patch).unwrap();
    world.pass(chrono::TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.run().await;
    for token in [&leo.token, &mia.token] {
        let view = world.engine.appointment_by_token(token, Default::default()).await.unwrap();
        assert_eq!(view.start, at("2026-11-25T12:00:00Z"));
    }
    assert_eq!(world.the_event()["attendees"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_held_seat_counts_for_others_and_not_for_its_visitor() {
    let world = World::new().await;
    world.offer(course(2)).await;
    world.engine.book("a", by("leo", START)).await.unwrap();
    let kept = world.engine.hold(hold_request(START)).await.unwrap();
    assert_eq!(seats_left(&world, START).await, None);
    assert!(matches!(world.engine.hold(hold_request(START)).await, Err(EngineError::SlotTaken)));
    assert!(matches!(world.engine.book("b", by("tom", START)).await, Err(EngineError::SlotTaken)));
    let own = SlotsRequest { hold: Some(&kept.hold), ..slots_request("2026-11-25", "2026-11-25") };
    assert!(world.engine.slots(&own).await.unwrap().starts.contains(&at(START)));
    world.engine.book("c", BookingRequest { hold: Some(kept.hold), ..by("mia", START) }).await.unwrap();
    assert_eq!(seats_left(&world, START).await, None);
    // The first visitors of a slot may all be filling in their forms.
    let next = "2026-11-25T11:00:00Z";
    let first = world.engine.hold(HoldRequest { start: at(next), ..hold_request(START) }).await.unwrap();
    let second = world.engine.hold(HoldRequest { start: at(next), ..hold_request(START) }).await.unwrap();
    assert_eq!(seats_left(&world, next).await, None);
    for (key, hold) in [("d", first.hold), ("e", second.hold)] {
        world.engine.book(key, BookingRequest { hold: Some(hold), ..by(key, next) }).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_forty_bookings_of_seven_seats_exactly_seven_win() {
    let world = World::new().await;
    world.offer(course(7)).await;
    let bookings = (0..40).map(|n| {
        let engine = world.engine.clone();
        tokio::spawn(async move { engine.book(&format!("key-{n}"), by(&format!("v{n}"), START)).await })
    });
    let answers = futures::future::join_all(bookings).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (7, 33));
    assert!(lost.into_iter().all(|lost| matches!(lost, Err(EngineError::SlotTaken))));
}

#[tokio::test]
async fn who_leaves_a_shared_slot_cannot_move_onto_those_who_stay() {
    let world = World::new().await;
    let rules = RulesInput { seats: 3, increment_minutes: 15, ..RulesInput::default() };
    world.offer(EventTypeInput { rules, ..course(3) }).await;
    let leo = world.engine.book("a", by("leo", START)).await.unwrap().view;
    let overlapping = "2026-11-25T09:15:00Z";
    let own = SlotsRequest { reschedule: Some(&leo.token), ..slots_request("2026-11-25", "2026-11-25") };
    assert!(world.engine.slots(&own).await.unwrap().starts.contains(&at(overlapping)), "alone, nobody is in the way");
    world.engine.book("b", by("mia", START)).await.unwrap();
    assert!(!world.engine.slots(&own).await.unwrap().starts.contains(&at(overlapping)));
    let moved = world.engine.reschedule_by_token(&leo.token, &to(overlapping)).await;
    assert!(matches!(moved, Err(EngineError::SlotTaken)), "{moved:?}");
}

#[tokio::test]
async fn a_course_that_the_host_drags_while_a_seat_is_taken_goes_where_the_host_wants_it() {
    let world = World::new().await;
    world.connect().await;
    world.offer(course(3)).await;
    let leo = world.engine.book("a", by("leo", START)).await.unwrap().view;
    world.run().await;
    let id = world.the_event()["id"].as_str().unwrap().to_owned();
    let patch = serde_json::json!({
        "start": { "dateTime": "2026-11-25T12:00:00Z" }, "end": { "dateTime": "2026-11-25T12:30:00Z" }
    });
    world.google.patch_event(crate::world::CALENDAR, &id, patch).unwrap();
    // Her booking is written before anybody has read what the host did.
    let mia = world.engine.book("b", by("mia", START)).await.unwrap().view;
    world.run().await;
    world.pass(chrono::TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.run().await;
    for token in [&leo.token, &mia.token] {
        let view = world.engine.appointment_by_token(token, Default::default()).await.unwrap();
        assert_eq!(view.start, at("2026-11-25T12:00:00Z"));
    }
    let event = world.the_event();
    assert_eq!(event["attendees"].as_array().unwrap().len(), 2);
    assert_eq!(at(event["start"]["dateTime"].as_str().unwrap()), at("2026-11-25T12:00:00Z"));
}

#[tokio::test]
async fn who_takes_a_seat_of_somebody_who_leaves_at_once_stands_in_the_event() {
    let world = World::new().await;
    world.connect().await;
    world.offer(course(3)).await;
    let leo = world.engine.book("a", by("leo", START)).await.unwrap().view;
    world.run().await;
    world.engine.book("b", by("mia", START)).await.unwrap();
    world.engine.reschedule_by_token(&leo.token, &to("2026-11-25T12:00:00Z")).await.unwrap();
    world.run().await;
    let mut events = world.events();
    events.sort_by_key(|event| event["start"]["dateTime"].as_str().map(str::to_owned));
    let guests: Vec<Vec<_>> = events
        .iter()
        .map(|event| event["attendees"].as_array().unwrap().iter().map(|a| a["email"].as_str().unwrap()).collect())
        .collect();
    assert_eq!(guests, [["mia@visitor.example"], ["leo@visitor.example"]]);
}
