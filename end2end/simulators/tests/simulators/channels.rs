use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use cupo_simulators::google::{Fault, GoogleOptions};
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{ANA, World, event, eventually};

/// A webhook on a real socket: it keeps the headers and answers as told.
#[derive(Clone, Default)]
struct Webhook {
    received: Arc<Mutex<Vec<HeaderMap>>>,
    /// The statuses of the next answers; then 200.
    answers: Arc<Mutex<Vec<StatusCode>>>,
}

impl Webhook {
    async fn start(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/webhooks/google", post(receive)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }

    fn states(&self) -> Vec<String> {
        self.received.lock().unwrap().iter().map(|headers| header(headers, "x-goog-resource-state")).collect()
    }

    async fn wait_for(&self, count: usize) -> Vec<HeaderMap> {
        let received = Arc::clone(&self.received);
        eventually("the notifications", || {
            let received = received.lock().unwrap();
            (received.len() >= count).then(|| received.clone())
        })
        .await
    }
}

async fn receive(State(webhook): State<Webhook>, headers: HeaderMap) -> StatusCode {
    webhook.received.lock().unwrap().push(headers);
    let mut answers = webhook.answers.lock().unwrap();
    if answers.is_empty() { StatusCode::OK } else { answers.remove(0) }
}

fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).unwrap_or_else(|| panic!("the header {name}")).to_str().unwrap().to_owned()
}

async fn watched() -> (World, Webhook, Value) {
    watched_with(GoogleOptions::default()).await
}

async fn watched_with(options: GoogleOptions) -> (World, Webhook, Value) {
    let (world, webhook) = (World::start_with(options).await, Webhook::default());
    let address = webhook.start().await;
    let channel = open(&world, "channel-1", &format!("http://{address}/webhooks/google")).await;
    webhook.wait_for(1).await;
    (world, webhook, channel)
}

async fn open(world: &World, id: &str, address: &str) -> Value {
    let body = json!({ "id": id, "type": "web_hook", "address": address, "token": "secret-token" });
    world.post("/calendars/primary/events/watch", body).await.ok()
}

async fn insert(world: &World) -> Value {
    world.insert(event("Intro", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")).await
}

#[tokio::test]
async fn a_channel_says_sync_first_and_then_tells_every_change() {
    let (world, webhook, channel) = watched().await;
    let made = insert(&world).await;
    world.simulator.delete_event(ANA, made["id"].as_str().unwrap()).unwrap();
    let received = webhook.wait_for(3).await;
    assert_eq!(webhook.states(), ["sync", "exists", "exists"]);
    let numbers: Vec<u64> = received.iter().map(|of| header(of, "x-goog-message-number").parse().unwrap()).collect();
    assert_eq!(numbers[0], 1);
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    for headers in &received {
        assert_eq!(header(headers, "x-goog-channel-id"), "channel-1");
        assert_eq!(header(headers, "x-goog-channel-token"), "secret-token");
        assert_eq!(header(headers, "x-goog-resource-id"), channel["resourceId"].as_str().unwrap());
        assert_eq!(header(headers, "x-goog-resource-uri"), channel["resourceUri"].as_str().unwrap());
        assert_eq!(header(headers, "x-goog-channel-expiration"), "Fri, 27 Nov 2026 08:00:00 GMT");
        assert_eq!(header(headers, "content-length"), "0");
    }
    let expiration: i64 = channel["expiration"].as_str().unwrap().parse().unwrap();
    assert_eq!(expiration / 1000, 1_795_766_400);
}

#[tokio::test]
async fn a_failing_webhook_is_tried_again_with_the_same_message() {
    let delivery_retry = std::time::Duration::from_millis(5);
    let (world, webhook, _) = watched_with(GoogleOptions { delivery_retry, ..GoogleOptions::default() }).await;
    let retried = [500, 502, 503, 504];
    *webhook.answers.lock().unwrap() = retried.map(|status| StatusCode::from_u16(status).unwrap()).to_vec();
    insert(&world).await;
    let received = webhook.wait_for(6).await;
    let numbers: Vec<_> = received[1..].iter().map(|of| header(of, "x-goog-message-number")).collect();
    assert!(numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
}

#[tokio::test]
async fn a_webhook_that_says_anything_else_is_not_tried_again() {
    let (world, webhook, _) = watched().await;
    let final_answers = [200, 201, 202, 204, 301, 400, 403, 404, 410, 429, 501, 505];
    *webhook.answers.lock().unwrap() = final_answers.map(|status| StatusCode::from_u16(status).unwrap()).to_vec();
    for count in 1..=final_answers.len() {
        insert(&world).await;
        webhook.wait_for(1 + count).await;
    }
    insert(&world).await;
    let received = webhook.wait_for(2 + final_answers.len()).await;
    let numbers: Vec<u64> = received.iter().map(|of| header(of, "x-goog-message-number").parse().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

#[tokio::test]
async fn a_message_that_waits_for_a_retry_ends_with_its_channel() {
    let (mut world, webhook, _) = watched().await;
    *webhook.answers.lock().unwrap() = vec![StatusCode::SERVICE_UNAVAILABLE; 6];
    insert(&world).await;
    webhook.wait_for(2).await;
    world.simulator.clock().advance(chrono::TimeDelta::days(8));
    world.token = world.simulator.issue_tokens(ANA, &["calendar.events"]).unwrap().access_token;
    open(&world, "channel-2", &format!("http://{}/webhooks/google", webhook.start().await)).await;
    // The new channel's first message fails too and comes again, after the old one's would have come.
    let told = webhook.wait_for(4).await;
    let ids: Vec<_> = told[2..].iter().map(|of| header(of, "x-goog-channel-id")).collect();
    assert!(ids.iter().all(|id| id == "channel-2"), "{ids:?}");
}

#[tokio::test]
async fn a_stopped_channel_is_silent_and_stops_once() {
    let (world, webhook, channel) = watched().await;
    let stop = json!({ "id": "channel-1", "resourceId": channel["resourceId"] });
    let wrong = json!({ "id": "channel-1", "resourceId": "other" });
    world.post("/channels/stop", wrong).await.refused(404, "notFound");
    assert_eq!(world.post("/channels/stop", stop.clone()).await.status, 204);
    world.post("/channels/stop", stop).await.refused(404, "notFound");
    insert(&world).await;
    open(&world, "channel-2", &format!("http://{}/webhooks/google", webhook.start().await)).await;
    webhook.wait_for(2).await;
    assert_eq!(webhook.states(), ["sync", "sync"], "the change in between was told to nobody");
}

#[tokio::test]
async fn a_channel_ends_at_its_expiration() {
    let (world, webhook, _) = watched().await;
    world.simulator.clock().advance(chrono::TimeDelta::days(8));
    world.simulator.insert_event(ANA, event("Late", "2026-12-23T09:00:00Z", "2026-12-23T10:00:00Z")).unwrap();
    assert!(world.simulator.channels().is_empty());
    assert_eq!(webhook.states(), ["sync"]);
}

#[tokio::test]
async fn the_time_to_live_is_taken_from_the_request() {
    let world = World::start().await;
    let address = format!("http://{}/webhooks/google", Webhook::default().start().await);
    let body = json!({ "id": "short", "type": "web_hook", "address": address, "params": { "ttl": "3600" } });
    let channel = world.post("/calendars/primary/events/watch", body).await.ok();
    // The simulated clock goes on from its start while the request is under way.
    let expiration: i64 = channel["expiration"].as_str().unwrap().parse().unwrap();
    assert!((1_795_165_200_000..1_795_165_260_000).contains(&expiration), "{expiration}");
    assert!(channel.get("token").is_none());
}

#[tokio::test]
async fn a_channel_that_cannot_be_is_refused() {
    let (world, _, _) = watched().await;
    let valid = json!({ "id": "another", "type": "web_hook", "address": "https://cupo.example/webhooks/google" });
    let with = |name: &str, value: Value| {
        let mut body = valid.clone();
        body[name] = value;
        body
    };
    let cases = [
        (with("id", json!("channel-1")), "channelIdNotUnique"),
        (with("id", json!("x".repeat(65))), "invalid"),
        (with("id", json!("with space")), "invalid"),
        (with("type", json!("email")), "invalid"),
        (with("address", json!("http://cupo.example/webhooks/google")), "push.webhookUrlNotHttps"),
        (with("address", json!("nonsense")), "invalid"),
        (with("token", json!("x".repeat(257))), "invalid"),
        (with("params", json!({ "ttl": "soon" })), "invalid"),
        (json!({}), "required"),
    ];
    for (body, reason) in cases {
        world.post("/calendars/primary/events/watch", body).await.refused(400, reason);
    }
    assert_eq!(world.simulator.channels().len(), 1);
}

#[tokio::test]
async fn a_notification_can_be_lost_or_come_twice() {
    let (world, webhook, _) = watched().await;
    world.simulator.add_fault(Fault { lose_notifications: true, ..Fault::default() }).unwrap();
    world.simulator.add_fault(Fault { double_notifications: true, ..Fault::default() }).unwrap();
    insert(&world).await;
    insert(&world).await;
    insert(&world).await;
    let received = webhook.wait_for(4).await;
    let numbers: Vec<_> = received.iter().map(|of| header(of, "x-goog-message-number")).collect();
    assert_eq!(numbers[1], numbers[2], "the second change was told twice");
    assert_ne!(numbers[2], numbers[3]);
    assert_eq!(world.simulator.deliveries().iter().filter(|delivery| delivery.lost).count(), 1);
}

#[tokio::test]
async fn a_notification_can_come_late_and_be_overtaken() {
    let (world, webhook, _) = watched().await;
    world.simulator.add_fault(Fault { overtaken_notifications_ms: 1_000, ..Fault::default() }).unwrap();
    world.simulator.add_fault(Fault { late_notifications_ms: 20, ..Fault::default() }).unwrap();
    for _ in 0..3 {
        insert(&world).await;
    }
    let received = webhook.wait_for(4).await;
    let number = |of: &HeaderMap| header(of, "x-goog-message-number").parse::<u64>().unwrap();
    let numbers: Vec<_> = received[1..].iter().map(number).collect();
    assert!(numbers[2] < numbers[0] && numbers[0] < numbers[1], "the first change is told last: {numbers:?}");
}

#[tokio::test]
async fn channels_can_end_without_a_word() {
    let (world, webhook, _) = watched().await;
    assert_eq!(world.control(Method::POST, "/expire-channels", None).await.status, 204);
    assert!(world.simulator.channels().is_empty());
    insert(&world).await;
    let address = webhook.start().await;
    open(&world, "channel-2", &format!("http://{address}/webhooks/google")).await;
    webhook.wait_for(2).await;
    assert_eq!(webhook.states(), ["sync", "sync"], "nothing was told in between");
}
