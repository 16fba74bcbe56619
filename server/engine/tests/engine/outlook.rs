//! Accounts of Microsoft's: connecting them, keeping their rotating tokens, and whose turn it is when they are refused.

use chrono::TimeDelta;
use cupo_engine::{AccountCondition, ConnectStart, Engine, EngineError, OauthCallback, TestWhat, clock::Clock};
use cupo_providers::ProviderError;
use cupo_simulators::microsoft::{Behaviour, Client, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Fault, UserSeed};
use cupo_store::{AccountState, Provider, account_get, lease_get};
use futures::future::join_all;
use sqlx::{Connection, Executor, SqliteConnection};

use crate::world::{OPERATOR, OUTLOOK, World, first_visit};

const CLAIMS: &str = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;

/// Ana has connected her account at Microsoft, and used refresh tokens die at once or go on.
async fn connected(used_refresh_tokens_work: bool) -> World {
    let world = World::with_microsoft().await;
    world.microsoft().set_behaviour(Behaviour { used_refresh_tokens_work, ..Behaviour::default() });
    world.connect_outlook(OUTLOOK).await;
    world.microsoft().clear_exchanges();
    world
}

async fn refresh_calendars(engine: &Engine, world: &World) -> Result<(), EngineError> {
    let account = world.the_account().await.account;
    engine.account_refresh(&world.principal, &account.id).await
}

fn token_calls(world: &World) -> usize {
    world.microsoft().exchanges().iter().filter(|exchange| exchange.path.ends_with("/token")).count()
}

/// The operator's application, with a secret that has ended or a good one.
fn application(secret_expired: bool) -> Client {
    Client {
        client_id: DEMO_CLIENT_ID.to_owned(),
        client_secret: Some(DEMO_CLIENT_SECRET.to_owned()),
        secret_expired,
        ..Client::default()
    }
}

#[tokio::test]
async fn a_connected_account_lists_its_calendars_and_the_primary_one_is_used() {
    let world = connected(true).await;
    let overview = world.the_account().await;
    assert_eq!((overview.account.provider, overview.account.email.as_str()), (Provider::Outlook, OUTLOOK));
    assert!(overview.calendars.len() > 1);
    for calendar in &overview.calendars {
        let used = (calendar.checks_conflicts, calendar.receives_events);
        assert_eq!(used, (calendar.is_primary, calendar.is_primary), "{}", calendar.name);
    }
    let stored = overview.account.token_ciphertext.unwrap();
    let tokens = world.microsoft().issue_tokens(OUTLOOK, &["Calendars.ReadWrite"]).unwrap();
    let prefix = &tokens.refresh_token.as_bytes()[..4];
    assert!(!stored.windows(4).any(|window| window == prefix), "tokens can be read");
}

#[tokio::test]
async fn a_personal_account_is_known_as_one() {
    let world = World::with_microsoft().await;
    world.connect_outlook("carla@outlook.example").await;
    world.pass(TimeDelta::hours(2));
    let id = world.the_account().await.account.id;
    let test = world.engine.account_test(&world.principal, &id).await.unwrap();
    let free_busy = test.steps.iter().find(|step| step.what == TestWhat::FreeBusy).unwrap();
    assert_eq!(free_busy.outcome, Ok(()), "after a refresh too");
    let asked = world.microsoft().exchanges();
    assert!(asked.iter().all(|exchange| !exchange.path.ends_with("getSchedule")), "it has no getSchedule");
}

#[tokio::test]
async fn a_consent_that_only_an_administrator_can_give_says_so_and_connects_nothing() {
    let world = World::with_microsoft().await;
    let eva = UserSeed {
        email: "eva@contoso.example".to_owned(),
        time_zone: "Europe/Madrid".to_owned(),
        admin_consent_needed: true,
        ..UserSeed::default()
    };
    world.microsoft().add_user(&eva).unwrap();
    let callback = world.sign_in_at_microsoft("eva@contoso.example", None).await;
    assert_eq!(callback.error.as_deref(), Some("access_denied"));
    let finish = world.engine.connect_finish(&world.principal, &world.session, Provider::Outlook, callback);
    let refused = finish.await.unwrap_err();
    assert!(matches!(&refused, EngineError::ConsentNeeded(code) if code == "AADSTS90094"), "{refused}");
    assert_eq!(refused.code(), "consent-needed");
    assert!(world.engine.accounts(&world.principal).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_administrator_is_led_to_where_they_allow_the_application_for_all() {
    let world = World::with_microsoft().await;
    let url = world.engine.admin_consent_url(&world.principal).unwrap();
    assert_eq!(url.path(), "/organizations/v2.0/adminconsent");
    let field = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    assert_eq!(field("client_id").as_deref(), Some(DEMO_CLIENT_ID));
    assert!(field("scope").unwrap().contains("https://graph.microsoft.com/Calendars.ReadWrite"));
    assert_eq!(World::new().await.engine.admin_consent_url(&world.principal), None);
}

#[tokio::test]
async fn who_breaks_the_sign_in_off_has_denied_it() {
    let world = World::with_microsoft().await;
    let started = world.sign_in_at_microsoft(OUTLOOK, None).await;
    let callback = OauthCallback {
        state: started.state,
        code: None,
        error: Some("access_denied".to_owned()),
        error_description: Some("AADSTS65004: User declined to consent to access the app.".to_owned()),
    };
    let finish = world.engine.connect_finish(&world.principal, &world.session, Provider::Outlook, callback);
    assert!(matches!(finish.await, Err(EngineError::ConsentDenied)));
}

#[tokio::test]
async fn what_a_browser_makes_up_alerts_nobody() {
    let world = World::with_microsoft().await;
    let started = world.sign_in_at_microsoft(OUTLOOK, None).await;
    let made_up = OauthCallback {
        state: started.state,
        code: None,
        error: Some("invalid_client".to_owned()),
        error_description: Some("AADSTS7000222: The provided client secret keys are expired.".to_owned()),
    };
    let finish = world.engine.connect_finish(&world.principal, &world.session, Provider::Outlook, made_up).await;
    assert!(matches!(finish, Err(EngineError::OperatorNeeded(_))), "{finish:?}");
    assert!(world.engine.operator_alerts().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_code_of_one_provider_is_not_shown_to_another() {
    let world = World::with_microsoft().await;
    let callback = world.sign_in_at_microsoft(OUTLOOK, None).await;
    let finish = world.engine.connect_finish(&world.principal, &world.session, Provider::Google, callback);
    assert!(matches!(finish.await, Err(EngineError::StateExpired)));
    assert_eq!(world.calls("POST", "/token"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_refreshers_one_asks_and_no_rotated_token_is_lost() {
    let world = connected(false).await;
    for round in 1..=4 {
        world.pass(TimeDelta::hours(2));
        for refreshed in join_all((0..32).map(|_| refresh_calendars(&world.engine, &world))).await {
            refreshed.unwrap();
        }
        assert_eq!(token_calls(&world), round);
    }
    assert_eq!(world.the_account().await.account.state, AccountState::Active);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_refresh_at_the_same_time_keep_the_account() {
    let world = connected(false).await;
    let engines = [world.engine.clone(), world.another_process().await, world.another_process().await];
    for _ in 0..5 {
        world.pass(TimeDelta::hours(2));
        let refreshes = (0..12).map(|number| refresh_calendars(&engines[number % 3], &world));
        for refreshed in join_all(refreshes).await {
            refreshed.unwrap();
        }
        assert_eq!(world.the_account().await.account.state, AccountState::Active);
    }
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_take_a_rotated_token_along() {
    let world = connected(false).await;
    world.pass(TimeDelta::hours(2));
    let slow = Fault { path_pattern: Some("/token$".to_owned()), delay_ms: 500, ..Fault::default() };
    world.microsoft().add_fault(slow).unwrap();
    // Somebody else is writing when the answer comes, so that the new token cannot be stored yet.
    let nothing_stored = async {
        let name = format!("refresh:{}", world.the_account().await.account.id);
        loop {
            let lease = lease_get(&mut world.store.read().await.unwrap(), &name, world.clock.now()).await.unwrap();
            if lease.is_some() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let writing = world.store.write().await.unwrap();
        while token_calls(&world) == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        writing
    };
    let writing = tokio::select! {
        refreshed = refresh_calendars(&world.engine, &world) => panic!("nothing can be stored: {refreshed:?}"),
        writing = nothing_stored => writing,
    };
    writing.rollback().await.unwrap();
    refresh_calendars(&world.engine, &world).await.unwrap();
    assert_eq!(token_calls(&world), 1, "the second caller got what the first one asked for");
    world.pass(TimeDelta::hours(2));
    refresh_calendars(&world.another_process().await, &world).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_to_a_refresh_costs_nothing() {
    let world = connected(true).await;
    world.pass(TimeDelta::hours(2));
    let lost = Fault {
        path_pattern: Some("/token$".to_owned()),
        drop_answer_after_effect: true,
        // One attempt and its repetitions.
        times: 3,
        ..Fault::default()
    };
    world.microsoft().add_fault(lost).unwrap();
    let failed = refresh_calendars(&world.engine, &world).await;
    assert!(matches!(failed, Err(EngineError::Provider(ProviderError::Transient(_)))), "{failed:?}");
    assert_eq!(world.the_account().await.account.state, AccountState::Active);
    refresh_calendars(&world.engine, &world).await.unwrap();
    assert_eq!(token_calls(&world), 4);
}

#[tokio::test]
async fn tokens_that_cannot_be_stored_are_kept_until_they_can() {
    let world = connected(false).await;
    world.pass(TimeDelta::hours(2));
    let mut database = SqliteConnection::connect(&world.database()).await.unwrap();
    database
        .execute(
            "create trigger full before update of token_ciphertext on calendar_provider_account
             begin select raise(abort, 'the disk is full'); end",
        )
        .await
        .unwrap();
    let failed = refresh_calendars(&world.engine, &world).await;
    assert!(matches!(failed, Err(EngineError::Store(_))), "{failed:?}");
    database.execute("drop trigger full").await.unwrap();
    refresh_calendars(&world.engine, &world).await.unwrap();
    assert_eq!(token_calls(&world), 1, "what was granted is used, the old refresh token is dead");
    world.pass(TimeDelta::hours(2));
    refresh_calendars(&world.another_process().await, &world).await.unwrap();
}

#[tokio::test]
async fn a_dead_grant_asks_the_host_to_connect_again() {
    let world = connected(true).await;
    world.microsoft().revoke(OUTLOOK);
    let refused = refresh_calendars(&world.engine, &world).await;
    assert!(matches!(refused, Err(EngineError::ReconnectNeeded(code)) if code == "grant_revoked"));
    let overview = world.the_account().await;
    assert_eq!(overview.condition, AccountCondition::ReconnectNeeded { code: "grant_revoked".to_owned() });
    assert_eq!(overview.next_sync_at, None);
    let callback = world.sign_in_at_microsoft(OUTLOOK, Some(&overview)).await;
    let finish = world.engine.connect_finish(&world.principal, &world.session, Provider::Outlook, callback);
    assert_eq!(finish.await.unwrap().account_id, Some(overview.account.id));
    assert_eq!(world.the_account().await.account.state, AccountState::Active);
}

#[tokio::test]
async fn demanded_claims_are_carried_to_the_next_sign_in_and_forgotten_after_it() {
    let world = connected(true).await;
    world.microsoft().require_claims(OUTLOOK, Some(CLAIMS)).unwrap();
    let refused = refresh_calendars(&world.engine, &world).await;
    assert!(matches!(refused, Err(EngineError::ReconnectNeeded(code)) if code == "claims_challenge"));
    let overview = world.the_account().await;
    assert_eq!(overview.account.state, AccountState::ReconnectNeeded);
    let demanded = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let kept = overview.account.claims_challenge.clone().unwrap();
    assert_eq!(demanded(&kept), demanded(CLAIMS));

    let start = ConnectStart { provider: Provider::Outlook, account: Some(overview.account.id.clone()) };
    let url = world.engine.connect_start(&world.principal, &world.session, start).await.unwrap();
    let field = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    assert_eq!((field("claims"), field("login_hint").as_deref()), (Some(kept), Some(OUTLOOK)));

    let callback = world.sign_in_at_microsoft(OUTLOOK, Some(&overview)).await;
    let finish = world.engine.connect_finish(&world.principal, &world.session, Provider::Outlook, callback);
    finish.await.unwrap();
    let account = world.the_account().await.account;
    assert_eq!((account.state, account.state_reason, account.claims_challenge), (AccountState::Active, None, None));
    refresh_calendars(&world.engine, &world).await.unwrap();
}

#[tokio::test]
async fn an_account_of_somebody_else_or_of_another_provider_is_not_connected_again() {
    let world = connected(true).await;
    let id = world.the_account().await.account.id;
    let (bea, session) = world.colleague("Bea", "bea@clinic.example").await;
    let start = |provider| ConnectStart { provider, account: Some(id.clone()) };
    let theirs = world.engine.connect_start(&bea, &session, start(Provider::Outlook)).await;
    assert!(matches!(theirs, Err(EngineError::NotFound("account"))));
    let other = world.engine.connect_start(&world.principal, &world.session, start(Provider::Google)).await;
    assert!(matches!(other, Err(EngineError::NotFound("account"))));
}

#[tokio::test]
async fn an_expired_client_secret_is_told_to_the_operator_and_does_not_disconnect_hosts() {
    let world = connected(true).await;
    world.offer(first_visit()).await;
    world.run().await;
    world.microsoft().add_client(application(true));
    world.pass(TimeDelta::hours(2));
    let refused = refresh_calendars(&world.engine, &world).await.unwrap_err();
    assert!(matches!(&refused, EngineError::OperatorNeeded(code) if code == "AADSTS7000222"), "{refused}");

    let overview = world.the_account().await;
    assert_eq!(overview.condition, AccountCondition::OperatorNeeded);
    assert_eq!(overview.account.state, AccountState::Active);
    let alerts = world.engine.operator_alerts().await.unwrap();
    assert_eq!(alerts.len(), 1);
    assert_eq!((alerts[0].code.as_str(), alerts[0].detail.as_str()), ("microsoft_client", "AADSTS7000222"));

    world.engine.run_due_jobs().await.unwrap();
    let mails = world.mails_to(OPERATOR);
    assert_eq!(mails.len(), 1);
    assert!(crate::world::body(&mails[0]).contains("AADSTS7000222"));

    // A day later it still does not work: one more mail, however often it was tried.
    for _ in 0..26 {
        world.pass(TimeDelta::hours(1));
        world.engine.run_periodic().await.unwrap();
        world.engine.run_due_jobs().await.unwrap();
    }
    assert_eq!(world.mails_to(OPERATOR).len(), 2);
    assert!(world.engine.failed_jobs(&world.principal).await.unwrap().is_empty(), "duties wait");
    let told: Vec<_> = world.mails_to("ana@clinic.example").into_iter().map(|mail| mail.subject).collect();
    assert_eq!(
        told.len(),
        1,
        "once, that the calendar is stale: there is nothing else that the host could do: {told:?}"
    );
    assert!(told[0].starts_with("No se puede leer el calendario"), "{told:?}");

    world.microsoft().add_client(application(false));
    world.pass(TimeDelta::hours(1));
    world.engine.run_periodic().await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    assert!(world.engine.operator_alerts().await.unwrap().is_empty());
    let overview = world.the_account().await;
    assert_eq!((overview.account.state, overview.account.state_reason), (AccountState::Active, None));
    assert_eq!(overview.condition, AccountCondition::Polled);
}

#[tokio::test]
async fn an_account_that_waits_is_tried_once_an_hour_and_at_once_when_somebody_asks() {
    let world = connected(true).await;
    world.microsoft().add_client(application(true));
    world.pass(TimeDelta::hours(2));
    let id = world.the_account().await.account.id;
    world.engine.run_due_jobs().await.unwrap();
    assert_eq!(token_calls(&world), 1);
    for _ in 0..5 {
        world.pass(TimeDelta::minutes(10));
        world.engine.run_due_jobs().await.unwrap();
    }
    assert_eq!(token_calls(&world), 1);
    world.pass(TimeDelta::minutes(15));
    world.engine.run_due_jobs().await.unwrap();
    assert_eq!(token_calls(&world), 2);
    let test = world.engine.account_test(&world.principal, &id).await.unwrap();
    assert_eq!(token_calls(&world), 3);
    assert_eq!(test.steps.len(), 1);
    assert_eq!((test.steps[0].what, &test.steps[0].outcome), (TestWhat::Token, &Err("operator_needed".to_owned())));

    world.microsoft().add_client(application(false));
    let test = world.engine.account_test(&world.principal, &id).await.unwrap();
    assert_eq!(test.steps[0].outcome, Ok(()));
    assert_eq!(world.the_account().await.account.state_reason, None);
}

#[tokio::test]
async fn a_client_that_is_refused_while_a_host_connects_is_the_operators_affair_too() {
    let world = World::with_microsoft().await;
    let callback = world.sign_in_at_microsoft(OUTLOOK, None).await;
    world.microsoft().add_client(application(true));
    let finish = world.engine.connect_finish(&world.principal, &world.session, Provider::Outlook, callback);
    let refused = finish.await.unwrap_err();
    assert_eq!(refused.code(), "operator-needed");
    assert_eq!(world.engine.operator_alerts().await.unwrap().len(), 1);
    world.microsoft().add_client(application(false));
    world.connect_outlook(OUTLOOK).await;
    assert!(world.engine.operator_alerts().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_disconnected_account_is_forgotten() {
    let world = connected(true).await;
    let account = world.the_account().await.account;
    world.engine.account_disconnect(&world.principal, &account.id).await.unwrap();
    assert!(world.engine.accounts(&world.principal).await.unwrap().is_empty());
    world.engine.run_due_jobs().await.unwrap();
    let row = account_get(&mut world.store.read().await.unwrap(), &world.principal.organization_id, &account.id).await;
    assert!(row.unwrap().is_none());
}
