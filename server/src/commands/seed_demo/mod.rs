//! `cupo seed-demo`: an organization to try Cupo with. Running it again finds what is there and mends what is missing.

mod studio;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use cupo_core::text::Locale;
use cupo_engine::clock::SystemClock;
use cupo_engine::{
    CalendarChoice, ConnectStart, Engine, EngineError, OauthCallback, Principal, SignUp, SignedIn, SiteInput,
};
use cupo_store::{AccountState, Provider};
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use serde::Serialize;
use sha2::{Digest, Sha256};
use url::Url;

use crate::assembly;
use crate::config::{Config, is_loopback};
use studio::Studio;

const ORGANIZATION: &str = "demo";
const EMAIL: &str = "ana@example.com";
const TIME_ZONE: &str = "Europe/Madrid";
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// What the demo is made for.
#[derive(Args, Debug, Clone)]
pub struct SeedOptions {
    /// The origin of the site that embeds the widget.
    #[arg(long, value_name = "ORIGIN", default_value = "http://127.0.0.1:4003")]
    pub site_origin: String,
    /// The Google simulator at which to consent in Ana's name. Without it, the configured one if it is on this machine.
    #[arg(long, value_name = "URL")]
    pub simulator: Option<Url>,
}

/// What there is to try.
#[derive(Clone, Serialize)]
pub struct Demo {
    /// The organization's slug.
    pub organization: &'static str,
    /// Who signs in to the dashboard.
    pub email: &'static str,
    /// With which password.
    pub password: String,
    /// The event type, `organization/slug`, as the widget's attribute wants it.
    pub event: String,
}

cupo_core::shown_in_debug!(Demo { organization, email, event });

pub async fn run(config: Config, options: SeedOptions) -> Result<()> {
    let store = assembly::open_store(&config).await?;
    store.migrate().await.context("the database cannot be brought up to date")?;
    let public_url = config.address.public_url(config.address.listen);
    let mut open = config.clone();
    open.sign_up.open = true;
    let engine = assembly::engine(&open, store, &public_url, Arc::new(SystemClock))?;
    let demo = seed(&engine, &config, &options).await?;
    println!("{}", serde_json::to_string(&demo)?);
    Ok(())
}

/// Makes the demo, or completes it.
///
/// # Errors
/// When the demo user exists with another password, or the simulator does not play its part.
pub async fn seed(engine: &Engine, config: &Config, options: &SeedOptions) -> Result<Demo> {
    let password = demo_password(config);
    let signed_in = sign_in(engine, &password).await?;
    let (principal, token) = (&signed_in.principal, signed_in.session_token.expose());
    let studio = Studio::found_or_made(engine, principal, &password).await?;
    studio.offer(engine, principal).await?;
    site(engine, principal, &options.site_origin).await?;
    if let Some(simulator) = simulator(config, options)? {
        connect(engine, principal, token, &simulator).await?;
    }
    engine.sign_out(token).await?;
    // So that the first slots are right even when no server runs yet.
    engine.run_due_jobs().await.context("the demo's first jobs")?;
    Ok(Demo { organization: ORGANIZATION, email: EMAIL, password, event: format!("{ORGANIZATION}/intro") })
}

/// Derived, so that it is the same each time and stands in no file.
fn demo_password(config: &Config) -> String {
    let secret = config.secrets.session_secret.expose();
    let digest = Sha256::new().chain_update(b"cupo demo password\0").chain_update(secret).finalize();
    URL_SAFE_NO_PAD.encode(&digest[..12])
}

async fn sign_in(engine: &Engine, password: &str) -> Result<SignedIn> {
    match engine.sign_in(EMAIL, password).await {
        Ok(signed_in) => return Ok(signed_in),
        Err(EngineError::WrongCredentials) => {}
        Err(error) => return Err(error).context("signing in as the demo user"),
    }
    let sign_up = SignUp {
        email: EMAIL.to_owned(),
        password: password.to_owned(),
        name: "Ana Demo".to_owned(),
        organization_name: "Demo Studio".to_owned(),
        organization_slug: ORGANIZATION.to_owned(),
        time_zone: TIME_ZONE.to_owned(),
        locale: Locale::En,
    };
    engine.sign_up(sign_up).await.with_context(|| {
        format!(
            "{EMAIL} or the organization {ORGANIZATION} exists already with another password: \
             has secrets.session_secret changed, or was the password?"
        )
    })
}

async fn site(engine: &Engine, principal: &Principal, origin: &str) -> Result<()> {
    let sites = engine.sites(principal).await?;
    if sites.iter().flat_map(|site| &site.allowed_origins).any(|allowed| allowed.as_str() == origin) {
        return Ok(());
    }
    let input = SiteInput { name: "Sample site".to_owned(), origins: origin.to_owned() };
    engine.site_save(principal, None, input).await.with_context(|| format!("{origin} as the sample site"))?;
    Ok(())
}

/// Where to consent. Never at Google itself: nobody may consent there in somebody's name.
fn simulator(config: &Config, options: &SeedOptions) -> Result<Option<Url>> {
    let Some(google) = &config.google else {
        ensure!(options.simulator.is_none(), "--simulator needs google.client_id and google.client_secret");
        return Ok(None);
    };
    if let Some(simulator) = &options.simulator {
        ensure!(
            simulator.origin() == google.auth_url.origin(),
            "google.auth_url ({}) is not at the simulator {simulator}",
            google.auth_url
        );
    }
    Ok(is_loopback(&google.auth_url).then(|| google.auth_url.clone()))
}

async fn connect(engine: &Engine, principal: &Principal, session_token: &str, simulator: &Url) -> Result<()> {
    if engine.accounts(principal).await?.iter().any(|it| it.account.state == AccountState::Active) {
        return Ok(());
    }
    let authorize = engine
        .connect_start(principal, session_token, ConnectStart { provider: Provider::Google, account: None })
        .await?;
    let callback = consent(authorize, simulator).await.context("consenting at the Google simulator")?;
    let outcome = engine.connect_finish(principal, session_token, Provider::Google, callback).await?;
    ensure!(outcome.missing_scopes.is_empty(), "the simulator did not grant {:?}", outcome.missing_scopes);
    let calendars: Vec<_> = engine.accounts(principal).await?.into_iter().flat_map(|it| it.calendars).collect();
    let choices = calendars
        .iter()
        .map(|it| CalendarChoice {
            calendar_id: it.id.clone(),
            checks_conflicts: it.can_write || it.is_primary,
            tentative_blocks: true,
            unanswered_blocks: true,
        })
        .collect();
    let receives = calendars.iter().find(|it| it.is_primary && it.can_write).map(|it| it.id.clone());
    engine.calendar_choices_save(principal, choices, receives).await.context("choosing the calendars")?;
    Ok(())
}

/// Does what a person does on the simulator's pages: choose the account, leave every box ticked, allow.
async fn consent(mut authorize: Url, simulator: &Url) -> Result<OauthCallback> {
    let client = reqwest::Client::builder().redirect(Policy::none()).timeout(TIME_LIMIT).build()?;
    let query: Vec<(String, String)> = authorize.query_pairs().into_owned().collect();
    let scopes = query.iter().find_map(|(name, value)| (name == "scope").then_some(value.as_str())).unwrap_or("");
    let mut form = vec![("account", EMAIL), ("request", authorize.query().unwrap_or("")), ("decision", "allow")];
    form.extend(scopes.split_whitespace().map(|scope| ("scope", scope)));
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let path = format!("{}/consent", simulator.path());
    authorize.set_path(&path);
    authorize.set_query(None);
    let answer = client
        .post(authorize.clone())
        .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await?;
    let location = answer.headers().get(LOCATION).and_then(|it| it.to_str().ok());
    let Some(location) = location else { bail!("{authorize} answered {} without leading back", answer.status()) };
    let back: Url = location.parse()?;
    let value = |wanted: &str| back.query_pairs().find_map(|(name, it)| (name == wanted).then(|| it.into_owned()));
    Ok(OauthCallback { state: value("state"), code: value("code"), error: value("error"), error_description: None })
}
