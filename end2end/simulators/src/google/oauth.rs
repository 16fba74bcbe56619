//! Authorization codes, tokens and their rules; the HTTP endpoints `/token` and `/revoke`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, StatusCode};
use rand::Rng as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::simulation::Google;
use super::{Client, IssuedTokens};

const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(10);
const ACCESS_TOKEN_LIFETIME: TimeDelta = TimeDelta::seconds(3_599);
/// Beyond it the oldest refresh token of an account and client stops working, without a word.
const REFRESH_TOKENS_LIMIT: usize = 100;

/// Everything that was granted.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Tokens {
    codes: BTreeMap<String, Code>,
    access: BTreeMap<String, AccessToken>,
    refresh: Vec<RefreshToken>,
    /// What an account has granted to a client so far, by `client account`.
    consents: BTreeMap<String, BTreeSet<String>>,
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

/// The PKCE challenge of RFC 7636.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Challenge {
    pub value: String,
    pub is_s256: bool,
}

impl Challenge {
    fn is_met_by(&self, verifier: &str) -> bool {
        if self.is_s256 {
            URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == self.value
        } else {
            verifier == self.value
        }
    }
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
}

/// An error of the token endpoint (RFC 6749, section 5.2, with Google's descriptions).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OauthError {
    status: StatusCode,
    error: &'static str,
    description: &'static str,
}

impl OauthError {
    const fn bad_request(error: &'static str, description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description }
    }
}

const INVALID_GRANT: OauthError = OauthError::bad_request("invalid_grant", "Bad Request");
const REVOKED_GRANT: OauthError = OauthError::bad_request("invalid_grant", "Token has been expired or revoked.");

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
        let refresh_token = self.add_refresh_token(client_id, account, scopes.clone());
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

    fn live(&self, access_token: &str, now: DateTime<Utc>) -> Option<&AccessToken> {
        self.access.get(access_token).filter(|token| token.expires_at > now)
    }

    fn add_access_token(
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

    fn add_refresh_token(&mut self, client_id: &str, account: &str, scopes: BTreeSet<String>) -> String {
        let same = |token: &RefreshToken| token.account == account && token.client_id == client_id;
        if self.refresh.iter().filter(|token| same(token)).count() >= REFRESH_TOKENS_LIMIT
            && let Some(oldest) = self.refresh.iter().position(same)
        {
            self.refresh.remove(oldest);
        }
        let token = format!("1//0{}", random_text(60));
        let (account, client_id) = (account.to_owned(), client_id.to_owned());
        self.refresh.push(RefreshToken { token: token.clone(), account, client_id, scopes });
        token
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
            answer["refresh_token"] = json!(self.add_refresh_token(client_id, &authorization.account, scopes));
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
        let found = self.refresh.iter().find(|known| known.token == *token && known.client_id == client_id);
        let (account, scopes) =
            found.map(|known| (known.account.clone(), known.scopes.clone())).ok_or(REVOKED_GRANT)?;
        let access_token = self.add_access_token(client_id, &account, scopes.clone(), now);
        Ok(token_answer(&access_token, &scopes))
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
    let answer = google.change(|world| {
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

/// The token of `Authorization: Bearer`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The client of a token request, by form fields or Basic authentication.
fn authenticate(
    clients: &BTreeMap<String, Client>,
    headers: &HeaderMap,
    form: &BTreeMap<String, String>,
) -> Result<String, OauthError> {
    let basic = headers.get(http::header::AUTHORIZATION).and_then(|value| basic_credentials(value.to_str().ok()?));
    let by_form = || Some((form.get("client_id")?.clone(), form.get("client_secret").cloned().unwrap_or_default()));
    let (client_id, secret) = basic
        .or_else(by_form)
        .ok_or(OauthError::bad_request("invalid_request", "Could not determine client ID from request."))?;
    let unauthorized =
        |description| OauthError { status: StatusCode::UNAUTHORIZED, error: "invalid_client", description };
    match clients.get(&client_id) {
        None => Err(unauthorized("The OAuth client was not found.")),
        Some(client) if client.client_secret != secret => Err(unauthorized("The provided client secret is invalid.")),
        Some(_) => Ok(client_id),
    }
}

fn basic_credentials(header: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned());
    Some((plain(id)?, plain(secret)?))
}

fn token_answer(access_token: &str, scopes: &BTreeSet<String>) -> Value {
    let scope = scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let expires_in = ACCESS_TOKEN_LIFETIME.num_seconds();
    json!({ "access_token": access_token, "expires_in": expires_in, "scope": scope, "token_type": "Bearer" })
}

fn consent_key(client_id: &str, account: &str) -> String {
    format!("{client_id} {account}")
}

fn random_text(length: usize) -> String {
    let mut random = rand::rng();
    (0..length).map(|_| char::from(random.sample(rand::distr::Alphanumeric))).collect()
}
