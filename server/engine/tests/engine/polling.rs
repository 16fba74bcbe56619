//! The poll floor, spread over the interval.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::ids::{CalendarId, SubscriptionId};
use cupo_store::{
    Calendar, Provider, ProviderSubscription, calendar_get, calendar_list_by_user, calendar_upsert, subscription_insert,
};
use uuid::Uuid;

use crate::world::World;

const INTERVAL: TimeDelta = TimeDelta::minutes(10);

/// Ana has many more calendars that block slots, all last read at `synced_at`.
async fn with_calendars(count: usize, synced_at: Option<DateTime<Utc>>) -> World {
    let world = World::open_for_business().await;
    let principal = &world.principal;
    let mut tx = world.store.write().await.unwrap();
    let all = calendar_list_by_user(&mut tx, &principal.organization_id, &principal.user_id).await.unwrap();
    let template = all.into_iter().find(|calendar| !calendar.is_primary).unwrap();
    for number in 0..count {
        let calendar = Calendar {
            id: CalendarId::try_from(Uuid::now_v7().to_string()).unwrap(),
            external_id: format!("{number}@group.example"),
            checks_conflicts: true,
            synced_at,
            ..template.clone()
        };
        calendar_upsert(&mut tx, &calendar).await.unwrap();
    }
    tx.commit().await.unwrap();
    world
}

/// When the pulls that wait are due.
async fn pulls(world: &World) -> Vec<DateTime<Utc>> {
    let jobs = world.jobs().await.into_iter();
    jobs.filter(|(kind, _)| kind == "pull_changes").map(|(_, run_at)| run_at).collect()
}

#[tokio::test]
async fn calendars_that_wait_since_an_outage_are_polled_some_at_once_and_the_others_one_after_another() {
    let world = with_calendars(1_200, None).await;
    world.engine.run_periodic().await.unwrap();
    let (now, all) = (world.engine.now(), pulls(&world).await);
    assert_eq!(all.len(), 1_200);
    let later: BTreeSet<_> = all.iter().filter(|at| **at > now).copied().collect();
    assert_eq!(later.len(), 1_100, "a hundred at once, and no two of the others");
    assert!(later.iter().all(|at| *at <= now + INTERVAL / 2));
    let in_first_minute = later.iter().filter(|at| **at <= now + TimeDelta::minutes(1)).count();
    assert!((150..300).contains(&in_first_minute), "a fifth of them: {in_first_minute}");
    world.engine.run_periodic().await.unwrap();
    assert_eq!(pulls(&world).await, all, "another look changes nothing");
}

#[tokio::test]
async fn calendars_that_were_read_at_the_same_moment_are_polled_at_different_ones_within_the_interval() {
    let world = with_calendars(300, None).await;
    let read_at = world.engine.now();
    world
        .sql(&format!("update calendar set synced_at = {} where checks_conflicts = 1", read_at.timestamp_micros()))
        .await;
    world.engine.run_periodic().await.unwrap();
    assert!(pulls(&world).await.is_empty(), "all have been read a moment ago");
    // As it goes on: a look every half minute.
    let mut before = 0;
    while world.engine.now() < read_at + INTERVAL {
        world.pass(TimeDelta::seconds(30));
        world.engine.run_periodic().await.unwrap();
        let now = pulls(&world).await.len();
        assert!(now - before < 60, "{} with one look", now - before);
        before = now;
    }
    let all: BTreeSet<_> = pulls(&world).await.into_iter().collect();
    assert_eq!(all.len(), 301, "each at its own moment");
    assert!(all.iter().all(|at| *at > read_at + INTERVAL / 2 && *at <= read_at + INTERVAL));
}

#[tokio::test]
async fn a_calendar_that_was_read_because_its_provider_told_so_is_not_polled_at_its_turn() {
    let world = World::open_for_business().await;
    // Its turn is between five and ten minutes after it was read; two minutes before, it is read again.
    world.pass(INTERVAL / 2);
    world.notify(&world.notification(50, None)).await;
    world.engine.run_due_jobs().await.unwrap();
    world.google.clear_exchanges();
    for _ in 0..9 {
        world.pass(TimeDelta::seconds(30));
        world.engine.run_periodic().await.unwrap();
        world.engine.run_due_jobs().await.unwrap();
    }
    assert_eq!(world.calls("GET", "/events"), 0, "it was read within the last five minutes");
    for _ in 0..11 {
        world.pass(TimeDelta::seconds(30));
        world.engine.run_periodic().await.unwrap();
        world.engine.run_due_jobs().await.unwrap();
    }
    assert_eq!(world.calls("GET", "/events"), 1, "and no calendar waits for longer than ten");
}

#[tokio::test]
async fn what_nobody_uses_or_can_read_is_looked_at_once_in_an_interval_and_polled_never() {
    let world = World::open_for_business().await;
    let account = world.the_account().await;
    let unused = account.calendars.iter().find(|calendar| !calendar.checks_conflicts).unwrap();
    world.sql("update calendar_provider_account set state = 'reconnect_needed'").await;
    world.sql("update calendar set synced_at = 0, poll_at = 0").await;
    world.engine.run_periodic().await.unwrap();
    assert!(pulls(&world).await.is_empty());
    let soon = world.engine.now().timestamp_micros() + TimeDelta::minutes(5).num_microseconds().unwrap();
    assert_eq!(world.count(&format!("select count(*) from calendar where poll_at <= {soon}")).await, 0);
    world.sql("update calendar_provider_account set state = 'active'").await;
    world.pass(TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    assert_eq!(pulls(&world).await.len(), 1, "the account works again");
    world.engine.run_due_jobs().await.unwrap();
    let tx = &mut world.store.read().await.unwrap();
    let unused = calendar_get(tx, &world.principal.organization_id, &unused.id).await.unwrap().unwrap();
    assert_eq!(unused.synced_at.map(|at| at.timestamp()), Some(0));
}

#[tokio::test]
async fn a_calendar_that_could_be_read_again_is_polled_within_the_interval() {
    let world = World::open_for_business().await;
    world.google_is_down();
    world.pass(TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    // While it fails, polling does not bring its next try forward.
    let failing = pulls(&world).await;
    world.engine.run_periodic().await.unwrap();
    assert_eq!(pulls(&world).await, failing);
    world.google.clear_faults();
    world.pass(TimeDelta::minutes(1));
    world.engine.run_due_jobs().await.unwrap();
    world.google.clear_exchanges();
    for _ in 0..21 {
        world.pass(TimeDelta::seconds(30));
        world.engine.run_periodic().await.unwrap();
        world.engine.run_due_jobs().await.unwrap();
    }
    assert_eq!(world.calls("GET", "/events"), 1);
}

#[tokio::test]
async fn channels_that_end_together_are_renewed_one_after_another() {
    let world = with_calendars(500, None).await;
    let principal = &world.principal;
    let (now, ends) = (world.engine.now(), world.engine.now() + TimeDelta::hours(23));
    let mut tx = world.store.write().await.unwrap();
    let calendars = calendar_list_by_user(&mut tx, &principal.organization_id, &principal.user_id).await.unwrap();
    for calendar in calendars.into_iter().filter(|calendar| calendar.external_id.ends_with("@group.example")) {
        let subscription = ProviderSubscription {
            id: SubscriptionId::try_from(Uuid::now_v7().to_string()).unwrap(),
            organization_id: calendar.organization_id,
            calendar_id: calendar.id,
            provider: Provider::Google,
            resource_id: "resource".to_owned(),
            token_hash: vec![0; 32],
            expires_at: ends,
            last_message_number: 0,
            created_at: now,
        };
        subscription_insert(&mut tx, &subscription).await.unwrap();
    }
    tx.commit().await.unwrap();
    world.engine.run_periodic().await.unwrap();
    let renewals = async || -> Vec<DateTime<Utc>> {
        let jobs = world.jobs().await.into_iter();
        jobs.filter(|(kind, _)| kind == "open_channel").map(|(_, run_at)| run_at).collect()
    };
    let all = renewals().await;
    assert!(all.len() >= 500);
    let moments: BTreeSet<_> = all.iter().copied().collect();
    assert!(moments.len() > 300, "those that end first at once, the others each at its own moment");
    assert!(all.iter().all(|at| *at >= now + TimeDelta::minutes(10)), "none of it hurries");
    assert!(all.iter().all(|at| *at < ends - TimeDelta::hours(20)), "all long before they end");
    world.pass(TimeDelta::seconds(30));
    world.engine.run_periodic().await.unwrap();
    assert_eq!(renewals().await.len(), all.len(), "another look makes no more of them");
}
