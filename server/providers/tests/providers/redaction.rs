//! What is logged of requests: enough to find a fault, and no token, password, address, calendar or path with ids.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::Router;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cupo_providers::{
    Access, CalendarProvider, Expected, FeedConfig, FeedReader, ProviderError, Secret, SyncCursor, TransportConfig,
};
use cupo_simulators::google::Fault;
use http::StatusCode;
use url::Url;

use crate::transport::{provider_before, token};
use crate::world::{ANA, GUEST, World, appointment_event, hours};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything that this crate logs meanwhile, at every level. Each line tells the request that it belongs to.
fn logged<T>(what: impl Future<Output = T>) -> (String, T) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("cupo_providers=trace")
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = tracing::subscriber::with_default(subscriber, || runtime.block_on(what));
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.lines().all(|line| line.contains("request_id=")), "a line belongs to no request: {log}");
    (log, outcome)
}

fn assert_hidden(log: &str, hidden: &[&str]) {
    for hidden in hidden {
        assert!(!log.contains(hidden), "{hidden} is in the log: {log}");
    }
}

#[test]
fn the_log_tells_the_request_without_tokens_or_addresses() {
    let (log, token) = logged(async {
        let world = World::start().await;
        world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
        world.simulator.add_fault(Fault { times: 3, status: Some(500), ..Fault::default() }).unwrap();
        world.google.get_event(&world.token, ANA, "event1").await.unwrap_err();
        world.google.free_busy(&world.token, &[ANA], hours(0, 1)).await.unwrap();
        world.google.changes(&world.token, ANA, Some(&SyncCursor::new("old-cursor")), hours(0, 1)).await.unwrap_err();
        world.token.token().unwrap().expose().to_owned()
    });
    for told in [
        "events.insert",
        "calendars/{calendarId}/events/{eventId}",
        "127.0.0.1",
        "status=200",
        "status=500",
        "attempt=2",
    ] {
        assert!(log.contains(told), "{told} is not in the log: {log}");
    }
    assert_hidden(&log, &[&token, ANA, "ana%40example.com", GUEST, "Consultation", "event1", "old-cursor"]);
}

#[test]
fn the_attempts_of_one_request_share_their_id() {
    let (log, _) = logged(async {
        let server = Router::new().fallback(async || StatusCode::BAD_GATEWAY);
        let google = provider_before(server, TransportConfig::default()).await;
        google.list_calendars(&token("ana")).await.unwrap_err();
    });
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("provider_request{")).collect();
    assert_eq!(lines.len(), 3, "{log}");
    let id = |line: &str| line.split("request_id=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    assert_eq!(lines.iter().map(|line| id(line)).collect::<BTreeSet<_>>().len(), 1, "{log}");
}

#[test]
fn a_password_and_a_home_are_not_logged() {
    let (log, told) = logged(async {
        let server = Router::new().fallback(async || StatusCode::UNAUTHORIZED);
        let google = provider_before(server, TransportConfig::default()).await;
        let home = Url::parse("https://dav.example/calendars/ana-home/").unwrap();
        let access = Access::basic("account-1", home, "ana@example.com", Secret::new("app-password"));
        google.get_event(&access, "ana-calendar", "event-id").await.unwrap_err()
    });
    assert!(log.contains("events.get"), "{log}");
    let encoded = BASE64_STANDARD.encode("ana@example.com:app-password");
    let hidden = ["app-password", &encoded, "ana@example.com", "ana-home", "ana-calendar", "event-id"];
    assert_hidden(&log, &hidden);
    assert_hidden(&told.to_string(), &hidden);
}

#[test]
fn the_address_of_a_feed_is_not_logged() {
    let (log, told) = logged(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Router::new().route("/private-here/basic.ics", axum::routing::get(async || StatusCode::GONE));
        tokio::spawn(async move { axum::serve(listener, server).await.unwrap() });
        let open = FeedConfig { allows_private_addresses: true, ..FeedConfig::default() };
        let reader = FeedReader::new(open).unwrap();
        let closed = FeedReader::new(FeedConfig::default()).unwrap();
        let mut told = Vec::new();
        for (reader, address) in [
            (&reader, format!("http://{address}/private-here/basic.ics?key=secret-key")),
            (&closed, format!("http://{address}/private-here/basic.ics?key=secret-key")),
            (&reader, "http://127.0.0.1:1/private-here/basic.ics?key=secret-key".to_owned()),
            (&reader, "https://user:secret-key@127.0.0.1:1/private-here/basic.ics".to_owned()),
        ] {
            told.push(reader.get(&address, None).await.unwrap_err().to_string());
        }
        told.join("\n")
    });
    assert!(log.contains("feed_request"), "{log}");
    assert_hidden(&log, &["private-here", "secret-key", "basic.ics"]);
    assert_hidden(&told, &["private-here", "secret-key", "basic.ics"]);
}

#[test]
fn a_host_that_is_left_alone_is_named_and_nobody_who_called_it() {
    let (log, told) = logged(async {
        let server = Router::new().fallback(async || StatusCode::BAD_GATEWAY);
        let google = provider_before(server, TransportConfig::default()).await;
        let mut told = Vec::new();
        for index in 0..6 {
            let account = format!("account-{index}");
            told.push(google.get_event(&token(&account), "ana-calendar", "event-id").await.unwrap_err());
        }
        told
    });
    assert_eq!(told.last(), Some(&ProviderError::Transient("circuit open".into())));
    assert!(log.contains("is left alone"), "{log}");
    assert!(log.contains("circuit_open"), "{log}");
    assert_hidden(&log, &["account-", "ana-calendar", "event-id", "ya29"]);
}
