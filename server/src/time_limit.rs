//! Every request is answered in time, even while the database is away.
//!
//! Each transaction waits for its connection by itself, and a request may need several, so that without a limit over the whole
//! a visitor would wait for minutes.
//!
//! What may change something is not cut off. Dropping a handler rolls its transaction back, which is safe; but between a commit
//! and what must follow it (what is cached is void, other processes are told), and between a provider's answer and its storing,
//! there is no transaction. So such a handler runs in a task of its own: when the time is over the client is told to come back,
//! and the work goes on to its end, for which a server that stops waits. A booking that is repeated finds the saved answer of the
//! first one by its idempotency key. The same holds when a client hangs up. What only reads is dropped: nobody waits for it, and
//! it would stand in the way of those who come later.
//!
//! The limit ends with the head of the answer: a body may stream for as long as it takes.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;
use tracing::Instrument;

use crate::problem::{Failure, Kind};
use crate::routes::embed::cors;
use crate::state::AppState;

/// What the widget asks for, from the pages of others.
const EMBEDDED: &str = "/embed/v1/";

/// Answers by a failure when the rest takes longer than the configured limit.
pub async fn enforce(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let origin = request.uri().path().starts_with(EMBEDDED).then(|| cors::readable_for_all(request.headers()));
    let answered = if only_reads(&request) {
        timeout(state.limits.request, next.run(request)).await.ok()
    } else {
        let mut work = state.unfinished.spawn(async move { next.run(request).await }.in_current_span());
        match timeout(state.limits.request, &mut work).await {
            Ok(ended) => Some(ended.unwrap_or_else(|error| broken(error).into_response())),
            Err(_) => {
                state.unfinished.spawn(tell_end(work).in_current_span());
                None
            }
        }
    };
    answered.unwrap_or_else(|| {
        let mut response = Failure::from(Kind::TookTooLong).into_response();
        if let Some(origin) = origin {
            origin.apply(response.headers_mut());
        }
        response
    })
}

/// Whether nothing is lost when the handler is dropped. A provider leads back by GET, with what is to be stored.
fn only_reads(request: &Request) -> bool {
    request.method().is_safe() && !request.uri().path().starts_with("/oauth/")
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
