//! The one trait that every calendar provider implements, and the values that pass through it.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use cupo_core::interval::Interval;
use http::HeaderMap;

use crate::access::Access;
use crate::error::{NotificationError, ProviderError};
use crate::event::{CalendarEvent, MeetingKind, MeetingLink};
use crate::secret::Secret;

/// A calendar service: what Cupo asks of Google Calendar, Microsoft 365 or a CalDAV server.
///
/// `calendar` and event ids are the provider's own. Every call may be repeated: those that write carry a deterministic
/// identity, so that a repetition after a lost answer finds its effect instead of making another.
#[async_trait]
pub trait CalendarProvider: Send + Sync {
    /// Every calendar of the account that the token opens.
    async fn list_calendars(&self, access: &Access) -> Result<Vec<ProviderCalendar>, ProviderError>;

    /// Everything that changed since `cursor`, all pages. Without a cursor a full round begins, which tells the events
    /// that overlap `window`; the rounds that follow it keep that window, whatever is given.
    ///
    /// [`ProviderError::CursorExpired`] asks for a full round, [`ProviderError::NotFound`] says that the calendar is gone.
    async fn changes(
        &self,
        access: &Access,
        calendar: &str,
        cursor: Option<&SyncCursor>,
        window: Interval,
    ) -> Result<Changes, ProviderError>;

    /// The busy time of `calendars` in `range`, one answer for each calendar, in the order given.
    async fn free_busy(
        &self,
        access: &Access,
        calendars: &[&str],
        range: Interval,
    ) -> Result<Vec<CalendarFreeBusy>, ProviderError>;

    /// Makes the event at the provider equal to `event` in what Cupo writes.
    ///
    /// [`Expected::Create`] needs [`CalendarEvent::mark`], from which the id is derived; `event.id` is not read. When
    /// the event with this mark is there already, it is brought up to date, unless it stands at another time: then it is left
    /// alone and told ([`PutOutcome::stands`]), for its host may have moved it. [`Expected::Update`] changes the event
    /// `event.id` and leaves its attendees and reminders as they are; a recurring event moves as a whole, to begin then. [`Expected::UpdateAttendees`] also invites those of
    /// `event` who are missing. Both fail with [`ProviderError::NotFound`] when the event is gone and with
    /// [`ProviderError::Conflict`] when it no longer has the etag.
    async fn put_event(
        &self,
        access: &Access,
        calendar: &str,
        event: &CalendarEvent,
        expected: Expected<'_>,
    ) -> Result<PutOutcome, ProviderError>;

    /// The event, or `None` when it is gone or cancelled. A recurring event is told by its first instance that takes place
    /// ([`CalendarEvent::first_instance`]); without one in the year from its start it is gone.
    async fn get_event(
        &self,
        access: &Access,
        calendar: &str,
        id: &str,
    ) -> Result<Option<CalendarEvent>, ProviderError>;

    /// The event that was in another calendar under this id and this RFC 5545 `UID`, if it is in `calendar` now. By itself, it
    /// is looked for by its id, which most providers leave an event wherever it is moved.
    async fn find_moved(
        &self,
        access: &Access,
        calendar: &str,
        id: &str,
        _ical_uid: Option<&str>,
    ) -> Result<Option<CalendarEvent>, ProviderError> {
        self.get_event(access, calendar, id).await
    }

    /// Deletes the event; `notify` tells the attendees. An event that is gone already is no error.
    async fn delete_event(&self, access: &Access, calendar: &str, id: &str, notify: bool) -> Result<(), ProviderError>;

    /// Whether Cupo made this very event, by an identity that follows from its mark. A copy that a person made of it may
    /// bear the mark too, and is theirs. `event` is one that [`changes`](Self::changes) told.
    fn is_original(&self, event: &CalendarEvent) -> bool;

    /// Whether this provider sends notifications. Of one that does not, calendars are polled.
    fn has_notifications(&self) -> bool;

    /// Opens a channel of notifications about `calendar`.
    async fn watch(&self, access: &Access, calendar: &str, channel: &WatchRequest) -> Result<Watch, ProviderError>;

    /// Lengthens the life of an open channel where the provider can ([`Renewal::Extended`]). Otherwise
    /// ([`Renewal::Replace`]) another is to be opened under a new id and then this one closed.
    async fn renew(&self, access: &Access, resource_id: &str, ttl: Duration) -> Result<Renewal, ProviderError>;

    /// Closes a channel. An unknown channel is no error.
    async fn unwatch(&self, access: &Access, channel_id: &str, resource_id: &str) -> Result<(), ProviderError>;

    /// Reads the notifications of one delivery. The channels' secrets are handed out and not checked here. What of a
    /// delivery cannot be read is left out, as long as something can be.
    fn read_notifications(&self, headers: &HeaderMap, body: &[u8]) -> Result<Vec<Notification>, NotificationError>;
}

/// A calendar as the provider lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderCalendar {
    pub id: String,
    pub name: String,
    /// IANA name.
    pub time_zone: Option<String>,
    /// `#rrggbb`.
    pub color: Option<String>,
    pub can_write: bool,
    pub is_primary: bool,
    /// The video meetings that can be made with an event of this calendar.
    pub meetings: Vec<MeetingKind>,
}

/// Where the next round of [`CalendarProvider::changes`] begins. Opaque; stored as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SyncCursor(String);

impl SyncCursor {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One round of changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// In the provider's order; of two changes of one id the later holds.
    pub events: Vec<EventChange>,
    /// The ids of the recurring events whose instances this round tells one by one, or calls removed. Sorted.
    pub series: Vec<String>,
    /// Whether `events` is all that the window holds, so that what is not named is gone. A round without a cursor is
    /// always whole; of a calendar that cannot tell what changed, every round that found a change is.
    pub is_whole: bool,
    pub cursor: SyncCursor,
    /// The calendar's zone (IANA) as of this round, when the provider tells it: all-day events are read in it.
    pub time_zone: Option<String>,
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq)]
pub enum EventChange {
    /// It exists and looks like this.
    Upsert(Box<CalendarEvent>),
    /// The recurring event with this id has these instances in the window and no others. The id of each is made by
    /// [`instance_id`].
    Series { id: String, instances: Vec<CalendarEvent> },
    /// It was deleted or cancelled, or left the window, and with it all its instances.
    Removed { id: String },
}

/// The id of an instance of the recurring event `series` where the provider gives it none of its own: the series' id and
/// the instant at which the instance was to begin before it was moved.
pub fn instance_id(series: &str, original_start: DateTime<Utc>) -> String {
    format!("{series}#{}", original_start.format("%Y%m%dT%H%M%SZ"))
}

/// The busy time of one calendar. A problem means that it is unknown, never that it is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarFreeBusy {
    pub calendar: String,
    /// Sorted, merged and within the range asked for.
    pub busy: Result<Vec<Interval>, FreeBusyProblem>,
}

/// Why the busy time of a calendar is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("free/busy is unknown: {reason}")]
pub struct FreeBusyProblem {
    /// The provider's code, such as `notFound`.
    pub reason: String,
}

/// What the caller believes to be at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected<'a> {
    /// Nothing yet.
    Create,
    /// The event, with this etag if one is known.
    Update { etag: Option<&'a str> },
    /// The event of seats that several visitors share. Who is `gone` (e-mail addresses) is no longer invited; everybody
    /// else who is there stays with their answer, the guests whom the host invited by hand among them.
    UpdateAttendees { etag: Option<&'a str>, gone: &'a [String] },
}

/// What the provider holds after [`CalendarProvider::put_event`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutOutcome {
    pub id: String,
    pub etag: Option<String>,
    /// RFC 5545 `UID`: the copies of the event in the calendars of its attendees bear it too.
    pub ical_uid: Option<String>,
    pub html_link: Option<String>,
    pub meeting: MeetingLink,
    /// The event as it stands, where it was to be created, was there already at another time, and so was left alone.
    pub stands: Option<Box<CalendarEvent>>,
}

impl PutOutcome {
    /// What a provider holds that holds this event.
    pub(crate) fn of(event: CalendarEvent) -> Self {
        Self {
            id: event.id,
            etag: event.etag,
            ical_uid: event.ical_uid,
            html_link: event.html_link,
            meeting: event.meeting.into(),
            stands: None,
        }
    }

    /// An event that was left alone.
    pub(crate) fn standing(event: CalendarEvent) -> Self {
        Self { stands: Some(Box::new(event.clone())), ..Self::of(event) }
    }
}

/// A channel of notifications to open.
#[derive(Debug, Clone)]
pub struct WatchRequest {
    /// Unique; at most 64 characters of `A-Z a-z 0-9 - _ + / =`.
    pub id: String,
    /// Comes back with each notification; without a dot, and at most 127 characters together with the id.
    pub token: Secret,
    /// Where notifications go. HTTPS with a public certificate, but for a simulator. What concerns the channel itself
    /// (Graph's lifecycle notifications) goes to `/lifecycle` below it.
    pub address: url::Url,
    /// The life that is asked for; the provider may give less.
    pub ttl: Duration,
}

/// An open channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// The provider's own name of the channel or of what it watches; each notification bears it.
    pub resource_id: String,
    pub expires_at: DateTime<Utc>,
}

/// How a channel lives on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// The same channel, until then.
    Extended(DateTime<Utc>),
    /// It cannot be lengthened, or is gone: open another.
    Replace,
}

/// A notification: a hint that something changed, never what.
#[derive(Debug, Clone)]
pub struct Notification {
    /// The id that the channel was opened under.
    pub channel_id: String,
    /// To be compared with the one that the channel was opened with.
    pub channel_token: Secret,
    /// Rises within a channel, with gaps, where the provider counts. Google's `sync` message is 1.
    pub message_number: Option<i64>,
    /// As in [`Watch::resource_id`].
    pub resource_id: String,
    pub state: NotificationState,
}

/// What a notification says of its channel or of what is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationState {
    /// The channel was opened; nothing changed.
    Sync,
    /// Something changed.
    Exists,
    /// What is watched is gone.
    NotExists,
    /// The channel will end unless it is renewed now (Graph `reauthorizationRequired`).
    RenewalNeeded,
    /// The channel has ended before its time: open another, and ask what changed meanwhile (Graph `subscriptionRemoved`).
    Ended,
    /// Notifications were lost: read everything anew (Graph `missed`).
    Missed,
}
