use cupo_core::text::{Locale, section};

use super::*;
use crate::calendar::parse_instant;
use crate::model::{Appointment, BookingFailure, EventType, Field, HoldFailure};
use crate::node::tests::outline;
use crate::state::Action;

/// The English texts; dates and times as ISO 8601.
struct English;

impl Words for English {
    fn text(&self, key: &str) -> String {
        section(Locale::En, "widget").get(key).unwrap_or_else(|| panic!("no text {key}")).to_string()
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

    fn week_start(&self) -> i32 {
        0
    }
}

fn at(text: &str) -> Instant {
    parse_instant(text).unwrap()
}

const NINE: &str = "2026-11-23T09:00:00Z";

fn fresh() -> State {
    let event = EventType {
        org: "clinic".to_owned(),
        slug: "visit".to_owned(),
        organization_name: "Clinic".to_owned(),
        host_name: "Ana".to_owned(),
        title: "Visit".to_owned(),
        description: String::new(),
        duration_minutes: 90,
        location: Location { kind: "phone".to_owned(), detail: None, needs_phone: true },
        window_end: at("2027-01-20T12:00:00Z"),
    };
    let now = at("2026-11-16T12:00:00Z");
    let zone = Zone::learn("Europe/Madrid".to_owned(), now, at("2027-03-01T00:00:00Z"), |_| 60);
    State::new(event, "en".to_owned(), zone, now)
}

fn picking() -> State {
    let mut state = fresh();
    let starts = vec![at(NINE), at("2026-11-23T10:00:00Z"), at("2026-11-26T09:00:00Z")];
    state.apply(Action::SlotsRead { month: state.month, starts });
    state
}

fn detailing() -> State {
    let mut state = picking();
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
    state.apply(Action::SlotsFailed { month: state.month });
    assert_eq!(lines(&state, "data-press=\"retry\"").len(), 1);
    let mut state = fresh();
    for _ in 0..3 {
        state.apply(Action::SlotsRead { month: state.month, starts: vec![] });
    }
    assert!(shown(&state).contains("No free times in 2027-01."));
    assert!(lines(&state, "data-press=\"seek\"").is_empty(), "there is nothing after the window");
}

#[test]
fn every_zone_can_be_chosen_and_the_present_one_is_whether_or_not_it_is_listed() {
    let mut state = picking();
    for names in [vec![], vec!["America/Lima", "Europe/Madrid"], vec!["America/Lima"]] {
        state.apply(Action::ListZones(names.iter().map(|name| name.to_string()).collect()));
        assert_eq!(lines(&state, "selected=\"\""), ["option value=\"Europe/Madrid\" selected=\"\""]);
        let listed = lines(&state, "option ").len();
        assert_eq!(listed, names.len() + usize::from(!names.contains(&"Europe/Madrid")));
    }
}

#[test]
fn each_field_has_its_label_its_autofill_and_a_place_for_what_is_wrong() {
    let mut state = detailing();
    state.apply(Action::Submit { fresh_key: "key".to_owned() });
    for (field, autocomplete) in [("name", "name"), ("email", "email"), ("phone", "tel")] {
        assert_eq!(lines(&state, &format!("label for={field:?}")).len(), 1);
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
    state.apply(Action::Type { field: Field::Name, text: "Zoë".to_owned() });
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
    assert!(shown(&state).contains("\"Booking…\""));
}

#[test]
fn the_confirmation_tells_everything_that_a_visitor_needs() {
    let mut state = detailing();
    let mut appointment = Appointment {
        token: "secret".to_owned(),
        manage_url: "https://cupo.example/manage/secret".to_owned(),
        title: "Visit".to_owned(),
        host_name: "Ana".to_owned(),
        start: at(NINE),
        end: at("2026-11-23T10:30:00Z"),
        location: Location { kind: "meet".to_owned(), detail: None, needs_phone: false },
        meeting_url: None,
        meeting_pending: true,
        google_url: "https://google.example".to_owned(),
        outlook_url: "https://outlook.example".to_owned(),
        ics_url: "https://cupo.example/x.ics".to_owned(),
    };
    state.apply(Action::Booked(Box::new(appointment.clone())));
    let text = shown(&state);
    for part in
        ["2026-11-23, 10:00 – 11:30", "Europe/Madrid", "With Ana", "Google Meet", "The meeting link is being made"]
    {
        assert!(text.contains(part), "{part} is missing");
    }
    let links = lines(&state, "a href=");
    let targets = ["google.example", "outlook.example", "x.ics", "/manage/secret"];
    assert!(links.iter().zip(targets).all(|(link, target)| link.contains(target) && link.contains("noopener")));
    assert_eq!(links.len(), targets.len());
    (appointment.meeting_url, appointment.meeting_pending) = (Some("https://meet.example/x".to_owned()), false);
    state.apply(Action::AppointmentRead { appointment: Some(Box::new(appointment)), reads: 1 });
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
