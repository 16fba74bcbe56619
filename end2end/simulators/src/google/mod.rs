//! A stateful stand-in for Google's OAuth endpoints and the Google Calendar API.
//!
//! It speaks the API's wire format (its answers are validated against the official discovery document), keeps its
//! world in memory, delivers notifications to real webhooks, and fails on demand. Addresses under its base URL:
//! `/o/oauth2/v2/auth`, `/token`, `/revoke`, `/calendar/v3/...`, `/control/...`, and a page for people at `/`.

mod api;
mod authorize;
mod channels;
mod conference;
mod control;
mod event_fields;
mod event_time;
mod event_types;
mod event_writes;
mod faults;
mod freebusy;
mod listing;
mod oauth;
mod quota;
mod recurrence;
mod render;
mod sample;
mod scopes;
mod service_accounts;
mod simulation;
mod week_page;
mod wire;
mod world;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::routing::{get, post};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::channels::{Channel, Delivery};
use self::event_writes::SendUpdates;
pub use self::faults::{Fault, FreeBusyError};
pub use self::quota::QuotaSettings;
pub use self::scopes::{METHODS, Method};
pub use self::service_accounts::ServiceAccount;
use self::simulation::Google;
pub use self::world::{Invitation, InvitationKind, MeetSettings};
use crate::clock::SimClock;
use crate::http_server::{BoundListener, HttpServer};
pub use crate::recorder::Exchange;
use crate::{faults as striking, recorder};

/// The OAuth client that is registered by default; it may redirect to any loopback address.
pub const DEMO_CLIENT_ID: &str = "cupo-demo";
/// Its secret.
pub const DEMO_CLIENT_SECRET: &str = "cupo-demo-secret";

/// A calendar that a user starts with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarSeed {
    /// Made of the owner and the summary when absent; a primary calendar always has the owner's address.
    #[serde(default)]
    pub id: Option<String>,
    pub summary: String,
    #[serde(default)]
    pub primary: bool,
    /// IANA; the user's when absent.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// As `#rrggbb`.
    #[serde(default)]
    pub color: Option<String>,
}

impl CalendarSeed {
    /// A secondary calendar.
    pub fn named(summary: &str) -> Self {
        Self { summary: summary.to_owned(), ..Self::default() }
    }
}

/// A Google account. Without a primary calendar in `calendars` it gets one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserSeed {
    pub email: String,
    /// IANA.
    pub time_zone: String,
    #[serde(default)]
    pub calendars: Vec<CalendarSeed>,
}

/// A registered OAuth client. An empty `redirect_uris` lets every loopback address in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    pub client_id: String,
    pub client_secret: String,
    #[serde(default)]
    pub redirect_uris: Vec<String>,
}

/// How a simulator starts.
#[derive(Debug, Clone)]
pub struct GoogleOptions {
    /// Port 0 asks the system for a free one.
    pub listen: SocketAddr,
    pub users: Vec<UserSeed>,
    pub clients: Vec<Client>,
    /// Where the world is kept over restarts.
    pub state_file: Option<PathBuf>,
    /// How long a new Meet conference stays pending.
    pub meet_pending: Duration,
    /// The pause before a failed notification is tried again; it doubles each time.
    pub delivery_retry: Duration,
    pub quota: QuotaSettings,
    pub service_accounts: Vec<ServiceAccount>,
    /// Whether the first user's calendars start with a week of appointments, for a demo.
    pub sample_events: bool,
}

impl Default for GoogleOptions {
    fn default() -> Self {
        let user = |email: &str, time_zone: &str| UserSeed {
            email: email.to_owned(),
            time_zone: time_zone.to_owned(),
            calendars: vec![
                CalendarSeed { primary: true, ..CalendarSeed::named(email) },
                CalendarSeed::named("Personal"),
            ],
        };
        let client = Client {
            client_id: DEMO_CLIENT_ID.to_owned(),
            client_secret: DEMO_CLIENT_SECRET.to_owned(),
            redirect_uris: Vec::new(),
        };
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            users: vec![user("ana@example.com", "Europe/Madrid"), user("ben@example.com", "America/New_York")],
            clients: vec![client],
            state_file: None,
            meet_pending: Duration::from_millis(300),
            delivery_retry: Duration::from_millis(200),
            quota: QuotaSettings::default(),
            service_accounts: Vec::new(),
            sample_events: false,
        }
    }
}

/// An access token and the refresh token behind it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IssuedTokens {
    pub access_token: String,
    pub refresh_token: String,
}

/// A running simulator. Its methods do what the control API does, in process.
#[derive(Debug)]
pub struct GoogleSimulator {
    google: Arc<Google>,
    server: HttpServer,
    saving: tokio::task::JoinHandle<()>,
}

impl GoogleSimulator {
    /// Binds, loads or makes the world, and serves.
    pub async fn start(options: GoogleOptions) -> anyhow::Result<Self> {
        let listener = BoundListener::bind(options.listen).await?;
        let base_url = format!("http://{}", listener.address());
        let google = Google::new(options, base_url)?;
        let server = listener.serve(router(&google));
        let saved = Arc::clone(&google);
        let saving = tokio::spawn(async move { saved.keep_saved().await });
        Ok(Self { google, server, saving })
    }

    /// `http://` and the address, without a slash at the end.
    pub fn base_url(&self) -> String {
        self.google.base_url.clone()
    }

    /// Answers what is under way, saves, and ends.
    pub async fn stop(self) {
        self.google.stop().await;
        self.server.stop().await;
        if let Err(error) = self.saving.await {
            tracing::error!(%error, "the last save did not end");
        }
    }

    /// The recorded requests to the API and the OAuth endpoints, oldest first.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.google.exchanges()
    }

    /// Forgets the recorded requests.
    pub fn clear_exchanges(&self) {
        self.google.clear_exchanges();
    }

    /// Arms a fault.
    pub fn add_fault(&self, fault: Fault) -> anyhow::Result<()> {
        self.google.faults().add(fault)
    }

    /// Forgets all faults.
    pub fn clear_faults(&self) {
        self.google.faults().clear();
    }

    /// A token pair without the authorize page. Scopes in full, or without `https://www.googleapis.com/auth/`.
    pub fn issue_tokens(&self, email: &str, scopes: &[&str]) -> anyhow::Result<IssuedTokens> {
        self.google.issue_tokens(email, scopes)
    }

    /// Every stored event of a calendar, cancelled ones and exceptions included, recurring events unexpanded.
    pub fn events(&self, calendar: &str) -> anyhow::Result<Vec<Value>> {
        Ok(self.google.stored_events(calendar)?)
    }

    /// Inserts an event as the calendar's owner, by hand; channels are notified.
    pub fn insert_event(&self, calendar: &str, event: Value) -> anyhow::Result<Value> {
        Ok(self.google.insert_by_hand(calendar, &object(event)?, SendUpdates::None)?)
    }

    /// Changes an event or instance by hand, as `events.patch` would.
    pub fn patch_event(&self, calendar: &str, id: &str, patch: Value) -> anyhow::Result<Value> {
        Ok(self.google.patch_by_hand(calendar, id, &object(patch)?, SendUpdates::None)?)
    }

    /// Deletes an event or instance by hand.
    pub fn delete_event(&self, calendar: &str, id: &str) -> anyhow::Result<()> {
        Ok(self.google.delete_by_hand(calendar, id, SendUpdates::None)?)
    }

    /// Moves an event or a series into another calendar of the same owner, by hand: its id stays.
    pub fn move_event(&self, calendar: &str, id: &str, to: &str) -> anyhow::Result<Value> {
        Ok(self.google.move_by_hand(calendar, id, to)?)
    }

    /// Deletes a secondary calendar with everything in it; its channels end.
    pub fn delete_calendar(&self, calendar: &str) -> anyhow::Result<()> {
        Ok(self.google.delete_calendar_by_hand(calendar)?)
    }

    /// The id of the calendar of this name that `email` owns.
    pub fn calendar_named(&self, email: &str, name: &str) -> Option<String> {
        let world = self.google.world();
        let mut own = world.calendars.values().filter(|calendar| calendar.owner.as_deref() == Some(email));
        own.find(|calendar| calendar.summary == name).map(|calendar| calendar.id.clone())
    }

    /// Makes every sync token given so far answer 410.
    pub fn expire_sync_tokens(&self) {
        self.google.change(|world| world.sync_epoch += 1);
    }

    /// Ends every channel without a word, as when it runs out.
    pub fn expire_channels(&self) {
        self.google.change(|world| world.channels.clear());
    }

    /// Ends every access token; refresh tokens go on.
    pub fn expire_access_tokens(&self) {
        self.google.change(|world| world.tokens.expire_access_tokens());
    }

    /// Ends everything that `email` has granted: a refresh gives `invalid_grant`.
    pub fn revoke(&self, email: &str) {
        self.google.change(|world| world.tokens.revoke_account(email));
    }

    /// How long the grants that are made from now on live; none for as long as they are used.
    pub fn set_grant_lifetime(&self, lifetime: Option<TimeDelta>) {
        let seconds = lifetime.map(|lifetime| lifetime.num_seconds());
        self.google.change(|world| world.tokens.grant_lifetime_seconds = seconds);
    }

    /// Lets the administrator of `email` restrict `scopes`, written in full: the account cannot grant them, and a refresh
    /// for one of them gives `invalid_grant`.
    pub fn restrict_scopes(&self, email: &str, scopes: &[&str]) {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.google.change(|world| world.tokens.restricted_scopes.insert(email.to_owned(), scopes));
    }

    /// Registers a service account, or replaces the one of that address.
    pub fn add_service_account(&self, account: ServiceAccount) -> anyhow::Result<()> {
        self.google.change(|world| world.add_service_account(account))
    }

    /// The quotas from now on; what was spent in this minute is forgotten.
    pub fn set_quota(&self, settings: QuotaSettings) -> anyhow::Result<()> {
        self.google.set_quota(settings)
    }

    /// Makes a group of people, by whose address their free/busy can be asked for.
    pub fn add_group(&self, email: &str, members: &[&str]) {
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        self.google.change(|world| world.groups.insert(email.to_owned(), members));
    }

    /// How conferences come about from now on.
    pub fn set_meet(&self, settings: MeetSettings) {
        self.google.change(|world| world.meet = settings);
    }

    /// The mails that Google would have sent to guests, oldest first.
    pub fn invitations(&self) -> Vec<Invitation> {
        self.google.world().invitations.clone()
    }

    /// The channels that were opened and neither stopped nor expired.
    pub fn channels(&self) -> Vec<Channel> {
        self.google.channels()
    }

    /// The attempts to reach webhooks, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.google.deliveries()
    }

    /// The simulated world's clock.
    pub fn clock(&self) -> &SimClock {
        &self.google.clock
    }
}

fn object(value: Value) -> anyhow::Result<Map<String, Value>> {
    serde_json::from_value(value).context("an event is a JSON object")
}

fn router(google: &Arc<Google>) -> Router {
    let recorded = Router::new()
        .route("/o/oauth2/v2/auth", get(authorize::choose_account))
        .route("/o/oauth2/v2/auth/consent", get(authorize::consent).post(authorize::decide))
        .route("/token", post(oauth::token))
        .route("/revoke", post(oauth::revoke))
        .nest("/calendar/v3", api::router())
        .layer(axum::middleware::from_fn_with_state(Arc::clone(google), striking::strike::<Google>))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(google), recorder::record::<Google>));
    recorded.nest("/control", control::router()).merge(week_page::router()).with_state(Arc::clone(google))
}
