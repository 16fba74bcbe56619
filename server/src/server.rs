//! The running server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use cupo_app::ShellAssets;
use cupo_engine::Engine;
use cupo_engine::clock::{Clock, SystemClock};
use cupo_engine::random::OsRandom;
use cupo_store::Store;
use leptos::config::{Env, LeptosOptions};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::assets::Assets;
use crate::config::Config;
use crate::rate::{ClientKey, RateLimits};
use crate::routes;
use crate::state::{AppState, Inner, WorkerState};
use crate::{assembly, prefix, telemetry};

/// How long open connections may take to finish when the server stops. Its worker has a grace period of its own
/// ([`EngineSettings::worker_grace`](cupo_engine::EngineSettings::worker_grace)).
const WIND_DOWN: Duration = Duration::from_secs(9);
/// How long the database may take to close its connections.
const CLOSING: Duration = Duration::from_secs(2);

/// Starts servers.
pub struct Server;

/// A server that answers, until it is stopped.
pub struct Running {
    /// Its public address, without a slash at the end.
    pub base_url: String,
    /// The engine behind it.
    pub engine: Engine,
    /// The database behind it.
    pub store: Store,
    /// What answers: every address that there is stands in it.
    pub application: Router,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
    unfinished: TaskTracker,
    /// `None`: this process runs no jobs.
    worker: Option<JoinHandle<()>>,
    /// Ends the announcements; after all else, so that the last commits are told too.
    silence: CancellationToken,
    announcing: JoinHandle<()>,
    /// Aborted with the server.
    _upkeep: JoinSet<()>,
}

impl Server {
    /// Brings the database up to date, starts the worker (unless `worker.in_server` says that others run the jobs), and
    /// answers.
    ///
    /// # Errors
    /// When the address is taken, the database cannot be opened or migrated, or a setting is refused.
    pub async fn start(config: Config) -> Result<Running> {
        Self::start_at(config, Arc::new(SystemClock)).await
    }

    /// As [`Server::start`], by another clock.
    pub async fn start_at(config: Config, clock: Arc<dyn Clock>) -> Result<Running> {
        let listen = config.address.listen;
        let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
        let public_url = config.address.public_url(listener.local_addr().context("the address of the socket")?);
        let store = assembly::open_store(&config).await?;
        assembly::bring_up_to_date(&config, &store).await?;
        let engine = assembly::engine(&config, store.clone(), &public_url, clock.clone())?;

        let stop = CancellationToken::new();
        let worker_state = config.worker.in_server.then(WorkerState::default);
        let state = app_state(&config, engine.clone(), store.clone(), worker_state.clone(), clock, &public_url)?;
        let mut upkeep = JoinSet::new();
        upkeep.spawn(state.rates.clone().forget_quiet_clients());
        if let Some(prometheus) = state.prometheus.clone() {
            upkeep.spawn(telemetry::keep_up(prometheus));
        }
        let silence = CancellationToken::new();
        let announcing = {
            let (engine, silence, rates) = (engine.clone(), silence.clone(), Arc::new(state.rates.clone()));
            tokio::spawn(async move { engine.run_announcements_with(silence, Some(rates)).await })
        };
        let worker = worker_state.map(|worker_state| {
            let (engine, stop, guard) = (engine.clone(), stop.clone(), worker_state.running());
            tokio::spawn(async move {
                let _guard = guard;
                engine.run_worker(stop).await;
            })
        });
        let unfinished = state.unfinished.clone();
        let application = routes::router(&state);
        let router = prefix::below(prefix::of(&public_url), application.clone())
            .into_make_service_with_connect_info::<SocketAddr>();
        let serving = {
            use axum::serve::ListenerExt;
            // Answers are small and complete: waiting for more would only delay them.
            let listener = listener.tap_io(|stream| {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps Nagle's algorithm");
                }
            });
            let stopped = stop.clone().cancelled_owned();
            tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stopped).await })
        };
        let base_url = public_url.as_str().trim_end_matches('/').to_owned();
        let _upkeep = upkeep;
        Ok(Running {
            base_url,
            engine,
            store,
            application,
            stop,
            serving,
            unfinished,
            worker,
            silence,
            announcing,
            _upkeep,
        })
    }
}

impl Running {
    /// Waits until the server ends: by itself only when its socket fails.
    ///
    /// # Errors
    /// The socket's error.
    pub async fn failed(&mut self) -> Result<()> {
        (&mut self.serving).await.context("the server broke")?.context("the socket failed")
    }

    /// Takes no new connections, lets requests and jobs finish for a while, gives unfinished jobs back, and ends.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let worker = self.worker.take();
        let jobs = async {
            // It ends by itself: after its grace period it gives back what it has.
            if let Some(worker) = worker
                && let Err(error) = worker.await
            {
                tracing::error!(%error, "the worker did not end in order");
            }
        };
        let requests = async {
            let ending = async {
                let ended = (&mut self.serving).await;
                self.unfinished.close();
                self.unfinished.wait().await;
                ended
            };
            match tokio::time::timeout(WIND_DOWN, ending).await {
                Ok(Ok(Ok(()))) => {}
                Ok(Ok(Err(error))) => tracing::error!(%error, "the socket did not end in order"),
                Ok(Err(error)) => tracing::error!(%error, "the server did not end in order"),
                Err(_) => {
                    tracing::warn!("requests did not finish in time");
                    self.serving.abort();
                }
            }
        };
        tokio::join!(jobs, requests);
        self.silence.cancel();
        if let Err(error) = self.announcing.await {
            tracing::error!(%error, "the announcements did not end in order");
        }
        // A request that was cut off may have left a transaction open.
        if tokio::time::timeout(CLOSING, self.store.close()).await.is_err() {
            tracing::warn!("transactions were still open at the end; they count for nothing");
        }
    }
}

fn app_state(
    config: &Config,
    engine: Engine,
    store: Store,
    worker: Option<WorkerState>,
    clock: Arc<dyn Clock>,
    public_url: &Url,
) -> Result<AppState> {
    let assets = Assets::load();
    let shell_assets = assets.shell().unwrap_or_else(|error| {
        tracing::error!(%error, "pages will come without style and scripts");
        let missing = || "/assets/not-built".to_owned();
        ShellAssets { app_js: missing(), app_wasm: missing(), app_css: missing(), embed_js: "/embed.js".to_owned() }
    });
    let prometheus = config.metrics.enabled.then(telemetry::prometheus).transpose()?;
    let key = ClientKey::of_secret(config.secrets.session_secret.expose());
    let rates = RateLimits::new(&config.limits, key, store.announces());
    Ok(AppState::new(Inner {
        engine,
        store,
        worker,
        clock,
        random: Arc::new(OsRandom),
        public_url: public_url.clone(),
        public_origin: public_url.origin().ascii_serialization(),
        assets,
        shell_assets,
        limits: config.limits.clone(),
        rates,
        metrics: config.metrics.clone(),
        prometheus,
        leptos_options: LeptosOptions::builder().output_name("cupo-app").env(Env::PROD).build(),
        unfinished: TaskTracker::new(),
    }))
}
