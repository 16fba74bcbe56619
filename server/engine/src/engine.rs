//! [`Engine`]: what every use case shares.

use std::{
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::ids::{AppointmentId, OrganizationId};
use cupo_providers::google::{GoogleProvider, oauth::GoogleOauth};
use cupo_store::{Store, StoreError, Tx};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use url::Url;

use crate::{
    EngineError, Mailer,
    availability::AvailabilityCache,
    clock::Clock,
    keyring::Keyring,
    random::{RandomSource, RandomSourceExt},
    tokens::Refreshers,
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
}

impl std::fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionSecret(..)")
    }
}

/// The two halves of the connection to Google.
pub struct Google {
    /// Calendars and events.
    pub provider: GoogleProvider,
    /// Consent and tokens.
    pub oauth: GoogleOauth,
}

/// What the operator decides about the engine's behaviour.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// Where visitors and hosts reach Cupo; links in mails start with it, and its host names the installation.
    pub public_url: Url,
    /// Where providers reach Cupo; `None` means that no channel is opened and calendars are polled.
    pub webhook_url: Option<Url>,
    /// Whether strangers may sign up. The first user of an installation always may.
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
    /// How many days ahead calendars are mirrored.
    pub mirror_days: u32,
    /// How long the live free/busy check may take.
    pub live_check_timeout: Duration,
    /// How long a confirmation mail waits for the meeting link.
    pub meeting_link_wait: TimeDelta,
    /// How many jobs run at once.
    pub worker_concurrency: usize,
}

impl EngineSettings {
    /// The defaults, for an installation at `public_url`.
    #[must_use]
    pub fn new(public_url: Url) -> Self {
        Self {
            public_url,
            webhook_url: None,
            sign_up_open: true,
            hold_ttl: TimeDelta::minutes(10),
            session_ttl: TimeDelta::days(30),
            connect_ttl: TimeDelta::minutes(15),
            poll_interval: TimeDelta::minutes(10),
            stale_after: TimeDelta::minutes(30),
            mirror_days: 400,
            live_check_timeout: Duration::from_secs(4),
            meeting_link_wait: TimeDelta::seconds(20),
            worker_concurrency: 8,
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
    /// The connection to Google, if the operator registered a client.
    pub google: Option<Google>,
    /// Sends mail, if the operator configured a server.
    pub mailer: Option<Mailer>,
    /// The operator's decisions.
    pub settings: EngineSettings,
}

/// The use cases. Cloning is cheap and shares everything.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) parts: EngineParts,
    pub(crate) availability: AvailabilityCache,
    pub(crate) refreshers: Refreshers,
    pub(crate) wake: Notify,
}

impl std::ops::Deref for Engine {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl std::ops::Deref for Shared {
    type Target = EngineParts;
    fn deref(&self) -> &EngineParts {
        &self.parts
    }
}

impl Engine {
    /// Puts the parts together; nothing is read or started.
    #[must_use]
    pub fn new(parts: EngineParts) -> Self {
        Self(Arc::new(Shared {
            parts,
            availability: AvailabilityCache::default(),
            refreshers: Refreshers::default(),
            wake: Notify::new(),
        }))
    }
}
