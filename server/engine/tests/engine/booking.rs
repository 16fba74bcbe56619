use std::collections::HashSet;

use chrono::TimeDelta;
use cupo_core::{
    appointment::{AppointmentStatus, CancelledBy},
    event_type::{Options, RulesInput},
    question::{Question, QuestionKind},
    slots::Refusal,
    text::Locale,
    wire::{AnswerInput, BookingRequest, HoldRequest},
};
use cupo_engine::{EngineError, EventTypeInput, SlotsRequest};
use cupo_simulators::google::{Fault, FreeBusyError};
use cupo_store::{AppointmentFilter, MeetingState};

use crate::world::{CALENDAR, World, at, because, event, first_visit, hold_request, request, slots_request, to};

const START: &str = "2026-11-25T09:00:00Z";

#[tokio::test]
async fn a_booking_becomes_an_event_with_attendee_place_and_mark() {
    let world = World::open_for_business().await;
    let view = world.book("key", START).await;
    assert_eq!(view.status, AppointmentStatus::Confirmed);
    assert_eq!(view.manage_url, format!("https://cupo.example/manage/{}", view.token));
    assert!(view.meeting_pending && view.meeting_url.is_none());
    world.run().await;
    let event = world.the_event();
    assert_eq!(at(event["start"]["dateTime"].as_str().unwrap()), at(START));
    assert_eq!(at(event["end"]["dateTime"].as_str().unwrap()), at("2026-11-25T09:30:00Z"));
    assert_eq!(event["summary"], "First visit: Leo Pérez");
    assert_eq!(event["attendees"][0]["email"], "leo@visitor.example");
    assert!(event["description"].as_str().unwrap().contains(&view.manage_url));
    let link = event["hangoutLink"].as_str().unwrap();
    let read = world.engine.appointment_by_token(&view.token, Locale::En).await.unwrap();
    assert_eq!(read.meeting_url.as_deref(), Some(link));
    assert!(!read.meeting_pending);
    let page = world.engine.appointments(&world.principal, AppointmentFilter::Upcoming, None).await.unwrap();
    let mapping = page.items[0].mapping.as_ref().unwrap();
    assert_eq!(
        (mapping.external_event_id.as_str(), mapping.meeting_state),
        (event["id"].as_str().unwrap(), MeetingState::Ready)
    );
    assert!(world.engine.failed_jobs(&world.principal).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_booking_asks_google_twice_at_most() {
    let world = World::open_for_business().await;
    let input = EventTypeInput { slug: "call".into(), location_kind: "phone".into(), ..first_visit() };
    world.offer(input).await;
    world.google.clear_exchanges();
    world.engine.book("key", BookingRequest { event: "call".into(), ..request(START) }).await.unwrap();
    world.run().await;
    let calls: Vec<_> =
        world.google.exchanges().into_iter().map(|call| format!("{} {}", call.method, call.path)).collect();
    assert_eq!(calls, ["POST /calendar/v3/freeBusy", "POST /calendar/v3/calendars/ana@example.com/events"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_bookings_of_one_slot_exactly_one_wins() {
    let world = World::open_for_business().await;
    let bookings = (0..50).map(|n| {
        let engine = world.engine.clone();
        tokio::spawn(async move { engine.book(&format!("key-{n}"), request(START)).await })
    });
    let answers = futures::future::join_all(bookings).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 49));
    assert!(lost.into_iter().all(|lost| matches!(lost, Err(EngineError::SlotTaken))));
    world.run().await;
    assert_eq!(world.events().len(), 1);
    assert_eq!(world.mails_to("leo@visitor.example").len(), 1);
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer_and_one_appointment() {
    let world = World::open_for_business().await;
    let first = world.engine.book("key", request(START)).await.unwrap();
    let again = world.engine.book("key", request(START)).await.unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!(first.view, again.view);
    world.run().await;
    assert_eq!(world.events().len(), 1);
    assert_eq!(world.mails_to("leo@visitor.example").len(), 1);
    let saved = saved_answer(&world).await;
    assert!(!saved.contains(&first.view.token), "the visitor's secret is not stored");
}

/// The saved answer as it lies in the store.
async fn saved_answer(world: &World) -> String {
    let tx = &mut world.store.read().await.unwrap();
    cupo_store::idempotency_get(tx, &world.principal.organization_id, "key").await.unwrap().unwrap().body
}

#[tokio::test]
async fn the_same_key_with_another_request_is_refused() {
    let world = World::open_for_business().await;
    world.book("key", START).await;
    let other = world.engine.book("key", request("2026-11-25T10:00:00Z")).await;
    assert!(matches!(other, Err(EngineError::IdempotencyKeyReused)));
    assert!(world.is_offered("2026-11-25T10:00:00Z").await);
}

#[tokio::test]
async fn a_telephone_number_gets_the_calling_code_of_the_visitors_region() {
    let world = World::open_for_business().await;
    let question =
        |id: &str, kind| Question { id: id.into(), label: id.into(), help: String::new(), is_required: true, kind };
    let questions = vec![question("mobile", QuestionKind::Phone), question("card", QuestionKind::ShortText)];
    let options = Options { questions, ..Options::default() };
    world.offer(EventTypeInput { slug: "call".into(), location_kind: "phone".into(), options, ..first_visit() }).await;
    let typed = |text: &str| AnswerInput::Text(text.to_owned());
    let wanted = BookingRequest {
        event: "call".into(),
        phone: Some("600 123 456".into()),
        locale: Some("es-ES".into()),
        answers: [("mobile".to_owned(), typed("0044 20 7946 0018")), ("card".to_owned(), typed("600 123 456"))].into(),
        ..request(START)
    };
    world.engine.book("key", wanted).await.unwrap();
    let page = world.engine.appointments(&world.principal, AppointmentFilter::Upcoming, None).await.unwrap();
    let booked = &page.items[0].appointment;
    assert_eq!(booked.visitor_phone.as_ref().unwrap().as_str(), "+34600123456");
    assert_eq!(booked.answers[0].values, ["+442079460018"]);
    assert_eq!(booked.answers[1].values, ["600 123 456"], "it is no telephone number");
}

#[tokio::test]
async fn where_a_visitor_came_from_is_kept_with_the_appointment() {
    let world = World::open_for_business().await;
    let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let tracking = [of("utm_source", "letter"), of("utm_campaign", "spring"), of("gclid", "somebody")].into();
    world.engine.book("key", BookingRequest { tracking, ..request(START) }).await.unwrap();
    let page = world.engine.appointments(&world.principal, AppointmentFilter::Upcoming, None).await.unwrap();
    let kept = page.items[0].appointment.tracking.clone();
    assert_eq!(kept, [of("utm_source", "letter"), of("utm_campaign", "spring")].into());
}

#[tokio::test]
async fn every_wrong_field_of_the_form_is_named() {
    let world = World::open_for_business().await;
    let input = EventTypeInput { slug: "call".into(), location_kind: "phone".into(), ..first_visit() };
    world.offer(input).await;
    let wrong = BookingRequest {
        event: "call".into(),
        name: " ".into(),
        email: "leo".into(),
        phone: None,
        notes: Some("x".repeat(2001)),
        time_zone: "here".into(),
        ..request(START)
    };
    let Err(EngineError::Invalid(errors)) = world.engine.book("key", wrong).await else { panic!("it was booked") };
    let fields: Vec<_> = errors.0.iter().map(|error| error.field.as_ref()).collect();
    assert_eq!(fields, ["name", "email", "phone", "notes", "time_zone"]);
    for key in ["", "two words", &"x".repeat(201)] {
        assert!(matches!(world.engine.book(key, request(START)).await, Err(EngineError::Invalid(_))), "{key}");
    }
}

#[tokio::test]
async fn a_start_that_was_never_offered_is_refused_with_its_reason() {
    let world = World::open_for_business().await;
    for (start, reason) in [
        ("2026-11-25T09:10:00Z", Refusal::OffGrid),
        ("2026-11-25T20:00:00Z", Refusal::OutsideHours),
        ("2026-11-23T08:30:00Z", Refusal::Notice),
        ("2027-06-01T09:00:00Z", Refusal::Window),
    ] {
        let refused = world.engine.book("key", request(start)).await.unwrap_err();
        assert!(matches!(refused, EngineError::SlotRefused(refusal) if refusal == reason), "{start}: {refused:?}");
    }
    world.run().await;
    assert!(world.events().is_empty() && world.mail.messages().is_empty(), "nothing half-written stays behind");
}

#[tokio::test]
async fn what_the_mirror_does_not_know_yet_is_found_by_the_live_check() {
    let world = World::open_for_business().await;
    world.google.insert_event(CALENDAR, event("Dentist", START, "2026-11-25T09:30:00Z")).unwrap();
    assert!(world.is_offered(START).await, "the notification is still on its way");
    assert!(matches!(world.engine.book("key", request(START)).await, Err(EngineError::SlotTaken)));
    world.engine.run_due_jobs().await.unwrap();
    assert!(!world.is_offered(START).await, "the refusal made the mirror read again");
}

#[tokio::test]
async fn an_unreachable_provider_is_stood_in_for_by_a_fresh_mirror() {
    let world = World::open_for_business().await;
    world.google_is_down();
    world.book("key", START).await;
    world.engine.run_due_jobs().await.unwrap();
    assert!(world.events().is_empty());
    world.google.clear_faults();
    world.pass(TimeDelta::minutes(5));
    world.run().await;
    assert_eq!(world.events().len(), 1, "the outage delayed the event and did not drop it");
}

#[tokio::test]
async fn an_unreachable_provider_and_a_stale_mirror_refuse_the_booking() {
    let world = World::open_for_business().await;
    world.pass(TimeDelta::days(8));
    world.google_is_down();
    let refused = world.engine.book("key", request("2026-12-02T09:00:00Z")).await;
    assert!(matches!(refused, Err(EngineError::CalendarUnreachable)));
}

#[tokio::test]
async fn an_error_of_one_calendar_is_unknown_and_never_free() {
    let world = World::open_for_business().await;
    let unknown = FreeBusyError { calendar: CALENDAR.into(), reason: "internalError".into() };
    let fault = || Fault { free_busy_error: Some(unknown.clone()), ..Fault::default() };
    world.google.add_fault(fault()).unwrap();
    world.book("key", START).await;
    world.pass(TimeDelta::days(8));
    world.google.add_fault(fault()).unwrap();
    let refused = world.engine.book("key-2", request("2026-12-02T09:00:00Z")).await;
    assert!(matches!(refused, Err(EngineError::CalendarUnreachable)));
}

#[tokio::test]
async fn a_lost_answer_does_not_make_a_second_event() {
    let world = World::open_for_business().await;
    let lost = Fault { drop_answer_after_effect: true, ..Fault::default() };
    world.fault("POST", "/events$", 3, lost);
    world.book("key", START).await;
    world.run().await;
    assert_eq!(world.the_event()["summary"], "First visit: Leo Pérez");
    let page = world.engine.appointments(&world.principal, AppointmentFilter::Upcoming, None).await.unwrap();
    assert!(page.items[0].mapping.is_some());
}

#[tokio::test]
async fn a_throttled_write_is_made_later() {
    let world = World::open_for_business().await;
    world.fault("POST", "/events$", 6, Fault { status: Some(429), retry_after: Some(1), ..Fault::default() });
    world.book("key", START).await;
    world.run().await;
    assert_eq!(world.events().len(), 1);
}

#[tokio::test]
async fn a_held_slot_is_kept_for_its_visitor_and_for_a_while_only() {
    let world = World::open_for_business().await;
    let hold = hold_request(START);
    let kept = world.engine.hold(hold.clone()).await.unwrap();
    assert!(!world.is_offered(START).await);
    let own = SlotsRequest { hold: Some(&kept.hold), ..slots_request("2026-11-25", "2026-11-25") };
    assert!(world.engine.slots(&own).await.unwrap().starts.contains(&at(START)), "its visitor sees it");
    assert!(matches!(world.engine.hold(hold.clone()).await, Err(EngineError::SlotTaken)));
    assert!(matches!(world.engine.book("other", request(START)).await, Err(EngineError::SlotTaken)));

    let next = "2026-11-25T10:00:00Z";
    let moved = HoldRequest { start: at(next), replaces: Some(kept.hold), ..hold };
    let kept = world.engine.hold(moved).await.unwrap();
    assert!(world.is_offered(START).await && !world.is_offered(next).await, "a new hold replaces the old one");

    let booked = BookingRequest { hold: Some(kept.hold.clone()), ..request(next) };
    world.engine.book("key", booked).await.unwrap();
    world.engine.hold_release(&kept.hold).await.unwrap();
    assert!(!world.is_offered(next).await, "the appointment has taken the hold's place");
}

#[tokio::test]
async fn a_hold_that_was_let_go_or_has_expired_blocks_nothing() {
    let world = World::open_for_business().await;
    let hold = hold_request(START);
    let kept = world.engine.hold(hold.clone()).await.unwrap();
    world.engine.hold_release(&kept.hold).await.unwrap();
    assert!(world.is_offered(START).await);
    let kept = world.engine.hold(hold).await.unwrap();
    assert!(!world.is_offered(START).await);
    assert_eq!(kept.expires_at - world.engine.now(), TimeDelta::seconds(kept.expires_in));
    world.clock.set(kept.expires_at);
    assert!(world.is_offered(START).await);
}

#[tokio::test]
async fn a_visitor_moves_an_appointment_and_the_event_follows() {
    let world = World::open_for_business().await;
    let view = world.book("key", START).await;
    world.run().await;
    let before = world.the_event();
    let next = "2026-11-25T09:30:00Z";
    let ask = SlotsRequest { reschedule: Some(&view.token), ..slots_request("2026-11-25", "2026-11-25") };
    assert!(
        world.engine.slots(&ask).await.unwrap().starts.contains(&at(START)),
        "its own time does not stand in the way"
    );
    let moved = world.engine.reschedule_by_token(&view.token, &to(next)).await.unwrap();
    assert_eq!((moved.start, moved.sequence), (at(next), 1));
    assert!(world.is_offered(START).await && !world.is_offered(next).await);
    world.run().await;
    let after = world.the_event();
    assert_eq!(after["id"], before["id"]);
    assert_eq!(at(after["start"]["dateTime"].as_str().unwrap()), at(next));
    assert_eq!(after["hangoutLink"], before["hangoutLink"]);
    let unknown = world.engine.reschedule_by_token("nobody", &to(next)).await;
    assert!(matches!(unknown, Err(EngineError::NotFound("appointment"))));
}

#[tokio::test]
async fn an_appointment_cannot_move_onto_another_one() {
    let world = World::open_for_business().await;
    let view = world.book("key", START).await;
    world.book("key-2", "2026-11-25T10:00:00Z").await;
    let refused = world.engine.reschedule_by_token(&view.token, &to("2026-11-25T10:00:00Z")).await;
    assert!(matches!(refused, Err(EngineError::SlotTaken)));
    let refused = world.engine.reschedule_by_token(&view.token, &to("2026-11-25T10:10:00Z")).await;
    assert!(matches!(refused, Err(EngineError::SlotRefused(Refusal::OffGrid))));
    assert_eq!(world.engine.appointment_by_token(&view.token, Locale::En).await.unwrap().start, at(START));
}

#[tokio::test]
async fn a_visitor_cancels_and_the_event_is_gone() {
    let world = World::open_for_business().await;
    let view = world.book("key", START).await;
    world.run().await;
    let cancelled = world.engine.cancel_by_token(&view.token, &because("I am ill")).await.unwrap();
    assert_eq!(cancelled.cancelled_by, Some(CancelledBy::Visitor));
    assert_eq!(cancelled.cancel_reason.as_deref(), Some("I am ill"));
    let again = world.engine.cancel_by_token(&view.token, &because("twice")).await.unwrap();
    assert_eq!(again, cancelled, "cancelling again changes nothing");
    assert!(world.is_offered(START).await);
    world.run().await;
    assert!(world.events().is_empty());
    let moved = world.engine.reschedule_by_token(&view.token, &to("2026-11-25T10:00:00Z")).await;
    assert!(matches!(moved, Err(EngineError::Conflict("error.appointment_cancelled"))));
}

#[tokio::test]
async fn an_appointment_that_is_over_cannot_be_changed() {
    let world = World::open_for_business().await;
    let view = world.book("key", START).await;
    world.clock.set(at("2026-11-25T09:30:00Z"));
    for refused in [
        world.engine.cancel_by_token(&view.token, &because("")).await,
        world.engine.reschedule_by_token(&view.token, &to("2026-11-26T09:00:00Z")).await,
    ] {
        assert!(matches!(refused, Err(EngineError::Conflict("error.appointment_past"))));
    }
}

#[tokio::test]
async fn a_host_cancels_with_a_reason_and_the_history_tells_it() {
    let world = World::open_for_business().await;
    world.book("key", START).await;
    world.run().await;
    let page = world.engine.appointments(&world.principal, AppointmentFilter::Upcoming, None).await.unwrap();
    let id = &page.items[0].appointment.id;
    world.engine.appointment_cancel(&world.principal, id, "Flu").await.unwrap();
    let again = world.engine.appointment_cancel(&world.principal, id, "Flu").await;
    assert!(matches!(again, Err(EngineError::Conflict("error.appointment_cancelled"))));
    world.run().await;
    assert!(world.events().is_empty());
    let detail = world.engine.appointment(&world.principal, id).await.unwrap();
    let of_appointment = detail.audit.iter().filter(|entry| entry.action != "mail.sent");
    let told: Vec<_> = of_appointment.map(|entry| (entry.action.as_str(), entry.actor.as_str())).collect();
    let ana = format!("user:{}", world.principal.user_id);
    assert_eq!(told, [("appointment.booked", "visitor"), ("appointment.cancelled", ana.as_str())]);
    assert!(detail.mapping.unwrap().deleted_at.is_some());
}

#[tokio::test]
async fn changes_before_the_event_is_written_leave_one_event_that_is_right() {
    let world = World::open_for_business().await;
    let view = world.book("key", START).await;
    world.engine.reschedule_by_token(&view.token, &to("2026-11-25T11:00:00Z")).await.unwrap();
    let other = world.book("key-2", START).await;
    world.engine.cancel_by_token(&other.token, &because("")).await.unwrap();
    world.run().await;
    assert_eq!(at(world.the_event()["start"]["dateTime"].as_str().unwrap()), at("2026-11-25T11:00:00Z"));
}

#[tokio::test]
async fn time_that_was_given_back_can_be_booked_before_google_knows() {
    let world = World::open_for_business().await;
    let (cancelled, moved) = (world.book("key", START).await, world.book("key-2", "2026-11-25T10:00:00Z").await);
    world.run().await;
    world.engine.cancel_by_token(&cancelled.token, &because("")).await.unwrap();
    world.engine.reschedule_by_token(&moved.token, &to("2026-11-25T12:00:00Z")).await.unwrap();
    // Nothing of this is written to Google yet; its free/busy still shows both times as taken.
    world.book("key-3", START).await;
    world.book("key-4", "2026-11-25T10:00:00Z").await;
    world.run().await;
    assert_eq!(world.events().len(), 3);
}

#[tokio::test]
async fn buffers_keep_appointments_apart() {
    let world = World::new().await;
    world
        .offer(EventTypeInput {
            rules: RulesInput { buffer_after_minutes: 15, buffer_before_minutes: 15, ..first_visit().rules },
            ..first_visit()
        })
        .await;
    world.book("key", START).await;
    let starts: HashSet<_> = world.starts("2026-11-25", "2026-11-25").await.into_iter().collect();
    for (start, offered) in [("08:00", true), ("08:30", false), ("09:00", false), ("09:30", false), ("10:00", true)] {
        assert_eq!(starts.contains(&at(&format!("2026-11-25T{start}:00Z"))), offered, "{start}");
    }
}
