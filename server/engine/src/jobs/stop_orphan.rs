use std::sync::Arc;

use chrono::TimeDelta;
use cupo_core::ids::{AccountId, OrganizationId, SubscriptionId};
use cupo_providers::CalendarProvider;
use cupo_store::{AccountState, Job, ProviderSubscription, account_get, subscription_get};
use serde::{Deserialize, Serialize};

use super::{Outcome, Task};
use crate::{Engine, EngineError};

/// Closes a notification channel of ours that is not in the store: the answer to its opening was lost, the process
/// ended before it was stored, or its calendar is gone.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StopOrphan {
    pub(crate) account_id: AccountId,
    pub(crate) channel_id: SubscriptionId,
    /// The provider's own name of the channel or of what it watches.
    pub(crate) resource_id: String,
}

impl StopOrphan {
    /// How long a channel that tells something may not be in the store yet: the job that opened it has two minutes to
    /// say so, and its successor does not know it.
    pub(crate) const PATIENCE_WITH_OPENING: TimeDelta = TimeDelta::minutes(5);
    /// Of a channel that is about to be forgotten with its calendar.
    pub(crate) fn of(account_id: &AccountId, subscription: &ProviderSubscription) -> Self {
        Self {
            account_id: account_id.clone(),
            channel_id: subscription.id.clone(),
            resource_id: subscription.resource_id.clone(),
        }
    }

    /// No channel lives longer: then nothing is left to close.
    const LONGEST_LIFE: TimeDelta = TimeDelta::days(8);
}

impl Task for StopOrphan {
    const KIND: &'static str = "stop_orphan";
    const PATIENCE: TimeDelta = Self::LONGEST_LIFE;

    fn coalescing_key(&self) -> String {
        self.channel_id.to_string()
    }

    async fn run(&self, engine: &Engine, organization_id: &OrganizationId, job: &Job) -> Result<Outcome, EngineError> {
        if engine.now() - job.created_at > Self::LONGEST_LIFE {
            return Ok(Outcome::Done);
        }
        {
            let tx = &mut engine.0.store.read().await?;
            // It was stored meanwhile: it is no orphan.
            if subscription_get(tx, &self.channel_id).await?.is_some() {
                return Ok(Outcome::Done);
            }
            let account = account_get(tx, organization_id, &self.account_id).await?;
            if account.is_none_or(|account| account.state == AccountState::Disconnected) {
                return Ok(Outcome::Done);
            }
        }
        let (id, resource_id) = (self.channel_id.as_str(), self.resource_id.as_str());
        let call = move |provider: Arc<dyn CalendarProvider>, access| async move {
            provider.unwatch(&access, id, resource_id).await
        };
        engine.call_provider(organization_id, &self.account_id, call).await?;
        tracing::info!(channel = %self.channel_id, account = %self.account_id, "a channel that nobody knew was closed");
        Ok(Outcome::Done)
    }
}
