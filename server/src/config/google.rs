//! `google`: the OAuth client, and where Google's services are.

use cupo_providers::Secret;
use url::Url;

use super::reader::{Reader, Show};

/// A registered OAuth client and the addresses of Google, or of whatever stands in for it.
#[derive(Debug, Clone)]
pub struct Google {
    pub client_id: String,
    pub client_secret: Secret,
    pub auth_url: Url,
    pub token_url: Url,
    pub revoke_url: Url,
    /// The root of the Calendar API's version 3.
    pub api_url: Url,
    /// Where Google posts notifications, when that is not below the public address. Without a path, `/webhooks/google`.
    pub webhook_url: Option<Url>,
}

const AUTH_URL: &str = "https://accounts.google.com/o/oauth2/v2/auth";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
const REVOKE_URL: &str = "https://oauth2.googleapis.com/revoke";
const API_URL: &str = "https://www.googleapis.com";
/// Where version 3 of the Calendar API is on a server that is named without a path.
const API_PATH: &str = "/calendar/v3";

/// Where Google is: also for organizations that bring a service account of their own.
#[derive(Debug, Clone)]
pub struct GoogleAddresses {
    pub token_url: Url,
    /// The root of the Calendar API's version 3.
    pub api_url: Url,
}

/// The inner `None` of the first is "not configured".
pub fn read(reader: &Reader) -> Option<(Option<Google>, GoogleAddresses)> {
    let address = |key: &'static str, default: &str| {
        let default: Url = default.parse().expect("the default address is valid");
        reader.or(key, default, "give an http or https address, or leave it out for Google's own", parse_url)
    };
    let auth_url = address("google.auth_url", AUTH_URL);
    let token_url = address("google.token_url", TOKEN_URL);
    let revoke_url = address("google.revoke_url", REVOKE_URL);
    let api_url = address("google.api_url", API_URL);
    let webhook_url = reader.optional(
        "google.webhook_url",
        "give the https address under which Google reaches /webhooks/google, or leave it out",
        Show::Value,
        parse_url,
    );
    let right = "give both client_id and client_secret of the OAuth client, or neither";
    let filled = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let client_id = reader.optional("google.client_id", right, Show::Value, filled);
    let client_secret = reader.optional("google.client_secret", right, Show::Nothing, filled);
    let (client_id, client_secret) = match (client_id?, client_secret?) {
        (None, None) => {
            return Some((None, GoogleAddresses { token_url: token_url?, api_url: with_api_path(api_url?) }));
        }
        (Some(id), Some(secret)) => (id, Secret::new(secret)),
        (Some(_), None) => {
            reader.mistake("google.client_secret", "is missing", right);
            return None;
        }
        (None, Some(_)) => {
            reader.mistake("google.client_id", "is missing", right);
            return None;
        }
    };
    let addresses = GoogleAddresses { token_url: token_url?, api_url: with_api_path(api_url?) };
    let GoogleAddresses { token_url, api_url } = addresses.clone();
    let google = Google {
        client_id,
        client_secret,
        auth_url: auth_url?,
        token_url,
        revoke_url: revoke_url?,
        api_url,
        webhook_url: webhook_url?,
    };
    Some((Some(google), addresses))
}

fn with_api_path(mut url: Url) -> Url {
    if url.path() == "/" {
        url.set_path(API_PATH);
    }
    url
}

pub fn parse_url(text: &str) -> Option<Url> {
    text.parse().ok().filter(|url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
