//! What the transport does not send: over a budget, to a dead host, to a private address.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use cupo_providers::google::{GoogleEndpoints, GoogleProvider};
use cupo_providers::{
    Budget, Budgets, CalendarProvider, CircuitConfig, CircuitPhase, ProviderBudget, ProviderError, Transport,
    TransportConfig,
};
use http::StatusCode;
use url::Url;

use crate::transport::token;

/// A server whose answer can be changed, and who calls it.
struct Service {
    google: GoogleProvider,
    transport: Transport,
    port: u16,
    status: Arc<AtomicU16>,
    visits: Arc<AtomicUsize>,
}

impl Service {
    async fn start(config: TransportConfig) -> Self {
        let (status, visits) = (Arc::new(AtomicU16::new(200)), Arc::new(AtomicUsize::new(0)));
        let (answered, counter) = (status.clone(), visits.clone());
        let server = Router::new().fallback(async move || {
            counter.fetch_add(1, Ordering::SeqCst);
            let status = StatusCode::from_u16(answered.load(Ordering::SeqCst)).unwrap();
            (status, r#"{"items": []}"#).into_response()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, server).await.unwrap() });
        let transport = Transport::new(config).unwrap();
        let google = google_at("127.0.0.1", port, &transport);
        Self { google, transport, port, status, visits }
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    fn visits(&self) -> usize {
        self.visits.swap(0, Ordering::SeqCst)
    }

    async fn call(&self, account: &str) -> Result<(), ProviderError> {
        self.google.list_calendars(&token(account)).await.map(|_| ())
    }
}

fn google_at(host: &str, port: u16, transport: &Transport) -> GoogleProvider {
    let api_url = Url::parse(&format!("http://{host}:{port}/calendar/v3")).unwrap();
    GoogleProvider::new(transport.clone(), GoogleEndpoints { api_url })
}

/// A circuit that opens after three failures. Nothing is repeated.
fn touchy(cool_down: Duration) -> TransportConfig {
    let circuit = CircuitConfig { failures: 3, cool_down, longest_cool_down: cool_down, ..CircuitConfig::default() };
    TransportConfig { circuit, max_retries: 0, ..TransportConfig::default() }
}

fn circuit_open() -> Result<(), ProviderError> {
    Err(ProviderError::Transient("circuit open".into()))
}

#[tokio::test]
async fn a_request_over_the_budget_of_its_account_is_not_sent_and_tells_when_to_come_back() {
    let budget = Budget { requests: 4, per: Duration::from_secs(600) };
    let budget = ProviderBudget { per_account: Some(budget), ..ProviderBudget::default() };
    let budgets = Budgets::unlimited().with("google", budget);
    let service = Service::start(TransportConfig { budgets, ..TransportConfig::default() }).await;
    service.call("ana").await.unwrap();
    service.call("ana").await.unwrap();
    let told = service.call("ana").await;
    let Err(ProviderError::Throttled(after)) = told else { panic!("{told:?}") };
    assert!((Duration::from_secs(60)..=Duration::from_secs(300)).contains(&after), "{after:?}");
    assert_eq!(service.visits(), 2);
    service.call("ben").await.unwrap();
    assert_eq!(service.visits(), 1);
}

#[tokio::test]
async fn repetitions_are_paid_from_the_same_budget() {
    let budget = Budget { requests: 4, per: Duration::from_secs(600) };
    let budget = ProviderBudget { per_project: Some(budget), ..ProviderBudget::default() };
    let budgets = Budgets::unlimited().with("google", budget);
    let service = Service::start(TransportConfig { budgets, ..TransportConfig::default() }).await;
    service.answers(503);
    let told = service.call("ana").await;
    assert!(matches!(told, Err(ProviderError::Throttled(_))), "{told:?}");
    assert_eq!(service.visits(), 2);
}

#[tokio::test]
async fn a_dead_host_is_left_alone_until_a_probe_finds_it_alive() {
    let service = Service::start(touchy(Duration::from_millis(100))).await;
    service.answers(500);
    for account in ["ana", "ben", "ana"] {
        assert_eq!(service.call(account).await, Err(ProviderError::Transient("500".into())));
    }
    let circuits = service.transport.circuits();
    assert_eq!((circuits[0].provider, circuits[0].phase), ("google", CircuitPhase::Open));
    assert_eq!(circuits[0].host, format!("127.0.0.1:{}", service.port));
    service.answers(200);
    // Who is refused is refused without a visit; the first who is not, is the probe.
    let mut refused = 0;
    service.visits();
    while let Err(error) = service.call("carla").await {
        assert_eq!(Err(error), circuit_open());
        assert_eq!(service.visits(), 0);
        refused += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(refused > 0);
    assert_eq!(service.visits(), 1);
    assert_eq!(service.transport.circuits(), []);
}

#[tokio::test]
async fn refusals_and_requests_to_wait_are_signs_of_life() {
    let service = Service::start(touchy(Duration::from_secs(60))).await;
    for status in [400, 401, 403, 404, 409, 410, 412, 429, 501] {
        service.answers(status);
        for account in ["ana", "ben", "ana", "ben"] {
            service.call(account).await.unwrap_err();
        }
        assert_eq!(service.visits(), 4, "{status}");
    }
    assert_eq!(service.transport.circuits(), []);
}

#[tokio::test]
async fn a_host_that_refuses_connections_needs_no_second_account() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let transport = Transport::new(touchy(Duration::from_secs(60))).unwrap();
    let google = google_at("127.0.0.1", port, &transport);
    for _ in 0..3 {
        assert_ne!(google.list_calendars(&token("ana")).await.map(|_| ()), circuit_open());
    }
    assert_eq!(google.list_calendars(&token("ana")).await.map(|_| ()), circuit_open());
}

#[tokio::test]
async fn a_hung_mailbox_does_not_cut_off_the_others() {
    let server = Router::new().fallback(async move |headers: axum::http::HeaderMap| {
        if headers["authorization"].to_str().unwrap().ends_with("hung") {
            std::future::pending::<()>().await;
        }
        r#"{"items": []}"#
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, server).await.unwrap() });
    let config = TransportConfig { total_timeout: Duration::from_millis(300), ..touchy(Duration::from_secs(60)) };
    let google = google_at("127.0.0.1", port, &Transport::new(config).unwrap());
    let hung = cupo_providers::Access::bearer("ana", cupo_providers::Secret::new("hung"));
    for _ in 0..6 {
        let told = google.list_calendars(&hung).await.map(|_| ());
        assert!(matches!(told, Err(ProviderError::Transient(_))) && told != circuit_open(), "{told:?}");
    }
    // A busy machine may be slower than this time-out: what counts is that the request was let through.
    assert_ne!(google.list_calendars(&token("ben")).await.map(|_| ()), circuit_open());
}

#[tokio::test]
async fn an_address_of_a_users_own_must_be_public() {
    let public_only = TransportConfig { allows_private_addresses: false, ..TransportConfig::default() };
    let service = Service::start(public_only).await;
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.0.0.1", "0.0.0.0"] {
        let told = google_at(host, service.port, &service.transport).list_calendars(&token("ana")).await;
        let refused = ProviderError::Rejected("the address is not on the public internet".into());
        assert_eq!(told, Err(refused), "{host}");
    }
    assert_eq!(service.visits(), 0);
    assert_eq!(service.transport.circuits(), [], "what was not sent says nothing of the host");
}

#[test]
fn what_is_not_sent_is_counted_and_an_open_circuit_is_shown() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let service = Service::start(touchy(Duration::from_millis(20))).await;
            service.answers(500);
            for account in ["ana", "ben", "ana", "ben"] {
                service.call(account).await.unwrap_err();
            }
            let metrics = handle.render();
            for line in [
                r#"provider_requests_total{provider="google",operation="calendarList.list",result="transient"} 3"#,
                r#"provider_requests_total{provider="google",operation="calendarList.list",result="circuit_open"} 1"#,
                r#"provider_request_duration_seconds_count{provider="google",operation="calendarList.list"} 3"#,
                r#"provider_circuit_open{provider="google"} 1"#,
            ] {
                assert!(metrics.contains(line), "{line} is not in: {metrics}");
            }
            service.answers(200);
            while service.call("ana").await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let metrics = handle.render();
            assert!(metrics.contains(r#"provider_circuit_open{provider="google"} 0"#), "{metrics}");
        });
    });
}
