//! Prints the first view of a usual event type in the fullest usual month, as the server answers it: a line for each language.
//! `cargo xtask size` weighs them.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use cupo_core::event_type::Assignment;
use cupo_core::text::{LanguageTag, Locale, section};
use cupo_core::wire::{EventTypeView, FirstView, LocationView, SlotsResponse};
use cupo_widget::first_view::{Reader, markup};
use cupo_widget::zone::Zone;

/// The first instant of the month, when the visitor comes.
const BEGIN: &str = "2026-12-01T00:00:00Z";
const DESCRIPTION: &str = "Half an hour to get to know each other, to look at what you have and what you need, and to agree on \
                           what comes next. Nothing to prepare; bring your questions and, if you like, drawings or photographs of \
                           the place.";

fn main() -> serde_json::Result<()> {
    for locale in Locale::ALL {
        println!("{}", serde_json::to_string(&first_view(locale))?);
    }
    Ok(())
}

fn first_view(locale: Locale) -> FirstView {
    let begin: DateTime<Utc> = BEGIN.parse().expect("a constant instant");
    // Half-hour slots from nine to five on each of 31 days.
    let day = |day: i64| (0..16).map(move |slot| begin + TimeDelta::days(day) + TimeDelta::minutes(9 * 60 + slot * 30));
    let date = |day| NaiveDate::from_ymd_opt(2026, 12, day).expect("a day of December");
    let mut first = FirstView {
        event_type: event_type(locale, begin + TimeDelta::days(50)),
        from: date(1),
        to: date(31),
        week_start: 0,
        slots: Some(SlotsResponse { slots: (0..31).flat_map(day).collect(), seats_left: Vec::new() }),
        theme: None,
        dates: None,
        markup: None,
    };
    let reader = Reader {
        language: LanguageTag::from(locale),
        zone: "Europe/Madrid",
        view: "",
        link: "",
        now: begin.timestamp_millis(),
    };
    first.markup = markup(&first, &reader, |name, from, until| Zone::learn(name.to_owned(), from, until, |_| 60));
    first
}

fn event_type(locale: Locale, window_end: DateTime<Utc>) -> EventTypeView {
    EventTypeView {
        org: "demo".to_owned(),
        slug: "intro".to_owned(),
        organization_name: "Estudio Ana Ríos".to_owned(),
        host_name: "Ana Ríos".to_owned(),
        title: "First conversation".to_owned(),
        description: DESCRIPTION.to_owned(),
        durations: vec![30],
        location: LocationView { kind: "meet".to_owned(), detail: None, needs_phone: false },
        time_zone: "Europe/Madrid".to_owned(),
        window_end,
        assignment: Assignment::Single,
        hosts: Vec::new(),
        seats: 1,
        needs_approval: false,
        most_occurrences: 1,
        questions: Vec::new(),
        dial_code: None,
        locale: locale.as_str().to_owned(),
        strings: section(locale, "widget").into_iter().map(|(key, text)| (key.into(), text.into())).collect(),
    }
}
