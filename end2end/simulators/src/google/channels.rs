//! `events.watch`, `channels.stop` and the delivery of notifications.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use rand::Rng as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::simulation::Google;
use super::wire::ApiError;
use super::world::World;

const DEFAULT_TTL_SECONDS: i64 = 604_800;
const LONGEST_TTL_SECONDS: i64 = 2_592_000;
/// How often a delivery is tried in all.
const ATTEMPTS: u32 = 6;
/// How long a webhook may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A notification channel on the events of one calendar.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Channel {
    pub id: String,
    pub calendar: String,
    pub account: String,
    pub address: String,
    pub token: Option<String>,
    pub resource_id: String,
    pub resource_uri: String,
    pub expiration: DateTime<Utc>,
    pub last_message_number: u64,
}

/// One attempt to reach a webhook.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    pub at: DateTime<Utc>,
    pub channel: String,
    pub message_number: u64,
    /// `sync` or `exists`.
    pub state: &'static str,
    pub attempt: u32,
    /// What the webhook answered; absent when there was no answer.
    pub status: Option<u16>,
    /// Whether a fault swallowed it before it was sent.
    pub lost: bool,
}

/// The queues of the open channels: messages of one channel go out in order.
#[derive(Debug, Default)]
pub struct Queues(HashMap<String, mpsc::UnboundedSender<Message>>);

#[derive(Debug, Clone)]
struct Message {
    channel: Channel,
    number: u64,
    state: &'static str,
}

/// Opens a channel for `account` on the calendar `calendar_id` and returns it.
pub fn open(
    world: &mut World,
    account: &str,
    calendar_id: &str,
    base_url: &str,
    body: &Map<String, Value>,
    now: DateTime<Utc>,
) -> Result<Channel, ApiError> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let id = text("id").ok_or_else(|| ApiError::required("Missing channel id."))?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+/=".contains(&byte);
    if id.len() > 64 || !id.bytes().all(allowed) {
        return Err(ApiError::invalid("Channel id must match [A-Za-z0-9\\-_\\+/=]+ and have at most 64 characters."));
    }
    if !matches!(text("type"), Some("web_hook" | "webhook")) {
        return Err(ApiError::invalid("Unknown channel type."));
    }
    let address = text("address").ok_or_else(|| ApiError::required("Missing channel address."))?;
    check_address(address)?;
    if text("token").is_some_and(|token| token.len() > 256) {
        return Err(ApiError::invalid("Channel token must have at most 256 characters."));
    }
    world.channels.retain(|_, channel| channel.expiration > now);
    if world.channels.contains_key(id) {
        let message = format!("Channel id {id} not unique");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "channelIdNotUnique", message));
    }
    let ttl = match body.get("params").and_then(|params| params.get("ttl")) {
        None => DEFAULT_TTL_SECONDS,
        Some(value) => {
            let ttl = value.as_str().and_then(|text| text.parse().ok()).or_else(|| value.as_i64());
            ttl.filter(|ttl| *ttl > 0).ok_or_else(|| ApiError::invalid("Invalid ttl."))?
        }
    };
    let channel = Channel {
        id: id.to_owned(),
        calendar: calendar_id.to_owned(),
        account: account.to_owned(),
        address: address.to_owned(),
        token: text("token").map(str::to_owned),
        resource_id: resource_id(account, calendar_id),
        resource_uri: format!("{base_url}/calendar/v3/calendars/{}/events?alt=json", encode(calendar_id)),
        expiration: now + TimeDelta::seconds(ttl.min(LONGEST_TTL_SECONDS)),
        last_message_number: 0,
    };
    world.channels.insert(id.to_owned(), channel.clone());
    Ok(channel)
}

/// Closes a channel of `account`; both ids must fit.
pub fn stop(world: &mut World, account: &str, body: &Map<String, Value>) -> Result<(), ApiError> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let (id, resource_id) = (text("id"), text("resourceId"));
    let fits = |channel: &Channel| channel.account == account && channel.resource_id == resource_id;
    if world.channels.get(id).is_some_and(fits) {
        world.channels.remove(id);
        return Ok(());
    }
    let message = format!("Channel '{id}' not found for project");
    Err(ApiError::new(StatusCode::NOT_FOUND, "notFound", message))
}

/// The answer of `events.watch`.
pub fn resource(channel: &Channel) -> Value {
    let mut resource = json!({
        "kind": "api#channel",
        "id": channel.id,
        "resourceId": channel.resource_id,
        "resourceUri": channel.resource_uri,
        "expiration": channel.expiration.timestamp_millis().to_string(),
    });
    if let Some(token) = &channel.token {
        resource["token"] = json!(token);
    }
    resource
}

impl Google {
    /// Sends `state` to a channel, after whatever it still waits for.
    pub(super) fn notify(self: &Arc<Self>, channel_id: &str, state: &'static str) {
        let message = {
            let mut world = self.world();
            let Some(channel) = world.channels.get_mut(channel_id) else { return };
            channel.last_message_number += match channel.last_message_number {
                0 => 1,
                _ => rand::rng().random_range(1..=4),
            };
            Message { number: channel.last_message_number, channel: channel.clone(), state }
        };
        let mut queues = self.queues();
        let queue = queues.0.entry(channel_id.to_owned()).or_insert_with(|| {
            let (sender, receiver) = mpsc::unbounded_channel();
            self.spawn(deliver_in_order(Arc::clone(self), receiver));
            sender
        });
        // The worker ends only with the simulator, and then nobody waits for the message.
        let _ = queue.send(message);
    }

    /// Tells every live channel on `calendar_id` that something changed there.
    pub(super) fn notify_calendar(self: &Arc<Self>, calendar_id: &str) {
        let now = self.clock.now();
        let ids: Vec<String> = {
            let mut world = self.world();
            world.channels.retain(|_, channel| channel.expiration > now);
            self.queues().0.retain(|id, _| world.channels.contains_key(id));
            // A channel that has not said `sync` yet is still being opened: its watcher has no answer so far.
            let told = |channel: &&Channel| channel.calendar == calendar_id && channel.last_message_number > 0;
            world.channels.values().filter(told).map(|channel| channel.id.clone()).collect()
        };
        for id in ids {
            self.notify(&id, "exists");
        }
    }
}

async fn deliver_in_order(google: Arc<Google>, mut messages: mpsc::UnboundedReceiver<Message>) {
    while let Some(message) = messages.recv().await {
        let fault = google.faults().for_notification(&message.channel.address);
        let fault = fault.unwrap_or_default();
        if fault.lose_notifications {
            google.record_delivery(delivery(&google, &message, 1, None, true));
            continue;
        }
        if fault.overtaken_notifications_ms > 0 {
            let overtaken = Arc::clone(&google);
            google.spawn(async move {
                tokio::time::sleep(Duration::from_millis(fault.overtaken_notifications_ms)).await;
                deliver(&overtaken, &message).await;
            });
            continue;
        }
        tokio::time::sleep(Duration::from_millis(fault.late_notifications_ms)).await;
        for _ in 0..if fault.double_notifications { 2 } else { 1 } {
            deliver(&google, &message).await;
        }
    }
}

async fn deliver(google: &Google, message: &Message) {
    let mut pause = google.delivery_retry;
    for attempt in 1..=ATTEMPTS {
        let now = google.clock.now();
        let is_open = |channel: &Channel| channel.expiration > now;
        if !google.world().channels.get(&message.channel.id).is_some_and(is_open) {
            return;
        }
        let status = match request(google, message).send().await {
            Ok(answer) => Some(answer.status()),
            Err(error) => {
                tracing::warn!(channel = message.channel.id, %error, "a webhook could not be reached");
                None
            }
        };
        google.record_delivery(delivery(google, message, attempt, status, false));
        let retried = status.is_none_or(|status| matches!(status.as_u16(), 500 | 502 | 503 | 504));
        if !retried {
            return;
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

fn request(google: &Google, message: &Message) -> reqwest::RequestBuilder {
    let channel = &message.channel;
    let request = google
        .http
        .post(&channel.address)
        .timeout(PATIENCE)
        .header("Content-Length", "0")
        .header("User-Agent", "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)")
        .header("X-Goog-Channel-ID", &channel.id)
        .header("X-Goog-Channel-Expiration", channel.expiration.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .header("X-Goog-Message-Number", message.number)
        .header("X-Goog-Resource-ID", &channel.resource_id)
        .header("X-Goog-Resource-URI", &channel.resource_uri)
        .header("X-Goog-Resource-State", message.state);
    match &channel.token {
        Some(token) => request.header("X-Goog-Channel-Token", token),
        None => request,
    }
}

fn delivery(google: &Google, message: &Message, attempt: u32, status: Option<StatusCode>, lost: bool) -> Delivery {
    Delivery {
        at: google.clock.now(),
        channel: message.channel.id.clone(),
        message_number: message.number,
        state: message.state,
        attempt,
        status: status.map(|status| status.as_u16()),
        lost,
    }
}

/// Google wants HTTPS; plain HTTP is let through to loopback only, where tests and the demo live.
fn check_address(address: &str) -> Result<(), ApiError> {
    let url = url::Url::parse(address).map_err(|_| ApiError::invalid("Invalid channel address."))?;
    let loopback = crate::http_server::is_loopback(&url);
    if url.scheme() == "https" || (url.scheme() == "http" && loopback) {
        return Ok(());
    }
    let message = format!("WebHook callback must be HTTPS: {address}");
    Err(ApiError::new(StatusCode::BAD_REQUEST, "push.webhookUrlNotHttps", message))
}

/// Stable for the watched resource, opaque to the watcher.
fn resource_id(account: &str, calendar_id: &str) -> String {
    use base64::Engine as _;
    let digest = Sha256::digest(format!("{account}\n{calendar_id}"));
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&digest[..20])
}

fn encode(segment: &str) -> String {
    percent_encoding::utf8_percent_encode(segment, percent_encoding::NON_ALPHANUMERIC).to_string()
}
