//! The tokens of a user's consent: who refreshes them, and what happens when a grant is dead.
//!
//! One refresher per account: inside a process an async mutex, between processes the lease `refresh:{account}`, which is taken
//! before the provider is asked. Who does not get it looks until the account's `token_version` has risen, and takes what was
//! stored; a holder that died holds the others up until its lease ends. The last guard is a compare-and-swap on the
//! `token_version`, for a holder that took longer than its lease or whose clock is wrong. Microsoft's refresh tokens rotate, so
//! a new one is stored before anything else is done, in a task of its own: a caller that gives up must not take it along. Where
//! the store fails it is kept in memory, with the lease, and stored as soon as the store works.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use cupo_core::ids::{AccountId, OrganizationId};
use cupo_providers::{OauthError, ProviderError, ReauthReason, Secret, oauth::TokenGrant};
use cupo_store::{
    AccountState, CalendarProviderAccount, Provider, account_get, account_update_state, account_update_token,
    lease_get, lease_release, lease_take,
};
use futures::future::BoxFuture;
use serde_json::json;
use tokio::time::{Instant, sleep};
use tracing::Instrument;

use super::MARGIN;
use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    credentials::{Credentials, OauthTokens},
    engine::transact,
    random::RandomSourceExt,
};

/// How often a process whose refresh token was refused looks whether another one has just rotated it, within half a
/// second or so.
const LOOKS: u32 = 6;
/// How long a process may take to refresh a token and to store it before another one may try: longer than the transport goes on
/// asking.
const LEASE: TimeDelta = TimeDelta::seconds(40);
/// How long a process waits for another one that refreshes the token: beyond the end of its lease.
const PATIENCE: Duration = Duration::from_secs(45);
/// Between two looks whether the other one is ready; the later ones are further apart.
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LATER_LOOKS: Duration = Duration::from_millis(400);
/// Between two tries to store tokens that could not be stored; the later ones are further apart, but no further than the lease
/// lasts.
const FIRST_TRY: Duration = Duration::from_millis(500);
const LATER_TRIES: Duration = Duration::from_secs(20);

/// Tokens that were granted and could not be stored.
struct Unsaved {
    /// Of the row that they replace.
    token_version: i64,
    tokens: OauthTokens,
    scopes: Vec<String>,
    /// Whether a task goes on trying to store them.
    is_tended: bool,
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
        let name = lease_name(id);
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Whoever held the lock or the lease before may have refreshed already.
            let mut account = self.usable_account(organization_id, id).await?;
            let mut tokens = self.open_tokens(&account)?;
            if let Some(left) = unsaved.take().filter(|left| left.token_version == account.token_version) {
                tokens = self.store_tokens(organization_id, id, left, &mut unsaved).await?;
                self.release_lease(&name).await;
                account = self.usable_account(organization_id, id).await?;
            }
            if self.is_good(&tokens, refused) {
                return Ok(tokens);
            }
            if !self.take_lease(&name).await? {
                self.until_refreshed_elsewhere(&account, &name, deadline).await?;
                continue;
            }
            let outcome = match self.usable_account(organization_id, id).await {
                Ok(now) if now.token_version != account.token_version => None,
                Ok(_) => Some(self.ask_for_tokens(&account, &tokens, &mut unsaved).await),
                Err(error) => Some(Err(error)),
            };
            // While good tokens wait to be stored, the old ones are of no use to anybody else.
            if unsaved.is_none() {
                self.release_lease(&name).await;
            }
            if let Some(outcome) = outcome {
                return outcome;
            }
        }
    }

    async fn ask_for_tokens(
        &self,
        account: &CalendarProviderAccount,
        old: &OauthTokens,
        unsaved: &mut Option<Unsaved>,
    ) -> Result<OauthTokens, EngineError> {
        let refresh_token = Secret::new(old.refresh_token.as_str());
        let granted = match account.provider {
            Provider::Google => self.google_oauth()?.refresh(&refresh_token).await,
            Provider::Outlook => self.microsoft_oauth()?.refresh(&refresh_token).await,
            Provider::Caldav | Provider::Ics => {
                return Err(EngineError::internal("refreshing an access token", "the provider has none"));
            }
        };
        match granted {
            Ok(grant) => {
                let tokens = self.store_grant(account, &grant, old, unsaved).await?;
                count(account.provider, "ok");
                self.client_accepted(account.provider).await?;
                Ok(tokens)
            }
            Err(OauthError::InvalidGrant(_) | OauthError::Denied(_)) => {
                if let Some(tokens) = self.rotated_elsewhere(account).await? {
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

    async fn take_lease(&self, name: &str) -> Result<bool, EngineError> {
        let mut tx = self.0.store.write_leases().await?;
        let now = self.now();
        let taken = lease_take(&mut tx, name, &self.0.process, now, now + LEASE).await?;
        tx.commit().await?;
        Ok(taken)
    }

    async fn release_lease(&self, name: &str) {
        let release = async {
            let mut tx = self.0.store.write_leases().await?;
            lease_release(&mut tx, name, &self.0.process).await?;
            Ok::<_, EngineError>(tx.commit().await?)
        };
        if let Err(error) = release.await {
            tracing::warn!(name, %error, "a lease could not be given back: it will run out");
        }
    }

    /// Waits until somebody else has stored new tokens of the account, or refreshes it no longer.
    async fn until_refreshed_elsewhere(
        &self,
        account: &CalendarProviderAccount,
        name: &str,
        deadline: Instant,
    ) -> Result<(), EngineError> {
        let mut pause = FIRST_LOOK;
        loop {
            sleep(self.0.random.jittered(pause)).await;
            pause = (pause * 2).min(LATER_LOOKS);
            let tx = &mut self.0.store.read().await?;
            let current = account_get(tx, &account.organization_id, &account.id).await?;
            let stays = current.is_some_and(|current| {
                current.token_version == account.token_version && current.state == AccountState::Active
            });
            if !stays || lease_get(tx, name, self.now()).await?.is_none() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let why = "another process is refreshing the token".to_owned();
                return Err(ProviderError::Transient(why).into());
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
        let token_version = account.token_version;
        let new = Unsaved { token_version, tokens, scopes: scopes.clone(), is_tended: false };
        self.store_tokens(&account.organization_id, &account.id, new, unsaved).await
    }

    /// Stores the tokens unless somebody else was faster; gives those that hold now. Where the store fails they are kept, and a
    /// task goes on trying.
    async fn store_tokens(
        &self,
        organization_id: &OrganizationId,
        id: &AccountId,
        mut new: Unsaved,
        unsaved: &mut Option<Unsaved>,
    ) -> Result<OauthTokens, EngineError> {
        let ciphertext = self.seal_credentials(organization_id, id, &Credentials::Oauth(new.tokens.clone()))?;
        let stored = transact!(self, tx => {
            let (version, now) = (new.token_version, self.now());
            let won = account_update_token(tx, organization_id, id, version, &ciphertext, &new.scopes, now).await?;
            let current = account_get(tx, organization_id, id).await?;
            // Another process, whose refresh token this one has used up, may have taken that for the end.
            let was_given_up = current.as_ref().is_some_and(|current| current.state == AccountState::ReconnectNeeded);
            if won && was_given_up {
                account_update_state(tx, organization_id, id, AccountState::Active, None, now).await?;
                self.audit(tx, organization_id, Actor::System, "account.works_again", Subject::Account(id), json!({}))
                    .await?;
            }
            (won, was_given_up, current)
        });
        match stored {
            Ok((true, was_given_up, _)) => {
                if was_given_up {
                    tracing::info!(account = %id, "a calendar account works again");
                    self.committed(organization_id);
                }
                Ok(new.tokens)
            }
            Ok((false, _, Some(current))) => self.open_tokens(&current),
            Ok((false, _, None)) => Err(EngineError::NotFound("account")),
            Err(error) => {
                tracing::error!(account = %id, %error, "new tokens could not be stored: they are kept in memory");
                if !std::mem::replace(&mut new.is_tended, true) {
                    let tending = self.clone().tend(organization_id.clone(), id.clone());
                    tokio::spawn(tending.in_current_span());
                }
                *unsaved = Some(new);
                Err(error)
            }
        }
    }

    /// Goes on trying to store tokens that could not be stored, and keeps the lease meanwhile: nobody else has tokens of the
    /// account that work.
    fn tend(self, organization_id: OrganizationId, id: AccountId) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let name = lease_name(&id);
            let mut pause = FIRST_TRY;
            loop {
                sleep(self.0.random.jittered(pause)).await;
                pause = (pause * 2).min(LATER_TRIES);
                let refresher = self.0.refreshers.of(&id);
                let mut unsaved = refresher.lock().await;
                let Some(left) = unsaved.take() else { return };
                let stored = self.store_tokens(&organization_id, &id, left, &mut unsaved).await;
                if unsaved.is_none() {
                    self.release_lease(&name).await;
                    if let Err(error) = stored {
                        tracing::warn!(account = %id, %error, "tokens that were kept are of no use any more");
                    }
                    return;
                }
                if let Err(error) = self.take_lease(&name).await {
                    tracing::debug!(account = %id, %error, "the lease of the account could not be kept");
                }
            }
        })
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

fn lease_name(id: &AccountId) -> String {
    format!("refresh:{id}")
}

fn count(provider: Provider, result: &'static str) {
    metrics::counter!("cupo_token_refreshes_total", "provider" => provider.as_str(), "result" => result).increment(1);
}
