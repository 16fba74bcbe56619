use chrono::TimeDelta;
use cupo_store::{Job, NewJob, operator_alert_get};
use serde::{Deserialize, Serialize};

use super::{InstallationTask, Outcome};
use crate::{Engine, EngineError, mail::Sent};

/// Tells the operator of what only they can mend. It concerns no organization.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TellOperator {
    /// Of the alert.
    pub(crate) code: String,
}

impl TellOperator {
    pub(crate) fn to_job(&self, engine: &Engine) -> Result<NewJob, EngineError> {
        Ok(NewJob {
            id: engine.fresh(),
            organization_id: None,
            kind: Self::KIND.to_owned(),
            payload: serde_json::to_value(self).map_err(|e| EngineError::internal("writing a job", e))?,
            coalescing_key: Some(format!("{}:{}", Self::KIND, self.code)),
            run_at: engine.now(),
            created_at: engine.now(),
        })
    }
}

impl InstallationTask for TellOperator {
    const KIND: &'static str = "tell_operator";
    const PATIENCE: TimeDelta = TimeDelta::days(1);

    /// An alert that is over by now is not told.
    async fn run(&self, engine: &Engine, job: &Job) -> Result<Outcome, EngineError> {
        let (Some(mailer), Some(to)) = (&engine.0.mailer, &engine.0.settings.operator_email) else {
            return Ok(Outcome::Done);
        };
        let alert = operator_alert_get(&mut engine.0.store.read().await?, &self.code).await?;
        let Some(alert) = alert else { return Ok(Outcome::Done) };
        match mailer.send(engine.compose_alert(&alert, to)?).await {
            Ok(Sent::Accepted) => Ok(Outcome::Done),
            Ok(Sent::Refused(why)) => Ok(Outcome::GiveUp(why)),
            Err(error) => Ok(Outcome::Retry(engine.pause(job), error.to_string())),
        }
    }
}
