use std::sync::Arc;

use chrono::TimeDelta;
use cupo_core::{
    appointment::AppointmentStatus,
    ids::{CalendarId, ClaimId, OrganizationId},
};
use cupo_providers::CalendarProvider;
use cupo_store::{
    Calendar, Job, appointment_list_by_claim, busy_interval_delete, calendar_get, mapping_get_by_external,
    mapping_mark_deleted,
};
use serde::{Deserialize, Serialize};

use super::{Outcome, PushEvent, Task};
use crate::{Engine, EngineError, engine::transact};

/// Deletes an event that Cupo made and that no appointment has any more, or that is a second one of an appointment.
/// While it waits, the event is not taken for anybody's own. It looks once more whether the event is to go.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteOrphan {
    pub(crate) calendar_id: CalendarId,
    pub(crate) claim_id: ClaimId,
    pub(crate) external_event_id: String,
}

impl DeleteOrphan {
    /// The whole coalescing key of the job that deletes an event.
    pub(crate) fn key_of(calendar_id: &CalendarId, external_event_id: &str) -> String {
        format!("{}:{calendar_id}:{external_event_id}", Self::KIND)
    }

    /// The statuses of those who share the claim.
    async fn statuses(
        &self,
        engine: &Engine,
        organization_id: &OrganizationId,
    ) -> Result<Vec<AppointmentStatus>, EngineError> {
        let tx = &mut engine.0.store.read().await?;
        let sharing = appointment_list_by_claim(tx, organization_id, &self.claim_id).await?;
        Ok(sharing.iter().map(|appointment| appointment.status).collect())
    }

    /// Forgets the event. Should an appointment have come to own it meanwhile, it gets another.
    async fn forget(&self, engine: &Engine, calendar: &Calendar) -> Result<(), EngineError> {
        let Calendar { id, organization_id, .. } = calendar;
        transact!(engine, tx => {
            // Until then it took time as any other.
            busy_interval_delete(tx, organization_id, id, &self.external_event_id, engine.now()).await?;
            let mapping = mapping_get_by_external(tx, organization_id, id, &self.external_event_id).await?;
            if let Some(mapping) = mapping.filter(|mapping| mapping.deleted_at.is_none()) {
                mapping_mark_deleted(tx, organization_id, &mapping.claim_id, engine.now()).await?;
                engine.enqueue(tx, organization_id, &PushEvent { claim_id: mapping.claim_id }).await?;
            }
        })?;
        engine.committed(organization_id);
        Ok(())
    }
}

impl Task for DeleteOrphan {
    const KIND: &'static str = "delete_orphan";
    const PATIENCE: TimeDelta = TimeDelta::days(30);

    fn coalescing_key(&self) -> String {
        format!("{}:{}", self.calendar_id, self.external_event_id)
    }

    async fn run(&self, engine: &Engine, organization_id: &OrganizationId, _: &Job) -> Result<Outcome, EngineError> {
        let calendar = calendar_get(&mut engine.0.store.read().await?, organization_id, &self.calendar_id).await?;
        let Some(calendar) = calendar else { return Ok(Outcome::Done) };
        let (external_id, event_id) = (calendar.external_id.as_str(), self.external_event_id.as_str());
        let get = move |provider: Arc<dyn CalendarProvider>, access| async move {
            provider.get_event(&access, external_id, event_id).await
        };
        let found = engine.call_provider(organization_id, &calendar.account_id, get).await?;
        let Some(event) = found else {
            self.forget(engine, &calendar).await?;
            return Ok(Outcome::Done);
        };
        let is_ours = event
            .mark
            .as_ref()
            .is_some_and(|mark| mark.claim_id == self.claim_id && mark.installation == engine.installation());
        let statuses = self.statuses(engine, organization_id).await?;
        let is_confirmed = statuses.contains(&AppointmentStatus::Confirmed);
        let is_undecided = !is_confirmed && statuses.contains(&AppointmentStatus::Pending);
        if !is_ours || is_undecided {
            return Ok(Outcome::Done);
        }
        if is_confirmed && !engine.stands_elsewhere(&calendar, &event, &self.claim_id).await? {
            return Ok(Outcome::Done);
        }
        // Both events of an appointment may bear one UID: whoever is told that one is cancelled would lose the other.
        let notify = !is_confirmed;
        let delete = move |provider: Arc<dyn CalendarProvider>, access| async move {
            provider.delete_event(&access, external_id, event_id, notify).await
        };
        engine.call_provider(organization_id, &calendar.account_id, delete).await?;
        self.forget(engine, &calendar).await?;
        Ok(Outcome::Done)
    }
}
