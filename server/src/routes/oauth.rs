//! Connecting an account of Google or Microsoft: there and back. Whatever goes wrong ends on the calendars page, which says so.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use cupo_app::RequestContext;
use cupo_core::ids::AccountId;
use cupo_engine::{ConnectStart, EngineError, OauthCallback, Principal};
use cupo_store::Provider;
use serde::Deserialize;

use crate::problem::{Failure, Kind};
use crate::state::AppState;

pub fn router() -> Router<AppState> {
    Router::new().route("/oauth/{provider}/start", get(start)).route("/oauth/{provider}/callback", get(callback))
}

/// Which account signs in again; without one a new account is connected.
#[derive(Deserialize)]
struct StartQuery {
    account: Option<String>,
}

/// What a provider appends to the redirect address.
#[derive(Deserialize)]
struct CallbackQuery {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    /// Microsoft's administrators come back so when they have allowed the application for everybody.
    admin_consent: Option<String>,
}

/// The provider of a path; Microsoft's calendars are Outlook's.
fn provider_named(name: &str) -> Result<Provider, Failure> {
    match name {
        "google" => Ok(Provider::Google),
        "microsoft" => Ok(Provider::Outlook),
        _ => Err(Kind::UnknownAddress.into()),
    }
}

async fn start(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    Path(provider): Path<String>,
    Query(query): Query<StartQuery>,
) -> Result<Response, Failure> {
    let provider = provider_named(&provider)?;
    let Some((principal, token)) = signed_in(&context) else { return Ok(to_sign_in()) };
    let account = query.account.map(|id| AccountId::parse(&id)).transpose();
    let started = match account {
        Ok(account) => state.engine.connect_start(principal, token, ConnectStart { provider, account }).await,
        Err(_) => Err(EngineError::NotFound("account")),
    };
    Ok(match started {
        Ok(url) => Redirect::to(url.as_str()).into_response(),
        Err(error) => to_calendars(provider, &error),
    })
}

async fn callback(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    Path(provider): Path<String>,
    Query(query): Query<CallbackQuery>,
) -> Result<Response, Failure> {
    let provider = provider_named(&provider)?;
    let CallbackQuery { state: opaque, code, error, error_description, admin_consent } = query;
    if admin_consent.is_some_and(|said| said.eq_ignore_ascii_case("true")) && code.is_none() && error.is_none() {
        // It says nothing that is believed: whoever connects now finds out whether it is true.
        let to = if signed_in(&context).is_some() { "/dashboard/calendars" } else { "/sign-in" };
        return Ok(redirect(&format!("{to}?notice=admin_consented")));
    }
    let Some((principal, token)) = signed_in(&context) else { return Ok(to_sign_in()) };
    let callback = OauthCallback { state: opaque, code, error, error_description };
    Ok(match state.engine.connect_finish(principal, token, provider, callback).await {
        Ok(outcome) if outcome.missing_scopes.is_empty() => redirect("/dashboard/calendars?notice=connected"),
        Ok(_) => redirect("/dashboard/calendars?error=missing-scopes"),
        Err(error) => to_calendars(provider, &error),
    })
}

fn signed_in(context: &RequestContext) -> Option<(&Principal, &str)> {
    Some((context.principal.as_ref()?, context.session_token.as_deref()?))
}

fn to_sign_in() -> Response {
    redirect("/sign-in")
}

fn to_calendars(provider: Provider, error: &EngineError) -> Response {
    tracing::warn!(provider = provider.as_str(), %error, "an account could not be connected");
    let is_googles = provider == Provider::Google && matches!(error, EngineError::ConsentNeeded(_));
    let provider = if is_googles { "&provider=google" } else { "" };
    redirect(&format!("/dashboard/calendars?error={}{provider}", error.code()))
}

fn redirect(path: &str) -> Response {
    Redirect::to(path).into_response()
}
