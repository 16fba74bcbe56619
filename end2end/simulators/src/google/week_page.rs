//! The page for people: the week of a calendar, at `/`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;

use super::event_writes;
use super::render::parse_event_link_id;
use super::simulation::Google;
use super::wire::{ApiError, Query};
use crate::week_page::{self, Words};

/// `/`, its style and script, and `/event?eid=`, where an event's `htmlLink` leads.
pub fn router() -> Router<Arc<Google>> {
    let words = Words { title: "Simulated Google Calendar", title_member: "summary", meeting: "Google Meet" };
    week_page::assets()
        .route("/", get(move || async move { Html(week_page::page(&words)) }))
        .route("/event", get(event))
}

async fn event(State(google): State<Arc<Google>>, query: Query) -> Result<Response, ApiError> {
    let (id, calendar_id) = query.get("eid").and_then(parse_event_link_id).ok_or_else(ApiError::not_found)?;
    let world = google.world();
    let calendar = world.calendar(&calendar_id)?;
    let start = event_writes::find(calendar, &id)?.start.instant(calendar.time_zone);
    let day = start.with_timezone(&calendar.time_zone).date_naive().to_string();
    let parameters = [("calendar", calendar_id.as_str()), ("day", &day), ("event", &id)];
    let parameters = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    Ok(Redirect::to(&format!("/?{parameters}")).into_response())
}
