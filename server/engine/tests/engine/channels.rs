//! Notification channels: opened, renewed and replaced without a gap, stopped when nobody needs them, and those that
//! nobody remembers.

use axum::{Router, extract::Query, routing::post};
use chrono::TimeDelta;
use cupo_core::ids::{CalendarId, SubscriptionId};
use cupo_engine::{
    EngineSettings, EventTypeHostInput, EventTypeInput,
    NotificationOutcome::{Accepted, Ignored},
};
use cupo_simulators::{
    google::{Channel, Fault},
    microsoft,
};
use cupo_store::{
    Provider, ProviderSubscription, calendar_list_by_user, subscription_delete, subscription_get, subscription_insert,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use url::Url;

use crate::world::{CALENDAR, OUTLOOK, World, delivered, first_visit, host};

const UNKNOWN: cupo_engine::NotificationOutcome = Ignored("unknown_channel");

/// As Google tells that something changed.
fn of_channel(channel: &Channel, number: u64) -> HeaderMap {
    let fields = [
        ("x-goog-channel-id", channel.id.clone()),
        ("x-goog-channel-token", channel.token.clone().unwrap()),
        ("x-goog-message-number", number.to_string()),
        ("x-goog-resource-id", channel.resource_id.clone()),
        ("x-goog-resource-state", "exists".to_owned()),
    ];
    let header =
        |(name, value): (&'static str, String)| (HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
    fields.into_iter().map(header).collect()
}

fn id_of(channel: &Channel) -> SubscriptionId {
    SubscriptionId::parse(&channel.id).unwrap()
}

async fn is_stored(world: &World, channel: &Channel) -> bool {
    subscription_get(&mut world.store.read().await.unwrap(), &id_of(channel)).await.unwrap().is_some()
}

/// The process ends after the channel was opened and before it is stored.
async fn forget(world: &World, channel: &Channel) {
    let mut tx = world.store.write().await.unwrap();
    assert!(subscription_delete(&mut tx, &world.principal.organization_id, &id_of(channel)).await.unwrap());
    tx.commit().await.unwrap();
}

/// The kinds of the jobs that are waiting, now or for later.
async fn waiting(world: &World) -> Vec<String> {
    world.jobs().await.into_iter().map(|(kind, _)| kind).filter(|kind| kind != "upkeep").collect()
}

/// What Google was asked about channels, in order.
fn asked(world: &World) -> Vec<&'static str> {
    let exchanges = world.google.exchanges().into_iter();
    exchanges
        .filter_map(|asked| match asked.path.rsplit('/').next() {
            Some("watch") => Some("watch"),
            Some("stop") => Some("stop"),
            _ => None,
        })
        .collect()
}

/// What falls due by the clock, and what has time.
async fn upkeep(world: &World) {
    world.engine.run_periodic().await.unwrap();
    world.pass(TimeDelta::minutes(11));
    world.run().await;
}

#[tokio::test]
async fn a_channel_is_replaced_a_day_before_it_ends_and_never_without_another_one() {
    let world = World::open_for_business().await;
    let first = world.google.channels().remove(0);
    world.pass(first.expiration - TimeDelta::hours(25) - world.engine.now());
    upkeep(&world).await;
    assert_eq!(asked(&world), Vec::<&str>::new(), "it has more than a day to live");
    world.google.clear_exchanges();

    world.pass(TimeDelta::hours(1));
    upkeep(&world).await;
    assert_eq!(asked(&world), ["watch", "stop"], "the new one is open before the old one is closed");
    let channels = world.google.channels();
    assert_eq!(channels.len(), 1);
    assert_ne!(channels[0].id, first.id);
    assert!(first.expiration - world.engine.now() > TimeDelta::hours(23), "long before the old one would have ended");
    assert!(is_stored(&world, &channels[0]).await && !is_stored(&world, &first).await);
    world.google.clear_exchanges();
    upkeep(&world).await;
    assert_eq!(asked(&world), Vec::<&str>::new(), "once");
}

#[tokio::test]
async fn both_channels_are_believed_while_one_replaces_the_other() {
    let world = World::open_for_business().await;
    let old = world.google.channels().remove(0);
    world.fault("POST", "/channels/stop$", 100, Fault { status: Some(503), ..Fault::default() });
    world.pass(TimeDelta::days(6) + TimeDelta::hours(1));
    upkeep(&world).await;
    let channels = world.google.channels();
    assert_eq!(channels.len(), 2, "the old one cannot be closed");
    let new = channels.into_iter().find(|channel| channel.id != old.id).unwrap();
    for channel in [&old, &new] {
        assert_eq!(world.notify(&of_channel(channel, 100)).await, Accepted);
    }
    world.google.clear_faults();
    world.pass(TimeDelta::hours(1));
    world.run().await;
    assert_eq!(world.google.channels().len(), 1);
}

#[tokio::test]
async fn the_channel_of_a_calendar_that_its_host_unticks_is_stopped() {
    let world = World::open_for_business().await;
    let channel = world.google.channels().remove(0);
    world.engine.calendar_choices_save(&world.principal, Vec::new(), None).await.unwrap();
    world.run().await;
    assert!(world.google.channels().is_empty());
    assert!(!is_stored(&world, &channel).await);
}

#[tokio::test]
async fn the_channel_of_a_calendar_that_no_event_type_names_any_more_is_stopped() {
    let world = World::open_for_business().await;
    let personal = the_other_calendar(&world).await;
    let named =
        EventTypeHostInput { conflict_calendar_ids: Some(vec![personal.to_string()]), ..host(&world.principal) };
    world.change(EventTypeInput { hosts: vec![named], ..first_visit() }).await;
    world.run().await;
    assert_eq!(world.google.channels().len(), 2);
    world.change(EventTypeInput { hosts: vec![host(&world.principal)], ..first_visit() }).await;
    world.run().await;
    assert_eq!(world.google.channels().len(), 2, "nothing tells it from one that was chosen");
    upkeep(&world).await;
    upkeep(&world).await;
    let channels = world.google.channels();
    assert_eq!(channels.iter().map(|channel| channel.calendar.as_str()).collect::<Vec<_>>(), [CALENDAR]);
}

async fn the_other_calendar(world: &World) -> CalendarId {
    let tx = &mut world.store.read().await.unwrap();
    let principal = &world.principal;
    let calendars = calendar_list_by_user(tx, &principal.organization_id, &principal.user_id).await.unwrap();
    calendars.into_iter().find(|calendar| !calendar.is_primary).unwrap().id
}

#[tokio::test]
async fn the_channel_of_a_calendar_that_is_listed_no_more_is_stopped() {
    let world = World::open_for_business().await;
    let first = world.google.channels().remove(0);
    let account = world.the_account().await.account.id;
    // As if Google had listed another calendar before.
    world.sql("update calendar set external_id = 'gone@group.example' where is_primary = 1").await;
    world.engine.account_refresh(&world.principal, &account).await.unwrap();
    assert!(!is_stored(&world, &first).await);
    world.run().await;
    let channels = world.google.channels();
    assert_eq!(channels.len(), 1);
    assert_ne!(channels[0].id, first.id);
}

#[tokio::test]
async fn the_channels_of_a_disconnected_account_are_stopped_and_what_they_still_tell_is_ignored() {
    let world = World::open_for_business().await;
    let channel = world.google.channels().remove(0);
    let account = world.the_account().await.account.id;
    world.engine.account_disconnect(&world.principal, &account).await.unwrap();
    world.run().await;
    assert_eq!(asked(&world), ["stop"]);
    assert!(world.google.channels().is_empty());
    assert_eq!(world.notify(&of_channel(&channel, 100)).await, UNKNOWN, "nobody could stop it any more");
    assert_eq!(waiting(&world).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_channel_whose_opening_was_never_answered_is_stopped_when_it_tells_something() {
    let world = World::new().await;
    world.fault("POST", "/watch$", 1, Fault { drop_answer_after_effect: true, ..Fault::default() });
    world.connect().await;
    world.run().await;
    let (orphan, known) = orphan_and_known(&world).await;
    assert_eq!(world.notify(&of_channel(&orphan, 2)).await, Ignored("orphan"));
    assert_eq!(world.notify(&of_channel(&orphan, 3)).await, Ignored("orphan"));
    assert_eq!(waiting(&world).await, ["stop_orphan"], "once, however often it tells");
    world.run().await;
    assert_eq!(world.google.channels().len(), 2, "it could be one that is being opened");
    world.pass(TimeDelta::minutes(5));
    world.run().await;
    let left = world.google.channels();
    assert_eq!(left.iter().map(|channel| &channel.id).collect::<Vec<_>>(), [&known.id]);
    assert_eq!(world.notify(&of_channel(&known, 2)).await, Accepted);
}

async fn orphan_and_known(world: &World) -> (Channel, Channel) {
    let mut channels = world.google.channels();
    assert_eq!(channels.len(), 2);
    if is_stored(world, &channels[0]).await {
        channels.reverse();
    }
    assert!(is_stored(world, &channels[1]).await && !is_stored(world, &channels[0]).await);
    (channels.remove(0), channels.remove(0))
}

#[tokio::test]
async fn a_channel_that_is_stored_only_after_it_told_something_stays_open() {
    let world = World::open_for_business().await;
    let channel = world.google.channels().remove(0);
    let stored = subscription_get(&mut world.store.read().await.unwrap(), &id_of(&channel)).await.unwrap().unwrap();
    forget(&world, &channel).await;
    assert_eq!(world.notify(&of_channel(&channel, 1)).await, Ignored("orphan"));
    let mut tx = world.store.write().await.unwrap();
    subscription_insert(&mut tx, &stored).await.unwrap();
    tx.commit().await.unwrap();
    world.pass(TimeDelta::minutes(5));
    world.run().await;
    assert_eq!(waiting(&world).await, Vec::<String>::new());
    assert_eq!(world.google.channels().len(), 1);
    assert_eq!(world.notify(&of_channel(&channel, 2)).await, Accepted);
}

#[tokio::test]
async fn a_channel_that_was_opened_but_never_stored_is_closed() {
    let world = World::open_for_business().await;
    let channel = world.google.channels().remove(0);
    forget(&world, &channel).await;
    assert_eq!(world.notify(&of_channel(&channel, 2)).await, Ignored("orphan"));
    world.pass(TimeDelta::minutes(5));
    world.run().await;
    assert!(world.google.channels().is_empty());
    // The calendar has no channel now, which the next look finds.
    upkeep(&world).await;
    assert_eq!(world.google.channels().len(), 1);
}

#[tokio::test]
async fn an_orphan_of_an_account_that_waits_for_its_host_does_not_wait_for_ever() {
    let world = World::open_for_business().await;
    let channel = world.google.channels().remove(0);
    forget(&world, &channel).await;
    assert_eq!(world.notify(&of_channel(&channel, 2)).await, Ignored("orphan"));
    world.google.revoke(CALENDAR);
    world.pass(TimeDelta::minutes(5));
    world.run().await;
    assert!(waiting(&world).await.contains(&"stop_orphan".to_owned()), "the account may be connected again");
    world.pass(TimeDelta::days(9));
    world.run().await;
    assert!(!waiting(&world).await.contains(&"stop_orphan".to_owned()), "no channel lives so long");
}

#[tokio::test]
async fn a_channel_that_is_not_stored_and_whose_token_is_none_of_ours_makes_no_work() {
    let world = World::open_for_business().await;
    let channel = world.google.channels().remove(0);
    forget(&world, &channel).await;
    let token = channel.token.clone().unwrap();
    let flipped = if token.ends_with('A') { "B" } else { "A" };
    for forged in [format!("{}{flipped}", &token[..token.len() - 1]), token[1..].to_owned(), "hush".to_owned()] {
        let told = Channel { token: Some(forged), ..channel.clone() };
        assert_eq!(world.notify(&of_channel(&told, 2)).await, UNKNOWN);
    }
    // The right token, but of another channel.
    let told = Channel { id: channel.id.replace(|it: char| it.is_ascii_digit(), "a"), ..channel.clone() };
    assert_eq!(world.notify(&of_channel(&told, 2)).await, UNKNOWN);
    assert_eq!(waiting(&world).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_channel_that_was_opened_under_a_token_drawn_at_random_is_still_believed() {
    let world = World::open_for_business().await;
    let channel = world.google.channels().remove(0);
    let stored = subscription_get(&mut world.store.read().await.unwrap(), &id_of(&channel)).await.unwrap().unwrap();
    let drawn = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";
    let old = ProviderSubscription {
        id: SubscriptionId::parse("018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e").unwrap(),
        token_hash: Sha256::digest(drawn.as_bytes()).to_vec(),
        ..stored
    };
    let mut tx = world.store.write().await.unwrap();
    subscription_insert(&mut tx, &old).await.unwrap();
    tx.commit().await.unwrap();
    let told = Channel { id: old.id.to_string(), token: Some(drawn.to_owned()), ..channel.clone() };
    assert_eq!(world.notify(&of_channel(&told, 2)).await, Accepted);
    let derived = Channel { token: channel.token, ..told };
    assert_eq!(world.notify(&of_channel(&derived, 3)).await, Ignored("wrong_token"));
}

/// What Microsoft asks of whoever receives its notifications.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handshake {
    validation_token: Option<String>,
}

/// Ana's world with an account at Microsoft that is not read yet, and somebody who takes the handshakes.
async fn with_outlook() -> World {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let receive = async |Query(handshake): Query<Handshake>| handshake.validation_token.unwrap_or_default();
    let router =
        Router::new().route("/webhooks/microsoft", post(receive)).route("/webhooks/microsoft/lifecycle", post(receive));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut world = World::with_microsoft().await;
    let microsoft_webhook_url = Some(Url::parse(&format!("http://{address}/webhooks/microsoft")).unwrap());
    world.engine = world.process_with(EngineSettings { microsoft_webhook_url, ..delivered() });
    world.connect_outlook(OUTLOOK).await;
    world
}

/// As Microsoft tells that something changed.
async fn told_by_microsoft(world: &World, subscription: &microsoft::Subscription) -> cupo_engine::NotificationOutcome {
    let body = json!({ "value": [{
        "subscriptionId": subscription.id, "clientState": subscription.client_state, "changeType": "updated",
        "resource": "Users/u/Events/e", "subscriptionExpirationDateTime": "2026-12-01T00:00:00Z",
    }]});
    let body = body.to_string();
    world.engine.notifications(Provider::Outlook, &HeaderMap::new(), body.as_bytes()).await.unwrap().remove(0)
}

#[tokio::test]
async fn a_subscription_whose_making_was_never_answered_makes_way_for_the_next_one() {
    let world = with_outlook().await;
    let lost = microsoft::Fault {
        method: Some("POST".into()),
        path_pattern: Some("/subscriptions$".into()),
        drop_answer_after_effect: true,
        ..microsoft::Fault::default()
    };
    world.microsoft().add_fault(lost).unwrap();
    world.engine.run_due_jobs().await.unwrap();
    let orphan = world.microsoft().subscriptions().remove(0);
    world.run().await;
    let left = world.microsoft().subscriptions();
    assert_eq!(left.len(), 1);
    assert_ne!(left[0].id, orphan.id);
    assert_eq!(told_by_microsoft(&world, &left[0]).await, Accepted);
}

#[tokio::test]
async fn a_subscription_that_nobody_remembers_is_closed_when_it_tells_something() {
    let world = with_outlook().await;
    world.run().await;
    let orphan = world.microsoft().subscriptions().remove(0);
    world.sql("delete from provider_subscription").await;
    assert_eq!(told_by_microsoft(&world, &orphan).await, Ignored("orphan"));
    world.pass(TimeDelta::minutes(5));
    world.run().await;
    assert!(world.microsoft().subscriptions().is_empty());
}

#[tokio::test]
async fn a_notification_without_a_number_that_finds_its_pull_waiting_needs_no_writing() {
    let world = with_outlook().await;
    world.run().await;
    let subscription = world.microsoft().subscriptions().remove(0);
    assert_eq!(told_by_microsoft(&world, &subscription).await, Accepted);
    let (jobs, inbox) = (world.jobs().await, world.count("select count(*) from inbox_message").await);
    // Whoever writes now waits.
    let writing = world.store.write().await.unwrap();
    for _ in 0..100 {
        assert_eq!(told_by_microsoft(&world, &subscription).await, Accepted);
    }
    writing.rollback().await.unwrap();
    assert_eq!((world.jobs().await, world.count("select count(*) from inbox_message").await), (jobs, inbox));
    world.engine.run_due_jobs().await.unwrap();
    assert_eq!(told_by_microsoft(&world, &subscription).await, Accepted);
    assert_eq!(waiting(&world).await, ["pull_changes"], "the next one has to be told again");
}

#[tokio::test]
async fn after_missed_notifications_a_calendar_is_read_anew_and_not_from_where_it_was() {
    let world = with_outlook().await;
    world.run().await;
    let subscription = world.microsoft().subscriptions().remove(0);
    world.microsoft().clear_exchanges();
    let body = json!({ "value": [{
        "lifecycleEvent": "missed", "subscriptionId": subscription.id, "clientState": subscription.client_state,
        "resource": subscription.resource, "subscriptionExpirationDateTime": "2026-12-01T00:00:00Z",
    }]});
    let body = body.to_string();
    let told = world.engine.notifications(Provider::Outlook, &HeaderMap::new(), body.as_bytes()).await.unwrap();
    assert_eq!(told, [Accepted]);
    world.engine.run_due_jobs().await.unwrap();
    let asked = world.microsoft().exchanges().into_iter().find(|asked| asked.path.ends_with("/delta")).unwrap();
    assert!(asked.query.contains("startDateTime="), "a whole round: {}", asked.query);
}
