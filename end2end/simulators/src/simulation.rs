//! What every simulated provider runs on: a clock, a world behind one lock, faults, logs, tasks, and a state file.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::SimClock;
use crate::faults::{Fault, Faults};
use crate::recorder::Exchange;

/// How many exchanges and deliveries are kept.
const LOG_LIMIT: usize = 5_000;
/// Changes within this time are saved together.
const SAVE_PAUSE: Duration = Duration::from_millis(200);

/// A simulator with the world `W`, the faults `F` and deliveries `D` to webhooks.
#[derive(Debug)]
pub struct Simulation<W, F: Fault, D> {
    pub clock: SimClock,
    /// Where it is reached, without a slash at the end.
    pub base_url: String,
    /// For webhooks.
    pub http: reqwest::Client,
    pub stopping: CancellationToken,
    state_file: Option<PathBuf>,
    world: Mutex<W>,
    faults: Mutex<Faults<F>>,
    exchanges: Log<Exchange>,
    deliveries: Log<D>,
    changes: watch::Sender<u64>,
    tasks: TaskTracker,
}

impl<W: Serialize + DeserializeOwned, F: Fault, D: Clone> Simulation<W, F, D> {
    /// With the world that is kept in `state_file`, or, when there is none, with the one that `make` makes.
    pub fn new(
        base_url: String,
        state_file: Option<PathBuf>,
        make: impl FnOnce(DateTime<Utc>) -> anyhow::Result<W>,
    ) -> anyhow::Result<Self> {
        let clock = SimClock::default();
        let world = match state_file.as_deref().filter(|file| file.exists()) {
            Some(file) => load(file)?,
            None => make(clock.now())?,
        };
        // Webhooks are called on loopback or public addresses as they are, never through a proxy.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("the client for notifications cannot be made")?;
        Ok(Self {
            clock,
            base_url,
            http,
            stopping: CancellationToken::new(),
            state_file,
            world: Mutex::new(world),
            faults: Mutex::default(),
            exchanges: Log::default(),
            deliveries: Log::default(),
            changes: watch::Sender::new(0),
            tasks: TaskTracker::new(),
        })
    }

    /// The world, locked. Nothing may be awaited meanwhile.
    pub fn world(&self) -> MutexGuard<'_, W> {
        lock(&self.world)
    }

    /// The armed faults, locked.
    pub fn faults(&self) -> MutexGuard<'_, Faults<F>> {
        lock(&self.faults)
    }

    /// Changes the world and counts the change.
    pub fn change<T>(&self, apply: impl FnOnce(&mut W) -> T) -> T {
        let result = apply(&mut self.world());
        self.count_change();
        result
    }

    /// Tells who waits for changes that there is one.
    pub fn count_change(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Counts up with every change of the world.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Keeps a request and its answer.
    pub fn record_exchange(&self, exchange: Exchange) {
        self.exchanges.push(exchange);
    }

    /// The requests so far, oldest first.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.all()
    }

    /// Forgets the requests so far.
    pub fn clear_exchanges(&self) {
        self.exchanges.clear();
    }

    /// Keeps an attempt to reach a webhook.
    pub fn record_delivery(&self, delivery: D) {
        self.deliveries.push(delivery);
    }

    /// The attempts to reach webhooks so far, oldest first.
    pub fn deliveries(&self) -> Vec<D> {
        self.deliveries.all()
    }

    /// Goes back to the machine's time and to the world that `make` makes, without faults and logs.
    pub fn start_over(&self, make: impl FnOnce(DateTime<Utc>) -> anyhow::Result<W>) -> anyhow::Result<()> {
        self.clock.reset();
        let world = make(self.clock.now())?;
        self.change(|current| *current = world);
        self.faults().clear();
        self.exchanges.clear();
        self.deliveries.clear();
        Ok(())
    }

    /// Runs `task` until it ends or the simulator stops.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stopping.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Saves the world after changes, until the simulator stops; then once more.
    pub async fn keep_saved(&self) {
        let Some(file) = &self.state_file else { return };
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
            if let Err(error) = self.save(file) {
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

fn load<W: DeserializeOwned>(file: &Path) -> anyhow::Result<W> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&bytes)
        .with_context(|| format!("{} is no saved state; remove it to start afresh", file.display()))
}

/// The latest entries of something, oldest first.
#[derive(Debug)]
struct Log<T>(Mutex<VecDeque<T>>);

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Log<T> {
    fn push(&self, entry: T) {
        let mut entries = lock(&self.0);
        if entries.len() == LOG_LIMIT {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    fn all(&self) -> Vec<T> {
        lock(&self.0).iter().cloned().collect()
    }

    fn clear(&self) {
        lock(&self.0).clear();
    }
}

/// A panic in one handler must not take the others down: the state is whole after every statement that holds a lock.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
