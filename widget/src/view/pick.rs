//! The first step: a month or a week as a grid by the ARIA Authoring Practices' date-picker pattern, or a list, and the times.

use super::{Words, choices, fill, moment, notice, outline, times, zone};
use crate::calendar::{Day, format_instant};
use crate::node::{Nodes, only_if};
use crate::state::{State, View};
use crate::strings::concat;

pub fn step(card: &mut Nodes, state: &State, words: &impl Words) {
    let name = View::ALL.iter().find(|(view, ..)| *view == state.view).map_or("", |(_, name, _)| *name);
    card.element("div", &[("class", "pick"), ("data-view", name)], |pick| {
        notice(pick, state, words);
        pick.element("div", &[("class", "bar")], |bar| self::bar(bar, state, words));
        pick.element("div", &[("class", "calendar"), ("part", "calendar")], |calendar| {
            calendar.element("div", &[("class", "month")], |month| {
                let heading = [("id", "month"), ("aria-live", "polite"), ("tabindex", "-1")];
                month.line("h3", &heading, &title(state, words));
                let (before, after) = match state.view {
                    View::Week => ("previous_week", "next_week"),
                    _ => ("previous_month", "next_month"),
                };
                turn(month, state.can_turn(-1), "earlier", &words.text(before), outline::BACK);
                turn(month, state.can_turn(1), "later", &words.text(after), outline::FORTH);
            });
            if state.view != View::List {
                grid(calendar, state, words);
            }
        });
        pick.element("div", &[("class", "times"), ("part", "times")], |nodes| times::times(nodes, state, words));
        pick.element("div", &[("class", "zone")], |nodes| zone::zone(nodes, state, words));
    });
}

/// The free time that is soonest, and the choice of view.
fn bar(bar: &mut Nodes, state: &State, words: &impl Words) {
    if let Some(slot) = state.soonest() {
        let start = format_instant(slot.start);
        let attributes =
            [("type", "button"), ("class", "soonest"), ("data-press", "soonest"), ("value", start.as_str())];
        bar.element("button", &attributes, |button| {
            button.icon(outline::SOON);
            let time = moment(slot.start, &state.zone, words);
            button.line("span", &[], &fill(&words.text("next_slot"), &[("time", &time)]));
        });
    }
    let views = View::ALL.map(|(view, name, key)| (name.to_owned(), words.text(key), view == state.view));
    choices(bar, "switch", &words.text("view"), "view", &views);
}

/// The month in sight; two where the week belongs to both.
fn title(state: &State, words: &impl Words) -> String {
    let [first, .., last] = state.week().map(|day| day.month());
    match state.view {
        View::Week if first != last => concat(&[&words.month(first), " – ", &words.month(last)]),
        _ => words.month(state.month),
    }
}

/// It stays where it is when there is nothing beyond, so that it keeps the focus.
fn turn(month: &mut Nodes, possible: bool, press: &str, label: &str, outline: &str) {
    let attributes = [
        ("type", "button"),
        ("class", "turn"),
        ("data-press", press),
        ("aria-label", label),
        only_if(!possible, "aria-disabled", "true"),
    ];
    month.element("button", &attributes, |turn| turn.icon(outline));
}

fn grid(calendar: &mut Nodes, state: &State, words: &impl Words) {
    let attributes = [
        ("class", "grid"),
        ("role", "grid"),
        ("aria-labelledby", "month"),
        only_if(state.is_loading(), "aria-busy", "true"),
    ];
    let week_start = state.wishes.week_start;
    let weeks = match state.view {
        View::Week => vec![state.week().map(Some)],
        _ => state.month.weeks(week_start),
    };
    calendar.element("div", &attributes, |grid| {
        grid.element("div", &[("class", "week head"), ("role", "row")], |head| {
            for column in 0..7 {
                let (short, full) = words.weekday((week_start + column) % 7);
                head.line("div", &[("role", "columnheader"), ("aria-label", &full)], &short);
            }
        });
        for week in weeks {
            grid.element("div", &[("class", "week"), ("role", "row")], |row| {
                for day in week {
                    let chosen = only_if(day.is_some() && day == state.day, "aria-selected", "true");
                    row.element("div", &[("role", "gridcell"), chosen], |cell| {
                        if let Some(day) = day {
                            date(cell, state, day, words);
                        }
                    });
                }
            });
        }
    });
}

fn date(cell: &mut Nodes, state: &State, day: Day, words: &impl Words) {
    let attributes = [
        ("type", "button"),
        ("class", "day"),
        ("part", "day"),
        ("data-day", &day.iso()),
        ("tabindex", if day == state.cursor { "0" } else { "-1" }),
        ("aria-label", &words.day(day)),
        only_if(!state.is_free(day), "aria-disabled", "true"),
        only_if(day == state.today, "aria-current", "date"),
    ];
    cell.line("button", &attributes, &words.number(day.civil().2 as u32));
}
