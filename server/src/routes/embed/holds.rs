//! `/embed/v1/holds`: keep a slot while the form is filled in.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use cupo_core::wire::HoldRequest;

use super::appointments::{Wanted, with_fresh_slots};
use super::cors;
use crate::body::Json;
use crate::problem::{Failure, Outcome};
use crate::state::AppState;

pub async fn create(
    State(state): State<AppState>,
    headers: HeaderMap,
    Json(request): Json<HoldRequest>,
) -> Outcome<Response> {
    let origin = cors::check(&state, &request.org, &headers).await?;
    let wanted = Wanted {
        org: request.org.clone(),
        event: request.event.clone(),
        start: request.start,
        duration: request.duration,
        host: request.host.clone(),
        link: request.link.clone(),
        // What was not replaced stands.
        hold: request.replaces.clone(),
        reschedule: None,
    };
    let outcome = match state.engine.hold(request).await {
        Ok(hold) => Ok((StatusCode::CREATED, axum::Json(hold)).into_response()),
        Err(error) => Err(with_fresh_slots(&state, error, wanted).await),
    };
    Ok(origin.respond(outcome))
}

/// Whoever knows the hold's secret may let go of it, from wherever; letting go twice is no failure.
pub async fn release(State(state): State<AppState>, Path(token): Path<String>, headers: HeaderMap) -> Response {
    let released = state.engine.hold_release(&token).await;
    cors::readable_for_all(&headers)
        .respond(released.map_err(Failure::from).map(|()| StatusCode::NO_CONTENT.into_response()))
}
