//! Several processes on one SQLite file.

use std::collections::BTreeSet;

use cupo_store::*;

use crate::world::{World, appointment, at, between, insert, job};

/// Two processes, as far as SQLite is concerned: each has connections of its own.
async fn two(folder: &std::path::Path) -> [World; 2] {
    let url = format!("sqlite://{}", folder.join("cupo.db").display());
    let stores = [Store::connect(&url).await.unwrap(), Store::connect(&url).await.unwrap()];
    stores[0].migrate().await.unwrap();
    stores.map(|store| World { store })
}

/// Each reads before it writes. Not one is told to try again: `Store::write` alone is used, without the loop of `World::write`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_two_processes_all_get_their_turn_at_the_first_try() {
    let folder = tempfile::tempdir().unwrap();
    let worlds = two(folder.path()).await;
    let tasks = (0..64).map(|number| {
        let store = worlds[number % 2].store.clone();
        tokio::spawn(async move {
            let mut tx = store.write().await?;
            let before = job_counts(&mut tx).await?.waiting;
            tokio::task::yield_now().await;
            job_enqueue(&mut tx, &job(None, None, 0)).await?;
            tx.commit().await?;
            let mut reader = store.read().await?;
            assert!(job_counts(&mut reader).await?.waiting > before);
            Ok::<u64, StoreError>(before)
        })
    });
    let mut seen = BTreeSet::new();
    for task in futures::future::join_all(tasks).await {
        seen.insert(task.unwrap().unwrap());
    }
    assert_eq!(seen, (0..64).collect::<BTreeSet<u64>>(), "every writer saw the work of all before it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_one_gets_the_hosts_time() {
    let folder = tempfile::tempdir().unwrap();
    let worlds = two(folder.path()).await;
    let tenant = worlds[0].tenant("acme").await;
    for slot in 0..10 {
        let attempts = worlds.iter().map(|world| {
            let booked = appointment(&tenant, slot * 100);
            async move {
                let mut tx = world.store.write().await?;
                insert(&mut tx, &booked).await?;
                tx.commit().await
            }
        });
        let outcomes = futures::future::join_all(attempts).await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let lost = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::ClaimTaken))).count();
        assert_eq!((won, lost), (1, 1), "{outcomes:?}");
    }
    let range = between(-100, 10_000);
    let claims = worlds[1].read(async |tx| claim_list(tx, tenant.id(), &tenant.user.id, range).await).await;
    assert_eq!(claims.len(), 10);
    assert!(claims.iter().all(|claim| claim.recorded_at <= at(0)));
}
