//! Graph's times: a local time without an offset, and the name of its zone.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use cupo_core::zone::first_instant_at_or_after;
use serde_json::{Value, json};

use super::{Unreadable, wire};
use crate::event::EventTime;
use crate::zones::zone_named;

/// Start and end of an event.
pub(super) fn of_event(event: &wire::Event) -> Result<(EventTime, EventTime), Unreadable> {
    let start = event.start.as_ref().ok_or(Unreadable::Field("start"))?;
    let end = event.end.as_ref().ok_or(Unreadable::Field("end"))?;
    let start_zone = original_zone(event.original_start_time_zone.as_deref());
    let end_zone = original_zone(event.original_end_time_zone.as_deref());
    if event.is_all_day.unwrap_or_default() {
        let start = EventTime::Day(day(start, start_zone, Border::Start, "start")?);
        return Ok((start, EventTime::Day(day(end, end_zone, Border::End, "end")?)));
    }
    let at = |time, zone: Option<Tz>, field| {
        let time_zone = zone.map(|zone| zone.name().to_owned());
        Ok(EventTime::Instant { at: instant_in(time, field)?, time_zone })
    };
    Ok((at(start, start_zone, "start")?, at(end, end_zone, "end")?))
}

/// The zone that an event was entered in. It is a label of an instant that is known without it, so an unknown name only
/// loses the label: `Customized Time Zone`, `tzone://Microsoft/Custom`.
pub(super) fn original_zone(name: Option<&str>) -> Option<Tz> {
    zone_named(name?)
}

/// The instant of a time. `None` when it cannot be read, its zone included.
pub(in crate::microsoft) fn instant(time: &wire::DateTimeTimeZone) -> Option<DateTime<Utc>> {
    instant_in(time, "dateTime").ok()
}

fn instant_in(time: &wire::DateTimeTimeZone, field: &'static str) -> Result<DateTime<Utc>, Unreadable> {
    let text = time.date_time.as_deref().ok_or(Unreadable::Field(field))?;
    let at = match DateTime::parse_from_rfc3339(text) {
        Ok(at) => at.to_utc(),
        Err(_) => first_instant_at_or_after(zone(time, field)?, local(text).ok_or(Unreadable::Field(field))?),
    };
    // Beyond these, arithmetic on the time could leave chrono's range.
    if (0..=9999).contains(&at.year()) { Ok(at) } else { Err(Unreadable::Field(field)) }
}

/// Which end of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Border {
    Start,
    End,
}

/// The day of an all-day event's border. All-day events begin and end at midnight of the zone that they are told in;
/// what comes at another time was told in another zone than it was entered in. When that is not known either, the event
/// has all the days that it touches.
fn day(
    time: &wire::DateTimeTimeZone,
    original: Option<Tz>,
    border: Border,
    field: &'static str,
) -> Result<NaiveDate, Unreadable> {
    let text = time.date_time.as_deref().ok_or(Unreadable::Field(field))?;
    if let Some(local) = local(text).filter(|local| local.time() == NaiveTime::MIN) {
        return Ok(local.date());
    }
    let local = instant_in(time, field)?.with_timezone(&original.unwrap_or(Tz::UTC)).naive_local();
    let is_midnight = local.time() == NaiveTime::MIN;
    let day = if border == Border::End && !is_midnight { local.date().succ_opt() } else { Some(local.date()) };
    day.filter(|day| (0..=9999).contains(&day.year())).ok_or(Unreadable::Field(field))
}

fn zone(time: &wire::DateTimeTimeZone, field: &'static str) -> Result<Tz, Unreadable> {
    let name = time.time_zone.as_deref().ok_or(Unreadable::Field(field))?;
    zone_named(name).ok_or_else(|| Unreadable::TimeZone(name.chars().take(64).collect()))
}

fn local(text: &str) -> Option<NaiveDateTime> {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    (0..=9999).contains(&local.year()).then_some(local)
}

/// A time as it is written: in its own zone, so that the calendar shows it there, wherever the local time says which
/// instant is meant. In the hour that a clock change repeats it does not, and UTC does.
pub(super) fn body(time: &EventTime) -> Value {
    match time {
        EventTime::Instant { at, time_zone } => {
            let zone = time_zone.as_deref().and_then(zone_named).unwrap_or(Tz::UTC);
            let local = at.with_timezone(&zone).naive_local();
            let is_plain = zone.from_local_datetime(&local).single().is_some_and(|back| back == *at);
            let (local, zone) = if is_plain { (local, zone) } else { (at.naive_utc(), Tz::UTC) };
            json!({"dateTime": local.format("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": zone.name()})
        }
        EventTime::Day(day) => json!({"dateTime": format!("{day}T00:00:00"), "timeZone": "UTC"}),
    }
}
