//! What the event type's own calendar says: its days, its booking window, its limits.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;

use super::Bounds;
use crate::{
    event_type::{Limit, Limits, Window},
    interval::Interval,
    zone::first_instant_at_or_after,
};

/// A stretch of the calendar in which bookings are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Period {
    /// A date.
    Day,
    /// From a Monday to the Sunday after it.
    Week,
    /// A month.
    Month,
}

impl Period {
    /// Every period.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// `day`, `week` or `month`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    fn first_date(self, date: NaiveDate) -> NaiveDate {
        let back = match self {
            Self::Day => 0,
            Self::Week => date.weekday().num_days_from_monday(),
            Self::Month => date.day0(),
        };
        date.checked_sub_days(Days::new(back.into())).unwrap_or(date)
    }

    fn following(self, first: NaiveDate) -> NaiveDate {
        let next = match self {
            Self::Day => first.checked_add_days(Days::new(1)),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
        };
        next.unwrap_or(NaiveDate::MAX)
    }

    fn limit(self, limits: &Limits) -> Limit {
        match self {
            Self::Day => limits.day,
            Self::Week => limits.week,
            Self::Month => limits.month,
        }
    }
}

/// A period in which no more may be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitReached {
    /// Starts in here are not offered.
    pub starts: Interval,
    /// Which limit it is.
    pub period: Period,
    /// How many are booked in it.
    pub count: u32,
    /// How many minutes they are in all.
    pub minutes: u32,
}

fn midnight(tz: Tz, date: NaiveDate) -> DateTime<Utc> {
    first_instant_at_or_after(tz, date.and_time(NaiveTime::MIN))
}

fn date_of(tz: Tz, instant: DateTime<Utc>) -> NaiveDate {
    instant.with_timezone(&tz).date_naive()
}

/// The periods of the zone's calendar that `range` touches, in order.
fn periods(tz: Tz, range: Interval, period: Period) -> Vec<Interval> {
    let mut date = period.first_date(date_of(tz, range.start));
    let mut start = midnight(tz, date);
    let mut found = Vec::new();
    while start < range.end && date < NaiveDate::MAX {
        date = period.following(date);
        let end = midnight(tz, date);
        // A date that the zone skipped has no instants.
        found.extend(Interval::new(start, end));
        start = end;
    }
    found
}

/// The days of the zone that `range` touches, in order: from midnight to midnight, however long they are. A date that the
/// zone skipped is none of them. Where the clock goes back over midnight, the new date has begun for good with the first
/// midnight: no day is there twice.
///
/// ```
/// use cupo_core::{interval::Interval, slots::local_days, zone::TimeZoneName};
/// let hours = |zone, from: &str, to: &str| {
///     let range = Interval::new(from.parse().unwrap(), to.parse().unwrap()).unwrap();
///     let days = local_days(TimeZoneName::parse(zone).unwrap().tz(), range);
///     days.iter().map(|day| day.duration().num_hours()).collect::<Vec<_>>()
/// };
/// assert_eq!(hours("Europe/Madrid", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z"), [24, 25, 24]);
/// // The 29th and the 31st of December.
/// assert_eq!(hours("Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-30T12:00:00Z"), [24, 24]);
/// ```
pub fn local_days(tz: Tz, range: Interval) -> Vec<Interval> {
    periods(tz, range, Period::Day)
}

/// The whole period of the zone's calendar that holds an instant.
pub fn period_around(tz: Tz, at: DateTime<Utc>, period: Period) -> Interval {
    let mut first = period.first_date(date_of(tz, at));
    loop {
        let next = period.following(first);
        let found = Interval { start: midnight(tz, first), end: midnight(tz, next) };
        // Where the clock has gone back over midnight, the local date is for a while the one before.
        if at < found.end || next == NaiveDate::MAX {
            return found;
        }
        first = next;
    }
}

/// When the starts of a window may lie, counted from the date of `now` in the event type's zone.
///
/// Business days are Mondays to Fridays; today is the first of them, if it is one.
///
/// ```
/// use cupo_core::{event_type::Window, slots::window_bounds, zone::TimeZoneName};
/// let madrid = TimeZoneName::parse("Europe/Madrid").unwrap().tz();
/// let friday = "2026-11-27T12:00:00Z".parse().unwrap();
/// let closes = |window| window_bounds(madrid, friday, &window).closes.unwrap().to_rfc3339();
/// assert_eq!(closes(Window::RollingDays { days: 2 }), "2026-11-28T23:00:00+00:00");
/// // Friday and Monday.
/// assert_eq!(closes(Window::BusinessDays { days: 2 }), "2026-11-30T23:00:00+00:00");
/// ```
pub fn window_bounds(tz: Tz, now: DateTime<Utc>, window: &Window) -> Bounds {
    let today = date_of(tz, now);
    let after = |days: u32| today.checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX);
    match *window {
        Window::RollingDays { days } => Bounds { opens: None, closes: Some(midnight(tz, after(days))) },
        Window::BusinessDays { days } => {
            let is_counted = |date: &NaiveDate| !matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
            let last = today.iter_days().filter(is_counted).nth(days.saturating_sub(1) as usize);
            let end = last.and_then(|last| last.checked_add_days(Days::new(1))).unwrap_or(NaiveDate::MAX);
            Bounds { opens: None, closes: Some(midnight(tz, end)) }
        }
        Window::Dates { first, last } => {
            let end = last.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
            Bounds { opens: Some(midnight(tz, first)), closes: Some(midnight(tz, end)) }
        }
        Window::Open => Bounds::default(),
    }
}

/// The periods that `range` touches in which an appointment of `duration` would be one too many, sorted by start.
///
/// `booked` are the starts and lengths of what is booked of the event type, in any order, from the start of the month
/// before `range` on to the end of the month after it.
pub fn limits_reached(
    limits: &Limits,
    duration: TimeDelta,
    tz: Tz,
    range: Interval,
    booked: &[(DateTime<Utc>, TimeDelta)],
) -> Vec<LimitReached> {
    if !limits.are_set() {
        return Vec::new();
    }
    let mut booked = booked.to_vec();
    booked.sort_unstable();
    let whole_minutes = |length: TimeDelta| length.num_minutes().try_into().unwrap_or(u32::MAX);
    let mut reached = Vec::new();
    for period in Period::ALL {
        let limit = period.limit(limits);
        if !limit.is_set() {
            continue;
        }
        for starts in periods(tz, range, period) {
            let from = booked.partition_point(|(start, _)| *start < starts.start);
            let within = booked[from..].iter().take_while(|(start, _)| *start < starts.end);
            let (count, minutes) = within.fold((0_u32, 0_u32), |(count, minutes), (_, length)| {
                (count + 1, minutes.saturating_add(whole_minutes(*length)))
            });
            let is_full = limit.count.is_some_and(|most| count >= most)
                || limit.minutes.is_some_and(|most| minutes.saturating_add(whole_minutes(duration)) > most);
            if is_full {
                reached.push(LimitReached { starts, period, count, minutes });
            }
        }
    }
    reached.sort_by_key(|reached| (reached.starts, reached.period));
    reached
}
