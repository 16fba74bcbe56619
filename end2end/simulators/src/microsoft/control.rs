//! The control API: what a test, or a person on the simulator's page, does to the simulated world.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::{delete, get, patch, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::behaviour::Behaviour;
use super::by_hand;
use super::faults::Fault;
use super::graph::error::GraphError;
use super::graph::query::Query;
use super::ids;
use super::options::{Client, UserSeed};
use super::simulation::Microsoft;
use super::subscriptions::LifecycleEvent;
use super::week_page;
use crate::control::{self, ClockChange, Misused};

type Simulator = State<Arc<Microsoft>>;

/// The routes under `/control`.
pub fn router() -> Router<Arc<Microsoft>> {
    Router::new()
        .route("/users", get(users).post(add_user))
        .route("/clients", post(add_client))
        .route("/token", post(issue_token))
        .route("/application-token", post(issue_application_token))
        .route("/events", get(events).post(insert_event))
        .route("/events/{calendar}/{id}", patch(patch_event).delete(delete_event))
        .route("/events/{calendar}/{id}/move", post(move_event))
        .route("/calendars/{calendar}", delete(delete_calendar))
        .route("/invitations", get(invitations))
        .route("/subscriptions", get(subscriptions))
        .route("/lifecycle", post(lifecycle))
        .route("/faults", post(add_fault).delete(clear_faults))
        .route("/behaviour", get(behaviour).post(set_behaviour))
        .route("/expire-sync-tokens", post(expire_sync_tokens))
        .route("/expire-access-tokens", post(expire_access_tokens))
        .route("/expire-subscriptions", post(expire_subscriptions))
        .route("/expire-refresh-tokens", post(expire_refresh_tokens))
        .route("/revoke", post(revoke))
        .route("/require-claims", post(require_claims))
        .route("/clock", get(clock).post(set_clock))
        .route("/log", get(log))
        .route("/log", delete(clear_log))
        .route("/changes", get(changes))
        .route("/reset", post(reset))
}

async fn users(State(microsoft): Simulator) -> Json<Value> {
    let world = microsoft.world();
    let users = world.users.values().map(|user| {
        let calendars = world.calendars_of(&user.email).map(|calendar| {
            json!({
                "id": ids::calendar_id(calendar.key),
                "summary": calendar.name,
                "time_zone": user.time_zone.name(),
                "color": calendar.color,
                "primary": calendar.is_default,
                "access_role": if calendar.can_edit { "owner" } else { "reader" },
            })
        });
        let calendars: Vec<Value> = calendars.collect();
        json!({
            "email": user.email,
            "id": user.id,
            "tenant": user.tenant,
            "personal": user.is_personal(),
            "time_zone": user.time_zone.name(),
            "calendars": calendars,
        })
    });
    Json(json!({ "users": users.collect::<Vec<_>>() }))
}

async fn add_user(State(microsoft): Simulator, Json(seed): Json<UserSeed>) -> Result<StatusCode, Misused> {
    microsoft.change(|world| world.add_user(&seed))?;
    Ok(StatusCode::CREATED)
}

async fn add_client(State(microsoft): Simulator, Json(client): Json<Client>) -> StatusCode {
    microsoft.change(|world| world.clients.insert(client.client_id.clone(), client));
    StatusCode::CREATED
}

#[derive(Deserialize)]
struct TokenRequest {
    email: String,
    scopes: Vec<String>,
}

async fn issue_token(
    State(microsoft): Simulator,
    Json(request): Json<TokenRequest>,
) -> Result<Json<impl Serialize>, Misused> {
    let scopes: Vec<&str> = request.scopes.iter().map(String::as_str).collect();
    Ok(Json(microsoft.issue_tokens(&request.email, &scopes)?))
}

async fn issue_application_token(State(microsoft): Simulator) -> Result<Json<Value>, Misused> {
    Ok(Json(json!({ "access_token": microsoft.issue_application_token()? })))
}

/// The stored events; with `from` and `to`, what the week page shows.
async fn events(State(microsoft): Simulator, query: axum::extract::RawQuery) -> Result<Json<Value>, GraphError> {
    let query = Query::parse(query.0.as_deref().unwrap_or_default());
    let calendar = query.get("calendar").unwrap_or_default();
    match (query.get("from"), query.get("to")) {
        (Some(from), Some(to)) => Ok(Json(week_page::week(&microsoft, calendar, from, to)?)),
        _ => Ok(Json(json!({ "items": by_hand::stored_events(&microsoft, calendar)? }))),
    }
}

/// `{calendar, ...the event's members}`.
async fn insert_event(
    State(microsoft): Simulator,
    Json(mut event): Json<Map<String, Value>>,
) -> Result<(StatusCode, Json<Value>), GraphError> {
    let calendar = event.remove("calendar").unwrap_or_default();
    let inserted = by_hand::insert(&microsoft, calendar.as_str().unwrap_or_default(), &event)?;
    Ok((StatusCode::CREATED, Json(inserted)))
}

async fn patch_event(
    State(microsoft): Simulator,
    Path((calendar, id)): Path<(String, String)>,
    Json(change): Json<Map<String, Value>>,
) -> Result<Json<Value>, GraphError> {
    Ok(Json(by_hand::patch(&microsoft, &calendar, &id, &change)?))
}

async fn delete_event(
    State(microsoft): Simulator,
    Path((calendar, id)): Path<(String, String)>,
) -> Result<StatusCode, GraphError> {
    by_hand::delete(&microsoft, &calendar, &id)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Destination {
    calendar: String,
}

async fn move_event(
    State(microsoft): Simulator,
    Path((calendar, id)): Path<(String, String)>,
    Json(destination): Json<Destination>,
) -> Result<Json<Value>, GraphError> {
    Ok(Json(by_hand::move_to(&microsoft, &calendar, &id, &destination.calendar)?))
}

async fn delete_calendar(State(microsoft): Simulator, Path(calendar): Path<String>) -> Result<StatusCode, GraphError> {
    by_hand::delete_calendar(&microsoft, &calendar)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn invitations(State(microsoft): Simulator) -> Json<Value> {
    Json(json!({ "invitations": microsoft.world().invitations }))
}

async fn subscriptions(State(microsoft): Simulator) -> Json<Value> {
    Json(json!({ "subscriptions": microsoft.subscriptions(), "deliveries": microsoft.deliveries() }))
}

#[derive(Deserialize)]
struct Lifecycle {
    subscription: String,
    event: LifecycleEvent,
}

async fn lifecycle(State(microsoft): Simulator, Json(wanted): Json<Lifecycle>) -> Result<StatusCode, Misused> {
    if microsoft.lifecycle(&wanted.subscription, wanted.event) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Misused(anyhow::anyhow!("there is no such subscription, or it has no lifecycle address")))
}

async fn add_fault(State(microsoft): Simulator, Json(fault): Json<Fault>) -> Result<StatusCode, Misused> {
    microsoft.faults().add(fault)?;
    Ok(StatusCode::CREATED)
}

async fn clear_faults(State(microsoft): Simulator) -> StatusCode {
    microsoft.faults().clear();
    StatusCode::NO_CONTENT
}

async fn behaviour(State(microsoft): Simulator) -> Json<Behaviour> {
    Json(microsoft.world().behaviour)
}

async fn set_behaviour(State(microsoft): Simulator, Json(behaviour): Json<Behaviour>) -> StatusCode {
    microsoft.change(|world| world.behaviour = behaviour);
    StatusCode::NO_CONTENT
}

async fn expire_sync_tokens(State(microsoft): Simulator) -> StatusCode {
    microsoft.change(|world| world.deltas.expire());
    StatusCode::NO_CONTENT
}

async fn expire_subscriptions(State(microsoft): Simulator) -> StatusCode {
    microsoft.change(|world| world.subscriptions.clear());
    StatusCode::NO_CONTENT
}

async fn expire_access_tokens(State(microsoft): Simulator) -> StatusCode {
    microsoft.change(|world| world.tokens.expire_access_tokens());
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Account {
    email: String,
}

async fn expire_refresh_tokens(State(microsoft): Simulator, Json(account): Json<Account>) -> StatusCode {
    microsoft.change(|world| world.tokens.expire_refresh_tokens(&account.email));
    StatusCode::NO_CONTENT
}

async fn revoke(State(microsoft): Simulator, Json(account): Json<Account>) -> StatusCode {
    microsoft.change(|world| world.tokens.revoke_account(&account.email));
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Claims {
    email: String,
    /// JSON text; absent when no claims are needed any more.
    claims: Option<String>,
}

async fn require_claims(State(microsoft): Simulator, Json(wanted): Json<Claims>) -> Result<StatusCode, Misused> {
    microsoft.require_claims(&wanted.email, wanted.claims.as_deref())?;
    Ok(StatusCode::NO_CONTENT)
}

async fn clock(State(microsoft): Simulator) -> Json<Value> {
    Json(json!({ "now": microsoft.clock.now() }))
}

async fn set_clock(State(microsoft): Simulator, Json(change): Json<ClockChange>) -> Result<Json<Value>, Misused> {
    change.apply(&microsoft.clock)?;
    Ok(Json(json!({ "now": microsoft.clock.now() })))
}

async fn log(State(microsoft): Simulator) -> Json<Value> {
    Json(json!({ "exchanges": microsoft.exchanges() }))
}

async fn clear_log(State(microsoft): Simulator) -> StatusCode {
    microsoft.clear_exchanges();
    StatusCode::NO_CONTENT
}

async fn reset(State(microsoft): Simulator) -> Result<StatusCode, Misused> {
    microsoft.reset()?;
    Ok(StatusCode::NO_CONTENT)
}

async fn changes(State(microsoft): Simulator) -> impl IntoResponse {
    control::change_lines(microsoft.changes(), microsoft.stopping.clone())
}
