//! The free times: of the chosen day, of each day of a week, or of one day after the other.

use super::{Words, button, counted, fill, moment, no_times};
use crate::calendar::{Day, Instant, format_instant};
use crate::node::Nodes;
use crate::state::{State, View};
use crate::zone::city;

pub fn times(nodes: &mut Nodes, state: &State, words: &impl Words) {
    let Some(day) = state.day.filter(|day| state.is_free(*day)) else { return without(nodes, state, words) };
    match state.view {
        View::Month => {
            heading(nodes, state, day, &mut false, words);
            list(nodes, "list", state, day, words);
        }
        View::Week => {
            heading(nodes, state, day, &mut false, words);
            nodes.element("div", &[("class", "columns")], |columns| {
                for other in state.week() {
                    list(columns, if other == day { "list on" } else { "list" }, state, other, words);
                }
            });
            // The week may belong to two months.
            if state.has_failed() {
                failed(nodes, words);
            }
        }
        View::List => {
            let days = state.listed_days();
            let mut is_told = false;
            for day in &days {
                nodes.element("section", &[], |section| {
                    heading(section, state, *day, &mut is_told, words);
                    list(section, "list", state, *day, words);
                });
            }
            if days.len() < state.free_days(state.month).len() {
                button(nodes, "plain", "more", &words.text("more_days"));
            }
        }
    }
}

/// The date; and unless that is told already, that the clocks change before then.
fn heading(nodes: &mut Nodes, state: &State, day: Day, is_told: &mut bool, words: &impl Words) {
    nodes.line("h3", &[], &words.day(day));
    if let Some(slot) = state.slots_of(day).first().filter(|_| !*is_told) {
        *is_told = clock_change(nodes, state, slot.start, words);
    }
}

/// Says that the clocks change between now and an instant, here or where the host is; `false` where they do not.
pub fn clock_change(nodes: &mut Nodes, state: &State, at: Instant, words: &impl Words) -> bool {
    for zone in [Some(&state.zone), state.wishes.host_zone.as_ref()].into_iter().flatten() {
        if let Some(day) = zone.change(state.now, at) {
            let sentence = fill(&words.text("clock_change"), &[("city", &city(&zone.name)), ("day", &words.day(day))]);
            nodes.line("p", &[("class", "aside")], &sentence);
            return true;
        }
    }
    false
}

/// Day and time of an instant where the host is, if it is another day there.
pub fn elsewhere(nodes: &mut Nodes, state: &State, at: Instant, words: &impl Words) {
    if let Some(zone) = &state.wishes.host_zone
        && zone.day(at) != state.zone.day(at)
    {
        there(nodes, &moment(at, zone, words), &zone.name, words);
    }
}

fn there(nodes: &mut Nodes, day: &str, zone: &str, words: &impl Words) {
    nodes.line("p", &[("class", "aside")], &fill(&words.text("there"), &[("day", day), ("city", &city(zone))]));
}

/// The times of a day; between them is said where another day begins for the host.
fn list(nodes: &mut Nodes, class: &str, state: &State, day: Day, words: &impl Words) {
    let mut said = day;
    nodes.element("div", &[("class", class), ("role", "group"), ("aria-label", &words.day(day))], |list| {
        for slot in state.slots_of(day) {
            if let Some(zone) = &state.wishes.host_zone
                && zone.day(slot.start) != said
            {
                said = zone.day(slot.start);
                there(list, &words.day(said), &zone.name, words);
            }
            let start = format_instant(slot.start);
            let attributes = [("type", "button"), ("class", "slot"), ("part", "slot"), ("data-start", &start)];
            list.element("button", &attributes, |button| {
                button.text(&words.time(slot.start, &state.zone));
                if let Some(seats) = slot.seats_left {
                    button.text(" ");
                    button.line("span", &[], &counted("seats", seats, "", words));
                }
            });
        }
    });
}

/// What stands in the place of times, and a way on.
fn without(nodes: &mut Nodes, state: &State, words: &impl Words) {
    if state.is_loading() {
        nodes.element("div", &[("class", "waiting")], |waiting| {
            let (class, key) = if state.is_slow { ("slow", "slow") } else { ("unseen", "loading") };
            waiting.line("p", &[("class", class)], &words.text(key));
        });
    } else {
        if state.has_failed() {
            return failed(nodes, words);
        }
        nodes.element("div", &[("class", "hint")], |hint| {
            hint.line("p", &[], &no_times(state.month, state, words));
            if state.can_turn(1) {
                button(hint, "plain", "seek", &words.text("next_free"));
            }
        });
    }
}

/// In the place of times that could not be had.
fn failed(nodes: &mut Nodes, words: &impl Words) {
    nodes.element("div", &[("class", "hint")], |hint| {
        hint.line("p", &[], &words.text("slots_failed"));
        button(hint, "plain", "retry", &words.text("retry"));
    });
}
