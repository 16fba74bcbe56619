//! Events that Cupo made and that no appointment has any more, or that an appointment has beside its own.

use std::sync::Arc;

use cupo_core::{appointment::AppointmentStatus, ids::ClaimId};
use cupo_providers::{CalendarEvent, CalendarProvider, EventChange};
use cupo_store::{
    AppointmentExternalMapping, Calendar, Provider, Tx, account_get, appointment_list_by_claim, calendar_get,
    job_standing, mapping_get,
};

use super::Compared;
use crate::{Engine, EngineError, jobs::DeleteOrphan, sync::Round};

/// An event of a round that Cupo itself made.
pub(super) struct Marked {
    pub(super) claim_id: ClaimId,
    pub(super) event: CalendarEvent,
    /// Whether its appointment has another event, which the provider has just shown.
    pub(super) is_second: bool,
}

impl Engine {
    /// The events of the round that this installation made. Those that are second ones of their appointments are taken
    /// out of it: they are to go, and must not be taken for the appointments' own.
    pub(super) async fn marked_events(
        &self,
        compared: &Compared,
        round: &mut Round,
    ) -> Result<Vec<Marked>, EngineError> {
        let provider = self.provider(compared.provider);
        let mut marked: Vec<Marked> = Vec::new();
        for change in &round.changes.events {
            // One that was made to recur is its host's.
            let EventChange::Upsert(event) = change else { continue };
            let Some(mark) = event.mark.as_ref().filter(|mark| mark.installation == self.installation()) else {
                continue;
            };
            // Of two changes of one event the later holds.
            marked.retain(|known| known.event.id != event.id);
            if event.recurring_event_id.is_none() && provider.is_original(event) {
                let claim_id = mark.claim_id.clone();
                marked.push(Marked { claim_id, event: CalendarEvent::clone(event), is_second: false });
            }
        }
        for of_claim in &mut marked {
            of_claim.is_second = self.stands_elsewhere(&compared.calendar, &of_claim.event, &of_claim.claim_id).await?;
        }
        let is_second = |id: &str| marked.iter().any(|marked| marked.is_second && marked.event.id == id);
        round.changes.events.retain(|change| !matches!(change, EventChange::Upsert(event) if is_second(&event.id)));
        Ok(marked)
    }

    /// Whether the claim of an event has a confirmed appointment with another event, and the provider, asked for that
    /// one, shows it.
    pub(crate) async fn stands_elsewhere(
        &self,
        calendar: &Calendar,
        event: &CalendarEvent,
        claim_id: &ClaimId,
    ) -> Result<bool, EngineError> {
        let organization_id = &calendar.organization_id;
        let (mapping, mapped) = {
            let tx = &mut self.0.store.read().await?;
            let sharing = appointment_list_by_claim(tx, organization_id, claim_id).await?;
            if !sharing.iter().any(|appointment| appointment.status == AppointmentStatus::Confirmed) {
                return Ok(false);
            }
            let mapping = mapping_get(tx, organization_id, claim_id).await?;
            let Some(mapping) = mapping.filter(|mapping| mapping.deleted_at.is_none()) else { return Ok(false) };
            let Some(mapped) = calendar_get(tx, organization_id, &mapping.calendar_id).await? else { return Ok(false) };
            if !self.is_another(tx, calendar, event, &mapped, &mapping).await? {
                return Ok(false);
            }
            (mapping, mapped)
        };
        let (external_id, id) = (mapped.external_id.as_str(), mapping.external_event_id.as_str());
        let call = move |provider: Arc<dyn CalendarProvider>, access| async move {
            provider.get_event(&access, external_id, id).await
        };
        let found = self.call_provider(organization_id, &mapped.account_id, call).await?;
        Ok(found.and_then(|found| found.mark).is_some_and(|mark| mark.claim_id == *claim_id))
    }

    /// Whether an event is certainly another one than that of a mapping. Two accounts may show one and the same
    /// calendar, so the very event may be seen twice.
    async fn is_another(
        &self,
        tx: &mut Tx,
        calendar: &Calendar,
        event: &CalendarEvent,
        mapped: &Calendar,
        mapping: &AppointmentExternalMapping,
    ) -> Result<bool, EngineError> {
        if mapped.user_id != calendar.user_id {
            return Ok(false);
        }
        if mapped.id == calendar.id {
            return Ok(mapping.external_event_id != event.id);
        }
        if mapped.account_id == calendar.account_id {
            return Ok(true);
        }
        let organization_id = &calendar.organization_id;
        let here = account_get(tx, organization_id, &calendar.account_id).await?.map(|account| account.provider);
        let there = account_get(tx, organization_id, &mapped.account_id).await?.map(|account| account.provider);
        Ok(match (here, there) {
            (Some(here), Some(there)) if here != there => true,
            (Some(Provider::Google), _) => mapped.external_id != calendar.external_id,
            // A shared calendar has other ids in each mailbox; the event's UID is the same.
            (Some(Provider::Outlook), _) => match (&mapping.ical_uid, &event.ical_uid) {
                (Some(there), Some(here)) => there != here,
                _ => false,
            },
            // The UID follows from the claim: it tells nothing apart.
            (Some(Provider::Caldav | Provider::Ics) | None, _) => false,
        })
    }

    /// Whether an event of ours is about to be deleted as one that no appointment has. It is not taken for one's own
    /// any more, and its going tells nothing.
    pub(crate) async fn is_being_deleted(
        &self,
        tx: &mut Tx,
        calendar: &Calendar,
        external_event_id: &str,
    ) -> Result<bool, EngineError> {
        let key = DeleteOrphan::key_of(&calendar.id, external_event_id);
        Ok(job_standing(tx, &calendar.organization_id, &key).await?.is_pending)
    }
}
