//! When a host can be booked, as written in the host's own zone: weekly hours and what one date has instead of them.
//! [`availability`](crate::availability) makes instants of them.

use chrono::{NaiveDate, Weekday};

use crate::parse::{FieldErrors, FieldProblem};

const DAY: u16 = 1440;

/// A stretch of local time that begins on one day, in minutes from its midnight: `start_minute < 1440` and
/// `start_minute < end_minute < start_minute + 1440`, or the whole day. An end beyond 1440 lies on the following day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalInterval {
    /// Minutes from midnight at which it begins.
    pub start_minute: u16,
    /// Minutes from midnight at which it has ended; 1440 is the following midnight, 1560 is 02:00 of the day after.
    pub end_minute: u16,
}

impl LocalInterval {
    /// Reads `09:00` and `17:00`. An end that is not later than the start lies on the following day (`22:00`, `02:00`);
    /// `24:00` is the end of the day.
    pub fn parse(start: &str, end: &str) -> Result<Self, FieldProblem> {
        let (start_minute, end_minute) = (parse_minute(start)?, parse_minute(end)?);
        if start_minute == DAY {
            return Err(FieldProblem::new("error.clock_time").with("value", start));
        }
        match end_minute {
            end if end > start_minute => Ok(Self { start_minute, end_minute }),
            end if end < start_minute => Ok(Self { start_minute, end_minute: end + DAY }),
            _ => Err(FieldProblem::new("error.interval_order").with("start", start).with("end", end)),
        }
    }

    /// The start as `HH:MM`.
    pub fn start(&self) -> String {
        format_minute(self.start_minute)
    }

    /// The end as `HH:MM`, on whichever day; midnight at the end of the day is `24:00`.
    pub fn end(&self) -> String {
        format_minute(if self.end_minute > DAY { self.end_minute - DAY } else { self.end_minute })
    }

    /// Whether it ends on the day after.
    pub fn crosses_midnight(&self) -> bool {
        self.end_minute > DAY
    }
}

fn parse_minute(text: &str) -> Result<u16, FieldProblem> {
    let refused = || FieldProblem::new("error.clock_time").with("value", text);
    let (hour, minute) = text.trim().split_once(':').ok_or_else(refused)?;
    let number = |part: &str| {
        (matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<u16>().ok())
            .flatten()
    };
    match (number(hour), number(minute)) {
        (Some(hour), Some(minute)) if minute < 60 && (hour < 24 || (hour == 24 && minute == 0)) => {
            Ok(hour * 60 + minute)
        }
        _ => Err(refused()),
    }
}

fn format_minute(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn overlap(first: &LocalInterval, second: &LocalInterval) -> FieldProblem {
    FieldProblem::new("error.intervals_overlap")
        .with("first", format_args!("{}–{}", first.start(), first.end()))
        .with("second", format_args!("{}–{}", second.start(), second.end()))
}

/// The intervals of one day in order, joined where they touch.
fn sorted_and_joined(mut day: Vec<LocalInterval>) -> Result<Vec<LocalInterval>, FieldProblem> {
    day.sort_unstable();
    if let Some(pair) = day.windows(2).find(|pair| pair[1].start_minute < pair[0].end_minute) {
        return Err(overlap(&pair[0], &pair[1]));
    }
    day.dedup_by(|next, last| {
        let touches = next.start_minute == last.end_minute && next.end_minute - last.start_minute <= DAY;
        if touches {
            last.end_minute = next.end_minute;
        }
        touches
    });
    Ok(day)
}

/// What one date has instead of its weekly hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateOverride {
    /// The date, in the zone that holds on it.
    pub date: NaiveDate,
    /// Sorted and apart from each other; empty where nobody can be booked.
    hours: Vec<LocalInterval>,
}

impl DateOverride {
    /// Sorts the intervals and joins those that touch.
    ///
    /// # Errors
    /// Intervals that overlap.
    pub fn new(date: NaiveDate, hours: Vec<LocalInterval>) -> Result<Self, FieldProblem> {
        Ok(Self { date, hours: sorted_and_joined(hours)? })
    }

    /// The hours of the date; none where nobody can be booked.
    pub fn hours(&self) -> &[LocalInterval] {
        &self.hours
    }
}

/// The days as they are named in JSON and in field names, Monday first.
pub const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The hours of each day of the week, sorted and apart from each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WeeklyHours([Vec<LocalInterval>; 7]);

impl WeeklyHours {
    /// Sorts each day's intervals (Monday first) and joins those of a day that touch.
    ///
    /// # Errors
    /// Intervals that overlap, those of the day before that reach over midnight included, with the field
    /// `weekly_hours.monday` and so on.
    pub fn new(days: [Vec<LocalInterval>; 7]) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut sorted: [Vec<LocalInterval>; 7] = Default::default();
        for (place, (day, name)) in sorted.iter_mut().zip(days.into_iter().zip(WEEKDAYS)) {
            match sorted_and_joined(day) {
                Ok(day) => *place = day,
                Err(problem) => errors.0.push(problem.at(format!("weekly_hours.{name}"))),
            }
        }
        for (number, name) in WEEKDAYS.into_iter().enumerate() {
            let late = sorted[(number + 6) % 7].last().filter(|late| late.crosses_midnight());
            let early = sorted[number].first();
            if let (Some(late), Some(early)) = (late, early)
                && early.start_minute < late.end_minute - DAY
            {
                errors.0.push(overlap(late, early).at(format!("weekly_hours.{name}")));
            }
        }
        errors.into_result().map(|()| Self(sorted))
    }

    /// Monday to Friday, 09:00 to 17:00.
    pub fn office_hours() -> Self {
        let office = vec![LocalInterval { start_minute: 9 * 60, end_minute: 17 * 60 }];
        Self(std::array::from_fn(|day| if day < 5 { office.clone() } else { Vec::new() }))
    }

    /// The intervals of one day of the week, sorted.
    pub fn on(&self, weekday: Weekday) -> &[LocalInterval] {
        &self.0[weekday.num_days_from_monday() as usize]
    }

    /// The days, Monday first.
    pub fn days(&self) -> &[Vec<LocalInterval>; 7] {
        &self.0
    }
}

#[cfg(feature = "serde")]
mod json {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error, ser::SerializeMap};

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Stretch {
        start: String,
        end: String,
    }

    /// `{"monday":[{"start":"09:00","end":"17:00"}],...}`, every day present.
    impl Serialize for WeeklyHours {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(Some(7))?;
            for (name, day) in WEEKDAYS.iter().zip(&self.0) {
                let stretches: Vec<_> = day.iter().map(|at| Stretch { start: at.start(), end: at.end() }).collect();
                map.serialize_entry(name, &stretches)?;
            }
            map.end()
        }
    }

    #[derive(Serialize, Deserialize)]
    struct Dated {
        date: NaiveDate,
        hours: Vec<Stretch>,
    }

    /// `{"date":"2026-12-24","hours":[{"start":"09:00","end":"13:00"}]}`.
    impl Serialize for DateOverride {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let hours = self.hours.iter().map(|at| Stretch { start: at.start(), end: at.end() }).collect();
            Dated { date: self.date, hours }.serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for DateOverride {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let Dated { date, hours } = Dated::deserialize(deserializer)?;
            let hours = hours.iter().map(|stretch| LocalInterval::parse(&stretch.start, &stretch.end));
            let read = hours.collect::<Result<_, _>>().and_then(|hours| DateOverride::new(date, hours));
            read.map_err(|problem| D::Error::custom(format_args!("{date}: {}", problem.key)))
        }
    }

    impl<'de> Deserialize<'de> for WeeklyHours {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let mut map = std::collections::BTreeMap::<String, Vec<Stretch>>::deserialize(deserializer)?;
            let mut days: [Vec<LocalInterval>; 7] = Default::default();
            for (day, name) in days.iter_mut().zip(WEEKDAYS) {
                for stretch in map.remove(name).unwrap_or_default() {
                    let parsed = LocalInterval::parse(&stretch.start, &stretch.end);
                    day.push(parsed.map_err(|problem| D::Error::custom(format_args!("{name}: {}", problem.key)))?);
                }
            }
            if let Some(unknown) = map.keys().next() {
                return Err(D::Error::custom(format_args!("`{unknown}` is no day of the week")));
            }
            WeeklyHours::new(days)
                .map_err(|errors| D::Error::custom(format_args!("{}: intervals overlap", errors.0[0].field)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(stretches: &[(&str, &str)]) -> Result<WeeklyHours, FieldErrors> {
        let monday = stretches.iter().map(|(start, end)| LocalInterval::parse(start, end).unwrap()).collect();
        WeeklyHours::new([monday, vec![], vec![], vec![], vec![], vec![], vec![]])
    }

    #[test]
    fn intervals_of_a_day_are_sorted_and_joined_where_they_touch() {
        let hours = day(&[("15:00", "18:00"), ("09:00", "12:00"), ("12:00", "13:30")]).unwrap();
        let monday: Vec<_> = hours.on(Weekday::Mon).iter().map(|at| (at.start(), at.end())).collect();
        assert_eq!(monday, [("09:00".into(), "13:30".into()), ("15:00".into(), "18:00".into())]);
    }

    #[test]
    fn intervals_that_overlap_are_refused_by_their_day() {
        let errors = day(&[("09:00", "12:00"), ("11:00", "13:00")]).unwrap_err();
        assert_eq!(errors.0[0].field, "weekly_hours.monday");
        assert_eq!(errors.0[0].problem.args[1], ("second", "11:00–13:00".to_owned()));
    }

    #[test]
    fn only_clock_times_are_read_and_only_in_order() {
        assert_eq!(LocalInterval::parse("0:00", "24:00").unwrap().end_minute, 1440);
        for (start, end) in [
            ("9", "10:00"),
            ("09:60", "10:00"),
            ("24:00", "02:00"),
            ("24:01", "24:02"),
            ("-1:00", "10:00"),
            ("09:00", "25:00"),
        ] {
            assert_eq!(LocalInterval::parse(start, end).unwrap_err().key, "error.clock_time");
        }
        assert_eq!(LocalInterval::parse("10:00", "10:00").unwrap_err().key, "error.interval_order");
    }

    #[test]
    fn an_end_before_the_start_lies_on_the_following_day() {
        let night = LocalInterval::parse("22:00", "02:00").unwrap();
        assert!(night.crosses_midnight());
        assert_eq!((night.end_minute, night.start(), night.end()), (1560, "22:00".into(), "02:00".into()));
        assert!(!LocalInterval::parse("22:00", "24:00").unwrap().crosses_midnight());
    }

    #[test]
    fn an_interval_that_reaches_into_the_next_days_hours_is_refused_there() {
        let at = |start, end| vec![LocalInterval::parse(start, end).unwrap()];
        let none = Vec::new;
        let sunday_night =
            WeeklyHours::new([at("01:00", "05:00"), none(), none(), none(), none(), none(), at("20:00", "02:00")]);
        assert_eq!(sunday_night.unwrap_err().0[0].field, "weekly_hours.monday");
        let touching =
            WeeklyHours::new([at("02:00", "05:00"), none(), none(), none(), none(), none(), at("20:00", "02:00")]);
        assert!(touching.is_ok());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_date_override_survives_json() {
        let json = r#"{"date":"2026-12-24","hours":[{"start":"22:00","end":"02:00"}]}"#;
        let read: DateOverride = serde_json::from_str(json).unwrap();
        assert_eq!((read.hours().len(), serde_json::to_string(&read).unwrap().as_str()), (1, json));
        assert!(serde_json::from_str::<DateOverride>(&json.replace("22:00", "02:00")).is_err());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn weekly_hours_survive_json() {
        let hours = WeeklyHours::office_hours();
        let json = serde_json::to_string(&hours).unwrap();
        assert!(json.starts_with(r#"{"monday":[{"start":"09:00","end":"17:00"}]"#));
        assert_eq!(serde_json::from_str::<WeeklyHours>(&json).unwrap(), hours);
        assert!(serde_json::from_str::<WeeklyHours>(r#"{"lunes":[]}"#).is_err());
    }
}
