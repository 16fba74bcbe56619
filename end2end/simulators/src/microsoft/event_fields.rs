//! The writable members of an event, read from a request.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::body;
use super::event::{Attendee, Event, Person, Response};
use super::event_time::EventTime;
use super::graph::error::GraphError;
use super::recurrence::Recurrence;
use super::zones;

const TEXTS: [&str; 1] = ["subject"];
const FLAGS: [&str; 4] = ["isReminderOn", "hideAttendees", "responseRequested", "allowNewTimeProposals"];
const CHOICES: [(&str, &[&str]); 3] = [
    ("showAs", &["unknown", "free", "tentative", "busy", "oof", "workingElsewhere"]),
    ("sensitivity", &["normal", "personal", "private", "confidential"]),
    ("importance", &["low", "normal", "high"]),
];
/// Read elsewhere than in [`apply`]'s loop.
const OTHERS: [&str; 16] = [
    "start",
    "end",
    "isAllDay",
    "recurrence",
    "attendees",
    "body",
    "location",
    "locations",
    "categories",
    "reminderMinutesBeforeStart",
    "isOnlineMeeting",
    "onlineMeetingProvider",
    "singleValueExtendedProperties",
    "transactionId",
    "originalStartTimeZone",
    "originalEndTimeZone",
];

/// What a write changed, as far as somebody must act on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Start, end or pattern: occurrences stand elsewhere, answers are void.
    pub times: bool,
    pub body: bool,
}

/// An event's members before anything was said about them.
pub fn defaults() -> Map<String, Value> {
    let members = json!({
        "subject": "",
        "body": "",
        "showAs": "busy",
        "sensitivity": "normal",
        "importance": "normal",
        "isReminderOn": true,
        "reminderMinutesBeforeStart": 15,
        "hideAttendees": false,
        "responseRequested": true,
        "allowNewTimeProposals": true,
        "categories": [],
        "locations": [],
        "location": empty_location(),
    });
    members.as_object().cloned().unwrap_or_default()
}

/// Reads start and end of a new event.
pub fn times(resource: &Map<String, Value>) -> Result<(EventTime, EventTime), GraphError> {
    let all_day = flag(resource, "isAllDay")?.unwrap_or(false);
    let missing = |name: &str| GraphError::bad_request("ErrorInvalidRequest", format!("The {name} is missing."));
    let start = resource.get("start").filter(|value| !value.is_null()).ok_or_else(|| missing("start"))?;
    let end = resource.get("end").filter(|value| !value.is_null()).ok_or_else(|| missing("end"))?;
    Ok((EventTime::parse(start, all_day, "Start")?, EventTime::parse(end, all_day, "End")?))
}

/// Lays `resource` over `event`. Nothing is changed when it is refused, as the caller hands in a copy.
pub fn apply(event: &mut Event, resource: &Map<String, Value>) -> Result<Applied, GraphError> {
    check_names(resource)?;
    for name in TEXTS {
        if let Some(value) = resource.get(name) {
            let text = value.as_str().or(value.is_null().then_some("")).ok_or_else(|| wrong_type(name))?;
            event.members.insert(name.to_owned(), json!(text));
        }
    }
    for name in FLAGS {
        if let Some(value) = flag(resource, name)? {
            event.members.insert(name.to_owned(), json!(value));
        }
    }
    for (name, allowed) in CHOICES {
        if let Some(value) = resource.get(name).filter(|value| !value.is_null()) {
            let chosen = value.as_str().and_then(|text| allowed.iter().find(|known| known.eq_ignore_ascii_case(text)));
            event.members.insert(name.to_owned(), json!(chosen.ok_or_else(|| wrong_type(name))?));
        }
    }
    if let Some(value) = resource.get("reminderMinutesBeforeStart").filter(|value| !value.is_null()) {
        let minutes = value.as_i64().filter(|minutes| i32::try_from(*minutes).is_ok());
        let minutes = minutes.ok_or_else(|| wrong_type("reminderMinutesBeforeStart"))?;
        event.members.insert("reminderMinutesBeforeStart".to_owned(), json!(minutes));
    }
    if let Some(value) = resource.get("categories") {
        let is_texts = value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
        event
            .members
            .insert("categories".to_owned(), is_texts.then(|| value.clone()).ok_or_else(|| wrong_type("categories"))?);
    }
    apply_location(event, resource)?;
    if let Some(value) = resource.get("attendees") {
        event.attendees = attendees(value, &event.attendees)?;
    }
    apply_extended(event, resource)?;
    let mut applied = Applied { times: apply_times(event, resource)?, body: false };
    if let Some(value) = resource.get("body") {
        event.members.insert("body".to_owned(), json!(body::parse(value)?));
        applied.body = true;
    }
    Ok(applied)
}

fn check_names(resource: &Map<String, Value>) -> Result<(), GraphError> {
    let known = |name: &str| {
        TEXTS.contains(&name)
            || FLAGS.contains(&name)
            || CHOICES.iter().any(|(choice, _)| *choice == name)
            || OTHERS.contains(&name)
            || name.contains('@')
    };
    match resource.keys().find(|name| !known(name)) {
        None => Ok(()),
        Some(name) => {
            let message = format!(
                "The property '{name}' does not exist on type 'microsoft.graph.event'. Make sure to only use property \
                 names that are defined by the type."
            );
            Err(GraphError::bad_request("RequestBodyRead", message))
        }
    }
}

fn apply_times(event: &mut Event, resource: &Map<String, Value>) -> Result<bool, GraphError> {
    let before = (event.start, event.end, event.recurrence.clone());
    let all_day = flag(resource, "isAllDay")?.unwrap_or(event.start.is_all_day());
    let read = |name: &str, field: &str, kept: EventTime| match resource.get(name).filter(|value| !value.is_null()) {
        Some(value) => EventTime::parse(value, all_day, field),
        None if kept.is_all_day() == all_day => Ok(kept),
        None => {
            Err(GraphError::bad_request("ErrorInvalidRequest", format!("isAllDay changes: the {name} is missing.")))
        }
    };
    event.start = read("start", "Start", event.start)?;
    event.end = read("end", "End", event.end)?;
    for (name, time, zone_name) in
        [("start", event.start, &mut event.start_zone_name), ("end", event.end, &mut event.end_zone_name)]
    {
        if resource.contains_key(name) {
            zones::windows_name(time.zone()).clone_into(zone_name);
        }
    }
    let (start, end) = (event.start.instant(chrono_tz::Tz::UTC), event.end.instant(chrono_tz::Tz::UTC));
    if end < start {
        let message = "The meeting's end time can't be earlier than its start time.";
        return Err(GraphError::bad_request("ErrorInvalidArgument", message));
    }
    if all_day && end == start {
        let message = "The duration of an event marked as All day must be at least 24 hours.";
        return Err(GraphError::bad_request("ErrorPropertyValidationFailure", message));
    }
    match resource.get("recurrence") {
        None => {
            let moved = event.start.date();
            if let Some(recurrence) = event.recurrence.as_mut().filter(|recurrence| recurrence.range.start != moved) {
                recurrence.range.start = moved;
            }
        }
        Some(Value::Null) => event.recurrence = None,
        Some(value) => event.recurrence = Some(Recurrence::parse(value, event.start)?),
    }
    Ok(before != (event.start, event.end, event.recurrence.clone()))
}

fn apply_location(event: &mut Event, resource: &Map<String, Value>) -> Result<(), GraphError> {
    let listed = match (resource.get("locations"), resource.get("location")) {
        (Some(Value::Array(items)), _) => items.clone(),
        (_, Some(Value::Null)) => Vec::new(),
        (_, Some(one @ Value::Object(_))) => vec![one.clone()],
        (None, None) => return Ok(()),
        _ => return Err(wrong_type("location")),
    };
    let locations: Vec<Value> = listed.iter().filter(|it| it["displayName"].is_string()).map(location).collect();
    event.members.insert("location".to_owned(), locations.first().cloned().unwrap_or_else(empty_location));
    event.members.insert("locations".to_owned(), json!(locations));
    Ok(())
}

fn location(given: &Value) -> Value {
    let name = &given["displayName"];
    let mut location =
        json!({ "displayName": name, "locationType": "default", "uniqueId": name, "uniqueIdType": "private" });
    for member in ["address", "coordinates", "locationUri", "locationEmailAddress", "locationType"] {
        if let Some(value) = given.get(member).filter(|value| !value.is_null()) {
            location[member] = value.clone();
        }
    }
    location
}

fn empty_location() -> Value {
    json!({ "displayName": "", "locationType": "default", "uniqueIdType": "unknown" })
}

/// The attendees of a request. Those who were there before keep their answers.
fn attendees(value: &Value, before: &[Attendee]) -> Result<Vec<Attendee>, GraphError> {
    let invalid = || GraphError::bad_request("ErrorInvalidRequest", "An attendee is invalid.");
    let Some(listed) = value.as_array() else {
        return if value.is_null() { Ok(Vec::new()) } else { Err(wrong_type("attendees")) };
    };
    let attendee = |given: &Value| {
        let address = given["emailAddress"]["address"].as_str().filter(|address| !address.is_empty());
        let address = address.ok_or_else(invalid)?.to_owned();
        let kind = given["type"].as_str().unwrap_or("required").to_owned();
        if !["required", "optional", "resource"].contains(&kind.as_str()) {
            return Err(invalid());
        }
        let known = before.iter().find(|known| known.person.is(&address));
        let name = given["emailAddress"]["name"].as_str().map(str::to_owned);
        let name = name.or_else(|| known.map(|it| it.person.name.clone())).unwrap_or_else(|| address.clone());
        let response = known.map_or_else(|| Response::unset("none"), |known| known.response.clone());
        let proposed_new_time = known.and_then(|known| known.proposed_new_time.clone());
        Ok(Attendee { person: Person { name, address }, kind, response, proposed_new_time })
    };
    listed.iter().map(attendee).collect()
}

fn apply_extended(event: &mut Event, resource: &Map<String, Value>) -> Result<(), GraphError> {
    let Some(listed) = resource.get("singleValueExtendedProperties") else { return Ok(()) };
    let listed = listed.as_array().ok_or_else(|| wrong_type("singleValueExtendedProperties"))?;
    for property in listed {
        let id = property["id"].as_str().and_then(extended_id);
        let invalid = || GraphError::bad_request("ErrorInvalidRequest", "The extended property's id is invalid.");
        let (id, value) = (id.ok_or_else(invalid)?, property["value"].as_str().ok_or_else(invalid)?);
        event.extended.insert(id, value.to_owned());
    }
    Ok(())
}

/// The id of an extended property in one spelling: `String {guid in lower case} Name X`, or with `Id 0x1234`.
pub fn extended_id(id: &str) -> Option<String> {
    let (kind, rest) = id.trim().split_once(" {")?;
    let (guid, rest) = rest.split_once("} ")?;
    let (by, name) = rest.split_once(' ')?;
    let is_guid = guid.len() == 36 && guid.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-');
    let kinds = ["String", "Integer", "Long", "Boolean", "SystemTime", "Double", "Binary", "CLSID"];
    let is_known = kinds.contains(&kind) && is_guid && ["Name", "Id"].contains(&by) && !name.is_empty();
    is_known.then(|| format!("{kind} {{{}}} {by} {name}", guid.to_lowercase()))
}

fn flag(resource: &Map<String, Value>, name: &str) -> Result<Option<bool>, GraphError> {
    match resource.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_bool().map(Some).ok_or_else(|| wrong_type(name)),
    }
}

fn wrong_type(name: &str) -> GraphError {
    let message = format!("When trying to read the property '{name}', a value of another type was expected.");
    GraphError::bad_request("RequestBodyRead", message)
}

/// A new event without members, from `start` to `end`.
pub fn blank(key: u64, organizer: Person, (start, end): (EventTime, EventTime), now: DateTime<Utc>) -> Event {
    Event {
        key,
        uid: format!(
            "040000008200E00074C5B7101A82E008{:032X}",
            u128::from(key) ^ (now.timestamp_micros() as u128) << 64
        ),
        members: defaults(),
        start,
        end,
        start_zone_name: zones::windows_name(start.zone()).to_owned(),
        end_zone_name: zones::windows_name(end.zone()).to_owned(),
        attendees: Vec::new(),
        organizer,
        is_organizer: true,
        response: Response::unset("organizer"),
        is_cancelled: false,
        online_meeting: None,
        extended: std::collections::BTreeMap::new(),
        transaction_id: None,
        recurrence: None,
        exceptions: std::collections::BTreeMap::new(),
        cancelled: std::collections::BTreeSet::new(),
        created: now,
        modified: now,
        change: 0,
    }
}
