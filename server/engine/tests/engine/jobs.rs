//! Workers: what becomes of a job when they stop, die, take long, fail or panic; and upkeep, which is a job too.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use cupo_engine::{
    Engine, EngineSettings, EventTypeInput,
    clock::Clock,
    random::{OsRandom, RandomSource},
};
use cupo_simulators::google::Fault;
use cupo_store::job_lease;
use sqlx::{Connection, SqliteConnection, query_as};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::world::{CALENDAR, World, delivered, first_visit, to};

const START: &str = "2026-11-25T09:00:00Z";
/// Part of the address of every event at Google.
const EVENTS: &str = "/events";
const PATIENCE: Duration = Duration::from_secs(30);
/// Longer than any worker leases a job for.
const LEASE_IS_OVER: TimeDelta = TimeDelta::minutes(4);
/// What the simulator waits where an answer shall not come during the test.
const FOR_EVER: u64 = 600_000;

/// A row of the table of jobs.
#[derive(Debug)]
struct Row {
    attempts: i64,
    is_leased: bool,
    run_at: DateTime<Utc>,
    last_error: Option<String>,
}

/// The jobs of a kind that wait or run.
async fn rows(world: &World, kind: &str) -> Vec<Row> {
    let mut connection = SqliteConnection::connect(&world.database()).await.unwrap();
    let text = "select attempts, lease_owner is not null as is_leased, run_at, last_error from job
                 where kind = $1 and state = 'pending' order by run_at";
    let rows: Vec<(i64, bool, i64, Option<String>)> =
        query_as(text).bind(kind).fetch_all(&mut connection).await.unwrap();
    rows.into_iter()
        .map(|(attempts, is_leased, micros, last_error)| {
            let run_at = DateTime::from_timestamp_micros(micros).unwrap();
            Row { attempts, is_leased, run_at, last_error }
        })
        .collect()
}

async fn the_row(world: &World, kind: &str) -> Row {
    let mut rows = rows(world, kind).await;
    assert_eq!(rows.len(), 1, "{kind}: {rows:#?}");
    rows.remove(0)
}

async fn until(what: &str, mut question: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !question().await {
        assert!(Instant::now() < deadline, "{what} did not come");
        sleep(Duration::from_millis(10)).await;
    }
}

/// A worker in a task of its own.
struct Worker {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Worker {
    fn start(engine: &Engine) -> Self {
        let stop = CancellationToken::new();
        let (engine, stopped) = (engine.clone(), stop.clone());
        Self { stop, task: tokio::spawn(async move { engine.run_worker(stopped).await }) }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Whoever leases everything that is due, and is never heard of again.
async fn die_with_all_jobs(world: &World) -> usize {
    let mut tx = world.store.write_leases().await.unwrap();
    let leased = job_lease(&mut tx, world.clock.now(), "dead", TimeDelta::minutes(3), 100).await.unwrap();
    tx.commit().await.unwrap();
    leased.len()
}

#[tokio::test]
async fn what_a_stopped_worker_has_not_finished_another_one_runs_at_once() {
    let world = World::open_for_business().await;
    world.fault("POST", EVENTS, 1, Fault { delay_ms: FOR_EVER, ..Fault::default() });
    world.book("key", START).await;
    let impatient = EngineSettings { worker_grace: Duration::from_millis(50), ..delivered() };
    let worker = Worker::start(&world.process_with(impatient));
    until("the push", async || the_row(&world, "push_event").await.is_leased).await;
    worker.stop().await;
    let row = the_row(&world, "push_event").await;
    assert_eq!((row.is_leased, row.attempts, row.last_error.as_deref()), (false, 0, None), "it is as it was");
    assert!(world.events().is_empty());

    world.another_process().await.run_due_jobs().await.unwrap();
    assert_eq!(world.events().len(), 1);
    assert!(rows(&world, "push_event").await.is_empty());
}

#[tokio::test]
async fn a_stopped_worker_finishes_what_does_not_take_long() {
    let world = World::open_for_business().await;
    world.fault("POST", EVENTS, 1, Fault { delay_ms: 300, ..Fault::default() });
    world.book("key", START).await;
    let worker = Worker::start(&world.engine);
    until("the push", async || the_row(&world, "push_event").await.is_leased).await;
    worker.stop().await;
    assert_eq!(world.events().len(), 1);
    assert!(rows(&world, "push_event").await.is_empty());
}

#[tokio::test]
async fn the_jobs_of_a_dead_worker_are_run_by_another_one_when_their_leases_end() {
    let world = World::open_for_business().await;
    world.book("key", START).await;
    assert!(die_with_all_jobs(&world).await >= 2, "the event and the mails");
    world.pass(TimeDelta::minutes(2));
    world.engine.run_due_jobs().await.unwrap();
    assert!(world.events().is_empty() && world.mail.messages().is_empty(), "they are the dead worker's still");
    world.pass(LEASE_IS_OVER);
    world.run().await;
    assert_eq!((world.events().len(), world.mail.messages().len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_job_is_not_run_twice_at_once() {
    let world = World::open_for_business().await;
    world.fault("POST", EVENTS, 10, Fault { delay_ms: 400, ..Fault::default() });
    world.book("key", START).await;
    let workers = [Worker::start(&world.engine), Worker::start(&world.another_process().await)];
    until("the event", async || !world.events().is_empty() && rows(&world, "push_event").await.is_empty()).await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(world.calls("POST", EVENTS), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pushes_of_an_appointment_never_overlap_and_its_last_state_wins() {
    let world = World::open_for_business().await;
    // A conference that is being made changes the event by itself.
    let at_the_clinic =
        EventTypeInput { location_kind: "address".into(), location_detail: "Calle Mayor 1".into(), ..first_visit() };
    world.change(at_the_clinic).await;
    let slow = Fault { delay_ms: 150, ..Fault::default() };
    for method in ["POST", "PUT", "PATCH"] {
        world.fault(method, EVENTS, 100, slow.clone());
    }
    let view = world.book("key", START).await;
    let workers = [Worker::start(&world.engine), Worker::start(&world.another_process().await)];
    until("the first push", async || rows(&world, "push_event").await.iter().any(|row| row.is_leased)).await;
    for start in ["10:00", "11:00", "12:00", "13:00"] {
        let start = format!("2026-11-25T{start}:00Z");
        world.engine.reschedule_by_token(&view.token, &to(&start)).await.unwrap();
        // Not all at once: some of them fall into a push.
        sleep(Duration::from_millis(60)).await;
    }
    let is_pushed = async || {
        world.pass(TimeDelta::milliseconds(50));
        let rows = rows(&world, "push_event").await;
        assert!(rows.iter().filter(|row| row.is_leased).count() <= 1, "{rows:#?}");
        rows.is_empty()
    };
    until("the last push", is_pushed).await;
    for worker in workers {
        worker.stop().await;
    }
    let event = world.the_event();
    let start: DateTime<Utc> = event["start"]["dateTime"].as_str().unwrap().parse().unwrap();
    assert_eq!(start, "2026-11-25T13:00:00Z".parse::<DateTime<Utc>>().unwrap());
    let writes: Vec<_> = world.google.exchanges().into_iter().filter(|exchange| exchange.method != "GET").collect();
    let events = writes.iter().filter(|exchange| exchange.path.contains(EVENTS));
    // Two that overlapped would carry the same etag, and the second would be refused.
    assert!(events.clone().count() >= 2 && events.clone().all(|exchange| exchange.status == 200), "{writes:#?}");
}

/// Runs what is due, of which one job fails; gives its pause.
async fn pause_after_failure(world: &World, kind: &str) -> TimeDelta {
    world.engine.run_due_jobs().await.unwrap();
    the_row(world, kind).await.run_at - world.clock.now()
}

#[tokio::test]
async fn the_pauses_between_tries_grow_up_to_an_hour_and_are_jittered() {
    let world = World::open_for_business().await;
    world.fault("POST", EVENTS, 1000, Fault { status: Some(503), ..Fault::default() });
    world.book("key", START).await;
    let booked_at = world.clock.now();
    let mut pauses: Vec<f64> = Vec::new();
    let mut shares = Vec::new();
    for _ in 0..24 {
        let pause = pause_after_failure(&world, "push_event").await;
        let longest = (world.clock.now() - booked_at).clamp(TimeDelta::seconds(5), TimeDelta::hours(1));
        assert!(longest / 2 <= pause && pause <= longest, "{pause} of {longest}");
        shares.push(pause.as_seconds_f64() / longest.as_seconds_f64());
        pauses.push(pause.as_seconds_f64());
        world.pass(pause);
    }
    assert!(pauses[0] <= 5.0 && pauses.last().unwrap() >= &1800.0, "{pauses:?}");
    let (least, most) =
        shares.iter().fold((1.0_f64, 0.0_f64), |(least, most), share| (least.min(*share), most.max(*share)));
    assert!(most - least > 0.05, "not in step with others: {shares:?}");
    assert_eq!(the_row(&world, "push_event").await.attempts, 24);
}

#[tokio::test]
async fn a_provider_that_asks_to_wait_is_left_alone_for_as_long_as_it_asks() {
    let world = World::open_for_business().await;
    world.fault("POST", EVENTS, 10, Fault { status: Some(429), retry_after: Some(90), ..Fault::default() });
    world.book("key", START).await;
    let pause = pause_after_failure(&world, "push_event").await;
    assert!(TimeDelta::seconds(90) <= pause && pause <= TimeDelta::seconds(93), "{pause}");
    let calls = world.calls("POST", EVENTS);
    world.pass(TimeDelta::seconds(89));
    world.engine.run_due_jobs().await.unwrap();
    assert_eq!(world.calls("POST", EVENTS), calls);
}

#[tokio::test]
async fn a_calendar_that_is_to_be_left_alone_is_so_whatever_its_notifications_say() {
    let world = World::open_for_business().await;
    world.fault("GET", EVENTS, 100, Fault { status: Some(429), retry_after: Some(90), ..Fault::default() });
    world.notify(&world.notification(2, None)).await;
    let pause = pause_after_failure(&world, "pull_changes").await;
    assert!(pause >= TimeDelta::seconds(90), "{pause}");
    let calls = world.calls("GET", EVENTS);
    world.pass(TimeDelta::seconds(60));
    world.notify(&world.notification(3, None)).await;
    world.engine.run_due_jobs().await.unwrap();
    assert_eq!(world.calls("GET", EVENTS), calls);
    world.google.clear_faults();
    world.pass(TimeDelta::seconds(33));
    world.engine.run_due_jobs().await.unwrap();
    assert!(world.calls("GET", EVENTS) > calls);
}

/// Panics once when it is asked for an id, if it was told to.
struct Panicking(AtomicBool);

impl RandomSource for Panicking {
    fn fill(&self, buffer: &mut [u8]) {
        const OF_AN_ID: usize = 10;
        if buffer.len() == OF_AN_ID && self.0.swap(false, Ordering::Relaxed) {
            panic!("the test wants it so");
        }
        OsRandom.fill(buffer);
    }
}

#[tokio::test]
async fn a_job_that_panics_is_retried_later_and_the_others_go_on() {
    let world = World::new().await;
    let panicking = Arc::new(Panicking(AtomicBool::new(false)));
    let engine = world.process_with_random(panicking.clone());
    world.connect().await;
    let pulls = rows(&world, "pull_changes").await.len();
    assert!(pulls >= 1 && rows(&world, "open_channel").await.len() == 1);
    panicking.0.store(true, Ordering::Relaxed);
    engine.run_due_jobs().await.unwrap();
    let row = the_row(&world, "open_channel").await;
    assert_eq!((row.is_leased, row.attempts), (false, 1), "nobody waits for its lease to end");
    assert_eq!(row.last_error.as_deref(), Some("internal: the work panicked"));
    assert!(row.run_at > world.clock.now());
    assert!(rows(&world, "pull_changes").await.is_empty(), "the others were run");
    assert!(world.google.channels().is_empty());
    world.pass(TimeDelta::seconds(10));
    engine.run_due_jobs().await.unwrap();
    assert_eq!(world.google.channels().len(), 1);
}

#[tokio::test]
async fn a_job_that_was_lost_again_and_again_is_given_up() {
    let world = World::open_for_business().await;
    world.book("key", START).await;
    for _ in 0..21 {
        die_with_all_jobs(&world).await;
        world.pass(LEASE_IS_OVER);
    }
    assert!(world.engine.failed_jobs(&world.principal).await.unwrap().is_empty());
    die_with_all_jobs(&world).await;
    world.pass(LEASE_IS_OVER);
    world.engine.run_due_jobs().await.unwrap();
    let failed = world.engine.failed_jobs(&world.principal).await.unwrap();
    let push = failed.iter().find(|job| job.kind == "push_event").unwrap();
    assert!(push.why.contains("ended without a word"), "{}", push.why);
    assert!(world.events().is_empty());
}

#[tokio::test]
async fn a_hundred_notifications_leave_one_pull_that_waits() {
    let world = World::open_for_business().await;
    for number in 2..102 {
        world.notify(&world.notification(number, None)).await;
    }
    assert_eq!(rows(&world, "pull_changes").await.len(), 1);
    world.google.clear_exchanges();
    world.engine.run_due_jobs().await.unwrap();
    let pulls = world.calls("GET", &format!("/calendars/{CALENDAR}/events"));
    let pulls = pulls + world.calls("GET", &format!("/calendars/{}/events", CALENDAR.replace('@', "%40")));
    assert_eq!(pulls, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_all_workers_one_does_the_upkeep_and_does_it_again() {
    let world = World::open_for_business().await;
    world.pass(TimeDelta::minutes(11));
    let (one, another) = (world.process_with(delivered()), world.another_process().await);
    let workers = [Worker::start(&one), Worker::start(&another)];
    let next = world.clock.now() + TimeDelta::seconds(30);
    // Whoever started second may have it done once more at once.
    until("upkeep", async || {
        let rows = rows(&world, "upkeep").await;
        assert!(rows.iter().filter(|row| row.is_leased).count() <= 1, "{rows:#?}");
        rows.len() == 1 && !rows[0].is_leased && rows[0].run_at == next
    })
    .await;
    until("the poll", async || rows(&world, "pull_changes").await.is_empty() && world.calls("GET", EVENTS) > 0).await;
    for worker in workers {
        worker.stop().await;
    }
    world.pass(TimeDelta::seconds(30));
    world.engine.run_due_jobs().await.unwrap();
    let row = the_row(&world, "upkeep").await;
    assert_eq!((row.run_at, row.attempts), (world.clock.now() + TimeDelta::seconds(30), 0));
}

#[tokio::test]
async fn the_upkeep_of_a_dead_worker_passes_to_another_one() {
    let world = World::open_for_business().await;
    let worker = Worker::start(&world.engine);
    until("upkeep", async || rows(&world, "upkeep").await.iter().any(|row| !row.is_leased && row.attempts == 0)).await;
    worker.stop().await;
    world.pass(TimeDelta::seconds(30));
    assert!(die_with_all_jobs(&world).await >= 1);
    world.pass(TimeDelta::minutes(1));
    world.engine.run_due_jobs().await.unwrap();
    assert!(the_row(&world, "upkeep").await.is_leased);
    world.pass(LEASE_IS_OVER);
    world.engine.run_due_jobs().await.unwrap();
    let row = the_row(&world, "upkeep").await;
    assert_eq!((row.is_leased, row.run_at), (false, world.clock.now() + TimeDelta::seconds(30)));
}
