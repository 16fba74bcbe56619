//! Between [`CalendarEvent`] and Graph's event.

mod mark;
mod time;
mod write;

use chrono::DateTime;
use chrono_tz::Tz;
use url::Url;

use super::{body, wire};
use crate::error::ProviderError;
use crate::event::{
    Attendee, CalendarEvent, EventKind, EventStatus, EventTime, Meeting, Reminder, ReminderMethod, Reminders,
    ResponseStatus, Transparency, Visibility,
};

pub(super) use mark::{MARK, transaction_id};
pub(super) use time::instant;
pub(super) use write::{Difference, create_body, difference};

/// Why an event cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The field that is missing or has an unknown form.
    Field(&'static str),
    /// A zone that is not known by this name: its times could be any.
    TimeZone(String),
}

impl Unreadable {
    /// `place` is the path to the event in the answer, with a dot at its end, or empty.
    pub(super) fn told(&self, operation: &str, place: &str) -> ProviderError {
        match self {
            Self::Field(field) => wire::unreadable(operation, &format!("{place}{field}")),
            Self::TimeZone(name) => {
                ProviderError::Rejected(format!("{operation}: unknown time zone `{}`", name.escape_debug()))
            }
        }
    }
}

/// Whether the event does not take place: its organizer cancelled it.
pub(super) fn is_cancelled(event: &wire::Event) -> bool {
    event.is_cancelled.unwrap_or_default()
}

/// Reads an event. `own_address` is that of the mailbox, where it is known.
pub(super) fn event(event: wire::Event, own_address: Option<&str>) -> Result<CalendarEvent, Unreadable> {
    let meeting = meeting(&event);
    let attendees = attendees(&event, own_address);
    let (start, end) = time::of_event(&event)?;
    let show_as = event.show_as.as_deref().unwrap_or_default();
    let is_cancelled = is_cancelled(&event);
    Ok(CalendarEvent {
        mark: mark::of_event(&event),
        id: event.id.ok_or(Unreadable::Field("id"))?,
        etag: event.etag,
        ical_uid: event.ical_uid,
        title: event.subject.unwrap_or_default(),
        description: event.body.and_then(|body| body::description(body, event.is_online_meeting.unwrap_or_default())),
        location: event.location.and_then(|location| location.display_name).filter(|name| !name.is_empty()),
        start,
        end,
        status: match show_as {
            _ if is_cancelled => EventStatus::Cancelled,
            "tentative" => EventStatus::Tentative,
            _ => EventStatus::Confirmed,
        },
        // What is unknown blocks.
        transparency: match show_as {
            "free" | "workingElsewhere" => Transparency::Transparent,
            _ => Transparency::Opaque,
        },
        kind: match show_as {
            "oof" => EventKind::OutOfOffice,
            "workingElsewhere" => EventKind::WorkingLocation,
            _ => EventKind::Default,
        },
        visibility: match event.sensitivity.as_deref() {
            Some("private" | "personal") => Visibility::Private,
            Some("confidential") => Visibility::Confidential,
            _ => Visibility::Default,
        },
        attendees,
        guests_see_each_other: !event.hide_attendees.unwrap_or_default(),
        reminders: reminders(event.is_reminder_on, event.reminder_minutes_before_start),
        meeting,
        recurring_event_id: event.series_master_id,
        original_start: match event.original_start {
            Some(text) => {
                let at = DateTime::parse_from_rfc3339(&text).map_err(|_| Unreadable::Field("originalStart"))?;
                Some(EventTime::Instant { at: at.to_utc(), time_zone: None })
            }
            None => None,
        },
        first_instance: None,
        html_link: event.web_link.filter(|link| is_web_address(link)),
    })
}

/// Those invited. Graph tells the owner's own answer beside the list, and of itself not which of those in it the owner
/// is.
fn attendees(event: &wire::Event, own_address: Option<&str>) -> Vec<Attendee> {
    let organizer = event.organizer.as_ref().and_then(|organizer| organizer.email_address.as_ref()?.address.as_deref());
    let is = |email: &str, other: Option<&str>| other.is_some_and(|other| other.eq_ignore_ascii_case(email));
    let invited = event.attendees.iter().flatten();
    let mut attendees: Vec<Attendee> = invited
        .map(|attendee| {
            let (email, name) = match &attendee.email_address {
                Some(person) => (person.address.clone().unwrap_or_default(), person.name.clone()),
                None => (String::new(), None),
            };
            let response = attendee.status.as_ref().and_then(|status| status.response.as_deref());
            Attendee {
                // Where no name was given, the address is told as one.
                name: name.filter(|name| *name != email),
                response: response_of(response),
                is_self: false,
                is_organizer: is(&email, organizer),
                email,
            }
        })
        .collect();
    let own_response = event.response_status.as_ref().and_then(|status| status.response.as_deref());
    let is_invited = matches!(own_response, Some("tentativelyAccepted" | "accepted" | "declined" | "notResponded"));
    if is_invited && !event.is_organizer.unwrap_or_default() {
        let response = response_of(own_response);
        match attendees.iter_mut().find(|attendee| is(&attendee.email, own_address)) {
            Some(own) => (own.is_self, own.response) = (true, response),
            None => attendees.push(Attendee {
                response,
                is_self: true,
                ..Attendee::invited(own_address.unwrap_or_default(), None)
            }),
        }
    }
    attendees
}

fn response_of(response: Option<&str>) -> ResponseStatus {
    match response {
        Some("accepted" | "organizer") => ResponseStatus::Accepted,
        Some("tentativelyAccepted") => ResponseStatus::Tentative,
        Some("declined") => ResponseStatus::Declined,
        _ => ResponseStatus::NeedsAction,
    }
}

/// Graph has one reminder, which pops up; it tells none apart that is the calendar's default.
fn reminders(is_on: Option<bool>, minutes_before: Option<i64>) -> Reminders {
    match (is_on, minutes_before) {
        (None, _) | (Some(true), None) => Reminders::Default,
        (Some(false), _) => Reminders::Own(Vec::new()),
        (Some(true), Some(minutes)) => {
            let minutes_before = u32::try_from(minutes.max(0)).unwrap_or(u32::MAX);
            Reminders::Own(vec![Reminder { method: ReminderMethod::Popup, minutes_before }])
        }
    }
}

fn meeting(event: &wire::Event) -> Meeting {
    let join_url = event.online_meeting.as_ref().and_then(|meeting| meeting.join_url.as_deref());
    let url = join_url.or(event.online_meeting_url.as_deref()).filter(|url| is_web_address(url));
    match url {
        Some(url) => Meeting::Ready { url: url.to_owned() },
        None if event.is_online_meeting.unwrap_or_default() => Meeting::Pending,
        None => Meeting::None,
    }
}

/// Links are shown to visitors and hosts: nothing but a web address may pass.
fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

/// The zone in which an all-day event was entered, if it says.
pub(super) fn original_zone(event: &wire::Event) -> Option<Tz> {
    time::original_zone(event.original_start_time_zone.as_deref())
}

#[cfg(test)]
mod tests;
