//! Stored things in the API's form.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::world::{Calendar, Event, Subscription};

/// How events are written out: where links lead, and in which zone instants are shown.
#[derive(Debug, Clone, Copy)]
pub struct Rendering<'a> {
    pub base_url: &'a str,
    pub calendar: &'a Calendar,
    pub zone: Tz,
}

impl<'a> Rendering<'a> {
    /// In the calendar's own zone.
    pub fn of(base_url: &'a str, calendar: &'a Calendar) -> Self {
        Self { base_url, calendar, zone: calendar.time_zone }
    }

    /// In `zone`, when the request names one.
    pub fn in_zone(self, zone: Option<Tz>) -> Self {
        Self { zone: zone.unwrap_or(self.zone), ..self }
    }

    /// A whole event resource.
    pub fn event(&self, id: &str, event: &Event) -> Value {
        let calendar = self.calendar;
        let mut resource = event.members.clone();
        let mut put = |name: &str, value: Value| {
            resource.insert(name.to_owned(), value);
        };
        put("kind", json!("calendar#event"));
        put("etag", json!(Calendar::etag(event.change)));
        put("id", json!(id));
        put("htmlLink", json!(format!("{}/event?eid={}", self.base_url, event_link_id(id, &calendar.id))));
        put("created", json!(instant(event.created)));
        put("updated", json!(instant(event.updated)));
        put("creator", creator(event, calendar));
        put("organizer", organizer(calendar));
        put("start", event.start.to_json(self.zone));
        put("end", event.end.to_json(self.zone));
        put("sequence", json!(event.sequence));
        let uid_of = event.instance_of.as_ref().map_or(id, |instance| &instance.recurring_event_id);
        put("iCalUID", json!(format!("{uid_of}@google.com")));
        if !event.recurrence.is_empty() {
            put("recurrence", json!(event.recurrence));
        }
        if let Some(instance) = &event.instance_of {
            put("recurringEventId", json!(instance.recurring_event_id));
            put("originalStartTime", instance.original_start.to_json(self.zone));
        }
        if let Some(conference) = &event.conference {
            put("conferenceData", conference.clone());
            if let Some(link) = conference["entryPoints"][0]["uri"].as_str() {
                put("hangoutLink", json!(link));
            }
        }
        if event.cancelled {
            put("status", json!("cancelled"));
        }
        for (name, default) in [("status", json!("confirmed")), ("eventType", json!("default"))] {
            resource.entry(name).or_insert(default);
        }
        resource.entry("reminders").or_insert_with(|| json!({ "useDefault": true }));
        Value::Object(resource)
    }

    /// A cancelled event in a list: only what Google guarantees.
    pub fn cancelled(&self, id: &str, event: &Event) -> Value {
        let etag = Calendar::etag(event.change);
        let mut resource = json!({ "kind": "calendar#event", "etag": etag, "id": id, "status": "cancelled" });
        if let Some(instance) = &event.instance_of {
            resource["recurringEventId"] = json!(instance.recurring_event_id);
            resource["originalStartTime"] = instance.original_start.to_json(self.zone);
        }
        resource
    }
}

/// An entry of a user's calendar list.
pub fn calendar_list_entry(calendar: &Calendar, subscription: &Subscription, email: &str) -> Value {
    let mut entry = json!({
        "kind": "calendar#calendarListEntry",
        "etag": Calendar::etag(0),
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone.name(),
        "colorId": "1",
        "backgroundColor": calendar.color,
        "foregroundColor": "#ffffff",
        "selected": true,
        "accessRole": subscription.access_role.as_str(),
        "defaultReminders": [],
        "conferenceProperties": conference_properties(),
    });
    if calendar.id == email {
        entry["primary"] = json!(true);
        entry["defaultReminders"] = json!([{ "method": "popup", "minutes": 10 }]);
    }
    entry
}

/// A calendar resource.
pub fn calendar(calendar: &Calendar) -> Value {
    json!({
        "kind": "calendar#calendar",
        "etag": Calendar::etag(0),
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone.name(),
        "conferenceProperties": conference_properties(),
    })
}

/// An instant in UTC with milliseconds, as Google writes `created` and `updated`.
pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The `eid` of an event's link.
pub fn event_link_id(event_id: &str, calendar_id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{event_id} {calendar_id}"))
}

/// The event and calendar that an `eid` names.
pub fn parse_event_link_id(eid: &str) -> Option<(String, String)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(eid).ok()?).ok()?;
    text.split_once(' ').map(|(event, calendar)| (event.to_owned(), calendar.to_owned()))
}

fn conference_properties() -> Value {
    json!({ "allowedConferenceSolutionTypes": ["hangoutsMeet"] })
}

fn creator(event: &Event, calendar: &Calendar) -> Value {
    let mut person = Map::from_iter([("email".to_owned(), json!(event.creator))]);
    if event.creator == calendar.id {
        person.insert("self".to_owned(), json!(true));
    }
    Value::Object(person)
}

fn organizer(calendar: &Calendar) -> Value {
    let mut person = json!({ "email": calendar.id, "self": true });
    if calendar.owner.as_deref() != Some(calendar.id.as_str()) {
        person["displayName"] = json!(calendar.summary);
    }
    person
}
