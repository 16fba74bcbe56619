use cupo_engine::{AccountCondition, EngineError, OauthCallback};
use cupo_providers::google::oauth::REQUIRED_SCOPES;
use cupo_store::{AccountState, Provider, account_get};

use crate::world::{CALENDAR, World, event, first_visit};

#[tokio::test]
async fn a_connected_account_lists_its_calendars_and_the_primary_one_is_used() {
    let world = World::new().await;
    world.connect().await;
    let accounts = world.engine.accounts(&world.principal).await.unwrap();
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0].account.email, CALENDAR);
    let used: Vec<_> = accounts[0]
        .calendars
        .iter()
        .map(|calendar| (calendar.is_primary, calendar.checks_conflicts, calendar.receives_events))
        .collect();
    assert!(used.len() > 1);
    for (is_primary, checks, receives) in used {
        assert_eq!((checks, receives), (is_primary, is_primary));
    }
    world.run().await;
    let overview = world.the_account().await;
    assert_eq!(overview.condition, AccountCondition::Live, "a channel is open");
    assert_eq!(overview.last_sync_at, overview.calendars[0].synced_at);
    assert!(overview.next_sync_at > overview.last_sync_at && overview.next_renewal_at > overview.next_sync_at);
    assert_eq!(world.google.channels().len(), 1);
}

#[tokio::test]
async fn tokens_are_not_stored_in_the_clear() {
    let world = World::new().await;
    world.connect().await;
    let issued = world.google.exchanges().into_iter().find(|exchange| exchange.path == "/token").unwrap();
    let account = world.engine.accounts(&world.principal).await.unwrap().remove(0).account;
    let stored = account.token_ciphertext.unwrap();
    for field in ["access_token", "refresh_token"] {
        let token = issued.answer.as_ref().unwrap()[field].as_str().unwrap().as_bytes().to_vec();
        assert!(!stored.windows(token.len()).any(|window| window == token), "{field} can be read");
    }
}

#[tokio::test]
async fn a_denied_consent_connects_nothing() {
    let world = World::new().await;
    let callback = world.consent(&[]).await;
    assert_eq!(callback.error.as_deref(), Some("access_denied"));
    let denied = world.engine.connect_finish(&world.principal, &world.session, Provider::Google, callback).await;
    assert!(matches!(denied, Err(EngineError::ConsentDenied)));
    assert!(world.engine.accounts(&world.principal).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_unticked_permission_is_named_and_nothing_is_stored() {
    let world = World::new().await;
    let callback = world.consent(&REQUIRED_SCOPES[..2]).await;
    let outcome =
        world.engine.connect_finish(&world.principal, &world.session, Provider::Google, callback).await.unwrap();
    assert_eq!(outcome.missing_scopes, [REQUIRED_SCOPES[2]]);
    assert!(outcome.account_id.is_none());
    assert!(world.engine.accounts(&world.principal).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_state_serves_once_in_time_and_in_its_own_session() {
    let world = World::new().await;
    let finish = |session: String, callback: OauthCallback| {
        let world = &world;
        async move { world.engine.connect_finish(&world.principal, &session, Provider::Google, callback).await }
    };
    let stolen = world.consent(&REQUIRED_SCOPES).await;
    let elsewhere = world.engine.sign_in("ana@clinic.example", "correct horse").await.unwrap();
    let refused = finish(elsewhere.session_token.expose().to_owned(), stolen).await;
    assert!(matches!(refused, Err(EngineError::StateExpired)), "another session");

    let late = world.consent(&REQUIRED_SCOPES).await;
    world.clock.advance(chrono::TimeDelta::minutes(16));
    assert!(matches!(finish(world.session.clone(), late).await, Err(EngineError::StateExpired)), "too late");

    let used = world.consent(&REQUIRED_SCOPES).await;
    finish(world.session.clone(), used.clone()).await.unwrap();
    assert!(matches!(finish(world.session.clone(), used).await, Err(EngineError::StateExpired)), "used before");

    let none = OauthCallback { code: Some("x".into()), ..OauthCallback::default() };
    assert!(matches!(finish(world.session.clone(), none).await, Err(EngineError::StateExpired)), "no state");
}

#[tokio::test]
async fn an_ended_access_token_is_refreshed_once_by_many_callers() {
    let world = World::open_for_business().await;
    world.google.expire_access_tokens();
    world.clock.advance(chrono::TimeDelta::hours(2));
    let bookings = (0..8).map(|n| {
        let start = format!("2026-11-2{}T{:02}:00:00Z", 5 + n / 4, 9 + n % 4);
        let world = &world;
        async move { world.engine.book(&format!("key-{n}"), crate::world::request(&start)).await }
    });
    for booked in futures::future::join_all(bookings).await {
        booked.unwrap();
    }
    assert_eq!(world.calls("POST", "/token"), 1);
}

#[tokio::test]
async fn a_token_that_google_refuses_before_its_time_is_refreshed_too() {
    let world = World::open_for_business().await;
    world.google.expire_access_tokens();
    world.book("key", "2026-11-25T09:00:00Z").await;
    assert_eq!(world.calls("POST", "/token"), 1);
    assert_eq!(world.calls("POST", "/freeBusy"), 2);
}

#[tokio::test]
async fn a_dead_grant_asks_for_a_reconnect_and_its_work_waits_for_it() {
    let world = World::open_for_business().await;
    world.google.revoke(CALENDAR);
    // The mirror is fresh, so the booking stands although Google cannot be asked.
    world.book("key", "2026-11-25T09:00:00Z").await;
    world.run().await;
    let account = world.engine.accounts(&world.principal).await.unwrap().remove(0).account;
    assert_eq!(account.state, AccountState::ReconnectNeeded);
    assert_eq!(account.state_reason.as_deref(), Some("grant_revoked"));
    assert!(world.events().is_empty());
    assert!(world.engine.failed_jobs(&world.principal).await.unwrap().is_empty(), "the duty waits, it is not dropped");

    world.clock.advance(chrono::TimeDelta::days(10));
    world.google.clock().advance(chrono::TimeDelta::days(10));
    world.engine.run_due_jobs().await.unwrap();
    assert!(world.engine.failed_jobs(&world.principal).await.unwrap().is_empty());
    world.connect().await;
    world.pass(chrono::TimeDelta::minutes(6));
    world.run().await;
    assert_eq!(world.events().len(), 1);
}

#[tokio::test]
async fn a_disconnected_account_is_revoked_and_forgotten_and_blocks_nothing() {
    let world = World::open_for_business().await;
    world
        .google
        .insert_event(CALENDAR, event("Dentist", "2026-11-25T10:00:00+01:00", "2026-11-25T11:00:00+01:00"))
        .unwrap();
    let account = world.engine.accounts(&world.principal).await.unwrap().remove(0).account;
    world.engine.account_disconnect(&world.principal, &account.id).await.unwrap();
    assert!(world.engine.accounts(&world.principal).await.unwrap().is_empty());
    assert!(world.is_offered("2026-11-25T09:00:00Z").await);
    world.run().await;
    assert_eq!(world.calls("POST", "/revoke"), 1);
    assert!(world.google.channels().is_empty());
    let row = account_get(&mut world.store.read().await.unwrap(), &world.principal.organization_id, &account.id).await;
    assert!(row.unwrap().is_none());
}

#[tokio::test]
async fn a_channel_is_replaced_before_it_ends_and_the_old_one_is_stopped() {
    let world = World::new().await;
    world.connect().await;
    world.offer(first_visit()).await;
    world.run().await;
    let old = world.google.channels()[0].id.clone();
    world.pass(chrono::TimeDelta::days(6) + chrono::TimeDelta::hours(1));
    world.engine.run_periodic().await.unwrap();
    world.pass(chrono::TimeDelta::minutes(11));
    world.run().await;
    let channels = world.google.channels();
    assert_eq!(channels.len(), 1);
    assert_ne!(channels[0].id, old);
}
