//! Civil dates, months and instants as plain numbers: what a month calendar needs, without a date library.

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Instant = i64;

pub const MINUTE: Instant = 60_000;
pub const DAY: Instant = 24 * 60 * MINUTE;

/// A civil date: days since 1970-01-01 in the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// A civil month: months since January of the year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(pub i32);

impl Day {
    /// The date of a year, a month (1 to 12) and a day of that month.
    pub fn new(year: i32, month: i32, day: i32) -> Self {
        // Years start in March here, so that the leap day is the last of its year.
        let shifted = if month <= 2 { year - 1 } else { year };
        let era = shifted.div_euclid(400);
        let year_of_era = shifted.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Self(era * 146_097 + day_of_era - 719_468)
    }

    /// Year, month (1 to 12) and day of the month.
    pub fn civil(self) -> (i32, i32, i32) {
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = year_of_era + era * 400 + i32::from(month <= 2);
        (year, month, day)
    }

    pub fn month(self) -> Month {
        let (year, month, _) = self.civil();
        Month(year * 12 + month - 1)
    }

    /// Monday is 0, Sunday is 6.
    pub fn weekday(self) -> i32 {
        (self.0 + 3).rem_euclid(7)
    }

    /// The date `months` later, on the same day of the month or on the last one that month has.
    pub fn plus_months(self, months: i32) -> Self {
        let month = Month(self.month().0 + months);
        Self((month.first().0 + self.civil().2 - 1).min(month.last().0))
    }

    /// Midnight UTC of the date, which `Intl` formats with `timeZone: "UTC"` as this very date.
    pub fn utc_midnight(self) -> Instant {
        Instant::from(self.0) * DAY
    }

    /// `2026-11-23`.
    pub fn iso(self) -> String {
        let (year, month, day) = self.civil();
        let mut text = String::with_capacity(10);
        push_padded(&mut text, year, 4);
        text.push('-');
        push_padded(&mut text, month, 2);
        text.push('-');
        push_padded(&mut text, day, 2);
        text
    }

    /// Reads `2026-11-23`; anything after the date is left alone.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (year, month, day) = (number(bytes, 0, 4)?, number(bytes, 5, 2)?, number(bytes, 8, 2)?);
        let date = Self::new(year, month, day);
        (bytes[4] == b'-' && bytes[7] == b'-' && date.civil() == (year, month, day)).then_some(date)
    }
}

impl Month {
    pub fn first(self) -> Day {
        Day::new(self.0.div_euclid(12), self.0.rem_euclid(12) + 1, 1)
    }

    pub fn last(self) -> Day {
        Day(self.next().first().0 - 1)
    }

    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub fn previous(self) -> Self {
        Self(self.0 - 1)
    }

    /// The weeks of the month, each of seven cells; a cell outside the month is empty.
    /// `week_start` is 0 for Monday and 6 for Sunday.
    pub fn weeks(self, week_start: i32) -> Vec<[Option<Day>; 7]> {
        let (first, last) = (self.first().0, self.last().0);
        let mut start = first - (self.first().weekday() - week_start).rem_euclid(7);
        let mut weeks = Vec::with_capacity(6);
        while start <= last {
            let mut week = [None; 7];
            for (cell, date) in week.iter_mut().zip(start..) {
                *cell = (first..=last).contains(&date).then_some(Day(date));
            }
            weeks.push(week);
            start += 7;
        }
        weeks
    }
}

/// Reads an RFC 3339 instant in UTC, `2026-11-23T09:00:00Z`; fractions of a second are dropped.
pub fn parse_instant(text: &str) -> Option<Instant> {
    let bytes = text.as_bytes();
    let day = Day::parse(text)?;
    let (hour, minute, second) = (number(bytes, 11, 2)?, number(bytes, 14, 2)?, number(bytes, 17, 2)?);
    if bytes[10] != b'T' || bytes.last() != Some(&b'Z') || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(day.utc_midnight() + Instant::from(hour * 3600 + minute * 60 + second) * 1000)
}

/// `2026-11-23T09:00:00Z`.
pub fn format_instant(at: Instant) -> String {
    let second_of_day = (at.rem_euclid(DAY) / 1000) as i32;
    let mut text = utc_day(at).iso();
    for (mark, part) in [('T', second_of_day / 3600), (':', second_of_day / 60 % 60), (':', second_of_day % 60)] {
        text.push(mark);
        push_padded(&mut text, part, 2);
    }
    text.push('Z');
    text
}

/// The civil date of an instant in UTC.
pub fn utc_day(at: Instant) -> Day {
    Day(at.div_euclid(DAY) as i32)
}

fn number(bytes: &[u8], from: usize, length: usize) -> Option<i32> {
    bytes
        .get(from..from + length)?
        .iter()
        .try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i32::from(byte - b'0')))
}

fn push_padded(text: &mut String, value: i32, width: u32) {
    for place in (0..width).rev() {
        text.push((b'0' + (value / 10_i32.pow(place) % 10) as u8) as char);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_eight_centuries_follows_the_one_before() {
        let mut previous = Day::new(1799, 12, 31);
        for number in Day::new(1800, 1, 1).0..Day::new(2600, 1, 1).0 {
            let day = Day(number);
            let ((year, month, date), (last_year, last_month, last_date)) = (day.civil(), previous.civil());
            assert_eq!(Day::new(year, month, date), day);
            assert_eq!(number, previous.0 + 1);
            let follows = (year, month, date) == (last_year, last_month, last_date + 1)
                || (date == 1 && (year * 12 + month) == (last_year * 12 + last_month + 1) && last_date >= 28);
            assert!(follows, "{previous:?} {day:?}");
            previous = day;
        }
    }

    #[test]
    fn known_dates_have_their_known_numbers_and_weekdays() {
        assert_eq!(Day::new(1970, 1, 1), Day(0));
        assert_eq!(Day::new(1970, 1, 1).weekday(), 3);
        assert_eq!(Day::new(2000, 2, 29).iso(), "2000-02-29");
        assert_eq!(Day::new(2026, 11, 23).weekday(), 0);
    }

    #[test]
    fn dates_that_do_not_exist_are_not_read() {
        for text in ["2026-02-29", "2026-13-01", "2026-00-10", "2026/01/01", "26-01-01", "2026-1-1", ""] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_month_later_than_the_31st_is_the_last_of_a_shorter_month() {
        assert_eq!(Day::new(2026, 1, 31).plus_months(1), Day::new(2026, 2, 28));
        assert_eq!(Day::new(2024, 3, 31).plus_months(-1), Day::new(2024, 2, 29));
        assert_eq!(Day::new(2026, 12, 15).plus_months(1), Day::new(2027, 1, 15));
    }

    #[test]
    fn weeks_begin_on_the_day_of_the_locale_and_hold_each_day_once() {
        for week_start in [0, 5, 6] {
            for month in 0..48 {
                let month = Month(2025 * 12 + month);
                let weeks = month.weeks(week_start);
                let days: Vec<Day> = weeks.iter().flatten().flatten().copied().collect();
                assert_eq!(days.first(), Some(&month.first()));
                assert_eq!(days.last(), Some(&month.last()));
                assert!(days.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
                for week in weeks {
                    for (column, day) in week.iter().enumerate() {
                        assert!(day.is_none_or(|day| (day.weekday() - week_start).rem_euclid(7) == column as i32));
                    }
                }
            }
        }
    }

    #[test]
    fn instants_are_read_and_written_as_rfc_3339() {
        let at = parse_instant("2026-11-23T09:05:30Z").unwrap();
        assert_eq!(at, 1_795_424_730_000);
        assert_eq!(format_instant(at), "2026-11-23T09:05:30Z");
        assert_eq!(parse_instant("2026-11-23T09:05:30.250Z"), Some(at));
        assert_eq!(format_instant(-1000), "1969-12-31T23:59:59Z");
        for text in ["2026-11-23T09:05:30", "2026-11-23 09:05:30Z", "2026-11-23T24:00:00Z", "2026-11-23T09:05:30+01:00"]
        {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }
}
