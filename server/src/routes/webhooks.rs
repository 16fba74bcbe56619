//! What providers tell. The answer is fast and says nothing: the body is a hint, the work is a job.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use cupo_engine::NotificationOutcome;
use cupo_store::Provider;
use serde::Deserialize;

use crate::problem::{Kind, Outcome};
use crate::rate::RateLimits;
use crate::state::AppState;

/// Longer than any that Microsoft sends; it is echoed.
const LONGEST_VALIDATION_TOKEN: usize = 1024;

/// Microsoft sends the notifications of many subscriptions together.
const LARGEST_DELIVERY: usize = 1024 * 1024;

pub fn router(limits: &RateLimits) -> Router<AppState> {
    Router::new()
        .route("/webhooks/google", post(google))
        .route("/webhooks/microsoft", post(microsoft))
        .route("/webhooks/microsoft/lifecycle", post(microsoft))
        .layer(DefaultBodyLimit::max(LARGEST_DELIVERY))
        .layer(limits.webhooks.layer())
}

/// Answers 2xx to whatever is understood, unknown channels included: anything else would only be sent again, and would
/// tell a stranger which channels exist.
async fn google(State(state): State<AppState>, headers: HeaderMap) -> Outcome<StatusCode> {
    take(&state, Provider::Google, &headers, &[]).await
}

#[derive(Deserialize)]
struct Handshake {
    #[serde(rename = "validationToken")]
    validation_token: Option<String>,
}

/// Changes and what concerns a subscription itself. A subscription begins with a handshake: its token is echoed, as plain text
/// and as nothing else (<https://learn.microsoft.com/graph/change-notifications-delivery-webhooks>).
async fn microsoft(
    State(state): State<AppState>,
    Query(handshake): Query<Handshake>,
    headers: HeaderMap,
    body: Bytes,
) -> Outcome<Response> {
    if let Some(token) = handshake.validation_token {
        if token.len() > LONGEST_VALIDATION_TOKEN {
            return Err(Kind::BodyTooLarge { limit: LONGEST_VALIDATION_TOKEN }.into());
        }
        let plain = [
            (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        return Ok((StatusCode::OK, plain, token).into_response());
    }
    Ok(take(&state, Provider::Outlook, &headers, &body).await?.into_response())
}

async fn take(state: &AppState, provider: Provider, headers: &HeaderMap, body: &[u8]) -> Outcome<StatusCode> {
    for outcome in state.engine.notifications(provider, headers, body).await? {
        if let NotificationOutcome::Ignored(reason) = outcome {
            // Whoever floods the address with nonsense shall not flood the log: the metrics count it.
            tracing::debug!(provider = provider.as_str(), reason, "a notification was ignored");
        }
    }
    Ok(StatusCode::ACCEPTED)
}
