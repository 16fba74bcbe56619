//! What Google tells, and what others pretend to.

use cupo_simulators::google::Fault;
use serde_json::json;

use crate::world::World;

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
