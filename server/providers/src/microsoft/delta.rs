//! `calendarView/delta`: what changed in a calendar (<https://learn.microsoft.com/graph/delta-query-events>).

use std::collections::{HashMap, HashSet};

use cupo_core::interval::Interval;
use http::{HeaderValue, Method};

use super::failure::Reading;
use super::free_busy::query_time;
use super::{MAX_PAGES, MicrosoftProvider, PREFER, PREFERENCES, batch, events, failure, mapping, wire};
use crate::access::{Access, Target};
use crate::error::ProviderError;
use crate::provider::{Changes, EventChange, SyncCursor};
use crate::transport::ProviderRequest;

const DELTA: &str = "calendarView.delta";
const PATH: &str = "calendars/{calendar-id}/calendarView/delta";
const PAGE_SIZE: u32 = 200;

/// One round, all pages. The window goes with the first request of the first round alone: every other address is one
/// that Graph gave, whole.
///
/// Without a cursor, what the answers call removed is simply not in the window. With one, Graph calls so what was
/// deleted and what only left the window: each is asked for, and one that is still there is told as it is now.
pub(super) async fn changes(
    microsoft: &MicrosoftProvider,
    access: &Access,
    calendar: &str,
    cursor: Option<&SyncCursor>,
    window: Interval,
) -> Result<Changes, ProviderError> {
    let (items, delta_link) = read_round(microsoft, access, calendar, cursor, window).await?;
    let is_whole = cursor.is_none();
    let round = Round::of(items)?;
    let (masters, instances) = series(microsoft, access, calendar, &round, is_whole, window).await?;
    let named: Vec<String> = round.events.iter().filter_map(|item| item.series_master_id.clone()).collect();
    let mut events = Vec::new();
    for item in round.events.into_iter().chain(instances) {
        let master = item.series_master_id.as_ref().and_then(|id| masters.get(id));
        events.push(change(access, inherit(item, master))?);
    }
    if !is_whole {
        events.extend(confirm_removed(microsoft, access, calendar, &round.removed).await?);
    }
    let mut series: Vec<String> = masters.into_keys().chain(named).collect();
    series.sort();
    series.dedup();
    Ok(Changes { events, series, is_whole, cursor: SyncCursor::new(delta_link), time_zone: None })
}

/// The items of all pages, and the delta link.
async fn read_round(
    microsoft: &MicrosoftProvider,
    access: &Access,
    calendar: &str,
    cursor: Option<&SyncCursor>,
    window: Interval,
) -> Result<(Vec<wire::Event>, String), ProviderError> {
    let mut request = match cursor {
        // A link that is of another Graph than the present one says nothing here.
        Some(cursor) => {
            let link = microsoft.checked_link(cursor.as_str(), DELTA).map_err(|_| ProviderError::CursorExpired)?;
            microsoft.request_to(access, DELTA, Method::GET, PATH, link)
        }
        None => {
            let mut request = microsoft.request(access, DELTA, Method::GET, PATH, &[calendar])?;
            request
                .url
                .query_pairs_mut()
                .append_pair("startDateTime", &query_time(window.start))
                .append_pair("endDateTime", &query_time(window.end));
            request
        }
    };
    request.classify = failure::classifier(access, Reading::Delta);
    let preferences = format!("{PREFERENCES}, odata.maxpagesize={PAGE_SIZE}");
    request.headers.insert(PREFER, HeaderValue::try_from(preferences).expect("preferences are a header value"));
    let mut items = Vec::new();
    for _ in 0..MAX_PAGES {
        let page: wire::Page<wire::Event> = microsoft.call(request.clone()).await?;
        items.extend(page.value.unwrap_or_default());
        if let Some(delta_link) = page.delta_link {
            return Ok((items, delta_link));
        }
        let next = page.next_link.ok_or_else(|| wire::unreadable(DELTA, "@odata.deltaLink"))?;
        request = ProviderRequest { url: microsoft.checked_link(&next, DELTA)?, ..request };
    }
    Err(ProviderError::Rejected(format!("{DELTA}: more than {MAX_PAGES} pages")))
}

/// A round, sorted.
#[derive(Debug, Default)]
struct Round {
    /// Single events, occurrences and exceptions.
    events: Vec<wire::Event>,
    /// Series, which take no time themselves, by id.
    masters: HashMap<String, wire::Event>,
    /// The ids of what is gone or left the window.
    removed: Vec<String>,
}

impl Round {
    /// An event may come several times: the last one holds.
    fn of(items: Vec<wire::Event>) -> Result<Self, ProviderError> {
        let mut round = Self::default();
        let mut seen = HashSet::new();
        for item in items.into_iter().rev() {
            let id = item.id.clone().ok_or_else(|| wire::unreadable(DELTA, "value[].id"))?;
            if !seen.insert(id.clone()) {
                continue;
            }
            if item.removed.is_some() {
                round.removed.push(id);
            } else if item.r#type.as_deref() == Some("seriesMaster") {
                round.masters.insert(id, item);
            } else {
                round.events.push(item);
            }
        }
        round.events.reverse();
        round.removed.reverse();
        Ok(round)
    }
}

/// The series that the round's occurrences take their content from, and the occurrences of series that changed without
/// any: the answers do not say that they would name them then.
async fn series(
    microsoft: &MicrosoftProvider,
    access: &Access,
    calendar: &str,
    round: &Round,
    is_whole: bool,
    window: Interval,
) -> Result<(HashMap<String, wire::Event>, Vec<wire::Event>), ProviderError> {
    const INSTANCES: &str = "events.instances";
    let mut masters = round.masters.clone();
    let bare = round.events.iter().filter(|item| item.show_as.is_none());
    let unknown: HashSet<&String> =
        bare.filter_map(|item| item.series_master_id.as_ref()).filter(|id| !masters.contains_key(*id)).collect();
    let requests = unknown.into_iter().map(|id| events::get_request(microsoft, access, calendar, id));
    for answer in batch::ask(microsoft, access, &requests.collect::<Result<Vec<_>, _>>()?).await? {
        match answer {
            Ok(response) => {
                let master: wire::Event = wire::parse(DELTA, &response.body)?;
                masters.extend(master.id.clone().map(|id| (id, master)));
            }
            // Then its occurrences will be told as removed; until then they block.
            Err(ProviderError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    let mut instances = Vec::new();
    if !is_whole {
        let occurrences = round.events.iter().filter(|item| item.r#type.as_deref() == Some("occurrence"));
        let named: HashSet<&String> = occurrences.filter_map(|item| item.series_master_id.as_ref()).collect();
        for id in round.masters.keys().filter(|id| !named.contains(id)) {
            let mut request =
                microsoft.request(access, INSTANCES, Method::GET, "events/{event-id}/instances", &[id])?;
            request
                .url
                .query_pairs_mut()
                .append_pair("startDateTime", &query_time(window.start))
                .append_pair("endDateTime", &query_time(window.end));
            match microsoft.all_pages(request).await {
                Ok(more) => instances.extend::<Vec<wire::Event>>(more),
                Err(ProviderError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok((masters, instances))
}

/// An occurrence may come with its times alone: the rest is its series'. Not the mark, for Cupo writes no series; nor
/// the text, which whoever invites may make long, and of which each occurrence would hold one.
fn inherit(item: wire::Event, master: Option<&wire::Event>) -> wire::Event {
    let Some(master) = master.filter(|_| item.show_as.is_none()).cloned() else { return item };
    wire::Event {
        subject: item.subject.or(master.subject),
        location: item.location.or(master.location),
        original_start_time_zone: item.original_start_time_zone.or(master.original_start_time_zone),
        original_end_time_zone: item.original_end_time_zone.or(master.original_end_time_zone),
        is_all_day: item.is_all_day.or(master.is_all_day),
        is_cancelled: item.is_cancelled.or(master.is_cancelled),
        is_organizer: item.is_organizer.or(master.is_organizer),
        show_as: master.show_as,
        sensitivity: item.sensitivity.or(master.sensitivity),
        response_status: item.response_status.or(master.response_status),
        organizer: item.organizer.or(master.organizer),
        attendees: item.attendees.or(master.attendees),
        hide_attendees: item.hide_attendees.or(master.hide_attendees),
        is_reminder_on: item.is_reminder_on.or(master.is_reminder_on),
        reminder_minutes_before_start: item.reminder_minutes_before_start.or(master.reminder_minutes_before_start),
        is_online_meeting: item.is_online_meeting.or(master.is_online_meeting),
        online_meeting: item.online_meeting.or(master.online_meeting),
        online_meeting_url: item.online_meeting_url.or(master.online_meeting_url),
        web_link: item.web_link.or(master.web_link),
        body: item.body,
        ..item
    }
}

fn change(access: &Access, item: wire::Event) -> Result<EventChange, ProviderError> {
    if mapping::is_cancelled(&item) {
        return Ok(EventChange::Removed { id: item.id.ok_or_else(|| wire::unreadable(DELTA, "value[].id"))? });
    }
    let event = mapping::event(item, own_address(access)).map_err(|why| why.told(DELTA, "value[]."))?;
    Ok(EventChange::Upsert(Box::new(event)))
}

/// The address of the mailbox, where it is known without asking.
pub(super) fn own_address(access: &Access) -> Option<&str> {
    match access.target() {
        Target::Mailbox(address) => Some(address),
        _ => None,
    }
}

async fn confirm_removed(
    microsoft: &MicrosoftProvider,
    access: &Access,
    calendar: &str,
    removed: &[String],
) -> Result<Vec<EventChange>, ProviderError> {
    let requests = removed.iter().map(|id| events::get_request(microsoft, access, calendar, id));
    let answers = batch::ask(microsoft, access, &requests.collect::<Result<Vec<_>, _>>()?).await?;
    let mut changes = Vec::new();
    for (id, answer) in removed.iter().zip(answers) {
        match answer {
            Err(ProviderError::NotFound) => changes.push(EventChange::Removed { id: id.clone() }),
            Err(error) => return Err(error),
            Ok(response) => {
                let found: wire::Event = wire::parse(DELTA, &response.body)?;
                // A series that is still there: each of its occurrences is told by itself.
                if found.r#type.as_deref() != Some("seriesMaster") || mapping::is_cancelled(&found) {
                    changes.push(change(access, found)?);
                }
            }
        }
    }
    Ok(changes)
}

/// For the test that no answer makes the adapter panic.
#[cfg(test)]
pub(super) fn read_any_page(bytes: &[u8]) {
    let access = Access::bearer("account", crate::secret::Secret::new("token"));
    let page = wire::parse::<wire::Page<wire::Event>>(DELTA, bytes);
    let Ok(round) = page.and_then(|page| Round::of(page.value.unwrap_or_default())) else { return };
    for item in round.events {
        let master = item.series_master_id.as_ref().and_then(|id| round.masters.get(id));
        let _read_or_refused = change(&access, inherit(item, master));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::event::Transparency;

    fn round(items: &Value) -> Round {
        let page: wire::Page<wire::Event> = wire::parse(DELTA, json!({"value": items}).to_string().as_bytes()).unwrap();
        Round::of(page.value.unwrap()).unwrap()
    }

    fn ids(events: &[wire::Event]) -> Vec<&str> {
        events.iter().filter_map(|event| event.id.as_deref()).collect()
    }

    #[test]
    fn of_several_items_of_one_event_the_last_one_holds() {
        let round = round(&json!([
            {"id": "a", "subject": "old"},
            {"id": "b"},
            {"id": "c", "@removed": {"reason": "changed"}},
            {"id": "a", "subject": "new"},
            {"id": "b", "@removed": {"reason": "deleted"}},
            {"id": "A", "subject": "ids are case-sensitive"},
            {"id": "c"},
        ]));
        assert_eq!(ids(&round.events), ["a", "A", "c"]);
        assert_eq!(round.events[0].subject.as_deref(), Some("new"));
        assert_eq!(round.removed, ["b"]);
    }

    #[test]
    fn an_occurrence_without_content_takes_that_of_its_series_which_takes_no_time_itself() {
        let time = |hour: u32| json!({"dateTime": format!("2026-11-02T{hour:02}:00:00.0000000"), "timeZone": "UTC"});
        let round = round(&json!([
            {"id": "m", "type": "seriesMaster", "subject": "Lunch", "showAs": "free", "start": time(9), "end": time(10),
             "transactionId": "cupo:018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e:0:here"},
            {"id": "o", "type": "occurrence", "seriesMasterId": "m", "start": time(12), "end": time(13)},
            {"id": "x", "type": "exception", "seriesMasterId": "m", "subject": "Late lunch", "showAs": "busy",
             "start": time(14), "end": time(15)},
        ]));
        assert_eq!(ids(&round.events), ["o", "x"]);
        let access = Access::bearer("account", crate::secret::Secret::new("token"));
        let read = |index: usize| match change(&access, inherit(round.events[index].clone(), round.masters.get("m"))) {
            Ok(EventChange::Upsert(event)) => event,
            other => panic!("{other:?}"),
        };
        let occurrence = read(0);
        assert_eq!((occurrence.title.as_str(), occurrence.transparency), ("Lunch", Transparency::Transparent));
        assert_eq!((occurrence.recurring_event_id.as_deref(), &occurrence.mark), (Some("m"), &None));
        let exception = read(1);
        assert_eq!((exception.title.as_str(), exception.transparency), ("Late lunch", Transparency::Opaque));
    }

    #[test]
    fn a_cancelled_event_and_the_occurrences_of_a_cancelled_series_are_removed() {
        let round = round(&json!([
            {"id": "m", "type": "seriesMaster", "isCancelled": true, "showAs": "busy"},
            {"id": "o", "type": "occurrence", "seriesMasterId": "m"},
            {"id": "a", "isCancelled": true},
        ]));
        let access = Access::bearer("account", crate::secret::Secret::new("token"));
        for (item, id) in round.events.into_iter().zip(["o", "a"]) {
            let master = item.series_master_id.as_ref().and_then(|id| round.masters.get(id));
            assert_eq!(change(&access, inherit(item, master)), Ok(EventChange::Removed { id: id.into() }));
        }
    }
}
