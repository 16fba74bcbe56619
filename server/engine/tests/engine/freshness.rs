//! What happens while nobody could read a calendar for long: what is offered, what is booked, who is told.

use std::time::Duration;

use chrono::TimeDelta;
use cupo_core::{
    appointment::AppointmentStatus,
    event_type::{Assignment, Options, RulesInput, WhenStale, Window},
    ids::AppointmentId,
    text::Locale,
    wire::{AppointmentView, BookingRequest, RecurrenceRequest},
};
use cupo_engine::{AccountCondition, CalendarChoice, Engine, EngineError, EngineSettings, EventTypeInput, Principal};
use cupo_simulators::google::Fault;
use cupo_store::AppointmentFilter;
use sqlx::{Connection, Executor, SqliteConnection};

use crate::world::{
    CALENDAR, World, at, body, delivered, event, first_visit, hold_request, host, request, slots_request, to,
};

const START: &str = "2026-11-25T09:00:00Z";
const BOOKED: &str = "2026-11-26T09:00:00Z";
const LATER: &str = "2026-11-26T11:00:00Z";

/// What the provider does when it is asked who is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Given,
    Refused,
    Never,
}

const ANSWERS: [Answer; 3] = [Answer::Given, Answer::Refused, Answer::Never];

/// A world whose calendar has not been read for long, and an engine of little patience.
struct Stale {
    world: World,
    engine: Engine,
    booked: AppointmentView,
}

impl Stale {
    async fn new(when_stale: WhenStale, answer: Answer) -> Self {
        let world = World::new().await;
        world.connect().await;
        world.offer(visits(Options { when_stale, ..Options::default() })).await;
        world.run().await;
        let booked = world.book("before", BOOKED).await;
        world.run().await;
        world.mail.clear();
        grow_stale(&world).await;
        let patience = if answer == Answer::Never { Duration::from_millis(300) } else { Duration::from_secs(10) };
        let engine = world.process_with(EngineSettings {
            stale_patience: patience,
            live_check_timeout: patience,
            ..delivered()
        });
        match answer {
            Answer::Given => {}
            Answer::Refused => {
                world.fault("POST", "/freeBusy$", 1_000, Fault { status: Some(503), ..Fault::default() })
            }
            Answer::Never => world.fault("POST", "/freeBusy$", 1_000, Fault { delay_ms: 60_000, ..Fault::default() }),
        }
        world.google.clear_exchanges();
        Self { world, engine, booked }
    }

    async fn offers(&self, start: &str) -> Result<bool, EngineError> {
        let day = at(start).date_naive().to_string();
        Ok(self.engine.slots(&slots_request(&day, &day)).await?.starts.contains(&at(start)))
    }

    fn asked(&self) -> usize {
        self.world.calls("POST", "/freeBusy")
    }

    async fn book(&self, start: &str) -> Result<AppointmentView, EngineError> {
        Ok(self.engine.book(start, request(start)).await?.view)
    }

    async fn pending(&self) -> Vec<AppointmentId> {
        let page = self.engine.appointments(&self.world.principal, AppointmentFilter::Pending, None).await.unwrap();
        page.items.into_iter().map(|item| item.appointment.id).collect()
    }

    async fn status(&self, view: &AppointmentView) -> AppointmentStatus {
        self.engine.appointment_by_token(&view.token, Locale::En).await.unwrap().status
    }

    /// The provider answers again.
    async fn recover(&self) {
        self.world.google.clear_faults();
        self.world.pass(TimeDelta::minutes(11));
        self.world.engine.run_periodic().await.unwrap();
        self.world.run().await;
    }
}

fn visits(options: Options) -> EventTypeInput {
    let rules = RulesInput { window: Window::RollingDays { days: 60 }, ..RulesInput::default() };
    EventTypeInput { rules, options, location_kind: "phone".into(), ..first_visit() }
}

/// The channels are gone, and the last reading is long ago.
async fn grow_stale(world: &World) {
    let mut database = SqliteConnection::connect(&world.database()).await.unwrap();
    database.execute("delete from provider_subscription").await.unwrap();
    world.pass(TimeDelta::minutes(31));
}

fn is_unreachable<T: std::fmt::Debug>(outcome: &Result<T, EngineError>) -> bool {
    matches!(outcome, Err(EngineError::CalendarUnreachable))
}

#[tokio::test]
async fn where_the_provider_is_to_be_asked_its_answer_decides_about_slots() {
    for answer in ANSWERS {
        let stale = Stale::new(WhenStale::Ask, answer).await;
        let offered = stale.offers(START).await;
        // Who never answers is never done with the request.
        assert!(stale.asked() >= 1 || answer == Answer::Never, "{answer:?}");
        if answer == Answer::Given {
            assert!(offered.unwrap());
        } else {
            assert!(is_unreachable(&offered), "{answer:?}: {offered:?}");
        }
    }
}

#[tokio::test]
async fn where_the_provider_is_to_be_asked_its_answer_decides_about_bookings() {
    for answer in ANSWERS {
        let stale = Stale::new(WhenStale::Ask, answer).await;
        let (booked, moved) =
            (stale.book(START).await, stale.engine.reschedule_by_token(&stale.booked.token, &to(LATER)).await);
        if answer == Answer::Given {
            assert_eq!(booked.unwrap().status, AppointmentStatus::Confirmed);
            assert_eq!(moved.unwrap().start, at(LATER));
        } else {
            assert!(is_unreachable(&booked), "{answer:?}: {booked:?}");
            assert!(is_unreachable(&moved), "{answer:?}: {moved:?}");
            assert_eq!(stale.status(&stale.booked).await, AppointmentStatus::Confirmed, "it stays where it was");
        }
    }
}

#[tokio::test]
async fn where_slots_go_by_what_was_known_no_provider_is_asked_for_them() {
    for when_stale in [WhenStale::Offer, WhenStale::Approve] {
        for answer in ANSWERS {
            let stale = Stale::new(when_stale, answer).await;
            assert!(stale.offers(START).await.unwrap(), "{when_stale:?} {answer:?}");
            assert!(!stale.offers(BOOKED).await.unwrap(), "what was known counts");
            stale.engine.hold(hold_request(START)).await.unwrap();
            assert_eq!(stale.asked(), 0, "{when_stale:?} {answer:?}");
        }
    }
}

#[tokio::test]
async fn the_mirror_of_a_stale_calendar_counts_as_far_as_it_reaches() {
    for when_stale in WhenStale::ALL {
        let world = World::new().await;
        world.google.insert_event(CALENDAR, event("Dentist", START, "2026-11-25T09:30:00Z")).unwrap();
        world.connect().await;
        let rules = RulesInput { window: Window::Open, ..RulesInput::default() };
        let options = Options { when_stale, ..Options::default() };
        world.offer(EventTypeInput { rules, ..visits(options) }).await;
        world.run().await;
        grow_stale(&world).await;
        assert!(!world.is_offered(START).await && world.is_offered("2026-11-25T09:30:00Z").await, "{when_stale:?}");
        // 400 days are mirrored.
        let beyond = world.starts("2028-01-10", "2028-01-14").await;
        assert!(beyond.is_empty(), "{when_stale:?}: {beyond:?}");
    }
}

#[tokio::test]
async fn where_it_is_offered_as_usual_it_is_booked_as_usual() {
    for answer in ANSWERS {
        let stale = Stale::new(WhenStale::Offer, answer).await;
        assert_eq!(stale.book(START).await.unwrap().status, AppointmentStatus::Confirmed, "{answer:?}");
        assert!(stale.asked() >= 1 || answer == Answer::Never, "the provider was asked all the same");
        let moved = stale.engine.reschedule_by_token(&stale.booked.token, &to(LATER)).await.unwrap();
        assert_eq!((moved.status, moved.start), (AppointmentStatus::Confirmed, at(LATER)), "{answer:?}");
        assert!(stale.pending().await.is_empty());
        stale.recover().await;
        assert_eq!(stale.world.events().len(), 2);
    }
}

#[tokio::test]
async fn an_answer_that_says_busy_refuses_whatever_was_chosen() {
    for when_stale in WhenStale::ALL {
        let stale = Stale::new(when_stale, Answer::Given).await;
        stale.world.google.insert_event(CALENDAR, event("Dentist", START, "2026-11-25T09:30:00Z")).unwrap();
        let refused = stale.book(START).await;
        assert!(matches!(refused, Err(EngineError::SlotTaken)), "{when_stale:?}: {refused:?}");
    }
}

#[tokio::test]
async fn where_a_host_is_to_agree_what_is_booked_without_an_answer_is_a_request() {
    for answer in ANSWERS {
        let stale = Stale::new(WhenStale::Approve, answer).await;
        let view = stale.book(START).await.unwrap();
        if answer == Answer::Given {
            assert_eq!((view.status, view.expires_at), (AppointmentStatus::Confirmed, None));
            continue;
        }
        assert_eq!(view.status, AppointmentStatus::Pending, "{answer:?}");
        assert!(view.expires_at.is_some());
        assert!(!stale.offers(START).await.unwrap(), "its time belongs to it");
        let again = stale.engine.book(START, request(START)).await.unwrap();
        assert!(again.replayed && again.view.status == AppointmentStatus::Pending);
        stale.recover().await;
        assert_eq!(stale.world.events().len(), 1, "only the one that was there before");
        assert!(stale.world.mails_to("leo@visitor.example")[0].subject.starts_with("Requested"));
        assert!(stale.world.mails_to("ana@clinic.example")[0].subject.starts_with("Por confirmar"));

        let id = stale.pending().await.remove(0);
        let detail = stale.engine.appointment(&stale.world.principal, &id).await.unwrap();
        let booked = detail.audit.iter().find(|entry| entry.action == "appointment.booked").unwrap();
        assert_eq!(booked.detail["unsure"], true, "the history says why");
        stale.engine.appointment_confirm(&stale.world.principal, &id).await.unwrap();
        stale.world.run().await;
        assert_eq!(stale.status(&view).await, AppointmentStatus::Confirmed);
        assert_eq!(stale.world.events().len(), 2);
    }
}

#[tokio::test]
async fn where_a_host_is_to_agree_what_is_moved_without_an_answer_is_a_request_again() {
    for answer in ANSWERS {
        let stale = Stale::new(WhenStale::Approve, answer).await;
        let moved = stale.engine.reschedule_by_token(&stale.booked.token, &to(LATER)).await.unwrap();
        let expected = if answer == Answer::Given { AppointmentStatus::Confirmed } else { AppointmentStatus::Pending };
        assert_eq!((moved.status, moved.start), (expected, at(LATER)), "{answer:?}");
        stale.recover().await;
        let is_there = answer == Answer::Given;
        assert_eq!(stale.world.events().len(), usize::from(is_there), "{answer:?}");
    }
}

#[tokio::test]
async fn a_request_that_nobody_answers_expires() {
    let stale = Stale::new(WhenStale::Approve, Answer::Refused).await;
    let view = stale.book(START).await.unwrap();
    stale.world.clock.set(at(START));
    stale.world.engine.run_periodic().await.unwrap();
    assert_eq!(stale.status(&view).await, AppointmentStatus::Expired);
}

#[tokio::test]
async fn the_dates_of_a_series_are_requests_together() {
    for (answer, expected) in
        [(Answer::Given, AppointmentStatus::Confirmed), (Answer::Refused, AppointmentStatus::Pending)]
    {
        let stale = Stale::new(WhenStale::Approve, answer).await;
        let options = Options { when_stale: WhenStale::Approve, most_occurrences: 4, ..Options::default() };
        stale.world.change(visits(options)).await;
        let recurrence = RecurrenceRequest { frequency: "weekly".into(), count: 3, skip_taken: false };
        let series = BookingRequest { recurrence: Some(recurrence), ..request(START) };
        let view = stale.engine.book("series", series).await.unwrap().view;
        assert_eq!((view.status, view.series.len()), (expected, 2), "{answer:?}");
        let count = if expected == AppointmentStatus::Pending { 3 } else { 0 };
        assert_eq!(stale.pending().await.len(), count);
    }
}

/// Ana, whose provider refuses to answer, and Ben, who has no calendar, take turns; it is Ana's.
async fn taking_turns(when_stale: WhenStale) -> (World, Principal) {
    let world = World::new().await;
    world.connect().await;
    let (ben, _) = world.colleague("Ben Mora", "ben@clinic.example").await;
    let options = Options { when_stale, assignment: Assignment::RoundRobin, ..Options::default() };
    let mut hosts = [host(&world.principal), host(&ben)];
    hosts[1].priority = 2;
    world.offer(EventTypeInput { hosts: hosts.to_vec(), ..visits(options) }).await;
    world.run().await;
    grow_stale(&world).await;
    world.fault("POST", "/freeBusy$", 1_000, Fault { status: Some(503), ..Fault::default() });
    (world, ben)
}

async fn host_of(world: &World, filter: AppointmentFilter) -> Vec<String> {
    let page = world.engine.appointments(&world.principal, filter, None).await.unwrap();
    page.items.into_iter().map(|item| item.appointment.host_user_id.to_string()).collect()
}

#[tokio::test]
async fn of_several_hosts_one_who_is_known_to_be_free_comes_before_one_who_has_to_agree() {
    let (world, ben) = taking_turns(WhenStale::Approve).await;
    let first = world.book("first", START).await;
    assert_eq!(first.status, AppointmentStatus::Confirmed);
    assert_eq!(host_of(&world, AppointmentFilter::Upcoming).await, [ben.user_id.to_string()]);
    assert!(world.is_offered(START).await, "Ana is left");
    let second = world.book("second", START).await;
    assert_eq!(second.status, AppointmentStatus::Pending);
    assert_eq!(host_of(&world, AppointmentFilter::Pending).await, [world.principal.user_id.to_string()]);
    assert!(!world.is_offered(START).await);
}

#[tokio::test]
async fn of_several_hosts_each_goes_by_what_was_known_where_it_is_offered_as_usual() {
    let (world, _) = taking_turns(WhenStale::Offer).await;
    let first = world.book("first", START).await;
    assert_eq!(first.status, AppointmentStatus::Confirmed);
    assert_eq!(host_of(&world, AppointmentFilter::Upcoming).await, [world.principal.user_id.to_string()]);
}

#[tokio::test]
async fn all_who_are_required_have_to_be_known_or_one_has_to_agree() {
    for (when_stale, expected) in
        [(WhenStale::Approve, AppointmentStatus::Pending), (WhenStale::Offer, AppointmentStatus::Confirmed)]
    {
        let (world, ben) = taking_turns(when_stale).await;
        let options = Options { when_stale, assignment: Assignment::Collective, ..Options::default() };
        let hosts = vec![host(&world.principal), host(&ben)];
        world.change(EventTypeInput { hosts, ..visits(options) }).await;
        assert_eq!(world.book("key", START).await.status, expected, "{when_stale:?}");
    }
}

#[tokio::test]
async fn an_explanation_says_that_a_calendar_is_stale_and_what_that_means() {
    for (when_stale, means) in [
        (WhenStale::Offer, "se da por no cambiado"),
        (WhenStale::Ask, "no se ofrece ningún horario"),
        (WhenStale::Approve, "espera tu aprobación"),
    ] {
        let stale = Stale::new(when_stale, Answer::Given).await;
        let id = stale.world.event_type("first-visit").await;
        let explain = async || stale.engine.explain(&stale.world.principal, &id, at(START), None, None).await.unwrap();
        let told = explain().await;
        let reason = told.reasons.iter().find(|reason| reason.kind == "stale_calendar").unwrap();
        assert_eq!((reason.calendar.as_deref(), told.is_offered), (Some(CALENDAR), true));
        assert!(told.sentence.contains(means) && told.sentence.contains("9:0"), "{}", told.sentence);
        stale.recover().await;
        assert!(explain().await.reasons.is_empty(), "it was read again");
    }
}

/// Two calendars of Ana's block her time, and Google answers no more.
async fn outage() -> World {
    let world = World::open_for_business().await;
    let calendars = world.the_account().await.calendars;
    let receives = calendars.iter().find(|calendar| calendar.receives_events).map(|calendar| calendar.id.clone());
    let choice = |calendar: &cupo_store::Calendar| CalendarChoice {
        calendar_id: calendar.id.clone(),
        checks_conflicts: calendar.can_write,
        tentative_blocks: true,
        unanswered_blocks: true,
    };
    let choices = calendars.iter().map(choice).collect();
    world.engine.calendar_choices_save(&world.principal, choices, receives).await.unwrap();
    world.run().await;
    world.mail.clear();
    break_down(&world).await;
    world
}

async fn break_down(world: &World) {
    let mut database = SqliteConnection::connect(&world.database()).await.unwrap();
    database.execute("delete from provider_subscription").await.unwrap();
    world.google_is_down();
}

/// Time passes, with a look at what falls due every ten minutes.
async fn wait(world: &World, minutes: i64) {
    for _ in 0..minutes / 10 {
        world.pass(TimeDelta::minutes(10));
        world.engine.run_periodic().await.unwrap();
        world.engine.run_due_jobs().await.unwrap();
    }
}

#[tokio::test]
async fn a_host_is_told_once_of_all_calendars_that_nobody_could_read_for_long() {
    let world = outage().await;
    let mails = || world.mails_to("ana@clinic.example");
    wait(&world, 140).await;
    assert!(mails().is_empty(), "a short outage mails nobody");
    wait(&world, 30).await;
    let [mail] = &mails()[..] else { panic!("{:?}", mails()) };
    assert!(mail.subject.contains("2 calendarios"), "{}", mail.subject);
    let text = body(mail);
    assert!(text.contains(CALENDAR) && text.contains("Personal"), "{text}");
    assert!(text.contains("https://cupo.example/dashboard/calendars"), "{text}");
    wait(&world, 300).await;
    assert_eq!(mails().len(), 1, "once for each time");

    world.google.clear_faults();
    wait(&world, 70).await;
    assert!(matches!(world.the_account().await.condition, AccountCondition::Live | AccountCondition::Polled));
    break_down(&world).await;
    wait(&world, 180).await;
    assert_eq!(mails().len(), 2, "a new time, a new mail");
}

#[tokio::test]
async fn of_a_calendar_that_is_read_before_the_mail_goes_out_nobody_is_told() {
    let world = outage().await;
    for _ in 0..16 {
        world.pass(TimeDelta::minutes(10));
        world.engine.run_periodic().await.unwrap();
    }
    world.google.clear_faults();
    let mut database = SqliteConnection::connect(&world.database()).await.unwrap();
    let waiting = "update job set run_at = run_at + 3600000000 where kind = 'tell_stale'";
    assert_eq!(database.execute(waiting).await.unwrap().rows_affected(), 1, "a mail was on its way");
    world.engine.run_due_jobs().await.unwrap();
    world.pass(TimeDelta::minutes(61));
    world.engine.run_periodic().await.unwrap();
    database.execute("update job set run_at = 0 where kind = 'pull_changes'").await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    assert!(world.mails_to("ana@clinic.example").is_empty());
}

#[tokio::test]
async fn an_account_whose_calendar_nobody_could_read_for_long_is_shown_as_stale_until_it_can_be() {
    let world = outage().await;
    wait(&world, 20).await;
    let condition = world.the_account().await.condition;
    assert!(matches!(condition, AccountCondition::Behind { .. }), "{condition:?}");
    let read_at = world.the_account().await.last_sync_at;
    wait(&world, 20).await;
    let condition = world.the_account().await.condition;
    assert_eq!(condition, AccountCondition::Stale { code: "provider-failed".to_owned(), read_at });
    world.google.clear_faults();
    wait(&world, 70).await;
    let condition = world.the_account().await.condition;
    assert!(matches!(condition, AccountCondition::Live | AccountCondition::Polled), "{condition:?}");
}

#[tokio::test]
async fn a_calendar_with_a_live_channel_that_tells_nothing_is_trusted() {
    let world = World::open_for_business().await;
    world.pass(TimeDelta::hours(5));
    world.engine.run_periodic().await.unwrap();
    assert_eq!(world.the_account().await.condition, AccountCondition::Live);
    world.google.clear_exchanges();
    assert!(world.is_offered(START).await);
    assert_eq!(world.calls("POST", "/freeBusy"), 0);
    assert!(world.mails_to("ana@clinic.example").is_empty());
}
