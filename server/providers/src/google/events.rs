//! `events.list`, `insert`, `get`, `patch` and `delete`.

use std::collections::BTreeSet;

use chrono::{SecondsFormat, TimeDelta};
use cupo_core::interval::Interval;
use http::Method;
use serde_json::{Value, json};

use super::failure::list_failure;
use super::mapping::{self, event_id, insert_body, patch_body, patch_body_with_attendees, says_the_same, time_body};
use super::{GoogleProvider, MAX_PAGES, wire};
use crate::access::Access;
use crate::error::ProviderError;
use crate::event::CalendarEvent;
use crate::provider::{Changes, EventChange, Expected, PutOutcome, SyncCursor};
use crate::recurrence;
use crate::transport::ProviderRequest;

const LIST: &str = "events.list";
const GET: &str = "events.get";
const PATCH: &str = "events.patch";
const INSTANCES: &str = "events.instances";
const EVENTS: &str = "calendars/{calendarId}/events";
const EVENT: &str = "calendars/{calendarId}/events/{eventId}";
const PAGE_SIZE: &str = "1000";
/// Within how many days of its start the first instance of a recurring event is looked for: most need no second look.
const FIRST_WITHIN: [i64; 2] = [32, 367];
/// Ids that are tried for one claim before giving up.
const MAX_GENERATIONS: u32 = 8;

/// One round, all pages. Every page of a round and every later round sends the same parameters, as Google demands,
/// but for the window, which goes with the pages of the first round only.
pub(super) async fn changes(
    google: &GoogleProvider,
    access: &Access,
    calendar: &str,
    cursor: Option<&SyncCursor>,
    window: Interval,
) -> Result<Changes, ProviderError> {
    let mut first = google.request(access, LIST, Method::GET, EVENTS, &[calendar])?;
    first.classify = list_failure;
    list_parameters(&mut first, cursor, window);
    let mut request = first.clone();
    let (mut events, mut series) = (Vec::new(), BTreeSet::new());
    for _ in 0..MAX_PAGES {
        let mut page: wire::EventPage = google.call(request).await?;
        let items = page.items.take().unwrap_or_default();
        series.extend(items.iter().filter_map(|item| item.recurring_event_id.clone()));
        events.append(&mut read_items(items)?);
        if let Some(sync_token) = page.next_sync_token {
            let is_whole = cursor.is_none();
            let (series, cursor) = (series.into_iter().collect(), SyncCursor::new(sync_token));
            return Ok(Changes { events, series, is_whole, cursor, time_zone: page.time_zone });
        }
        let page_token = page.next_page_token.ok_or_else(|| wire::unreadable(LIST, "nextSyncToken"))?;
        request = first.clone();
        request.url.query_pairs_mut().append_pair("pageToken", &page_token);
    }
    Err(ProviderError::Rejected(format!("{LIST}: more than {MAX_PAGES} pages")))
}

fn list_parameters(request: &mut ProviderRequest, cursor: Option<&SyncCursor>, window: Interval) {
    let mut query = request.url.query_pairs_mut();
    query.append_pair("singleEvents", "true").append_pair("maxResults", PAGE_SIZE);
    match cursor {
        Some(cursor) => query.append_pair("syncToken", cursor.as_str()),
        None => query
            .append_pair("timeMin", &window.start.to_rfc3339_opts(SecondsFormat::Secs, true))
            .append_pair("timeMax", &window.end.to_rfc3339_opts(SecondsFormat::Secs, true)),
    };
}

fn read_items(items: Vec<wire::Event>) -> Result<Vec<EventChange>, ProviderError> {
    let read = |(index, item)| change(item).map_err(|problem| problem.of(LIST, &format!("items[{index}].")));
    items.into_iter().enumerate().map(read).collect()
}

fn change(item: wire::Event) -> Result<EventChange, mapping::Unreadable> {
    if mapping::is_cancelled(&item) {
        return Ok(EventChange::Removed { id: item.id.ok_or("id")? });
    }
    Ok(EventChange::Upsert(Box::new(mapping::event(item)?)))
}

pub(super) async fn put(
    google: &GoogleProvider,
    access: &Access,
    calendar: &str,
    event: &CalendarEvent,
    expected: Expected<'_>,
) -> Result<PutOutcome, ProviderError> {
    match expected {
        Expected::Update { etag } => patch(google, access, calendar, event, patch_body(event), etag).await,
        Expected::UpdateAttendees { etag, gone } => {
            let found = get(google, access, calendar, &event.id).await?.ok_or(ProviderError::NotFound)?;
            // Google replaces the whole list, so what was read must still be there when it is written.
            let etag = etag.or(found.etag.as_deref());
            let body = patch_body_with_attendees(event, &found.attendees, gone);
            patch(google, access, calendar, event, body, etag).await
        }
        Expected::Create => create(google, access, calendar, event).await,
    }
}

/// Inserts under the id that belongs to the claim. Google answers 409 when the id is taken:
/// - by the event itself, whose answer was lost: it is brought up to date where it differs, and is the outcome; at another
///   time it is left alone;
/// - by an event that was deleted (a deleted id stays taken) or is not ours: the next id is tried. Whether a PATCH
///   revives a deleted event is not documented, so none is tried.
///
/// Each id follows from the claim and from what Google holds, so a repetition arrives at the same event.
async fn create(
    google: &GoogleProvider,
    access: &Access,
    calendar: &str,
    event: &CalendarEvent,
) -> Result<PutOutcome, ProviderError> {
    let mark = event.mark.as_ref().ok_or_else(|| ProviderError::Rejected("an event to create needs a mark".into()))?;
    for generation in 0..MAX_GENERATIONS {
        let id = event_id(&mark.claim_id, generation);
        let mut request = google.request(access, "events.insert", Method::POST, EVENTS, &[calendar])?;
        write_parameters(&mut request);
        match google.call(request.with_json(&insert_body(event, &id))).await {
            Ok(created) => return outcome("events.insert", created),
            Err(ProviderError::Conflict) => {}
            Err(error) => return Err(error),
        }
        match get(google, access, calendar, &id).await? {
            Some(found) if says_the_same(&found, event) => return Ok(PutOutcome::of(found)),
            Some(found) if found.mark.as_ref() == Some(mark) && !found.is_at_time_of(event) => {
                return Ok(PutOutcome::standing(found));
            }
            Some(found) if found.mark.as_ref() == Some(mark) => {
                let body = patch_body_with_attendees(event, &found.attendees, &[]);
                let event = CalendarEvent { id, ..event.clone() };
                return patch(google, access, calendar, &event, body, found.etag.as_deref()).await;
            }
            _ => {}
        }
    }
    Err(ProviderError::Rejected(format!("events.insert: {MAX_GENERATIONS} ids are taken")))
}

/// Changes the event `event.id`. A recurring event moves as a whole; where its rule does not hold the new start, it gives way.
async fn patch(
    google: &GoogleProvider,
    access: &Access,
    calendar: &str,
    event: &CalendarEvent,
    body: Value,
    etag: Option<&str>,
) -> Result<PutOutcome, ProviderError> {
    let changed = send_patch(google, access, calendar, &event.id, &body, etag).await?;
    let lines = changed.recurrence.as_deref().unwrap_or_default();
    let Some(lines) = recurrence::lines_from(lines, recurrence::day_of(&event.start)) else {
        return outcome(PATCH, changed);
    };
    let body = json!({"start": time_body(&event.start), "end": time_body(&event.end), "recurrence": lines});
    outcome(PATCH, send_patch(google, access, calendar, &event.id, &body, changed.etag.as_deref()).await?)
}

async fn send_patch(
    google: &GoogleProvider,
    access: &Access,
    calendar: &str,
    id: &str,
    body: &Value,
    etag: Option<&str>,
) -> Result<wire::Event, ProviderError> {
    let mut request = google.request(access, PATCH, Method::PATCH, EVENT, &[calendar, id])?;
    write_parameters(&mut request);
    let mut request = request.with_json(body);
    if let Some(etag) = etag {
        request = request.with_if_match(etag)?;
    }
    google.call(request).await
}

/// Attendees are told of every change; version 1 is what reads and keeps `conferenceData`.
fn write_parameters(request: &mut ProviderRequest) {
    request.url.query_pairs_mut().append_pair("sendUpdates", "all").append_pair("conferenceDataVersion", "1");
}

fn outcome(operation: &str, event: wire::Event) -> Result<PutOutcome, ProviderError> {
    if mapping::is_cancelled(&event) {
        return Err(ProviderError::NotFound);
    }
    mapping::event(event).map(PutOutcome::of).map_err(|problem| problem.of(operation, ""))
}

/// The event as it stands there; a recurring one as a whole.
async fn get(
    google: &GoogleProvider,
    access: &Access,
    calendar: &str,
    id: &str,
) -> Result<Option<CalendarEvent>, ProviderError> {
    let found = read(google, access, calendar, id).await?;
    found.map(mapping::event).transpose().map_err(|problem| problem.of(GET, ""))
}

/// The event; a recurring one by its first instance that takes place.
pub(super) async fn get_first(
    google: &GoogleProvider,
    access: &Access,
    calendar: &str,
    id: &str,
) -> Result<Option<CalendarEvent>, ProviderError> {
    let Some(found) = read(google, access, calendar, id).await? else { return Ok(None) };
    let is_recurring = found.recurrence.as_ref().is_some_and(|lines| !lines.is_empty());
    let event = mapping::event(found).map_err(|problem| problem.of(GET, ""))?;
    if !is_recurring {
        return Ok(Some(event));
    }
    let begins = event.start.instant(chrono_tz::Tz::UTC) - TimeDelta::days(1);
    for days in FIRST_WITHIN {
        let window = Interval { start: begins, end: begins + TimeDelta::days(days) };
        let instances = instances(google, access, calendar, id, window).await?;
        if let Some(first) = CalendarEvent::first_of(event.clone(), instances) {
            return Ok(Some(first));
        }
    }
    Ok(None)
}

async fn read(
    google: &GoogleProvider,
    access: &Access,
    calendar: &str,
    id: &str,
) -> Result<Option<wire::Event>, ProviderError> {
    let request = google.request(access, GET, Method::GET, EVENT, &[calendar, id])?;
    let found: wire::Event = match google.call(request).await {
        Err(ProviderError::NotFound) => return Ok(None),
        answer => answer?,
    };
    Ok(Some(found).filter(|found| !mapping::is_cancelled(found)))
}

/// The instances of a recurring event that take place in the window.
async fn instances(
    google: &GoogleProvider,
    access: &Access,
    calendar: &str,
    id: &str,
    window: Interval,
) -> Result<Vec<CalendarEvent>, ProviderError> {
    let mut first = google.request(
        access,
        INSTANCES,
        Method::GET,
        "calendars/{calendarId}/events/{eventId}/instances",
        &[calendar, id],
    )?;
    first
        .url
        .query_pairs_mut()
        .append_pair("maxResults", PAGE_SIZE)
        .append_pair("timeMin", &window.start.to_rfc3339_opts(SecondsFormat::Secs, true))
        .append_pair("timeMax", &window.end.to_rfc3339_opts(SecondsFormat::Secs, true));
    let mut request = first.clone();
    let mut found = Vec::new();
    for _ in 0..MAX_PAGES {
        let page: wire::EventPage = google.call(request).await?;
        for item in page.items.unwrap_or_default().into_iter().filter(|item| !mapping::is_cancelled(item)) {
            found.push(mapping::event(item).map_err(|problem| problem.of(INSTANCES, "items[]."))?);
        }
        let Some(page_token) = page.next_page_token else { return Ok(found) };
        request = first.clone();
        request.url.query_pairs_mut().append_pair("pageToken", &page_token);
    }
    Err(ProviderError::Rejected(format!("{INSTANCES}: more than {MAX_PAGES} pages")))
}

pub(super) async fn delete(
    google: &GoogleProvider,
    access: &Access,
    calendar: &str,
    id: &str,
    notify: bool,
) -> Result<(), ProviderError> {
    let mut request = google.request(access, "events.delete", Method::DELETE, EVENT, &[calendar, id])?;
    request.url.query_pairs_mut().append_pair("sendUpdates", if notify { "all" } else { "none" });
    match google.send(&request).await {
        Ok(_) | Err(ProviderError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// For the test that no answer makes the adapter panic.
#[cfg(test)]
pub(super) fn read_any_page(bytes: &[u8]) {
    if let Ok(page) = wire::parse::<wire::EventPage>(LIST, bytes) {
        let _read_or_refused = read_items(page.items.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cancelled_exception_has_nothing_but_ids() {
        let page = json!([{
            "kind": "calendar#event", "id": "series_20261104T080000Z", "status": "cancelled",
            "recurringEventId": "series", "originalStartTime": {"dateTime": "2026-11-04T09:00:00+01:00"},
        }]);
        let read = read_items(serde_json::from_value(page).unwrap()).unwrap();
        assert_eq!(read, [EventChange::Removed { id: "series_20261104T080000Z".into() }]);
    }

    #[test]
    fn an_event_that_cannot_be_read_is_named_by_its_place() {
        let page = json!([{"id": "a", "status": "cancelled"}, {"id": "b", "start": {"date": "2026-11-02"}}]);
        let told = read_items(serde_json::from_value(page).unwrap()).unwrap_err();
        assert!(told.to_string().contains("`items[1].end`"), "{told}");
    }
}
