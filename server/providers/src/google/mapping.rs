//! Between [`CalendarEvent`] and Google's event.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use cupo_core::ids::ClaimId;
use cupo_core::zone::first_instant_at_or_after;
use serde_json::{Map, Value, json};
use url::Url;

use super::wire;
use crate::error::ProviderError;
use crate::event::{
    Attendee, CalendarEvent, EventKind, EventMark, EventStatus, EventTime, Meeting, Reminder, ReminderMethod,
    Reminders, ResponseStatus, Transparency, Visibility,
};
use crate::zones::zone_named;

/// The private extended properties that mark Cupo's own events. The first holds the claim's UUID, which is the appointment's
/// own where no seats are shared; its name is that of the events that are in the calendars already.
const CLAIM: &str = "cupoAppointment";
const INSTALLATION: &str = "cupoInstallation";

/// What stands in the way of reading an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// This field is missing or has an unknown form.
    Field(&'static str),
    UnknownZone(String),
}

impl Unreadable {
    /// `place` leads to the event within the answer.
    pub(super) fn of(self, operation: &str, place: &str) -> ProviderError {
        match self {
            Self::Field(field) => wire::unreadable(operation, &format!("{place}{field}")),
            Self::UnknownZone(name) => ProviderError::Rejected(format!("{operation}: unknown time zone `{name}`")),
        }
    }
}

impl From<&'static str> for Unreadable {
    fn from(field: &'static str) -> Self {
        Self::Field(field)
    }
}

/// The id of the event of a claim. Google's ids are made of `a-v` and `0-9`, which hexadecimal digits are.
/// A higher generation is the next id to try when an id is taken for good.
pub(super) fn event_id(claim: &ClaimId, generation: u32) -> String {
    let digits = claim.as_str().replace('-', "");
    if generation == 0 { format!("cupo{digits}") } else { format!("cupo{digits}{generation}") }
}

/// Whether [`event_id`] gives the claim this id, in one generation or another. An instance of a recurring event has the id
/// of its series with a time behind it, and a copy one of Google's own.
pub(super) fn is_id_of(claim: &ClaimId, id: &str) -> bool {
    let generation = id.strip_prefix(event_id(claim, 0).as_str());
    generation.is_some_and(|generation| generation.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether Google's status says that the event does not take place. Such an event may have nothing but its id.
pub(super) fn is_cancelled(event: &wire::Event) -> bool {
    event.status.as_deref() == Some("cancelled")
}

/// Reads an event that is not cancelled.
pub(super) fn event(event: wire::Event) -> Result<CalendarEvent, Unreadable> {
    let meeting = meeting(&event);
    Ok(CalendarEvent {
        id: event.id.ok_or("id")?,
        etag: event.etag,
        ical_uid: event.ical_uid,
        title: event.summary.unwrap_or_default(),
        description: event.description.filter(|text| !text.is_empty()),
        location: event.location.filter(|text| !text.is_empty()),
        start: time(event.start.ok_or("start")?, "start")?,
        end: time(event.end.ok_or("end")?, "end")?,
        status: match event.status.as_deref() {
            Some("cancelled") => EventStatus::Cancelled,
            Some("tentative") => EventStatus::Tentative,
            _ => EventStatus::Confirmed,
        },
        transparency: match event.transparency.as_deref() {
            Some("transparent") => Transparency::Transparent,
            _ => Transparency::Opaque,
        },
        kind: match event.event_type.as_deref() {
            None | Some("default") => EventKind::Default,
            Some("outOfOffice") => EventKind::OutOfOffice,
            Some("focusTime") => EventKind::FocusTime,
            Some("workingLocation") => EventKind::WorkingLocation,
            Some("birthday") => EventKind::Birthday,
            Some(other) => EventKind::Other(other.to_owned()),
        },
        visibility: match event.visibility.as_deref() {
            Some("public") => Visibility::Public,
            Some("private") => Visibility::Private,
            Some("confidential") => Visibility::Confidential,
            _ => Visibility::Default,
        },
        attendees: event.attendees.unwrap_or_default().into_iter().map(attendee).collect(),
        guests_see_each_other: event.guests_can_see_other_guests.unwrap_or(true),
        reminders: event.reminders.map_or(Reminders::Default, reminders),
        meeting,
        mark: event.extended_properties.and_then(mark),
        recurring_event_id: event.recurring_event_id,
        original_start: event.original_start_time.map(|start| time(start, "originalStartTime")).transpose()?,
        first_instance: None,
        html_link: event.html_link.filter(|link| is_web_address(link)),
    })
}

fn time(time: wire::EventDateTime, field: &'static str) -> Result<EventTime, Unreadable> {
    let time = match (time.date_time, time.date) {
        (Some(text), _) => {
            EventTime::Instant { at: instant(&text, time.time_zone.as_deref(), field)?, time_zone: time.time_zone }
        }
        (None, Some(text)) => EventTime::Day(text.parse::<NaiveDate>().map_err(|_| field)?),
        (None, None) => return Err(field.into()),
    };
    let year = match &time {
        EventTime::Instant { at, .. } => at.year(),
        EventTime::Day(day) => day.year(),
    };
    // Beyond these, arithmetic on the time could leave chrono's range.
    if (0..=9999).contains(&year) { Ok(time) } else { Err(field.into()) }
}

/// RFC 3339; without an offset the zone must be told.
fn instant(text: &str, time_zone: Option<&str>, field: &'static str) -> Result<DateTime<Utc>, Unreadable> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.to_utc());
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map_err(|_| field)?;
    if !(0..=9999).contains(&local.year()) {
        return Err(field.into());
    }
    let name = time_zone.ok_or(field)?;
    let zone = zone_named(name).ok_or_else(|| unknown_zone(name, field))?;
    Ok(first_instant_at_or_after(zone, local))
}

/// What is no name of a zone is not shown.
fn unknown_zone(name: &str, field: &'static str) -> Unreadable {
    let is_name = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte));
    if is_name { Unreadable::UnknownZone(name.to_owned()) } else { field.into() }
}

fn attendee(attendee: wire::EventAttendee) -> Attendee {
    Attendee {
        email: attendee.email.unwrap_or_default(),
        name: attendee.display_name,
        response: match attendee.response_status.as_deref() {
            Some("accepted") => ResponseStatus::Accepted,
            Some("tentative") => ResponseStatus::Tentative,
            Some("declined") => ResponseStatus::Declined,
            _ => ResponseStatus::NeedsAction,
        },
        is_self: attendee.is_self.unwrap_or_default(),
        is_organizer: attendee.organizer.unwrap_or_default(),
    }
}

fn reminders(reminders: wire::EventReminders) -> Reminders {
    if reminders.use_default.unwrap_or_default() {
        return Reminders::Default;
    }
    let own = reminders.overrides.unwrap_or_default().into_iter().filter_map(|reminder| {
        let method = match reminder.method.as_deref() {
            Some("email") => ReminderMethod::Email,
            Some("popup") => ReminderMethod::Popup,
            _ => return None,
        };
        Some(Reminder { method, minutes_before: reminder.minutes? })
    });
    Reminders::Own(own.collect())
}

/// A link wins over whatever the request's status says; a success whose link is not there yet is pending.
fn meeting(event: &wire::Event) -> Meeting {
    let data = event.conference_data.as_ref();
    let video = data.and_then(|data| data.entry_points.as_ref()).into_iter().flatten();
    let video =
        video.filter(|point| point.entry_point_type.as_deref() == Some("video")).find_map(|point| point.uri.as_deref());
    if let Some(url) = video.or(event.hangout_link.as_deref()).filter(|url| is_web_address(url)) {
        return Meeting::Ready { url: url.to_owned() };
    }
    let Some(request) = data.and_then(|data| data.create_request.as_ref()) else { return Meeting::None };
    match (&request.status, &request.request_id) {
        (Some(status), _) if status.status_code.as_deref() == Some("failure") => Meeting::Failed,
        (None, Some(request_id)) => Meeting::Request { request_id: request_id.clone() },
        _ => Meeting::Pending,
    }
}

/// Links are shown to visitors and hosts: nothing but a web address may pass.
fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

/// A mark that cannot be read is none: whoever can write events can write properties.
fn mark(properties: wire::ExtendedProperties) -> Option<EventMark> {
    let mut private = properties.private?;
    let claim_id = ClaimId::parse(&private.remove(CLAIM)?).ok()?;
    Some(EventMark { claim_id, installation: private.remove(INSTALLATION)? })
}

/// The body of `events.insert`: everything that Cupo says of an event.
pub(super) fn insert_body(event: &CalendarEvent, id: &str) -> Value {
    let mut body = common_body(event);
    body.insert("id".into(), id.into());
    body.retain(|_, value| value.as_str() != Some(""));
    let status = match event.status {
        EventStatus::Confirmed => "confirmed",
        EventStatus::Tentative => "tentative",
        EventStatus::Cancelled => "cancelled",
    };
    body.insert("status".into(), status.into());
    if event.transparency == Transparency::Transparent {
        body.insert("transparency".into(), "transparent".into());
    }
    let visibility = match event.visibility {
        Visibility::Default => None,
        Visibility::Public => Some("public"),
        Visibility::Private => Some("private"),
        Visibility::Confidential => Some("confidential"),
    };
    body.extend(visibility.map(|visibility| ("visibility".to_owned(), visibility.into())));
    if !event.attendees.is_empty() {
        body.insert("attendees".into(), event.attendees.iter().map(attendee_body).collect());
    }
    if !event.guests_see_each_other {
        body.insert("guestsCanSeeOtherGuests".into(), false.into());
    }
    if let Reminders::Own(own) = &event.reminders {
        let overrides: Vec<Value> = own.iter().map(reminder_body).collect();
        body.insert("reminders".into(), json!({"useDefault": false, "overrides": overrides}));
    }
    Value::Object(body)
}

/// The body of `events.patch`: what an appointment decides. The answers of the attendees and who else was invited,
/// the reminders, and the status belong to the calendar; a list that is sent would replace them. An empty text clears.
pub(super) fn patch_body(event: &CalendarEvent) -> Value {
    Value::Object(common_body(event))
}

/// As [`patch_body`], with the list of attendees: those who are there but for the `gone`, and those of `event` who are missing.
pub(super) fn patch_body_with_attendees(event: &CalendarEvent, there: &[Attendee], gone: &[String]) -> Value {
    let mut body = common_body(event);
    let is = |attendee: &Attendee, email: &str| attendee.email.eq_ignore_ascii_case(email);
    let stay = there.iter().filter(|attendee| !gone.iter().any(|email| is(attendee, email)));
    let come = event.attendees.iter().filter(|new| !there.iter().any(|attendee| is(attendee, &new.email)));
    body.insert("attendees".into(), stay.chain(come).map(attendee_body).collect());
    Value::Object(body)
}

fn common_body(event: &CalendarEvent) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("summary".into(), event.title.as_str().into());
    body.insert("description".into(), event.description.as_deref().unwrap_or_default().into());
    body.insert("location".into(), event.location.as_deref().unwrap_or_default().into());
    body.insert("start".into(), time_body(&event.start));
    body.insert("end".into(), time_body(&event.end));
    if let Some(mark) = &event.mark {
        let private = json!({CLAIM: mark.claim_id.as_str(), INSTALLATION: mark.installation});
        body.insert("extendedProperties".into(), json!({"private": private}));
    }
    if let Meeting::Request { request_id } = &event.meeting {
        let request = json!({"requestId": request_id, "conferenceSolutionKey": {"type": "hangoutsMeet"}});
        body.insert("conferenceData".into(), json!({"createRequest": request}));
    }
    body
}

pub(super) fn time_body(time: &EventTime) -> Value {
    match time {
        EventTime::Instant { at, time_zone } => {
            let mut body = json!({"dateTime": at.to_rfc3339_opts(SecondsFormat::Secs, true)});
            if let Some(time_zone) = time_zone {
                body["timeZone"] = time_zone.as_str().into();
            }
            body
        }
        EventTime::Day(day) => json!({"date": day.to_string()}),
    }
}

fn attendee_body(attendee: &Attendee) -> Value {
    let response = match attendee.response {
        ResponseStatus::NeedsAction => "needsAction",
        ResponseStatus::Accepted => "accepted",
        ResponseStatus::Tentative => "tentative",
        ResponseStatus::Declined => "declined",
    };
    let mut body = json!({"email": attendee.email, "responseStatus": response});
    if let Some(name) = &attendee.name {
        body["displayName"] = name.as_str().into();
    }
    body
}

fn reminder_body(reminder: &Reminder) -> Value {
    let method = match reminder.method {
        ReminderMethod::Email => "email",
        ReminderMethod::Popup => "popup",
    };
    json!({"method": method, "minutes": reminder.minutes_before})
}

/// Whether `found` already says all that a patch to `wanted` would write.
pub(super) fn says_the_same(found: &CalendarEvent, wanted: &CalendarEvent) -> bool {
    found.title == wanted.title
        && found.description == wanted.description
        && found.location == wanted.location
        && found.is_at_time_of(wanted)
        && found.mark == wanted.mark
        && !(matches!(wanted.meeting, Meeting::Request { .. })
            && matches!(found.meeting, Meeting::None | Meeting::Failed))
}

#[cfg(test)]
mod tests;
