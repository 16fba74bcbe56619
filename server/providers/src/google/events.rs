//! `events.list`, `insert`, `get`, `patch` and `delete`.

use chrono::SecondsFormat;
use cupo_core::interval::Interval;
use http::Method;
use serde_json::Value;

use super::failure::list_failure;
use super::mapping::{self, event_id, insert_body, patch_body, patch_body_with_attendees, says_the_same};
use super::{GoogleProvider, MAX_PAGES, wire};
use crate::access::Access;
use crate::error::ProviderError;
use crate::event::CalendarEvent;
use crate::provider::{Changes, EventChange, Expected, PutOutcome, SyncCursor};
use crate::transport::ProviderRequest;

const LIST: &str = "events.list";
const EVENTS: &str = "calendars/{calendarId}/events";
const EVENT: &str = "calendars/{calendarId}/events/{eventId}";
const PAGE_SIZE: &str = "1000";
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
    let mut events = Vec::new();
    for _ in 0..MAX_PAGES {
        let mut page: wire::EventPage = google.call(request).await?;
        events.append(&mut read_items(page.items.take().unwrap_or_default())?);
        if let Some(sync_token) = page.next_sync_token {
            let is_whole = cursor.is_none();
            return Ok(Changes { events, is_whole, cursor: SyncCursor::new(sync_token), time_zone: page.time_zone });
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
        Expected::Update { etag } => patch(google, access, calendar, &event.id, patch_body(event), etag).await,
        Expected::UpdateAttendees { etag, gone } => {
            let found = get(google, access, calendar, &event.id).await?.ok_or(ProviderError::NotFound)?;
            // Google replaces the whole list, so what was read must still be there when it is written.
            let etag = etag.or(found.etag.as_deref());
            let body = patch_body_with_attendees(event, &found.attendees, gone);
            patch(google, access, calendar, &event.id, body, etag).await
        }
        Expected::Create => create(google, access, calendar, event).await,
    }
}

/// Inserts under the id that belongs to the claim. Google answers 409 when the id is taken:
/// - by the event itself, whose answer was lost: it is brought up to date where it differs, and is the outcome;
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
            Some(found) if says_the_same(&found, event) => return Ok(outcome_of(found)),
            Some(found) if found.mark.as_ref() == Some(mark) => {
                let body = patch_body_with_attendees(event, &found.attendees, &[]);
                return patch(google, access, calendar, &id, body, found.etag.as_deref()).await;
            }
            _ => {}
        }
    }
    Err(ProviderError::Rejected(format!("events.insert: {MAX_GENERATIONS} ids are taken")))
}

async fn patch(
    google: &GoogleProvider,
    access: &Access,
    calendar: &str,
    id: &str,
    body: Value,
    etag: Option<&str>,
) -> Result<PutOutcome, ProviderError> {
    const PATCH: &str = "events.patch";
    let mut request = google.request(access, PATCH, Method::PATCH, EVENT, &[calendar, id])?;
    write_parameters(&mut request);
    let mut request = request.with_json(&body);
    if let Some(etag) = etag {
        request = request.with_if_match(etag)?;
    }
    outcome(PATCH, google.call(request).await?)
}

/// Attendees are told of every change; version 1 is what reads and keeps `conferenceData`.
fn write_parameters(request: &mut ProviderRequest) {
    request.url.query_pairs_mut().append_pair("sendUpdates", "all").append_pair("conferenceDataVersion", "1");
}

fn outcome(operation: &str, event: wire::Event) -> Result<PutOutcome, ProviderError> {
    if mapping::is_cancelled(&event) {
        return Err(ProviderError::NotFound);
    }
    mapping::event(event).map(outcome_of).map_err(|problem| problem.of(operation, ""))
}

fn outcome_of(event: CalendarEvent) -> PutOutcome {
    PutOutcome {
        id: event.id,
        etag: event.etag,
        ical_uid: event.ical_uid,
        html_link: event.html_link,
        meeting: event.meeting.into(),
    }
}

pub(super) async fn get(
    google: &GoogleProvider,
    access: &Access,
    calendar: &str,
    id: &str,
) -> Result<Option<CalendarEvent>, ProviderError> {
    const GET: &str = "events.get";
    let request = google.request(access, GET, Method::GET, EVENT, &[calendar, id])?;
    let found: wire::Event = match google.call(request).await {
        Err(ProviderError::NotFound) => return Ok(None),
        answer => answer?,
    };
    if mapping::is_cancelled(&found) {
        return Ok(None);
    }
    mapping::event(found).map(Some).map_err(|problem| problem.of(GET, ""))
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
