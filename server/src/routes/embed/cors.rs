//! Which sites may use the embed API: those that the organization has named, and Cupo itself.
//!
//! A preflight names no organization, so it only grants the asking; the request itself is then checked before it has any
//! effect. Without an `Origin` the caller is no page of another site, and CORS has nothing to guard.

use axum::extract::State;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use cupo_engine::EngineError;

use crate::problem::{Failure, Kind, Outcome};
use crate::state::AppState;

/// An origin that was found to be allowed; `None` when the request has none.
#[derive(Debug, Clone)]
pub struct AllowedOrigin(Option<HeaderValue>);

/// Checks the origin of a request that concerns an organization.
///
/// An unknown organization is no failure here: the use case says so itself, to its own pages.
pub async fn check(state: &AppState, org: &str, headers: &HeaderMap) -> Outcome<AllowedOrigin> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(AllowedOrigin(None)) };
    if origin.as_bytes() == state.public_origin.as_bytes() {
        return Ok(AllowedOrigin(Some(origin.clone())));
    }
    let allowed = match state.engine.allowed_origins(org).await {
        Ok(allowed) => allowed,
        // Told to any site: that an organization does not exist is no secret, and its widget must be able to say so.
        Err(EngineError::NotFound(_)) => return Ok(AllowedOrigin(Some(origin.clone()))),
        Err(error) => return Err(error.into()),
    };
    if allowed.iter().any(|site| site.as_str().as_bytes() == origin.as_bytes()) {
        return Ok(AllowedOrigin(Some(origin.clone())));
    }
    let origin = String::from_utf8_lossy(origin.as_bytes()).into_owned();
    Err(Kind::OriginNotAllowed { origin }.into())
}

impl AllowedOrigin {
    /// Lets the asking page read the answer. Caches must keep the answers to different sites apart in any case.
    pub fn apply(self, headers: &mut HeaderMap) {
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.0 {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("ETag, Retry-After"));
        }
    }

    /// Answers with the outcome, readable for the asking page whether it is a success or a failure.
    pub fn respond(self, outcome: Outcome<Response>) -> Response {
        let mut response = outcome.unwrap_or_else(Failure::into_response);
        self.apply(response.headers_mut());
        response
    }
}

/// Answers `OPTIONS`.
pub async fn preflight(State(_): State<AppState>, headers: HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    AllowedOrigin(headers.get(ORIGIN).cloned()).apply(response.headers_mut());
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE"));
    headers
        .insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type, idempotency-key, if-none-match"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

/// For what needs a secret and tells nothing: any page may read the answer.
pub fn readable_for_all(headers: &HeaderMap) -> AllowedOrigin {
    AllowedOrigin(headers.get(ORIGIN).cloned())
}
