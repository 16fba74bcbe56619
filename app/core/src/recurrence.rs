//! A series: the same local time on several dates.
//!
//! The time of day is kept by the clock of the zone, whatever its offset on each date. A date on which that time is
//! skipped has no instant; where it happens twice, the first one is meant. Monthly is by weekday: the second Tuesday
//! stays the second Tuesday, and a fifth one is the last of each month.
//!
//! ```
//! use cupo_core::{recurrence::{Frequency, Recurrence}, zone::TimeZoneName};
//! let madrid = TimeZoneName::parse("Europe/Madrid").unwrap().tz();
//! let first = "2026-10-20T08:00:00Z".parse().unwrap(); // 10:00 in Madrid
//! let weekly = Recurrence::new(Frequency::Weekly, 2).unwrap();
//! // After the clocks went back, 10:00 is 09:00Z.
//! assert_eq!(weekly.starts(madrid, first)[1].unwrap().to_rfc3339(), "2026-10-27T09:00:00+00:00");
//! ```

use chrono::{DateTime, Datelike, Days, MappedLocalTime, Months, NaiveDate, NaiveDateTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

use crate::{
    event_type::MOST_OCCURRENCES,
    parse::{FieldError, FieldProblem},
};

/// How often a series repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Frequency {
    /// Every week.
    Weekly,
    /// Every second week.
    EveryTwoWeeks,
    /// The same weekday of the same week of each month.
    Monthly,
}

impl Frequency {
    /// Every frequency.
    pub const ALL: [Self; 3] = [Self::Weekly, Self::EveryTwoWeeks, Self::Monthly];

    /// `weekly`, `every_two_weeks` or `monthly`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weekly => "weekly",
            Self::EveryTwoWeeks => "every_two_weeks",
            Self::Monthly => "monthly",
        }
    }

    /// Reads what [`as_str`](Self::as_str) writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|frequency| frequency.as_str() == text)
    }
}

/// A rule for a series of dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Recurrence {
    frequency: Frequency,
    count: u32,
}

impl Recurrence {
    /// A series of `count` dates, 2 to 24.
    ///
    /// # Errors
    /// Another count, at `recurrence.count`.
    pub fn new(frequency: Frequency, count: u32) -> Result<Self, FieldError> {
        if (2..=MOST_OCCURRENCES).contains(&count) {
            Ok(Self { frequency, count })
        } else {
            let problem = FieldProblem::new("error.out_of_range").with("min", 2).with("max", MOST_OCCURRENCES);
            Err(problem.at("recurrence.count"))
        }
    }

    /// How often it repeats.
    pub fn frequency(self) -> Frequency {
        self.frequency
    }

    /// The number of dates.
    pub fn count(self) -> u32 {
        self.count
    }

    /// The local time on each date in order, whether or not the clocks have it.
    pub fn local_starts(self, tz: Tz, first: DateTime<Utc>) -> impl Iterator<Item = NaiveDateTime> {
        let local = first.with_timezone(&tz).naive_local();
        (0..self.count).filter_map(move |number| Some(self.date(local.date(), number)?.and_time(local.time())))
    }

    /// The start on each date, the first one first; `None` on a date that skips this time of day.
    pub fn starts(self, tz: Tz, first: DateTime<Utc>) -> Vec<Option<DateTime<Utc>>> {
        let on = |local: NaiveDateTime| match tz.from_local_datetime(&local) {
            MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Some(at.to_utc()),
            MappedLocalTime::None => None,
        };
        // The first one may be the later of two that the clocks double.
        std::iter::once(Some(first)).chain(self.local_starts(tz, first).skip(1).map(on)).collect()
    }

    fn date(self, first: NaiveDate, number: u32) -> Option<NaiveDate> {
        match self.frequency {
            Frequency::Weekly => first.checked_add_days(Days::new(7 * u64::from(number))),
            Frequency::EveryTwoWeeks => first.checked_add_days(Days::new(14 * u64::from(number))),
            Frequency::Monthly => {
                let month = first.with_day(1)?.checked_add_months(Months::new(number))?;
                nth_weekday(month, first.weekday(), (first.day() - 1) / 7)
            }
        }
    }
}

/// The weekday of the month that begins on `first_day`, `nth` counted from 0; the fifth is the last.
fn nth_weekday(first_day: NaiveDate, weekday: Weekday, nth: u32) -> Option<NaiveDate> {
    let ahead = (7 + weekday.num_days_from_monday() - first_day.weekday().num_days_from_monday()) % 7;
    let first = first_day.checked_add_days(Days::new(ahead.into()))?;
    let wanted = first.checked_add_days(Days::new(7 * u64::from(nth)))?;
    if wanted.month() == first_day.month() { Some(wanted) } else { wanted.checked_sub_days(Days::new(7)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::TimeZoneName;

    fn starts(frequency: Frequency, count: u32, first: &str) -> Vec<Option<String>> {
        let madrid = TimeZoneName::parse("Europe/Madrid").unwrap().tz();
        let recurrence = Recurrence::new(frequency, count).unwrap();
        let local = |at: DateTime<Utc>| at.with_timezone(&madrid).format("%a %m-%d %H:%M").to_string();
        recurrence.starts(madrid, first.parse().unwrap()).into_iter().map(|at| at.map(local)).collect()
    }

    fn texts(expected: &[&str]) -> Vec<Option<String>> {
        expected.iter().map(|text| Some((*text).to_owned())).collect()
    }

    #[test]
    fn two_weeks_lie_between_the_dates_of_every_two_weeks() {
        assert_eq!(
            starts(Frequency::EveryTwoWeeks, 3, "2026-10-19T08:00:00Z"),
            texts(&["Mon 10-19 10:00", "Mon 11-02 10:00", "Mon 11-16 10:00"])
        );
    }

    #[test]
    fn a_month_keeps_the_week_and_the_weekday() {
        assert_eq!(
            starts(Frequency::Monthly, 4, "2026-11-10T09:00:00Z"),
            texts(&["Tue 11-10 10:00", "Tue 12-08 10:00", "Tue 01-12 10:00", "Tue 02-09 10:00"])
        );
        // The fifth Monday of November, then each last one.
        assert_eq!(
            starts(Frequency::Monthly, 3, "2026-11-30T09:00:00Z"),
            texts(&["Mon 11-30 10:00", "Mon 12-28 10:00", "Mon 01-25 10:00"])
        );
    }

    #[test]
    fn a_date_that_skips_the_hour_has_no_start() {
        let skipping = starts(Frequency::Weekly, 3, "2027-03-21T01:30:00Z");
        assert_eq!(skipping, [Some("Sun 03-21 02:30".to_owned()), None, Some("Sun 04-04 02:30".to_owned())]);
    }

    #[test]
    fn a_series_has_two_to_twenty_four_dates() {
        for count in [0, 1, 25] {
            assert_eq!(Recurrence::new(Frequency::Weekly, count).unwrap_err().field, "recurrence.count");
        }
    }
}
