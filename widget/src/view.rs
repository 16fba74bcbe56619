//! The view: what of the state is to be seen, as nodes. Nothing here decides, and nothing listens: what can be pressed
//! says so in its attributes, which `gesture.rs` reads.

mod changes;
mod confirmed;
mod details;
mod pick;
mod series;
#[cfg(test)]
mod tests;
mod times;
mod zone;

use crate::calendar::{Day, Instant, Month};
use crate::form::FieldMessage;
use crate::model::Location;
use crate::node::{Nodes, only_if};
use crate::state::{Announcement, Notice, State, Step, View};
use crate::strings::{concat, decimal, list};
use crate::zone::Zone;

/// The texts of the catalogue's `widget` section, and dates and times in the visitor's language.
pub trait Words {
    /// A text by its key.
    fn text(&self, key: &str) -> String;
    /// The text of a key in the form that the language has for a number (CLDR plural categories), its placeholders unfilled.
    fn plural(&self, key: &str, count: u32) -> String;
    /// A whole number in the digits of the language.
    fn number(&self, number: u32) -> String;
    fn month(&self, month: Month) -> String;
    fn day(&self, day: Day) -> String;
    /// The short and the full name of a weekday; Monday is 0.
    fn weekday(&self, weekday: i32) -> (String, String);
    /// The time of day of an instant in a zone.
    fn time(&self, at: Instant, zone: &Zone) -> String;
}

/// Outlines in a box of 24 by 24.
mod outline {
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
        "M12 21c4.5-4.6 7-8 7-11a7 7 0 0 0-14 0c0 3 2.5 6.4 7 11zM12 7.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z";
    pub const LINK: &str =
        "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.6-5.7L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.6 5.7L12 17";
    pub const GLOBE: &str = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3.5 12h17M12 3c5 5.5 5 12.5 0 18-5-5.5-5-12.5 0-18z";
    pub const CHECK: &str = "M5 12.5l4.5 4.5L19 7.5";
    pub const CROSS: &str = "M7 7l10 10M17 7L7 17";
    pub const SOON: &str = "M4.5 12h15M13 5.5l6.5 6.5-6.5 6.5";
    pub const PERSON: &str = "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM5 20a7 7 0 0 1 14 0";
}

/// The whole widget: what is booked on one side, the step on the other.
pub fn widget(state: &State, words: &impl Words) -> Nodes {
    let mut all = Nodes::default();
    // The direction is the widget's own: around it the page may run the other way.
    let direction = only_if(state.is_rtl(), "dir", "rtl");
    all.element("div", &[("class", "card"), ("part", "card"), direction], |card| {
        card.element("div", &[("class", "about"), ("part", "about")], |nodes| about(nodes, state, words));
        match state.step {
            Step::Pick => pick::step(card, state, words),
            Step::Details => details::step(card, state, words),
            Step::Confirmed => confirmed::step(card, state, words),
            Step::Opening => confirmed::opening(card, state, words),
            Step::Moving | Step::Cancelling => changes::step(card, state, words),
        }
    });
    all.line("div", &[("class", "unseen"), ("role", "status")], &announcement(state, words));
    all
}

/// What is booked, and while a slot is picked the choices that there are in it.
fn about(nodes: &mut Nodes, state: &State, words: &impl Words) {
    let event = &state.event;
    let picking = state.step == Step::Pick && state.appointment.is_none();
    nodes.line("p", &[("class", "host")], &event.organization_name);
    nodes.line(
        "h2",
        &[("class", "title"), ("part", "title")],
        state.appointment.as_ref().map_or(&event.title, |it| &it.title),
    );
    if picking && event.durations.len() > 1 {
        lengths(nodes, state, words);
    } else {
        fact(nodes, "fact", outline::CLOCK, &length(state.duration, words));
    }
    // Once it is booked, the place stands with the time.
    if state.step != Step::Confirmed {
        place(nodes, &event.location, words);
    }
    if picking && !event.hosts.is_empty() {
        let mut options = Nodes::default();
        options.option("", &words.text("anyone"), &state.host);
        for host in &event.hosts {
            options.option(&host.id, &host.name, &state.host);
        }
        nodes.element("label", &[("class", "chooser")], |label| {
            chooser(label, outline::PERSON, &words.text("host"), "host", options);
        });
    } else if let Some(host) = event.hosts.iter().find(|host| host.id == state.host) {
        fact(nodes, "fact", outline::PERSON, &host.name);
    }
    if let (Step::Details, Some(start)) = (state.step, state.start) {
        fact(nodes, "fact chosen", outline::CALENDAR, &moment(start, &state.zone, words));
        times::elsewhere(nodes, state, start, words);
        let _is_told = times::clock_change(nodes, state, start, words);
    }
    if let (Step::Pick, Some(appointment)) = (state.step, &state.appointment) {
        nodes.line("h3", &[("class", "label"), ("data-heading", ""), ("tabindex", "-1")], &words.text("new_time"));
        fact(nodes, "fact old", outline::CALENDAR, &moment(appointment.start, &state.zone, words));
        button(nodes, "plain", "back", &words.text("back"));
    }
    if !event.description.is_empty() {
        nodes.line("p", &[("class", "text")], &event.description);
    }
}

/// The lengths on offer, side by side and in rising order.
fn lengths(nodes: &mut Nodes, state: &State, words: &impl Words) {
    // A day has few enough minutes to do without the code of a sort.
    let minutes = (0..=1440).filter(|minutes| state.event.durations.contains(minutes));
    let options = minutes.map(|minutes| (decimal(minutes), length(minutes, words), minutes == state.duration));
    choices(nodes, "lengths", &words.text("length"), "duration", &list(options));
}

/// Options side by side, of which one is chosen: each with its value and its text.
fn choices(nodes: &mut Nodes, class: &str, name: &str, press: &str, options: &[(String, String, bool)]) {
    nodes.element("div", &[("class", class), ("role", "radiogroup"), ("aria-label", name)], |group| {
        for (value, text, is_chosen) in options {
            let attributes = [
                ("type", "radio"),
                ("name", press),
                ("data-press", press),
                ("value", value),
                only_if(*is_chosen, "checked", ""),
            ];
            group.element("label", &[], |label| {
                label.element("input", &attributes, |_| ());
                label.line("span", &[], text);
            });
        }
    });
}

/// A quiet select with an icon instead of a label in sight, which says by `press` what it chooses.
fn chooser(label: &mut Nodes, outline: &str, name: &str, press: &str, options: Nodes) {
    label.icon(outline);
    label.line("span", &[("class", "unseen")], name);
    label.push("select", &[("data-press", press)], &[], options);
    label.icon(outline::FORTH);
}

/// A line with an icon.
fn fact(nodes: &mut Nodes, class: &str, outline: &str, text: &str) {
    nodes.element("p", &[("class", class)], |fact| {
        fact.icon(outline);
        fact.line("span", &[], text);
    });
}

/// `30 min`, `1 h`, `1 h 30 min`.
fn length(minutes: u32, words: &impl Words) -> String {
    let part = |key: &str, count: u32| counted(key, count, "", words);
    match (minutes / 60, minutes % 60) {
        (0, rest) => part("minutes", rest),
        (hours, 0) => part("hours", hours),
        (hours, rest) => {
            let parts = [part("hours", hours), part("minutes", rest)];
            fill(&words.text("hours_and_minutes"), &[("hours", &parts[0]), ("minutes", &parts[1])])
        }
    }
}

/// Day and time of an instant in a zone.
fn moment(at: Instant, zone: &Zone, words: &impl Words) -> String {
    fill(&words.text("moment"), &[("day", &words.day(zone.day(at))), ("time", &words.time(at, zone))])
}

/// Where it takes place.
fn place(nodes: &mut Nodes, location: &Location, words: &impl Words) {
    let (outline, key) = match location.kind.as_str() {
        "meet" => (outline::VIDEO, "place_meet"),
        "teams" => (outline::VIDEO, "place_teams"),
        "phone" => (outline::PHONE, "place_phone"),
        "address" => (outline::PLACE, "place_address"),
        _ => (outline::LINK, "place_link"),
    };
    fact(nodes, "fact", outline, &location.detail.clone().unwrap_or_else(|| words.text(key)));
}

fn announcement(state: &State, words: &impl Words) -> String {
    if state.zone_search.is_some() && state.found_zones().is_empty() && !state.zones.is_empty() {
        return words.text("no_zone");
    }
    match state.announcement {
        Announcement::Nothing => String::new(),
        Announcement::Times { day, count } => counted("times", count as u32, &words.day(day), words),
        Announcement::NoTimes(month) => no_times(month, state, words),
        Announcement::FieldProblems => words.text("check_fields"),
        Announcement::KeptFor(seconds) => fill(&words.text("kept_for"), &[("time", &countdown(seconds, words))]),
    }
}

/// A text that tells a number, and perhaps a day.
fn counted(key: &str, count: u32, day: &str, words: &impl Words) -> String {
    fill(&words.plural(key, count), &[("count", &words.number(count)), ("day", day)])
}

fn no_times(month: Month, state: &State, words: &impl Words) -> String {
    if state.view == View::Week {
        return words.text("no_times_week");
    }
    fill(&words.text("no_times"), &[("month", &words.month(month))])
}

/// `1:05`, in the digits of the language.
fn countdown(seconds: u32, words: &impl Words) -> String {
    let digit = |number| words.number(number);
    concat(&[&digit(seconds / 60), ":", &digit(seconds / 10 % 6), &digit(seconds % 10)])
}

/// The sentence above a step that says what went wrong; it takes the focus. Its place is always there.
fn notice(nodes: &mut Nodes, state: &State, words: &impl Words) {
    nodes.element("div", &[("class", "notices"), ("role", "alert")], |notices| {
        let key = if state.is_offline { Some("offline") } else { state.notice.map(Notice::key) };
        if let Some(key) = key {
            notices.line("p", &[("class", "notice"), ("tabindex", "-1")], &words.text(key));
        }
    });
}

/// A button that says by `press` what it does.
fn button(nodes: &mut Nodes, class: &str, press: &str, label: &str) {
    nodes.line("button", &[("type", "button"), ("class", class), ("data-press", press)], label);
}

fn message(message: &FieldMessage, words: &impl Words) -> String {
    match message {
        FieldMessage::Text(text) => text.clone(),
        FieldMessage::Problem(problem) => {
            let args = list(problem.args.iter().map(|(name, value)| (*name, value.as_str())));
            fill(&words.text(problem.key), &args)
        }
    }
}

/// Fills the `{name}` placeholders of a text in one pass: what an argument brings in is never read as a placeholder.
fn fill(template: &str, args: &[(&str, &str)]) -> String {
    let mut parts = template.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        filled.push_str(args.iter().find(|(key, _)| *key == name).map_or(name, |(_, value)| value));
        filled.push_str(rest);
    }
    filled
}
