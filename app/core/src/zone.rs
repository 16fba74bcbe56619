//! From local rules to instants.
//!
//! A local interval such as 09:00–17:00 on a date means *every instant whose local time lies in it*. This one sentence
//! settles each clock change:
//!
//! - in a spring gap the skipped local times have no instants, so the interval is shorter by the gap;
//! - in an autumn fold the doubled local times have two instants each, and both belong to it. An interval that begins
//!   or ends inside the doubled hour is therefore two intervals of instants;
//! - a date that a zone skipped (Apia, 2011-12-30) has no instants.
//!
//! ```
//! use chrono::NaiveDate;
//! use cupo_core::zone::{TimeZoneName, instants_of};
//! let madrid = TimeZoneName::parse("Europe/Madrid").unwrap().tz();
//! let on = |month, day, from_hour, to_hour| {
//!     let date = NaiveDate::from_ymd_opt(2026, month, day).unwrap();
//!     instants_of(madrid, date.and_hms_opt(from_hour, 0, 0).unwrap(), date.and_hms_opt(to_hour, 0, 0).unwrap())
//! };
//! // An ordinary day: three hours.
//! assert_eq!(on(6, 1, 1, 4)[0].duration().num_hours(), 3);
//! // 29 March: 02:00 to 03:00 does not exist.
//! assert_eq!(on(3, 29, 1, 4)[0].duration().num_hours(), 2);
//! assert!(on(3, 29, 2, 3).is_empty());
//! // 25 October: 02:00 to 03:00 happens twice.
//! assert_eq!(on(10, 25, 1, 4)[0].duration().num_hours(), 4);
//! assert_eq!(on(10, 25, 2, 3)[0].duration().num_hours(), 2);
//! ```

use std::fmt;

use chrono::{
    DateTime, Datelike, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

use crate::{
    interval::{Interval, normalize},
    parse::FieldProblem,
};

/// The release of the IANA time zone database that is compiled in, such as `2026a`.
pub const TZDB_VERSION: &str = chrono_tz::IANA_TZDB_VERSION;

/// The name of a zone of the IANA time zone database, such as `Europe/Madrid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeZoneName(Tz);

impl TimeZoneName {
    /// Reads an IANA name, aliases such as `Asia/Calcutta` included.
    pub fn parse(name: &str) -> Result<Self, FieldProblem> {
        if name.trim().is_empty() {
            return Err(FieldProblem::new("error.required"));
        }
        name.trim().parse().map(Self).map_err(|_| FieldProblem::new("error.time_zone").with("value", name))
    }

    /// The zone itself.
    pub fn tz(self) -> Tz {
        self.0
    }

    /// The name as it was given.
    pub fn as_str(self) -> &'static str {
        self.0.name()
    }

    /// Every name that [`parse`](Self::parse) accepts, aliases included, in alphabetical order.
    pub fn all() -> impl Iterator<Item = &'static str> {
        chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name())
    }
}

impl fmt::Display for TimeZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for TimeZoneName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for TimeZoneName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&name).map_err(|_| serde::de::Error::custom(format_args!("`{name}` is not an IANA time zone")))
    }
}

/// The instants whose local time in `tz` lies in `[from, to)`: none, one interval, or two around a fold; sorted.
///
/// ```
/// use cupo_core::zone::{TimeZoneName, instants_of};
/// let instants = |zone, from: &str, to: &str| {
///     let tz = TimeZoneName::parse(zone).unwrap().tz();
///     let found = instants_of(tz, from.parse().unwrap(), to.parse().unwrap());
///     found.iter().map(|at| format!("{}/{}", at.start.format("%R"), at.end.format("%R"))).collect::<Vec<_>>()
/// };
/// // It begins inside the hour that Madrid has twice: it begins twice.
/// assert_eq!(instants("Europe/Madrid", "2026-10-25T02:30:00", "2026-10-25T04:00:00"), ["00:30/01:00", "01:30/03:00"]);
/// // Lord Howe has only half an hour twice.
/// assert_eq!(instants("Australia/Lord_Howe", "2026-04-05T01:00:00", "2026-04-05T02:00:00"), ["14:00/15:30"]);
/// // Samoa crossed the date line: the 30th of December 2011 did not take place.
/// assert!(instants("Pacific/Apia", "2011-12-30T09:00:00", "2011-12-30T17:00:00").is_empty());
/// ```
pub fn instants_of(tz: Tz, from: NaiveDateTime, to: NaiveDateTime) -> Vec<Interval> {
    let (from, to) = (bounded(from), bounded(to));
    if from >= to {
        return Vec::new();
    }
    let (starts, ends) = (tz.from_local_datetime(&from), tz.from_local_datetime(&to));
    if let (MappedLocalTime::Single(start), MappedLocalTime::Single(end)) = (&starts, &ends) {
        return Interval::new(start.to_utc(), end.to_utc()).into_iter().collect();
    }
    // An end lies in a gap or a fold: take each stretch of constant offset by itself.
    let pieces = offset_stretches(tz, from, to).into_iter().filter_map(|(stretch, offset)| {
        Interval::new(from.and_utc() - offset, to.and_utc() - offset)?.intersection(&stretch)
    });
    normalize(pieces.collect())
}

/// The first instant at which the local time in `tz` is at least `local`, however the clocks change: in a gap the end of
/// the gap, in a fold the earlier of the two.
///
/// ```
/// use cupo_core::zone::{TimeZoneName, first_instant_at_or_after, last_instant_before};
/// let madrid = TimeZoneName::parse("Europe/Madrid").unwrap().tz();
/// let skipped = "2026-03-29T02:30:00".parse().unwrap();
/// assert_eq!(first_instant_at_or_after(madrid, skipped).to_rfc3339(), "2026-03-29T01:00:00+00:00");
/// assert_eq!(last_instant_before(madrid, skipped).to_rfc3339(), "2026-03-29T01:00:00+00:00");
/// let doubled = "2026-10-25T02:30:00".parse().unwrap();
/// assert_eq!(first_instant_at_or_after(madrid, doubled).to_rfc3339(), "2026-10-25T00:30:00+00:00");
/// assert_eq!(last_instant_before(madrid, doubled).to_rfc3339(), "2026-10-25T01:30:00+00:00");
/// ```
pub fn first_instant_at_or_after(tz: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    let local = bounded(local);
    match tz.from_local_datetime(&local) {
        MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => instant.to_utc(),
        MappedLocalTime::None => offset_stretches(tz, local, local)
            .into_iter()
            .find(|(stretch, offset)| stretch.end + *offset > local.and_utc())
            .map_or(local.and_utc(), |(stretch, offset)| stretch.start.max(local.and_utc() - offset)),
    }
}

/// The instant from which on the local time in `tz` is at least `local` for good: in a gap the end of the gap, in a fold
/// the later of the two.
pub fn last_instant_before(tz: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    match tz.from_local_datetime(&bounded(local)) {
        MappedLocalTime::Ambiguous(_, later) => later.to_utc(),
        _ => first_instant_at_or_after(tz, local),
    }
}

/// A local time with which can be reckoned: one before the year 1 or after the year 9999 counts as the nearest that is not.
fn bounded(local: NaiveDateTime) -> NaiveDateTime {
    let year = local.year();
    if (1..10_000).contains(&year) {
        return local;
    }
    NaiveDate::from_yo_opt(year.clamp(1, 10_000), 1).map_or(local, |date| date.and_time(NaiveTime::MIN))
}

/// A change of a zone's clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// The first instant of the new offset.
    pub at: DateTime<Utc>,
    /// Local time less UTC before.
    pub before: TimeDelta,
    /// Local time less UTC from then on.
    pub after: TimeDelta,
}

/// The first change of the zone's clocks in `(after, until]`, if there is one.
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use cupo_core::zone::{TimeZoneName, next_transition};
/// let madrid = TimeZoneName::parse("Europe/Madrid").unwrap().tz();
/// let now: DateTime<Utc> = "2026-11-27T12:00:00Z".parse().unwrap();
/// let spring = next_transition(madrid, now, now + TimeDelta::days(366)).unwrap();
/// assert_eq!(spring.at.to_rfc3339(), "2027-03-28T01:00:00+00:00");
/// assert_eq!((spring.before, spring.after), (TimeDelta::hours(1), TimeDelta::hours(2)));
/// ```
pub fn next_transition(tz: Tz, after: DateTime<Utc>, until: DateTime<Utc>) -> Option<Transition> {
    let before = offset_at(tz, after);
    let mut cursor = after;
    while cursor < until {
        let next = (cursor + STEP).min(until);
        if offset_at(tz, next) != before {
            let at = transition_between(tz, cursor, next);
            return Some(Transition { at, before, after: offset_at(tz, at) });
        }
        cursor = next;
    }
    None
}

/// How far apart offsets are looked at to find where they change. A change that is undone within a step is not found: the
/// shortest that the database has from 1970 to 2100 lasted a week (Brazil in October 2000).
const STEP: TimeDelta = TimeDelta::days(3);

/// The stretches of constant offset around the local interval, which reach further than any offset (26 h) on both sides.
fn offset_stretches(tz: Tz, from: NaiveDateTime, to: NaiveDateTime) -> Vec<(Interval, TimeDelta)> {
    let margin = TimeDelta::hours(27);
    let (mut start, last) = (from.and_utc() - margin, to.and_utc() + margin);
    let mut stretches = Vec::new();
    while let Some(change) = next_transition(tz, start, last) {
        stretches.extend(Interval::new(start, change.at).map(|stretch| (stretch, change.before)));
        start = change.at;
    }
    stretches.extend(Interval::new(start, last).map(|stretch| (stretch, offset_at(tz, start))));
    stretches
}

/// Local time less UTC at an instant.
pub fn offset_at(tz: Tz, instant: DateTime<Utc>) -> TimeDelta {
    TimeDelta::seconds(i64::from(tz.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc()))
}

/// The first second in `(before, after]` whose offset is not that of `before`.
fn transition_between(tz: Tz, before: DateTime<Utc>, after: DateTime<Utc>) -> DateTime<Utc> {
    let offset = offset_at(tz, before);
    let (mut same, mut changed) = (before, after);
    while changed - same > TimeDelta::seconds(1) {
        let middle = same + TimeDelta::seconds((changed - same).num_seconds() / 2);
        if offset_at(tz, middle) == offset { same = middle } else { changed = middle }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Walks every minute that could belong to the local interval.
    fn oracle(tz: Tz, from: NaiveDateTime, to: NaiveDateTime) -> Vec<Interval> {
        let minute = TimeDelta::minutes(1);
        let mut instant = from.and_utc() - TimeDelta::hours(30);
        let mut found = Vec::new();
        while instant < to.and_utc() + TimeDelta::hours(30) {
            let local = instant.with_timezone(&tz).naive_local();
            if from <= local && local < to {
                found.push(Interval { start: instant, end: instant + minute });
            }
            instant += minute;
        }
        normalize(found)
    }

    #[test]
    fn a_skipped_date_has_no_instants() {
        let date = NaiveDate::from_ymd_opt(2011, 12, 30).unwrap();
        let apia = TimeZoneName::parse("Pacific/Apia").unwrap().tz();
        assert!(instants_of(apia, date.and_hms_opt(9, 0, 0).unwrap(), date.and_hms_opt(17, 0, 0).unwrap()).is_empty());
    }

    #[test]
    fn midnight_in_a_gap_is_the_instant_after_it() {
        // Santiago springs from 00:00 to 01:00 on 2026-09-06, at 04:00Z.
        let santiago = TimeZoneName::parse("America/Santiago").unwrap().tz();
        let midnight = NaiveDate::from_ymd_opt(2026, 9, 6).unwrap().and_hms_opt(0, 0, 0).unwrap();
        assert_eq!(first_instant_at_or_after(santiago, midnight).to_rfc3339(), "2026-09-06T04:00:00+00:00");
    }

    #[test]
    fn a_local_time_within_a_gap_is_the_instant_after_it() {
        let madrid = TimeZoneName::parse("Europe/Madrid").unwrap().tz();
        let date = NaiveDate::from_ymd_opt(2026, 3, 29).unwrap();
        for minute in 0..60 {
            let skipped = date.and_hms_opt(2, minute, 0).unwrap();
            assert_eq!(first_instant_at_or_after(madrid, skipped).to_rfc3339(), "2026-03-29T01:00:00+00:00");
            assert_eq!(last_instant_before(madrid, skipped).to_rfc3339(), "2026-03-29T01:00:00+00:00");
        }
        let noon = NaiveDate::from_ymd_opt(2011, 12, 30).unwrap().and_hms_opt(12, 0, 0).unwrap();
        let apia = TimeZoneName::parse("Pacific/Apia").unwrap().tz();
        assert_eq!(first_instant_at_or_after(apia, noon).to_rfc3339(), "2011-12-30T10:00:00+00:00");
    }

    #[test]
    fn local_times_at_the_ends_of_time_are_taken_for_near_ones() {
        for tz in chrono_tz::TZ_VARIANTS {
            for local in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
                assert!(instants_of(tz, local, local).is_empty());
                assert_eq!(first_instant_at_or_after(tz, local), last_instant_before(tz, local));
            }
            assert_eq!(instants_of(tz, NaiveDateTime::MIN, NaiveDateTime::MAX).len(), 1);
        }
    }

    #[test]
    fn an_unknown_zone_is_named_in_the_problem() {
        assert_eq!(TimeZoneName::parse("Mars/Olympus").unwrap_err().args, [("value", "Mars/Olympus".to_owned())]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn the_instants_are_those_of_a_walk_minute_by_minute(
            zone in prop::sample::select(vec![
                "Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham", "Asia/Kathmandu",
                "America/St_Johns", "Africa/Casablanca", "America/Santiago", "Pacific/Apia", "Antarctica/Troll",
            ]),
            near in prop::sample::select(vec![(2026, 3, 29), (2026, 10, 25), (2026, 4, 5), (2026, 10, 4), (2026, 11, 1), (2026, 3, 8), (2011, 12, 30)]),
            day in -2i64..3, start in 0i64..1440, length in 1i64..1440,
        ) {
            let (year, month, of_month) = near;
            let midnight = NaiveDate::from_ymd_opt(year, month, of_month).unwrap().and_hms_opt(0, 0, 0).unwrap();
            let from = midnight + TimeDelta::days(day) + TimeDelta::minutes(start);
            let to = from + TimeDelta::minutes(length);
            let tz = TimeZoneName::parse(zone).unwrap().tz();
            prop_assert_eq!(instants_of(tz, from, to), oracle(tz, from, to));
        }
    }
}
