//! The hosts' dashboard: the Leptos application and its server functions.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use cupo_app::RequestContext;
use http::request::Parts;
use leptos::prelude::{expect_context, provide_context};
use leptos_axum::LeptosRoutes;
use tower_http::limit::RequestBodyLimitLayer;

use crate::rate::{RateLimit, RateLimits};
use crate::sign_in_limit::SignInLimit;
use crate::state::AppState;

/// The largest form: a calendar of holidays of 1 MiB, encoded as forms are.
const LARGEST_FORM: usize = 4 << 20;
/// The server function that looks at a page of another site.
const SITE_CHECK: &str = "/dashboard/api/site_check";

/// Pages, and the server functions at the addresses that `cupo_app::api` gives them.
pub fn router(state: &AppState, limits: &RateLimits) -> Router<AppState> {
    let engine = state.engine.clone();
    let assets = state.shell_assets.clone();
    let context = move || {
        // The session's layer stands before every page; see `super::router`.
        let parts: Parts = expect_context();
        let request: RequestContext =
            parts.extensions.get().cloned().expect("the session layer runs before every page and server function");
        provide_context(engine.clone());
        provide_context(request);
    };
    let shell = move || cupo_app::shell(assets.clone());
    Router::new()
        .leptos_routes_with_context(state, cupo_app::routes(), context, shell)
        .layer(from_fn_with_state(SignInLimit::new(state, limits.sign_in.clone()), limit_sign_in))
        .layer(from_fn_with_state(limits.site_checks.clone(), limit_site_checks))
        // Server functions read their bodies whole, past the limit that binds extractors.
        .layer(RequestBodyLimitLayer::new(LARGEST_FORM))
}

/// A check asks another site, so nobody shall be able to make Cupo ask again and again.
async fn limit_site_checks(State(limit): State<RateLimit>, request: Request, next: Next) -> Response {
    let principal = request.extensions().get::<RequestContext>().and_then(|context| context.principal.as_ref());
    match principal.filter(|_| request.uri().path() == SITE_CHECK) {
        Some(principal) => match limit.check_organization(&principal.organization_id) {
            Ok(()) => next.run(request).await,
            Err(failure) => failure.into_response(),
        },
        None => next.run(request).await,
    }
}

async fn limit_sign_in(State(limit): State<SignInLimit>, request: Request, next: Next) -> Response {
    if !SignInLimit::concerns(request.uri().path()) {
        return next.run(request).await;
    }
    match limit.admit(request).await {
        Ok(request) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}
