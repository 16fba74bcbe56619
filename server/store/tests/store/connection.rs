//! Connecting, transactions, and what happens under load.

use cupo_store::*;
use sqlx::Executor;

use crate::world::{PostgresDatabase, World, appointment, at, between, insert, job, on_both, on_postgres};

async fn waiting(tx: &mut Tx) -> u64 {
    job_counts(tx).await.unwrap().waiting
}

on_both! {
    async fn a_migrated_database_has_nothing_pending_and_may_be_migrated_again(world: World) {
        assert!(world.store.pending_migrations().await.unwrap().is_empty());
        world.store.migrate().await.unwrap();
        world.store.ping().await.unwrap();
    }

    async fn a_dropped_transaction_leaves_nothing_behind(world: World) {
        let tenant = world.tenant("acme").await;
        let booked = appointment(&tenant, 60);
        let mut tx = world.store.write().await.unwrap();
        insert(&mut tx, &booked).await.unwrap();
        drop(tx);
        assert!(world.read(async |tx| appointment_get(tx, tenant.id(), &booked.id).await).await.is_none());
    }

    async fn a_read_transaction_sees_one_state_while_others_write(world: World) {
        let mut reader = world.store.read().await.unwrap();
        assert_eq!(waiting(&mut reader).await, 0);
        world.write(async |tx| job_enqueue(tx, &job(None, None, 0)).await).await.unwrap();
        assert_eq!(waiting(&mut reader).await, 0);
        drop(reader);
        assert_eq!(world.read(async |tx| Ok(waiting(tx).await)).await, 1);
    }

    async fn a_read_transaction_cannot_write(world: World) {
        let mut reader = world.store.read().await.unwrap();
        let refused = job_enqueue(&mut reader, &job(None, None, 0)).await;
        assert!(matches!(refused, Err(StoreError::Sql(_))), "{refused:?}");
    }

    async fn sixty_four_writers_all_get_their_turn(world: World) {
        let tenant = world.tenant("acme").await;
        let writers = (0..64).map(|number| {
            let (world, tenant) = (&world, &tenant);
            async move {
                world
                    .write(async |tx| {
                        job_enqueue(tx, &job(None, None, 0)).await?;
                        insert(tx, &appointment(tenant, number * 100)).await
                    })
                    .await
            }
        });
        for outcome in futures::future::join_all(writers).await {
            outcome.unwrap();
        }
        let claims = world
            .read(async |tx| claim_list(tx, tenant.id(), &tenant.user.id, between(-100, 10_000)).await)
            .await;
        assert_eq!((claims.len(), world.read(async |tx| Ok(waiting(tx).await)).await), (64, 64));
    }

    async fn a_damaged_value_is_reported_with_its_column(world: World) {
        let tenant = world.tenant("acme").await;
        let mut tx = world.store.write().await.unwrap();
        let damage = "update schedule set weekly_hours = '{'";
        match &mut tx {
            Tx::Sqlite(connection) => drop(connection.execute(damage).await.unwrap()),
            Tx::Postgres(connection) => drop(connection.execute(damage).await.unwrap()),
        }
        let outcome = schedule_get(&mut tx, tenant.id(), &tenant.schedule.id).await;
        let expected = matches!(outcome, Err(StoreError::Corrupt { table: "schedule", column: "weekly_hours" }));
        assert!(expected, "{outcome:?}");
    }
}

/// On SQLite no caller has to repeat anything: writers queue before they read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_writers_queue_without_lock_errors_beside_readers() {
    let store = Store::connect("sqlite::memory:").await.unwrap();
    store.migrate().await.unwrap();
    let tasks = (0..64).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut tx = store.write().await?;
            let before = job_counts(&mut tx).await?.waiting;
            tokio::task::yield_now().await;
            job_enqueue(&mut tx, &job(None, None, 0)).await?;
            tx.commit().await?;
            let mut reader = store.read().await?;
            let after = job_counts(&mut reader).await?.waiting;
            assert!(after > before);
            Ok::<u64, StoreError>(before)
        })
    });
    let mut seen = Vec::new();
    for task in futures::future::join_all(tasks).await {
        seen.push(task.unwrap().unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..64).collect::<Vec<u64>>(), "every writer saw the work of all before it");
}

#[tokio::test]
async fn on_sqlite_another_process_can_hold_the_lock_for_a_while() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("cupo.db").display());
    let (first, second) = (Store::connect(&url).await.unwrap(), Store::connect(&url).await.unwrap());
    first.migrate().await.unwrap();
    let mut held = first.write().await.unwrap();
    job_enqueue(&mut held, &job(None, None, 0)).await.unwrap();
    let waits = tokio::spawn(async move {
        let mut tx = second.write().await?;
        job_enqueue(&mut tx, &job(None, None, 0)).await?;
        tx.commit().await
    });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(!waits.is_finished());
    held.commit().await.unwrap();
    waits.await.unwrap().unwrap();
    assert_eq!(waiting(&mut first.read().await.unwrap()).await, 2);
}

/// What SQLite does not wait for by itself: two that switch the file to WAL, and the time between two statements of a migration.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_sqlite_many_may_open_and_migrate_a_new_file_at_once() {
    for _ in 0..10 {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("cupo.db").display());
        let starts = (0..4).map(|_| {
            let url = url.clone();
            tokio::spawn(async move {
                let store = Store::connect(&url).await?;
                store.migrate().await?;
                store.ping().await
            })
        });
        for started in futures::future::join_all(starts).await {
            started.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn a_sqlite_file_keeps_its_rows_between_connections() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("cupo.db").display());
    let store = Store::connect(&url).await.unwrap();
    assert_eq!(
        store.pending_migrations().await.unwrap(),
        [
            "0001 initial",
            "0002 availability",
            "0003 providers",
            "0004 operations",
            "0005 theme",
            "0006 tracking",
            "0007 untold events"
        ]
    );
    store.migrate().await.unwrap();
    World { store: store.clone() }.tenant("acme").await;
    store.close().await;
    let again = Store::connect(&url).await.unwrap();
    assert!(again.pending_migrations().await.unwrap().is_empty());
    let slug = cupo_core::parse::Slug::parse("acme").unwrap();
    let mut tx = again.read().await.unwrap();
    assert_eq!(organization_get_by_slug(&mut tx, &slug).await.unwrap().unwrap().created_at, at(0));
}

#[tokio::test]
async fn two_stores_in_memory_share_nothing() {
    let (one, two) =
        (Store::connect("sqlite::memory:").await.unwrap(), Store::connect("sqlite::memory:").await.unwrap());
    one.migrate().await.unwrap();
    assert_eq!(
        two.pending_migrations().await.unwrap(),
        [
            "0001 initial",
            "0002 availability",
            "0003 providers",
            "0004 operations",
            "0005 theme",
            "0006 tracking",
            "0007 untold events"
        ]
    );
}

#[tokio::test]
async fn an_address_of_no_known_kind_is_refused() {
    for url in ["mysql://x", "cupo.db", ""] {
        assert!(matches!(Store::connect(url).await, Err(StoreError::Address(_))), "{url}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_unavailable() {
    for url in ["sqlite:///nonexistent/directory/cupo.db", "postgres://127.0.0.1:1/cupo"] {
        let outcome = Store::connect(url).await;
        assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{url}: {outcome:?}");
    }
}

/// Two transactions that each read what the other writes: one of them is told to try again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_a_serialization_failure_asks_for_a_retry() {
    on_postgres(async |world: World| {
        let (mut one, mut two) = (world.store.write().await.unwrap(), world.store.write().await.unwrap());
        assert_eq!((waiting(&mut one).await, waiting(&mut two).await), (0, 0));
        job_enqueue(&mut one, &job(None, None, 0)).await.unwrap();
        one.commit().await.unwrap();
        let outcome = match job_enqueue(&mut two, &job(None, None, 0)).await {
            Ok(()) => two.commit().await,
            Err(error) => Err(error),
        };
        assert!(matches!(outcome, Err(StoreError::Retry)), "{outcome:?}");
    })
    .await;
}

/// A row locked by one owner does not hold up the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_owners_pass_one_another() {
    on_postgres(async |world: World| {
        for _ in 0..2 {
            world.write(async |tx| job_enqueue(tx, &job(None, None, 0)).await).await.unwrap();
        }
        let lease = chrono::TimeDelta::minutes(1);
        let (mut one, mut two) = (world.store.write_leases().await.unwrap(), world.store.write_leases().await.unwrap());
        let first = job_lease(&mut one, at(0), "one", lease, 1).await.unwrap();
        let second = job_lease(&mut two, at(0), "two", lease, 5).await.unwrap();
        assert_eq!((first.len(), second.len()), (1, 1));
        assert_ne!(first[0].id, second[0].id);
        one.commit().await.unwrap();
        two.commit().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_replicas_may_migrate_at_once() {
    let Some(database) = PostgresDatabase::create().await else { return };
    let (one, two) = (Store::connect(&database.url).await.unwrap(), Store::connect(&database.url).await.unwrap());
    assert_eq!(
        one.pending_migrations().await.unwrap(),
        [
            "0001 initial",
            "0002 availability",
            "0003 providers",
            "0004 operations",
            "0005 theme",
            "0006 tracking",
            "0007 untold events"
        ]
    );
    let (first, second) = futures::future::join(one.migrate(), two.migrate()).await;
    first.unwrap();
    second.unwrap();
    one.close().await;
    two.close().await;
    database.remove().await;
}
