//! The start or end of an event: an instant with its zone, or a whole day.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::wire::ApiError;

/// `EventDateTime` of the API, parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EventTime {
    /// An instant, and the zone in which the event lives and repeats.
    Timed { at: DateTime<Utc>, zone: Tz },
    /// A day of the calendar's zone. As an end it is exclusive.
    AllDay { date: NaiveDate },
}

impl EventTime {
    /// Reads `start`, `end` or `originalStartTime`. A `dateTime` without offset needs a `timeZone`.
    pub fn parse(value: &Value, field: &str, calendar_zone: Tz) -> Result<Self, ApiError> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let zone = match text("timeZone") {
            None => None,
            Some(name) => Some(
                name.parse::<Tz>()
                    .map_err(|_| ApiError::invalid(format!("Invalid time zone definition for {field} time: {name}")))?,
            ),
        };
        let invalid = || ApiError::invalid(format!("Invalid {field} time."));
        match (text("date"), text("dateTime")) {
            (Some(date), None) => Ok(Self::AllDay { date: date.parse().map_err(|_| invalid())? }),
            (None, Some(moment)) => {
                let at = match DateTime::parse_from_rfc3339(moment) {
                    Ok(instant) => instant.to_utc(),
                    Err(_) => {
                        let local = moment.parse::<NaiveDateTime>().map_err(|_| invalid())?;
                        let missing = || ApiError::required(format!("Missing time zone definition for {field} time."));
                        resolve_local(local, zone.ok_or_else(missing)?)
                    }
                };
                Ok(Self::Timed { at, zone: zone.unwrap_or(calendar_zone) })
            }
            (None, None) => Err(ApiError::required(format!("Missing {field} time."))),
            (Some(_), Some(_)) => Err(invalid()),
        }
    }

    /// The API's form, the instant written in the offset of `shown_in`.
    pub fn to_json(self, shown_in: Tz) -> Value {
        match self {
            Self::Timed { at, zone } => json!({ "dateTime": rfc3339(at, shown_in), "timeZone": zone.name() }),
            Self::AllDay { date } => json!({ "date": date }),
        }
    }

    /// The instant it stands for; a day begins at its first moment in `calendar_zone`.
    pub fn instant(self, calendar_zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Timed { at, .. } => at,
            Self::AllDay { date } => resolve_local(date.and_time(chrono::NaiveTime::MIN), calendar_zone),
        }
    }

    /// The same kind of time, later by what lies between `from` and `to`. Whole days move by days.
    pub fn moved(self, from: Self, to: Self) -> Self {
        match (self, from, to) {
            (Self::Timed { at, zone }, Self::Timed { at: from, .. }, Self::Timed { at: to, .. }) => {
                Self::Timed { at: at + (to - from), zone }
            }
            (Self::AllDay { date }, Self::AllDay { date: from }, Self::AllDay { date: to }) => {
                let days = to - from;
                Self::AllDay { date: date.checked_add_signed(days).unwrap_or(date) }
            }
            _ => self,
        }
    }

    /// The part of an instance's id after the underscore.
    pub fn instance_suffix(self) -> String {
        match self {
            Self::Timed { at, .. } => at.format("%Y%m%dT%H%M%SZ").to_string(),
            Self::AllDay { date } => date.format("%Y%m%d").to_string(),
        }
    }
}

/// RFC 3339 with whole seconds and the offset of `zone`.
pub fn rfc3339(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, true)
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

    #[test]
    fn a_time_in_the_spring_gap_moves_past_it() {
        let local: NaiveDateTime = "2026-03-29T02:30:00".parse().unwrap();
        assert_eq!(resolve_local(local, Tz::Europe__Madrid).to_rfc3339(), "2026-03-29T01:30:00+00:00");
    }

    #[test]
    fn a_time_in_the_autumn_fold_is_the_earlier_one() {
        let local: NaiveDateTime = "2026-10-25T02:30:00".parse().unwrap();
        assert_eq!(resolve_local(local, Tz::Europe__Madrid).to_rfc3339(), "2026-10-25T00:30:00+00:00");
    }
}
