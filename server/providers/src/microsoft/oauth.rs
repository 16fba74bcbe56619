//! The Microsoft identity platform, version 2 (<https://learn.microsoft.com/entra/identity-platform/v2-protocols>):
//! authorization code with PKCE (RFC 7636) for hosts who consent, client credentials for a tenant whose administrator
//! gave the installation access to its mailboxes.

mod codes;

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;
use serde_json::json;
use url::{Url, form_urlencoded};

use super::PROVIDER;
use crate::clock::Clock;
use crate::error::OauthError;
use crate::jwt::{AssertionHeader, Certificate, SigningKey};
use crate::oauth::{PkceChallenge, TokenGrant, life, passing_failure, unanswered};
use crate::secret::Secret;
use crate::transport::{ProviderRequest, Transport};

pub use codes::refused;

/// What Cupo asks of a host: to read and write events and to know whose account it is. The first two are OpenID
/// Connect's: an `id_token`, which tells a personal account, and a refresh token.
pub const SCOPES: [&str; 4] = ["openid", "offline_access", "User.Read", "Calendars.ReadWrite"];
/// Those of [`SCOPES`] that a token answer names when they were granted.
pub const REQUIRED_SCOPES: [&str; 2] = ["User.Read", "Calendars.ReadWrite"];

/// Everything that the administrator has granted the application at Graph.
const APPLICATION_SCOPE: &str = "https://graph.microsoft.com/.default";
/// The tenant of all personal accounts
/// (<https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>, `tid`).
const PERSONAL_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long a client assertion is good: enough for a slow answer and clocks that differ.
const ASSERTION_LIFE: TimeDelta = TimeDelta::minutes(5);

/// The operator's application at Microsoft.
#[derive(Debug, Clone)]
pub struct MicrosoftClient {
    pub client_id: String,
    pub credential: ClientCredential,
    /// `common`, `organizations`, `consumers`, or the id or domain of one tenant.
    pub tenant: String,
    /// `https://login.microsoftonline.com`.
    pub login_url: Url,
    pub redirect_url: Url,
}

/// By which the application proves who it is.
#[derive(Debug, Clone)]
pub enum ClientCredential {
    Secret(Secret),
    /// An assertion signed with the key of a certificate that was uploaded to the application
    /// (<https://learn.microsoft.com/entra/identity-platform/certificate-credentials>).
    Certificate {
        certificate: Certificate,
        key: SigningKey,
    },
}

/// The required scopes that `granted` lacks. Answers name them in full (`https://graph.microsoft.com/User.Read`) or
/// short.
pub fn missing_scopes(granted: &[String]) -> Vec<&'static str> {
    let is = |granted: &String, scope: &str| {
        granted.rsplit('/').next().is_some_and(|granted| granted.eq_ignore_ascii_case(scope))
    };
    REQUIRED_SCOPES.into_iter().filter(|scope| !granted.iter().any(|granted| is(granted, scope))).collect()
}

/// Connects accounts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MicrosoftOauth {
    transport: Transport,
    client: MicrosoftClient,
    clock: Clock,
}

impl MicrosoftOauth {
    /// `clock` tells the present, which client assertions are dated by.
    pub fn new(transport: Transport, client: MicrosoftClient, clock: Clock) -> Self {
        Self { transport, client, clock }
    }

    /// Where to send the host. `state` is opaque, unguessable and single-use; `login_hint` is an address; `claims` are
    /// those of [`crate::ReauthReason::ClaimsChallenge`].
    pub fn authorize_url(
        &self,
        state: &str,
        challenge: &PkceChallenge,
        login_hint: Option<&str>,
        claims: Option<&str>,
    ) -> Url {
        let mut url = self.endpoint("authorize");
        let mut query = url.query_pairs_mut();
        query
            .append_pair("client_id", &self.client.client_id)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", self.client.redirect_url.as_str())
            .append_pair("response_mode", "query")
            .append_pair("scope", &SCOPES.join(" "))
            .append_pair("state", state)
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", "S256");
        match login_hint {
            Some(login_hint) => query.append_pair("login_hint", login_hint),
            // Otherwise whoever is signed in with one account is never asked which.
            None => query.append_pair("prompt", "select_account"),
        };
        if let Some(claims) = claims {
            query.append_pair("claims", claims);
        }
        drop(query);
        url
    }

    /// Where an administrator allows the application for everybody in their organization, even for organizations of
    /// which nobody has connected yet (<https://learn.microsoft.com/entra/identity-platform/v2-admin-consent>). `None`
    /// for an application of personal accounts, which have no administrator. Afterwards Microsoft leads to the redirect
    /// address with `admin_consent=True` and without a code.
    pub fn admin_consent_url(&self) -> Option<Url> {
        let tenant = match self.client.tenant.as_str() {
            "consumers" => return None,
            // Whoever signs in there tells which organization it is.
            "common" => "organizations",
            tenant => tenant,
        };
        let mut url = self.client.login_url.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend([tenant, "v2.0", "adminconsent"]);
        // Scopes of Graph have to be named in full here.
        let scopes = REQUIRED_SCOPES.map(|scope| format!("https://graph.microsoft.com/{scope}")).join(" ");
        url.query_pairs_mut()
            .append_pair("client_id", &self.client.client_id)
            .append_pair("scope", &scopes)
            .append_pair("redirect_uri", self.client.redirect_url.as_str());
        Some(url)
    }

    /// Trades the authorization code for tokens. A code is good once.
    pub async fn exchange(&self, code: &str, pkce_verifier: &Secret) -> Result<TokenGrant, OauthError> {
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.client.redirect_url.as_str()),
            ("code_verifier", pkce_verifier.expose()),
            ("scope", &SCOPES.join(" ")),
        ];
        self.ask("oauth.exchange", &parameters, false).await
    }

    /// A new access token, and with it a new refresh token, which must be stored before the old one is forgotten.
    /// [`OauthError::InvalidGrant`] is final: the account needs to be connected again.
    pub async fn refresh(&self, refresh_token: &Secret) -> Result<TokenGrant, OauthError> {
        let parameters =
            [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose()), ("scope", &SCOPES.join(" "))];
        // Microsoft does not revoke the old refresh token when it gives a new one: a repetition finds it good.
        self.ask("oauth.refresh", &parameters, true).await
    }

    /// An access token of the application itself, for the mailboxes that the administrator of the tenant gave it.
    pub async fn application_token(&self) -> Result<TokenGrant, OauthError> {
        if matches!(self.client.tenant.as_str(), "common" | "organizations" | "consumers") {
            return Err(OauthError::InvalidClient("application access needs the id of one tenant".to_owned()));
        }
        let parameters = [("grant_type", "client_credentials"), ("scope", APPLICATION_SCOPE)];
        self.ask("oauth.application", &parameters, true).await.map_err(codes::of_application)
    }

    async fn ask(
        &self,
        operation: &'static str,
        parameters: &[(&str, &str)],
        is_idempotent: bool,
    ) -> Result<TokenGrant, OauthError> {
        let url = self.endpoint("token");
        let body = self.form(&url, parameters);
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let request = ProviderRequest {
            provider: PROVIDER,
            operation,
            path_template: operation,
            method: Method::POST,
            url,
            access: None,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, form)]),
            body: body.into(),
            is_idempotent,
            classify: passing_failure,
        };
        let response = self.transport.send(&request).await.map_err(unanswered)?;
        if !response.status.is_success() {
            return Err(codes::read(&response.body).unwrap_or_else(|| {
                // A page of a proxy, most likely.
                OauthError::Transient(format!("{} without an error code", response.status.as_str()))
            }));
        }
        read_grant(&response.body)
    }

    /// The parameters, and by what the application proves who it is.
    fn form(&self, token_url: &Url, parameters: &[(&str, &str)]) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", &self.client.client_id).extend_pairs(parameters);
        match &self.client.credential {
            ClientCredential::Secret(secret) => form.append_pair("client_secret", secret.expose()),
            ClientCredential::Certificate { certificate, key } => form
                .append_pair("client_assertion_type", CLIENT_ASSERTION)
                .append_pair("client_assertion", self.assertion(token_url, certificate, key).expose()),
        };
        form.finish()
    }

    /// RFC 7523 §3, with what Microsoft demands of it.
    fn assertion(&self, token_url: &Url, certificate: &Certificate, key: &SigningKey) -> Secret {
        let now = self.clock.now();
        let claims = json!({
            "aud": token_url.as_str(),
            "iss": self.client.client_id,
            "sub": self.client.client_id,
            "jti": format!("{:032x}", rand::random::<u128>()),
            "nbf": (now - ASSERTION_LIFE).timestamp(),
            "iat": now.timestamp(),
            "exp": (now + ASSERTION_LIFE).timestamp(),
        });
        key.sign(AssertionHeader::Ps256 { certificate }, &claims)
    }

    fn endpoint(&self, name: &str) -> Url {
        let mut url = self.client.login_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend([self.client.tenant.as_str(), "oauth2", "v2.0", name]);
        }
        url
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: Option<u64>,
    scope: Option<String>,
    id_token: Option<String>,
}

fn read_grant(body: &[u8]) -> Result<TokenGrant, OauthError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let answer: TokenAnswer = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        if error.inner().is_data() {
            OauthError::Rejected(format!("field `{}` cannot be read", error.path()))
        } else {
            OauthError::Transient("an unreadable answer".into())
        }
    })?;
    Ok(TokenGrant {
        access_token: Secret::new(answer.access_token),
        refresh_token: answer.refresh_token.map(Secret::new),
        expires_in: life(answer.expires_in.map(Duration::from_secs)),
        refresh_expires_in: None,
        // RFC 6749 §5.1: no list means that what was asked for was granted.
        scopes: match answer.scope {
            Some(scopes) => scopes.split_whitespace().map(str::to_owned).collect(),
            None => REQUIRED_SCOPES.map(str::to_owned).to_vec(),
        },
        is_personal: answer.id_token.is_some_and(|token| is_of_personal_tenant(&token)),
    })
}

/// The signature is not checked: the token came from the token endpoint itself (OpenID Connect Core §3.1.3.7, 6).
fn is_of_personal_tenant(id_token: &str) -> bool {
    #[derive(Deserialize)]
    struct Claims {
        tid: Option<String>,
    }
    let payload = id_token.split('.').nth(1).and_then(|payload| BASE64_URL_SAFE_NO_PAD.decode(payload).ok());
    let claims = payload.and_then(|payload| serde_json::from_slice::<Claims>(&payload).ok());
    claims.and_then(|claims| claims.tid).is_some_and(|tenant| tenant.eq_ignore_ascii_case(PERSONAL_TENANT))
}

#[cfg(test)]
mod tests;
