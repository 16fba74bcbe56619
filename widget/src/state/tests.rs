use super::booking::MEETING_READS;
use super::*;
use crate::calendar::{DAY, MINUTE, parse_instant};
use crate::model::tests::{booked_visit, visit};

mod choices;
mod flow;
mod views;
mod zones;

fn at(text: &str) -> Instant {
    parse_instant(text).unwrap()
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn zone(name: &str, offset: i32) -> Zone {
    Zone::learn(name.to_owned(), at("2026-11-01T00:00:00Z"), at("2027-03-01T00:00:00Z"), |_| offset)
}

const NINE: &str = "2026-11-23T09:00:00Z";
const TEN: &str = "2026-11-23T10:00:00Z";
const LATE: &str = "2026-11-24T22:30:00Z";

fn november() -> Month {
    day("2026-11-01").month()
}

/// A widget at noon of 16 November 2026, whose window ends on 20 January 2027; nothing is read yet.
fn fresh() -> State {
    State::new(visit(), "en-GB".to_owned(), zone("Etc/UTC", 0), at("2026-11-16T12:00:00Z"), Wishes::default())
}

fn slot(start: &str) -> Slot {
    Slot { start: at(start), seats_left: None }
}

fn read(state: &mut State, month: Month, starts: &[&str]) -> Vec<Effect> {
    let slots = Some(starts.iter().map(|start| slot(start)).collect());
    state.apply(Action::SlotsRead { month, wish: state.wish, slots })
}

fn fail(state: &mut State, month: Month) -> Vec<Effect> {
    state.apply(Action::SlotsRead { month, wish: state.wish, slots: None })
}

/// The effect that reads the slots of a month before anything was chosen.
fn reads(month: Month) -> Effect {
    Effect::ReadSlots { month, wish: 0 }
}

/// November is read and its first free day in sight.
fn picking() -> State {
    let mut state = fresh();
    read(&mut state, november(), &[NINE, TEN, LATE]);
    state
}

/// The slot at nine is picked and held, and the details are typed.
fn ready_to_book() -> State {
    let mut state = picking();
    state.apply(Action::Pick(at(NINE)));
    state.apply(held("hold"));
    write(&mut state, Field::NAME, "Zoë");
    write(&mut state, Field::EMAIL, "zoe@example.com");
    state
}

/// The slot at nine is held for ten minutes.
fn held(token: &str) -> Action {
    Action::Held { start: at(NINE), token: token.to_owned(), until: at("2026-11-16T12:10:00Z") }
}

fn write(state: &mut State, field: Field, text: &str) {
    state.apply(Action::Type { field, text: text.to_owned() });
}

fn submit(state: &mut State, fresh_key: &str) -> Vec<Effect> {
    state.apply(Action::Submit { fresh_key: fresh_key.to_owned() })
}

/// The server refuses a field.
fn refuse(state: &mut State, name: &str) -> Vec<Effect> {
    let problem = (name.to_owned(), "Not this one.".to_owned());
    state.apply(Action::BookingFailed(BookingFailure::Invalid(vec![problem])))
}

fn sent(effects: &[Effect]) -> Option<(&str, &str)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Book { key, body } => Some((key.as_str(), body.as_str())),
        _ => None,
    })
}

fn appointment(meeting_pending: bool) -> Box<Appointment> {
    Box::new(Appointment { meeting_pending, ..booked_visit() })
}

#[test]
fn the_first_free_day_comes_into_sight_and_the_neighbour_month_is_read() {
    let mut state = fresh();
    assert!(state.is_loading());
    let effects = read(&mut state, november(), &[NINE, TEN, LATE]);
    assert_eq!(effects, [reads(november().next()), Effect::Tell(Event::Ready)]);
    assert_eq!(state.day, Some(day("2026-11-23")));
    assert_eq!(state.cursor, day("2026-11-23"));
    assert_eq!(state.slots_of(day("2026-11-23")), [slot(NINE), slot(TEN)]);
    assert_eq!(state.free_days(november()), [day("2026-11-23"), day("2026-11-24")]);
}

#[test]
fn ready_is_told_once_and_also_when_the_first_slots_fail() {
    let mut state = fresh();
    let effects = fail(&mut state, november());
    assert_eq!(effects, [Effect::Tell(Event::Ready)]);
    assert!(state.has_failed());
    assert_eq!(state.apply(Action::Retry), [reads(november()), Effect::Focus(Target::Month)]);
    assert!(!read(&mut state, november(), &[NINE]).contains(&Effect::Tell(Event::Ready)));
    assert!(!state.has_failed());
}

#[test]
fn an_empty_first_month_gives_way_to_the_next_one_with_free_times() {
    let mut state = fresh();
    let effects = read(&mut state, november(), &[]);
    assert_eq!(effects, [reads(november().next()), Effect::Tell(Event::Ready)]);
    assert_eq!(state.month, november().next());
    read(&mut state, november().next(), &["2026-12-03T09:00:00Z"]);
    assert_eq!(state.day, Some(day("2026-12-03")));
}

#[test]
fn when_every_month_is_empty_the_last_one_says_so() {
    let mut state = fresh();
    for months in 0..3 {
        read(&mut state, Month(november().0 + months), &[]);
    }
    assert_eq!(state.month, day("2027-01-01").month());
    assert_eq!(state.announcement, Announcement::NoTimes(day("2027-01-01").month()));
    assert!(!state.can_turn(1) && !state.is_loading());
}

#[test]
fn the_next_free_time_is_sought_over_months_that_are_known_to_be_empty() {
    let mut state = picking();
    read(&mut state, november().next(), &[]);
    assert_eq!(state.apply(Action::Turn(1)), [reads(day("2027-01-01").month())]);
    assert_eq!((state.month, state.day), (november().next(), None));
    assert_eq!(state.apply(Action::Seek), [Effect::Focus(Target::Month)]);
    assert_eq!(state.month, day("2027-01-01").month());
    read(&mut state, day("2027-01-01").month(), &["2027-01-11T09:00:00Z"]);
    assert_eq!(state.day, Some(day("2027-01-11")));
}

#[test]
fn months_outside_the_window_are_not_turned_to() {
    let mut state = picking();
    assert!(!state.can_turn(-1));
    assert_eq!(state.apply(Action::Turn(-1)), []);
    assert_eq!(state.month, november());
    for _ in 0..5 {
        state.apply(Action::Turn(1));
    }
    assert_eq!(state.month, day("2027-01-01").month());
}

#[test]
fn arrow_keys_move_the_tab_stop_by_days_and_weeks_within_the_window() {
    let mut state = picking();
    let mut go = |movement| {
        let effects = state.apply(Action::Move(movement));
        assert_eq!(effects.last(), Some(&Effect::Focus(Target::Day(state.cursor))));
        state.cursor.iso()
    };
    assert_eq!(go(Movement::Sideways(1)), "2026-11-24");
    assert_eq!(go(Movement::Weeks(-1)), "2026-11-17");
    assert_eq!(go(Movement::Weeks(-1)), "2026-11-16", "not before today");
    assert_eq!(go(Movement::WeekEnd), "2026-11-22");
    assert_eq!(go(Movement::WeekStart), "2026-11-16");
    assert_eq!(go(Movement::Months(1)), "2026-12-16");
    assert_eq!(go(Movement::Months(12)), "2027-01-20", "not after the window");
}

#[test]
fn moving_the_tab_stop_over_the_end_of_a_month_turns_to_the_next() {
    let mut state = picking();
    state.apply(Action::ShowDay(day("2026-11-24")));
    let effects = state.apply(Action::Move(Movement::Weeks(1)));
    assert_eq!(effects, [Effect::Focus(Target::Day(day("2026-12-01")))]);
    assert_eq!((state.month, state.cursor), (november().next(), day("2026-12-01")));
}

#[test]
fn a_day_without_free_times_is_not_shown() {
    let mut state = picking();
    assert_eq!(state.apply(Action::ShowDay(day("2026-11-25"))), []);
    assert_eq!(state.day, Some(day("2026-11-23")));
    let tells = Effect::Tell(Event::DaySelected(day("2026-11-24")));
    assert_eq!(state.apply(Action::ShowDay(day("2026-11-24"))), [Effect::Reveal, tells]);
    assert_eq!(state.announcement, Announcement::Times { day: day("2026-11-24"), count: 1 });
}

#[test]
fn another_zone_keeps_the_same_free_time_in_sight_on_its_own_day() {
    let mut state = picking();
    state.apply(Action::ShowDay(day("2026-11-24")));
    state.apply(Action::Relocate(zone("Asia/Tokyo", 540)));
    assert_eq!(state.day, Some(day("2026-11-25")));
    assert_eq!(state.slots_of(day("2026-11-25")), [slot(LATE)]);
    assert_eq!(state.free_days(november()), [day("2026-11-23"), day("2026-11-25")]);
}

#[test]
fn another_zone_has_a_today_and_days_that_can_be_booked_of_its_own() {
    let mut state = picking();
    state.now = at("2026-11-30T23:30:00Z");
    read(&mut state, november(), &["2026-11-30T23:45:00Z"]);
    state.apply(Action::Relocate(zone("Asia/Tokyo", 540)));
    assert_eq!(
        (state.today, state.first_day, state.day),
        (day("2026-12-01"), day("2026-12-01"), Some(day("2026-12-01")))
    );
    assert_eq!(state.last_day, day("2027-01-20"));
    read(&mut state, november().next(), &["2026-11-30T23:45:00Z"]);
    state.apply(Action::Relocate(zone("America/New_York", -300)));
    assert_eq!(
        (state.today, state.first_day, state.day),
        (day("2026-11-30"), day("2026-11-30"), Some(day("2026-11-30")))
    );
}

#[test]
fn what_has_passed_is_not_offered_any_more_and_today_follows_the_clock() {
    let mut state = fresh();
    read(&mut state, november(), &["2026-11-16T12:30:00Z", "2026-11-17T09:00:00Z", NINE]);
    assert_eq!(state.apply(Action::Look(at("2026-11-16T12:02:00Z"))), []);
    assert_eq!((state.day, state.soonest()), (Some(day("2026-11-16")), Some(slot("2026-11-16T12:30:00Z"))));
    let mut night = state.clone();
    state.apply(Action::Look(at("2026-11-16T12:30:00Z")));
    assert_eq!((state.day, state.soonest()), (Some(day("2026-11-17")), Some(slot("2026-11-17T09:00:00Z"))));
    let effects = night.apply(Action::Look(at("2026-11-18T08:00:00Z")));
    assert!(effects.contains(&reads(november())), "{effects:?}");
    assert_eq!(
        (night.today, night.first_day, night.day),
        (day("2026-11-18"), day("2026-11-18"), Some(day("2026-11-23")))
    );
    let effects = night.apply(Action::Look(at("2026-12-02T08:00:00Z")));
    assert_eq!((night.month, night.day), (november().next(), None));
    assert!(effects.is_empty(), "both months are under way: {effects:?}");
}

#[test]
fn what_failed_is_asked_for_when_the_visitor_says_so() {
    let mut state = fresh();
    fail(&mut state, november());
    assert_eq!(state.apply(Action::Look(at("2026-11-16T12:01:00Z"))), []);
    assert!(state.has_failed(), "the way on stays, and the focus on it");
}

#[test]
fn a_clock_that_is_wrong_takes_no_slots_away() {
    let mut state = fresh();
    read(&mut state, november(), &["2026-11-16T11:00:00Z", NINE]);
    state.apply(Action::Look(at("2026-11-16T12:04:00Z")));
    assert_eq!(state.soonest(), Some(slot("2026-11-16T11:00:00Z")), "the server offered it just now");
}

#[test]
fn slots_that_were_read_long_ago_are_read_again_and_stay_in_sight_meanwhile() {
    let mut state = picking();
    read(&mut state, november().next(), &[]);
    let later = |minutes| Action::Look(at("2026-11-16T12:00:00Z") + minutes * MINUTE);
    assert_eq!(state.apply(later(4)), []);
    assert_eq!(state.apply(later(5)), [reads(november()), reads(november().next())]);
    assert_eq!((state.is_loading(), state.day), (false, Some(day("2026-11-23"))));
    assert_eq!(state.apply(later(9)), [], "only now and then");
    // Nobody looks at them while the details are typed.
    state.apply(Action::Pick(at(NINE)));
    assert_eq!(state.apply(later(30)), []);
    assert_eq!(state.start, Some(at(NINE)));
}

#[test]
fn slots_of_the_neighbour_month_in_this_zone_are_left_to_that_month() {
    let mut state = fresh();
    state.apply(Action::Relocate(zone("Asia/Tokyo", 540)));
    read(&mut state, november(), &[NINE, "2026-11-30T20:00:00Z"]);
    assert_eq!(state.free_days(november()), [day("2026-11-23")]);
}

#[test]
fn picking_a_slot_holds_it_and_going_back_lets_go_before_slots_are_read_again() {
    let mut state = picking();
    let effects = state.apply(Action::Pick(at(NINE)));
    let slot_selected = Effect::Tell(Event::SlotSelected(at(NINE)));
    let hold = Effect::Hold { start: at(NINE), replaces: String::new() };
    assert_eq!(effects, [slot_selected, hold, Effect::Focus(Target::Heading)]);
    state.apply(held("one"));
    let effects = state.apply(Action::Back);
    assert_eq!(effects, [Effect::Release("one".to_owned()), Effect::Focus(Target::Slot(at(NINE)))]);
    assert_eq!(state.step, Step::Pick);
    assert_eq!(state.apply(Action::Released), [reads(november())]);
    let effects = state.apply(Action::Pick(at(TEN)));
    assert_eq!(effects[1], Effect::Hold { start: at(TEN), replaces: "one".to_owned() });
}

#[test]
fn a_slot_that_became_free_while_slots_are_read_is_not_missed() {
    let mut state = picking();
    state.apply(Action::Pick(at(NINE)));
    assert!(state.apply(Action::Back).contains(&reads(november())));
    state.apply(held("late"));
    assert_eq!(state.apply(Action::Released), [], "one answer at a time");
    assert_eq!(read(&mut state, november(), &[TEN]), [reads(november())]);
    assert_eq!(read(&mut state, november(), &[NINE, TEN]), []);
}

#[test]
fn a_hold_that_arrives_after_going_back_is_let_go() {
    let mut state = picking();
    state.apply(Action::Pick(at(NINE)));
    state.apply(Action::Back);
    let effects = state.apply(held("late"));
    assert_eq!(effects, [Effect::Release("late".to_owned())]);
}

#[test]
fn a_refused_hold_leads_back_to_fresh_slots_without_the_lost_one() {
    let mut state = picking();
    state.apply(Action::Pick(at(NINE)));
    let effects = state.apply(Action::HoldFailed { start: at(NINE), failure: HoldFailure::SlotTaken });
    let told = Effect::Tell(Event::Error("slot-taken"));
    assert_eq!(effects, [reads(november()), told, Effect::Focus(Target::Notice)]);
    assert_eq!((state.step, state.notice), (Step::Pick, Some(Notice::SlotTaken)));
    assert_eq!(state.slots_of(day("2026-11-23")), [slot(TEN)]);
}

#[test]
fn a_hold_that_cannot_be_had_now_does_not_stop_the_visitor() {
    let mut state = picking();
    state.apply(Action::Pick(at(NINE)));
    assert_eq!(state.apply(Action::HoldFailed { start: at(NINE), failure: HoldFailure::Unavailable }), []);
    assert_eq!((state.step, state.notice), (Step::Details, None));
}

#[test]
fn wrong_details_are_told_beside_their_fields_and_nothing_is_sent() {
    let mut state = picking();
    state.apply(Action::Pick(at(NINE)));
    write(&mut state, Field::NAME, "Zoë");
    write(&mut state, Field::EMAIL, "zoe@");
    assert_eq!(state.problems[Field::EMAIL.0], None, "not while it is being typed");
    let effects = submit(&mut state, "key");
    assert_eq!(effects, [Effect::Focus(Target::Field(Field::EMAIL))]);
    assert_eq!(state.announcement, Announcement::FieldProblems);
    assert!(state.problems[Field::EMAIL.0].is_some());
    write(&mut state, Field::EMAIL, "zoe@example.com");
    assert_eq!(state.problems[Field::EMAIL.0], None, "gone as soon as it is mended");
}

#[test]
fn a_field_that_is_left_wrong_is_told_and_one_left_empty_is_not() {
    let mut state = picking();
    state.apply(Action::Pick(at(NINE)));
    state.apply(Action::Leave(Field::EMAIL));
    assert_eq!(state.problems[Field::EMAIL.0], None);
    write(&mut state, Field::EMAIL, "zoe");
    state.apply(Action::Leave(Field::EMAIL));
    assert!(state.problems[Field::EMAIL.0].is_some());
}

#[test]
fn a_telephone_number_is_needed_only_where_the_host_calls() {
    let mut state = ready_to_book();
    state.event.location.needs_phone = true;
    assert_eq!(submit(&mut state, "key"), [Effect::Focus(Target::Field(Field::PHONE))]);
    write(&mut state, Field::PHONE, "+34 600 123 456");
    assert!(sent(&submit(&mut state, "key")).is_some());
}

#[test]
fn a_doubled_click_books_once() {
    let mut state = ready_to_book();
    assert!(sent(&submit(&mut state, "first")).is_some());
    assert_eq!(submit(&mut state, "second"), []);
}

#[test]
fn a_retry_repeats_key_and_body_and_changed_content_gets_a_new_key_once_the_first_was_refused() {
    let mut state = picking();
    state.apply(Action::Pick(at(NINE)));
    write(&mut state, Field::NAME, "Zoë");
    write(&mut state, Field::EMAIL, "zoe@example.com");
    state.apply(Action::HoldFailed { start: at(NINE), failure: HoldFailure::Unavailable });
    let first = submit(&mut state, "first");
    state.apply(Action::BookingFailed(BookingFailure::Unknown(Notice::Unreachable)));
    assert_eq!((state.notice, state.sending), (Some(Notice::Unreachable), false));
    assert_eq!(submit(&mut state, "second"), first);
    state.apply(Action::BookingFailed(BookingFailure::Unknown(Notice::Unreachable)));
    // It may be booked as it was, so that comes out first.
    write(&mut state, Field::NOTES, "I bring my dog.");
    assert_eq!(submit(&mut state, "third"), first);
    let changed = state.apply(Action::BookingFailed(BookingFailure::Refused(Notice::Refused)));
    let (key, body) = sent(&changed).unwrap();
    assert_eq!((key, state.sending), ("third", true));
    assert!(body.contains("I bring my dog."));
}

#[test]
fn a_slot_taken_meanwhile_leads_back_to_fresh_slots_and_keeps_what_was_typed() {
    let mut state = ready_to_book();
    submit(&mut state, "first");
    let effects = state.apply(Action::BookingFailed(BookingFailure::SlotTaken));
    assert!(effects.contains(&reads(november())));
    assert_eq!(effects.last(), Some(&Effect::Focus(Target::Notice)));
    assert_eq!((state.step, state.notice), (Step::Pick, Some(Notice::SlotTaken)));
    assert_eq!(state.details[Field::EMAIL.0], "zoe@example.com");
    state.apply(Action::Pick(at(TEN)));
    assert_eq!(state.notice, None);
    state.apply(Action::HoldFailed { start: at(TEN), failure: HoldFailure::Unavailable });
    assert_eq!(sent(&submit(&mut state, "second")).unwrap().0, "second");
}

#[test]
fn when_the_last_slot_of_the_day_is_taken_the_next_free_day_comes_into_sight() {
    let mut state = fresh();
    read(&mut state, november(), &["2026-11-18T09:00:00Z", NINE, LATE]);
    state.apply(Action::ShowDay(day("2026-11-23")));
    state.apply(Action::Pick(at(NINE)));
    state.apply(Action::HoldFailed { start: at(NINE), failure: HoldFailure::SlotTaken });
    assert_eq!(state.day, Some(day("2026-11-24")));
}

#[test]
fn fields_that_the_server_refuses_are_told_in_its_words() {
    let mut state = ready_to_book();
    submit(&mut state, "first");
    let effects = refuse(&mut state, "email");
    let told = |code| Effect::Tell(Event::Error(code));
    assert_eq!(effects, [told("invalid-input"), Effect::Focus(Target::Field(Field::EMAIL))]);
    state.apply(Action::Leave(Field::EMAIL));
    assert_eq!(state.problems[Field::EMAIL.0], Some(FieldMessage::Text("Not this one.".to_owned())));
    submit(&mut state, "second");
    assert_eq!(refuse(&mut state, "start"), [told("refused"), Effect::Focus(Target::Notice)]);
    assert_eq!(state.notice, Some(Notice::Refused), "there is no field to tell it beside");
}

#[test]
fn a_booking_is_confirmed_told_to_the_page_and_its_meeting_link_awaited() {
    let mut state = ready_to_book();
    submit(&mut state, "first");
    let effects = state.apply(Action::Booked(appointment(true)));
    let read = |after_ms, reads| Effect::ReadAppointment { token: "secret".to_owned(), after_ms, reads, change: 1 };
    let Appointment { start, end, .. } = booked_visit();
    assert_eq!(effects, [Effect::Focus(Target::Heading), Effect::Tell(Event::Booked { start, end }), read(1_000, 1)]);
    assert_eq!(state.step, Step::Confirmed);
    let failed = Err(Notice::Unreachable);
    assert_eq!(state.apply(Action::AppointmentRead { appointment: failed, reads: 1, change: 1 }), [read(2_000, 2)]);
    let still = Ok(appointment(true));
    assert_eq!(state.apply(Action::AppointmentRead { appointment: still, reads: 5, change: 1 }), [read(30_000, 6)]);
    let mut there = appointment(false);
    there.meeting_url = Some("https://meet.example/x".to_owned());
    assert_eq!(state.apply(Action::AppointmentRead { appointment: Ok(there), reads: 6, change: 1 }), []);
    assert!(state.appointment.unwrap().meeting_url.is_some());
}

#[test]
fn a_meeting_link_that_never_comes_is_not_asked_for_for_ever() {
    let mut state = ready_to_book();
    state.apply(Action::Booked(appointment(true)));
    let failed = Err(Notice::Unreachable);
    assert_eq!(state.apply(Action::AppointmentRead { appointment: failed, reads: MEETING_READS, change: 1 }), []);
}

#[test]
fn a_widget_that_is_taken_away_lets_go_of_its_hold_and_a_booked_one_has_none() {
    let mut state = ready_to_book();
    assert_eq!(state.clone().apply(Action::Close), [Effect::Release("hold".to_owned())]);
    submit(&mut state, "first");
    state.apply(Action::Booked(appointment(false)));
    assert_eq!(state.apply(Action::Close), []);
}

#[test]
fn slots_read_again_stay_in_sight_while_they_are_read_and_when_that_fails() {
    let mut state = picking();
    state.apply(Action::Pick(at(NINE)));
    assert!(state.apply(Action::Back).contains(&reads(november())));
    assert!(!state.is_loading());
    fail(&mut state, november());
    assert!(!state.has_failed());
    assert_eq!(state.slots_of(day("2026-11-23")).len(), 2);
}

#[test]
fn the_window_ends_on_the_day_of_its_last_slot() {
    assert_eq!(fresh().last_day, day("2027-01-20"));
    let mut event = fresh().event;
    event.window_end = at("2026-11-01T00:00:00Z");
    let state =
        State::new(event, String::new(), zone("Etc/UTC", 0), at("2026-11-16T12:00:00Z") + DAY, Wishes::default());
    assert_eq!((state.first_day, state.last_day), (day("2026-11-17"), day("2026-11-17")));
}
