//! The REST API, version 1, for hosts: JSON in and out, by the dashboard's session and from its own pages.
//!
//! What belongs to another organization is not found, and neither is what the user may not see.

mod appointments;
mod event_types;
mod schedules;

use std::str::FromStr;

use axum::Router;
use axum::middleware::map_response;
use axum::routing::{get, post};
use cupo_engine::EngineError;
use tower_http::compression::CompressionLayer;

use super::private;
use crate::problem::Outcome;
use crate::state::AppState;

/// The layers that find out who asks are the caller's to add.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/event-types", get(event_types::list))
        .route("/api/v1/event-types/{id}/explain", get(event_types::explain))
        .route("/api/v1/event-types/{id}/day", get(event_types::day))
        .route("/api/v1/event-types/{id}/slots", get(event_types::replay))
        .route("/api/v1/event-types/{id}/clock-change", get(event_types::clock_change))
        .route("/api/v1/event-types/{id}/preview", post(event_types::preview))
        .route("/api/v1/schedules/{id}/preview", post(schedules::preview))
        .route("/api/v1/appointments/{id}/confirm", post(appointments::confirm))
        .route("/api/v1/appointments/{id}/decline", post(appointments::decline))
        .layer(map_response(async |response| private(response)))
        .layer(CompressionLayer::new())
}

/// An id of an address. What is no id names nothing.
fn id<I: FromStr>(text: &str, noun: &'static str) -> Outcome<I> {
    text.parse().map_err(|_| EngineError::NotFound(noun).into())
}
