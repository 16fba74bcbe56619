//! `cupo worker`: runs jobs, and answers nobody but its operator.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use cupo_engine::clock::SystemClock;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::signals::Signals;
use crate::config::Config;
use crate::routes::{Operations, operations_alone};
use crate::state::WorkerState;
use crate::{assembly, telemetry};

pub async fn run(config: Config) -> Result<()> {
    telemetry::start_logging(&config.log)?;
    let mut signals = Signals::listen()?;
    let listener = match config.worker.metrics_listen {
        Some(listen) => Some(listen_at(listen).await?),
        None => None,
    };
    let public_url = config.address.public_url(config.address.listen);
    let store = assembly::open_store(&config).await?;
    assembly::bring_up_to_date(&config, &store).await?;
    let engine = assembly::engine(&config, store.clone(), &public_url, Arc::new(SystemClock))?;

    let (stop, silence) = (CancellationToken::new(), CancellationToken::new());
    let announcing = {
        let (engine, silence) = (engine.clone(), silence.clone());
        tokio::spawn(async move { engine.run_announcements(silence).await })
    };
    let worker = WorkerState::default();
    let mut working = {
        let (engine, stop, guard) = (engine.clone(), stop.clone(), worker.running());
        tokio::spawn(async move {
            let _guard = guard;
            engine.run_worker(stop).await;
        })
    };
    // Aborted with the process's end.
    let mut telling = JoinSet::new();
    if let Some(listener) = listener {
        let prometheus = config.metrics.enabled.then(telemetry::prometheus).transpose()?;
        if let Some(prometheus) = prometheus.clone() {
            telling.spawn(telemetry::keep_up(prometheus));
        }
        let (store, metrics) = (store.clone(), config.metrics.clone());
        telling.spawn(answer(listener, Operations { engine, store, worker: Some(worker), metrics, prometheus }));
    }
    println!("Cupo runs jobs");
    tokio::select! {
        () = signals.next() => {}
        ended = &mut working => return ended.context("the worker broke"),
    }
    tracing::info!("stopping");
    stop.cancel();
    let end = async {
        if let Err(error) = working.await {
            tracing::error!(%error, "the worker did not end in order");
        }
        // Last, so that what the last jobs did is told too.
        silence.cancel();
        if let Err(error) = announcing.await {
            tracing::error!(%error, "the announcements did not end in order");
        }
        telling.shutdown().await;
        store.close().await;
    };
    signals.unless_repeated(end).await;
    Ok(())
}

async fn listen_at(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("worker.metrics_listen: cannot listen on {address}"))
}

async fn answer(listener: TcpListener, operations: Operations) {
    let application = operations_alone(operations).into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, application).await {
        tracing::error!(%error, "health and figures are not told any more");
    }
}
