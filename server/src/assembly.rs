//! Puts a configured engine together: for the server and for the commands.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use cupo_engine::clock::Clock;
use cupo_engine::keyring::Keyring;
use cupo_engine::random::OsRandom;
use cupo_engine::{Engine, EngineParts, EngineSettings, Mailer, SessionSecret};
use cupo_providers::google::oauth::{GoogleClient, GoogleOauth};
use cupo_providers::google::{GoogleEndpoints, GoogleProvider};
use cupo_providers::{Transport, TransportConfig};
use cupo_store::Store;
use url::Url;

use crate::config::{Config, Google, Smtp, SmtpTls, is_loopback};

/// Where Google leads a host back to, below the public address.
const GOOGLE_CALLBACK: &str = "/oauth/google/callback";
/// Where Google posts notifications, below the public address.
const GOOGLE_WEBHOOK: &str = "/webhooks/google";

/// Opens the database; the folder of an SQLite file is made when it is not there.
///
/// # Errors
/// When the folder cannot be made or the database cannot be reached.
pub async fn open_store(config: &Config) -> Result<Store> {
    if let Some(folder) = config.database.sqlite_file().and_then(Path::parent)
        && !folder.as_os_str().is_empty()
    {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("the folder {} of the database cannot be made", folder.display()))?;
    }
    Store::connect(config.database.url())
        .await
        .with_context(|| format!("the database {:?} cannot be opened", config.database))
}

/// Makes an engine; nothing is started, and no address is called.
///
/// # Errors
/// When a part refuses its settings, such as a sender that is no address.
pub fn engine(config: &Config, store: Store, public_url: &Url, clock: Arc<dyn Clock>) -> Result<Engine> {
    let keys: Vec<[u8; 32]> = config.secrets.encryption_keys.iter().map(|key| key.bytes()).collect();
    let mut settings = EngineSettings::new(public_url.clone());
    settings.sign_up_open = config.sign_up.open;
    settings.feeds.allows_private_addresses = config.limits.private_feeds;
    settings.webhook_url = config.google.as_ref().and_then(|google| webhook_url(google, public_url));
    Ok(Engine::new(EngineParts {
        store,
        clock,
        random: Arc::new(OsRandom),
        keyring: Keyring::new(&keys).context("secrets.encryption_keys")?,
        session_secret: SessionSecret::new(config.secrets.session_secret.expose().as_bytes().to_vec()),
        google: config.google.as_ref().map(|google| connect_google(google, public_url)).transpose()?,
        mailer: config.smtp.as_ref().map(mailer).transpose()?,
        settings,
    }))
}

fn connect_google(google: &Google, public_url: &Url) -> Result<cupo_engine::Google> {
    let transport = Transport::new(TransportConfig::default()).context("the transport to Google")?;
    let client = GoogleClient {
        client_id: google.client_id.clone(),
        client_secret: google.client_secret.clone(),
        auth_url: google.auth_url.clone(),
        token_url: google.token_url.clone(),
        revoke_url: google.revoke_url.clone(),
        redirect_url: below(public_url, GOOGLE_CALLBACK),
    };
    let endpoints = GoogleEndpoints { api_url: google.api_url.clone() };
    Ok(cupo_engine::Google {
        provider: GoogleProvider::new(transport.clone(), endpoints),
        oauth: GoogleOauth::new(transport, client),
    })
}

/// Google notifies https addresses only. Without one, calendars are polled; a simulator on this machine takes any.
fn webhook_url(google: &Google, public_url: &Url) -> Option<Url> {
    let reachable = public_url.scheme() == "https" || is_loopback(&google.api_url);
    match &google.webhook_url {
        Some(url) if url.path() == "/" => Some(below(url, GOOGLE_WEBHOOK)),
        Some(url) => Some(url.clone()),
        None => reachable.then(|| below(public_url, GOOGLE_WEBHOOK)),
    }
}

fn mailer(smtp: &Smtp) -> Result<Mailer> {
    let mut url: Url = format!("smtp://{}:{}", smtp.host, smtp.port).parse().context("smtp.host is no host name")?;
    if let Some((username, password)) = &smtp.credentials {
        let refused = |()| anyhow::anyhow!("smtp.host takes no user name");
        url.set_username(username).map_err(refused)?;
        url.set_password(Some(password.expose())).map_err(refused)?;
    }
    match smtp.tls {
        SmtpTls::None => {}
        SmtpTls::StartTls => url.set_query(Some("tls=required")),
        SmtpTls::Tls => {
            return Mailer::from_url(&url.as_str().replacen("smtp:", "smtps:", 1), &smtp.from).context("smtp");
        }
    }
    Mailer::from_url(url.as_str(), &smtp.from).context("smtp")
}

fn below(public_url: &Url, path: &str) -> Url {
    let mut url = public_url.clone();
    url.set_path(path);
    url
}
