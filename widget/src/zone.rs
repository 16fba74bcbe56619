//! A time zone as its offsets over the time that can be booked, learnt by asking the browser.

use crate::calendar::{DAY, Day, Instant, MINUTE, utc_day};
use crate::strings::{concat, decimal};

/// A zone's name and its offsets from UTC, each with the instant from which it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    pub name: String,
    offsets: Vec<(Instant, i32)>,
}

/// No zone changes its clocks there and back within this time (Morocco's Ramadan pause lasts five weeks).
const PROBE_STEP: Instant = 7 * DAY;

/// A zone is learnt until so long after the last instant that can be booked: slots may start later in another zone, and the
/// month around is in sight too.
pub const BEYOND_THE_WINDOW: Instant = 32 * DAY;

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

    /// A zone whose clocks never change.
    pub fn fixed(name: &str, offset: i32) -> Self {
        Self { name: name.to_owned(), offsets: vec![(Instant::MIN, offset)] }
    }

    /// Minutes east of UTC at an instant.
    pub fn offset(&self, at: Instant) -> i32 {
        self.offsets.iter().rev().find(|(from, _)| *from <= at).map_or(0, |(_, offset)| *offset)
    }

    /// The civil date of an instant in this zone.
    pub fn day(&self, at: Instant) -> Day {
        utc_day(at + Instant::from(self.offset(at)) * MINUTE)
    }

    /// The date here on which the clocks change, where those of `until` are not as those of `from`. Of several changes it is
    /// the last.
    pub fn change(&self, from: Instant, until: Instant) -> Option<Day> {
        let (since, offset) = self.offsets.iter().rev().find(|(since, _)| *since <= until)?;
        (*offset != self.offset(from)).then(|| self.day(*since))
    }
}

/// A zone that can be chosen, and its minutes east of UTC now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneChoice {
    pub name: String,
    pub offset: i32,
}

/// What browsers call some cities, and what they are called today.
const RENAMED: [(&str, &str); 6] = [
    ("Calcutta", "Kolkata"),
    ("Godthab", "Nuuk"),
    ("Katmandu", "Kathmandu"),
    ("Kiev", "Kyiv"),
    ("Rangoon", "Yangon"),
    ("Saigon", "Ho Chi Minh"),
];

/// The city after which a zone is named.
pub fn city(name: &str) -> String {
    let last = name.rfind('/').map_or(name, |at| &name[at + 1..]);
    RENAMED.iter().find(|(before, _)| *before == last).map_or(last, |(_, today)| today).replace('_', " ")
}

/// Minutes east of UTC as `GMT+5:30`.
pub fn offset_label(offset: i32) -> String {
    let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
    let sign = if offset < 0 { "GMT−" } else { "GMT+" };
    let minutes = match minutes {
        0 => String::new(),
        1..10 => concat(&[":0", &decimal(minutes)]),
        _ => concat(&[":", &decimal(minutes)]),
    };
    concat(&[sign, &decimal(hours), &minutes])
}

impl ZoneChoice {
    /// Whether a search by name, city or offset means it. Case and accents are of no matter.
    pub fn is_meant(&self, search: &str) -> bool {
        let search = fold(search.trim());
        let name = fold(&concat(&[&self.name, " ", &city(&self.name), " ", &offset_label(self.offset)]));
        search.is_empty() || name.windows(search.len()).any(|part| part == search)
    }
}

/// The letters of a text without case and accents.
fn fold(text: &str) -> Vec<u8> {
    let plain = |letter| match letter {
        'á' | 'à' | 'â' | 'ã' | 'ä' => b'a',
        'é' | 'è' | 'ê' | 'ë' => b'e',
        'í' | 'ì' | 'î' | 'ï' => b'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => b'o',
        'ú' | 'ù' | 'û' | 'ü' => b'u',
        'ç' => b'c',
        'ñ' => b'n',
        '_' => b' ',
        '−' => b'-',
        _ => (letter as u8).to_ascii_lowercase(),
    };
    text.chars().map(plain).collect()
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
    fn a_clock_change_is_told_where_it_falls_between_two_instants_and_still_holds_at_the_second() {
        let zone = madrid();
        let (winter, summer) = (at("2026-03-28T12:00:00Z"), at("2026-03-30T12:00:00Z"));
        assert_eq!(zone.change(winter, summer), Some(Day::new(2026, 3, 29)));
        assert_eq!(zone.change(summer, at("2026-11-02T12:00:00Z")), Some(Day::new(2026, 10, 25)));
        assert_eq!(zone.change(winter, at("2026-03-29T00:59:00Z")), None);
        assert_eq!(zone.change(summer, at("2026-10-25T00:59:00Z")), None);
        assert_eq!(zone.change(winter, at("2026-11-02T12:00:00Z")), None, "there and back");
    }

    #[test]
    fn a_zone_is_called_after_its_city_as_it_is_called_today() {
        for (name, expected) in [
            ("America/Argentina/Buenos_Aires", "Buenos Aires"),
            ("Asia/Calcutta", "Kolkata"),
            ("Europe/Kiev", "Kyiv"),
            ("UTC", "UTC"),
        ] {
            assert_eq!(city(name), expected);
        }
    }

    #[test]
    fn offsets_are_told_as_hours_with_minutes_where_there_are_any() {
        let labels = [0, 60, -180, 330, 345, -210, 65].map(offset_label);
        assert_eq!(labels, ["GMT+0", "GMT+1", "GMT−3", "GMT+5:30", "GMT+5:45", "GMT−3:30", "GMT+1:05"]);
    }

    #[test]
    fn a_zone_is_found_by_city_region_and_offset_without_case_and_accents() {
        let choice = |name: &str, offset| ZoneChoice { name: name.to_owned(), offset };
        let (bogota, kolkata) = (choice("America/Bogota", -300), choice("Asia/Calcutta", 330));
        for search in ["", " bogotá ", "BOGO", "america", "gmt-5", "GMT−5"] {
            assert!(bogota.is_meant(search), "{search}");
        }
        for search in ["kolkata", "calcutta", "asia/calc", "+5:30"] {
            assert!(kolkata.is_meant(search), "{search}");
            assert!(!bogota.is_meant(search), "{search}");
        }
        assert!(choice("America/Sao_Paulo", -180).is_meant("são paulo"));
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
