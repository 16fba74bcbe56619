//! What handlers and layers share.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::FromRef;
use cupo_app::ShellAssets;
use cupo_engine::Engine;
use cupo_engine::clock::Clock;
use cupo_engine::random::RandomSource;
use cupo_store::Store;
use leptos::config::LeptosOptions;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::assets::Assets;
use crate::config::{Limits, Metrics};
use crate::rate::RateLimits;

/// Shared by every request; cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

/// The parts of an [`AppState`].
pub struct Inner {
    pub engine: Engine,
    pub store: Store,
    /// `None`: this process runs no jobs.
    pub worker: Option<WorkerState>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn RandomSource>,
    pub public_url: Url,
    /// `public_url` as browsers send it in `Origin`.
    pub public_origin: String,
    pub assets: Assets,
    pub shell_assets: ShellAssets,
    pub limits: Limits,
    pub rates: RateLimits,
    pub metrics: Metrics,
    pub prometheus: Option<PrometheusHandle>,
    pub leptos_options: LeptosOptions,
    /// Handlers that may go on after their answer: a server that stops waits for them.
    pub unfinished: TaskTracker,
}

impl AppState {
    /// Shares the parts.
    #[must_use]
    pub fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Whether people reach Cupo by TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}

impl Deref for AppState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Whether the worker of this process runs.
#[derive(Debug, Clone, Default)]
pub struct WorkerState(Arc<AtomicBool>);

impl WorkerState {
    /// Says that it runs, until the returned guard goes out of scope, be it by a panic.
    #[must_use]
    pub fn running(&self) -> WorkerGuard {
        self.0.store(true, Ordering::Relaxed);
        WorkerGuard(self.clone())
    }

    /// Whether it runs now.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// See [`WorkerState::running`].
#[derive(Debug)]
pub struct WorkerGuard(WorkerState);

impl Drop for WorkerGuard {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos_options.clone()
    }
}
