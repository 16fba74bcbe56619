//! Google's OAuth 2.0 for web server applications
//! (<https://developers.google.com/identity/protocols/oauth2/web-server>): authorization code with PKCE (RFC 7636).

use std::time::Duration;

use url::Url;

use crate::error::OauthError;
use crate::secret::Secret;
use crate::transport::Transport;

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
    pub auth_url: Url,
    pub token_url: Url,
    pub revoke_url: Url,
    pub redirect_url: Url,
}

/// What the token endpoint gave.
#[derive(Debug, Clone)]
pub struct TokenGrant {
    pub access_token: Secret,
    /// Absent in a refresh: the old one stays good.
    pub refresh_token: Option<Secret>,
    pub expires_in: Duration,
    /// Those granted; a host may untick some of those asked for.
    pub scopes: Vec<String>,
}

/// Connects accounts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct GoogleOauth {
    transport: Transport,
    client: GoogleClient,
}

/// A PKCE challenge (S256) of a verifier.
#[derive(Debug, Clone)]
pub struct PkceChallenge(oauth2::PkceCodeChallenge);

impl PkceChallenge {
    /// # Panics
    /// When the verifier has not 43 to 128 characters (RFC 7636 §4.1). [`pkce_verifier`] makes one of 43.
    pub fn s256(verifier: &Secret) -> Self {
        todo!()
    }
}

/// A PKCE verifier from 32 random bytes.
pub fn pkce_verifier(random: [u8; 32]) -> Secret {
    todo!()
}

/// The required scopes that `granted` lacks.
pub fn missing_scopes(granted: &[String]) -> Vec<&'static str> {
    REQUIRED_SCOPES.into_iter().filter(|scope| !granted.iter().any(|granted| granted == scope)).collect()
}

impl GoogleOauth {
    pub fn new(transport: Transport, client: GoogleClient) -> Self {
        Self { transport, client }
    }

    /// Where to send the host. `state` is opaque, unguessable and single-use; `login_hint` is an address.
    pub fn authorize_url(&self, state: &str, challenge: &PkceChallenge, login_hint: Option<&str>) -> Url {
        todo!()
    }

    /// Trades the authorization code for tokens. A code is good once.
    pub async fn exchange(&self, code: &str, pkce_verifier: &Secret) -> Result<TokenGrant, OauthError> {
        todo!()
    }

    /// A new access token. [`OauthError::InvalidGrant`] is final: the account needs to be connected again.
    pub async fn refresh(&self, refresh_token: &Secret) -> Result<TokenGrant, OauthError> {
        todo!()
    }

    /// Ends the grant of an access or refresh token. One that is dead already is no error.
    pub async fn revoke(&self, token: &Secret) -> Result<(), OauthError> {
        todo!()
    }
}
