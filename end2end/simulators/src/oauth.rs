//! The parts of OAuth 2.0 that the simulated providers have in common.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use rand::Rng as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::http_server::is_loopback;

/// The PKCE challenge of RFC 7636.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Challenge {
    pub value: String,
    pub is_s256: bool,
}

/// A challenge without a value, or by a method that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl Challenge {
    /// Reads `code_challenge` and `code_challenge_method`, which go together or not at all.
    pub fn read(value: Option<&str>, method: Option<&str>) -> Result<Option<Self>, Malformed> {
        match (value, method) {
            (None, None) => Ok(None),
            (Some(value), None | Some("plain" | "S256")) => {
                Ok(Some(Self { value: value.to_owned(), is_s256: method == Some("S256") }))
            }
            _ => Err(Malformed),
        }
    }

    /// Whether `verifier` is the one behind it.
    pub fn is_met_by(&self, verifier: &str) -> bool {
        if self.is_s256 {
            URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == self.value
        } else {
            verifier == self.value
        }
    }
}

/// Client id and secret of `Authorization: Basic`, each percent-decoded as RFC 6749 (section 2.3.1) wants it.
pub fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let decoded = String::from_utf8(STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned());
    Some((plain(id)?, plain(secret)?))
}

/// An exact match; a client without a list may use any loopback address.
pub fn is_registered(registered: &[String], redirect_uri: &str) -> bool {
    if !registered.is_empty() {
        return registered.iter().any(|known| known == redirect_uri);
    }
    url::Url::parse(redirect_uri).is_ok_and(|url| is_loopback(&url))
}

/// So many random letters and digits.
pub fn random_text(length: usize) -> String {
    let mut random = rand::rng();
    (0..length).map(|_| char::from(random.sample(rand::distr::Alphanumeric))).collect()
}
