//! Calls to providers on behalf of accounts: who gets which access, and whose turn it is when one is refused.
//!
//! [`Engine::call_provider`] is the one place where the refusals of all providers are sorted:
//! - what only the host can mend puts the account into "reconnect needed", with a reason code;
//! - what the host's administrator or the operator must mend leaves it active, with a reason; it is tried again every
//!   hour, and the reason goes when a call succeeds. Hosts are never told "disconnected" for somebody else's fault;
//! - what passes is passed on.

mod minted;
mod refresh;
mod resting;

use std::sync::Arc;

use chrono::TimeDelta;
use chrono_tz::Tz;
use cupo_core::ids::{AccountId, OrganizationId};
use cupo_providers::{Access, CalendarProvider, ProviderError, ReauthReason, Secret, Target};
use cupo_store::{
    AccountState, AuthKind, CalendarProviderAccount, Provider, StoreError, account_get, account_set_claims_challenge,
    account_update_state, schedule_get_by_user,
};
use serde_json::json;

use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    engine::transact,
};

pub(crate) use minted::MintedTokens;
pub(crate) use refresh::Refreshers;
pub(crate) use resting::Resting;

/// A token that has less life left than this is refreshed first.
const MARGIN: TimeDelta = TimeDelta::seconds(60);

/// `state_reason` of an active account: its administrator must allow something.
pub(crate) const CONSENT_NEEDED: &str = "consent_needed";
/// `state_reason` of an active account: the client or the credential by which Cupo acts is not accepted.
pub(crate) const OPERATOR_NEEDED: &str = "operator_needed";

/// Whether a provider is asked although the account waits for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Not before an hour has passed.
    Waits,
    /// Somebody wants to know now.
    Asks,
}

impl Engine {
    /// Calls the provider for an account; a refused access token is refreshed and the call made once more.
    ///
    /// # Errors
    /// [`EngineError::ReconnectNeeded`] when only the host can mend it, [`EngineError::ConsentNeeded`] when their
    /// administrator must, [`EngineError::OperatorNeeded`] when the client is not accepted, [`EngineError::Provider`]
    /// for the rest.
    pub(crate) async fn call_provider<T, F, Called>(
        &self,
        organization_id: &OrganizationId,
        id: &AccountId,
        call: F,
    ) -> Result<T, EngineError>
    where
        F: Fn(Arc<dyn CalendarProvider>, Access) -> Called,
        Called: Future<Output = Result<T, ProviderError>>,
    {
        self.call_provider_with(Patience::Waits, organization_id, id, call).await
    }

    /// As [`Self::call_provider`].
    pub(crate) async fn call_provider_with<T, F, Called>(
        &self,
        patience: Patience,
        organization_id: &OrganizationId,
        id: &AccountId,
        call: F,
    ) -> Result<T, EngineError>
    where
        F: Fn(Arc<dyn CalendarProvider>, Access) -> Called,
        Called: Future<Output = Result<T, ProviderError>>,
    {
        let (account, time_zone) = self.account_with_zone(organization_id, id).await?;
        if patience == Patience::Waits
            && let Some(error) = self.still_waiting(&account).await?
        {
            return Err(error);
        }
        match self.called(&account, time_zone, call).await {
            Ok(answer) => {
                if account.state_reason.is_some() {
                    self.works_again(&account).await?;
                }
                Ok(answer)
            }
            Err(error) => Err(self.whose_turn(&account, error).await?),
        }
    }

    async fn called<T, F, Called>(
        &self,
        account: &CalendarProviderAccount,
        time_zone: Option<Tz>,
        call: F,
    ) -> Result<T, EngineError>
    where
        F: Fn(Arc<dyn CalendarProvider>, Access) -> Called,
        Called: Future<Output = Result<T, ProviderError>>,
    {
        let provider = self.provider(account.provider);
        let in_zone = |access: Access| match time_zone {
            Some(time_zone) => access.in_zone(time_zone),
            None => access,
        };
        let access = in_zone(self.access(account, None).await?);
        match call(provider.clone(), access.clone()).await {
            Err(ProviderError::Reauth(ReauthReason::AccessTokenExpired)) if access.token().is_some() => {
                let access = in_zone(self.access(account, access.token()).await?);
                Ok(call(provider, access).await?)
            }
            answer => Ok(answer?),
        }
    }

    /// The account, if it can be used.
    pub(super) async fn usable_account(
        &self,
        organization_id: &OrganizationId,
        id: &AccountId,
    ) -> Result<CalendarProviderAccount, EngineError> {
        let account = account_get(&mut self.0.store.read().await?, organization_id, id).await?;
        usable(account)
    }

    async fn account_with_zone(
        &self,
        organization_id: &OrganizationId,
        id: &AccountId,
    ) -> Result<(CalendarProviderAccount, Option<Tz>), EngineError> {
        let tx = &mut self.0.store.read().await?;
        let account = usable(account_get(tx, organization_id, id).await?)?;
        let schedule = schedule_get_by_user(tx, organization_id, &account.user_id).await?;
        Ok((account, schedule.map(|schedule| schedule.time_zone.tz())))
    }

    /// A good access for the account, by a token other than `refused`. Whether the account is disconnected is not
    /// asked.
    pub(crate) async fn access(
        &self,
        account: &CalendarProviderAccount,
        refused: Option<&Secret>,
    ) -> Result<Access, EngineError> {
        let id = account.id.as_str();
        match account.auth_kind {
            AuthKind::UserOauth => {
                let tokens = self.user_tokens(account, refused).await?;
                let access = Access::bearer(id, Secret::new(tokens.access_token));
                Ok(if tokens.is_personal { access.to(Target::Personal) } else { access })
            }
            AuthKind::ServiceAccount => Ok(Access::bearer(id, self.minted_token(account, refused).await?)),
            AuthKind::Application => {
                let access = Access::bearer(id, self.minted_token(account, refused).await?);
                Ok(access.to(Target::Mailbox(mailbox_of(account).into())))
            }
            AuthKind::Password => self
                .open_credentials(account)?
                .standing_access(&account.id)
                .ok_or_else(|| EngineError::internal("the access of an account", "tokens of another kind of account")),
        }
    }

    /// The error of an account that waits for somebody and was tried within the hour; `None` once it was mended, here or by
    /// another process.
    async fn still_waiting(&self, account: &CalendarProviderAccount) -> Result<Option<EngineError>, EngineError> {
        let Some(reason) = account.state_reason.as_deref().filter(|_| self.0.resting.rests(account, self.now())) else {
            return Ok(None);
        };
        if reason == CONSENT_NEEDED {
            return Ok(Some(EngineError::ConsentNeeded(reason.to_owned())));
        }
        // The alert goes when the operator's client is accepted again, for whichever account.
        let waits = account.credential_id.is_some() || self.client_is_refused(account.provider).await?;
        Ok(waits.then(|| EngineError::OperatorNeeded(reason.to_owned())))
    }

    /// Sorts a failed call by who can mend it, notes that on the account, and gives the error that says so.
    async fn whose_turn(
        &self,
        account: &CalendarProviderAccount,
        error: EngineError,
    ) -> Result<EngineError, EngineError> {
        match error {
            // No host consented to what a credential does, and none can sign in again for it.
            EngineError::Provider(ProviderError::Reauth(reason)) if account.credential_id.is_some() => {
                self.waits_for(account, CONSENT_NEEDED).await?;
                Ok(EngineError::ConsentNeeded(code_of(&reason).to_owned()))
            }
            EngineError::Provider(ProviderError::Reauth(reason)) => self.reconnect_needed(account, reason).await,
            EngineError::ConsentNeeded(code) => {
                self.waits_for(account, CONSENT_NEEDED).await?;
                Ok(EngineError::ConsentNeeded(code))
            }
            EngineError::OperatorNeeded(code) => {
                self.waits_for(account, OPERATOR_NEEDED).await?;
                if account.credential_id.is_none() {
                    self.client_refused(account.provider, &code).await?;
                } else {
                    // The organization's own administrators brought it, and can bring another.
                    tracing::warn!(account = %account.id, %code, "the credential of an account is not accepted");
                }
                Ok(EngineError::OperatorNeeded(code))
            }
            other => Ok(other),
        }
    }

    /// Leaves the account active, with the reason why it does not work.
    async fn waits_for(&self, account: &CalendarProviderAccount, reason: &'static str) -> Result<(), EngineError> {
        let (organization_id, id) = (&account.organization_id, &account.id);
        let changed = transact!(self, tx => {
            let current = account_get(tx, organization_id, id).await?;
            let changes = current.is_some_and(|current| {
                current.state == AccountState::Active
                    && current.token_version == account.token_version
                    && current.state_reason.as_deref() != Some(reason)
            });
            if changes {
                account_update_state(tx, organization_id, id, AccountState::Active, Some(reason), self.now()).await?;
                let detail = json!({ "reason": reason });
                self.audit(tx, organization_id, Actor::System, "account.waiting", Subject::Account(id), detail).await?;
            }
            changes
        })?;
        // After the change of the account, which would wake it otherwise.
        self.0.resting.rest(id, self.now());
        if changed {
            tracing::warn!(account = %id, reason, "a calendar account does not work until somebody else mends it");
            self.committed(organization_id);
        }
        Ok(())
    }

    /// A call has succeeded: the account waits for nobody any more.
    async fn works_again(&self, account: &CalendarProviderAccount) -> Result<(), EngineError> {
        let (organization_id, id) = (&account.organization_id, &account.id);
        let changed = transact!(self, tx => {
            let current = account_get(tx, organization_id, id).await?;
            let waits = current.is_some_and(|current| {
                current.state == AccountState::Active && current.state_reason.is_some()
            });
            if waits {
                account_update_state(tx, organization_id, id, AccountState::Active, None, self.now()).await?;
                self.audit(tx, organization_id, Actor::System, "account.works_again", Subject::Account(id), json!({}))
                    .await?;
            }
            waits
        })?;
        self.0.resting.wake(id);
        if account.credential_id.is_none() {
            self.client_accepted(account.provider).await?;
        }
        if changed {
            tracing::info!(account = %id, "a calendar account works again");
            self.committed(organization_id);
        }
        Ok(())
    }

    /// Puts the account into "reconnect needed", unless it was connected again meanwhile, and gives the error that
    /// says so.
    async fn reconnect_needed(
        &self,
        account: &CalendarProviderAccount,
        reason: ReauthReason,
    ) -> Result<EngineError, EngineError> {
        let (organization_id, id) = (&account.organization_id, &account.id);
        let code = code_of(&reason);
        let changed = transact!(self, tx => {
            let current = account_get(tx, organization_id, id).await?;
            let unchanged = current.is_some_and(|current| {
                current.state == AccountState::Active && current.token_version == account.token_version
            });
            if unchanged {
                account_update_state(tx, organization_id, id, AccountState::ReconnectNeeded, Some(code), self.now())
                    .await?;
                if let ReauthReason::ClaimsChallenge(claims) = &reason {
                    account_set_claims_challenge(tx, organization_id, id, claims, self.now()).await?;
                }
                let detail = json!({ "reason": code });
                self.tell_host(tx, account, Actor::System, "account.reconnect_needed", detail).await?;
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

/// The mailbox that is opened by a credential of the organization.
pub(crate) fn mailbox_of(account: &CalendarProviderAccount) -> &str {
    account.impersonated_email.as_deref().unwrap_or(&account.email)
}

/// The operator's client at a provider, as alerts name it.
pub(crate) fn client_code(provider: Provider) -> Option<&'static str> {
    match provider {
        Provider::Google => Some("google_client"),
        Provider::Outlook => Some("microsoft_client"),
        Provider::Caldav | Provider::Ics => None,
    }
}

fn usable(account: Option<CalendarProviderAccount>) -> Result<CalendarProviderAccount, EngineError> {
    let account = account.ok_or(EngineError::NotFound("account"))?;
    match account.state {
        AccountState::Active => Ok(account),
        AccountState::Disconnected => Err(EngineError::NotFound("account")),
        AccountState::ReconnectNeeded => Err(EngineError::ReconnectNeeded(account.state_reason.unwrap_or_default())),
    }
}

fn code_of(reason: &ReauthReason) -> &'static str {
    match reason {
        ReauthReason::MissingScope => "missing_scope",
        ReauthReason::AccessTokenExpired | ReauthReason::GrantRevoked => "grant_revoked",
        ReauthReason::WrongPassword => "wrong_password",
        ReauthReason::ClaimsChallenge(_) => "claims_challenge",
    }
}
