//! `cupo worker`: runs jobs and answers nobody.

use std::sync::Arc;

use anyhow::{Context, Result};
use cupo_engine::clock::SystemClock;
use tokio_util::sync::CancellationToken;

use super::signals::Signals;
use crate::config::Config;
use crate::{assembly, telemetry};

pub async fn run(config: Config) -> Result<()> {
    telemetry::start_logging(&config.log)?;
    let mut signals = Signals::listen()?;
    let public_url = config.address.public_url(config.address.listen);
    let store = assembly::open_store(&config).await?;
    assembly::bring_up_to_date(&config, &store).await?;
    let engine = assembly::engine(&config, store.clone(), &public_url, Arc::new(SystemClock))?;

    let (stop, silence) = (CancellationToken::new(), CancellationToken::new());
    let announcing = {
        let (engine, silence) = (engine.clone(), silence.clone());
        tokio::spawn(async move { engine.run_announcements(silence).await })
    };
    let mut working = {
        let (engine, stop) = (engine.clone(), stop.clone());
        tokio::spawn(async move { engine.run_worker(stop).await })
    };
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
        store.close().await;
    };
    signals.unless_repeated(end).await;
    Ok(())
}
