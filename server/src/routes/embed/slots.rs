//! `GET /embed/v1/slots`: the hottest address. A warm answer is the engine's cached bytes and a handful of headers.

use std::any::Any;
use std::borrow::Cow;

use axum::extract::State;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use cupo_core::parse::{FieldErrors, FieldProblem};
use cupo_core::text::Locale;
use cupo_engine::{CachedSlots, SlotsRequest};
use tokio::time::timeout;

use super::cors;
use crate::problem::{Failure, Kind, Outcome};
use crate::state::AppState;
use crate::{etag, language};

pub async fn read(State(state): State<AppState>, request: Parts) -> Response {
    let Ok(answered) = timeout(state.limits.request, answer(&state, &request)).await else {
        let mut response = tell(&Kind::TookTooLong.into(), &request);
        cors::readable_for_all(&request.headers).apply(response.headers_mut());
        return response;
    };
    answered.unwrap_or_else(|failure| tell(&failure, &request))
}

async fn answer(state: &AppState, request: &Parts) -> Outcome<Response> {
    state.rates.slots.check(request)?;
    let query = Query::parse(request.uri.query().unwrap_or(""))?;
    let origin = cors::check(state, &query.org, &request.headers).await?;
    let mut response = match state.engine.slots(&query.request()).await {
        Ok(slots) => fresh_or_unchanged(&slots, &request.headers),
        Err(error) => tell(&error.into(), request),
    };
    origin.apply(response.headers_mut());
    Ok(response)
}

fn fresh_or_unchanged(slots: &CachedSlots, request: &HeaderMap) -> Response {
    let tag = HeaderValue::from_str(&slots.etag).expect("the engine's tag is quoted hexadecimal digits");
    let unchanged = request.get(IF_NONE_MATCH).is_some_and(|header| etag::matches(header, &tag));
    let mut response =
        if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { slots.body.clone().into_response() };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ETAG, tag);
    // A browser may keep it but asks each time: a slot that was taken must not be shown again.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn tell(failure: &Failure, request: &Parts) -> Response {
    failure.log();
    failure.to_problem_response(language::of_request(&request.headers, &request.uri))
}

/// For every method that has no handler.
pub async fn method_not_allowed(request: Parts) -> Response {
    let mut response = tell(&Kind::MethodNotAllowed.into(), &request);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    response
}

/// The request is gone with the panic, and with it the reader's language.
pub fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let failure = Failure::from_panic(panic);
    failure.log();
    failure.to_problem_response(Locale::default())
}

/// The query, its dates valid and in order.
struct Query<'a> {
    org: Cow<'a, str>,
    event: Cow<'a, str>,
    from: NaiveDate,
    to: NaiveDate,
    duration: Option<u32>,
    hold: Option<Cow<'a, str>>,
    reschedule: Option<Cow<'a, str>>,
    host: Option<Cow<'a, str>>,
    link: Option<Cow<'a, str>>,
}

impl<'a> Query<'a> {
    /// Every parameter that is missing or malformed is named; those that nobody knows are left alone.
    fn parse(query: &'a str) -> Outcome<Self> {
        let (mut org, mut event, mut from, mut to, mut duration) = (None, None, None, None, None);
        let (mut hold, mut reschedule, mut host, mut link) = (None, None, None, None);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "org" => &mut org,
                "event" => &mut event,
                "from" => &mut from,
                "to" => &mut to,
                "duration" => &mut duration,
                "hold" => &mut hold,
                "reschedule" => &mut reschedule,
                "host" => &mut host,
                "link" => &mut link,
                _ => continue,
            };
            *place = Some(value).filter(|value| !value.is_empty());
        }
        let mut errors = FieldErrors::default();
        let org = errors.collect("org", org.ok_or_else(missing));
        let event = errors.collect("event", event.ok_or_else(missing));
        let from = errors.collect("from", date(from));
        let to = errors.collect("to", date(to));
        let duration =
            duration.map(|text| text.parse().map_err(|_| FieldProblem::new("error.duration").with("value", text)));
        let duration = errors.collect("duration", duration.transpose());
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            errors.0.push(FieldProblem::new("error.date_order").at("to"));
        }
        match (org, event, from, to, duration) {
            (Some(org), Some(event), Some(from), Some(to), Some(duration)) if errors.is_empty() => {
                Ok(Self { org, event, from, to, duration, hold, reschedule, host, link })
            }
            _ => Err(Kind::Malformed(errors).into()),
        }
    }

    fn request(&self) -> SlotsRequest<'_> {
        SlotsRequest {
            org: &self.org,
            event: &self.event,
            from: self.from,
            to: self.to,
            duration: self.duration,
            hold: self.hold.as_deref(),
            reschedule: self.reschedule.as_deref(),
            host: self.host.as_deref(),
            link: self.link.as_deref(),
        }
    }
}

fn missing() -> FieldProblem {
    FieldProblem::new("error.required")
}

fn date(text: Option<Cow<'_, str>>) -> Result<NaiveDate, FieldProblem> {
    text.ok_or_else(missing)?.parse().map_err(|_| FieldProblem::new("error.date"))
}
