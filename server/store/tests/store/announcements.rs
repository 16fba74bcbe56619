//! What processes on one database tell one another.

use std::time::Duration;

use cupo_core::ids::OrganizationId;
use cupo_store::*;
use sqlx::{Connection, Executor, PgConnection};
use tokio::time::timeout;

use crate::world::{PostgresDatabase, World, id, on_postgres};

const PATIENCE: Duration = Duration::from_secs(20);

async fn next(announcements: &mut Announcements) -> Heard {
    timeout(PATIENCE, announcements.next()).await.unwrap()
}

/// Asks until all is heard from now on.
async fn hears(announcements: &mut Announcements) {
    while !matches!(next(announcements).await, Heard::Missed) {}
}

/// The next announcements that are no failures, and who made them.
async fn told(announcements: &mut Announcements) -> (String, Vec<Announcement>) {
    match next(announcements).await {
        Heard::Announced { from, announcements } => (from, announcements),
        other => panic!("expected an announcement, got {other:?}"),
    }
}

fn organization() -> OrganizationId {
    OrganizationId::parse(&id()).unwrap()
}

/// A process of its own on the same database.
async fn another(database: &PostgresDatabase) -> Store {
    Store::connect(&database.url).await.unwrap()
}

#[tokio::test]
async fn a_process_hears_the_others_and_not_itself() {
    on_postgres(async |World { store }| {
        let (mut one, mut other) = (store.announcements("one"), store.announcements("other"));
        hears(&mut one).await;
        hears(&mut other).await;
        let written = [Announcement::Written(organization()), Announcement::Work];
        store.announce("one", &written).await.unwrap();
        let admitted = Admitted { limit: "pages".to_owned(), client: "a-hash".to_owned(), count: 3 };
        let admitted = [Announcement::Admitted(admitted)];
        store.announce("other", &admitted).await.unwrap();
        assert_eq!(told(&mut other).await, ("one".to_owned(), written.to_vec()));
        assert_eq!(told(&mut one).await, ("other".to_owned(), admitted.to_vec()), "its own it does not hear");
    })
    .await;
}

#[tokio::test]
async fn more_than_a_payload_holds_is_heard_whole() {
    on_postgres(async |World { store }| {
        let mut other = store.announcements("other");
        hears(&mut other).await;
        let all: Vec<Announcement> = (0..1_000).map(|_| Announcement::Written(organization())).collect();
        store.announce("one", &all).await.unwrap();
        let mut heard = Vec::new();
        while heard.len() < all.len() {
            heard.extend(told(&mut other).await.1);
        }
        assert_eq!(heard, all);
    })
    .await;
}

#[tokio::test]
async fn a_listener_whose_connection_was_cut_says_so_and_hears_again() {
    let Some(database) = PostgresDatabase::create().await else { return };
    let store = another(&database).await;
    let mut listener = store.announcements("one");
    hears(&mut listener).await;
    let mut operator = PgConnection::connect(&database.url).await.unwrap();
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
                where application_name = 'cupo listener' and datname = current_database()";
    assert_eq!(operator.execute(cut).await.unwrap().rows_affected(), 1);
    assert!(matches!(next(&mut listener).await, Heard::Deaf(_)));
    hears(&mut listener).await;
    store.announce("other", &[Announcement::Work]).await.unwrap();
    assert_eq!(told(&mut listener).await, ("other".to_owned(), vec![Announcement::Work]));
    operator.close().await.unwrap();
    drop(listener);
    store.close().await;
    database.remove().await;
}

#[tokio::test]
async fn while_the_database_is_away_that_is_told_again_and_again() {
    let Some(database) = PostgresDatabase::create().await else { return };
    let store = another(&database).await;
    let mut listener = store.announcements("one");
    hears(&mut listener).await;
    store.close().await;
    database.remove().await;
    for _ in 0..3 {
        let told = timeout(DEAF * 3, listener.next()).await.unwrap();
        assert!(matches!(told, Heard::Deaf(_)), "{told:?}");
    }
}

#[tokio::test]
async fn on_sqlite_a_process_notices_what_another_one_writes_and_not_what_it_writes_itself() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/cupo.db", directory.path().display());
    let one = World { store: Store::connect(&url).await.unwrap() };
    one.store.migrate().await.unwrap();
    let other = World { store: Store::connect(&url).await.unwrap() };
    let mut listener = one.store.announcements("one");
    hears(&mut listener).await;

    one.tenant("own").await;
    let alone = timeout(Duration::from_millis(1_500), listener.next()).await;
    assert!(alone.is_err(), "its own writes are no news: {alone:?}");
    other.tenant("foreign").await;
    hears(&mut listener).await;
}
