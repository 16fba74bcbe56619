//! The first step: views, what is soonest, notes about other places and clocks, zones.

use super::*;
use crate::state::View;
use crate::zone::ZoneChoice;

fn viewing(view: View) -> State {
    let mut state = picking();
    state.apply(Action::ChooseView(view));
    state
}

/// A fresh state whose host is in a zone so many minutes east of UTC, read with these starts.
fn hosted(host: (&str, i32), starts: &[&str]) -> State {
    let mut state = fresh();
    state.wishes.host_zone = Some(Zone::fixed(host.0, host.1));
    let slots = starts.iter().map(|start| Slot { start: at(start), seats_left: None }).collect();
    state.apply(Action::SlotsRead { month: state.month, wish: 0, slots: Some(slots) });
    state
}

#[test]
fn the_views_are_choices_of_which_one_is_made() {
    for (view, name) in [(View::Month, "month"), (View::Week, "week"), (View::List, "list")] {
        let state = viewing(view);
        let radios = lines(&state, "data-press=\"view\"");
        assert_eq!(radios.len(), 3);
        let chosen: Vec<_> = radios.iter().filter(|radio| radio.contains("checked")).collect();
        assert!(chosen.len() == 1 && chosen[0].contains(&format!("value=\"{name}\"")), "{chosen:?}");
        assert_eq!(lines(&state, &format!("class=\"pick\" data-view=\"{name}\"")).len(), 1);
    }
    assert_eq!(lines(&picking(), "role=\"radiogroup\" aria-label=\"View\"").len(), 1);
}

#[test]
fn a_week_is_one_row_of_the_grid_and_the_times_of_all_its_days() {
    let state = viewing(View::Week);
    assert_eq!(lines(&state, "data-day").len(), 7);
    assert_eq!(lines(&state, "class=\"week\" role=\"row\"").len(), 1);
    assert_eq!(lines(&state, "data-start").len(), 3);
    assert_eq!(lines(&state, "class=\"list\" role=\"group\"").len(), 6);
    let chosen = lines(&state, "class=\"list on\" role=\"group\"");
    assert!(chosen.len() == 1 && chosen[0].contains("aria-label=\"2026-11-23\""));
    assert!(lines(&state, "aria-label=\"Previous week\"")[0].contains("data-press=\"earlier\""));
    assert!(lines(&state, "aria-label=\"Next week\"")[0].contains("data-press=\"later\""));
}

#[test]
fn a_week_of_two_months_is_called_after_both() {
    let mut state = viewing(View::Week);
    assert!(shown(&state).contains("\"2026-11\""));
    state.apply(Action::Turn(1));
    assert!(shown(&state).contains("\"2026-11 – 2026-12\""));
}

#[test]
fn a_week_without_free_times_offers_the_next_one() {
    let mut state = viewing(View::Week);
    state.apply(Action::Turn(1));
    // December is not read yet, to which half of the week belongs.
    assert!(shown(&state).contains("\"Loading free times…\"") && !shown(&state).contains("No free times"));
    let december = |slots| Action::SlotsRead { month: Day::new(2026, 12, 1).month(), wish: 0, slots };
    let mut failed = state.clone();
    failed.apply(december(None));
    assert!(shown(&failed).contains("could not be loaded"));
    assert_eq!(lines(&failed, "data-press=\"retry\"").len(), 1);
    state.apply(december(Some(Vec::new())));
    assert!(shown(&state).contains("\"No free times in this week.\""));
    assert_eq!(lines(&state, "data-press=\"seek\"").len(), 1);
}

#[test]
fn a_week_with_free_times_says_so_where_its_other_month_could_not_be_had() {
    let mut state = hosted(("Etc/UTC", 0), &["2026-11-30T09:00:00Z"]);
    state.apply(Action::ChooseView(View::Week));
    state.apply(Action::SlotsRead { month: state.month.next(), wish: 0, slots: None });
    assert!(!lines(&state, "data-start").is_empty());
    assert_eq!(lines(&state, "data-press=\"retry\"").len(), 1);
}

#[test]
fn a_list_has_no_grid_and_a_heading_for_each_free_day() {
    let state = viewing(View::List);
    assert!(lines(&state, "role=\"grid\"").is_empty());
    assert_eq!(lines(&state, "section").len(), 2);
    let text = shown(&state);
    assert!(text.contains("h3\n") && text.contains("\"2026-11-23\"") && text.contains("\"2026-11-26\""));
    assert!(lines(&state, "data-press=\"more\"").is_empty(), "that is all");
    let starts: Vec<String> = (17..29).map(|date| format!("2026-11-{date}T09:00:00Z")).collect();
    let mut state = hosted(("UTC", 0), &starts.iter().map(String::as_str).collect::<Vec<_>>());
    state.apply(Action::ChooseView(View::List));
    assert_eq!((lines(&state, "section").len(), lines(&state, "data-press=\"more\"").len()), (5, 1));
}

#[test]
fn the_soonest_free_time_can_be_picked_from_any_month() {
    let mut state = picking();
    assert!(lines(&fresh(), "soonest").is_empty(), "nothing is known yet");
    state.apply(Action::Turn(1));
    assert!(lines(&state, "data-press=\"soonest\"")[0].contains("value=\"2026-11-23T09:00:00Z\""));
    assert!(shown(&state).contains("\"Next free time: 2026-11-23, 10:00\""));
}

#[test]
fn what_cannot_be_turned_to_keeps_its_button_so_that_the_focus_stays() {
    let state = picking();
    assert!(lines(&state, "data-press=\"earlier\"")[0].contains("aria-disabled=\"true\""));
    assert!(!lines(&state, "data-press=\"later\"")[0].contains("disabled"));
}

#[test]
fn where_it_is_another_day_for_the_host_that_day_is_told_before_its_times() {
    // 23 November in Madrid: 10:00 is the 23rd in Honolulu too only from 11:00 on.
    let state = hosted(("Pacific/Honolulu", -600), &["2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"]);
    let text = shown(&state);
    let told = text.find("\"2026-11-22 in Honolulu\"").unwrap();
    let back = text.find("\"2026-11-23 in Honolulu\"").unwrap();
    let place = |hour| text.find(&format!("data-start=\"2026-11-23T{hour}:00:00Z\"")).unwrap();
    let [nine, ten] = ["09", "10"].map(place);
    assert!(told < nine && nine < back && back < ten, "{text}");
    let same = hosted(("Europe/Berlin", 60), &[NINE]);
    assert!(!shown(&same).contains("in Berlin"));
}

#[test]
fn beside_the_details_stands_when_it_is_for_the_host_if_that_is_another_day() {
    let mut state = hosted(("Asia/Tokyo", 540), &["2026-11-23T16:00:00Z"]);
    state.apply(Action::Pick(at("2026-11-23T16:00:00Z")));
    assert!(shown(&state).contains("\"2026-11-24, 01:00 in Tokyo\""));
}

/// Clocks that go back by an hour on 22 November at one o'clock of UTC.
fn changing(name: &str) -> Zone {
    let change = at("2026-11-22T01:00:00Z");
    let (from, until) = (at("2026-11-01T00:00:00Z"), at("2027-02-01T00:00:00Z"));
    Zone::learn(name.to_owned(), from, until, |instant| if instant < change { 120 } else { 60 })
}

#[test]
fn a_clock_change_between_now_and_the_slot_is_told_here_and_where_the_host_is() {
    let sentence = "\"The clocks in Madrid change on 2026-11-22. The times here take that into account.\"";
    for (own, host, told) in [
        (changing("Europe/Madrid"), Zone::fixed("America/Lima", -300), true),
        (Zone::fixed("America/Lima", -300), changing("Europe/Madrid"), true),
        (Zone::fixed("America/Lima", -300), Zone::fixed("Asia/Tokyo", 540), false),
    ] {
        let mut state = picking();
        (state.zone, state.wishes.host_zone) = (own, Some(host));
        assert_eq!(shown(&state).contains(sentence), told);
        state.apply(Action::Pick(at(NINE)));
        assert_eq!(shown(&state).contains(sentence), told, "with the details too");
    }
}

#[test]
fn in_a_list_a_clock_change_is_told_once_on_the_first_day_after_it() {
    let mut state = hosted(("UTC", 0), &["2026-11-20T09:00:00Z", NINE, "2026-11-24T09:00:00Z"]);
    state.zone = changing("Europe/Madrid");
    state.apply(Action::ChooseView(View::List));
    let text = shown(&state);
    let parts: Vec<_> = text.split("section").skip(1).map(|section| section.contains("The clocks in Madrid")).collect();
    assert_eq!(parts, [false, true, false]);
}

/// The list of zones is open, at noon in UTC.
fn choosing() -> State {
    let mut state = picking();
    state.apply(Action::OpenZones(at("2026-11-16T12:00:00Z")));
    let zones = [("America/Bogota", -300), ("Asia/Calcutta", 330), ("Europe/Madrid", 60)];
    let choice = |(name, offset): (&str, i32)| ZoneChoice { name: name.to_owned(), offset };
    state.apply(Action::ZonesRead(zones.map(choice).to_vec()));
    state
}

#[test]
fn the_visitors_zone_is_told_by_city_and_offset() {
    let state = picking();
    assert!(lines(&state, "data-press=\"zones\"")[0].contains("aria-expanded=\"false\""));
    let text = shown(&state);
    assert!(text.contains("\"Time zone\"") && text.contains("\"Madrid\"") && text.contains("\"GMT+1\""));
    assert!(lines(&state, "combobox").is_empty());
}

#[test]
fn zones_are_listed_with_city_offset_and_the_time_that_it_is_there() {
    let state = choosing();
    let text = shown(&state);
    for part in ["\"Bogota\"", "\"07:00 · \"", "\"Kolkata\"", "\"17:30 · \"", "\"13:00 · \""] {
        assert!(text.contains(part), "{part} is missing");
    }
    // An offset runs from left to right in every language, so it is an element of its own.
    assert!(text.contains("\"GMT−5\"") && text.contains("\"GMT+5:30\""));
    assert_eq!(lines(&state, "class=\"offset\"").len(), lines(&state, "role=\"option\"").len() + 1);
    assert!(lines(&state, "data-press=\"zones\"")[0].contains("aria-expanded=\"true\""));
}

#[test]
fn the_search_points_at_one_of_the_options_that_it_controls() {
    let mut state = choosing();
    let search = lines(&state, "role=\"combobox\"").remove(0);
    for attribute in [
        "aria-expanded=\"true\"",
        "aria-controls=\"zones\"",
        "aria-autocomplete=\"list\"",
        "aria-activedescendant=\"zone-2\"",
        "aria-label=\"Search for a city\"",
    ] {
        assert!(search.contains(attribute), "{attribute} is missing: {search}");
    }
    let chosen = lines(&state, "role=\"option\" id=\"zone-2\"").remove(0);
    assert!(chosen.contains("aria-selected=\"true\"") && chosen.contains("data-zone=\"Europe/Madrid\""));
    assert_eq!(lines(&state, "id=\"zones\" role=\"listbox\"").len(), 1);
    state.apply(Action::SearchZone("atlantis".to_owned()));
    assert!(lines(&state, "role=\"combobox\"")[0].contains("aria-expanded=\"false\""));
    assert!(!shown(&state).contains("activedescendant") && lines(&state, "listbox").is_empty());
    let status = shown(&state).split("role=\"status\"").nth(1).unwrap().to_owned();
    assert!(status.contains("No such place was found."), "{status}");
}

#[test]
fn what_is_written_from_right_to_left_says_so() {
    let mut state = picking();
    assert!(!shown(&state).contains("dir="));
    state.language = "ar-EG".to_owned();
    assert!(lines(&state, "class=\"card\"")[0].contains("dir=\"rtl\""));
}
