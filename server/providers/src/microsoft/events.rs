//! Events: create, read, change, cancel and delete.

use chrono::TimeDelta;
use http::{HeaderValue, Method};
use serde_json::{Map, Value, json};

use super::calendars::is_personal;
use super::delta::own_address;
use super::failure::Reading;
use super::free_busy::query_time;
use super::mapping::{self, Difference, MARK, create_body, difference, transaction_id};
use super::{MicrosoftProvider, PREFER, PREFERENCES, body, calendars, failure, wire};
use crate::access::Access;
use crate::error::ProviderError;
use crate::event::{CalendarEvent, EventMark, Meeting, MeetingLink};
use crate::provider::{Expected, PutOutcome};
use crate::transport::ProviderRequest;

const CREATE: &str = "events.create";
const GET: &str = "events.get";
const FIND: &str = "events.list";
const PATCH: &str = "events.update";
const EVENTS: &str = "calendars/{calendar-id}/events";
const EVENT: &str = "calendars/{calendar-id}/events/{event-id}";
const INSTANCES: &str = "events.instances";
/// Within how many days of its start the first instance of a series is looked for: most need no second look.
const FIRST_WITHIN: [i64; 2] = [32, 367];
/// `transactionId`s that are tried for one claim before giving up.
const MAX_GENERATIONS: u32 = 8;

/// An event as it was read: whole, and as Cupo sees it.
struct Found {
    wire: wire::Event,
    event: CalendarEvent,
}

pub(super) async fn put(
    microsoft: &MicrosoftProvider,
    access: &Access,
    calendar: &str,
    event: &CalendarEvent,
    expected: Expected<'_>,
) -> Result<PutOutcome, ProviderError> {
    let asks_for_meeting = matches!(event.meeting, Meeting::Request { .. });
    let with_meeting = asks_for_meeting && allows_teams(microsoft, access, calendar).await?;
    let target = Put { microsoft, access, calendar, event, with_meeting };
    let outcome = match expected {
        Expected::Create => target.create().await?,
        Expected::Update { etag } => target.update(&event.id, Known::Event { etag }, None).await?,
        Expected::UpdateAttendees { etag, gone } => target.update(&event.id, Known::Event { etag }, Some(gone)).await?,
    };
    Ok(match outcome.meeting {
        MeetingLink::None if asks_for_meeting => PutOutcome { meeting: MeetingLink::Failed, ..outcome },
        _ => outcome,
    })
}

/// Whether Teams makes meetings with the events of a calendar. Asked only when there is to be one: a meeting cannot be
/// undone, and asking for one where it is not allowed fails the event.
async fn allows_teams(microsoft: &MicrosoftProvider, access: &Access, calendar: &str) -> Result<bool, ProviderError> {
    if is_personal(access) {
        return Ok(false);
    }
    let mut request =
        microsoft.request(access, "calendars.get", Method::GET, "calendars/{calendar-id}", &[calendar])?;
    request.url.query_pairs_mut().append_pair("$select", "id,allowedOnlineMeetingProviders");
    let calendar: wire::Calendar = microsoft.call(request).await?;
    let allowed = calendar.allowed_online_meeting_providers.unwrap_or_default();
    Ok(!calendars::meetings(&allowed, false).is_empty())
}

/// What is known of an event that is to be changed.
#[derive(Clone, Copy)]
enum Known<'a> {
    /// That it is there, since its creation was refused. One at another time is left alone.
    Nothing,
    Event {
        etag: Option<&'a str>,
    },
}

/// An event to be put into a calendar.
struct Put<'a> {
    microsoft: &'a MicrosoftProvider,
    access: &'a Access,
    calendar: &'a str,
    event: &'a CalendarEvent,
    /// Whether Teams is to make a meeting, and does here.
    with_meeting: bool,
}

impl Put<'_> {
    /// Creates under the `transactionId` that belongs to the claim. When that is known already,
    /// - the event is there, and its answer was lost: it is brought up to date where it differs, and is the outcome; at another
    ///   time it is left alone;
    /// - it was deleted, or is in another calendar: the next `transactionId` is tried.
    ///
    /// Each follows from the claim and from what Graph holds, so a repetition arrives at the same event.
    async fn create(&self) -> Result<PutOutcome, ProviderError> {
        let Self { microsoft, access, calendar, event, with_meeting } = *self;
        let mark = event.mark.as_ref();
        let mark = mark.ok_or_else(|| ProviderError::Rejected("an event to create needs a mark".into()))?;
        for generation in 0..MAX_GENERATIONS {
            let mut request = microsoft.request(access, CREATE, Method::POST, EVENTS, &[calendar])?;
            request.classify = failure::classifier(access, Reading::Create);
            let body = create_body(event, generation, with_meeting);
            let response = microsoft.send(&request.with_json(&body)).await?;
            if !failure::is_duplicate(&response) {
                let created = read(access, CREATE, wire::parse(CREATE, &response.body)?)?.event;
                // A repetition may also be answered with the event that is there, as it was made.
                if created.is_at_time_of(event) {
                    return Ok(PutOutcome::of(created));
                }
                return self.update(&created.id, Known::Nothing, Some(&[])).await;
            }
            let existing = match failure::existing_event(&response) {
                Some(id) => Some(id),
                None => self.find(mark, generation).await?,
            };
            let Some(id) = existing else { continue };
            match self.update(&id, Known::Nothing, Some(&[])).await {
                Err(ProviderError::NotFound) => {}
                outcome => return outcome,
            }
        }
        Err(ProviderError::Rejected(format!("{CREATE}: {MAX_GENERATIONS} transaction ids are taken")))
    }

    /// The event in the calendar that bears the mark, when Graph does not say which one has the `transactionId`.
    async fn find(&self, mark: &EventMark, generation: u32) -> Result<Option<String>, ProviderError> {
        let mut request = self.microsoft.request(self.access, FIND, Method::GET, EVENTS, &[self.calendar])?;
        let value = transaction_id(mark, generation).replace('\'', "''");
        let filter = format!("singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq '{value}')");
        request.url.query_pairs_mut().append_pair("$filter", &filter).append_pair("$select", "id");
        let found: wire::Page<wire::Event> = self.microsoft.call(request).await?;
        Ok(found.value.unwrap_or_default().into_iter().find_map(|event| event.id))
    }

    /// Changes what differs, if anything does. Graph refuses a PATCH by 412 also when the event only changed in
    /// passing: then it is read and compared once more, and written if it is still what the caller knows.
    async fn update(&self, id: &str, known: Known<'_>, gone: Option<&[String]>) -> Result<PutOutcome, ProviderError> {
        let mut is_last = false;
        loop {
            let found = find(self.microsoft, self.access, self.calendar, id).await?.ok_or(ProviderError::NotFound)?;
            match known {
                Known::Event { etag: Some(etag) } if found.event.etag.as_deref() != Some(etag) => {
                    return Err(ProviderError::Conflict);
                }
                Known::Nothing if !found.event.is_at_time_of(self.event) => {
                    return Ok(PutOutcome::standing(found.event));
                }
                _ => {}
            }
            let difference = difference(&found.wire, &found.event, self.event, gone, self.with_meeting);
            if difference.is_empty() {
                return Ok(PutOutcome::of(found.event));
            }
            match self.patch(id, found.event.etag.as_deref(), difference).await {
                Err(ProviderError::Conflict) if !is_last => is_last = true,
                outcome => return outcome,
            }
        }
    }

    async fn patch(&self, id: &str, etag: Option<&str>, difference: Difference) -> Result<PutOutcome, ProviderError> {
        let mut members = difference.members;
        if let Some(description) = difference.above_meeting {
            members.insert("body".into(), self.body_above_meeting(id, &description).await?);
        }
        let request = self.microsoft.request(self.access, PATCH, Method::PATCH, EVENT, &[self.calendar, id])?;
        let mut request = request.with_json(&Value::Object(members));
        if let Some(etag) = etag {
            request = request.with_if_match(etag)?;
        }
        let changed = read(self.access, PATCH, self.microsoft.call(request).await?)?;
        if mapping::is_cancelled(&changed.wire) {
            return Err(ProviderError::NotFound);
        }
        Ok(PutOutcome::of(changed.event))
    }

    /// The body with another text and the meeting as it is.
    async fn body_above_meeting(&self, id: &str, description: &str) -> Result<Value, ProviderError> {
        let mut request = self.microsoft.request(self.access, GET, Method::GET, EVENT, &[self.calendar, id])?;
        request.url.query_pairs_mut().append_pair("$select", "id,body");
        let html = PREFERENCES.replace(r#"body-content-type="text""#, r#"body-content-type="html""#);
        request.headers.insert(PREFER, HeaderValue::try_from(html).expect("preferences are a header value"));
        let found: wire::Event = self.microsoft.call(request).await?;
        let html = found.body.and_then(|body| body.content).unwrap_or_default();
        Ok(match body::above_meeting(&html, description) {
            Some(html) => json!({"contentType": "html", "content": html}),
            None => json!({"contentType": "text", "content": description}),
        })
    }
}

fn read(access: &Access, operation: &str, event: wire::Event) -> Result<Found, ProviderError> {
    let read = mapping::event(event.clone(), own_address(access)).map_err(|why| why.told(operation, ""))?;
    Ok(Found { wire: event, event: read })
}

/// The request for one event with its mark, which no answer tells that is not asked for it.
pub(super) fn get_request(
    microsoft: &MicrosoftProvider,
    access: &Access,
    calendar: &str,
    id: &str,
) -> Result<ProviderRequest, ProviderError> {
    let mut request = microsoft.request(access, GET, Method::GET, EVENT, &[calendar, id])?;
    let expand = format!("singleValueExtendedProperties($filter=id eq '{MARK}')");
    request.url.query_pairs_mut().append_pair("$expand", &expand);
    Ok(request)
}

async fn find(
    microsoft: &MicrosoftProvider,
    access: &Access,
    calendar: &str,
    id: &str,
) -> Result<Option<Found>, ProviderError> {
    let found: wire::Event = match microsoft.call(get_request(microsoft, access, calendar, id)?).await {
        Err(ProviderError::NotFound) => return Ok(None),
        answer => answer?,
    };
    if mapping::is_cancelled(&found) {
        return Ok(None);
    }
    read(access, GET, found).map(Some)
}

/// The event; a series by its first instance that takes place.
pub(super) async fn get(
    microsoft: &MicrosoftProvider,
    access: &Access,
    calendar: &str,
    id: &str,
) -> Result<Option<CalendarEvent>, ProviderError> {
    let Some(Found { wire, event }) = find(microsoft, access, calendar, id).await? else { return Ok(None) };
    if wire.r#type.as_deref() != Some("seriesMaster") {
        return Ok(Some(event));
    }
    let begins = event.start.instant(chrono_tz::Tz::UTC) - TimeDelta::days(1);
    for days in FIRST_WITHIN {
        let mut request = microsoft.request(access, INSTANCES, Method::GET, "events/{event-id}/instances", &[id])?;
        request
            .url
            .query_pairs_mut()
            .append_pair("startDateTime", &query_time(begins))
            .append_pair("endDateTime", &query_time(begins + TimeDelta::days(days)));
        let found: Vec<wire::Event> = microsoft.all_pages(request).await?;
        let takes_place = found.into_iter().filter(|instance| !mapping::is_cancelled(instance));
        let instances = takes_place.map(|instance| Ok(read(access, INSTANCES, instance)?.event));
        let instances = instances.collect::<Result<Vec<_>, ProviderError>>()?;
        if let Some(first) = CalendarEvent::first_of(event.clone(), instances) {
            return Ok(Some(first));
        }
    }
    Ok(None)
}

/// Cancels the event, which tells the attendees and takes it out of the calendar, or deletes it. Graph has no deletion
/// that tells nobody once there are attendees; without `notify` the event is deleted nevertheless.
pub(super) async fn delete(
    microsoft: &MicrosoftProvider,
    access: &Access,
    calendar: &str,
    id: &str,
    notify: bool,
) -> Result<(), ProviderError> {
    if notify && is_ours_with_attendees(microsoft, access, calendar, id).await? {
        let request = microsoft.request(access, "events.cancel", Method::POST, "events/{event-id}/cancel", &[id])?;
        return gone_is_done(microsoft.send(&request.with_json(&Value::Object(Map::new()))).await);
    }
    let request = microsoft.request(access, "events.delete", Method::DELETE, EVENT, &[calendar, id])?;
    gone_is_done(microsoft.send(&request).await)
}

fn gone_is_done<T>(answer: Result<T, ProviderError>) -> Result<(), ProviderError> {
    match answer {
        Ok(_) | Err(ProviderError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Only the organizer can cancel, and only where somebody was invited. What is gone has neither.
async fn is_ours_with_attendees(
    microsoft: &MicrosoftProvider,
    access: &Access,
    calendar: &str,
    id: &str,
) -> Result<bool, ProviderError> {
    let mut request = microsoft.request(access, GET, Method::GET, EVENT, &[calendar, id])?;
    request.url.query_pairs_mut().append_pair("$select", "id,isOrganizer,isCancelled,attendees");
    match microsoft.call::<wire::Event>(request).await {
        Ok(found) => {
            let has_attendees = found.attendees.as_ref().is_some_and(|attendees| !attendees.is_empty());
            Ok(has_attendees && found.is_organizer.unwrap_or_default() && !mapping::is_cancelled(&found))
        }
        Err(ProviderError::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}
