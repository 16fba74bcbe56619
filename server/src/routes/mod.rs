//! Every address, in groups that share their layers.

mod assets;
mod dashboard;
mod embed;
mod manage;
mod oauth;
mod operations;
mod public;
mod webhooks;

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::HeaderName;
use axum::middleware::{from_fn, from_fn_with_state};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::trace::TraceLayer;

use crate::problem::{method_not_allowed, panicked, tell, unknown_address};
use crate::rate::{ClientAddress, RateLimit};
use crate::state::AppState;
use crate::{same_origin, security_headers, session};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How often quiet clients are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// The limits of each group.
#[derive(Clone)]
pub struct RateLimits {
    pub sign_in: RateLimit,
    pub bookings: RateLimit,
    pub holds: RateLimit,
    pub slots: RateLimit,
    pub webhooks: RateLimit,
    pub pages: RateLimit,
}

impl RateLimits {
    /// The limits that the configuration names.
    #[must_use]
    pub fn new(state: &AppState) -> Self {
        let limits = &state.limits;
        let client = ClientAddress { trust_proxy: limits.trust_proxy };
        Self {
            sign_in: RateLimit::per_minute(limits.sign_in_per_minute, client),
            bookings: RateLimit::per_minute(limits.bookings_per_minute, client),
            holds: RateLimit::per_minute(limits.holds_per_minute, client),
            slots: RateLimit::per_minute(limits.slots_per_minute, client),
            webhooks: RateLimit::per_minute(limits.webhooks_per_minute, client),
            pages: RateLimit::per_minute(limits.pages_per_minute, client),
        }
    }

    /// Runs for ever and keeps the memory of the limits bounded.
    pub async fn forget_quiet_clients(self) {
        let mut tick = tokio::time::interval(FORGET_EVERY);
        loop {
            tick.tick().await;
            for limit in [&self.sign_in, &self.bookings, &self.holds, &self.slots, &self.webhooks, &self.pages] {
                limit.forget_quiet_clients();
            }
        }
    }
}

/// The whole application.
pub fn router(state: &AppState, limits: &RateLimits) -> Router {
    // The hottest address stands outside: it needs no span, no request id and no body limit.
    let slots = embed::reading(state, limits);
    let programs = Router::new()
        .merge(embed::writing(limits))
        .merge(webhooks::router(limits))
        .merge(operations::router());
    let people = Router::new()
        .merge(dashboard::router(state, limits))
        .merge(public::router(limits))
        .merge(manage::router(limits))
        .merge(oauth::router())
        .fallback(unknown_address)
        .layer(from_fn_with_state(state.clone(), session::load))
        .layer(from_fn_with_state(state.clone(), same_origin::check))
        .layer(from_fn_with_state(state.clone(), security_headers::for_pages))
        .layer(limits.pages.layer());
    let observed = Router::new()
        .merge(programs)
        .merge(people)
        .merge(assets::router())
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(state.limits.body_bytes))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), tell))
        .layer(from_fn_with_state(state.clone(), security_headers::for_everything))
        .layer(
            ServiceBuilder::new()
                .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
                .layer(TraceLayer::new_for_http().make_span_with(span).on_request(()).on_body_chunk(()).on_eos(()))
                .layer(PropagateRequestIdLayer::new(REQUEST_ID)),
        );
    observed.merge(slots).with_state(state.clone())
}

/// The path's pattern, never the path: the visitor's secret is part of some paths.
fn span(request: &Request) -> tracing::Span {
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str);
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok()).unwrap_or("");
    tracing::info_span!("request", method = %request.method(), route, id)
}
