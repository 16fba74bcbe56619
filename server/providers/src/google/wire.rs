//! The answers of the Calendar API, as far as Cupo reads them. Unknown fields are passed over; a field of the wrong
//! type is an error that names it. What is needed is checked where it is mapped.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::ProviderError;

/// Reads an answer. The error names the field and never quotes the answer, which holds personal data.
pub(super) fn parse<T: DeserializeOwned>(operation: &str, body: &[u8]) -> Result<T, ProviderError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        if error.inner().is_data() {
            unreadable(operation, &error.path().to_string())
        } else {
            ProviderError::Transient(format!("{operation}: the answer is not JSON"))
        }
    })
}

/// The answer lacks a needed field, or it has a form that Cupo does not know.
pub(super) fn unreadable(operation: &str, field: &str) -> ProviderError {
    ProviderError::Rejected(format!("{operation}: field `{field}` of the answer is missing or unreadable"))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CalendarList {
    pub(super) items: Option<Vec<CalendarListEntry>>,
    pub(super) next_page_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CalendarListEntry {
    pub(super) id: Option<String>,
    pub(super) summary: Option<String>,
    /// The name that the host gave it.
    pub(super) summary_override: Option<String>,
    pub(super) time_zone: Option<String>,
    pub(super) background_color: Option<String>,
    pub(super) access_role: Option<String>,
    pub(super) primary: Option<bool>,
    pub(super) deleted: Option<bool>,
    pub(super) conference_properties: Option<ConferenceProperties>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConferenceProperties {
    pub(super) allowed_conference_solution_types: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventPage {
    pub(super) items: Option<Vec<Event>>,
    pub(super) time_zone: Option<String>,
    pub(super) next_page_token: Option<String>,
    pub(super) next_sync_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) id: Option<String>,
    pub(super) etag: Option<String>,
    #[serde(rename = "iCalUID")]
    pub(super) ical_uid: Option<String>,
    pub(super) status: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) description: Option<String>,
    pub(super) location: Option<String>,
    pub(super) start: Option<EventDateTime>,
    pub(super) end: Option<EventDateTime>,
    pub(super) transparency: Option<String>,
    pub(super) visibility: Option<String>,
    pub(super) event_type: Option<String>,
    pub(super) attendees: Option<Vec<EventAttendee>>,
    pub(super) guests_can_see_other_guests: Option<bool>,
    pub(super) reminders: Option<EventReminders>,
    pub(super) conference_data: Option<ConferenceData>,
    pub(super) hangout_link: Option<String>,
    pub(super) extended_properties: Option<ExtendedProperties>,
    pub(super) recurring_event_id: Option<String>,
    pub(super) original_start_time: Option<EventDateTime>,
    /// `RRULE`, `EXDATE` and `RDATE` lines of RFC 5545; of a recurring event as a whole.
    pub(super) recurrence: Option<Vec<String>>,
    pub(super) html_link: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventDateTime {
    pub(super) date: Option<String>,
    pub(super) date_time: Option<String>,
    pub(super) time_zone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventAttendee {
    pub(super) email: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) response_status: Option<String>,
    #[serde(rename = "self")]
    pub(super) is_self: Option<bool>,
    pub(super) organizer: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventReminders {
    pub(super) use_default: Option<bool>,
    pub(super) overrides: Option<Vec<EventReminder>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct EventReminder {
    pub(super) method: Option<String>,
    pub(super) minutes: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConferenceData {
    pub(super) create_request: Option<CreateConferenceRequest>,
    pub(super) entry_points: Option<Vec<EntryPoint>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateConferenceRequest {
    pub(super) request_id: Option<String>,
    pub(super) status: Option<ConferenceRequestStatus>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConferenceRequestStatus {
    pub(super) status_code: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntryPoint {
    pub(super) entry_point_type: Option<String>,
    pub(super) uri: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ExtendedProperties {
    pub(super) private: Option<HashMap<String, String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FreeBusyResponse {
    /// By calendar id. Each is read by itself, so that one that cannot be read leaves the others known.
    pub(super) calendars: Option<HashMap<String, Value>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FreeBusyCalendar {
    pub(super) busy: Option<Vec<TimePeriod>>,
    pub(super) errors: Option<Vec<FreeBusyError>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TimePeriod {
    pub(super) start: String,
    pub(super) end: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct FreeBusyError {
    pub(super) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Channel {
    pub(super) resource_id: Option<String>,
    /// Unix time in milliseconds, as a text.
    pub(super) expiration: Option<String>,
}
