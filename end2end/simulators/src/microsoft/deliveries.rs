//! The delivery of notifications: in order for each subscription, tried again when the webhook fails.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::simulation::Microsoft;
use super::subscriptions::{LifecycleEvent, Subscription};
use super::world::Written;

/// How often a delivery is tried in all. Microsoft goes on for four hours.
const ATTEMPTS: u32 = 6;
/// How long a webhook may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// One attempt to reach a webhook.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    pub at: DateTime<Utc>,
    pub subscription: String,
    /// The change type, or the lifecycle event.
    pub kind: String,
    pub attempt: u32,
    /// What the webhook answered; absent when there was no answer.
    pub status: Option<u16>,
    /// Whether a fault swallowed it before it was sent.
    pub lost: bool,
    pub body: Value,
}

/// The queues of the subscriptions: messages of one go out in order.
#[derive(Debug, Default)]
pub struct Queues(HashMap<String, mpsc::UnboundedSender<Message>>);

#[derive(Debug)]
struct Message {
    subscription: String,
    address: String,
    kind: String,
    body: Value,
    /// A lifecycle message goes out even if its subscription is gone.
    even_if_removed: bool,
}

impl Microsoft {
    /// Tells the subscriptions what was written.
    pub(super) fn tell(self: &Arc<Self>, journal: &[Written]) {
        let now = self.clock.now();
        let messages: Vec<Message> = {
            let mut world = self.world();
            world.subscriptions.retain(|_, subscription| subscription.expiration > now);
            let world = &*world;
            let heard = journal.iter().flat_map(|written| {
                let subscriptions = world.subscriptions.values();
                subscriptions.filter(|it| !it.needs_reauthorization && it.hears(written, world)).map(move |it| {
                    Message {
                        subscription: it.id.clone(),
                        address: it.notification_url.clone(),
                        kind: written.kind.as_str().to_owned(),
                        body: json!({ "value": [it.notification(written, world)] }),
                        even_if_removed: false,
                    }
                })
            });
            heard.collect()
        };
        messages.into_iter().for_each(|message| self.enqueue(message));
    }

    /// Sends a lifecycle notification and does what it says to the subscription. False when there is no such
    /// subscription, or when it has no address for it.
    pub fn lifecycle(self: &Arc<Self>, id: &str, event: LifecycleEvent) -> bool {
        let message = {
            let mut world = self.world();
            let Some(subscription) = world.subscriptions.get(id).cloned() else { return false };
            let Some(address) = subscription.lifecycle_notification_url.clone() else { return false };
            let body = json!({ "value": [subscription.lifecycle(event, &world)] });
            match event {
                LifecycleEvent::SubscriptionRemoved => {
                    world.subscriptions.remove(id);
                }
                LifecycleEvent::ReauthorizationRequired => {
                    if let Some(subscription) = world.subscriptions.get_mut(id) {
                        subscription.needs_reauthorization = true;
                    }
                }
                LifecycleEvent::Missed => {}
            }
            let kind = serde_json::to_value(event).ok().and_then(|kind| kind.as_str().map(str::to_owned));
            let kind = kind.unwrap_or_default();
            Message { subscription: subscription.id, address, kind, body, even_if_removed: true }
        };
        self.enqueue(message);
        true
    }

    fn enqueue(self: &Arc<Self>, message: Message) {
        let mut queues = self.queues();
        let queue = queues.0.entry(message.subscription.clone()).or_insert_with(|| {
            let (sender, receiver) = mpsc::unbounded_channel();
            self.spawn(deliver_in_order(Arc::clone(self), receiver));
            sender
        });
        // The worker ends only with the simulator, and then nobody waits for the message.
        let _ = queue.send(message);
    }

    /// The validation request to `address`: 200 within the time, `text/plain`, and the token as it was before encoding.
    pub(super) async fn validate(&self, address: &str) -> Result<(), String> {
        let token = format!(
            "Validation: Testing client application reachability for subscription. Id {}",
            uuid::Uuid::new_v4()
        );
        let mut url = url::Url::parse(address).map_err(|_| "The address is no URL.".to_owned())?;
        url.query_pairs_mut().append_pair("validationToken", &token);
        let request =
            self.http.post(url).timeout(self.validation_patience).header("Content-Type", "text/plain; charset=utf-8");
        let request = request.header("Content-Length", "0");
        let answer = request.send().await.map_err(|error| {
            if error.is_timeout() {
                "The request timed out.".to_owned()
            } else {
                "No connection could be made.".to_owned()
            }
        })?;
        if answer.status() != StatusCode::OK {
            return Err(format!("The status was {}, expected 200.", answer.status().as_u16()));
        }
        let kind =
            answer.headers().get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("text/plain") {
            return Err("The content type was not text/plain.".to_owned());
        }
        match answer.text().await {
            Ok(text) if text == token => Ok(()),
            _ => Err("The body was not the decoded validation token.".to_owned()),
        }
    }
}

async fn deliver_in_order(microsoft: Arc<Microsoft>, mut messages: mpsc::UnboundedReceiver<Message>) {
    while let Some(message) = messages.recv().await {
        let fault = microsoft.faults().for_notification(&message.address);
        let fault = fault.unwrap_or_default();
        if fault.lose_notifications {
            microsoft.record_delivery(delivery(&microsoft, &message, 1, None, true));
            continue;
        }
        if fault.overtaken_notifications_ms > 0 {
            let overtaken = Arc::clone(&microsoft);
            microsoft.spawn(async move {
                tokio::time::sleep(Duration::from_millis(fault.overtaken_notifications_ms)).await;
                deliver(&overtaken, &message).await;
            });
            continue;
        }
        tokio::time::sleep(Duration::from_millis(fault.late_notifications_ms)).await;
        for _ in 0..if fault.double_notifications { 2 } else { 1 } {
            deliver(&microsoft, &message).await;
        }
    }
}

async fn deliver(microsoft: &Microsoft, message: &Message) {
    let mut pause = microsoft.delivery_retry;
    for attempt in 1..=ATTEMPTS {
        let is_there = |subscription: Option<&Subscription>| subscription.is_some() || message.even_if_removed;
        if !is_there(microsoft.world().subscriptions.get(&message.subscription)) {
            return;
        }
        let request = microsoft.http.post(&message.address).timeout(PATIENCE).json(&message.body);
        let status = match request.send().await {
            Ok(answer) => Some(answer.status()),
            Err(error) => {
                tracing::warn!(subscription = message.subscription, %error, "a webhook could not be reached");
                None
            }
        };
        microsoft.record_delivery(delivery(microsoft, message, attempt, status, false));
        if status.is_some_and(|status| status.is_success()) {
            return;
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

fn delivery(
    microsoft: &Microsoft,
    message: &Message,
    attempt: u32,
    status: Option<StatusCode>,
    lost: bool,
) -> Delivery {
    Delivery {
        at: microsoft.clock.now(),
        subscription: message.subscription.clone(),
        kind: message.kind.clone(),
        attempt,
        status: status.map(|status| status.as_u16()),
        lost,
        body: message.body.clone(),
    }
}
