//! What Google tells, and what others pretend to.

use cupo_simulators::google::{Channel, Fault};
use futures::future::join_all;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::world::{World, problem};

/// A notification as Google sends it.
fn notification(world: &World, channel: &Channel, token: &str, number: u64) -> RequestBuilder {
    world
        .client
        .post(world.url("/webhooks/google"))
        .header("x-goog-channel-id", &channel.id)
        .header("x-goog-channel-token", token)
        .header("x-goog-message-number", number)
        .header("x-goog-resource-id", &channel.resource_id)
        .header("x-goog-resource-state", "exists")
}

/// The demo with its channels open and nothing under way.
async fn at_rest(limits: &str) -> (World, Vec<Channel>) {
    let world = World::with_limits(limits).await;
    let channels = world
        .until("the channels", async || Some(world.google.channels()).filter(|channels| channels.len() >= 2))
        .await;
    world.settle().await;
    world.google.clear_exchanges();
    (world, channels)
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_channels_wrong_tokens_and_replays_are_answered_and_do_nothing() {
    let world = World::start().await;
    let channel = world.until("the channel", async || world.google.channels().into_iter().next()).await;
    world.settle().await;
    let notify = async |id: &str, token: &str, number: &str| {
        world
            .client
            .post(world.url("/webhooks/google"))
            .header("x-goog-channel-id", id)
            .header("x-goog-channel-token", token)
            .header("x-goog-message-number", number)
            .header("x-goog-resource-id", &channel.resource_id)
            .header("x-goog-resource-state", "exists")
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    world.google.clear_exchanges();
    let token = channel.token.clone().unwrap_or_default();
    assert_eq!(notify("no-such-channel", &token, "900").await, 202);
    assert_eq!(notify(&channel.id, "not the token", "901").await, 202);
    world.settle().await;
    assert_eq!(listings(&world), 0, "nobody was believed");

    assert_eq!(notify(&channel.id, &token, "1000").await, 202);
    world.until("the sync", async || (listings(&world) > 0).then_some(())).await;
    world.settle().await;
    let after_first = listings(&world);
    assert_eq!(notify(&channel.id, &token, "1000").await, 202);
    assert_eq!(notify(&channel.id, &token, "999").await, 202);
    world.settle().await;
    assert_eq!(listings(&world), after_first, "a replay changes nothing");
}

fn listings(world: &World) -> usize {
    let is_listing = |path: &str| path.contains("/events") && path.contains("/calendars/");
    world.google.exchanges().iter().filter(|it| it.method == "GET" && is_listing(&it.path)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_without_its_headers_is_answered_and_does_nothing() {
    let world = World::start().await;
    world.settle().await;
    world.google.clear_exchanges();
    let answer = world.client.post(world.url("/webhooks/google")).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    world.settle().await;
    assert_eq!(listings(&world), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_host_adds_takes_its_slots_away_within_seconds() {
    let world = World::start().await;
    world.until("the channel", async || (!world.google.channels().is_empty()).then_some(())).await;
    let start = world.slots().await[0];
    let end = start + chrono::TimeDelta::minutes(30);
    let event = json!({
        "summary": "Dentist",
        "start": { "dateTime": start.to_rfc3339() },
        "end": { "dateTime": end.to_rfc3339() },
    });
    world.google.insert_event("ana@example.com", event).unwrap();
    world.until("the corrected slots", async || (!world.slots().await.contains(&start)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_is_answered_while_the_provider_hangs() {
    let world = World::start().await;
    let channel = world.until("the channel", async || world.google.channels().into_iter().next()).await;
    world.settle().await;
    world.google.clear_exchanges();
    world.google.add_fault(Fault { delay_ms: 2_000, times: 1_000, ..Fault::default() }).unwrap();
    let request = world.client.post(world.url("/webhooks/google")).header("x-goog-channel-id", &channel.id);
    let request = request.header("x-goog-channel-token", channel.token.as_deref().unwrap_or_default());
    let request = request.header("x-goog-message-number", "1000").header("x-goog-resource-state", "exists");
    let answer = request.header("x-goog-resource-id", &channel.resource_id).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    assert_eq!(listings(&world), 0, "the provider has not answered yet");
    world.until("the sync", async || (listings(&world) > 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_from_one_sender_takes_nothing_from_another_and_makes_little_work() {
    let limits = "webhooks_per_minute = 600\ntrust_proxy = true\nbookings_per_minute = 0\npages_per_minute = 0\n";
    let (world, channels) = at_rest(limits).await;
    // A pull takes a while: what is told meanwhile is for the next one.
    world.google.add_fault(Fault { delay_ms: 500, times: 10_000, ..Fault::default() }).unwrap();
    let tell = async |sender: &str, channel: &Channel, number: u64| {
        let token = channel.token.as_deref().unwrap();
        let answer =
            notification(&world, channel, token, number).header("x-forwarded-for", sender).send().await.unwrap();
        (answer.status(), answer.headers().contains_key("retry-after"))
    };
    let tell = &tell;
    let (channel, other) = (&channels[0], &channels[1]);
    let waves = futures::stream::iter(0..50_u64);
    let told: Vec<_> = futures::StreamExt::collect(futures::StreamExt::then(waves, async |wave| {
        let flood = (0..40).map(|one| tell("198.51.100.1", channel, 10_000 + wave * 40 + one));
        futures::future::join(join_all(flood), tell("203.0.113.9", other, 10_000 + wave)).await
    }))
    .await;
    let (flood, others): (Vec<_>, Vec<_>) = told.into_iter().unzip();
    assert!(others.iter().all(|told| *told == (StatusCode::ACCEPTED, false)), "{others:?}");
    let flood: Vec<_> = flood.into_iter().flatten().collect();
    assert_eq!(flood.len(), 2_000);
    let accepted = flood.iter().filter(|told| **told == (StatusCode::ACCEPTED, false)).count();
    let put_off = flood.iter().filter(|told| **told == (StatusCode::TOO_MANY_REQUESTS, true)).count();
    assert_eq!(accepted + put_off, 2_000);
    assert!((600..2_000).contains(&accepted), "its own limit holds for the flood: {accepted}");
    world.google.clear_faults();
    world.settle().await;
    let pulls = listings(&world);
    assert!((2..100).contains(&pulls), "{pulls} readings of two calendars");
}

/// A delivery of Microsoft's that tells of as many channels as there may be in one, none of which exists.
fn large_delivery() -> Value {
    let told = |number: usize| {
        json!({
            "subscriptionId": "7f105c7d-2dc5-4530-97cd-4e7ae6534c07", "changeType": "updated",
            "clientState": format!("018f4e9e-7a3b-7c21-9d7e-{number:012}.hush"), "resource": "Users/x/Events/y",
        })
    };
    json!({ "value": (0..1_000).map(told).collect::<Vec<_>>() })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_at_once_is_put_off_and_nothing_is_accepted_that_is_not_written() {
    let (world, channels) = at_rest("webhooks_per_minute = 0\n").await;
    let token = channels[0].token.clone().unwrap();
    let writing = world.server.store.write().await.unwrap();
    let known = tokio::spawn(notification(&world, &channels[0], &token, 10_000).send());
    let send = || world.client.post(world.url("/webhooks/microsoft")).json(&large_delivery()).send();
    let mut waiting = Vec::new();
    let refused = world
        .until("a refusal", async || {
            waiting.push(tokio::spawn(send()));
            let at = waiting.iter().position(tokio::task::JoinHandle::is_finished)?;
            let answer = waiting.remove(at).await.unwrap().unwrap();
            (answer.status() != StatusCode::ACCEPTED).then_some(answer)
        })
        .await;
    assert_eq!(refused.headers()["retry-after"], "1");
    problem(refused, 503, "unavailable").await;
    assert!(!known.is_finished(), "it is not on disk");
    writing.rollback().await.unwrap();
    assert_eq!(known.await.unwrap().unwrap().status(), StatusCode::ACCEPTED);
    for answer in waiting {
        let status = answer.await.unwrap().unwrap().status();
        assert!(matches!(status, StatusCode::ACCEPTED | StatusCode::SERVICE_UNAVAILABLE), "{status}");
    }
    assert_eq!(send().await.unwrap().status(), StatusCode::ACCEPTED, "there is place again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_wrong_anywhere_or_of_any_length_is_answered_alike_and_not_believed() {
    let (world, channels) = at_rest("webhooks_per_minute = 0\n").await;
    let token = channels[0].token.clone().unwrap();
    let flipped = |at: usize| {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let last = token.len() - 1;
    let wrong =
        [flipped(0), flipped(last), token[..last].to_owned(), format!("{token}A"), "x".to_owned(), "x".repeat(4_000)];
    let mut answers = Vec::new();
    for (number, token) in (10_000..).zip(&wrong) {
        let answer = notification(&world, &channels[0], token, number).send().await.unwrap();
        let mut names: Vec<_> = answer.headers().keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        answers.push((answer.status(), names, answer.text().await.unwrap()));
    }
    assert_eq!(answers[0].0, StatusCode::ACCEPTED);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    world.settle().await;
    assert_eq!(listings(&world), 0, "nobody was believed");
    assert_eq!(notification(&world, &channels[0], &token, 10_000).send().await.unwrap().status(), 202);
    world.until("the sync", async || (listings(&world) > 0).then_some(())).await;
}
