//! Logs and figures.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;

use crate::config::{Log, LogFormat};

/// Bounds of the histogram of answer times, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// How often the exporter folds what it has gathered.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts logging to the standard error.
///
/// # Errors
/// When the process logs already, or the level cannot be read.
pub fn start_logging(log: &Log) -> Result<()> {
    let filter = EnvFilter::try_new(&log.level).context("log.level cannot be read")?;
    let builder = SubscriberBuilder::default()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    }
    .map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))
}

/// The exporter of this process; the recorder can be installed once only.
///
/// # Errors
/// When another recorder is installed.
pub fn prometheus() -> Result<PrometheusHandle> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .context("the buckets of the histogram")?
        .install_recorder()
        .context("the figures cannot be recorded")?;
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// Runs for ever and keeps the exporter's memory bounded.
pub async fn keep_up(handle: PrometheusHandle) {
    let mut tick = tokio::time::interval(UPKEEP);
    loop {
        tick.tick().await;
        handle.run_upkeep();
    }
}

/// Counts and times answers by route and status.
pub async fn measure(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let started = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("cupo_http_requests_total", "route" => route.clone(), "status" => status).increment(1);
    metrics::histogram!("cupo_http_request_seconds", "route" => route).record(started.elapsed().as_secs_f64());
    response
}
