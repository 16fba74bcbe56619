//! What the OAuth 2.0 clients of all providers share: what a token endpoint grants, PKCE, and how its answers fail.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::StatusCode;
use oauth2::{PkceCodeChallenge, PkceCodeVerifier};

use crate::error::{OauthError, ProviderError};
use crate::secret::Secret;
use crate::transport::ProviderResponse;

/// The life of a token whose answer does not tell it; Google and Microsoft do (an hour, more or less).
pub(crate) const UNTOLD_LIFE: Duration = Duration::from_secs(300);

/// A longer life is cut: an early refresh does no harm, and a time that is added to the present must stay one.
const LONGEST_LIFE: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// The life that a token endpoint tells.
pub(crate) fn life(told: Option<Duration>) -> Duration {
    told.unwrap_or(UNTOLD_LIFE).min(LONGEST_LIFE)
}

/// What a token endpoint gave.
#[derive(Debug, Clone)]
pub struct TokenGrant {
    pub access_token: Secret,
    /// Absent where the old one stays good, and of application access, which has none. Microsoft's rotate: a new one
    /// must be stored before the old one is forgotten.
    pub refresh_token: Option<Secret>,
    pub expires_in: Duration,
    /// The life of the refresh token where it has an end from the start: Google's time-based access.
    pub refresh_expires_in: Option<Duration>,
    /// Those granted; a host may untick some of those asked for.
    pub scopes: Vec<String>,
    /// Whether it is of a personal Microsoft account, as far as the answer tells.
    pub is_personal: bool,
}

/// A PKCE challenge (S256) of a verifier.
#[derive(Debug, Clone)]
pub struct PkceChallenge(PkceCodeChallenge);

impl PkceChallenge {
    /// # Panics
    /// When the verifier has not 43 to 128 characters (RFC 7636 §4.1). [`pkce_verifier`] makes one of 43.
    pub fn s256(verifier: &Secret) -> Self {
        Self(PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.expose().to_owned())))
    }

    pub(crate) fn to_code_challenge(&self) -> PkceCodeChallenge {
        self.0.clone()
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// A PKCE verifier from 32 random bytes.
pub fn pkce_verifier(random: [u8; 32]) -> Secret {
    Secret::new(BASE64_URL_SAFE_NO_PAD.encode(random))
}

/// What is no statement of the authorization server.
pub(crate) fn passing_failure(response: &ProviderResponse) -> Option<ProviderError> {
    match response.status {
        StatusCode::TOO_MANY_REQUESTS => Some(
            response.retry_after().map_or_else(|| ProviderError::Transient("429".into()), ProviderError::Throttled),
        ),
        status if status.is_server_error() => Some(ProviderError::Transient(status.as_str().to_owned())),
        _ => None,
    }
}

/// What the transport's failure means to who asked for a token.
pub(crate) fn unanswered(error: ProviderError) -> OauthError {
    match error {
        ProviderError::Rejected(why) => OauthError::Rejected(why),
        passing => OauthError::Transient(passing.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_fits_the_rule_of_rfc_7636() {
        let verifier = pkce_verifier([255; 32]);
        assert_eq!(verifier.expose().len(), 43);
        assert!(verifier.expose().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)));
    }

    #[test]
    fn a_challenge_is_that_of_rfc_7636() {
        // Appendix B.
        let challenge = PkceChallenge::s256(&Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert_eq!(challenge.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
