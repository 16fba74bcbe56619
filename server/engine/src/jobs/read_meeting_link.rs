use std::sync::Arc;

use chrono::TimeDelta;
use cupo_core::ids::{ClaimId, OrganizationId};
use cupo_providers::{CalendarProvider, MeetingLink};
use cupo_store::{Job, MeetingState, calendar_get, mapping_get};
use serde::{Deserialize, Serialize};

use super::{Outcome, Task};
use crate::{Engine, EngineError};

/// How soon the provider is asked again.
const SOON: TimeDelta = TimeDelta::seconds(1);

/// Reads the link of a conference that the provider was still making.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReadMeetingLink {
    /// Called `appointment_id` while each appointment had an event of its own: jobs of then may still wait.
    #[serde(alias = "appointment_id")]
    pub(crate) claim_id: ClaimId,
}

impl Task for ReadMeetingLink {
    const KIND: &'static str = "read_meeting_link";
    const PATIENCE: TimeDelta = TimeDelta::hours(2);

    fn coalescing_key(&self) -> String {
        self.claim_id.to_string()
    }

    async fn run(&self, engine: &Engine, organization_id: &OrganizationId, job: &Job) -> Result<Outcome, EngineError> {
        let (mapping, calendar) = {
            let tx = &mut engine.0.store.read().await?;
            let mapping = mapping_get(tx, organization_id, &self.claim_id).await?;
            let pending = mapping
                .filter(|mapping| mapping.meeting_state == MeetingState::Pending && mapping.deleted_at.is_none());
            let Some(mapping) = pending else { return Ok(Outcome::Done) };
            let Some(calendar) = calendar_get(tx, organization_id, &mapping.calendar_id).await? else {
                return Ok(Outcome::Done);
            };
            (mapping, calendar)
        };
        let (external_id, event_id) = (calendar.external_id.as_str(), mapping.external_event_id.as_str());
        let call = move |provider: Arc<dyn CalendarProvider>, access| async move {
            provider.get_event(&access, external_id, event_id).await
        };
        let event = engine.call_provider(organization_id, &calendar.account_id, call).await?;
        // An event that is gone is the sync's affair.
        let Some(event) = event else { return Ok(Outcome::Done) };
        match MeetingLink::from(event.meeting) {
            MeetingLink::Pending if engine.age(job) < TimeDelta::minutes(1) => {
                Ok(Outcome::Retry(SOON, "the meeting is being made".to_owned()))
            }
            MeetingLink::Pending => Ok(Outcome::Retry(engine.pause(job), "the meeting is being made".to_owned())),
            link => {
                engine.store_meeting(organization_id, &self.claim_id, &link).await?;
                Ok(Outcome::Done)
            }
        }
    }
}
