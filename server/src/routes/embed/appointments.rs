//! `/embed/v1/appointments`: book, and by the visitor's secret read, cancel, reschedule.

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Days, Utc};
use cupo_core::wire::{AppointmentView, BookingRequest, CancelRequest, RescheduleRequest};
use cupo_engine::{EngineError, SlotsRequest};

use super::cors::{self, AllowedOrigin};
use crate::body::Json;
use crate::language;
use crate::problem::{Failure, Kind, Outcome};
use crate::routes::private;
use crate::state::AppState;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// How many days around a taken slot are told.
const DAYS_AROUND: u64 = 7;

/// What was wanted when a slot turned out to be taken.
pub struct Wanted {
    pub org: String,
    pub event: String,
    pub start: DateTime<Utc>,
    pub duration: Option<u32>,
    pub host: Option<String>,
    pub link: Option<String>,
    /// A hold of the asker's that still stands.
    pub hold: Option<String>,
    /// The appointment that was to move.
    pub reschedule: Option<String>,
}

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
    let wanted = Wanted {
        org: request.org.clone(),
        event: request.event.clone(),
        start: request.start,
        duration: request.duration,
        host: request.host.clone(),
        link: request.link.clone(),
        // Its own slot may be the very one that is taken: by an event that the mirror does not know yet.
        hold: None,
        reschedule: None,
    };
    match state.engine.book(key, request).await {
        // A repeated request gets the first answer again, status included.
        Ok(booked) => {
            let mut response = (StatusCode::CREATED, axum::Json(booked.view)).into_response();
            if booked.replayed {
                response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
            }
            Ok(private(response))
        }
        Err(error) => Err(with_fresh_slots(state, error, wanted).await),
    }
}

pub async fn read(
    State(state): State<AppState>,
    Path(token): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Outcome<Response> {
    let (view, origin) = match own(&state, &token, &uri, &headers).await? {
        Ok(own) => own,
        Err(unknown) => return Ok(unknown),
    };
    Ok(origin.respond(Ok(private(axum::Json(view).into_response()))))
}

pub async fn cancel(
    State(state): State<AppState>,
    Path(token): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    Json(request): Json<CancelRequest>,
) -> Outcome<Response> {
    let (_, origin) = match own(&state, &token, &uri, &headers).await? {
        Ok(own) => own,
        Err(unknown) => return Ok(unknown),
    };
    let cancelled = state.engine.cancel_by_token(&token, &request).await;
    Ok(origin.respond(cancelled.map_err(Failure::from).map(|view| private(axum::Json(view).into_response()))))
}

pub async fn reschedule(
    State(state): State<AppState>,
    Path(token): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    Json(request): Json<RescheduleRequest>,
) -> Outcome<Response> {
    let (view, origin) = match own(&state, &token, &uri, &headers).await? {
        Ok(own) => own,
        Err(unknown) => return Ok(unknown),
    };
    let outcome = match state.engine.reschedule_by_token(&token, &request).await {
        Ok(view) => Ok(private(axum::Json(view).into_response())),
        Err(error) => {
            let wanted = Wanted {
                org: view.org,
                event: view.event,
                start: request.start,
                duration: None,
                host: None,
                link: None,
                hold: None,
                reschedule: Some(token),
            };
            Err(with_fresh_slots(&state, error, wanted).await)
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

/// The appointment of a secret, once the origin is known to be a site of its organization; or the answer that there is none,
/// whose organization nobody knows: any page may read it.
async fn own(
    state: &AppState,
    token: &str,
    uri: &Uri,
    headers: &HeaderMap,
) -> Outcome<Result<(AppointmentView, AllowedOrigin), Response>> {
    let locale = language::of_request(headers, uri);
    match state.engine.appointment_by_token(token, locale).await {
        Ok(view) => {
            let origin = cors::check(state, &view.org, headers).await?;
            Ok(Ok((view, origin)))
        }
        Err(error) => Ok(Err(cors::readable_for_all(headers).respond(Err(error.into())))),
    }
}

/// Adds to "the slot is taken" what is still free on the days around it, so that the visitor can go on at once.
pub async fn with_fresh_slots(state: &AppState, error: EngineError, wanted: Wanted) -> Failure {
    if !matches!(error, EngineError::SlotTaken) {
        return error.into();
    }
    let day = wanted.start.date_naive();
    let request = SlotsRequest {
        org: &wanted.org,
        event: &wanted.event,
        from: day.checked_sub_days(Days::new(DAYS_AROUND)).unwrap_or(day),
        to: day.checked_add_days(Days::new(DAYS_AROUND)).unwrap_or(day),
        duration: wanted.duration,
        hold: wanted.hold.as_deref(),
        reschedule: wanted.reschedule.as_deref(),
        host: wanted.host.as_deref(),
        link: wanted.link.as_deref(),
    };
    match state.engine.slots(&request).await {
        Ok(fresh) => Kind::SlotTaken { slots: fresh.starts.to_vec() }.into(),
        Err(second) => {
            tracing::warn!(%second, "the slots around a taken one could not be read");
            error.into()
        }
    }
}
