//! What the adapter makes of faults.

use std::time::{Duration, Instant};

use cupo_providers::{
    CalendarProvider, Expected, ProviderError, ReauthReason, Secret, SyncCursor, TransportConfig, WatchRequest,
};
use cupo_simulators::google::{Fault, FreeBusyError, GoogleOptions, QuotaSettings};
use url::Url;

use crate::world::{ANA, World, appointment_event, hours, provider, token_of};

fn answer_with(status: u16) -> Fault {
    Fault { status: Some(status), ..Fault::default() }
}

#[tokio::test]
async fn an_insert_whose_answer_was_lost_makes_one_event() {
    let world = World::start().await;
    let fault = Fault { method: Some("POST".into()), drop_answer_after_effect: true, ..Fault::default() };
    world.simulator.add_fault(fault).unwrap();
    let created = world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    let events = world.simulator.events(ANA).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["id"], created.id);
    assert_eq!(created.etag.as_deref(), events[0]["etag"].as_str());
    assert_eq!(world.simulator.invitations().len(), 1, "the guest is invited once");
    let methods: Vec<_> = world.api_exchanges().into_iter().map(|exchange| exchange.method).collect();
    assert_eq!(methods, ["POST", "POST", "GET"]);
}

#[tokio::test]
async fn an_insert_whose_answers_are_all_lost_is_found_by_the_next_one() {
    let world = World::start().await;
    let fault = Fault { method: Some("POST".into()), drop_answer_after_effect: true, times: 3, ..Fault::default() };
    world.simulator.add_fault(fault).unwrap();
    let lost = world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await;
    assert!(matches!(lost, Err(ProviderError::Transient(_))), "{lost:?}");
    world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    assert_eq!(world.simulator.events(ANA).unwrap().len(), 1);
    assert_eq!(world.simulator.invitations().len(), 1);
}

#[tokio::test]
async fn a_conditional_update_whose_answer_was_lost_is_not_repeated() {
    let world = World::start().await;
    let created = world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    let mut wanted = appointment_event();
    (wanted.id, wanted.title) = (created.id.clone(), "Another title".into());
    let fault = Fault { method: Some("PATCH".into()), drop_answer_after_effect: true, ..Fault::default() };
    world.simulator.add_fault(fault).unwrap();
    let expected = Expected::Update { etag: created.etag.as_deref() };
    let lost = world.google.put_event(&world.token, ANA, &wanted, expected).await;
    assert!(matches!(lost, Err(ProviderError::Transient(_))), "{lost:?}");
    let patches = world.api_exchanges().into_iter().filter(|exchange| exchange.method == "PATCH").count();
    assert_eq!(patches, 1);
}

#[tokio::test]
async fn a_fault_that_passes_is_waited_out_and_one_that_stays_is_told() {
    let world = World::start().await;
    world.simulator.add_fault(Fault { times: 2, ..answer_with(500) }).unwrap();
    world.google.list_calendars(&world.token).await.unwrap();
    assert_eq!(world.calls().len(), 3);

    world.simulator.clear_exchanges();
    world.simulator.add_fault(Fault { times: 3, ..answer_with(503) }).unwrap();
    let told = world.google.list_calendars(&world.token).await;
    assert_eq!(told, Err(ProviderError::Transient("503".into())));
    assert_eq!(world.calls().len(), 3);
}

#[tokio::test]
async fn a_short_retry_after_is_waited_for_and_a_long_one_is_handed_on() {
    let world = World::start().await;
    world.simulator.add_fault(Fault { retry_after: Some(1), ..answer_with(429) }).unwrap();
    let started = Instant::now();
    world.google.list_calendars(&world.token).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));

    world.simulator.clear_exchanges();
    world.simulator.add_fault(Fault { retry_after: Some(17), ..answer_with(429) }).unwrap();
    let told = world.google.list_calendars(&world.token).await;
    assert_eq!(told, Err(ProviderError::Throttled(Duration::from_secs(17))));
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn an_exceeded_quota_throttles() {
    let quota = QuotaSettings { per_user: Some(2), ..QuotaSettings::default() };
    let world = World::with(GoogleOptions { quota, ..GoogleOptions::default() }).await;
    world.google.list_calendars(&world.token).await.unwrap();
    world.google.list_calendars(&world.token).await.unwrap();
    let told = world.google.list_calendars(&world.token).await;
    assert!(matches!(told, Err(ProviderError::Throttled(_))), "{told:?}");
}

#[tokio::test]
async fn a_refusal_is_final() {
    let world = World::start().await;
    let fault = Fault { body_reason: Some("forbiddenForNonOrganizer".into()), ..answer_with(403) };
    world.simulator.add_fault(fault).unwrap();
    let told = world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await;
    assert_eq!(told, Err(ProviderError::Rejected("403 forbiddenForNonOrganizer".into())));
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn gone_means_another_thing_for_each_operation() {
    let world = World::start().await;
    world.simulator.add_fault(Fault { times: 3, ..answer_with(410) }).unwrap();
    let list = world.google.changes(&world.token, ANA, Some(&SyncCursor::new("old")), hours(0, 1)).await;
    assert_eq!(list, Err(ProviderError::CursorExpired));
    assert_eq!(world.google.get_event(&world.token, ANA, "some1").await, Ok(None));
    assert_eq!(world.google.delete_event(&world.token, ANA, "some1", true).await, Ok(()));
}

#[tokio::test]
async fn an_expired_access_token_and_a_missing_scope_are_told_apart() {
    let world = World::start().await;
    let narrow = world.simulator.issue_tokens(ANA, &["calendar.calendarlist.readonly"]).unwrap();
    let narrow = cupo_providers::Access::bearer("ana", Secret::new(narrow.access_token));
    world.google.list_calendars(&narrow).await.unwrap();
    let told = world.google.free_busy(&narrow, &[ANA], hours(0, 1)).await;
    assert_eq!(told, Err(ProviderError::Reauth(ReauthReason::MissingScope)));

    world.simulator.expire_access_tokens();
    let told = world.google.list_calendars(&world.token).await;
    assert_eq!(told, Err(ProviderError::Reauth(ReauthReason::AccessTokenExpired)));
}

#[tokio::test]
async fn a_calendar_whose_busy_time_fails_inside_a_good_answer_is_unknown() {
    let world = World::start().await;
    let error = FreeBusyError { calendar: ANA.into(), reason: "internalError".into() };
    world.simulator.add_fault(Fault { free_busy_error: Some(error), ..Fault::default() }).unwrap();
    let answers = world.google.free_busy(&world.token, &[ANA], hours(0, 24)).await.unwrap();
    assert_eq!(answers[0].busy.as_ref().unwrap_err().reason, "internalError");
}

#[tokio::test]
async fn a_watch_whose_answer_was_lost_is_not_repeated_under_its_id() {
    let world = World::start().await;
    world.simulator.add_fault(Fault { drop_answer_after_effect: true, ..Fault::default() }).unwrap();
    let channel = WatchRequest {
        id: "channel-1".into(),
        token: Secret::new("hush"),
        address: Url::parse("http://127.0.0.1:1/webhooks/google").unwrap(),
        ttl: Duration::from_secs(3600),
    };
    let lost = world.google.watch(&world.token, ANA, &channel).await;
    assert!(matches!(lost, Err(ProviderError::Transient(_))), "{lost:?}");
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let world = World::start().await;
    let config =
        TransportConfig { total_timeout: Duration::from_millis(200), max_retries: 0, ..TransportConfig::default() };
    let impatient = provider(&world.simulator, config);
    world.simulator.add_fault(Fault { delay_ms: 5_000, ..Fault::default() }).unwrap();
    let started = Instant::now();
    let told = impatient.list_calendars(&token_of(&world.simulator, ANA)).await;
    assert!(matches!(told, Err(ProviderError::Transient(_))), "{told:?}");
    assert!(started.elapsed() < Duration::from_secs(3));
}
