//! Every address, in groups that share their layers.

mod api;
mod assets;
mod dashboard;
pub(crate) mod embed;
mod manage;
mod oauth;
mod operations;
mod preview;
mod public;
mod webhooks;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use tower::ServiceBuilder;
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::trace::TraceLayer;

pub use assets::FILES;
pub use operations::{Operations, application as operations_alone};

use crate::problem::{method_not_allowed, panicked, tell, unknown_address};
use crate::state::AppState;
use crate::{same_origin, security_headers, session, telemetry, time_limit};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The whole application.
pub fn router(state: &AppState) -> Router {
    let limits = &state.rates;
    // The hottest address stands outside: it needs no span, no request id and no body limit.
    let slots = embed::slots(state);
    let programs =
        Router::new().merge(embed::router(limits)).merge(webhooks::router(limits)).merge(operations::router());
    let hosts = api::router()
        .layer(from_fn_with_state(state.clone(), session::load))
        .layer(from_fn_with_state(state.clone(), same_origin::check))
        .layer(limits.pages.layer());
    let people = Router::new()
        .merge(dashboard::router(state, limits))
        .merge(preview::router())
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
        .merge(hosts)
        .merge(people)
        .merge(assets::router())
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(state.limits.body_bytes))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), time_limit::enforce))
        .layer(from_fn_with_state(state.clone(), tell))
        .layer(option_layer(state.prometheus.is_some().then(|| from_fn(telemetry::measure))))
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

/// Personal data: no cache keeps it.
fn private(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
