//! Subscriptions as they are stored, and which changes they hear of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::event_time::instant;
use super::graph::render::etag_of;
use super::ids::{self, IdType};
use super::world::{ChangeKind, World, Written};

/// A subscription to the events of a mailbox or of one calendar.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subscription {
    pub id: String,
    pub client_id: String,
    /// The account that made it; none for an application of its own.
    pub account: Option<String>,
    /// The address of the mailbox.
    pub mailbox: String,
    /// Only the events of this calendar; of the default one, when absent.
    pub calendar: Option<u64>,
    /// As it was written.
    pub resource: String,
    pub change_types: Vec<ChangeKind>,
    pub notification_url: String,
    pub lifecycle_notification_url: Option<String>,
    pub client_state: Option<String>,
    pub expiration: DateTime<Utc>,
    /// The ids in its notifications: as the request that made it preferred.
    pub ids: IdType,
    /// Until it is reauthorised or renewed, nothing is delivered.
    pub needs_reauthorization: bool,
}

/// What a lifecycle notification says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LifecycleEvent {
    /// It must be reauthorised (or renewed) soon; until then nothing is delivered.
    ReauthorizationRequired,
    /// It is gone and must be made again.
    SubscriptionRemoved,
    /// Some notifications were not delivered: everything must be read again.
    Missed,
}

/// The segments of a resource that can be subscribed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Whose mailbox: `None` is `me`.
    pub user: Option<String>,
    pub calendar_id: Option<String>,
}

impl Resource {
    /// Reads `me/events`, `/users/{id}/events`, and both with `calendars/{id}` or `calendar` before `events`.
    pub fn read(text: &str) -> Option<Self> {
        let path = super::graph::segments(text.split('?').next().unwrap_or_default());
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let (user, rest) = match path.as_slice() {
            ["me", rest @ ..] => (None, rest),
            ["users", user, rest @ ..] => (Some((*user).to_owned()), rest),
            _ => return None,
        };
        match rest {
            ["events"] | ["calendar", "events"] => Some(Self { user, calendar_id: None }),
            ["calendars", id, "events"] => Some(Self { user, calendar_id: Some((*id).to_owned()) }),
            _ => None,
        }
    }
}

impl Subscription {
    /// Whether it hears of a change.
    pub fn hears(&self, written: &Written, world: &World) -> bool {
        let default = || world.default_calendar(&self.mailbox).map(|calendar| calendar.key).ok();
        self.mailbox == written.mailbox
            && self.calendar.or_else(default) == Some(written.calendar)
            && self.change_types.contains(&written.kind)
    }

    /// The API's form.
    pub fn to_json(&self, creator: Option<&str>) -> Value {
        let types: Vec<&str> = self.change_types.iter().map(|kind| kind.as_str()).collect();
        json!({
            "id": self.id,
            "resource": self.resource,
            "applicationId": self.client_id,
            "changeType": types.join(","),
            "clientState": self.client_state,
            "notificationUrl": self.notification_url,
            "lifecycleNotificationUrl": self.lifecycle_notification_url,
            "notificationQueryOptions": null,
            "expirationDateTime": instant(self.expiration),
            "creatorId": creator,
            "includeResourceData": null,
            "latestSupportedTlsVersion": "v1_2",
            "encryptionCertificate": null,
            "encryptionCertificateId": null,
            "notificationUrlAppId": null,
        })
    }

    /// One change notification.
    pub fn notification(&self, written: &Written, world: &World) -> Value {
        let id = ids::event_id(self.ids, written.calendar, written.item);
        let user = world.users.get(&self.mailbox);
        let resource = format!("Users/{}/Events/{id}", user.map_or("", |user| &user.id));
        json!({
            "subscriptionId": self.id,
            "subscriptionExpirationDateTime": instant(self.expiration),
            "tenantId": user.map_or("", |user| &user.tenant),
            "clientState": self.client_state,
            "changeType": written.kind,
            "resource": resource,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.Event",
                "@odata.id": resource,
                "@odata.etag": etag_of(written.item.event, written.change),
                "id": id,
            },
        })
    }

    /// One lifecycle notification.
    pub fn lifecycle(&self, event: LifecycleEvent, world: &World) -> Value {
        let tenant = world.users.get(&self.mailbox).map_or("", |user| &user.tenant);
        json!({
            "lifecycleEvent": event,
            "subscriptionId": self.id,
            "subscriptionExpirationDateTime": instant(self.expiration),
            "tenantId": tenant,
            "clientState": self.client_state,
            "resource": self.resource,
        })
    }
}
