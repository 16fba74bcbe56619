//! `/embed/v1/appointments`: book, and by the visitor's secret read, cancel, reschedule.

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Days, Utc};
use cupo_core::wire::{AppointmentView, BookingRequest, CancelRequest, RescheduleRequest};
use cupo_engine::{EngineError, SlotsRequest};

use super::cors::{self, AllowedOrigin};
use crate::body::Json;
use crate::language;
use crate::problem::{Failure, Kind, Outcome};
use crate::state::AppState;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// How many days around a taken slot are told.
const DAYS_AROUND: u64 = 7;

/// What was wanted when a slot turned out to be taken: organization, event type, start and duration.
pub type Wanted = (String, String, DateTime<Utc>, Option<u32>);

pub async fn book(
    State(state): State<AppState>,
    headers: HeaderMap,
    Json(request): Json<BookingRequest>,
) -> Outcome<Response> {
    let origin = cors::check(&state, &request.org, &headers).await?;
    Ok(origin.respond(booked(&state, &headers, request).await))
}

async fn booked(state: &AppState, headers: &HeaderMap, request: BookingRequest) -> Outcome<Response> {
    let key = headers.get(IDEMPOTENCY_KEY).and_then(|it| it.to_str().ok());
    let key = key.ok_or(Kind::MissingHeader("Idempotency-Key"))?;
    let wanted = (request.org.clone(), request.event.clone(), request.start, request.duration);
    match state.engine.book(key, request).await {
        // A repeated request gets the first answer again, status included.
        Ok(booked) => {
            let mut response = (StatusCode::CREATED, axum::Json(booked.view)).into_response();
            if booked.replayed {
                response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
            }
            Ok(private(response))
        }
        Err(error) => Err(with_fresh_slots(state, error, wanted, None).await),
    }
}

pub async fn read(
    State(state): State<AppState>,
    Path(token): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Outcome<Response> {
    let (view, origin) = own(&state, &token, &uri, &headers).await?;
    Ok(origin.respond(Ok(private(axum::Json(view).into_response()))))
}

pub async fn cancel(
    State(state): State<AppState>,
    Path(token): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    Json(request): Json<CancelRequest>,
) -> Outcome<Response> {
    let (_, origin) = own(&state, &token, &uri, &headers).await?;
    let cancelled = state.engine.cancel_by_token(&token, request.reason.as_deref().unwrap_or("")).await;
    Ok(origin.respond(cancelled.map_err(Failure::from).map(|view| private(axum::Json(view).into_response()))))
}

pub async fn reschedule(
    State(state): State<AppState>,
    Path(token): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    Json(request): Json<RescheduleRequest>,
) -> Outcome<Response> {
    let (view, origin) = own(&state, &token, &uri, &headers).await?;
    let outcome = match state.engine.reschedule_by_token(&token, request.start).await {
        Ok(view) => Ok(private(axum::Json(view).into_response())),
        Err(error) => {
            let wanted = (view.org, view.event, request.start, None);
            Err(with_fresh_slots(&state, error, wanted, Some(&token)).await)
        }
    };
    Ok(origin.respond(outcome))
}

pub async fn calendar(State(state): State<AppState>, Path(token): Path<String>) -> Outcome<Response> {
    let ics = state.engine.appointment_ics(&token).await?;
    let mut response = private(ics.into_response());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"appointment.ics\""));
    Ok(response)
}

/// The appointment of a secret, once the origin is known to be a site of its organization.
async fn own(
    state: &AppState,
    token: &str,
    uri: &Uri,
    headers: &HeaderMap,
) -> Outcome<(AppointmentView, AllowedOrigin)> {
    let locale = language::of_request(headers, uri);
    let view = state.engine.appointment_by_token(token, locale).await?;
    let origin = cors::check(state, &view.org, headers).await?;
    Ok((view, origin))
}

/// Adds to "the slot is taken" what is still free on the days around it, so that the visitor can go on at once.
pub async fn with_fresh_slots(
    state: &AppState,
    error: EngineError,
    (org, event, start, duration): Wanted,
    reschedule: Option<&str>,
) -> Failure {
    if !matches!(error, EngineError::SlotTaken) {
        return error.into();
    }
    let day = start.date_naive();
    let request = SlotsRequest {
        org: &org,
        event: &event,
        from: day.checked_sub_days(Days::new(DAYS_AROUND)).unwrap_or(day),
        to: day.checked_add_days(Days::new(DAYS_AROUND)).unwrap_or(day),
        duration,
        hold: None,
        reschedule,
    };
    match state.engine.slots(&request).await {
        Ok(fresh) => Kind::SlotTaken { slots: fresh.starts.to_vec() }.into(),
        Err(second) => {
            tracing::warn!(%second, "the slots around a taken one could not be read");
            error.into()
        }
    }
}

/// Personal data: no cache keeps it.
fn private(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
