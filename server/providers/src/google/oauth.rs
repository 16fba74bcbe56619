//! Google's OAuth 2.0 for web server applications
//! (<https://developers.google.com/identity/protocols/oauth2/web-server>): authorization code with PKCE (RFC 7636).

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use url::{Url, form_urlencoded};

use super::PROVIDER;
use crate::error::{OauthError, ProviderError};
use crate::oauth::{PkceChallenge, TokenGrant, life, passing_failure, unanswered};
use crate::secret::Secret;
use crate::transport::{ProviderRequest, Transport};

/// What Cupo asks of a host: to read and write events, to ask for busy time, and to list the calendars.
/// `freebusy.query` does not accept `calendar.events`, and `calendar.freebusy` can neither list nor watch.
pub const REQUIRED_SCOPES: [&str; 3] = [
    "https://www.googleapis.com/auth/calendar.events",
    "https://www.googleapis.com/auth/calendar.freebusy",
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
];

/// The operator's OAuth client and Google's endpoints.
#[derive(Debug, Clone)]
pub struct GoogleClient {
    pub client_id: String,
    pub client_secret: Secret,
    /// `https://accounts.google.com/o/oauth2/v2/auth`.
    pub auth_url: Url,
    /// `https://oauth2.googleapis.com/token`.
    pub token_url: Url,
    /// `https://oauth2.googleapis.com/revoke`.
    pub revoke_url: Url,
    pub redirect_url: Url,
}

/// The required scopes that `granted` lacks.
pub fn missing_scopes(granted: &[String]) -> Vec<&'static str> {
    REQUIRED_SCOPES.into_iter().filter(|scope| !granted.iter().any(|granted| granted == scope)).collect()
}

/// Connects accounts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct GoogleOauth {
    transport: Transport,
    client: GoogleClient,
}

type OauthClient = Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

type TokenAnswer = StandardTokenResponse<GoogleFields, BasicTokenType>;

/// What Google's token answers hold beyond RFC 6749 §5.1.
#[derive(Debug, Deserialize, Serialize)]
struct GoogleFields {
    /// Seconds: the host gave access for a time only.
    refresh_token_expires_in: Option<u64>,
}

impl ExtraTokenFields for GoogleFields {}

impl GoogleOauth {
    pub fn new(transport: Transport, client: GoogleClient) -> Self {
        Self { transport, client }
    }

    /// Where to send the host. `state` is opaque, unguessable and single-use; `login_hint` is an address.
    pub fn authorize_url(&self, state: &str, challenge: &PkceChallenge, login_hint: Option<&str>) -> Url {
        let client = self.oauth_client();
        let state = state.to_owned();
        let mut request = client
            .authorize_url(move || CsrfToken::new(state))
            .add_scopes(REQUIRED_SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge.to_code_challenge())
            .add_extra_param("access_type", "offline")
            // Without it Google gives a refresh token at the very first consent only.
            .add_extra_param("prompt", "consent")
            .add_extra_param("include_granted_scopes", "true");
        if let Some(login_hint) = login_hint {
            request = request.add_extra_param("login_hint", login_hint);
        }
        request.url().0
    }

    /// Trades the authorization code for tokens. A code is good once.
    pub async fn exchange(&self, code: &str, pkce_verifier: &Secret) -> Result<TokenGrant, OauthError> {
        let owned = self.clone();
        let http = move |request| owned.clone().send(request, "oauth.exchange", false);
        self.oauth_client()
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(pkce_verifier.expose().to_owned()))
            .request_async(&http)
            .await
            .map(grant)
            .map_err(read_error)
    }

    /// A new access token. [`OauthError::InvalidGrant`] is final: the account needs to be connected again.
    pub async fn refresh(&self, refresh_token: &Secret) -> Result<TokenGrant, OauthError> {
        let owned = self.clone();
        let http = move |request| owned.clone().send(request, "oauth.refresh", true);
        self.oauth_client()
            .exchange_refresh_token(&RefreshToken::new(refresh_token.expose().to_owned()))
            .request_async(&http)
            .await
            .map(grant)
            .map_err(read_error)
    }

    /// Ends the grant of an access or refresh token. One that is dead already is no error.
    pub async fn revoke(&self, token: &Secret) -> Result<(), OauthError> {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("token", token.expose()).finish();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, form)]);
        let request =
            self.request("oauth.revoke", Method::POST, self.client.revoke_url.clone(), headers, body.into(), true);
        let response = self.transport.send(&request).await.map_err(unanswered)?;
        // Google answers 400 `invalid_token` for a token that it no longer knows.
        match response.status {
            status if status.is_success() => Ok(()),
            StatusCode::BAD_REQUEST => Ok(()),
            status => Err(OauthError::Rejected(status.as_str().to_owned())),
        }
    }

    fn oauth_client(&self) -> OauthClient {
        Client::new(ClientId::new(self.client.client_id.clone()))
            .set_client_secret(ClientSecret::new(self.client.client_secret.expose().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::from_url(self.client.auth_url.clone()))
            .set_token_uri(TokenUrl::from_url(self.client.token_url.clone()))
            .set_redirect_uri(RedirectUrl::from_url(self.client.redirect_url.clone()))
    }

    /// The HTTP client of the `oauth2` crate. It owns the client: a future that borrowed it could not be shown to be
    /// `Send` by those who await it in a spawned task.
    async fn send(
        self,
        request: HttpRequest,
        operation: &'static str,
        is_idempotent: bool,
    ) -> Result<HttpResponse, ProviderError> {
        let (parts, body) = request.into_parts();
        let request = self.request(
            operation,
            parts.method,
            self.client.token_url.clone(),
            parts.headers,
            body.into(),
            is_idempotent,
        );
        let answer = self.transport.send(&request).await?;
        let mut response = HttpResponse::new(answer.body.to_vec());
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }

    fn request(
        &self,
        operation: &'static str,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Bytes,
        is_idempotent: bool,
    ) -> ProviderRequest {
        ProviderRequest {
            provider: PROVIDER,
            operation,
            path_template: operation,
            method,
            url,
            access: None,
            headers,
            body,
            is_idempotent,
            classify: passing_failure,
        }
    }
}

fn grant(answer: TokenAnswer) -> TokenGrant {
    TokenGrant {
        access_token: Secret::new(answer.access_token().secret().as_str()),
        refresh_token: answer.refresh_token().map(|token| Secret::new(token.secret().as_str())),
        expires_in: life(answer.expires_in()),
        refresh_expires_in: answer
            .extra_fields()
            .refresh_token_expires_in
            .map(|seconds| life(Some(Duration::from_secs(seconds)))),
        // RFC 6749 §5.1: no list means that what was asked for was granted.
        scopes: match answer.scopes() {
            Some(scopes) => scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            None => REQUIRED_SCOPES.map(str::to_owned).to_vec(),
        },
        is_personal: false,
    }
}

/// Whether it is a code and not a sentence, which could hold anything.
pub(super) fn is_code(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Only the error code is kept: descriptions are free text and bodies may hold tokens.
fn read_error(error: RequestTokenError<ProviderError, BasicErrorResponse>) -> OauthError {
    match error {
        RequestTokenError::ServerResponse(answer) => {
            let code = answer.error().as_ref();
            let code = if is_code(code) { code.to_owned() } else { "an unreadable code".to_owned() };
            match answer.error() {
                BasicErrorResponseType::InvalidGrant => OauthError::InvalidGrant(code),
                BasicErrorResponseType::InvalidClient | BasicErrorResponseType::UnauthorizedClient => {
                    OauthError::InvalidClient(code)
                }
                BasicErrorResponseType::Extension(extension) => match extension.as_str() {
                    "access_denied" | "admin_policy_enforced" | "org_internal" => OauthError::Denied(code),
                    "deleted_client" | "disabled_client" => OauthError::InvalidClient(code),
                    "temporarily_unavailable" | "server_error" | "internal_failure" => OauthError::Transient(code),
                    _ => OauthError::Rejected(code),
                },
                _ => OauthError::Rejected(code),
            }
        }
        RequestTokenError::Request(error) => unanswered(error),
        RequestTokenError::Parse(error, _) => OauthError::Rejected(format!("field `{}` cannot be read", error.path())),
        RequestTokenError::Other(_) => OauthError::Transient("an unreadable answer".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::transport::TransportConfig;

    fn oauth() -> GoogleOauth {
        let url = |text: &str| Url::parse(text).unwrap();
        let client = GoogleClient {
            client_id: "client".into(),
            client_secret: Secret::new("client-secret"),
            auth_url: url("https://accounts.google.com/o/oauth2/v2/auth"),
            token_url: url("https://oauth2.googleapis.com/token"),
            revoke_url: url("https://oauth2.googleapis.com/revoke"),
            redirect_url: url("https://cupo.example/oauth/google/callback"),
        };
        GoogleOauth::new(Transport::new(TransportConfig::default()).unwrap(), client)
    }

    fn answer(json: Value) -> TokenGrant {
        grant(serde_json::from_value(json).unwrap())
    }

    fn refused(code: &str) -> OauthError {
        read_error(RequestTokenError::ServerResponse(serde_json::from_value(json!({"error": code})).unwrap()))
    }

    #[test]
    fn the_authorize_url_asks_for_the_minimal_scopes_offline_with_pkce() {
        // The verifier and challenge of RFC 7636, appendix B.
        let challenge = PkceChallenge::s256(&Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        let url = oauth().authorize_url("st/te", &challenge, Some("ana@example.com"));
        assert!(url.as_str().starts_with("https://accounts.google.com/o/oauth2/v2/auth?"));
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", "client"),
            ("redirect_uri", "https://cupo.example/oauth/google/callback"),
            ("state", "st/te"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
            ("access_type", "offline"),
            ("prompt", "consent"),
            ("include_granted_scopes", "true"),
            ("login_hint", "ana@example.com"),
            ("scope", &REQUIRED_SCOPES.join(" ")),
        ] {
            assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert_eq!(query.len(), 11, "{url}");
        assert!(!url.as_str().contains("client-secret"));
    }

    #[test]
    fn scopes_that_the_host_unticked_are_missing() {
        let granted = answer(json!({
            "access_token": "a", "token_type": "Bearer", "expires_in": 3599, "refresh_token": "r",
            "scope": format!("{} openid {}", REQUIRED_SCOPES[2], REQUIRED_SCOPES[0]),
        }));
        assert_eq!(missing_scopes(&granted.scopes), [REQUIRED_SCOPES[1]]);
        assert_eq!(granted.expires_in, Duration::from_secs(3599));
        assert!(granted.refresh_token.unwrap().matches("r"));
    }

    #[test]
    fn a_refresh_token_of_time_based_access_tells_its_end() {
        let timed = answer(json!({"access_token": "a", "token_type": "Bearer", "refresh_token_expires_in": 604_799}));
        assert_eq!(timed.refresh_expires_in, Some(Duration::from_secs(604_799)));
    }

    #[test]
    fn an_answer_without_scopes_grants_those_asked_for() {
        let granted = answer(json!({"access_token": "a", "token_type": "Bearer"}));
        assert!(missing_scopes(&granted.scopes).is_empty());
        assert!(granted.refresh_token.is_none());
        assert_eq!(granted.refresh_expires_in, None);
    }

    #[test]
    fn a_dead_grant_a_wrong_client_and_a_refusal_are_told_apart() {
        assert_eq!(refused("invalid_grant"), OauthError::InvalidGrant("invalid_grant".into()));
        assert_eq!(refused("invalid_client"), OauthError::InvalidClient("invalid_client".into()));
        assert_eq!(refused("unauthorized_client"), OauthError::InvalidClient("unauthorized_client".into()));
        assert_eq!(refused("admin_policy_enforced"), OauthError::Denied("admin_policy_enforced".into()));
        assert_eq!(refused("invalid_request"), OauthError::Rejected("invalid_request".into()));
        assert_eq!(refused("Dear ana@example.com"), OauthError::Rejected("an unreadable code".into()));
    }

    #[test]
    fn an_operators_mistake_does_not_ask_the_host_to_connect_again() {
        assert!(matches!(ProviderError::from(refused("invalid_client")), ProviderError::OperatorNeeded(_)));
        let dead = ProviderError::Reauth(crate::error::ReauthReason::GrantRevoked);
        assert_eq!(ProviderError::from(refused("invalid_grant")), dead);
    }
}
