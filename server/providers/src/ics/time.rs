//! Dates, times of day, durations and offsets (RFC 5545, sections 3.3.4 to 3.3.6 and 3.3.14).

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// A longer duration is not read: nothing lasts longer.
const LONGEST_DAYS: i64 = 36_600;

/// A DATE or DATE-TIME as it is written. Its zone is told elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Day(NaiveDate),
    /// By a clock of the zone that a parameter names, or of wherever it is read.
    Local(NaiveDateTime),
    /// `Z`.
    Utc(NaiveDateTime),
}

impl Written {
    /// In the years that can be reckoned with. A leap second is the second before it.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (date, time) = text.split_at_checked(8)?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let date = NaiveDate::parse_from_str(date, "%Y%m%d").ok().filter(|_| digits(date))?;
        if !(1..=9998).contains(&date.year()) {
            return None;
        }
        if time.is_empty() {
            return Some(Self::Day(date));
        }
        let time = time.strip_prefix(['T', 't'])?;
        let (time, is_utc) = time.strip_suffix(['Z', 'z']).map_or((time, false), |time| (time, true));
        if !digits(time) {
            return None;
        }
        let number = |range: std::ops::Range<usize>| time.get(range)?.parse::<u32>().ok();
        let second = match time.len() {
            4 => 0,
            6 => number(4..6)?,
            _ => return None,
        };
        let second = if second == 60 { 59 } else { second };
        let at = date.and_time(NaiveTime::from_hms_opt(number(0..2)?, number(2..4)?, second)?);
        Some(if is_utc { Self::Utc(at) } else { Self::Local(at) })
    }

    /// What the clock shows, at midnight for a date.
    pub(super) fn naive(self) -> NaiveDateTime {
        match self {
            Self::Day(day) => day.and_time(NaiveTime::MIN),
            Self::Local(at) | Self::Utc(at) => at,
        }
    }
}

/// A nominal number of days and an exact time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Lasting {
    pub(super) days: i64,
    pub(super) time: TimeDelta,
}

impl Lasting {
    /// Reads `P1DT2H`, `-PT15M`, `P2W`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        let (sign, text) = match text.strip_prefix('-') {
            Some(text) => (-1, text),
            None => (1, text.strip_prefix('+').unwrap_or(&text)),
        };
        let text = text.strip_prefix('P')?;
        let (days, time) = text.split_once('T').map_or((text, ""), |(days, time)| (days, time));
        if days.is_empty() && time.is_empty() {
            return None;
        }
        let days = sum(days, &[('W', 7), ('D', 1)])?;
        let seconds = sum(time, &[('H', 3_600), ('M', 60), ('S', 1)])?;
        let is_sane = days <= LONGEST_DAYS && seconds <= LONGEST_DAYS * 86_400;
        is_sane.then(|| Self { days: sign * days, time: TimeDelta::seconds(sign * seconds) })
    }

    pub(super) fn total(self) -> TimeDelta {
        TimeDelta::days(self.days) + self.time
    }
}

/// Numbers with their units.
fn sum(text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut total = 0_i64;
    let mut number = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let (_, size) = units.iter().find(|(unit, _)| *unit == c)?;
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(*size)?)?;
        number.clear();
    }
    number.is_empty().then_some(total)
}

/// Reads `+0100`, `-033000`: local time less UTC.
pub(super) fn read_offset(text: &str) -> Option<TimeDelta> {
    let text = text.trim();
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    if !matches!(digits.len(), 4 | 6) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |range| digits.get(range).map_or(Some(0), |digits: &str| digits.parse::<i64>().ok());
    let (hours, minutes, seconds) = (number(0..2)?, number(2..4)?, number(4..6)?);
    (hours < 24 && minutes < 60 && seconds < 60)
        .then(|| TimeDelta::seconds(sign * (hours * 3_600 + minutes * 60 + seconds)))
}

/// Writes `+0100`, `-033000`.
pub(super) fn written_offset(offset: TimeDelta) -> String {
    let (sign, seconds) =
        if offset < TimeDelta::zero() { ('-', -offset.num_seconds()) } else { ('+', offset.num_seconds()) };
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if seconds == 0 {
        format!("{sign}{hours:02}{minutes:02}")
    } else {
        format!("{sign}{hours:02}{minutes:02}{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_date_and_a_time_of_day_are_told_apart() {
        let at = |text: &str| text.parse::<NaiveDateTime>().unwrap();
        assert_eq!(Written::read("20261123"), Some(Written::Day("2026-11-23".parse().unwrap())));
        assert_eq!(Written::read(" 20261123T090000 "), Some(Written::Local(at("2026-11-23T09:00:00"))));
        assert_eq!(Written::read("20261123T0900"), Some(Written::Local(at("2026-11-23T09:00:00"))));
        assert_eq!(Written::read("20261123t235960z"), Some(Written::Utc(at("2026-11-23T23:59:59"))));
        for wrong in [
            "",
            "2026",
            "20261340",
            "20261123T",
            "20261123T25",
            "20261123T240000",
            "20261123T09:00",
            "00001123",
            "99991231",
            "+2026112",
            "2026112é",
            "20261123T0900é",
        ] {
            assert_eq!(Written::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_duration_has_nominal_days_and_an_exact_time() {
        let lasting = |days, seconds| Some(Lasting { days, time: TimeDelta::seconds(seconds) });
        assert_eq!(Lasting::read("P1DT2H30M15S"), lasting(1, 9_015));
        assert_eq!(Lasting::read("P2W"), lasting(14, 0));
        assert_eq!(Lasting::read("-PT15M"), lasting(0, -900));
        assert_eq!(Lasting::read("+pt0s"), lasting(0, 0));
        for wrong in ["", "P", "PT", "1D", "P1", "P1H", "PT1D", "PD", "P99999999999999999999D", "P999999D"] {
            assert_eq!(Lasting::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_offset_has_a_sign() {
        assert_eq!(read_offset("+0130"), Some(TimeDelta::minutes(90)));
        assert_eq!(read_offset("-033000"), Some(TimeDelta::minutes(-210)));
        for wrong in ["", "0100", "+01", "+01:00", "+2400", "+0160", "+é00"] {
            assert_eq!(read_offset(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in any::<String>()) {
            let _all = (Written::read(&text), Lasting::read(&text), read_offset(&text));
        }

        #[test]
        fn an_offset_that_was_written_is_read_again(seconds in -86_399_i64..86_400) {
            let offset = TimeDelta::seconds(seconds);
            prop_assert_eq!(read_offset(&written_offset(offset)), Some(offset));
        }
    }
}
