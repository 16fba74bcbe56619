//! Microsoft Graph v1.0: the paths of `/v1.0`, and what every request has in common.

pub mod batch;
mod calendar_view;
mod calendars;
mod caller;
pub mod delta;
pub mod error;
mod events;
mod filter;
pub mod query;
pub mod render;
mod schedule;
mod subscriptions;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use serde_json::{Map, Value};

use self::caller::{Caller, Need};
use self::error::{GraphError, json_body};
use self::query::{Prefer, Query};
use self::render::Rendering;
use super::simulation::Microsoft;
use super::throttle::Admission;
use super::world::{Calendar, User, World};

/// What a handler answers.
type Answer = Result<Response, GraphError>;

/// A request to a mailbox, read as far as all requests are alike.
pub struct Call<'a> {
    pub microsoft: &'a Arc<Microsoft>,
    /// When it came. Everything that it does and tells is of this instant.
    pub now: DateTime<Utc>,
    pub caller: Caller,
    /// The address of the mailbox.
    pub mailbox: String,
    /// The path as it was sent, for links.
    pub path: &'a str,
    pub query: Query,
    pub prefer: Prefer,
    pub headers: &'a HeaderMap,
    pub body: &'a Bytes,
}

/// The handler of everything under `/v1.0` but `$batch`.
pub async fn handle(
    State(microsoft): State<Arc<Microsoft>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let result = route(&microsoft, &method, &uri, &headers, &body).await;
    let mut response = result.unwrap_or_else(IntoResponse::into_response);
    let id = uuid::Uuid::new_v4().to_string();
    let client_id = headers.get("client-request-id").cloned();
    let id = HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("unknown"));
    response.headers_mut().insert("client-request-id", client_id.unwrap_or_else(|| id.clone()));
    response.headers_mut().insert("request-id", id);
    if let Some(applied) = Prefer::read(&headers).ok().and_then(|prefer| prefer.applied())
        && let Ok(applied) = HeaderValue::from_str(&applied)
    {
        response.headers_mut().insert("preference-applied", applied);
    }
    response
}

/// The segments of the path under `/v1.0`, decoded. `microsoft.graph.` and `()` of OData functions are taken off.
pub fn segments(path: &str) -> Vec<String> {
    let rest = path.strip_prefix("/v1.0").unwrap_or(path);
    let decoded = rest.split('/').filter(|segment| !segment.is_empty()).map(|segment| {
        let plain = percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let name = plain.strip_prefix("microsoft.graph.").unwrap_or(&plain);
        name.strip_suffix("()").unwrap_or(name).to_owned()
    });
    decoded.collect()
}

async fn route(microsoft: &Arc<Microsoft>, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Answer {
    let segments = segments(uri.path());
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let now = microsoft.clock.now();
    let caller = Caller::read(&microsoft.world(), headers, now)?;
    let call = |mailbox: String| -> Result<Call<'_>, GraphError> {
        let query = Query::parse(uri.query().unwrap_or_default());
        let prefer = Prefer::read(headers)?;
        Ok(Call { microsoft, now, caller: caller.clone(), mailbox, path: uri.path(), query, prefer, headers, body })
    };
    match path.as_slice() {
        ["subscriptions", rest @ ..] => {
            let owner = caller.account.clone().unwrap_or_default();
            subscriptions::route(&call(owner)?, method, rest).await
        }
        ["me", rest @ ..] => {
            let email = caller.me(&microsoft.world(), need(method, rest))?.email.clone();
            mailbox(&call(email)?, method, rest)
        }
        ["users", name, rest @ ..] => {
            let email = caller.user(&microsoft.world(), name, need(method, rest))?.email.clone();
            mailbox(&call(email)?, method, rest)
        }
        _ => Err(unknown_path(uri.path())),
    }
}

fn need(method: &Method, rest: &[&str]) -> Need {
    match (method, rest) {
        (_, []) => Need::Profile,
        (_, [.., "getSchedule"]) => Need::FreeBusy,
        (&Method::GET, _) => Need::Read,
        _ => Need::Write,
    }
}

/// What stands behind `/me` and `/users/{id}`.
fn mailbox(call: &Call<'_>, method: &Method, rest: &[&str]) -> Answer {
    let (get, post) = (*method == Method::GET, *method == Method::POST);
    match rest {
        [] if get => calendars::profile(call),
        ["calendars"] if get => calendars::list(call),
        ["calendar"] if get => calendars::get(call, None),
        ["calendars", id] if get => calendars::get(call, Some(id)),
        ["calendar", "getSchedule"] if post => schedule::get_schedule(call),
        ["calendars", _, "getSchedule"] if post => schedule::get_schedule(call),
        ["events" | "calendarView", ..] => in_calendar(call, method, None, rest),
        ["calendar", rest @ ..] => in_calendar(call, method, None, rest),
        ["calendars", id, rest @ ..] => in_calendar(call, method, Some(id), rest),
        _ => Err(unknown_path(call.path)),
    }
}

/// What stands in a calendar: the one with the id, or the default one.
fn in_calendar(call: &Call<'_>, method: &Method, calendar: Option<&str>, rest: &[&str]) -> Answer {
    match (method.as_str(), rest) {
        ("GET", ["calendarView"]) => calendar_view::list(call, calendar),
        ("GET", ["calendarView", "delta"]) => delta::delta(call, calendar),
        ("GET", ["events"]) => events::list(call, calendar),
        ("POST", ["events"]) => events::create(call, calendar),
        ("GET", ["events", id]) => events::get(call, calendar, id),
        ("PATCH", ["events", id]) => events::update(call, calendar, id),
        ("DELETE", ["events", id]) | ("POST", ["events", id, "permanentDelete"]) => events::delete(call, calendar, id),
        ("GET", ["events", id, "instances"]) => calendar_view::instances(call, calendar, id),
        ("POST", ["events", id, action]) => events::act(call, calendar, id, action),
        _ => Err(unknown_path(call.path)),
    }
}

impl Call<'_> {
    /// The calendar with the id, or the default one.
    pub fn calendar<'w>(&self, world: &'w World, id: Option<&str>) -> Result<&'w Calendar, GraphError> {
        match id {
            Some(id) => world.calendar_by_id(&self.mailbox, id),
            None => world.default_calendar(&self.mailbox),
        }
    }

    /// The owner of the mailbox.
    pub fn owner<'w>(&self, world: &'w World) -> Result<&'w User, GraphError> {
        world.users.get(&self.mailbox).ok_or_else(GraphError::not_found)
    }

    /// How this client wants events written out.
    pub fn rendering(&self) -> Result<Rendering, GraphError> {
        let zone = self.prefer.zone.clone().filter(|_| !self.query.has_offset()).unwrap_or_default();
        Ok(Rendering {
            ids: self.prefer.ids,
            zone,
            text_body: self.prefer.text_body,
            select: self.query.select(),
            extended: filter::expanded(&self.query)?,
            now: self.now,
        })
    }

    /// The JSON object of the body.
    pub fn json(&self) -> Result<Map<String, Value>, GraphError> {
        json_body(self.body)
    }

    /// `@odata.context` for `what` of the mailbox.
    pub fn context(&self, world: &World, what: &str) -> String {
        let user = world.users.get(&self.mailbox).map_or("", |user| user.id.as_str());
        format!("{}/v1.0/$metadata#users('{user}')/{what}", self.microsoft.base_url)
    }

    /// The address of this path with another query.
    pub fn link(&self, query: &str) -> String {
        format!("{}{}?{query}", self.microsoft.base_url, self.path)
    }
}

/// What throttling must know of a request to `path`: application and mailbox, if the token is good.
pub fn admission(world: &World, path: &str, headers: &HeaderMap, now: DateTime<Utc>) -> Option<Admission> {
    let caller = Caller::read(world, headers, now).ok()?;
    let segments = segments(path);
    let mailbox = match segments.first().map(String::as_str)? {
        "users" => world.user(segments.get(1)?)?.email.clone(),
        "me" => caller.account?,
        _ => return None,
    };
    Some(Admission { client_id: caller.client_id, mailbox })
}

/// 200 with a resource, and its etag as a header too.
pub fn resource(status: StatusCode, body: Value) -> Response {
    let etag = body.get("@odata.etag").and_then(Value::as_str).and_then(|etag| HeaderValue::from_str(etag).ok());
    let mut response = (status, axum::Json(body)).into_response();
    if let Some(etag) = etag {
        response.headers_mut().insert(http::header::ETAG, etag);
    }
    response
}

fn unknown_path(path: &str) -> GraphError {
    let segment = path.rsplit('/').next().unwrap_or_default();
    GraphError::bad_request("BadRequest", format!("Resource not found for the segment '{segment}'."))
}
