//! The transport before servers that misbehave, and what it leaves in the metrics.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use cupo_providers::google::{GoogleEndpoints, GoogleProvider};
use cupo_providers::{Access, Budgets, CalendarProvider, Expected, ProviderError, Secret, Transport, TransportConfig};
use cupo_simulators::google::Fault;
use futures::future::join_all;
use url::Url;

use crate::world::{ANA, World, appointment_event};

pub async fn provider_before(server: Router, config: TransportConfig) -> GoogleProvider {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api_url = Url::parse(&format!("http://{}/calendar/v3/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, server).await.unwrap() });
    GoogleProvider::new(Transport::new(config).unwrap(), GoogleEndpoints { api_url })
}

pub fn token(mailbox: &str) -> Access {
    Access::bearer(mailbox, Secret::new("ya29.very-secret"))
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let visited = Arc::new(AtomicUsize::new(0));
    let counter = visited.clone();
    let server = Router::new()
        .route("/calendar/v3/users/me/calendarList", get(async || Redirect::temporary("/elsewhere")))
        .route("/elsewhere", get(async move || counter.fetch_add(1, Ordering::SeqCst).to_string()));
    let google = provider_before(server, TransportConfig::default()).await;
    let told = google.list_calendars(&token("ana")).await;
    assert_eq!(told, Err(ProviderError::Rejected("307".into())));
    assert_eq!(visited.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused() {
    let server = Router::new().fallback(async || format!(r#"{{"items": [], "kind": "{}"}}"#, "x".repeat(5_000)));
    let small = TransportConfig { max_response_bytes: 4_096, ..TransportConfig::default() };
    let refused = provider_before(server.clone(), small).await.list_calendars(&token("ana")).await;
    assert!(matches!(refused, Err(ProviderError::Rejected(_))), "{refused:?}");
    let roomy = TransportConfig { max_response_bytes: 8_192, ..TransportConfig::default() };
    assert_eq!(provider_before(server, roomy).await.list_calendars(&token("ana")).await, Ok(Vec::new()));
}

#[tokio::test]
async fn an_answer_that_is_no_json_passes_and_pages_without_end_are_stopped() {
    let server = Router::new().fallback(async || "<html>maintenance</html>");
    let told = provider_before(server, TransportConfig::default()).await.list_calendars(&token("ana")).await;
    assert!(matches!(told, Err(ProviderError::Transient(_))), "{told:?}");

    let server = Router::new().fallback(async || r#"{"items": [], "nextPageToken": "again"}"#);
    let unlimited = TransportConfig { budgets: Budgets::unlimited(), ..TransportConfig::default() };
    let told = provider_before(server, unlimited).await.list_calendars(&token("ana")).await;
    assert!(matches!(told, Err(ProviderError::Rejected(_))), "{told:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_passes_and_its_error_holds_no_address() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api_url = Url::parse(&format!("http://{}/calendar/v3", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let google = GoogleProvider::new(Transport::new(TransportConfig::default()).unwrap(), GoogleEndpoints { api_url });
    let told = google.get_event(&token("ana"), ANA, "event1").await.unwrap_err();
    assert!(matches!(told, ProviderError::Transient(_)), "{told:?}");
    assert!(!told.to_string().contains("ana"), "{told}");
}

#[tokio::test]
async fn at_most_four_requests_of_a_mailbox_are_under_way() {
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counter, highest) = (under_way.clone(), most.clone());
    let server = Router::new().fallback(async move || {
        highest.fetch_max(counter.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(100)).await;
        counter.fetch_sub(1, Ordering::SeqCst);
        "{}"
    });
    let google = provider_before(server, TransportConfig::default()).await;
    let one = token("ana");
    join_all((0..12).map(|_| google.list_calendars(&one))).await;
    assert_eq!(most.swap(0, Ordering::SeqCst), 4);
    let two = token("ben");
    join_all((0..16).map(|index| google.list_calendars(if index % 2 == 0 { &one } else { &two }))).await;
    assert_eq!(most.load(Ordering::SeqCst), 8);
}

#[tokio::test]
async fn a_request_says_who_it_is_and_a_repetition_keeps_its_id() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let list = seen.clone();
    let server = Router::new().fallback(async move |request: Request| {
        list.lock().unwrap().push(request.headers().clone());
        http::StatusCode::BAD_GATEWAY.into_response()
    });
    let google = provider_before(server, TransportConfig::default()).await;
    google.list_calendars(&token("ana")).await.unwrap_err();
    google.list_calendars(&token("ana")).await.unwrap_err();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 6);
    assert!(seen[0]["user-agent"].to_str().unwrap().starts_with("Cupo/"));
    assert_eq!(seen[0]["authorization"], "Bearer ya29.very-secret");
    assert_eq!(seen[0]["x-request-id"], seen[2]["x-request-id"]);
    assert_ne!(seen[0]["x-request-id"], seen[3]["x-request-id"]);
}

/// An event is made, then asked for in vain while the server fails.
pub async fn a_success_and_a_failure(world: &World) {
    world.google.put_event(&world.token, ANA, &appointment_event(), Expected::Create).await.unwrap();
    world.simulator.add_fault(Fault { times: 3, status: Some(500), ..Fault::default() }).unwrap();
    world.google.get_event(&world.token, ANA, "event1").await.unwrap_err();
}

#[test]
fn every_attempt_is_counted_by_operation_and_result() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async { a_success_and_a_failure(&World::start().await).await });
    });
    let metrics = handle.render();
    for line in [
        r#"provider_requests_total{provider="google",operation="events.insert",result="ok"} 1"#,
        r#"provider_requests_total{provider="google",operation="events.get",result="transient"} 3"#,
        r#"provider_request_duration_seconds_count{provider="google",operation="events.get"} 3"#,
        r#"provider_requests_in_flight{provider="google"} 0"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in: {metrics}");
    }
}
