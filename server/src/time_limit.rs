//! Every request is answered in time, even while the database is away.
//!
//! Each transaction waits for its connection by itself, and a request may need several, so that without a limit over the whole
//! a visitor would wait for minutes.
//!
//! What has begun is not cut off. Dropping a handler rolls its transaction back, which is safe; but between a commit and what
//! must follow it (what is cached is void, other processes are told), and between a provider's answer and its storing, there is
//! no transaction. So the handler runs in a task of its own: when the time is over the client is told to come back, and the
//! work goes on to its end. A booking that is repeated finds the saved answer of the first one by its idempotency key. The
//! same holds when a client hangs up. The slots alone, which change nothing, are dropped (`routes::embed::slots`).
//!
//! The limit ends with the head of the answer: a body may stream for as long as it takes.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;
use tracing::Instrument;

use crate::problem::{Failure, Kind};
use crate::state::AppState;

/// Answers by a failure when the rest takes longer than the configured limit.
pub async fn enforce(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut work = tokio::spawn(async move { next.run(request).await }.in_current_span());
    match timeout(state.limits.request, &mut work).await {
        Ok(ended) => ended.unwrap_or_else(|error| broken(error).into_response()),
        Err(_) => {
            tokio::spawn(tell_end(work).in_current_span());
            Failure::from(Kind::TookTooLong).into_response()
        }
    }
}

/// Nobody else hears what became of a request that took too long.
async fn tell_end(work: JoinHandle<Response>) {
    match work.await {
        Ok(response) => {
            if let Some(failure) = response.extensions().get::<Failure>() {
                failure.log();
            }
            tracing::info!(status = response.status().as_u16(), "a request ended after its time");
        }
        Err(error) => broken(error).log(),
    }
}

fn broken(error: JoinError) -> Failure {
    match error.try_into_panic() {
        Ok(panic) => Failure::from_panic(panic),
        Err(error) => Kind::Panic(error.to_string()).into(),
    }
}
