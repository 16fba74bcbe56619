//! `microsoft`: the application at Microsoft Entra, and where Microsoft's services are.

use cupo_providers::Secret;
use cupo_providers::jwt::{Certificate, KeyError, SigningKey};
use cupo_providers::microsoft::oauth::ClientCredential;
use url::Url;

use super::google::parse_url;
use super::reader::{Reader, Show};

/// A registered application and the addresses of Microsoft, or of whatever stands in for it.
#[derive(Debug, Clone)]
pub struct Microsoft {
    pub client_id: String,
    pub credential: ClientCredential,
    /// `common`, `organizations`, `consumers`, or the id or domain of one tenant: who may connect.
    pub tenant: String,
    pub login_url: Url,
    /// The root of Graph's version 1.0.
    pub graph_url: Url,
    /// Where Microsoft posts notifications, when that is not below the public address. Without a path, `/webhooks/microsoft`.
    pub webhook_url: Option<Url>,
}

/// Where Microsoft is: also for organizations that bring an application of their own.
#[derive(Debug, Clone)]
pub struct MicrosoftAddresses {
    pub login_url: Url,
    pub graph_url: Url,
}

const LOGIN_URL: &str = "https://login.microsoftonline.com";
const GRAPH_URL: &str = "https://graph.microsoft.com";
/// Where version 1.0 of Graph is on a server that is named without a path.
const GRAPH_PATH: &str = "/v1.0";

/// The inner `None` of the first is "not configured".
pub fn read(reader: &Reader) -> Option<(Option<Microsoft>, MicrosoftAddresses)> {
    let address = |key: &'static str, default: &str| {
        let default: Url = default.parse().expect("the default address is valid");
        reader.or(key, default, "give an http or https address, or leave it out for Microsoft's own", parse_url)
    };
    let login_url = address("microsoft.login_url", LOGIN_URL);
    let graph_url = address("microsoft.graph_url", GRAPH_URL).map(with_graph_path);
    let webhook_url = reader.optional(
        "microsoft.webhook_url",
        "give the https address under which Microsoft reaches /webhooks/microsoft, or leave it out",
        Show::Value,
        parse_url,
    );
    let tenant = reader.or(
        "microsoft.tenant",
        "common".to_owned(),
        "give common, organizations, consumers, or the id or domain of one tenant",
        |text| is_tenant(text).then(|| text.to_owned()),
    );
    let filled = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let right = "give the client_id of the application with its client_secret, or with certificate_file and \
                 private_key_file; or none of them";
    let client_id = reader.optional("microsoft.client_id", right, Show::Value, filled);
    let secret = reader.optional("microsoft.client_secret", right, Show::Nothing, filled);
    let certificate = reader.optional("microsoft.certificate_file", right, Show::Value, filled);
    let key = reader.optional("microsoft.private_key_file", right, Show::Value, filled);
    let addresses = MicrosoftAddresses { login_url: login_url?, graph_url: graph_url? };
    let (tenant, webhook_url) = (tenant?, webhook_url?);
    let credential = match (secret?, certificate?, key?) {
        (None, None, None) => None,
        (Some(secret), None, None) => Some(ClientCredential::Secret(Secret::new(secret))),
        (None, Some(certificate), Some(key)) => {
            let certificate = pem(reader, "microsoft.certificate_file", &certificate, Certificate::from_pem);
            let key = pem(reader, "microsoft.private_key_file", &key, SigningKey::from_pem);
            let (certificate, key) = (certificate?, key?);
            if !certificate.belongs_to(&key) {
                reader.mistake("microsoft.private_key_file", "does not belong to the certificate", "name its own key");
                return None;
            }
            Some(ClientCredential::Certificate { certificate, key })
        }
        (None, Some(_), None) => {
            reader.mistake("microsoft.private_key_file", "is missing", right);
            return None;
        }
        (None, None, Some(_)) => {
            reader.mistake("microsoft.certificate_file", "is missing", right);
            return None;
        }
        (Some(_), ..) => {
            reader.mistake("microsoft.client_secret", "stands beside a certificate", right);
            return None;
        }
    };
    let (client_id, credential) = match (client_id?, credential) {
        (None, None) => return Some((None, addresses)),
        (Some(client_id), Some(credential)) => (client_id, credential),
        (Some(_), None) => {
            reader.mistake("microsoft.client_secret", "is missing", right);
            return None;
        }
        (None, Some(_)) => {
            reader.mistake("microsoft.client_id", "is missing", right);
            return None;
        }
    };
    let MicrosoftAddresses { login_url, graph_url } = addresses.clone();
    Some((Some(Microsoft { client_id, credential, tenant, login_url, graph_url, webhook_url }), addresses))
}

/// It becomes a segment of an address.
fn is_tenant(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    !text.is_empty() && text.bytes().all(is_allowed) && !text.starts_with('.')
}

fn pem<T>(reader: &Reader, key: &'static str, path: &str, parse: fn(&str) -> Result<T, KeyError>) -> Option<T> {
    let read = std::fs::read_to_string(path).map_err(|error| error.to_string());
    match read.and_then(|text| parse(&text).map_err(|error| error.to_string())) {
        Ok(value) => Some(value),
        Err(error) => {
            reader.mistake(key, format!("cannot be used ({error})"), "name a PEM file that Cupo may read");
            None
        }
    }
}

fn with_graph_path(mut url: Url) -> Url {
    if url.path() == "/" {
        url.set_path(GRAPH_PATH);
    }
    url
}
