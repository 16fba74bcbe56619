//! `cupo serve`.

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::server::Server;
use crate::telemetry;

pub async fn run(config: Config) -> Result<()> {
    telemetry::start_logging(&config.log)?;
    // Before the start: a signal that comes while the database is brought up to date must not be lost.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for ctrl-c")?;
    let mut running = Server::start(config).await?;
    println!("Cupo answers at {}", running.base_url);
    let ended = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        failed = running.failed() => failed,
    };
    tracing::info!("stopping");
    if ended.is_ok() {
        running.stop().await;
    }
    ended
}
