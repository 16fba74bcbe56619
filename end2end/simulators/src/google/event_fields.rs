//! What a client may write into an event, checked as Google checks it.

use serde_json::{Map, Value, json};

use super::event_time::EventTime;
use super::event_types::{self, Times};
use super::recurrence;
use super::wire::ApiError;
use super::world::{Calendar, Event};

/// The members that a client may write, other than those that [`Event`] keeps apart. All others are ignored.
const WRITABLE: [&str; 22] = [
    "anyoneCanAddSelf",
    "attachments",
    "attendees",
    "attendeesOmitted",
    "birthdayProperties",
    "colorId",
    "description",
    "eventLabelId",
    "eventType",
    "extendedProperties",
    "focusTimeProperties",
    "guestsCanInviteOthers",
    "guestsCanModify",
    "guestsCanSeeOtherGuests",
    "location",
    "outOfOfficeProperties",
    "reminders",
    "source",
    "summary",
    "transparency",
    "visibility",
    "workingLocationProperties",
];

const CHOICES: [(&str, &[&str]); 4] = [
    ("transparency", &["opaque", "transparent"]),
    ("visibility", &["default", "public", "private", "confidential"]),
    ("status", &["confirmed", "tentative", "cancelled"]),
    ("eventType", &["default", "birthday", "focusTime", "fromGmail", "outOfOffice", "workingLocation"]),
];

/// What a write asks for, read and checked as a whole before anything changes.
#[derive(Debug)]
pub struct EventFields {
    members: Map<String, Value>,
    start: EventTime,
    end: EventTime,
    recurrence: Vec<String>,
    status: Option<String>,
}

impl EventFields {
    /// Reads a whole event resource.
    pub fn parse(resource: &Map<String, Value>, calendar: &Calendar) -> Result<Self, ApiError> {
        let time = |field: &str| {
            let value = resource.get(field).ok_or_else(|| ApiError::required(format!("Missing {field} time.")))?;
            EventTime::parse(value, field, calendar.time_zone)
        };
        let (start, end) = (time("start")?, time("end")?);
        if matches!(start, EventTime::AllDay { .. }) != matches!(end, EventTime::AllDay { .. }) {
            return Err(ApiError::invalid("Start and end times must either both be date or both be dateTime."));
        }
        if end.instant(calendar.time_zone) < start.instant(calendar.time_zone)
            || matches!((start, end), (EventTime::AllDay { date: first }, EventTime::AllDay { date: last }) if first >= last)
        {
            let message = "The specified time range is empty.";
            return Err(ApiError::new(http::StatusCode::BAD_REQUEST, "timeRangeEmpty", message).in_domain("calendar"));
        }
        let recurrence = read_recurrence(resource.get("recurrence"))?;
        if !recurrence.is_empty() {
            let zone_named = resource["start"].get("timeZone").is_some_and(Value::is_string);
            if matches!(start, EventTime::Timed { .. }) && !zone_named {
                return Err(ApiError::required("Missing time zone definition for start time."));
            }
            recurrence::validate(start, &recurrence)?;
        }
        check_members(resource)?;
        let kept = resource.iter().filter(|(name, value)| WRITABLE.contains(&name.as_str()) && !value.is_null());
        let mut members: Map<String, Value> = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        if let Some(attendees) = members.get_mut("attendees") {
            read_attendees(attendees, calendar)?;
        }
        event_types::check(&mut members, Times { start, end, recurrence: &recurrence }, calendar)?;
        let status = resource.get("status").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { members, start, end, recurrence, status })
    }

    /// Reads `patch` (RFC 7396: null clears, objects merge, arrays are replaced) over what `event` has.
    pub fn parse_patch(patch: &Map<String, Value>, event: &Event, calendar: &Calendar) -> Result<Self, ApiError> {
        let mut resource = Value::Object(written_members(event, calendar));
        merge(&mut resource, &Value::Object(patch.clone()));
        match resource {
            Value::Object(merged) => Self::parse(&merged, calendar),
            _ => Err(ApiError::invalid("An event resource is required.")),
        }
    }

    /// Whether the event would become one of another type, which cannot be.
    pub fn changes_type(&self, event: &Event) -> bool {
        let own = event.text("eventType").unwrap_or("default");
        self.members.get("eventType").and_then(Value::as_str).is_some_and(|wanted| wanted != own)
    }

    /// Puts everything into `event`, and notes what a change of the rule leaves behind.
    pub fn apply(self, event: &mut Event, change: u64) {
        let rule_changed = event.start != self.start || event.recurrence != self.recurrence;
        let moved =
            rule_changed || event.end != self.end || self.members.get("location") != event.members.get("location");
        let cancels = !event.cancelled && self.status.as_deref() == Some("cancelled");
        if (rule_changed || cancels) && !event.recurrence.is_empty() {
            event.remember_rule(change);
        }
        if moved && event.change > 0 {
            event.sequence += 1;
        }
        event.cancelled = self.status.as_deref() == Some("cancelled");
        event.members = self.members;
        if let Some(status) = self.status.filter(|status| status != "cancelled") {
            event.members.insert("status".to_owned(), json!(status));
        }
        (event.start, event.end, event.recurrence) = (self.start, self.end, self.recurrence);
    }
}

impl Event {
    /// Keeps the rule that ends with `change`, so that a sync can cancel its instances.
    pub fn remember_rule(&mut self, change: u64) {
        let (start, recurrence) = (self.start, self.recurrence.clone());
        self.former_rules.push(super::world::FormerRule { until: change, start, recurrence });
    }
}

/// The event as a writer would have to send it to make it what it is.
fn written_members(event: &Event, calendar: &Calendar) -> Map<String, Value> {
    let mut members = event.members.clone();
    members.insert("start".to_owned(), event.start.to_json(calendar.time_zone));
    members.insert("end".to_owned(), event.end.to_json(calendar.time_zone));
    if !event.recurrence.is_empty() {
        members.insert("recurrence".to_owned(), json!(event.recurrence));
    }
    if event.cancelled {
        members.insert("status".to_owned(), json!("cancelled"));
    }
    members
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

fn read_recurrence(value: Option<&Value>) -> Result<Vec<String>, ApiError> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => serde_json::from_value(value.clone()).map_err(|_| ApiError::invalid("Invalid recurrence.")),
    }
}

fn check_members(resource: &Map<String, Value>) -> Result<(), ApiError> {
    for name in ["summary", "description", "location", "colorId", "transparency", "visibility", "status", "eventType"] {
        if resource.get(name).is_some_and(|value| !value.is_string() && !value.is_null()) {
            return Err(ApiError::invalid(format!("Invalid value for: {name}")));
        }
    }
    for (name, allowed) in CHOICES {
        if let Some(value) = resource.get(name).and_then(Value::as_str)
            && !allowed.contains(&value)
        {
            return Err(ApiError::invalid(format!("Invalid value '{value}' for: {name}")));
        }
    }
    for kind in ["private", "shared"] {
        let properties = resource.get("extendedProperties").and_then(|all| all.get(kind)).and_then(Value::as_object);
        for (key, value) in properties.into_iter().flatten() {
            let text = value.as_str().ok_or_else(|| ApiError::invalid("Extended properties must be strings."))?;
            if key.len() > 44 || text.len() > 1024 {
                return Err(ApiError::invalid(format!("Invalid extended property: {key} is too long.")));
            }
        }
    }
    let overrides = resource.get("reminders").and_then(|reminders| reminders.get("overrides"));
    let overrides = overrides.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let usable = |reminder: &Value| {
        matches!(reminder["method"].as_str(), Some("email" | "popup"))
            && reminder["minutes"].as_u64().is_some_and(|minutes| minutes <= 40_320)
    };
    if overrides.len() > 5 || !overrides.iter().all(usable) {
        return Err(ApiError::invalid("Invalid reminders."));
    }
    Ok(())
}

fn read_attendees(attendees: &mut Value, calendar: &Calendar) -> Result<(), ApiError> {
    let list = attendees.as_array_mut().ok_or_else(|| ApiError::invalid("Invalid attendees."))?;
    for attendee in list {
        let email = attendee.get("email").and_then(Value::as_str).unwrap_or_default().to_owned();
        let well_formed = email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
        if !well_formed || email.contains(char::is_whitespace) {
            return Err(ApiError::invalid("Invalid attendee email."));
        }
        let Some(members) = attendee.as_object_mut() else { continue };
        members.retain(|name, _| !matches!(name.as_str(), "self" | "organizer" | "id"));
        members.entry("responseStatus").or_insert_with(|| json!("needsAction"));
        if email.eq_ignore_ascii_case(&calendar.id) {
            members.insert("organizer".to_owned(), json!(true));
            members.insert("self".to_owned(), json!(true));
        }
    }
    Ok(())
}
