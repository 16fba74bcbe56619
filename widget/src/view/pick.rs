//! The first step: the month as a grid by the ARIA Authoring Practices' date-picker pattern, and the times of a day.

use super::{Words, button, chooser, counted, no_times, notice, outline};
use crate::calendar::{Day, format_instant};
use crate::node::{Nodes, only_if};
use crate::state::State;

pub fn step(card: &mut Nodes, state: &State, words: &impl Words) {
    card.element("div", &[("class", "pick")], |pick| {
        notice(pick, state, words);
        pick.element("div", &[("class", "calendar")], |calendar| {
            calendar.element("div", &[("class", "month")], |month| {
                month.line("h3", &[("id", "month"), ("aria-live", "polite")], &words.month(state.month));
                turn(month, state.can_turn(-1), "earlier", &words.text("previous_month"), outline::BACK);
                turn(month, state.can_turn(1), "later", &words.text("next_month"), outline::FORTH);
            });
            grid(calendar, state, words);
        });
        pick.element("div", &[("class", "times")], |nodes| times(nodes, state, words));
        zone(pick, state, words);
    });
}

fn turn(month: &mut Nodes, possible: bool, press: &str, label: &str, outline: &str) {
    let attributes = [
        ("type", "button"),
        ("class", "turn"),
        ("data-press", press),
        ("aria-label", label),
        only_if(!possible, "disabled", ""),
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
    let free = state.free_days(state.month);
    calendar.element("div", &attributes, |grid| {
        grid.element("div", &[("class", "week head"), ("role", "row")], |head| {
            for column in 0..7 {
                let (short, full) = words.weekday((words.week_start() + column) % 7);
                head.line("div", &[("role", "columnheader"), ("aria-label", &full)], &short);
            }
        });
        for week in state.month.weeks(words.week_start()) {
            grid.element("div", &[("class", "week"), ("role", "row")], |row| {
                for day in week {
                    let chosen = only_if(day.is_some() && day == state.day, "aria-selected", "true");
                    row.element("div", &[("role", "gridcell"), chosen], |cell| {
                        if let Some(day) = day {
                            date(cell, state, day, free.contains(&day), words);
                        }
                    });
                }
            });
        }
    });
}

fn date(cell: &mut Nodes, state: &State, day: Day, is_free: bool, words: &impl Words) {
    let attributes = [
        ("type", "button"),
        ("class", "day"),
        ("data-day", &day.iso()),
        ("tabindex", if day == state.cursor { "0" } else { "-1" }),
        ("aria-label", &words.day(day)),
        only_if(!is_free, "aria-disabled", "true"),
        only_if(day == state.today, "aria-current", "date"),
    ];
    cell.line("button", &attributes, &day.civil().2.to_string());
}

fn times(nodes: &mut Nodes, state: &State, words: &impl Words) {
    let day = state.day.map(|day| (day, state.slots_of(day))).filter(|(_, slots)| !slots.is_empty());
    if let Some((day, slots)) = day {
        nodes.line("h3", &[("id", "day")], &words.day(day));
        nodes.element("div", &[("class", "list"), ("role", "group"), ("aria-labelledby", "day")], |list| {
            for slot in slots {
                let attributes = [("type", "button"), ("class", "slot"), ("data-start", &format_instant(slot.start))];
                list.element("button", &attributes, |button| {
                    button.text(&words.time(slot.start, &state.zone));
                    if let Some(seats) = slot.seats_left {
                        let key = if seats == 1 { "seat_left" } else { "seats_left" };
                        button.text(" ");
                        button.line("span", &[], &counted(key, seats as usize, "", words));
                    }
                });
            }
        });
    } else if state.is_loading() {
        nodes.element("div", &[("class", "waiting")], |waiting| {
            waiting.line("p", &[("class", "unseen")], &words.text("loading"));
        });
    } else {
        // A sentence where the times would stand, and a way on.
        nodes.element("div", &[("class", "hint")], |hint| {
            if state.shown().is_some_and(|known| known.failed) {
                hint.line("p", &[], &words.text("slots_failed"));
                button(hint, "plain", "retry", &words.text("retry"));
            } else {
                hint.line("p", &[], &no_times(state.month, words));
                if state.can_turn(1) {
                    button(hint, "plain", "seek", &words.text("next_free"));
                }
            }
        });
    }
}

/// The visitor's zone, to be changed, and its offset now.
fn zone(pick: &mut Nodes, state: &State, words: &impl Words) {
    let current = &state.zone.name;
    let unlisted = (!state.zone_names.contains(current)).then_some(current);
    let mut options = Nodes::default();
    for name in unlisted.into_iter().chain(&state.zone_names) {
        options.option(name, &name.replace('_', " "), current);
    }
    pick.element("label", &[("class", "chooser zone")], |label| {
        chooser(label, outline::GLOBE, &words.text("time_zone"), "zone", options);
        label.line("span", &[("class", "offset")], &offset_label(state.zone.offset(state.now)));
    });
}

/// Minutes east of UTC as `GMT+5:30`.
fn offset_label(offset: i32) -> String {
    let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
    let sign = if offset < 0 { "GMT−" } else { "GMT+" };
    let minutes = match minutes {
        0 => String::new(),
        1..10 => [":0", &minutes.to_string()].concat(),
        _ => [":", &minutes.to_string()].concat(),
    };
    [sign, &hours.to_string(), &minutes].concat()
}

#[cfg(test)]
mod tests {
    use super::offset_label;

    #[test]
    fn offsets_are_told_as_hours_with_minutes_where_there_are_any() {
        let labels = [0, 60, -180, 330, 345, -210, 65].map(offset_label);
        assert_eq!(labels, ["GMT+0", "GMT+1", "GMT−3", "GMT+5:30", "GMT+5:45", "GMT−3:30", "GMT+1:05"]);
    }
}
