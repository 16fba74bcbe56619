//! The second and the third step: holds that end, a network that is gone, a page that is loaded again, an appointment that
//! is changed.

use cupo_core::appointment::AppointmentStatus;
use cupo_core::question::QuestionKind;
use serde_json::Value;

use super::*;
use crate::form::Field;
use crate::model::tests::asked;
use crate::state::hold::TOLD_BEFORE;

const SECOND: Instant = 1_000;

/// The slot at nine is held until then.
fn until() -> Instant {
    at("2026-11-16T12:10:00Z")
}

fn tells(code: &'static str) -> Effect {
    Effect::Tell(Event::Error(code))
}

fn unreachable(state: &mut State) -> Vec<Effect> {
    state.apply(Action::BookingFailed(BookingFailure::Unknown(Notice::Unreachable)))
}

#[test]
fn a_hold_is_counted_down_by_the_second_only_near_its_end() {
    let mut state = ready_to_book();
    assert_eq!(state.seconds_left(), None);
    let told = until() - TOLD_BEFORE;
    assert_eq!(state.apply(Action::Woken(told - MINUTE)), [], "the clock was put back");
    assert_eq!(state.seconds_left(), None);
    assert_eq!(state.apply(Action::Woken(told + 300)), [Effect::WakeAt(told + SECOND)], "on the whole second");
    assert_eq!(state.seconds_left(), Some(120));
    assert_eq!(state.announcement, Announcement::KeptFor(120));
    assert_eq!(state.apply(Action::Woken(told + SECOND)), [Effect::WakeAt(told + 2 * SECOND)]);
    assert_eq!(state.seconds_left(), Some(119));
    assert_eq!(state.announcement, Announcement::KeptFor(120), "told once");
    // A tab that slept is woken late.
    let mut late = ready_to_book();
    late.apply(Action::Woken(until() - MINUTE));
    assert_eq!(late.announcement, Announcement::KeptFor(60));
}

#[test]
fn a_hold_that_ends_leads_back_to_fresh_slots_and_nothing_typed_is_lost() {
    let mut state = ready_to_book();
    let effects = state.apply(Action::Woken(until()));
    assert_eq!(effects, [Effect::Release("hold".to_owned()), tells("hold-expired"), Effect::Focus(Target::Notice)]);
    assert_eq!((state.step, state.notice), (Step::Pick, Some(Notice::Expired)));
    assert_eq!(state.apply(Action::Released), [reads(november())]);
    assert_eq!(state.details[Field::NAME.0], "Zoë");
    state.apply(Action::Pick(at(TEN)));
    assert_eq!((state.step, state.notice), (Step::Details, None));
}

#[test]
fn a_booking_under_way_outlives_its_hold() {
    let mut state = ready_to_book();
    submit(&mut state, "key");
    assert_eq!(state.apply(Action::Woken(until())), []);
    assert_eq!((state.step, state.sending), (Step::Details, true));
}

#[test]
fn a_visitor_who_needs_longer_gets_the_whole_time_again_and_the_old_alarm_comes_to_nothing() {
    let mut state = ready_to_book();
    state.apply(Action::Woken(until() - MINUTE));
    assert_eq!(state.seconds_left(), Some(60));
    let effects = state.apply(Action::Extend);
    let replaces = "hold".to_owned();
    let focus = Effect::Focus(Target::Field(Field::EMAIL));
    assert_eq!(effects, [Effect::Hold { start: at(NINE), replaces }, focus], "back to what was typed");
    assert_eq!(state.seconds_left(), None);
    let later = until() + 9 * MINUTE;
    let effects = state.apply(Action::Held { start: at(NINE), token: "second".to_owned(), until: later });
    assert_eq!(effects, [Effect::WakeAt(later - TOLD_BEFORE)]);
    assert_eq!(state.apply(Action::Woken(until() - MINUTE + SECOND)), []);
    assert_eq!((state.step, state.seconds_left()), (Step::Details, None));
    assert_eq!(state.standing_hold, "second");
}

#[test]
fn a_time_that_cannot_be_kept_longer_is_kept_until_its_own_end_and_booked_with_its_hold() {
    let mut state = ready_to_book();
    state.apply(Action::Woken(until() - MINUTE));
    state.apply(Action::Extend);
    let failure = HoldFailure::Unavailable;
    let effects = state.apply(Action::HoldFailed { start: at(NINE), failure });
    assert_eq!((state.seconds_left(), effects), (Some(60), vec![Effect::WakeAt(until() - TOLD_BEFORE)]));
    let mut booking = state.clone();
    assert!(sent(&submit(&mut booking, "key")).unwrap().1.contains("\"hold\":\"hold\""));
    // Also when it is booked while the answer is awaited.
    let mut waiting = state.clone();
    waiting.apply(Action::Extend);
    assert_eq!(submit(&mut waiting, "key"), []);
    let effects = waiting.apply(Action::HoldFailed { start: at(NINE), failure });
    assert!(sent(&effects).unwrap().1.contains("\"hold\":\"hold\""));
    state.apply(Action::Woken(until()));
    assert_eq!(state.notice, Some(Notice::Expired));
}

#[test]
fn a_time_that_was_lost_when_it_was_to_be_kept_longer_lets_go_of_the_hold_before() {
    let mut state = ready_to_book();
    state.apply(Action::Extend);
    let effects = state.apply(Action::HoldFailed { start: at(NINE), failure: HoldFailure::SlotTaken });
    assert_eq!(effects[0], Effect::Release("hold".to_owned()));
    assert_eq!((state.step, state.notice), (Step::Pick, Some(Notice::SlotTaken)));
}

#[test]
fn who_gets_no_new_hold_after_a_reload_books_with_the_one_that_may_stand() {
    let (mut state, _) = reloaded(&ready_to_book(), visit());
    state.apply(Action::HoldFailed { start: at(NINE), failure: HoldFailure::Unavailable });
    assert!(sent(&submit(&mut state, "key")).unwrap().1.contains("\"hold\":\"hold\""));
}

#[test]
fn a_slot_that_is_picked_again_before_its_hold_has_come_is_not_asked_for_twice() {
    let mut state = picking();
    state.apply(Action::Pick(at(NINE)));
    state.apply(Action::Back);
    let effects = state.apply(Action::Pick(at(NINE)));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Hold { .. })), "{effects:?}");
    assert_eq!(state.apply(held("one")), [Effect::WakeAt(until() - TOLD_BEFORE)]);
    assert_eq!(state.standing_hold, "one");
    // Another length is another question.
    state.apply(Action::Back);
    state.apply(Action::Pick(at(TEN)));
    state.apply(Action::Back);
    state.apply(Action::ChooseDuration(60));
    let effects = state.apply(Action::Pick(at(TEN)));
    assert!(effects.contains(&Effect::Hold { start: at(TEN), replaces: "one".to_owned() }), "{effects:?}");
}

#[test]
fn a_hold_that_ends_while_the_booking_is_under_way_ends_once_that_is_refused() {
    let mut state = ready_to_book();
    state.apply(Action::Woken(until() - SECOND));
    submit(&mut state, "key");
    assert_eq!(state.seconds_left(), None, "what is sent is not counted down");
    let mut asleep = ready_to_book();
    asleep.apply(Action::Look(until() + MINUTE));
    assert_eq!(asleep.seconds_left(), None, "the timer comes later than the clock");
    state.apply(Action::Woken(until()));
    // A tab that slept.
    state.apply(Action::Look(until() + MINUTE));
    let mut refused = state.clone();
    let effects = refuse(&mut refused, "email");
    assert_eq!(effects, [Effect::Release("hold".to_owned()), tells("hold-expired"), Effect::Focus(Target::Notice)]);
    assert_eq!((refused.step, refused.seconds_left()), (Step::Pick, None));
    // What became of it is unknown: that comes first.
    unreachable(&mut state);
    assert_eq!((state.step, state.notice, state.seconds_left()), (Step::Details, Some(Notice::Unreachable), None));
}

#[test]
fn a_hold_that_ends_while_it_is_not_known_what_became_of_the_booking_leads_nowhere() {
    let mut state = ready_to_book();
    submit(&mut state, "key");
    unreachable(&mut state);
    assert_eq!(state.apply(Action::Extend), [], "what is sent again would have the hold before");
    assert_eq!(state.apply(Action::Woken(until())), []);
    assert_eq!(state.step, Step::Details);
}

#[test]
fn whoever_may_have_booked_is_offered_another_time_only_when_it_is_known_that_nothing_was() {
    let mut asking = ready_to_book();
    let first = submit(&mut asking, "key");
    unreachable(&mut asking);
    let ask = |state: &State| {
        let mut state = state.clone();
        assert_eq!(state.apply(Action::Back), first, "the same key, byte for byte");
        assert_eq!((state.step, state.sending), (Step::Details, true));
        state
    };
    let mut booked = ask(&asking);
    booked.apply(Action::Booked(appointment(false)));
    assert_eq!((booked.step, booked.done), (Step::Confirmed, Done::Booked));

    let mut refused = ask(&asking);
    let effects = refused.apply(Action::BookingFailed(BookingFailure::Refused(Notice::Refused)));
    assert_eq!(effects, [Effect::Release("hold".to_owned()), Effect::Focus(Target::Slot(at(NINE)))]);
    assert_eq!((refused.step, refused.notice), (Step::Pick, None));
    refused.apply(Action::Pick(at(TEN)));
    refused.apply(Action::HoldFailed { start: at(TEN), failure: HoldFailure::Unavailable });
    assert_eq!(sent(&submit(&mut refused, "second")).unwrap().0, "second");

    let mut unknown = ask(&asking);
    unreachable(&mut unknown);
    assert_eq!((unknown.step, unknown.notice), (Step::Details, Some(Notice::Unreachable)));
    // Also after a reload, and whoever only tries again is not led back.
    let (mut unknown, _) = reloaded(&unknown, visit());
    unreachable(&mut unknown);
    let mut unknown = ask(&unknown);
    unreachable(&mut unknown);
    assert_eq!(submit(&mut unknown, "fresh"), first);
    unknown.apply(Action::BookingFailed(BookingFailure::Refused(Notice::Refused)));
    assert_eq!((unknown.step, unknown.notice), (Step::Details, Some(Notice::Refused)));
}

#[test]
fn a_press_that_was_under_way_when_the_hold_ended_is_over() {
    let mut state = ready_to_book();
    state.apply(Action::Press(true));
    state.apply(Action::Woken(until()));
    state.apply(Action::Pick(at(TEN)));
    write(&mut state, Field::EMAIL, "zoe");
    state.apply(Action::Leave(Field::EMAIL));
    assert!(state.problems[Field::EMAIL.0].is_some());
}

#[test]
fn a_booking_waits_for_its_hold_which_would_be_in_its_way() {
    let mut waiting = picking();
    waiting.apply(Action::Pick(at(NINE)));
    write(&mut waiting, Field::NAME, "Zoë");
    write(&mut waiting, Field::EMAIL, "zoe@example.com");
    assert_eq!(submit(&mut waiting, "key"), []);
    assert!(waiting.sending);
    assert_eq!(submit(&mut waiting, "other"), []);

    let mut state = waiting.clone();
    let effects = state.apply(Action::Held { start: at(NINE), token: "mine".to_owned(), until: until() });
    let (key, body) = sent(&effects).unwrap();
    assert!(key == "key" && body.contains("\"hold\":\"mine\""), "{body}");

    let mut state = waiting.clone();
    let failure = HoldFailure::Unavailable;
    assert_eq!(sent(&state.apply(Action::HoldFailed { start: at(NINE), failure })).unwrap().0, "key");

    let mut state = waiting;
    let failure = HoldFailure::SlotTaken;
    assert!(sent(&state.apply(Action::HoldFailed { start: at(NINE), failure })).is_none());
    assert_eq!((state.step, state.sending), (Step::Pick, false));
}

#[test]
fn what_is_told_beside_a_field_waits_until_the_press_is_over() {
    let mut state = ready_to_book();
    write(&mut state, Field::EMAIL, "zoe");
    state.apply(Action::Press(true));
    state.apply(Action::Leave(Field::EMAIL));
    assert_eq!(state.problems[Field::EMAIL.0], None);
    state.apply(Action::Press(false));
    assert!(state.problems[Field::EMAIL.0].is_some());
    write(&mut state, Field::EMAIL, "zoe@example.com");
    state.apply(Action::Press(true));
    state.apply(Action::Press(false));
    assert_eq!(state.problems[Field::EMAIL.0], None);
}

#[test]
fn what_takes_long_says_so_and_what_came_meanwhile_does_not() {
    let mut state = fresh();
    let first = state.wait().unwrap();
    state.apply(Action::Slow(first));
    assert!(state.is_slow);
    read(&mut state, november(), &[NINE]);
    assert_eq!(state.wait(), None);
    state.apply(Action::Pick(at(NINE)));
    state.apply(Action::Held { start: at(NINE), token: "hold".to_owned(), until: until() });
    write(&mut state, Field::NAME, "Zoë");
    write(&mut state, Field::EMAIL, "zoe@example.com");
    submit(&mut state, "key");
    let second = state.wait().unwrap();
    assert_ne!(first, second);
    assert!(!state.is_slow, "this wait has just begun");
    state.apply(Action::Slow(first));
    assert!(!state.is_slow);
    state.apply(Action::Slow(second));
    assert!(state.is_slow);
    unreachable(&mut state);
    assert_eq!(state.wait(), None);
}

#[test]
fn another_month_that_is_waited_for_is_another_wait() {
    let mut state = picking();
    state.apply(Action::Turn(1));
    let first = state.wait().unwrap();
    state.apply(Action::Slow(first));
    state.apply(Action::Turn(1));
    assert!(state.wait().is_some_and(|second| second != first) && !state.is_slow);
    state.apply(Action::Slow(first));
    assert!(!state.is_slow);
}

#[test]
fn with_the_network_comes_the_booking_under_the_same_key() {
    let mut state = ready_to_book();
    state.apply(Action::Online(false));
    let first = submit(&mut state, "key");
    assert_eq!(unreachable(&mut state), [tells("unreachable"), Effect::Focus(Target::Notice)]);
    assert!(state.is_offline);
    assert_eq!(state.apply(Action::Online(true)), first);
    assert!(state.sending && !state.is_offline);
    assert_eq!(state.apply(Action::Online(true)), [], "it is under way");
}

#[test]
fn a_booking_that_was_sent_long_ago_waits_for_the_visitor_although_the_network_is_back() {
    let mut state = ready_to_book();
    submit(&mut state, "key");
    unreachable(&mut state);
    state.now += 15 * MINUTE;
    assert_eq!(state.apply(Action::Online(true)), []);
}

#[test]
fn what_the_server_may_have_forgotten_is_not_sent_under_its_old_key() {
    let mut state = ready_to_book();
    submit(&mut state, "key");
    unreachable(&mut state);
    state.now += DAY;
    let effects = submit(&mut state, "another key");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Book { key, .. } if key == "another key")));
}

#[test]
fn where_nothing_was_booked_because_a_calendar_cannot_be_read_the_visitor_may_go_back() {
    let mut state = ready_to_book();
    submit(&mut state, "key");
    let told = serde_json::json!({ "status": 503, "code": "calendar-unreachable" });
    state.apply(Action::BookingFailed(BookingFailure::read(503, &told)));
    assert_eq!(state.step, Step::Details);
    let effects = state.apply(Action::Back);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Book { .. })));
    assert_eq!(state.step, Step::Pick);
    let mut state = opened();
    state.apply(Action::Cancel);
    submit(&mut state, "unused");
    state.apply(Action::BookingFailed(BookingFailure::read(503, &told)));
    assert_eq!(state.step, Step::Cancelling, "it can be asked for again");
}

#[test]
fn what_was_changed_since_it_was_sent_waits_for_the_visitor() {
    let mut state = ready_to_book();
    submit(&mut state, "key");
    unreachable(&mut state);
    write(&mut state, Field::NOTES, "I bring my dog.");
    assert_eq!(state.apply(Action::Online(true)), []);
}

#[test]
fn with_the_network_come_slots_and_dates_that_could_not_be_had() {
    let mut state = fresh();
    fail(&mut state, november());
    assert_eq!(state.apply(Action::Online(true)), [reads(november())]);
    read(&mut state, november(), &[NINE]);
    assert_eq!(state.apply(Action::Online(true)), []);
    state.event.most_occurrences = 4;
    state.apply(Action::Pick(at(NINE)));
    write(&mut state, Field::FREQUENCY, "weekly");
    let Dates::Asked(path) = state.dates.clone() else { panic!() };
    state.apply(Action::SeriesRead { path: path.clone(), dates: None });
    assert_eq!(state.apply(Action::Online(true)), [Effect::ReadSeries(path)]);
}

/// The widget after its page was loaded again.
fn reloaded(before: &State, event: EventType) -> (State, Vec<Effect>) {
    let json: Value = serde_json::from_str(&before.kept()).unwrap();
    let wishes = Wishes { kept: Kept::read(&json, &event), ..before.wishes.clone() };
    let mut state = State::new(event, "en-GB".to_owned(), zone("Etc/UTC", 0), at("2026-11-16T12:01:00Z"), wishes);
    read(&mut state, november(), &[NINE, TEN]);
    let effects = state.apply(Action::Begin);
    (state, effects)
}

#[test]
fn a_page_that_is_loaded_again_goes_on_where_it_was_with_everything_that_was_typed() {
    let mut before = ready_to_book();
    write(&mut before, Field::NOTES, "one\ntwo \"three\"");
    let (state, effects) = reloaded(&before, visit());
    assert_eq!(effects, [Effect::Hold { start: at(NINE), replaces: "hold".to_owned() }], "no focus is taken");
    assert_eq!((state.step, state.start), (Step::Details, Some(at(NINE))));
    assert_eq!(state.details, before.details);
}

#[test]
fn a_start_that_has_passed_meanwhile_is_not_picked_again_but_what_was_typed_is_there() {
    let mut before = ready_to_book();
    before.start = Some(at("2026-11-16T12:00:30Z"));
    let (state, effects) = reloaded(&before, visit());
    assert_eq!(effects, []);
    assert_eq!((state.step, state.details[Field::EMAIL.0].as_str()), (Step::Pick, "zoe@example.com"));
    assert_eq!(state.standing_hold, "hold", "it would hide its slot");
}

#[test]
fn a_booking_under_way_is_asked_for_again_under_its_key_when_the_page_is_loaded_again() {
    let mut before = ready_to_book();
    let first = submit(&mut before, "key");
    let (mut state, effects) = reloaded(&before, visit());
    assert_eq!(effects, first);
    assert_eq!((state.step, state.sending), (Step::Details, true));
    // Also when the answer was not there in time.
    unreachable(&mut before);
    assert_eq!(reloaded(&before, visit()).1, first);
    unreachable(&mut state);
    assert_eq!(submit(&mut state, "fresh"), first);
    state.apply(Action::Booked(appointment(false)));
    assert_eq!(state.kept(), "", "nothing personal stays behind");
}

#[test]
fn a_booking_that_was_sent_long_ago_goes_out_again_only_when_the_visitor_says_so() {
    let mut before = ready_to_book();
    before.apply(Action::Look(at("2026-11-16T11:46:00Z")));
    let first = submit(&mut before, "key");
    assert_eq!(reloaded(&before, visit()).1, [], "fifteen minutes later");
    before.now = at("2026-11-16T12:00:00Z");
    let (mut state, _) = reloaded(&before, visit());
    assert_eq!((state.step, state.sending, state.notice), (Step::Details, false, Some(Notice::Unreachable)));
    assert_eq!(state.details, before.details);
    assert_eq!(submit(&mut state, "fresh"), first);
    // Its time has passed meanwhile.
    before.start = Some(at("2026-11-16T12:00:30Z"));
    assert_eq!(reloaded(&before, visit()).0.step, Step::Pick);
}

#[test]
fn nothing_is_kept_before_anything_was_done_nor_what_the_page_knows_itself() {
    assert_eq!(fresh().kept(), "");
    let wishes = Wishes { prefill: vec![(Field::NAME, "Zoë".to_owned())], ..Wishes::default() };
    let mut state = State::new(visit(), String::new(), zone("Etc/UTC", 0), at("2026-11-16T12:00:00Z"), wishes);
    assert_eq!(state.details[Field::NAME.0], "Zoë");
    assert_eq!(state.kept(), "");
    write(&mut state, Field::NAME, "Zoe");
    assert_eq!(state.kept(), "{\"fields\":{\"name\":\"Zoe\"}}");
    let (state, _) = reloaded(&state, visit());
    assert_eq!(state.details[Field::NAME.0], "Zoe", "what was typed is the last word");
}

#[test]
fn what_is_kept_goes_by_the_names_of_the_questions() {
    let mut event = visit();
    event.durations = vec![30, 60];
    event.questions = vec![asked("size", QuestionKind::ShortText), asked("story", QuestionKind::LongText)];
    let mut before =
        State::new(event.clone(), String::new(), zone("Etc/UTC", 0), at("2026-11-16T12:00:00Z"), Wishes::default());
    read(&mut before, november(), &[NINE]);
    before.apply(Action::ChooseDuration(60));
    read(&mut before, november(), &[NINE]);
    before.apply(Action::Pick(at(NINE)));
    write(&mut before, Field(Field::QUESTIONS.0 + 1), "long");
    event.questions.remove(0);
    let (state, effects) = reloaded(&before, event);
    assert_eq!(state.details[Field::QUESTIONS.0], "long");
    assert_eq!(state.duration, 60);
    assert!(effects.contains(&Effect::ReadSlots { month: november(), wish: 1 }));
    assert!(effects.contains(&Effect::Hold { start: at(NINE), replaces: String::new() }));
}

#[test]
fn answers_of_the_page_are_out_of_sight_unless_they_are_refused() {
    let mut event = visit();
    event.questions = vec![asked("plan", QuestionKind::Choice { choices: vec!["gold".to_owned()] })];
    let open = |answer: &str| {
        let wishes = Wishes { hidden: vec![(Field::QUESTIONS, answer.to_owned())], ..Wishes::default() };
        State::new(event.clone(), String::new(), zone("Etc/UTC", 0), at("2026-11-16T12:00:00Z"), wishes)
    };
    assert!(open("gold").hidden[Field::QUESTIONS.0]);
    assert!(!open("lead").hidden[Field::QUESTIONS.0], "the visitor can mend it");
    assert!(!open("gold").hidden[Field::NAME.0]);
    let mut state = open("gold");
    read(&mut state, november(), &[NINE]);
    state.apply(Action::Pick(at(NINE)));
    state.apply(Action::HoldFailed { start: at(NINE), failure: HoldFailure::Unavailable });
    write(&mut state, Field::NAME, "Zoë");
    write(&mut state, Field::EMAIL, "zoe@example.com");
    assert!(sent(&submit(&mut state, "key")).unwrap().1.contains("\"plan\":[\"gold\"]"));
    refuse(&mut state, "answers.plan");
    assert!(!state.hidden[Field::QUESTIONS.0]);
}

#[test]
fn an_answer_of_the_page_that_came_into_sight_stays_there_while_it_is_mended_and_after_a_reload() {
    let mut event = visit();
    event.questions = vec![asked("people", QuestionKind::Number { least: Some(1), most: Some(12) })];
    let wishes = Wishes { hidden: vec![(Field::QUESTIONS, "99".to_owned())], ..Wishes::default() };
    let mut state = State::new(event.clone(), String::new(), zone("Etc/UTC", 0), at("2026-11-16T12:00:00Z"), wishes);
    read(&mut state, november(), &[NINE]);
    state.apply(Action::Pick(at(NINE)));
    for text in ["", "1", "12"] {
        write(&mut state, Field::QUESTIONS, text);
        assert!(!state.hidden[Field::QUESTIONS.0], "{text}");
    }
    let (state, _) = reloaded(&state, event);
    assert_eq!((state.details[Field::QUESTIONS.0].as_str(), state.hidden[Field::QUESTIONS.0]), ("12", false));
}

/// An appointment that its visitor has opened.
fn opened() -> State {
    let wishes = Wishes { manage: "secret".to_owned(), ..Wishes::default() };
    let mut state = State::new(visit(), String::new(), zone("Etc/UTC", 0), at("2026-11-16T12:00:00Z"), wishes);
    let read = Effect::ReadAppointment { token: "secret".to_owned(), after_ms: 0, reads: 0, change: 0 };
    assert_eq!((state.step, state.apply(Action::Begin)), (Step::Opening, vec![read]));
    let effects = state.apply(Action::AppointmentRead { appointment: Ok(appointment(false)), reads: 0, change: 0 });
    assert_eq!(effects, [Effect::Tell(Event::Ready)]);
    assert_eq!((state.step, state.done), (Step::Confirmed, Done::Opened));
    state
}

fn change(effects: &[Effect]) -> Option<(&str, Value)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Change { path, body } => Some((path.as_str(), serde_json::from_str(body).unwrap())),
        _ => None,
    })
}

#[test]
fn an_appointment_that_cannot_be_opened_is_told_and_asked_for_again() {
    let wishes = Wishes { manage: "secret".to_owned(), ..Wishes::default() };
    let mut state = State::new(visit(), String::new(), zone("Etc/UTC", 0), at("2026-11-16T12:00:00Z"), wishes);
    state.apply(Action::Begin);
    let fail = |notice| Action::AppointmentRead { appointment: Err(notice), reads: 0, change: 0 };
    let effects = state.apply(fail(Notice::Unreachable));
    assert_eq!(effects, [Effect::Tell(Event::Ready), tells("unreachable"), Effect::Focus(Target::Notice)]);
    let read = [Effect::ReadAppointment { token: "secret".to_owned(), after_ms: 0, reads: 0, change: 0 }];
    assert_eq!(state.apply(Action::Retry), read);
    state.apply(fail(Notice::Unreachable));
    assert_eq!(state.apply(Action::Online(true)), read);
    state.apply(fail(Notice::Gone));
    assert_eq!(state.apply(Action::Online(true)), [], "it will not be there later either");
    let effects = state.apply(Action::Anew);
    assert!(effects.contains(&Effect::ReadSlots { month: november(), wish: 1 }), "{effects:?}");
    assert_eq!(state.step, Step::Pick);
}

#[test]
fn an_appointment_gets_another_start_from_slots_of_its_own() {
    let mut state = opened();
    let effects = state.apply(Action::Reschedule);
    assert_eq!(effects, [Effect::ReadSlots { month: november(), wish: 1 }, Effect::Focus(Target::Heading)]);
    assert!(request::slots_path(&state, november()).ends_with("&to=2026-11-30&reschedule=secret"));
    assert_eq!(state.day, Some(day("2026-11-23")), "the day on which it stands");
    read(&mut state, november(), &[TEN, LATE]);
    state.apply(Action::Pick(at(TEN)));
    assert_eq!(state.step, Step::Moving);
    let effects = submit(&mut state, "unused");
    let (path, body) = change(&effects).unwrap();
    assert_eq!(path, "/embed/v1/appointments/secret/reschedule");
    assert_eq!(body, serde_json::json!({ "start": TEN }));
    assert_eq!(submit(&mut state, "unused"), [], "a doubled click");
    let moved = Appointment { start: at(TEN), ..booked_visit() };
    let effects = state.apply(Action::Changed(Box::new(moved.clone())));
    let told = Event::Rescheduled { start: moved.start, end: moved.end };
    assert_eq!(effects, [Effect::Focus(Target::Heading), Effect::Tell(told)]);
    assert_eq!((state.step, state.done, state.appointment), (Step::Confirmed, Done::Moved, Some(moved)));
}

#[test]
fn the_way_back_from_moving_and_cancelling_leads_to_the_appointment() {
    let mut state = opened();
    state.apply(Action::Reschedule);
    read(&mut state, november(), &[TEN]);
    state.apply(Action::Pick(at(TEN)));
    state.apply(Action::Back);
    assert_eq!(state.step, Step::Pick);
    state.apply(Action::Back);
    assert_eq!(state.step, Step::Confirmed);
    state.apply(Action::Cancel);
    assert_eq!(state.step, Step::Cancelling);
    state.apply(Action::Back);
    assert_eq!(state.step, Step::Confirmed);
}

#[test]
fn a_new_start_that_somebody_else_took_leads_back_to_the_slots() {
    let mut state = opened();
    state.apply(Action::Reschedule);
    read(&mut state, november(), &[NINE, TEN]);
    state.apply(Action::Pick(at(TEN)));
    submit(&mut state, "unused");
    state.apply(Action::BookingFailed(BookingFailure::SlotTaken));
    assert_eq!((state.step, state.notice), (Step::Pick, Some(Notice::SlotTaken)));
    assert!(state.is_moving());
    assert_eq!(state.slots_of(day("2026-11-23")), [slot(NINE)]);
}

#[test]
fn an_appointment_is_cancelled_with_a_reason_and_another_one_can_be_booked() {
    let mut state = opened();
    state.apply(Action::Cancel);
    write(&mut state, Field::REASON, &"x".repeat(501));
    assert_eq!(submit(&mut state, "unused"), [Effect::Focus(Target::Field(Field::REASON))]);
    write(&mut state, Field::REASON, " I feel better ");
    write(&mut state, Field::SCOPE, "on");
    let effects = submit(&mut state, "unused");
    let (path, body) = change(&effects).unwrap();
    assert_eq!(path, "/embed/v1/appointments/secret/cancel");
    assert_eq!(body, serde_json::json!({ "reason": "I feel better", "scope": "following" }));
    let over = Appointment { status: AppointmentStatus::Cancelled, ..booked_visit() };
    let effects = state.apply(Action::Changed(Box::new(over.clone())));
    assert!(effects.contains(&Effect::Tell(Event::Cancelled { start: over.start, end: over.end })));
    assert_eq!((state.step, state.done), (Step::Confirmed, Done::Cancelled));
    let effects = state.apply(Action::Anew);
    assert!(effects.contains(&Effect::ReadSlots { month: november(), wish: 1 }));
    assert!(!state.is_moving() && state.details[Field::REASON.0].is_empty());
}

#[test]
fn a_change_that_came_too_late_shows_how_the_appointment_stands() {
    let mut state = opened();
    state.apply(Action::Cancel);
    submit(&mut state, "unused");
    let effects = state.apply(Action::BookingFailed(BookingFailure::Refused(Notice::Refused)));
    let read = Effect::ReadAppointment { token: "secret".to_owned(), after_ms: 0, reads: 0, change: 1 };
    assert_eq!(effects, [tells("conflict"), Effect::Focus(Target::Notice), read]);
    assert_eq!((state.step, state.notice), (Step::Confirmed, Some(Notice::Unchangeable)));
    let late = Appointment { can_cancel: false, ..booked_visit() };
    state.apply(Action::AppointmentRead { appointment: Ok(Box::new(late)), reads: 0, change: 1 });
    assert!(!state.appointment.unwrap().can_cancel);
}

#[test]
fn what_was_asked_before_a_change_does_not_tell_how_the_appointment_is_after_it() {
    let mut state = opened();
    state.apply(Action::Cancel);
    submit(&mut state, "unused");
    let over = Appointment { status: AppointmentStatus::Cancelled, ..booked_visit() };
    state.apply(Action::Changed(Box::new(over)));
    let late = Action::AppointmentRead { appointment: Ok(appointment(true)), reads: 1, change: 0 };
    assert_eq!(state.apply(late), [], "nor is the meeting awaited any longer");
    assert_eq!(state.appointment.unwrap().status, AppointmentStatus::Cancelled);
}

#[test]
fn a_change_that_did_not_get_through_goes_out_when_the_network_is_back() {
    let mut state = opened();
    state.apply(Action::Cancel);
    let first = submit(&mut state, "unused");
    unreachable(&mut state);
    assert_eq!((state.step, state.notice), (Step::Cancelling, Some(Notice::Unreachable)));
    assert_eq!(state.apply(Action::Online(true)), first);
}
