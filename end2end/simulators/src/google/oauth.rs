//! Authorization codes, tokens and their rules; the HTTP endpoints `/token` and `/revoke`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::simulation::Google;
use super::{Client, IssuedTokens, service_accounts};
use crate::oauth::{Challenge, basic_credentials, random_text};

const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(10);
const ACCESS_TOKEN_LIFETIME: TimeDelta = TimeDelta::seconds(3_599);
/// Beyond it the oldest refresh token of an account and client stops working, without a word.
const REFRESH_TOKENS_LIMIT: usize = 100;
/// A refresh token that nobody used for six months stops working.
const UNUSED_LIMIT: TimeDelta = TimeDelta::days(183);

/// Everything that was granted.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Tokens {
    codes: BTreeMap<String, Code>,
    access: BTreeMap<String, AccessToken>,
    refresh: Vec<RefreshToken>,
    /// What an account has granted to a client so far, by `client account`.
    consents: BTreeMap<String, BTreeSet<String>>,
    /// How long new refresh tokens live, in seconds: access that people limit in time, or an app in testing.
    #[serde(default)]
    pub grant_lifetime_seconds: Option<i64>,
    /// Scopes that an account's administrator restricts.
    #[serde(default)]
    pub restricted_scopes: BTreeMap<String, BTreeSet<String>>,
}

/// An authorization that a person gave on the consent page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Authorization {
    pub client_id: String,
    pub account: String,
    pub redirect_uri: String,
    pub scopes: BTreeSet<String>,
    pub challenge: Option<Challenge>,
    /// Whether the code brings a refresh token (`access_type=offline`, at the first consent or `prompt=consent`).
    pub offline: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Code {
    authorization: Authorization,
    expires_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct AccessToken {
    account: String,
    client_id: String,
    scopes: BTreeSet<String>,
    expires_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct RefreshToken {
    token: String,
    account: String,
    client_id: String,
    scopes: BTreeSet<String>,
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
    #[serde(default)]
    used_at: Option<DateTime<Utc>>,
}

impl RefreshToken {
    fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|at| at > now) && self.used_at.is_none_or(|at| at + UNUSED_LIMIT > now)
    }

    /// Adds what the token endpoint says of a token that ends at a known time.
    fn tell_lifetime(&self, answer: &mut Value, now: DateTime<Utc>) {
        if let Some(expires_at) = self.expires_at {
            answer["refresh_token_expires_in"] = json!((expires_at - now).num_seconds());
        }
    }
}

/// An error of the token endpoint (RFC 6749, section 5.2, with Google's descriptions).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OauthError {
    status: StatusCode,
    error: &'static str,
    description: &'static str,
}

impl OauthError {
    pub const fn bad_request(error: &'static str, description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description }
    }

    pub const fn unauthorized(error: &'static str, description: &'static str) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, error, description }
    }
}

const INVALID_GRANT: OauthError = OauthError::bad_request("invalid_grant", "Bad Request");
const REVOKED_GRANT: OauthError = OauthError::bad_request("invalid_grant", "Token has been expired or revoked.");
const RESTRICTED_GRANT: OauthError = OauthError::bad_request(
    "invalid_grant",
    "admin_policy_enforced: the account's administrator restricts the requested scopes.",
);

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        (self.status, axum::Json(body)).into_response()
    }
}

impl Tokens {
    /// What `account` has granted to `client_id` so far.
    pub fn consented(&self, client_id: &str, account: &str) -> BTreeSet<String> {
        self.consents.get(&consent_key(client_id, account)).cloned().unwrap_or_default()
    }

    /// Keeps an authorization and returns the code for it, good once and for ten minutes.
    pub fn add_code(&mut self, authorization: Authorization, now: DateTime<Utc>) -> String {
        let consent = self.consents.entry(consent_key(&authorization.client_id, &authorization.account)).or_default();
        consent.extend(authorization.scopes.iter().cloned());
        let code = format!("4/0{}", random_text(48));
        self.codes.insert(code.clone(), Code { authorization, expires_at: now + CODE_LIFETIME });
        code
    }

    /// Issues an access token, and a refresh token, without the authorize page.
    pub fn issue(
        &mut self,
        client_id: &str,
        account: &str,
        scopes: BTreeSet<String>,
        now: DateTime<Utc>,
    ) -> IssuedTokens {
        let refresh_token = self.add_refresh_token(client_id, account, scopes.clone(), now).token.clone();
        let access_token = self.add_access_token(client_id, account, scopes, now);
        IssuedTokens { access_token, refresh_token }
    }

    /// The account of a live access token.
    pub fn account(&self, access_token: &str, now: DateTime<Utc>) -> Option<String> {
        self.live(access_token, now).map(|token| token.account.clone())
    }

    /// The account and scopes of a live access token.
    pub fn grant(&self, access_token: &str, now: DateTime<Utc>) -> Option<(String, BTreeSet<String>)> {
        self.live(access_token, now).map(|token| (token.account.clone(), token.scopes.clone()))
    }

    /// Ends every access token; refresh tokens go on.
    pub fn expire_access_tokens(&mut self) {
        self.access.clear();
    }

    /// Ends everything that `account` has granted.
    pub fn revoke_account(&mut self, account: &str) {
        self.access.retain(|_, token| token.account != account);
        self.refresh.retain(|token| token.account != account);
        self.codes.retain(|_, code| code.authorization.account != account);
        self.consents.retain(|key, _| !key.ends_with(&format!(" {account}")));
    }

    /// Whether the administrator of `account` restricts one of `scopes`.
    pub fn is_restricted<'a>(&self, account: &str, scopes: impl IntoIterator<Item = &'a String>) -> bool {
        let restricted = self.restricted_scopes.get(account);
        restricted.is_some_and(|restricted| scopes.into_iter().any(|scope| restricted.contains(scope)))
    }

    fn live(&self, access_token: &str, now: DateTime<Utc>) -> Option<&AccessToken> {
        self.access.get(access_token).filter(|token| token.expires_at > now)
    }

    /// An access token for `account`, good for an hour.
    pub fn add_access_token(
        &mut self,
        client_id: &str,
        account: &str,
        scopes: BTreeSet<String>,
        now: DateTime<Utc>,
    ) -> String {
        self.access.retain(|_, token| token.expires_at > now);
        let (account, client_id) = (account.to_owned(), client_id.to_owned());
        let token = format!("ya29.{}", random_text(64));
        let granted = AccessToken { account, client_id, scopes, expires_at: now + ACCESS_TOKEN_LIFETIME };
        self.access.insert(token.clone(), granted);
        token
    }

    fn add_refresh_token(
        &mut self,
        client_id: &str,
        account: &str,
        scopes: BTreeSet<String>,
        now: DateTime<Utc>,
    ) -> &RefreshToken {
        self.refresh.retain(|token| token.is_live(now));
        let same = |token: &RefreshToken| token.account == account && token.client_id == client_id;
        if self.refresh.iter().filter(|token| same(token)).count() >= REFRESH_TOKENS_LIMIT
            && let Some(oldest) = self.refresh.iter().position(same)
        {
            self.refresh.remove(oldest);
        }
        let token = format!("1//0{}", random_text(60));
        let (account, client_id) = (account.to_owned(), client_id.to_owned());
        let expires_at = self.grant_lifetime_seconds.map(|seconds| now + TimeDelta::seconds(seconds));
        self.refresh.push(RefreshToken { token, account, client_id, scopes, expires_at, used_at: Some(now) });
        &self.refresh[self.refresh.len() - 1]
    }

    fn redeem(
        &mut self,
        client_id: &str,
        form: &BTreeMap<String, String>,
        now: DateTime<Utc>,
    ) -> Result<Value, OauthError> {
        let missing = OauthError::bad_request("invalid_request", "Missing required parameter: code");
        let code = self.codes.remove(form.get("code").ok_or(missing)?).ok_or(INVALID_GRANT)?;
        let authorization = code.authorization;
        if code.expires_at <= now || authorization.client_id != client_id {
            return Err(INVALID_GRANT);
        }
        if form.get("redirect_uri") != Some(&authorization.redirect_uri) {
            return Err(OauthError::bad_request("redirect_uri_mismatch", "Bad Request"));
        }
        if let Some(challenge) = &authorization.challenge {
            let missing = OauthError::bad_request("invalid_grant", "Missing code verifier.");
            if !challenge.is_met_by(form.get("code_verifier").ok_or(missing)?) {
                return Err(OauthError::bad_request("invalid_grant", "Invalid code verifier."));
            }
        }
        let scopes = authorization.scopes;
        let access_token = self.add_access_token(client_id, &authorization.account, scopes.clone(), now);
        let mut answer = token_answer(&access_token, &scopes);
        if authorization.offline {
            let refresh_token = self.add_refresh_token(client_id, &authorization.account, scopes, now);
            answer["refresh_token"] = json!(refresh_token.token);
            refresh_token.tell_lifetime(&mut answer, now);
        }
        Ok(answer)
    }

    fn refresh(
        &mut self,
        client_id: &str,
        form: &BTreeMap<String, String>,
        now: DateTime<Utc>,
    ) -> Result<Value, OauthError> {
        let missing = OauthError::bad_request("invalid_request", "Missing required parameter: refresh_token");
        let token = form.get("refresh_token").ok_or(missing)?;
        let is_meant =
            |known: &&mut RefreshToken| known.token == *token && known.client_id == client_id && known.is_live(now);
        let known = self.refresh.iter_mut().find(is_meant).ok_or(REVOKED_GRANT)?;
        known.used_at = Some(now);
        let known = known.clone();
        if self.is_restricted(&known.account, &known.scopes) {
            return Err(RESTRICTED_GRANT);
        }
        let access_token = self.add_access_token(client_id, &known.account, known.scopes.clone(), now);
        let mut answer = token_answer(&access_token, &known.scopes);
        known.tell_lifetime(&mut answer, now);
        Ok(answer)
    }

    /// Revokes the grant behind an access or refresh token, as Google does: all of the account's for that client.
    fn revoke_token(&mut self, token: &str) -> Result<(), OauthError> {
        let by_access = self.access.get(token).map(|known| (known.account.clone(), known.client_id.clone()));
        let by_refresh = self.refresh.iter().find(|known| known.token == token);
        let grant = by_access.or_else(|| by_refresh.map(|known| (known.account.clone(), known.client_id.clone())));
        let unknown = OauthError::bad_request("invalid_token", "Token expired or revoked");
        let (account, client_id) = grant.ok_or(unknown)?;
        self.access.retain(|_, known| known.account != account || known.client_id != client_id);
        self.refresh.retain(|known| known.account != account || known.client_id != client_id);
        self.consents.remove(&consent_key(&client_id, &account));
        Ok(())
    }
}

/// `POST /token`.
pub async fn token(State(google): State<Arc<Google>>, headers: HeaderMap, body: Bytes) -> Result<Response, OauthError> {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let now = google.clock.now();
    let token_url = format!("{}/token", google.base_url);
    let answer = google.change(|world| {
        if form.get("grant_type").is_some_and(|grant_type| grant_type == service_accounts::GRANT_TYPE) {
            return service_accounts::redeem(world, &form, &token_url, now);
        }
        let client_id = authenticate(&world.clients, &headers, &form)?;
        match form.get("grant_type").map(String::as_str) {
            Some("authorization_code") => world.tokens.redeem(&client_id, &form, now),
            Some("refresh_token") => world.tokens.refresh(&client_id, &form, now),
            Some(_) => Err(OauthError::bad_request("unsupported_grant_type", "Invalid grant_type")),
            None => Err(OauthError::bad_request("invalid_request", "Missing required parameter: grant_type")),
        }
    })?;
    Ok(([(http::header::CACHE_CONTROL, "no-store")], axum::Json(answer)).into_response())
}

/// `POST /revoke`: the token in the form or the query.
pub async fn revoke(
    State(google): State<Arc<Google>>,
    query: super::wire::Query,
    body: Bytes,
) -> Result<Response, OauthError> {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let token = form.get("token").map(String::as_str).or_else(|| query.get("token"));
    let token = token.ok_or(OauthError::bad_request("invalid_request", "Missing required parameter: token"))?;
    google.change(|world| world.tokens.revoke_token(token))?;
    Ok(axum::Json(json!({})).into_response())
}

/// The client of a token request, by form fields or Basic authentication.
fn authenticate(
    clients: &BTreeMap<String, Client>,
    headers: &HeaderMap,
    form: &BTreeMap<String, String>,
) -> Result<String, OauthError> {
    let basic = basic_credentials(headers);
    let by_form = || Some((form.get("client_id")?.clone(), form.get("client_secret").cloned().unwrap_or_default()));
    let (client_id, secret) = basic
        .or_else(by_form)
        .ok_or(OauthError::bad_request("invalid_request", "Could not determine client ID from request."))?;
    let unauthorized = |description| OauthError::unauthorized("invalid_client", description);
    match clients.get(&client_id) {
        None => Err(unauthorized("The OAuth client was not found.")),
        Some(client) if client.client_secret != secret => Err(unauthorized("The provided client secret is invalid.")),
        Some(_) => Ok(client_id),
    }
}

/// The answer with an access token for `scopes`.
pub fn token_answer(access_token: &str, scopes: &BTreeSet<String>) -> Value {
    let scope = scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let expires_in = ACCESS_TOKEN_LIFETIME.num_seconds();
    json!({ "access_token": access_token, "expires_in": expires_in, "scope": scope, "token_type": "Bearer" })
}

fn consent_key(client_id: &str, account: &str) -> String {
    format!("{client_id} {account}")
}
