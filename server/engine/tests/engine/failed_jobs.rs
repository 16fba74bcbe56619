//! Work that was given up: told in words, tried again, forgotten; by whom and by whom not.

use cupo_core::ids::JobId;
use cupo_engine::{EngineError, FailedJob, FailedWork};
use cupo_simulators::{google::Fault, mail::MailFault};
use cupo_store::audit_list;

use crate::world::{World, ana, at};

const START: &str = "2026-11-25T09:00:00Z";

async fn failed(world: &World) -> Vec<FailedJob> {
    world.engine.failed_jobs(&world.principal).await.unwrap()
}

/// A world in which Google refused to take the event of an appointment, for good.
async fn refused() -> (World, FailedJob) {
    let world = World::open_for_business().await;
    world.fault("POST", "/events", 1, Fault { status: Some(400), ..Fault::default() });
    world.book("key", START).await;
    world.run().await;
    let mut failed = failed(&world).await;
    assert_eq!(failed.len(), 1, "{failed:#?}");
    assert!(world.events().is_empty());
    let job = failed.remove(0);
    (world, job)
}

async fn actions(world: &World, id: &JobId) -> Vec<(String, String)> {
    let tx = &mut world.store.read().await.unwrap();
    let entries = audit_list(tx, &world.principal.organization_id, "job", id.as_str()).await.unwrap();
    entries.into_iter().map(|entry| (entry.action, entry.actor)).collect()
}

#[tokio::test]
async fn failed_work_is_told_with_what_it_was_for_and_why() {
    let (world, job) = refused().await;
    assert_eq!((job.kind.as_str(), job.attempts), ("push_event", 1));
    let FailedWork::Appointment { title, visitor, start_at, .. } = &job.work else { panic!("{:?}", job.work) };
    assert_eq!((title.as_str(), visitor.as_str(), *start_at), ("First visit", "Leo Pérez", at(START)));
    assert!(job.why.contains("refused"), "{}", job.why);
    assert!(job.given_up_at <= world.engine.now());
    assert_eq!(world.engine.failed_job_count(&world.principal).await.unwrap(), 1);
}

#[tokio::test]
async fn a_mail_servers_refusal_is_told_without_the_address() {
    let world = World::open_for_business().await;
    world.mail.add_fault(MailFault { times: 2, code: 550 }).unwrap();
    world.book("key", START).await;
    world.run().await;
    let failed = failed(&world).await;
    assert_eq!(failed.len(), 2);
    for job in failed {
        assert_eq!(job.kind, "send_mail");
        assert!(matches!(job.work, FailedWork::Appointment { .. }));
        assert!(job.why.contains("550") && !job.why.contains('@'), "{}", job.why);
    }
}

#[tokio::test]
async fn failed_work_that_is_tried_again_is_done_and_forgotten() {
    let (world, job) = refused().await;
    world.engine.failed_job_retry(&world.principal, &job.id).await.unwrap();
    assert!(failed(&world).await.is_empty());
    world.run().await;
    assert_eq!(world.events().len(), 1);
    assert!(failed(&world).await.is_empty());
    let user = format!("user:{}", world.principal.user_id);
    assert_eq!(actions(&world, &job.id).await, [("job.retried".to_owned(), user)]);
    let again = world.engine.failed_job_retry(&world.principal, &job.id).await;
    assert!(matches!(again, Err(EngineError::NotFound(_))), "{again:?}");
}

#[tokio::test]
async fn all_failed_work_can_be_tried_again_at_once() {
    let world = World::open_for_business().await;
    world.mail.add_fault(MailFault { times: 2, code: 550 }).unwrap();
    world.book("key", START).await;
    world.run().await;
    assert_eq!(world.engine.failed_jobs_retry(&world.principal).await.unwrap(), 2);
    world.run().await;
    assert_eq!(world.mail.messages().len(), 2);
    assert!(failed(&world).await.is_empty());
    assert_eq!(world.engine.failed_jobs_retry(&world.principal).await.unwrap(), 0);
}

#[tokio::test]
async fn discarded_work_is_never_done() {
    let (world, job) = refused().await;
    world.engine.failed_job_discard(&world.principal, &job.id).await.unwrap();
    world.run().await;
    assert!(failed(&world).await.is_empty() && world.events().is_empty());
    let user = format!("user:{}", world.principal.user_id);
    assert_eq!(actions(&world, &job.id).await, [("job.discarded".to_owned(), user)]);
    let again = world.engine.failed_job_discard(&world.principal, &job.id).await;
    assert!(matches!(again, Err(EngineError::NotFound(_))), "{again:?}");
}

#[tokio::test]
async fn failed_work_is_for_those_who_look_after_the_organization_alone() {
    let (world, job) = refused().await;
    let (host, _) = world.colleague("Ben", "ben@clinic.example").await;
    let engine = &world.engine;
    assert!(matches!(engine.failed_jobs(&host).await, Err(EngineError::Forbidden)));
    assert!(matches!(engine.failed_job_retry(&host, &job.id).await, Err(EngineError::Forbidden)));
    assert!(matches!(engine.failed_jobs_retry(&host).await, Err(EngineError::Forbidden)));
    assert!(matches!(engine.failed_job_discard(&host, &job.id).await, Err(EngineError::Forbidden)));
    assert_eq!(engine.failed_job_count(&host).await.unwrap(), 0);

    let sign_up = cupo_engine::SignUp {
        email: "olga@other.example".into(),
        organization_name: "Other".into(),
        organization_slug: "other".into(),
        ..ana()
    };
    let olga = engine.sign_up(sign_up).await.unwrap().principal;
    assert!(engine.failed_jobs(&olga).await.unwrap().is_empty());
    assert_eq!(engine.failed_jobs_retry(&olga).await.unwrap(), 0);
    assert!(matches!(engine.failed_job_retry(&olga, &job.id).await, Err(EngineError::NotFound(_))));
    assert!(matches!(engine.failed_job_discard(&olga, &job.id).await, Err(EngineError::NotFound(_))));
    assert_eq!(failed(&world).await.len(), 1);
}
