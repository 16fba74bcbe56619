//! What becomes of the rule of a recurring event that is moved to another day.
//!
//! A rule may name days (RFC 5545 `BYDAY`, Graph's `daysOfWeek`), and the new start need not be one of them. It is the start that
//! an appointment decides, so the rule gives way: it goes on as often as before, from the new start.

use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};

use crate::event::EventTime;
use crate::zones::zone_named;

const CODES: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const WEEKS: [&str; 5] = ["first", "second", "third", "fourth", "last"];

/// What is left of a rule for an event that begins on another day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It holds the new start as it is.
    AsItIs,
    /// The value of the `RRULE`.
    Becomes(String),
    /// It ends before the new start: nothing recurs any more.
    Ends,
}

/// The day on which a time lies, by the clock of its own zone.
pub(crate) fn day_of(time: &EventTime) -> NaiveDate {
    match time {
        EventTime::Day(day) => *day,
        EventTime::Instant { at, time_zone } => {
            let zone = time_zone.as_deref().and_then(zone_named).unwrap_or(chrono_tz::Tz::UTC);
            at.with_timezone(&zone).date_naive()
        }
    }
}

/// The value of an `RRULE` whose event begins on `day` from now on.
pub(crate) fn rule_from(rule: &str, day: NaiveDate) -> Begun {
    let parts: Vec<(&str, &str)> = rule.trim().split(';').filter_map(|part| part.split_once('=')).collect();
    let value = |name: &str| parts.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
    // The date of `UNTIL` is its first eight digits, whatever form it has; digits compare as dates do.
    if value("UNTIL")
        .is_some_and(|until| until.get(..8).is_some_and(|until| until < day.format("%Y%m%d").to_string().as_str()))
    {
        return Begun::Ends;
    }
    let is_by = |name: &str| name.len() > 2 && name.is_char_boundary(2) && name[..2].eq_ignore_ascii_case("BY");
    let named: Vec<&str> = parts.iter().map(|(name, _)| *name).filter(|name| is_by(name)).collect();
    let code = CODES[day.weekday().num_days_from_monday() as usize];
    let is_of_days =
        value("FREQ").is_some_and(|freq| ["DAILY", "WEEKLY"].iter().any(|it| freq.eq_ignore_ascii_case(it)));
    let holds = match named.as_slice() {
        [] => true,
        [only] if is_of_days && only.eq_ignore_ascii_case("BYDAY") => {
            value("BYDAY").is_some_and(|days| days.split(',').any(|day| day.trim().eq_ignore_ascii_case(code)))
        }
        _ => false,
    };
    if holds {
        return Begun::AsItIs;
    }
    let kept: Vec<String> =
        parts.iter().filter(|(name, _)| !is_by(name)).map(|(name, value)| format!("{name}={value}")).collect();
    Begun::Becomes(kept.join(";"))
}

/// The lines of Google's `recurrence` for an event that begins on `day` from now on; `None` when they hold it as they are. Dates
/// that the old rule left out or added belong to the old times.
pub(crate) fn lines_from(lines: &[String], day: NaiveDate) -> Option<Vec<String>> {
    let rules: Vec<Begun> =
        lines.iter().filter_map(|line| line.strip_prefix("RRULE:")).map(|rule| rule_from(rule, day)).collect();
    if rules.iter().all(|rule| *rule == Begun::AsItIs) {
        return None;
    }
    let old = lines.iter().filter(|line| line.starts_with("RRULE:"));
    Some(
        old.zip(rules)
            .filter_map(|(line, rule)| match rule {
                Begun::AsItIs => Some(line.clone()),
                Begun::Becomes(rule) => Some(format!("RRULE:{rule}")),
                Begun::Ends => None,
            })
            .collect(),
    )
}

/// Graph's `patternedRecurrence` for an event that begins on `day` from now on.
pub(crate) fn pattern_from(recurrence: &Value, day: NaiveDate) -> Value {
    let mut recurrence = recurrence.clone();
    let weekday = NAMES[day.weekday().num_days_from_monday() as usize];
    let pattern = &mut recurrence["pattern"];
    let names_day = pattern["daysOfWeek"]
        .as_array()
        .is_some_and(|days| days.iter().any(|day| day.as_str().is_some_and(|day| day.eq_ignore_ascii_case(weekday))));
    let kind = pattern["type"].as_str().unwrap_or_default().to_owned();
    match kind.as_str() {
        "weekly" if !names_day => pattern["daysOfWeek"] = json!([weekday]),
        "absoluteMonthly" => pattern["dayOfMonth"] = day.day().into(),
        "absoluteYearly" => {
            pattern["dayOfMonth"] = day.day().into();
            pattern["month"] = day.month().into();
        }
        "relativeMonthly" | "relativeYearly" => {
            pattern["daysOfWeek"] = json!([weekday]);
            pattern["index"] = WEEKS[(day.day0() / 7) as usize].into();
            if kind == "relativeYearly" {
                pattern["month"] = day.month().into();
            }
        }
        _ => {}
    }
    let range = &mut recurrence["range"];
    let ends_before = range["type"] == "endDate"
        && range["endDate"].as_str().and_then(|end| end.parse::<NaiveDate>().ok()).is_some_and(|end| end < day);
    range["startDate"] = day.to_string().into();
    if ends_before {
        range["type"] = "numbered".into();
        range["numberOfOccurrences"] = 1.into();
    }
    recurrence
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Thursday, the fourth of its month.
    fn thursday() -> NaiveDate {
        "2026-11-26".parse().unwrap()
    }

    #[test]
    fn a_rule_that_holds_the_new_start_stays() {
        for rule in
            ["FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=TU,TH", "FREQ=DAILY;COUNT=3", "FREQ=MONTHLY;UNTIL=20261126T090000Z"]
        {
            assert_eq!(rule_from(rule, thursday()), Begun::AsItIs, "{rule}");
        }
    }

    #[test]
    fn a_rule_that_names_other_days_goes_on_from_the_new_start() {
        let becomes = |rule| match rule_from(rule, thursday()) {
            Begun::Becomes(rule) => rule,
            other => panic!("{rule}: {other:?}"),
        };
        assert_eq!(becomes("FREQ=WEEKLY;BYDAY=WE;COUNT=3"), "FREQ=WEEKLY;COUNT=3");
        assert_eq!(becomes("FREQ=MONTHLY;BYMONTHDAY=25"), "FREQ=MONTHLY");
        assert_eq!(becomes("FREQ=MONTHLY;BYDAY=4TH;INTERVAL=2"), "FREQ=MONTHLY;INTERVAL=2");
        assert_eq!(rule_from("FREQ=WEEKLY;UNTIL=20261125", thursday()), Begun::Ends);
    }

    #[test]
    fn dates_of_the_old_times_go_with_the_old_rule() {
        let lines = ["RRULE:FREQ=WEEKLY;BYDAY=WE".to_owned(), "EXDATE:20261202T090000Z".to_owned()];
        assert_eq!(lines_from(&lines, thursday()).unwrap(), ["RRULE:FREQ=WEEKLY"]);
        assert_eq!(lines_from(&["RRULE:FREQ=WEEKLY".to_owned(), lines[1].clone()], thursday()), None);
    }

    #[test]
    fn a_pattern_of_graph_follows_the_new_start() {
        let of = |pattern: Value, range: Value| pattern_from(&json!({"pattern": pattern, "range": range}), thursday());
        let endless = || json!({"type": "noEnd", "startDate": "2026-11-25"});
        let weekly = of(json!({"type": "weekly", "daysOfWeek": ["wednesday"]}), endless());
        assert_eq!(weekly["pattern"]["daysOfWeek"], json!(["thursday"]));
        assert_eq!(weekly["range"]["startDate"], "2026-11-26");
        let relative = of(json!({"type": "relativeMonthly", "daysOfWeek": ["wednesday"], "index": "last"}), endless());
        assert_eq!(relative["pattern"]["index"], "fourth");
        let absolute = of(json!({"type": "absoluteYearly", "dayOfMonth": 25, "month": 10}), endless());
        assert_eq!((&absolute["pattern"]["dayOfMonth"], &absolute["pattern"]["month"]), (&json!(26), &json!(11)));
        let ended = of(
            json!({"type": "daily", "interval": 1}),
            json!({"type": "endDate", "startDate": "2026-11-01", "endDate": "2026-11-25"}),
        );
        assert_eq!((&ended["range"]["type"], &ended["range"]["numberOfOccurrences"]), (&json!("numbered"), &json!(1)));
    }
}
