use std::sync::Arc;

use chrono::TimeDelta;
use cupo_core::ids::{AccountId, OrganizationId, SubscriptionId};
use cupo_providers::CalendarProvider;
use cupo_store::{Job, subscription_delete, subscription_get};
use serde::{Deserialize, Serialize};

use super::{Outcome, Task};
use crate::{Engine, EngineError, engine::transact};

/// Closes a notification channel and forgets it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StopChannel {
    pub(crate) account_id: AccountId,
    pub(crate) subscription_id: SubscriptionId,
}

impl Task for StopChannel {
    const KIND: &'static str = "stop_channel";
    const PATIENCE: TimeDelta = TimeDelta::days(8);

    fn coalescing_key(&self) -> String {
        self.subscription_id.to_string()
    }

    async fn run(&self, engine: &Engine, organization_id: &OrganizationId, _: &Job) -> Result<Outcome, EngineError> {
        let subscription = subscription_get(&mut engine.0.store.read().await?, &self.subscription_id).await?;
        let Some(subscription) = subscription.filter(|found| found.organization_id == *organization_id) else {
            return Ok(Outcome::Done);
        };
        // An ended channel needs no stopping; one of a dead grant ends by itself.
        if subscription.expires_at > engine.now() {
            let (id, resource_id) = (subscription.id.as_str(), subscription.resource_id.as_str());
            let call = move |provider: Arc<dyn CalendarProvider>, access| async move {
                provider.unwatch(&access, id, resource_id).await
            };
            engine.call_provider(organization_id, &self.account_id, call).await?;
        }
        transact!(engine, tx => {
            subscription_delete(tx, organization_id, &self.subscription_id).await?;
        })?;
        Ok(Outcome::Done)
    }
}
