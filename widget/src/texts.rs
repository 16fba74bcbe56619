//! Tests that the view and the catalogues name the same texts.

use std::collections::BTreeSet;

use cupo_core::text::{Locale, section};

const SOURCES: &[&str] = &[
    include_str!("state.rs"),
    include_str!("state/booking.rs"),
    include_str!("view.rs"),
    include_str!("view/confirmed.rs"),
    include_str!("view/details.rs"),
    include_str!("view/pick.rs"),
    include_str!("view/series.rs"),
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
        assert!(used.contains(key), "{key} is in the catalogue and nowhere in the widget");
    }
}

#[test]
fn every_text_that_is_asked_for_is_in_the_catalogue() {
    let texts = section(Locale::En, "widget");
    let asked = SOURCES.iter().flat_map(|source| {
        let calls = ["words.text(\"", "part(\""];
        calls.into_iter().flat_map(|call| source.split(call).skip(1)).filter_map(|rest| rest.split('"').next())
    });
    let notices = ["slot_taken", "unreachable", "refused", "too_many", "gone"];
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
    let others = ["sending", "request", "book", "requested", "requested_with", "seat_left", "seats_left"];
    for key in asked.chain(notices).chain(problems).chain(fields).chain(others) {
        assert!(texts.contains_key(key), "{key} is asked for and not in the catalogue");
    }
}
