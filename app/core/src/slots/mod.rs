//! The slot engine: which starts an event type offers, and why a start is not offered.
//!
//! [`slots`], [`check`] and [`explain`] walk the very same grid by the very same conditions, so that what is shown, what
//! may be booked and what is said about it cannot disagree: `check` asks `slots` for one start, and `explain` takes its
//! verdict from `check`.
//!
//! - The grid of an open interval begins at its [`grid`](OpenInterval::grid) and goes on by the increment in elapsed time.
//!   Across a clock change the offered instants keep their distance, so both of a fold's doubled hours are offered once
//!   each, and a gap or a date that a zone skipped offers nothing. Where the clock moves by half an hour within the hours
//!   (Lord Howe), the starts after that show the other half of the hour.
//! - The appointment itself must lie in the open interval, or reach from it into those that touch it; its buffers may lie
//!   anywhere.
//! - An appointment claims `[start - buffer_before, start + duration + buffer_after)`. No claim overlaps busy time or
//!   another claim, so between two appointments the buffer after the one and the buffer before the other both stand.
//! - Where [any](Needed::Any) host will do, what each of them offers is offered. Where [all](Needed::All) are needed, the
//!   hours are those that they have in common, counted from the grid of the one whose hours begin last; of several whose
//!   hours begin together, from that of the first.
//! - A slot with seats that somebody has booked already (a [`Session`]) is offered while seats are left, whatever the hours
//!   and limits have become since: it takes place anyway.
//!
//! ```
//! use chrono::NaiveDate;
//! use cupo_core::{
//!     availability::Availability,
//!     event_type::{Rules, RulesInput},
//!     interval::Interval,
//!     schedule::{LocalInterval, WeeklyHours},
//!     slots::{Bounds, HostTime, Needed, SlotQuery, slots},
//!     zone::TimeZoneName,
//! };
//! let rules = Rules::parse(RulesInput { increment_minutes: 60, ..RulesInput::default() }).unwrap();
//! let nights = WeeklyHours::new(std::array::from_fn(|_| vec![LocalInterval::parse("01:00", "04:00").unwrap()])).unwrap();
//! let offered = |zone, (year, month, day)| {
//!     let zone = TimeZoneName::parse(zone).unwrap();
//!     let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
//!     let open = Availability::new(zone, nights.clone()).open_intervals(date, date, rules.alignment);
//!     let (Some(first), Some(last)) = (open.first(), open.last()) else { return Vec::new() };
//!     let starts = slots(&SlotQuery {
//!         rules: &rules,
//!         needed: Needed::Any,
//!         hosts: &[HostTime::idle(&open)],
//!         sessions: &[],
//!         limits: &[],
//!         days: &[],
//!         window: Bounds::default(),
//!         now: first.interval.start,
//!         range: Interval { start: first.interval.start, end: last.interval.end },
//!     });
//!     starts.iter().map(|start| start.with_timezone(&zone.tz()).format("%R").to_string()).collect()
//! };
//! assert_eq!(offered("Europe/Madrid", (2026, 6, 1)), ["01:00", "02:00", "03:00"]);
//! // From 02:00 to 03:00, and from 03:00 back to 02:00.
//! assert_eq!(offered("Europe/Madrid", (2026, 3, 29)), ["01:00", "03:00"]);
//! assert_eq!(offered("Europe/Madrid", (2026, 10, 25)), ["01:00", "02:00", "02:00", "03:00"]);
//! assert_eq!(offered("Australia/Lord_Howe", (2026, 4, 5)), ["01:00", "01:30", "02:30", "03:30"]);
//! assert!(offered("Pacific/Apia", (2011, 12, 30)).is_empty());
//! ```
//!
//! Inside, instants are whole microseconds: an engine that is asked for every page counts in integers.

mod assignment;
mod explain;
mod grid;
mod limits;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};

pub use assignment::{Candidate, choose};
pub use explain::{Explanation, HostExplanation, HostReason, Part, Reason, Taken, explain, explain_host};
pub use limits::{LimitReached, Period, limits_reached, local_days, period_around, window_bounds};

use crate::{
    availability::{OpenInterval, covers},
    event_type::{DailyOffer, Rules},
    interval::{Interval, normalize},
};
use grid::{Measures, Span, free_starts, instants};

/// One host's time.
#[derive(Debug, Clone, Copy)]
pub struct HostTime<'a> {
    /// When the host can be booked; sorted, none overlapping. Where two touch, an appointment may reach from one into the
    /// other; see [`covers`].
    pub open: &'a [OpenInterval],
    /// What is taken: calendar events and the claims of appointments and holds; [normalized](crate::interval::normalize).
    pub busy: &'a [Interval],
}

/// Which hosts an appointment needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Needed {
    /// One of them.
    Any,
    /// Every one.
    All,
}

/// A slot with seats that somebody has booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Session {
    /// When it starts.
    pub start: DateTime<Utc>,
    /// How long it is.
    pub duration: TimeDelta,
    /// How many seats nobody has booked or holds.
    pub seats_left: u32,
}

/// When a start may lie: `[opens, closes)`, without an end where there is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Bounds {
    /// The first instant.
    pub opens: Option<DateTime<Utc>>,
    /// The first instant after.
    pub closes: Option<DateTime<Utc>>,
}

/// Everything that decides about the slots of an event type.
#[derive(Debug, Clone, Copy)]
pub struct SlotQuery<'a> {
    /// The event type's rules; [`Rules::duration`] is the length that is asked for.
    pub rules: &'a Rules,
    /// Which of the hosts an appointment needs.
    pub needed: Needed,
    /// The hosts that count.
    pub hosts: &'a [HostTime<'a>],
    /// The slots with seats that are booked already, sorted; none where there is one seat only.
    pub sessions: &'a [Session],
    /// The periods in which no more may be booked, sorted; see [`limits_reached`].
    pub limits: &'a [LimitReached],
    /// The days of the event type's zone that `range` touches, sorted; see [`local_days`]. Looked at where
    /// [`Rules::daily`] chooses among the slots of a day.
    pub days: &'a [Interval],
    /// The booking window; see [`window_bounds`].
    pub window: Bounds,
    /// The present moment.
    pub now: DateTime<Utc>,
    /// Only starts in here are asked for.
    pub range: Interval,
}

impl SlotQuery<'_> {
    /// The booked slot of the length that is asked for with this start.
    fn session_at(&self, start: DateTime<Utc>) -> Option<&Session> {
        self.sessions.iter().find(|session| session.start == start && session.duration == self.rules.duration)
    }
}

/// Why a start is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The start is sooner than the notice allows, or past.
    Notice,
    /// The start lies outside the booking window.
    Window,
    /// So much is booked in its day, week or month that no more may be.
    Limit(Period),
    /// The appointment does not lie within the hours.
    OutsideHours,
    /// The start is none of those that the increment yields.
    OffGrid,
    /// Of its day, another slot is the one that is offered.
    NotFirst,
    /// Every seat is taken.
    Full,
    /// The time, with its buffers, is taken.
    Busy,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: [Self; 10] = [
        Self::Notice,
        Self::Window,
        Self::Limit(Period::Day),
        Self::Limit(Period::Week),
        Self::Limit(Period::Month),
        Self::OutsideHours,
        Self::OffGrid,
        Self::NotFirst,
        Self::Full,
        Self::Busy,
    ];

    /// The key of its sentence in the text catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Notice => "error.refusal.notice",
            Self::Window => "error.refusal.window",
            Self::Limit(Period::Day) => "error.refusal.limit_day",
            Self::Limit(Period::Week) => "error.refusal.limit_week",
            Self::Limit(Period::Month) => "error.refusal.limit_month",
            Self::OutsideHours => "error.refusal.outside_hours",
            Self::OffGrid => "error.refusal.off_grid",
            Self::NotFirst => "error.refusal.not_first",
            Self::Full => "error.refusal.full",
            Self::Busy => "error.refusal.busy",
        }
    }

    /// A stable name for programs: the last part of [`key`](Self::key).
    pub fn as_str(self) -> &'static str {
        &self.key()["error.refusal.".len()..]
    }
}

/// The time that an appointment with this start takes from its hosts.
pub fn claim(rules: &Rules, start: DateTime<Utc>) -> Interval {
    Interval { start: start - rules.buffer_before, end: start + rules.duration + rules.buffer_after }
}

/// The offered starts within `query.range`, in rising order, each once.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use cupo_core::{
///     availability::OpenInterval,
///     event_type::{Rules, RulesInput},
///     interval::Interval,
///     slots::{Bounds, HostTime, Needed, SlotQuery, slots},
/// };
/// let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
/// let between = |from, to| Interval::new(at(from), at(to)).unwrap();
/// let rules = Rules::parse(RulesInput {
///     duration_minutes: 60, increment_minutes: 30, buffer_after_minutes: 15, ..RulesInput::default()
/// }).unwrap();
/// let offered = slots(&SlotQuery {
///     rules: &rules,
///     needed: Needed::Any,
///     hosts: &[HostTime {
///         open: &[OpenInterval::from_start(between("2026-11-23T09:00:00Z", "2026-11-23T13:00:00Z"))],
///         busy: &[between("2026-11-23T11:00:00Z", "2026-11-23T11:30:00Z")],
///     }],
///     sessions: &[],
///     limits: &[],
///     days: &[],
///     window: Bounds { opens: None, closes: Some(at("2026-12-23T00:00:00Z")) },
///     now: at("2026-11-22T08:00:00Z"),
///     range: between("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"),
/// });
/// // 10:00 would end at 11:00, but its buffer reaches into the busy time; 12:30 would end after hours.
/// assert_eq!(offered, ["09:00", "09:30", "11:30", "12:00"].map(|time| at(&format!("2026-11-23T{time}:00Z"))));
/// ```
pub fn slots(query: &SlotQuery<'_>) -> Vec<DateTime<Utc>> {
    let asked = Span::of(query.range);
    // A rule that chooses among the slots of a day must see the whole day.
    let whole = match query.rules.daily {
        DailyOffer::All => asked,
        DailyOffer::FirstFree | DailyOffer::FirstOnly => whole_days(query.days, asked),
    };
    let bookable = bookable(query, whole);
    let mut starts = free_starts(query.hosts, query.needed, Measures::of(query.rules), bookable);
    remove_limited(&mut starts, query.limits);
    if query.rules.daily == DailyOffer::FirstOnly {
        keep_first_of_hours(&mut starts, query, whole);
    }
    add_sessions(&mut starts, query, bookable);
    if query.rules.daily == DailyOffer::FirstFree {
        keep_one_a_day(&mut starts, query.days);
    }
    if whole != asked {
        starts.retain(|start| asked.contains(*start));
    }
    instants(&starts)
}

/// Whether this start is offered, and if not, why. `query.range` is not looked at, but `query.days` must hold the day of
/// the start.
pub fn check(query: &SlotQuery<'_>, start: DateTime<Utc>) -> Result<(), Refusal> {
    let only = |rules| {
        let range = Interval { start, end: start + TimeDelta::microseconds(1) };
        SlotQuery { rules, range, ..*query }
    };
    let offers = |query: &SlotQuery<'_>| slots(query).first() == Some(&start);
    if offers(&only(query.rules)) {
        return Ok(());
    }
    if start < query.now + query.rules.notice {
        return Err(Refusal::Notice);
    }
    if query.window.opens.is_some_and(|opens| start < opens) || query.window.closes.is_some_and(|end| start >= end) {
        return Err(Refusal::Window);
    }
    let whatever_the_day = Rules { daily: DailyOffer::All, ..*query.rules };
    let is_free = offers(&SlotQuery { limits: &[], ..only(&whatever_the_day) });
    let seats_left = query.session_at(start).map(|session| session.seats_left);
    if seats_left == Some(0) && !is_free {
        return Err(Refusal::Full);
    }
    // Who joins others adds nothing to what the limits count.
    if seats_left.is_none_or(|seats_left| seats_left == 0)
        && let Some(reached) = query.limits.iter().find(|reached| reached.starts.contains(start))
    {
        return Err(Refusal::Limit(reached.period));
    }
    if is_free {
        return Err(Refusal::NotFirst);
    }
    let idle: Vec<_> = query.hosts.iter().map(|host| HostTime { busy: &[], ..*host }).collect();
    if offers(&SlotQuery { hosts: &idle, sessions: &[], limits: &[], ..only(&whatever_the_day) }) {
        return Err(Refusal::Busy);
    }
    let appointment = Interval { start, end: start + query.rules.duration };
    let is_open = |host: &HostTime<'_>| covers(host.open, appointment);
    let within_hours = match query.needed {
        Needed::Any => query.hosts.iter().any(is_open),
        Needed::All => !query.hosts.is_empty() && query.hosts.iter().all(is_open),
    };
    Err(if within_hours { Refusal::OffGrid } else { Refusal::OutsideHours })
}

/// The whole days that `asked` touches.
fn whole_days(days: &[Interval], asked: Span) -> Span {
    days.iter()
        .map(|day| Span::of(*day))
        .filter(|day| day.start < asked.end && asked.start < day.end)
        .fold(asked, |whole, day| Span { start: whole.start.min(day.start), end: whole.end.max(day.end) })
}

/// The part of `whole` that notice and window leave.
fn bookable(query: &SlotQuery<'_>, whole: Span) -> Span {
    let earliest = (query.now + query.rules.notice).timestamp_micros();
    let opens = query.window.opens.map_or(i64::MIN, |opens| opens.timestamp_micros());
    let closes = query.window.closes.map_or(i64::MAX, |closes| closes.timestamp_micros());
    Span { start: whole.start.max(earliest).max(opens), end: whole.end.min(closes) }
}

fn remove_limited(starts: &mut Vec<i64>, limits: &[LimitReached]) {
    if limits.is_empty() {
        return;
    }
    let closed = normalize(limits.iter().map(|reached| reached.starts).collect());
    let mut closed = closed.into_iter().map(Span::of).peekable();
    starts.retain(|start| {
        while closed.next_if(|closed| closed.end <= *start).is_some() {}
        closed.peek().is_none_or(|closed| *start < closed.start)
    });
}

/// Keeps of each day the start with which its hours begin, if it is there.
fn keep_first_of_hours(starts: &mut Vec<i64>, query: &SlotQuery<'_>, whole: Span) {
    let idle: Vec<_> = query.hosts.iter().map(|host| HostTime { busy: &[], ..*host }).collect();
    let mut firsts = free_starts(&idle, query.needed, Measures::of(query.rules), whole);
    keep_one_a_day(&mut firsts, query.days);
    starts.retain(|start| firsts.binary_search(start).is_ok());
}

/// Keeps the first start of each day.
fn keep_one_a_day(starts: &mut Vec<i64>, days: &[Interval]) {
    let mut days = days.iter().map(|day| Span::of(*day)).peekable();
    let mut kept_until = i64::MIN;
    starts.retain(|start| {
        while days.next_if(|day| day.end <= *start).is_some() {}
        let is_first = *start >= kept_until;
        if is_first {
            kept_until = days.peek().map_or(i64::MAX, |day| day.end);
        }
        is_first
    });
}

/// Adds the booked slots that have seats left. Those that have none keep their hosts busy by their own claims.
fn add_sessions(starts: &mut Vec<i64>, query: &SlotQuery<'_>, bookable: Span) {
    let joinable = |session: &&Session| session.duration == query.rules.duration && session.seats_left > 0;
    let joinable = query.sessions.iter().filter(joinable).map(|session| session.start.timestamp_micros());
    let offered = starts.len();
    starts.extend(joinable.filter(|start| bookable.contains(*start)));
    if starts.len() > offered {
        starts.sort_unstable();
        starts.dedup();
    }
}
