//! A write that was done and not answered is made once more; what its host did to the event in between holds.

use chrono::TimeDelta;
use cupo_core::appointment::AppointmentStatus;
use cupo_simulators::{google, microsoft};

use super::{Google, Graph, Outside, START, Which, at, no_job_failed, once, open, seen, sync};
use crate::world::because;

const MOVED: &str = "2026-11-26T14:00:00Z";

/// How a simulated provider fails.
trait Failing: Outside {
    /// Events are made, and nobody is told.
    fn answers_no_creation(&self);
    /// No calendar can be read; what else is asked is answered.
    fn reads_no_calendar(&self);
    fn is_well(&self);
}

impl Failing for Google {
    fn answers_no_creation(&self) {
        self.world().fault(
            "POST",
            "/events$",
            1_000,
            google::Fault { drop_answer_after_effect: true, ..Default::default() },
        );
        self.reads_no_calendar();
    }

    fn reads_no_calendar(&self) {
        self.world().fault("GET", "/events$", 1_000, google::Fault { status: Some(503), ..Default::default() });
    }

    fn is_well(&self) {
        self.world().google.clear_faults();
    }
}

impl Failing for Graph {
    fn answers_no_creation(&self) {
        let lost = microsoft::Fault {
            method: Some("POST".into()),
            path_pattern: Some("/events$".into()),
            times: 1_000,
            drop_answer_after_effect: true,
            ..Default::default()
        };
        self.world().microsoft().add_fault(lost).unwrap();
        self.reads_no_calendar();
    }

    fn reads_no_calendar(&self) {
        let unread = microsoft::Fault {
            path_pattern: Some("/delta".into()),
            times: 1_000,
            status: Some(503),
            ..Default::default()
        };
        self.world().microsoft().add_fault(unread).unwrap();
    }

    fn is_well(&self) {
        self.world().microsoft().clear_faults();
    }
}

async fn an_event_that_was_made_without_an_answer_keeps_the_time_that_its_host_gave_it<O: Failing>() {
    let outside = Box::pin(open::<O>()).await;
    let world = outside.world();
    outside.answers_no_creation();
    let view = world.book("key", START).await;
    world.run().await;
    assert_eq!(outside.standing(Which::Second).await, [once(START)]);
    outside.move_event(MOVED, "2026-11-26T14:45:00Z").await;
    outside.is_well();
    outside.reads_no_calendar();
    // The write is made once more, before anybody could read that the event is there.
    world.pass(TimeDelta::minutes(2));
    world.run().await;
    assert_eq!(outside.standing(Which::Second).await, [once(MOVED)]);
    let followed = seen(&outside, &view).await;
    assert_eq!((followed.status, followed.start), (AppointmentStatus::Confirmed, at(MOVED)));
    outside.is_well();
    sync(&outside).await;
    assert_eq!(outside.standing(Which::Second).await, [once(MOVED)]);
    assert_eq!(seen(&outside, &view).await.start, at(MOVED));
    assert!(world.is_offered(START).await, "its old time is free");
    no_job_failed(&outside).await;
}

async fn an_event_that_was_made_without_an_answer_and_carried_away_is_found_where_it_is<O: Failing>() {
    let outside = Box::pin(open::<O>()).await;
    let world = outside.world();
    outside.answers_no_creation();
    let view = world.book("key", START).await;
    world.run().await;
    assert_eq!(outside.standing(Which::Second).await, [once(START)]);
    outside.change_calendar(Which::Second, Which::Main).await;
    outside.is_well();
    world.pass(TimeDelta::minutes(2));
    world.run().await;
    assert_eq!(outside.standing(Which::Main).await, [once(START)]);
    assert_eq!(outside.standing(Which::Second).await, [], "no second one was made");
    world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    world.run().await;
    assert_eq!(outside.standing(Which::Main).await, [], "it is known to be the appointment's");
    no_job_failed(&outside).await;
}

#[tokio::test]
async fn in_google() {
    Box::pin(an_event_that_was_made_without_an_answer_keeps_the_time_that_its_host_gave_it::<Google>()).await;
}

#[tokio::test]
async fn in_google_and_carried_away() {
    Box::pin(an_event_that_was_made_without_an_answer_and_carried_away_is_found_where_it_is::<Google>()).await;
}

#[tokio::test]
async fn in_outlook_and_carried_away() {
    Box::pin(an_event_that_was_made_without_an_answer_and_carried_away_is_found_where_it_is::<Graph>()).await;
}

#[tokio::test]
async fn in_outlook() {
    Box::pin(an_event_that_was_made_without_an_answer_keeps_the_time_that_its_host_gave_it::<Graph>()).await;
}
