//! A stateful stand-in for Microsoft's sign-in and the calendars of Microsoft Graph.
//!
//! It speaks the API's wire format (its answers are validated against Microsoft's own metadata), keeps its world in
//! memory, delivers notifications to real webhooks, and fails on demand. Addresses under its base URL:
//! `/{tenant}/oauth2/v2.0/{authorize,token}`, `/v1.0/...`, `/control/...`, and a page for people at `/`.

mod attendance;
mod behaviour;
mod body;
mod by_hand;
mod control;
mod deliveries;
mod event;
mod event_fields;
mod event_time;
mod event_writes;
mod faults;
mod graph;
mod ids;
mod online_meeting;
mod options;
mod recurrence;
mod sample;
mod sign_in;
mod simulation;
mod subscriptions;
mod throttle;
mod view;
mod week_page;
mod world;
mod zones;

use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::behaviour::{Behaviour, DuplicateTransaction};
pub use self::deliveries::Delivery;
pub use self::faults::{Fault, ScheduleError, SignInFault};
pub use self::options::{
    ApplicationAccess, CONTOSO_TENANT, CalendarSeed, Client, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, MicrosoftOptions,
    PERSONAL_TENANT, TlsIdentity, UserSeed,
};
use self::sign_in::{authorize, token};
use self::simulation::Microsoft;
pub use self::subscriptions::{LifecycleEvent, Subscription};
pub use self::world::{ChangeKind, Invitation, InvitationKind};
use crate::clock::SimClock;
use crate::http_server::{BoundListener, HttpServer};
pub use crate::recorder::Exchange;
use crate::{faults as striking, recorder};

/// An access token and the refresh token behind it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IssuedTokens {
    pub access_token: String,
    pub refresh_token: String,
}

/// A running simulator. Its methods do what the control API does, in process.
///
/// A calendar is named by its Graph id, by its owner's address (the default calendar), or by `address/name`.
#[derive(Debug)]
pub struct MicrosoftSimulator {
    microsoft: Arc<Microsoft>,
    server: HttpServer,
    saving: tokio::task::JoinHandle<()>,
}

impl MicrosoftSimulator {
    /// Binds, loads or makes the world, and serves.
    pub async fn start(options: MicrosoftOptions) -> anyhow::Result<Self> {
        let listener = BoundListener::bind(options.listen).await?;
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        let base_url = format!("{scheme}://{}", listener.address());
        let tls = options.tls.clone();
        let microsoft = Microsoft::new(options, base_url)?;
        let router = router(&microsoft);
        let server = match &tls {
            Some(identity) => listener.serve_tls(router, identity)?,
            None => listener.serve(router),
        };
        let saved = Arc::clone(&microsoft);
        let saving = tokio::spawn(async move { saved.keep_saved().await });
        Ok(Self { microsoft, server, saving })
    }

    /// `http://` (or `https://`) and the address, without a slash at the end.
    pub fn base_url(&self) -> String {
        self.microsoft.base_url.clone()
    }

    /// Answers what is under way, saves, and ends.
    pub async fn stop(self) {
        self.microsoft.stop().await;
        self.server.stop().await;
        if let Err(error) = self.saving.await {
            tracing::error!(%error, "the last save did not end");
        }
    }

    /// The recorded requests to Graph and to sign-in, oldest first. Those inside a batch are told one by one.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.microsoft.exchanges()
    }

    /// Forgets the recorded requests.
    pub fn clear_exchanges(&self) {
        self.microsoft.clear_exchanges();
    }

    /// Arms a fault.
    pub fn add_fault(&self, fault: Fault) -> anyhow::Result<()> {
        self.microsoft.faults().add(fault)
    }

    /// Forgets all faults.
    pub fn clear_faults(&self) {
        self.microsoft.faults().clear();
    }

    /// How the service behaves where it may do one thing or the other.
    pub fn behaviour(&self) -> Behaviour {
        self.microsoft.world().behaviour
    }

    /// Changes how the service behaves from now on.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.microsoft.change(|world| world.behaviour = behaviour);
    }

    /// Registers an application, or replaces it.
    pub fn add_client(&self, client: Client) {
        self.microsoft.change(|world| world.clients.insert(client.client_id.clone(), client));
    }

    /// Adds an account with its mailbox.
    pub fn add_user(&self, user: &UserSeed) -> anyhow::Result<()> {
        self.microsoft.change(|world| world.add_user(user))
    }

    /// A token pair of the first application without the authorize page, `openid` and `offline_access` included.
    pub fn issue_tokens(&self, email: &str, scopes: &[&str]) -> anyhow::Result<IssuedTokens> {
        self.microsoft.issue_tokens(email, scopes)
    }

    /// An access token of the first application that has access of its own, without the token endpoint.
    pub fn issue_application_token(&self) -> anyhow::Result<String> {
        self.microsoft.issue_application_token()
    }

    /// The Graph id of a calendar.
    pub fn calendar_id(&self, calendar: &str) -> anyhow::Result<String> {
        Ok(ids::calendar_id(by_hand::calendar(&self.microsoft.world(), calendar)?.key))
    }

    /// Every stored event of a calendar in UTC and with regular ids: series unexpanded, each followed by its
    /// exceptions, extended properties included.
    pub fn events(&self, calendar: &str) -> anyhow::Result<Vec<Value>> {
        Ok(by_hand::stored_events(&self.microsoft, calendar)?)
    }

    /// Inserts an event by hand; subscriptions are notified. Beside what the API takes, `organizer`,
    /// `responseStatus`, `isCancelled`, `originalStartTimeZone`, `originalEndTimeZone` and the `status` of attendees
    /// are taken as they are.
    pub fn insert_event(&self, calendar: &str, event: Value) -> anyhow::Result<Value> {
        Ok(by_hand::insert(&self.microsoft, calendar, &object(event)?)?)
    }

    /// Changes an event or occurrence by hand.
    pub fn patch_event(&self, calendar: &str, id: &str, patch: Value) -> anyhow::Result<Value> {
        Ok(by_hand::patch(&self.microsoft, calendar, id, &object(patch)?)?)
    }

    /// Deletes an event or occurrence by hand.
    pub fn delete_event(&self, calendar: &str, id: &str) -> anyhow::Result<()> {
        Ok(by_hand::delete(&self.microsoft, calendar, id)?)
    }

    /// Moves an event into another calendar of the same mailbox: its regular id changes.
    pub fn move_event(&self, calendar: &str, id: &str, to: &str) -> anyhow::Result<Value> {
        Ok(by_hand::move_to(&self.microsoft, calendar, id, to)?)
    }

    /// Deletes a calendar with everything in it, unless it is the default one; its subscriptions end.
    pub fn delete_calendar(&self, calendar: &str) -> anyhow::Result<()> {
        Ok(by_hand::delete_calendar(&self.microsoft, calendar)?)
    }

    /// Makes every next and delta link given so far answer 410 `SyncStateNotFound`.
    pub fn expire_sync_tokens(&self) {
        self.microsoft.change(|world| world.deltas.expire());
    }

    /// Ends every subscription without a word, as when it runs out.
    pub fn expire_subscriptions(&self) {
        self.microsoft.change(|world| world.subscriptions.clear());
    }

    /// Ends every access token; refresh tokens go on.
    pub fn expire_access_tokens(&self) {
        self.microsoft.change(|world| world.tokens.expire_access_tokens());
    }

    /// Lets every refresh token of `email` run out: a refresh gives AADSTS700082.
    pub fn expire_refresh_tokens(&self, email: &str) {
        self.microsoft.change(|world| world.tokens.expire_refresh_tokens(email));
    }

    /// Ends everything that `email` has granted: a refresh gives AADSTS50173.
    pub fn revoke(&self, email: &str) {
        self.microsoft.change(|world| world.tokens.revoke_account(email));
    }

    /// From now on Graph answers tokens of `email` with a claims challenge, until somebody signs in with exactly these
    /// claims (JSON text). `None` ends it.
    pub fn require_claims(&self, email: &str, claims: Option<&str>) -> anyhow::Result<()> {
        self.microsoft.require_claims(email, claims)
    }

    /// The mails that Outlook would have sent to attendees, oldest first.
    pub fn invitations(&self) -> Vec<Invitation> {
        self.microsoft.world().invitations.clone()
    }

    /// The subscriptions that were made and neither deleted nor expired.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.microsoft.subscriptions()
    }

    /// The attempts to reach webhooks, oldest first; validation requests are not among them.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.microsoft.deliveries()
    }

    /// Sends a lifecycle notification and does what it says.
    pub fn lifecycle(&self, subscription: &str, event: LifecycleEvent) -> anyhow::Result<()> {
        let sent = self.microsoft.lifecycle(subscription, event);
        anyhow::ensure!(sent, "there is no such subscription, or it has no lifecycle address");
        Ok(())
    }

    /// The simulated world's clock.
    pub fn clock(&self) -> &SimClock {
        &self.microsoft.clock
    }
}

fn object(value: Value) -> anyhow::Result<Map<String, Value>> {
    serde_json::from_value(value).context("an event is a JSON object")
}

fn router(microsoft: &Arc<Microsoft>) -> Router {
    let state = || Arc::clone(microsoft);
    // From the outside in: recorded, throttled, struck by faults.
    let graph = Router::new()
        .route("/v1.0/{*path}", any(graph::handle))
        .layer(from_fn_with_state(state(), striking::strike::<Microsoft>))
        .layer(from_fn_with_state(state(), throttle::throttle))
        .layer(from_fn_with_state(state(), recorder::record::<Microsoft>))
        .with_state(state());
    let (batched, inner) = (state(), graph.clone());
    let batch = move |headers: HeaderMap, body: Bytes| {
        let (microsoft, inner) = (Arc::clone(&batched), inner.clone());
        async move { graph::batch::batch(&microsoft, inner, &headers, &body).await }
    };
    let others = Router::new()
        .route("/v1.0/$batch", post(batch))
        .route("/{tenant}/oauth2/v2.0/authorize", get(authorize::choose_account).post(authorize::decide))
        .route("/{tenant}/oauth2/v2.0/authorize/consent", get(authorize::consent).post(authorize::decide))
        .route("/{tenant}/oauth2/v2.0/token", post(token::token))
        .layer(from_fn_with_state(state(), striking::strike::<Microsoft>))
        .layer(from_fn_with_state(state(), recorder::record::<Microsoft>));
    others.nest("/control", control::router()).merge(week_page::router()).with_state(state()).merge(graph)
}
