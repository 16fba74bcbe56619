//! The embed API, version 1: what widgets on other sites call. No cookies, JSON only.

mod appointments;
mod cors;
mod event_types;
mod holds;
mod slots;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use tower_http::catch_panic::CatchPanicLayer;

use super::RateLimits;
use crate::problem::{method_not_allowed, panicked, tell};
use crate::state::AppState;

/// What widgets read: slots and event types.
pub fn reading(state: &AppState, limits: &RateLimits) -> Router<AppState> {
    let event_types = Router::new()
        .route("/embed/v1/event-types/{org}/{slug}", get(event_types::read))
        .layer(from_fn_with_state(state.clone(), tell));
    // Slots tell their failures themselves: no layer stands between the socket and the engine's cache but the limit.
    let slots = Router::new().route("/embed/v1/slots", get(slots::read));
    event_types
        .merge(slots)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(limits.slots.layer())
}

/// What widgets change, and the visitor's own appointment.
pub fn writing(limits: &RateLimits) -> Router<AppState> {
    let holds = Router::new()
        .route("/embed/v1/holds", post(holds::create).options(cors::preflight))
        .route("/embed/v1/holds/{token}", delete(holds::release).options(cors::preflight))
        .layer(limits.holds.layer());
    let bookings = Router::new()
        .route("/embed/v1/appointments", post(appointments::book).options(cors::preflight))
        .route("/embed/v1/appointments/{token}/cancel", post(appointments::cancel).options(cors::preflight))
        .route("/embed/v1/appointments/{token}/reschedule", post(appointments::reschedule).options(cors::preflight))
        .layer(limits.bookings.layer());
    let own = Router::new()
        .route("/embed/v1/appointments/{token}", get(appointments::read))
        .route("/embed/v1/appointments/{token}/calendar.ics", get(appointments::calendar))
        .layer(limits.slots.layer());
    holds.merge(bookings).merge(own)
}
