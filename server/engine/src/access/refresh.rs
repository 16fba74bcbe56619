//! The tokens of a user's consent: who refreshes them, and what happens when a grant is dead.
//!
//! One refresher per account: inside a process an async mutex, between processes a compare-and-swap on the account's
//! `token_version`. The loser takes what the winner stored. Microsoft's refresh tokens rotate, so a new one is stored
//! before anything else is done, in a task of its own: a caller that gives up must not take it along. Where the store
//! fails it is kept in memory and stored before the account is refreshed again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use cupo_core::ids::{AccountId, OrganizationId};
use cupo_providers::{OauthError, ProviderError, ReauthReason, Secret, oauth::TokenGrant};
use cupo_store::{
    AccountState, CalendarProviderAccount, Provider, account_get, account_update_state, account_update_token,
};
use tracing::Instrument;

use super::MARGIN;
use crate::{
    Engine, EngineError,
    credentials::{Credentials, OauthTokens},
    engine::transact,
};

/// How often a process whose refresh token was refused looks whether another one has just rotated it, within half a
/// second or so.
const LOOKS: u32 = 6;

/// Tokens that were granted and could not be stored.
struct Unsaved {
    /// Of the row that they replace.
    token_version: i64,
    tokens: OauthTokens,
    scopes: Vec<String>,
}

type Refresher = Arc<tokio::sync::Mutex<Option<Unsaved>>>;

/// The async mutex of each account that is being refreshed at the moment, or has tokens that could not be stored.
#[derive(Default)]
pub(crate) struct Refreshers(Mutex<HashMap<AccountId, Refresher>>);

impl Refreshers {
    fn of(&self, id: &AccountId) -> Refresher {
        let mut refreshers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refreshers.retain(|_, refresher| {
            Arc::strong_count(refresher) > 1 || refresher.try_lock().is_ok_and(|unsaved| unsaved.is_some())
        });
        refreshers.entry(id.clone()).or_default().clone()
    }
}

impl Engine {
    /// Good tokens of an account to which its user has consented, with an access token other than `refused`.
    pub(super) async fn user_tokens(
        &self,
        account: &CalendarProviderAccount,
        refused: Option<&Secret>,
    ) -> Result<OauthTokens, EngineError> {
        let tokens = self.open_tokens(account)?;
        if self.is_good(&tokens, refused) {
            return Ok(tokens);
        }
        let (engine, refused) = (self.clone(), refused.cloned());
        let (organization_id, id) = (account.organization_id.clone(), account.id.clone());
        let refreshing = async move { engine.refresh(&organization_id, &id, refused.as_ref()).await };
        tokio::spawn(refreshing.in_current_span())
            .await
            .map_err(|e| EngineError::internal("refreshing an access token", e))?
    }

    fn is_good(&self, tokens: &OauthTokens, refused: Option<&Secret>) -> bool {
        tokens.expires_at - MARGIN > self.now() && refused.is_none_or(|refused| !refused.matches(&tokens.access_token))
    }

    async fn refresh(
        &self,
        organization_id: &OrganizationId,
        id: &AccountId,
        refused: Option<&Secret>,
    ) -> Result<OauthTokens, EngineError> {
        let refresher = self.0.refreshers.of(id);
        let mut unsaved = refresher.lock().await;
        // Whoever held the lock before may have refreshed already.
        let mut account = self.usable_account(organization_id, id).await?;
        let mut tokens = self.open_tokens(&account)?;
        if let Some(left) = unsaved.take().filter(|left| left.token_version == account.token_version) {
            tokens = self.store_tokens(&account, left, &mut unsaved).await?;
            account = self.usable_account(organization_id, id).await?;
        }
        if self.is_good(&tokens, refused) {
            return Ok(tokens);
        }
        let refresh_token = Secret::new(tokens.refresh_token.as_str());
        let granted = match account.provider {
            Provider::Google => self.google_oauth()?.refresh(&refresh_token).await,
            Provider::Outlook => self.microsoft_oauth()?.refresh(&refresh_token).await,
            Provider::Caldav | Provider::Ics => {
                return Err(EngineError::internal("refreshing an access token", "the provider has none"));
            }
        };
        match granted {
            Ok(grant) => {
                let tokens = self.store_grant(&account, &grant, &tokens, &mut unsaved).await?;
                count(account.provider, "ok");
                self.client_accepted(account.provider).await?;
                Ok(tokens)
            }
            Err(OauthError::InvalidGrant(_) | OauthError::Denied(_)) => {
                if let Some(tokens) = self.rotated_elsewhere(&account).await? {
                    return Ok(tokens);
                }
                count(account.provider, "dead");
                Err(ProviderError::Reauth(ReauthReason::GrantRevoked).into())
            }
            Err(error) => {
                count(account.provider, "failed");
                Err(ProviderError::from(error).into())
            }
        }
    }

    async fn store_grant(
        &self,
        account: &CalendarProviderAccount,
        grant: &TokenGrant,
        old: &OauthTokens,
        unsaved: &mut Option<Unsaved>,
    ) -> Result<OauthTokens, EngineError> {
        let tokens = OauthTokens::of(grant, Some(old), self.now())
            .ok_or_else(|| EngineError::internal("storing a grant", "there was a refresh token before"))?;
        let scopes = if grant.scopes.is_empty() { &account.scopes } else { &grant.scopes };
        let new = Unsaved { token_version: account.token_version, tokens, scopes: scopes.clone() };
        self.store_tokens(account, new, unsaved).await
    }

    /// Stores the tokens unless somebody else was faster; gives those that hold now. Where the store fails they are
    /// kept.
    async fn store_tokens(
        &self,
        account: &CalendarProviderAccount,
        new: Unsaved,
        unsaved: &mut Option<Unsaved>,
    ) -> Result<OauthTokens, EngineError> {
        let (organization_id, id) = (&account.organization_id, &account.id);
        let ciphertext = self.seal_credentials(organization_id, id, &Credentials::Oauth(new.tokens.clone()))?;
        let stored = transact!(self, tx => {
            let (version, now) = (account.token_version, self.now());
            let won = account_update_token(tx, organization_id, id, version, &ciphertext, &new.scopes, now).await?;
            let current = account_get(tx, organization_id, id).await?;
            // Another process, whose refresh token this one has used up, may have taken that for the end.
            if won && current.as_ref().is_some_and(|current| current.state == AccountState::ReconnectNeeded) {
                account_update_state(tx, organization_id, id, AccountState::Active, None, now).await?;
            }
            (won, current)
        });
        match stored {
            Ok((true, _)) => Ok(new.tokens),
            Ok((false, Some(current))) => self.open_tokens(&current),
            Ok((false, None)) => Err(EngineError::NotFound("account")),
            Err(error) => {
                tracing::error!(account = %id, %error, "new tokens could not be stored: they are kept in memory");
                *unsaved = Some(new);
                Err(error)
            }
        }
    }

    /// What another process stored while this one asked with the same refresh token.
    async fn rotated_elsewhere(&self, account: &CalendarProviderAccount) -> Result<Option<OauthTokens>, EngineError> {
        for look in 1..=LOOKS {
            let now = self.usable_account(&account.organization_id, &account.id).await?;
            if now.token_version != account.token_version {
                return self.open_tokens(&now).map(Some);
            }
            if look < LOOKS {
                self.pause_before_retry(look).await;
            }
        }
        Ok(None)
    }
}

fn count(provider: Provider, result: &'static str) {
    metrics::counter!("cupo_token_refreshes_total", "provider" => provider.as_str(), "result" => result).increment(1);
}
