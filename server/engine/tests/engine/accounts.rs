//! How an account fares, and whether it works.

use chrono::TimeDelta;
use cupo_engine::{AccountCondition, AccountTest, CalendarChoice, TestWhat};
use cupo_simulators::google::{Fault, FreeBusyError};

use crate::world::{CALENDAR, World};

async fn test(world: &World) -> AccountTest {
    let id = world.the_account().await.account.id;
    world.engine.account_test(&world.principal, &id).await.unwrap()
}

/// What was tried, and with which outcome.
fn outcomes(test: &AccountTest) -> Vec<(TestWhat, Option<&str>, Result<(), &str>)> {
    test.steps
        .iter()
        .map(|step| (step.what, step.calendar.as_deref(), step.outcome.as_ref().copied().map_err(String::as_str)))
        .collect()
}

#[tokio::test]
async fn the_condition_of_an_account_says_how_its_calendars_are_kept_up_to_date() {
    let world = World::new().await;
    world.connect().await;
    let connected = world.the_account().await;
    assert_eq!(connected.condition, AccountCondition::Polled, "no channel is open yet");
    assert_eq!((connected.last_sync_at, connected.next_renewal_at), (None, None));
    world.run().await;
    assert_eq!(world.the_account().await.condition, AccountCondition::Live);

    world.engine.calendar_choices_save(&world.principal, Vec::new(), None).await.unwrap();
    let unused = world.the_account().await;
    assert_eq!(unused.condition, AccountCondition::Unused);
    assert_eq!((unused.last_sync_at, unused.next_sync_at), (None, None));
}

#[tokio::test]
async fn a_calendar_that_cannot_be_read_makes_its_account_fall_behind_until_it_can() {
    let world = World::open_for_business().await;
    world.google_is_down();
    world.pass(TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    let behind = world.the_account().await;
    assert_eq!(behind.condition, AccountCondition::Behind { code: "provider-failed".to_owned() });
    // It is read again by its own pull, which has failed and waits.
    let next = behind.next_sync_at.unwrap();
    assert!(next > world.engine.now() && next <= world.engine.now() + TimeDelta::minutes(1), "{next}");
    world.google.clear_faults();
    world.pass(TimeDelta::minutes(1));
    world.engine.run_due_jobs().await.unwrap();
    assert_eq!(world.the_account().await.condition, AccountCondition::Live);
}

#[tokio::test]
async fn a_mirror_that_nobody_brought_up_to_date_is_late() {
    let world = World::open_for_business().await;
    let read_at = world.the_account().await.last_sync_at;
    world.pass(TimeDelta::days(8));
    let late = AccountCondition::Stale { code: "late".to_owned(), read_at };
    assert_eq!(world.the_account().await.condition, late, "the channel has ended, and nothing was read since");
}

#[tokio::test]
async fn a_test_of_an_account_that_works_goes_through_all_it_is_needed_for() {
    let world = World::open_for_business().await;
    let test = test(&world).await;
    let calendar = Some(CALENDAR);
    assert_eq!(
        outcomes(&test),
        [
            (TestWhat::Token, None, Ok(())),
            (TestWhat::Calendars, None, Ok(())),
            (TestWhat::FreeBusy, calendar, Ok(())),
            (TestWhat::Changes, calendar, Ok(())),
            (TestWhat::Notifications, calendar, Ok(())),
        ]
    );
    assert!(world.google.exchanges().iter().all(|exchange| exchange.method != "PATCH" && exchange.method != "DELETE"));
}

#[tokio::test]
async fn a_test_tells_which_step_and_which_calendar_fails() {
    let world = World::open_for_business().await;
    let mut calendars = world.the_account().await.calendars;
    calendars.retain(|calendar| calendar.is_primary || calendar.name == "Personal");
    let choices = calendars.iter().map(|calendar| CalendarChoice {
        calendar_id: calendar.id.clone(),
        checks_conflicts: true,
        tentative_blocks: true,
        unanswered_blocks: true,
    });
    world.engine.calendar_choices_save(&world.principal, choices.collect(), None).await.unwrap();
    let other = calendars.iter().find(|calendar| !calendar.is_primary).unwrap();
    let problem = FreeBusyError { calendar: other.external_id.clone(), reason: "internalError".to_owned() };
    world.google.add_fault(Fault { free_busy_error: Some(problem), ..Fault::default() }).unwrap();
    world.fault("GET", &format!("{}/events$", CALENDAR), 3, Fault { status: Some(503), ..Fault::default() });
    let test = test(&world).await;
    let failed: Vec<_> = outcomes(&test).into_iter().filter(|(_, _, outcome)| outcome.is_err()).collect();
    assert_eq!(
        failed,
        [
            (TestWhat::FreeBusy, Some(other.name.as_str()), Err("internalError")),
            (TestWhat::Changes, Some(CALENDAR), Err("transient")),
            (TestWhat::Notifications, Some(other.name.as_str()), Err("no_channel")),
        ]
    );
}

#[tokio::test]
async fn a_test_of_a_dead_grant_ends_with_its_token() {
    let world = World::open_for_business().await;
    world.google.revoke(CALENDAR);
    assert_eq!(outcomes(&test(&world).await), [(TestWhat::Token, None, Err("grant_revoked"))]);
    let condition = AccountCondition::ReconnectNeeded { code: "grant_revoked".to_owned() };
    assert_eq!(world.the_account().await.condition, condition);
}
