//! The control API: what a test, or a person on the simulator's page, does to the simulated world.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::{delete, get, patch, post};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::channels::Channel;
use super::event_time::EventTime;
use super::event_writes::{self, Change, SendUpdates, Write};
use super::listing;
use super::recurrence::Window;
use super::render::Rendering;
use super::scopes;
use super::service_accounts::{self, ServiceAccount};
use super::simulation::Google;
use super::wire::{ApiError, Query};
use super::world::{Calendar, Event, MeetSettings};
use super::{Client, Fault, IssuedTokens, QuotaSettings, UserSeed};
use crate::control::{self, ClockChange, Misused};

type Simulator = State<Arc<Google>>;

/// The routes under `/control`.
pub fn router() -> Router<Arc<Google>> {
    Router::new()
        .route("/users", get(users).post(add_user))
        .route("/clients", post(add_client))
        .route("/token", post(issue_token))
        .route("/service-accounts", get(service_accounts).post(add_service_account))
        .route("/groups", post(add_group))
        .route("/grant-lifetime", post(set_grant_lifetime))
        .route("/admin-policy", post(set_admin_policy))
        .route("/quota", post(set_quota))
        .route("/events", get(events).post(insert_event))
        .route("/events/{calendar}/{id}", patch(patch_event).delete(delete_event))
        .route("/events/{calendar}/{id}/move", post(move_event))
        .route("/calendars/{calendar}", delete(delete_calendar))
        .route("/invitations", get(invitations))
        .route("/channels", get(channels))
        .route("/faults", post(add_fault).delete(clear_faults))
        .route("/expire-sync-tokens", post(expire_sync_tokens))
        .route("/expire-access-tokens", post(expire_access_tokens))
        .route("/expire-channels", post(expire_channels))
        .route("/revoke", post(revoke))
        .route("/clock", get(clock).post(set_clock))
        .route("/meet", post(set_meet))
        .route("/log", get(log))
        .route("/log", delete(clear_log))
        .route("/changes", get(changes))
        .route("/reset", post(reset))
}

/// By hand, in the name of the calendar's owner.
impl Google {
    /// Inserts an event and returns its resource.
    pub fn insert_by_hand(
        self: &Arc<Self>,
        calendar_id: &str,
        event: &Map<String, Value>,
        send_updates: SendUpdates,
    ) -> Result<Value, ApiError> {
        let owner = self.owner(calendar_id)?;
        let hand = self.hand(calendar_id, &owner, send_updates);
        let id = self.write(calendar_id, |world| hand.insert(world, event))?;
        self.event(calendar_id, &id)
    }

    /// Patches an event or an instance and returns its resource.
    pub fn patch_by_hand(
        self: &Arc<Self>,
        calendar_id: &str,
        id: &str,
        change: &Map<String, Value>,
        send_updates: SendUpdates,
    ) -> Result<Value, ApiError> {
        let owner = self.owner(calendar_id)?;
        let hand = self.hand(calendar_id, &owner, send_updates);
        self.write(calendar_id, |world| hand.update(world, id, change, Change::Patch))?;
        self.event(calendar_id, id)
    }

    /// Deletes an event or an instance.
    pub fn delete_by_hand(
        self: &Arc<Self>,
        calendar_id: &str,
        id: &str,
        send_updates: SendUpdates,
    ) -> Result<(), ApiError> {
        let owner = self.owner(calendar_id)?;
        let hand = self.hand(calendar_id, &owner, send_updates);
        self.write(calendar_id, |world| hand.delete(world, id))
    }

    /// Moves an event or a series into another calendar of the same owner, under the same id: where it was, it is cancelled.
    pub fn move_by_hand(self: &Arc<Self>, calendar_id: &str, id: &str, to: &str) -> Result<Value, ApiError> {
        if self.owner(calendar_id)? != self.owner(to)? || calendar_id == to {
            return Err(ApiError::invalid("An event moves into another calendar of its owner."));
        }
        let now = self.clock.now();
        let mut event = self.write(calendar_id, |world| {
            let calendar = world.calendar_mut(calendar_id)?;
            let found = calendar.events.get(id).filter(|event| !event.cancelled && event.instance_of.is_none());
            let moved = found.cloned().ok_or_else(ApiError::not_found)?;
            let change = calendar.next_change();
            let mut left = moved.clone();
            left.remember_rule(change);
            (left.cancelled, left.change, left.updated) = (true, change, now);
            calendar.events.insert(id.to_owned(), left);
            Ok(moved)
        })?;
        self.write(to, |world| {
            let calendar = world.calendar_mut(to)?;
            (event.change, event.updated) = (calendar.next_change(), now);
            calendar.events.insert(id.to_owned(), event);
            Ok(())
        })?;
        self.event(to, id)
    }

    /// Deletes a secondary calendar with everything in it; its channels end.
    pub fn delete_calendar_by_hand(&self, calendar_id: &str) -> Result<(), ApiError> {
        self.change(|world| {
            world.calendar(calendar_id)?;
            if world.users.contains_key(calendar_id) {
                return Err(ApiError::invalid("A primary calendar cannot be deleted."));
            }
            world.calendars.remove(calendar_id);
            for user in world.users.values_mut() {
                user.calendar_list.retain(|entry| entry.calendar_id != calendar_id);
            }
            world.channels.retain(|_, channel| channel.calendar != calendar_id);
            Ok(())
        })
    }

    /// Every stored event of a calendar: cancelled ones and exceptions too, recurring events unexpanded.
    pub fn stored_events(self: &Arc<Self>, calendar_id: &str) -> Result<Vec<Value>, ApiError> {
        self.settle_conferences();
        let world = self.world();
        let calendar = world.calendar(calendar_id)?;
        let rendering = Rendering::of(&self.base_url, calendar);
        Ok(calendar.events.iter().map(|(id, event)| rendering.event(id, event)).collect())
    }

    /// A token pair for `account`, without the authorize page; `scopes` in full or without their common prefix.
    pub fn issue_tokens(&self, account: &str, scopes: &[&str]) -> anyhow::Result<IssuedTokens> {
        let now = self.clock.now();
        let scopes: BTreeSet<String> = scopes
            .iter()
            .map(|scope| if scope.contains("://") { (*scope).to_owned() } else { format!("{}{scope}", scopes::PREFIX) })
            .collect();
        if let Some(unknown) = scopes.iter().find(|scope| scopes::description(scope).is_none()) {
            anyhow::bail!("unknown scope {unknown}");
        }
        self.change(|world| {
            anyhow::ensure!(world.users.contains_key(account), "there is no user {account}");
            let client = world.clients.keys().next().cloned().unwrap_or_default();
            Ok(world.tokens.issue(&client, account, scopes, now))
        })
    }

    /// The open channels.
    pub fn channels(&self) -> Vec<Channel> {
        self.world().channels.values().cloned().collect()
    }

    fn owner(&self, calendar_id: &str) -> Result<String, ApiError> {
        let world = self.world();
        let calendar = world.calendar(calendar_id)?;
        Ok(calendar.owner.clone().unwrap_or_else(|| calendar.id.clone()))
    }

    fn hand<'a>(&self, calendar_id: &'a str, author: &'a str, send_updates: SendUpdates) -> Write<'a> {
        Write { calendar_id, author, send_updates, conferences: true, if_match: None, now: self.clock.now() }
    }

    fn event(&self, calendar_id: &str, id: &str) -> Result<Value, ApiError> {
        let world = self.world();
        let calendar = world.calendar(calendar_id)?;
        Ok(Rendering::of(&self.base_url, calendar).event(id, &event_writes::find(calendar, id)?))
    }
}

async fn users(State(google): Simulator) -> Json<Value> {
    let world = google.world();
    let users = world.users.values().map(|user| {
        let calendars = user.calendar_list.iter().filter_map(|entry| {
            let calendar = world.calendars.get(&entry.calendar_id)?;
            Some(json!({
                "id": calendar.id,
                "summary": calendar.summary,
                "time_zone": calendar.time_zone.name(),
                "color": calendar.color,
                "primary": calendar.id == user.email,
                "access_role": entry.access_role.as_str(),
            }))
        });
        json!({ "email": user.email, "time_zone": user.time_zone.name(), "calendars": calendars.collect::<Vec<_>>() })
    });
    Json(json!({ "users": users.collect::<Vec<_>>() }))
}

async fn add_user(State(google): Simulator, Json(seed): Json<UserSeed>) -> Result<StatusCode, Misused> {
    google.change(|world| world.add_user(&seed))?;
    Ok(StatusCode::CREATED)
}

async fn add_client(State(google): Simulator, Json(client): Json<Client>) -> StatusCode {
    google.change(|world| world.clients.insert(client.client_id.clone(), client));
    StatusCode::CREATED
}

#[derive(Deserialize)]
struct TokenRequest {
    email: String,
    scopes: Vec<String>,
}

async fn issue_token(
    State(google): Simulator,
    Json(request): Json<TokenRequest>,
) -> Result<Json<IssuedTokens>, Misused> {
    let scopes: Vec<&str> = request.scopes.iter().map(String::as_str).collect();
    Ok(Json(google.issue_tokens(&request.email, &scopes)?))
}

async fn service_accounts(State(google): Simulator) -> Json<Value> {
    let world = google.world();
    let accounts: Vec<_> = world.service_accounts.values().map(service_accounts::to_json).collect();
    Json(json!({ "service_accounts": accounts }))
}

async fn add_service_account(
    State(google): Simulator,
    Json(account): Json<ServiceAccount>,
) -> Result<StatusCode, Misused> {
    google.change(|world| world.add_service_account(account))?;
    Ok(StatusCode::CREATED)
}

#[derive(Deserialize)]
struct Group {
    email: String,
    members: BTreeSet<String>,
}

async fn add_group(State(google): Simulator, Json(group): Json<Group>) -> StatusCode {
    google.change(|world| world.groups.insert(group.email, group.members));
    StatusCode::CREATED
}

#[derive(Deserialize)]
struct GrantLifetime {
    seconds: Option<i64>,
}

async fn set_grant_lifetime(State(google): Simulator, Json(lifetime): Json<GrantLifetime>) -> StatusCode {
    google.change(|world| world.tokens.grant_lifetime_seconds = lifetime.seconds);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct AdminPolicy {
    email: String,
    restricted_scopes: BTreeSet<String>,
}

async fn set_admin_policy(State(google): Simulator, Json(policy): Json<AdminPolicy>) -> StatusCode {
    google.change(|world| world.tokens.restricted_scopes.insert(policy.email, policy.restricted_scopes));
    StatusCode::NO_CONTENT
}

async fn set_quota(State(google): Simulator, Json(settings): Json<QuotaSettings>) -> Result<StatusCode, Misused> {
    google.set_quota(settings)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The stored events; with `from` and `to`, what the week page shows: instances, each with its wall-clock times.
async fn events(State(google): Simulator, query: Query) -> Result<Json<Value>, ApiError> {
    let calendar_id = query.get("calendar").ok_or_else(|| ApiError::required("Missing calendar."))?;
    let (Some(from), Some(to)) = (query.get("from"), query.get("to")) else {
        return Ok(Json(json!({ "items": google.stored_events(calendar_id)? })));
    };
    google.settle_conferences();
    let world = google.world();
    let calendar = world.calendar(calendar_id)?;
    let midnight = |text: &str| {
        let date = text.parse().map_err(|_| ApiError::invalid("from and to are days, such as 2026-11-23."))?;
        Ok::<_, ApiError>(EventTime::AllDay { date }.instant(calendar.time_zone))
    };
    let window = Window { from: midnight(from)?, to: midnight(to)? };
    let rendering = Rendering::of(&google.base_url, calendar);
    let items = listing::occurrences(calendar, window).into_iter().map(|entry| {
        let local = local_times(&entry.event, calendar);
        json!({ "local": local, "event": rendering.event(&entry.id, &entry.event) })
    });
    let now = wall_clock(google.clock.now(), calendar);
    Ok(Json(json!({ "items": items.collect::<Vec<_>>(), "time_zone": calendar.time_zone.name(), "now": now })))
}

fn local_times(event: &Event, calendar: &Calendar) -> Value {
    let shown = |time: EventTime| match time {
        EventTime::Timed { at, .. } => json!(wall_clock(at, calendar)),
        EventTime::AllDay { date } => json!(date),
    };
    let all_day = matches!(event.start, EventTime::AllDay { .. });
    json!({ "start": shown(event.start), "end": shown(event.end), "all_day": all_day })
}

/// The calendar's wall-clock time, to the second.
fn wall_clock(at: DateTime<Utc>, calendar: &Calendar) -> String {
    at.with_timezone(&calendar.time_zone).format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// `{calendar, ...the event's members}`.
async fn insert_event(
    State(google): Simulator,
    query: Query,
    Json(mut event): Json<Map<String, Value>>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let calendar = event.remove("calendar").ok_or_else(|| ApiError::required("Missing calendar."))?;
    let calendar = calendar.as_str().ok_or_else(|| ApiError::invalid("Invalid calendar."))?;
    let inserted = google.insert_by_hand(calendar, &event, super::api::send_updates(&query)?)?;
    Ok((StatusCode::CREATED, Json(inserted)))
}

async fn patch_event(
    State(google): Simulator,
    Path((calendar, id)): Path<(String, String)>,
    query: Query,
    Json(change): Json<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(google.patch_by_hand(&calendar, &id, &change, super::api::send_updates(&query)?)?))
}

async fn delete_event(
    State(google): Simulator,
    Path((calendar, id)): Path<(String, String)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    google.delete_by_hand(&calendar, &id, super::api::send_updates(&query)?)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Destination {
    /// The calendar.
    to: String,
}

async fn move_event(
    State(google): Simulator,
    Path((calendar, id)): Path<(String, String)>,
    Json(destination): Json<Destination>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(google.move_by_hand(&calendar, &id, &destination.to)?))
}

async fn delete_calendar(State(google): Simulator, Path(calendar): Path<String>) -> Result<StatusCode, ApiError> {
    google.delete_calendar_by_hand(&calendar)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn invitations(State(google): Simulator) -> Json<Value> {
    Json(json!({ "invitations": google.world().invitations }))
}

async fn channels(State(google): Simulator) -> Json<Value> {
    Json(json!({ "channels": google.channels(), "deliveries": google.deliveries() }))
}

async fn add_fault(State(google): Simulator, Json(fault): Json<Fault>) -> Result<StatusCode, Misused> {
    google.faults().add(fault)?;
    Ok(StatusCode::CREATED)
}

async fn clear_faults(State(google): Simulator) -> StatusCode {
    google.faults().clear();
    StatusCode::NO_CONTENT
}

async fn expire_sync_tokens(State(google): Simulator) -> StatusCode {
    google.change(|world| world.sync_epoch += 1);
    StatusCode::NO_CONTENT
}

async fn expire_channels(State(google): Simulator) -> StatusCode {
    google.change(|world| world.channels.clear());
    StatusCode::NO_CONTENT
}

async fn expire_access_tokens(State(google): Simulator) -> StatusCode {
    google.change(|world| world.tokens.expire_access_tokens());
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Account {
    email: String,
}

async fn revoke(State(google): Simulator, Json(account): Json<Account>) -> StatusCode {
    google.change(|world| world.tokens.revoke_account(&account.email));
    StatusCode::NO_CONTENT
}

async fn clock(State(google): Simulator) -> Json<Value> {
    Json(json!({ "now": google.clock.now() }))
}

async fn set_clock(State(google): Simulator, Json(change): Json<ClockChange>) -> Result<Json<Value>, Misused> {
    change.apply(&google.clock)?;
    google.settle_conferences();
    Ok(Json(json!({ "now": google.clock.now() })))
}

async fn set_meet(State(google): Simulator, Json(settings): Json<MeetSettings>) -> StatusCode {
    google.change(|world| world.meet = settings);
    StatusCode::NO_CONTENT
}

async fn log(State(google): Simulator) -> Json<Value> {
    Json(json!({ "exchanges": google.exchanges() }))
}

async fn clear_log(State(google): Simulator) -> StatusCode {
    google.clear_exchanges();
    StatusCode::NO_CONTENT
}

async fn reset(State(google): Simulator) -> Result<StatusCode, Misused> {
    google.reset()?;
    Ok(StatusCode::NO_CONTENT)
}

async fn changes(State(google): Simulator) -> impl IntoResponse {
    control::change_lines(google.changes(), google.stopping.clone())
}
