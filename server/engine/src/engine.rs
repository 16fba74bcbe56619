//! [`Engine`]: what every use case shares.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::{
    ids::{AppointmentId, OrganizationId},
    parse::EmailAddress,
};
use cupo_providers::FeedConfig;
use cupo_store::{Provider, Store};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use url::Url;

use crate::{
    Mailer,
    access::{MintedTokens, Refreshers, Resting},
    announcements::Announcer,
    availability::{AvailabilityCache, Silent},
    clock::Clock,
    keyring::Keyring,
    providers::Providers,
    random::{RandomSource, RandomSourceExt},
    webhooks::Intake,
};

/// The key under which the manage links of appointments are made.
#[derive(Clone)]
pub struct SessionSecret(Vec<u8>);

impl SessionSecret {
    /// Takes the secret's bytes; 32 of them or more are wise.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionSecret(..)")
    }
}

/// What the operator decides about the engine's behaviour.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// Where visitors and hosts reach Cupo; links in mails start with it, and its host names the installation.
    pub public_url: Url,
    /// The address to which Google posts notifications, path included; `None` means that no channel is opened and
    /// calendars are polled.
    pub google_webhook_url: Option<Url>,
    /// The same for Microsoft. What concerns a subscription itself is posted to `/lifecycle` below it.
    pub microsoft_webhook_url: Option<Url>,
    /// Whether strangers may sign up.
    pub sign_up_open: bool,
    /// How long a visitor's slot is held while the form is filled in.
    pub hold_ttl: TimeDelta,
    /// How long a session lasts.
    pub session_ttl: TimeDelta,
    /// How long a sign-in at a provider may take.
    pub connect_ttl: TimeDelta,
    /// A calendar that was not synchronized for so long is polled, webhook or not.
    pub poll_interval: TimeDelta,
    /// A mirror without a live channel that is older than this is not trusted.
    pub stale_after: TimeDelta,
    /// How much longer nobody can read a calendar before its host is told: a short outage mails nobody.
    pub stale_grace: TimeDelta,
    /// How often a calendar's events are compared with the appointments.
    pub reconcile_interval: TimeDelta,
    /// How many days ahead calendars are mirrored.
    pub mirror_days: u32,
    /// How long the live free/busy check of a booking may take.
    pub live_check_timeout: Duration,
    /// How long slots wait for a provider whose calendar's mirror is stale: a visitor shall not notice it. Beyond that the
    /// host counts as not known to be free.
    pub stale_patience: Duration,
    /// How long a confirmation mail waits for the meeting link.
    pub meeting_link_wait: TimeDelta,
    /// How many jobs run at once.
    pub worker_concurrency: usize,
    /// How long running jobs may go on after the order to stop.
    pub worker_grace: Duration,
    /// How the addresses are read that hosts subscribe to.
    pub feeds: FeedConfig,
    /// Whom to tell what only the operator can mend.
    pub operator_email: Option<EmailAddress>,
}

impl EngineSettings {
    /// The defaults, for an installation at `public_url`.
    #[must_use]
    pub fn new(public_url: Url) -> Self {
        Self {
            public_url,
            google_webhook_url: None,
            microsoft_webhook_url: None,
            sign_up_open: true,
            hold_ttl: TimeDelta::minutes(10),
            session_ttl: TimeDelta::days(30),
            connect_ttl: TimeDelta::minutes(15),
            poll_interval: TimeDelta::minutes(10),
            stale_after: TimeDelta::minutes(30),
            stale_grace: TimeDelta::hours(2),
            reconcile_interval: TimeDelta::days(1),
            mirror_days: 400,
            live_check_timeout: Duration::from_secs(4),
            stale_patience: Duration::from_millis(300),
            meeting_link_wait: TimeDelta::seconds(20),
            worker_concurrency: 8,
            worker_grace: Duration::from_secs(8),
            feeds: FeedConfig::default(),
            operator_email: None,
        }
    }
}

impl EngineSettings {
    /// Where a provider posts notifications; `None`: nowhere.
    pub(crate) fn webhook_url(&self, provider: Provider) -> Option<&Url> {
        match provider {
            Provider::Google => self.google_webhook_url.as_ref(),
            Provider::Outlook => self.microsoft_webhook_url.as_ref(),
            Provider::Caldav | Provider::Ics => None,
        }
    }
}

/// What an [`Engine`] is made of.
pub struct EngineParts {
    /// Where everything is kept.
    pub store: Store,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// Ids, tokens, nonces.
    pub random: Arc<dyn RandomSource>,
    /// Seals provider tokens.
    pub keyring: Keyring,
    /// Makes manage links.
    pub session_secret: SessionSecret,
    /// Who holds calendars.
    pub providers: Providers,
    /// Sends mail, if the operator configured a server.
    pub mailer: Option<Mailer>,
    /// The operator's decisions.
    pub settings: EngineSettings,
}

/// The use cases. Cloning is cheap and shares everything.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn RandomSource>,
    pub(crate) keyring: Keyring,
    pub(crate) session_secret: SessionSecret,
    pub(crate) providers: Providers,
    pub(crate) mailer: Option<Mailer>,
    pub(crate) settings: EngineSettings,
    pub(crate) availability: AvailabilityCache,
    pub(crate) refreshers: Refreshers,
    pub(crate) minted: MintedTokens,
    pub(crate) resting: Resting,
    pub(crate) silent: Silent,
    pub(crate) announcer: Announcer,
    /// The name of this process among those on the database.
    pub(crate) process: String,
    pub(crate) wake: Notify,
    /// The notifications that wait to be written.
    pub(crate) intake: Intake,
}

impl Engine {
    /// Puts the parts together; nothing is read or started.
    #[must_use]
    pub fn new(parts: EngineParts) -> Self {
        let EngineParts { store, clock, random, keyring, session_secret, providers, mailer, settings } = parts;
        let process = random.token();
        Self(Arc::new(Shared {
            store,
            clock,
            random,
            keyring,
            session_secret,
            providers,
            mailer,
            settings,
            availability: AvailabilityCache::default(),
            refreshers: Refreshers::default(),
            minted: MintedTokens::default(),
            resting: Resting::default(),
            silent: Silent::default(),
            announcer: Announcer::default(),
            process,
            wake: Notify::new(),
            intake: Intake::default(),
        }))
    }

    /// Turns an organization's cached answers out in this process.
    pub fn invalidate(&self, organization_id: &OrganizationId) {
        self.0.availability.invalidate(organization_id);
    }

    /// What follows every commit of an organization's rows: its caches are turned out and the worker looks for new jobs, in
    /// this process and in the others.
    pub(crate) fn committed(&self, organization_id: &OrganizationId) {
        self.invalidate(organization_id);
        self.0.wake.notify_one();
        self.0.announcer.written(organization_id);
    }

    /// What follows a commit that enqueued jobs and changed nothing that is cached: workers look for them, in this process and
    /// in the others.
    pub(crate) fn enqueued(&self) {
        self.0.wake.notify_one();
        self.0.announcer.work();
    }

    /// The operator's decisions.
    #[must_use]
    pub fn settings(&self) -> &EngineSettings {
        &self.0.settings
    }

    /// The present, by the clock that the engine was given.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// A new id of any noun.
    pub(crate) fn fresh<I>(&self) -> I
    where
        I: TryFrom<String, Error: std::fmt::Debug>,
    {
        I::try_from(self.0.random.uuid(self.now())).expect("a UUID in lowercase is an id")
    }

    /// The visitor's secret of an appointment. It is derived, so that every mail can carry the link although the store
    /// keeps only its hash.
    pub(crate) fn manage_token(&self, id: &AppointmentId) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0.session_secret.0).expect("HMAC takes a key of any length");
        mac.update(b"manage\0");
        mac.update(id.as_str().as_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    /// The name by which this installation marks its events and its iCalendar UIDs: its public host.
    pub(crate) fn installation(&self) -> &str {
        self.0.settings.public_url.host_str().unwrap_or("localhost")
    }

    /// An address under the public one; `path` has no leading slash.
    pub(crate) fn public_address(&self, path: &str) -> String {
        format!("{}/{path}", self.0.settings.public_url.as_str().trim_end_matches('/'))
    }

    /// Waits before a transaction is tried again: longer each time, and not in step with its rival.
    pub(crate) async fn pause_before_retry(&self, attempt: u32) {
        let span = Duration::from_millis(10) * 2_u32.pow(attempt.min(LONGEST_PAUSE));
        tokio::time::sleep(self.0.random.jittered(span)).await;
    }
}

/// How often a transaction that lost against a concurrent one is tried, for some seconds in all. Of those who book any of
/// many hosts at the same moment only one wins in each turn.
pub(crate) const TRANSACTION_ATTEMPTS: u32 = 30;
/// After so many attempts the pauses between them grow no more.
const LONGEST_PAUSE: u32 = 4;

/// Runs `$body` in a write transaction and commits it; a transaction that lost against a concurrent one is run again.
///
/// `$body` sees `$tx: &mut Tx`, may use `?`, and may run several times: it must have no effect but those of `$tx`.
macro_rules! transact {
    ($engine:expr, $tx:ident => $body:expr) => {{
        let engine: &$crate::Engine = $engine;
        let mut attempt = 0;
        loop {
            let outcome: Result<_, $crate::EngineError> = async {
                let mut transaction = engine.0.store.write().await?;
                let $tx: &mut cupo_store::Tx = &mut transaction;
                let value = $body;
                transaction.commit().await?;
                Ok(value)
            }
            .await;
            attempt += 1;
            match outcome {
                Err($crate::EngineError::Store(cupo_store::StoreError::Retry))
                    if attempt < $crate::engine::TRANSACTION_ATTEMPTS =>
                {
                    engine.pause_before_retry(attempt).await;
                }
                outcome => break outcome,
            }
        }
    }};
}
pub(crate) use transact;

/// SHA-256, by which bearer secrets are stored and looked up.
pub(crate) fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
