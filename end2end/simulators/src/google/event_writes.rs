//! Inserting, changing and deleting events. The API, the control API and the page write through here.

use chrono::{DateTime, Utc};
use http::StatusCode;
use rand::Rng as _;
use serde_json::{Map, Value};

use super::event_fields::EventFields;
use super::wire::ApiError;
use super::world::{Calendar, Event, InstanceOf, Invitation, InvitationKind, World};
use super::{conference, event_types, recurrence};

/// Which guests Google writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendUpdates {
    All,
    ExternalOnly,
    None,
}

/// Who writes, and under which conditions.
#[derive(Debug, Clone)]
pub struct Write<'a> {
    pub calendar_id: &'a str,
    /// The account on whose behalf it is.
    pub author: &'a str,
    pub send_updates: SendUpdates,
    /// Whether the writer understands `conferenceData` (`conferenceDataVersion=1`).
    pub conferences: bool,
    /// The etag that the event must still have.
    pub if_match: Option<&'a str>,
    pub now: DateTime<Utc>,
}

/// Whether a change is laid over an event or takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Patch,
    Replace,
}

impl Write<'_> {
    /// Creates an event and returns its id.
    pub fn insert(&self, world: &mut World, resource: &Map<String, Value>) -> Result<String, ApiError> {
        let meet = world.meet;
        let calendar = world.calendar_mut(self.calendar_id)?;
        let fields = EventFields::parse(resource, calendar)?;
        let id = match resource.get("id").and_then(Value::as_str) {
            Some(id) if is_event_id(id) => id.to_owned(),
            Some(_) => return Err(ApiError::invalid("Invalid resource id value.")),
            None => new_event_id(),
        };
        if calendar.events.contains_key(&id) {
            let message = "The requested identifier already exists.";
            return Err(ApiError::new(StatusCode::CONFLICT, "duplicate", message));
        }
        let (start, end) = (placeholder(self.now), placeholder(self.now));
        let mut event = Event::new(self.author, start, end, self.now);
        conference::write(&mut event, resource, self.conferences, meet, self.now)?;
        let change = calendar.next_change();
        fields.apply(&mut event, change);
        event.change = change;
        calendar.events.insert(id.clone(), event);
        self.invite(world, &id, InvitationKind::Invited);
        Ok(id)
    }

    /// Changes an event, or one instance of a recurring event, which then stands by itself.
    pub fn update(
        &self,
        world: &mut World,
        id: &str,
        resource: &Map<String, Value>,
        how: Change,
    ) -> Result<(), ApiError> {
        let meet = world.meet;
        let calendar = world.calendar_mut(self.calendar_id)?;
        let mut event = find(calendar, id)?;
        self.check_etag(&event)?;
        let fields = match how {
            Change::Patch => EventFields::parse_patch(resource, &event, calendar)?,
            Change::Replace => EventFields::parse(resource, calendar)?,
        };
        if fields.changes_type(&event) {
            return Err(event_types::restricted("The type of an event cannot be changed."));
        }
        conference::write(&mut event, resource, self.conferences, meet, self.now)?;
        let change = calendar.next_change();
        fields.apply(&mut event, change);
        (event.change, event.updated) = (change, self.now);
        calendar.events.insert(id.to_owned(), event);
        drop_orphans(calendar, id, change);
        self.invite(world, id, InvitationKind::Updated);
        Ok(())
    }

    /// Deletes an event, a whole series, or one instance. The second time it is 410 `deleted`.
    pub fn delete(&self, world: &mut World, id: &str) -> Result<(), ApiError> {
        let calendar = world.calendar_mut(self.calendar_id)?;
        let mut event = find(calendar, id)?;
        if event.cancelled {
            return Err(ApiError::new(StatusCode::GONE, "deleted", "Resource has been deleted"));
        }
        self.check_etag(&event)?;
        let change = calendar.next_change();
        event.cancelled = true;
        (event.change, event.updated) = (change, self.now);
        if !event.recurrence.is_empty() {
            event.remember_rule(change);
        }
        calendar.events.insert(id.to_owned(), event);
        drop_orphans(calendar, id, change);
        self.invite(world, id, InvitationKind::Cancelled);
        Ok(())
    }

    fn check_etag(&self, event: &Event) -> Result<(), ApiError> {
        match self.if_match {
            Some(etag) if etag != "*" && etag != Calendar::etag(event.change) => Err(ApiError::precondition_failed()),
            _ => Ok(()),
        }
    }

    fn invite(&self, world: &mut World, id: &str, kind: InvitationKind) {
        let Some(calendar) = world.calendars.get(self.calendar_id) else { return };
        let Some(event) = calendar.events.get(id) else { return };
        let guests = event.attendee_emails().into_iter().filter(|email| {
            let written_to = match self.send_updates {
                SendUpdates::All => true,
                SendUpdates::ExternalOnly => !world.users.contains_key(email),
                SendUpdates::None => false,
            };
            written_to && *email != calendar.id
        });
        let to: Vec<String> = guests.collect();
        if to.is_empty() {
            return;
        }
        let invitation = Invitation {
            at: self.now,
            kind: if event.cancelled { InvitationKind::Cancelled } else { kind },
            calendar: calendar.id.clone(),
            event_id: id.to_owned(),
            to,
            summary: event.text("summary").unwrap_or_default().to_owned(),
            start: event.start.to_json(calendar.time_zone),
        };
        world.invitations.push(invitation);
    }
}

/// An event by its id, the instances of recurring events included.
pub fn find(calendar: &Calendar, id: &str) -> Result<Event, ApiError> {
    if let Some(event) = calendar.events.get(id) {
        return Ok(event.clone());
    }
    let (recurring_event_id, original) = recurrence::find_instance(calendar, id).ok_or_else(ApiError::not_found)?;
    let event = calendar.events.get(&recurring_event_id).ok_or_else(ApiError::not_found)?;
    Ok(recurrence::instance(&recurring_event_id, event, original))
}

/// Cancels instances that stood by themselves and whose recurring event `id` no longer has their place.
fn drop_orphans(calendar: &mut Calendar, id: &str, change: u64) {
    let Some(recurring) = calendar.events.get(id).cloned() else { return };
    let zone = calendar.time_zone;
    let orphan = |instance: &InstanceOf| {
        instance.recurring_event_id == id
            && (recurring.cancelled || !recurrence::has_instance(&recurring, instance.original_start, zone))
    };
    for event in calendar.events.values_mut().filter(|event| !event.cancelled) {
        if event.instance_of.as_ref().is_some_and(orphan) {
            event.cancelled = true;
            event.change = change;
        }
    }
}

/// Base32hex in lower case, 5 to 1,024 characters (events.insert, `id`).
fn is_event_id(id: &str) -> bool {
    (5..=1024).contains(&id.len()) && id.bytes().all(|byte| matches!(byte, b'a'..=b'v' | b'0'..=b'9'))
}

fn new_event_id() -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let mut random = rand::rng();
    (0..26).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect()
}

/// A start for an event that is being made; its fields replace it before anybody sees it.
fn placeholder(now: DateTime<Utc>) -> super::event_time::EventTime {
    super::event_time::EventTime::Timed { at: now, zone: chrono_tz::Tz::UTC }
}
