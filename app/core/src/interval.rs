//! Half-open intervals of instants and the few set operations that slots need.

use chrono::{DateTime, TimeDelta, Utc};

/// The instants from `start` up to but not including `end`; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Interval {
    /// The first instant inside.
    pub start: DateTime<Utc>,
    /// The first instant after.
    pub end: DateTime<Utc>,
}

impl Interval {
    /// `None` when `end` is not after `start`: an empty interval is no interval.
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// Whether any instant lies in both. Intervals that only touch do not overlap.
    pub fn overlaps(&self, other: &Interval) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether the instant lies inside.
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.start <= instant && instant < self.end
    }

    /// The elapsed time from start to end.
    pub fn duration(&self) -> TimeDelta {
        self.end - self.start
    }

    /// The instants in both, if there are any.
    pub fn intersection(&self, other: &Interval) -> Option<Interval> {
        Interval::new(self.start.max(other.start), self.end.min(other.end))
    }
}

/// Sorts the intervals and joins those that overlap or touch.
pub fn normalize(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable();
    intervals.dedup_by(|next, last| {
        let joins = next.start <= last.end;
        if joins {
            last.end = last.end.max(next.end);
        }
        joins
    });
    intervals
}

/// What is left of `from` without the instants of `minus`. Both must be [normalized](normalize); so is the answer.
pub fn subtract(from: &[Interval], minus: &[Interval]) -> Vec<Interval> {
    let mut left = Vec::with_capacity(from.len());
    let mut first = 0;
    for interval in from {
        while first < minus.len() && minus[first].end <= interval.start {
            first += 1;
        }
        let mut start = interval.start;
        for hole in minus[first..].iter().take_while(|hole| hole.start < interval.end) {
            left.extend(Interval::new(start, hole.start));
            start = start.max(hole.end);
        }
        left.extend(Interval::new(start, interval.end));
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn intervals() -> impl Strategy<Value = Vec<Interval>> {
        prop::collection::vec((0i64..60, 1i64..20), 0..12).prop_map(|pairs| {
            pairs.into_iter().map(|(start, length)| Interval { start: at(start), end: at(start + length) }).collect()
        })
    }

    fn minutes(intervals: &[Interval]) -> Vec<i64> {
        (0..100).filter(|&minute| intervals.iter().any(|interval| interval.contains(at(minute)))).collect()
    }

    #[test]
    fn an_empty_interval_is_no_interval() {
        assert_eq!(Interval::new(at(5), at(5)), None);
        assert_eq!(Interval::new(at(6), at(5)), None);
    }

    #[test]
    fn intervals_that_touch_do_not_overlap_but_are_joined() {
        let (a, b) = (Interval { start: at(0), end: at(5) }, Interval { start: at(5), end: at(9) });
        assert!(!a.overlaps(&b));
        assert_eq!(normalize(vec![b, a]), [Interval { start: at(0), end: at(9) }]);
    }

    proptest! {
        #[test]
        fn normalizing_keeps_the_instants_and_separates_the_intervals(input in intervals()) {
            let output = normalize(input.clone());
            prop_assert_eq!(minutes(&output), minutes(&input));
            prop_assert!(output.windows(2).all(|pair| pair[0].end < pair[1].start));
        }

        #[test]
        fn subtracting_leaves_the_minutes_that_only_the_first_has(a in intervals(), b in intervals()) {
            let left = subtract(&normalize(a.clone()), &normalize(b.clone()));
            let holes = minutes(&b);
            let expected: Vec<i64> = minutes(&a).into_iter().filter(|minute| !holes.contains(minute)).collect();
            prop_assert_eq!(minutes(&left), expected);
            prop_assert!(left.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
    }
}
