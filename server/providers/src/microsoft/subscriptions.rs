//! Subscriptions, and the notifications that they bring
//! (<https://learn.microsoft.com/graph/change-notifications-overview>).

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use http::Method;
use serde_json::json;

use super::failure::Reading;
use super::{MicrosoftProvider, failure, wire};
use crate::access::Access;
use crate::error::{NotificationError, ProviderError};
use crate::provider::{Notification, NotificationState, Renewal, Watch, WatchRequest};
use crate::secret::Secret;

const CREATE: &str = "subscriptions.create";
const RENEW: &str = "subscriptions.update";
/// Graph gives events at most 10,080 minutes, by its own clock: less a few, for clocks differ.
const LONGEST_LIFE: TimeDelta = TimeDelta::minutes(10_080 - 5);
const LONGEST_CLIENT_STATE: usize = 128;

pub(super) async fn watch(
    microsoft: &MicrosoftProvider,
    access: &Access,
    calendar: &str,
    channel: &WatchRequest,
) -> Result<Watch, ProviderError> {
    let client_state = format!("{}.{}", channel.id, channel.token.expose());
    let is_plain = !channel.id.is_empty() && !channel.id.contains('.') && !channel.token.expose().contains('.');
    if !is_plain || client_state.len() > LONGEST_CLIENT_STATE {
        return Err(ProviderError::Rejected("a channel's id and token have 127 characters at most and no dot".into()));
    }
    let mut lifecycle = channel.address.clone();
    lifecycle
        .path_segments_mut()
        .map_err(|()| ProviderError::Rejected("the address for notifications has no path".into()))?
        .pop_if_empty()
        .push("lifecycle");
    let resource = resource(microsoft, access, calendar)?;
    let body = json!({
        "changeType": "created,updated,deleted",
        "notificationUrl": channel.address.as_str(),
        // It cannot be added later.
        "lifecycleNotificationUrl": lifecycle.as_str(),
        "resource": resource,
        "expirationDateTime": end_of_life(microsoft, channel.ttl),
        "clientState": client_state,
    });
    match create(microsoft, access, &body).await {
        // Another one with the same resource and address, of which Graph allows one: an orphan, or the one to be
        // replaced.
        Err(ProviderError::Conflict) => {
            delete_like(microsoft, access, &resource, channel.address.as_str()).await?;
            create(microsoft, access, &body).await
        }
        outcome => outcome,
    }
}

/// The path of the calendar's events below Graph's address.
fn resource(microsoft: &MicrosoftProvider, access: &Access, calendar: &str) -> Result<String, ProviderError> {
    let request = microsoft.request(access, CREATE, Method::GET, "calendars/{calendar-id}/events", &[calendar])?;
    let base = microsoft.endpoints.graph_url.path().trim_end_matches('/');
    let path = request.url.path();
    Ok(path.strip_prefix(base).unwrap_or(path).trim_start_matches('/').to_owned())
}

fn end_of_life(microsoft: &MicrosoftProvider, ttl: Duration) -> String {
    let life = TimeDelta::from_std(ttl).unwrap_or(LONGEST_LIFE).min(LONGEST_LIFE);
    (microsoft.clock.now() + life).to_rfc3339_opts(SecondsFormat::Secs, true)
}

async fn create(
    microsoft: &MicrosoftProvider,
    access: &Access,
    body: &serde_json::Value,
) -> Result<Watch, ProviderError> {
    // Not repeated: each success opens another. An orphan of a lost answer stands in the way of the next one and is
    // closed then, or when it tells something.
    let mut request = microsoft.service_request(access, CREATE, Method::POST, "subscriptions", &[])?;
    request.is_idempotent = false;
    let subscription: wire::Subscription = microsoft.call(request.with_json(body)).await?;
    let expires_at = expiry(&subscription).ok_or_else(|| wire::unreadable(CREATE, "expirationDateTime"))?;
    let resource_id = subscription.id.filter(|id| !id.is_empty()).ok_or_else(|| wire::unreadable(CREATE, "id"))?;
    Ok(Watch { resource_id, expires_at })
}

async fn delete_like(
    microsoft: &MicrosoftProvider,
    access: &Access,
    resource: &str,
    address: &str,
) -> Result<(), ProviderError> {
    let request = microsoft.service_request(access, "subscriptions.list", Method::GET, "subscriptions", &[])?;
    let listed: Vec<wire::Subscription> = microsoft.all_pages(request).await?;
    for subscription in listed {
        let is_like = subscription.resource.as_deref().is_some_and(|found| found.trim_start_matches('/') == resource)
            && subscription.notification_url.as_deref() == Some(address);
        if let Some(id) = subscription.id.filter(|_| is_like) {
            unwatch(microsoft, access, &id).await?;
        }
    }
    Ok(())
}

fn expiry(subscription: &wire::Subscription) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(subscription.expiration_date_time.as_deref()?).ok()?.to_utc())
}

pub(super) async fn renew(
    microsoft: &MicrosoftProvider,
    access: &Access,
    subscription: &str,
    ttl: Duration,
) -> Result<Renewal, ProviderError> {
    const PATH: &str = "subscriptions/{subscription-id}";
    let mut request = microsoft.service_request(access, RENEW, Method::PATCH, PATH, &[subscription])?;
    request.classify = failure::classifier(access, Reading::Subscription);
    let body = json!({"expirationDateTime": end_of_life(microsoft, ttl)});
    match microsoft.call::<wire::Subscription>(request.with_json(&body)).await {
        Ok(renewed) => {
            expiry(&renewed).map(Renewal::Extended).ok_or_else(|| wire::unreadable(RENEW, "expirationDateTime"))
        }
        Err(ProviderError::NotFound) => Ok(Renewal::Replace),
        Err(error) => Err(error),
    }
}

pub(super) async fn unwatch(
    microsoft: &MicrosoftProvider,
    access: &Access,
    subscription: &str,
) -> Result<(), ProviderError> {
    const PATH: &str = "subscriptions/{subscription-id}";
    let mut request =
        microsoft.service_request(access, "subscriptions.delete", Method::DELETE, PATH, &[subscription])?;
    request.classify = failure::classifier(access, Reading::Subscription);
    match microsoft.send(&request).await {
        Ok(_) | Err(ProviderError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// More than Graph puts into one delivery.
const MOST_NOTIFICATIONS: usize = 1000;

/// One delivery holds notifications of several subscriptions, and of one subscription several, which say the same.
pub(super) fn read_notifications(body: &[u8]) -> Result<Vec<Notification>, NotificationError> {
    let delivery: wire::ChangeNotifications =
        serde_json::from_slice(body).map_err(|_| NotificationError::Body("JSON"))?;
    let is_empty = delivery.value.is_empty();
    if delivery.value.len() > MOST_NOTIFICATIONS {
        return Err(NotificationError::Body("value"));
    }
    let mut notifications: Vec<Notification> = Vec::new();
    for value in delivery.value {
        let Some(notification) = serde_json::from_value(value).ok().and_then(read_notification) else { continue };
        let is_same = |known: &Notification| {
            (&known.channel_id, &known.resource_id, known.state)
                == (&notification.channel_id, &notification.resource_id, notification.state)
                && known.channel_token.matches(notification.channel_token.expose())
        };
        if !notifications.iter().any(is_same) {
            notifications.push(notification);
        }
    }
    if notifications.is_empty() && !is_empty { Err(NotificationError::Body("value")) } else { Ok(notifications) }
}

fn read_notification(notification: wire::ChangeNotification) -> Option<Notification> {
    let client_state = notification.client_state?;
    let (id, token) = client_state.split_once('.').filter(|(id, token)| !id.is_empty() && !token.is_empty())?;
    Some(Notification {
        channel_id: id.to_owned(),
        channel_token: Secret::new(token),
        message_number: None,
        resource_id: notification.subscription_id.filter(|id| !id.is_empty())?,
        state: match notification.lifecycle_event.as_deref() {
            None => NotificationState::Exists,
            Some("reauthorizationRequired") => NotificationState::RenewalNeeded,
            Some("subscriptionRemoved") => NotificationState::Ended,
            Some("missed") => NotificationState::Missed,
            Some(_) => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const SUBSCRIPTION: &str = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07";

    fn change(client_state: &str) -> Value {
        json!({
            "subscriptionId": SUBSCRIPTION, "subscriptionExpirationDateTime": "2026-11-09T09:00:00+00:00",
            "changeType": "updated", "resource": "Users/u/Events/e", "clientState": client_state, "tenantId": "t",
            "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "id": "e", "@odata.etag": "W/\"1\""},
        })
    }

    fn lifecycle(event: &str) -> Value {
        json!({
            "lifecycleEvent": event, "subscriptionId": SUBSCRIPTION, "resource": "me/calendars/a/events",
            "clientState": "018f-channel.hush", "subscriptionExpirationDateTime": "2026-11-09T09:00:00+00:00",
            "organizationId": "t",
        })
    }

    fn read(values: Value) -> Result<Vec<Notification>, NotificationError> {
        read_notifications(json!({"value": values}).to_string().as_bytes())
    }

    #[test]
    fn a_notification_is_read_from_the_body() {
        let read = read(json!([change("018f-channel.hush")])).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].channel_id.as_str(), read[0].resource_id.as_str()), ("018f-channel", SUBSCRIPTION));
        assert!(read[0].channel_token.matches("hush"));
        assert_eq!((read[0].message_number, read[0].state), (None, NotificationState::Exists));
    }

    #[test]
    fn the_lifecycle_of_a_subscription_is_told() {
        for (event, state) in [
            ("reauthorizationRequired", NotificationState::RenewalNeeded),
            ("subscriptionRemoved", NotificationState::Ended),
            ("missed", NotificationState::Missed),
        ] {
            assert_eq!(read(json!([lifecycle(event)])).unwrap()[0].state, state);
        }
    }

    #[test]
    fn a_delivery_of_several_tells_each_channel_once_for_each_state() {
        let values = json!([
            change("a.hush"),
            change("b.hush"),
            change("a.hush"),
            lifecycle("missed"),
            change("a.other"),
            change("b.hush"),
        ]);
        let told: Vec<_> = read(values).unwrap().into_iter().map(|told| (told.channel_id, told.state)).collect();
        let expected = [
            ("a", NotificationState::Exists),
            ("b", NotificationState::Exists),
            ("018f-channel", NotificationState::Missed),
            ("a", NotificationState::Exists),
        ];
        assert_eq!(told, expected.map(|(id, state)| (id.to_owned(), state)));
    }

    #[test]
    fn what_cannot_be_read_is_left_out_as_long_as_something_can() {
        let odd = json!([5, change("no dot"), change(".hush"), change("a."), lifecycle("unheardOf"), {"value": []}]);
        assert_eq!(read(odd.clone()).unwrap_err(), NotificationError::Body("value"));
        let mut some = odd;
        some.as_array_mut().unwrap().push(change("a.hush"));
        assert_eq!(read(some).unwrap().len(), 1);
        assert_eq!(read(json!([])).unwrap().len(), 0);
        for body in [&b"<html>"[..], b"", b"{}", br#"{"value": {}}"#] {
            assert_eq!(read_notifications(body).unwrap_err(), NotificationError::Body("JSON"));
        }
    }
}
