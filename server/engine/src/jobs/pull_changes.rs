use chrono::TimeDelta;
use cupo_core::ids::{CalendarId, OrganizationId};
use cupo_store::Job;
use serde::{Deserialize, Serialize};

use super::{Outcome, Task};
use crate::{Engine, EngineError, sync::Pulled};

/// Brings the mirror of a calendar up to date, and the appointments whose events changed there.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PullChanges {
    pub(crate) calendar_id: CalendarId,
}

impl PullChanges {
    /// The whole coalescing key of the job that reads a calendar.
    pub(crate) fn key_of(calendar_id: &CalendarId) -> String {
        format!("{}:{calendar_id}", Self::KIND)
    }
}

impl Task for PullChanges {
    const KIND: &'static str = "pull_changes";
    // The poll floor enqueues another one anyway.
    const PATIENCE: TimeDelta = TimeDelta::days(1);

    fn coalescing_key(&self) -> String {
        self.calendar_id.to_string()
    }

    async fn run(&self, engine: &Engine, organization_id: &OrganizationId, _: &Job) -> Result<Outcome, EngineError> {
        match engine.pull(organization_id, &self.calendar_id).await {
            Ok(Pulled::Applied) => Ok(Outcome::Done),
            Ok(Pulled::Overtaken) => Ok(Outcome::Retry(TimeDelta::zero(), "another pull was faster".to_owned())),
            Err(error) => {
                engine.note_sync_error(organization_id, &self.calendar_id, &error).await?;
                Err(error)
            }
        }
    }
}
