//! `GET /embed/v1/first`: everything that a widget shows at first, in one answer.

use std::borrow::Cow;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Datelike, Months, NaiveDate, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use cupo_core::dates;
use cupo_core::phone::NumberingPlan;
use cupo_core::text::LanguageTag;
use cupo_core::wire::{FirstView, SlotsResponse};
use cupo_engine::{Engine, EngineError, SlotsRequest};
use cupo_widget::calendar::Instant;
use cupo_widget::first_view::{Reader, markup};
use cupo_widget::zone::Zone;
use sha2::{Digest, Sha256};

use super::cors;
use crate::problem::{Failure, Outcome};
use crate::query::Parameters;
use crate::state::AppState;
use crate::{etag, language};

/// A browser may keep it but asks each time: a slot that was taken must not be shown again.
const OF_ANYBODY: HeaderValue = HeaderValue::from_static("no-cache");
/// What a single-use link shows is over once it was used, and slots that could not be had may be there a moment later.
const OF_NOW: HeaderValue = HeaderValue::from_static("no-store");

pub async fn read(State(state): State<AppState>, uri: Uri, headers: HeaderMap) -> Outcome<Response> {
    let query = Query::parse(&uri)?;
    let origin = cors::check(&state, &query.org, &headers).await?;
    let tag = language::tag_of_request(&headers, &uri);
    let view = first_view(&state.engine, &query, tag, state.clock.now()).await;
    let lasts = query.link.is_none();
    Ok(origin.respond(view.map_err(Failure::from).map(|view| fresh_or_unchanged(&view, lasts, &headers))))
}

fn fresh_or_unchanged(view: &FirstView, lasts: bool, request: &HeaderMap) -> Response {
    let body = serde_json::to_vec(view).expect("its maps have texts as keys");
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..12]));
    let tag = HeaderValue::from_str(&tag).expect("hexadecimal digits are visible ASCII");
    let unchanged = request.get(IF_NONE_MATCH).is_some_and(|header| etag::matches(header, &tag));
    let mut response = if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { body.into_response() };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ETAG, tag);
    headers.insert(CACHE_CONTROL, if lasts && view.slots.is_some() { OF_ANYBODY } else { OF_NOW });
    response
}

/// The query, every parameter readable.
struct Query<'a> {
    org: Cow<'a, str>,
    event: Cow<'a, str>,
    /// The visitor's zone, an IANA name.
    zone: Cow<'a, str>,
    link: Option<Cow<'a, str>>,
    /// How the free times are shown; the widget's usual way when left out.
    view: Cow<'a, str>,
    wants_markup: bool,
}

impl<'a> Query<'a> {
    fn parse(uri: &'a Uri) -> Outcome<Self> {
        let mut query = Parameters::of(uri);
        let (org, event) = (query.text("org"), query.text("event"));
        let org = query.needed("org", org);
        let event = query.needed("event", event);
        let zone = query.text("zone").unwrap_or(Cow::Borrowed("UTC"));
        let markup = query.number("markup", 0, 1);
        let (link, view) = (query.text("link"), query.text("view").unwrap_or_default());
        match (org, event) {
            (Some(org), Some(event)) if query.are_fine() => {
                Ok(Self { org, event, zone, link, view, wants_markup: markup == Some(1) })
            }
            _ => Err(query.refused()),
        }
    }
}

async fn first_view(
    engine: &Engine,
    query: &Query<'_>,
    tag: LanguageTag,
    now: DateTime<Utc>,
) -> Result<FirstView, EngineError> {
    let link = query.link.as_deref();
    let event_type = engine.event_type_view(&query.org, &query.event, tag.locale(), link).await?;
    let zone: Option<Tz> = query.zone.parse().ok();
    let date_of = |at: DateTime<Utc>| at.with_timezone(&zone.unwrap_or(Tz::UTC)).date_naive();
    let from = first_of_month(date_of(now));
    let mut to = last_of_month(from);
    let mut slots = slots(engine, query, from, to).await;
    // A month that is as good as over makes no first view.
    let is_empty = slots.as_ref().is_some_and(|slots| slots.slots.iter().all(|start| date_of(*start) > to));
    if is_empty && date_of(event_type.window_end) > to {
        to = last_of_month(from + Months::new(1));
        slots = self::slots(engine, query, from, to).await;
    }
    let theme = engine.theme_of(&query.org).await?;
    let mut event_type = (*event_type).clone();
    if tag.has_region() {
        event_type.dial_code = NumberingPlan::of_language(&tag.to_string()).map(|plan| plan.dial_code());
    }
    let agreed = dates::agreed(tag);
    let dates_as = (agreed != tag).then(|| agreed.to_string());
    let week_start = dates::of(tag).first_weekday().num_days_from_monday();
    let mut view = FirstView { event_type, from, to, week_start, slots, theme, dates: dates_as, markup: None };
    if query.wants_markup && zone.is_some() {
        let reader = Reader {
            language: tag,
            zone: &query.zone,
            view: &query.view,
            link: link.unwrap_or_default(),
            now: now.timestamp_millis(),
        };
        view.markup = markup(&view, &reader, learn);
    }
    Ok(view)
}

/// The slots on these dates. Where they cannot be had the widget shows the event type, says so, and offers to ask again.
async fn slots(engine: &Engine, query: &Query<'_>, from: NaiveDate, to: NaiveDate) -> Option<SlotsResponse> {
    let request = SlotsRequest {
        org: &query.org,
        event: &query.event,
        from,
        to,
        duration: None,
        hold: None,
        reschedule: None,
        host: None,
        link: query.link.as_deref(),
    };
    match engine.slots(&request).await {
        Ok(slots) => Some(SlotsResponse { slots: slots.starts.to_vec(), seats_left: slots.seats_left.to_vec() }),
        Err(error) => {
            Failure::from(error).log();
            None
        }
    }
}

/// Learns a zone between two instants. UTC stands in for one that is not known, as it does in the widget.
fn learn(name: &str, from: Instant, until: Instant) -> Zone {
    let Ok(zone) = name.parse::<Tz>() else { return Zone::learn("UTC".to_owned(), from, until, |_| 0) };
    Zone::learn(name.to_owned(), from, until, |at| {
        let at = DateTime::from_timestamp_millis(at).unwrap_or_default();
        zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc() / 60
    })
}

fn first_of_month(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap_or(date)
}

fn last_of_month(date: NaiveDate) -> NaiveDate {
    let next = first_of_month(date).checked_add_months(Months::new(1));
    next.and_then(|next| next.pred_opt()).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_learnt_by_its_name_and_utc_stands_in_for_one_that_is_not_known() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap().timestamp_millis();
        let year = (at("2026-01-01T00:00:00Z"), at("2026-12-31T00:00:00Z"));
        let madrid = learn("Europe/Madrid", year.0, year.1);
        assert_eq!([at("2026-03-29T00:59:00Z"), at("2026-03-29T01:00:00Z")].map(|at| madrid.offset(at)), [60, 120]);
        let mars = learn("Mars/Olympus", year.0, year.1);
        assert_eq!((mars.name.as_str(), mars.offset(year.0)), ("UTC", 0));
    }

    #[test]
    fn two_months_are_never_more_than_the_engine_answers() {
        for month in 0..48 {
            let from = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + Months::new(month);
            let days = last_of_month(from + Months::new(1)) - from;
            assert!(days.num_days() < i64::from(cupo_engine::MAX_DAYS), "{from}");
        }
    }

    #[test]
    fn a_month_ends_with_its_last_day() {
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (day, last) in [("2028-02-10", "2028-02-29"), ("2026-12-31", "2026-12-31"), ("2026-11-01", "2026-11-30")] {
            assert_eq!(last_of_month(date(day)), date(last));
        }
    }
}
