//! Lengths, hosts, questions and series: what an event type lets the visitor choose.

use cupo_core::question::QuestionKind;

use super::*;
use crate::form::Field;
use crate::model::tests::asked;

fn december() -> Month {
    november().next()
}

/// A visit of 30 or 60 minutes with a choice of host, whose slots in November are read.
fn choosing() -> State {
    let mut state = fresh();
    state.event.durations = vec![30, 60];
    read(&mut state, november(), &[NINE, TEN, LATE]);
    state
}

#[test]
fn another_length_reads_the_slots_anew_and_keeps_the_day_in_sight() {
    let mut state = choosing();
    assert_eq!(state.duration, 30);
    state.apply(Action::ShowDay(day("2026-11-24")));
    let effects = state.apply(Action::ChooseDuration(60));
    assert_eq!(effects, [Effect::ReadSlots { month: november(), wish: 1 }]);
    assert!(state.is_loading(), "slots of another length would not be true");
    let effects = read(&mut state, november(), &[NINE, LATE]);
    assert_eq!(effects, [Effect::ReadSlots { month: december(), wish: 1 }]);
    assert_eq!((state.duration, state.day), (60, Some(day("2026-11-24"))));
    assert_eq!(state.announcement, Announcement::Times { day: day("2026-11-24"), count: 1 });
}

#[test]
fn the_soonest_time_of_another_length_is_found_from_a_later_month() {
    let january = day("2027-01-01").month();
    let mut state = choosing();
    read(&mut state, december(), &["2026-12-02T09:00:00Z"]);
    state.apply(Action::Turn(1));
    state.apply(Action::Turn(1));
    let wish = |month| Effect::ReadSlots { month, wish: 1 };
    assert_eq!(state.apply(Action::ChooseDuration(60)), [wish(january), wish(november())]);
    assert_eq!(read(&mut state, january, &["2027-01-05T09:00:00Z"]), [wish(december())]);
    assert_eq!(read(&mut state, november(), &[]), [], "December is under way already");
    assert_eq!(state.soonest(), None);
    read(&mut state, december(), &["2026-12-02T10:00:00Z"]);
    assert_eq!((state.soonest(), state.month), (Some(slot("2026-12-02T10:00:00Z")), january));
}

#[test]
fn another_host_reads_the_slots_anew() {
    let mut state = choosing();
    let effects = state.apply(Action::ChooseHost("u1".to_owned()));
    assert_eq!(effects, [Effect::ReadSlots { month: november(), wish: 1 }]);
    read(&mut state, november(), &[TEN]);
    assert_eq!(state.slots_of(day("2026-11-23")), [slot(TEN)]);
}

#[test]
fn a_host_who_is_not_free_this_month_is_shown_in_the_next() {
    let mut state = choosing();
    state.apply(Action::ChooseHost("u1".to_owned()));
    let effects = read(&mut state, november(), &[]);
    assert_eq!(effects, [Effect::ReadSlots { month: december(), wish: 1 }]);
    read(&mut state, december(), &["2026-12-02T09:00:00Z"]);
    assert_eq!(state.day, Some(day("2026-12-02")));
}

#[test]
fn slots_that_were_asked_for_before_the_choice_come_to_nothing() {
    let mut state = choosing();
    state.apply(Action::ChooseDuration(60));
    let late = Some(vec![slot(NINE)]);
    assert_eq!(state.apply(Action::SlotsRead { month: november(), wish: 0, slots: late }), []);
    assert_eq!(state.apply(Action::SlotsRead { month: december(), wish: 0, slots: None }), []);
    assert!(state.is_loading() && state.slots_of(day("2026-11-23")).is_empty());
}

fn tick(state: &mut State, field: Field, choice: &str, is_ticked: bool) {
    state.apply(Action::Tick { field, choice: choice.to_owned(), is_ticked });
}

const COLOURS: Field = Field(Field::QUESTIONS.0);
const SIZE: Field = Field(Field::QUESTIONS.0 + 1);
const TERMS: Field = Field(Field::QUESTIONS.0 + 2);

/// Everything is ready but the answers to three questions.
fn questioned() -> State {
    let mut event = visit();
    event.questions = vec![
        asked("colours", QuestionKind::Choices { choices: vec!["red".to_owned(), "blue".to_owned()] }),
        asked("size", QuestionKind::Number { least: Some(1), most: Some(9) }),
        asked("terms", QuestionKind::Checkbox),
    ];
    let mut state =
        State::new(event, "en-GB".to_owned(), zone("Etc/UTC", 0), at("2026-11-16T12:00:00Z"), Wishes::default());
    read(&mut state, november(), &[NINE, TEN]);
    state.apply(Action::Pick(at(NINE)));
    state.apply(held("hold"));
    write(&mut state, Field::NAME, "Zoë");
    write(&mut state, Field::EMAIL, "zoe@example.com");
    state
}

fn problem(state: &State, field: Field) -> Option<&str> {
    match state.problems[field.0].as_ref()? {
        FieldMessage::Problem(problem) => Some(problem.key),
        FieldMessage::Text(text) => Some(text),
    }
}

#[test]
fn questions_are_judged_when_they_are_left_and_all_of_them_before_a_booking_goes_out() {
    let mut state = questioned();
    write(&mut state, SIZE, "12");
    assert_eq!(problem(&state, SIZE), None, "not while it is being typed");
    state.apply(Action::Leave(SIZE));
    assert_eq!(problem(&state, SIZE), Some("error.out_of_range"));
    assert_eq!(submit(&mut state, "key"), [Effect::Focus(Target::Field(COLOURS))]);
    assert_eq!(problem(&state, COLOURS), Some("error.required"));
    assert_eq!(problem(&state, TERMS), Some("error.must_be_ticked"));
    tick(&mut state, COLOURS, "blue", true);
    assert_eq!(problem(&state, COLOURS), None, "gone as soon as it is mended");
    tick(&mut state, TERMS, "on", true);
    write(&mut state, SIZE, "7");
    let effects = submit(&mut state, "key");
    let (_, body) = sent(&effects).unwrap();
    assert!(body.contains(r#""answers":{"colours":["blue"],"size":["7"],"terms":["on"]}"#), "{body}");
}

#[test]
fn choices_are_ticked_and_unticked_one_by_one() {
    let mut state = questioned();
    tick(&mut state, COLOURS, "blue", true);
    tick(&mut state, COLOURS, "red", true);
    tick(&mut state, COLOURS, "red", true);
    assert_eq!(state.details[COLOURS.0], "blue\nred");
    tick(&mut state, COLOURS, "blue", false);
    assert_eq!(state.details[COLOURS.0], "red");
    tick(&mut state, COLOURS, "red", false);
    assert_eq!(state.details[COLOURS.0], "");
}

#[test]
fn an_answer_that_the_server_refuses_is_told_beside_its_question() {
    let mut state = questioned();
    assert_eq!(refuse(&mut state, "answers.size").last(), Some(&Effect::Focus(Target::Field(SIZE))));
    assert_eq!(problem(&state, SIZE), Some("Not this one."));
}

#[test]
fn answers_outlive_going_back() {
    let mut state = questioned();
    write(&mut state, SIZE, "7");
    tick(&mut state, COLOURS, "red", true);
    state.apply(Action::Back);
    state.apply(Action::Pick(at(TEN)));
    assert_eq!((state.details[SIZE.0].as_str(), state.details[COLOURS.0].as_str()), ("7", "red"));
}

/// Up to twelve dates can be booked; the slot at nine is picked and the details are typed.
fn repeating() -> State {
    let mut state = ready_to_book();
    state.event.most_occurrences = 12;
    state
}

/// The address at which the dates are asked for.
fn path_of(effects: &[Effect]) -> String {
    match effects {
        [Effect::ReadSeries(path)] => path.clone(),
        other => panic!("{other:?}"),
    }
}

fn date(start: &str, is_free: bool) -> SeriesDate {
    SeriesDate { start: at(start), is_free, reason: if is_free { "" } else { "Away." }.to_owned() }
}

fn choose(state: &mut State, field: Field, text: &str) -> Vec<Effect> {
    state.apply(Action::Type { field, text: text.to_owned() })
}

/// A weekly series whose dates are known.
fn weekly(dates: &[SeriesDate]) -> State {
    let mut state = repeating();
    let path = path_of(&choose(&mut state, Field::FREQUENCY, "weekly"));
    state.apply(Action::SeriesRead { path, dates: Some(dates.to_vec()) });
    state
}

#[test]
fn a_series_is_asked_for_and_its_dates_shown() {
    let mut state = repeating();
    let path = path_of(&choose(&mut state, Field::FREQUENCY, "weekly"));
    assert!(path.contains("start=2026-11-23T09:00:00Z&frequency=weekly&count=4"), "{path}");
    assert_eq!(state.dates, Dates::Asked(path.clone()));
    let more = path_of(&choose(&mut state, Field::COUNT, "6"));
    assert!(more.contains("&count=6"));
    let dates = vec![date(NINE, true), date("2026-11-30T09:00:00Z", false)];
    state.apply(Action::SeriesRead { path, dates: Some(vec![]) });
    assert_eq!(state.dates, Dates::Asked(more.clone()), "an answer to the question before");
    state.apply(Action::SeriesRead { path: more, dates: Some(dates.clone()) });
    assert_eq!((state.dates.clone(), state.taken_dates()), (Dates::Known(dates), 1));
}

#[test]
fn no_more_dates_are_proposed_than_can_be_booked() {
    let mut state = repeating();
    state.event.most_occurrences = 3;
    assert!(path_of(&choose(&mut state, Field::FREQUENCY, "monthly")).contains("&count=3"));
}

#[test]
fn dates_that_could_not_be_had_are_asked_for_again() {
    let mut state = repeating();
    let path = path_of(&choose(&mut state, Field::FREQUENCY, "weekly"));
    state.apply(Action::SeriesRead { path: path.clone(), dates: None });
    assert_eq!(state.dates, Dates::Failed);
    assert_eq!(path_of(&state.apply(Action::Retry)), path);
}

#[test]
fn where_dates_are_taken_the_visitor_agrees_to_the_free_ones_before_they_are_booked() {
    let mut state = weekly(&[date(NINE, true), date("2026-11-30T09:00:00Z", false)]);
    assert_eq!(submit(&mut state, "key"), [Effect::Focus(Target::Field(Field::SKIP_TAKEN))]);
    assert_eq!(problem(&state, Field::SKIP_TAKEN), Some("error.must_be_ticked"));
    tick(&mut state, Field::SKIP_TAKEN, "on", true);
    let effects = submit(&mut state, "key");
    let (_, body) = sent(&effects).unwrap();
    assert!(body.contains(r#""recurrence":{"frequency":"weekly","count":4,"skip_taken":true}"#), "{body}");
}

#[test]
fn other_dates_have_to_be_agreed_to_anew() {
    let mut state = weekly(&[date(NINE, true), date("2026-11-30T09:00:00Z", false)]);
    submit(&mut state, "key");
    tick(&mut state, Field::SKIP_TAKEN, "on", true);
    choose(&mut state, Field::COUNT, "6");
    assert_eq!((state.details[Field::SKIP_TAKEN.0].as_str(), problem(&state, Field::SKIP_TAKEN)), ("", None));
}

#[test]
fn a_series_of_free_dates_is_booked_whole_or_not_at_all() {
    let mut state = weekly(&[date(NINE, true), date("2026-11-30T09:00:00Z", true)]);
    let effects = submit(&mut state, "key");
    assert!(sent(&effects).unwrap().1.contains(r#""skip_taken":false"#));
}

#[test]
fn a_date_that_is_taken_meanwhile_is_told_and_the_dates_are_read_again() {
    let mut state = weekly(&[date(NINE, true), date("2026-11-30T09:00:00Z", true)]);
    submit(&mut state, "key");
    let effects = refuse(&mut state, "recurrence");
    assert_eq!(effects.last(), Some(&Effect::Focus(Target::Field(Field::FREQUENCY))));
    assert_eq!(problem(&state, Field::FREQUENCY), Some("Not this one."));
    assert_eq!(state.dates, Dates::Asked(path_of(&effects[..1])));
    choose(&mut state, Field::COUNT, "2");
    assert_eq!(problem(&state, Field::FREQUENCY), None);
}

#[test]
fn a_series_that_is_given_up_is_not_booked() {
    let mut state = weekly(&[date(NINE, true), date("2026-11-30T09:00:00Z", false)]);
    assert_eq!(choose(&mut state, Field::FREQUENCY, ""), []);
    assert_eq!(state.dates, Dates::Single);
    assert!(!sent(&submit(&mut state, "key")).unwrap().1.contains("recurrence"));
}

#[test]
fn another_slot_asks_for_the_same_series_from_there() {
    let mut state = weekly(&[date(NINE, true)]);
    state.apply(Action::Back);
    let effects = state.apply(Action::Pick(at(TEN)));
    assert!(path_of(&effects[2..3]).contains("start=2026-11-23T10:00:00Z&frequency=weekly"));
}
