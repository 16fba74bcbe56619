//! Measures `POST /webhooks/google`: how long answers take at 500 notifications a second, and how many are taken at
//! most.
//!
//! A whole server with its worker, on SQLite (a file, synchronized at each commit) and, where `CUPO_TEST_POSTGRES_URL`
//! names a server, on a database of its own there. A host has 200 calendars at the Google simulator, each with a
//! channel; the simulator answers each request after 100 ms, as Google does, so that pulls are under way all the time.
//! Notifications are sent at a steady pace over connections that are kept alive; each one's time is counted from when
//! it was to be sent, however late that was. Then as many connections send without a pause, in turns to the server and
//! to a bare handler that answers 202: the ratio of requests per second is the last line, of SQLite.

#![expect(clippy::print_stdout, reason = "a benchmark's results are what it prints")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::http::StatusCode;
use axum::routing::post;
use axum::serve::ListenerExt;
use cupo_server::Server;
use cupo_server::commands::{SeedOptions, seed};
use cupo_server::config::Config;
use cupo_simulators::google::{
    CalendarSeed, Channel, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Fault, GoogleOptions, GoogleSimulator, QuotaSettings,
    UserSeed,
};
use sqlx::{AssertSqlSafe, Connection as _, Executor, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

const CALENDARS: usize = 200;
const PER_SECOND: u32 = 500;
const STEADY: Duration = Duration::from_secs(10);
const CONNECTIONS: usize = 32;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);
const PROVIDER_MS: u64 = 100;

/// What is measured on one store.
struct Figures {
    p50_ms: f64,
    p99_ms: f64,
    worst_ms: f64,
    accepted: usize,
    per_second: f64,
    ratio: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let total = usize::try_from(u64::from(PER_SECOND) * STEADY.as_secs())?;
    println!("{CALENDARS} calendars, {PER_SECOND} notifications a second for {} s", STEADY.as_secs());
    if let Ok(server) = std::env::var("CUPO_TEST_POSTGRES_URL") {
        let database = Database::create(&server).await?;
        let figures = measure(&database.url).await;
        database.remove().await?;
        report("PostgreSQL", &figures?, total)?;
    }
    let folder = tempfile::tempdir()?;
    let figures = measure(&format!("sqlite://{}", folder.path().join("cupo.db").display())).await?;
    report("SQLite", &figures, total)?;
    println!("webhooks_p50_ms={:.2}", figures.p50_ms);
    println!("webhooks_p99_ms={:.2}", figures.p99_ms);
    println!("webhooks_accepted={}", figures.accepted);
    println!("webhooks_per_second={:.0}", figures.per_second);
    println!("webhooks_http_ratio={:.3}", figures.ratio);
    Ok(())
}

fn report(store: &str, figures: &Figures, total: usize) -> Result<()> {
    let Figures { p50_ms, p99_ms, worst_ms, accepted, per_second, ratio } = figures;
    println!(
        "{store}: p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms, worst {worst_ms:.2} ms, {accepted} of {total} accepted; at \
         most {per_second:.0} a second, {ratio:.3} of a bare handler"
    );
    ensure!(*accepted == total, "not every notification was accepted");
    Ok(())
}

async fn measure(database: &str) -> Result<Figures> {
    let user = UserSeed {
        email: "ana@example.com".to_owned(),
        time_zone: "Europe/Madrid".to_owned(),
        calendars: (1..CALENDARS).map(|number| CalendarSeed::named(&format!("Room {number}"))).collect(),
    };
    let quota = QuotaSettings { per_user: None, per_project: None, ..QuotaSettings::default() };
    let google = GoogleSimulator::start(GoogleOptions { users: vec![user], quota, ..GoogleOptions::default() }).await?;
    let config = Config::from_toml(&configuration(database, &google.base_url()))?;
    let server = Server::start(config.clone()).await?;
    let options =
        SeedOptions { site_origin: "https://studio.example".to_owned(), simulator: Some(google.base_url().parse()?) };
    seed(&server.engine, &config, &options).await?;
    let channels = all_channels(&google).await?;
    google.add_fault(Fault { delay_ms: PROVIDER_MS, times: u32::MAX, ..Fault::default() })?;

    let address: SocketAddr = server.base_url.trim_start_matches("http://").parse()?;
    let notifications = Arc::new(Notifications { channels, address, sent: AtomicU64::new(1_000_000) });
    let mut times = at_a_steady_pace(&notifications).await?;
    times.sort_by(f64::total_cmp);
    let of = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];

    let bare = serve_bare().await?;
    let (mut of_server, mut of_bare) = (Vec::new(), Vec::new());
    // The first round of each warms up and does not count.
    for round in 0..=ROUNDS {
        let measured = as_fast_as_possible(&notifications, address).await?;
        let reference = as_fast_as_possible(&notifications, bare).await?;
        if round > 0 {
            of_server.push(measured);
            of_bare.push(reference);
        }
    }
    let per_second = median(of_server);
    let figures = Figures {
        p50_ms: of(50),
        p99_ms: of(99),
        worst_ms: times[times.len() - 1],
        accepted: times.len(),
        per_second,
        ratio: per_second / median(of_bare),
    };
    server.stop().await;
    google.stop().await;
    Ok(figures)
}

fn configuration(database: &str, google: &str) -> String {
    format!(
        r#"
listen = "127.0.0.1:0"
[database]
url = "{database}"
[secrets]
encryption_keys = ["k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]
session_secret = "a session secret of more than 32 characters"
[google]
client_id = "{DEMO_CLIENT_ID}"
client_secret = "{DEMO_CLIENT_SECRET}"
auth_url = "{google}/o/oauth2/v2/auth"
token_url = "{google}/token"
revoke_url = "{google}/revoke"
api_url = "{google}"
requests_per_minute_per_account = 0
requests_per_minute_per_project = 0
[limits]
webhooks_per_minute = 0
"#
    )
}

/// The channels of all calendars, once the worker has opened them.
async fn all_channels(google: &GoogleSimulator) -> Result<Vec<Channel>> {
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let channels = google.channels();
        if channels.len() >= CALENDARS {
            return Ok(channels);
        }
        ensure!(Instant::now() < deadline, "{} of {CALENDARS} channels were opened", channels.len());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The notifications to send, of each channel in turn, each with a number that is higher than any before.
struct Notifications {
    channels: Vec<Channel>,
    address: SocketAddr,
    sent: AtomicU64,
}

impl Notifications {
    fn next(&self) -> Vec<u8> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let channel = &self.channels[usize::try_from(number).unwrap_or(0) % self.channels.len()];
        let Channel { id, resource_id, resource_uri, .. } = channel;
        let token = channel.token.as_deref().unwrap_or_default();
        format!(
            "POST /webhooks/google HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\nx-goog-channel-id: {id}\r\n\
             x-goog-channel-token: {token}\r\nx-goog-message-number: {number}\r\nx-goog-resource-id: {resource_id}\r\n\
             x-goog-resource-uri: {resource_uri}\r\nx-goog-resource-state: exists\r\n\r\n",
            self.address
        )
        .into_bytes()
    }
}

/// Sends each notification at its time, and gives how many milliseconds after that it was accepted.
async fn at_a_steady_pace(notifications: &Arc<Notifications>) -> Result<Vec<f64>> {
    let total = PER_SECOND * u32::try_from(STEADY.as_secs())?;
    let begin = Instant::now() + Duration::from_millis(200);
    let mut connections = JoinSet::new();
    for first in 0..u32::try_from(CONNECTIONS)? {
        let notifications = notifications.clone();
        connections.spawn(async move {
            let mut connection = Connection::open(notifications.address).await?;
            let mut times = Vec::new();
            for number in (first..total).step_by(CONNECTIONS) {
                let due = begin + Duration::from_secs(1) * number / PER_SECOND;
                sleep_until(due).await;
                connection.ask(&notifications.next()).await?;
                times.push(due.elapsed().as_secs_f64() * 1000.0);
            }
            anyhow::Ok(times)
        });
    }
    let mut all = Vec::new();
    while let Some(ended) = connections.join_next().await {
        all.extend(ended??);
    }
    Ok(all)
}

/// Requests per second over one round.
async fn as_fast_as_possible(notifications: &Arc<Notifications>, address: SocketAddr) -> Result<f64> {
    let begin = Instant::now();
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let notifications = notifications.clone();
        connections.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut answered = 0_u32;
            while begin.elapsed() < ROUND {
                connection.ask(&notifications.next()).await?;
                answered += 1;
            }
            anyhow::Ok(answered)
        });
    }
    let mut answered = 0;
    while let Some(ended) = connections.join_next().await {
        answered += ended??;
    }
    Ok(f64::from(answered) / begin.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A connection that is kept alive.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4 * 1024) })
    }

    /// Sends a notification and reads its answer, which must be 202 and without a body.
    async fn ask(&mut self, notification: &[u8]) -> Result<()> {
        self.stream.write_all(notification).await?;
        self.buffer.clear();
        while !self.buffer.ends_with(b"\r\n\r\n") {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the connection was closed");
        }
        let head = std::str::from_utf8(&self.buffer)?;
        ensure!(head.starts_with("HTTP/1.1 202"), "{head}");
        Ok(())
    }
}

async fn serve_bare() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a fresh socket takes options"));
    let router = axum::Router::new().route("/webhooks/google", post(async || StatusCode::ACCEPTED));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// A database of its own on a PostgreSQL server.
struct Database {
    server: String,
    name: String,
    url: String,
}

impl Database {
    async fn create(server: &str) -> Result<Self> {
        let name = format!("cupo_bench_{}", std::process::id());
        let (address, query) = server.split_once('?').unwrap_or((server, ""));
        let (scheme, rest) = address.split_once("://").context("CUPO_TEST_POSTGRES_URL is no address")?;
        let authority = rest.split('/').next().unwrap_or_default();
        let url = format!("{scheme}://{authority}/{name}?{query}");
        let create = format!("create database {name} template template0");
        PgConnection::connect(server).await?.execute(AssertSqlSafe(create)).await?;
        Ok(Self { server: server.to_owned(), name, url })
    }

    async fn remove(self) -> Result<()> {
        let drop = format!("drop database {} with (force)", self.name);
        PgConnection::connect(&self.server).await?.execute(AssertSqlSafe(drop)).await?;
        Ok(())
    }
}
