//! Feeds before servers of every kind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use cupo_providers::{Feed, FeedConfig, FeedError, FeedReader, Validators};

const FILE: &str = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n";

async fn serve(server: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, server).await.unwrap() });
    address
}

/// A reader that may visit this machine.
fn reader() -> FeedReader {
    reader_with(FeedConfig::default())
}

fn reader_with(config: FeedConfig) -> FeedReader {
    FeedReader::new(FeedConfig { allows_private_addresses: true, ..config }).unwrap()
}

#[tokio::test]
async fn a_file_is_read_once_and_then_known_by_its_etag() {
    let server = Router::new().route(
        "/a.ics",
        get(async |headers: HeaderMap| match headers.get("if-none-match") {
            Some(etag) if etag == "\"1\"" => StatusCode::NOT_MODIFIED.into_response(),
            _ => ([("etag", "\"1\"")], FILE).into_response(),
        }),
    );
    let address = format!("{}/a.ics", serve(server).await);
    let first = reader().get(&address, None).await.unwrap();
    assert_eq!(
        first,
        Feed::Changed {
            text: FILE.to_owned(),
            validators: Validators { etag: Some("\"1\"".to_owned()), last_modified: None }
        }
    );
    assert_eq!(reader().get(&address, Some("\"1\"")).await, Ok(Feed::Unchanged));
    assert_eq!(reader().get(&address, Some("\"0\"")).await, Ok(first));
}

#[tokio::test]
async fn a_port_that_is_not_the_webs_is_not_asked_where_only_those_are() {
    let asked = Arc::new(AtomicUsize::new(0));
    let server = {
        let counted = Arc::clone(&asked);
        Router::new().route("/", get(async move || counted.fetch_add(1, Ordering::Relaxed).to_string()))
    };
    let address = serve(server).await;
    let careful = reader_with(FeedConfig { usual_ports_only: true, ..FeedConfig::default() });
    assert!(matches!(careful.get(&address, None).await, Err(FeedError::Refused(_))));
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_few_redirects_are_followed_and_no_more() {
    let server = Router::new()
        .route("/0", get(async || FILE))
        .route("/{left}", get(async |Path(left): Path<u32>| Redirect::temporary(&format!("/{}", left - 1))));
    let address = serve(server).await;
    assert!(matches!(reader().get(&format!("{address}/3"), None).await, Ok(Feed::Changed { .. })));
    assert!(matches!(reader().get(&format!("{address}/4"), None).await, Err(FeedError::Refused(_))));
}

#[tokio::test]
async fn this_machine_and_its_network_are_not_visited() {
    let visits = Arc::new(AtomicUsize::new(0));
    let counter = visits.clone();
    let server = Router::new().fallback(async move || {
        counter.fetch_add(1, Ordering::SeqCst);
        FILE
    });
    let address = serve(server).await;
    let port = address.rsplit_once(':').unwrap().1;
    let public_only = FeedReader::new(FeedConfig::default()).unwrap();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.0.0.1", "0.0.0.0"] {
        let told = public_only.get(&format!("http://{host}:{port}/a.ics"), None).await;
        assert_eq!(told, Err(FeedError::PrivateAddress), "{host}");
    }
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_leads_to_the_web_only() {
    for place in ["file:///etc/passwd", "ftp://example.com/a.ics", "https://user:secret@example.com/"] {
        let server = Router::new().fallback(async move || Redirect::temporary(place));
        let told = reader().get(&serve(server).await, None).await;
        assert!(matches!(told, Err(FeedError::Refused(_))), "{place}: {told:?}");
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused() {
    let address = serve(Router::new().fallback(async || "x".repeat(5_000))).await;
    let small = reader_with(FeedConfig { max_bytes: 4_096, ..FeedConfig::default() });
    assert_eq!(small.get(&address, None).await, Err(FeedError::TooLarge));
}

#[tokio::test]
async fn a_fault_that_passes_is_told_from_one_that_stays() {
    let server = Router::new()
        .route("/gone", get(async || StatusCode::GONE))
        .route("/down", get(async || StatusCode::SERVICE_UNAVAILABLE))
        .route("/tired", get(async || (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "7")])))
        .route("/busy", get(async || (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "90")])))
        .route("/vague", get(async || (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "soon")])))
        .route("/slow", get(async || tokio::time::sleep(Duration::from_secs(60)).await));
    let address = serve(server).await;
    let hasty = reader_with(FeedConfig { total_timeout: Duration::from_millis(300), ..FeedConfig::default() });
    assert!(matches!(hasty.get(&format!("{address}/gone"), None).await, Err(FeedError::Refused(_))));
    assert!(matches!(hasty.get(&format!("{address}/down"), None).await, Err(FeedError::Transient(_))));
    for (path, seconds) in [("tired", 7), ("busy", 90)] {
        let told = hasty.get(&format!("{address}/{path}"), None).await;
        assert_eq!(told, Err(FeedError::Throttled(Duration::from_secs(seconds))), "{path}");
    }
    assert!(matches!(hasty.get(&format!("{address}/vague"), None).await, Err(FeedError::Transient(_))));
    assert!(matches!(hasty.get(&format!("{address}/slow"), None).await, Err(FeedError::Transient(_))));
    let told = hasty.get("http://nobody.invalid/secret-path", None).await.unwrap_err();
    assert!(matches!(&told, FeedError::Transient(why) if !why.contains("secret-path")), "{told:?}");
}

#[tokio::test]
async fn each_request_bears_an_id_of_its_own_which_redirects_keep() {
    let ids = Arc::new(Mutex::new(Vec::new()));
    let seen = ids.clone();
    let server = Router::new().route(
        "/{left}",
        get(async move |Path(left): Path<u32>, headers: HeaderMap| {
            seen.lock().unwrap().push(headers["x-request-id"].to_str().unwrap().to_owned());
            if left == 0 { FILE.into_response() } else { Redirect::temporary("/0").into_response() }
        }),
    );
    let address = serve(server).await;
    for path in ["1", "0"] {
        reader().get(&format!("{address}/{path}"), None).await.unwrap();
    }
    let ids = ids.lock().unwrap().clone();
    assert!(ids.iter().all(|id| id.len() == 32 && id.chars().all(|digit| digit.is_ascii_hexdigit())), "{ids:?}");
    assert!(ids.len() == 3 && ids[0] == ids[1] && ids[1] != ids[2], "{ids:?}");
}
