//! A front that stands before any HTTP server and lets faults strike what goes through: for servers that cannot be told
//! to fail, such as a real CalDAV server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, RETRY_AFTER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::faults::{self, Aim, Faults, Strike, Struck};
use crate::http_server::{BoundListener, HttpServer};
use crate::simulation::lock;

const BODY_LIMIT: usize = 16 << 20;
/// They concern one connection only.
const HOP_BY_HOP: [HeaderName; 4] = [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH, HOST];

/// A fault for the next `times` requests that match. It needs one effect at least: `status`, `delay_ms` or
/// `drop_answer_after_effect`.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The HTTP method; any, when absent.
    pub method: Option<String>,
    /// A regular expression that is searched in the path.
    pub path_pattern: Option<String>,
    /// How many matches it concerns; at least 1.
    pub times: u32,
    /// Answer with this status (400 to 599) and do nothing.
    pub status: Option<u16>,
    /// The header `Retry-After` beside `status`, in seconds.
    pub retry_after: Option<u64>,
    /// Wait before anything else, in milliseconds.
    pub delay_ms: u64,
    /// Do everything that was asked, then close the connection without an answer.
    pub drop_answer_after_effect: bool,
}

impl Default for Fault {
    fn default() -> Self {
        Self {
            method: None,
            path_pattern: None,
            times: 1,
            status: None,
            retry_after: None,
            delay_ms: 0,
            drop_answer_after_effect: false,
        }
    }
}

impl faults::Fault for Fault {
    type Target = ();

    fn target(&self) -> anyhow::Result<()> {
        let has_effect = self.status.is_some() || self.delay_ms > 0 || self.drop_answer_after_effect;
        anyhow::ensure!(has_effect, "the fault has no effect: name status, delay_ms or another");
        if let Some(status) = self.status {
            anyhow::ensure!((400..=599).contains(&status), "status must be from 400 to 599");
            anyhow::ensure!(!self.drop_answer_after_effect, "a dropped answer has no status");
        }
        Ok(())
    }

    fn aim(&self) -> Aim<'_> {
        Aim { method: self.method.as_deref(), path_pattern: self.path_pattern.as_deref(), times: self.times }
    }
}

/// Where the requests go, and what they meet on the way.
#[derive(Debug)]
struct Way {
    target: String,
    http: reqwest::Client,
    faults: Mutex<Faults<Fault>>,
}

impl Way {
    fn faults(&self) -> MutexGuard<'_, Faults<Fault>> {
        lock(&self.faults)
    }
}

impl Struck for Way {
    fn strike(&self, method: &str, path: &str) -> Option<Strike> {
        let fault = self.faults().take((), Some(method), path)?;
        let answer = fault.status.and_then(|status| StatusCode::from_u16(status).ok()).map(|status| {
            let mut response = status.into_response();
            if let Some(seconds) = fault.retry_after {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            response
        });
        Some(Strike {
            delay: Duration::from_millis(fault.delay_ms),
            answer,
            drop_answer: fault.drop_answer_after_effect,
            ..Strike::default()
        })
    }
}

/// A running front.
#[derive(Debug)]
pub struct Front {
    way: Arc<Way>,
    server: HttpServer,
}

impl Front {
    /// Listens (port 0 asks the system for a free one) and hands every request on to `target`, which is a scheme and an
    /// authority such as `http://127.0.0.1:5232`.
    pub async fn start(listen: SocketAddr, target: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("the client behind the front cannot be made")?;
        let way = Arc::new(Way { target: target.trim_end_matches('/').to_owned(), http, faults: Mutex::default() });
        let router = Router::new()
            .fallback(hand_on)
            .layer(axum::middleware::from_fn_with_state(Arc::clone(&way), faults::strike::<Way>))
            .with_state(Arc::clone(&way));
        let server = BoundListener::bind(listen).await?.serve(router);
        Ok(Self { way, server })
    }

    /// `http://` and the address, without a slash at the end.
    pub fn base_url(&self) -> String {
        self.server.base_url()
    }

    /// Arms a fault.
    pub fn add_fault(&self, fault: Fault) -> anyhow::Result<()> {
        self.way.faults().add(fault)
    }

    /// Forgets all faults.
    pub fn clear_faults(&self) {
        self.way.faults().clear();
    }

    /// Answers what is under way and ends.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

async fn hand_on(State(way): State<Arc<Way>>, request: Request) -> Response {
    match pass(&way, request).await {
        Ok(response) => response,
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "what stands behind the front did not answer");
            StatusCode::BAD_GATEWAY.into_response()
        }
    }
}

async fn pass(way: &Way, request: Request) -> anyhow::Result<Response> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await?;
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let answer = way
        .http
        .request(parts.method, format!("{}{path}", way.target))
        .headers(end_to_end(&parts.headers))
        .body(body)
        .send()
        .await?;
    let (status, headers) = (answer.status(), end_to_end(answer.headers()));
    let body: Bytes = answer.bytes().await?;
    let mut response = (status, Body::from(body)).into_response();
    *response.headers_mut() = headers;
    Ok(response)
}

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| !HOP_BY_HOP.contains(name));
    let mut all = HeaderMap::new();
    for (name, value) in kept {
        all.append(name.clone(), value.clone());
    }
    all
}
