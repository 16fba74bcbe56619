use chrono::TimeDelta;
use cupo_core::ids::{OrganizationId, UserId};
use cupo_store::{Job, user_get};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Outcome, Task};
use crate::{Engine, EngineError, audit::Subject, mail::Sent};

/// Tells a host which of their calendars nobody could read for long.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TellStale {
    pub(crate) user_id: UserId,
}

impl Task for TellStale {
    const KIND: &'static str = "tell_stale";
    const PATIENCE: TimeDelta = TimeDelta::days(1);

    fn coalescing_key(&self) -> String {
        self.user_id.to_string()
    }

    /// Those that could be read meanwhile are not told.
    async fn run(&self, engine: &Engine, organization_id: &OrganizationId, job: &Job) -> Result<Outcome, EngineError> {
        let mailer = engine.0.mailer.as_ref().ok_or(EngineError::NotConfigured("mail"))?;
        let (stale, host) = {
            let tx = &mut engine.0.store.read().await?;
            let stale = engine.stale_calendars(tx, organization_id, &self.user_id).await?;
            let Some(first) = stale.first() else { return Ok(Outcome::Done) };
            if engine.is_mail_sent(tx, organization_id, Subject::Account(&first.account_id), job).await? {
                return Ok(Outcome::Done);
            }
            let Some(host) = user_get(tx, &self.user_id).await? else { return Ok(Outcome::Done) };
            (stale, host)
        };
        match mailer.send(engine.compose_of_stale(&stale, &host, job)?).await {
            Ok(Sent::Accepted) => {
                for calendar in stale.iter().take(1) {
                    let detail = json!({ "kind": "stale", "recipient": "host", "calendars": stale.len() });
                    engine.mail_sent(organization_id, Subject::Account(&calendar.account_id), job, detail).await?;
                }
                Ok(Outcome::Done)
            }
            Ok(Sent::Refused(why)) => Ok(Outcome::GiveUp(why)),
            Err(error) => Ok(Outcome::Retry(engine.pause(job), error.to_string())),
        }
    }
}
