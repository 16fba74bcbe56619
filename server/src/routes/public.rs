//! `/{org}/{slug}`: the public booking page, step by step without JavaScript; and `/{org}`: what can be booked.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use cupo_app::public::{
    BookingForm, BookingQuery, BookingState, ListedEventType, OrganizationState, render_booking_page,
    render_link_over_page, render_organization_page,
};
use cupo_core::text::{self, LanguageTag, Locale};
use cupo_core::wire::{EventTypeView, LocationView, SeriesResponse};
use cupo_engine::{EngineError, SeriesRequest, SlotsRequest};

use crate::body::Form;
use crate::problem::{Failure, Kind, Outcome};
use crate::rate::RateLimits;
use crate::state::AppState;
use crate::{language, pages};

/// Fields of the engine's refusals that stand on the page; whatever else is refused is told above them.
const FIELDS: [&str; 7] = ["name", "email", "phone", "notes", "recurrence", "recurrence.frequency", "recurrence.count"];

pub fn router(limits: &RateLimits) -> Router<AppState> {
    Router::new()
        .route("/{org}/{slug}", get(show).merge(post(book).layer(limits.bookings.layer())))
        .route("/{org}", get(list))
}

async fn list(
    State(state): State<AppState>,
    Path(org): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Outcome<Response> {
    let query = Query::try_from_uri(&uri).map(|Query(query)| query).unwrap_or_default();
    let found = match state.engine.public_event_types(&org).await {
        // Any first segment that is no other address comes here.
        Err(EngineError::NotFound(_)) => return Err(Kind::UnknownAddress.into()),
        found => found?,
    };
    let event_types = found.event_types.into_iter().map(|event_type| ListedEventType {
        slug: event_type.slug.to_string(),
        durations: event_type.options.durations(&event_type.rules),
        location: LocationView::public(&event_type.location),
        title: event_type.title,
        description: event_type.description,
    });
    let framed_by = state.engine.allowed_origins(&org).await?;
    let context = pages::context(&state, language::tag_of_request(&headers, &uri));
    let page = OrganizationState {
        organization_name: found.organization_name,
        event_types: event_types.collect(),
        query,
        org,
    };
    Ok(pages::document(StatusCode::OK, render_organization_page(&context, &page), &framed_by))
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
    page.respond(&state, StatusCode::OK, language::tag_of_request(&headers, &uri)).await
}

async fn book(
    State(state): State<AppState>,
    Path(place): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    Form(form): Form<BookingForm>,
) -> Outcome<Response> {
    let language = language::of_form(form.lang.as_deref(), &headers, &uri);
    let request = match form.to_request(&place.0, &place.1, language) {
        Ok(request) => request,
        Err(errors) => return refused(&state, place, form, EngineError::Invalid(errors), language).await,
    };
    if !form.has_seen_dates() {
        let page = Page { query: form.to_query(true), key: kept_key(&form), form, place, ..Page::default() };
        return page.respond(&state, StatusCode::OK, language).await;
    }
    match state.engine.book(&form.idempotency_key, request).await {
        Ok(booked) => Ok(Redirect::to(&form.after_booking(&booked.view.token)).into_response()),
        Err(error) => refused(&state, place, form, error, language).await,
    }
}

/// The same page again, with what was typed and what is wrong with it.
async fn refused(
    state: &AppState,
    place: (String, String),
    form: BookingForm,
    error: EngineError,
    language: LanguageTag,
) -> Outcome<Response> {
    if is_link_over(&error) {
        return link_over(state, &place.0, &form.to_query(false), language, error.into()).await;
    }
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
    let fields = failure.fields(language.locale());
    let page = Page {
        query: form.to_query(!slot_is_gone),
        problem: Some(sentence_for_page(&failure, &fields, language.locale())),
        errors: fields,
        key: kept_key(&form).filter(|_| !key_is_used),
        form,
        place,
    };
    page.respond(state, failure.status(), language).await
}

/// What is told above the form: that fields are marked, or what is wrong with something that has no field on the page.
fn sentence_for_page(failure: &Failure, fields: &[(String, String)], locale: Locale) -> String {
    let stands_nowhere = |name: &str| !FIELDS.contains(&name) && !name.starts_with("answers.");
    match fields.iter().find(|(name, _)| stands_nowhere(name)) {
        Some((_, sentence)) => sentence.clone(),
        None => failure.sentence(locale),
    }
}

fn kept_key(form: &BookingForm) -> Option<String> {
    Some(form.idempotency_key.clone()).filter(|key| !key.is_empty())
}

fn is_link_over(error: &EngineError) -> bool {
    matches!(error, EngineError::Conflict("error.link_used"))
}

/// A single-use link that was used or is over has a page that says what to do now.
async fn link_over(
    state: &AppState,
    org: &str,
    query: &BookingQuery,
    language: LanguageTag,
    failure: Failure,
) -> Outcome<Response> {
    let listed = state.engine.public_event_types(org).await?;
    let elsewhere = (!listed.event_types.is_empty()).then_some(org);
    let page = render_link_over_page(&pages::context(state, language), query, elsewhere);
    Ok(pages::document(failure.status(), page, &state.engine.allowed_origins(org).await?))
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
    async fn respond(self, state: &AppState, status: StatusCode, language: LanguageTag) -> Outcome<Response> {
        let locale = language.locale();
        let Self { place: (org, slug), query, form, mut errors, problem, key } = self;
        let link = query.link();
        let event = match state.engine.event_type_view(&org, &slug, locale, link).await {
            Err(error) if is_link_over(&error) => {
                return link_over(state, &org, &query, language, error.into()).await;
            }
            event => event?,
        };
        let context = pages::context(state, language);
        let range = query.slots_range(&event, context.now);
        let request = SlotsRequest {
            org: &org,
            event: &slug,
            from: range.from,
            to: range.to,
            duration: query.duration(&event),
            hold: None,
            reschedule: None,
            host: query.host(&event).map(|host| host.id.as_str()),
            link,
        };
        let found = state.engine.slots(&request).await?;
        let series = match dates(state, &event, &query, &form, &found.starts, locale).await {
            Ok(series) => series,
            Err(EngineError::Invalid(refused)) => {
                errors.extend(
                    refused.0.iter().map(|error| (error.field.to_string(), text::problem(locale, &error.problem))),
                );
                None
            }
            Err(error) => return Err(error.into()),
        };
        let framed_by = state.engine.allowed_origins(&org).await?;
        let page = BookingState {
            slots: found.starts.to_vec(),
            seats_left: found.seats_left.to_vec(),
            idempotency_key: key.unwrap_or_else(|| fresh_key(state)),
            org,
            event,
            query,
            series,
            form,
            errors,
            problem,
        };
        Ok(pages::document(status, render_booking_page(&context, &page), &framed_by))
    }
}

/// The dates of the series that the form asks for, while its first one is free.
async fn dates(
    state: &AppState,
    event: &EventTypeView,
    query: &BookingQuery,
    form: &BookingForm,
    free: &[DateTime<Utc>],
    locale: Locale,
) -> Result<Option<SeriesResponse>, EngineError> {
    let start = query.slot.as_deref().and_then(|slot| slot.parse::<DateTime<Utc>>().ok());
    let (Some((frequency, count)), Some(start)) = (form.series(), start.filter(|start| free.contains(start))) else {
        return Ok(None);
    };
    let request = SeriesRequest {
        org: &event.org,
        event: &event.slug,
        start,
        duration: query.duration(event),
        frequency,
        count,
        host: query.host(event).map(|host| host.id.as_str()),
        hold: None,
        link: query.link(),
    };
    state.engine.series(&request, locale).await.map(Some)
}

fn fresh_key(state: &AppState) -> String {
    let mut bytes = [0; 18];
    state.random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
