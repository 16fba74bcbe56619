use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use chrono::TimeDelta;
use cupo_simulators::microsoft::{Fault, LifecycleEvent, MicrosoftOptions};
use reqwest::Method;
use serde_json::{Value, json};

use crate::microsoft::world::{ANA, BEN, World, event, id, intro, with};
use crate::world::eventually;

/// How a webhook answers the validation request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Handshake {
    #[default]
    Right,
    WrongText,
    WrongType,
    WrongStatus,
    TooLate,
}

/// A webhook on a real socket.
#[derive(Clone, Default)]
struct Webhook {
    handshake: Arc<Mutex<Handshake>>,
    handshakes: Arc<Mutex<Vec<String>>>,
    /// Path and body of every notification.
    received: Arc<Mutex<Vec<(String, Value)>>>,
    /// The statuses of the next answers; then 202.
    answers: Arc<Mutex<Vec<StatusCode>>>,
}

impl Webhook {
    async fn start(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(any(receive)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }

    /// The first notifications, each with its path.
    async fn wait_for(&self, count: usize) -> Vec<(String, Value)> {
        let received = Arc::clone(&self.received);
        eventually("the notifications", || {
            let received = received.lock().unwrap();
            (received.len() >= count)
                .then(|| received.iter().map(|(path, body)| (path.clone(), body["value"][0].clone())).collect())
        })
        .await
    }
}

async fn receive(State(webhook): State<Webhook>, OriginalUri(uri): OriginalUri, body: String) -> Response {
    let query = uri.query().unwrap_or_default();
    let token = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "validationToken");
    if let Some((_, token)) = token {
        webhook.handshakes.lock().unwrap().push(uri.path().to_owned());
        let how = *webhook.handshake.lock().unwrap();
        return match how {
            Handshake::Right => token.into_owned().into_response(),
            Handshake::WrongText => "something else".into_response(),
            Handshake::WrongType => axum::Json(json!(token)).into_response(),
            Handshake::WrongStatus => (StatusCode::ACCEPTED, token.into_owned()).into_response(),
            Handshake::TooLate => std::future::pending().await,
        };
    }
    webhook.received.lock().unwrap().push((uri.path().to_owned(), serde_json::from_str(&body).unwrap()));
    let mut answers = webhook.answers.lock().unwrap();
    if answers.is_empty() { StatusCode::ACCEPTED } else { answers.remove(0) }.into_response()
}

fn wanted(address: SocketAddr) -> Value {
    json!({
        "changeType": "created,updated,deleted",
        "notificationUrl": format!("http://{address}/notify"),
        "lifecycleNotificationUrl": format!("http://{address}/lifecycle"),
        "resource": "/me/events",
        "expirationDateTime": "2026-11-26T08:00:00Z",
        "clientState": "channel.token",
    })
}

async fn subscribed() -> (World, Webhook, Value) {
    let (world, webhook) = (World::start().await, Webhook::default());
    let address = webhook.start().await;
    let subscription = world.post("/subscriptions", wanted(address)).await.ok();
    (world, webhook, subscription)
}

#[tokio::test]
async fn both_addresses_are_asked_and_every_change_is_told() {
    let (world, webhook, subscription) = subscribed().await;
    assert_eq!(*webhook.handshakes.lock().unwrap(), ["/notify", "/lifecycle"]);
    assert_eq!(subscription["applicationId"], "cupo-demo");
    assert_eq!(subscription["expirationDateTime"], "2026-11-26T08:00:00.0000000Z");
    let made = world.create(intro()).await;
    let path = format!("/me/events/{}", id(&made));
    world.patch(&path, json!({ "subject": "Other" })).await.ok();
    world.delete(&path).await.is(204);
    let received = webhook.wait_for(3).await;
    let kinds: Vec<&Value> = received.iter().map(|(_, told)| &told["changeType"]).collect();
    assert_eq!(kinds, ["created", "updated", "deleted"]);
    for (path, told) in &received {
        assert_eq!((path.as_str(), &told["clientState"]), ("/notify", &json!("channel.token")));
        assert_eq!(told["subscriptionId"], subscription["id"]);
        assert_eq!(told["resourceData"]["id"], made["id"]);
        assert!(told["resource"].as_str().unwrap().starts_with("Users/"));
        assert_eq!(told["tenantId"], cupo_simulators::microsoft::CONTOSO_TENANT);
    }
}

#[tokio::test]
async fn only_the_calendar_and_the_changes_that_were_asked_for_are_told() {
    let (world, webhook) = (World::start().await, Webhook::default());
    let personal = world.simulator.calendar_id("ana@contoso.example/Personal").unwrap();
    let narrow = json!({ "resource": format!("me/calendars/{personal}/events"), "changeType": "deleted" });
    world.post("/subscriptions", with(wanted(webhook.start().await), narrow)).await.ok();
    world.create(intro()).await;
    world.simulator.insert_event(BEN, intro()).unwrap();
    let made = world.simulator.insert_event("ana@contoso.example/Personal", intro()).unwrap();
    world.simulator.delete_event("ana@contoso.example/Personal", made["id"].as_str().unwrap()).unwrap();
    let received = webhook.wait_for(1).await;
    assert_eq!((&received[0].1["changeType"], &received[0].1["resourceData"]["id"]), (&json!("deleted"), &made["id"]));
    assert_eq!(world.simulator.deliveries().len(), 1);
}

#[tokio::test]
async fn ids_in_notifications_are_as_the_subscription_preferred() {
    let (world, webhook) = (World::start().await, Webhook::default());
    let request = world.request(Method::POST, "/subscriptions").header("prefer", "IdType=\"ImmutableId\"");
    world.send(request.json(&wanted(webhook.start().await))).await.ok();
    world.create(intro()).await;
    let told = webhook.wait_for(1).await.remove(0).1;
    let list = world.get_preferring("/me/events", "IdType=\"ImmutableId\"").await.ok();
    assert_eq!(told["resourceData"]["id"], list["value"][0]["id"]);
}

#[tokio::test]
async fn an_address_that_does_not_answer_as_it_must_is_refused() {
    let options = MicrosoftOptions { validation_patience: Duration::from_millis(200), ..MicrosoftOptions::default() };
    let (world, webhook) = (World::start_with(options).await, Webhook::default());
    let address = webhook.start().await;
    for how in [Handshake::WrongText, Handshake::WrongType, Handshake::WrongStatus, Handshake::TooLate] {
        *webhook.handshake.lock().unwrap() = how;
        let answer = world.post("/subscriptions", wanted(address)).await;
        assert_eq!(answer.reason(), "ValidationError", "{how:?}");
        answer.is(400);
    }
    let nobody = with(wanted(address), json!({ "lifecycleNotificationUrl": "http://127.0.0.1:9/lifecycle" }));
    *webhook.handshake.lock().unwrap() = Handshake::Right;
    world.post("/subscriptions", nobody).await.refused(400, "ValidationError");
    assert!(world.simulator.subscriptions().is_empty());
}

#[tokio::test]
async fn a_subscription_that_cannot_be_is_refused() {
    let (world, webhook, _) = subscribed().await;
    let address = webhook.start().await;
    let cases = [
        json!({ "changeType": "moved" }),
        json!({ "resource": "/me/messages" }),
        json!({ "notificationUrl": "http://cupo.example/notify" }),
        json!({ "notificationUrl": "nonsense" }),
        json!({ "clientState": "x".repeat(129) }),
        json!({ "expirationDateTime": "2026-11-28T08:00:00Z" }),
        json!({ "expirationDateTime": "2026-11-19T08:00:00Z" }),
        json!({ "includeResourceData": true }),
    ];
    for members in cases {
        world.post("/subscriptions", with(wanted(address), members)).await.refused(400, "InvalidRequest");
    }
    let foreign = json!({ "resource": format!("/users/{BEN}/events") });
    world.post("/subscriptions", with(wanted(address), foreign)).await.refused(403, "ErrorAccessDenied");
    assert_eq!(world.simulator.subscriptions().len(), 1);
}

#[tokio::test]
async fn a_duplicate_is_a_conflict_and_a_short_time_is_raised() {
    let (world, webhook, subscription) = subscribed().await;
    let same = with(wanted(webhook.start().await), json!({ "notificationUrl": subscription["notificationUrl"] }));
    world.post("/subscriptions", same.clone()).await.refused(409, "Conflict");
    let short = json!({ "changeType": "created", "expirationDateTime": "2026-11-20T08:10:00Z" });
    let raised = world.post("/subscriptions", with(same, short)).await.ok();
    assert!(raised["expirationDateTime"].as_str().unwrap().starts_with("2026-11-20T08:45:"), "{raised}");
}

#[tokio::test]
async fn a_mailbox_has_a_thousand_subscriptions_at_most() {
    let (world, webhook) = (World::start().await, Webhook::default());
    let address = webhook.start().await;
    let number = |number: u32| {
        let address = format!("http://{address}/{number}");
        with(wanted_without_lifecycle(&address), json!({}))
    };
    for count in 0..1_000 {
        world.post("/subscriptions", number(count)).await.is(201);
    }
    world.post("/subscriptions", number(1_000)).await.refused(403, "ExtensionError");
}

fn wanted_without_lifecycle(address: &str) -> Value {
    json!({
        "changeType": "updated", "notificationUrl": address, "resource": "/me/events",
        "expirationDateTime": "2026-11-26T08:00:00Z",
    })
}

#[tokio::test]
async fn a_subscription_is_listed_read_renewed_and_deleted_by_its_owner() {
    let (mut world, _webhook, subscription) = subscribed().await;
    let path = format!("/subscriptions/{}", id(&subscription));
    assert_eq!(world.get("/subscriptions").await.ok()["value"][0]["id"], subscription["id"]);
    assert_eq!(world.get(&path).await.ok()["clientState"], "channel.token");
    let renewed = world.patch(&path, json!({ "expirationDateTime": "2026-11-27T07:00:00Z" })).await.ok();
    assert_eq!(renewed["expirationDateTime"], "2026-11-27T07:00:00.0000000Z");
    world.patch(&path, json!({ "expirationDateTime": "2026-12-27T07:00:00Z" })).await.refused(400, "InvalidRequest");
    world.patch(&path, json!({ "clientState": "other" })).await.refused(400, "InvalidRequest");
    let anas = world.token.clone();
    world.sign_in(BEN);
    world.get(&path).await.refused(404, "ResourceNotFound");
    assert_eq!(world.get("/subscriptions").await.ok()["value"], json!([]));
    world.token = anas;
    world.delete(&path).await.is(204);
    for answer in [world.get(&path).await, world.delete(&path).await, world.patch(&path, json!({})).await] {
        answer.refused(404, "ResourceNotFound");
    }
}

#[tokio::test]
async fn an_expired_subscription_is_gone_and_silent() {
    let (mut world, webhook, subscription) = subscribed().await;
    world.simulator.clock().advance(TimeDelta::days(7));
    world.sign_in(ANA);
    let path = format!("/subscriptions/{}", id(&subscription));
    let renewal = json!({ "expirationDateTime": "2026-11-30T07:00:00Z" });
    world.patch(&path, renewal).await.refused(404, "ResourceNotFound");
    world.create(intro()).await;
    assert!(world.simulator.subscriptions().is_empty());
    assert!(webhook.received.lock().unwrap().is_empty() && world.simulator.deliveries().is_empty());
}

#[tokio::test]
async fn a_failing_webhook_is_tried_again_until_it_takes_the_notification() {
    let (world, webhook, _) = subscribed().await;
    *webhook.answers.lock().unwrap() = vec![StatusCode::SERVICE_UNAVAILABLE, StatusCode::NOT_FOUND];
    world.create(intro()).await;
    let received = webhook.wait_for(3).await;
    assert!(received.iter().all(|(_, told)| told == &received[0].1), "{received:?}");
    let deliveries = eventually("the last attempt", || {
        let deliveries = world.simulator.deliveries();
        (deliveries.len() == 3).then_some(deliveries)
    });
    let attempts: Vec<_> = deliveries.await.iter().map(|delivery| (delivery.attempt, delivery.status)).collect();
    assert_eq!(attempts, [(1, Some(503)), (2, Some(404)), (3, Some(202))]);
}

#[tokio::test]
async fn a_notification_can_be_lost_come_twice_or_late() {
    let (world, webhook, _) = subscribed().await;
    for fault in [
        Fault { lose_notifications: true, ..Fault::default() },
        Fault { double_notifications: true, ..Fault::default() },
        Fault { late_notifications_ms: 50, ..Fault::default() },
    ] {
        world.simulator.add_fault(fault).unwrap();
    }
    let mut ids = Vec::new();
    for day in 23..26 {
        let day = event("Intro", &format!("2026-11-{day}T09:00:00"), &format!("2026-11-{day}T10:00:00"));
        ids.push(world.create(day).await["id"].clone());
    }
    let received = webhook.wait_for(3).await;
    let told: Vec<&Value> = received.iter().map(|(_, told)| &told["resourceData"]["id"]).collect();
    assert_eq!(told, [&ids[1], &ids[1], &ids[2]]);
    assert_eq!(world.simulator.deliveries().iter().filter(|delivery| delivery.lost).count(), 1);
}

#[tokio::test]
async fn a_notification_can_be_overtaken_and_subscriptions_can_end_without_a_word() {
    let (world, webhook, _) = subscribed().await;
    world.simulator.add_fault(Fault { overtaken_notifications_ms: 1_000, ..Fault::default() }).unwrap();
    let mut ids = Vec::new();
    for day in 23..25 {
        let day = event("Intro", &format!("2026-11-{day}T09:00:00"), &format!("2026-11-{day}T10:00:00"));
        ids.push(world.create(day).await["id"].clone());
    }
    let received = webhook.wait_for(2).await;
    let told: Vec<&Value> = received.iter().map(|(_, told)| &told["resourceData"]["id"]).collect();
    assert_eq!(told, [&ids[1], &ids[0]]);
    world.control(Method::POST, "/expire-subscriptions", None).await.is(204);
    assert!(world.simulator.subscriptions().is_empty());
}

#[tokio::test]
async fn until_it_is_reauthorized_nothing_is_delivered() {
    let (world, webhook, subscription) = subscribed().await;
    let id_text = subscription["id"].as_str().unwrap();
    world.simulator.lifecycle(id_text, LifecycleEvent::ReauthorizationRequired).unwrap();
    let (path, told) = webhook.wait_for(1).await.remove(0);
    assert_eq!((path.as_str(), &told["lifecycleEvent"]), ("/lifecycle", &json!("reauthorizationRequired")));
    assert_eq!(told["clientState"], "channel.token");
    world.create(intro()).await;
    let path = format!("/subscriptions/{id_text}/reauthorize");
    world.send(world.request(Method::POST, &path)).await.is(204);
    let second = world.create(event("Second", "2026-11-24T09:00:00", "2026-11-24T10:00:00")).await;
    let received = webhook.wait_for(2).await;
    assert_eq!(received[1].1["resourceData"]["id"], second["id"], "the first change was told to nobody");
}

#[tokio::test]
async fn a_removed_subscription_and_missed_notifications_are_told() {
    let (world, webhook, subscription) = subscribed().await;
    let id_text = subscription["id"].as_str().unwrap();
    let missed = json!({ "subscription": id_text, "event": "missed" });
    world.control(Method::POST, "/lifecycle", Some(missed)).await.is(204);
    world.simulator.lifecycle(id_text, LifecycleEvent::SubscriptionRemoved).unwrap();
    let received = webhook.wait_for(2).await;
    let events: Vec<&Value> = received.iter().map(|(_, told)| &told["lifecycleEvent"]).collect();
    assert_eq!(events, ["missed", "subscriptionRemoved"]);
    world.get(&format!("/subscriptions/{id_text}")).await.refused(404, "ResourceNotFound");
    assert!(world.simulator.lifecycle(id_text, LifecycleEvent::Missed).is_err());
}
