//! The start or end of an event: an instant, or a whole day.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::graph::error::GraphError;
use super::zones;

/// `dateTimeTimeZone` of the API, parsed, with the zone in which the event lives and repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EventTime {
    Timed {
        at: DateTime<Utc>,
        zone: Tz,
    },
    /// A day, wherever it is looked at from: Outlook shows midnights in whichever zone is asked for. Exclusive as end.
    AllDay {
        date: NaiveDate,
        zone: Tz,
    },
}

/// The zone in which answers tell times, by the name that the client used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownZone {
    pub name: String,
    pub zone: Tz,
}

impl Default for ShownZone {
    fn default() -> Self {
        Self { name: "UTC".to_owned(), zone: Tz::UTC }
    }
}

impl ShownZone {
    /// The zone that a client calls `name`.
    pub fn named(name: &str) -> Result<Self, GraphError> {
        let zone = zones::zone_named(name).ok_or_else(|| GraphError::unknown_zone(name))?;
        Ok(Self { name: name.to_owned(), zone })
    }
}

impl EventTime {
    /// Reads `start` or `end`. An offset in `dateTime` is honoured; without one the time is of `timeZone`.
    pub fn parse(value: &Value, all_day: bool, field: &str) -> Result<Self, GraphError> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let zone_name = text("timeZone").unwrap_or_default();
        let zone = zones::zone_named(zone_name).ok_or_else(|| GraphError::unknown_zone(zone_name))?;
        let invalid = || GraphError::bad_request("ErrorInvalidRequest", format!("The {field} time is invalid."));
        let moment = text("dateTime").ok_or_else(invalid)?;
        let at = match DateTime::parse_from_rfc3339(moment) {
            Ok(instant) => instant.to_utc(),
            Err(_) => resolve_local(parse_local(moment).ok_or_else(invalid)?, zone),
        };
        if !all_day {
            return Ok(Self::Timed { at, zone });
        }
        let local = at.with_timezone(&zone).naive_local();
        if local.time() != NaiveTime::MIN {
            let message = format!("The Event.{field} property for an all-day event needs to be set to midnight.");
            return Err(GraphError::bad_request("ErrorPropertyValidationFailure", message));
        }
        Ok(Self::AllDay { date: local.date(), zone })
    }

    /// The API's form, in the zone `shown`.
    pub fn to_json(self, shown: &ShownZone) -> Value {
        let local = match self {
            Self::Timed { at, .. } => at.with_timezone(&shown.zone).naive_local(),
            Self::AllDay { date, .. } => date.and_time(NaiveTime::MIN),
        };
        json!({ "dateTime": seven_digits(local), "timeZone": shown.name })
    }

    /// The instant it stands for; a day begins at its first moment in `mailbox_zone`.
    pub fn instant(self, mailbox_zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Timed { at, .. } => at,
            Self::AllDay { date, .. } => resolve_local(date.and_time(NaiveTime::MIN), mailbox_zone),
        }
    }

    /// The zone in which it was written.
    pub fn zone(self) -> Tz {
        match self {
            Self::Timed { zone, .. } | Self::AllDay { zone, .. } => zone,
        }
    }

    /// Whether it is a whole day.
    pub fn is_all_day(self) -> bool {
        matches!(self, Self::AllDay { .. })
    }

    /// The day of its own zone on which it stands.
    pub fn date(self) -> NaiveDate {
        match self {
            Self::Timed { at, zone } => at.with_timezone(&zone).date_naive(),
            Self::AllDay { date, .. } => date,
        }
    }

    /// The same time of day on another day.
    pub fn on(self, date: NaiveDate) -> Self {
        match self {
            Self::Timed { at, zone } => {
                let time = at.with_timezone(&zone).time();
                Self::Timed { at: resolve_local(date.and_time(time), zone), zone }
            }
            Self::AllDay { zone, .. } => Self::AllDay { date, zone },
        }
    }

    /// Later by what lies between `from` and `to`. Whole days move by days.
    pub fn moved(self, from: Self, to: Self) -> Self {
        match (self, from, to) {
            (Self::Timed { at, zone }, Self::Timed { at: from, .. }, Self::Timed { at: to, .. }) => {
                Self::Timed { at: at + (to - from), zone }
            }
            (Self::AllDay { date, zone }, from, to) => {
                Self::AllDay { date: date.checked_add_signed(to.date() - from.date()).unwrap_or(date), zone }
            }
            (unchanged, _, _) => unchanged,
        }
    }
}

/// A wall-clock time as clients write it, with or without a fraction.
pub fn parse_local(text: &str) -> Option<NaiveDateTime> {
    let date_only = || text.parse::<NaiveDate>().ok().map(|date| date.and_time(NaiveTime::MIN));
    text.parse::<NaiveDateTime>()
        .ok()
        .or_else(|| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok())
        .or_else(date_only)
}

/// A wall-clock time with seven digits of a second, as Graph writes it.
pub fn seven_digits(local: NaiveDateTime) -> String {
    format!("{}.{:07}", local.format("%Y-%m-%dT%H:%M:%S"), local.and_utc().timestamp_subsec_nanos() / 100)
}

/// An instant in UTC with seven digits of a second, as Graph writes `createdDateTime`.
pub fn instant(at: DateTime<Utc>) -> String {
    format!("{}Z", seven_digits(at.naive_utc()))
}

/// The instant of a wall-clock time: in a fold the earlier, in a gap the time as the clocks had shown without it.
pub fn resolve_local(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    if let Some(found) = zone.from_local_datetime(&local).earliest() {
        return found.to_utc();
    }
    let before = zone.from_local_datetime(&(local - Days::new(1))).earliest();
    before.map_or_else(|| local.and_utc(), |before| before.to_utc() + TimeDelta::days(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(at: &str, zone: Tz) -> EventTime {
        EventTime::Timed { at: at.parse().unwrap(), zone }
    }

    #[test]
    fn times_are_read_in_windows_and_iana_zones_and_told_with_seven_digits() {
        let value = json!({ "dateTime": "2026-11-23T10:00:00", "timeZone": "Romance Standard Time" });
        let time = EventTime::parse(&value, false, "Start").unwrap();
        assert_eq!(time, timed("2026-11-23T09:00:00Z", Tz::Europe__Paris));
        let shown = ShownZone::named("America/New_York").unwrap();
        let told = json!({ "dateTime": "2026-11-23T04:00:00.0000000", "timeZone": "America/New_York" });
        assert_eq!(time.to_json(&shown), told);
    }

    #[test]
    fn a_whole_day_is_midnight_in_every_zone() {
        let value = json!({ "dateTime": "2026-11-23T00:00:00.0000000", "timeZone": "Pacific Standard Time" });
        let day = EventTime::parse(&value, true, "Start").unwrap();
        assert_eq!(day.to_json(&ShownZone::default())["dateTime"], "2026-11-23T00:00:00.0000000");
        let value = json!({ "dateTime": "2026-11-23T08:00:00", "timeZone": "UTC" });
        assert!(EventTime::parse(&value, true, "Start").is_err());
    }

    #[test]
    fn the_same_time_of_day_survives_the_change_of_the_clocks() {
        let summer = timed("2026-10-19T08:00:00Z", Tz::Europe__Madrid);
        let winter = summer.on("2026-10-26".parse().unwrap());
        assert_eq!(winter, timed("2026-10-26T09:00:00Z", Tz::Europe__Madrid));
    }
}
