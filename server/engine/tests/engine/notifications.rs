//! Notifications that arrive together, in floods, and while the store is busy.

use cupo_engine::{CalendarChoice, Engine, EngineError, NotificationOutcome};
use cupo_simulators::google::Channel;
use cupo_store::Provider;
use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    replicas::{on_a_postgres, on_both},
    world::{CALENDAR, World},
};

fn headers(channel: &Channel, number: usize) -> HeaderMap {
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

/// Ana's two calendars, each with a channel; nothing waits.
async fn two_channels() -> (World, Channel, Channel) {
    let world = with_two_channels(None).await;
    let (one, other) = channels(&world);
    (world, one, other)
}

/// The same, on a database of its own or on the one of this address.
async fn with_two_channels(database: Option<&str>) -> World {
    let world = World::open_for_business_on(database).await;
    let calendars = world.the_account().await.calendars.into_iter().take(2);
    let choices = calendars.map(|calendar| CalendarChoice {
        calendar_id: calendar.id,
        checks_conflicts: true,
        tentative_blocks: true,
        unanswered_blocks: true,
    });
    world.engine.calendar_choices_save(&world.principal, choices.collect(), None).await.unwrap();
    world.run().await;
    world
}

fn channels(world: &World) -> (Channel, Channel) {
    let mut channels = world.google.channels();
    assert_eq!(channels.len(), 2);
    channels.sort_by_key(|channel| channel.calendar != CALENDAR);
    (channels.remove(0), channels.remove(0))
}

type Told = Result<Vec<NotificationOutcome>, EngineError>;

/// Tells a process at once, in a task of its own as every request has one.
fn tell(engine: &Engine, headers: HeaderMap) -> BoxFuture<'static, Told> {
    let engine = engine.clone();
    let told = tokio::spawn(async move { engine.notifications(Provider::Google, &headers, &[]).await });
    async move { told.await.unwrap() }.boxed()
}

async fn pulls_by_calendar(world: &World) -> usize {
    let jobs = world.jobs().await.into_iter();
    jobs.filter(|(kind, _)| kind == "pull_changes").count()
}

on_both! {
    async fn a_flood_of_one_channel_is_one_pull_and_starves_no_other_channel(world in with_two_channels) {
        let (one, other) = channels(&world);
        let processes = [world.engine.clone(), world.another_process().await];
        let before = world.count("select count(*) from inbox_message").await;
        let mut flood = Vec::new();
        let mut others = Vec::new();
        for number in 0..2_000 {
            let process = &processes[number % 2];
            flood.push(tell(process, headers(&one, 1_000 + number)));
            if number % 40 == 0 {
                others.push(tell(process, headers(&other, 1_000 + number)));
            }
        }
        let (flood, others) = (join_all(flood).await, join_all(others).await);
        assert_eq!(others.len(), 50);
        // They were sent at once and may have overtaken one another: what counts is that each is answered, and that the
        // last number is kept.
        for told in flood.iter().chain(&others) {
            let told = told.as_ref().unwrap();
            assert!(matches!(told[..], [NotificationOutcome::Accepted | NotificationOutcome::Ignored("replayed")]));
        }
        assert_eq!(pulls_by_calendar(&world).await, 2, "one for each calendar");
        let written = world.count("select count(*) from inbox_message").await - before;
        assert_eq!(written, 2, "what finds its pull waiting leaves nothing");
        let last = world.count("select min(last_message_number) from provider_subscription").await;
        assert!(last >= 2_960, "{last}");
        assert_eq!(world.notify(&headers(&one, 2_999)).await, NotificationOutcome::Ignored("replayed"));
    }

    async fn one_notification_that_two_processes_are_told_many_times_counts_once(world in with_two_channels) {
        let (one, _) = channels(&world);
        let processes = [world.engine.clone(), world.another_process().await];
        for number in 1_000..1_010 {
            let told = (0..20).map(|copy| tell(&processes[copy % 2], headers(&one, number)));
            let outcomes: Vec<_> = join_all(told).await.into_iter().flat_map(|told| told.unwrap()).collect();
            let accepted = outcomes.iter().filter(|outcome| **outcome == NotificationOutcome::Accepted).count();
            assert_eq!((accepted, outcomes.len()), (1, 20));
        }
    }
}

#[tokio::test]
async fn a_flood_of_unknown_channels_writes_nothing() {
    let (world, one, _) = two_channels().await;
    let jobs = world.jobs().await;
    // Whoever writes now waits: these need not.
    let writing = world.store.write().await.unwrap();
    for number in 0..200 {
        let id = format!("018f4e9e-7a3b-7c21-9d7e-{number:012}");
        let unknown = Channel { id, ..one.clone() };
        assert_eq!(world.notify(&headers(&unknown, number + 1)).await, NotificationOutcome::Ignored("unknown_channel"));
        let forged = Channel { token: Some("x".repeat(number)), ..one.clone() };
        let told = world.notify(&headers(&forged, number + 1)).await;
        let why = if number == 0 { "malformed" } else { "wrong_token" };
        assert_eq!(told, NotificationOutcome::Ignored(why), "whatever its length");
    }
    writing.rollback().await.unwrap();
    assert_eq!(world.jobs().await, jobs);
}

#[tokio::test]
async fn nothing_is_answered_before_it_is_on_disk_and_too_much_is_put_off() {
    let (world, one, other) = two_channels().await;
    let writing = world.store.write().await.unwrap();
    let mut first = tell(&world.engine, headers(&one, 1_000));
    // The store is busy: whatever comes now waits, as much as there is place for.
    let mut told: Vec<_> = (0..5_000).map(|number| tell(&world.engine, headers(&other, 1_000 + number))).collect();
    let refused = loop {
        tokio::task::yield_now().await;
        let mut refused = 0;
        told = told
            .into_iter()
            .filter_map(|mut told| match (&mut told).now_or_never() {
                None => Some(told),
                Some(Err(EngineError::Busy)) => {
                    refused += 1;
                    None
                }
                Some(outcome) => panic!("answered before anything was written: {outcome:?}"),
            })
            .collect();
        if refused > 0 {
            break refused;
        }
    };
    assert!(refused > 0 && (&mut first).now_or_never().is_none());
    assert_eq!(pulls_by_calendar(&world).await, 0);
    writing.rollback().await.unwrap();
    assert_eq!(first.await.unwrap(), [NotificationOutcome::Accepted]);
    for outcome in join_all(told).await {
        match outcome {
            Ok(told) => assert_eq!(told.len(), 1),
            Err(EngineError::Busy) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(pulls_by_calendar(&world).await, 2);
    assert_eq!(world.notify(&headers(&other, 10_000)).await, NotificationOutcome::Accepted, "there is place again");
}

#[tokio::test]
async fn a_subscription_that_cannot_be_read_harms_no_other() {
    let (world, one, other) = two_channels().await;
    // No instant of any calendar.
    world.sql(&format!("update provider_subscription set expires_at = {} where id = '{}'", i64::MAX, one.id)).await;
    let writing = world.store.write().await.unwrap();
    let before = tell(&world.engine, headers(&other, 1_000));
    let together = [tell(&world.engine, headers(&one, 1_000)), tell(&world.engine, headers(&other, 1_001))];
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    writing.rollback().await.unwrap();
    assert!(before.await.is_ok());
    let [broken, whole] = join_all(together).await.try_into().unwrap();
    assert!(broken.is_err());
    assert_eq!(whole.unwrap(), [NotificationOutcome::Accepted]);
}
