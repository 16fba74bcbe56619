//! The schedule form.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use cupo_core::{
    availability::{Availability, Travel},
    ids::{HolidayCalendarId, OrganizationId, ScheduleId, UserId},
    parse::{FieldErrors, FieldProblem, required_text},
    schedule::{DateOverride, LocalInterval, WEEKDAYS, WeeklyHours},
    zone::TimeZoneName,
};
use cupo_store::Schedule;
use serde::{Deserialize, Serialize};

/// More dates than anybody plans by hand.
const MOST_OVERRIDES: usize = 500;
const MOST_TRAVELS: usize = 100;
const LONGEST_NAME: usize = 120;

/// A schedule, as it was filled in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ScheduleInput {
    /// What the host calls it.
    pub name: String,
    /// An IANA name.
    pub time_zone: String,
    /// The hours of each day.
    pub weekly_hours: WeeklyHoursInput,
    /// The dates that have other hours, or none.
    pub overrides: Vec<DateOverrideInput>,
    /// The times in another zone.
    pub travels: Vec<TravelInput>,
    /// Which of the host's holiday calendars hold.
    pub holiday_calendar_ids: Vec<String>,
}

/// The intervals of each day (`monday` to `sunday`; an absent day is closed), unchecked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WeeklyHoursInput(pub BTreeMap<String, Vec<LocalIntervalInput>>);

/// A start and an end as `HH:MM`, unchecked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LocalIntervalInput {
    /// `09:00`.
    pub start: String,
    /// `17:00`; the end of the day is `24:00`, and what is not later than the start lies on the following day.
    pub end: String,
}

/// What one date has instead of its weekly hours, unchecked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DateOverrideInput {
    /// `2026-12-24`.
    pub date: String,
    /// None where nobody can be booked.
    pub hours: Vec<LocalIntervalInput>,
}

/// Another zone between two dates, unchecked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TravelInput {
    /// The first date away.
    pub first: String,
    /// The last date away.
    pub last: String,
    /// An IANA name.
    pub time_zone: String,
}

/// A schedule that can be stored, but for the holiday calendars, which may not be there.
#[derive(Debug, Clone)]
pub(crate) struct ParsedSchedule {
    name: String,
    time_zone: TimeZoneName,
    weekly_hours: WeeklyHours,
    overrides: Vec<DateOverride>,
    travels: Vec<Travel>,
    pub(super) holiday_calendar_ids: Vec<HolidayCalendarId>,
}

impl ParsedSchedule {
    /// The schedule with this id and place among the member's.
    pub(crate) fn into_schedule(
        self,
        id: ScheduleId,
        organization_id: OrganizationId,
        user_id: UserId,
        is_default: bool,
        now: DateTime<Utc>,
    ) -> Schedule {
        Schedule {
            id,
            organization_id,
            user_id,
            name: self.name,
            time_zone: self.time_zone,
            weekly_hours: self.weekly_hours,
            overrides: self.overrides,
            travels: self.travels,
            holiday_calendar_ids: self.holiday_calendar_ids,
            is_default,
            updated_at: now,
        }
    }
}

impl ScheduleInput {
    pub(crate) fn parse(&self) -> Result<ParsedSchedule, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.collect("name", required_text(&self.name, LONGEST_NAME));
        let time_zone = errors.collect("time_zone", TimeZoneName::parse(&self.time_zone));
        let weekly_hours = self.weekly_hours.parse().map_err(|more| errors.0.extend(more.0)).ok();
        let overrides = self.overrides().map_err(|more| errors.0.extend(more.0)).ok();
        let travels = self.travels().map_err(|more| errors.0.extend(more.0)).ok();
        let mut holiday_calendar_ids = Vec::new();
        for id in &self.holiday_calendar_ids {
            let id = HolidayCalendarId::parse(id).map_err(|_| FieldProblem::new("error.not_found"));
            holiday_calendar_ids.extend(errors.collect("holiday_calendar_ids", id));
        }
        holiday_calendar_ids.sort_unstable();
        holiday_calendar_ids.dedup();
        match (name, time_zone, weekly_hours, overrides, travels) {
            (Some(name), Some(time_zone), Some(weekly_hours), Some(overrides), Some(travels)) if errors.is_empty() => {
                Ok(ParsedSchedule { name, time_zone, weekly_hours, overrides, travels, holiday_calendar_ids })
            }
            _ => Err(errors),
        }
    }

    fn overrides(&self) -> Result<Vec<DateOverride>, FieldErrors> {
        if self.overrides.len() > MOST_OVERRIDES {
            return Err(FieldProblem::new("error.too_many").with("max", MOST_OVERRIDES).at("overrides").into());
        }
        let mut errors = FieldErrors::default();
        let mut parsed = Vec::new();
        for (number, input) in self.overrides.iter().enumerate() {
            let field = |name: &str| format!("overrides.{number}.{name}");
            let date = errors.collect(field("date"), parse_date(&input.date));
            let hours = input.hours.iter().map(LocalIntervalInput::parse).collect::<Result<Vec<_>, _>>();
            let hours = errors.collect(field("hours"), hours);
            if let (Some(date), Some(hours)) = (date, hours) {
                parsed.extend(errors.collect(field("hours"), DateOverride::new(date, hours)));
            }
        }
        errors.into_result()?;
        Availability::checked_overrides(parsed)
    }

    fn travels(&self) -> Result<Vec<Travel>, FieldErrors> {
        if self.travels.len() > MOST_TRAVELS {
            return Err(FieldProblem::new("error.too_many").with("max", MOST_TRAVELS).at("travels").into());
        }
        let mut errors = FieldErrors::default();
        let mut parsed = Vec::new();
        for (number, input) in self.travels.iter().enumerate() {
            let field = |name: &str| format!("travels.{number}.{name}");
            let first = errors.collect(field("first"), parse_date(&input.first));
            let last = errors.collect(field("last"), parse_date(&input.last));
            let time_zone = errors.collect(field("time_zone"), TimeZoneName::parse(&input.time_zone));
            match (first, last, time_zone) {
                (Some(first), Some(last), _) if last < first => {
                    errors.0.push(FieldProblem::new("error.date_order").at(field("last")));
                }
                (Some(first), Some(last), Some(time_zone)) => parsed.push(Travel { first, last, time_zone }),
                _ => {}
            }
        }
        errors.into_result()?;
        Availability::checked_travels(parsed)
    }
}

impl LocalIntervalInput {
    fn parse(&self) -> Result<LocalInterval, FieldProblem> {
        LocalInterval::parse(&self.start, &self.end)
    }
}

impl WeeklyHoursInput {
    fn parse(&self) -> Result<WeeklyHours, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut days: [Vec<LocalInterval>; 7] = Default::default();
        for (name, intervals) in &self.0 {
            let Some(day) = WEEKDAYS.iter().position(|weekday| weekday == name) else {
                errors.0.push(FieldProblem::new("error.weekday").with("value", name).at("weekly_hours"));
                continue;
            };
            for interval in intervals {
                days[day].extend(errors.collect(format!("weekly_hours.{name}"), interval.parse()));
            }
        }
        errors.into_result()?;
        WeeklyHours::new(days)
    }
}

/// Reads a date as forms send it, in the years that anybody plans.
pub(crate) fn parse_date(text: &str) -> Result<NaiveDate, FieldProblem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(FieldProblem::new("error.required"));
    }
    let date = text.parse::<NaiveDate>().ok().filter(|date| (1970..=2999).contains(&date.year()));
    date.ok_or_else(|| FieldProblem::new("error.date"))
}
