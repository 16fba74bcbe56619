//! Puts a configured engine together: for the server and for the commands.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use cupo_engine::clock::Clock;
use cupo_engine::keyring::Keyring;
use cupo_engine::random::OsRandom;
use cupo_engine::{Engine, EngineParts, EngineSettings, Mailer, Providers, ProvidersParts, SessionSecret};
use cupo_providers::google::oauth::GoogleClient;
use cupo_providers::microsoft::oauth::MicrosoftClient;
use cupo_providers::{Budgets, Transport, TransportConfig};
use cupo_store::{Store, StoreError};
use url::Url;

use crate::config::{Config, Database, Smtp, SmtpTls, is_loopback};
use crate::prefix;

/// Where Google and Microsoft lead a host back to, below the public address.
const GOOGLE_CALLBACK: &str = "/oauth/google/callback";
const MICROSOFT_CALLBACK: &str = "/oauth/microsoft/callback";
/// Where they post notifications, below the public address.
const GOOGLE_WEBHOOK: &str = "/webhooks/google";
const MICROSOFT_WEBHOOK: &str = "/webhooks/microsoft";

/// Opens the database; the folder of an SQLite file is made when it is not there.
///
/// # Errors
/// When the folder cannot be made or the database cannot be reached.
pub async fn open_store(config: &Config) -> Result<Store> {
    open_database(&config.database).await
}

/// As [`open_store`], of any address.
///
/// # Errors
/// As [`open_store`].
pub async fn open_database(database: &Database) -> Result<Store> {
    if let Some(folder) = database.sqlite_file().and_then(Path::parent)
        && !folder.as_os_str().is_empty()
    {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("the folder {} of the database cannot be made", folder.display()))?;
    }
    Store::connect(database.url()).await.with_context(|| format!("the database {database:?} cannot be opened"))
}

/// The keys that seal and open what is kept of providers.
///
/// # Errors
/// When a key cannot be used.
pub fn keyring(config: &Config) -> Result<Keyring> {
    let keys: Vec<[u8; 32]> = config.secrets.encryption_keys.iter().map(|key| key.bytes()).collect();
    Keyring::new(&keys).context("secrets.encryption_keys")
}

/// Applies the migrations that are missing. Several processes may do so at once.
///
/// # Errors
/// When a migration cannot be applied, or everything in the database has moved to another one.
pub async fn bring_up_to_date(config: &Config, store: &Store) -> Result<()> {
    if let Some(address) = store.moved_to().await.context("the state of the database cannot be read")? {
        return Err(StoreError::Moved(address))
            .with_context(|| format!("the database {:?} is closed", config.database));
    }
    store.migrate().await.context("the database cannot be brought up to date")
}

/// Makes an engine; nothing is started, and no address is called.
///
/// # Errors
/// When a part refuses its settings, such as a sender that is no address.
pub fn engine(config: &Config, store: Store, public_url: &Url, clock: Arc<dyn Clock>) -> Result<Engine> {
    let mut settings = EngineSettings::new(public_url.clone());
    settings.sign_up_open = config.sign_up.open;
    settings.poll_interval = config.sync.poll;
    settings.stale_after = config.sync.stale_after;
    settings.reconcile_interval = config.sync.reconcile;
    settings.worker_concurrency = config.worker.concurrency;
    settings.feeds.allows_private_addresses = config.limits.private_addresses;
    settings.operator_email = config.operator.email.clone();
    let of_google = config.google.as_ref().and_then(|google| google.webhook_url.as_ref());
    settings.google_webhook_url = webhook_url(of_google, public_url, GOOGLE_WEBHOOK, &config.google_addresses.api_url);
    let of_microsoft = config.microsoft.as_ref().and_then(|microsoft| microsoft.webhook_url.as_ref());
    settings.microsoft_webhook_url =
        webhook_url(of_microsoft, public_url, MICROSOFT_WEBHOOK, &config.microsoft_addresses.graph_url);
    Ok(Engine::new(EngineParts {
        store,
        clock: clock.clone(),
        random: Arc::new(OsRandom),
        keyring: keyring(config)?,
        session_secret: SessionSecret::new(config.secrets.session_secret.expose().as_bytes().to_vec()),
        providers: providers(config, &settings, public_url, clock)?,
        mailer: config.smtp.as_ref().map(mailer).transpose()?,
        settings,
    }))
}

fn providers(config: &Config, settings: &EngineSettings, public_url: &Url, clock: Arc<dyn Clock>) -> Result<Providers> {
    let google_client = config.google.as_ref().map(|google| GoogleClient {
        client_id: google.client_id.clone(),
        client_secret: google.client_secret.clone(),
        auth_url: google.auth_url.clone(),
        token_url: google.token_url.clone(),
        revoke_url: google.revoke_url.clone(),
        redirect_url: below(public_url, GOOGLE_CALLBACK),
    });
    let microsoft_client = config.microsoft.as_ref().map(|microsoft| MicrosoftClient {
        client_id: microsoft.client_id.clone(),
        credential: microsoft.credential.clone(),
        tenant: microsoft.tenant.clone(),
        login_url: microsoft.login_url.clone(),
        redirect_url: below(public_url, MICROSOFT_CALLBACK),
    });
    let usual = Budgets::default();
    let configured =
        [("google", config.google_budget), ("microsoft", config.microsoft_budget), ("caldav", config.caldav_budget)];
    let budgets = configured
        .into_iter()
        .fold(usual.clone(), |budgets, (name, configured)| budgets.with(name, configured.over(usual.of(name))));
    let guarded = TransportConfig {
        allows_private_addresses: config.limits.private_addresses,
        budgets: budgets.clone(),
        ..TransportConfig::default()
    };
    let parts = ProvidersParts {
        transport: Transport::new(TransportConfig { budgets, ..TransportConfig::default() })
            .context("the transport to providers")?,
        guarded_transport: Transport::new(guarded).context("the transport to CalDAV servers")?,
        feeds: settings.feeds.clone(),
        clock: cupo_providers::Clock::new(move || clock.now()),
        google_api_url: config.google_addresses.api_url.clone(),
        google_token_url: config.google_addresses.token_url.clone(),
        google_client,
        microsoft_graph_url: config.microsoft_addresses.graph_url.clone(),
        microsoft_login_url: config.microsoft_addresses.login_url.clone(),
        microsoft_client,
    };
    Providers::new(parts).context("the calendar providers")
}

/// Providers notify https addresses only. Without one, calendars are polled; a simulator on this machine takes any.
fn webhook_url(configured: Option<&Url>, public_url: &Url, path: &str, api_url: &Url) -> Option<Url> {
    let reachable = public_url.scheme() == "https" || is_loopback(api_url);
    match configured {
        Some(url) if url.path() == "/" => Some(below(url, path)),
        Some(url) => Some(url.clone()),
        None => reachable.then(|| below(public_url, path)),
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
    url.set_path(&format!("{}{path}", prefix::of(public_url)));
    url
}
