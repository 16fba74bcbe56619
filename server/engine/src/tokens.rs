//! Access tokens: who refreshes them, and what happens when a grant is dead.
//!
//! One refresher per account: inside a process an async mutex, between processes a compare-and-swap on the account's
//! `token_version`. The loser takes what the winner stored, so that a rotated refresh token is never lost.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::ids::{AccountId, OrganizationId};
use cupo_providers::{AccessToken, OauthError, ProviderError, ReauthReason, Secret, google::oauth::TokenGrant};
use cupo_store::{
    AccountState, CalendarProviderAccount, StoreError, account_get, account_update_state, account_update_token,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Engine, EngineError, Google,
    audit::{Actor, Subject},
    engine::transact,
    keyring::RowReference,
};

/// A token that has less life left than this is refreshed first.
const MARGIN: TimeDelta = TimeDelta::seconds(60);

/// The async mutex of each account that is being refreshed at the moment.
#[derive(Default)]
pub(crate) struct Refreshers(Mutex<HashMap<AccountId, Arc<tokio::sync::Mutex<()>>>>);

impl Refreshers {
    fn of(&self, id: &AccountId) -> Arc<tokio::sync::Mutex<()>> {
        let mut refreshers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refreshers.retain(|_, refresher| Arc::strong_count(refresher) > 1);
        refreshers.entry(id.clone()).or_default().clone()
    }
}

/// What is sealed in an account's row.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredTokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) expires_at: DateTime<Utc>,
}

impl StoredTokens {
    /// The grant's tokens; without a new refresh token the old one stays good.
    pub(crate) fn of(grant: &TokenGrant, old_refresh_token: Option<&str>, now: DateTime<Utc>) -> Option<Self> {
        let refresh_token = grant.refresh_token.as_ref().map(Secret::expose).or(old_refresh_token)?;
        Some(Self {
            access_token: grant.access_token.expose().to_owned(),
            refresh_token: refresh_token.to_owned(),
            expires_at: now + TimeDelta::from_std(grant.expires_in).unwrap_or(TimeDelta::zero()),
        })
    }
}

fn row<'a>(organization_id: &'a OrganizationId, id: &'a AccountId) -> RowReference<'a> {
    RowReference { table: "calendar_provider_account", id: id.as_str(), organization_id }
}

impl Engine {
    pub(crate) fn google(&self) -> Result<&Google, EngineError> {
        self.0.google.as_ref().ok_or(EngineError::NotConfigured("google"))
    }

    pub(crate) fn seal_tokens(
        &self,
        organization_id: &OrganizationId,
        id: &AccountId,
        tokens: &StoredTokens,
    ) -> Result<Vec<u8>, EngineError> {
        let plain = serde_json::to_vec(tokens).map_err(|e| EngineError::internal("writing tokens", e))?;
        Ok(self.0.keyring.seal(&*self.0.random, row(organization_id, id), &plain))
    }

    pub(crate) fn open_tokens(&self, account: &CalendarProviderAccount) -> Result<StoredTokens, EngineError> {
        let missing = || EngineError::ReconnectNeeded("no_token".to_owned());
        let ciphertext = account.token_ciphertext.as_deref().ok_or_else(missing)?;
        let plain = self
            .0
            .keyring
            .open(row(&account.organization_id, &account.id), ciphertext)
            .map_err(|e| EngineError::internal("opening an account's tokens", e))?;
        serde_json::from_slice(&plain).map_err(|e| EngineError::internal("reading an account's tokens", e))
    }

    /// Calls the provider for an account; a refused access token is refreshed and the call made once more.
    ///
    /// # Errors
    /// [`EngineError::ReconnectNeeded`] when only the host can mend it, [`EngineError::Provider`] for the rest.
    pub(crate) async fn call_provider<T, F, Called>(
        &self,
        organization_id: &OrganizationId,
        id: &AccountId,
        call: F,
    ) -> Result<T, EngineError>
    where
        F: Fn(AccessToken) -> Called,
        Called: Future<Output = Result<T, ProviderError>>,
    {
        let token = self.access_token(organization_id, id, None).await?;
        let first = call(token.clone()).await;
        let second = match first {
            Err(ProviderError::Reauth(ReauthReason::AccessTokenExpired)) => {
                let token = self.access_token(organization_id, id, Some(&token)).await?;
                call(token).await
            }
            other => other,
        };
        match second {
            Err(ProviderError::Reauth(reason)) => {
                let account = self.account(organization_id, id).await?;
                Err(self.reconnect_needed(&account, reason).await?)
            }
            other => Ok(other?),
        }
    }

    async fn account(
        &self,
        organization_id: &OrganizationId,
        id: &AccountId,
    ) -> Result<CalendarProviderAccount, EngineError> {
        let account = account_get(&mut self.0.store.read().await?, organization_id, id).await?;
        let account = account.ok_or(EngineError::NotFound("account"))?;
        match account.state {
            AccountState::Active => Ok(account),
            AccountState::Disconnected => Err(EngineError::NotFound("account")),
            AccountState::ReconnectNeeded => {
                Err(EngineError::ReconnectNeeded(account.state_reason.unwrap_or_default()))
            }
        }
    }

    /// A good access token; one other than `refused`.
    async fn access_token(
        &self,
        organization_id: &OrganizationId,
        id: &AccountId,
        refused: Option<&AccessToken>,
    ) -> Result<AccessToken, EngineError> {
        let good = |tokens: StoredTokens| {
            let is_good = tokens.expires_at - MARGIN > self.now()
                && refused.is_none_or(|refused| refused.expose() != tokens.access_token);
            is_good.then(|| AccessToken::new(id.as_str(), Secret::new(tokens.access_token)))
        };
        if let Some(token) = good(self.open_tokens(&self.account(organization_id, id).await?)?) {
            return Ok(token);
        }
        let refresher = self.0.refreshers.of(id);
        let _alone = refresher.lock().await;
        // Whoever held the lock before may have refreshed already.
        let account = self.account(organization_id, id).await?;
        let tokens = self.open_tokens(&account)?;
        if let Some(token) = good(tokens.clone()) {
            return Ok(token);
        }
        let refresh_token = Secret::new(tokens.refresh_token.as_str());
        match self.google()?.oauth.refresh(&refresh_token).await {
            Ok(grant) => {
                metrics::counter!("cupo_token_refreshes_total", "result" => "ok").increment(1);
                self.store_grant(&account, &grant, &tokens.refresh_token).await
            }
            Err(OauthError::InvalidGrant(_) | OauthError::Denied(_)) => {
                metrics::counter!("cupo_token_refreshes_total", "result" => "dead").increment(1);
                let now = self.account(organization_id, id).await?;
                if now.token_version != account.token_version {
                    // Another process rotated the token while ours was under way.
                    let tokens = self.open_tokens(&now)?;
                    return Ok(AccessToken::new(id.as_str(), Secret::new(tokens.access_token)));
                }
                Err(self.reconnect_needed(&account, ReauthReason::GrantRevoked).await?)
            }
            Err(error) => {
                if let OauthError::InvalidClient(reason) = &error {
                    tracing::error!(%reason, "the Google client is not accepted: check its id and secret");
                }
                Err(ProviderError::from(error).into())
            }
        }
    }

    async fn store_grant(
        &self,
        account: &CalendarProviderAccount,
        grant: &TokenGrant,
        old_refresh_token: &str,
    ) -> Result<AccessToken, EngineError> {
        let (organization_id, id) = (&account.organization_id, &account.id);
        let tokens = StoredTokens::of(grant, Some(old_refresh_token), self.now())
            .ok_or_else(|| EngineError::ReconnectNeeded("no_token".to_owned()))?;
        let ciphertext = self.seal_tokens(organization_id, id, &tokens)?;
        let scopes = if grant.scopes.is_empty() { &account.scopes } else { &grant.scopes };
        let won = transact!(self, tx => {
            account_update_token(tx, organization_id, id, account.token_version, &ciphertext, scopes, self.now())
                .await?
        })?;
        let tokens = if won { tokens } else { self.open_tokens(&self.account(organization_id, id).await?)? };
        Ok(AccessToken::new(id.as_str(), Secret::new(tokens.access_token)))
    }

    /// Puts the account into "reconnect needed", unless it was connected again meanwhile, and gives the error that
    /// says so.
    async fn reconnect_needed(
        &self,
        account: &CalendarProviderAccount,
        reason: ReauthReason,
    ) -> Result<EngineError, EngineError> {
        let (organization_id, id) = (&account.organization_id, &account.id);
        let code = match reason {
            ReauthReason::MissingScope => "missing_scope",
            ReauthReason::AccessTokenExpired | ReauthReason::GrantRevoked => "grant_revoked",
        };
        let changed = transact!(self, tx => {
            let current = account_get(tx, organization_id, id).await?;
            let unchanged = current.is_some_and(|current| {
                current.state == AccountState::Active && current.token_version == account.token_version
            });
            if unchanged {
                account_update_state(tx, organization_id, id, AccountState::ReconnectNeeded, Some(code), self.now())
                    .await?;
                let detail = json!({ "reason": code });
                self.audit(
                    tx, organization_id, Actor::System, "account.reconnect_needed", Subject::Account(id), detail,
                )
                .await?;
            }
            unchanged
        })?;
        if !changed {
            return Err(EngineError::Store(StoreError::Retry));
        }
        tracing::warn!(account = %id, reason = code, "a calendar account has to be connected again");
        self.committed(organization_id);
        Ok(EngineError::ReconnectNeeded(code.to_owned()))
    }
}
