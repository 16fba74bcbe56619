//! Connecting a Google account: authorization code with PKCE (RFC 7636) and a state bound to the session.

use cupo_core::ids::{AccountId, CalendarId};
use cupo_providers::{
    AccessToken, CalendarProvider, OauthError, ProviderCalendar, ProviderError, Secret,
    google::oauth::{PkceChallenge, TokenGrant, missing_scopes, pkce_verifier},
};
use cupo_store::{
    AccountState, AuthKind, Calendar, CalendarProviderAccount, OauthState, Provider, StoreError, Tx,
    account_get_by_email, account_insert, account_update_state, account_update_token, calendar_delete,
    calendar_list_by_account, calendar_list_by_user, calendar_set_choices, calendar_upsert, oauth_state_insert,
    oauth_state_take,
};
use serde_json::json;
use subtle::ConstantTimeEq;
use url::Url;

use crate::{
    Engine, EngineError, Principal,
    audit::{Actor, Subject},
    engine::{digest, transact},
    history,
    keyring::RowReference,
    random::RandomSourceExt,
    tokens::StoredTokens,
};

/// What Google sent the host's browser back with.
#[derive(Clone, Default)]
pub struct GoogleCallback {
    /// The state that [`Engine::google_connect_start`] made.
    pub state: Option<String>,
    /// The authorization code.
    pub code: Option<String>,
    /// Why there is none, such as `access_denied`.
    pub error: Option<String>,
}

impl std::fmt::Debug for GoogleCallback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GoogleCallback").field("error", &self.error).finish_non_exhaustive()
    }
}

/// How a connection attempt ended.
#[derive(Debug, Clone)]
pub struct ConnectOutcome {
    /// The connected account; `None` when permissions are missing and nothing was stored.
    pub account_id: Option<AccountId>,
    /// The permissions that the host unticked: ask again.
    pub missing_scopes: Vec<&'static str>,
}

impl Engine {
    /// Whether the operator registered a Google client.
    #[must_use]
    pub fn google_configured(&self) -> bool {
        self.0.google.is_some()
    }

    /// Begins a connection: the address of Google's consent page.
    pub async fn google_connect_start(&self, principal: &Principal, session_token: &str) -> Result<Url, EngineError> {
        let google = self.google()?;
        let state = self.0.random.token();
        let state_hash = digest(&state);
        let mut bytes = [0; 32];
        self.0.random.fill(&mut bytes);
        let verifier = pkce_verifier(bytes);
        let state_row_id = hex::encode(&state_hash);
        let row = RowReference { table: "oauth_state", id: &state_row_id, organization_id: &principal.organization_id };
        let now = self.now();
        let row = OauthState {
            pkce_verifier_ciphertext: self.0.keyring.seal(&*self.0.random, row, verifier.expose().as_bytes()),
            state_hash,
            organization_id: principal.organization_id.clone(),
            user_id: principal.user_id.clone(),
            provider: Provider::Google,
            session_token_hash: digest(session_token),
            created_at: now,
            expires_at: now + self.0.settings.connect_ttl,
        };
        transact!(self, tx => oauth_state_insert(tx, &row).await?)?;
        Ok(google.oauth.authorize_url(&state, &PkceChallenge::s256(&verifier), None))
    }

    /// Ends a connection: stores the tokens, lists the calendars and starts to mirror them.
    ///
    /// # Errors
    /// [`EngineError::StateExpired`] when the attempt is too old, was finished before, or began in another session;
    /// [`EngineError::ConsentDenied`] when the host said no.
    pub async fn google_connect_finish(
        &self,
        principal: &Principal,
        session_token: &str,
        callback: GoogleCallback,
    ) -> Result<ConnectOutcome, EngineError> {
        let google = self.google()?;
        let verifier = self.take_state(principal, session_token, callback.state.as_deref()).await?;
        if let Some(error) = callback.error {
            tracing::info!(error = %error.escape_debug(), "Google gave no authorization code");
            return Err(EngineError::ConsentDenied);
        }
        let code = callback.code.ok_or(EngineError::StateExpired)?;
        let grant = google.oauth.exchange(&code, &verifier).await.map_err(|error| match error {
            OauthError::InvalidGrant(_) => EngineError::StateExpired,
            OauthError::Denied(_) => EngineError::ConsentDenied,
            OauthError::InvalidClient(reason) => {
                tracing::error!(%reason, "the Google client is not accepted: check its id and secret");
                EngineError::NotConfigured("google")
            }
            OauthError::Transient(reason) => ProviderError::Transient(reason).into(),
            OauthError::Rejected(reason) => ProviderError::Rejected(reason).into(),
        })?;
        let missing_scopes = missing_scopes(&grant.scopes);
        if !missing_scopes.is_empty() {
            // The grant is left alone: revoking it would also end an earlier, whole connection of the same account.
            return Ok(ConnectOutcome { account_id: None, missing_scopes });
        }
        let token = AccessToken::new(principal.user_id.as_str(), grant.access_token.clone());
        let calendars = google.provider.list_calendars(&token).await?;
        let account_id = self.store_account(principal, &grant, &calendars).await?;
        Ok(ConnectOutcome { account_id: Some(account_id), missing_scopes })
    }

    /// Uses up the state and gives the PKCE verifier that belongs to it.
    async fn take_state(
        &self,
        principal: &Principal,
        session_token: &str,
        state: Option<&str>,
    ) -> Result<Secret, EngineError> {
        let state_hash = digest(state.ok_or(EngineError::StateExpired)?);
        let taken = transact!(self, tx => oauth_state_take(tx, &state_hash, self.now()).await?)?;
        let taken = taken
            .filter(|taken| {
                taken.user_id == principal.user_id
                    && taken.organization_id == principal.organization_id
                    && bool::from(taken.session_token_hash.ct_eq(&digest(session_token)))
            })
            .ok_or(EngineError::StateExpired)?;
        let state_row_id = hex::encode(&state_hash);
        let row = RowReference { table: "oauth_state", id: &state_row_id, organization_id: &principal.organization_id };
        let verifier = self
            .0
            .keyring
            .open(row, &taken.pkce_verifier_ciphertext)
            .map_err(|e| EngineError::internal("opening a PKCE verifier", e))?;
        let verifier = String::from_utf8(verifier).map_err(|e| EngineError::internal("reading a PKCE verifier", e))?;
        Ok(Secret::new(verifier))
    }

    async fn store_account(
        &self,
        principal: &Principal,
        grant: &TokenGrant,
        calendars: &[ProviderCalendar],
    ) -> Result<AccountId, EngineError> {
        let organization_id = &principal.organization_id;
        // A primary calendar's id is the account's address; no scope is needed to learn it.
        let email = calendars
            .iter()
            .find(|calendar| calendar.is_primary)
            .map(|calendar| calendar.id.clone())
            .ok_or_else(|| ProviderError::Rejected("the account has no primary calendar".to_owned()))?;
        let stored = transact!(self, tx => {
            let existing =
                account_get_by_email(tx, organization_id, &principal.user_id, Provider::Google, &email).await?;
            let id = existing.as_ref().map_or_else(|| self.fresh(), |account| account.id.clone());
            let old = existing.as_ref().and_then(|account| self.open_tokens(account).ok());
            let old_refresh_token = old.as_ref().map(|tokens| tokens.refresh_token.as_str());
            let tokens = StoredTokens::of(grant, old_refresh_token, self.now())
                .ok_or_else(|| ProviderError::Rejected("no refresh token was granted".to_owned()))?;
            let ciphertext = self.seal_tokens(organization_id, &id, &tokens)?;
            let now = self.now();
            match &existing {
                Some(account) => {
                    let version = account.token_version;
                    if !account_update_token(tx, organization_id, &id, version, &ciphertext, &grant.scopes, now).await?
                    {
                        return Err(StoreError::Retry.into());
                    }
                    account_update_state(tx, organization_id, &id, AccountState::Active, None, now).await?;
                }
                None => {
                    let account = CalendarProviderAccount {
                        id: id.clone(),
                        organization_id: organization_id.clone(),
                        user_id: principal.user_id.clone(),
                        provider: Provider::Google,
                        auth_kind: AuthKind::UserOauth,
                        email: email.clone(),
                        impersonated_email: None,
                        scopes: grant.scopes.clone(),
                        token_ciphertext: Some(ciphertext),
                        token_version: 1,
                        state: AccountState::Active,
                        state_reason: None,
                        created_at: now,
                        updated_at: now,
                    };
                    account_insert(tx, &account).await?;
                }
            }
            self.store_calendars(tx, principal, &id, calendars).await?;
            let action = if existing.is_some() { "account.reconnected" } else { "account.connected" };
            let actor = Actor::User(&principal.user_id);
            self.audit(tx, organization_id, actor, action, Subject::Account(&id), json!({ "email": email })).await?;
            id
        })?;
        self.committed(organization_id);
        Ok(stored)
    }

    /// Stores the listed calendars, drops those that are gone, and gives an account without choices the usual ones:
    /// the primary calendar checks conflicts and, unless another one does, receives events.
    async fn store_calendars(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        account_id: &AccountId,
        listed: &[ProviderCalendar],
    ) -> Result<(), EngineError> {
        let organization_id = &principal.organization_id;
        for calendar in calendar_list_by_account(tx, organization_id, account_id).await? {
            if !listed.iter().any(|listed| listed.id == calendar.external_id) {
                calendar_delete(tx, organization_id, &calendar.id).await?;
            }
        }
        let mut stored = Vec::with_capacity(listed.len());
        for calendar in listed {
            let row = Calendar {
                id: self.fresh::<CalendarId>(),
                organization_id: organization_id.clone(),
                account_id: account_id.clone(),
                user_id: principal.user_id.clone(),
                external_id: calendar.id.clone(),
                name: calendar.name.clone(),
                time_zone: calendar.time_zone.clone(),
                color: calendar.color.clone(),
                can_write: calendar.can_write,
                is_primary: calendar.is_primary,
                checks_conflicts: false,
                receives_events: false,
                tentative_blocks: true,
                unanswered_blocks: true,
                sync_cursor: None,
                synced_at: None,
                mirror_until: None,
                sync_error: None,
            };
            stored.push(calendar_upsert(tx, &row).await?);
        }
        let of_user = calendar_list_by_user(tx, organization_id, &principal.user_id).await?;
        let receives = !of_user.iter().any(|calendar| calendar.receives_events);
        if !stored.iter().any(|calendar| calendar.checks_conflicts || calendar.receives_events) {
            for calendar in stored.iter_mut().filter(|calendar| calendar.is_primary) {
                history::calendar_choices_changed(tx, calendar, self.now()).await?;
                calendar.checks_conflicts = true;
                calendar.receives_events = receives && calendar.can_write;
                let Calendar { receives_events, tentative_blocks, unanswered_blocks, .. } = *calendar;
                calendar_set_choices(
                    tx,
                    organization_id,
                    &calendar.id,
                    true,
                    receives_events,
                    tentative_blocks,
                    unanswered_blocks,
                )
                .await?;
            }
        }
        for calendar in stored.iter().filter(|calendar| calendar.checks_conflicts || calendar.receives_events) {
            self.start_mirroring(tx, calendar).await?;
        }
        Ok(())
    }
}
