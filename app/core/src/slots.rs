//! The slot engine: which starts an event type offers, and why a start is not offered.
//!
//! [`slots`] and [`check`] walk the very same grid by the very same conditions, so that what is shown and what may be
//! booked cannot disagree.
//!
//! - The grid of an open interval begins at its first instant and goes on by the increment in elapsed time. Across a
//!   clock change the offered instants keep their distance, so both of a fold's doubled hours are offered and a gap
//!   offers nothing.
//! - The appointment itself must lie in the open interval; its buffers may reach beyond it.
//! - An appointment claims `[start - buffer_before, start + duration + buffer_after)`. No claim overlaps busy time or
//!   another claim, so between two appointments the buffer after the one and the buffer before the other both stand.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{event_type::Rules, interval::Interval};

/// Everything that decides about the slots of one host and event type.
#[derive(Debug, Clone, Copy)]
pub struct SlotQuery<'a> {
    /// When the host can be booked; sorted. Intervals keep their own grid, so they are not joined.
    pub open: &'a [Interval],
    /// What is taken: calendar events and the claims of appointments and holds; [normalized](crate::interval::normalize).
    pub busy: &'a [Interval],
    /// The event type's rules.
    pub rules: &'a Rules,
    /// The first instant after the booking window; see [`window_end`].
    pub window_end: DateTime<Utc>,
    /// The present moment.
    pub now: DateTime<Utc>,
    /// Only starts in here are asked for.
    pub range: Interval,
}

/// Why a start is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The start is sooner than the notice allows, or past.
    Notice,
    /// The start lies after the booking window.
    Window,
    /// The appointment does not lie within the host's hours.
    OutsideHours,
    /// The start is none of those that the increment yields.
    OffGrid,
    /// The time, with its buffers, is taken.
    Busy,
}

impl Refusal {
    /// The key of its sentence in the text catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Notice => "error.refusal.notice",
            Self::Window => "error.refusal.window",
            Self::OutsideHours => "error.refusal.outside_hours",
            Self::OffGrid => "error.refusal.off_grid",
            Self::Busy => "error.refusal.busy",
        }
    }
}

/// The time that an appointment with this start takes from its host.
pub fn claim(rules: &Rules, start: DateTime<Utc>) -> Interval {
    Interval { start: start - rules.buffer_before, end: start + rules.duration + rules.buffer_after }
}

/// The offered starts within `query.range`, in rising order, each once.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use cupo_core::{event_type::{Rules, RulesInput}, interval::Interval, slots::{SlotQuery, slots}};
/// let at = |text: &str| text.parse::<DateTime<chrono::Utc>>().unwrap();
/// let between = |from, to| Interval::new(at(from), at(to)).unwrap();
/// let rules = Rules::parse(RulesInput {
///     duration_minutes: 60, increment_minutes: 30, buffer_before_minutes: 0, buffer_after_minutes: 15,
///     notice_minutes: 0, window_days: 30,
/// }).unwrap();
/// let offered = slots(&SlotQuery {
///     open: &[between("2026-11-23T09:00:00Z", "2026-11-23T13:00:00Z")],
///     busy: &[between("2026-11-23T11:00:00Z", "2026-11-23T11:30:00Z")],
///     rules: &rules,
///     window_end: at("2026-12-23T00:00:00Z"),
///     now: at("2026-11-22T08:00:00Z"),
///     range: between("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"),
/// });
/// // 10:00 would end at 11:00, but its buffer reaches into the busy time; 12:30 would end after hours.
/// assert_eq!(offered, ["09:00", "09:30", "11:30", "12:00"].map(|time| at(&format!("2026-11-23T{time}:00Z"))));
/// ```
pub fn slots(query: &SlotQuery<'_>) -> Vec<DateTime<Utc>> {
    let SlotQuery { rules, busy, .. } = *query;
    let earliest = query.range.start.max(query.now + rules.notice);
    let latest = query.range.end.min(query.window_end);
    let mut offered = Vec::new();
    let mut next_busy = busy.partition_point(|taken| taken.end <= earliest - rules.buffer_before);
    for open in query.open {
        if open.end <= earliest {
            continue;
        }
        if open.start >= latest {
            break;
        }
        let mut start = first_on_grid(open.start, rules.increment, earliest);
        // Open intervals may overlap around a fold; the pointer only ever moves forward past what no start can meet.
        while start < latest && start + rules.duration <= open.end {
            let claim = claim(rules, start);
            while next_busy < busy.len() && busy[next_busy].end <= claim.start {
                next_busy += 1;
            }
            match busy.get(next_busy) {
                Some(taken) if taken.start < claim.end => {
                    start = first_on_grid(open.start, rules.increment, taken.end + rules.buffer_before);
                }
                _ => {
                    offered.push(start);
                    start += rules.increment;
                }
            }
        }
    }
    offered
}

/// Whether this start is offered, and if not, why. `query.range` is not looked at.
pub fn check(query: &SlotQuery<'_>, start: DateTime<Utc>) -> Result<(), Refusal> {
    let only = Interval { start, end: start + TimeDelta::microseconds(1) };
    if slots(&SlotQuery { range: only, ..*query }).first() == Some(&start) {
        return Ok(());
    }
    let end = start + query.rules.duration;
    if start < query.now + query.rules.notice {
        return Err(Refusal::Notice);
    }
    if start >= query.window_end {
        return Err(Refusal::Window);
    }
    let Some(open) = query.open.iter().find(|open| open.start <= start && end <= open.end) else {
        return Err(Refusal::OutsideHours);
    };
    let on_grid = first_on_grid(open.start, query.rules.increment, start) == start;
    Err(if on_grid { Refusal::Busy } else { Refusal::OffGrid })
}

/// The first of `origin, origin + increment, ...` that is not before `earliest`.
fn first_on_grid(origin: DateTime<Utc>, increment: TimeDelta, earliest: DateTime<Utc>) -> DateTime<Utc> {
    let behind = (earliest - origin).num_microseconds().unwrap_or(i64::MAX);
    let step = increment.num_microseconds().unwrap_or(i64::MAX);
    if behind <= 0 {
        return origin;
    }
    let steps = behind / step + i64::from(behind % step != 0);
    origin + TimeDelta::microseconds(steps * step)
}

#[cfg(feature = "tz")]
mod local {
    use chrono::{Datelike, Days, NaiveDate, NaiveTime};
    use chrono_tz::Tz;

    use super::*;
    use crate::{
        schedule::WeeklyHours,
        zone::{first_instant_at_or_after, instants_of},
    };

    /// The instants of the weekly hours on the dates from `first` to `last`, both included, in the schedule's zone.
    pub fn open_intervals(hours: &WeeklyHours, tz: Tz, first: NaiveDate, last: NaiveDate) -> Vec<Interval> {
        let at = |date: NaiveDate, minute: u16| date.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(minute));
        let mut open = Vec::new();
        for date in first.iter_days().take_while(|date| *date <= last) {
            for interval in hours.on(date.weekday()) {
                open.extend(instants_of(tz, at(date, interval.start_minute), at(date, interval.end_minute)));
            }
        }
        open.sort_unstable();
        open
    }

    /// The first instant after a window of `days` days that begins with the date of `now` in the schedule's zone.
    pub fn window_end(tz: Tz, now: DateTime<Utc>, days: u32) -> DateTime<Utc> {
        let today = now.with_timezone(&tz).date_naive();
        let after = today.checked_add_days(Days::new(u64::from(days))).unwrap_or(NaiveDate::MAX);
        first_instant_at_or_after(tz, after.and_time(NaiveTime::MIN))
    }
}

#[cfg(feature = "tz")]
pub use local::{open_intervals, window_end};

#[cfg(all(test, feature = "tz"))]
#[expect(clippy::unwrap_used, reason = "in what the tests share too, a broken assumption must fail the test")]
mod tests {
    use super::*;
    use crate::{event_type::RulesInput, interval::normalize, schedule::WeeklyHours, zone::TimeZoneName};
    use chrono::NaiveDate;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn between(from: &str, to: &str) -> Interval {
        Interval::new(at(from), at(to)).unwrap()
    }

    fn rules(duration: u32, increment: u32, before: u32, after: u32, notice: u32) -> Rules {
        Rules::parse(RulesInput {
            duration_minutes: duration,
            increment_minutes: increment,
            buffer_before_minutes: before,
            buffer_after_minutes: after,
            notice_minutes: notice,
            window_days: 30,
        })
        .unwrap()
    }

    fn query<'a>(open: &'a [Interval], busy: &'a [Interval], rules: &'a Rules) -> SlotQuery<'a> {
        SlotQuery {
            open,
            busy,
            rules,
            window_end: at("2026-12-22T23:00:00Z"),
            now: at("2026-11-22T08:00:00Z"),
            range: between("2026-11-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        }
    }

    #[test]
    fn each_refusal_tells_its_reason() {
        let rules = rules(30, 30, 0, 0, 24 * 60);
        let open = [
            between("2026-11-22T09:00:00Z", "2026-11-22T17:00:00Z"),
            between("2026-11-24T09:00:00Z", "2026-11-24T17:00:00Z"),
            between("2026-12-23T09:00:00Z", "2026-12-23T17:00:00Z"),
        ];
        let busy = [between("2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z")];
        let query = query(&open, &busy, &rules);
        for (start, expected) in [
            ("2026-11-24T09:00:00Z", Ok(())),
            ("2026-11-22T10:00:00Z", Err(Refusal::Notice)),
            ("2026-12-23T10:00:00Z", Err(Refusal::Window)),
            ("2026-11-24T08:30:00Z", Err(Refusal::OutsideHours)),
            ("2026-11-24T16:45:00Z", Err(Refusal::OutsideHours)),
            ("2026-11-24T09:10:00Z", Err(Refusal::OffGrid)),
            ("2026-11-24T10:30:00Z", Err(Refusal::Busy)),
        ] {
            assert_eq!(check(&query, at(start)), expected, "{start}");
        }
    }

    #[test]
    fn both_of_the_doubled_hours_are_offered_once_each() {
        let madrid = TimeZoneName::parse("Europe/Madrid").unwrap().tz();
        let sunday = NaiveDate::from_ymd_opt(2026, 10, 25).unwrap();
        let mut days: [Vec<_>; 7] = Default::default();
        days[6].push(crate::schedule::LocalInterval::parse("02:00", "03:00").unwrap());
        let open = open_intervals(&WeeklyHours::new(days).unwrap(), madrid, sunday, sunday);
        let rules = rules(30, 30, 0, 0, 0);
        let query = SlotQuery {
            now: at("2026-10-20T00:00:00Z"),
            range: between("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
            ..query(&open, &[], &rules)
        };
        assert_eq!(
            slots(&query),
            ["00:00", "00:30", "01:00", "01:30"].map(|time| at(&format!("2026-10-25T{time}:00Z")))
        );
    }

    #[test]
    fn a_slot_in_the_spring_gap_is_not_offered() {
        let madrid = TimeZoneName::parse("Europe/Madrid").unwrap().tz();
        let sunday = NaiveDate::from_ymd_opt(2026, 3, 29).unwrap();
        let mut days: [Vec<_>; 7] = Default::default();
        days[6].push(crate::schedule::LocalInterval::parse("01:00", "04:00").unwrap());
        let open = open_intervals(&WeeklyHours::new(days).unwrap(), madrid, sunday, sunday);
        let rules = rules(60, 60, 0, 0, 0);
        let query = SlotQuery {
            now: at("2026-03-20T00:00:00Z"),
            range: between("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
            ..query(&open, &[], &rules)
        };
        let local: Vec<_> =
            slots(&query).iter().map(|start| start.with_timezone(&madrid).format("%H:%M").to_string()).collect();
        assert_eq!(local, ["01:00", "03:00"]);
    }

    #[test]
    fn the_window_ends_with_a_day_of_the_host() {
        let madrid = TimeZoneName::parse("Europe/Madrid").unwrap().tz();
        assert_eq!(window_end(madrid, at("2026-11-22T23:30:00Z"), 1), at("2026-11-23T23:00:00Z"));
    }

    proptest! {
        #[test]
        fn the_slots_are_those_of_a_walk_over_every_grid_point(
            open in prop::collection::vec((0i64..4000, 1i64..600), 0..8),
            busy in prop::collection::vec((0i64..4500, 1i64..300), 0..20),
            (duration, increment, before, after, notice) in (5u32..120, 5u32..90, 0u32..40, 0u32..40, 0u32..1500),
            (from, length) in (0i64..4000, 1i64..4000),
        ) {
            let epoch = at("2026-11-22T08:00:00Z");
            let minute = |value: i64| epoch + TimeDelta::minutes(value);
            let make = |pairs: Vec<(i64, i64)>| normalize(pairs.into_iter().map(|(start, length)| Interval { start: minute(start), end: minute(start + length) }).collect());
            let (open, busy) = (make(open), make(busy));
            let rules = rules(duration, increment, before, after, notice);
            let query = SlotQuery { range: Interval { start: minute(from), end: minute(from + length) }, window_end: minute(3500), ..query(&open, &busy, &rules) };
            let mut expected = Vec::new();
            for interval in &open {
                let mut start = interval.start;
                while start + rules.duration <= interval.end {
                    let free = busy.iter().all(|taken| !taken.overlaps(&claim(&rules, start)));
                    if free && query.range.contains(start) && start >= query.now + rules.notice && start < query.window_end {
                        expected.push(start);
                    }
                    start += rules.increment;
                }
            }
            prop_assert_eq!(&slots(&query), &expected);
            for probe in 0..100 {
                let start = minute(from + probe);
                prop_assert_eq!(check(&query, start).is_ok(), slots(&SlotQuery { range: between("2026-11-01T00:00:00Z", "2027-01-01T00:00:00Z"), ..query }).contains(&start));
            }
        }
    }
}
