//! Several processes on one database, SQLite's file and PostgreSQL: what one does the others know, and one of them refreshes
//! a token. The PostgreSQL half of each test makes a database of its own where `CUPO_TEST_POSTGRES_URL` names a server, and
//! says that it was left out where it does not.

use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

use chrono::TimeDelta;
use cupo_core::wire::BookingRequest;
use cupo_engine::{Engine, EngineError, clock::Clock};
use cupo_simulators::microsoft::Behaviour;
use cupo_store::{AccountState, account_update_state, lease_get, lease_take};
use futures::{FutureExt, future::join_all};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::world::{OUTLOOK, World, at, request, slots_request};

const PATIENCE: Duration = Duration::from_secs(30);
/// So long somebody is watched who must not do something.
const A_WHILE: Duration = Duration::from_millis(900);
const FULL_ON_SQLITE: &str = "create trigger full_disk before update of token_ciphertext on calendar_provider_account
     begin select raise(abort, 'the disk is full'); end";
const FULL_ON_POSTGRES: &str = "create function full_disk() returns trigger language plpgsql as
     $$ begin raise exception 'the disk is full'; end $$;
     create trigger full_disk before update of token_ciphertext on calendar_provider_account
         for each row execute function full_disk()";

/// Defines a test that runs on both stores; the world is made by `$world`, at an address of a database or on its own file.
macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($world:ident in $make:expr) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn behaviour($world: World) $body

            $(#[$attribute])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_sqlite() {
                behaviour($make(None).await).await;
            }

            $(#[$attribute])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_postgres() {
                on_a_postgres(async |url| behaviour($make(Some(url)).await).await).await;
            }
        }
    )+};
}

pub(crate) use on_both;

pub(crate) async fn on_a_postgres(behaviour: impl AsyncFnOnce(&str)) {
    let Ok(server_url) = std::env::var("CUPO_TEST_POSTGRES_URL") else {
        eprintln!("left out: CUPO_TEST_POSTGRES_URL names no PostgreSQL server to test on");
        return;
    };
    let name = format!("cupo_test_{}", uuid::Uuid::new_v4().simple());
    let (address, query) = server_url.split_once('?').unwrap_or((&server_url, ""));
    let (scheme, rest) = address.split_once("://").unwrap();
    let url = format!("{scheme}://{}/{name}?{query}", rest.split('/').next().unwrap());
    let mut server = PgConnection::connect(&server_url).await.unwrap();
    server.execute(AssertSqlSafe(format!("create database {name} template template0"))).await.unwrap();
    let outcome = AssertUnwindSafe(behaviour(&url)).catch_unwind().await;
    server.execute(AssertSqlSafe(format!("drop database {name} with (force)"))).await.unwrap();
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Ana has connected her account at Microsoft, and a refresh token that was used is dead.
pub(crate) async fn with_outlook(database: Option<&str>) -> World {
    let world = World::with_microsoft_on(database).await;
    world.microsoft().set_behaviour(Behaviour { used_refresh_tokens_work: false, ..Behaviour::default() });
    world.connect_outlook(OUTLOOK).await;
    world.microsoft().clear_exchanges();
    world
}

pub(crate) async fn refresh_calendars(engine: &Engine, world: &World) -> Result<(), EngineError> {
    let account = world.the_account().await.account;
    engine.account_refresh(&world.principal, &account.id).await
}

fn token_calls(world: &World) -> usize {
    world.microsoft().exchanges().iter().filter(|exchange| exchange.path.ends_with("/token")).count()
}

pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut question: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !question().await {
        assert!(Instant::now() < deadline, "{what} did not come");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Runs a statement of each store's own on the database.
async fn on_the_database(world: &World, sqlite: &'static str, postgres: &'static str) {
    let url = world.database();
    if url.starts_with("sqlite:") {
        SqliteConnection::connect(&url).await.unwrap().execute(sqlite).await.unwrap();
    } else {
        PgConnection::connect(&url).await.unwrap().execute(sqlx::raw_sql(postgres)).await.unwrap();
    }
}

/// The process tells what it commits and hears the others, until the guard goes.
fn announce(engine: &Engine) -> impl Drop + use<> {
    let stop = CancellationToken::new();
    let (engine, stopped) = (engine.clone(), stop.clone());
    tokio::spawn(async move { engine.run_announcements(stopped).await });
    stop.drop_guard()
}

async fn offers(engine: &Engine, start: &str) -> bool {
    let day = at(start).date_naive().to_string();
    engine.slots(&slots_request(&day, &day)).await.unwrap().starts.contains(&at(start))
}

on_both! {
    async fn of_many_callers_in_two_processes_one_refreshes_the_token(world in with_outlook) {
        let engines = [world.engine.clone(), world.another_process().await];
        for round in 1..=3 {
            world.pass(TimeDelta::hours(2));
            let refreshes = (0..20).map(|number| refresh_calendars(&engines[number % 2], &world));
            for refreshed in join_all(refreshes).await {
                refreshed.unwrap();
            }
            assert_eq!(token_calls(&world), round);
            assert_eq!(world.the_account().await.account.state, AccountState::Active);
        }
    }

    async fn whoever_died_while_refreshing_holds_the_others_up_until_its_lease_ends(world in with_outlook) {
        world.pass(TimeDelta::hours(2));
        let name = format!("refresh:{}", world.the_account().await.account.id);
        let now = world.clock.now();
        let mut tx = world.store.write_leases().await.unwrap();
        assert!(lease_take(&mut tx, &name, "somebody who died", now, now + TimeDelta::seconds(40)).await.unwrap());
        tx.commit().await.unwrap();

        let waiting = timeout(A_WHILE, refresh_calendars(&world.engine, &world)).await;
        assert!(waiting.is_err(), "{waiting:?}");
        assert_eq!(token_calls(&world), 0);
        world.pass(TimeDelta::seconds(41));
        refresh_calendars(&world.engine, &world).await.unwrap();
        assert_eq!(token_calls(&world), 1);
        let lease = lease_get(&mut world.store.read().await.unwrap(), &name, world.clock.now()).await.unwrap();
        assert_eq!(lease, None, "it was given back");
    }

    async fn tokens_that_could_not_be_stored_are_stored_although_the_account_was_given_up_meanwhile(
        world in with_outlook
    ) {
        let another = world.another_process().await;
        world.pass(TimeDelta::hours(2));
        on_the_database(&world, FULL_ON_SQLITE, FULL_ON_POSTGRES).await;
        let failed = refresh_calendars(&world.engine, &world).await;
        assert!(matches!(failed, Err(EngineError::Store(_))), "{failed:?}");
        assert_eq!(token_calls(&world), 1);
        let waiting = timeout(A_WHILE, refresh_calendars(&another, &world)).await;
        assert!(waiting.is_err(), "nobody asks with the token that is used up: {waiting:?}");
        assert_eq!(token_calls(&world), 1);

        // As a process would whose clock is wrong: it believes that the lease has ended, asks, and is refused.
        let account = world.the_account().await.account;
        let mut tx = world.store.write().await.unwrap();
        let (state, reason) = (AccountState::ReconnectNeeded, Some("grant_revoked"));
        let (organization_id, now) = (&account.organization_id, world.clock.now());
        assert!(account_update_state(&mut tx, organization_id, &account.id, state, reason, now).await.unwrap());
        tx.commit().await.unwrap();
        let refused = refresh_calendars(&another, &world).await;
        assert!(matches!(refused, Err(EngineError::ReconnectNeeded(_))), "{refused:?}");

        let works = "drop trigger full_disk on calendar_provider_account";
        on_the_database(&world, "drop trigger full_disk", works).await;
        until("the stored token", async || world.the_account().await.account.state == AccountState::Active).await;
        refresh_calendars(&another, &world).await.unwrap();
        assert_eq!(token_calls(&world), 1, "another process goes on with what was stored");
    }

    async fn what_one_process_books_the_others_offer_no_more(world in World::open_for_business_on) {
        let another = world.another_process().await;
        let _announcing = (announce(&world.engine), announce(&another));
        let start = "2026-11-24T10:00:00Z";
        assert!(offers(&another, start).await);
        assert!(offers(&another, start).await);
        // The clock stands still: by itself no cached answer becomes void.
        world.book("a-key", start).await;
        until("another process's slots", async || !offers(&another, start).await).await;
    }

    async fn a_process_that_cannot_hear_the_others_trusts_nothing_for_long(world in World::open_for_business_on) {
        let another = world.another_process().await;
        let _announcing = announce(&another);
        let start = "2026-11-24T10:00:00Z";
        assert!(offers(&another, start).await);
        // It cuts each connection on which it could be told, as soon as there is one.
        let deaf = CancellationToken::new();
        let _cutting = deaf.clone().drop_guard();
        if world.database().starts_with("postgres") {
            let mut operator = PgConnection::connect(&world.database()).await.unwrap();
            tokio::spawn(async move {
                while !deaf.is_cancelled() {
                    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
                                where application_name = 'cupo listener' and datname = current_database()";
                    operator.execute(cut).await.unwrap();
                    sleep(Duration::from_millis(50)).await;
                }
            });
        }
        // This process announces nothing.
        world.book("a-key", start).await;
        until("slots that nobody was told to forget", async || !offers(&another, start).await).await;
    }

    async fn work_that_one_process_enqueues_another_one_starts_at_once(world in World::open_for_business_on) {
        let worker = world.another_process().await;
        let _announcing = (announce(&world.engine), announce(&worker));
        let stop = CancellationToken::new();
        let working = tokio::spawn({
            let (worker, stop) = (worker.clone(), stop.clone());
            async move { worker.run_worker(stop).await }
        });
        // Each is booked when the one before stands in the calendar and the worker has nothing to do. A worker that looked
        // every five seconds would need a minute for them all.
        let started = Instant::now();
        for number in 0..12 {
            let (hour, minute) = (9 + number / 2, number % 2 * 30);
            let start = format!("2026-11-24T{hour:02}:{minute:02}:00Z");
            let booking = BookingRequest { ..request(&start) };
            world.engine.book(&format!("key-{number}"), booking).await.unwrap();
            until("the event", async || world.events().len() > number).await;
            assert!(started.elapsed() < PATIENCE, "only {number} events came");
        }
        stop.cancel();
        working.await.unwrap();
    }
}
