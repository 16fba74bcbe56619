use chrono::TimeDelta;
use cupo_core::ids::{CalendarId, OrganizationId};
use cupo_providers::ProviderError;
use cupo_store::Job;
use serde::{Deserialize, Serialize};

use super::{Outcome, Task};
use crate::{Engine, EngineError, reconcile::Mending};

/// Compares a calendar with the appointments and mends what differs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reconcile {
    pub(crate) calendar_id: CalendarId,
}

/// How long a calendar that cannot be read is tried again in one night.
const TONIGHT: TimeDelta = TimeDelta::hours(6);

impl Task for Reconcile {
    const KIND: &'static str = "reconcile";
    // It ends by itself before.
    const PATIENCE: TimeDelta = TimeDelta::days(2);

    fn coalescing_key(&self) -> String {
        self.calendar_id.to_string()
    }

    async fn run(&self, engine: &Engine, organization_id: &OrganizationId, job: &Job) -> Result<Outcome, EngineError> {
        match engine.reconcile_calendar(organization_id, &self.calendar_id, Mending::Mend).await {
            Ok(Some(_)) => Ok(Outcome::Done),
            Ok(None) => Ok(Outcome::Retry(engine.pause(job), "the calendar was read by somebody else".to_owned())),
            // Reading the calendar tells its host what is wrong; the next night it is tried anew.
            Err(error) if is_final(&error) || engine.age(job) > TONIGHT => {
                tracing::warn!(calendar = %self.calendar_id, %error, "a calendar is not compared tonight");
                engine.reconcile_skipped(organization_id, &self.calendar_id).await?;
                Ok(Outcome::Done)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether asking again will not help.
fn is_final(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Provider(ProviderError::NotFound | ProviderError::Rejected(_))
            | EngineError::ReconnectNeeded(_)
            | EngineError::ConsentNeeded(_)
            | EngineError::OperatorNeeded(_)
    )
}
