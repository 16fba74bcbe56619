//! The running server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use cupo_app::ShellAssets;
use cupo_engine::Engine;
use cupo_engine::clock::{Clock, SystemClock};
use cupo_engine::random::OsRandom;
use cupo_store::Store;
use leptos::config::{Env, LeptosOptions};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::assets::Assets;
use crate::config::Config;
use crate::rate::RateLimits;
use crate::routes;
use crate::state::{AppState, Inner, WorkerState};
use crate::{assembly, telemetry};

/// How long open connections and running jobs may take to finish when the server stops.
const WIND_DOWN: Duration = Duration::from_secs(10);

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
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
    worker: JoinHandle<()>,
    /// Aborted with the server.
    _upkeep: JoinSet<()>,
}

impl Server {
    /// Brings the database up to date, starts the worker, and answers.
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
        store.migrate().await.context("the database cannot be brought up to date")?;
        let engine = assembly::engine(&config, store.clone(), &public_url, clock.clone())?;

        let stop = CancellationToken::new();
        let worker_state = WorkerState::default();
        let state = app_state(&config, engine.clone(), store.clone(), worker_state.clone(), clock, &public_url)?;
        let mut upkeep = JoinSet::new();
        upkeep.spawn(state.rates.clone().forget_quiet_clients());
        if let Some(prometheus) = state.prometheus.clone() {
            upkeep.spawn(telemetry::keep_up(prometheus));
        }
        let worker = {
            let (engine, stop, guard) = (engine.clone(), stop.clone(), worker_state.running());
            tokio::spawn(async move {
                let _guard = guard;
                engine.run_worker(stop).await;
            })
        };
        let router = routes::router(&state).into_make_service_with_connect_info::<SocketAddr>();
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
        Ok(Running { base_url, engine, store, stop, serving, worker, _upkeep: upkeep })
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

    /// Takes no new connections, lets requests and jobs finish, and ends.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let finished = async {
            if let Err(error) = self.failed().await {
                tracing::error!(%error, "the server did not end in order");
            }
            if let Err(error) = (&mut self.worker).await {
                tracing::error!(%error, "the worker did not end in order");
            }
            self.store.close().await;
        };
        if tokio::time::timeout(WIND_DOWN, finished).await.is_err() {
            tracing::warn!("requests or jobs did not finish in time; unfinished jobs run again at the next start");
            self.serving.abort();
            self.worker.abort();
        }
    }
}

fn app_state(
    config: &Config,
    engine: Engine,
    store: Store,
    worker: WorkerState,
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
        rates: RateLimits::new(&config.limits),
        metrics: config.metrics.clone(),
        prometheus,
        leptos_options: LeptosOptions::builder().output_name("cupo-app").env(Env::PROD).build(),
    }))
}
