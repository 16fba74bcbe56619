//! Notification channels: `events.watch`, `channels.stop`, and the notifications themselves
//! (<https://developers.google.com/workspace/calendar/api/guides/push>).

use chrono::DateTime;
use http::{HeaderMap, Method};
use serde_json::json;

use super::{GoogleProvider, wire};
use crate::access::Access;
use crate::error::{NotificationError, ProviderError};
use crate::provider::{Notification, NotificationState, Watch, WatchRequest};
use crate::secret::Secret;

const WATCH: &str = "events.watch";

pub(super) async fn watch(
    google: &GoogleProvider,
    access: &Access,
    calendar: &str,
    channel: &WatchRequest,
) -> Result<Watch, ProviderError> {
    let is_id_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+/=".contains(&byte);
    if channel.id.is_empty() || channel.id.len() > 64 || !channel.id.bytes().all(is_id_byte) {
        return Err(ProviderError::Rejected("a channel id has 1 to 64 characters of A-Z a-z 0-9 - _ + / =".into()));
    }
    if channel.token.expose().len() > 256 {
        return Err(ProviderError::Rejected("a channel token has at most 256 characters".into()));
    }
    // Not repeated: a channel id can be used once. An orphan of a lost answer is known by its token when it tells
    // something, and is closed then.
    let mut request =
        google.request(access, WATCH, Method::POST, "calendars/{calendarId}/events/watch", &[calendar])?;
    request.is_idempotent = false;
    let body = json!({
        "id": channel.id,
        "token": channel.token.expose(),
        "type": "web_hook",
        "address": channel.address.as_str(),
        "params": {"ttl": channel.ttl.as_secs().to_string()},
    });
    read_channel(google.call(request.with_json(&body)).await?)
}

fn read_channel(channel: wire::Channel) -> Result<Watch, ProviderError> {
    let resource_id = channel.resource_id.ok_or_else(|| wire::unreadable(WATCH, "resourceId"))?;
    let expires_at = channel.expiration.and_then(|text| DateTime::from_timestamp_millis(text.parse().ok()?));
    Ok(Watch { resource_id, expires_at: expires_at.ok_or_else(|| wire::unreadable(WATCH, "expiration"))? })
}

pub(super) async fn stop(
    google: &GoogleProvider,
    access: &Access,
    channel_id: &str,
    resource_id: &str,
) -> Result<(), ProviderError> {
    let request = google.request(access, "channels.stop", Method::POST, "channels/stop", &[])?;
    let body = json!({"id": channel_id, "resourceId": resource_id});
    match google.send(&request.with_json(&body)).await {
        Ok(_) | Err(ProviderError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

pub(super) fn read_notification(headers: &HeaderMap) -> Result<Notification, NotificationError> {
    let text = |name: &'static str| {
        let value = headers.get(name).ok_or(NotificationError::Missing(name))?;
        value.to_str().ok().filter(|text| !text.is_empty()).ok_or(NotificationError::Invalid(name))
    };
    const NUMBER: &str = "X-Goog-Message-Number";
    const STATE: &str = "X-Goog-Resource-State";
    let number: i64 = text(NUMBER)?.parse().map_err(|_| NotificationError::Invalid(NUMBER))?;
    if number < 1 {
        return Err(NotificationError::Invalid(NUMBER));
    }
    Ok(Notification {
        channel_id: text("X-Goog-Channel-ID")?.to_owned(),
        channel_token: Secret::new(text("X-Goog-Channel-Token")?),
        message_number: Some(number),
        resource_id: text("X-Goog-Resource-ID")?.to_owned(),
        state: match text(STATE)? {
            "sync" => NotificationState::Sync,
            "exists" => NotificationState::Exists,
            "not_exists" => NotificationState::NotExists,
            _ => return Err(NotificationError::Invalid(STATE)),
        },
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(changed: &[(&'static str, Option<&'static str>)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-goog-channel-id", "018f-channel"),
            ("x-goog-channel-token", "hush"),
            ("x-goog-channel-expiration", "Tue, 19 Nov 2026 01:13:52 GMT"),
            ("x-goog-message-number", "10"),
            ("x-goog-resource-id", "ret08u3rv24htgh289g"),
            ("x-goog-resource-uri", "https://www.googleapis.com/calendar/v3/calendars/ana%40example.com/events"),
            ("x-goog-resource-state", "exists"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        for (name, value) in changed {
            match value {
                Some(value) => headers.insert(*name, HeaderValue::from_static(value)),
                None => headers.remove(*name),
            };
        }
        headers
    }

    #[test]
    fn a_notification_is_read_from_its_headers() {
        let notification = read_notification(&headers(&[])).unwrap();
        assert_eq!(notification.channel_id, "018f-channel");
        assert!(notification.channel_token.matches("hush"));
        assert_eq!((notification.message_number, notification.state), (Some(10), NotificationState::Exists));
        assert_eq!(notification.resource_id, "ret08u3rv24htgh289g");
        let sync = [("x-goog-resource-state", Some("sync")), ("x-goog-message-number", Some("1"))];
        assert_eq!(read_notification(&headers(&sync)).unwrap().state, NotificationState::Sync);
        let gone = [("x-goog-resource-state", Some("not_exists"))];
        assert_eq!(read_notification(&headers(&gone)).unwrap().state, NotificationState::NotExists);
    }

    #[test]
    fn what_is_missing_or_unreadable_is_named() {
        for name in [
            "X-Goog-Channel-ID",
            "X-Goog-Channel-Token",
            "X-Goog-Message-Number",
            "X-Goog-Resource-ID",
            "X-Goog-Resource-State",
        ] {
            let without = read_notification(&headers(&[(name, None)]));
            assert_eq!(without.unwrap_err(), NotificationError::Missing(name));
        }
        for (name, value) in
            [("X-Goog-Message-Number", "0"), ("X-Goog-Message-Number", "many"), ("X-Goog-Resource-State", "dancing")]
        {
            let wrong = read_notification(&headers(&[(name, Some(value))]));
            assert_eq!(wrong.unwrap_err(), NotificationError::Invalid(name));
        }
    }

    #[test]
    fn a_channel_without_its_end_is_an_error_that_names_the_field() {
        let channel = wire::parse(WATCH, br#"{"id": "a", "resourceId": "r"}"#).unwrap();
        assert!(read_channel(channel).unwrap_err().to_string().contains("`expiration`"));
        let channel = wire::parse(WATCH, br#"{"resourceId": "r", "expiration": "1790000000000"}"#).unwrap();
        assert_eq!(read_channel(channel).unwrap().expires_at.timestamp(), 1_790_000_000);
    }
}
