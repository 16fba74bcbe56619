//! The walk over the grid: the points at which the hosts are free, in whole microseconds.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::{HostTime, Needed};
use crate::{availability::OpenInterval, event_type::Rules, interval::Interval};

const DAY: i64 = 86_400_000_000;

/// A half-open interval in microseconds; empty where `end <= start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Span {
    pub(super) fn of(interval: Interval) -> Self {
        Self { start: interval.start.timestamp_micros(), end: interval.end.timestamp_micros() }
    }

    pub(super) fn contains(self, at: i64) -> bool {
        self.start <= at && at < self.end
    }
}

pub(super) fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::microseconds(micros)
}

/// Sorted instants. Most lie on the date of the one before, which then need not be found again.
pub(super) fn instants(sorted: &[i64]) -> Vec<DateTime<Utc>> {
    let (mut date, mut midnight) = (DateTime::UNIX_EPOCH.date_naive(), 0);
    let mut found = Vec::with_capacity(sorted.len());
    for at in sorted {
        if !(midnight..midnight + DAY).contains(at) {
            midnight = at - at.rem_euclid(DAY);
            date = instant(midnight).date_naive();
        }
        let time = (at - midnight) as u64;
        let (seconds, nanos) = ((time / 1_000_000) as u32, (time % 1_000_000 * 1_000) as u32);
        let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos).unwrap_or_default();
        found.push(date.and_time(time).and_utc());
    }
    found
}

/// The measures of an appointment in microseconds.
#[derive(Clone, Copy)]
pub(super) struct Measures {
    duration: i64,
    increment: i64,
    before: i64,
    after: i64,
}

impl Measures {
    pub(super) fn of(rules: &Rules) -> Self {
        let micros = |duration: TimeDelta| duration.num_microseconds().unwrap_or(i64::MAX);
        Self {
            duration: micros(rules.duration),
            increment: micros(rules.increment),
            before: micros(rules.buffer_before),
            after: micros(rules.buffer_after),
        }
    }

    /// The first point of a grid that is not before `earliest`.
    fn on_grid(self, origin: i64, earliest: i64) -> i64 {
        let behind = (earliest - origin).max(0) as u64;
        origin + (behind.div_ceil(self.increment as u64) * self.increment as u64) as i64
    }
}

/// A row of starts that are one increment apart.
#[derive(Clone, Copy)]
struct Run {
    first: i64,
    count: u64,
}

/// The starts at which enough hosts are free, sorted, whatever limits and days say.
pub(super) fn free_starts(hosts: &[HostTime<'_>], needed: Needed, measures: Measures, within: Span) -> Vec<i64> {
    match (needed, hosts) {
        (_, []) => Vec::new(),
        (_, [host]) => starts_of(host, measures, within),
        (Needed::Any, hosts) => starts_of_any(hosts, measures, within),
        (Needed::All, [first, others @ ..]) => {
            let common = common_hours(hosts, within);
            let mut starts = starts_of(&HostTime { open: &common, busy: first.busy }, measures, within);
            for host in others {
                remove_busy(&mut starts, host.busy, measures);
            }
            starts
        }
    }
}

fn starts_of(host: &HostTime<'_>, measures: Measures, within: Span) -> Vec<i64> {
    let mut starts = Vec::new();
    each_run(host, measures, within, |run| {
        starts.extend((0..run.count as i64).map(|number| run.first + number * measures.increment));
    });
    starts
}

/// The points of the grids at which an appointment lies within the hours.
pub(super) fn points(open: &[OpenInterval], measures: Measures, within: Span) -> Vec<i64> {
    starts_of(&HostTime { open, busy: &[] }, measures, within)
}

/// Finds the starts of one host in order: every point of the grid whose claim meets nothing that is busy. Where something
/// is in the way, the walk jumps behind it.
fn each_run(host: &HostTime<'_>, measures: Measures, within: Span, mut found: impl FnMut(Run)) {
    let Measures { duration, increment, before, after } = measures;
    let first = host.busy.partition_point(|taken| taken.end.timestamp_micros() <= within.start.saturating_sub(before));
    let mut busy = host.busy[first..].iter().map(|taken| Span::of(*taken)).peekable();
    let open = reaching_into(host.open, within);
    for (number, hours) in open.iter().enumerate() {
        let (hours, grid) = (Span::of(hours.interval), hours.grid.timestamp_micros());
        let last = (open_until(&open[number..], duration) - duration).min(hours.end.min(within.end) - 1);
        let mut start = measures.on_grid(grid, hours.start.max(within.start));
        while start <= last {
            while busy.next_if(|taken| taken.end <= start - before).is_some() {}
            let taken = busy.peek();
            let free_until = taken.map_or(last, |taken| last.min(taken.start - duration - after));
            if start <= free_until {
                let count = (free_until - start) as u64 / increment as u64 + 1;
                found(Run { first: start, count });
                start += count as i64 * increment;
            } else if let Some(taken) = taken {
                start = measures.on_grid(start, taken.end + before);
            }
        }
    }
}

/// The hours that lie in a span, in part at least, and those behind it into which an appointment may reach.
fn reaching_into(open: &[OpenInterval], within: Span) -> &[OpenInterval] {
    /// Longer than any appointment.
    const MARGIN: i64 = DAY;
    let first = open.partition_point(|open| open.interval.end.timestamp_micros() <= within.start);
    let until = within.end.saturating_add(MARGIN);
    let count = open[first..].partition_point(|open| open.interval.start.timestamp_micros() < until);
    &open[first..first + count]
}

/// How far the first stretch is open without a break, as far as a start within it can need.
fn open_until(open: &[OpenInterval], duration: i64) -> i64 {
    let needed = open[0].interval.end.timestamp_micros() + duration;
    let mut until = open[0].interval.end;
    for next in &open[1..] {
        if next.interval.start != until || until.timestamp_micros() >= needed {
            break;
        }
        until = next.interval.end;
    }
    until.timestamp_micros()
}

/// The starts of several hosts in order, each once.
///
/// They lie on a few lattices: hosts whose grids differ by a multiple of the increment share one. A run of starts is a run
/// of bits there, so that it costs nothing to find the same start again and again.
fn starts_of_any(hosts: &[HostTime<'_>], measures: Measures, within: Span) -> Vec<i64> {
    struct Lattice {
        /// Its distance behind the origin.
        shift: u64,
        bits: Vec<u64>,
    }
    let begins =
        |host: &HostTime<'_>| Some(reaching_into(host.open, within).first()?.interval.start.timestamp_micros());
    let Some(origin) = hosts.iter().filter_map(begins).min() else { return Vec::new() };
    let increment = measures.increment as u64;
    let mut lattices: Vec<Lattice> = Vec::new();
    for host in hosts {
        each_run(host, measures, within, |run| {
            let behind = (run.first - origin) as u64;
            let (index, shift) = ((behind / increment) as usize, behind % increment);
            let found = lattices.iter().position(|lattice| lattice.shift == shift).unwrap_or(lattices.len());
            if found == lattices.len() {
                lattices.push(Lattice { shift, bits: Vec::new() });
            }
            set_bits(&mut lattices[found].bits, index, index + run.count as usize);
        });
    }
    let mut starts = Vec::new();
    for Lattice { shift, bits } in &lattices {
        for (number, word) in bits.iter().enumerate() {
            let mut left = *word;
            while left != 0 {
                let index = number as u64 * 64 + u64::from(left.trailing_zeros());
                starts.push(origin + (shift + index * increment) as i64);
                left &= left - 1;
            }
        }
    }
    if lattices.len() > 1 {
        // Several sorted lists behind each other, which a stable sort makes use of.
        starts.sort();
    }
    starts
}

/// Sets the bits from `from` up to but not including `to`, which is more.
fn set_bits(bits: &mut Vec<u64>, from: usize, to: usize) {
    let (first, last) = (from / 64, (to - 1) / 64);
    if bits.len() <= last {
        bits.resize(last + 1, 0);
    }
    let (head, tail) = (u64::MAX << (from % 64), u64::MAX >> (63 - (to - 1) % 64));
    if first == last {
        bits[first] |= head & tail;
    } else {
        bits[first] |= head;
        bits[first + 1..last].fill(u64::MAX);
        bits[last] |= tail;
    }
}

/// The hours that all hosts have in common, as far as starts in a span need them.
pub(super) fn common_hours(hosts: &[HostTime<'_>], within: Span) -> Vec<OpenInterval> {
    let mut lists = hosts.iter().map(|host| reaching_into(host.open, within));
    let mut common = lists.next().map(<[_]>::to_vec).unwrap_or_default();
    let mut left = Vec::with_capacity(common.len());
    for theirs in lists {
        let (mut mine, mut theirs) = (common.iter().peekable(), theirs.iter().peekable());
        while let (Some(a), Some(b)) = (mine.peek(), theirs.peek()) {
            if let Some(interval) = a.interval.intersection(&b.interval) {
                let grid = if b.interval.start > a.interval.start { b.grid } else { a.grid };
                left.push(OpenInterval { interval, grid });
            }
            if a.interval.end <= b.interval.end {
                mine.next()
            } else {
                theirs.next()
            };
        }
        std::mem::swap(&mut common, &mut left);
        left.clear();
    }
    common
}

/// Drops the starts whose claim meets something that is busy.
fn remove_busy(starts: &mut Vec<i64>, busy: &[Interval], measures: Measures) {
    let Some(first) = starts.first() else { return };
    let skipped = busy.partition_point(|taken| taken.end.timestamp_micros() <= first - measures.before);
    let mut busy = busy[skipped..].iter().map(|taken| Span::of(*taken)).peekable();
    starts.retain(|start| {
        while busy.next_if(|taken| taken.end <= start - measures.before).is_some() {}
        busy.peek().is_none_or(|taken| start + measures.duration + measures.after <= taken.start)
    });
}
