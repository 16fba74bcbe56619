//! CalDAV (RFC 4791), the calendars of iCloud, Nextcloud, Fastmail and most servers of one's own.
//!
//! - An account is a calendar home, a user name and a password or app password; [`discover`] finds the home.
//! - The id of a calendar is the address of its collection, the id of an event the address of its resource, each
//!   absolute and of the home's origin: a password is sent nowhere else.
//! - What a resource holds is read by [`crate::ics`], which expands what recurs; servers differ too much in `expand`.
//! - Changes come by `sync-collection` (RFC 6578); of a server without it, by asking whether anything changed, and then
//!   for everything in the window. There are no notifications.
//! - Attendees are written with their organizer, and a server with scheduling (RFC 6638) writes to them itself.

mod address;
mod calendars;
mod changes;
mod cursor;
mod discovery;
mod events;
mod failure;
mod free_busy;
mod multistatus;
mod owner;
mod presets;
mod query;
mod resource;
mod xml;
mod zone;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cupo_core::interval::Interval;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use crate::access::{Access, Target};
use crate::clock::Clock;
use crate::error::{NotificationError, ProviderError};
use crate::event::CalendarEvent;
use crate::provider::{
    CalendarFreeBusy, CalendarProvider, Changes, Expected, Notification, ProviderCalendar, PutOutcome, Renewal,
    SyncCursor, Watch, WatchRequest,
};
use crate::transport::{ProviderRequest, ProviderResponse, Transport};

pub use discovery::{Discovered, DiscoveryError, DiscoveryInput, discover};
pub use presets::{PRESETS, PasswordQuestion, Preset, ServerQuestion, UsernameQuestion};

use multistatus::Multistatus;
use owner::Owners;
use xml::XmlError;

const PROVIDER: &str = "caldav";
const DEPTH: HeaderName = HeaderName::from_static("depth");
const XML: HeaderValue = HeaderValue::from_static("application/xml; charset=utf-8");

/// The CalDAV adapter. Cheap to clone. The transport must be one for addresses that users type in.
#[derive(Debug, Clone)]
pub struct CaldavProvider {
    transport: Transport,
    clock: Clock,
    owners: Arc<Owners>,
}

impl CaldavProvider {
    pub fn new(transport: Transport, clock: Clock) -> Self {
        Self { transport, clock, owners: Arc::default() }
    }

    async fn send(&self, request: &ProviderRequest) -> Result<ProviderResponse, ProviderError> {
        self.transport.send(request).await
    }

    /// Sends a request that is answered by a multistatus.
    async fn ask(&self, request: &ProviderRequest) -> Result<Multistatus, ProviderError> {
        read_multistatus(request.operation, &self.send(request).await?)
    }
}

/// The home of the account's calendars.
fn home(access: &Access) -> Result<&Url, ProviderError> {
    match access.target() {
        Target::Home(home) => Ok(home),
        _ => Err(ProviderError::Rejected("the account has no calendar home".into())),
    }
}

/// The address of a calendar.
fn calendar_url(access: &Access, id: &str) -> Result<Url, ProviderError> {
    Ok(address::collection(address::of_id(home(access)?, id)?))
}

/// A request for `url`. It counts as idempotent: what is not says so.
fn request(access: &Access, operation: &'static str, method: Method, url: Url) -> ProviderRequest {
    ProviderRequest {
        provider: PROVIDER,
        operation,
        // The paths are the server's own, and tell who the user is.
        path_template: "",
        method,
        url,
        access: Some(access.clone()),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        is_idempotent: true,
        classify: failure::failure,
    }
}

/// A PROPFIND for `properties`, of the resource alone (`depth` 0) or of what is right below it too (1).
fn propfind(
    access: &Access,
    operation: &'static str,
    url: Url,
    depth: &'static str,
    properties: &str,
) -> ProviderRequest {
    let method = Method::from_bytes(b"PROPFIND").expect("a token is a method");
    let body = xml::document("D:propfind", &format!("<D:prop>{properties}</D:prop>"));
    with_xml(request(access, operation, method, url), depth, body)
}

/// A REPORT (RFC 3253 §3.6).
fn report(access: &Access, operation: &'static str, url: Url, depth: &'static str, body: String) -> ProviderRequest {
    let method = Method::from_bytes(b"REPORT").expect("a token is a method");
    with_xml(request(access, operation, method, url), depth, body)
}

fn with_xml(mut request: ProviderRequest, depth: &'static str, body: String) -> ProviderRequest {
    request.headers.insert(DEPTH, HeaderValue::from_static(depth));
    request.headers.insert(CONTENT_TYPE, XML);
    request.body = body.into();
    request
}

fn read_multistatus(operation: &str, response: &ProviderResponse) -> Result<Multistatus, ProviderError> {
    if response.status != StatusCode::MULTI_STATUS {
        return Err(failure::unreadable(operation, XmlError::Unreadable));
    }
    multistatus::parse(&response.body).map_err(|error| failure::unreadable(operation, error))
}

#[async_trait]
impl CalendarProvider for CaldavProvider {
    async fn list_calendars(&self, access: &Access) -> Result<Vec<ProviderCalendar>, ProviderError> {
        calendars::list(self, access).await
    }

    async fn changes(
        &self,
        access: &Access,
        calendar: &str,
        cursor: Option<&SyncCursor>,
        window: Interval,
    ) -> Result<Changes, ProviderError> {
        changes::changes(self, access, calendar, cursor, window).await
    }

    async fn free_busy(
        &self,
        access: &Access,
        calendars: &[&str],
        range: Interval,
    ) -> Result<Vec<CalendarFreeBusy>, ProviderError> {
        free_busy::query(self, access, calendars, range).await
    }

    async fn put_event(
        &self,
        access: &Access,
        calendar: &str,
        event: &CalendarEvent,
        expected: Expected<'_>,
    ) -> Result<PutOutcome, ProviderError> {
        events::put(self, access, calendar, event, expected).await
    }

    async fn get_event(
        &self,
        access: &Access,
        calendar: &str,
        id: &str,
    ) -> Result<Option<CalendarEvent>, ProviderError> {
        events::get(self, access, calendar, id).await
    }

    /// The address of an event is another one there: its UID is not.
    async fn find_moved(
        &self,
        access: &Access,
        calendar: &str,
        _: &str,
        ical_uid: Option<&str>,
    ) -> Result<Option<CalendarEvent>, ProviderError> {
        match ical_uid {
            Some(uid) => events::find(self, access, calendar, uid).await,
            None => Ok(None),
        }
    }

    async fn delete_event(&self, access: &Access, calendar: &str, id: &str, notify: bool) -> Result<(), ProviderError> {
        events::delete(self, access, calendar, id, notify).await
    }

    fn is_original(&self, event: &CalendarEvent) -> bool {
        let uid = event.ical_uid.as_deref();
        event.mark.as_ref().zip(uid).is_some_and(|(mark, uid)| events::is_uid_of(mark, uid))
    }

    fn has_notifications(&self) -> bool {
        false
    }

    async fn watch(&self, _: &Access, _: &str, _: &WatchRequest) -> Result<Watch, ProviderError> {
        Err(ProviderError::Rejected("CalDAV has no notifications".into()))
    }

    async fn renew(&self, _: &Access, _: &str, _: Duration) -> Result<Renewal, ProviderError> {
        Err(ProviderError::Rejected("CalDAV has no notifications".into()))
    }

    async fn unwatch(&self, _: &Access, _: &str, _: &str) -> Result<(), ProviderError> {
        Ok(())
    }

    /// Nobody sends any.
    fn read_notifications(&self, _: &HeaderMap, _: &[u8]) -> Result<Vec<Notification>, NotificationError> {
        Ok(Vec::new())
    }
}
