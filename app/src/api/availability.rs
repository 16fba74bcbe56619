//! When the host can be booked: schedules, time off, holidays.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::absences::AbsenceRow;
use super::holiday_calendars::HolidayCalendarRow;
use crate::error::AppError;

/// Everything that the availability page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvailabilityView {
    /// The host's schedules, the default one first.
    pub schedules: Vec<ScheduleRow>,
    /// The host's time off that is not over.
    pub absences: Vec<AbsenceRow>,
    /// The host's holiday calendars.
    pub holiday_calendars: Vec<HolidayCalendarRow>,
}

/// A schedule in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its zone and the zone's offset now.
    pub time_zone: String,
    /// Its weekly hours: days and times.
    pub hours: Vec<(String, String)>,
    /// What holds besides the weekly hours, such as `2 dates with other hours`.
    pub besides: Vec<String>,
    /// Whether it is used where none is chosen.
    pub is_default: bool,
    /// The titles of the event types that use it.
    pub event_types: Vec<String>,
}

/// The host's schedules, time off and holiday calendars.
#[server(prefix = "/dashboard/api", endpoint = "availability")]
pub async fn availability() -> Result<AvailabilityView, AppError> {
    use super::request::{answer, host};
    let (engine, principal) = host()?;
    let now = engine.now();
    let mut overviews = answer(engine.schedules(&principal).await)?;
    overviews.sort_by_key(|overview| !overview.schedule.is_default);
    let zone = overviews.first().map(|overview| overview.schedule.time_zone.tz()).unwrap_or_default();
    let today = crate::time::date_in(now, zone);
    let absences = answer(engine.absences(&principal).await)?;
    let holiday_calendars = answer(engine.holiday_calendars(&principal).await)?;
    Ok(AvailabilityView {
        schedules: overviews.into_iter().map(|overview| view::row(overview, now)).collect(),
        absences: super::absences::view::rows(absences, today),
        holiday_calendars: holiday_calendars
            .into_iter()
            .map(|calendar| super::holiday_calendars::view::row(calendar, today, now))
            .collect(),
    })
}

#[cfg(feature = "ssr")]
pub(super) mod view {
    use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
    use cupo_core::schedule::{LocalInterval, WeeklyHours};
    use cupo_core::text::Locale;
    use cupo_engine::ScheduleOverview;

    use super::ScheduleRow;
    use crate::text::{locale, t, tf};
    use crate::time;

    pub(super) fn row(overview: ScheduleOverview, now: DateTime<Utc>) -> ScheduleRow {
        let ScheduleOverview { schedule, event_types } = overview;
        let counted = |count: usize, one: &'static str, many: &'static str| match count {
            0 => None,
            1 => Some(t(one).to_owned()),
            count => Some(tf(many, &[("count", &count)])),
        };
        let today = time::date_in(now, schedule.time_zone.tz());
        let overrides = schedule.overrides.iter().filter(|of| of.date >= today).count();
        let travels = schedule.travels.iter().filter(|travel| travel.last >= today).count();
        let besides = [
            counted(overrides, "dashboard.override_count", "dashboard.overrides_count"),
            counted(travels, "dashboard.travel_count", "dashboard.travels_count"),
            counted(schedule.holiday_calendar_ids.len(), "dashboard.holidays_count_one", "dashboard.holidays_count"),
        ];
        ScheduleRow {
            id: schedule.id.to_string(),
            time_zone: time::zone(schedule.time_zone.tz(), now),
            hours: week(&schedule.weekly_hours, locale()),
            besides: besides.into_iter().flatten().collect(),
            is_default: schedule.is_default,
            name: schedule.name,
            event_types,
        }
    }

    /// The names of the days, Monday first.
    pub(in crate::api) fn weekdays(locale: Locale) -> Vec<String> {
        let monday =
            NaiveDate::from_isoywd_opt(2026, 1, Weekday::Mon).expect("the first week of every ISO year has a Monday");
        monday.iter_days().take(7).map(|date| time::weekday(date, locale).1).collect()
    }

    /// The hours of a week, days that have the same ones together: `Monday – Friday`, `9:00 AM – 5:00 PM`.
    pub(super) fn week(hours: &WeeklyHours, locale: Locale) -> Vec<(String, String)> {
        let names = weekdays(locale);
        let mut lines: Vec<(usize, usize, &[LocalInterval])> = Vec::new();
        for (day, intervals) in hours.days().iter().enumerate().filter(|(_, intervals)| !intervals.is_empty()) {
            match lines.last_mut() {
                Some((_, last, same)) if *last + 1 == day && *same == intervals.as_slice() => *last = day,
                _ => lines.push((day, day, intervals)),
            }
        }
        let days = |first: usize, last: usize| {
            if first == last { names[first].clone() } else { format!("{} – {}", names[first], names[last]) }
        };
        lines
            .into_iter()
            .map(|(first, last, intervals)| {
                let times: Vec<_> = intervals.iter().map(|interval| told(interval, locale)).collect();
                (days(first, last), times.join(", "))
            })
            .collect()
    }

    fn told(interval: &LocalInterval, locale: Locale) -> String {
        // Beyond midnight the clock begins anew.
        let clock = |minute: u16| {
            let time = NaiveTime::MIN + TimeDelta::minutes(i64::from(minute));
            time::local_clock(time, locale)
        };
        let until = clock(interval.end_minute);
        let until = if interval.crosses_midnight() { format!("{until} {}", t("dashboard.next_day")) } else { until };
        // A line may end between two intervals, but not within one.
        format!("{} – {until}", clock(interval.start_minute)).replace(' ', "\u{a0}")
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn days_with_the_same_hours_are_told_together() {
            let at = |start, end| LocalInterval::parse(start, end).unwrap();
            let office = || vec![at("09:00", "13:00"), at("15:00", "18:00")];
            let hours =
                WeeklyHours::new([office(), office(), vec![], office(), vec![at("20:00", "24:00")], vec![], vec![]]);
            let told = week(&hours.unwrap(), Locale::En);
            let told: Vec<_> = told.into_iter().map(|(days, times)| (days, times.replace('\u{a0}', " "))).collect();
            let told: Vec<_> = told.iter().map(|(days, times)| (days.as_str(), times.as_str())).collect();
            assert_eq!(
                told,
                [
                    ("Monday – Tuesday", "9:00 AM – 1:00 PM, 3:00 PM – 6:00 PM"),
                    ("Thursday", "9:00 AM – 1:00 PM, 3:00 PM – 6:00 PM"),
                    ("Friday", "8:00 PM – 12:00 AM"),
                ]
            );
        }
    }
}
