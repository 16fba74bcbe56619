use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use cupo_core::text::Locale;
use cupo_engine::{CalendarChoice, EngineError, EngineSettings, EventTypeInput, SlotsRequest};
use cupo_simulators::google::Fault;

use crate::world::{CALENDAR, World, at, delivered, event, first_visit, slots_request};

#[tokio::test]
async fn slots_are_the_hours_minus_the_mirrored_events_and_ask_no_provider() {
    let world = World::open_for_business().await;
    world
        .google
        .insert_event(CALENDAR, event("Dentist", "2026-11-25T10:00:00+01:00", "2026-11-25T16:15:00+01:00"))
        .unwrap();
    let told = world.notification(2, None);
    world.notify(&told).await;
    world.engine.run_due_jobs().await.unwrap();
    world.google.clear_exchanges();
    let starts = world.starts("2026-11-25", "2026-11-25").await;
    let expected = ["08:00", "08:30", "15:30"].map(|time| at(&format!("2026-11-25T{time}:00Z")));
    assert_eq!(starts, expected);
    assert_eq!(world.google.exchanges().len(), 0);
}

#[tokio::test]
async fn an_all_day_event_blocks_the_day_of_its_calendar_and_a_free_one_does_not() {
    let world = World::open_for_business().await;
    let day = |title: &str, transparency: &str, date: &str, next: &str| {
        serde_json::json!({
            "summary": title, "transparency": transparency, "start": { "date": date }, "end": { "date": next },
        })
    };
    world.google.insert_event(CALENDAR, day("Holiday", "opaque", "2026-11-25", "2026-11-26")).unwrap();
    world.google.insert_event(CALENDAR, day("Birthday", "transparent", "2026-11-26", "2026-11-27")).unwrap();
    world.notify(&world.notification(2, None)).await;
    world.engine.run_due_jobs().await.unwrap();
    assert!(world.starts("2026-11-25", "2026-11-25").await.is_empty());
    assert_eq!(world.starts("2026-11-26", "2026-11-26").await.len(), 16);
}

#[tokio::test]
async fn the_same_question_gets_the_same_bytes_until_something_changes() {
    let world = World::open_for_business().await;
    let ask = slots_request("2026-11-25", "2026-11-26");
    let first = world.engine.slots(&ask).await.unwrap();
    assert!(Arc::ptr_eq(&first, &world.engine.slots(&ask).await.unwrap()), "a warm answer is not computed again");
    world.book("key", "2026-11-25T09:00:00Z").await;
    let second = world.engine.slots(&ask).await.unwrap();
    assert_ne!(first.etag, second.etag);
    assert_eq!(first.starts.len(), second.starts.len() + 1);
    assert!(first.etag.starts_with('"') && first.etag.ends_with('"'));
}

#[tokio::test]
async fn the_notice_takes_slots_away_as_time_goes_by() {
    let world = World::open_for_business().await;
    world.clock.set(at("2026-11-23T08:29:59Z"));
    assert!(world.is_offered("2026-11-23T09:30:00Z").await);
    world.clock.set(at("2026-11-23T08:30:59Z"));
    assert!(!world.is_offered("2026-11-23T09:30:00Z").await);
}

#[tokio::test]
async fn a_range_that_is_too_long_or_turned_around_is_refused() {
    let world = World::open_for_business().await;
    let ask = async |from, to| world.engine.slots(&slots_request(from, to)).await;
    assert!(ask("2026-11-01", "2027-01-01").await.is_ok(), "62 days");
    assert!(matches!(ask("2026-11-01", "2027-01-02").await, Err(EngineError::RangeTooLong { max_days: 62 })));
    assert!(matches!(ask("2026-11-02", "2026-11-01").await, Err(EngineError::Invalid(_))));
}

#[tokio::test]
async fn unknown_addresses_and_lengths_are_told_apart() {
    let world = World::open_for_business().await;
    let ask = slots_request("2026-11-25", "2026-11-25");
    let nobody = world.engine.slots(&SlotsRequest { org: "nobody", ..ask }).await;
    assert!(matches!(nobody, Err(EngineError::NotFound("organization"))));
    let nothing = world.engine.slots(&SlotsRequest { event: "nothing", ..ask }).await;
    assert!(matches!(nothing, Err(EngineError::NotFound("event type"))));
    let long = world.engine.slots(&SlotsRequest { duration: Some(60), ..ask }).await;
    assert!(matches!(long, Err(EngineError::Invalid(_))));
    assert!(world.engine.slots(&SlotsRequest { duration: Some(30), ..ask }).await.is_ok());
}

#[tokio::test]
async fn the_view_of_an_event_type_speaks_the_readers_language() {
    let world = World::open_for_business().await;
    let view = world.engine.event_type_view("ruiz", "first-visit", Locale::Es, None).await.unwrap();
    assert_eq!((view.title.as_str(), view.locale.as_str(), &view.durations[..]), ("First visit", "es", &[30][..]));
    assert_eq!((view.host_name.as_str(), view.time_zone.as_str()), ("Ana Ruiz", "Europe/Madrid"));
    assert_eq!(view.window_end, at("2027-01-21T23:00:00Z"));
}

#[tokio::test]
async fn a_mirror_that_is_too_old_is_replaced_by_a_live_question() {
    let world = World::open_for_business().await;
    world
        .google
        .insert_event(CALENDAR, event("Dentist", "2026-11-25T10:00:00+01:00", "2026-11-25T11:00:00+01:00"))
        .unwrap();
    // The channel has ended and nothing was read since.
    world.pass(TimeDelta::days(8));
    let day = "2026-12-02";
    let dentist = event("Dentist", "2026-12-02T10:00:00+01:00", "2026-12-02T11:00:00+01:00");
    world.google.insert_event(CALENDAR, dentist).unwrap();
    world.google.clear_exchanges();
    let starts = world.starts(day, day).await;
    assert_eq!(world.calls("POST", "/freeBusy"), 1);
    assert!(!starts.contains(&at("2026-12-02T09:00:00Z")) && starts.contains(&at("2026-12-02T10:00:00Z")));
    world.starts(day, day).await;
    assert_eq!(world.calls("POST", "/freeBusy"), 1, "the live answer serves for the minute");
}

#[tokio::test]
async fn a_mirror_that_is_too_old_and_a_silent_provider_offer_nothing_at_all() {
    let world = World::open_for_business().await;
    world.pass(TimeDelta::days(8));
    world.google_is_down();
    let refused = world.try_starts("2026-12-02", "2026-12-02").await.unwrap_err();
    assert!(matches!(refused, EngineError::CalendarUnreachable));
}

#[tokio::test]
async fn a_provider_that_hangs_delays_no_visitor() {
    let world = World::open_for_business().await;
    // The mirror is stale, and nothing else would end the question: no answer comes for a minute.
    world.pass(TimeDelta::days(8));
    world.fault("POST", "/freeBusy$", 1000, Fault { delay_ms: 60_000, ..Fault::default() });
    assert!(delivered().stale_patience <= Duration::from_millis(300));
    // A busy machine is no dead provider.
    let (stale_patience, live_check_timeout) = (Duration::from_secs(3), Duration::from_secs(60));
    let process = world.process_with(EngineSettings { stale_patience, live_check_timeout, ..delivered() });
    let request = slots_request("2026-12-02", "2026-12-02");
    let answer = tokio::time::timeout(Duration::from_secs(9), process.slots(&request)).await;
    assert!(matches!(answer.expect("the visitor has an answer"), Err(EngineError::CalendarUnreachable)));
    // Whoever comes next does not wait at all: nobody is asked, who would answer now.
    world.google.clear_faults();
    assert!(matches!(process.slots(&request).await, Err(EngineError::CalendarUnreachable)));
    world.pass(TimeDelta::seconds(21));
    assert!(process.slots(&request).await.is_ok());
}

#[tokio::test]
async fn a_calendar_that_does_not_check_conflicts_blocks_nothing() {
    let world = World::open_for_business().await;
    world
        .google
        .insert_event(CALENDAR, event("Dentist", "2026-11-25T10:00:00+01:00", "2026-11-25T11:00:00+01:00"))
        .unwrap();
    world.notify(&world.notification(2, None)).await;
    world.engine.run_due_jobs().await.unwrap();
    assert!(!world.is_offered("2026-11-25T09:00:00Z").await);
    world.engine.calendar_choices_save(&world.principal, vec![], None).await.unwrap();
    assert!(world.is_offered("2026-11-25T09:00:00Z").await);
}

#[tokio::test]
async fn without_any_calendar_the_hours_alone_decide() {
    let world = World::new().await;
    world.offer(first_visit()).await;
    assert_eq!(world.starts("2026-11-25", "2026-11-25").await.len(), 16);
}

/// Brings the mirror up to date.
async fn sync(world: &World) {
    world.pass(TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.run().await;
}

async fn choose(world: &World, tentative_blocks: bool, unanswered_blocks: bool) {
    let calendars = world.engine.accounts(&world.principal).await.unwrap().remove(0).calendars;
    let primary = calendars.into_iter().find(|calendar| calendar.is_primary).unwrap();
    let choice =
        CalendarChoice { calendar_id: primary.id.clone(), checks_conflicts: true, tentative_blocks, unanswered_blocks };
    world.engine.calendar_choices_save(&world.principal, vec![choice], Some(primary.id)).await.unwrap();
}

#[tokio::test]
async fn tentative_and_unanswered_events_block_by_choice_and_declined_ones_never() {
    let world = World::open_for_business().await;
    let answered = |title: &str, start: &str, end: &str, response: &str| {
        let mut event = event(title, start, end);
        event["attendees"] = serde_json::json!([{ "email": CALENDAR, "self": true, "responseStatus": response }]);
        event
    };
    let mut tentative = event("Maybe", "2026-11-25T08:00:00Z", "2026-11-25T08:30:00Z");
    tentative["status"] = "tentative".into();
    for event in [
        tentative,
        answered("Invited", "2026-11-25T09:00:00Z", "2026-11-25T09:30:00Z", "needsAction"),
        answered("Not coming", "2026-11-25T10:00:00Z", "2026-11-25T10:30:00Z", "declined"),
    ] {
        world.google.insert_event(CALENDAR, event).unwrap();
    }
    sync(&world).await;
    let offered = async || {
        let mut offered = Vec::new();
        for start in ["2026-11-25T08:00:00Z", "2026-11-25T09:00:00Z", "2026-11-25T10:00:00Z"] {
            offered.push(world.is_offered(start).await);
        }
        offered
    };
    assert_eq!(offered().await, [false, false, true]);
    // No synchronization is needed: the mirror knows what each event is.
    choose(&world, false, true).await;
    assert_eq!(offered().await, [true, false, true]);
    choose(&world, true, false).await;
    assert_eq!(offered().await, [false, true, true]);
}

#[tokio::test]
async fn an_event_type_looks_at_calendars_of_its_own() {
    let world = World::open_for_business().await;
    let calendars = world.engine.accounts(&world.principal).await.unwrap().remove(0).calendars;
    let other = calendars.iter().find(|calendar| !calendar.is_primary && calendar.can_write).unwrap().clone();
    world.google.insert_event(CALENDAR, event("Busy", "2026-11-25T09:00:00Z", "2026-11-25T09:30:00Z")).unwrap();
    let class = event("Class", "2026-11-25T10:00:00Z", "2026-11-25T10:30:00Z");
    world.google.insert_event(&other.external_id, class).unwrap();
    sync(&world).await;
    assert!(!world.is_offered("2026-11-25T09:00:00Z").await && world.is_offered("2026-11-25T10:00:00Z").await);
    let host = cupo_engine::EventTypeHostInput {
        conflict_calendar_ids: Some(vec![other.id.to_string()]),
        ..crate::world::host(&world.principal)
    };
    world.change(EventTypeInput { hosts: vec![host], ..first_visit() }).await;
    world.run().await;
    assert!(world.is_offered("2026-11-25T09:00:00Z").await && !world.is_offered("2026-11-25T10:00:00Z").await);
    // What is looked at is kept up to date, too, and no slot asks for it.
    world
        .google
        .insert_event(&other.external_id, event("More", "2026-11-25T11:00:00Z", "2026-11-25T11:30:00Z"))
        .unwrap();
    sync(&world).await;
    world.google.clear_exchanges();
    assert!(!world.is_offered("2026-11-25T11:00:00Z").await);
    assert!(world.google.exchanges().is_empty());
}
