//! Where the instances of a recurring event stand (RFC 5545, by the crate `rrule`).

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rrule::RRuleSet;

use super::event_time::EventTime;
use super::wire::ApiError;
use super::world::{Calendar, Event, InstanceOf};

/// More instances than any window of a calendar shows.
const MAX_INSTANCES: u16 = 5_000;

/// An instant range, `from` inclusive and `to` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// Checks that `recurrence` is a set of rules that can be expanded from `start`.
pub fn validate(start: EventTime, recurrence: &[String]) -> Result<(), ApiError> {
    rule_set(start, recurrence).map(drop)
}

/// The starts by the rule that lie in `window` (compared by start), in order.
pub fn starts(start: EventTime, recurrence: &[String], window: Window, calendar_zone: Tz) -> Vec<EventTime> {
    let Ok(set) = rule_set(start, recurrence) else { return Vec::new() };
    // A day of the calendar's zone is expanded as a day of UTC: the window widens by the largest offset.
    let slack = if matches!(start, EventTime::AllDay { .. }) { TimeDelta::hours(15) } else { TimeDelta::zero() };
    let (from, to) = (window.from - slack, window.to + slack);
    let found = set.after(from.with_timezone(&rrule::Tz::UTC)).before(to.with_timezone(&rrule::Tz::UTC));
    let times = found.all(MAX_INSTANCES).dates.into_iter().map(|date| match start {
        EventTime::Timed { zone, .. } => EventTime::Timed { at: date.to_utc(), zone },
        EventTime::AllDay { .. } => EventTime::AllDay { date: date.date_naive() },
    });
    let within = |time: &EventTime| {
        let at = time.instant(calendar_zone);
        at >= window.from && at < window.to
    };
    times.filter(within).collect()
}

/// Whether an instance of `event` starts at `original`.
pub fn has_instance(event: &Event, original: EventTime, calendar_zone: Tz) -> bool {
    let at = original.instant(calendar_zone);
    let window = Window { from: at, to: at + TimeDelta::seconds(1) };
    starts(event.start, &event.recurrence, window, calendar_zone).contains(&original)
}

/// The instance of the recurring event `id` at `original`, as the rule alone makes it.
pub fn instance(id: &str, event: &Event, original: EventTime) -> Event {
    Event {
        start: original,
        end: event.end.moved(event.start, original),
        recurrence: Vec::new(),
        former_rules: Vec::new(),
        instance_of: Some(InstanceOf { recurring_event_id: id.to_owned(), original_start: original }),
        ..event.clone()
    }
}

/// The id of the instance of `recurring_event_id` that stood at `original`.
pub fn instance_id(recurring_event_id: &str, original: EventTime) -> String {
    format!("{recurring_event_id}_{}", original.instance_suffix())
}

/// Finds the recurring event and the place of an instance that is not stored, by its id.
pub fn find_instance(calendar: &Calendar, id: &str) -> Option<(String, EventTime)> {
    let (recurring_event_id, suffix) = id.rsplit_once('_')?;
    let event = calendar.events.get(recurring_event_id).filter(|event| !event.recurrence.is_empty())?;
    let original = match event.start {
        EventTime::Timed { zone, .. } => {
            let at = chrono::NaiveDateTime::parse_from_str(suffix, "%Y%m%dT%H%M%SZ").ok()?.and_utc();
            EventTime::Timed { at, zone }
        }
        EventTime::AllDay { .. } => {
            EventTime::AllDay { date: chrono::NaiveDate::parse_from_str(suffix, "%Y%m%d").ok()? }
        }
    };
    has_instance(event, original, calendar.time_zone).then(|| (recurring_event_id.to_owned(), original))
}

fn rule_set(start: EventTime, recurrence: &[String]) -> Result<RRuleSet, ApiError> {
    let first = match start {
        EventTime::Timed { at, zone } => {
            format!("DTSTART;TZID={}:{}", zone.name(), at.with_timezone(&zone).format("%Y%m%dT%H%M%S"))
        }
        EventTime::AllDay { date } => format!("DTSTART:{}T000000Z", date.format("%Y%m%d")),
    };
    let mut text = first;
    for line in recurrence {
        text.push('\n');
        text.push_str(&normalised(line)?);
    }
    text.parse().map_err(|error| ApiError::invalid(format!("Invalid recurrence rule: {error}")))
}

/// Writes whole days as midnights of UTC: the crate wants one value type throughout a set.
fn normalised(line: &str) -> Result<String, ApiError> {
    let line = line.trim();
    let (name, value) = line.split_once(':').ok_or_else(|| ApiError::invalid("Invalid recurrence rule."))?;
    let kind = name.split(';').next().unwrap_or_default();
    match kind {
        "RRULE" => {
            let parts = value.split(';').map(|part| match part.strip_prefix("UNTIL=") {
                Some(until) if until.len() == 8 => format!("UNTIL={until}T235959Z"),
                _ => part.to_owned(),
            });
            Ok(format!("RRULE:{}", parts.collect::<Vec<_>>().join(";")))
        }
        "EXDATE" | "RDATE" if name.contains("VALUE=DATE") && !name.contains("VALUE=DATE-TIME") => {
            let days = value.split(',').map(|day| format!("{day}T000000Z"));
            Ok(format!("{kind}:{}", days.collect::<Vec<_>>().join(",")))
        }
        "EXDATE" | "RDATE" => Ok(line.to_owned()),
        _ => Err(ApiError::invalid(format!("Invalid recurrence rule: {kind} is not allowed here."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(text: &str, zone: Tz) -> EventTime {
        EventTime::Timed { at: text.parse().unwrap(), zone }
    }

    fn expand(start: EventTime, rules: &[&str], from: &str, to: &str) -> Vec<String> {
        let rules: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
        let window = Window { from: from.parse().unwrap(), to: to.parse().unwrap() };
        let found = starts(start, &rules, window, Tz::Europe__Madrid);
        found.into_iter().map(EventTime::instance_suffix).collect()
    }

    #[test]
    fn a_weekly_event_keeps_its_wall_clock_time_over_the_change_of_the_clocks() {
        let start = timed("2026-10-19T08:00:00Z", Tz::Europe__Madrid);
        let found = expand(start, &["RRULE:FREQ=WEEKLY;COUNT=3"], "2026-10-01T00:00:00Z", "2026-12-01T00:00:00Z");
        assert_eq!(found, ["20261019T080000Z", "20261026T090000Z", "20261102T090000Z"]);
    }

    #[test]
    fn excluded_days_and_the_until_day_are_honoured() {
        let start = timed("2026-11-02T09:00:00Z", Tz::Europe__Madrid);
        let rules = ["RRULE:FREQ=DAILY;UNTIL=20261106", "EXDATE;TZID=Europe/Madrid:20261104T100000"];
        let found = expand(start, &rules, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z");
        assert_eq!(found, ["20261102T090000Z", "20261103T090000Z", "20261105T090000Z", "20261106T090000Z"]);
    }

    #[test]
    fn whole_days_repeat_as_days_of_the_calendar() {
        let start = EventTime::AllDay { date: "2026-11-02".parse().unwrap() };
        let rules = ["RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", "EXDATE;VALUE=DATE:20261116"];
        let found = expand(start, &rules, "2026-11-01T23:00:00Z", "2026-11-29T23:00:00Z");
        assert_eq!(found, ["20261102", "20261104", "20261118"]);
    }

    #[test]
    fn a_monthly_rule_by_weekday_is_understood() {
        let start = timed("2026-11-10T15:00:00Z", Tz::America__New_York);
        let found =
            expand(start, &["RRULE:FREQ=MONTHLY;BYDAY=2TU;COUNT=2"], "2026-11-01T00:00:00Z", "2027-02-01T00:00:00Z");
        assert_eq!(found, ["20261110T150000Z", "20261208T150000Z"]);
    }

    #[test]
    fn a_line_that_is_no_rule_is_refused() {
        let start = timed("2026-11-02T09:00:00Z", Tz::UTC);
        assert!(validate(start, &["DTSTART:20261102T090000Z".to_owned()]).is_err());
        assert!(validate(start, &["RRULE:FREQ=SOMETIMES".to_owned()]).is_err());
    }
}
