//! Google Calendar API v3 (<https://developers.google.com/workspace/calendar/api/v3/reference>).

mod calendars;
mod channels;
mod events;
mod failure;
mod free_busy;
mod mapping;
pub mod oauth;
pub mod service_account;
mod wire;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cupo_core::interval::Interval;
use http::{HeaderMap, Method};
use serde::de::DeserializeOwned;
use url::Url;

use crate::access::Access;
use crate::error::{NotificationError, ProviderError};
use crate::event::CalendarEvent;
use crate::provider::{
    CalendarFreeBusy, CalendarProvider, Changes, Expected, Notification, ProviderCalendar, PutOutcome, Renewal,
    SyncCursor, Watch, WatchRequest,
};
use crate::transport::{ProviderRequest, ProviderResponse, Transport};

const PROVIDER: &str = "google";
/// No list that is read has more; a server that pages for ever is stopped.
const MAX_PAGES: u32 = 1000;

/// Where the Calendar API is.
#[derive(Debug, Clone)]
pub struct GoogleEndpoints {
    /// `https://www.googleapis.com/calendar/v3`, or where a simulator stands in for it.
    pub api_url: Url,
}

/// The Google adapter. Cheap to clone.
#[derive(Debug, Clone)]
pub struct GoogleProvider {
    transport: Transport,
    endpoints: GoogleEndpoints,
}

impl GoogleProvider {
    pub fn new(transport: Transport, endpoints: GoogleEndpoints) -> Self {
        Self { transport, endpoints }
    }

    /// A request to `path_template` with its placeholders filled by `ids` in order. It counts as idempotent: what is
    /// not says so.
    fn request(
        &self,
        access: &Access,
        operation: &'static str,
        method: Method,
        path_template: &'static str,
        ids: &[&str],
    ) -> Result<ProviderRequest, ProviderError> {
        // A path of such an id would be another resource's.
        if ids.iter().any(|id| matches!(*id, "" | "." | "..")) {
            return Err(ProviderError::Rejected(format!("{operation}: an id is empty or a dot")));
        }
        let mut ids = ids.iter().copied();
        let segments = path_template.split('/');
        let segments = segments.map(|part| if part.starts_with('{') { ids.next().unwrap_or(part) } else { part });
        let mut url = self.endpoints.api_url.clone();
        url.path_segments_mut()
            .map_err(|()| ProviderError::Rejected("the address of the Calendar API has no path".into()))?
            .pop_if_empty()
            .extend(segments);
        Ok(ProviderRequest {
            provider: PROVIDER,
            operation,
            path_template,
            method,
            url,
            access: Some(access.clone()),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            is_idempotent: true,
            classify: failure::failure,
        })
    }

    async fn send(&self, request: &ProviderRequest) -> Result<ProviderResponse, ProviderError> {
        self.transport.send(request).await
    }

    /// Sends the request and reads the answer.
    async fn call<T: DeserializeOwned>(&self, request: ProviderRequest) -> Result<T, ProviderError> {
        wire::parse(request.operation, &self.send(&request).await?.body)
    }
}

#[async_trait]
impl CalendarProvider for GoogleProvider {
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
        events::changes(self, access, calendar, cursor, window).await
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
        events::get_first(self, access, calendar, id).await
    }

    async fn delete_event(&self, access: &Access, calendar: &str, id: &str, notify: bool) -> Result<(), ProviderError> {
        events::delete(self, access, calendar, id, notify).await
    }

    fn is_original(&self, event: &CalendarEvent) -> bool {
        event.mark.as_ref().is_some_and(|mark| mapping::is_id_of(&mark.claim_id, &event.id))
    }

    fn has_notifications(&self) -> bool {
        true
    }

    async fn watch(&self, access: &Access, calendar: &str, channel: &WatchRequest) -> Result<Watch, ProviderError> {
        channels::watch(self, access, calendar, channel).await
    }

    async fn renew(&self, _: &Access, _: &str, _: Duration) -> Result<Renewal, ProviderError> {
        Ok(Renewal::Replace)
    }

    async fn unwatch(&self, access: &Access, channel_id: &str, resource_id: &str) -> Result<(), ProviderError> {
        channels::stop(self, access, channel_id, resource_id).await
    }

    fn read_notifications(&self, headers: &HeaderMap, _: &[u8]) -> Result<Vec<Notification>, NotificationError> {
        Ok(vec![channels::read_notification(headers)?])
    }
}
