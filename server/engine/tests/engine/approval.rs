//! Appointments to which a host has to agree.

use chrono::TimeDelta;
use cupo_core::{
    appointment::AppointmentStatus,
    event_type::{Options, RulesInput},
    ids::{AppointmentId, ClaimId, JobId},
    wire::AppointmentView,
};
use cupo_engine::{EngineError, EventTypeInput, clock::Clock};
use cupo_simulators::google::Fault;
use cupo_store::{AppointmentFilter, NewJob, job_enqueue, mapping_get, mapping_upsert};
use serde_json::json;

use crate::world::{CALENDAR, World, at, because, body, first_visit, to};

const START: &str = "2026-11-25T09:00:00Z";

async fn asked() -> (World, AppointmentView, AppointmentId) {
    let world = World::new().await;
    world.connect().await;
    let options = Options { needs_approval: true, approval_hours: 24, ..Options::default() };
    world.offer(EventTypeInput { rules: RulesInput::default(), options, ..first_visit() }).await;
    world.run().await;
    let view = world.book("key", START).await;
    let id = pending(&world).await.remove(0);
    (world, view, id)
}

async fn pending(world: &World) -> Vec<AppointmentId> {
    let page = world.engine.appointments(&world.principal, AppointmentFilter::Pending, None).await.unwrap();
    page.items.into_iter().map(|item| item.appointment.id).collect()
}

async fn status(world: &World, view: &AppointmentView) -> AppointmentStatus {
    world.engine.appointment_by_token(&view.token, Default::default()).await.unwrap().status
}

#[tokio::test]
async fn a_pending_appointment_claims_its_time_and_becomes_an_event_once_it_is_confirmed() {
    let (world, view, id) = asked().await;
    assert_eq!(view.status, AppointmentStatus::Pending);
    assert!(view.expires_at.is_some());
    assert!(!world.is_offered(START).await);
    assert!(matches!(world.engine.book("other", crate::world::request(START)).await, Err(EngineError::SlotTaken)));
    world.run().await;
    assert!(world.events().is_empty());
    assert!(world.mails_to("leo@visitor.example")[0].subject.starts_with("Requested"));
    assert!(world.mails_to("ana@clinic.example")[0].subject.starts_with("Por confirmar"));

    world.engine.appointment_confirm(&world.principal, &id).await.unwrap();
    world.run().await;
    assert_eq!(status(&world, &view).await, AppointmentStatus::Confirmed);
    assert_eq!(world.events().len(), 1);
    assert!(world.mails_to("leo@visitor.example")[1].subject.starts_with("Confirmed"));
    let again = world.engine.appointment_confirm(&world.principal, &id).await;
    assert!(matches!(again, Err(EngineError::Conflict("error.appointment_confirmed"))));
    let declined = world.engine.appointment_decline(&world.principal, &id, "").await;
    assert!(matches!(declined, Err(EngineError::Conflict("error.appointment_confirmed"))));
}

#[tokio::test]
async fn a_declined_appointment_gives_its_time_back_and_tells_the_reason() {
    let (world, view, id) = asked().await;
    world.engine.appointment_decline(&world.principal, &id, "I am away").await.unwrap();
    assert!(world.is_offered(START).await);
    world.run().await;
    assert_eq!(status(&world, &view).await, AppointmentStatus::Declined);
    assert!(world.events().is_empty());
    let mails = world.mails_to("leo@visitor.example");
    assert!(body(mails.last().unwrap()).contains("I am away"));
    assert!(mails.last().unwrap().subject.starts_with("Not possible"));
    let moved = world.engine.reschedule_by_token(&view.token, &to("2026-11-26T09:00:00Z")).await;
    assert!(matches!(moved, Err(EngineError::Conflict("error.appointment_declined"))));
}

#[tokio::test]
async fn nobodys_answer_in_time_is_an_end_too() {
    let (world, view, id) = asked().await;
    world.clock.set(at("2026-11-24T08:05:00Z"));
    world.engine.run_periodic().await.unwrap();
    assert_eq!(status(&world, &view).await, AppointmentStatus::Expired);
    assert!(world.is_offered(START).await);
    let late = world.engine.appointment_confirm(&world.principal, &id).await;
    assert!(matches!(late, Err(EngineError::Conflict("error.appointment_expired"))));
}

#[tokio::test]
async fn the_host_has_to_agree_again_to_another_time() {
    let (world, view, id) = asked().await;
    world.engine.appointment_confirm(&world.principal, &id).await.unwrap();
    world.run().await;
    assert_eq!(world.events().len(), 1);
    let next = "2026-11-26T09:00:00Z";
    let moved = world.engine.reschedule_by_token(&view.token, &to(next)).await.unwrap();
    assert_eq!(moved.status, AppointmentStatus::Pending);
    world.run().await;
    assert!(world.events().is_empty(), "what is not agreed to stands in no calendar");
    assert!(world.is_offered(START).await && !world.is_offered(next).await);
    world.engine.appointment_confirm(&world.principal, &id).await.unwrap();
    world.run().await;
    assert_eq!(at(world.the_event()["start"]["dateTime"].as_str().unwrap()), at(next));
}

#[tokio::test]
async fn a_visitor_takes_a_request_back() {
    let (world, view, _) = asked().await;
    world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    assert_eq!(status(&world, &view).await, AppointmentStatus::Cancelled);
    assert!(world.is_offered(START).await && pending(&world).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_who_decide_at_once_one_wins() {
    let (world, view, id) = asked().await;
    let (a, b, c) = (world.engine.clone(), world.engine.clone(), world.engine.clone());
    let (p, q) = (world.principal.clone(), world.principal.clone());
    let (i, j, token) = (id.clone(), id.clone(), view.token.clone());
    let (confirmed, declined, cancelled) = tokio::join!(
        tokio::spawn(async move { a.appointment_confirm(&p, &i).await }),
        tokio::spawn(async move { b.appointment_decline(&q, &j, "").await }),
        tokio::spawn(async move { c.cancel_by_token(&token, &because("")).await }),
    );
    let (confirmed, declined, cancelled) = (confirmed.unwrap(), declined.unwrap(), cancelled.unwrap());
    let expected = match (confirmed.is_ok(), declined.is_ok(), cancelled.is_ok()) {
        (true, false, false) => AppointmentStatus::Confirmed,
        (false, true, false) => AppointmentStatus::Declined,
        // A confirmed one may still be cancelled.
        (_, false, true) => AppointmentStatus::Cancelled,
        other => panic!("{other:?}"),
    };
    assert_eq!(status(&world, &view).await, expected);
}

/// An appointment that was agreed to, moved by its visitor, and not agreed to yet at its new time: its event is deleted, and
/// the answer to that was lost.
async fn moved_and_deleted_without_an_answer(next: &str) -> (World, AppointmentView, AppointmentId) {
    let (world, view, id) = asked().await;
    world.engine.appointment_confirm(&world.principal, &id).await.unwrap();
    world.run().await;
    world.engine.reschedule_by_token(&view.token, &to(next)).await.unwrap();
    world.fault("DELETE", "/events/", 1_000, Fault { drop_answer_after_effect: true, ..Fault::default() });
    world.run().await;
    assert!(world.events().is_empty());
    (world, view, id)
}

#[tokio::test]
async fn a_deletion_that_was_not_answered_cancels_nothing_when_the_host_agrees_again() {
    let next = "2026-11-26T09:00:00Z";
    for reads_first in [false, true] {
        let (world, view, id) = moved_and_deleted_without_an_answer(next).await;
        world.engine.appointment_confirm(&world.principal, &id).await.unwrap();
        if !reads_first {
            world.google.clear_faults();
        }
        world.pass(TimeDelta::minutes(11));
        world.engine.run_periodic().await.unwrap();
        world.run().await;
        world.google.clear_faults();
        world.pass(TimeDelta::minutes(11));
        world.engine.run_periodic().await.unwrap();
        world.run().await;
        assert_eq!(status(&world, &view).await, AppointmentStatus::Confirmed, "{reads_first}");
        assert_eq!(at(world.the_event()["start"]["dateTime"].as_str().unwrap()), at(next), "{reads_first}");
    }
}

#[tokio::test]
async fn an_event_that_was_made_anew_without_an_answer_is_found_and_not_taken_for_somebody_elses() {
    let next = "2026-11-26T09:00:00Z";
    let (world, view, id) = moved_and_deleted_without_an_answer(next).await;
    world.google.clear_faults();
    world.pass(TimeDelta::minutes(11));
    world.run().await;
    let organization = world.principal.organization_id.clone();
    let claim = ClaimId::parse(id.as_str()).unwrap();
    let deleted = mapping_get(&mut world.store.read().await.unwrap(), &organization, &claim).await.unwrap().unwrap();
    assert!(deleted.deleted_at.is_some());
    world.engine.appointment_confirm(&world.principal, &id).await.unwrap();
    world.run().await;
    let made = world.the_event();
    assert_ne!(made["id"], deleted.external_event_id.as_str(), "an id that was deleted is not used again");

    // As if the answer had been lost, and its host had moved it before its id was known.
    let moved = json!({
        "start": { "dateTime": "2026-11-27T14:00:00Z" }, "end": { "dateTime": "2026-11-27T14:45:00Z" },
    });
    world.google.patch_event(CALENDAR, made["id"].as_str().unwrap(), moved).unwrap();
    let now = world.clock.now();
    let push = NewJob {
        id: JobId::parse("018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e").unwrap(),
        organization_id: Some(organization),
        kind: "push_event".to_owned(),
        payload: json!({ "claim_id": claim }),
        coalescing_key: Some(format!("push_event:{claim}")),
        run_at: now,
        created_at: now,
    };
    let mut tx = world.store.write().await.unwrap();
    mapping_upsert(&mut tx, &deleted).await.unwrap();
    job_enqueue(&mut tx, &push).await.unwrap();
    tx.commit().await.unwrap();
    world.fault("GET", "/events$", 1_000, Fault { status: Some(503), ..Fault::default() });
    world.run().await;
    let event = world.the_event();
    assert_eq!(event["id"], made["id"], "there is no second one");
    // What its visitor asked for last is known; what was asked of the calendar in between is not.
    assert_eq!(at(event["start"]["dateTime"].as_str().unwrap()), at(next));
    let appointment = world.engine.appointment_by_token(&view.token, Default::default()).await.unwrap();
    assert_eq!((appointment.status, appointment.start), (AppointmentStatus::Confirmed, at(next)));
    assert!(world.is_offered("2026-11-27T14:00:00Z").await, "nothing else takes that time");
    assert!(world.engine.failed_jobs(&world.principal).await.unwrap().is_empty());
}
