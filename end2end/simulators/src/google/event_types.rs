//! What an event must be like to be more than an ordinary one (guides "Status events" and "Birthdays").

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::event_time::EventTime;
use super::wire::ApiError;
use super::world::Calendar;

/// The start, end and rule of an event that is checked.
#[derive(Debug, Clone, Copy)]
pub struct Times<'a> {
    pub start: EventTime,
    pub end: EventTime,
    pub recurrence: &'a [String],
}

/// Checks the members of an event by its `eventType`, and adds what the type implies.
pub fn check(members: &mut Map<String, Value>, times: Times<'_>, calendar: &Calendar) -> Result<(), ApiError> {
    let kind = members.get("eventType").and_then(Value::as_str).unwrap_or("default").to_owned();
    if kind == "default" {
        return Ok(());
    }
    if kind == "fromGmail" {
        return Err(restricted("Events from Gmail cannot be created or changed in type."));
    }
    if calendar.owner.as_deref() != Some(calendar.id.as_str()) {
        return Err(restricted("This type of event is for primary calendars only."));
    }
    if members.get("attendees").and_then(Value::as_array).is_some_and(|attendees| others(attendees, calendar)) {
        return Err(ApiError::invalid("An event of this type has no guests."));
    }
    match kind.as_str() {
        "outOfOffice" => status(members, times, "outOfOfficeProperties", "malformedOutOfOfficeEvent"),
        "focusTime" => status(members, times, "focusTimeProperties", "malformedFocusTimeEvent"),
        "workingLocation" => working_location(members, times),
        "birthday" => birthday(members, times),
        _ => Ok(()),
    }
}

/// 400 `eventTypeRestriction`.
pub fn restricted(message: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "eventTypeRestriction", message).in_domain("calendar")
}

fn malformed(reason: &str, message: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, reason, message).in_domain("calendar")
}

fn others(attendees: &[Value], calendar: &Calendar) -> bool {
    attendees.iter().any(|attendee| attendee["email"].as_str() != Some(calendar.id.as_str()))
}

/// Out of office and focus time have hours, and make busy.
fn status(
    members: &mut Map<String, Value>,
    times: Times<'_>,
    properties: &str,
    reason: &'static str,
) -> Result<(), ApiError> {
    if matches!(times.start, EventTime::AllDay { .. }) {
        return Err(malformed(reason, "An event of this type cannot be an all-day event."));
    }
    if members.get("transparency").is_some_and(|transparency| transparency == "transparent") {
        return Err(malformed(reason, "An event of this type is always opaque."));
    }
    members.entry(properties).or_insert_with(|| json!({ "autoDeclineMode": "declineNone" }));
    Ok(())
}

/// A working location says where, and leaves the time free.
fn working_location(members: &mut Map<String, Value>, times: Times<'_>) -> Result<(), ApiError> {
    const REASON: &str = "malformedWorkingLocationEvent";
    let kind = members.get("workingLocationProperties").and_then(|properties| properties["type"].as_str());
    if !matches!(kind, Some("homeOffice" | "officeLocation" | "customLocation")) {
        return Err(malformed(REASON, "A working location must be specified."));
    }
    if matches!(times.start, EventTime::AllDay { .. }) && !is_one_day(times) {
        return Err(malformed(REASON, "An all-day working location lasts one day."));
    }
    implied(members, REASON, &[("visibility", "public"), ("transparency", "transparent")])
}

/// A birthday is a day of every year, private and free.
fn birthday(members: &mut Map<String, Value>, times: Times<'_>) -> Result<(), ApiError> {
    const REASON: &str = "malformedBirthdayEvent";
    let yearly = matches!(times.recurrence, [rule] if rule.starts_with("RRULE:FREQ=YEARLY"));
    if !is_one_day(times) || !yearly {
        return Err(malformed(REASON, "A birthday is an all-day event of one day that recurs every year."));
    }
    members.entry("birthdayProperties").or_insert_with(|| json!({ "type": "birthday" }));
    implied(members, REASON, &[("visibility", "private"), ("transparency", "transparent")])
}

fn is_one_day(times: Times<'_>) -> bool {
    matches!((times.start, times.end), (EventTime::AllDay { date: first }, EventTime::AllDay { date: end })
        if first.succ_opt() == Some(end))
}

/// Adds what goes without saying, and refuses what contradicts it.
fn implied(members: &mut Map<String, Value>, reason: &'static str, of: &[(&str, &str)]) -> Result<(), ApiError> {
    for (name, value) in of {
        let given = members.entry(*name).or_insert_with(|| json!(value));
        if given != value {
            return Err(malformed(reason, &format!("The {name} of an event of this type is {value}.")));
        }
    }
    Ok(())
}
