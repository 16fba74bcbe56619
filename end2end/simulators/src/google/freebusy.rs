//! `freeBusy.query`.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::event_time::rfc3339;
use super::listing::occurrences;
use super::recurrence::Window;
use super::wire::ApiError;
use super::world::{Calendar, Event, World};

/// The longest range that is answered.
const LONGEST_RANGE: TimeDelta = TimeDelta::days(62);
const CALENDARS_LIMIT: usize = 50;
const GROUPS_LIMIT: usize = 100;

/// Answers a query of `email`. `failing` names calendars that answer with an error of the given reason.
pub fn query(
    world: &World,
    email: &str,
    body: &Map<String, Value>,
    failing: &[(String, String)],
) -> Result<Value, ApiError> {
    let zone = match body.get("timeZone").and_then(Value::as_str) {
        Some(name) => name.parse().map_err(|_| ApiError::invalid(format!("Invalid time zone '{name}'.")))?,
        None => Tz::UTC,
    };
    let window = Window { from: instant(body, "timeMin")?, to: instant(body, "timeMax")? };
    if window.to <= window.from {
        return Err(time_range("timeRangeEmpty", "The specified time range is empty."));
    }
    if window.to - window.from > LONGEST_RANGE {
        return Err(time_range("timeRangeTooLong", "The requested time range is too long."));
    }
    let limit = |name: &str, most: usize| -> Result<usize, ApiError> {
        let Some(value) = body.get(name) else { return Ok(most) };
        let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
        number
            .filter(|number| (1..=most).contains(number))
            .ok_or_else(|| ApiError::invalid(format!("Invalid value for {name}: the maximum is {most}.")))
    };
    let calendars_limit = limit("calendarExpansionMax", CALENDARS_LIMIT)?;
    let groups_limit = limit("groupExpansionMax", GROUPS_LIMIT)?;
    let items = body.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut groups = Map::new();
    let mut wanted: Vec<&str> = Vec::new();
    for item in items {
        let requested = item["id"].as_str().ok_or_else(|| ApiError::required("Missing item id."))?;
        match world.groups.get(requested) {
            None => wanted.push(requested),
            Some(members) if members.len() > groups_limit => {
                groups.insert(requested.to_owned(), json!({ "errors": [reason("groupTooBig")] }));
            }
            Some(members) => {
                groups.insert(requested.to_owned(), json!({ "calendars": members }));
                wanted.extend(members.iter().map(String::as_str));
            }
        }
    }
    let mut answers = Map::new();
    for (index, requested) in wanted.into_iter().enumerate() {
        let id = world.calendar_id(email, requested);
        let told_to_fail = failing.iter().find(|(calendar, _)| *calendar == id || calendar == requested);
        let answer = if let Some((_, reason)) = told_to_fail {
            error(reason)
        } else if index >= calendars_limit {
            error("tooManyCalendarsRequested")
        } else {
            match world.calendars.get(&id).filter(|_| world.access_role(email, &id).is_some()) {
                Some(calendar) => json!({ "busy": busy(calendar, window, zone) }),
                None => error("notFound"),
            }
        };
        answers.insert(requested.to_owned(), answer);
    }
    let mut answer = json!({
        "kind": "calendar#freeBusy",
        "timeMin": rfc3339(window.from, zone),
        "timeMax": rfc3339(window.to, zone),
        "calendars": answers,
    });
    if !groups.is_empty() {
        answer["groups"] = Value::Object(groups);
    }
    Ok(answer)
}

/// The merged busy time of a calendar, cut to `window`.
fn busy(calendar: &Calendar, window: Window, zone: Tz) -> Vec<Value> {
    let mut periods: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
    for entry in occurrences(calendar, window).iter().filter(|entry| is_busy(&entry.event, calendar)) {
        let start = entry.event.start.instant(calendar.time_zone).max(window.from);
        let end = entry.event.end.instant(calendar.time_zone).min(window.to);
        match periods.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => periods.push((start, end)),
        }
    }
    periods.retain(|(start, end)| start < end);
    let shown = |(start, end)| json!({ "start": rfc3339(start, zone), "end": rfc3339(end, zone) });
    periods.into_iter().map(shown).collect()
}

fn is_busy(event: &Event, calendar: &Calendar) -> bool {
    let attendees = event.members.get("attendees").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let declined = attendees.iter().any(|attendee| {
        attendee["email"].as_str() == Some(calendar.id.as_str()) && attendee["responseStatus"] == "declined"
    });
    let taken = event.text("transparency") != Some("transparent");
    let kind_blocks = !matches!(event.text("eventType"), Some("workingLocation" | "birthday"));
    taken && kind_blocks && !declined
}

fn error(because: &str) -> Value {
    json!({ "errors": [reason(because)], "busy": [] })
}

fn reason(reason: &str) -> Value {
    json!({ "domain": "global", "reason": reason })
}

fn time_range(reason: &str, message: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, reason, message).in_domain("calendar")
}

fn instant(body: &Map<String, Value>, name: &str) -> Result<DateTime<Utc>, ApiError> {
    let text = body.get(name).and_then(Value::as_str).ok_or_else(|| ApiError::required(format!("Missing {name}.")))?;
    DateTime::parse_from_rfc3339(text).map(|at| at.to_utc()).map_err(|_| ApiError::invalid(format!("Invalid {name}.")))
}
