//! From a host's rules to the instants at which they can be booked, date by date.
//!
//! What holds on a date, the stronger rule first:
//!
//! 1. an [absence](Absence) closes what it covers, whatever else is said;
//! 2. a [date override](DateOverride) stands instead of everything below;
//! 3. a holiday closes the date;
//! 4. the weekly hours.
//!
//! An interval belongs to the date on which it begins: one that crosses midnight stays whole when the next date is
//! closed, and goes with its own date. A date is read in the zone that holds on it: the schedule's, or that of a
//! [`Travel`] which covers the date.
//!
//! Each interval has its own grid of starts, counted from its own beginning in elapsed time. So what is offered on a date
//! does not depend on the dates that were read with it. Intervals that touch (one ends at midnight, the next begins there)
//! are open without a break all the same: an appointment may reach from one into the other, see [`covers`]. Where two
//! overlap in time (a late evening and an override of the next date, two zones), the one that began first goes on to its
//! end, and the other has what is left.
//!
//! Clock changes follow the one sentence of [`zone`](crate::zone): an interval means every instant whose local time lies
//! in it. So its elapsed length is the true one, a skipped hour is not there, a doubled hour counts twice:
//!
//! ```
//! use chrono::NaiveDate;
//! use cupo_core::{availability::Availability, event_type::Alignment, schedule::{LocalInterval, WeeklyHours}, zone::TimeZoneName};
//! let nights = LocalInterval::parse("22:00", "04:00").unwrap();
//! let madrid = Availability::new(
//!     TimeZoneName::parse("Europe/Madrid").unwrap(),
//!     WeeklyHours::new(std::array::from_fn(|_| vec![nights])).unwrap(),
//! );
//! let hours_from = |month, day| {
//!     let date = NaiveDate::from_ymd_opt(2026, month, day).unwrap();
//!     let open = madrid.open_intervals(date, date, Alignment::Interval);
//!     // Of the night before, only what reaches into this date.
//!     open.last().unwrap().interval.duration().num_hours()
//! };
//! assert_eq!(hours_from(6, 1), 6);
//! assert_eq!(hours_from(3, 28), 5, "the night in which 02:00 to 03:00 is skipped");
//! assert_eq!(hours_from(10, 24), 7, "the night in which 02:00 to 03:00 happens twice");
//! ```

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

use crate::{
    event_type::Alignment,
    interval::{Interval, normalize, subtract},
    parse::{FieldErrors, FieldProblem},
    schedule::{DateOverride, LocalInterval, WeeklyHours},
    zone::{TimeZoneName, first_instant_at_or_after, instants_of, last_instant_before, offset_at},
};

/// A stretch in which a host can be booked. It may touch the next one; see [`covers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpenInterval {
    /// Starts lie in here, and the whole appointment, without its buffers, unless the next stretch touches this one.
    pub interval: Interval,
    /// The starts are this instant and those that follow it by the increment; not after the interval's start.
    pub grid: DateTime<Utc>,
}

impl OpenInterval {
    /// One whose starts are counted from its own start.
    pub fn from_start(interval: Interval) -> Self {
        Self { interval, grid: interval.start }
    }
}

/// Time off: local times in the zone that holds on their dates, `[from, to)`. Where the zone of both is the same, it is
/// every instant whose local time lies in between; on a journey it lasts from the first such instant to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Absence {
    /// Its first moment; midnight where it takes whole days.
    pub from: NaiveDateTime,
    /// The first moment after it.
    pub to: NaiveDateTime,
}

impl Absence {
    /// Whether it takes whole days only.
    pub fn is_whole_days(&self) -> bool {
        self.from.time() == NaiveTime::MIN && self.to.time() == NaiveTime::MIN
    }
}

/// Another zone on the dates from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Travel {
    /// The first date away.
    pub first: NaiveDate,
    /// The last date away.
    pub last: NaiveDate,
    /// Where.
    pub time_zone: TimeZoneName,
}

/// A date on which nobody works, or several in a row, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Holiday {
    /// The first date.
    pub first: NaiveDate,
    /// The last date.
    pub last: NaiveDate,
    /// What is celebrated; may be empty.
    pub name: String,
}

/// Everything that decides when a host can be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Availability {
    /// The schedule's zone.
    pub time_zone: TimeZoneName,
    /// What holds where nothing else does.
    pub weekly_hours: WeeklyHours,
    /// By date, each once.
    pub overrides: Vec<DateOverride>,
    /// By date, apart from each other.
    pub travels: Vec<Travel>,
    /// In any order.
    pub holidays: Vec<Holiday>,
    /// In any order.
    pub absences: Vec<Absence>,
}

impl Availability {
    /// Weekly hours alone.
    pub fn new(time_zone: TimeZoneName, weekly_hours: WeeklyHours) -> Self {
        Self {
            time_zone,
            weekly_hours,
            overrides: Vec::new(),
            travels: Vec::new(),
            holidays: Vec::new(),
            absences: Vec::new(),
        }
    }

    /// Overrides by date.
    ///
    /// # Errors
    /// A date that is named twice, at `overrides`.
    pub fn checked_overrides(mut overrides: Vec<DateOverride>) -> Result<Vec<DateOverride>, FieldErrors> {
        overrides.sort_by_key(|of| of.date);
        match overrides.windows(2).find(|pair| pair[0].date == pair[1].date) {
            Some(pair) => Err(FieldProblem::new("error.date_twice").with("date", pair[0].date).at("overrides").into()),
            None => Ok(overrides),
        }
    }

    /// Travels by date.
    ///
    /// # Errors
    /// One that ends before it begins, or two that overlap, at `travels`.
    pub fn checked_travels(mut travels: Vec<Travel>) -> Result<Vec<Travel>, FieldErrors> {
        travels.sort_by_key(|travel| travel.first);
        if travels.iter().any(|travel| travel.last < travel.first) {
            return Err(FieldProblem::new("error.date_order").at("travels").into());
        }
        match travels.windows(2).find(|pair| pair[1].first <= pair[0].last) {
            Some(pair) => {
                Err(FieldProblem::new("error.travels_overlap").with("date", pair[1].first).at("travels").into())
            }
            None => Ok(travels),
        }
    }

    /// The zone that holds on a date.
    pub fn zone_on(&self, date: NaiveDate) -> Tz {
        let travel = self.travels.iter().find(|travel| travel.first <= date && date <= travel.last);
        travel.map_or(self.time_zone, |travel| travel.time_zone).tz()
    }

    /// The hours that begin on a date, before absences.
    pub fn hours_on(&self, date: NaiveDate) -> &[LocalInterval] {
        if let Ok(found) = self.overrides.binary_search_by_key(&date, |of| of.date) {
            return self.overrides[found].hours();
        }
        if self.holidays.iter().any(|holiday| holiday.first <= date && date <= holiday.last) {
            return &[];
        }
        self.weekly_hours.on(date.weekday())
    }

    /// When the host can be booked: every interval that begins on a date from `first` to `last`, and those of the evening
    /// before that cross midnight. Sorted, without absences; two may touch, none overlap.
    pub fn open_intervals(&self, first: NaiveDate, last: NaiveDate, alignment: Alignment) -> Vec<OpenInterval> {
        let eve = first.checked_sub_days(Days::new(1)).unwrap_or(first);
        let mut open = Vec::new();
        for date in eve.iter_days().take_while(|date| *date <= last) {
            let hours = self.hours_on(date);
            if hours.is_empty() {
                continue;
            }
            let tz = self.zone_on(date);
            let midnight = date.and_time(NaiveTime::MIN);
            let at = |minute: u16| midnight + TimeDelta::minutes(i64::from(minute));
            for hours in hours.iter().filter(|hours| date >= first || hours.crosses_midnight()) {
                for interval in instants_of(tz, at(hours.start_minute), at(hours.end_minute)) {
                    open.push(OpenInterval { interval, grid: grid_of(tz, interval.start, alignment) });
                }
            }
        }
        open.sort_unstable();
        let mut taken_until = DateTime::<Utc>::MIN_UTC;
        open.retain_mut(|open| {
            open.interval.start = open.interval.start.max(taken_until);
            taken_until = taken_until.max(open.interval.end);
            open.interval.start < open.interval.end
        });
        self.without_absences(open)
    }

    /// Everything that decides about appointments which start in `range`, however long they are and wherever the host is.
    pub fn open_around(&self, range: Interval, alignment: Alignment) -> Vec<OpenInterval> {
        // The local date is at most a day off that of UTC, and the evening before may reach into it. An appointment may
        // last for twelve hours, in a zone that is ahead by fourteen.
        let first = range.start.date_naive().checked_sub_days(Days::new(2)).unwrap_or(NaiveDate::MIN);
        let last = range.end.checked_add_signed(TimeDelta::hours(12 + 14)).map_or(NaiveDate::MAX, |at| at.date_naive());
        self.open_intervals(first, last, alignment)
    }

    /// The instants of the absences, sorted and joined.
    pub fn absent(&self) -> Vec<Interval> {
        let of = |absence: &Absence| {
            let (away, back) = (self.zone_on(absence.from.date()), self.zone_on(absence.to.date()));
            if away == back {
                return instants_of(away, absence.from, absence.to);
            }
            let from = first_instant_at_or_after(away, absence.from);
            Interval::new(from, last_instant_before(back, absence.to)).into_iter().collect()
        };
        normalize(self.absences.iter().flat_map(of).collect())
    }

    fn without_absences(&self, open: Vec<OpenInterval>) -> Vec<OpenInterval> {
        if self.absences.is_empty() {
            return open;
        }
        let absent = self.absent();
        let left = |open: OpenInterval| {
            let over = absent.partition_point(|absent| absent.end <= open.interval.start);
            let left = subtract(&[open.interval], &absent[over..]);
            left.into_iter().map(move |interval| OpenInterval { interval, ..open })
        };
        open.into_iter().flat_map(left).collect()
    }
}

/// Whether an appointment lies within the hours, which may be several that touch.
///
/// ```
/// use cupo_core::{
///     availability::{Availability, covers},
///     event_type::Alignment,
///     interval::Interval,
///     schedule::{LocalInterval, WeeklyHours},
///     zone::TimeZoneName,
/// };
/// let always = WeeklyHours::new(std::array::from_fn(|_| vec![LocalInterval::parse("00:00", "24:00").unwrap()])).unwrap();
/// let lisbon = Availability::new(TimeZoneName::parse("Europe/Lisbon").unwrap(), always);
/// let monday = "2026-11-23".parse().unwrap();
/// let over_midnight = Interval::new(
///     "2026-11-23T23:30:00Z".parse().unwrap(),
///     "2026-11-24T00:30:00Z".parse().unwrap(),
/// ).unwrap();
/// let open = |last| lisbon.open_intervals(monday, last, Alignment::Interval);
/// assert!(covers(&open(monday.succ_opt().unwrap()), over_midnight));
/// assert!(!covers(&open(monday), over_midnight), "the hours of Tuesday were not read");
/// ```
pub fn covers(open: &[OpenInterval], appointment: Interval) -> bool {
    let first = open.partition_point(|open| open.interval.end <= appointment.start);
    let mut covered = appointment.start;
    for open in &open[first..] {
        if open.interval.start > covered {
            return false;
        }
        covered = open.interval.end;
        if covered >= appointment.end {
            return true;
        }
    }
    false
}

/// The instant from which the starts of an interval are counted.
fn grid_of(tz: Tz, start: DateTime<Utc>, alignment: Alignment) -> DateTime<Utc> {
    match alignment {
        Alignment::Interval => start,
        Alignment::Hour => {
            let local = start.naive_utc() + offset_at(tz, start);
            start - TimeDelta::seconds(i64::from(local.minute() * 60 + local.second()))
        }
    }
}

#[cfg(test)]
mod tests;
