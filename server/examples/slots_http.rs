//! Measures `GET /embed/v1/slots` against a bare axum handler that returns the same bytes.
//!
//! One host, 30 days, 500 busy intervals, SQLite. Both servers run in this process and are loaded by the same client
//! (raw HTTP/1.1, keep-alive) in turns, so that what the machine does besides falls on both. The last two lines are
//! the ratios of requests per second, with the engine's cache warm, and emptied before each request.

#![expect(clippy::print_stdout, reason = "a benchmark's results are what it prints")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use axum::serve::ListenerExt;
use bytes::Bytes;
use chrono::{DateTime, Days, TimeDelta, Utc};
use cupo_core::event_type::RulesInput;
use cupo_core::ids::{AccountId, CalendarId, OrganizationId};
use cupo_core::interval::Interval;
use cupo_core::text::Locale;
use cupo_engine::clock::{Clock, SystemClock};
use cupo_engine::{EventTypeInput, Principal, SignUp};
use cupo_server::config::Config;
use cupo_server::{Running, Server};
use cupo_store::{
    AccountState, AuthKind, BusyInterval, BusyKind, Calendar, CalendarProviderAccount, Provider, account_insert,
    busy_intervals_replace, calendar_upsert,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const CONNECTIONS: usize = 16;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);
const BUSY_INTERVALS: i32 = 500;
const DAYS: u64 = 30;

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = format!(
        "listen = \"127.0.0.1:0\"\n[database]\nurl = \"sqlite://{}\"\n[secrets]\n\
         encryption_keys = [\"k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"]\n\
         session_secret = \"a session secret of more than 32 characters\"\n[limits]\nslots_per_minute = 0\n",
        folder.path().join("cupo.db").display()
    );
    let server = Server::start(Config::from_toml(&config)?).await?;
    let now = SystemClock.now();
    let organization_id = make_host(&server, now).await?;
    let from = now.date_naive();
    let to = from + Days::new(DAYS - 1);
    let path = format!("/embed/v1/slots?org=bench&event=intro&from={from}&to={to}");

    let address: SocketAddr = server.base_url.trim_start_matches("http://").parse()?;
    let request = request(&path, address);
    let body = body_of(address, &request).await?;
    println!("{} bytes of slots, {CONNECTIONS} connections, {ROUNDS} rounds of {} s", body.len(), ROUND.as_secs());
    let bare = serve_bare(body.clone()).await?;
    ensure!(body_of(bare, &request).await? == body, "both answer the same bytes");

    let keep_warm = Arc::new(|| {});
    let empty_cache = {
        let engine = server.engine.clone();
        Arc::new(move || engine.invalidate(&organization_id))
    };
    let warm = compare("warm", address, bare, &request, keep_warm).await?;
    let cold = compare("cold", address, bare, &request, empty_cache).await?;
    server.stop().await;
    println!("slots_http_ratio_warm={warm:.2}");
    println!("slots_http_ratio_cold={cold:.4}");
    Ok(())
}

/// Loads both in turns and gives the ratio of the medians.
async fn compare(
    name: &str,
    slots: SocketAddr,
    bare: SocketAddr,
    request: &Bytes,
    before_each: Arc<impl Fn() + Send + Sync + 'static>,
) -> Result<f64> {
    let (mut of_slots, mut of_bare) = (Vec::new(), Vec::new());
    // The first round of each warms up and does not count.
    for round in 0..=ROUNDS {
        let measured = load(slots, request, before_each.clone()).await?;
        let reference = load(bare, request, Arc::new(|| {})).await?;
        if round > 0 {
            of_slots.push(measured);
            of_bare.push(reference);
        }
    }
    let (slots, bare) = (median(of_slots), median(of_bare));
    println!("{name}: slots {slots:.0} requests/s, bare handler {bare:.0} requests/s");
    Ok(slots / bare)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Requests per second over one round.
async fn load(
    address: SocketAddr,
    request: &Bytes,
    before_each: Arc<impl Fn() + Send + Sync + 'static>,
) -> Result<f64> {
    let answered = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let mut connections = JoinSet::new();
    let started = Instant::now();
    for _ in 0..CONNECTIONS {
        let (request, answered, over, before_each) =
            (request.clone(), answered.clone(), over.clone(), before_each.clone());
        connections.spawn(async move {
            let mut connection = Connection::open(address).await?;
            while !over.load(Ordering::Relaxed) {
                before_each();
                connection.ask(&request).await?;
                answered.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    tokio::time::sleep(ROUND).await;
    let rate = answered.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
    over.store(true, Ordering::Relaxed);
    while let Some(ended) = connections.join_next().await {
        ended??;
    }
    Ok(rate)
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
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request, reads the whole answer, and says where its body begins in the buffer.
    async fn ask(&mut self, request: &[u8]) -> Result<usize> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut whole = None;
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the connection was closed");
            if whole.is_none() {
                whole = head(&self.buffer)?;
            }
            if let Some((start, length)) = whole
                && self.buffer.len() >= start + length
            {
                return Ok(start);
            }
        }
    }
}

/// Where the body begins and how long it is, once the head is there.
fn head(answer: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&answer[..end])?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    Ok(Some((end + 4, length.context("the answer tells its length")?)))
}

fn request(path: &str, address: SocketAddr) -> Bytes {
    format!("GET {path} HTTP/1.1\r\nhost: {address}\r\naccept: application/json\r\n\r\n").into()
}

async fn body_of(address: SocketAddr, request: &[u8]) -> Result<Bytes> {
    let mut connection = Connection::open(address).await?;
    let start = connection.ask(request).await?;
    Ok(Bytes::copy_from_slice(&connection.buffer[start..]))
}

async fn serve_bare(body: Bytes) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a fresh socket takes options"));
    let handler = get(move || async move { ([(CONTENT_TYPE, "application/json")], body) });
    let router = axum::Router::new().route("/embed/v1/slots", handler);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// An organization `bench` with the event type `intro`, whose host has [`BUSY_INTERVALS`] busy intervals.
async fn make_host(server: &Running, now: DateTime<Utc>) -> Result<OrganizationId> {
    let signed_in = server
        .engine
        .sign_up(SignUp {
            email: "bench@example.com".to_owned(),
            password: "a password for a benchmark".to_owned(),
            name: "Bench Mark".to_owned(),
            organization_name: "Bench".to_owned(),
            organization_slug: "bench".to_owned(),
            time_zone: "Europe/Madrid".to_owned(),
            locale: Locale::En,
        })
        .await?;
    let principal = signed_in.principal;
    let event_type = EventTypeInput {
        title: "Introduction".to_owned(),
        slug: "intro".to_owned(),
        rules: RulesInput { increment_minutes: 15, ..RulesInput::default() },
        ..EventTypeInput::default()
    };
    server.engine.event_type_save(&principal, None, event_type).await?;
    fill_calendar(server, &principal, now).await?;
    server.engine.invalidate(&principal.organization_id);
    Ok(principal.organization_id)
}

async fn fill_calendar(server: &Running, principal: &Principal, now: DateTime<Utc>) -> Result<()> {
    let account = CalendarProviderAccount {
        id: AccountId::parse("00000000-0000-7000-8000-000000000001").expect("this is a UUID"),
        organization_id: principal.organization_id.clone(),
        user_id: principal.user_id.clone(),
        provider: Provider::Google,
        auth_kind: AuthKind::UserOauth,
        email: "bench@example.com".to_owned(),
        impersonated_email: None,
        credential_id: None,
        scopes: Vec::new(),
        token_ciphertext: None,
        token_version: 0,
        state: AccountState::Active,
        state_reason: None,
        claims_challenge: None,
        created_at: now,
        updated_at: now,
    };
    let calendar = Calendar {
        id: CalendarId::parse("00000000-0000-7000-8000-000000000002").expect("this is a UUID"),
        organization_id: principal.organization_id.clone(),
        account_id: account.id.clone(),
        user_id: principal.user_id.clone(),
        external_id: "bench@example.com".to_owned(),
        name: "Bench".to_owned(),
        time_zone: None,
        color: None,
        can_write: true,
        is_primary: true,
        meetings: Vec::new(),
        checks_conflicts: true,
        receives_events: true,
        tentative_blocks: true,
        unanswered_blocks: true,
        sync_cursor: Some("cursor".to_owned()),
        synced_at: Some(now),
        mirror_until: Some(now + TimeDelta::days(365)),
        sync_error: None,
    };
    let step = TimeDelta::days(30) / BUSY_INTERVALS;
    let busy = (0..BUSY_INTERVALS).map(|number| {
        let start = now + step * number;
        BusyInterval {
            calendar_id: calendar.id.clone(),
            organization_id: principal.organization_id.clone(),
            external_event_id: format!("event{number}"),
            interval: Interval { start, end: start + TimeDelta::minutes(30) },
            kind: BusyKind::Busy,
            title: None,
        }
    });
    let busy: Vec<BusyInterval> = busy.collect();
    let mut tx = server.store.write().await?;
    account_insert(&mut tx, &account).await?;
    calendar_upsert(&mut tx, &calendar).await?;
    busy_intervals_replace(&mut tx, &principal.organization_id, &calendar.id, busy, now).await?;
    tx.commit().await?;
    Ok(())
}
