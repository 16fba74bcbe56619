//! Creating, changing and deleting events. The API, the control API and the page write through here.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::attendance::{self, Mail};
use super::behaviour::DuplicateTransaction;
use super::event::{Event, EventKind};
use super::event_fields;
use super::graph::error::GraphError;
use super::graph::render::etag;
use super::ids::{self, IdType, ItemRef};
use super::online_meeting;
use super::world::{ChangeKind, World};

/// Where is written, and under which conditions.
#[derive(Debug, Clone)]
pub struct Write<'a> {
    pub calendar: u64,
    /// The etag that the event must still have.
    pub if_match: Option<&'a str>,
    /// The ids that the client understands.
    pub ids: IdType,
    pub now: DateTime<Utc>,
}

impl Write<'_> {
    /// Creates an event, invites its attendees, and returns its key.
    pub fn create(&self, world: &mut World, resource: &Map<String, Value>) -> Result<u64, GraphError> {
        let calendar = world.calendar(self.calendar)?;
        if !calendar.can_edit {
            return Err(GraphError::access_denied());
        }
        let owner = calendar.owner.clone();
        let transaction = resource.get("transactionId").and_then(Value::as_str).map(str::to_owned);
        if let Some(id) = &transaction {
            self.check_transaction(world, &owner, id)?;
        }
        let organizer = world.user(&owner).ok_or_else(GraphError::not_found)?.person();
        let times = event_fields::times(resource)?;
        let key = world.next_key();
        let mut event = event_fields::blank(key, organizer, times, self.now);
        event_fields::apply(&mut event, resource)?;
        event.transaction_id = transaction;
        if event.attendees.is_empty() {
            event.response.kind = "organizer".to_owned();
        }
        online_meeting::write(&mut event, resource, world.calendar(self.calendar)?, world.behaviour, self.now)?;
        event.change = world.next_change();
        let change = event.change;
        world.calendar_mut(self.calendar)?.events.insert(key, event);
        world.wrote(self.calendar, ItemRef::event(key), ChangeKind::Created, change);
        attendance::send(world, self.calendar, key, &Mail::invitation(), self.now);
        Ok(key)
    }

    /// Changes an event, a series, or one occurrence, which then departs from its series.
    pub fn update(&self, world: &mut World, id: ItemRef, patch: &Map<String, Value>) -> Result<(), GraphError> {
        let calendar = world.calendar(self.calendar)?;
        if !calendar.can_edit {
            return Err(GraphError::access_denied());
        }
        let item = calendar.item(id).ok_or_else(GraphError::not_found)?;
        let mut event = item.event;
        self.check_etag(&event)?;
        if patch.contains_key("recurrence") && id.original.is_some() {
            let message = "An occurrence has no recurrence of its own.";
            return Err(GraphError::bad_request("ErrorInvalidRequest", message));
        }
        let invited_before: Vec<_> = event.attendees.clone();
        let applied = event_fields::apply(&mut event, patch)?;
        if applied.body {
            online_meeting::check_body(&mut event);
        }
        online_meeting::write(&mut event, patch, calendar, world.behaviour, self.now)?;
        if applied.times {
            attendance::void_answers(&mut event);
        }
        if item.kind == EventKind::SeriesMaster {
            carry_over(&mut event, patch, applied.times)?;
        }
        let removed = invited_before
            .into_iter()
            .filter(|old| !event.attendees.iter().any(|it| it.person.is(&old.person.address)));
        let removed: Vec<_> = removed.map(|attendee| attendee.person).collect();
        self.store(world, id, event)?;
        attendance::send(world, self.calendar, id.event, &Mail::update(removed), self.now);
        Ok(())
    }

    /// Deletes an event, a whole series, or one occurrence. The organiser's attendees are told, with `comment`.
    pub fn delete(&self, world: &mut World, id: ItemRef, comment: Option<&str>) -> Result<(), GraphError> {
        let calendar = world.calendar(self.calendar)?;
        if !calendar.can_edit {
            return Err(GraphError::access_denied());
        }
        let item = calendar.item(id).ok_or_else(GraphError::not_found)?;
        self.check_etag(&item.event)?;
        let change = world.next_change();
        let Some(date) = id.original else {
            attendance::send(world, self.calendar, id.event, &Mail::cancellation(comment), self.now);
            world.calendar_mut(self.calendar)?.events.remove(&id.event);
            world.wrote(self.calendar, id, ChangeKind::Deleted, change);
            return Ok(());
        };
        let now = self.now;
        let series = world.calendar_mut(self.calendar)?.events.get_mut(&id.event).ok_or_else(GraphError::not_found)?;
        series.exceptions.remove(&date);
        series.cancelled.insert(date);
        (series.change, series.modified) = (change, now);
        world.wrote(self.calendar, id, ChangeKind::Deleted, change);
        world.wrote(self.calendar, ItemRef::event(id.event), ChangeKind::Updated, change);
        attendance::send(world, self.calendar, id.event, &Mail::update(Vec::new()), now);
        Ok(())
    }

    /// Puts a changed event or occurrence in its place.
    pub fn store(&self, world: &mut World, id: ItemRef, mut event: Event) -> Result<(), GraphError> {
        let change = world.next_change();
        (event.change, event.modified) = (change, self.now);
        let events = &mut world.calendar_mut(self.calendar)?.events;
        match id.original {
            None => {
                events.insert(id.event, event);
            }
            Some(date) => {
                let series = events.get_mut(&id.event).ok_or_else(GraphError::not_found)?;
                series.exceptions.insert(date, event);
            }
        }
        world.wrote(self.calendar, id, ChangeKind::Updated, change);
        Ok(())
    }

    fn check_transaction(&self, world: &World, owner: &str, id: &str) -> Result<(), GraphError> {
        let events =
            world.calendars_of(owner).flat_map(|calendar| calendar.events.values().map(move |it| (calendar, it)));
        let used = events.into_iter().find(|(_, event)| event.transaction_id.as_deref() == Some(id));
        let Some((calendar, event)) = used else { return Ok(()) };
        let message = "Your request can't be completed. The TransactionId specified in the request has already been \
                       used to create a different event.";
        Err(match world.behaviour.duplicate_transaction {
            DuplicateTransaction::Conflict => {
                GraphError::new(http::StatusCode::CONFLICT, "ErrorDuplicateTransactionId", message)
            }
            DuplicateTransaction::BadRequest => {
                let existing = ids::event_id(self.ids, calendar.key, ItemRef::event(event.key));
                GraphError::bad_request("ErrorInvalidRequest", message).with_member("@event.existingEventId", &existing)
            }
        })
    }

    fn check_etag(&self, event: &Event) -> Result<(), GraphError> {
        match self.if_match {
            Some(tag) if tag != "*" && tag != etag(event) => Err(GraphError::irresolvable_conflict()),
            _ => Ok(()),
        }
    }
}

/// A series that stands elsewhere loses its exceptions; otherwise they take over what was changed.
fn carry_over(series: &mut Event, patch: &Map<String, Value>, moved: bool) -> Result<(), GraphError> {
    if moved {
        series.exceptions.clear();
        series.cancelled.clear();
        return Ok(());
    }
    let mut shared = patch.clone();
    for of_the_series in ["start", "end", "isAllDay", "recurrence", "transactionId"] {
        shared.remove(of_the_series);
    }
    for exception in series.exceptions.values_mut() {
        event_fields::apply(exception, &shared)?;
    }
    Ok(())
}
