//! `/{org}/{slug}`: the public booking page, step by step without JavaScript.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cupo_app::public::{BookingForm, BookingQuery, BookingState, render_booking_page};
use cupo_core::text::Locale;
use cupo_engine::{EngineError, SlotsRequest};

use crate::body::Form;
use crate::problem::{Failure, Outcome};
use crate::rate::RateLimits;
use crate::state::AppState;
use crate::{language, pages};

pub fn router(limits: &RateLimits) -> Router<AppState> {
    Router::new().route("/{org}/{slug}", get(show).merge(post(book).layer(limits.bookings.layer())))
}

async fn show(
    State(state): State<AppState>,
    Path(place): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Outcome<Response> {
    // A query that cannot be read is the first step.
    let query = Query::try_from_uri(&uri).map(|Query(query)| query).unwrap_or_default();
    let page = Page { place, query, ..Page::default() };
    page.respond(&state, StatusCode::OK, language::of_request(&headers, &uri)).await
}

async fn book(
    State(state): State<AppState>,
    Path(place): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    Form(form): Form<BookingForm>,
) -> Outcome<Response> {
    let chosen = form.lang.as_deref().and_then(Locale::parse);
    let locale = chosen.unwrap_or_else(|| language::of_request(&headers, &uri));
    let request = match form.to_request(&place.0, &place.1, locale) {
        Ok(request) => request,
        Err(errors) => return refused(&state, place, form, EngineError::Invalid(errors), locale).await,
    };
    match state.engine.book(&form.idempotency_key, request).await {
        Ok(booked) => Ok(Redirect::to(&form.after_booking(&booked.view.token)).into_response()),
        Err(error) => refused(&state, place, form, error, locale).await,
    }
}

/// The same page again, with what was typed and what is wrong with it.
async fn refused(
    state: &AppState,
    place: (String, String),
    form: BookingForm,
    error: EngineError,
    locale: Locale,
) -> Outcome<Response> {
    // What a new choice does not mend has a page of its own.
    let mendable = matches!(
        error,
        EngineError::Invalid(_)
            | EngineError::SlotTaken
            | EngineError::SlotRefused(_)
            | EngineError::IdempotencyKeyReused
            | EngineError::CalendarUnreachable
    );
    let slot_is_gone = matches!(error, EngineError::SlotTaken | EngineError::SlotRefused(_));
    let key_is_used = slot_is_gone || matches!(error, EngineError::IdempotencyKeyReused);
    let failure = Failure::from(error);
    if !mendable {
        return Err(failure);
    }
    let fields = failure.fields(locale);
    let page = Page {
        query: form.to_query(!slot_is_gone),
        problem: fields.is_empty().then(|| failure.sentence(locale)),
        errors: fields,
        key: (!key_is_used && !form.idempotency_key.is_empty()).then(|| form.idempotency_key.clone()),
        form,
        place,
    };
    page.respond(state, failure.status(), locale).await
}

/// One showing of the page.
#[derive(Default)]
struct Page {
    place: (String, String),
    query: BookingQuery,
    form: BookingForm,
    errors: Vec<(String, String)>,
    problem: Option<String>,
    /// `None` for a fresh one.
    key: Option<String>,
}

impl Page {
    async fn respond(self, state: &AppState, status: StatusCode, locale: Locale) -> Outcome<Response> {
        let (org, slug) = self.place;
        let event = state.engine.event_type_view(&org, &slug, locale).await?;
        let context = pages::context(state, locale);
        let range = self.query.slots_range(&event, context.now);
        let request = SlotsRequest {
            org: &org,
            event: &slug,
            from: range.from,
            to: range.to,
            duration: None,
            hold: None,
            reschedule: None,
        };
        let slots = state.engine.slots(&request).await?.starts.to_vec();
        let framed_by = state.engine.allowed_origins(&org).await?;
        let page = BookingState {
            org,
            event,
            query: self.query,
            slots,
            form: self.form,
            errors: self.errors,
            problem: self.problem,
            idempotency_key: self.key.unwrap_or_else(|| fresh_key(state)),
        };
        Ok(pages::document(status, render_booking_page(&context, &page), &framed_by))
    }
}

fn fresh_key(state: &AppState) -> String {
    let mut bytes = [0; 18];
    state.random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
