//! When a host can be booked: weekly hours, as written in the host's own zone.

use chrono::Weekday;

use crate::parse::{FieldErrors, FieldProblem};

/// A stretch of local time within one day, in minutes from midnight: `0 <= start_minute < end_minute <= 1440`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalInterval {
    /// Minutes from midnight at which it begins.
    pub start_minute: u16,
    /// Minutes from midnight at which it has ended; 1440 is the following midnight.
    pub end_minute: u16,
}

impl LocalInterval {
    /// Reads `09:00` and `17:00`; the end may be `24:00`.
    pub fn parse(start: &str, end: &str) -> Result<Self, FieldProblem> {
        let (start_minute, end_minute) = (parse_minute(start)?, parse_minute(end)?);
        if start_minute < end_minute {
            Ok(Self { start_minute, end_minute })
        } else {
            Err(FieldProblem::new("error.interval_order").with("start", start).with("end", end))
        }
    }

    /// The start as `HH:MM`.
    pub fn start(&self) -> String {
        format_minute(self.start_minute)
    }

    /// The end as `HH:MM`; midnight at the end of the day is `24:00`.
    pub fn end(&self) -> String {
        format_minute(self.end_minute)
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

/// The days as they are named in JSON and in field names, Monday first.
pub const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The hours of each day of the week, sorted and apart from each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WeeklyHours([Vec<LocalInterval>; 7]);

impl WeeklyHours {
    /// Sorts each day's intervals (Monday first) and joins those that touch.
    ///
    /// # Errors
    /// Intervals of one day that overlap, with the field `weekly_hours.monday` and so on.
    pub fn new(mut days: [Vec<LocalInterval>; 7]) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        for (day, name) in days.iter_mut().zip(WEEKDAYS) {
            day.sort_unstable();
            if let Some(pair) = day.windows(2).find(|pair| pair[1].start_minute < pair[0].end_minute) {
                let problem = FieldProblem::new("error.intervals_overlap")
                    .with("first", format_args!("{}–{}", pair[0].start(), pair[0].end()))
                    .with("second", format_args!("{}–{}", pair[1].start(), pair[1].end()));
                errors.0.push(problem.at(format!("weekly_hours.{name}")));
                continue;
            }
            day.dedup_by(|next, last| {
                let touches = next.start_minute == last.end_minute;
                if touches {
                    last.end_minute = next.end_minute;
                }
                touches
            });
        }
        errors.into_result().map(|()| Self(days))
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
        for (start, end) in
            [("9", "10:00"), ("09:60", "10:00"), ("24:01", "24:02"), ("-1:00", "10:00"), ("09:00", "25:00")]
        {
            assert_eq!(LocalInterval::parse(start, end).unwrap_err().key, "error.clock_time");
        }
        assert_eq!(LocalInterval::parse("10:00", "10:00").unwrap_err().key, "error.interval_order");
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
