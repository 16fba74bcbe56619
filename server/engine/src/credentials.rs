//! What is sealed in the row of an account: by what it proves to its provider that it may act. Service accounts and
//! applications act by a credential of the organization and have nothing here.

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::ids::{AccountId, OrganizationId};
use cupo_providers::{Access, Secret, oauth::TokenGrant};
use cupo_store::CalendarProviderAccount;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::{Engine, EngineError, keyring::RowReference};

/// What an account has been given. It has no `Debug`: nothing of it may be printed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Credentials {
    /// A user's consent.
    Oauth(OauthTokens),
    /// A CalDAV account.
    Password {
        /// Where its calendars are.
        home: Url,
        username: String,
        password: String,
    },
    /// A feed: whoever knows the address may read it.
    Feed { address: String },
}

/// The tokens of a user's consent.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OauthTokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) expires_at: DateTime<Utc>,
    /// Of a personal Microsoft account.
    #[serde(default)]
    pub(crate) is_personal: bool,
}

impl OauthTokens {
    /// The grant's tokens; without a new refresh token the old one stays good. `None` when there is neither.
    pub(crate) fn of(grant: &TokenGrant, old: Option<&Self>, now: DateTime<Utc>) -> Option<Self> {
        let old_refresh_token = old.map(|old| old.refresh_token.as_str());
        let refresh_token = grant.refresh_token.as_ref().map(Secret::expose).or(old_refresh_token)?;
        Some(Self {
            access_token: grant.access_token.expose().to_owned(),
            refresh_token: refresh_token.to_owned(),
            expires_at: now + TimeDelta::from_std(grant.expires_in).unwrap_or(TimeDelta::zero()),
            // A refresh need not tell it again.
            is_personal: grant.is_personal || old.is_some_and(|old| old.is_personal),
        })
    }
}

impl Credentials {
    /// Rows from when there were no other kinds hold tokens without saying so.
    fn read(plain: &[u8]) -> Result<Self, serde_json::Error> {
        let mut value: Value = serde_json::from_slice(plain)?;
        if let Value::Object(fields) = &mut value {
            fields.entry("kind").or_insert_with(|| "oauth".into());
        }
        serde_json::from_value(value)
    }

    /// The access to a CalDAV server or a feed; `None` for a user's consent, whose tokens may have to be refreshed
    /// first.
    pub(crate) fn standing_access(&self, id: &AccountId) -> Option<Access> {
        match self {
            Self::Oauth(_) => None,
            Self::Password { home, username, password } => {
                Some(Access::basic(id.as_str(), home.clone(), username.as_str(), Secret::new(password.as_str())))
            }
            Self::Feed { address } => Some(Access::feed(id.as_str(), Secret::new(address.as_str()))),
        }
    }

    /// The host name of the server, where the account has one of its own.
    pub(crate) fn server(&self) -> Option<String> {
        match self {
            Self::Oauth(_) => None,
            Self::Password { home, .. } => home.host_str().map(str::to_owned),
            Self::Feed { address } => Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_owned)),
        }
    }
}

fn row<'a>(organization_id: &'a OrganizationId, id: &'a AccountId) -> RowReference<'a> {
    RowReference { table: "calendar_provider_account", id: id.as_str(), organization_id }
}

impl Engine {
    pub(crate) fn seal_credentials(
        &self,
        organization_id: &OrganizationId,
        id: &AccountId,
        credentials: &Credentials,
    ) -> Result<Vec<u8>, EngineError> {
        let plain = serde_json::to_vec(credentials).map_err(|e| EngineError::internal("writing credentials", e))?;
        Ok(self.0.keyring.seal(&*self.0.random, row(organization_id, id), &plain))
    }

    /// What the account has been given.
    ///
    /// # Errors
    /// [`EngineError::ReconnectNeeded`] when it has nothing.
    pub(crate) fn open_credentials(&self, account: &CalendarProviderAccount) -> Result<Credentials, EngineError> {
        let ciphertext = account.token_ciphertext.as_deref().ok_or_else(no_token)?;
        let plain = self
            .0
            .keyring
            .open(row(&account.organization_id, &account.id), ciphertext)
            .map_err(|e| EngineError::internal("opening an account's credentials", e))?;
        // The parser's error quotes what it read.
        Credentials::read(&plain).map_err(|_| EngineError::internal("reading an account's credentials", "not readable"))
    }

    /// The tokens of an account to which its user has consented.
    pub(crate) fn open_tokens(&self, account: &CalendarProviderAccount) -> Result<OauthTokens, EngineError> {
        match self.open_credentials(account)? {
            Credentials::Oauth(tokens) => Ok(tokens),
            Credentials::Password { .. } | Credentials::Feed { .. } => Err(no_token()),
        }
    }
}

fn no_token() -> EngineError {
    EngineError::ReconnectNeeded("no_token".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_of_a_row_from_before_there_were_other_kinds_are_read() {
        let old = json!({"access_token": "a", "refresh_token": "r", "expires_at": "2026-11-23T08:00:00Z"}).to_string();
        let Ok(Credentials::Oauth(tokens)) = Credentials::read(old.as_bytes()) else { panic!("not read") };
        assert_eq!((tokens.access_token.as_str(), tokens.refresh_token.as_str()), ("a", "r"));
        assert!(!tokens.is_personal);
    }

    #[test]
    fn what_is_written_is_read() {
        let home = Url::parse("https://dav.example/ana/").unwrap();
        let password = Credentials::Password { home: home.clone(), username: "ana".into(), password: "secret".into() };
        let read = Credentials::read(&serde_json::to_vec(&password).unwrap()).unwrap();
        assert_eq!(read.server().as_deref(), Some("dav.example"));
        assert!(matches!(read, Credentials::Password { home: read, .. } if read == home));
        let feed = Credentials::Feed { address: "https://example.com/secret.ics".into() };
        let read = Credentials::read(&serde_json::to_vec(&feed).unwrap()).unwrap();
        assert!(matches!(read, Credentials::Feed { address } if address == "https://example.com/secret.ics"));
    }

    #[test]
    fn a_refresh_that_tells_less_loses_nothing() {
        let grant = |refresh_token: Option<&str>, is_personal| TokenGrant {
            access_token: Secret::new("new"),
            refresh_token: refresh_token.map(Secret::new),
            expires_in: std::time::Duration::from_secs(3600),
            refresh_expires_in: None,
            scopes: Vec::new(),
            is_personal,
        };
        let now = "2026-11-23T08:00:00Z".parse().unwrap();
        assert!(OauthTokens::of(&grant(None, false), None, now).is_none());
        let first = OauthTokens::of(&grant(Some("one"), true), None, now).unwrap();
        let second = OauthTokens::of(&grant(None, false), Some(&first), now).unwrap();
        assert_eq!((second.refresh_token.as_str(), second.is_personal), ("one", true));
        let third = OauthTokens::of(&grant(Some("two"), false), Some(&second), now).unwrap();
        assert_eq!((third.refresh_token.as_str(), third.is_personal), ("two", true));
    }
}
