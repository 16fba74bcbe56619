//! Stored things in the API's form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::super::body;
use super::super::event::{Event, EventKind, Item, Response};
use super::super::event_time::{ShownZone, instant, seven_digits};
use super::super::ids::{self, IdType, ItemRef};
use super::super::world::{Calendar, User};

/// How events are written out.
#[derive(Debug, Clone, Default)]
pub struct Rendering {
    pub ids: IdType,
    pub zone: ShownZone,
    pub text_body: bool,
    /// The members asked for; all, when absent.
    pub select: Option<Vec<String>>,
    /// The extended properties asked for.
    pub extended: Vec<String>,
    pub now: DateTime<Utc>,
}

impl Rendering {
    /// A whole event resource.
    pub fn event(&self, calendar: &Calendar, item: &Item) -> Value {
        let event = &item.event;
        let mut resource = event.members.clone();
        let id = self.id(calendar, item.id);
        let html = event.text("body").unwrap_or_default();
        let change_key = change_key(event.key, event.change);
        let series = item.id.original.map(|_| self.id(calendar, ItemRef::event(item.id.event)));
        let meeting = event.online_meeting.as_ref();
        let ready = meeting.filter(|meeting| meeting.ready_at <= self.now);
        let members = json!({
            "@odata.etag": etag(event),
            "id": id,
            "changeKey": change_key,
            "createdDateTime": instant(event.created),
            "lastModifiedDateTime": instant(event.modified),
            "transactionId": event.transaction_id,
            "originalStartTimeZone": event.start_zone_name,
            "originalEndTimeZone": event.end_zone_name,
            "iCalUId": event.uid,
            "hasAttachments": false,
            "isAllDay": event.start.is_all_day(),
            "isCancelled": event.is_cancelled,
            "isDraft": false,
            "isOrganizer": event.is_organizer,
            "seriesMasterId": series,
            "occurrenceId": occurrence_id(calendar, item),
            "type": item.kind,
            "webLink": web_link(&id),
            "onlineMeetingUrl": null,
            "isOnlineMeeting": meeting.is_some(),
            "onlineMeetingProvider": meeting.map_or("unknown", |meeting| &meeting.provider),
            "onlineMeeting": ready.map(|meeting| json!({ "joinUrl": meeting.join_url })),
            "responseStatus": response(&event.response),
            "body": body::to_json(html, self.text_body),
            "bodyPreview": body::preview(html),
            "start": event.start.to_json(&self.zone),
            "end": event.end.to_json(&self.zone),
            "attendees": event.attendees.iter().map(attendee).collect::<Vec<_>>(),
            "organizer": event.organizer.to_json(),
            "recurrence": event.recurrence.as_ref().map(super::super::recurrence::Recurrence::to_json),
        });
        resource.extend(members.as_object().cloned().unwrap_or_default());
        if item.kind == EventKind::Exception
            && let Some(date) = item.id.original
        {
            let by_pattern = calendar.events.get(&item.id.event).map(|series| series.start.on(date));
            if let Some(original) = by_pattern {
                resource.insert("originalStart".to_owned(), json!(instant(original.instant(chrono_tz::Tz::UTC))));
            }
        }
        self.select(&mut resource);
        let asked = self
            .extended
            .iter()
            .filter_map(|id| event.extended.get(id).map(|value| json!({ "id": id, "value": value })));
        let extended: Vec<Value> = asked.collect();
        if !extended.is_empty() {
            resource.insert("singleValueExtendedProperties".to_owned(), json!(extended));
        }
        Value::Object(resource)
    }

    /// An occurrence in a delta answer: nothing but where it stands.
    pub fn occurrence_in_delta(&self, calendar: &Calendar, item: &Item) -> Value {
        json!({
            "@odata.type": "#microsoft.graph.event",
            "@odata.etag": etag(&item.event),
            "id": self.id(calendar, item.id),
            "seriesMasterId": self.id(calendar, ItemRef::event(item.id.event)),
            "type": item.kind,
            "start": item.event.start.to_json(&self.zone),
            "end": item.event.end.to_json(&self.zone),
        })
    }

    /// The id of an event in the form that the client prefers.
    pub fn id(&self, calendar: &Calendar, item: ItemRef) -> String {
        ids::event_id(self.ids, calendar.key, item)
    }

    fn select(&self, resource: &mut Map<String, Value>) {
        if let Some(names) = &self.select {
            let wanted = |member: &String| {
                member == "id" || member.starts_with('@') || names.iter().any(|name| name.eq_ignore_ascii_case(member))
            };
            resource.retain(|member, _| wanted(member));
        }
    }
}

/// `@odata.etag` of an event.
pub fn etag(event: &Event) -> String {
    etag_of(event.key, event.change)
}

/// `@odata.etag` of the event `key` as `change` left it.
pub fn etag_of(key: u64, change: u64) -> String {
    format!("W/\"{}\"", change_key(key, change))
}

/// A calendar resource.
pub fn calendar(calendar: &Calendar, owner: &User) -> Value {
    let default_provider = calendar.meeting_providers.first().map_or("unknown", String::as_str);
    json!({
        "id": ids::calendar_id(calendar.key),
        "name": calendar.name,
        "color": "auto",
        "hexColor": calendar.color,
        "isDefaultCalendar": calendar.is_default,
        "changeKey": digest_text(&format!("calendar {}", calendar.key)),
        "canShare": calendar.can_edit,
        "canViewPrivateItems": true,
        "canEdit": calendar.can_edit,
        "allowedOnlineMeetingProviders": calendar.meeting_providers,
        "defaultOnlineMeetingProvider": default_provider,
        "isTallyingResponses": calendar.is_default,
        "isRemovable": !calendar.is_default,
        "owner": { "name": owner.name, "address": owner.email },
    })
}

/// A user resource. Personal accounts have no `mail`.
pub fn user(user: &User) -> Value {
    let (given, family) = user.name.split_once(' ').unwrap_or((&user.name, ""));
    json!({
        "id": user.id,
        "displayName": user.name,
        "givenName": given,
        "surname": family,
        "userPrincipalName": user.email,
        "mail": if user.is_personal() { Value::Null } else { json!(user.email) },
        "businessPhones": [],
        "jobTitle": null,
        "mobilePhone": null,
        "officeLocation": null,
        "preferredLanguage": null,
    })
}

/// `responseStatus`.
pub fn response(response: &Response) -> Value {
    let time = response.time.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), instant);
    json!({ "response": response.kind, "time": time })
}

fn attendee(attendee: &super::super::event::Attendee) -> Value {
    let person = &attendee.person;
    let mut resource = json!({
        "type": attendee.kind,
        "status": response(&attendee.response),
        "emailAddress": { "name": person.name, "address": person.address },
    });
    if let Some(proposed) = &attendee.proposed_new_time {
        resource["proposedNewTime"] = proposed.clone();
    }
    resource
}

/// `OID.`, the series and the day: only occurrences and exceptions have one.
fn occurrence_id(calendar: &Calendar, item: &Item) -> Option<String> {
    let date = item.id.original?;
    let series = ids::event_id(IdType::Immutable, calendar.key, ItemRef::event(item.id.event));
    Some(format!("OID.{series}.{date}"))
}

fn change_key(key: u64, change: u64) -> String {
    digest_text(&format!("event {key} {change}"))
}

fn digest_text(text: &str) -> String {
    STANDARD.encode(&Sha256::digest(text)[..22])
}

fn web_link(id: &str) -> String {
    let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
    format!("https://outlook.office365.com/owa/?itemid={id}&exvsurl=1&path=/calendar/item")
}

/// A wall-clock time to the second.
pub fn wall_clock(at: DateTime<Utc>, zone: chrono_tz::Tz) -> String {
    seven_digits(at.with_timezone(&zone).naive_local())[..19].to_owned()
}
