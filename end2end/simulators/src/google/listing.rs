//! `events.list` and `events.instances`: selection, paging and sync tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::recurrence::{self, Window};
use super::render::{self, Rendering};
use super::wire::{ApiError, Query};
use super::world::{Calendar, Event};

/// What `syncToken` may not be combined with.
const FORBIDDEN_WITH_SYNC_TOKEN: [&str; 8] = [
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
];

/// A full list with one of these yields no sync token.
const WITHOUT_SYNC_TOKEN: [&str; 6] =
    ["iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "updatedMin"];

/// How far an endless rule is followed where the request sets no end.
const HORIZON: TimeDelta = TimeDelta::days(730);
/// How old `updatedMin` may be.
const UPDATED_MIN_LIMIT: TimeDelta = TimeDelta::days(28);

/// The part of a list that later pages and incremental syncs must repeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Shape {
    calendar: String,
    single_events: bool,
    event_types: Vec<String>,
    time_min: Option<DateTime<Utc>>,
    time_max: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SyncToken {
    epoch: u64,
    /// The calendar's change up to which everything was told.
    change: u64,
    shape: Shape,
}

#[derive(Debug, Serialize, Deserialize)]
struct PageToken {
    query: String,
    after: (i64, String),
    /// The calendar's change when the first page was made: what changes meanwhile comes with the next sync.
    change: u64,
}

/// An event of a list, or an instance of one, with the change that last concerned it.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: String,
    pub event: Event,
}

impl Entry {
    fn overlaps(&self, calendar: &Calendar, from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> bool {
        let (start, end) = (self.event.start.instant(calendar.time_zone), self.event.end.instant(calendar.time_zone));
        from.is_none_or(|from| end > from) && to.is_none_or(|to| start < to)
    }
}

/// Single events and instances that overlap `window`, cancelled ones left out, by start.
pub fn occurrences(calendar: &Calendar, window: Window) -> Vec<Entry> {
    let mut entries = expanded(calendar, window, None);
    entries.retain(|entry| !entry.event.cancelled && entry.overlaps(calendar, Some(window.from), Some(window.to)));
    entries.sort_by_key(|entry| (entry.event.start.instant(calendar.time_zone), entry.id.clone()));
    entries
}

/// `events.list` of `calendar`.
pub fn list(rendering: Rendering<'_>, query: &Query, epoch: u64, now: DateTime<Utc>) -> Result<Value, ApiError> {
    let calendar = rendering.calendar;
    let request = Request::read(query, calendar, epoch, now)?;
    let entries = request.select(calendar, query, now)?;
    let mut page = request.page(entries, rendering, query)?;
    if request.since.is_none() && WITHOUT_SYNC_TOKEN.iter().any(|name| query.get(name).is_some()) {
        page.next_sync_token = None;
    }
    Ok(page.answer(calendar, now))
}

/// `events.instances` of the recurring event `id`.
pub fn instances(
    rendering: Rendering<'_>,
    id: &str,
    query: &Query,
    epoch: u64,
    now: DateTime<Utc>,
) -> Result<Value, ApiError> {
    let calendar = rendering.calendar;
    calendar.events.get(id).ok_or_else(ApiError::not_found)?;
    let mut request = Request::read(query, calendar, epoch, now)?;
    request.shape.single_events = true;
    let original = query.instant("originalStart")?;
    let mut entries = request.select(calendar, query, now)?;
    entries.retain(|entry| {
        entry.event.instance_of.as_ref().is_some_and(|of| {
            let starts = of.original_start.instant(calendar.time_zone);
            of.recurring_event_id == id && original.is_none_or(|original| original == starts)
        })
    });
    let mut page = request.page(entries, rendering, query)?;
    page.next_sync_token = None;
    Ok(page.answer(calendar, now))
}

/// A list request, read.
struct Request {
    epoch: u64,
    shape: Shape,
    /// Only what changed after this; from the sync token.
    since: Option<u64>,
    /// The change that the next sync token will carry.
    up_to: u64,
    show_deleted: bool,
    after: Option<(i64, String)>,
    max_results: usize,
    order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Id,
    Start,
    Updated,
}

impl Request {
    fn read(query: &Query, calendar: &Calendar, epoch: u64, now: DateTime<Utc>) -> Result<Self, ApiError> {
        let single_events = query.flag("singleEvents")?.unwrap_or(false);
        let show_deleted = query.flag("showDeleted")?;
        let max_results = query.integer("maxResults", 1..=usize::MAX)?.unwrap_or(250).min(2_500);
        let order = match query.one_of("orderBy", &["startTime", "updated"])? {
            Some("startTime") if !single_events => {
                let message = "The requested ordering is not available for the particular query.";
                return Err(ApiError::bad_parameter("orderBy", message));
            }
            Some("startTime") => Order::Start,
            Some(_) => Order::Updated,
            None => Order::Id,
        };
        let shape = Shape {
            calendar: calendar.id.clone(),
            single_events,
            event_types: query.all("eventTypes").into_iter().map(str::to_owned).collect(),
            time_min: query.instant("timeMin")?,
            time_max: query.instant("timeMax")?,
        };
        if let (Some(from), Some(to)) = (shape.time_min, shape.time_max)
            && to <= from
        {
            let message = "The specified time range is empty.";
            let error = ApiError::new(StatusCode::BAD_REQUEST, "timeRangeEmpty", message).in_domain("calendar");
            return Err(error.at("parameter", "timeMax"));
        }
        let mut request = Self {
            epoch,
            shape,
            since: None,
            up_to: calendar.change,
            show_deleted: show_deleted.unwrap_or(false),
            after: None,
            max_results,
            order,
        };
        if let Some(token) = query.get("syncToken") {
            request.resume(token, query, show_deleted)?;
        }
        if query.instant("updatedMin")?.is_some_and(|min| min < now - UPDATED_MIN_LIMIT) {
            let message = "The requested minimum modification time lies too far in the past.";
            let error = ApiError::new(StatusCode::GONE, "updatedMinTooLongAgo", message).in_domain("calendar");
            return Err(error.at("parameter", "updatedMin"));
        }
        if let Some(token) = query.get("pageToken") {
            let page: PageToken = decode(token, "pageToken")?;
            if page.query != fingerprint(query) {
                return Err(ApiError::bad_parameter("pageToken", "The page token belongs to another query."));
            }
            (request.after, request.up_to) = (Some(page.after), page.change);
        }
        Ok(request)
    }

    fn resume(&mut self, token: &str, query: &Query, show_deleted: Option<bool>) -> Result<(), ApiError> {
        if let Some(name) = FORBIDDEN_WITH_SYNC_TOKEN.iter().find(|name| query.get(name).is_some()) {
            let message = format!("Sync token cannot be used together with {name}.");
            return Err(ApiError::bad_parameter(name, message));
        }
        if show_deleted == Some(false) {
            return Err(ApiError::bad_parameter("showDeleted", "Sync token cannot be used with showDeleted=false."));
        }
        let token: SyncToken = decode(token, "syncToken")?;
        let same = token.shape.calendar == self.shape.calendar
            && token.shape.single_events == self.shape.single_events
            && token.shape.event_types == self.shape.event_types;
        if !same {
            let message = "The parameters must be those of the list that gave the sync token.";
            return Err(ApiError::bad_parameter("syncToken", message));
        }
        if token.epoch != self.epoch {
            return Err(full_sync_required());
        }
        self.since = Some(token.change);
        self.shape = token.shape;
        Ok(())
    }

    fn window(&self, now: DateTime<Utc>) -> Window {
        let from = self.shape.time_min.unwrap_or(DateTime::UNIX_EPOCH);
        Window { from, to: self.shape.time_max.unwrap_or_else(|| now.max(from) + HORIZON) }
    }

    fn select(&self, calendar: &Calendar, query: &Query, now: DateTime<Utc>) -> Result<Vec<Entry>, ApiError> {
        let window = self.window(now);
        let mut entries = if self.shape.single_events {
            expanded(calendar, window, self.since)
        } else {
            let stored = calendar.events.iter();
            stored.map(|(id, event)| Entry { id: id.clone(), event: event.clone() }).collect()
        };
        let filter = Filter::read(query)?;
        entries.retain(|entry| {
            let told = if let Some(since) = self.since {
                entry.event.change > since
            } else {
                (!entry.event.cancelled || self.shows_cancelled(entry, calendar))
                    && self.within_window(entry, calendar, window)
            };
            let type_wanted = self.shape.event_types.is_empty() || {
                let own = entry.event.text("eventType").unwrap_or("default");
                self.shape.event_types.iter().any(|wanted| wanted == own)
            };
            told && type_wanted && filter.accepts(entry)
        });
        Ok(entries)
    }

    fn shows_cancelled(&self, entry: &Entry, calendar: &Calendar) -> bool {
        if self.show_deleted {
            return true;
        }
        let series = entry.event.instance_of.as_ref().and_then(|of| calendar.events.get(&of.recurring_event_id));
        !self.shape.single_events && series.is_some_and(|series| !series.cancelled)
    }

    fn within_window(&self, entry: &Entry, calendar: &Calendar, window: Window) -> bool {
        let (from, to) = (self.shape.time_min, self.shape.time_max);
        if entry.event.recurrence.is_empty() || (from.is_none() && to.is_none()) {
            return entry.overlaps(calendar, from, to);
        }
        let starts = spread(&entry.event, window, calendar);
        let found = recurrence::starts(entry.event.start, &entry.event.recurrence, starts, calendar.time_zone);
        found.into_iter().any(|original| {
            let event = recurrence::instance(&entry.id, &entry.event, original);
            Entry { id: String::new(), event }.overlaps(calendar, from, to)
        })
    }

    fn page(&self, mut entries: Vec<Entry>, rendering: Rendering<'_>, query: &Query) -> Result<Page, ApiError> {
        let calendar = rendering.calendar;
        let key = |entry: &Entry| {
            let position = match self.order {
                Order::Id => 0,
                Order::Start => entry.event.start.instant(calendar.time_zone).timestamp_micros(),
                Order::Updated => entry.event.updated.timestamp_micros(),
            };
            (position, entry.id.clone())
        };
        entries.sort_by_cached_key(key);
        if let Some(after) = &self.after {
            entries.retain(|entry| key(entry) > *after);
        }
        let more = entries.len() > self.max_results;
        entries.truncate(self.max_results);
        let rendering = rendering.in_zone(query.time_zone("timeZone")?);
        let items = entries.iter().map(|entry| match entry.event.cancelled {
            true => rendering.cancelled(&entry.id, &entry.event),
            false => rendering.event(&entry.id, &entry.event),
        });
        let items = items.collect();
        let (next_page_token, next_sync_token) = match entries.last().filter(|_| more) {
            Some(last) => {
                let token = PageToken { query: fingerprint(query), after: key(last), change: self.up_to };
                (Some(encode(&token)), None)
            }
            None => {
                let token = SyncToken { epoch: self.epoch, change: self.up_to, shape: self.shape.clone() };
                (None, Some(encode(&token)))
            }
        };
        Ok(Page { items, zone: rendering.zone, next_page_token, next_sync_token })
    }
}

struct Page {
    items: Vec<Value>,
    zone: chrono_tz::Tz,
    next_page_token: Option<String>,
    next_sync_token: Option<String>,
}

impl Page {
    fn answer(self, calendar: &Calendar, now: DateTime<Utc>) -> Value {
        let updated = calendar.events.values().map(|event| event.updated).max().unwrap_or(now);
        let mut answer = json!({
            "kind": "calendar#events",
            "etag": Calendar::etag(calendar.change),
            "summary": calendar.summary,
            "description": "",
            "updated": render::instant(updated),
            "timeZone": self.zone.name(),
            "accessRole": if calendar.owner.is_some() { "owner" } else { "reader" },
            "defaultReminders": [],
            "items": self.items,
        });
        if let Some(token) = self.next_page_token {
            answer["nextPageToken"] = json!(token);
        }
        if let Some(token) = self.next_sync_token {
            answer["nextSyncToken"] = json!(token);
        }
        answer
    }
}

struct Filter<'a> {
    ical_uid: Option<&'a str>,
    text: Option<String>,
    properties: Vec<(&'static str, &'a str, &'a str)>,
    updated_min: Option<DateTime<Utc>>,
}

impl<'a> Filter<'a> {
    fn read(query: &'a Query) -> Result<Self, ApiError> {
        let mut properties = Vec::new();
        for (parameter, kind) in [("privateExtendedProperty", "private"), ("sharedExtendedProperty", "shared")] {
            for constraint in query.all(parameter) {
                let parts = constraint.split_once('=');
                let (name, value) = parts.ok_or_else(|| ApiError::bad_parameter(parameter, "Expected name=value."))?;
                properties.push((kind, name, value));
            }
        }
        let text = query.get("q").map(str::to_lowercase);
        Ok(Self { ical_uid: query.get("iCalUID"), text, properties, updated_min: query.instant("updatedMin")? })
    }

    fn accepts(&self, entry: &Entry) -> bool {
        let event = &entry.event;
        let uid_of = event.instance_of.as_ref().map_or(&entry.id, |of| &of.recurring_event_id);
        let says = |wanted: &String| {
            let fields = ["summary", "description", "location"].iter().filter_map(|name| event.text(name));
            fields.map(str::to_lowercase).any(|field| field.contains(wanted))
                || event.attendee_emails().iter().any(|email| email.contains(wanted))
        };
        let has = |(kind, name, value): &(&str, &str, &str)| {
            let properties = event.members.get("extendedProperties").and_then(|all| all.get(*kind));
            properties.and_then(|of_kind| of_kind.get(*name)).and_then(Value::as_str) == Some(*value)
        };
        self.ical_uid.is_none_or(|uid| uid.strip_suffix("@google.com") == Some(uid_of))
            && self.text.as_ref().is_none_or(says)
            && self.properties.iter().all(has)
            && self.updated_min.is_none_or(|min| event.updated >= min)
    }
}

/// Single events, instances by the rules, and instances that stand by themselves. With `since`, also the instances
/// that a rule had until a later change, as cancelled.
fn expanded(calendar: &Calendar, window: Window, since: Option<u64>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (id, event) in &calendar.events {
        if event.recurrence.is_empty() {
            entries.push(Entry { id: id.clone(), event: event.clone() });
            if event.former_rules.is_empty() {
                continue;
            }
        }
        let by_rule = |start, recurrence: &[String]| {
            recurrence::starts(start, recurrence, spread(event, window, calendar), calendar.time_zone)
        };
        let current = if event.cancelled || event.recurrence.is_empty() {
            Vec::new()
        } else {
            by_rule(event.start, &event.recurrence)
        };
        let mut gone = Vec::new();
        for former in event.former_rules.iter().filter(|former| since.is_some_and(|since| former.until > since)) {
            gone.extend(by_rule(former.start, &former.recurrence));
        }
        gone.retain(|original| !current.contains(original));
        gone.sort_by_key(|original| original.instance_suffix());
        gone.dedup();
        let instances = current.into_iter().map(|original| (original, false));
        for (original, cancelled) in instances.chain(gone.into_iter().map(|original| (original, true))) {
            let instance_id = recurrence::instance_id(id, original);
            if !calendar.events.contains_key(&instance_id) {
                let mut event = recurrence::instance(id, event, original);
                event.cancelled |= cancelled;
                entries.push(Entry { id: instance_id, event });
            }
        }
    }
    entries
}

/// The window of starts in which an event as long as this one can reach into `window`.
fn spread(event: &Event, window: Window, calendar: &Calendar) -> Window {
    let length = event.end.instant(calendar.time_zone) - event.start.instant(calendar.time_zone);
    Window { from: window.from - length, to: window.to }
}

/// The sync token of a calendar list.
pub fn list_token(epoch: u64) -> String {
    encode(&epoch)
}

/// Refuses a calendar list's sync token that is malformed (400) or expired (410).
pub fn check_list_token(token: &str, epoch: u64) -> Result<(), ApiError> {
    if decode::<u64>(token, "syncToken")? == epoch { Ok(()) } else { Err(full_sync_required()) }
}

fn full_sync_required() -> ApiError {
    let message = "Sync token is no longer valid, a full sync is required.";
    let error = ApiError::new(StatusCode::GONE, "fullSyncRequired", message).in_domain("calendar");
    error.at("parameter", "syncToken")
}

/// What must be the same on every page: the query without paging.
fn fingerprint(query: &Query) -> String {
    query.without(&["pageToken", "maxResults"])
}

fn encode(token: &impl Serialize) -> String {
    let json = serde_json::to_vec(token).expect("a token is plain data");
    URL_SAFE_NO_PAD.encode(json)
}

fn decode<T: DeserializeOwned>(token: &str, name: &str) -> Result<T, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let token = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    token.ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, "invalid", "Invalid value.").at("parameter", name))
}
