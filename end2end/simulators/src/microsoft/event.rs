//! An event as it is stored, and what a calendar shows of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::event_time::EventTime;
use super::ids::ItemRef;
use super::recurrence::Recurrence;

/// A single event, a series, or an occurrence that departs from its series.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    pub key: u64,
    /// `iCalUId`: the same for the organiser and the attendees.
    pub uid: String,
    /// Writable members that Graph gives back as they are; defaults are filled in at creation.
    pub members: Map<String, Value>,
    pub start: EventTime,
    pub end: EventTime,
    /// `originalStartTimeZone` and `originalEndTimeZone`, as Outlook calls them.
    pub start_zone_name: String,
    pub end_zone_name: String,
    pub attendees: Vec<Attendee>,
    pub organizer: Person,
    pub is_organizer: bool,
    /// The mailbox's own answer.
    pub response: Response,
    pub is_cancelled: bool,
    pub online_meeting: Option<OnlineMeeting>,
    /// Extended properties by id.
    pub extended: BTreeMap<String, String>,
    pub transaction_id: Option<String>,
    pub recurrence: Option<Recurrence>,
    /// Occurrences that depart from the series, by the day on which they stood by the pattern.
    pub exceptions: BTreeMap<NaiveDate, Event>,
    /// Days whose occurrence was deleted.
    pub cancelled: BTreeSet<NaiveDate>,
    pub created: DateTime<Utc>,
    pub modified: DateTime<Utc>,
    /// The world's change at the last write; change keys and delta rounds are made of it.
    pub change: u64,
}

/// A name and an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub name: String,
    pub address: String,
}

impl Person {
    /// `recipient` of the API.
    pub fn to_json(&self) -> Value {
        json!({ "emailAddress": { "name": self.name, "address": self.address } })
    }

    /// Whether it is the mailbox `email`.
    pub fn is(&self, email: &str) -> bool {
        self.address.eq_ignore_ascii_case(email)
    }
}

/// Somebody who was invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendee {
    pub person: Person,
    /// `required`, `optional` or `resource`.
    pub kind: String,
    pub response: Response,
    pub proposed_new_time: Option<Value>,
}

/// `responseStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// `none`, `organizer`, `tentativelyAccepted`, `accepted`, `declined` or `notResponded`.
    pub kind: String,
    pub time: Option<DateTime<Utc>>,
}

impl Response {
    /// An answer that nobody gave.
    pub fn unset(kind: &str) -> Self {
        Self { kind: kind.to_owned(), time: None }
    }
}

/// A Teams meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineMeeting {
    pub provider: String,
    pub join_url: String,
    /// Before it, `onlineMeeting` is null.
    pub ready_at: DateTime<Utc>,
    /// What Outlook writes into the body; a body without it ends the meeting.
    pub blob: String,
}

/// `eventType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EventKind {
    SingleInstance,
    Occurrence,
    Exception,
    SeriesMaster,
}

/// An event, an occurrence or an exception, as a calendar shows it.
#[derive(Debug, Clone)]
pub struct Item {
    pub id: ItemRef,
    pub kind: EventKind,
    pub event: Event,
}

impl Event {
    /// The event itself: a single one or a series.
    pub fn item(&self) -> Item {
        let kind = if self.recurrence.is_some() { EventKind::SeriesMaster } else { EventKind::SingleInstance };
        Item { id: ItemRef::event(self.key), kind, event: self.clone() }
    }

    /// The occurrence that stood on `date` by the pattern, unless it was deleted or never was.
    pub fn occurrence(&self, date: NaiveDate) -> Option<Item> {
        let recurrence = self.recurrence.as_ref()?;
        let id = ItemRef { event: self.key, original: Some(date) };
        if let Some(exception) = self.exceptions.get(&date) {
            return Some(Item { id, kind: EventKind::Exception, event: exception.clone() });
        }
        if self.cancelled.contains(&date) || !recurrence.stands_on(date) {
            return None;
        }
        Some(self.by_pattern(date))
    }

    /// Every occurrence and exception whose day by the pattern is at most `last`, in order of the pattern.
    pub fn occurrences_until(&self, last: NaiveDate) -> Vec<Item> {
        let Some(recurrence) = &self.recurrence else { return Vec::new() };
        let dates = recurrence.dates().take_while(|date| *date <= last);
        let regular = dates.filter(|date| !self.cancelled.contains(date) && !self.exceptions.contains_key(date));
        let mut items: Vec<Item> = regular.map(|date| self.by_pattern(date)).collect();
        // An exception may have been moved into a window that its day by the pattern is not in.
        items.extend(self.exceptions.iter().map(|(date, exception)| Item {
            id: ItemRef { event: self.key, original: Some(*date) },
            kind: EventKind::Exception,
            event: exception.clone(),
        }));
        items
    }

    fn by_pattern(&self, date: NaiveDate) -> Item {
        let start = self.start.on(date);
        let event = Event {
            start,
            end: self.end.moved(self.start, start),
            recurrence: None,
            exceptions: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            transaction_id: None,
            ..self.clone()
        };
        Item { id: ItemRef { event: self.key, original: Some(date) }, kind: EventKind::Occurrence, event }
    }

    /// A member that is a string.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.members.get(member).and_then(Value::as_str)
    }

    /// A member that is true.
    pub fn flag(&self, member: &str) -> bool {
        self.members.get(member).and_then(Value::as_bool).unwrap_or(false)
    }
}
