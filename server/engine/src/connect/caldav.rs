//! With a user name and a password, at a server that speaks CalDAV.

use cupo_core::{
    ids::AccountId,
    parse::{FieldErrors, FieldProblem, required_text},
};
use cupo_providers::{
    CalendarProvider, ProviderCalendar, ProviderError, ReauthReason, Secret,
    caldav::{self, DiscoveryError, DiscoveryInput, Preset, ServerQuestion},
};
use cupo_store::{AccountState, AuthKind, Provider, account_get, account_get_by_email};
use url::Url;

use super::{Connected, Proof};
use crate::{Engine, EngineError, Principal, credentials::Credentials};

const LONGEST_SERVER: usize = 500;
const LONGEST_USERNAME: usize = 254;
const LONGEST_PASSWORD: usize = 500;

/// The form, as it was filled in.
#[derive(Clone, Default)]
pub struct CaldavInput {
    /// The service, by [`Preset::as_str`].
    pub preset: String,
    /// The server's address or an e-mail address; not read where the service is in one place.
    pub server: String,
    /// The name to sign in with.
    pub username: String,
    /// Of the account, or better one made for Cupo.
    pub password: String,
}

impl std::fmt::Debug for CaldavInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaldavInput").field("preset", &self.preset).finish_non_exhaustive()
    }
}

/// The form, read.
struct Parsed {
    preset: Preset,
    server: String,
    username: String,
    password: String,
}

impl CaldavInput {
    fn parse(&self) -> Result<Parsed, FieldErrors> {
        let mut errors = FieldErrors::default();
        let known = Preset::parse(&self.preset);
        let known = known.ok_or_else(|| FieldProblem::new("error.no_choice").with("value", &self.preset));
        let preset = errors.collect("preset", known);
        let asks = preset.is_none_or(|preset| preset.server_question() != ServerQuestion::None);
        let server = if asks { errors.collect("server", required_text(&self.server, LONGEST_SERVER)) } else { None };
        let username = errors.collect("username", required_text(&self.username, LONGEST_USERNAME));
        let password = errors.collect("password", parse_password(&self.password));
        match (preset, username, password) {
            (Some(preset), Some(username), Some(password)) if errors.is_empty() => {
                Ok(Parsed { server: preset.server(&server.unwrap_or_default()), preset, username, password })
            }
            _ => Err(errors),
        }
    }
}

impl Engine {
    /// Connects a CalDAV account, once its password has opened it. One that is there already gets the new password.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] at `preset`, `server`, `username` or `password`.
    pub async fn connect_caldav(&self, principal: &Principal, input: CaldavInput) -> Result<AccountId, EngineError> {
        let Parsed { preset, server, username, password } = input.parse()?;
        let input = DiscoveryInput {
            server_or_email: server,
            username: username.clone(),
            password: Secret::new(password.as_str()),
        };
        let found = caldav::discover(&self.0.providers.caldav.transport, &input).await;
        let home = found.map_err(|error| refused(&error, preset))?.home;
        let credentials = Credentials::Password { home: home.clone(), username: username.clone(), password };
        let calendars = self.calendars_by_password(principal, &credentials).await?;
        let connected = Connected {
            user_id: &principal.user_id,
            provider: Provider::Caldav,
            auth_kind: AuthKind::Password,
            email: self.name_of_account(principal, preset, &home, &username).await?,
            impersonated_email: None,
            credential_id: None,
            scopes: Vec::new(),
            proof: Proof::Entered(credentials),
        };
        self.store_account(principal, connected, &calendars).await
    }

    /// Gives a CalDAV account its new password, once that has opened it.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] at `password`.
    pub async fn account_password_replace(
        &self,
        principal: &Principal,
        id: &AccountId,
        password: String,
    ) -> Result<(), EngineError> {
        let account = account_get(&mut self.0.store.read().await?, &principal.organization_id, id).await?;
        let account = account
            .filter(|account| account.user_id == principal.user_id && account.state != AccountState::Disconnected);
        let account = account.ok_or(EngineError::NotFound("account"))?;
        let Credentials::Password { home, username, .. } = self.open_credentials(&account)? else {
            return Err(EngineError::NotFound("account"));
        };
        let password = parse_password(&password).map_err(|problem| problem.at("password"))?;
        let credentials = Credentials::Password { home, username, password };
        let calendars = self.calendars_by_password(principal, &credentials).await?;
        let connected = Connected {
            user_id: &principal.user_id,
            provider: Provider::Caldav,
            auth_kind: AuthKind::Password,
            email: account.email,
            impersonated_email: None,
            credential_id: None,
            scopes: Vec::new(),
            proof: Proof::Entered(credentials),
        };
        self.store_account(principal, connected, &calendars).await?;
        Ok(())
    }

    async fn calendars_by_password(
        &self,
        principal: &Principal,
        credentials: &Credentials,
    ) -> Result<Vec<ProviderCalendar>, EngineError> {
        // There is no account yet: the limits are those of its owner.
        let nobody: AccountId = self.fresh();
        let access = credentials
            .standing_access(&nobody)
            .ok_or_else(|| EngineError::internal("connecting a CalDAV account", "it has a password"))?;
        let listed = self.0.providers.caldav.provider.list_calendars(&access).await;
        tracing::debug!(user = %principal.user_id, ok = listed.is_ok(), "a CalDAV account was tried");
        listed.map_err(|error| match error {
            ProviderError::Reauth(ReauthReason::WrongPassword) => {
                FieldProblem::new("error.caldav_password").at("password").into()
            }
            error => error.into(),
        })
    }

    /// What the account is known by: its user name, which is an address as often as not. Where that does not tell two
    /// servers apart, theirs is added.
    async fn name_of_account(
        &self,
        principal: &Principal,
        preset: Preset,
        home: &Url,
        username: &str,
    ) -> Result<String, EngineError> {
        let host = home.host_str().unwrap_or_default();
        // The servers of the big services are many, and change: their common name tells them apart from others.
        let name = |host: &str| match preset.server_question() {
            ServerQuestion::None => service_of(host),
            _ => host.to_owned(),
        };
        let server_name = name(host);
        if !username.contains('@') {
            return Ok(format!("{username}@{server_name}"));
        }
        let (organization_id, user_id) = (&principal.organization_id, &principal.user_id);
        let tx = &mut self.0.store.read().await?;
        let namesake = account_get_by_email(tx, organization_id, user_id, Provider::Caldav, username).await?;
        let namesake = namesake.filter(|account| account.state != AccountState::Disconnected);
        let server = namesake.and_then(|account| self.open_credentials(&account).ok()?.server());
        Ok(match server {
            Some(server) if name(&server) != server_name => format!("{username} ({server_name})"),
            _ => username.to_owned(),
        })
    }
}

/// The last two labels of a host's name, such as `icloud.com` of `p42-caldav.icloud.com`.
fn service_of(host: &str) -> String {
    let labels: Vec<&str> = host.rsplit('.').take(2).collect();
    labels.into_iter().rev().collect::<Vec<_>>().join(".")
}

/// Spaces around what was pasted in are no part of it.
fn parse_password(text: &str) -> Result<String, FieldProblem> {
    required_text(text, LONGEST_PASSWORD)
}

/// At which field the host can mend it.
fn refused(error: &DiscoveryError, preset: Preset) -> EngineError {
    // Where no server is asked for, the user name is all that could lead to another one.
    let server = if preset.server_question() == ServerQuestion::None { "username" } else { "server" };
    let (field, problem) = match error {
        DiscoveryError::InvalidAddress => (server, FieldProblem::new("error.caldav_address")),
        DiscoveryError::InsecureAddress => (server, FieldProblem::new("error.caldav_insecure")),
        DiscoveryError::PrivateAddress => (server, FieldProblem::new("error.feed_private_address")),
        DiscoveryError::Unreachable(host) => {
            (server, FieldProblem::new("error.caldav_unreachable").with("server", host))
        }
        DiscoveryError::NotFound { tried } => {
            (server, FieldProblem::new("error.caldav_not_found").with("tried", tried.join(", ")))
        }
        DiscoveryError::WrongPassword => ("password", FieldProblem::new("error.caldav_password")),
        DiscoveryError::UnsupportedSignIn => (server, FieldProblem::new("error.caldav_sign_in")),
        DiscoveryError::Refused(_) => (server, FieldProblem::new("error.caldav_refused")),
        DiscoveryError::NoCalendars => (server, FieldProblem::new("error.caldav_no_calendars")),
    };
    if let DiscoveryError::Refused(why) = error {
        tracing::info!(%why, "a CalDAV server refused");
    }
    problem.at(field).into()
}
