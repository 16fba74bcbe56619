//! Connecting a Google account: there and back. Whatever goes wrong ends on the calendars page, which says so.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use cupo_app::RequestContext;
use cupo_engine::{EngineError, GoogleCallback, Principal};
use serde::Deserialize;

use crate::state::AppState;

pub fn router() -> Router<AppState> {
    Router::new().route("/oauth/google/start", get(start)).route("/oauth/google/callback", get(callback))
}

/// What Google appends to the redirect address.
#[derive(Deserialize)]
struct CallbackQuery {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

async fn start(State(state): State<AppState>, Extension(context): Extension<RequestContext>) -> Response {
    let Some((principal, token)) = signed_in(&context) else { return to_sign_in() };
    match state.engine.google_connect_start(principal, token).await {
        Ok(url) => Redirect::to(url.as_str()).into_response(),
        Err(error) => to_calendars(&error),
    }
}

async fn callback(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    Query(query): Query<CallbackQuery>,
) -> Response {
    let Some((principal, token)) = signed_in(&context) else { return to_sign_in() };
    let callback = GoogleCallback { state: query.state, code: query.code, error: query.error };
    match state.engine.google_connect_finish(principal, token, callback).await {
        Ok(outcome) if outcome.missing_scopes.is_empty() => redirect("/dashboard/calendars?notice=connected"),
        Ok(_) => redirect("/dashboard/calendars?error=missing-scopes"),
        Err(error) => to_calendars(&error),
    }
}

fn signed_in(context: &RequestContext) -> Option<(&Principal, &str)> {
    Some((context.principal.as_ref()?, context.session_token.as_deref()?))
}

fn to_sign_in() -> Response {
    redirect("/sign-in")
}

fn to_calendars(error: &EngineError) -> Response {
    tracing::warn!(%error, "a Google account could not be connected");
    redirect(&format!("/dashboard/calendars?error={}", error.code()))
}

fn redirect(path: &str) -> Response {
    Redirect::to(path).into_response()
}
