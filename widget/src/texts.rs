//! Tests that the view and the catalogues name the same texts.

use std::collections::BTreeSet;

use cupo_core::text::{Locale, section};

const SOURCES: &[&str] = &[
    include_str!("state.rs"),
    include_str!("state/booking.rs"),
    include_str!("view.rs"),
    include_str!("view/changes.rs"),
    include_str!("view/confirmed.rs"),
    include_str!("view/details.rs"),
    include_str!("view/pick.rs"),
    include_str!("view/series.rs"),
    include_str!("view/times.rs"),
    include_str!("view/zone.rs"),
    include_str!("state/views.rs"),
    include_str!("../../app/core/src/parse.rs"),
    include_str!("../../app/core/src/question.rs"),
];

/// The string literals of a source, without what follows the tests.
fn literals(source: &str) -> impl Iterator<Item = &str> {
    source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().split('"').skip(1).step_by(2)
}

#[test]
fn every_text_of_the_catalogue_is_used() {
    let used: BTreeSet<&str> = SOURCES.iter().flat_map(|source| literals(source)).collect();
    for key in section(Locale::En, "widget").keys() {
        // A text that tells a number is named without its form.
        let name = key.strip_suffix(".one").or(key.strip_suffix(".other")).unwrap_or(key);
        assert!(used.contains(name), "{key} is in the catalogue and nowhere in the widget");
    }
}

#[test]
fn every_text_that_is_asked_for_is_in_the_catalogue() {
    let texts = section(Locale::En, "widget");
    let asked = SOURCES
        .iter()
        .flat_map(|source| source.split("words.text(\"").skip(1).filter_map(|rest| rest.split('"').next()));
    let notices =
        ["slot_taken", "unreachable", "refused", "too_many", "gone", "expired", "unchangeable", "offline", "not_found"];
    let changes = ["move_title", "cancel_title", "move_now", "cancel_now", "reason", "scope", "opening", "anew"];
    let standings = ["confirmed", "moved", "opened", "cancelled", "declined", "lapsed"];
    let problems = [
        "error.at_least",
        "error.at_most",
        "error.control_character",
        "error.email",
        "error.must_be_ticked",
        "error.out_of_range",
        "error.phone",
        "error.required",
        "error.too_long",
        "error.whole_number",
    ];
    let fields = ["repeat", "dates", "skip_taken", "once", "weekly", "every_two_weeks", "monthly"];
    let others = [
        "sending",
        "request",
        "book",
        "requested",
        "requested_with",
        "times.other",
        "seats.other",
        "minutes.other",
        "hours.other",
    ];
    let picking = ["view_month", "view_week", "view_list", "previous_week", "next_week"];
    for key in
        asked.chain(notices).chain(changes).chain(standings).chain(problems).chain(fields).chain(others).chain(picking)
    {
        assert!(texts.contains_key(key), "{key} is asked for and not in the catalogue");
    }
}
