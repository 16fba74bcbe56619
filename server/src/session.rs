//! Who asks: the session cookie becomes a [`RequestContext`] in the request's extensions.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cupo_app::{RequestContext, SESSION_COOKIE};

use crate::language;
use crate::problem::Failure;
use crate::state::AppState;

/// Loads the principal of the cookie's session, if there is one.
pub async fn load(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let session_token = language::cookie(request.headers(), SESSION_COOKIE).map(str::to_owned);
    let principal = match &session_token {
        None => None,
        Some(token) => match state.engine.principal(token).await {
            Ok(principal) => principal,
            Err(error) => return Failure::from(error).into_response(),
        },
    };
    let locale = language::chosen(request.headers(), request.uri())
        .or(principal.as_ref().map(|it| it.locale))
        .unwrap_or_else(|| language::negotiated(request.headers()));
    let context = RequestContext { principal, session_token, locale, is_secure: state.is_secure() };
    request.extensions_mut().insert(context);
    next.run(request).await
}
