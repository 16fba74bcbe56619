//! Google Calendar API v3 (<https://developers.google.com/workspace/calendar/api/v3/reference>).

pub mod oauth;

use async_trait::async_trait;
use cupo_core::interval::Interval;
use http::HeaderMap;
use url::Url;

use crate::error::{NotificationError, ProviderError};
use crate::event::CalendarEvent;
use crate::provider::{
    CalendarFreeBusy, CalendarProvider, Changes, Expected, Notification, ProviderCalendar, PutOutcome, SyncCursor,
    Watch, WatchRequest,
};
use crate::secret::AccessToken;
use crate::transport::Transport;

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
}

#[async_trait]
impl CalendarProvider for GoogleProvider {
    async fn list_calendars(&self, token: &AccessToken) -> Result<Vec<ProviderCalendar>, ProviderError> {
        todo!()
    }

    async fn changes(
        &self,
        token: &AccessToken,
        calendar: &str,
        cursor: Option<&SyncCursor>,
        window: Interval,
    ) -> Result<Changes, ProviderError> {
        todo!()
    }

    async fn free_busy(
        &self,
        token: &AccessToken,
        calendars: &[&str],
        range: Interval,
    ) -> Result<Vec<CalendarFreeBusy>, ProviderError> {
        todo!()
    }

    async fn put_event(
        &self,
        token: &AccessToken,
        calendar: &str,
        event: &CalendarEvent,
        expected: Expected<'_>,
    ) -> Result<PutOutcome, ProviderError> {
        todo!()
    }

    async fn get_event(
        &self,
        token: &AccessToken,
        calendar: &str,
        id: &str,
    ) -> Result<Option<CalendarEvent>, ProviderError> {
        todo!()
    }

    async fn delete_event(
        &self,
        token: &AccessToken,
        calendar: &str,
        id: &str,
        notify: bool,
    ) -> Result<(), ProviderError> {
        todo!()
    }

    async fn watch(&self, token: &AccessToken, calendar: &str, channel: &WatchRequest) -> Result<Watch, ProviderError> {
        todo!()
    }

    async fn unwatch(&self, token: &AccessToken, channel_id: &str, resource_id: &str) -> Result<(), ProviderError> {
        todo!()
    }

    fn verify_notification(&self, headers: &HeaderMap) -> Result<Notification, NotificationError> {
        todo!()
    }
}
