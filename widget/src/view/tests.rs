use cupo_core::appointment::AppointmentStatus;
use cupo_core::question::QuestionKind;
use cupo_core::text::{Locale, section};

use super::*;
use crate::calendar::parse_instant;
use crate::form::Field;
use crate::model::tests::{asked, booked_visit, visit};
use crate::model::{Appointment, BookingFailure, EventType, HoldFailure, Host, SeriesDate, Slot};
use crate::node::tests::outline;
use crate::state::{Action, Effect, Wishes};

mod pick;

mod flow;

/// The English texts; dates and times as ISO 8601.
struct English;

impl Words for English {
    fn text(&self, key: &str) -> String {
        section(Locale::En, "widget").get(key).unwrap_or_else(|| panic!("no text {key}")).to_string()
    }

    fn plural(&self, key: &str, count: u32) -> String {
        self.text(&[key, if count == 1 { ".one" } else { ".other" }].concat())
    }

    fn number(&self, number: u32) -> String {
        number.to_string()
    }

    fn month(&self, month: Month) -> String {
        month.first().iso()[..7].to_owned()
    }

    fn day(&self, day: Day) -> String {
        day.iso()
    }

    fn weekday(&self, weekday: i32) -> (String, String) {
        (format!("d{weekday}"), format!("day {weekday}"))
    }

    fn time(&self, at: Instant, zone: &Zone) -> String {
        crate::calendar::format_instant(at + Instant::from(zone.offset(at)) * 60_000)[11..16].to_owned()
    }
}

fn at(text: &str) -> Instant {
    parse_instant(text).unwrap()
}

const NINE: &str = "2026-11-23T09:00:00Z";

fn fresh() -> State {
    open(EventType { durations: vec![90], location: telephone(), ..visit() })
}

fn telephone() -> Location {
    Location { kind: "phone".to_owned(), detail: None, needs_phone: true }
}

/// An event type as it is seen first.
fn open(event: EventType) -> State {
    open_with(event, Wishes::default())
}

fn open_with(event: EventType, wishes: Wishes) -> State {
    let now = at("2026-11-16T12:00:00Z");
    let zone = Zone::learn("Europe/Madrid".to_owned(), now, at("2027-03-01T00:00:00Z"), |_| 60);
    State::new(event, "en".to_owned(), zone, now, wishes)
}

fn picking() -> State {
    read(fresh())
}

/// The same with slots on two days.
fn read(mut state: State) -> State {
    let slot = |start| Slot { start: at(start), seats_left: None };
    let slots = [NINE, "2026-11-23T10:00:00Z", "2026-11-26T09:00:00Z"].map(slot);
    state.apply(Action::SlotsRead { month: state.month, wish: 0, slots: Some(slots.to_vec()) });
    state
}

fn detailing() -> State {
    pick(fresh())
}

/// The same with the slot at nine picked.
fn pick(state: State) -> State {
    let mut state = read(state);
    state.apply(Action::Pick(at(NINE)));
    state
}

fn shown(state: &State) -> String {
    outline(&widget(state, &English).0)
}

/// The lines that hold a text, without their indentation.
fn lines(state: &State, containing: &str) -> Vec<String> {
    shown(state).lines().filter(|line| line.contains(containing)).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn the_grid_has_one_tab_stop_and_tells_free_chosen_and_present_days_apart() {
    let state = picking();
    assert_eq!(lines(&state, "data-day").len(), 30);
    let tab_stops = lines(&state, "tabindex=\"0\"");
    assert_eq!(tab_stops.len(), 1);
    assert!(tab_stops[0].contains("data-day=\"2026-11-23\"") && !tab_stops[0].contains("aria-disabled"));
    assert_eq!(lines(&state, "aria-selected=\"true\"").len(), 1);
    assert!(lines(&state, "aria-current=\"date\"")[0].contains("2026-11-16"));
    let free = lines(&state, "data-day").iter().filter(|line| !line.contains("aria-disabled")).count();
    assert_eq!(free, 2);
}

#[test]
fn the_times_of_the_chosen_day_are_in_the_visitors_zone() {
    let state = picking();
    let text = shown(&state);
    assert!(text.contains("data-start=\"2026-11-23T09:00:00Z\"\n"));
    assert!(text.contains("\"10:00\"") && text.contains("\"11:00\""));
    assert_eq!(lines(&state, "data-start").len(), 2);
    assert!(text.contains("\"GMT+1\""));
}

#[test]
fn while_slots_are_read_the_grid_is_busy_and_nothing_says_that_there_are_none() {
    let text = shown(&fresh());
    assert!(text.contains("aria-busy=\"true\"") && text.contains("Loading free times"));
    assert!(!text.contains("No free times"));
}

#[test]
fn a_failure_and_an_empty_month_each_offer_a_way_on() {
    let mut state = fresh();
    state.apply(Action::SlotsRead { month: state.month, wish: 0, slots: None });
    assert_eq!(lines(&state, "data-press=\"retry\"").len(), 1);
    let mut state = fresh();
    for _ in 0..3 {
        state.apply(Action::SlotsRead { month: state.month, wish: 0, slots: Some(vec![]) });
    }
    assert!(shown(&state).contains("No free times in 2027-01."));
    assert!(lines(&state, "data-press=\"seek\"").is_empty(), "there is nothing after the window");
}

#[test]
fn each_field_has_its_label_its_autofill_and_a_place_for_what_is_wrong() {
    let mut state = detailing();
    state.apply(Action::Submit { fresh_key: "key".to_owned() });
    for (field, autocomplete) in [("name", "name"), ("email", "email"), ("phone", "tel")] {
        assert_eq!(lines(&state, &format!("for={field:?}")).len(), 1);
        let input = lines(&state, &format!("id={field:?}")).remove(0);
        assert!(input.contains(&format!("autocomplete={autocomplete:?}")), "{input}");
        assert!(input.contains("aria-invalid=\"true\""), "{input}");
        assert!(input.contains(&format!("aria-describedby=\"{field}-problem\"")), "{input}");
        assert_eq!(lines(&state, &format!("class=\"problem\" id=\"{field}-problem\"")).len(), 1);
    }
    assert_eq!(lines(&state, "Please fill this in.").len(), 3);
    assert_eq!(lines(&state, "id=\"notes\"").len(), 1);
}

#[test]
fn a_telephone_number_that_is_not_needed_is_not_asked_for() {
    let mut state = detailing();
    state.event.location.needs_phone = false;
    assert!(lines(&state, "id=\"phone\"").is_empty());
}

#[test]
fn what_was_typed_stands_in_the_fields_after_the_slot_was_lost() {
    let mut state = detailing();
    state.apply(Action::Type { field: Field::NAME, text: "Zoë".to_owned() });
    state.apply(Action::BookingFailed(BookingFailure::SlotTaken));
    assert!(shown(&state).contains("Someone was a moment quicker"));
    state.apply(Action::Pick(at("2026-11-26T09:00:00Z")));
    assert!(lines(&state, "id=\"name\"")[0].contains("value=\"Zoë\""));
    assert!(!shown(&state).contains("Someone was a moment quicker"));
}

#[test]
fn a_lost_hold_says_so_where_the_screen_reader_hears_it() {
    let mut state = detailing();
    state.apply(Action::HoldFailed { start: at(NINE), failure: HoldFailure::SlotTaken });
    let text = shown(&state);
    let alert = text.split("role=\"alert\"").nth(1).unwrap();
    assert!(alert.trim_start().starts_with("p class=\"notice\" tabindex=\"-1\""));
}

#[test]
fn while_a_booking_is_under_way_its_button_says_so() {
    let mut state = detailing();
    state.sending = true;
    assert!(lines(&state, "type=\"submit\"")[0].contains("aria-disabled=\"true\""));
    assert!(shown(&state).contains("\"Sending…\""));
}

#[test]
fn the_confirmation_tells_everything_that_a_visitor_needs() {
    let mut state = detailing();
    let mut appointment = booked_visit();
    (appointment.end, appointment.meeting_pending) = (at("2026-11-23T10:30:00Z"), true);
    state.apply(Action::Booked(Box::new(appointment.clone())));
    let text = shown(&state);
    let zone = "Madrid · GMT+1";
    for part in ["2026-11-23", "10:00 – 11:30", zone, "With Ana", "Google Meet", "The meeting link is being made"] {
        assert!(text.contains(part), "{part} is missing");
    }
    let links = lines(&state, "a href=");
    let targets = ["google.example", "outlook.example", "x.ics", "/manage/secret"];
    assert!(links.iter().zip(targets).all(|(link, target)| link.contains(target) && link.contains("noopener")));
    assert_eq!(links.len(), targets.len());
    (appointment.meeting_url, appointment.meeting_pending) = (Some("https://meet.example/x".to_owned()), false);
    state.apply(Action::AppointmentRead { appointment: Ok(Box::new(appointment)), reads: 1, change: 1 });
    assert!(lines(&state, "a href=")[0].contains("https://meet.example/x"));
    assert!(!shown(&state).contains("The meeting link is being made"));
}

#[test]
fn lengths_are_told_in_hours_and_minutes() {
    let lengths = [15, 60, 90, 120].map(|minutes| length(minutes, &English));
    assert_eq!(lengths, ["15 min", "1 h", "1 h 30 min", "2 h"]);
}

#[test]
fn an_argument_is_never_read_as_a_placeholder() {
    assert_eq!(fill("{a} and {b}.", &[("a", "{b}"), ("b", "2")]), "{b} and 2.");
}

#[test]
fn free_times_are_announced_in_one_and_in_many() {
    let mut state = picking();
    state.apply(Action::ShowDay(Day::new(2026, 11, 23)));
    assert!(shown(&state).contains("\"2 free times on 2026-11-23.\""));
    state.apply(Action::ShowDay(Day::new(2026, 11, 26)));
    assert!(shown(&state).contains("\"One free time on 2026-11-26.\""));
}

#[test]
fn several_lengths_stand_side_by_side_in_rising_order() {
    let mut state = read(open(EventType { durations: vec![30, 15, 90], ..visit() }));
    let radios = lines(&state, "data-press=\"duration\"");
    let lengths: Vec<_> = ["15", "30", "90"].into_iter().zip(&radios).collect();
    assert_eq!(radios.len(), 3);
    for (minutes, radio) in lengths {
        assert!(radio.contains(&format!("value=\"{minutes}\"")), "{radio}");
        assert_eq!(radio.contains("checked"), minutes == "30", "{radio}");
    }
    assert!(lines(&state, "role=\"radiogroup\"")[0].contains("aria-label=\"Length\""));
    state.apply(Action::Pick(at(NINE)));
    assert!(lines(&state, "data-press=\"duration\"").is_empty(), "the choice is made");
    assert!(shown(&state).contains("\"30 min\""));
}

#[test]
fn an_only_length_is_told_and_not_asked() {
    assert!(lines(&picking(), "data-press=\"duration\"").is_empty());
    assert!(shown(&picking()).contains("\"1 h 30 min\""));
}

#[test]
fn the_visitor_may_choose_a_host_or_anyone() {
    let host = |id: &str, name: &str| Host { id: id.to_owned(), name: name.to_owned() };
    let mut state = read(open(EventType { hosts: vec![host("u1", "Ana"), host("u2", "Ben")], ..visit() }));
    assert_eq!(lines(&state, "data-press=\"host\"").len(), 1);
    assert!(shown(&state).contains("\"With whom\"") && shown(&state).contains("\"Anyone\""));
    assert!(shown(&state).contains("option value=\"\" selected=\"\""));
    state.apply(Action::ChooseHost("u2".to_owned()));
    assert!(shown(&state).contains("option value=\"u2\" selected=\"\""));
    state.apply(Action::Pick(at(NINE)));
    assert!(lines(&state, "select").is_empty() && shown(&state).contains("\"Ben\""));
    assert!(lines(&picking(), "data-press=\"host\"").is_empty(), "where there is no choice");
}

#[test]
fn the_seats_that_a_time_has_left_are_told_in_one_and_in_many() {
    let mut state = fresh();
    let slot = |start, seats| Slot { start: at(start), seats_left: Some(seats) };
    let slots = Some(vec![slot(NINE, 3), slot("2026-11-23T10:00:00Z", 1)]);
    state.apply(Action::SlotsRead { month: state.month, wish: 0, slots });
    assert!(shown(&state).contains("\"3 seats left\"") && shown(&state).contains("\"1 seat left\""));
    assert!(!shown(&picking()).contains("left\""));
}

/// The details of an event type that asks one question.
fn asking(kind: QuestionKind) -> State {
    pick(open(EventType { questions: vec![asked("q", kind)], ..visit() }))
}

fn colours(count: usize) -> Vec<String> {
    ["red", "green", "blue", "pink", "grey", "black", "white"][..count].iter().map(|it| (*it).to_owned()).collect()
}

#[test]
fn each_kind_of_question_has_its_control() {
    let number = |least| QuestionKind::Number { least, most: None };
    let cases = [
        (QuestionKind::ShortText, "input", "type=\"text\"", 1),
        (QuestionKind::LongText, "textarea", "id=\"answers.q\"", 1),
        (number(Some(0)), "input", "inputmode=\"numeric\"", 1),
        (number(None), "input", "type=\"text\"", 1),
        (QuestionKind::Phone, "input", "type=\"tel\"", 1),
        (QuestionKind::Checkbox, "input", "type=\"checkbox\"", 1),
        (QuestionKind::Choice { choices: colours(3) }, "input", "type=\"radio\"", 3),
        (QuestionKind::Choice { choices: colours(7) }, "select", "id=\"answers.q\"", 1),
        (QuestionKind::Choices { choices: colours(2) }, "input", "type=\"checkbox\"", 2),
    ];
    for (kind, tag, attribute, count) in cases {
        let state = asking(kind.clone());
        let controls = lines(&state, "name=\"answers.q\"");
        assert_eq!(controls.len(), count, "{kind:?}");
        for control in controls {
            assert!(control.starts_with(tag) && control.contains(attribute), "{kind:?}: {control}");
            assert!(control.contains("data-field=\"9\"") && control.contains("aria-describedby=\"answers.q-problem\""));
        }
        assert!(shown(&state).contains("\"What is q?\""), "{kind:?}");
    }
    // The bounds decide: a telephone's keys for numbers have no minus.
    assert!(!shown(&asking(number(Some(-5)))).contains("inputmode"));
}

#[test]
fn a_group_of_choices_has_the_question_as_its_name_and_what_is_wrong_beside_it() {
    let mut state = asking(QuestionKind::Choice { choices: colours(2) });
    state.apply(Action::Submit { fresh_key: "key".to_owned() });
    let group = lines(&state, "role=\"radiogroup\"").remove(0);
    assert!(
        group.contains("aria-labelledby=\"answers.q-label\"") && group.contains("aria-invalid=\"true\""),
        "{group}"
    );
    assert_eq!(lines(&state, "id=\"answers.q-label\"").len(), 1);
    let mut state = asking(QuestionKind::Choices { choices: colours(2) });
    assert_eq!(lines(&state, "role=\"group\" aria-labelledby=\"answers.q-label\"").len(), 1);
    state.apply(Action::Tick { field: Field::QUESTIONS, choice: "green".to_owned(), is_ticked: true });
    let ticked: Vec<_> = lines(&state, "checked=\"\"");
    assert!(ticked.len() == 1 && ticked[0].contains("value=\"green\""));
}

#[test]
fn an_optional_question_says_so_and_help_describes_its_field() {
    let mut state = asking(QuestionKind::ShortText);
    let optional = lines(&state, "class=\"optional\"").len();
    state.event.questions[0].is_required = false;
    state.event.questions[0].help = "As on your card.".to_owned();
    assert_eq!(lines(&state, "class=\"optional\"").len(), optional + 1);
    // A space stands before it, which a screen reader and joining letters need.
    assert!(shown(&state).contains("\"What is q? \"") && shown(&state).contains("\"Notes \""));
    assert!(lines(&state, "id=\"answers.q\"")[0].contains("aria-describedby=\"answers.q-help answers.q-problem\""));
    assert_eq!(lines(&state, "class=\"help\" id=\"answers.q-help\"").len(), 1);
}

#[test]
fn several_dates_can_be_asked_for_where_they_can_be_booked() {
    let mut state = pick(open(EventType { most_occurrences: 3, ..visit() }));
    assert_eq!(lines(&state, "id=\"recurrence\"").len(), 1);
    assert!(lines(&state, "id=\"recurrence.count\"").is_empty());
    let weekly = "weekly".to_owned();
    let effects = state.apply(Action::Type { field: Field::FREQUENCY, text: weekly });
    assert!(shown(&state).contains("option value=\"weekly\" selected=\"\""));
    assert!(shown(&state).contains("option value=\"3\" selected=\"\"") && !shown(&state).contains("value=\"4\""));
    assert!(shown(&state).contains("Loading free times"));
    let [Effect::ReadSeries(path)] = effects.as_slice() else { panic!("{effects:?}") };
    let date =
        |start, reason: &str| SeriesDate { start: at(start), is_free: reason.is_empty(), reason: reason.to_owned() };
    let dates = Some(vec![date(NINE, ""), date("2026-11-30T09:00:00Z", "We are away.")]);
    state.apply(Action::SeriesRead { path: path.clone(), dates });
    assert!(shown(&state).contains("\"2026-11-23, 10:00\"") && shown(&state).contains("\"Free\""));
    assert!(shown(&state).contains("\"2026-11-30, 10:00\"") && shown(&state).contains("\"We are away.\""));
    assert_eq!(lines(&state, "li class=\"taken\"").len(), 1);
    assert_eq!(lines(&state, "name=\"recurrence.skip_taken\"").len(), 1);
    assert!(lines(&detailing(), "recurrence").is_empty(), "where only one can be booked");
}

#[test]
fn dates_that_could_not_be_had_offer_a_way_on() {
    let mut state = pick(open(EventType { most_occurrences: 3, ..visit() }));
    let effects = state.apply(Action::Type { field: Field::FREQUENCY, text: "monthly".to_owned() });
    let [Effect::ReadSeries(path)] = effects.as_slice() else { panic!("{effects:?}") };
    state.apply(Action::SeriesRead { path: path.clone(), dates: None });
    assert_eq!(lines(&state, "data-press=\"retry\"").len(), 1);
}

#[test]
fn the_confirmation_of_a_series_lists_the_other_dates_each_with_its_own_page() {
    let mut state = detailing();
    let other = (at("2026-11-30T09:00:00Z"), "https://cupo.example/manage/next".to_owned());
    state.apply(Action::Booked(Box::new(Appointment { series: vec![other], ..booked_visit() })));
    assert_eq!(lines(&state, "/manage/next").len(), 1);
    assert!(shown(&state).contains("\"2026-11-30, 10:00\"") && shown(&state).contains("\"The other dates\""));
}

#[test]
fn where_a_host_has_to_agree_the_visitor_asks_and_is_told_until_when() {
    let mut state = pick(open(EventType { needs_approval: true, ..visit() }));
    assert!(shown(&state).contains("\"Request booking\"") && !shown(&state).contains("\"Confirm booking\""));
    let expires_at = Some(at("2026-11-20T09:00:00Z"));
    let status = AppointmentStatus::Pending;
    state.apply(Action::Booked(Box::new(Appointment { status, expires_at, ..booked_visit() })));
    let text = shown(&state);
    assert!(text.contains("\"Your request was sent\"") && !text.contains("is confirmed"), "{text}");
    assert!(text.contains("Ana has still to agree, by 2026-11-20, 10:00 at the latest."));
    assert!(lines(&state, "google.example").is_empty(), "it is no appointment yet");
}
