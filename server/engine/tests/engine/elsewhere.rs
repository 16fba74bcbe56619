//! Appointments whose events stand elsewhere than in Google: in Outlook, with Teams, in several places at once.

use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    response::IntoResponse,
    routing::post,
};
use chrono::TimeDelta;
use cupo_core::{
    appointment::{AppointmentStatus, CancelledBy},
    text::Locale,
    wire::AppointmentView,
};
use cupo_engine::{EngineError, EngineSettings, EventTypeHostInput, EventTypeInput, NotificationOutcome, Principal};
use cupo_simulators::microsoft::{Behaviour, DuplicateTransaction, Fault, LifecycleEvent};
use cupo_store::{AppointmentExternalMapping, AppointmentFilter, Calendar, MeetingState, Provider};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use url::Url;

use crate::world::{CALENDAR, OUTLOOK, World, at, because, body, delivered, event, fields, first_visit, host, to};

const START: &str = "2026-11-25T09:00:00Z";
const NEXT: &str = "2026-11-25T09:30:00Z";
const PERSONAL: &str = "carla@outlook.example";

/// Ana has connected an account at Microsoft, and offers a first visit.
async fn open(account: &str, input: EventTypeInput) -> World {
    let world = World::with_microsoft().await;
    world.connect_outlook(account).await;
    world.offer(input).await;
    world.run().await;
    world.microsoft().clear_exchanges();
    world
}

fn by_phone() -> EventTypeInput {
    EventTypeInput { location_kind: "phone".into(), ..first_visit() }
}

fn by_teams() -> EventTypeInput {
    EventTypeInput { location_kind: "teams".into(), ..first_visit() }
}

/// An appointment whose event stands in Outlook, and what was told of it is read.
async fn booked() -> (World, AppointmentView) {
    let world = open(OUTLOOK, by_phone()).await;
    let view = world.book("key", START).await;
    world.run().await;
    sync(&world).await;
    assert_eq!(writes(&world).len(), 1, "the echo is not written again");
    world.mail.clear();
    world.microsoft().clear_exchanges();
    (world, view)
}

/// Brings the mirror up to date.
async fn sync(world: &World) {
    world.pass(TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.run().await;
}

async fn seen(world: &World, view: &AppointmentView) -> AppointmentView {
    world.engine.appointment_by_token(&view.token, Locale::En).await.unwrap()
}

fn events(world: &World, calendar: &str) -> Vec<Value> {
    world.microsoft().events(calendar).unwrap()
}

fn the_event(world: &World) -> Value {
    let mut events = events(world, OUTLOOK);
    assert_eq!(events.len(), 1, "{events:#?}");
    events.remove(0)
}

fn time(start: &str, end: &str) -> Value {
    let at = |at: &str| json!({ "dateTime": at.trim_end_matches('Z'), "timeZone": "UTC" });
    json!({ "start": at(start), "end": at(end) })
}

fn busy(start: &str, end: &str) -> Value {
    let mut event = time(start, end);
    event["subject"] = "Busy".into();
    event
}

fn start_of(event: &Value) -> String {
    let text = event["start"]["dateTime"].as_str().unwrap();
    format!("{}Z", text.split('.').next().unwrap())
}

/// The requests that change what Outlook holds.
fn writes(world: &World) -> Vec<String> {
    let is_write = |method: &str| matches!(method, "POST" | "PATCH" | "DELETE");
    let exchanges = world.microsoft().exchanges().into_iter();
    exchanges
        .filter(|call| is_write(&call.method) && call.path.contains("/events"))
        .map(|call| format!("{} {}", call.method, call.path))
        .collect()
}

/// What is known of the event of the one appointment.
async fn mapping(world: &World) -> AppointmentExternalMapping {
    let page = world.engine.appointments(&world.principal, AppointmentFilter::Upcoming, None).await.unwrap();
    assert_eq!(page.items.len(), 1);
    page.items.into_iter().find_map(|item| item.mapping).unwrap()
}

#[tokio::test]
async fn a_booking_becomes_one_event_in_outlook_with_the_guest_invited_there() {
    let world = open(OUTLOOK, by_phone()).await;
    let view = world.book("key", START).await;
    world.run().await;
    let event = the_event(&world);
    assert_eq!((event["subject"].as_str(), start_of(&event).as_str()), (Some("First visit: Leo Pérez"), START));
    assert_eq!(event["attendees"].as_array().unwrap().len(), 1);
    assert_eq!(event["attendees"][0]["emailAddress"]["address"], "leo@visitor.example");
    assert!(event["body"]["content"].as_str().unwrap().contains(&view.token));
    assert_eq!(world.microsoft().invitations().len(), 1);
    let mails = world.mails_to("leo@visitor.example");
    assert_eq!(mails.len(), 1);
    assert!(mails[0].attachments.is_empty(), "Outlook invites; a second invitation would double the event");
    assert!(world.engine.failed_jobs(&world.principal).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_event_however_outlook_refuses_the_repetition() {
    for duplicate_transaction in [DuplicateTransaction::BadRequest, DuplicateTransaction::Conflict] {
        let world = open(OUTLOOK, by_phone()).await;
        world.microsoft().set_behaviour(Behaviour { duplicate_transaction, ..Behaviour::default() });
        let lost = Fault {
            method: Some("POST".into()),
            path_pattern: Some("/events$".into()),
            times: 2,
            drop_answer_after_effect: true,
            ..Fault::default()
        };
        world.microsoft().add_fault(lost).unwrap();
        world.book("key", START).await;
        world.run().await;
        assert_eq!(writes(&world).len(), 3, "two answers were lost, and the third one says that it is there");
        sync(&world).await;
        the_event(&world);
        assert_eq!(world.microsoft().invitations().len(), 1, "{duplicate_transaction:?}");
        assert_eq!(mapping(&world).await.deleted_at, None);
    }
}

#[tokio::test]
async fn the_echo_of_our_own_write_blocks_nothing_and_is_not_written_again() {
    let (world, view) = booked().await;
    assert!(world.is_offered("2026-11-25T08:30:00Z").await && world.is_offered(NEXT).await);
    assert!(!world.is_offered(START).await);
    let appointment = seen(&world, &view).await;
    assert_eq!((appointment.status, appointment.sequence), (AppointmentStatus::Confirmed, 0));
    sync(&world).await;
    assert_eq!(writes(&world), Vec::<String>::new());
    assert!(world.mail.messages().is_empty());
    world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    // The event still stands in Outlook; the appointment's time is free all the same.
    assert!(world.is_offered(START).await);
}

#[tokio::test]
async fn an_event_that_is_dragged_in_outlook_moves_its_appointment() {
    let (world, view) = booked().await;
    let id = the_event(&world)["id"].as_str().unwrap().to_owned();
    let (start, end) = ("2026-11-26T14:00:00Z", "2026-11-26T14:45:00Z");
    world.microsoft().patch_event(OUTLOOK, &id, time(start, end)).unwrap();
    sync(&world).await;
    let moved = seen(&world, &view).await;
    assert_eq!((moved.start, moved.end, moved.sequence), (at(start), at(end), 1));
    assert!(world.is_offered(START).await && !world.is_offered(start).await);
    assert_eq!(world.mails_to("leo@visitor.example").len(), 1);
    sync(&world).await;
    assert_eq!(writes(&world), Vec::<String>::new(), "what came from the calendar is not written back");
}

#[tokio::test]
async fn an_event_that_is_deleted_in_outlook_cancels_its_appointment() {
    let (world, view) = booked().await;
    let id = the_event(&world)["id"].as_str().unwrap().to_owned();
    world.microsoft().delete_event(OUTLOOK, &id).unwrap();
    sync(&world).await;
    let cancelled = seen(&world, &view).await;
    assert_eq!((cancelled.status, cancelled.cancelled_by), (AppointmentStatus::Cancelled, Some(CancelledBy::Calendar)));
    assert!(world.is_offered(START).await);
    assert_eq!(world.mails_to("leo@visitor.example").len(), 1);
    assert_eq!(writes(&world), Vec::<String>::new());
}

#[tokio::test]
async fn a_visitor_moves_and_cancels_an_appointment_and_outlook_follows() {
    let (world, view) = booked().await;
    let before = the_event(&world);
    world.engine.reschedule_by_token(&view.token, &to("2026-11-25T11:00:00Z")).await.unwrap();
    world.run().await;
    let after = the_event(&world);
    assert_eq!((&after["id"], start_of(&after).as_str()), (&before["id"], "2026-11-25T11:00:00Z"));
    sync(&world).await;
    assert_eq!(seen(&world, &view).await.sequence, 1, "the echo of the change changes nothing");
    world.engine.cancel_by_token(&view.token, &because("I am ill")).await.unwrap();
    world.run().await;
    assert!(events(&world, OUTLOOK).is_empty());
    sync(&world).await;
    let cancelled = seen(&world, &view).await;
    assert_eq!(cancelled.cancelled_by, Some(CancelledBy::Visitor));
    assert!(world.is_offered("2026-11-25T11:00:00Z").await);
    assert!(world.engine.failed_jobs(&world.principal).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_outlook_was_told_a_moment_ago_is_found_by_the_live_check() {
    let world = open(OUTLOOK, by_phone()).await;
    world.microsoft().insert_event(OUTLOOK, busy(START, NEXT)).unwrap();
    assert!(world.is_offered(START).await, "the mirror is not told yet");
    let refused = world.engine.book("key", crate::world::request(START)).await;
    assert!(matches!(refused, Err(EngineError::SlotTaken)), "{refused:?}");
}

#[tokio::test]
async fn a_work_account_gives_the_appointment_its_teams_meeting() {
    for meeting_pending_ms in [0, 100] {
        let world = open(OUTLOOK, by_teams()).await;
        world.microsoft().set_behaviour(Behaviour { meeting_pending_ms, ..Behaviour::default() });
        let view = world.book("key", START).await;
        world.run().await;
        let url = the_event(&world)["onlineMeeting"]["joinUrl"].as_str().unwrap().to_owned();
        let appointment = seen(&world, &view).await;
        assert_eq!((appointment.meeting_url.as_deref(), appointment.meeting_pending), (Some(url.as_str()), false));
        assert_eq!(mapping(&world).await.meeting_state, MeetingState::Ready);
        let mails = world.mails_to("leo@visitor.example");
        assert_eq!(mails.len(), 1);
        assert!(body(&mails[0]).contains(&url));
    }
}

#[tokio::test]
async fn a_teams_meeting_stays_when_its_appointment_moves() {
    let world = open(OUTLOOK, by_teams()).await;
    let view = world.book("key", START).await;
    world.run().await;
    let url = seen(&world, &view).await.meeting_url;
    assert!(url.is_some());
    world.engine.reschedule_by_token(&view.token, &to("2026-11-25T11:00:00Z")).await.unwrap();
    world.run().await;
    assert_eq!(seen(&world, &view).await.meeting_url, url);
    assert_eq!(the_event(&world)["onlineMeeting"]["joinUrl"].as_str(), url.as_deref());
}

#[tokio::test]
async fn a_personal_account_has_no_teams_and_the_appointment_stands_without_a_link() {
    let world = open(PERSONAL, by_teams()).await;
    let view = world.book("key", START).await;
    world.run().await;
    assert_eq!(events(&world, PERSONAL).len(), 1);
    let appointment = seen(&world, &view).await;
    assert_eq!((appointment.status, appointment.meeting_url), (AppointmentStatus::Confirmed, None));
    assert!(!appointment.meeting_pending);
    assert_eq!(mapping(&world).await.meeting_state, MeetingState::Failed);
    assert_eq!(world.mails_to("leo@visitor.example").len(), 1);
    assert!(world.engine.failed_jobs(&world.principal).await.unwrap().is_empty());
}

async fn named(world: &World, name: &str) -> Calendar {
    let calendars = world.the_account().await.calendars;
    calendars.into_iter().find(|calendar| calendar.name == name).unwrap()
}

fn into(principal: &Principal, calendar: &Calendar) -> EventTypeInput {
    let target_calendar_id = Some(calendar.id.to_string());
    EventTypeInput { hosts: vec![EventTypeHostInput { target_calendar_id, ..host(principal) }], ..by_phone() }
}

#[tokio::test]
async fn an_event_type_writes_into_the_calendar_that_it_names() {
    let world = open(OUTLOOK, by_phone()).await;
    let personal = named(&world, "Personal").await;
    world.change(into(&world.principal, &personal)).await;
    world.run().await;
    let view = world.book("key", START).await;
    world.run().await;
    let calendar = format!("{OUTLOOK}/Personal");
    assert!(events(&world, OUTLOOK).is_empty());
    let written = events(&world, &calendar);
    assert_eq!(written.len(), 1);
    assert_eq!(mapping(&world).await.calendar_id, personal.id);
    // It is followed there, although nobody ticked that calendar.
    let start = "2026-11-26T14:00:00Z";
    let id = written[0]["id"].as_str().unwrap();
    world.microsoft().patch_event(&calendar, id, time(start, "2026-11-26T14:30:00Z")).unwrap();
    sync(&world).await;
    assert_eq!(seen(&world, &view).await.start, at(start));
    world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    world.run().await;
    assert!(events(&world, &calendar).is_empty());
}

#[tokio::test]
async fn a_named_calendar_receives_events_where_no_other_does() {
    let world = open(OUTLOOK, by_phone()).await;
    world.engine.calendar_choices_save(&world.principal, Vec::new(), None).await.unwrap();
    let personal = named(&world, "Personal").await;
    world.change(into(&world.principal, &personal)).await;
    world.run().await;
    world.book("key", START).await;
    world.run().await;
    assert_eq!(events(&world, &format!("{OUTLOOK}/Personal")).len(), 1);
}

#[tokio::test]
async fn where_all_calendars_that_an_event_type_looks_at_are_gone_the_usual_ones_count() {
    let world = open(OUTLOOK, by_phone()).await;
    let personal = named(&world, "Personal").await;
    let conflict_calendar_ids = Some(vec![personal.id.to_string()]);
    let hosts = vec![EventTypeHostInput { conflict_calendar_ids, ..host(&world.principal) }];
    world.change(EventTypeInput { hosts, ..by_phone() }).await;
    world.microsoft().insert_event(OUTLOOK, busy(START, NEXT)).unwrap();
    sync(&world).await;
    assert!(world.is_offered(START).await, "the usual calendar does not count for it");
    world.microsoft().delete_calendar(&format!("{OUTLOOK}/Personal")).unwrap();
    sync(&world).await;
    assert!(!world.is_offered(START).await && world.is_offered(NEXT).await, "never none");
    assert_eq!(world.mails_to("ana@clinic.example").len(), 1, "the host knows why");
}

#[tokio::test]
async fn a_calendar_that_cannot_be_written_to_is_refused_as_a_target() {
    let world = open(OUTLOOK, by_phone()).await;
    let birthdays = named(&world, "Birthdays").await;
    assert!(!birthdays.can_write);
    let id = world.event_type("first-visit").await;
    let input = into(&world.principal, &birthdays);
    let refused = world.engine.event_type_save(&world.principal, Some(&id), input).await.unwrap_err();
    assert_eq!(fields(refused), ["hosts.0.target_calendar_id"]);
}

#[tokio::test]
async fn accounts_of_two_providers_both_take_time_away_and_are_both_asked() {
    let world = World::with_microsoft().await;
    world.google.insert_event(CALENDAR, event("Dentist", START, NEXT)).unwrap();
    let (from, until) = ("2026-11-25T10:00:00Z", "2026-11-25T10:30:00Z");
    world.microsoft().insert_event(OUTLOOK, busy(from, until)).unwrap();
    world.connect().await;
    world.connect_outlook(OUTLOOK).await;
    world.offer(by_phone()).await;
    world.run().await;
    assert!(!world.is_offered(START).await && !world.is_offered(from).await);
    assert!(world.is_offered(NEXT).await && world.is_offered(until).await);
    let (late, end) = ("2026-11-25T11:00:00Z", "2026-11-25T11:30:00Z");
    world.microsoft().insert_event(OUTLOOK, busy(late, end)).unwrap();
    world.google.insert_event(CALENDAR, event("Dentist", end, "2026-11-25T12:00:00Z")).unwrap();
    for (key, start) in [("key-1", late), ("key-2", end)] {
        let refused = world.engine.book(key, crate::world::request(start)).await;
        assert!(matches!(refused, Err(EngineError::SlotTaken)), "{start}: {refused:?}");
    }
    world.book("key-3", NEXT).await;
    world.run().await;
    let own = |event: &Value| event["summary"] == "First visit: Leo Pérez";
    assert_eq!(world.events().iter().filter(|event| own(event)).count(), 1, "the first account receives events");
    assert_eq!(events(&world, OUTLOOK).len(), 2);
}

/// What Microsoft asks of whoever receives its notifications.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handshake {
    validation_token: Option<String>,
}

async fn receive(
    State(arrived): State<mpsc::UnboundedSender<Bytes>>,
    Query(handshake): Query<Handshake>,
    body: Bytes,
) -> impl IntoResponse {
    match handshake.validation_token {
        Some(token) => token,
        None => {
            arrived.send(body).unwrap();
            String::new()
        }
    }
}

/// Ana's account at Microsoft with a subscription, and the deliveries that arrive.
async fn subscribed() -> (World, mpsc::UnboundedReceiver<Bytes>) {
    let (arrived, deliveries) = mpsc::unbounded_channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let path = "/webhooks/microsoft";
    let router =
        Router::new().route(path, post(receive)).route(&format!("{path}/lifecycle"), post(receive)).with_state(arrived);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let mut world = World::with_microsoft().await;
    let microsoft_webhook_url = Some(Url::parse(&format!("http://{address}{path}")).unwrap());
    world.engine = world.process_with(EngineSettings { microsoft_webhook_url, ..delivered() });
    world.connect_outlook(OUTLOOK).await;
    world.offer(by_phone()).await;
    world.run().await;
    assert_eq!(world.microsoft().subscriptions().len(), 1);
    world.microsoft().clear_exchanges();
    (world, deliveries)
}

/// The next delivery reaches Cupo.
async fn told(world: &World, deliveries: &mut mpsc::UnboundedReceiver<Bytes>) {
    let body = deliveries.recv().await.unwrap();
    let outcomes = world.engine.notifications(Provider::Outlook, &HeaderMap::new(), &body).await.unwrap();
    assert_eq!(outcomes, [NotificationOutcome::Accepted]);
    world.engine.run_due_jobs().await.unwrap();
}

fn subscription_calls(world: &World) -> Vec<(String, String)> {
    let exchanges = world.microsoft().exchanges().into_iter();
    exchanges
        .filter(|call| call.path.contains("/subscriptions"))
        .map(|call| (call.method, call.path.split("/subscriptions").nth(1).unwrap().to_owned()))
        .collect()
}

#[tokio::test]
async fn a_notification_of_microsofts_brings_the_change_without_polling() {
    let (world, mut deliveries) = subscribed().await;
    world.microsoft().insert_event(OUTLOOK, busy(START, NEXT)).unwrap();
    told(&world, &mut deliveries).await;
    assert!(!world.is_offered(START).await && world.is_offered(NEXT).await);
}

#[tokio::test]
async fn a_subscription_that_ends_soon_is_renewed_and_stays_the_same() {
    let (world, mut deliveries) = subscribed().await;
    let before = world.microsoft().subscriptions().remove(0);
    world.pass(TimeDelta::days(6) + TimeDelta::hours(1));
    world.engine.run_periodic().await.unwrap();
    sync(&world).await;
    let after = world.microsoft().subscriptions();
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].id, before.id);
    assert!(after[0].expiration > before.expiration + TimeDelta::days(6));
    assert_eq!(subscription_calls(&world), [("PATCH".to_owned(), format!("/{}", before.id))]);
    // Cupo knows that it goes on, and notifications by it are still taken.
    sync(&world).await;
    assert_eq!(subscription_calls(&world).len(), 1);
    let (from, until) = ("2026-12-02T09:00:00Z", "2026-12-02T09:30:00Z");
    world.microsoft().insert_event(OUTLOOK, busy(from, until)).unwrap();
    told(&world, &mut deliveries).await;
    assert!(!world.is_offered(from).await);
}

#[tokio::test]
async fn a_subscription_that_must_be_authorized_again_is_renewed_at_once() {
    let (world, mut deliveries) = subscribed().await;
    let before = world.microsoft().subscriptions().remove(0);
    world.pass(TimeDelta::hours(2));
    world.microsoft().lifecycle(&before.id, LifecycleEvent::ReauthorizationRequired).unwrap();
    told(&world, &mut deliveries).await;
    assert_eq!(subscription_calls(&world), [("PATCH".to_owned(), format!("/{}", before.id))]);
    let after = world.microsoft().subscriptions().remove(0);
    assert!(!after.needs_reauthorization && after.expiration > before.expiration);
}

#[tokio::test]
async fn a_subscription_that_microsoft_removed_is_made_anew_and_misses_nothing() {
    let (world, mut deliveries) = subscribed().await;
    let before = world.microsoft().subscriptions().remove(0);
    world.microsoft().lifecycle(&before.id, LifecycleEvent::SubscriptionRemoved).unwrap();
    world.microsoft().insert_event(OUTLOOK, busy(START, NEXT)).unwrap();
    told(&world, &mut deliveries).await;
    world.run().await;
    let after = world.microsoft().subscriptions();
    assert_eq!(after.len(), 1);
    assert_ne!(after[0].id, before.id);
    assert!(!world.is_offered(START).await);
}
