//! Calendars that are subscribed to by the address of an iCalendar file: read, never written to, and polled.
//!
//! A file is read as a whole. Whether it has changed since is asked by its `ETag` or `Last-Modified`, or told by a digest where the
//! server has neither. A file with an event that cannot be read is refused, with a reason: that event might block time.
//!
//! The reasons of [`ProviderError::Rejected`] and [`FreeBusyProblem`] begin with a code: `private_address`, `too_large`, `refused`
//! (with the status), `not_a_calendar`, `too_many_dates`, `unknown_time_zone`, `floating_time`, `unreadable_event`, `read_only`.
//! Neither they nor any log tell the address, which is a secret.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{NaiveDateTime, TimeDelta};
use chrono_tz::Tz;
use cupo_core::interval::{Interval, normalize};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use crate::access::{Access, Target};
use crate::error::{NotificationError, ProviderError, ReauthReason};
use crate::event::{CalendarEvent, EventStatus, EventTime};
use crate::feed::{Feed, FeedError, FeedReader, Validators};
use crate::ics::{CalendarZone, IcsError, IcsEvent, IcsEvents, calendar_of, event_in, events_in};
use crate::provider::{
    CalendarFreeBusy, CalendarProvider, Changes, EventChange, Expected, FreeBusyProblem, Notification,
    ProviderCalendar, PutOutcome, Renewal, SyncCursor, Watch, WatchRequest,
};
use crate::secret::Secret;

/// The id of the one calendar of a feed.
const CALENDAR: &str = "feed";
const READ_ONLY: &str = "read_only";
/// How far from its place an instance is looked for that was moved.
const FURTHEST: TimeDelta = TimeDelta::days(370);

/// The adapter for calendar feeds.
#[derive(Debug, Clone)]
pub struct IcsProvider {
    reader: FeedReader,
}

/// Where the next round begins.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    window: Interval,
    validators: Validators,
    /// SHA-256 of the file, in hexadecimal.
    digest: String,
    /// Where the file says that the calendar is.
    time_zone: Option<Tz>,
    /// Where it was taken to be if the file does not say.
    host_zone: Option<Tz>,
}

impl Cursor {
    fn read(cursor: &SyncCursor) -> Result<Self, ProviderError> {
        serde_json::from_str(cursor.as_str()).map_err(|_| ProviderError::CursorExpired)
    }

    fn written(&self) -> Result<SyncCursor, ProviderError> {
        let text = serde_json::to_string(self).map_err(|error| ProviderError::Rejected(error.to_string()))?;
        Ok(SyncCursor::new(text))
    }
}

impl IcsProvider {
    pub fn new(reader: FeedReader) -> Self {
        Self { reader }
    }

    async fn file(&self, access: &Access, known: &Validators) -> Result<Feed, ProviderError> {
        self.reader.get_unless(address_of(access)?.expose(), known).await.map_err(refused)
    }

    /// The file in whatever version.
    async fn text(&self, access: &Access) -> Result<String, ProviderError> {
        match self.file(access, &Validators::default()).await? {
            Feed::Changed { text, .. } => Ok(text),
            // It was not asked whether anything has changed.
            Feed::Unchanged => Err(ProviderError::Transient("304".into())),
        }
    }

    async fn busy(&self, access: &Access, range: Interval) -> Result<Vec<Interval>, ProviderError> {
        let text = self.text(access).await?;
        let host_zone = access.time_zone();
        let read = parse(text, move |text| events_in(text, range, CalendarZone::OfFileOr(host_zone), None)).await?;
        let zone = read.time_zone.or(host_zone);
        let events: Vec<CalendarEvent> = read.events.into_iter().flat_map(instances).collect();
        let has_days = || events.iter().any(|event| matches!(event.start, EventTime::Day(_)));
        if zone.is_none() && has_days() {
            return Err(unreadable(IcsError::FloatingTime));
        }
        let zone = zone.unwrap_or(Tz::UTC);
        let busy = events.iter().filter_map(|event| event.busy_interval(zone)?.intersection(&range));
        Ok(normalize(busy.collect()))
    }
}

#[async_trait]
impl CalendarProvider for IcsProvider {
    async fn list_calendars(&self, access: &Access) -> Result<Vec<ProviderCalendar>, ProviderError> {
        let text = self.text(access).await?;
        let (name, time_zone) = parse(text, calendar_of).await?;
        let name = name.or_else(|| Some(Url::parse(address_of(access).ok()?.expose()).ok()?.host_str()?.to_owned()));
        Ok(vec![ProviderCalendar {
            id: CALENDAR.to_owned(),
            name: name.unwrap_or_else(|| CALENDAR.to_owned()),
            time_zone: time_zone.map(|zone| zone.name().to_owned()),
            color: None,
            can_write: false,
            is_primary: true,
            meetings: Vec::new(),
        }])
    }

    async fn changes(
        &self,
        access: &Access,
        calendar: &str,
        cursor: Option<&SyncCursor>,
        window: Interval,
    ) -> Result<Changes, ProviderError> {
        require(calendar)?;
        let host_zone = access.time_zone();
        // In another zone the same file tells other instants.
        let known = cursor.map(Cursor::read).transpose()?;
        let window = known.as_ref().map_or(window, |known| known.window);
        let known = known.filter(|known| known.host_zone == host_zone);
        let validators = known.as_ref().map(|known| known.validators.clone()).unwrap_or_default();
        let (text, validators) = match (self.file(access, &validators).await?, known.as_ref()) {
            (Feed::Changed { text, validators }, _) => (text, validators),
            (Feed::Unchanged, Some(known)) => return unchanged(known),
            (Feed::Unchanged, None) => return Err(ProviderError::Transient("304".into())),
        };
        let digest = format!("{:x}", Sha256::digest(&text));
        if let Some(known) = known.filter(|known| known.digest == digest) {
            return unchanged(&Cursor { validators, ..known });
        }
        let read = parse(text, move |text| events_in(text, window, CalendarZone::OfFileOr(host_zone), None)).await?;
        let IcsEvents { events, time_zone, .. } = read;
        let cursor = Cursor { window, validators, digest, time_zone, host_zone };
        Ok(Changes {
            events: events.into_iter().filter_map(change).collect(),
            series: Vec::new(),
            is_whole: true,
            cursor: cursor.written()?,
            time_zone: time_zone.map(|zone| zone.name().to_owned()),
        })
    }

    async fn free_busy(
        &self,
        access: &Access,
        calendars: &[&str],
        range: Interval,
    ) -> Result<Vec<CalendarFreeBusy>, ProviderError> {
        let busy = self.busy(access, range).await.map_err(|error| FreeBusyProblem { reason: reason(error) });
        let of = |calendar: &&str| {
            let known = require(calendar).map_err(|_| FreeBusyProblem { reason: "notFound".into() });
            CalendarFreeBusy { calendar: (*calendar).to_owned(), busy: known.and_then(|()| busy.clone()) }
        };
        Ok(calendars.iter().map(of).collect())
    }

    async fn put_event(
        &self,
        _access: &Access,
        _calendar: &str,
        _event: &CalendarEvent,
        _expected: Expected<'_>,
    ) -> Result<PutOutcome, ProviderError> {
        Err(ProviderError::Rejected(READ_ONLY.into()))
    }

    async fn get_event(
        &self,
        access: &Access,
        calendar: &str,
        id: &str,
    ) -> Result<Option<CalendarEvent>, ProviderError> {
        require(calendar)?;
        let text = self.text(access).await?;
        let (host_zone, id) = (access.time_zone(), id.to_owned());
        parse(text, move |text| find(text, CalendarZone::OfFileOr(host_zone), &id)).await
    }

    async fn delete_event(
        &self,
        _access: &Access,
        _calendar: &str,
        _id: &str,
        _notify: bool,
    ) -> Result<(), ProviderError> {
        Err(ProviderError::Rejected(READ_ONLY.into()))
    }

    /// Nothing can be written into a feed. Where it shows a calendar into which Cupo writes, it shows copies.
    fn is_original(&self, _: &CalendarEvent) -> bool {
        false
    }

    fn has_notifications(&self) -> bool {
        false
    }

    async fn watch(&self, _access: &Access, _calendar: &str, _channel: &WatchRequest) -> Result<Watch, ProviderError> {
        Err(ProviderError::Rejected("a calendar feed sends no notifications".into()))
    }

    async fn renew(&self, _access: &Access, _resource_id: &str, _ttl: Duration) -> Result<Renewal, ProviderError> {
        Err(ProviderError::Rejected("a calendar feed sends no notifications".into()))
    }

    async fn unwatch(&self, _access: &Access, _channel_id: &str, _resource_id: &str) -> Result<(), ProviderError> {
        Ok(())
    }

    fn read_notifications(&self, _headers: &HeaderMap, _body: &[u8]) -> Result<Vec<Notification>, NotificationError> {
        Err(NotificationError::Invalid("content-type"))
    }
}

fn address_of(access: &Access) -> Result<&Secret, ProviderError> {
    match access.target() {
        Target::Feed(address) => Ok(address),
        Target::Own | Target::Personal | Target::Mailbox(_) | Target::Home(_) => {
            Err(ProviderError::Rejected("a calendar feed has an address only".into()))
        }
    }
}

fn require(calendar: &str) -> Result<(), ProviderError> {
    if calendar == CALENDAR { Ok(()) } else { Err(ProviderError::NotFound) }
}

/// A file can keep a processor busy for a moment, so the async threads are spared.
async fn parse<T: Send + 'static>(
    text: String,
    read: impl FnOnce(&str) -> Result<T, IcsError> + Send + 'static,
) -> Result<T, ProviderError> {
    let read = tokio::task::spawn_blocking(move || read(&text)).await;
    read.map_err(|_| ProviderError::Rejected("not_a_calendar".into()))?.map_err(unreadable)
}

fn unchanged(known: &Cursor) -> Result<Changes, ProviderError> {
    Ok(Changes {
        events: Vec::new(),
        series: Vec::new(),
        is_whole: false,
        cursor: known.written()?,
        time_zone: known.time_zone.map(|zone| zone.name().to_owned()),
    })
}

fn instances(event: IcsEvent) -> Vec<CalendarEvent> {
    match event {
        IcsEvent::Single(event) => vec![event],
        IcsEvent::Series { instances, .. } => instances,
    }
}

fn change(event: IcsEvent) -> Option<EventChange> {
    match event {
        IcsEvent::Single(event) => Some(EventChange::Upsert(Box::new(event))),
        // A round is whole: a series without instances needs no mention.
        IcsEvent::Series { instances, .. } if instances.is_empty() => None,
        IcsEvent::Series { uid, instances } => Some(EventChange::Series { id: uid, instances }),
    }
}

/// The event of this id: a `UID`, or that of an instance, which tells when the instance was to begin.
fn find(text: &str, zone: CalendarZone, id: &str) -> Result<Option<CalendarEvent>, IcsError> {
    if let Some(event) = event_in(text, Some(id), zone, None)? {
        return Ok(Some(event).filter(|event| event.status != EventStatus::Cancelled));
    }
    let original = id.rsplit_once('#').map(|(_, at)| at.split('+').next().unwrap_or_default());
    let Some(original) = original.and_then(|at| NaiveDateTime::parse_from_str(at, "%Y%m%dT%H%M%SZ").ok()) else {
        return Ok(None);
    };
    let (Some(start), Some(end)) = (original.checked_sub_signed(FURTHEST), original.checked_add_signed(FURTHEST))
    else {
        return Ok(None);
    };
    let around = Interval { start: start.and_utc(), end: end.and_utc() };
    let read = events_in(text, around, zone, None)?;
    Ok(read.events.into_iter().flat_map(instances).find(|event| event.id == id))
}

/// A server that wants to know who asks no longer takes the address for enough (401): the host must bring another. What
/// forbids (403) may be tired of being asked, and is asked again.
fn refused(error: FeedError) -> ProviderError {
    match error {
        FeedError::PrivateAddress => ProviderError::Rejected("private_address".into()),
        FeedError::TooLarge => ProviderError::Rejected("too_large".into()),
        FeedError::Transient(why) => ProviderError::Transient(why),
        FeedError::Throttled(pause) => ProviderError::Throttled(pause),
        FeedError::Refused(why) => match why.as_str() {
            "401" => ProviderError::Reauth(ReauthReason::GrantRevoked),
            "404" | "410" => ProviderError::NotFound,
            _ => ProviderError::Rejected(format!("refused {why}")),
        },
    }
}

fn unreadable(error: IcsError) -> ProviderError {
    let reason = match &error {
        IcsError::TooLarge => "too_large".to_owned(),
        IcsError::Unreadable => "not_a_calendar".to_owned(),
        IcsError::TooMany => "too_many_dates".to_owned(),
        IcsError::FloatingTime => "floating_time".to_owned(),
        IcsError::UnknownTimeZone(_) => format!("unknown_time_zone: {error}"),
        IcsError::UnreadableEvent { .. } => format!("unreadable_event: {error}"),
    };
    ProviderError::Rejected(reason)
}

fn reason(error: ProviderError) -> String {
    match error {
        ProviderError::Rejected(reason) => reason,
        ProviderError::NotFound => "notFound".to_owned(),
        other => other.to_string(),
    }
}
