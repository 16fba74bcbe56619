//! The embed API, version 1: what widgets on other sites call. No cookies, JSON only.

mod appointments;
pub(crate) mod cors;
mod event_types;
mod first;
mod holds;
mod series;
mod slots;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::VARY;
use axum::middleware::from_fn;
use axum::routing::{delete, get, post};
use tower::util::option_layer;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::rate::RateLimits;
use crate::state::AppState;
use crate::telemetry::measure;

/// A first view is a tenth smaller than at the usual level, 4, and costs a millisecond more. `cargo xtask size` weighs it so.
const OF_FIRST_VIEWS: CompressionLevel = CompressionLevel::Precise(7);
/// By what the language of an answer was found where its address names none; a cache must keep such answers apart.
const LANGUAGE: HeaderValue = HeaderValue::from_static("Accept-Language, Cookie");

/// The slots. No layer but compression and the panic guard stands between the socket and the engine's cache: the handler
/// counts requests and tells its failures itself.
pub fn slots(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/embed/v1/slots", get(slots::read).options(cors::preflight).fallback(slots::method_not_allowed))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(slots::panicked))
        .layer(option_layer(state.prometheus.is_some().then(|| from_fn(measure))))
}

/// Everything else that widgets read and change.
pub fn router(limits: &RateLimits) -> Router<AppState> {
    let holds = Router::new()
        .route("/embed/v1/holds", post(holds::create).options(cors::preflight))
        .route("/embed/v1/holds/{token}", delete(holds::release).options(cors::preflight))
        .layer(limits.holds.layer());
    let bookings = Router::new()
        .route("/embed/v1/appointments", post(appointments::book).options(cors::preflight))
        .route("/embed/v1/appointments/{token}/cancel", post(appointments::cancel).options(cors::preflight))
        .route("/embed/v1/appointments/{token}/reschedule", post(appointments::reschedule).options(cors::preflight))
        .layer(limits.bookings.layer());
    let reading = Router::new()
        .route("/embed/v1/first", get(first::read).options(cors::preflight))
        .route("/embed/v1/event-types/{org}/{slug}", get(event_types::read).options(cors::preflight))
        .route("/embed/v1/series", get(series::read).options(cors::preflight))
        .route("/embed/v1/appointments/{token}", get(appointments::read).options(cors::preflight))
        .route("/embed/v1/appointments/{token}/calendar.ics", get(appointments::calendar))
        .layer(SetResponseHeaderLayer::appending(VARY, LANGUAGE))
        .layer(CompressionLayer::new().quality(OF_FIRST_VIEWS))
        .layer(limits.slots.layer());
    holds.merge(bookings).merge(reading)
}
