//! Who runs the jobs, and how processes end: the real binary on one SQLite file, with the simulators in the test's
//! process.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use cupo_server::Server;
use cupo_server::config::Config;
use cupo_simulators::google::{Fault, GoogleOptions, GoogleSimulator};
use cupo_simulators::mail::MailSink;
use reqwest::Client;
use serde_json::Value;
use sqlx::{Connection, SqliteConnection, query_as};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::{Instant, sleep};

use crate::world::{booking, configuration, slots_path, starts, today};

const PATIENCE: Duration = Duration::from_secs(60);
/// What the simulator waits where an answer shall not come during the test.
const FOR_EVER: u64 = 600_000;

/// Where processes share a database, a Google and a mail server.
struct Place {
    listen: String,
    file: PathBuf,
    database: String,
    google: GoogleSimulator,
    mail: MailSink,
    client: Client,
    _directory: TempDir,
}

/// A process of Cupo's; killed when it goes out of scope.
struct Process {
    child: Child,
    /// What it logs.
    log: Lines<BufReader<ChildStderr>>,
}

impl Place {
    async fn new() -> Self {
        let google = GoogleSimulator::start(GoogleOptions::default()).await.unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let mail = MailSink::start(any, any).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}", directory.path().join("cupo.db").display());
        // Nobody else takes a port that has just been given back.
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let text = configuration(&google.base_url(), mail.smtp_address().port(), "slots_per_minute = 0")
            .replace("sqlite::memory:", &database)
            .replace("127.0.0.1:0", &listen);
        let file = directory.path().join("cupo.toml");
        std::fs::write(&file, text).unwrap();
        Self { listen, file, database, google, mail, client: Client::builder().build().unwrap(), _directory: directory }
    }

    /// A server without a worker, and in its database the demo organization.
    async fn with_server() -> (Self, Process) {
        let place = Self::new().await;
        let server = place.start(&["serve", "--no-worker"], "Cupo answers at").await;
        let seeded = place.command(&["seed-demo"]).output().await.unwrap();
        assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
        (place, server)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cupo"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CUPO_") || name == "DATABASE_URL") {
            command.env_remove(name);
        }
        command.args(arguments).arg("--config").arg(&self.file).kill_on_drop(true);
        command
    }

    /// Starts a command and waits for the line by which it says that it is ready.
    async fn start(&self, arguments: &[&str], ready: &str) -> Process {
        let mut child = self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        match lines.next_line().await.unwrap() {
            Some(line) => assert!(line.contains(ready), "{line}"),
            None => panic!("the process ended before it was ready:\n{}", rest_of(&mut log).await),
        }
        Process { child, log }
    }

    async fn worker(&self) -> Process {
        self.start(&["worker"], "Cupo runs jobs").await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listen)
    }

    async fn a_start(&self) -> DateTime<Utc> {
        let path = slots_path("intro", today(), today() + Days::new(28));
        let slots: Value = self.client.get(self.url(&path)).send().await.unwrap().json().await.unwrap();
        starts(&slots["slots"])[0]
    }

    async fn book(&self) {
        let start = self.a_start().await;
        let request = self.client.post(self.url("/embed/v1/appointments")).header("idempotency-key", "a-key");
        assert_eq!(request.json(&booking(start)).send().await.unwrap().status(), 201);
    }

    /// Whether the job that writes the event is leased; `None`: there is none.
    async fn push_is_leased(&self) -> Option<bool> {
        let mut connection = SqliteConnection::connect(&self.database).await.unwrap();
        let text = "select lease_owner is not null from job where kind = 'push_event'";
        let row: Option<(bool,)> = query_as(text).fetch_optional(&mut connection).await.unwrap();
        row.map(|(is_leased,)| is_leased)
    }

    fn has_event(&self) -> bool {
        let events = self.google.events("ana@example.com").unwrap();
        events.iter().any(|event| event["summary"].as_str().is_some_and(|title| title.contains("Vera")))
    }

    /// A server with an appointment whose event Google does not take in time, and a worker that tries.
    async fn with_hanging_push() -> (Self, Process, Process) {
        let (place, server) = Self::with_server().await;
        let hangs = Fault {
            method: Some("POST".into()),
            path_pattern: Some("/events".into()),
            delay_ms: FOR_EVER,
            ..Fault::default()
        };
        place.google.add_fault(hangs).unwrap();
        place.book().await;
        let worker = place.worker().await;
        until("the push", async || place.push_is_leased().await == Some(true)).await;
        (place, server, worker)
    }
}

impl Process {
    async fn order_to_stop(&self) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    }

    async fn until_it_logs(&mut self, text: &str) {
        while let Some(line) = self.log.next_line().await.unwrap() {
            if line.contains(text) {
                return;
            }
        }
        panic!("the process ended and never logged {text:?}");
    }

    async fn ended(mut self) -> ExitStatus {
        // A pipe that nobody reads would keep it.
        let (status, _) = tokio::join!(self.child.wait(), rest_of(&mut self.log));
        status.unwrap()
    }
}

/// What a process logs until it ends.
async fn rest_of(log: &mut Lines<BufReader<ChildStderr>>) -> String {
    let mut rest = String::new();
    while let Ok(Some(line)) = log.next_line().await {
        rest.extend([&line, "\n"]);
    }
    rest
}

async fn until(what: &str, mut question: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !question().await {
        assert!(Instant::now() < deadline, "{what} did not come");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_worker_is_ready_and_leaves_the_jobs_to_a_worker() {
    let (place, server) = Place::with_server().await;
    let ready = place.client.get(place.url("/readyz")).send().await.unwrap();
    assert_eq!(ready.status(), 200);
    let ready: Value = ready.json().await.unwrap();
    assert_eq!((&ready["ready"], &ready["worker"]), (&true.into(), &"elsewhere".into()));
    place.book().await;
    assert_eq!(place.push_is_leased().await, Some(false), "nobody is there to do it");

    let worker = place.worker().await;
    until("the event", async || place.has_event() && place.push_is_leased().await.is_none()).await;
    until("the mails", async || place.mail.messages().len() >= 2).await;
    for process in [worker, server] {
        process.order_to_stop().await;
        assert!(process.ended().await.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[should_panic(expected = "cannot listen on")]
async fn of_a_process_that_ends_before_it_is_ready_the_test_tells_what_it_said() {
    let place = Place::new().await;
    let _taken = TcpListener::bind(&place.listen).unwrap();
    place.start(&["serve"], "Cupo answers at").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_tells_its_health_and_figures_at_an_address_of_its_own_and_nothing_else() {
    let mut place = Place::new().await;
    // The worker has the port to itself: no server runs here.
    let text = std::fs::read_to_string(&place.file).unwrap();
    let more = format!("[metrics]\nenabled = true\n[worker]\nmetrics_listen = \"{}\"\n", place.listen);
    std::fs::write(&place.file, text + &more).unwrap();
    let mut worker = place.worker().await;
    let get = async |place: &Place, path: &str| place.client.get(place.url(path)).send().await.unwrap();
    assert_eq!(get(&place, "/healthz").await.text().await.unwrap(), "ok");
    let ready: Value = get(&place, "/readyz").await.json().await.unwrap();
    assert_eq!((&ready["ready"], &ready["worker"]), (&true.into(), &"ok".into()), "{ready}");
    let figures = get(&place, "/metrics").await.text().await.unwrap();
    assert!(figures.contains("cupo_jobs{state=\"waiting\"}"), "{figures}");
    for path in ["/sign-in", "/embed.js", "/embed/v1/slots"] {
        crate::world::problem(get(&place, path).await, 404, "unknown-address").await;
    }
    worker.order_to_stop().await;
    worker.until_it_logs("stopping").await;
    assert!(worker.ended().await.success());

    // With a token, to whoever has it, and to nobody else.
    let more = more.replace("enabled = true", "enabled = true\ntoken = \"a token for figures\"");
    let text = std::fs::read_to_string(&place.file).unwrap();
    std::fs::write(&place.file, text.split("[metrics]").next().unwrap().to_owned() + &more).unwrap();
    let _worker = place.worker().await;
    place.client = Client::builder().pool_max_idle_per_host(0).build().unwrap();
    crate::world::problem(get(&place, "/metrics").await, 403, "forbidden").await;
    let answer = place.client.get(place.url("/metrics")).bearer_auth("a token for figures").send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_can_leave_the_jobs_to_workers_too() {
    let text = configuration("http://127.0.0.1:9", 9, "") + "[worker]\nin_server = false\n";
    let server = Server::start(Config::from_toml(&text).unwrap()).await.unwrap();
    let answer = reqwest::get(format!("{}/readyz", server.base_url)).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap()["worker"], "elsewhere");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_told_to_stop_gives_back_what_it_cannot_finish() {
    let (place, _server, worker) = Place::with_hanging_push().await;
    worker.order_to_stop().await;
    assert!(worker.ended().await.success());
    assert_eq!(place.push_is_leased().await, Some(false), "another one need not wait for the lease's end");
    let _worker = place.worker().await;
    until("the event", async || place.has_event() && place.push_is_leased().await.is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_order_to_stop_ends_a_worker_at_once() {
    let (place, _server, mut worker) = Place::with_hanging_push().await;
    worker.order_to_stop().await;
    worker.until_it_logs("stopping").await;
    worker.order_to_stop().await;
    assert_eq!(worker.ended().await.code(), Some(1));
    assert_eq!(place.push_is_leased().await, Some(true), "it gave nothing back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_order_to_stop_ends_a_server_at_once() {
    let (place, mut server) = Place::with_server().await;
    let (mut visitor, _) = half_a_booking(&place).await;
    server.order_to_stop().await;
    server.until_it_logs("stopping").await;
    server.order_to_stop().await;
    assert_eq!(server.ended().await.code(), Some(1));
    let mut rest = Vec::new();
    // Reset or closed: there is no answer.
    let read = visitor.read_to_end(&mut rest).await;
    assert!(read.is_err() || rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
}

/// A visitor who has sent the head of a booking, and is known to be heard; with the body that is still to be sent.
async fn half_a_booking(place: &Place) -> (TcpStream, String) {
    let body = booking(place.a_start().await).to_string();
    let mut visitor = TcpStream::connect(&place.listen).await.unwrap();
    let head = format!(
        "POST /embed/v1/appointments HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
         idempotency-key: a-key\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        place.listen,
        body.len()
    );
    visitor.write_all(head.as_bytes()).await.unwrap();
    let mut lines = [0; 25];
    visitor.read_exact(&mut lines).await.unwrap();
    assert_eq!(&lines, b"HTTP/1.1 100 Continue\r\n\r\n");
    (visitor, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_has_begun_is_answered_although_the_server_stops() {
    let (place, server) = Place::with_server().await;
    let (mut visitor, body) = half_a_booking(&place).await;
    server.order_to_stop().await;
    until("the end of new connections", async || TcpStream::connect(&place.listen).await.is_err()).await;
    visitor.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    visitor.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(server.ended().await.success());
    assert_eq!(place.push_is_leased().await, Some(false), "the duty is on disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_and_a_worker_may_be_started_at_once_on_a_new_file() {
    let place = Place::new().await;
    let (server, worker) = tokio::join!(place.start(&["serve"], "Cupo answers at"), place.worker());
    assert_eq!(place.client.get(place.url("/readyz")).send().await.unwrap().status(), 200);
    for process in [server, worker] {
        process.order_to_stop().await;
        assert!(process.ended().await.success());
    }
}
