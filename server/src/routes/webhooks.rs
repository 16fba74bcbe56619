//! What providers tell. The answer is fast and says nothing: the body is a hint, the work is a job.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use cupo_engine::NotificationOutcome;

use crate::problem::Outcome;
use crate::rate::RateLimits;
use crate::state::AppState;

pub fn router(limits: &RateLimits) -> Router<AppState> {
    Router::new().route("/webhooks/google", post(google)).layer(limits.webhooks.layer())
}

/// Answers 2xx to whatever is understood, unknown channels included: anything else would only be sent again, and would
/// tell a stranger which channels exist.
async fn google(State(state): State<AppState>, headers: HeaderMap) -> Outcome<StatusCode> {
    match state.engine.google_notification(&headers).await? {
        NotificationOutcome::Accepted => {}
        NotificationOutcome::Ignored(reason) => tracing::info!(reason, "a notification was ignored"),
    }
    Ok(StatusCode::ACCEPTED)
}
