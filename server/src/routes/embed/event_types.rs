//! `GET /embed/v1/event-types/{org}/{slug}`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};

use super::cors;
use crate::language;
use crate::problem::{Failure, Outcome};
use crate::state::AppState;

pub async fn read(
    State(state): State<AppState>,
    Path((org, slug)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Outcome<Response> {
    let origin = cors::check(&state, &org, &headers).await?;
    let locale = language::of_request(&headers, &uri);
    let view = state.engine.event_type_view(&org, &slug, locale).await;
    Ok(origin.respond(view.map_err(Failure::from).map(|view| {
        let mut response = Json(&*view).into_response();
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
        response
    })))
}
