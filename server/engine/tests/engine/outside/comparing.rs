//! Comparing calendars with appointments: what the sync never heard of is found all the same.

use cupo_core::appointment::AppointmentStatus;
use cupo_engine::{FindingKind, FindingOutcome, ReconcileReport, ReconcileScope};
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};

use super::{Caldav, Google, Graph, Outside, START, Which, booked, no_job_failed, once, open, seen, sync};
use crate::world::{at, because, to};

const LATER: &str = "2026-11-26T14:00:00Z";
const LATER_END: &str = "2026-11-26T14:30:00Z";

async fn sql<O: Outside>(outside: &O, text: &str) {
    let mut database = SqliteConnection::connect(&outside.world().database()).await.unwrap();
    database.execute(AssertSqlSafe(text.to_owned())).await.unwrap();
}

async fn compare<O: Outside>(outside: &O, mends: bool) -> ReconcileReport {
    outside.world().engine.reconcile(ReconcileScope::All, mends).await.unwrap()
}

/// What is found at first is only reported, then mended; afterwards nothing is found.
async fn finds<O: Outside>(outside: &O, expected: FindingKind) {
    for (mends, outcome) in [(false, FindingOutcome::Found), (true, FindingOutcome::Mended)] {
        let report = compare(outside, mends).await;
        let found: Vec<_> = report.findings.iter().map(|finding| (finding.kind, finding.outcome)).collect();
        assert_eq!(found, [(expected, outcome)], "{report:?}");
        assert!(report.failed.is_empty(), "{report:?}");
    }
    outside.world().run().await;
    let report = compare(outside, true).await;
    assert!(report.findings.is_empty() && report.is_settled(), "{report:?}");
    no_job_failed(outside).await;
}

async fn an_appointment_that_was_never_written_is_written<O: Outside>() {
    let outside = Box::pin(open::<O>()).await;
    let world = outside.world();
    world.book("key", START).await;
    sql(&outside, "delete from job where kind = 'push_event'").await;
    sync(&outside).await;
    assert!(outside.standing(Which::Second).await.is_empty());
    finds(&outside, FindingKind::Unpushed).await;
    assert_eq!(outside.standing(Which::Second).await, [once(START)]);
}

async fn an_event_that_is_gone_cancels_its_appointment<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    outside.delete_event().await;
    finds(&outside, FindingKind::Gone).await;
    assert_eq!(seen(&outside, &view).await.status, AppointmentStatus::Cancelled);
}

async fn an_event_at_another_time_is_followed<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    outside.move_event(LATER, LATER_END).await;
    finds(&outside, FindingKind::Moved).await;
    assert_eq!(seen(&outside, &view).await.start, at(LATER));
    assert_eq!(outside.standing(Which::Second).await, [once(LATER)]);
}

async fn an_event_that_is_behind_is_written_again<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    outside.world().engine.reschedule_by_token(&view.token, &to(LATER)).await.unwrap();
    sql(&outside, "delete from job where kind = 'push_event'").await;
    finds(&outside, FindingKind::Outdated).await;
    assert_eq!(outside.standing(Which::Second).await, [once(LATER)]);
}

async fn an_event_that_was_forgotten_is_known_again<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    sql(&outside, "delete from appointment_external_mapping").await;
    finds(&outside, FindingKind::Unmapped).await;
    assert_eq!(outside.standing(Which::Second).await, [once(START)]);
    outside.world().engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    outside.world().run().await;
    assert!(outside.standing(Which::Second).await.is_empty(), "it is deleted with its appointment");
}

async fn the_forgotten_event_of_a_cancelled_appointment_is_deleted<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    outside.world().engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    sql(&outside, "delete from job where kind = 'push_event'").await;
    sql(&outside, "delete from appointment_external_mapping").await;
    let report = compare(&outside, true).await;
    assert!(report.findings.iter().any(|finding| finding.kind == FindingKind::Orphan), "{report:?}");
    outside.world().run().await;
    assert!(outside.standing(Which::Second).await.is_empty());
    assert!(outside.world().is_offered(START).await);
    assert!(compare(&outside, true).await.is_settled());
    no_job_failed(&outside).await;
}

macro_rules! with_every_provider {
    ($($behaviour:ident)*) => {
        mod in_google {
            $(#[tokio::test] async fn $behaviour() { Box::pin(super::$behaviour::<super::Google>()).await })*
        }
        mod in_outlook {
            $(#[tokio::test] async fn $behaviour() { Box::pin(super::$behaviour::<super::Graph>()).await })*
        }
        mod in_caldav {
            $(#[tokio::test] async fn $behaviour() { Box::pin(super::$behaviour::<super::Caldav>()).await })*
        }
    };
}

with_every_provider! {
    an_appointment_that_was_never_written_is_written
    an_event_that_is_gone_cancels_its_appointment
    an_event_at_another_time_is_followed
    an_event_that_is_behind_is_written_again
    an_event_that_was_forgotten_is_known_again
    the_forgotten_event_of_a_cancelled_appointment_is_deleted
}
