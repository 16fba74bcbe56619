//! Why a start is offered or not: every reason, in the order in which they weigh.

use chrono::{DateTime, Utc};

use super::{
    HostTime, LimitReached, Needed, Refusal, SlotQuery, check,
    grid::{Measures, Span, common_hours, instant, points},
    slots,
};
use crate::{
    availability::{OpenInterval, covers},
    event_type::{DailyOffer, Rules},
    interval::Interval,
};

/// Something that takes a host's time, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken<S> {
    /// When.
    pub interval: Interval,
    /// What.
    pub source: S,
}

/// A reason that concerns no single host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It is sooner than the notice allows.
    Notice {
        /// The first instant that is late enough.
        earliest: DateTime<Utc>,
    },
    /// It lies outside the booking window.
    Window {
        /// The first instant of the window, if it has one.
        opens: Option<DateTime<Utc>>,
        /// The first instant after the window, if it has one.
        closes: Option<DateTime<Utc>>,
    },
    /// So much is booked in its day, week or month that no more may be.
    Limit(LimitReached),
    /// Somebody has booked this slot, and there are seats left.
    SeatsLeft {
        /// How many.
        seats_left: u32,
    },
    /// Somebody has booked this slot, and every seat is taken.
    Full,
    /// All hosts are there, but no start of their common hours is this one.
    OffGrid {
        /// The last start before it, if there is one on the day before or later.
        before: Option<DateTime<Utc>>,
        /// The first start after it, if there is one until the day after.
        after: Option<DateTime<Utc>>,
    },
    /// Of its day another slot is the one that is offered.
    NotFirst {
        /// That slot, if it is free.
        first: Option<DateTime<Utc>>,
    },
}

/// What an obstacle is in the way of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The appointment itself.
    Appointment,
    /// The time kept free before it, and that alone.
    BufferBefore,
    /// The time kept free after it, and that alone.
    BufferAfter,
}

/// A reason that concerns one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostReason<S> {
    /// The appointment does not lie within the hours.
    OutsideHours {
        /// The last hours that end before the appointment would, if they were read.
        before: Option<Interval>,
        /// The first hours that begin after the appointment would, if they were read.
        after: Option<Interval>,
    },
    /// The hours have no start at this instant.
    OffGrid {
        /// The last start before it.
        before: Option<DateTime<Utc>>,
        /// The first start after it.
        after: Option<DateTime<Utc>>,
    },
    /// Something is in the way.
    Taken {
        /// What.
        source: S,
        /// When that is.
        interval: Interval,
        /// Of what it is in the way.
        part: Part,
    },
}

/// One host and the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostExplanation<S> {
    /// Why the host cannot be booked; empty for one who can.
    pub reasons: Vec<HostReason<S>>,
}

impl<S> HostExplanation<S> {
    /// Whether the host can be booked.
    pub fn is_free(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// Why a start is offered or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation<S> {
    /// The verdict of [`check`].
    pub verdict: Result<(), Refusal>,
    /// What concerns no single host; the strongest first.
    pub reasons: Vec<Reason>,
    /// What concerns each host, in the order of the query.
    pub hosts: Vec<HostExplanation<S>>,
}

/// Explains a start. `taken` says of each host of the query, in their order, what makes up `busy`.
pub fn explain<S: Clone>(query: &SlotQuery<'_>, taken: &[Vec<Taken<S>>], start: DateTime<Utc>) -> Explanation<S> {
    let rules = query.rules;
    let mut reasons = Vec::new();
    let earliest = query.now + rules.notice;
    if start < earliest {
        reasons.push(Reason::Notice { earliest });
    }
    let window = query.window;
    if window.opens.is_some_and(|opens| start < opens) || window.closes.is_some_and(|closes| start >= closes) {
        reasons.push(Reason::Window { opens: window.opens, closes: window.closes });
    }
    let seats_left = query.session_at(start).map(|session| session.seats_left);
    // Who joins others needs no grid and adds nothing to what the limits count.
    let joins = seats_left.is_some_and(|seats_left| seats_left > 0);
    reasons.extend(seats_left.map(|seats_left| if joins { Reason::SeatsLeft { seats_left } } else { Reason::Full }));
    if !joins {
        reasons
            .extend(query.limits.iter().filter(|reached| reached.starts.contains(start)).copied().map(Reason::Limit));
    }
    let hosts: Vec<_> = query
        .hosts
        .iter()
        .enumerate()
        .map(|(number, host)| {
            let taken = taken.get(number).map(Vec::as_slice).unwrap_or_default();
            // Several hosts that are all needed have one grid in common.
            let grid = if query.needed == Needed::All && query.hosts.len() > 1 { None } else { Some(host.open) };
            explain_host(rules, host.open, grid, taken, start)
        })
        .collect();
    if query.needed == Needed::All && query.hosts.len() > 1 && !joins {
        let appointment = Interval { start, end: start + rules.duration };
        let common = common_hours(query.hosts, around(start, DAY));
        if covers(&common, appointment) && points(&common, Measures::of(rules), around(start, 0)).is_empty() {
            let (before, after) = neighbours(&common, rules, start);
            reasons.push(Reason::OffGrid { before, after });
        }
    }
    let verdict = check(query, start);
    if rules.daily != DailyOffer::All && verdict == Err(Refusal::NotFirst) {
        let day = query.days.iter().find(|day| day.contains(start));
        let first = day.and_then(|day| slots(&SlotQuery { range: *day, ..*query }).first().copied());
        reasons.push(Reason::NotFirst { first });
    }
    Explanation { verdict, reasons, hosts }
}

/// Explains what a start means for one host: one of the query's, or one who need not be there. The grid is looked at where
/// `grid` has hours.
pub fn explain_host<S: Clone>(
    rules: &Rules,
    open: &[OpenInterval],
    grid: Option<&[OpenInterval]>,
    taken: &[Taken<S>],
    start: DateTime<Utc>,
) -> HostExplanation<S> {
    let mut reasons = Vec::new();
    let appointment = Interval { start, end: start + rules.duration };
    if covers(open, appointment) {
        if let Some(grid) = grid
            && points(grid, Measures::of(rules), around(start, 0)).is_empty()
        {
            let (before, after) = neighbours(grid, rules, start);
            reasons.push(HostReason::OffGrid { before, after });
        }
    } else {
        let before = open.iter().rev().find(|open| open.interval.start <= start).map(|open| open.interval);
        let after = open.iter().find(|open| open.interval.start > start).map(|open| open.interval);
        reasons.push(HostReason::OutsideHours { before, after });
    }
    let claim = super::claim(rules, start);
    let mut obstacles: Vec<_> = taken.iter().filter(|taken| taken.interval.overlaps(&claim)).collect();
    obstacles.sort_by_key(|taken| taken.interval);
    reasons.extend(obstacles.into_iter().map(|taken| HostReason::Taken {
        source: taken.source.clone(),
        interval: taken.interval,
        part: match taken.interval {
            taken if taken.overlaps(&appointment) => Part::Appointment,
            taken if taken.end <= start => Part::BufferBefore,
            _ => Part::BufferAfter,
        },
    }));
    HostExplanation { reasons }
}

const DAY: i64 = 86_400_000_000;

/// The instant and so many microseconds on both sides.
fn around(at: DateTime<Utc>, margin: i64) -> Span {
    let at = at.timestamp_micros();
    Span { start: at - margin, end: at + margin + 1 }
}

/// The last start of the hours before `start` and the first after it, up to a day away.
fn neighbours(
    open: &[OpenInterval],
    rules: &Rules,
    start: DateTime<Utc>,
) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    let starts = points(open, Measures::of(rules), around(start, DAY));
    let at = start.timestamp_micros();
    let before = starts.iter().rev().find(|start| **start < at);
    let after = starts.iter().find(|start| **start > at);
    (before.copied().map(instant), after.copied().map(instant))
}

impl<S> Explanation<S> {
    /// Whether the start is offered.
    pub fn is_offered(&self) -> bool {
        self.verdict.is_ok()
    }
}

/// Everything that a host has taken as intervals that can be searched.
impl<S> From<&Taken<S>> for Interval {
    fn from(taken: &Taken<S>) -> Self {
        taken.interval
    }
}

impl<'a> HostTime<'a> {
    /// A host with these hours who has nothing to do.
    pub fn idle(open: &'a [OpenInterval]) -> Self {
        Self { open, busy: &[] }
    }
}
