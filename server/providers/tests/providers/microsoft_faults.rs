//! What the adapter for Microsoft Graph makes of faults.

use std::time::Duration;

use cupo_providers::{
    Access, CalendarEvent, CalendarProvider, Expected, ProviderError, ReauthReason, Secret, SyncCursor, TransportConfig,
};
use cupo_simulators::microsoft::{Fault, MicrosoftOptions, ScheduleError};

use crate::microsoft_world::{ANA, MicrosoftWorld, access_of, by_hand, provider};
use crate::world::{appointment_event, hours};

fn answer_with(status: u16) -> Fault {
    Fault { status: Some(status), ..Fault::default() }
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_makes_one_event() {
    for lost in [1, 3] {
        let world = MicrosoftWorld::start().await;
        let fault =
            Fault { method: Some("POST".into()), drop_answer_after_effect: true, times: lost, ..Fault::default() };
        world.fault(fault);
        let put = async || {
            world.microsoft.put_event(&world.access, &world.calendar, &appointment_event(), Expected::Create).await
        };
        let mut told = put().await;
        if lost == 3 {
            assert!(matches!(told, Err(ProviderError::Transient(_))), "{told:?}");
            told = put().await;
        }
        let created = told.unwrap();
        assert_eq!(world.simulator.events(ANA).unwrap().len(), 1);
        assert_eq!(world.simulator.invitations().len(), 1, "the guest is invited once");
        let found = world.microsoft.get_event(&world.access, &world.calendar, &created.id).await.unwrap().unwrap();
        assert_eq!(found.etag, created.etag);
    }
}

#[tokio::test]
async fn an_update_whose_answer_was_lost_is_not_sent_again_and_the_next_one_finds_it() {
    let world = MicrosoftWorld::start().await;
    let put = async |event: &CalendarEvent, expected: Expected<'_>| {
        world.microsoft.put_event(&world.access, &world.calendar, event, expected).await
    };
    let created = put(&appointment_event(), Expected::Create).await.unwrap();
    let wanted = CalendarEvent { id: created.id.clone(), title: "Another title".into(), ..appointment_event() };
    world.fault(Fault { method: Some("PATCH".into()), drop_answer_after_effect: true, ..Fault::default() });
    let expected = Expected::Update { etag: created.etag.as_deref() };
    let lost = put(&wanted, expected).await;
    assert!(matches!(lost, Err(ProviderError::Transient(_))), "{lost:?}");
    assert_eq!(put(&wanted, expected).await, Err(ProviderError::Conflict), "the etag has moved on");
    let found = put(&wanted, Expected::Update { etag: None }).await.unwrap();
    assert_ne!(found.etag, created.etag);
    let patches = world.graph_exchanges().into_iter().filter(|exchange| exchange.method == "PATCH").count();
    assert_eq!(patches, 1);
}

#[tokio::test]
async fn a_conflict_in_passing_is_overcome() {
    let world = MicrosoftWorld::start().await;
    let created = world
        .microsoft
        .put_event(&world.access, &world.calendar, &appointment_event(), Expected::Create)
        .await
        .unwrap();
    let wanted = CalendarEvent { id: created.id.clone(), title: "Another title".into(), ..appointment_event() };
    world.fault(Fault { method: Some("PATCH".into()), ..answer_with(412) });
    let expected = Expected::Update { etag: created.etag.as_deref() };
    world.microsoft.put_event(&world.access, &world.calendar, &wanted, expected).await.unwrap();
    assert_eq!(world.simulator.events(ANA).unwrap()[0]["subject"], "Another title");
}

#[tokio::test]
async fn a_fault_that_passes_is_waited_out_and_one_that_stays_is_told() {
    let world = MicrosoftWorld::start().await;
    world.fault(Fault { times: 2, ..answer_with(500) });
    world.microsoft.me(&world.access).await.unwrap();
    assert_eq!(world.calls().len(), 3);
    world.simulator.clear_exchanges();
    world.fault(Fault { times: 3, ..answer_with(503) });
    assert_eq!(world.microsoft.me(&world.access).await, Err(ProviderError::Transient("503".into())));
    assert_eq!(world.calls().len(), 3);
}

#[tokio::test]
async fn throttling_says_for_how_long() {
    for status in [429, 503, 504] {
        let world = MicrosoftWorld::start().await;
        world.fault(Fault { retry_after: Some(17), ..answer_with(status) });
        let told = world.microsoft.me(&world.access).await;
        assert_eq!(told, Err(ProviderError::Throttled(Duration::from_secs(17))));
        assert_eq!(world.calls().len(), 1);
    }
}

#[tokio::test]
async fn a_mailbox_that_had_too_many_requests_is_throttled() {
    let options = MicrosoftOptions { requests_per_ten_minutes: Some(2), ..MicrosoftOptions::default() };
    let world = MicrosoftWorld::with(options).await;
    world.microsoft.me(&world.access).await.unwrap();
    world.microsoft.me(&world.access).await.unwrap();
    let told = world.microsoft.me(&world.access).await;
    assert!(matches!(told, Err(ProviderError::Throttled(_))), "{told:?}");
}

#[tokio::test]
async fn an_expired_cursor_asks_for_a_full_round() {
    let world = MicrosoftWorld::start().await;
    let changes = async |cursor: Option<&SyncCursor>| {
        world.microsoft.changes(&world.access, &world.calendar, cursor, hours(0, 24)).await
    };
    let first = changes(None).await.unwrap();
    world.simulator.expire_sync_tokens();
    assert_eq!(changes(Some(&first.cursor)).await, Err(ProviderError::CursorExpired));
    for (status, code) in [(400, "syncStateInvalid"), (400, "resyncRequired"), (410, "SyncStateNotFound")] {
        let first = changes(None).await.unwrap();
        world.fault(Fault { code: Some(code.into()), ..answer_with(status) });
        assert_eq!(changes(Some(&first.cursor)).await, Err(ProviderError::CursorExpired), "{code}");
    }
    let first = changes(None).await.unwrap();
    assert!(changes(Some(&first.cursor)).await.is_ok());
    world.fault(answer_with(404));
    assert_eq!(changes(Some(&first.cursor)).await, Err(ProviderError::NotFound), "the calendar is gone");
}

#[tokio::test]
async fn an_expired_token_a_missing_permission_and_a_claims_challenge_are_told_apart() {
    let world = MicrosoftWorld::start().await;
    let narrow = world.simulator.issue_tokens(ANA, &["Calendars.ReadWrite"]).unwrap();
    let narrow = Access::bearer("ana", Secret::new(narrow.access_token));
    world.microsoft.list_calendars(&narrow).await.unwrap();
    assert_eq!(world.microsoft.me(&narrow).await, Err(ProviderError::Reauth(ReauthReason::MissingScope)));

    let claims = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    world.simulator.require_claims(ANA, Some(claims)).unwrap();
    let demanded = ProviderError::Reauth(ReauthReason::ClaimsChallenge(claims.into()));
    assert_eq!(world.microsoft.list_calendars(&world.access).await, Err(demanded));
    world.simulator.require_claims(ANA, None).unwrap();

    world.simulator.expire_access_tokens();
    let told = world.microsoft.list_calendars(&world.access).await;
    assert_eq!(told, Err(ProviderError::Reauth(ReauthReason::AccessTokenExpired)));
}

#[tokio::test]
async fn a_calendar_whose_busy_time_fails_inside_a_good_answer_is_unknown_and_the_others_are_known() {
    let world = MicrosoftWorld::start().await;
    let personal = world.simulator.calendar_id("ana@contoso.example/Personal").unwrap();
    world.simulator.insert_event(&personal, by_hand("Lunch", 12, 13)).unwrap();
    let error = ScheduleError { mailbox: ANA.into(), code: "ErrorMailRecipientNotFound".into() };
    world.fault(Fault { schedule_error: Some(error), ..Fault::default() });
    let calendars = [world.calendar.as_str(), &personal, "neverheardof"];
    let told = world.microsoft.free_busy(&world.access, &calendars, hours(0, 24)).await.unwrap();
    assert_eq!(told[0].busy.as_ref().unwrap_err().reason, "ErrorMailRecipientNotFound");
    assert_eq!(told[1].busy, Ok(vec![hours(12, 13)]));
    assert_eq!(told[2].busy.as_ref().unwrap_err().reason, "notFound");
}

#[tokio::test]
async fn what_is_throttled_inside_a_batch_is_asked_for_again() {
    let world = MicrosoftWorld::start().await;
    let personal = world.simulator.calendar_id("ana@contoso.example/Personal").unwrap();
    world.simulator.insert_event(&personal, by_hand("Lunch", 12, 13)).unwrap();
    world.fault(Fault { path_pattern: Some("calendarView".into()), retry_after: Some(1), ..answer_with(429) });
    let told = world.microsoft.free_busy(&world.access, &[&world.calendar, &personal], hours(0, 24)).await.unwrap();
    assert_eq!((&told[0].busy, &told[1].busy), (&Ok(vec![]), &Ok(vec![hours(12, 13)])));
}

#[tokio::test]
async fn a_calendar_that_may_only_be_read_is_not_written_to() {
    let world = MicrosoftWorld::start().await;
    let birthdays = world.simulator.calendar_id("ana@contoso.example/Birthdays").unwrap();
    let told = world.microsoft.put_event(&world.access, &birthdays, &appointment_event(), Expected::Create).await;
    assert_eq!(told, Err(ProviderError::Rejected("403 ErrorAccessDenied".into())));
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let world = MicrosoftWorld::start().await;
    let config =
        TransportConfig { total_timeout: Duration::from_millis(200), max_retries: 0, ..TransportConfig::default() };
    let impatient = provider(&world.simulator, config);
    world.fault(Fault { delay_ms: 60_000, ..Fault::default() });
    let told = impatient.list_calendars(&access_of(&world.simulator, ANA)).await;
    assert!(matches!(told, Err(ProviderError::Transient(_))), "{told:?}");
}
