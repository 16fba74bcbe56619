//! `patternedRecurrence`: where the occurrences of a series stand.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::event_time::EventTime;
use super::graph::error::GraphError;
use super::zones;

/// More occurrences than any window of a calendar shows; an endless series ends here.
const MOST_OCCURRENCES: usize = 5_000;
const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const INDEXES: [&str; 5] = ["first", "second", "third", "fourth", "last"];

/// How often, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrence {
    pub pattern: Pattern,
    pub range: Range,
}

/// `recurrencePattern`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pattern {
    pub kind: PatternKind,
    pub interval: u32,
    pub month: u32,
    pub day_of_month: u32,
    pub days_of_week: Vec<Weekday>,
    pub first_day_of_week: Weekday,
    /// Of [`INDEXES`].
    pub index: usize,
}

/// `recurrencePatternType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PatternKind {
    Daily,
    Weekly,
    AbsoluteMonthly,
    RelativeMonthly,
    AbsoluteYearly,
    RelativeYearly,
}

/// `recurrenceRange`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    pub start: NaiveDate,
    pub end: RangeEnd,
    pub zone_name: String,
}

/// How a series ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RangeEnd {
    /// The last possible day.
    EndDate(NaiveDate),
    Numbered(u32),
    NoEnd,
}

impl Recurrence {
    /// Reads a `patternedRecurrence` of an event that starts at `start`.
    pub fn parse(value: &Value, start: EventTime) -> Result<Self, GraphError> {
        let pattern =
            value.get("pattern").and_then(Value::as_object).ok_or_else(|| invalid("The pattern is missing."))?;
        let range = value.get("range").and_then(Value::as_object).ok_or_else(|| invalid("The range is missing."))?;
        let recurrence = Self { pattern: Pattern::parse(pattern)?, range: Range::parse(range, start)? };
        if recurrence.dates().next().is_none() {
            return Err(invalid("The recurrence has no occurrences."));
        }
        Ok(recurrence)
    }

    /// The API's form: every member is there, whether it matters or not.
    pub fn to_json(&self) -> Value {
        let (pattern, range) = (&self.pattern, &self.range);
        let (kind, end, count) = match range.end {
            RangeEnd::EndDate(date) => ("endDate", date.to_string(), 0),
            RangeEnd::Numbered(count) => ("numbered", "0001-01-01".to_owned(), count),
            RangeEnd::NoEnd => ("noEnd", "0001-01-01".to_owned(), 0),
        };
        json!({
            "pattern": {
                "type": pattern.kind,
                "interval": pattern.interval,
                "month": pattern.month,
                "dayOfMonth": pattern.day_of_month,
                "daysOfWeek": pattern.days_of_week.iter().map(|day| day_name(*day)).collect::<Vec<_>>(),
                "firstDayOfWeek": day_name(pattern.first_day_of_week),
                "index": INDEXES[pattern.index],
            },
            "range": {
                "type": kind,
                "startDate": range.start,
                "endDate": end,
                "recurrenceTimeZone": range.zone_name,
                "numberOfOccurrences": count,
            },
        })
    }

    /// The days of the occurrences in order, each in the zone of the series.
    pub fn dates(&self) -> impl Iterator<Item = NaiveDate> {
        let (last, most) = match self.range.end {
            RangeEnd::EndDate(date) => (date, MOST_OCCURRENCES),
            RangeEnd::Numbered(count) => (NaiveDate::MAX, usize::try_from(count).unwrap_or(usize::MAX)),
            RangeEnd::NoEnd => (NaiveDate::MAX, MOST_OCCURRENCES),
        };
        let start = self.range.start;
        let periods = (0..).map_while(move |period| self.pattern.period(start, period));
        let dates = periods.flatten().filter(move |date| *date >= start);
        dates.take_while(move |date| *date <= last).take(most.min(MOST_OCCURRENCES))
    }

    /// Whether an occurrence stands on `date`.
    pub fn stands_on(&self, date: NaiveDate) -> bool {
        self.dates().take_while(|day| *day <= date).any(|day| day == date)
    }
}

impl Pattern {
    fn parse(pattern: &Map<String, Value>) -> Result<Self, GraphError> {
        let kind = pattern.get("type").cloned().unwrap_or_default();
        let kind: PatternKind = serde_json::from_value(kind).map_err(|_| invalid("The pattern's type is unknown."))?;
        let number = |name: &str| match pattern.get(name) {
            None | Some(Value::Null) => Ok(0),
            Some(value) => {
                value.as_u64().and_then(|it| u32::try_from(it).ok()).ok_or_else(|| invalid("A number is invalid."))
            }
        };
        let interval = number("interval")?;
        if !(1..=999).contains(&interval) {
            return Err(invalid("The interval must be from 1 to 999."));
        }
        let listed = pattern.get("daysOfWeek").and_then(Value::as_array);
        let days_of_week: Option<Vec<Weekday>> =
            listed.into_iter().flatten().map(|day| weekday(day.as_str()?)).collect();
        let days_of_week = days_of_week.ok_or_else(|| invalid("A day of the week is unknown."))?;
        let first = pattern.get("firstDayOfWeek").and_then(Value::as_str);
        let first_day_of_week =
            first.map_or(Some(Weekday::Sun), weekday).ok_or_else(|| invalid("The first day is unknown."))?;
        let index = pattern.get("index").and_then(Value::as_str).unwrap_or("first");
        let index = INDEXES.iter().position(|known| *known == index).ok_or_else(|| invalid("The index is unknown."))?;
        let needs_days =
            matches!(kind, PatternKind::Weekly | PatternKind::RelativeMonthly | PatternKind::RelativeYearly);
        if needs_days && days_of_week.is_empty() {
            return Err(invalid("daysOfWeek must not be empty for this pattern."));
        }
        let (month, day_of_month) = (number("month")?, number("dayOfMonth")?);
        let needs_day = matches!(kind, PatternKind::AbsoluteMonthly | PatternKind::AbsoluteYearly);
        if needs_day && !(1..=31).contains(&day_of_month) {
            return Err(invalid("dayOfMonth must be from 1 to 31."));
        }
        let needs_month = matches!(kind, PatternKind::AbsoluteYearly | PatternKind::RelativeYearly);
        if needs_month && !(1..=12).contains(&month) {
            return Err(invalid("month must be from 1 to 12."));
        }
        Ok(Self { kind, interval, month, day_of_month, days_of_week, first_day_of_week, index })
    }

    /// The days of the `period`-th day, week, month or year that counts, in order; `None` beyond the calendar's end.
    fn period(&self, start: NaiveDate, period: u32) -> Option<Vec<NaiveDate>> {
        let steps = period.checked_mul(self.interval)?;
        match self.kind {
            PatternKind::Daily => Some(vec![start.checked_add_days(Days::new(u64::from(steps)))?]),
            PatternKind::Weekly => {
                let into_week = u64::from(start.weekday().days_since(self.first_day_of_week));
                let week = start.checked_sub_days(Days::new(into_week))?;
                let week = week.checked_add_days(Days::new(7 * u64::from(steps)))?;
                let days = (0..7).filter_map(|day| week.checked_add_days(Days::new(day)));
                Some(days.filter(|day| self.days_of_week.contains(&day.weekday())).collect())
            }
            PatternKind::AbsoluteMonthly | PatternKind::RelativeMonthly => {
                let month = start.with_day(1)?.checked_add_months(Months::new(steps))?;
                Some(self.day_in(month).into_iter().collect())
            }
            PatternKind::AbsoluteYearly | PatternKind::RelativeYearly => {
                let year = start.year().checked_add(i32::try_from(steps).ok()?)?;
                let month = NaiveDate::from_ymd_opt(year, self.month, 1)?;
                Some(self.day_in(month).into_iter().collect())
            }
        }
    }

    /// The day of the month that begins at `month`: a day past its end is its last.
    fn day_in(&self, month: NaiveDate) -> Option<NaiveDate> {
        let next = month.checked_add_months(Months::new(1))?;
        let last = next.pred_opt()?;
        match self.kind {
            PatternKind::AbsoluteMonthly | PatternKind::AbsoluteYearly => {
                month.with_day(self.day_of_month.min(last.day()))
            }
            _ => {
                let fitting = |day: &NaiveDate| self.days_of_week.contains(&day.weekday());
                let days: Vec<NaiveDate> = month.iter_days().take_while(|day| *day <= last).filter(fitting).collect();
                if self.index == 4 { days.last().copied() } else { days.get(self.index).copied() }
            }
        }
    }
}

impl Range {
    fn parse(range: &Map<String, Value>, start: EventTime) -> Result<Self, GraphError> {
        let text = |name: &str| range.get(name).and_then(Value::as_str);
        let date = |name: &str| text(name).and_then(|text| text.parse::<NaiveDate>().ok());
        let first = date("startDate").ok_or_else(|| invalid("The range's startDate is invalid."))?;
        if first != start.date() {
            return Err(invalid("The range's startDate must be the day of the event's start."));
        }
        let end = match text("type") {
            Some("noEnd") => RangeEnd::NoEnd,
            Some("endDate") => {
                RangeEnd::EndDate(date("endDate").ok_or_else(|| invalid("The range's endDate is invalid."))?)
            }
            Some("numbered") => {
                let count = range.get("numberOfOccurrences").and_then(Value::as_u64);
                let count = count.and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
                RangeEnd::Numbered(count.ok_or_else(|| invalid("numberOfOccurrences must be at least 1."))?)
            }
            _ => return Err(invalid("The range's type is unknown.")),
        };
        let zone_name = match text("recurrenceTimeZone").filter(|name| !name.is_empty()) {
            Some(name) => {
                zones::zone_named(name).ok_or_else(|| GraphError::unknown_zone(name))?;
                name.to_owned()
            }
            None => zones::windows_name(start.zone()).to_owned(),
        };
        Ok(Self { start: first, end, zone_name })
    }
}

fn invalid(message: &str) -> GraphError {
    GraphError::bad_request("ErrorPropertyValidationFailure", message)
}

fn weekday(name: &str) -> Option<Weekday> {
    let index = DAYS.iter().position(|known| known.eq_ignore_ascii_case(name))?;
    Weekday::try_from(u8::try_from((index + 6) % 7).ok()?).ok()
}

fn day_name(day: Weekday) -> &'static str {
    DAYS[usize::try_from(day.num_days_from_sunday()).unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn dates(pattern: &Value, range: &Value, start: &str) -> Vec<String> {
        let date: NaiveDate = start.parse().unwrap();
        let start = EventTime::AllDay { date, zone: Tz::UTC };
        let mut range = range.clone();
        range["startDate"] = json!(date);
        let recurrence = Recurrence::parse(&json!({ "pattern": pattern, "range": range }), start).unwrap();
        recurrence.dates().take(6).map(|date| date.to_string()).collect()
    }

    fn numbered(count: u32) -> Value {
        json!({ "type": "numbered", "numberOfOccurrences": count })
    }

    #[test]
    fn every_third_day() {
        let pattern = json!({ "type": "daily", "interval": 3 });
        assert_eq!(dates(&pattern, &numbered(3), "2026-11-29"), ["2026-11-29", "2026-12-02", "2026-12-05"]);
    }

    #[test]
    fn every_other_week_begins_on_the_first_day_of_the_week() {
        let weekly = |first: &str| {
            let days = ["tuesday", "sunday"];
            json!({ "type": "weekly", "interval": 2, "daysOfWeek": days, "firstDayOfWeek": first })
        };
        let start = "2026-11-24";
        assert_eq!(dates(&weekly("monday"), &numbered(3), start), ["2026-11-24", "2026-11-29", "2026-12-08"]);
        assert_eq!(dates(&weekly("sunday"), &numbered(3), start), ["2026-11-24", "2026-12-06", "2026-12-08"]);
    }

    #[test]
    fn the_31st_is_the_last_day_of_a_short_month() {
        let pattern = json!({ "type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31 });
        assert_eq!(dates(&pattern, &numbered(3), "2027-01-31"), ["2027-01-31", "2027-02-28", "2027-03-31"]);
    }

    #[test]
    fn the_last_weekday_and_the_second_tuesday_of_a_month() {
        let last = json!({
            "type": "relativeMonthly", "interval": 1, "index": "last",
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        });
        assert_eq!(dates(&last, &numbered(2), "2026-10-30"), ["2026-10-30", "2026-11-30"]);
        let second = json!({ "type": "relativeMonthly", "interval": 2, "index": "second", "daysOfWeek": ["tuesday"] });
        assert_eq!(dates(&second, &numbered(2), "2026-11-10"), ["2026-11-10", "2027-01-12"]);
    }

    #[test]
    fn yearly_patterns_until_a_day() {
        let absolute = json!({ "type": "absoluteYearly", "interval": 1, "month": 2, "dayOfMonth": 29 });
        let until = json!({ "type": "endDate", "endDate": "2029-03-01" });
        assert_eq!(dates(&absolute, &until, "2027-02-28"), ["2027-02-28", "2028-02-29", "2029-02-28"]);
        let relative = json!({
            "type": "relativeYearly", "interval": 1, "month": 11, "index": "fourth", "daysOfWeek": ["thursday"],
        });
        assert_eq!(dates(&relative, &until, "2026-11-26"), ["2026-11-26", "2027-11-25", "2028-11-23"]);
    }

    #[test]
    fn a_series_without_end_goes_on() {
        let pattern = json!({ "type": "daily", "interval": 1 });
        assert_eq!(dates(&pattern, &json!({ "type": "noEnd" }), "2026-11-23").len(), 6);
    }

    #[test]
    fn a_pattern_that_makes_no_sense_is_refused() {
        let start = EventTime::AllDay { date: "2026-11-23".parse().unwrap(), zone: Tz::UTC };
        let range = json!({ "type": "noEnd", "startDate": "2026-11-23" });
        for pattern in [
            json!({ "type": "hourly", "interval": 1 }),
            json!({ "type": "daily", "interval": 0 }),
            json!({ "type": "weekly", "interval": 1, "daysOfWeek": [] }),
            json!({ "type": "absoluteMonthly", "interval": 1, "dayOfMonth": 32 }),
        ] {
            assert!(Recurrence::parse(&json!({ "pattern": pattern, "range": range }), start).is_err(), "{pattern}");
        }
        let elsewhere = json!({ "type": "noEnd", "startDate": "2026-11-24" });
        let daily = json!({ "pattern": { "type": "daily", "interval": 1 }, "range": elsewhere });
        assert!(Recurrence::parse(&daily, start).is_err());
    }
}
