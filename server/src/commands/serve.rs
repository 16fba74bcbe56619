//! `cupo serve`.

use anyhow::Result;
use clap::Args;

use super::signals::Signals;
use crate::config::Config;
use crate::server::Server;
use crate::telemetry;

/// What `cupo serve` can be told beside the configuration.
#[derive(Debug, Clone, Copy, Args)]
pub struct ServeOptions {
    /// Run no jobs in this process, whatever `worker.in_server` says: `cupo worker` runs them.
    #[arg(long)]
    no_worker: bool,
}

pub async fn run(mut config: Config, options: ServeOptions) -> Result<()> {
    telemetry::start_logging(&config.log)?;
    // Before the start: a signal that comes while the database is brought up to date must not be lost.
    let mut signals = Signals::listen()?;
    config.worker.in_server &= !options.no_worker;
    let mut running = Server::start(config).await?;
    println!("Cupo answers at {}", running.base_url);
    let ended = tokio::select! {
        () = signals.next() => Ok(()),
        failed = running.failed() => failed,
    };
    tracing::info!("stopping");
    if ended.is_ok() {
        signals.unless_repeated(running.stop()).await;
    }
    ended
}
