//! A time zone as its offsets over the time that can be booked, learnt by asking the browser.

use crate::calendar::{DAY, Day, Instant, MINUTE, utc_day};

/// A zone's name and its offsets from UTC, each with the instant from which it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    pub name: String,
    offsets: Vec<(Instant, i32)>,
}

/// No zone changes its clocks there and back within this time (Morocco's Ramadan pause lasts five weeks).
const PROBE_STEP: Instant = 7 * DAY;

impl Zone {
    /// Learns the offsets in `from..until` from `offset_at`, which gives the minutes east of UTC at an instant.
    pub fn learn(name: String, from: Instant, until: Instant, offset_at: impl Fn(Instant) -> i32) -> Self {
        let mut offsets = vec![(Instant::MIN, offset_at(from))];
        let (mut known, mut offset) = (from, offsets[0].1);
        while known < until {
            let probe = known + PROBE_STEP;
            let next = offset_at(probe);
            if next != offset {
                let (mut before, mut after) = (known, probe);
                while after - before > MINUTE {
                    let middle = before + (after - before) / 2;
                    if offset_at(middle) == offset { before = middle } else { after = middle }
                }
                // Clocks change on a whole minute: the first one that is not before the change.
                offsets.push((after.div_euclid(MINUTE) * MINUTE, next));
                offset = next;
            }
            known = probe;
        }
        Self { name, offsets }
    }

    /// Minutes east of UTC at an instant.
    pub fn offset(&self, at: Instant) -> i32 {
        self.offsets.iter().rev().find(|(from, _)| *from <= at).map_or(0, |(_, offset)| *offset)
    }

    /// The civil date of an instant in this zone.
    pub fn day(&self, at: Instant) -> Day {
        utc_day(at + Instant::from(self.offset(at)) * MINUTE)
    }
}

/// The minutes east of UTC in what `Intl` writes for `timeZoneName: "longOffset"`, such as `11/23/2026, GMT+05:30`;
/// `GMT` alone is zero.
pub fn read_offset(text: &str) -> i32 {
    let Some(sign) = text.rfind(['+', '-', '\u{2212}']) else { return 0 };
    let digits = text[sign..].chars().filter_map(|character| character.to_digit(10));
    // Hours and minutes of two digits each.
    let minutes = digits.zip([600, 60, 10, 1]).map(|(digit, worth)| digit * worth).sum::<u32>() as i32;
    if text[sign..].starts_with('+') { minutes } else { -minutes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::parse_instant;

    const SPRING: &str = "2026-03-29T01:00:00Z";
    const AUTUMN: &str = "2026-10-25T01:00:00Z";

    fn at(text: &str) -> Instant {
        parse_instant(text).unwrap()
    }

    fn madrid_offset(instant: Instant) -> i32 {
        if (at(SPRING)..at(AUTUMN)).contains(&instant) { 120 } else { 60 }
    }

    fn madrid() -> Zone {
        let (from, until) = (at("2026-01-07T10:23:45Z"), at("2026-12-31T00:00:00Z"));
        Zone::learn("Europe/Madrid".to_owned(), from, until, madrid_offset)
    }

    #[test]
    fn the_learnt_offsets_are_right_to_the_minute_around_both_clock_changes() {
        let zone = madrid();
        for change in [SPRING, AUTUMN] {
            for minute in -90..90 {
                let instant = at(change) + minute * MINUTE;
                assert_eq!(zone.offset(instant), madrid_offset(instant), "{change} {minute}");
            }
        }
        assert_eq!(zone.offsets.len(), 3);
    }

    #[test]
    fn an_instant_late_in_the_evening_of_utc_is_the_next_day_in_the_east() {
        assert_eq!(madrid().day(at("2026-06-30T21:59:00Z")), Day::new(2026, 6, 30));
        assert_eq!(madrid().day(at("2026-06-30T22:00:00Z")), Day::new(2026, 7, 1));
        assert_eq!(madrid().day(at("2026-12-31T22:59:00Z")), Day::new(2026, 12, 31));
    }

    #[test]
    fn a_zone_west_of_utc_has_the_day_before_in_the_early_hours() {
        let zone = Zone::learn("Etc/GMT+8".to_owned(), 0, DAY, |_| -480);
        assert_eq!(zone.day(at("2026-06-30T07:59:00Z")), Day::new(2026, 6, 29));
    }

    #[test]
    fn offsets_are_read_as_intl_writes_them() {
        for (text, minutes) in [
            ("11/23/2026, GMT+05:30", 330),
            ("11/23/2026, GMT-03:30", -210),
            ("11/23/2026, GMT\u{2212}10:00", -600),
            ("11/23/2026, GMT+01:00", 60),
            ("11/23/2026, GMT", 0),
        ] {
            assert_eq!(read_offset(text), minutes, "{text}");
        }
    }
}
