//! `GET /embed/v1/event-types/{org}/{slug}`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};

use super::cors;
use crate::language;
use crate::problem::{Failure, Outcome};
use crate::query::Parameters;
use crate::state::AppState;

/// What anybody may see changes seldom; what a single-use link shows is over once it was used.
const OF_ANYBODY: HeaderValue = HeaderValue::from_static("max-age=60");
const OF_A_LINK: HeaderValue = HeaderValue::from_static("no-store");

pub async fn read(
    State(state): State<AppState>,
    Path((org, slug)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Outcome<Response> {
    let origin = cors::check(&state, &org, &headers).await?;
    let locale = language::of_request(&headers, &uri);
    let link = Parameters::of(&uri).text("link");
    let view = state.engine.event_type_view(&org, &slug, locale, link.as_deref()).await;
    Ok(origin.respond(view.map_err(Failure::from).map(|view| {
        let mut response = Json(&*view).into_response();
        response.headers_mut().insert(CACHE_CONTROL, if link.is_some() { OF_A_LINK } else { OF_ANYBODY });
        response
    })))
}
