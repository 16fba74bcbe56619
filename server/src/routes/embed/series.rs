//! `GET /embed/v1/series`: which dates of a series are free, before it is booked.

use std::borrow::Cow;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use cupo_core::event_type::MOST_OCCURRENCES;
use cupo_engine::SeriesRequest;

use super::cors;
use crate::language;
use crate::problem::{Failure, Outcome};
use crate::query::Parameters;
use crate::routes::private;
use crate::state::AppState;

pub async fn read(State(state): State<AppState>, uri: Uri, headers: HeaderMap) -> Outcome<Response> {
    let query = Query::parse(&uri)?;
    let origin = cors::check(&state, &query.org, &headers).await?;
    let series = state.engine.series(&query.request(), language::of_request(&headers, &uri)).await;
    Ok(origin.respond(series.map_err(Failure::from).map(|series| private(Json(series).into_response()))))
}

/// The query, every parameter readable.
struct Query<'a> {
    org: Cow<'a, str>,
    event: Cow<'a, str>,
    start: DateTime<Utc>,
    duration: Option<u32>,
    frequency: Cow<'a, str>,
    count: u32,
    host: Option<Cow<'a, str>>,
    hold: Option<Cow<'a, str>>,
    link: Option<Cow<'a, str>>,
}

impl<'a> Query<'a> {
    fn parse(uri: &'a Uri) -> Outcome<Self> {
        let mut query = Parameters::of(uri);
        let (org, event, frequency) = (query.text("org"), query.text("event"), query.text("frequency"));
        let (start, count) = (query.instant("start"), query.number("count", 2, MOST_OCCURRENCES));
        let org = query.needed("org", org);
        let event = query.needed("event", event);
        let start = query.needed("start", start);
        let frequency = query.needed("frequency", frequency);
        let count = query.needed("count", count);
        let duration = query.duration();
        let (host, hold, link) = (query.text("host"), query.text("hold"), query.text("link"));
        match (org, event, start, frequency, count) {
            (Some(org), Some(event), Some(start), Some(frequency), Some(count)) if query.are_fine() => {
                Ok(Self { org, event, start, duration, frequency, count, host, hold, link })
            }
            _ => Err(query.refused()),
        }
    }

    fn request(&self) -> SeriesRequest<'_> {
        SeriesRequest {
            org: &self.org,
            event: &self.event,
            start: self.start,
            duration: self.duration,
            frequency: &self.frequency,
            count: self.count,
            host: self.host.as_deref(),
            hold: self.hold.as_deref(),
            link: self.link.as_deref(),
        }
    }
}
