//! Every request and its answer, kept for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::http_server::DropConnection;

const BODY_LIMIT: usize = 4 << 20;
/// Never kept, wherever they stand.
const SECRETS: [&str; 7] =
    ["access_token", "refresh_token", "id_token", "code_verifier", "client_secret", "assertion", "client_assertion"];
/// Never kept in forms and queries. In JSON these are names of harmless members.
const FORM_SECRETS: [&str; 2] = ["code", "token"];
const REDACTED: &str = "[redacted]";
/// The request headers that are kept.
const KEPT_HEADERS: [&str; 3] = ["prefer", "if-match", "if-none-match"];

/// A request to the API or the OAuth endpoints, and the answer it got. Secrets are redacted.
#[derive(Debug, Clone, Serialize)]
pub struct Exchange {
    pub at: DateTime<Utc>,
    pub method: String,
    /// As it was sent, percent-encoded.
    pub path: String,
    pub query: String,
    /// The request's headers that change what is asked: `prefer`, `if-match`, `if-none-match`.
    pub headers: BTreeMap<String, String>,
    /// The account whose access token the request carried.
    pub account: Option<String>,
    pub body: Option<Value>,
    pub status: u16,
    /// The answer, where it was JSON.
    pub answer: Option<Value>,
    /// Whether the connection was closed instead of answering.
    pub dropped: bool,
}

/// A simulator whose requests are recorded.
pub trait Recording: Send + Sync + 'static {
    /// The present instant of the simulated world.
    fn now(&self) -> DateTime<Utc>;

    /// The account of a live access token.
    fn account(&self, access_token: &str, now: DateTime<Utc>) -> Option<String>;

    /// Keeps an exchange.
    fn record(&self, exchange: Exchange);
}

/// The middleware around the API and the OAuth endpoints.
pub async fn record<S: Recording>(State(simulator): State<Arc<S>>, request: Request, next: Next) -> Response {
    let at = simulator.now();
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let query = redacted_query(parts.uri.query().unwrap_or_default());
    let account = bearer(&parts.headers).and_then(|token| simulator.account(token, at));
    let headers = kept(&parts.headers);
    let body = json_of(&parts.headers, &bytes);

    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    let dropped = response.extensions().get::<DropConnection>().is_some();
    let (parts, answer) = response.into_parts();
    let bytes = to_bytes(answer, usize::MAX).await.unwrap_or_default();
    let (status, answer) = (parts.status.as_u16(), json_of(&parts.headers, &bytes));
    simulator.record(Exchange { at, method, path, query, headers, account, body, status, answer, dropped });
    Response::from_parts(parts, Body::from(bytes))
}

/// The token of `Authorization: Bearer`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn kept(headers: &HeaderMap) -> BTreeMap<String, String> {
    let kept = KEPT_HEADERS.iter().filter_map(|name| {
        let values: Vec<&str> = headers.get_all(*name).iter().filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then(|| ((*name).to_owned(), values.join(", ")))
    });
    kept.collect()
}

fn json_of(headers: &HeaderMap, bytes: &Bytes) -> Option<Value> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    if kind.starts_with("application/json") {
        let mut value = serde_json::from_slice(bytes).ok()?;
        redact(&mut value);
        return Some(value);
    }
    if kind.starts_with("application/x-www-form-urlencoded") {
        let pairs = url::form_urlencoded::parse(bytes).into_owned();
        let shown = pairs.map(|(name, value)| {
            let value = if is_form_secret(&name) { json!(REDACTED) } else { json!(value) };
            (name, value)
        });
        return Some(shown.collect());
    }
    None
}

fn is_form_secret(name: &str) -> bool {
    SECRETS.contains(&name) || FORM_SECRETS.contains(&name)
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if SECRETS.contains(&name.as_str()) && member.is_string() {
                    *member = json!(REDACTED);
                } else {
                    redact(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

fn redacted_query(query: &str) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_form_secret(name) => format!("{name}=redacted"),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}
