//! Google's service accounts with domain-wide delegation
//! (<https://developers.google.com/identity/protocols/oauth2/service-account>): the administrator of a Workspace domain lets
//! a service account act for the users of the domain, each scope by itself; no user consents.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;
use url::{Url, form_urlencoded};

use super::PROVIDER;
use super::oauth::{REQUIRED_SCOPES, is_code};
use crate::error::OauthError;
use crate::jwt::{AssertionHeader, KeyError, SigningKey};
use crate::oauth::{TokenGrant, life, passing_failure, unanswered};
use crate::secret::Secret;
use crate::transport::{ProviderRequest, ProviderResponse, Transport};

/// RFC 7523 §2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest that Google accepts.
const ASSERTION_LIFE: TimeDelta = TimeDelta::hours(1);

/// Why a text is no key of a service account. Nothing of it is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyProblem {
    #[error("it is not the JSON file of a service account's key")]
    NotJson,
    /// Another kind of credential, such as an OAuth client's.
    #[error("field `type` is not `service_account`")]
    NotServiceAccount,
    #[error("field `{0}` is missing or unreadable")]
    Field(&'static str),
    #[error("field `private_key`: {0}")]
    PrivateKey(KeyError),
}

/// The key of a service account, from the JSON file that Google's console hands out once.
#[derive(Debug, Clone)]
pub struct ServiceAccountKey {
    /// The service account's own address.
    pub client_email: String,
    /// The number by which the administrator names the service account when delegating.
    pub client_id: Option<String>,
    key_id: Option<String>,
    key: SigningKey,
}

impl ServiceAccountKey {
    /// Reads the JSON file. Its `token_uri` must be there, but assertions go where the operator says: whoever brings a key
    /// must not choose a server for this one to talk to.
    pub fn parse(json: &str) -> Result<Self, KeyProblem> {
        let json: Value = serde_json::from_str(json).map_err(|_| KeyProblem::NotJson)?;
        if !json.is_object() {
            return Err(KeyProblem::NotJson);
        }
        let text = |name: &str| json.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        if text("type") != Some("service_account") {
            return Err(KeyProblem::NotServiceAccount);
        }
        let is_address = |text: &&str| text.contains('@') && !text.contains(char::is_whitespace);
        let client_email = text("client_email").filter(is_address).ok_or(KeyProblem::Field("client_email"))?;
        let is_secure = |text: &str| Url::parse(text).is_ok_and(|url| url.scheme() == "https");
        text("token_uri").filter(|text| is_secure(text)).ok_or(KeyProblem::Field("token_uri"))?;
        let private_key = text("private_key").ok_or(KeyProblem::Field("private_key"))?;
        Ok(Self {
            client_email: client_email.to_owned(),
            client_id: text("client_id").map(str::to_owned),
            key_id: text("private_key_id").map(str::to_owned),
            key: SigningKey::from_pem(private_key).map_err(KeyProblem::PrivateKey)?,
        })
    }
}

/// Acts for the users of a domain. Cheap to clone but for the key.
#[derive(Debug, Clone)]
pub struct GoogleServiceAccount {
    transport: Transport,
    token_url: Url,
    key: ServiceAccountKey,
}

impl GoogleServiceAccount {
    /// `token_url` is `https://oauth2.googleapis.com/token`, or where a simulator stands in for it.
    pub fn new(transport: Transport, token_url: Url, key: ServiceAccountKey) -> Self {
        Self { transport, token_url, key }
    }

    pub fn key(&self) -> &ServiceAccountKey {
        &self.key
    }

    /// An access token of the user with this address, for all that Cupo needs. There is no refresh token: ask again.
    ///
    /// [`OauthError::ConsentNeeded`] says that a scope is not delegated ([`missing_delegation`](Self::missing_delegation)
    /// tells which), [`OauthError::InvalidGrant`] that there is no such user, [`OauthError::InvalidClient`] that the key is
    /// not accepted.
    pub async fn token_for(&self, impersonated_email: &str, now: DateTime<Utc>) -> Result<TokenGrant, OauthError> {
        self.ask(impersonated_email, &REQUIRED_SCOPES, now).await
    }

    /// The scopes that the administrator has yet to delegate, found by asking for each alone: a refusal of several does not
    /// say which of them it is about.
    pub async fn missing_delegation(
        &self,
        impersonated_email: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<&'static str>, OauthError> {
        let mut missing = Vec::new();
        for scope in REQUIRED_SCOPES {
            match self.ask(impersonated_email, &[scope], now).await {
                Ok(_) => {}
                Err(OauthError::ConsentNeeded(_)) => missing.push(scope),
                Err(error) => return Err(error),
            }
        }
        Ok(missing)
    }

    async fn ask(
        &self,
        impersonated_email: &str,
        scopes: &[&'static str],
        now: DateTime<Utc>,
    ) -> Result<TokenGrant, OauthError> {
        let answer = self.transport.send(&self.request(impersonated_email, scopes, now)).await.map_err(unanswered)?;
        read_answer(&answer, scopes)
    }

    /// Asking twice is harmless: an assertion may be used until it expires.
    fn request(&self, impersonated_email: &str, scopes: &[&str], now: DateTime<Utc>) -> ProviderRequest {
        let claims = json!({
            "iss": self.key.client_email,
            "sub": impersonated_email,
            "scope": scopes.join(" "),
            "aud": self.token_url.as_str(),
            "iat": now.timestamp(),
            "exp": (now + ASSERTION_LIFE).timestamp(),
        });
        let assertion = self.key.key.sign(AssertionHeader::Rs256 { key_id: self.key.key_id.as_deref() }, &claims);
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", JWT_BEARER)
            .append_pair("assertion", assertion.expose())
            .finish();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        ProviderRequest {
            provider: PROVIDER,
            operation: "oauth.service_account",
            path_template: "oauth.service_account",
            method: Method::POST,
            url: self.token_url.clone(),
            access: None,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, form)]),
            body: Bytes::from(body),
            is_idempotent: true,
            classify: passing_failure,
        }
    }
}

#[derive(Deserialize)]
struct Grant {
    access_token: String,
    expires_in: Option<u64>,
    scope: Option<String>,
}

#[derive(Default, Deserialize)]
struct Refusal {
    error: Option<String>,
    error_description: Option<String>,
}

/// Reads the answer to an assertion for `scopes`.
pub(crate) fn read_answer(answer: &ProviderResponse, scopes: &[&str]) -> Result<TokenGrant, OauthError> {
    if !answer.status.is_success() {
        return Err(refusal(answer));
    }
    let grant: Grant = serde_json::from_slice(&answer.body)
        .map_err(|_| OauthError::Rejected("the answer of the token endpoint is unreadable".into()))?;
    Ok(TokenGrant {
        access_token: Secret::new(grant.access_token),
        refresh_token: None,
        expires_in: life(grant.expires_in.map(Duration::from_secs)),
        refresh_expires_in: None,
        scopes: match grant.scope {
            Some(scopes) => scopes.split_whitespace().map(str::to_owned).collect(),
            None => scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        },
        is_personal: false,
    })
}

/// Sorts a refusal by who can mend it
/// (<https://developers.google.com/identity/protocols/oauth2/service-account#jwt-error-codes>).
fn refusal(answer: &ProviderResponse) -> OauthError {
    let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = refusal.error.filter(|code| is_code(code)).unwrap_or_else(|| answer.status.as_str().to_owned());
    // One code for two faults, which the text alone tells apart: the user is not there, or the key is not accepted.
    let is_about_the_key = refusal
        .error_description
        .is_some_and(|text| text.starts_with("Invalid JWT") || text.ends_with("account not found"));
    match code.as_str() {
        "unauthorized_client" | "access_denied" => OauthError::ConsentNeeded(code),
        "admin_policy_enforced" | "org_internal" => OauthError::Denied(code),
        "invalid_grant" if !is_about_the_key => OauthError::InvalidGrant(code),
        "invalid_grant" | "invalid_client" | "deleted_client" | "disabled_client" => OauthError::InvalidClient(code),
        "temporarily_unavailable" | "server_error" | "internal_failure" => OauthError::Transient(code),
        _ => OauthError::Rejected(code),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use http::StatusCode;

    use super::*;
    use crate::transport::TransportConfig;

    const PRIVATE_KEY: &str = include_str!("../../tests/keys/rsa-pkcs8.pem");

    fn file() -> Value {
        json!({
            "type": "service_account",
            "project_id": "project",
            "private_key_id": "key-1",
            "private_key": PRIVATE_KEY,
            "client_email": "cupo@project.iam.gserviceaccount.com",
            "client_id": "104711",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": "https://oauth2.googleapis.com/token",
        })
    }

    fn with(field: &str, value: Value) -> String {
        let mut file = file();
        file[field] = value;
        file.to_string()
    }

    fn refused(error: &str, description: &str) -> OauthError {
        let body = json!({"error": error, "error_description": description}).to_string().into();
        refusal(&ProviderResponse { status: StatusCode::BAD_REQUEST, headers: HeaderMap::new(), body })
    }

    #[test]
    fn the_key_file_of_the_console_is_read() {
        let key = ServiceAccountKey::parse(&file().to_string()).unwrap();
        assert_eq!(key.client_email, "cupo@project.iam.gserviceaccount.com");
        assert_eq!((key.client_id.as_deref(), key.key_id.as_deref()), (Some("104711"), Some("key-1")));
        assert!(!format!("{key:?}").contains("BEGIN"));
    }

    #[test]
    fn what_is_wrong_with_a_key_file_is_named() {
        let field = KeyProblem::Field;
        for (file, problem) in [
            ("-----BEGIN PRIVATE KEY-----".to_owned(), KeyProblem::NotJson),
            ("[]".to_owned(), KeyProblem::NotJson),
            (json!({"web": {"client_id": "a"}}).to_string(), KeyProblem::NotServiceAccount),
            (with("type", json!("authorized_user")), KeyProblem::NotServiceAccount),
            (with("client_email", json!("")), field("client_email")),
            (with("client_email", json!("cupo")), field("client_email")),
            (with("private_key", json!(5)), field("private_key")),
            (with("private_key", json!("hunter2")), KeyProblem::PrivateKey(KeyError::NoPrivateKey)),
            (with("token_uri", json!("http://oauth2.googleapis.com/token")), field("token_uri")),
            (with("token_uri", Value::Null), field("token_uri")),
        ] {
            let told = ServiceAccountKey::parse(&file).unwrap_err();
            assert_eq!(told, problem);
            assert!(!told.to_string().contains("hunter2"));
        }
        assert_eq!(field("client_email").to_string(), "field `client_email` is missing or unreadable");
    }

    #[test]
    fn an_assertion_is_for_one_user_and_an_hour_and_the_token_endpoint() {
        let token_url = Url::parse("https://oauth2.googleapis.com/token").unwrap();
        let key = ServiceAccountKey::parse(&file().to_string()).unwrap();
        let transport = Transport::new(TransportConfig::default()).unwrap();
        let account = GoogleServiceAccount::new(transport, token_url.clone(), key);
        let request = account.request("ana@example.com", &REQUIRED_SCOPES, "2026-11-02T09:00:00.5Z".parse().unwrap());
        assert_eq!((request.url, request.access.is_none()), (token_url, true));
        let form: HashMap<_, _> = form_urlencoded::parse(&request.body).into_owned().collect();
        assert_eq!(form["grant_type"], JWT_BEARER);
        let claims = BASE64_URL_SAFE_NO_PAD.decode(form["assertion"].split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(
            claims,
            json!({
                "iss": "cupo@project.iam.gserviceaccount.com",
                "sub": "ana@example.com",
                "scope": REQUIRED_SCOPES.join(" "),
                "aud": "https://oauth2.googleapis.com/token",
                "iat": 1_793_610_000,
                "exp": 1_793_613_600,
            })
        );
    }

    #[test]
    fn a_refusal_goes_to_whoever_can_mend_it() {
        let none = "Client is unauthorized to retrieve access tokens using this method";
        assert_eq!(refused("unauthorized_client", none), OauthError::ConsentNeeded("unauthorized_client".into()));
        assert_eq!(refused("access_denied", ""), OauthError::ConsentNeeded("access_denied".into()));
        let nobody = refused("invalid_grant", "Invalid email or User ID");
        assert_eq!(nobody, OauthError::InvalidGrant("invalid_grant".into()));
        for description in [
            "Invalid JWT Signature.",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
            "Invalid grant: account not found",
        ] {
            assert_eq!(refused("invalid_grant", description), OauthError::InvalidClient("invalid_grant".into()));
        }
        assert_eq!(refused("disabled_client", ""), OauthError::InvalidClient("disabled_client".into()));
        assert_eq!(refused("admin_policy_enforced", ""), OauthError::Denied("admin_policy_enforced".into()));
        assert_eq!(refused("invalid_scope", ""), OauthError::Rejected("invalid_scope".into()));
        // What is no code is not shown.
        assert_eq!(refused("Dear ana@example.com", ""), OauthError::Rejected("400".into()));
    }
}
