//! `/api/v1/event-types`: what there is to book, why a start is offered or not, what was offered, what a change would bring.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use cupo_core::event_type::WhenStale;
use cupo_core::ids::EventTypeId;
use cupo_core::wire::{ClockChangeView, DayView, ExplanationView, ImpactView, SlotsResponse};
use cupo_engine::EventTypeInput;
use serde::Serialize;

use super::id;
use crate::body;
use crate::problem::Outcome;
use crate::query::Parameters;
use crate::session::SignedIn;
use crate::state::AppState;

/// The answer of `GET /api/v1/event-types`.
#[derive(Serialize)]
pub struct EventTypes {
    event_types: Vec<EventTypeEntry>,
}

/// An event type that the user may change.
#[derive(Serialize)]
struct EventTypeEntry {
    id: String,
    title: String,
    slug: String,
    /// Of its public page.
    path: String,
    /// `offer`, `ask` or `approve`: what happens while a calendar that decides about its slots is stale.
    when_stale: WhenStale,
}

pub async fn list(SignedIn(principal): SignedIn, State(state): State<AppState>) -> Outcome<Json<EventTypes>> {
    let entry = |event_type: cupo_store::EventType| EventTypeEntry {
        id: event_type.id.to_string(),
        title: event_type.title,
        path: format!("/{}/{}", principal.organization_slug, event_type.slug),
        slug: event_type.slug.to_string(),
        when_stale: event_type.options.when_stale,
    };
    let event_types = state.engine.event_types(&principal).await?.into_iter().map(entry).collect();
    Ok(Json(EventTypes { event_types }))
}

pub async fn explain(
    SignedIn(principal): SignedIn,
    State(state): State<AppState>,
    Path(event_type): Path<String>,
    uri: Uri,
) -> Outcome<Json<ExplanationView>> {
    let event_type: EventTypeId = id(&event_type, "event type")?;
    let mut query = Parameters::of(&uri);
    let (at, duration, as_of) = (query.instant("at"), query.duration(), query.instant("as_of"));
    match query.needed("at", at) {
        Some(at) if query.are_fine() => {
            Ok(Json(state.engine.explain(&principal, &event_type, at, duration, as_of).await?))
        }
        _ => Err(query.refused()),
    }
}

pub async fn day(
    SignedIn(principal): SignedIn,
    State(state): State<AppState>,
    Path(event_type): Path<String>,
    uri: Uri,
) -> Outcome<Json<DayView>> {
    let event_type: EventTypeId = id(&event_type, "event type")?;
    let mut query = Parameters::of(&uri);
    let (date, duration, as_of) = (query.date("date"), query.duration(), query.instant("as_of"));
    match query.needed("date", date) {
        Some(date) if query.are_fine() => {
            Ok(Json(state.engine.day(&principal, &event_type, date, duration, as_of).await?))
        }
        _ => Err(query.refused()),
    }
}

pub async fn replay(
    SignedIn(principal): SignedIn,
    State(state): State<AppState>,
    Path(event_type): Path<String>,
    uri: Uri,
) -> Outcome<Json<SlotsResponse>> {
    let event_type: EventTypeId = id(&event_type, "event type")?;
    let mut query = Parameters::of(&uri);
    let (from, to, as_of) = (query.date("from"), query.date("to"), query.instant("as_of"));
    let from = query.needed("from", from);
    let to = query.needed("to", to);
    let as_of = query.needed("as_of", as_of);
    match (from, to, as_of) {
        (Some(from), Some(to), Some(as_of)) => {
            Ok(Json(state.engine.replay(&principal, &event_type, as_of, from, to).await?))
        }
        _ => Err(query.refused()),
    }
}

pub async fn clock_change(
    SignedIn(principal): SignedIn,
    State(state): State<AppState>,
    Path(event_type): Path<String>,
    uri: Uri,
) -> Outcome<Json<ClockChangeView>> {
    let event_type: EventTypeId = id(&event_type, "event type")?;
    let mut query = Parameters::of(&uri);
    let zone = query.text("zone");
    match query.needed("zone", zone) {
        Some(zone) => Ok(Json(state.engine.clock_change_preview(&principal, &event_type, &zone).await?)),
        None => Err(query.refused()),
    }
}

pub async fn preview(
    SignedIn(principal): SignedIn,
    State(state): State<AppState>,
    Path(event_type): Path<String>,
    body::Json(input): body::Json<EventTypeInput>,
) -> Outcome<Json<ImpactView>> {
    let event_type: EventTypeId = id(&event_type, "event type")?;
    Ok(Json(state.engine.event_type_preview(&principal, Some(&event_type), input).await?))
}
