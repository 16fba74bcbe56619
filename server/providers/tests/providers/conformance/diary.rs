//! What stands in a calendar, told independently of any provider.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use cupo_core::interval::{Interval, normalize};

/// The zone of the calendar.
pub const ZONE: Tz = Tz::Europe__Madrid;

/// Entries by a name that stays while they change.
#[derive(Debug, Clone, Default)]
pub struct Diary(pub BTreeMap<&'static str, Entry>);

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub when: When,
    pub shows: Shows,
    pub repeats: Repeats,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Local times in [`ZONE`].
    Times { start: NaiveDateTime, end: NaiveDateTime },
    /// The last one exclusive.
    Days { first: NaiveDate, end: NaiveDate },
}

/// What an entry says of its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    Busy,
    Free,
    Tentative,
    /// An invitation that the owner has declined.
    Declined,
    /// Busy, and nobody else may see what for.
    Private,
    /// An invitation to which the owner has said nothing yet.
    Unanswered,
    /// Out of office.
    Away,
}

/// Whether it comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repeats {
    Never,
    /// Each week on the same day at the same local time, so often; but for the instance `cancelled` and with `moved` at
    /// another time. Instances count from 0.
    Weekly {
        count: u32,
        cancelled: Option<u32>,
        moved: Option<(u32, NaiveDateTime)>,
    },
}

pub fn time(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn utc(local: NaiveDateTime) -> DateTime<Utc> {
    ZONE.from_local_datetime(&local).single().expect("the suite keeps away from gaps and folds").to_utc()
}

impl Entry {
    pub fn at(start: &str, end: &str) -> Self {
        let when = When::Times { start: time(start), end: time(end) };
        Self { when, shows: Shows::Busy, repeats: Repeats::Never }
    }

    pub fn on(first: &str, end: &str) -> Self {
        let when = When::Days { first: day(first), end: day(end) };
        Self { when, shows: Shows::Busy, repeats: Repeats::Never }
    }

    pub fn that(self, shows: Shows) -> Self {
        Self { shows, ..self }
    }

    pub fn weekly(self, count: u32, cancelled: Option<u32>, moved: Option<(u32, &str)>) -> Self {
        let moved = moved.map(|(instance, start)| (instance, time(start)));
        Self { repeats: Repeats::Weekly { count, cancelled, moved }, ..self }
    }

    /// Every time that it takes place.
    pub fn instances(&self) -> Vec<When> {
        let Repeats::Weekly { count, cancelled, moved } = &self.repeats else { return vec![self.when] };
        let later = |weeks: u32| Days::new(7 * u64::from(weeks));
        (0..*count)
            .filter(|number| Some(*number) != *cancelled)
            .map(|number| match (self.when, moved) {
                (When::Times { start, end }, Some((instance, at))) if *instance == number => {
                    When::Times { start: *at, end: *at + (end - start) }
                }
                (When::Times { start, end }, _) => {
                    When::Times { start: start + later(number), end: end + later(number) }
                }
                (When::Days { first, end }, _) => When::Days { first: first + later(number), end: end + later(number) },
            })
            .collect()
    }

    fn blocks(&self) -> bool {
        !matches!(self.shows, Shows::Free | Shows::Declined)
    }
}

impl When {
    pub fn interval(self) -> Interval {
        let (start, end) = match self {
            Self::Times { start, end } => (utc(start), utc(end)),
            Self::Days { first, end } => {
                (utc(first.and_time(Default::default())), utc(end.and_time(Default::default())))
            }
        };
        Interval::new(start, end).unwrap()
    }
}

impl Diary {
    /// When the owner is busy within `window`.
    pub fn busy(&self, window: Interval) -> Vec<Interval> {
        let blocking = self.0.values().filter(|entry| entry.blocks()).flat_map(Entry::instances);
        normalize(blocking.filter_map(|when| when.interval().intersection(&window)).collect())
    }
}

/// What the suite looks at: autumn, with the end of summer time in it.
pub fn window() -> Interval {
    Interval::new(utc(time("2026-10-05T00:00:00")), utc(time("2026-12-01T00:00:00"))).unwrap()
}
