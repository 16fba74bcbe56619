//! What is written to Graph.

use serde_json::{Map, Value, json};

use super::mark::{MARK, transaction_id};
use super::{time, wire};
use crate::event::{
    Attendee, CalendarEvent, EventKind, EventMark, EventStatus, EventTime, Meeting, Reminder, Reminders,
    ResponseStatus, Transparency, Visibility,
};
use crate::microsoft::body;
use crate::recurrence::{day_of, pattern_from};

/// Exchange refuses a longer subject.
const LONGEST_SUBJECT: usize = 255;

/// The body of a create: everything that Cupo says of an event. `with_meeting` when Teams is to make the meeting that
/// is asked for.
pub(in crate::microsoft) fn create_body(event: &CalendarEvent, generation: u32, with_meeting: bool) -> Value {
    let mut body = Map::new();
    body.insert("subject".into(), subject(&event.title).into());
    if let Some(description) = event.description.as_deref().and_then(body::normalized) {
        body.insert("body".into(), json!({"contentType": "text", "content": description}));
    }
    if let Some(location) = location(event) {
        body.insert("location".into(), json!({"displayName": location}));
    }
    body.extend(time_members(event));
    let show_as = match (event.transparency, event.status, &event.kind) {
        (Transparency::Transparent, _, EventKind::WorkingLocation) => "workingElsewhere",
        (Transparency::Transparent, ..) => "free",
        (_, _, EventKind::OutOfOffice) => "oof",
        (_, EventStatus::Tentative, _) => "tentative",
        _ => "busy",
    };
    body.insert("showAs".into(), show_as.into());
    let sensitivity = match event.visibility {
        // A calendar is shared as its owner decided; there is no event that is more public.
        Visibility::Default | Visibility::Public => "normal",
        Visibility::Private => "private",
        Visibility::Confidential => "confidential",
    };
    body.insert("sensitivity".into(), sensitivity.into());
    if !event.attendees.is_empty() {
        body.insert("attendees".into(), event.attendees.iter().map(invited).collect());
    }
    if !event.guests_see_each_other {
        body.insert("hideAttendees".into(), true.into());
    }
    if let Reminders::Own(own) = &event.reminders {
        body.insert("isReminderOn".into(), (!own.is_empty()).into());
        if let Some(Reminder { minutes_before, .. }) = own.first() {
            // Graph's number has 31 bits.
            let minutes = i32::try_from(*minutes_before).unwrap_or(i32::MAX);
            body.insert("reminderMinutesBeforeStart".into(), minutes.into());
        }
    }
    if let Some(mark) = &event.mark {
        body.insert("transactionId".into(), transaction_id(mark, generation).into());
        body.insert("singleValueExtendedProperties".into(), mark_property(mark, generation));
    }
    if with_meeting {
        body.extend(meeting_members());
    }
    Value::Object(body)
}

/// What a PATCH must write so that an event says what is wanted.
#[derive(Debug, Default, PartialEq)]
pub(in crate::microsoft) struct Difference {
    pub(in crate::microsoft) members: Map<String, Value>,
    /// The text that belongs above what Teams wrote: it takes the HTML that is there.
    pub(in crate::microsoft) above_meeting: Option<String>,
}

impl Difference {
    pub(in crate::microsoft) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.above_meeting.is_none()
    }
}

/// What an appointment decides and `found` does not say. The answers of the attendees and who else was invited, the
/// reminders, and how the event is shown belong to the calendar.
///
/// `gone` are the addresses of those who are invited no more; with `None` the list of attendees is not touched.
/// `with_meeting` is as in [`create_body`].
pub(in crate::microsoft) fn difference(
    found: &wire::Event,
    read: &CalendarEvent,
    wanted: &CalendarEvent,
    gone: Option<&[String]>,
    with_meeting: bool,
) -> Difference {
    let mut difference = Difference::default();
    let members = &mut difference.members;
    if read.title.trim() != subject(&wanted.title).trim() {
        members.insert("subject".into(), subject(&wanted.title).into());
    }
    let is_online_meeting = found.is_online_meeting.unwrap_or_default();
    let description = wanted.description.as_deref().and_then(body::normalized);
    if read.description != description {
        let description = description.unwrap_or_default();
        if is_online_meeting {
            difference.above_meeting = Some(description);
        } else {
            members.insert("body".into(), json!({"contentType": "text", "content": description}));
        }
    }
    // Teams writes its own name where there is no other place.
    let place = location(wanted);
    let keeps_place = is_online_meeting && place.is_none();
    if location(read) != place && !keeps_place {
        members.insert("location".into(), json!({"displayName": place.unwrap_or_default()}));
    }
    if !read.is_at_time_of(wanted) {
        members.extend(time_members(wanted));
        // A series moves as a whole, and its pattern with it.
        if let Some(pattern) = found.recurrence.as_ref().filter(|pattern| pattern.is_object()) {
            members.insert("recurrence".into(), pattern_from(pattern, day_of(&wanted.start)));
        }
    }
    if let Some(mark) = wanted.mark.as_ref().filter(|mark| read.mark.as_ref() != Some(mark)) {
        members.insert("singleValueExtendedProperties".into(), mark_property(mark, 0));
    }
    if with_meeting && read.meeting == Meeting::None {
        members.extend(meeting_members());
    }
    if let Some(gone) = gone {
        let there: &[wire::Attendee] = found.attendees.as_deref().unwrap_or_default();
        let is = |attendee: &wire::Attendee, email: &str| address(attendee).eq_ignore_ascii_case(email);
        let stay: Vec<_> =
            there.iter().filter(|attendee| !gone.iter().any(|email| is(attendee, email))).map(again).collect();
        let come = wanted.attendees.iter().filter(|new| !there.iter().any(|attendee| is(attendee, &new.email)));
        let come: Vec<_> = come.map(invited).collect();
        if stay.len() != there.len() || !come.is_empty() {
            members.insert("attendees".into(), stay.into_iter().chain(come).collect());
        }
    }
    difference
}

fn subject(title: &str) -> &str {
    match title.char_indices().nth(LONGEST_SUBJECT) {
        Some((end, _)) => &title[..end],
        None => title,
    }
}

/// Exchange keeps no white space at the borders of a text.
fn location(event: &CalendarEvent) -> Option<&str> {
    event.location.as_deref().map(str::trim).filter(|location| !location.is_empty())
}

fn time_members(event: &CalendarEvent) -> [(String, Value); 3] {
    let is_all_day = matches!((&event.start, &event.end), (EventTime::Day(_), EventTime::Day(_)));
    [
        ("start".to_owned(), time::body(&event.start)),
        ("end".to_owned(), time::body(&event.end)),
        ("isAllDay".to_owned(), is_all_day.into()),
    ]
}

/// Whether both events begin and end at the same instants or days, whatever zones they are labelled with.
fn meeting_members() -> [(String, Value); 2] {
    [("isOnlineMeeting".to_owned(), true.into()), ("onlineMeetingProvider".to_owned(), "teamsForBusiness".into())]
}

fn mark_property(mark: &EventMark, generation: u32) -> Value {
    json!([{"id": MARK, "value": transaction_id(mark, generation)}])
}

/// Somebody who comes. Their answer is theirs to give.
fn invited(attendee: &Attendee) -> Value {
    let mut person = json!({"address": attendee.email});
    if let Some(name) = &attendee.name {
        person["name"] = name.as_str().into();
    }
    let mut body = json!({"emailAddress": person, "type": "required"});
    if attendee.response != ResponseStatus::NeedsAction {
        body["status"] = json!({"response": response_name(attendee.response)});
    }
    body
}

fn response_name(response: ResponseStatus) -> &'static str {
    match response {
        ResponseStatus::NeedsAction => "none",
        ResponseStatus::Accepted => "accepted",
        ResponseStatus::Tentative => "tentativelyAccepted",
        ResponseStatus::Declined => "declined",
    }
}

/// Somebody who stays, as they were read.
fn again(attendee: &wire::Attendee) -> Value {
    let mut body = json!({"type": attendee.r#type.as_deref().unwrap_or("required")});
    if let Some(person) = &attendee.email_address {
        body["emailAddress"] = json!({"address": person.address, "name": person.name});
    }
    if let Some(response) = attendee.status.as_ref().and_then(|status| status.response.as_deref()) {
        body["status"] = json!({"response": response});
    }
    body
}

fn address(attendee: &wire::Attendee) -> &str {
    attendee.email_address.as_ref().and_then(|person| person.address.as_deref()).unwrap_or_default()
}
