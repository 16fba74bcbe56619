//! Authorization codes, access tokens, refresh tokens, and their rules.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::error::SignInError;
use crate::oauth::{Challenge, random_text};

const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How long an access token lives.
pub const ACCESS_TOKEN_LIFETIME: TimeDelta = TimeDelta::seconds(3_599);
/// How long a refresh token lives when nobody uses it.
const REFRESH_TOKEN_LIFETIME: TimeDelta = TimeDelta::days(90);

/// Everything that was granted.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Tokens {
    codes: BTreeMap<String, Code>,
    access: BTreeMap<String, AccessToken>,
    refresh: BTreeMap<String, RefreshToken>,
    /// What an account has granted to an application so far, by `client account`.
    consents: BTreeMap<String, BTreeSet<String>>,
    /// The ids of client assertions that were used, until they expire.
    pub assertions: BTreeMap<String, DateTime<Utc>>,
}

/// What a person granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub client_id: String,
    /// An address; none for an application of its own.
    pub account: Option<String>,
    pub scopes: BTreeSet<String>,
    /// The claims that the sign-in was asked for, as JSON text.
    pub claims: Option<String>,
}

/// A grant on the way from the consent page to the token endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Authorization {
    pub grant: Grant,
    pub redirect_uri: String,
    /// The tenant's segment of the address: a code of one is no good at another.
    pub tenant: String,
    pub challenge: Option<Challenge>,
    pub nonce: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Code {
    authorization: Authorization,
    expires_at: DateTime<Utc>,
    redeemed: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct AccessToken {
    grant: Grant,
    expires_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct RefreshToken {
    grant: Grant,
    used_at: DateTime<Utc>,
    state: RefreshState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum RefreshState {
    Live,
    /// Replaced by a newer one.
    Used,
    Revoked,
    Expired,
}

impl Tokens {
    /// What `account` has granted to `client_id` so far.
    pub fn consented(&self, client_id: &str, account: &str) -> BTreeSet<String> {
        self.consents.get(&consent_key(client_id, account)).cloned().unwrap_or_default()
    }

    /// Keeps an authorization and returns the code for it, good once and for ten minutes.
    pub fn add_code(&mut self, authorization: Authorization, now: DateTime<Utc>) -> String {
        if let Some(account) = &authorization.grant.account {
            let consent = self.consents.entry(consent_key(&authorization.grant.client_id, account)).or_default();
            consent.extend(authorization.grant.scopes.iter().cloned());
        }
        let code = format!("0.A{}", random_text(64));
        self.codes.insert(code.clone(), Code { authorization, expires_at: now + CODE_LIFETIME, redeemed: false });
        code
    }

    /// The authorization behind a code, once.
    pub fn redeem(&mut self, code: &str, now: DateTime<Utc>) -> Result<Authorization, SignInError> {
        let unknown = || SignInError::new(70_000, "The provided value for the 'code' parameter is not valid.");
        let found = self.codes.get_mut(code).ok_or_else(unknown)?;
        if found.redeemed {
            let message = "OAuth2 Authorization code was already redeemed, please retry with a new valid code.";
            return Err(SignInError::new(54_005, message));
        }
        if found.expires_at <= now {
            return Err(SignInError::new(70_008, "The provided authorization code or refresh token has expired."));
        }
        found.redeemed = true;
        Ok(found.authorization.clone())
    }

    /// A new access token.
    pub fn add_access_token(&mut self, grant: Grant, now: DateTime<Utc>) -> String {
        self.access.retain(|_, token| token.expires_at > now);
        let token = format!("EwB{}", random_text(96));
        self.access.insert(token.clone(), AccessToken { grant, expires_at: now + ACCESS_TOKEN_LIFETIME });
        token
    }

    /// A new refresh token.
    pub fn add_refresh_token(&mut self, grant: Grant, now: DateTime<Utc>) -> String {
        let token = format!("0.AX{}", random_text(96));
        self.refresh.insert(token.clone(), RefreshToken { grant, used_at: now, state: RefreshState::Live });
        token
    }

    /// The grant behind a refresh token of `client_id`. It counts as used; another one must be handed out.
    pub fn refresh(
        &mut self,
        token: &str,
        client_id: &str,
        used_ones_work: bool,
        now: DateTime<Utc>,
    ) -> Result<Grant, SignInError> {
        let found = self.refresh.get_mut(token).filter(|known| known.grant.client_id == client_id);
        let unknown = || SignInError::new(70_000, "Provided grant is invalid or malformed.");
        let found = found.ok_or_else(unknown)?;
        let revoked = || {
            let message = "The provided grant has expired due to it being revoked, a fresh auth token is needed.";
            SignInError { suberror: Some("bad_token".to_owned()), ..SignInError::new(50_173, message) }
        };
        if found.state == RefreshState::Expired || found.used_at + REFRESH_TOKEN_LIFETIME <= now {
            return Err(SignInError::new(700_082, "The refresh token has expired due to inactivity."));
        }
        if found.state == RefreshState::Revoked || (found.state == RefreshState::Used && !used_ones_work) {
            return Err(revoked());
        }
        (found.state, found.used_at) = (RefreshState::Used, now);
        Ok(found.grant.clone())
    }

    /// The grant of a live access token.
    pub fn grant(&self, access_token: &str, now: DateTime<Utc>) -> Option<&Grant> {
        self.access.get(access_token).filter(|token| token.expires_at > now).map(|token| &token.grant)
    }

    /// Ends every access token; refresh tokens go on.
    pub fn expire_access_tokens(&mut self) {
        self.access.clear();
    }

    /// Lets every refresh token of `account` run out (AADSTS700082).
    pub fn expire_refresh_tokens(&mut self, account: &str) {
        self.set_refresh_tokens(account, RefreshState::Expired);
    }

    /// Ends everything that `account` has granted (AADSTS50173).
    pub fn revoke_account(&mut self, account: &str) {
        self.set_refresh_tokens(account, RefreshState::Revoked);
        self.access.retain(|_, token| token.grant.account.as_deref() != Some(account));
        self.codes.retain(|_, code| code.authorization.grant.account.as_deref() != Some(account));
        self.consents.retain(|key, _| !key.ends_with(&format!(" {account}")));
    }

    fn set_refresh_tokens(&mut self, account: &str, state: RefreshState) {
        let of_account = |token: &&mut RefreshToken| token.grant.account.as_deref() == Some(account);
        self.refresh.values_mut().filter(of_account).for_each(|token| token.state = state);
    }
}

fn consent_key(client_id: &str, account: &str) -> String {
    format!("{client_id} {account}")
}
