//! `/manage/{token}`: the visitor's own page to see, cancel or reschedule an appointment.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use cupo_app::public::{CancelForm, ManageQuery, ManageState, RescheduleForm, render_manage_page};
use cupo_core::text::{LanguageTag, Locale};
use cupo_core::wire::{AppointmentView, CancelRequest, RescheduleRequest, SeriesScope};
use cupo_engine::{EngineError, SlotsRequest};

use crate::body::Form;
use crate::problem::{Failure, Outcome};
use crate::rate::RateLimits;
use crate::state::AppState;
use crate::{language, pages};

pub fn router(limits: &RateLimits) -> Router<AppState> {
    let changes = Router::new()
        .route("/manage/{token}/cancel", post(cancel))
        .route("/manage/{token}/reschedule", post(reschedule))
        .layer(limits.bookings.layer());
    Router::new().route("/manage/{token}", get(show)).merge(changes)
}

async fn show(
    State(state): State<AppState>,
    Path(token): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Outcome<Response> {
    let query = Query::try_from_uri(&uri).map(|Query(query)| query).unwrap_or_default();
    let page = Page { token, query, ..Page::default() };
    page.respond(&state, StatusCode::OK, language::tag_of_request(&headers, &uri)).await
}

async fn cancel(
    State(state): State<AppState>,
    Path(token): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    Form(form): Form<CancelForm>,
) -> Outcome<Response> {
    let language = language::of_form(form.lang.as_deref(), &headers, &uri);
    let query = ManageQuery { embed: form.embed.clone(), lang: form.lang.clone(), ..ManageQuery::default() };
    let scope = form.scope();
    let request = CancelRequest { reason: Some(form.reason.clone()), scope };
    match state.engine.cancel_by_token(&token, &request).await {
        Ok(_) => Ok(back(&token, &ManageQuery { done: Some("cancelled".to_owned()), ..query })),
        Err(error) => {
            let query = ManageQuery { step: Some("cancel".to_owned()), ..query };
            refused(&state, Page { token, query, scope, reason: form.reason, problem: None }, error, language).await
        }
    }
}

async fn reschedule(
    State(state): State<AppState>,
    Path(token): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    Form(form): Form<RescheduleForm>,
) -> Outcome<Response> {
    let language = language::of_form(form.lang.as_deref(), &headers, &uri);
    let scope = form.scope();
    let query = ManageQuery { embed: form.embed, lang: form.lang, ..ManageQuery::default() };
    let start = form.slot.parse::<DateTime<Utc>>();
    let start = start.map_err(|_| EngineError::SlotRefused(cupo_core::slots::Refusal::OffGrid));
    let moved = match start {
        Ok(start) => state.engine.reschedule_by_token(&token, &RescheduleRequest { start, scope }).await.map(drop),
        Err(error) => Err(error),
    };
    match moved {
        Ok(()) => Ok(back(&token, &ManageQuery { done: Some("rescheduled".to_owned()), ..query })),
        Err(error) => {
            // The picked time stays while it is free, else its day.
            let (step, tz, slot) = (Some("reschedule".to_owned()), Some(form.tz), Some(form.slot));
            let query = ManageQuery { step, tz, slot, ..query };
            refused(&state, Page { token, query, scope, ..Page::default() }, error, language).await
        }
    }
}

/// The page again with the reason, where the visitor can do something about it.
async fn refused(state: &AppState, page: Page, error: EngineError, language: LanguageTag) -> Outcome<Response> {
    let mendable = matches!(
        error,
        EngineError::Invalid(_)
            | EngineError::SlotTaken
            | EngineError::SlotRefused(_)
            | EngineError::Conflict(_)
            | EngineError::CalendarUnreachable
    );
    let failure = Failure::from(error);
    if !mendable {
        return Err(failure);
    }
    let locale = language.locale();
    let sentence = failure.fields(locale).into_iter().map(|(_, sentence)| sentence).next();
    let problem = Some(sentence.unwrap_or_else(|| failure.sentence(locale)));
    Page { problem, ..page }.respond(state, failure.status(), language).await
}

/// After a form the page is asked for anew, so that reloading it sends nothing twice.
fn back(token: &str, query: &ManageQuery) -> Response {
    Redirect::to(&query.address(token)).into_response()
}

/// One showing of the page.
#[derive(Default)]
struct Page {
    token: String,
    query: ManageQuery,
    problem: Option<String>,
    reason: String,
    scope: SeriesScope,
}

impl Page {
    async fn respond(self, state: &AppState, status: StatusCode, language: LanguageTag) -> Outcome<Response> {
        let locale = language.locale();
        let appointment = state.engine.appointment_by_token(&self.token, locale).await?;
        let context = pages::context(state, language);
        let (mut slots, mut seats_left) = (Vec::new(), Vec::new());
        if let Some(range) = self.query.slots_range(&appointment, context.now) {
            let request = SlotsRequest {
                org: &appointment.org,
                event: &appointment.event,
                from: range.from,
                to: range.to,
                duration: None,
                hold: None,
                reschedule: Some(&self.token),
                host: None,
                link: None,
            };
            let found = state.engine.slots(&request).await?;
            (slots, seats_left) = (found.starts.to_vec(), found.seats_left.to_vec());
        }
        let framed_by = state.engine.allowed_origins(&appointment.org).await?;
        let page = ManageState {
            token: self.token,
            can_book_again: can_book_again(state, &appointment, locale).await?,
            appointment,
            query: self.query,
            slots,
            seats_left,
            problem: self.problem,
            reason: self.reason,
            scope: self.scope,
        };
        Ok(pages::document(status, render_manage_page(&context, &page), &framed_by))
    }
}

/// Whether an appointment that ended can be made anew: its event type may be switched off, or need a link.
async fn can_book_again(state: &AppState, appointment: &AppointmentView, locale: Locale) -> Result<bool, EngineError> {
    if appointment.status.claims_time() {
        return Ok(false);
    }
    match state.engine.event_type_view(&appointment.org, &appointment.event, locale, None).await {
        Ok(_) => Ok(true),
        Err(EngineError::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
