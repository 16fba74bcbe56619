//! For whoever runs Cupo: is it alive, is it ready, what does it do.

use std::time::Duration;

use axum::extract::{FromRef, Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use cupo_core::text::Locale;
use cupo_engine::Engine;
use cupo_store::Store;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio::time::timeout;

use crate::config::Metrics;
use crate::problem::{Failure, Kind, Outcome};
use crate::rate::ClientAddress;
use crate::state::{AppState, WorkerState};

/// How long a load balancer is kept waiting.
const PATIENCE: Duration = Duration::from_secs(2);

/// What can be told of a process, be it a server or a worker.
#[derive(Clone)]
pub struct Operations {
    pub engine: Engine,
    pub store: Store,
    /// `None`: this process runs no jobs.
    pub worker: Option<WorkerState>,
    pub metrics: Metrics,
    /// `None`: figures are switched off.
    pub prometheus: Option<PrometheusHandle>,
}

impl FromRef<AppState> for Operations {
    fn from_ref(state: &AppState) -> Self {
        Self {
            engine: state.engine.clone(),
            store: state.store.clone(),
            worker: state.worker.clone(),
            metrics: state.metrics.clone(),
            prometheus: state.prometheus.clone(),
        }
    }
}

pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S>
where
    Operations: FromRef<S>,
{
    Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(ready)).route("/metrics", get(metrics))
}

/// The same addresses in a process that has no others.
pub fn application(operations: Operations) -> Router {
    let tell = async |request: Request, next: middleware::Next| {
        let mut response = next.run(request).await;
        match response.extensions_mut().remove::<Failure>() {
            Some(failure) => {
                failure.log();
                failure.to_problem_response(Locale::default())
            }
            None => response,
        }
    };
    router().fallback(crate::problem::unknown_address).layer(middleware::from_fn(tell)).with_state(operations)
}

/// The answer of `/readyz`.
#[derive(Serialize)]
struct Readiness {
    ready: bool,
    database: &'static str,
    migrations: &'static str,
    worker: &'static str,
    time_zone_database: &'static str,
}

async fn ready(State(state): State<Operations>) -> Response {
    let database = timeout(PATIENCE, state.store.ping()).await.is_ok_and(|answer| answer.is_ok());
    let pending = timeout(PATIENCE, state.store.pending_migrations()).await;
    // Everything in it went to another one: nothing can be booked here.
    let moved = timeout(PATIENCE, state.store.moved_to()).await.is_ok_and(|it| matches!(it, Ok(Some(_))));
    let migrations = database && matches!(pending, Ok(Ok(pending)) if pending.is_empty());
    let worker = state.worker.as_ref().map(WorkerState::is_running);
    // A server without a worker does its part without one.
    let ready = database && !moved && migrations && worker.unwrap_or(true);
    let word = |fine: bool, bad: &'static str| if fine { "ok" } else { bad };
    let body = Readiness {
        ready,
        database: if moved { "moved" } else { word(database, "unreachable") },
        migrations: word(migrations, "pending"),
        worker: worker.map_or("elsewhere", |is_running| word(is_running, "stopped")),
        time_zone_database: cupo_core::zone::TZDB_VERSION,
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}

async fn metrics(State(state): State<Operations>, request: Request) -> Outcome<Response> {
    let Some(prometheus) = state.prometheus.as_ref().filter(|_| state.metrics.enabled) else {
        return Err(Kind::UnknownAddress.into());
    };
    let allowed = match &state.metrics.token {
        Some(token) => {
            let sent = request.headers().get(AUTHORIZATION).and_then(|it| it.to_str().ok());
            sent.and_then(|it| it.strip_prefix("Bearer ")).is_some_and(|sent| token.matches(sent))
        }
        // Behind a proxy on this machine everybody seems to be local, hence the second condition.
        None => {
            let peer = ClientAddress { trust_proxy: false }.of(request.headers(), request.extensions());
            peer.is_some_and(|ip| ip.is_loopback())
                && !["forwarded", "x-forwarded-for"].iter().any(|name| request.headers().contains_key(*name))
        }
    };
    if !allowed {
        return Err(Kind::Forbidden.into());
    }
    // Without the database these keep what they were; everything else is still worth telling.
    if let Ok(Err(error)) = timeout(PATIENCE, state.engine.measure_jobs()).await {
        tracing::warn!(%error, "the jobs could not be counted");
    }
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], prometheus.render()).into_response())
}
