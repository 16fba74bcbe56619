//! What one resource of a calendar holds, under the resource's address as its id.

use std::collections::HashSet;

use chrono_tz::Tz;
use cupo_core::interval::Interval;
use url::Url;

use super::owner::Owner;
use crate::error::ProviderError;
use crate::event::{CalendarEvent, EventStatus, EventTime};
use crate::ics::{self, CalendarZone, Effort, IcsError, IcsEvent};
use crate::provider::{EventChange, instance_id};

/// How the resources of a calendar are read, and what that has already cost.
pub(super) struct Reading<'a> {
    owner: &'a Owner,
    /// The calendar's, or else its host's. Where neither is known, what depends on it is an error.
    zone: Option<Tz>,
    effort: Effort,
}

/// A resource as the server sent it.
#[derive(Debug, Clone)]
pub(super) struct Fetched {
    pub(super) url: Url,
    pub(super) etag: Option<String>,
    pub(super) text: String,
}

impl<'a> Reading<'a> {
    pub(super) fn new(owner: &'a Owner, zone: Option<Tz>) -> Self {
        Self { owner, zone, effort: Effort::of_calendar() }
    }

    /// What became of the resource, as far as it touches the window. An event of ours is told wherever it was moved:
    /// its appointment goes with it.
    pub(super) fn change(&mut self, resource: &Fetched, window: Interval) -> Result<EventChange, ProviderError> {
        let id = resource.url.to_string();
        let found = self.events(resource, window)?;
        if let [IcsEvent::Single(event)] = found.as_slice() {
            return Ok(EventChange::Upsert(Box::new(self.named(event.clone(), resource))));
        }
        let instances = self.instances(found, resource);
        if !instances.is_empty() {
            return Ok(EventChange::Series { id, instances });
        }
        let own = self.event(resource)?.filter(|event| event.mark.is_some() && event.status != EventStatus::Cancelled);
        Ok(own.map_or(EventChange::Removed { id }, |event| EventChange::Upsert(Box::new(event))))
    }

    /// Every time in the window that the resource takes.
    pub(super) fn busy(&mut self, resource: &Fetched, window: Interval) -> Result<Vec<Interval>, ProviderError> {
        let mut busy = Vec::new();
        let found = self.events(resource, window)?;
        for event in self.instances(found, resource) {
            let Some(interval) = event.busy_interval(self.zone.unwrap_or(Tz::UTC)) else { continue };
            if self.zone.is_none() && matches!(event.start, EventTime::Day(_)) {
                return Err(ProviderError::Rejected(
                    "an event of whole days has no time zone, nor has the calendar".into(),
                ));
            }
            busy.extend(interval.intersection(&window));
        }
        Ok(busy)
    }

    /// The event of the resource, whenever it is; the first of those that recur.
    pub(super) fn event(&self, resource: &Fetched) -> Result<Option<CalendarEvent>, ProviderError> {
        let found = ics::event_in(&resource.text, None, self.calendar_zone(), self.owner.address.as_deref());
        Ok(found.map_err(unreadable)?.map(|event| self.named(event, resource)))
    }

    /// The instance of a recurring event that was to begin then, before it was moved.
    pub(super) fn instance_at(
        &mut self,
        resource: &Fetched,
        id: &str,
        window: Interval,
    ) -> Result<Option<CalendarEvent>, ProviderError> {
        let found = self.events(resource, window)?;
        Ok(self.instances(found, resource).into_iter().find(|event| event.id == id))
    }

    fn events(&mut self, resource: &Fetched, window: Interval) -> Result<Vec<IcsEvent>, ProviderError> {
        let own_address = self.owner.address.as_deref();
        let read = ics::events_within(&resource.text, window, self.calendar_zone(), own_address, &mut self.effort);
        read.map(|read| read.events).map_err(unreadable)
    }

    fn calendar_zone(&self) -> CalendarZone {
        self.zone.map_or(CalendarZone::OfFileOr(None), CalendarZone::Given)
    }

    fn named(&self, mut event: CalendarEvent, resource: &Fetched) -> CalendarEvent {
        self.owner.find_among_attendees(&mut event);
        let id = resource.url.to_string();
        let starts = event.start.instant(self.zone.unwrap_or(Tz::UTC));
        let first_instance = event.first_instance.is_some().then(|| instance_id(&id, starts));
        CalendarEvent { id, etag: resource.etag.clone(), first_instance, ..event }
    }

    /// The events under ids that begin with the resource's address and go on as [`instance_id`] does.
    fn instances(&self, found: Vec<IcsEvent>, resource: &Fetched) -> Vec<CalendarEvent> {
        let mut ids = HashSet::new();
        let of_uid = found.into_iter().flat_map(|event| match event {
            IcsEvent::Single(event) => {
                let id = instance_id("", event.start.instant(self.zone.unwrap_or(Tz::UTC)));
                vec![(id, event)]
            }
            IcsEvent::Series { uid, instances } => {
                let id = |event: &CalendarEvent| event.id.strip_prefix(&uid).unwrap_or(&event.id).to_owned();
                instances.into_iter().map(|event| (id(&event), event)).collect()
            }
        });
        let named = of_uid.map(|(id, event)| {
            let event = self.named(event, resource);
            let mut id = format!("{}{id}", event.id);
            // A resource has one UID, but for those that break the rule.
            while !ids.insert(id.clone()) {
                id.push('+');
            }
            CalendarEvent { id, recurring_event_id: Some(event.id), ..event }
        });
        named.collect()
    }
}

/// An event that cannot be read might block time, so it is an error, which says what is wrong and nothing of whose it
/// is.
pub(super) fn unreadable(error: IcsError) -> ProviderError {
    ProviderError::Rejected(format!("an event of the calendar is not readable: {error}"))
}

/// Whether `found` already says all that writing `wanted` would.
pub(super) fn says_the_same(found: &CalendarEvent, wanted: &CalendarEvent) -> bool {
    let is_there = |email: &str| found.attendees.iter().any(|attendee| attendee.email.eq_ignore_ascii_case(email));
    let text = |text: &Option<String>| text.as_deref().unwrap_or_default().to_owned();
    found.mark == wanted.mark
        && found.title == wanted.title
        && text(&found.description) == text(&wanted.description)
        && text(&found.location) == text(&wanted.location)
        && found.is_at_time_of(wanted)
        && found.status == wanted.status
        && wanted.attendees.iter().all(|attendee| is_there(&attendee.email))
}
