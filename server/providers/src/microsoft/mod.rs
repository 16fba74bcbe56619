//! Calendars of Microsoft 365 and Outlook.com: Microsoft Graph v1.0
//! (<https://learn.microsoft.com/graph/api/resources/calendar>).
//!
//! Every request asks for times in UTC, for texts without markup, and for ids that stay when an event is moved.

mod batch;
mod body;
mod calendars;
mod delta;
mod events;
mod failure;
mod free_busy;
mod links;
mod mapping;
pub mod oauth;
mod subscriptions;
mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cupo_core::interval::Interval;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::de::DeserializeOwned;
use url::Url;

use self::failure::Reading;
use crate::access::{Access, Target};
use crate::clock::Clock;
use crate::error::{NotificationError, ProviderError};
use crate::event::CalendarEvent;
use crate::provider::{
    CalendarFreeBusy, CalendarProvider, Changes, Expected, Notification, ProviderCalendar, PutOutcome, Renewal,
    SyncCursor, Watch, WatchRequest,
};
use crate::transport::{ProviderRequest, ProviderResponse, Transport};

pub use calendars::Owner;

const PROVIDER: &str = "microsoft";
/// No list that is read has more; a server that pages for ever is stopped.
const MAX_PAGES: u32 = 1000;

const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Without the second, an event that is moved to another folder gets another id; without the third, a text comes back
/// as HTML.
const PREFERENCES: &str = r#"outlook.timezone="UTC", IdType="ImmutableId", outlook.body-content-type="text""#;

/// Where Graph is.
#[derive(Debug, Clone)]
pub struct MicrosoftEndpoints {
    /// `https://graph.microsoft.com/v1.0`, or where a simulator stands in for it.
    pub graph_url: Url,
}

/// The adapter for Microsoft Graph. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MicrosoftProvider {
    transport: Transport,
    endpoints: MicrosoftEndpoints,
    /// What subscriptions are told to end by.
    clock: Clock,
    /// The default calendar of each mailbox that was asked for its busy time.
    default_calendars: Arc<Mutex<HashMap<Mailbox, Arc<free_busy::DefaultCalendar>>>>,
}

/// By which a mailbox is known in memory: the account and, by application access, the address.
type Mailbox = (Arc<str>, Option<Arc<str>>);

impl MicrosoftProvider {
    /// `clock` tells the present, from which on a subscription lives.
    pub fn new(transport: Transport, endpoints: MicrosoftEndpoints, clock: Clock) -> Self {
        Self { transport, endpoints, clock, default_calendars: Arc::default() }
    }

    /// Whose account the access token is: the address and name of the one who consented.
    pub async fn me(&self, access: &Access) -> Result<Owner, ProviderError> {
        calendars::me(self, access).await
    }

    /// A request about the mailbox that `access` is for, to `path_template` below it, with its placeholders filled by
    /// `ids` in order. It counts as idempotent: what is not says so.
    fn request(
        &self,
        access: &Access,
        operation: &'static str,
        method: Method,
        path_template: &'static str,
        ids: &[&str],
    ) -> Result<ProviderRequest, ProviderError> {
        let mailbox = mailbox_path(access)?;
        self.request_below(access, &mailbox, operation, method, path_template, ids)
    }

    /// As [`Self::request`], about no mailbox.
    fn service_request(
        &self,
        access: &Access,
        operation: &'static str,
        method: Method,
        path_template: &'static str,
        ids: &[&str],
    ) -> Result<ProviderRequest, ProviderError> {
        self.request_below(access, &[], operation, method, path_template, ids)
    }

    fn request_below(
        &self,
        access: &Access,
        above: &[&str],
        operation: &'static str,
        method: Method,
        path_template: &'static str,
        ids: &[&str],
    ) -> Result<ProviderRequest, ProviderError> {
        // A path of such an id would be another resource's.
        if ids.iter().chain(above).any(|id| matches!(*id, "" | "." | "..")) {
            return Err(ProviderError::Rejected(format!("{operation}: an id is empty or a dot")));
        }
        let mut ids = ids.iter().copied();
        let segments = path_template.split('/');
        let segments = segments.map(|part| if part.starts_with('{') { ids.next().unwrap_or(part) } else { part });
        let mut url = self.endpoints.graph_url.clone();
        url.path_segments_mut()
            .map_err(|()| ProviderError::Rejected("the address of Microsoft Graph has no path".into()))?
            .pop_if_empty()
            .extend(above)
            .extend(segments.filter(|segment| !segment.is_empty()));
        Ok(self.request_to(access, operation, method, path_template, url))
    }

    /// A request to an address that is known to be below [`MicrosoftEndpoints::graph_url`].
    fn request_to(
        &self,
        access: &Access,
        operation: &'static str,
        method: Method,
        path_template: &'static str,
        url: Url,
    ) -> ProviderRequest {
        ProviderRequest {
            provider: PROVIDER,
            operation,
            path_template,
            method,
            url,
            access: Some(access.clone()),
            headers: HeaderMap::from_iter([(PREFER, HeaderValue::from_static(PREFERENCES))]),
            body: Bytes::new(),
            is_idempotent: true,
            classify: failure::classifier(access, Reading::Plain),
        }
    }

    async fn send(&self, request: &ProviderRequest) -> Result<ProviderResponse, ProviderError> {
        self.transport.send(request).await
    }

    /// Sends the request and reads the answer.
    async fn call<T: DeserializeOwned>(&self, request: ProviderRequest) -> Result<T, ProviderError> {
        wire::parse(request.operation, &self.send(&request).await?.body)
    }

    /// The items of all pages from `request` on.
    async fn all_pages<T: DeserializeOwned>(&self, request: ProviderRequest) -> Result<Vec<T>, ProviderError> {
        let first = request.clone();
        let mut request = request;
        let mut items = Vec::new();
        for _ in 0..MAX_PAGES {
            let page: wire::Page<T> = self.call(request).await?;
            items.extend(page.value.unwrap_or_default());
            let Some(next) = page.next_link else { return Ok(items) };
            request = ProviderRequest { url: self.checked_link(&next, first.operation)?, ..first.clone() };
        }
        Err(ProviderError::Rejected(format!("{}: more than {MAX_PAGES} pages", first.operation)))
    }

    /// An address that an answer gave, if a token may be sent there.
    fn checked_link(&self, link: &str, operation: &str) -> Result<Url, ProviderError> {
        links::below(&self.endpoints.graph_url, link)
            .ok_or_else(|| ProviderError::Rejected(format!("{operation}: a link leads out of Microsoft Graph")))
    }
}

/// The path of the mailbox below Graph's address.
fn mailbox_path(access: &Access) -> Result<Vec<&str>, ProviderError> {
    match access.target() {
        Target::Own | Target::Personal => Ok(vec!["me"]),
        Target::Mailbox(address) => Ok(vec!["users", address]),
        Target::Home(_) | Target::Feed(_) => Err(ProviderError::Rejected("Microsoft Graph has mailboxes only".into())),
    }
}

#[async_trait]
impl CalendarProvider for MicrosoftProvider {
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
        delta::changes(self, access, calendar, cursor, window).await
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

    async fn delete_event(&self, access: &Access, calendar: &str, id: &str, notify: bool) -> Result<(), ProviderError> {
        events::delete(self, access, calendar, id, notify).await
    }

    /// A round tells `transactionId`s and no extended properties, and no copy of an event has its `transactionId`.
    fn is_original(&self, event: &CalendarEvent) -> bool {
        event.mark.is_some()
    }

    fn has_notifications(&self) -> bool {
        true
    }

    async fn watch(&self, access: &Access, calendar: &str, channel: &WatchRequest) -> Result<Watch, ProviderError> {
        subscriptions::watch(self, access, calendar, channel).await
    }

    async fn renew(&self, access: &Access, resource_id: &str, ttl: Duration) -> Result<Renewal, ProviderError> {
        subscriptions::renew(self, access, resource_id, ttl).await
    }

    async fn unwatch(&self, access: &Access, _: &str, resource_id: &str) -> Result<(), ProviderError> {
        subscriptions::unwatch(self, access, resource_id).await
    }

    fn read_notifications(&self, _: &HeaderMap, body: &[u8]) -> Result<Vec<Notification>, NotificationError> {
        subscriptions::read_notifications(body)
    }
}
