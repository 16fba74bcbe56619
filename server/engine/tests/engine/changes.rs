use chrono::TimeDelta;
use cupo_core::{
    appointment::{AppointmentStatus, CancelledBy},
    text::Locale,
    wire::AppointmentView,
};
use cupo_engine::NotificationOutcome;
use cupo_simulators::google::Fault;
use cupo_store::AppointmentFilter;
use serde_json::json;

use crate::world::{CALENDAR, World, at, because, event, to};

const START: &str = "2026-11-25T09:00:00Z";

/// An appointment whose event stands in Google, and what was told of it is read.
async fn booked() -> (World, AppointmentView) {
    let world = World::open_for_business().await;
    let view = world.book("key", START).await;
    world.run().await;
    told(&world, 100).await;
    world.mail.clear();
    (world, view)
}

async fn told(world: &World, number: u64) {
    let outcome = world.notify(&world.notification(number, None)).await;
    assert_eq!(outcome, NotificationOutcome::Accepted);
    world.engine.run_due_jobs().await.unwrap();
}

async fn seen(world: &World, view: &AppointmentView) -> AppointmentView {
    world.engine.appointment_by_token(&view.token, Locale::En).await.unwrap()
}

fn time(start: &str, end: &str) -> serde_json::Value {
    json!({ "start": { "dateTime": start }, "end": { "dateTime": end } })
}

#[tokio::test]
async fn an_event_that_is_dragged_in_google_moves_its_appointment() {
    let (world, view) = booked().await;
    let id = world.the_event()["id"].as_str().unwrap().to_owned();
    let to = "2026-11-26T14:00:00Z";
    world.google.patch_event(CALENDAR, &id, time(to, "2026-11-26T14:45:00Z")).unwrap();
    told(&world, 101).await;
    let moved = seen(&world, &view).await;
    assert_eq!((moved.start, moved.end, moved.sequence), (at(to), at("2026-11-26T14:45:00Z"), 1));
    assert!(world.is_offered(START).await && !world.is_offered(to).await);
    assert_eq!(world.mails_to("leo@visitor.example").len(), 1);
    assert_eq!(world.mails_to("ana@clinic.example").len(), 1);
    world.google.clear_exchanges();
    told(&world, 102).await;
    world.run().await;
    assert_eq!(world.calls("PATCH", &id), 0, "what came from the calendar is not written back");
}

#[tokio::test]
async fn an_event_that_is_deleted_in_google_cancels_its_appointment() {
    let (world, view) = booked().await;
    let id = world.the_event()["id"].as_str().unwrap().to_owned();
    world.google.delete_event(CALENDAR, &id).unwrap();
    told(&world, 101).await;
    let cancelled = seen(&world, &view).await;
    assert_eq!((cancelled.status, cancelled.cancelled_by), (AppointmentStatus::Cancelled, Some(CancelledBy::Calendar)));
    assert!(world.is_offered(START).await);
    assert_eq!(world.mails_to("leo@visitor.example").len(), 1);
    world.google.clear_exchanges();
    world.run().await;
    assert_eq!(world.calls("DELETE", &id), 0);
}

#[tokio::test]
async fn the_echo_of_our_own_write_changes_nothing_and_blocks_nothing() {
    let (world, view) = booked().await;
    assert_eq!(seen(&world, &view).await.sequence, 0);
    world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    // The event still stands in Google; the appointment's time is free all the same.
    told(&world, 101).await;
    assert!(world.is_offered(START).await);
}

#[tokio::test]
async fn a_change_of_the_title_leaves_the_appointment_alone() {
    let (world, view) = booked().await;
    let id = world.the_event()["id"].as_str().unwrap().to_owned();
    world.google.patch_event(CALENDAR, &id, json!({ "summary": "Leo" })).unwrap();
    told(&world, 101).await;
    assert_eq!(seen(&world, &view).await.sequence, 0);
    assert!(world.mail.messages().is_empty());
    world.engine.reschedule_by_token(&view.token, &to("2026-11-25T11:00:00Z")).await.unwrap();
    world.run().await;
    assert_eq!(at(world.the_event()["start"]["dateTime"].as_str().unwrap()), at("2026-11-25T11:00:00Z"));
}

#[tokio::test]
async fn an_event_that_was_dragged_before_our_write_arrived_ends_where_the_newer_change_put_it() {
    let (world, view) = booked().await;
    let id = world.the_event()["id"].as_str().unwrap().to_owned();
    world.google.patch_event(CALENDAR, &id, time("2026-11-26T14:00:00Z", "2026-11-26T14:30:00Z")).unwrap();
    // The visitor moves it before the notification comes: the write meets another etag, reads, and writes again.
    world.engine.reschedule_by_token(&view.token, &to("2026-11-25T11:00:00Z")).await.unwrap();
    world.run().await;
    told(&world, 101).await;
    let appointment = seen(&world, &view).await;
    assert_eq!(appointment.start, at("2026-11-25T11:00:00Z"));
    assert_eq!(at(world.the_event()["start"]["dateTime"].as_str().unwrap()), appointment.start);
}

#[tokio::test]
async fn an_event_that_is_dragged_onto_another_appointment_blocks_both_times_and_the_host_is_told() {
    let (world, view) = booked().await;
    let id = world.the_event()["id"].as_str().unwrap().to_owned();
    let other = world.book("key-2", "2026-11-25T11:00:00Z").await;
    world.run().await;
    world.google.patch_event(CALENDAR, &id, time("2026-11-25T11:00:00Z", "2026-11-25T12:00:00Z")).unwrap();
    told(&world, 101).await;
    assert_eq!(seen(&world, &view).await.start, at(START), "two appointments never share time");
    assert_eq!(seen(&world, &other).await.status, AppointmentStatus::Confirmed);
    assert!(!world.is_offered("2026-11-25T11:00:00Z").await && !world.is_offered("2026-11-25T11:30:00Z").await);
    world.engine.cancel_by_token(&other.token, &because("")).await.unwrap();
    assert!(!world.is_offered("2026-11-25T11:00:00Z").await, "the dragged event still takes the time");
    let page = world.engine.appointments(&world.principal, AppointmentFilter::Upcoming, None).await.unwrap();
    let detail = world.engine.appointment(&world.principal, &page.items[0].appointment.id).await.unwrap();
    assert!(detail.audit.iter().any(|entry| entry.action == "appointment.collides"));
    let told_host = world.mails_to("ana@clinic.example");
    assert!(told_host.iter().any(|mail| mail.subject.contains("Leo Pérez") && mail.subject.contains("solapa")));

    world.google.patch_event(CALENDAR, &id, time("2026-11-25T12:00:00Z", "2026-11-25T12:30:00Z")).unwrap();
    told(&world, 102).await;
    assert_eq!(seen(&world, &view).await.start, at("2026-11-25T12:00:00Z"));
    assert!(world.is_offered(START).await && world.is_offered("2026-11-25T11:30:00Z").await);
}

#[tokio::test]
async fn a_copy_of_our_event_is_somebody_elses_and_blocks() {
    let (world, _) = booked().await;
    let own = world.the_event();
    let mut copy = event("Copy", "2026-11-25T14:00:00Z", "2026-11-25T14:30:00Z");
    copy["extendedProperties"] = own["extendedProperties"].clone();
    world.google.insert_event(CALENDAR, copy).unwrap();
    told(&world, 101).await;
    assert!(!world.is_offered("2026-11-25T14:00:00Z").await);
}

#[tokio::test]
async fn busy_time_comes_moves_and_goes() {
    let world = World::open_for_business().await;
    let dentist = world.google.insert_event(CALENDAR, event("Dentist", START, "2026-11-25T09:30:00Z")).unwrap();
    told(&world, 100).await;
    assert!(!world.is_offered(START).await);
    let id = dentist["id"].as_str().unwrap();
    world.google.patch_event(CALENDAR, id, time("2026-11-25T10:00:00Z", "2026-11-25T10:30:00Z")).unwrap();
    told(&world, 101).await;
    assert!(world.is_offered(START).await && !world.is_offered("2026-11-25T10:00:00Z").await);
    world.google.delete_event(CALENDAR, id).unwrap();
    told(&world, 102).await;
    assert!(world.is_offered("2026-11-25T10:00:00Z").await);
}

#[tokio::test]
async fn an_expired_cursor_leads_to_a_full_round_that_misses_nothing() {
    let (world, view) = booked().await;
    let id = world.the_event()["id"].as_str().unwrap().to_owned();
    let old =
        world.google.insert_event(CALENDAR, event("Old", "2026-11-25T10:00:00Z", "2026-11-25T10:30:00Z")).unwrap();
    told(&world, 101).await;
    world.google.delete_event(CALENDAR, old["id"].as_str().unwrap()).unwrap();
    world.google.delete_event(CALENDAR, &id).unwrap();
    world.google.insert_event(CALENDAR, event("New", "2026-11-25T11:00:00Z", "2026-11-25T11:30:00Z")).unwrap();
    world.google.expire_sync_tokens();
    told(&world, 102).await;
    assert!(world.is_offered("2026-11-25T10:00:00Z").await && !world.is_offered("2026-11-25T11:00:00Z").await);
    assert_eq!(seen(&world, &view).await.status, AppointmentStatus::Cancelled, "our vanished event was noticed");
}

#[tokio::test]
async fn what_becomes_of_the_event_of_a_past_appointment_stops_nothing() {
    let (world, view) = booked().await;
    let id = world.the_event()["id"].as_str().unwrap().to_owned();
    let later = world.book("later", "2026-12-02T10:00:00Z").await;
    world.run().await;
    let events = world.events();
    let later_id = events.iter().map(|event| event["id"].as_str().unwrap()).find(|other| *other != id).unwrap();
    world.pass(TimeDelta::days(3));
    // The host tidies up, and drags what was into next week.
    let next_week = "2026-12-03T10:00:00Z";
    world.google.patch_event(CALENDAR, &id, time(next_week, "2026-12-03T10:30:00Z")).unwrap();
    told(&world, 101).await;
    assert_eq!(seen(&world, &view).await.start, at(START), "what is over stays as it was");
    assert!(!world.is_offered(next_week).await, "its event takes time as any other");
    world.google.delete_event(CALENDAR, &id).unwrap();
    world.google.delete_event(CALENDAR, later_id).unwrap();
    told(&world, 102).await;
    assert_eq!(seen(&world, &view).await.status, AppointmentStatus::Confirmed);
    assert_eq!(seen(&world, &later).await.status, AppointmentStatus::Cancelled, "the other one was followed");
    assert!(world.is_offered(next_week).await);
}

#[tokio::test]
async fn an_event_that_the_host_moved_out_of_the_window_is_not_taken_for_deleted() {
    let (world, view) = booked().await;
    let id = world.the_event()["id"].as_str().unwrap().to_owned();
    // A full round names nothing that is so long ago.
    let to = "2026-11-16T09:00:00Z";
    world.google.patch_event(CALENDAR, &id, time(to, "2026-11-16T09:30:00Z")).unwrap();
    world.google.expire_sync_tokens();
    told(&world, 101).await;
    let moved = seen(&world, &view).await;
    assert_eq!((moved.status, moved.start), (AppointmentStatus::Confirmed, at(to)));
    assert!(world.is_offered(START).await);
}

#[tokio::test]
async fn a_full_round_leaves_what_still_stands_alone() {
    let (world, view) = booked().await;
    world.google.expire_sync_tokens();
    told(&world, 101).await;
    assert_eq!(seen(&world, &view).await.status, AppointmentStatus::Confirmed);
    assert!(world.mail.messages().is_empty());
}

#[tokio::test]
async fn unknown_channels_wrong_tokens_and_replays_do_nothing() {
    let world = World::open_for_business().await;
    world.google.insert_event(CALENDAR, event("Dentist", START, "2026-11-25T09:30:00Z")).unwrap();
    let ask = async |headers: http::HeaderMap| world.notify(&headers).await;
    assert_eq!(ask(world.notification(7, Some("guess"))).await, NotificationOutcome::Ignored("wrong_token"));
    let mut unknown = world.notification(7, None);
    unknown.insert("x-goog-channel-id", "018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e".parse().unwrap());
    assert_eq!(ask(unknown).await, NotificationOutcome::Ignored("unknown_channel"));
    let mut other = world.notification(7, None);
    other.insert("x-goog-resource-id", "other".parse().unwrap());
    assert_eq!(ask(other).await, NotificationOutcome::Ignored("wrong_resource"));
    assert_eq!(ask(http::HeaderMap::new()).await, NotificationOutcome::Ignored("malformed"));
    assert_eq!(world.engine.run_due_jobs().await.unwrap(), 0);
    assert!(world.is_offered(START).await);

    assert_eq!(ask(world.notification(7, None)).await, NotificationOutcome::Accepted);
    assert_eq!(ask(world.notification(7, None)).await, NotificationOutcome::Ignored("replayed"));
    assert_eq!(ask(world.notification(6, None)).await, NotificationOutcome::Ignored("replayed"));
    assert_eq!(world.engine.run_due_jobs().await.unwrap(), 1);
    assert!(!world.is_offered(START).await);
}

#[tokio::test]
async fn the_opening_of_a_channel_is_no_change() {
    let world = World::open_for_business().await;
    let mut opening = world.notification(1, None);
    opening.insert("x-goog-resource-state", "sync".parse().unwrap());
    assert_eq!(world.notify(&opening).await, NotificationOutcome::Accepted);
    assert_eq!(world.engine.run_due_jobs().await.unwrap(), 0);
}

#[tokio::test]
async fn many_notifications_are_one_reading() {
    let world = World::open_for_business().await;
    for number in 2..12 {
        world.notify(&world.notification(number, None)).await;
    }
    assert_eq!(world.engine.run_due_jobs().await.unwrap(), 1);
}

#[tokio::test]
async fn what_missed_its_notification_is_found_by_polling() {
    let world = World::open_for_business().await;
    world.google.insert_event(CALENDAR, event("Dentist", START, "2026-11-25T09:30:00Z")).unwrap();
    world.engine.run_periodic().await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    assert!(world.is_offered(START).await, "it was read a moment ago");
    world.pass(TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    assert!(!world.is_offered(START).await);
}

#[tokio::test]
async fn an_event_whose_writing_was_never_answered_is_adopted_and_deleted_with_its_appointment() {
    let world = World::open_for_business().await;
    world.fault("POST", "/events$", 10, Fault { drop_answer_after_effect: true, ..Fault::default() });
    world.fault("GET", "/events/", 10, Fault { status: Some(503), ..Fault::default() });
    let view = world.book("key", START).await;
    world.engine.run_due_jobs().await.unwrap();
    assert_eq!(world.events().len(), 1);
    world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    world.google.clear_faults();
    told(&world, 100).await;
    world.run().await;
    assert!(world.events().is_empty(), "the sync found it by its mark");
}

#[tokio::test]
async fn an_event_that_the_host_moves_before_its_writing_is_repeated_stays_where_the_host_wants_it() {
    let world = World::open_for_business().await;
    world.fault("POST", "/events$", 10, Fault { drop_answer_after_effect: true, ..Fault::default() });
    world.fault("GET", "/events/", 10, Fault { status: Some(503), ..Fault::default() });
    let view = world.book("key", START).await;
    world.engine.run_due_jobs().await.unwrap();
    let id = world.the_event()["id"].as_str().unwrap().to_owned();
    let moved = "2026-11-26T14:00:00Z";
    world.google.patch_event(CALENDAR, &id, time(moved, "2026-11-26T14:30:00Z")).unwrap();
    world.google.clear_faults();
    world.run().await;
    assert_eq!(seen(&world, &view).await.start, at(moved));
    assert_eq!(at(world.the_event()["start"]["dateTime"].as_str().unwrap()), at(moved));
}

#[tokio::test]
async fn a_calendar_that_cannot_be_read_says_so_until_it_can() {
    let world = World::open_for_business().await;
    world.google_is_down();
    world.notify(&world.notification(2, None)).await;
    world.engine.run_due_jobs().await.unwrap();
    let error = async || {
        let overview = world.engine.accounts(&world.principal).await.unwrap().remove(0);
        overview.calendars.into_iter().find(|calendar| calendar.is_primary).unwrap().sync_error
    };
    assert_eq!(error().await.as_deref(), Some("provider-failed"));
    world.google.clear_faults();
    world.run().await;
    assert_eq!(error().await, None);
}
