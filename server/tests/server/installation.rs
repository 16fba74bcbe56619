//! An installation of several processes in one call: two servers and two workers on one PostgreSQL, and the simulators in the
//! test's own process.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use cupo_simulators::google::{GoogleOptions, GoogleSimulator};
use cupo_simulators::mail::MailSink;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::world::{configuration, slots_path, starts, today};

const PATIENCE: Duration = Duration::from_secs(60);
/// Well before the minute ends after which a server reads anew what it has cached, whatever it was told.
const SOON: Duration = Duration::from_secs(10);
/// Of these each worker does so many at once, so that neither takes all.
const CONCURRENCY: &str = "2";

/// A database of its own on the server of `CUPO_TEST_POSTGRES_URL`.
pub struct Database {
    server_url: String,
    name: String,
    pub url: String,
}

impl Database {
    pub async fn create() -> Option<Self> {
        let Ok(server_url) = std::env::var("CUPO_TEST_POSTGRES_URL") else {
            eprintln!("left out: CUPO_TEST_POSTGRES_URL names no PostgreSQL server to test on");
            return None;
        };
        let name = format!("cupo_test_{:032x}", rand::random::<u128>());
        let (address, query) = server_url.split_once('?').unwrap_or((&server_url, ""));
        let (scheme, rest) = address.split_once("://").unwrap();
        let url = format!("{scheme}://{}/{name}?{query}", rest.split('/').next().unwrap());
        let mut server = PgConnection::connect(&server_url).await.unwrap();
        server.execute(AssertSqlSafe(format!("create database {name} template template0"))).await.unwrap();
        Some(Self { server_url, name, url })
    }

    pub async fn remove(&self) {
        let mut server = PgConnection::connect(&self.server_url).await.unwrap();
        server.execute(AssertSqlSafe(format!("drop database {} with (force)", self.name))).await.unwrap();
    }
}

/// A process of Cupo's; killed when it goes out of scope.
pub struct Process(Child);

impl Process {
    /// Starts a command and waits for the line by which it says that it is ready.
    async fn start(setting: &Setting, arguments: &[&str], listen: &str, ready: &str) -> Self {
        let mut child = setting.command(arguments, listen).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            let line = lines.next_line().await.unwrap().expect("the process ended before it was ready");
            if line.contains(ready) {
                break;
            }
        }
        // A pipe that nobody reads would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self(child)
    }

    /// SIGKILL: it can tell nobody.
    pub async fn kill(&mut self) {
        self.0.kill().await.unwrap();
    }
}

/// What all processes of an installation share.
struct Setting {
    file: PathBuf,
    database_url: String,
    public_url: String,
}

impl Setting {
    fn command(&self, arguments: &[&str], listen: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cupo"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CUPO_") || name == "DATABASE_URL") {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .arg("--config")
            .arg(&self.file)
            .env("DATABASE_URL", &self.database_url)
            .env("CUPO_PUBLIC_URL", &self.public_url)
            .env("CUPO_LISTEN", listen)
            .env("CUPO_WORKER__CONCURRENCY", CONCURRENCY)
            .kill_on_drop(true);
        command
    }
}

pub struct Installation {
    /// The addresses of the servers. The first is the public one.
    pub servers: [String; 2],
    pub workers: [Process; 2],
    pub google: GoogleSimulator,
    pub mail: MailSink,
    pub password: String,
    pub client: Client,
    pub database: PgConnection,
    running: [Process; 2],
    place: Database,
    _directory: TempDir,
}

impl Installation {
    /// The demo organization with Ana's account connected, and these lines in the section `limits`; `None` without a
    /// PostgreSQL.
    pub async fn start(limits: &str) -> Option<Self> {
        let place = Database::create().await?;
        let google = GoogleSimulator::start(GoogleOptions::default()).await.unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let mail = MailSink::start(any, any).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("cupo.toml");
        std::fs::write(&file, configuration(&google.base_url(), mail.smtp_address().port(), limits)).unwrap();
        let listen = free_addresses();
        let servers = listen.clone().map(|address| format!("http://{address}"));
        let setting = Setting { file, database_url: place.url.clone(), public_url: servers[0].clone() };

        let serve = ["serve", "--no-worker"];
        let one = Process::start(&setting, &serve, &listen[0], "Cupo answers at").await;
        let seeded = setting.command(&["seed-demo"], &listen[0]).output().await.unwrap();
        assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
        let demo: Value = serde_json::from_slice(&seeded.stdout).unwrap();
        let other = Process::start(&setting, &serve, &listen[1], "Cupo answers at").await;
        let worker = async || Process::start(&setting, &["worker"], &listen[0], "Cupo runs jobs").await;
        let workers = [worker().await, worker().await];
        Some(Self {
            servers,
            workers,
            google,
            mail,
            password: demo["password"].as_str().unwrap().to_owned(),
            client: Client::builder().redirect(Policy::none()).build().unwrap(),
            database: PgConnection::connect(&place.url).await.unwrap(),
            running: [one, other],
            place,
            _directory: directory,
        })
    }

    /// With no rate limits.
    pub async fn without_limits() -> Option<Self> {
        let rates = ["sign_in", "bookings", "holds", "slots", "webhooks", "pages"];
        let lifted: String = rates.iter().map(|rate| format!("{rate}_per_minute = 0\n")).collect();
        Self::start(&lifted).await
    }

    pub fn get(&self, server: usize, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.servers[server]))
    }

    pub fn post(&self, server: usize, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.servers[server]))
    }

    pub async fn book(&self, server: usize, key: &str, body: &Value) -> Response {
        self.post(server, "/embed/v1/appointments").header("idempotency-key", key).json(body).send().await.unwrap()
    }

    /// The starts of the demo's `intro` that a server offers over the next four weeks.
    pub async fn slots(&self, server: usize) -> Vec<DateTime<Utc>> {
        let path = slots_path("intro", today(), today() + Days::new(28));
        self.until("an answer of slots", async || {
            let answer = self.get(server, &path).send().await.unwrap();
            if answer.status() != 200 {
                return None;
            }
            Some(starts(&answer.json::<Value>().await.unwrap()["slots"]))
        })
        .await
    }

    /// Waits until both servers offer the same, from a calendar that was read.
    pub async fn settled(&mut self) {
        let due = "select count(*) from job where state = 'pending'
                     and (lease_owner is not null or run_at <= extract(epoch from now()) * 1000000)";
        let deadline = Instant::now() + PATIENCE;
        while self.count(due).await > 0 {
            assert!(Instant::now() < deadline, "jobs are still due");
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// What a `select count(*)` says.
    pub async fn count(&mut self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&mut self.database).await.unwrap()
    }

    /// The events of Ana's calendar that stand and are Cupo's.
    pub fn events(&self) -> Vec<Value> {
        let events = self.google.events("ana@example.com").unwrap();
        let is_ours = |event: &Value| event["id"].as_str().is_some_and(|id| id.starts_with("cupo"));
        events.into_iter().filter(|event| event["status"] != "cancelled" && is_ours(event)).collect()
    }

    pub async fn until<T>(&self, what: &str, question: impl AsyncFnMut() -> Option<T>) -> T {
        self.until_within(PATIENCE, what, question).await
    }

    /// Waits until a server offers the start no more, long before its cached slots are void by themselves.
    pub async fn soon_without(&self, server: usize, start: DateTime<Utc>) {
        let is_gone = async || (!self.slots(server).await.contains(&start)).then_some(());
        self.until_within(SOON, "an answer without the start", is_gone).await;
    }

    async fn until_within<T>(&self, patience: Duration, what: &str, mut question: impl AsyncFnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(answer) = question().await {
                return answer;
            }
            assert!(Instant::now() < deadline, "{what} did not come");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends the processes and removes the database.
    pub async fn end(mut self) {
        for process in self.running.iter_mut().chain(&mut self.workers) {
            process.kill().await;
        }
        self.place.remove().await;
    }
}

/// Two addresses of this machine at which nobody listens.
fn free_addresses() -> [String; 2] {
    // Both at once, so that they differ.
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().to_string())
}
