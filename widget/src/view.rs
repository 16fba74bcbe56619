//! The view: thin, and nothing in it decides. One file a step.

mod confirmed;
mod details;
mod pick;

use leptos::prelude::*;
use leptos::svg;

use crate::calendar::{Instant, Month};
use crate::model::Location;
use crate::state::{Announcement, Step};
use crate::widget::Widget;
use crate::zone::Zone;

/// Outlines in a box of 24 by 24.
mod icon {
    pub const BACK: &str = "M15 5l-7 7 7 7";
    pub const FORTH: &str = "M9 5l7 7-7 7";
    pub const CLOCK: &str = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2";
    pub const CALENDAR: &str =
        "M5 5.5h14a1 1 0 0 1 1 1V19a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V6.5a1 1 0 0 1 1-1zM4 10h16M8 3v4M16 3v4";
    pub const VIDEO: &str =
        "M4 6.5h10a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1zM15 10.5l6-3.5v10l-6-3.5";
    pub const PHONE: &str =
        "M5 4h3.6l1.8 4.6-2.3 1.5a12 12 0 0 0 5.8 5.8l1.5-2.3L20 15.4V19a1 1 0 0 1-1 1A15 15 0 0 1 4 5a1 1 0 0 1 1-1z";
    pub const PLACE: &str =
        "M12 21c4.5-4.6 7-8 7-11a7 7 0 0 0-14 0c0 3 2.5 6.4 7 11zM12 7.500a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z";
    pub const LINK: &str =
        "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.6-5.700L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.6 5.700L12 17";
    pub const GLOBE: &str = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3.5 12h17M12 3c5 5.5 5 12.5 0 18-5-5.5-5-12.5 0-18z";
    pub const CHECK: &str = "M5 12.500l4.5 4.500L19 7.5";
}

fn icon(path: &'static str) -> impl IntoView {
    svg::svg().attr("viewBox", "0 0 24 24").attr("aria-hidden", "true").child(svg::path().attr("d", path))
}

/// The whole widget: what is booked on one side, the step on the other.
pub fn widget(widget: Widget) -> impl IntoView {
    let step = widget.memo(|state| state.step);
    view! {
        <div class="card" part="card">
            {about(widget)}
            {move || match step.get() {
                Step::Pick => pick::step(widget),
                Step::Details => details::step(widget),
                Step::Confirmed => confirmed::step(widget),
            }}
        </div>
        <div class="unseen" role="status">{move || announcement(widget)}</div>
    }
}

fn about(widget: Widget) -> AnyView {
    let event = widget.peek(|state| state.event.clone());
    let (place, place_text) = place(widget, &event.location);
    view! {
        <div class="about">
            <p class="host">{event.organization_name}</p>
            <h2 class="title">{event.title}</h2>
            {fact(icon::CLOCK, length(widget, event.duration_minutes))}
            {fact(place, place_text)}
            {move || {
                let chosen = widget.read(|state| match state.step {
                    Step::Details => state.start.map(|start| (start, state.zone.clone())),
                    _ => None,
                });
                chosen.map(|(start, zone)| fact(icon::CALENDAR, moment(widget, start, &zone)))
            }}
            <p class="text">{event.description}</p>
        </div>
    }
    .into_any()
}

/// A line with an icon.
fn fact(path: &'static str, text: String) -> impl IntoView {
    view! { <p class="fact">{icon(path)}<span>{text}</span></p> }
}

/// `30 min`, `1 h`, `1 h 30 min`.
fn length(widget: Widget, minutes: u32) -> String {
    let hours = (minutes >= 60).then(|| widget.text_with("hours", "{count}", &(minutes / 60).to_string()));
    let rest = (minutes % 60 > 0).then(|| widget.text_with("minutes", "{count}", &(minutes % 60).to_string()));
    [hours, rest].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Day and time of an instant in the visitor's zone.
fn moment(widget: Widget, at: Instant, zone: &Zone) -> String {
    [widget.format(|formats| formats.day(zone.day(at))), widget.time(at, zone)].join(", ")
}

/// Where it takes place: an icon and a text.
fn place(widget: Widget, location: &Location) -> (&'static str, String) {
    let named = |key: &str| location.detail.clone().unwrap_or_else(|| widget.text(key));
    match location.kind.as_str() {
        "meet" => (icon::VIDEO, widget.text("place_meet")),
        "phone" => (icon::PHONE, named("place_phone")),
        "address" => (icon::PLACE, named("place_address")),
        _ => (icon::LINK, widget.text("place_link")),
    }
}

/// Minutes east of UTC as `GMT+5:30`.
fn offset_label(offset: i32) -> String {
    let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
    let mut label = [if offset < 0 { "GMT−" } else { "GMT+" }, &hours.to_string()].concat();
    if minutes > 0 {
        label.push_str(if minutes < 10 { ":0" } else { ":" });
        label.push_str(&minutes.to_string());
    }
    label
}

fn announcement(widget: Widget) -> String {
    match widget.read(|state| state.announcement) {
        Announcement::Nothing => String::new(),
        Announcement::Times { day, count } => {
            let key = if count == 1 { "one_time" } else { "times" };
            let times = widget.text_with(key, "{count}", &count.to_string());
            times.replace("{day}", &widget.format(|formats| formats.day(day)))
        }
        Announcement::NoTimes(month) => no_times(widget, month),
        Announcement::FieldProblems => widget.text("check_fields"),
    }
}

fn no_times(widget: Widget, month: Month) -> String {
    widget.text_with("no_times", "{month}", &widget.format(|formats| formats.month(month)))
}

/// The sentence above a step that says what went wrong; it takes the focus.
fn notice(widget: Widget) -> impl IntoView {
    move || {
        widget
            .read(|state| state.notice)
            .map(|notice| view! { <p class="notice" role="alert" tabindex="-1">{widget.text(notice.key())}</p> })
    }
}
