//! What only the operator can mend, such as an expired client secret: one row a code, an error in the log, a metric,
//! and a mail once a day, until it works again.

use chrono::TimeDelta;
use cupo_store::{
    NewJob, OperatorAlert, Provider, job_enqueue, operator_alert_clear, operator_alert_get, operator_alert_list,
    operator_alert_raise, operator_alert_tell,
};

use crate::{Engine, EngineError, access::client_code, engine::transact, jobs::TellOperator};

/// Between two mails about the same.
const REMINDER: TimeDelta = TimeDelta::days(1);

impl Engine {
    /// What does not work until the operator does something about it, the longest standing first.
    pub async fn operator_alerts(&self) -> Result<Vec<OperatorAlert>, EngineError> {
        Ok(operator_alert_list(&mut self.0.store.read().await?).await?)
    }

    /// The provider does not accept the operator's client; `detail` is its reason code.
    pub(crate) async fn client_refused(&self, provider: Provider, detail: &str) -> Result<(), EngineError> {
        let Some(code) = client_code(provider) else { return Ok(()) };
        tracing::error!(code, detail, "a provider does not accept the client of this installation: check its secret");
        metrics::counter!("cupo_operator_alerts_total", "code" => code).increment(1);
        let tells = self.0.settings.operator_email.is_some() && self.0.mailer.is_some();
        transact!(self, tx => {
            let now = self.now();
            operator_alert_raise(tx, code, detail, now).await?;
            if tells && operator_alert_tell(tx, code, now - REMINDER, now).await? {
                let job: NewJob = TellOperator { code: code.to_owned() }.to_job(self)?;
                job_enqueue(tx, &job).await?;
            }
        })?;
        self.enqueued();
        Ok(())
    }

    /// Whether the provider does not accept the operator's client, as far as is known.
    pub(crate) async fn client_is_refused(&self, provider: Provider) -> Result<bool, EngineError> {
        let Some(code) = client_code(provider) else { return Ok(false) };
        Ok(operator_alert_get(&mut self.0.store.read().await?, code).await?.is_some())
    }

    /// The provider accepts the operator's client: what waited for that is tried at once.
    pub(crate) async fn client_accepted(&self, provider: Provider) -> Result<(), EngineError> {
        let Some(code) = client_code(provider) else { return Ok(()) };
        if !self.client_is_refused(provider).await? {
            return Ok(());
        }
        if transact!(self, tx => operator_alert_clear(tx, code).await?)? {
            tracing::info!(code, "the client of this installation is accepted again");
            self.0.resting.wake_all();
        }
        Ok(())
    }
}
