//! The methods of the Calendar API as HTTP handlers.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::event_writes::{self, Change, SendUpdates, Write};
use super::render::{self, Rendering};
use super::scopes::{self, Method};
use super::simulation::Google;
use super::wire::{ApiError, Query, json_body, resource};
use super::world::{AccessRole, Subscription};
use super::{channels, freebusy, listing};

type Simulator = State<Arc<Google>>;
type Answer = Result<Response, ApiError>;

/// The routes under `/calendar/v3`.
pub fn router() -> Router<Arc<Google>> {
    Router::new()
        .route("/users/me/calendarList", get(calendar_list_list))
        .route("/users/me/calendarList/{calendar}", get(calendar_list_get))
        .route("/calendars/{calendar}", get(calendars_get))
        .route("/calendars/{calendar}/events", get(events_list).post(events_insert))
        .route("/calendars/{calendar}/events/watch", post(events_watch))
        .route(
            "/calendars/{calendar}/events/{event}",
            get(events_get).patch(events_patch).put(events_update).delete(events_delete),
        )
        .route("/calendars/{calendar}/events/{event}/instances", get(events_instances))
        .route("/freeBusy", post(freebusy_query))
        .route("/channels/stop", post(channels_stop))
        .method_not_allowed_fallback(unknown)
        .fallback(unknown)
}

async fn unknown() -> ApiError {
    ApiError::not_found()
}

async fn calendar_list_list(State(google): Simulator, headers: HeaderMap, query: Query) -> Answer {
    let email = google.caller(&headers, scopes::CALENDAR_LIST_LIST)?;
    let most = query.integer("maxResults", 1..=usize::MAX)?.unwrap_or(100).min(250);
    let roles = ["freeBusyReader", "reader", "writer", "owner"];
    let least = query.one_of("minAccessRole", &roles)?.and_then(|role| roles.iter().position(|known| *known == role));
    if least.is_some() && query.get("syncToken").is_some() {
        return Err(ApiError::bad_parameter("minAccessRole", "Sync token cannot be used together with minAccessRole."));
    }
    let world = google.world();
    let since_sync =
        query.get("syncToken").map(|token| listing::check_list_token(token, world.sync_epoch)).transpose()?;
    let skipped = match query.get("pageToken") {
        Some(token) => token.parse().map_err(|_| ApiError::bad_parameter("pageToken", "Invalid value."))?,
        None => 0,
    };
    let user = world.users.get(&email).ok_or_else(ApiError::not_found)?;
    // A list never changes while the simulator runs, so an incremental sync finds nothing.
    let wanted = |entry: &&Subscription| least.is_none_or(|least| entry.access_role as usize >= least);
    let entries: Vec<_> = user.calendar_list.iter().filter(|_| since_sync.is_none()).filter(wanted).collect();
    let page = entries.iter().skip(skipped).take(most);
    let items = page.filter_map(|entry| {
        let calendar = world.calendars.get(&entry.calendar_id)?;
        Some(render::calendar_list_entry(calendar, entry, &email))
    });
    let items: Vec<Value> = items.collect();
    let mut answer = json!({ "kind": "calendar#calendarList", "etag": "\"p3400000000000000\"", "items": items });
    if skipped + most < entries.len() {
        answer["nextPageToken"] = json!((skipped + most).to_string());
    } else {
        answer["nextSyncToken"] = json!(listing::list_token(world.sync_epoch));
    }
    Ok(resource(answer))
}

async fn calendar_list_get(State(google): Simulator, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let email = google.caller(&headers, scopes::CALENDAR_LIST_GET)?;
    let world = google.world();
    let calendar = world.calendar_for(&email, &id, AccessRole::FreeBusyReader)?;
    let user = world.users.get(&email).ok_or_else(ApiError::not_found)?;
    let entry = user.calendar_list.iter().find(|entry| entry.calendar_id == calendar.id);
    let entry = entry.ok_or_else(ApiError::not_found)?;
    Ok(resource(render::calendar_list_entry(calendar, entry, &email)))
}

async fn calendars_get(State(google): Simulator, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let email = google.caller(&headers, scopes::CALENDARS_GET)?;
    let world = google.world();
    Ok(resource(render::calendar(world.calendar_for(&email, &id, AccessRole::FreeBusyReader)?)))
}

async fn events_list(
    State(google): Simulator,
    Path(calendar): Path<String>,
    headers: HeaderMap,
    query: Query,
) -> Answer {
    let email = google.caller(&headers, scopes::EVENTS_LIST)?;
    google.settle_conferences();
    let world = google.world();
    let calendar = world.calendar_for(&email, &calendar, AccessRole::Reader)?;
    let rendering = Rendering::of(&google.base_url, calendar);
    Ok(resource(listing::list(rendering, &query, world.sync_epoch, google.clock.now())?))
}

async fn events_instances(
    State(google): Simulator,
    Path((calendar, id)): Path<(String, String)>,
    headers: HeaderMap,
    query: Query,
) -> Answer {
    let email = google.caller(&headers, scopes::EVENTS_INSTANCES)?;
    google.settle_conferences();
    let world = google.world();
    let calendar = world.calendar_for(&email, &calendar, AccessRole::Reader)?;
    let rendering = Rendering::of(&google.base_url, calendar);
    Ok(resource(listing::instances(rendering, &id, &query, world.sync_epoch, google.clock.now())?))
}

async fn events_get(
    State(google): Simulator,
    Path((calendar, id)): Path<(String, String)>,
    headers: HeaderMap,
    query: Query,
) -> Answer {
    let email = google.caller(&headers, scopes::EVENTS_GET)?;
    google.settle_conferences();
    let world = google.world();
    let calendar = world.calendar_for(&email, &calendar, AccessRole::Reader)?;
    let event = event_writes::find(calendar, &id)?;
    let rendering = Rendering::of(&google.base_url, calendar).in_zone(query.time_zone("timeZone")?);
    let body = rendering.event(&id, &event);
    let known = headers.get(IF_NONE_MATCH).and_then(|etag| etag.to_str().ok());
    if known.is_some() && known == body["etag"].as_str() {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    Ok(resource(body))
}

async fn events_insert(
    State(google): Simulator,
    Path(calendar): Path<String>,
    headers: HeaderMap,
    query: Query,
    body: Bytes,
) -> Answer {
    let writer = Writer::new(&google, &headers, scopes::EVENTS_INSERT, &calendar, &query)?;
    let body = json_body(&body)?;
    let id = google.write(&writer.calendar_id, |world| writer.write().insert(world, &body))?;
    writer.answer(&google, &id, &query)
}

async fn events_patch(
    State(google): Simulator,
    Path((calendar, id)): Path<(String, String)>,
    headers: HeaderMap,
    query: Query,
    body: Bytes,
) -> Answer {
    let writer = Writer::new(&google, &headers, scopes::EVENTS_PATCH, &calendar, &query)?;
    let body = json_body(&body)?;
    google.write(&writer.calendar_id, |world| writer.write().update(world, &id, &body, Change::Patch))?;
    writer.answer(&google, &id, &query)
}

async fn events_update(
    State(google): Simulator,
    Path((calendar, id)): Path<(String, String)>,
    headers: HeaderMap,
    query: Query,
    body: Bytes,
) -> Answer {
    let writer = Writer::new(&google, &headers, scopes::EVENTS_UPDATE, &calendar, &query)?;
    let body = json_body(&body)?;
    google.write(&writer.calendar_id, |world| writer.write().update(world, &id, &body, Change::Replace))?;
    writer.answer(&google, &id, &query)
}

async fn events_delete(
    State(google): Simulator,
    Path((calendar, id)): Path<(String, String)>,
    headers: HeaderMap,
    query: Query,
) -> Answer {
    let writer = Writer::new(&google, &headers, scopes::EVENTS_DELETE, &calendar, &query)?;
    google.write(&writer.calendar_id, |world| writer.write().delete(world, &id))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn events_watch(
    State(google): Simulator,
    Path(calendar): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let email = google.caller(&headers, scopes::EVENTS_WATCH)?;
    let body = json_body(&body)?;
    let now = google.clock.now();
    let channel = google.change(|world| {
        let calendar_id = world.calendar_for(&email, &calendar, AccessRole::Reader)?.id.clone();
        channels::open(world, &email, &calendar_id, &google.base_url, &body, now)
    })?;
    google.notify(&channel.id, "sync");
    Ok(resource(channels::resource(&channel)))
}

async fn channels_stop(State(google): Simulator, headers: HeaderMap, body: Bytes) -> Answer {
    let email = google.caller(&headers, scopes::CHANNELS_STOP)?;
    let body = json_body(&body)?;
    google.change(|world| channels::stop(world, &email, &body))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn freebusy_query(State(google): Simulator, headers: HeaderMap, body: Bytes) -> Answer {
    let email = google.caller(&headers, scopes::FREEBUSY_QUERY)?;
    let body = json_body(&body)?;
    let failing = google.faults().for_free_busy();
    let answer = freebusy::query(&google.world(), &email, &body, &failing)?;
    Ok(resource(answer))
}

/// What every write needs to know about its request.
struct Writer {
    email: String,
    calendar_id: String,
    send_updates: SendUpdates,
    conferences: bool,
    if_match: Option<String>,
    now: chrono::DateTime<chrono::Utc>,
}

impl Writer {
    fn new(
        google: &Google,
        headers: &HeaderMap,
        method: Method,
        calendar: &str,
        query: &Query,
    ) -> Result<Self, ApiError> {
        let email = google.caller(headers, method)?;
        let calendar_id = google.world().calendar_for(&email, calendar, AccessRole::Writer)?.id.clone();
        let if_match = headers.get(IF_MATCH).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        Ok(Self {
            email,
            calendar_id,
            send_updates: send_updates(query)?,
            conferences: query.integer("conferenceDataVersion", 0..=1)? == Some(1),
            if_match,
            now: google.clock.now(),
        })
    }

    fn write(&self) -> Write<'_> {
        Write {
            calendar_id: &self.calendar_id,
            author: &self.email,
            send_updates: self.send_updates,
            conferences: self.conferences,
            if_match: self.if_match.as_deref(),
            now: self.now,
        }
    }

    fn answer(&self, google: &Google, id: &str, query: &Query) -> Answer {
        let world = google.world();
        let calendar = world.calendar(&self.calendar_id)?;
        let rendering = Rendering::of(&google.base_url, calendar).in_zone(query.time_zone("timeZone")?);
        Ok(resource(rendering.event(id, &event_writes::find(calendar, id)?)))
    }
}

/// `sendUpdates`, or its predecessor `sendNotifications`; nobody is written to by default.
pub fn send_updates(query: &Query) -> Result<SendUpdates, ApiError> {
    Ok(match query.one_of("sendUpdates", &["all", "externalOnly", "none"])? {
        Some("all") => SendUpdates::All,
        Some("externalOnly") => SendUpdates::ExternalOnly,
        Some(_) => SendUpdates::None,
        None if query.flag("sendNotifications")? == Some(true) => SendUpdates::All,
        None => SendUpdates::None,
    })
}
