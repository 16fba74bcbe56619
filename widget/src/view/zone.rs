//! The visitor's zone, and the list from which another one is chosen: a combobox by the ARIA Authoring Practices.

use super::{Words, outline};
use crate::calendar::{Instant, MINUTE};
use crate::node::{Nodes, only_if};
use crate::state::{State, ZoneSearch};
use crate::strings::{concat, decimal};
use crate::zone::{Zone, city, offset_label};

pub fn zone(nodes: &mut Nodes, state: &State, words: &impl Words) {
    let search = state.zone_search.as_ref();
    let expanded = if search.is_some() { "true" } else { "false" };
    let attributes = [
        ("type", "button"),
        ("class", "chooser"),
        ("part", "zone"),
        ("data-press", "zones"),
        ("aria-expanded", expanded),
    ];
    nodes.element("button", &attributes, |button| {
        button.icon(outline::GLOBE);
        button.line("span", &[("class", "unseen")], &words.text("time_zone"));
        button.line("span", &[("class", "city")], &city(&state.zone.name));
        offset(button, state.zone.offset(state.now));
        button.icon(outline::FORTH);
    });
    if let Some(search) = search {
        nodes.element("div", &[("class", "zones")], |panel| list(panel, state, search, words));
    }
}

fn list(panel: &mut Nodes, state: &State, search: &ZoneSearch, words: &impl Words) {
    let found = state.found_zones();
    let label = words.text("search_zone");
    let active = option_id(search.active);
    let attributes = [
        ("type", "text"),
        ("role", "combobox"),
        ("aria-label", &label),
        ("placeholder", &label),
        ("aria-autocomplete", "list"),
        ("aria-expanded", if found.is_empty() { "false" } else { "true" }),
        ("aria-controls", "zones"),
        only_if(!found.is_empty(), "aria-activedescendant", &active),
        ("autocomplete", "off"),
        ("spellcheck", "false"),
    ];
    panel.element("input", &attributes, |_| ());
    if found.is_empty() {
        if !state.zones.is_empty() {
            panel.line("p", &[("class", "hint")], &words.text("no_zone"));
        }
        return;
    }
    // One formatter tells the time of every zone: as if it were the one of UTC, later by the zone's offset.
    let utc = Zone::fixed("UTC", 0);
    panel.element("ul", &[("id", "zones"), ("role", "listbox"), ("aria-label", &words.text("time_zone"))], |list| {
        for (place, zone) in found.into_iter().enumerate() {
            let attributes = [
                ("role", "option"),
                ("id", &option_id(place)),
                ("data-zone", &zone.name),
                only_if(place == search.active, "aria-selected", "true"),
            ];
            list.element("li", &attributes, |option| {
                option.line("span", &[], &city(&zone.name));
                option.text(" ");
                let time = words.time(state.now + Instant::from(zone.offset) * MINUTE, &utc);
                option.element("small", &[], |small| {
                    small.text(&concat(&[&time, " · "]));
                    offset(small, zone.offset);
                });
            });
        }
    });
}

/// Minutes east of UTC, which read from left to right in every language.
fn offset(nodes: &mut Nodes, minutes: i32) {
    nodes.line("span", &[("class", "offset")], &offset_label(minutes));
}

fn option_id(place: usize) -> String {
    concat(&["zone-", &decimal(place as u32)])
}
