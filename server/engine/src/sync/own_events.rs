//! Our own events in a provider's calendar: recognized, and never counted as conflicts.

use cupo_core::{ids::ClaimId, interval::Interval};
use cupo_providers::CalendarEvent;
use cupo_store::{
    AppointmentExternalMapping, Calendar, MeetingState, Tx, account_get, appointment_list_by_calendar,
    appointment_list_by_claim, busy_interval_delete, busy_interval_upsert, calendar_get, claim_hosts, mapping_get,
    mapping_get_by_external, mapping_list_by_event, mapping_upsert,
};

use super::busy_interval;
use crate::{
    Engine, EngineError,
    engine::transact,
    jobs::{DeleteOrphan, PushEvent},
};

/// An event that an appointment of the future is mapped to.
pub(super) struct MappedEvent {
    pub(super) external_event_id: String,
}

/// A version that no appointment has: the provider's state is not known to be ours.
pub(crate) const NOTHING_PUSHED: i64 = -1;
/// Another: the event is being deleted, because nobody was confirmed. Whether it is there is not known until that is answered.
pub(crate) const BEING_DELETED: i64 = -2;

impl Engine {
    /// The events of confirmed appointments that a full round of the calendar must name.
    pub(super) async fn mapped_events(
        &self,
        calendar: &Calendar,
        window: Interval,
    ) -> Result<Vec<MappedEvent>, EngineError> {
        let organization_id = &calendar.organization_id;
        let tx = &mut self.0.store.read().await?;
        let mut mapped = Vec::new();
        for appointment in appointment_list_by_calendar(tx, organization_id, &calendar.id, self.now()).await? {
            if appointment.start_at < window.end
                && let Some(mapping) = mapping_get(tx, organization_id, &appointment.claim_id).await?
            {
                mapped.push(MappedEvent { external_event_id: mapping.external_event_id });
            }
        }
        Ok(mapped)
    }

    /// The mapping of an event that is ours: by the stored id, or by our mark where the answer to our write was lost or
    /// the calendar was connected anew. A copy that a host made of our event bears the mark under another id and is not.
    pub(super) async fn own_mapping(
        &self,
        tx: &mut Tx,
        calendar: &Calendar,
        event: &CalendarEvent,
    ) -> Result<Option<AppointmentExternalMapping>, EngineError> {
        let organization_id = &calendar.organization_id;
        let known = mapping_get_by_external(tx, organization_id, &calendar.id, &event.id).await?;
        if known.is_some() {
            return Ok(known);
        }
        // The dates of an event that recurs bear its mark, and none of them is it.
        let by_itself = event.mark.as_ref().filter(|_| event.recurring_event_id.is_none());
        let Some(mark) = by_itself.filter(|mark| mark.installation == self.installation()) else {
            return Ok(None);
        };
        if self.is_being_deleted(tx, calendar, &event.id).await? {
            return Ok(None);
        }
        let sharing = appointment_list_by_claim(tx, organization_id, &mark.claim_id).await?;
        let old = mapping_get(tx, organization_id, &mark.claim_id).await?;
        // A host whose appointment went to another one has a mark of it no more.
        if !sharing.iter().any(|appointment| appointment.host_user_id == calendar.user_id) {
            let is_it = |old: &AppointmentExternalMapping| old.external_event_id == event.id;
            if sharing.is_empty() && old.as_ref().is_some_and(is_it) {
                // The host carried it here while it was to be deleted there. A copy would have another id, and be theirs.
                self.enqueue_orphan(tx, calendar, &mark.claim_id, event).await?;
            }
            return Ok(None);
        }
        if let Some(old) = old.as_ref().filter(|old| old.external_event_id != event.id) {
            let is_unwanted = old.deleted_at.is_some() && !sharing.iter().any(|of| of.status.claims_time());
            if is_unwanted && self.is_original(tx, calendar, event).await? {
                // It was made once more, without an answer, after its host had deleted the one that is known.
                self.enqueue_orphan(tx, calendar, &mark.claim_id, event).await?;
            }
            return Ok(None);
        }
        if let Some(old) = old.as_ref().filter(|old| old.deleted_at.is_none() && old.calendar_id != calendar.id)
            && calendar_get(tx, organization_id, &old.calendar_id).await?.is_some()
        {
            return self.moved_into(tx, calendar, old, event).await.map(Some);
        }
        self.adopt(tx, calendar, event, &mark.claim_id, old).await.map(Some)
    }

    /// Whether Cupo made this very event, and nobody copied it.
    async fn is_original(&self, tx: &mut Tx, calendar: &Calendar, event: &CalendarEvent) -> Result<bool, EngineError> {
        let account = account_get(tx, &calendar.organization_id, &calendar.account_id).await?;
        Ok(account.is_some_and(|account| self.provider(account.provider).is_original(event)))
    }

    async fn enqueue_orphan(
        &self,
        tx: &mut Tx,
        calendar: &Calendar,
        claim_id: &ClaimId,
        event: &CalendarEvent,
    ) -> Result<(), EngineError> {
        let orphan = DeleteOrphan {
            calendar_id: calendar.id.clone(),
            claim_id: claim_id.clone(),
            external_event_id: event.id.clone(),
        };
        self.enqueue(tx, &calendar.organization_id, &orphan).await
    }

    /// The event is that of the claim from now on; `old` is what was known before.
    async fn adopt(
        &self,
        tx: &mut Tx,
        calendar: &Calendar,
        event: &CalendarEvent,
        claim_id: &ClaimId,
        old: Option<AppointmentExternalMapping>,
    ) -> Result<AppointmentExternalMapping, EngineError> {
        let organization_id = &calendar.organization_id;
        let sharing = appointment_list_by_claim(tx, organization_id, claim_id).await?;
        let mut was_moved = false;
        for appointment in &sharing {
            was_moved |= !self.earlier_times(tx, appointment).await?.is_empty();
        }
        let adopted = AppointmentExternalMapping {
            claim_id: claim_id.clone(),
            organization_id: organization_id.clone(),
            calendar_id: calendar.id.clone(),
            external_event_id: event.id.clone(),
            // Not known to be what we wrote: the host may have moved it.
            etag: None,
            ical_uid: event.ical_uid.clone(),
            html_link: event.html_link.clone(),
            meeting_state: old.as_ref().map_or(MeetingState::None, |old| old.meeting_state),
            pushed_sequence: NOTHING_PUSHED,
            // One that was never moved was never written at another time.
            pushed_start: sharing.first().filter(|_| !was_moved).map(|first| first.start_at),
            guests: old.as_ref().map(|old| old.guests.clone()).unwrap_or_default(),
            declined: old.map(|old| old.declined).unwrap_or_default(),
            untold_since: Some(self.now()),
            deleted_at: None,
        };
        mapping_upsert(tx, &adopted).await?;
        self.enqueue(tx, organization_id, &PushEvent { claim_id: claim_id.clone() }).await?;
        Ok(adopted)
    }

    /// Takes up an event of ours that was met outside a round, with what its host has done to it: the answer to the write that
    /// made it was lost. A round that has met it meanwhile knows better.
    pub(crate) async fn take_up(
        &self,
        calendar: &Calendar,
        claim_id: &ClaimId,
        event: &CalendarEvent,
    ) -> Result<(), EngineError> {
        let Calendar { id, organization_id, .. } = calendar;
        let tz = self.zone_called(calendar, calendar.time_zone.as_deref()).await?;
        transact!(self, tx => {
            let old = mapping_get(tx, organization_id, claim_id).await?;
            let is_known = match &old {
                Some(old) if old.deleted_at.is_none() => {
                    calendar_get(tx, organization_id, &old.calendar_id).await?.is_some()
                }
                _ => false,
            };
            if !is_known {
                let mapping = self.adopt(tx, calendar, event, claim_id, old).await?;
                busy_interval_delete(tx, organization_id, id, &event.id, self.now()).await?;
                if let Some(taken) = self.own_event_changed(tx, mapping, event, tz).await? {
                    busy_interval_upsert(tx, &busy_interval(calendar, event, taken), self.now()).await?;
                }
            }
        })?;
        self.committed(organization_id);
        Ok(())
    }

    /// Whether the event is the copy that a host of one of our appointments has of it, invited by the host in whose calendar
    /// we wrote it: the claim takes that host's time already.
    pub(super) async fn is_copy_of_own(
        &self,
        tx: &mut Tx,
        calendar: &Calendar,
        event: &CalendarEvent,
    ) -> Result<bool, EngineError> {
        let organization_id = &calendar.organization_id;
        for mapping in mapping_list_by_event(tx, organization_id, &event.id, event.ical_uid.as_deref()).await? {
            let is_elsewhere = mapping.calendar_id != calendar.id && mapping.deleted_at.is_none();
            if is_elsewhere && claim_hosts(tx, organization_id, &mapping.claim_id).await?.contains(&calendar.user_id) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
