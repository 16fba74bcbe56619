//! Who is invited to an event: mails, the attendees' copies in their own mailboxes, and their answers.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::event::{Event, Person, Response};
use super::event_time::ShownZone;
use super::event_writes::Write;
use super::graph::error::GraphError;
use super::ids::{IdType, ItemRef};
use super::world::{ChangeKind, Invitation, InvitationKind, World};

/// What an organiser sends to the attendees.
#[derive(Debug)]
pub struct Mail<'a> {
    kind: InvitationKind,
    /// Those who are no longer invited; they get a cancellation.
    removed: Vec<Person>,
    comment: Option<&'a str>,
}

impl<'a> Mail<'a> {
    /// To everybody, for a new event.
    pub fn invitation() -> Self {
        Self { kind: InvitationKind::Invited, removed: Vec::new(), comment: None }
    }

    /// To everybody, for a changed event; `removed` are told that they need not come.
    pub fn update(removed: Vec<Person>) -> Self {
        Self { kind: InvitationKind::Updated, removed, comment: None }
    }

    /// To everybody: the event does not take place.
    pub fn cancellation(comment: Option<&'a str>) -> Self {
        Self { kind: InvitationKind::Cancelled, removed: Vec::new(), comment }
    }
}

/// Sends `mail` for the event `key` of `calendar`, if its mailbox organises it, and brings the attendees' copies up.
pub fn send(world: &mut World, calendar: u64, key: u64, mail: &Mail<'_>, now: DateTime<Utc>) {
    let event = world.calendars.get(&calendar).and_then(|calendar| calendar.events.get(&key)).cloned();
    let Some(event) = event.filter(|event| event.is_organizer) else { return };
    let guests: Vec<Person> = event.attendees.iter().map(|attendee| attendee.person.clone()).collect();
    let organizer = event.organizer.clone();
    for (kind, people) in [(mail.kind, guests), (InvitationKind::Cancelled, mail.removed.clone())] {
        let people: Vec<Person> = people.into_iter().filter(|person| !person.is(&organizer.address)).collect();
        if people.is_empty() {
            continue;
        }
        world.invitations.push(Invitation {
            at: now,
            kind,
            organizer: organizer.address.clone(),
            uid: event.uid.clone(),
            to: people.iter().map(|person| person.address.clone()).collect(),
            subject: event.text("subject").unwrap_or_default().to_owned(),
            start: event.start.to_json(&ShownZone::default()),
            comment: mail.comment.map(str::to_owned),
        });
        for person in people {
            receive(world, &person, &event, kind, now);
        }
    }
}

/// What an attendee does about a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Accept,
    TentativelyAccept,
    Decline,
}

/// `accept`, `tentativelyAccept` and `decline` of an attendee's copy.
pub fn answer(
    write: &Write<'_>,
    world: &mut World,
    id: ItemRef,
    answer: Answer,
    body: &Map<String, Value>,
) -> Result<(), GraphError> {
    let calendar = world.calendar(write.calendar)?;
    let owner = calendar.owner.clone();
    let mut event = calendar.item(id).ok_or_else(GraphError::not_found)?.event;
    if event.is_organizer {
        let message = "Your request can't be completed. You can't respond to this meeting because you're the meeting \
                       organizer.";
        return Err(GraphError::bad_request("ErrorInvalidRequest", message));
    }
    let proposed = body.get("proposedNewTime").filter(|value| !value.is_null()).cloned();
    if proposed.is_some() && (answer == Answer::Accept || !event.flag("allowNewTimeProposals")) {
        let message = "A new time can't be proposed for this response.";
        return Err(GraphError::bad_request("ErrorInvalidRequest", message));
    }
    let (kind, show_as) = match answer {
        Answer::Accept => ("accepted", "busy"),
        Answer::TentativelyAccept => ("tentativelyAccepted", "tentative"),
        Answer::Decline => ("declined", "free"),
    };
    let response = Response { kind: kind.to_owned(), time: Some(write.now) };
    if body.get("sendResponse").and_then(Value::as_bool).unwrap_or(true) {
        tell_organizer(world, &event, id, &owner, &response, proposed, write.now)?;
    }
    if answer == Answer::Decline {
        // Outlook takes a declined meeting out of the calendar.
        return write.delete(world, id, None);
    }
    event.response = response.clone();
    event.members.insert("showAs".to_owned(), json!(show_as));
    for attendee in event.attendees.iter_mut().filter(|attendee| attendee.person.is(&owner)) {
        attendee.response = response.clone();
    }
    write.store(world, id, event)
}

/// Answers are void when a meeting stands elsewhere.
pub fn void_answers(event: &mut Event) {
    for attendee in &mut event.attendees {
        attendee.response = Response::unset("none");
        attendee.proposed_new_time = None;
    }
}

fn tell_organizer(
    world: &mut World,
    copy: &Event,
    id: ItemRef,
    attendee: &str,
    response: &Response,
    proposed: Option<Value>,
    now: DateTime<Utc>,
) -> Result<(), GraphError> {
    let Some((calendar, key)) = held(world, &copy.organizer.address, &copy.uid) else { return Ok(()) };
    let id = ItemRef { event: key, original: id.original };
    let Some(mut event) = world.calendar(calendar)?.item(id).map(|item| item.event) else { return Ok(()) };
    for guest in event.attendees.iter_mut().filter(|guest| guest.person.is(attendee)) {
        guest.response = response.clone();
        guest.proposed_new_time.clone_from(&proposed);
    }
    Write { calendar, if_match: None, ids: IdType::Regular, now }.store(world, id, event)
}

/// Calendar and key of the event `uid` in a mailbox.
fn held(world: &World, email: &str, uid: &str) -> Option<(u64, u64)> {
    let email = world.user(email)?.email.clone();
    let mut events =
        world.calendars_of(&email).flat_map(|calendar| calendar.events.values().map(|it| (calendar.key, it)));
    events.find(|(_, event)| event.uid == uid).map(|(calendar, event)| (calendar, event.key))
}

/// What a mail does to the mailbox of `person`, if it is one of this world.
fn receive(world: &mut World, person: &Person, event: &Event, kind: InvitationKind, now: DateTime<Utc>) {
    let Some(email) = world.user(&person.address).map(|user| user.email.clone()) else { return };
    let known = held(world, &email, &event.uid);
    let default = world.default_calendar(&email).map(|calendar| calendar.key).ok();
    let Some(calendar) = known.map(|(calendar, _)| calendar).or(default) else { return };
    if kind == InvitationKind::Cancelled && known.is_none() {
        return;
    }
    let key = known.map_or_else(|| world.next_key(), |(_, key)| key);
    let change = world.next_change();
    let Some(held) = world.calendars.get_mut(&calendar) else { return };
    let mut copy = copy_for(event, &email, held.events.get(&key), kind);
    (copy.key, copy.change, copy.modified) = (key, change, now);
    for exception in copy.exceptions.values_mut() {
        (exception.key, exception.change) = (key, change);
    }
    held.events.insert(key, copy);
    let kind = if known.is_some() { ChangeKind::Updated } else { ChangeKind::Created };
    world.wrote(calendar, ItemRef::event(key), kind, change);
}

fn copy_for(event: &Event, email: &str, before: Option<&Event>, kind: InvitationKind) -> Event {
    let mut copy = event.clone();
    copy.is_organizer = false;
    copy.extended.clear();
    copy.transaction_id = None;
    let moved = before.is_some_and(|before| (before.start, before.end) != (event.start, event.end));
    let kept = before.filter(|_| !moved);
    copy.response = kept.map_or_else(|| Response::unset("notResponded"), |before| before.response.clone());
    let show_as = match (kind, copy.response.kind.as_str()) {
        (InvitationKind::Cancelled, _) => "free",
        (_, "accepted") => event.text("showAs").unwrap_or("busy"),
        _ => "tentative",
    };
    copy.members.insert("showAs".to_owned(), json!(show_as));
    if kind == InvitationKind::Cancelled {
        copy.is_cancelled = true;
        let subject = format!("Canceled: {}", event.text("subject").unwrap_or_default());
        copy.members.insert("subject".to_owned(), json!(subject));
    }
    if event.flag("hideAttendees") {
        copy.attendees.retain(|attendee| attendee.person.is(email));
    }
    copy.exceptions = event
        .exceptions
        .iter()
        .map(|(date, exception)| {
            (*date, copy_for(exception, email, before.and_then(|before| before.exceptions.get(date)), kind))
        })
        .collect();
    copy
}
