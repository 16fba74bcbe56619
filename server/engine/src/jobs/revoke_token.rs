use std::sync::Arc;

use chrono::TimeDelta;
use cupo_core::ids::{AccountId, OrganizationId};
use cupo_providers::{Access, CalendarProvider, OauthError, ProviderError, Secret};
use cupo_store::{
    AccountState, AuthKind, CalendarProviderAccount, Job, Provider, ProviderSubscription, account_delete, account_get,
    subscription_delete, subscription_list_by_account,
};
use serde::{Deserialize, Serialize};

use super::{Outcome, Task};
use crate::{Engine, EngineError, credentials::OauthTokens, engine::transact};

/// How long a provider that does not answer keeps a disconnected account's tokens with us.
const KEPT_AT_MOST: TimeDelta = TimeDelta::days(2);

/// Ends a disconnected account: its channels are stopped, its grant revoked where the provider can, its rows deleted.
/// Microsoft has nowhere to revoke a grant: its tokens are forgotten, like passwords and the addresses of feeds.
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
            let mut subscriptions = subscription_list_by_account(tx, organization_id, &self.account_id).await?;
            subscriptions.retain(|subscription| subscription.expires_at > engine.now());
            (account, subscriptions)
        };
        // What cannot be opened can be neither used nor revoked.
        let tokens = match account.auth_kind {
            AuthKind::UserOauth => engine.open_tokens(&account).ok(),
            AuthKind::ServiceAccount | AuthKind::Application | AuthKind::Password => None,
        };
        if !subscriptions.is_empty() {
            stop_channels(engine, &account, tokens.as_ref(), &subscriptions).await;
        }
        let current = account_get(&mut engine.0.store.read().await?, organization_id, &self.account_id).await?;
        if current.is_none_or(|current| current.state != AccountState::Disconnected) {
            // Connected again while the channels were stopped: those who look for open ones shall not find them.
            transact!(engine, tx => {
                for subscription in &subscriptions {
                    subscription_delete(tx, organization_id, &subscription.id).await?;
                }
            })?;
            return Ok(Outcome::Done);
        }
        if let (Provider::Google, Some(tokens)) = (account.provider, tokens)
            && let Ok(oauth) = engine.google_oauth()
        {
            match oauth.revoke(&Secret::new(tokens.refresh_token)).await {
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

/// Closes the account's channels as well as that goes: of an account that is gone they are ignored, and end by
/// themselves.
async fn stop_channels(
    engine: &Engine,
    account: &CalendarProviderAccount,
    tokens: Option<&OauthTokens>,
    open: &[ProviderSubscription],
) {
    let access = match tokens {
        Some(tokens) => last_access(engine, account, tokens).await,
        None => engine.access(account, None).await,
    };
    let access = match access {
        Ok(access) => access,
        Err(error) => {
            tracing::info!(account = %account.id, %error, "channels were not stopped");
            return;
        }
    };
    let provider: Arc<dyn CalendarProvider> = engine.provider(account.provider);
    for subscription in open {
        let stopped = provider.unwatch(&access, subscription.id.as_str(), &subscription.resource_id);
        if let Err(error) = stopped.await {
            tracing::info!(channel = %subscription.id, %error, "a channel was not stopped");
        }
    }
}

/// An access token of a grant that is not used afterwards: what a refresh gives need not be stored.
async fn last_access(
    engine: &Engine,
    account: &CalendarProviderAccount,
    tokens: &OauthTokens,
) -> Result<Access, EngineError> {
    let bearer = |token: Secret| Access::bearer(account.id.as_str(), token);
    // Revoking a grant of Google's silences its channels too: stopping them is only the quicker way.
    if account.provider == Provider::Google || tokens.expires_at > engine.now() {
        return Ok(bearer(Secret::new(tokens.access_token.as_str())));
    }
    let granted = engine.microsoft_oauth()?.refresh(&Secret::new(tokens.refresh_token.as_str())).await;
    Ok(bearer(granted.map_err(ProviderError::from)?.access_token))
}
