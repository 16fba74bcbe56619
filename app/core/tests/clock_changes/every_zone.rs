//! Every change of every zone's clocks from 1990 to 2037, one by one.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use cupo_core::{
    availability::{Availability, OpenInterval},
    event_type::{Alignment, Rules, RulesInput},
    interval::{Interval, normalize},
    schedule::{LocalInterval, WeeklyHours},
    slots::{Bounds, HostTime, Needed, SlotQuery, slots},
    zone::{TimeZoneName, Transition, first_instant_at_or_after, instants_of, next_transition, offset_at},
};

use crate::world::at;

/// A change, and the local times that it skips or has twice.
struct Change {
    tz: Tz,
    transition: Transition,
    from: NaiveDateTime,
    to: NaiveDateTime,
}

impl Change {
    fn is_gap(&self) -> bool {
        self.transition.after > self.transition.before
    }

    /// For how long local times are skipped or doubled.
    fn length(&self) -> TimeDelta {
        self.to - self.from
    }

    /// What `[from, to)` means, worked out from the two offsets.
    fn instants(&self, from: NaiveDateTime, to: NaiveDateTime) -> Vec<Interval> {
        let Transition { at, before, after } = self.transition;
        let earlier = Interval::new(from.and_utc() - before, at.min(to.and_utc() - before));
        let later = Interval::new(at.max(from.and_utc() - after), to.and_utc() - after);
        normalize(earlier.into_iter().chain(later).collect())
    }

    fn local(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        instant.with_timezone(&self.tz).naive_local()
    }
}

/// Every change of a zone. Changes are days apart, so that around each the two offsets are all there is.
fn changes(tz: Tz) -> Vec<Change> {
    let (mut since, until) = (at("1990-01-01T00:00:00Z"), at("2038-01-01T00:00:00Z"));
    let mut found = Vec::new();
    while let Some(transition) = next_transition(tz, since, until) {
        assert!(transition.at - since > TimeDelta::days(4) || found.is_empty(), "{tz} at {since}");
        let (before, after) = (transition.at + transition.before, transition.at + transition.after);
        let (from, to) = (before.min(after).naive_utc(), before.max(after).naive_utc());
        found.push(Change { tz, transition, from, to });
        since = transition.at;
    }
    found
}

/// The zones of the database, each with its changes; of those that are the same by another name, one.
fn zones() -> Vec<Vec<Change>> {
    let mut seen = HashSet::new();
    let all = chrono_tz::TZ_VARIANTS.iter().map(|tz| changes(*tz));
    all.filter(|changes| {
        let transitions = changes.iter().map(|change| change.transition);
        seen.insert(transitions.map(|of| (of.at, of.before, of.after)).collect::<Vec<_>>())
    })
    .collect()
}

/// Hours that begin at a local time, on its date alone.
fn open(change: &Change, from: NaiveDateTime, length: TimeDelta) -> Vec<OpenInterval> {
    let start_minute = (from.num_seconds_from_midnight() / 60) as u16;
    let hours = LocalInterval { start_minute, end_minute: start_minute + length.num_minutes() as u16 };
    let mut host = Availability::new(TimeZoneName::parse(change.tz.name()).unwrap(), WeeklyHours::default());
    host.overrides.push(cupo_core::schedule::DateOverride::new(from.date(), vec![hours]).unwrap());
    host.open_intervals(from.date(), from.date(), Alignment::Interval)
}

/// Every five minutes of the hours.
fn starts(open: &[OpenInterval]) -> Vec<DateTime<Utc>> {
    let (Some(first), Some(last)) = (open.first(), open.last()) else { return Vec::new() };
    let rules = RulesInput { duration_minutes: 5, increment_minutes: 5, ..RulesInput::default() };
    slots(&SlotQuery {
        rules: &Rules::parse(rules).unwrap(),
        needed: Needed::Any,
        hosts: &[HostTime::idle(open)],
        sessions: &[],
        limits: &[],
        days: &[],
        window: Bounds::default(),
        now: first.interval.start,
        range: Interval { start: first.interval.start, end: last.interval.end },
    })
}

fn length(open: &[OpenInterval]) -> TimeDelta {
    open.iter().map(|open| open.interval.duration()).sum()
}

#[test]
fn a_local_interval_is_what_the_two_offsets_of_a_change_make_of_it() {
    let (hour, minute) = (TimeDelta::hours(1), TimeDelta::minutes(1));
    for change in zones().iter().flatten() {
        let (from, to, middle) = (change.from, change.to, change.from + change.length() / 2);
        for (from, to) in [
            (from - hour, to + hour),
            (from - hour, from),
            (from - hour, middle),
            (from - hour, to),
            (from, middle),
            (from, to),
            (middle, middle + minute),
            (middle, to + hour),
            (to, to + hour),
        ] {
            assert_eq!(instants_of(change.tz, from, to), change.instants(from, to), "{} {from} {to}", change.tz);
        }
        let first = first_instant_at_or_after(change.tz, middle);
        if change.is_gap() {
            assert_eq!(first, change.transition.at, "{}", change.tz);
        } else {
            assert_eq!(first, middle.and_utc() - change.transition.before, "{}", change.tz);
        }
    }
}

#[test]
fn the_skipped_hours_of_a_gap_offer_nothing_and_the_doubled_hours_of_a_fold_each_instant_once() {
    for change in zones().iter().flatten() {
        // As much as one date's hours can hold: of a skipped date all but its last minute, unless it begins at midnight.
        let longest = if change.from.num_seconds_from_midnight() == 0 { 1440 } else { 1439 };
        let open = open(change, change.from, change.length().min(TimeDelta::minutes(longest)));
        let starts = starts(&open);
        if change.is_gap() {
            assert!(open.is_empty() && starts.is_empty(), "{} {}", change.tz, change.from);
            continue;
        }
        assert_eq!(length(&open), change.length() * 2, "{} {}", change.tz, change.from);
        assert!(starts.is_sorted_by(|a, b| a < b));
        let twelfths = change.length().num_minutes() / 5;
        let local: Vec<_> = starts.iter().map(|start| change.local(*start)).collect();
        let once: Vec<_> = (0..twelfths).map(|number| change.from + TimeDelta::minutes(number * 5)).collect();
        assert_eq!(local, [once.as_slice(), once.as_slice()].concat(), "{} {}", change.tz, change.from);
    }
}

#[test]
fn hours_around_a_change_have_their_true_length_and_no_start_that_the_clock_does_not_show() {
    for change in zones().iter().flatten().filter(|change| change.length() < TimeDelta::hours(12)) {
        let (from, around) = (change.from - TimeDelta::hours(1), change.length() + TimeDelta::hours(2));
        let open = open(change, from, around);
        let missing = change.transition.after - change.transition.before;
        assert_eq!(length(&open), around - missing, "{} {}", change.tz, change.from);
        let starts = starts(&open);
        assert_eq!(starts.len() as i64, length(&open).num_minutes() / 5, "{} {}", change.tz, change.from);
        for start in starts {
            let local = change.local(start);
            assert!(from <= local && local < from + around, "{} {local}", change.tz);
            assert!(!change.is_gap() || local < change.from || change.to <= local, "{} {local}", change.tz);
        }
    }
}

#[test]
fn whole_days_around_a_change_leave_no_instant_out_and_have_none_twice() {
    let always = WeeklyHours::new(std::array::from_fn(|_| vec![LocalInterval { start_minute: 0, end_minute: 1440 }]));
    let always = always.unwrap();
    for change in zones().iter().flatten() {
        let host = Availability::new(TimeZoneName::parse(change.tz.name()).unwrap(), always.clone());
        let (first, last) = (change.from.date() - TimeDelta::days(1), change.to.date() + TimeDelta::days(1));
        let open = host.open_intervals(first, last, Alignment::Interval);
        assert!(open.windows(2).all(|pair| pair[0].interval.end == pair[1].interval.start), "{} {first}", change.tz);
        let calendar_days = (last - first).num_days() + 1;
        let missing = change.transition.after - change.transition.before;
        assert_eq!(length(&open), TimeDelta::days(calendar_days) - missing, "{} {first}", change.tz);
    }
}

#[test]
fn no_change_is_overlooked_where_the_offset_is_looked_at_every_six_hours() {
    // A few zones, as this takes its time: those with the most and the oddest changes.
    for name in ["America/Recife", "Africa/Casablanca", "Asia/Gaza", "America/Argentina/Tucuman", "Australia/Lord_Howe"]
    {
        let tz = TimeZoneName::parse(name).unwrap().tz();
        let mut instant = at("1990-01-01T00:00:00Z");
        let mut seen = 0;
        while instant < at("2038-01-01T00:00:00Z") {
            let next = instant + TimeDelta::hours(6);
            seen += usize::from(offset_at(tz, next) != offset_at(tz, instant));
            instant = next;
        }
        assert_eq!(changes(tz).len(), seen, "{name}");
    }
}
