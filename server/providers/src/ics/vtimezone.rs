//! A zone of the IANA database written as a `VTIMEZONE` (RFC 5545, section 3.6.5).

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::{OffsetComponents, OffsetName, Tz};
use cupo_core::interval::Interval;
use cupo_core::zone::{next_transition, offset_at};

use super::lines::{Component, Line};
use super::time::written_offset;

/// How long before and after an event its zone is told: an event that is moved a little stays within.
const BEFORE: TimeDelta = TimeDelta::days(400);
const AFTER: TimeDelta = TimeDelta::days(800);
const FORM: &str = "%Y%m%dT%H%M%S";

/// The changes of the zone's clocks around `event`, one by one: rules of the database cannot all be told as recurrence rules.
pub(super) fn component(zone: Tz, event: Interval) -> Component<'static> {
    let mut component = Component::new("VTIMEZONE");
    component.lines.push(Line::text("TZID", zone.name()));
    component.lines.push(Line::text("X-LIC-LOCATION", zone.name()));
    let from = event.start.checked_sub_signed(BEFORE).unwrap_or(event.start);
    let until = event.end.checked_add_signed(AFTER).unwrap_or(event.end);
    let offset = offset_at(zone, from);
    component.components.push(observance(zone, from, offset, offset));
    let mut after = from;
    while let Some(change) = next_transition(zone, after, until) {
        component.components.push(observance(zone, change.at, change.before, change.after));
        after = change.at;
    }
    component
}

fn observance(zone: Tz, at: DateTime<Utc>, before: TimeDelta, after: TimeDelta) -> Component<'static> {
    let there = zone.offset_from_utc_datetime(&at.naive_utc());
    let mut part = Component::new(if there.dst_offset() > TimeDelta::zero() { "DAYLIGHT" } else { "STANDARD" });
    part.lines.push(Line::new("DTSTART", &(at.naive_utc() + before).format(FORM).to_string()));
    part.lines.push(Line::new("TZOFFSETFROM", &written_offset(before)));
    part.lines.push(Line::new("TZOFFSETTO", &written_offset(after)));
    if let Some(name) = there.abbreviation() {
        part.lines.push(Line::text("TZNAME", name));
    }
    part
}
