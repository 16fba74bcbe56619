//! Hosts who connect an account again while Cupo is still giving it back.

use chrono::TimeDelta;
use cupo_simulators::google::Fault;
use cupo_store::{AccountState, job_counts};

use super::{HOST, VISITOR};
use crate::world::World;

/// Ana disconnects, and connects again while the request to this path is under way.
async fn connected_again_during(path: &str) -> World {
    let world = World::open_for_business().await;
    let account = world.the_account().await.account;
    world.mail.clear();
    world.engine.account_disconnect(&world.principal, &account.id).await.unwrap();
    let slow = Fault { path_pattern: Some(path.to_owned()), delay_ms: 3_000, ..Fault::default() };
    world.google.add_fault(slow).unwrap();
    let disconnecting = Box::pin(world.engine.run_due_jobs());
    let connecting = async {
        while job_counts(&mut world.store.read().await.unwrap()).await.unwrap().running == 0 {
            tokio::task::yield_now().await;
        }
        Box::pin(world.connect()).await;
    };
    let (done, ()) = tokio::join!(disconnecting, connecting);
    done.unwrap();
    assert_eq!(world.the_account().await.account.id, account.id, "it is the same account again");
    world
}

async fn read_calendars(world: &World) {
    world.pass(TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.run().await;
}

#[tokio::test]
async fn whoever_connects_again_while_channels_are_stopped_keeps_the_new_grant_and_gets_new_channels() {
    let world = connected_again_during("/channels/stop$").await;
    read_calendars(&world).await;
    assert_eq!(world.calls("POST", "/revoke"), 0, "that would end the new grant too");
    assert_eq!(world.the_account().await.account.state, AccountState::Active);
    assert_eq!(world.google.channels().len(), 1);
    world.pass(TimeDelta::hours(2));
    read_calendars(&world).await;
    assert_eq!(world.the_account().await.account.state, AccountState::Active, "its tokens can be refreshed");
    assert!(world.mails_to(HOST).is_empty());
}

#[tokio::test]
async fn whoever_connects_again_while_the_grant_is_revoked_keeps_the_account_and_is_asked_once_more() {
    let world = connected_again_during("/revoke$").await;
    read_calendars(&world).await;
    let overview = world.the_account().await;
    assert!(overview.calendars.iter().any(|calendar| calendar.receives_events));
    // Google revokes all that the host ever granted, what they granted a moment ago among it.
    assert_eq!(overview.account.state, AccountState::ReconnectNeeded);
    assert_eq!((world.mails_to(HOST).len(), world.mails_to(VISITOR).len()), (1, 0));
    Box::pin(world.connect()).await;
    read_calendars(&world).await;
    assert_eq!(world.the_account().await.account.state, AccountState::Active);
}
