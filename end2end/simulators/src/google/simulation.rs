//! The running simulator: its world behind one lock, and what happens around every change.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::channels::{Delivery, Queues};
use super::faults::Faults;
use super::oauth::bearer;
use super::recorder::Exchange;
use super::scopes::Method;
use super::wire::ApiError;
use super::world::World;
use super::{GoogleOptions, conference};
use crate::clock::SimClock;

/// How many exchanges and deliveries are kept.
const LOG_LIMIT: usize = 5_000;
/// Changes within this time are saved together.
const SAVE_PAUSE: Duration = Duration::from_millis(200);

/// Everything that the handlers share.
#[derive(Debug)]
pub struct Google {
    pub clock: SimClock,
    pub base_url: String,
    pub http: reqwest::Client,
    pub delivery_retry: Duration,
    pub stopping: CancellationToken,
    options: GoogleOptions,
    world: Mutex<World>,
    faults: Mutex<Faults>,
    exchanges: Mutex<VecDeque<Exchange>>,
    deliveries: Mutex<VecDeque<Delivery>>,
    queues: Mutex<Queues>,
    quota: Mutex<HashMap<String, (i64, u32)>>,
    changes: watch::Sender<u64>,
    tasks: TaskTracker,
}

impl Google {
    /// The world of `options`, or the one kept in its state file.
    pub fn new(options: GoogleOptions, base_url: String) -> anyhow::Result<Arc<Self>> {
        let clock = SimClock::default();
        let world = match options.state_file.as_deref().filter(|file| file.exists()) {
            Some(file) => load(file, &options)?,
            None => World::new(&options, clock.now())?,
        };
        // Webhooks are called on loopback or public addresses as they are, never through a proxy.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("the client for notifications cannot be made")?;
        Ok(Arc::new(Self {
            clock,
            base_url,
            http,
            delivery_retry: options.delivery_retry,
            stopping: CancellationToken::new(),
            options,
            world: Mutex::new(world),
            faults: Mutex::default(),
            exchanges: Mutex::default(),
            deliveries: Mutex::default(),
            queues: Mutex::default(),
            quota: Mutex::default(),
            changes: watch::Sender::new(0),
            tasks: TaskTracker::new(),
        }))
    }

    /// The world, locked. Nothing may be awaited meanwhile.
    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// The armed faults, locked.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub(super) fn queues(&self) -> MutexGuard<'_, Queues> {
        lock(&self.queues)
    }

    /// Changes something other than events.
    pub fn change<T>(&self, apply: impl FnOnce(&mut World) -> T) -> T {
        let result = apply(&mut self.world());
        self.changes.send_modify(|count| *count += 1);
        result
    }

    /// Writes to the events of one calendar; when something changed there, its channels are told.
    pub fn write<T>(
        self: &Arc<Self>,
        calendar_id: &str,
        apply: impl FnOnce(&mut World) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.settle_conferences();
        let (result, changed) = {
            let mut world = self.world();
            let change = |world: &World| world.calendars.get(calendar_id).map(|calendar| calendar.change);
            let before = change(&world);
            let result = apply(&mut world);
            (result, change(&world) != before)
        };
        if changed {
            self.calendar_changed(calendar_id);
        }
        result
    }

    /// Brings pending conferences up to the clock.
    pub fn settle_conferences(self: &Arc<Self>) {
        let changed = conference::settle(&mut self.world(), self.clock.now());
        for calendar_id in changed {
            self.calendar_changed(&calendar_id);
        }
    }

    fn calendar_changed(self: &Arc<Self>, calendar_id: &str) {
        self.changes.send_modify(|count| *count += 1);
        self.notify_calendar(calendar_id);
        let now = self.clock.now();
        let next = {
            let world = self.world();
            let events = world.calendars.get(calendar_id).map(|calendar| calendar.events.values());
            events.into_iter().flatten().filter_map(|event| event.conference_ready_at).min()
        };
        if let Some(ready_at) = next {
            let pause = (ready_at - now).to_std().unwrap_or_default() + Duration::from_millis(2);
            let google = Arc::clone(self);
            self.spawn(async move {
                tokio::time::sleep(pause).await;
                google.settle_conferences();
            });
        }
    }

    /// The account that sent a request, if its token is live and opens `method`, and its quota is not used up.
    pub fn caller(&self, headers: &HeaderMap, method: Method) -> Result<String, ApiError> {
        let unauthorized = |reason: &str, message: &str| {
            ApiError::new(StatusCode::UNAUTHORIZED, reason, message).at("header", "Authorization")
        };
        let token = bearer(headers).ok_or_else(|| unauthorized("required", "Login Required."))?;
        let now = self.clock.now();
        let grant = self.world().tokens.grant(token, now);
        let (account, scopes) = grant.ok_or_else(|| unauthorized("authError", "Invalid Credentials"))?;
        if !method.is_open_to(scopes.iter().map(String::as_str)) {
            let message = "Request had insufficient authentication scopes.";
            return Err(ApiError::new(StatusCode::FORBIDDEN, "insufficientPermissions", message));
        }
        self.spend_quota(&account, now)?;
        Ok(account)
    }

    fn spend_quota(&self, account: &str, now: DateTime<Utc>) -> Result<(), ApiError> {
        let Some(limit) = self.options.requests_per_user_per_minute else { return Ok(()) };
        let minute = now.timestamp().div_euclid(60);
        let mut quota = lock(&self.quota);
        let spent = quota.entry(account.to_owned()).or_insert((minute, 0));
        if spent.0 != minute {
            *spent = (minute, 0);
        }
        spent.1 += 1;
        if spent.1 > limit {
            let error = ApiError::new(StatusCode::FORBIDDEN, "userRateLimitExceeded", "User Rate Limit Exceeded");
            return Err(error.in_domain("usageLimits"));
        }
        Ok(())
    }

    pub(super) fn record_exchange(&self, exchange: Exchange) {
        push(&self.exchanges, exchange);
    }

    pub(super) fn record_delivery(&self, delivery: Delivery) {
        push(&self.deliveries, delivery);
    }

    /// The requests so far, oldest first.
    pub fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.exchanges).iter().cloned().collect()
    }

    /// Forgets the requests so far.
    pub fn clear_exchanges(&self) {
        lock(&self.exchanges).clear();
    }

    /// The attempts to reach webhooks so far, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        lock(&self.deliveries).iter().cloned().collect()
    }

    /// Counts up with every change of the world.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Back to the world of the options, with the machine's time and without faults and logs.
    pub fn reset(&self) -> anyhow::Result<()> {
        self.clock.reset();
        let world = World::new(&self.options, self.clock.now())?;
        self.change(|current| *current = world);
        self.faults().clear();
        self.clear_exchanges();
        lock(&self.deliveries).clear();
        lock(&self.quota).clear();
        *self.queues() = Queues::default();
        Ok(())
    }

    /// Runs `task` until it ends or the simulator stops.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stopping.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Saves the world after changes, until the simulator stops; then once more.
    pub async fn keep_saved(self: Arc<Self>) {
        let Some(file) = self.options.state_file.clone() else { return };
        let mut changes = self.changes();
        loop {
            let last = tokio::select! {
                () = self.stopping.cancelled() => true,
                changed = changes.changed() => {
                    tokio::time::sleep(SAVE_PAUSE).await;
                    changed.is_err()
                }
            };
            changes.mark_unchanged();
            if let Err(error) = self.save(&file) {
                tracing::error!(file = %file.display(), error = format!("{error:#}"), "the state could not be saved");
            }
            if last {
                return;
            }
        }
    }

    fn save(&self, file: &Path) -> anyhow::Result<()> {
        let json = serde_json::to_vec(&*self.world())?;
        let draft = file.with_extension("draft");
        std::fs::write(&draft, json).with_context(|| format!("cannot write {}", draft.display()))?;
        std::fs::rename(&draft, file).with_context(|| format!("cannot replace {}", file.display()))
    }

    /// Ends every task and waits for them.
    pub async fn stop(&self) {
        self.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn load(file: &Path, options: &GoogleOptions) -> anyhow::Result<World> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut world: World = serde_json::from_slice(&bytes)
        .with_context(|| format!("{} is no saved state; remove it to start afresh", file.display()))?;
    for client in &options.clients {
        world.clients.insert(client.client_id.clone(), client.clone());
    }
    Ok(world)
}

fn push<T>(log: &Mutex<VecDeque<T>>, entry: T) {
    let mut log = lock(log);
    if log.len() == LOG_LIMIT {
        log.pop_front();
    }
    log.push_back(entry);
}

/// A panic in one handler must not take the others down: the state is whole after every statement that holds a lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
