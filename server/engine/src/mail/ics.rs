//! Appointments as iCalendar objects (RFC 5545), for import and for invitations by mail (iTIP, RFC 5546).

use cupo_core::{appointment::AppointmentStatus, text, text::Locale};
use cupo_store::Appointment;
use icalendar::{
    Attendee, Calendar, CalendarDateTime, Component, Event, EventLike, EventStatus, PartStat, Property, Role,
};

use crate::{Engine, details::Details};

/// What the receiver is to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// Take it over, if wanted.
    Publish,
    /// Answer the invitation, or note the change.
    Request,
    /// Note that it does not take place.
    Cancel,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "PUBLISH",
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }

    pub(crate) fn is_for_attendees(self) -> bool {
        self != Self::Publish
    }
}

/// Writes the appointment. Its `UID` never changes and its `SEQUENCE` rises with each change, so that every later object
/// replaces the earlier one in the receiver's calendar.
pub(crate) fn render(engine: &Engine, details: &Details, method: Method, locale: Locale) -> String {
    let Details { appointment, host, organization, .. } = details;
    let Appointment { id, title, status, start_at, end_at, sequence, created_at, updated_at, .. } = appointment;
    let manage_url = engine.manage_url(&engine.manage_token(id));
    let mut event = Event::new();
    event
        .uid(&format!("{id}@{}", engine.installation()))
        .sequence(u32::try_from(*sequence).unwrap_or(u32::MAX))
        .timestamp(*updated_at)
        .created(*created_at)
        .last_modified(*updated_at)
        .summary(&format!("{title} · {}", organization.name))
        .description(&format!("{}: {manage_url}", text::lookup(locale, "mail.manage")))
        .url(&manage_url)
        .starts(CalendarDateTime::Utc(*start_at))
        .ends(CalendarDateTime::Utc(*end_at))
        .status(match status {
            AppointmentStatus::Pending => EventStatus::Tentative,
            AppointmentStatus::Confirmed => EventStatus::Confirmed,
            AppointmentStatus::Cancelled | AppointmentStatus::Declined | AppointmentStatus::Expired => {
                EventStatus::Cancelled
            }
        });
    if let Some(place) = details.place().filter(|place| !place.is_empty()) {
        event.location(place);
    }
    if method.is_for_attendees() {
        let mut organizer = Property::new("ORGANIZER", format!("mailto:{}", host.email));
        event.append_property(organizer.append_parameter(("CN", parameter(&host.name).as_str())).done());
        let attendee = Attendee::new(format!("mailto:{}", appointment.visitor_email))
            .cn(parameter(&appointment.visitor_name))
            .role(Role::ReqParticipant)
            .partstat(PartStat::Accepted)
            .rsvp(false);
        event.attendee(attendee);
    }
    let mut calendar = Calendar::empty();
    for (key, value) in
        [("VERSION", "2.0"), ("PRODID", "-//Cupo//Cupo//EN"), ("CALSCALE", "GREGORIAN"), ("METHOD", method.as_str())]
    {
        calendar.append_property(Property::new(key, value));
    }
    calendar.push(event.done());
    calendar.to_string()
}

/// A parameter's value cannot hold a quotation mark (RFC 5545, section 3.2).
fn parameter(text: &str) -> String {
    text.chars().map(|c| if c == '"' { '\'' } else { c }).collect()
}
