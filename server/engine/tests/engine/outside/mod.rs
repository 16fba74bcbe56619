//! What hosts and guests do in their calendars, and what becomes of the appointments: the same for every provider that holds
//! events. Google and Microsoft are simulated, the CalDAV server is a real one.

mod caldav;
mod comparing;
mod google;
mod graph;
mod mails;
mod meanwhile;
mod reconnecting;
mod repeated;

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::{
    appointment::{AppointmentStatus, CancelledBy},
    ids::{CalendarId, JobId},
    text::Locale,
    wire::AppointmentView,
};
use cupo_engine::{AccountCondition, AppointmentDetail, CalendarChoice, EventTypeInput, clock::Clock};
use cupo_simulators::mail::Message;
use cupo_store::{AppointmentFilter, AuditEntry, Calendar, NewJob, audit_list, job_enqueue};
use serde_json::json;

use self::{caldav::Caldav, google::Google, graph::Graph};
use crate::world::{World, at, because, body, first_visit, to};

/// A Wednesday, 10:00 in Madrid.
const START: &str = "2026-11-25T09:00:00Z";
const VISITOR: &str = "leo@visitor.example";
const HOST: &str = "ana@clinic.example";

/// Which of the two calendars of the account, both of which are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// The one that cannot be deleted everywhere.
    Main,
    /// The one that receives events.
    Second,
}

/// An event as it stands at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Standing {
    start: DateTime<Utc>,
    recurs: bool,
}

fn once(start: &str) -> Standing {
    Standing { start: at(start), recurs: false }
}

/// A provider, and what is done there by hand. What is done to an event is done to the first one of the second calendar.
trait Outside: Sized {
    /// Ana has signed up, and has an account with two calendars; nothing is connected.
    async fn start() -> Self;
    fn world(&self) -> &World;
    /// Ana connects the account, be it again.
    async fn connect(&self);
    /// The name of a calendar.
    fn name(&self, which: Which) -> &'static str;
    /// The events of a calendar that take place, by start; a recurring one once.
    async fn standing(&self, which: Which) -> Vec<Standing>;
    async fn move_event(&self, start: &str, end: &str);
    async fn cancel_event(&self);
    async fn delete_event(&self);
    /// The guest declines, or accepts.
    async fn answer(&self, declines: bool);
    /// Every Wednesday, three times.
    async fn make_recur(&self);
    /// The first date of the recurring event, and that one alone, is deleted.
    async fn drop_first_date(&self);
    /// From one calendar into the other.
    async fn change_calendar(&self, from: Which, to: Which);
    /// The second calendar.
    async fn delete_calendar(&self);
    async fn revoke(&self);
}

/// Ana offers visits by phone; both calendars block slots, and the second one receives events.
async fn open<O: Outside>() -> O {
    let outside = O::start().await;
    outside.connect().await;
    choose(&outside, &[Which::Main, Which::Second]).await;
    let world = outside.world();
    world.offer(EventTypeInput { location_kind: "phone".into(), ..first_visit() }).await;
    world.run().await;
    outside
}

/// These calendars block slots; the second one receives events.
async fn choose<O: Outside>(outside: &O, blocking: &[Which]) {
    let mut choices = Vec::new();
    for which in blocking {
        let calendar_id = calendar(outside, *which).await.id;
        let (checks_conflicts, tentative_blocks, unanswered_blocks) = (true, true, true);
        choices.push(CalendarChoice { calendar_id, checks_conflicts, tentative_blocks, unanswered_blocks });
    }
    let receives = calendar(outside, Which::Second).await.id;
    let world = outside.world();
    world.engine.calendar_choices_save(&world.principal, choices, Some(receives)).await.unwrap();
}

async fn calendar<O: Outside>(outside: &O, which: Which) -> Calendar {
    let calendars = outside.world().the_account().await.calendars;
    calendars.into_iter().find(|calendar| calendar.name == outside.name(which)).unwrap()
}

/// An appointment whose event stands in the second calendar, and what was told of it is read.
async fn booked<O: Outside>() -> (O, AppointmentView) {
    let outside = Box::pin(open::<O>()).await;
    let view = outside.world().book("key", START).await;
    outside.world().run().await;
    sync(&outside).await;
    assert_eq!(outside.standing(Which::Second).await, [once(START)]);
    outside.world().mail.clear();
    (outside, view)
}

/// Brings all mirrors up to date, and does what follows from that.
async fn sync<O: Outside>(outside: &O) {
    let world = outside.world();
    world.pass(TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.run().await;
}

/// Reads one calendar.
async fn read<O: Outside>(outside: &O, id: &CalendarId) {
    ask_to_read(outside, id).await;
    outside.world().engine.run_due_jobs().await.unwrap();
}

/// Somebody shall read one calendar.
async fn ask_to_read<O: Outside>(outside: &O, id: &CalendarId) {
    let world = outside.world();
    let now = world.clock.now();
    let job = NewJob {
        id: JobId::parse("018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e").unwrap(),
        organization_id: Some(world.principal.organization_id.clone()),
        kind: "pull_changes".to_owned(),
        payload: json!({ "calendar_id": id }),
        coalescing_key: Some(format!("pull_changes:{id}")),
        run_at: now,
        created_at: now,
    };
    let mut tx = world.store.write().await.unwrap();
    job_enqueue(&mut tx, &job).await.unwrap();
    tx.commit().await.unwrap();
}

async fn seen<O: Outside>(outside: &O, view: &AppointmentView) -> AppointmentView {
    outside.world().engine.appointment_by_token(&view.token, Locale::En).await.unwrap()
}

/// The first appointment with this status, and its history.
async fn detail<O: Outside>(outside: &O, filter: AppointmentFilter) -> AppointmentDetail {
    let world = outside.world();
    let page = world.engine.appointments(&world.principal, filter, None).await.unwrap();
    world.engine.appointment(&world.principal, &page.items[0].appointment.id).await.unwrap()
}

/// The lines of history with this action.
fn lines<'a>(history: &'a [AuditEntry], action: &str) -> Vec<&'a AuditEntry> {
    history.iter().filter(|entry| entry.action == action).collect()
}

/// Which mails were sent, by the marks in the history.
fn sent(history: &[AuditEntry]) -> Vec<String> {
    let told = lines(history, "mail.sent").into_iter();
    let word = |entry: &AuditEntry, name: &str| entry.detail[name].as_str().unwrap().to_owned();
    let mut sent: Vec<_> =
        told.map(|entry| format!("{} to {}", word(entry, "kind"), word(entry, "recipient"))).collect();
    sent.sort();
    sent
}

fn subjects(mails: &[Message]) -> Vec<&str> {
    mails.iter().map(|mail| mail.subject.as_str()).collect()
}

async fn no_job_failed<O: Outside>(outside: &O) {
    let failed = outside.world().engine.failed_jobs(&outside.world().principal).await.unwrap();
    assert!(failed.is_empty(), "{failed:?}");
}

async fn a_moved_event_moves_its_appointment_and_both_are_told<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    let (start, end) = ("2026-11-26T14:00:00Z", "2026-11-26T14:45:00Z");
    outside.move_event(start, end).await;
    sync(&outside).await;
    let moved = seen(&outside, &view).await;
    assert_eq!((moved.status, moved.start, moved.end), (AppointmentStatus::Confirmed, at(start), at(end)));
    let world = outside.world();
    assert!(world.is_offered(START).await && !world.is_offered(start).await);
    assert_eq!((world.mails_to(VISITOR).len(), world.mails_to(HOST).len()), (1, 1));
    let history = detail(&outside, AppointmentFilter::Upcoming).await.audit;
    let lines = lines(&history, "appointment.moved");
    assert_eq!((lines.len(), lines[0].actor.as_str()), (1, "calendar"));
    let told = ["change to host", "change to visitor", "confirmation to host", "confirmation to visitor"];
    assert_eq!(sent(&history), told);
    sync(&outside).await;
    assert_eq!(outside.standing(Which::Second).await, [once(start)], "what came from there is not written back");
    assert_eq!(seen(&outside, &view).await.sequence, 1);
    no_job_failed(&outside).await;
}

async fn assert_cancelled<O: Outside>(outside: &O, view: &AppointmentView) {
    let cancelled = seen(outside, view).await;
    assert_eq!((cancelled.status, cancelled.cancelled_by), (AppointmentStatus::Cancelled, Some(CancelledBy::Calendar)));
    let world = outside.world();
    assert!(world.is_offered(START).await);
    assert_eq!(world.mails_to(VISITOR).len(), 1);
    let history = detail(outside, AppointmentFilter::Cancelled).await.audit;
    let lines = lines(&history, "appointment.cancelled");
    assert_eq!((lines.len(), lines[0].actor.as_str()), (1, "calendar"));
    assert!(sent(&history).contains(&"cancellation to visitor".to_owned()));
    sync(outside).await;
    assert_eq!(world.mails_to(VISITOR).len(), 1, "once");
    no_job_failed(outside).await;
}

async fn a_deleted_event_cancels_its_appointment<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    outside.delete_event().await;
    sync(&outside).await;
    assert_cancelled(&outside, &view).await;
}

async fn a_cancelled_event_cancels_its_appointment<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    outside.cancel_event().await;
    sync(&outside).await;
    assert_cancelled(&outside, &view).await;
}

async fn an_appointment_that_its_guest_declines_stands_and_both_are_told_once<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    let world = outside.world();
    outside.answer(true).await;
    sync(&outside).await;
    sync(&outside).await;
    let stands = seen(&outside, &view).await;
    assert_eq!((stands.status, stands.start, stands.sequence), (AppointmentStatus::Confirmed, at(START), 0));
    assert!(!world.is_offered(START).await);
    let declined = detail(&outside, AppointmentFilter::Upcoming).await;
    assert_eq!(lines(&declined.audit, "appointment.guest_declined").len(), 1);
    assert_eq!(declined.mapping.unwrap().declined, [VISITOR]);
    let (to_visitor, to_host) = (world.mails_to(VISITOR), world.mails_to(HOST));
    assert_eq!((to_visitor.len(), to_host.len()), (1, 1), "{:?} {:?}", subjects(&to_visitor), subjects(&to_host));
    assert!(body(&to_visitor[0]).contains(&stands.manage_url), "{}", body(&to_visitor[0]));
    let link = format!("https://cupo.example/dashboard/appointments/{}", declined.appointment.id);
    assert!(body(&to_host[0]).contains(&link), "{}", body(&to_host[0]));
    assert!(to_visitor[0].attachments.is_empty(), "nothing has changed that a calendar should know");

    outside.answer(false).await;
    sync(&outside).await;
    assert!(detail(&outside, AppointmentFilter::Upcoming).await.mapping.unwrap().declined.is_empty());
    assert_eq!(world.mails_to(HOST).len(), 1, "who accepts is who was expected");
    outside.answer(true).await;
    sync(&outside).await;
    let (to_visitor, to_host) = (world.mails_to(VISITOR), world.mails_to(HOST));
    assert_eq!((to_visitor.len(), to_host.len()), (2, 2), "that is another decline");
    let id_of = |mail: &Message| mail.raw.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned();
    let ids: Vec<_> = to_host.iter().map(id_of).collect();
    assert_ne!(ids[0], ids[1], "and no mail program takes it for a repetition");
    assert_eq!(outside.standing(Which::Second).await, [once(START)]);
    no_job_failed(&outside).await;
}

async fn the_first_date_of_an_event_that_recurs_stands_for_its_appointment<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    let world = outside.world();
    outside.make_recur().await;
    sync(&outside).await;
    sync(&outside).await;
    let stands = seen(&outside, &view).await;
    assert_eq!((stands.status, stands.start, stands.sequence), (AppointmentStatus::Confirmed, at(START), 0));
    let (second, third) = ("2026-12-02T09:00:00Z", "2026-12-09T09:00:00Z");
    assert!(
        !world.is_offered(second).await && !world.is_offered(third).await,
        "further dates are events like any other"
    );
    let history = detail(&outside, AppointmentFilter::Upcoming).await.audit;
    assert_eq!(lines(&history, "appointment.became_series").len(), 1);
    assert_eq!((world.mails_to(VISITOR).len(), world.mails_to(HOST).len()), (0, 1));

    // The visitor takes another day, which is none that the rule names.
    let thursday = "2026-11-26T11:00:00Z";
    world.engine.reschedule_by_token(&view.token, &to(thursday)).await.unwrap();
    world.run().await;
    assert_eq!(outside.standing(Which::Second).await, [Standing { start: at(thursday), recurs: true }]);
    sync(&outside).await;
    sync(&outside).await;
    let moved = seen(&outside, &view).await;
    assert_eq!((moved.status, moved.start, moved.sequence), (AppointmentStatus::Confirmed, at(thursday), 1));
    assert!(world.is_offered(START).await && world.is_offered(second).await, "the whole series has moved");
    assert!(!world.is_offered(thursday).await && !world.is_offered("2026-12-03T11:00:00Z").await);

    world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    world.run().await;
    sync(&outside).await;
    assert_eq!(outside.standing(Which::Second).await, [], "the whole series is gone");
    assert!(world.is_offered(thursday).await && world.is_offered("2026-12-03T11:00:00Z").await);
    assert_eq!(
        lines(&detail(&outside, AppointmentFilter::Cancelled).await.audit, "appointment.became_series").len(),
        1
    );
    no_job_failed(&outside).await;
}

async fn a_series_that_is_moved_takes_its_appointment_along<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    outside.make_recur().await;
    sync(&outside).await;
    let later = "2026-11-25T13:00:00Z";
    outside.move_event(later, "2026-11-25T13:30:00Z").await;
    sync(&outside).await;
    let moved = seen(&outside, &view).await;
    assert_eq!((moved.status, moved.start), (AppointmentStatus::Confirmed, at(later)));
    outside.delete_event().await;
    sync(&outside).await;
    assert_eq!(seen(&outside, &view).await.cancelled_by, Some(CancelledBy::Calendar));
    assert!(outside.world().is_offered("2026-12-02T13:00:00Z").await, "its further dates went with it");
    no_job_failed(&outside).await;
}

async fn an_appointment_whose_date_is_deleted_from_a_series_goes_to_the_next_date<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    outside.make_recur().await;
    sync(&outside).await;
    outside.drop_first_date().await;
    sync(&outside).await;
    let world = outside.world();
    let next = "2026-12-02T09:00:00Z";
    let moved = seen(&outside, &view).await;
    assert_eq!((moved.status, moved.start), (AppointmentStatus::Confirmed, at(next)));
    assert_eq!(world.mails_to(VISITOR).len(), 1);
    assert!(world.is_offered(START).await && !world.is_offered(next).await);
    sync(&outside).await;
    assert_eq!(seen(&outside, &view).await.sequence, 1);
    world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    world.run().await;
    sync(&outside).await;
    assert!(world.is_offered(next).await && world.is_offered("2026-12-09T09:00:00Z").await);
    no_job_failed(&outside).await;
}

async fn an_event_that_goes_into_another_followed_calendar_is_followed_there<O: Outside>() {
    for first in [Which::Main, Which::Second] {
        let (outside, view) = Box::pin(booked::<O>()).await;
        let world = outside.world();
        outside.change_calendar(Which::Second, Which::Main).await;
        // Whichever of the two is read first.
        read(&outside, &calendar(&outside, first).await.id).await;
        sync(&outside).await;
        let stands = seen(&outside, &view).await;
        assert_eq!(
            (stands.status, stands.start, stands.sequence),
            (AppointmentStatus::Confirmed, at(START), 0),
            "{first:?}"
        );
        let moved = detail(&outside, AppointmentFilter::Upcoming).await;
        assert_eq!(moved.calendar_name.as_deref(), Some(outside.name(Which::Main)));
        assert_eq!(lines(&moved.audit, "appointment.changed_calendar").len(), 1);
        assert!(world.mail.messages().is_empty(), "nothing has changed for anybody");
        let next = "2026-11-25T11:00:00Z";
        world.engine.reschedule_by_token(&view.token, &to(next)).await.unwrap();
        world.run().await;
        assert_eq!(outside.standing(Which::Main).await, [once(next)]);
        assert_eq!(outside.standing(Which::Second).await, []);
        sync(&outside).await;
        assert!(world.is_offered(START).await && !world.is_offered(next).await);
        world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
        world.run().await;
        assert_eq!(outside.standing(Which::Main).await, []);
        sync(&outside).await;
        assert!(world.is_offered(next).await);
        no_job_failed(&outside).await;
    }
}

async fn an_event_that_goes_into_a_calendar_that_nobody_follows_counts_as_deleted<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    choose(&outside, &[Which::Second]).await;
    outside.change_calendar(Which::Second, Which::Main).await;
    sync(&outside).await;
    assert_cancelled(&outside, &view).await;
}

async fn the_appointments_of_a_deleted_calendar_stand_and_their_events_are_written_anew<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    let world = outside.world();
    let next = "2026-11-26T09:00:00Z";
    let other = world.book("other", next).await;
    world.run().await;
    world.mail.clear();
    outside.delete_calendar().await;
    sync(&outside).await;
    for (view, start) in [(&view, START), (&other, next)] {
        let stands = seen(&outside, view).await;
        assert_eq!((stands.status, stands.start), (AppointmentStatus::Confirmed, at(start)));
        assert!(!world.is_offered(start).await);
    }
    assert_eq!(outside.standing(Which::Main).await, [once(START), once(next)]);
    let calendars = world.the_account().await.calendars;
    assert!(!calendars.iter().any(|calendar| calendar.name == outside.name(Which::Second)));
    let kept = detail(&outside, AppointmentFilter::Upcoming).await;
    assert_eq!(kept.calendar_name.as_deref(), Some(outside.name(Which::Main)));
    let history = lines(&kept.audit, "appointment.event_lost").into_iter().map(|entry| entry.detail.clone());
    let lost = json!({ "calendar": outside.name(Which::Second), "to": outside.name(Which::Main) });
    assert_eq!(history.collect::<Vec<_>>(), [lost]);
    let (to_visitor, to_host) = (world.mails_to(VISITOR), world.mails_to(HOST));
    assert_eq!((to_visitor.len(), to_host.len()), (0, 1), "{:?}", subjects(&to_host));
    for word in [outside.name(Which::Second), outside.name(Which::Main), "https://cupo.example/dashboard/calendars"] {
        assert!(body(&to_host[0]).contains(word), "{}", body(&to_host[0]));
    }
    assert_eq!(account_history(&outside, "mail.sent").await, 1);
    // What happens there is followed from now on.
    sync(&outside).await;
    world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    world.run().await;
    assert_eq!(outside.standing(Which::Main).await, [once(next)]);
    no_job_failed(&outside).await;
}

async fn an_event_that_left_a_calendar_before_that_was_deleted_is_followed_and_not_written_again<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    outside.change_calendar(Which::Second, Which::Main).await;
    let second = calendar(&outside, Which::Second).await;
    outside.delete_calendar().await;
    read(&outside, &second.id).await;
    sync(&outside).await;
    assert_eq!(outside.standing(Which::Main).await, [once(START)]);
    let kept = detail(&outside, AppointmentFilter::Upcoming).await;
    assert_eq!(kept.calendar_name.as_deref(), Some(outside.name(Which::Main)));
    assert!(lines(&kept.audit, "appointment.event_lost").is_empty());
    outside.world().engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    outside.world().run().await;
    assert_eq!(outside.standing(Which::Main).await, []);
    no_job_failed(&outside).await;
}

async fn an_appointment_for_a_calendar_that_is_gone_is_written_where_events_go_then<O: Outside>() {
    let outside = Box::pin(open::<O>()).await;
    let world = outside.world();
    outside.delete_calendar().await;
    let view = world.book("key", START).await;
    world.run().await;
    assert_eq!(outside.standing(Which::Main).await, [once(START)]);
    assert_eq!(seen(&outside, &view).await.status, AppointmentStatus::Confirmed);
    let mails = world.mails_to(HOST);
    let is_of_loss = |mail: &&Message| mail.subject.contains(outside.name(Which::Second));
    assert_eq!(mails.iter().filter(is_of_loss).count(), 1, "{:?}", subjects(&mails));
    no_job_failed(&outside).await;
}

/// How many lines of history with this action the account has.
async fn account_history<O: Outside>(outside: &O, action: &str) -> usize {
    let world = outside.world();
    let id = world.the_account().await.account.id;
    let tx = &mut world.store.read().await.unwrap();
    let history = audit_list(tx, &world.principal.organization_id, "account", id.as_str()).await.unwrap();
    lines(&history, action).len()
}

async fn a_revoked_account_keeps_its_appointments_and_catches_up_when_it_is_connected_again<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    let world = outside.world();
    let next = "2026-11-26T09:00:00Z";
    let other = world.book("other", next).await;
    world.run().await;
    sync(&outside).await;
    world.mail.clear();
    outside.revoke().await;
    sync(&outside).await;
    sync(&outside).await;
    let overview = world.the_account().await;
    assert!(matches!(overview.condition, AccountCondition::ReconnectNeeded { .. }), "{:?}", overview.condition);
    assert_eq!(seen(&outside, &view).await.status, AppointmentStatus::Confirmed);
    let mails = world.mails_to(HOST);
    assert_eq!(mails.len(), 1, "{:?}", subjects(&mails));
    assert!(body(&mails[0]).contains("https://cupo.example/dashboard/calendars"), "{}", body(&mails[0]));
    assert_eq!(account_history(&outside, "account.reconnect_needed").await, 1);
    assert_eq!(account_history(&outside, "mail.sent").await, 1);

    // Meanwhile the host moves one event, and the visitor cancels the other appointment.
    let later = "2026-11-25T13:00:00Z";
    outside.move_event(later, "2026-11-25T13:30:00Z").await;
    world.engine.cancel_by_token(&other.token, &because("")).await.unwrap();
    sync(&outside).await;
    assert_eq!(outside.standing(Which::Second).await, [once(later), once(next)]);
    assert_eq!(seen(&outside, &view).await.start, at(START));

    outside.connect().await;
    assert!(!matches!(world.the_account().await.condition, AccountCondition::ReconnectNeeded { .. }));
    // At once, without waiting for the next look at the account.
    world.engine.run_due_jobs().await.unwrap();
    assert_eq!(seen(&outside, &view).await.start, at(later));
    assert_eq!(outside.standing(Which::Second).await, [once(later)], "the push that waited went out");
    assert!(world.is_offered(START).await && world.is_offered(next).await && !world.is_offered(later).await);

    // A second loss is told too.
    outside.revoke().await;
    sync(&outside).await;
    let told = world.mails_to(HOST).iter().filter(|mail| mail.subject == mails[0].subject).count();
    assert_eq!(told, 2);
    no_job_failed(&outside).await;
}

/// Every behaviour is tested with every provider.
macro_rules! with_every_provider {
    ($($behaviour:ident)*) => {
        mod in_google {
            $(#[tokio::test] async fn $behaviour() { Box::pin(super::$behaviour::<super::Google>()).await })*
        }
        mod in_outlook {
            $(#[tokio::test] async fn $behaviour() { Box::pin(super::$behaviour::<super::Graph>()).await })*
        }
        mod in_caldav {
            $(#[tokio::test] async fn $behaviour() { Box::pin(super::$behaviour::<super::Caldav>()).await })*
        }
    };
}

with_every_provider! {
    a_moved_event_moves_its_appointment_and_both_are_told
    a_deleted_event_cancels_its_appointment
    a_cancelled_event_cancels_its_appointment
    an_appointment_that_its_guest_declines_stands_and_both_are_told_once
    the_first_date_of_an_event_that_recurs_stands_for_its_appointment
    a_series_that_is_moved_takes_its_appointment_along
    an_appointment_whose_date_is_deleted_from_a_series_goes_to_the_next_date
    an_event_that_goes_into_another_followed_calendar_is_followed_there
    an_event_that_goes_into_a_calendar_that_nobody_follows_counts_as_deleted
    the_appointments_of_a_deleted_calendar_stand_and_their_events_are_written_anew
    an_event_that_left_a_calendar_before_that_was_deleted_is_followed_and_not_written_again
    an_appointment_for_a_calendar_that_is_gone_is_written_where_events_go_then
    a_revoked_account_keeps_its_appointments_and_catches_up_when_it_is_connected_again
}
