use chrono::TimeDelta;
use cupo_core::ids::{AccountId, OrganizationId};
use cupo_providers::{AccessToken, CalendarProvider, OauthError, ProviderError, Secret};
use cupo_store::{AccountState, Job, account_delete, account_get, subscription_list_by_account};
use serde::{Deserialize, Serialize};

use super::{Outcome, Task};
use crate::{Engine, EngineError, engine::transact};

/// How long a provider that does not answer keeps a disconnected account's tokens with us.
const KEPT_AT_MOST: TimeDelta = TimeDelta::days(2);

/// Ends a disconnected account: its channels are stopped, its grant revoked, its rows deleted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RevokeToken {
    pub(crate) account_id: AccountId,
}

impl Task for RevokeToken {
    const KIND: &'static str = "revoke_token";
    const PATIENCE: TimeDelta = TimeDelta::days(7);

    fn coalescing_key(&self) -> String {
        self.account_id.to_string()
    }

    async fn run(&self, engine: &Engine, organization_id: &OrganizationId, job: &Job) -> Result<Outcome, EngineError> {
        let (account, subscriptions) = {
            let tx = &mut engine.0.store.read().await?;
            let account = account_get(tx, organization_id, &self.account_id).await?;
            // Connected again meanwhile: revoking would end the new grant too.
            let account = account.filter(|account| account.state == AccountState::Disconnected);
            let Some(account) = account else { return Ok(Outcome::Done) };
            (account, subscription_list_by_account(tx, organization_id, &self.account_id).await?)
        };
        if let Some(google) = &engine.0.google
            && let Ok(tokens) = engine.open_tokens(&account)
        {
            let token = AccessToken::new(account.id.as_str(), Secret::new(tokens.access_token));
            for subscription in subscriptions {
                // Revoking the grant silences the channel too; this is only the quicker way.
                let stopped = google.provider.unwatch(&token, subscription.id.as_str(), &subscription.resource_id);
                if let Err(error) = stopped.await {
                    tracing::info!(channel = %subscription.id, %error, "a channel was not stopped");
                }
            }
            match google.oauth.revoke(&Secret::new(tokens.refresh_token)).await {
                Err(OauthError::Transient(why)) if engine.now() - job.created_at < KEPT_AT_MOST => {
                    return Err(ProviderError::Transient(why).into());
                }
                Err(error) => tracing::warn!(account = %account.id, %error, "a grant was not revoked"),
                Ok(()) => {}
            }
        }
        transact!(engine, tx => {
            let current = account_get(tx, organization_id, &self.account_id).await?;
            if current.is_some_and(|current| current.state == AccountState::Disconnected) {
                account_delete(tx, organization_id, &self.account_id).await?;
            }
        })?;
        engine.committed(organization_id);
        Ok(Outcome::Done)
    }
}
