//! By the user's consent, at Google or Microsoft: authorization code with PKCE (RFC 7636) and a state bound to the
//! session.

use cupo_core::ids::AccountId;
use cupo_providers::{
    Access, OauthError, ProviderCalendar, ProviderError, Secret, Target, google, microsoft,
    oauth::{PkceChallenge, TokenGrant, pkce_verifier},
};
use cupo_store::{
    AccountState, AuthKind, CalendarProviderAccount, OauthState, Provider, account_get, oauth_state_insert,
    oauth_state_take,
};
use subtle::ConstantTimeEq;
use url::Url;

use super::{Connected, Proof};
use crate::{
    Engine, EngineError, Principal,
    engine::{digest, transact},
    keyring::RowReference,
    random::RandomSourceExt,
};

/// Whose consent is asked for.
#[derive(Debug, Clone)]
pub struct ConnectStart {
    /// Google or Microsoft.
    pub provider: Provider,
    /// The account that is to be connected again; without one, the user chooses.
    pub account: Option<AccountId>,
}

/// What the provider sent the host's browser back with.
#[derive(Clone, Default)]
pub struct OauthCallback {
    /// The state that [`Engine::connect_start`] made.
    pub state: Option<String>,
    /// The authorization code.
    pub code: Option<String>,
    /// Why there is none, such as `access_denied`.
    pub error: Option<String>,
    /// More of it. Only a code at its beginning is read (`AADSTS65004: ...`).
    pub error_description: Option<String>,
}

impl std::fmt::Debug for OauthCallback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OauthCallback").field("error", &self.error).finish_non_exhaustive()
    }
}

/// How a connection attempt ended.
#[derive(Debug, Clone)]
pub struct ConnectOutcome {
    /// The connected account; `None` when permissions are missing and nothing was stored.
    pub account_id: Option<AccountId>,
    /// The permissions that the host unticked: ask again.
    pub missing_scopes: Vec<String>,
}

impl Engine {
    /// Begins a connection: the address of the provider's consent page.
    ///
    /// # Errors
    /// [`EngineError::NotConfigured`] without a client of the operator's, [`EngineError::NotFound`] for another's
    /// account.
    pub async fn connect_start(
        &self,
        principal: &Principal,
        session_token: &str,
        start: ConnectStart,
    ) -> Result<Url, EngineError> {
        let account = self.account_to_reconnect(principal, &start).await?;
        let login_hint = account.as_ref().map(|account| account.email.as_str());
        let claims = account.as_ref().and_then(|account| account.claims_challenge.as_deref());
        let state = self.0.random.token();
        let mut bytes = [0; 32];
        self.0.random.fill(&mut bytes);
        let verifier = pkce_verifier(bytes);
        let challenge = PkceChallenge::s256(&verifier);
        let url = match start.provider {
            Provider::Google => self.google_oauth()?.authorize_url(&state, &challenge, login_hint),
            Provider::Outlook => self.microsoft_oauth()?.authorize_url(&state, &challenge, login_hint, claims),
            Provider::Caldav | Provider::Ics => return Err(EngineError::NotConfigured(start.provider.as_str())),
        };
        self.keep_state(principal, session_token, start.provider, &state, &verifier).await?;
        Ok(url)
    }

    /// What a host sends to their administrator, who allows the operator's application at Microsoft for everybody in
    /// the organization there. `None` when the operator has registered none.
    #[must_use]
    pub fn admin_consent_url(&self, _: &Principal) -> Option<Url> {
        self.0.providers.microsoft.oauth.as_ref()?.admin_consent_url()
    }

    async fn account_to_reconnect(
        &self,
        principal: &Principal,
        start: &ConnectStart,
    ) -> Result<Option<CalendarProviderAccount>, EngineError> {
        let Some(id) = &start.account else { return Ok(None) };
        let account = account_get(&mut self.0.store.read().await?, &principal.organization_id, id).await?;
        let account = account.filter(|account| {
            account.user_id == principal.user_id
                && account.provider == start.provider
                && account.auth_kind == AuthKind::UserOauth
                && account.state != AccountState::Disconnected
        });
        account.ok_or(EngineError::NotFound("account")).map(Some)
    }

    /// Ends a connection: stores the tokens, lists the calendars and starts to mirror them.
    ///
    /// # Errors
    /// [`EngineError::StateExpired`] when the attempt is too old, was finished before, or began in another session;
    /// [`EngineError::ConsentDenied`] when the host said no, [`EngineError::ConsentNeeded`] when only their
    /// administrator can say yes.
    pub async fn connect_finish(
        &self,
        principal: &Principal,
        session_token: &str,
        provider: Provider,
        callback: OauthCallback,
    ) -> Result<ConnectOutcome, EngineError> {
        let verifier = self.take_state(principal, session_token, provider, callback.state.as_deref()).await?;
        if let Some(error) = &callback.error {
            let refused = refused(provider, error, callback.error_description.as_deref());
            tracing::info!(provider = provider.as_str(), %refused, "a provider gave no authorization code");
            // What a browser brings is anybody's word: it alerts nobody.
            let told = match refused {
                OauthError::InvalidClient(code) => EngineError::OperatorNeeded(code),
                other => self.connect_error(provider, other).await?,
            };
            return Err(match told {
                // What the host would have to do anew is what they have just broken off.
                EngineError::StateExpired | EngineError::Provider(ProviderError::Rejected(_)) => {
                    EngineError::ConsentDenied
                }
                other => other,
            });
        }
        let code = callback.code.ok_or(EngineError::StateExpired)?;
        let granted = match provider {
            Provider::Google => self.google_oauth()?.exchange(&code, &verifier).await,
            Provider::Outlook => self.microsoft_oauth()?.exchange(&code, &verifier).await,
            Provider::Caldav | Provider::Ics => return Err(EngineError::NotConfigured(provider.as_str())),
        };
        let grant = match granted {
            Ok(grant) => grant,
            Err(error) => return Err(self.connect_error(provider, error).await?),
        };
        self.client_accepted(provider).await?;
        let missing_scopes = match provider {
            Provider::Outlook => microsoft::oauth::missing_scopes(&grant.scopes),
            _ => google::oauth::missing_scopes(&grant.scopes),
        };
        if !missing_scopes.is_empty() {
            // The grant is left alone: revoking it would also end an earlier, whole connection of the same account.
            let missing_scopes = missing_scopes.into_iter().map(str::to_owned).collect();
            return Ok(ConnectOutcome { account_id: None, missing_scopes });
        }
        let (email, calendars) = self.consented(principal, provider, &grant).await?;
        let connected = Connected {
            user_id: &principal.user_id,
            provider,
            auth_kind: AuthKind::UserOauth,
            email,
            impersonated_email: None,
            credential_id: None,
            scopes: grant.scopes.clone(),
            proof: Proof::Granted(&grant),
        };
        let account_id = self.store_account(principal, connected, &calendars).await?;
        Ok(ConnectOutcome { account_id: Some(account_id), missing_scopes: Vec::new() })
    }

    /// Whose account it is, and its calendars.
    async fn consented(
        &self,
        principal: &Principal,
        provider: Provider,
        grant: &TokenGrant,
    ) -> Result<(String, Vec<ProviderCalendar>), EngineError> {
        let access = Access::bearer(principal.user_id.as_str(), grant.access_token.clone());
        let access = if grant.is_personal { access.to(Target::Personal) } else { access };
        let calendars = self.provider(provider).list_calendars(&access).await?;
        let email = match provider {
            Provider::Outlook => self.0.providers.microsoft.provider.me(&access).await?.email,
            _ => primary_address(&calendars)?,
        };
        Ok((email, calendars))
    }

    /// What a failed consent means to the host.
    async fn connect_error(&self, provider: Provider, error: OauthError) -> Result<EngineError, EngineError> {
        Ok(match error {
            OauthError::InvalidGrant(_) => EngineError::StateExpired,
            OauthError::Denied(_) => EngineError::ConsentDenied,
            OauthError::InvalidClient(code) => {
                self.client_refused(provider, &code).await?;
                EngineError::OperatorNeeded(code)
            }
            other => ProviderError::from(other).into(),
        })
    }

    /// Remembers what the callback must match.
    async fn keep_state(
        &self,
        principal: &Principal,
        session_token: &str,
        provider: Provider,
        state: &str,
        verifier: &Secret,
    ) -> Result<(), EngineError> {
        let state_hash = digest(state);
        let state_row_id = hex::encode(&state_hash);
        let row = RowReference { table: "oauth_state", id: &state_row_id, organization_id: &principal.organization_id };
        let now = self.now();
        let row = OauthState {
            pkce_verifier_ciphertext: self.0.keyring.seal(&*self.0.random, row, verifier.expose().as_bytes()),
            state_hash,
            organization_id: principal.organization_id.clone(),
            user_id: principal.user_id.clone(),
            provider,
            session_token_hash: digest(session_token),
            created_at: now,
            expires_at: now + self.0.settings.connect_ttl,
        };
        transact!(self, tx => oauth_state_insert(tx, &row).await?)
    }

    /// Uses up the state and gives the PKCE verifier that belongs to it.
    async fn take_state(
        &self,
        principal: &Principal,
        session_token: &str,
        provider: Provider,
        state: Option<&str>,
    ) -> Result<Secret, EngineError> {
        let state_hash = digest(state.ok_or(EngineError::StateExpired)?);
        let session_token_hash = digest(session_token);
        // A refusal is no commit: whoever is not the one who began cannot use the state up.
        let taken = transact!(self, tx => {
            let taken = oauth_state_take(tx, &state_hash, self.now()).await?.filter(|taken| {
                taken.user_id == principal.user_id
                    && taken.organization_id == principal.organization_id
                    // A code of one provider must not be shown to another (RFC 9700 §4.4).
                    && taken.provider == provider
                    && bool::from(taken.session_token_hash.ct_eq(&session_token_hash))
            });
            taken.ok_or(EngineError::StateExpired)?
        })?;
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
}

/// What it means that the host came back without a code.
fn refused(provider: Provider, error: &str, description: Option<&str>) -> OauthError {
    match (provider, error) {
        (Provider::Outlook, _) => microsoft::oauth::refused(error, description),
        // <https://developers.google.com/identity/protocols/oauth2/web-server#authorization-errors>
        (_, "admin_policy_enforced") => OauthError::ConsentNeeded(error.to_owned()),
        (_, "org_internal" | "deleted_client" | "redirect_uri_mismatch" | "unauthorized_client") => {
            OauthError::InvalidClient(error.to_owned())
        }
        _ => OauthError::Denied("the consent page".to_owned()),
    }
}

/// A primary calendar's id is the account's address; no scope is needed to learn it.
pub(super) fn primary_address(calendars: &[ProviderCalendar]) -> Result<String, EngineError> {
    let primary = calendars.iter().find(|calendar| calendar.is_primary);
    let primary = primary.ok_or_else(|| ProviderError::Rejected("the account has no primary calendar".to_owned()))?;
    Ok(primary.id.clone())
}
