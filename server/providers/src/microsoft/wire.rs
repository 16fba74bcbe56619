//! The answers of Microsoft Graph, as far as Cupo reads them. Unknown fields are passed over; a field of the wrong
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

/// A page of a collection.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) value: Option<Vec<T>>,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next_link: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    pub(super) delta_link: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) display_name: Option<String>,
    pub(super) mail: Option<String>,
    pub(super) user_principal_name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Calendar {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) hex_color: Option<String>,
    pub(super) can_edit: Option<bool>,
    pub(super) is_default_calendar: Option<bool>,
    pub(super) allowed_online_meeting_providers: Option<Vec<String>>,
    pub(super) owner: Option<EmailAddress>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct EmailAddress {
    pub(super) name: Option<String>,
    pub(super) address: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) id: Option<String>,
    #[serde(rename = "@odata.etag")]
    pub(super) etag: Option<String>,
    /// In a delta answer: the event is gone, or left the window.
    #[serde(rename = "@removed")]
    pub(super) removed: Option<Value>,
    #[serde(rename = "iCalUId")]
    pub(super) ical_uid: Option<String>,
    pub(super) transaction_id: Option<String>,
    /// `singleInstance`, `occurrence`, `exception` or `seriesMaster`.
    pub(super) r#type: Option<String>,
    pub(super) series_master_id: Option<String>,
    /// `patternedRecurrence`, of a series as a whole.
    pub(super) recurrence: Option<Value>,
    pub(super) subject: Option<String>,
    pub(super) body: Option<ItemBody>,
    pub(super) location: Option<Location>,
    pub(super) start: Option<DateTimeTimeZone>,
    pub(super) end: Option<DateTimeTimeZone>,
    /// With an offset, unlike the other times.
    pub(super) original_start: Option<String>,
    pub(super) original_start_time_zone: Option<String>,
    pub(super) original_end_time_zone: Option<String>,
    pub(super) is_all_day: Option<bool>,
    pub(super) is_cancelled: Option<bool>,
    pub(super) is_organizer: Option<bool>,
    pub(super) show_as: Option<String>,
    pub(super) sensitivity: Option<String>,
    pub(super) response_status: Option<ResponseStatus>,
    pub(super) organizer: Option<Recipient>,
    pub(super) attendees: Option<Vec<Attendee>>,
    pub(super) hide_attendees: Option<bool>,
    pub(super) is_reminder_on: Option<bool>,
    pub(super) reminder_minutes_before_start: Option<i64>,
    pub(super) is_online_meeting: Option<bool>,
    pub(super) online_meeting: Option<OnlineMeeting>,
    pub(super) online_meeting_url: Option<String>,
    pub(super) web_link: Option<String>,
    pub(super) single_value_extended_properties: Option<Vec<ExtendedProperty>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemBody {
    pub(super) content_type: Option<String>,
    pub(super) content: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    pub(super) display_name: Option<String>,
}

/// A local time without an offset, and its zone.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DateTimeTimeZone {
    pub(super) date_time: Option<String>,
    pub(super) time_zone: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ResponseStatus {
    /// `none`, `organizer`, `tentativelyAccepted`, `accepted`, `declined` or `notResponded`.
    pub(super) response: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Recipient {
    pub(super) email_address: Option<EmailAddress>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attendee {
    pub(super) r#type: Option<String>,
    pub(super) email_address: Option<EmailAddress>,
    pub(super) status: Option<ResponseStatus>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OnlineMeeting {
    pub(super) join_url: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ExtendedProperty {
    pub(super) id: Option<String>,
    pub(super) value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Schedule {
    pub(super) schedule_items: Option<Vec<ScheduleItem>>,
    pub(super) working_hours: Option<WorkingHours>,
    pub(super) error: Option<FreeBusyError>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ScheduleItem {
    pub(super) status: Option<String>,
    pub(super) start: Option<DateTimeTimeZone>,
    pub(super) end: Option<DateTimeTimeZone>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorkingHours {
    pub(super) time_zone: Option<TimeZoneBase>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TimeZoneBase {
    pub(super) name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FreeBusyError {
    pub(super) response_code: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BatchAnswer {
    pub(super) responses: Option<Vec<BatchResponse>>,
}

/// The answer to one request of a batch, by the request's id, in any order.
#[derive(Debug, Deserialize)]
pub(super) struct BatchResponse {
    pub(super) id: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) headers: Option<HashMap<String, String>>,
    pub(super) body: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    pub(super) id: Option<String>,
    pub(super) expiration_date_time: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) notification_url: Option<String>,
}

/// The body of a delivery: each notification is read by itself, so that one that cannot be read leaves the others.
#[derive(Debug, Deserialize)]
pub(super) struct ChangeNotifications {
    pub(super) value: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChangeNotification {
    pub(super) subscription_id: Option<String>,
    pub(super) client_state: Option<String>,
    pub(super) lifecycle_event: Option<String>,
}

cupo_core::shown_in_debug!(ChangeNotification { subscription_id, lifecycle_event });
