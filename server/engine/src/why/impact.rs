//! What a change would bring, before it is saved.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::{
    availability::covers,
    event_type::Window,
    ids::{EventTypeId, ScheduleId},
    interval::Interval,
    slots::slots,
    wire::{AffectedAppointment, ImpactView},
};
use cupo_store::{
    Appointment, EventType, EventTypeHost, Organization, Schedule, Tx, appointment_list_upcoming_for_event_type,
    claim_hosts, event_type_host_list, event_types_of_schedule, organization_get,
};

use crate::{
    Engine, EngineError, EventTypeInput, Principal, ScheduleInput,
    availability::{LiveBusy, MAX_DAYS, Own, Situation, Wish},
};

impl Engine {
    /// What a change of a schedule would bring for each event type that uses it: slots gained and lost in its booking window
    /// (62 days of it at most), and the appointments that would lie outside the hours. Nothing is written. A new schedule
    /// changes nothing.
    ///
    /// # Errors
    /// As for [`schedule_save`](Engine::schedule_save).
    pub async fn schedule_preview(
        &self,
        principal: &Principal,
        id: Option<&ScheduleId>,
        input: ScheduleInput,
    ) -> Result<Vec<ImpactView>, EngineError> {
        let input = input.parse()?;
        let tx = &mut self.0.store.read().await?;
        let (old, new) = self.schedule_from(tx, principal, id, &input).await?;
        let Some(old) = old else { return Ok(Vec::new()) };
        let organization = self.organization_of(tx, principal).await?;
        let mut impacts = Vec::new();
        for event_type in event_types_of_schedule(tx, &principal.organization_id, &old.id).await? {
            let hosts = event_type_host_list(tx, &principal.organization_id, &event_type.id).await?;
            let offer = |schedule| Offer { event_type: event_type.clone(), hosts: hosts.clone(), schedule };
            let (before, after) = (offer(None), offer(Some(new.clone())));
            impacts.push(self.impact(tx, &organization, Some(before), after).await?);
        }
        Ok(impacts)
    }

    /// What making or changing an event type would bring. Nothing is written.
    ///
    /// # Errors
    /// As for [`event_type_save`](Engine::event_type_save).
    pub async fn event_type_preview(
        &self,
        principal: &Principal,
        id: Option<&EventTypeId>,
        input: EventTypeInput,
    ) -> Result<ImpactView, EngineError> {
        let input = input.parse()?;
        let tx = &mut self.0.store.read().await?;
        let (old, event_type, hosts) = self.event_type_from(tx, principal, id, &input).await?;
        let organization = self.organization_of(tx, principal).await?;
        let before = match old {
            Some(event_type) => {
                let hosts = event_type_host_list(tx, &principal.organization_id, &event_type.id).await?;
                Some(Offer { event_type, hosts, schedule: None })
            }
            None => None,
        };
        self.impact(tx, &organization, before, Offer { event_type, hosts, schedule: None }).await
    }

    async fn organization_of(&self, tx: &mut Tx, principal: &Principal) -> Result<Organization, EngineError> {
        organization_get(tx, &principal.organization_id).await?.ok_or(EngineError::NotFound("organization"))
    }

    async fn impact(
        &self,
        tx: &mut Tx,
        organization: &Organization,
        before: Option<Offer>,
        after: Offer,
    ) -> Result<ImpactView, EngineError> {
        let now = self.now();
        let upcoming = match &before {
            Some(Offer { event_type, .. }) => {
                appointment_list_upcoming_for_event_type(tx, &organization.id, &event_type.id, now).await?
            }
            None => Vec::new(),
        };
        let windows = before.iter().chain([&after]).map(|offer| self.looked_at(&offer.event_type.rules.window, now));
        let range = windows
            .fold(Interval { start: now, end: now }, |all, next| Interval { start: now, end: all.end.max(next) });
        let last = upcoming.iter().map(|appointment| appointment.end_at).max().unwrap_or(range.end);
        let read = Interval { start: now, end: range.end.max(last) };
        let old = match before {
            Some(offer) => self.offered_by(tx, organization, offer, read, range).await?.1,
            None => BTreeSet::new(),
        };
        let (situation, new) = self.offered_by(tx, organization, after, read, range).await?;
        let mut outside = Vec::new();
        for appointment in upcoming {
            if self.is_outside(tx, &situation, &appointment).await? {
                outside.push(AffectedAppointment {
                    id: appointment.id.to_string(),
                    start: appointment.start_at,
                    end: appointment.end_at,
                    visitor_name: appointment.visitor_name,
                });
            }
        }
        let date = |at: DateTime<Utc>| at.with_timezone(&situation.tz()).date_naive();
        Ok(ImpactView {
            title: situation.event_type.title.clone(),
            from: date(range.start),
            to: date(range.end),
            time_zone: situation.schedule.time_zone.to_string(),
            gained: new.difference(&old).copied().collect(),
            lost: old.difference(&new).copied().collect(),
            outside,
        })
    }

    /// The end of the part of a booking window that is compared.
    fn looked_at(&self, window: &Window, now: DateTime<Utc>) -> DateTime<Utc> {
        self.window_range(window, now).end.min(now + TimeDelta::days(MAX_DAYS.into()))
    }

    /// What is offered within `range`, by a situation that holds all of `read`.
    async fn offered_by(
        &self,
        tx: &mut Tx,
        organization: &Organization,
        offer: Offer,
        read: Interval,
        range: Interval,
    ) -> Result<(Situation, BTreeSet<DateTime<Utc>>), EngineError> {
        let Offer { event_type, hosts, schedule } = offer;
        let is_active = event_type.is_active;
        let situation =
            self.situation_with(tx, organization.clone(), event_type, hosts, schedule.as_ref(), read).await?;
        let (unknown, live) = (BTreeSet::new(), LiveBusy::new());
        let rules = situation.event_type.rules;
        let wish = Wish { rules: &rules, host: None, unknown: &unknown, own: Own::default(), live: &live };
        let offered = if is_active { situation.ask(&wish, self.now(), range, slots) } else { Vec::new() };
        Ok((situation, offered.into_iter().collect()))
    }

    /// Whether an appointment lies outside the hours of one of its hosts, or has a host who is none any more.
    async fn is_outside(
        &self,
        tx: &mut Tx,
        situation: &Situation,
        appointment: &Appointment,
    ) -> Result<bool, EngineError> {
        let Appointment { organization_id, claim_id, start_at, end_at, .. } = appointment;
        for host in claim_hosts(tx, organization_id, claim_id).await? {
            let share = situation.hosts.iter().find(|share| share.host.user_id == host);
            let appointment = Interval { start: *start_at, end: *end_at };
            let is_open = share.is_some_and(|share| covers(&share.open, appointment));
            if !is_open {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// An event type with its hosts, and a schedule that is not what is stored.
struct Offer {
    event_type: EventType,
    hosts: Vec<EventTypeHost>,
    schedule: Option<Schedule>,
}
