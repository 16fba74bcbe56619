use std::collections::BTreeSet;

use chrono::TimeDelta;
use cupo_core::ids::JobId;
use cupo_store::*;

use crate::world::{Tenant, World, at, job, on_both};

const LEASE: TimeDelta = TimeDelta::minutes(10);

async fn enqueue(world: &World, job: &NewJob) {
    world.write(async |tx| job_enqueue(tx, job).await).await.unwrap();
}

async fn lease(world: &World, now: i64, owner: &str, limit: u32) -> Vec<Job> {
    let mut tx = world.store.write_leases().await.unwrap();
    let jobs = job_lease(&mut tx, at(now), owner, LEASE, limit).await.unwrap();
    tx.commit().await.unwrap();
    jobs
}

fn ids(jobs: &[Job]) -> Vec<&JobId> {
    jobs.iter().map(|job| &job.id).collect()
}

async fn complete(world: &World, job: &Job, owner: &str) -> bool {
    world.write(async |tx| job_complete(tx, &job.id, owner).await).await.unwrap()
}

async fn retry(world: &World, job: &Job, owner: &str, run_at: i64) -> bool {
    world.write(async |tx| job_retry(tx, &job.id, owner, at(run_at), "busy").await).await.unwrap()
}

async fn release(world: &World, job: &Job, owner: &str) -> bool {
    world.write(async |tx| job_release(tx, &job.id, owner).await).await.unwrap()
}

async fn bury(world: &World, job: &Job, owner: &str, now: i64) -> bool {
    world.write(async |tx| job_bury(tx, &job.id, owner, at(now), "rejected").await).await.unwrap()
}

/// Enqueues the job, which is the only one that is due, and has it given up.
async fn buried(world: &World, job: &NewJob, now: i64) {
    enqueue(world, job).await;
    let leased = lease(world, now, "owner", 1).await;
    assert!(bury(world, &leased[0], "owner", now).await);
}

async fn dead(world: &World, tenant: &Tenant) -> Vec<Job> {
    world.read(async |tx| job_list_dead(tx, tenant.id(), 100).await).await
}

async fn retry_dead(world: &World, tenant: &Tenant, id: &JobId, now: i64) -> bool {
    world.write(async |tx| job_retry_dead(tx, tenant.id(), id, at(now)).await).await.unwrap()
}

async fn counts(world: &World) -> JobCounts {
    world.read(async |tx| job_counts(tx).await).await
}

async fn next(world: &World) -> Option<i64> {
    let next = world.read(async |tx| jobs_next_run_at(tx).await).await;
    next.map(|next| (next - at(0)).num_minutes())
}

on_both! {
    async fn when_a_waiting_job_is_due_is_told_to_its_own_organization(world: World) {
        let (tenant, other) = (world.tenant("acme").await, world.tenant("other").await);
        enqueue(&world, &job(Some(tenant.id()), Some("pull:1"), 7)).await;
        let due = async |tenant: &Tenant, key: &str| {
            world.read(async |tx| job_run_at(tx, tenant.id(), key).await).await
        };
        assert_eq!(due(&tenant, "pull:1").await, Some(at(7)));
        assert_eq!((due(&tenant, "pull:2").await, due(&other, "pull:1").await), (None, None));
        lease(&world, 8, "owner", 1).await;
        assert_eq!(due(&tenant, "pull:1").await, None, "it runs");
    }

    async fn due_jobs_are_leased_in_order_up_to_the_limit(world: World) {
        let tenant = world.tenant("acme").await;
        let (second, first, third, later) =
            (job(None, None, 2), job(Some(tenant.id()), None, 1), job(None, None, 3), job(None, None, 9));
        for new in [&second, &first, &third, &later] {
            enqueue(&world, new).await;
        }
        assert_eq!(next(&world).await, Some(1));
        let leased = lease(&world, 5, "owner", 2).await;
        assert_eq!(ids(&leased), [&first.id, &second.id]);
        let head = &leased[0];
        assert_eq!((head.organization_id.as_ref(), &head.payload), (Some(tenant.id()), &first.payload));
        assert_eq!((head.attempts, head.leased_until, head.lease_owner.as_deref()), (1, Some(at(15)), Some("owner")));
        assert_eq!(ids(&lease(&world, 5, "owner", 10).await), [&third.id]);
        assert!(lease(&world, 5, "owner", 10).await.is_empty());
        assert_eq!(next(&world).await, Some(9));
    }

    async fn a_completed_job_is_gone(world: World) {
        enqueue(&world, &job(None, None, 0)).await;
        let leased = lease(&world, 0, "owner", 1).await;
        assert!(!complete(&world, &leased[0], "another").await);
        assert!(complete(&world, &leased[0], "owner").await);
        assert!(!complete(&world, &leased[0], "owner").await);
        assert_eq!((counts(&world).await, next(&world).await), (JobCounts::default(), None));
    }

    async fn an_expired_lease_passes_to_another_owner_and_the_first_cannot_finish(world: World) {
        let new = job(None, None, 0);
        enqueue(&world, &new).await;
        let first = lease(&world, 0, "first", 1).await;
        assert_eq!(next(&world).await, Some(10));
        assert!(lease(&world, 9, "second", 1).await.is_empty());
        let second = lease(&world, 10, "second", 1).await;
        assert_eq!((ids(&second), second[0].attempts), (vec![&new.id], 2));
        assert!(!complete(&world, &first[0], "first").await);
        assert!(!retry(&world, &first[0], "first", 20).await);
        assert!(!bury(&world, &first[0], "first", 20).await);
        assert!(!release(&world, &first[0], "first").await);
        assert!(complete(&world, &second[0], "second").await);
    }

    async fn a_retried_job_waits_for_its_new_time(world: World) {
        enqueue(&world, &job(None, Some("key"), 0)).await;
        let leased = lease(&world, 0, "owner", 1).await;
        assert!(retry(&world, &leased[0], "owner", 30).await);
        assert_eq!(next(&world).await, Some(30));
        assert!(lease(&world, 29, "owner", 1).await.is_empty());
        let again = lease(&world, 30, "owner", 1).await;
        assert_eq!((again[0].attempts, again[0].last_error.as_deref()), (2, Some("busy")));
    }

    async fn a_buried_job_is_kept_for_its_organization_to_see(world: World) {
        let (tenant, other) = (world.tenant("acme").await, world.tenant("other").await);
        let new = job(Some(tenant.id()), Some("key"), 0);
        enqueue(&world, &new).await;
        let leased = lease(&world, 0, "owner", 1).await;
        assert!(bury(&world, &leased[0], "owner", 7).await);
        assert!(lease(&world, 1000, "owner", 1).await.is_empty());
        let dead = dead(&world, &tenant).await;
        assert_eq!((ids(&dead), dead[0].state), (vec![&new.id], JobState::Dead));
        assert_eq!((dead[0].last_error.as_deref(), dead[0].run_at), (Some("rejected"), at(7)));
        assert!(self::dead(&world, &other).await.is_empty());
        let count = async |tenant: &Tenant| world.read(async |tx| job_count_dead(tx, tenant.id()).await).await;
        assert_eq!((count(&tenant).await, count(&other).await), (1, 0));
        enqueue(&world, &job(Some(tenant.id()), Some("key"), 0)).await;
        let expected = JobCounts { waiting: 1, running: 0, dead: 1, oldest_run_at: Some(at(0)) };
        assert_eq!(counts(&world).await, expected);
    }

    async fn of_the_failures_of_a_key_the_last_is_kept_until_the_work_succeeds(world: World) {
        let tenant = world.tenant("acme").await;
        let (first, second) = (job(Some(tenant.id()), Some("key"), 0), job(Some(tenant.id()), Some("key"), 0));
        buried(&world, &first, 1).await;
        buried(&world, &job(Some(tenant.id()), Some("other"), 0), 2).await;
        buried(&world, &job(Some(tenant.id()), None, 0), 3).await;
        buried(&world, &job(Some(tenant.id()), None, 0), 4).await;
        buried(&world, &second, 5).await;
        assert_eq!(dead(&world, &tenant).await.len(), 4);
        assert_eq!(dead(&world, &tenant).await[0].id, second.id);
        enqueue(&world, &job(Some(tenant.id()), Some("key"), 0)).await;
        let again = lease(&world, 6, "owner", 1).await;
        assert!(!complete(&world, &again[0], "another").await);
        assert_eq!(dead(&world, &tenant).await.len(), 4);
        assert!(complete(&world, &again[0], "owner").await);
        let left: Vec<_> = dead(&world, &tenant).await.into_iter().map(|job| job.coalescing_key).collect();
        assert_eq!(left, [None, None, Some("other".to_owned())]);
    }

    async fn the_dead_of_the_installation_are_the_operators_and_are_forgotten_in_time(world: World) {
        let tenant = world.tenant("acme").await;
        let (early, late) = (job(None, Some("early"), 0), job(None, Some("late"), 0));
        buried(&world, &early, 1).await;
        buried(&world, &late, 2).await;
        buried(&world, &job(Some(tenant.id()), None, 0), 1).await;
        let of_installation = async || world.read(async |tx| jobs_dead_of_installation(tx).await).await;
        assert_eq!(ids(&of_installation().await), [&late.id, &early.id]);
        let forget = world.write(async |tx| jobs_dead_of_installation_delete_before(tx, at(2)).await);
        assert_eq!(forget.await.unwrap(), 1);
        assert_eq!(ids(&of_installation().await), [&late.id]);
        assert_eq!(dead(&world, &tenant).await.len(), 1);
    }

    async fn a_dead_job_that_is_retried_begins_anew(world: World) {
        let (tenant, other) = (world.tenant("acme").await, world.tenant("other").await);
        let new = job(Some(tenant.id()), Some("key"), 0);
        buried(&world, &new, 5).await;
        assert!(!retry_dead(&world, &other, &new.id, 60).await, "it is not theirs");
        assert!(retry_dead(&world, &tenant, &new.id, 60).await);
        assert!(!retry_dead(&world, &tenant, &new.id, 60).await, "it is dead no longer");
        assert!(lease(&world, 59, "owner", 1).await.is_empty());
        let again = lease(&world, 60, "owner", 1).await;
        assert_eq!((ids(&again), again[0].attempts), (vec![&new.id], 1));
        assert_eq!((again[0].created_at, again[0].last_error.as_deref()), (at(60), None));
    }

    async fn a_dead_job_whose_work_waits_or_runs_is_only_removed(world: World) {
        let tenant = world.tenant("acme").await;
        for runs in [false, true] {
            let (failed, new) = (job(Some(tenant.id()), Some("key"), 0), job(Some(tenant.id()), Some("key"), 0));
            buried(&world, &failed, 5).await;
            enqueue(&world, &new).await;
            let mut leased = if runs { lease(&world, 6, "owner", 10).await } else { Vec::new() };
            assert!(retry_dead(&world, &tenant, &failed.id, 60).await);
            assert!(dead(&world, &tenant).await.is_empty());
            if !runs {
                leased = lease(&world, 6, "owner", 10).await;
            }
            assert_eq!(ids(&leased), [&new.id]);
            assert!(complete(&world, &leased[0], "owner").await);
        }
    }

    async fn a_discarded_job_is_gone_and_one_that_lives_cannot_be_discarded(world: World) {
        let (tenant, other) = (world.tenant("acme").await, world.tenant("other").await);
        let (failed, waiting) = (job(Some(tenant.id()), None, 0), job(Some(tenant.id()), None, 0));
        buried(&world, &failed, 5).await;
        enqueue(&world, &waiting).await;
        let discard = async |tenant: &Tenant, id: &JobId| {
            world.write(async |tx| job_discard(tx, tenant.id(), id).await).await.unwrap()
        };
        assert!(!discard(&tenant, &waiting.id).await);
        assert!(!discard(&other, &failed.id).await);
        let get = async |tenant: &Tenant| {
            world.read(async |tx| job_get_dead(tx, tenant.id(), &failed.id).await).await.map(|job| job.id)
        };
        assert_eq!((get(&tenant).await, get(&other).await), (Some(failed.id.clone()), None));
        assert!(discard(&tenant, &failed.id).await);
        assert!(!discard(&tenant, &failed.id).await);
        assert_eq!(counts(&world).await.dead, 0);
    }

    async fn a_released_job_can_be_leased_at_once_and_was_not_tried(world: World) {
        let new = job(None, Some("key"), 0);
        enqueue(&world, &new).await;
        let leased = lease(&world, 3, "first", 1).await;
        assert!(!release(&world, &leased[0], "second").await);
        assert!(release(&world, &leased[0], "first").await);
        assert!(!release(&world, &leased[0], "first").await);
        let again = lease(&world, 3, "second", 1).await;
        assert_eq!((ids(&again), again[0].attempts, again[0].run_at), (vec![&new.id], 1, at(0)));
    }

    async fn a_released_job_leaves_the_work_to_the_one_that_waits_but_no_later(world: World) {
        let waiting = job(None, Some("key"), 90);
        enqueue(&world, &job(None, Some("key"), 0)).await;
        let leased = lease(&world, 0, "first", 1).await;
        enqueue(&world, &waiting).await;
        assert!(release(&world, &leased[0], "first").await);
        assert_eq!(ids(&lease(&world, 1, "second", 10).await), [&waiting.id]);
        assert_eq!(counts(&world).await.running, 1);
    }

    async fn what_is_deferred_is_brought_forward_by_nothing(world: World) {
        let defer = async |job: &Job, until: i64| {
            world.write(async |tx| job_defer(tx, &job.id, "owner", at(until), "asks to wait").await).await.unwrap()
        };
        let first = job(None, Some("key"), 0);
        enqueue(&world, &first).await;
        let leased = lease(&world, 0, "owner", 1).await;
        assert!(defer(&leased[0], 30).await);
        enqueue(&world, &job(None, Some("key"), 1)).await;
        assert_eq!(next(&world).await, Some(30));
        enqueue(&world, &job(None, Some("key"), 40)).await;
        assert_eq!(next(&world).await, Some(30));
        // The same where another one waits by then.
        let leased = lease(&world, 30, "owner", 1).await;
        assert_eq!((ids(&leased), leased[0].last_error.as_deref()), (vec![&first.id], Some("asks to wait")));
        enqueue(&world, &job(None, Some("key"), 31)).await;
        assert!(defer(&leased[0], 60).await);
        enqueue(&world, &job(None, Some("key"), 32)).await;
        assert_eq!((next(&world).await, counts(&world).await.waiting), (Some(60), 1));
        // A failure of another kind ends it.
        let leased = lease(&world, 60, "owner", 1).await;
        assert!(retry(&world, &leased[0], "owner", 90).await);
        enqueue(&world, &job(None, Some("key"), 61)).await;
        assert_eq!(next(&world).await, Some(61));
    }

    async fn leases_that_end_without_a_word_are_counted_until_one_ends_with_one(world: World) {
        enqueue(&world, &job(None, None, 0)).await;
        let mut lost = Vec::new();
        for round in 0..3 {
            lost.push(lease(&world, round * 10, "crashed", 1).await[0].lost_leases);
        }
        assert_eq!(lost, [0, 1, 2]);
        let job = lease(&world, 30, "owner", 1).await.remove(0);
        assert_eq!(job.lost_leases, 3);
        assert!(retry(&world, &job, "owner", 40).await);
        assert_eq!(lease(&world, 40, "owner", 1).await[0].lost_leases, 0);
    }

    async fn a_hundred_enqueues_of_a_key_leave_one_job_that_waits(world: World) {
        enqueue(&world, &job(None, Some("pull:1"), 0)).await;
        lease(&world, 0, "owner", 1).await;
        for _ in 0..100 {
            enqueue(&world, &job(None, Some("pull:1"), 0)).await;
        }
        let expected = JobCounts { waiting: 1, running: 1, dead: 0, oldest_run_at: Some(at(0)) };
        assert_eq!(counts(&world).await, expected);
    }

    async fn work_that_is_enqueued_while_its_job_is_given_back_waits_once(world: World) {
        for round in 0..10 {
            let key = format!("key:{round}");
            enqueue(&world, &job(None, Some(&key), 0)).await;
            let leased = lease(&world, 0, "owner", 1).await;
            let again = job(None, Some(&key), 0);
            tokio::join!(enqueue(&world, &again), async {
                assert!(retry(&world, &leased[0], "owner", 100).await);
            });
            assert_eq!(counts(&world).await.waiting, 1);
            let rest = lease(&world, 100, "owner", 10).await;
            assert_eq!(rest.len(), 1);
            assert!(complete(&world, &rest[0], "owner").await);
        }
    }

    async fn a_job_joins_one_that_waits_and_takes_the_earlier_time(world: World) {
        let (first, later, earlier) =
            (job(None, Some("key"), 10), job(None, Some("key"), 20), job(None, Some("key"), 5));
        enqueue(&world, &first).await;
        enqueue(&world, &later).await;
        assert_eq!(next(&world).await, Some(10));
        enqueue(&world, &earlier).await;
        enqueue(&world, &job(None, Some("other"), 50)).await;
        enqueue(&world, &job(None, None, 50)).await;
        enqueue(&world, &job(None, None, 50)).await;
        assert_eq!(ids(&lease(&world, 5, "owner", 10).await), [&first.id]);
        assert_eq!(counts(&world).await.waiting, 3);
    }

    async fn what_happens_while_a_job_runs_makes_it_run_once_more_afterwards(world: World) {
        let (running, waiting) = (job(None, Some("key"), 0), job(None, Some("key"), 1));
        enqueue(&world, &running).await;
        let leased = lease(&world, 1, "owner", 10).await;
        enqueue(&world, &waiting).await;
        enqueue(&world, &job(None, Some("key"), 1)).await;
        assert!(lease(&world, 2, "another", 10).await.is_empty());
        assert_eq!(next(&world).await, Some(11), "the one that waits is not due before the lease ends");
        assert!(complete(&world, &leased[0], "owner").await);
        assert_eq!(ids(&lease(&world, 2, "another", 10).await), [&waiting.id]);
    }

    async fn a_job_of_an_expired_lease_goes_before_the_one_that_waits_for_it(world: World) {
        let (crashed, waiting) = (job(None, Some("key"), 0), job(None, Some("key"), 1));
        enqueue(&world, &crashed).await;
        lease(&world, 0, "crashed", 10).await;
        enqueue(&world, &waiting).await;
        let again = lease(&world, 10, "owner", 10).await;
        assert_eq!(ids(&again), [&crashed.id]);
        assert!(complete(&world, &again[0], "owner").await);
        assert_eq!(ids(&lease(&world, 10, "owner", 10).await), [&waiting.id]);
    }

    async fn a_retried_job_leaves_the_work_to_the_one_that_waits(world: World) {
        let waiting = job(None, Some("key"), 1);
        enqueue(&world, &job(None, Some("key"), 0)).await;
        let leased = lease(&world, 0, "owner", 1).await;
        enqueue(&world, &waiting).await;
        assert!(!retry(&world, &leased[0], "another", 30).await);
        assert!(retry(&world, &leased[0], "owner", 30).await);
        let rest = lease(&world, 1, "owner", 10).await;
        assert_eq!((ids(&rest), rest[0].attempts), (vec![&waiting.id], 2));
        assert_eq!(rest[0].last_error.as_deref(), Some("busy"));
    }

    async fn owners_that_lease_at_once_never_share_a_job(world: World) {
        let count = 60;
        world
            .write(async |tx| {
                for _ in 0..count {
                    job_enqueue(tx, &job(None, None, 0)).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let owners = ["a", "b", "c", "d"].map(|owner| {
            let world = &world;
            async move {
                let mut mine = Vec::new();
                loop {
                    let jobs = lease(world, 0, owner, 3).await;
                    if jobs.is_empty() {
                        return mine;
                    }
                    mine.extend(jobs.into_iter().map(|job| job.id));
                }
            }
        });
        let leased: Vec<JobId> = futures::future::join_all(owners).await.into_iter().flatten().collect();
        assert_eq!(leased.len(), count);
        assert_eq!(leased.iter().collect::<BTreeSet<_>>().len(), count);
    }

    async fn a_job_is_enqueued_with_its_transaction_or_not_at_all(world: World) {
        let mut tx = world.store.write().await.unwrap();
        job_enqueue(&mut tx, &job(None, None, 0)).await.unwrap();
        drop(tx);
        assert_eq!(counts(&world).await, JobCounts::default());
    }

    async fn what_waits_for_one_reason_is_brought_forward_for_its_organization_alone(world: World) {
        let (tenant, other) = (world.tenant("acme").await, world.tenant("other").await);
        enqueue(&world, &job(Some(tenant.id()), Some("key"), 0)).await;
        let leased = lease(&world, 0, "owner", 1).await;
        assert!(retry(&world, &leased[0], "owner", 300).await);
        let forward = async |tenant: &Tenant, error: &str| {
            world.write(async |tx| jobs_bring_forward(tx, tenant.id(), error, at(5)).await).await.unwrap()
        };
        assert_eq!((forward(&other, "busy").await, forward(&tenant, "gone").await), (0, 0));
        assert_eq!(next(&world).await, Some(300));
        assert_eq!(forward(&tenant, "bus").await, 1);
        assert_eq!(next(&world).await, Some(5));
    }

    async fn concurrent_enqueues_of_one_key_make_one_job(world: World) {
        let enqueues = (0..8).map(|number| {
            let world = &world;
            async move { enqueue(world, &job(None, Some("key"), 10 - number)).await }
        });
        futures::future::join_all(enqueues).await;
        assert_eq!(counts(&world).await.waiting, 1);
        assert_eq!(next(&world).await, Some(3));
    }
}
