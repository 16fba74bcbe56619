//! What happens in the calendar while Cupo reads or writes there, and before it has read what it wrote.

use cupo_core::{appointment::AppointmentStatus, ids::CalendarId};
use cupo_engine::Engine;
use cupo_simulators::{google::Fault, microsoft};
use tokio::task::JoinHandle;

use super::{
    Caldav, Google, Graph, Outside, START, Which, ask_to_read, assert_cancelled, at, booked, calendar, no_job_failed,
    once, open, read, seen, sync,
};
use crate::{
    replicas::until,
    world::{World, because, to},
};

const MOVED: &str = "2026-11-26T14:00:00Z";
const MOVED_AGAIN: &str = "2026-11-27T14:00:00Z";
/// How late Google answers, and how soon what happens meanwhile is over.
const LATE: u64 = 4_000;

fn runs_jobs(engine: &Engine) -> JoinHandle<()> {
    let engine = engine.clone();
    tokio::spawn(async move {
        Box::pin(engine.run_due_jobs()).await.unwrap();
    })
}

/// How often Google was asked what changed.
fn lists(world: &World) -> usize {
    world.calls("GET", "/events")
}

async fn second<O: Outside>(outside: &O) -> CalendarId {
    calendar(outside, Which::Second).await.id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_read_while_an_event_was_made_is_newer_than_the_answer() {
    let outside = Box::pin(open::<Google>()).await;
    let world = outside.world();
    let calendar = second(&outside).await;
    world.fault("POST", "/events$", 1, Fault { late_answer_ms: LATE, ..Fault::default() });
    let view = world.book("key", START).await;
    let another = world.another_process().await;
    let pushing = runs_jobs(&another);
    until("the event", async || outside.standing(Which::Second).await == [once(START)]).await;
    read(&outside, &calendar).await;
    outside.move_event(MOVED, "2026-11-26T14:30:00Z").await;
    read(&outside, &calendar).await;
    assert_eq!(seen(&outside, &view).await.start, at(MOVED));
    pushing.await.unwrap();
    world.run().await;
    assert_eq!(world.count("select count(*) from job where kind = 'push_event'").await, 0, "it is written");
    outside.move_event(MOVED_AGAIN, "2026-11-27T14:30:00Z").await;
    sync(&outside).await;
    assert_eq!(seen(&outside, &view).await.start, at(MOVED_AGAIN));
    assert_eq!(outside.standing(Which::Second).await, [once(MOVED_AGAIN)]);
    no_job_failed(&outside).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_event_that_is_made_once_more_after_its_host_has_deleted_it_goes_with_its_appointment() {
    Box::pin(made_once_more(true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_event_that_is_made_once_more_without_an_answer_goes_too() {
    Box::pin(made_once_more(false)).await;
}

async fn made_once_more(is_answered: bool) {
    let outside = Box::pin(open::<Graph>()).await;
    let world = outside.world();
    let calendar = second(&outside).await;
    let creation = || microsoft::Fault {
        method: Some("POST".into()),
        path_pattern: Some("/events$".into()),
        times: 1,
        ..microsoft::Fault::default()
    };
    let lost = microsoft::Fault { drop_answer_after_effect: true, ..creation() };
    world.microsoft().add_fault(lost).unwrap();
    // The same request, sent once more.
    let again = microsoft::Fault { delay_ms: LATE, drop_answer_after_effect: !is_answered, ..creation() };
    world.microsoft().add_fault(again).unwrap();
    if !is_answered {
        world.microsoft().add_fault(microsoft::Fault { status: Some(503), ..creation() }).unwrap();
    }
    let view = world.book("key", START).await;
    let another = world.another_process().await;
    let pushing = runs_jobs(&another);
    until("the event", async || outside.standing(Which::Second).await == [once(START)]).await;
    read(&outside, &calendar).await;
    world.mail.clear();
    outside.delete_event().await;
    read(&outside, &calendar).await;
    assert_eq!(seen(&outside, &view).await.status, AppointmentStatus::Cancelled);
    pushing.await.unwrap();
    world.run().await;
    sync(&outside).await;
    assert_eq!(outside.standing(Which::Second).await, []);
    assert_cancelled(&outside, &view).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_event_that_is_carried_away_while_it_is_deleted_is_deleted_where_it_is() {
    let (outside, view) = Box::pin(booked::<Google>()).await;
    let world = outside.world();
    let main = calendar(&outside, Which::Main).await.id;
    world.fault("DELETE", "/events/[^/]+$", 1, Fault { delay_ms: LATE, ..Fault::default() });
    world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    let another = world.another_process().await;
    let deleting = runs_jobs(&another);
    let is_noted = "select count(*) from appointment_external_mapping where pushed_sequence = -2";
    until("the deletion", async || world.count(is_noted).await == 1).await;
    outside.change_calendar(Which::Second, Which::Main).await;
    read(&outside, &main).await;
    deleting.await.unwrap();
    world.run().await;
    assert_eq!(outside.standing(Which::Main).await, []);
    no_job_failed(&outside).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_asked_for_before_an_event_was_written_undoes_nothing() {
    let (outside, _) = Box::pin(booked::<Google>()).await;
    let world = outside.world();
    let calendar = second(&outside).await;
    let (friday, later) = ("2026-11-27T09:00:00Z", "2026-11-27T12:00:00Z");
    let view = world.book("friday", friday).await;
    world.run().await;
    sync(&outside).await;
    // Everything is read again, and then an event asked for that nobody told of: the first one, far away.
    outside.move_event("2031-11-26T14:00:00Z", "2031-11-26T14:30:00Z").await;
    world.google.expire_sync_tokens();
    world.fault("GET", "/events/[^/]+$", 1, Fault { delay_ms: LATE, ..Fault::default() });
    let before = lists(world);
    ask_to_read(&outside, &calendar).await;
    let another = world.another_process().await;
    let reading = runs_jobs(&another);
    until("a whole round", async || lists(world) >= before + 2).await;
    world.engine.reschedule_by_token(&view.token, &to(later)).await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    assert_eq!(outside.standing(Which::Second).await[0], once(later));
    reading.await.unwrap();
    sync(&outside).await;
    let moved = seen(&outside, &view).await;
    assert_eq!((moved.start, moved.sequence), (at(later), 1), "it has not gone to and fro");
    assert_eq!(outside.standing(Which::Second).await, [once(later), once("2031-11-26T14:00:00Z")]);
    no_job_failed(&outside).await;
}

#[tokio::test]
async fn an_event_that_cannot_be_looked_for_elsewhere_is_not_taken_for_deleted() {
    let (outside, view) = Box::pin(booked::<Google>()).await;
    outside.change_calendar(Which::Second, Which::Main).await;
    outside.world().fault("GET", "/events/[^/]+$", 2, Fault { status: Some(401), ..Fault::default() });
    read(&outside, &second(&outside).await).await;
    assert_eq!(seen(&outside, &view).await.status, AppointmentStatus::Confirmed);
    outside.connect().await;
    sync(&outside).await;
    assert_eq!(seen(&outside, &view).await.status, AppointmentStatus::Confirmed);
    assert_eq!(outside.standing(Which::Main).await, [once(START)]);
    no_job_failed(&outside).await;
}

async fn an_event_that_is_deleted_before_anybody_has_read_of_it_cancels_its_appointment<O: Outside>() {
    let outside = Box::pin(open::<O>()).await;
    let world = outside.world();
    let view = world.book("key", START).await;
    world.run().await;
    assert_eq!(outside.standing(Which::Second).await, [once(START)]);
    world.mail.clear();
    outside.delete_event().await;
    sync(&outside).await;
    assert_cancelled(&outside, &view).await;
}

async fn an_event_that_is_carried_away_and_deleted_there_cancels_its_appointment<O: Outside>() {
    let (outside, view) = Box::pin(booked::<O>()).await;
    outside.change_calendar(Which::Second, Which::Main).await;
    // It is found in the other calendar, which nobody reads before it is deleted there.
    read(&outside, &second(&outside).await).await;
    outside.change_calendar(Which::Main, Which::Second).await;
    outside.delete_event().await;
    sync(&outside).await;
    assert_cancelled(&outside, &view).await;
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
    an_event_that_is_deleted_before_anybody_has_read_of_it_cancels_its_appointment
    an_event_that_is_carried_away_and_deleted_there_cancels_its_appointment
}
