//! Every request and its answer, kept for tests; faults strike here too.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::oauth::bearer;
use super::simulation::Google;
use crate::http_server::DropConnection;

const BODY_LIMIT: usize = 1 << 20;
/// Never kept, wherever they stand.
const SECRETS: [&str; 6] = ["access_token", "refresh_token", "code", "code_verifier", "client_secret", "assertion"];
const REDACTED: &str = "[redacted]";

/// A request to the API or the OAuth endpoints, and the answer it got. Secrets are redacted.
#[derive(Debug, Clone, Serialize)]
pub struct Exchange {
    pub at: DateTime<Utc>,
    pub method: String,
    /// As it was sent, percent-encoded.
    pub path: String,
    pub query: String,
    /// The account whose access token the request carried.
    pub account: Option<String>,
    pub body: Option<Value>,
    pub status: u16,
    /// The answer, where it was JSON.
    pub answer: Option<Value>,
    /// Whether the connection was closed instead of answering.
    pub dropped: bool,
}

/// The middleware around the API and the OAuth endpoints.
pub async fn record(State(google): State<Arc<Google>>, request: Request, next: Next) -> Response {
    let at = google.clock.now();
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let account = bearer(&parts.headers).and_then(|token| google.world().tokens.account(token, at));
    let recorded_body = json_of(&parts.headers, &bytes);

    let fault = google.faults().for_request(&method, &path);
    if let Some(fault) = fault.as_ref().filter(|fault| fault.delay_ms > 0) {
        tokio::time::sleep(std::time::Duration::from_millis(fault.delay_ms)).await;
    }
    let response = match fault.as_ref().and_then(|fault| fault.answer(&path)) {
        Some(answer) => answer,
        None => next.run(Request::from_parts(parts, Body::from(bytes))).await,
    };
    let dropped = fault.is_some_and(|fault| fault.drop_answer_after_effect);

    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    google.record_exchange(Exchange {
        at,
        method,
        path,
        query: redacted_query(&query),
        account,
        body: recorded_body,
        status: parts.status.as_u16(),
        answer: json_of(&parts.headers, &bytes),
        dropped,
    });
    let mut response = Response::from_parts(parts, Body::from(bytes));
    if dropped {
        response.extensions_mut().insert(DropConnection);
    }
    response
}

fn json_of(headers: &HeaderMap, bytes: &Bytes) -> Option<Value> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let mut value = if kind.starts_with("application/json") {
        serde_json::from_slice(bytes).ok()?
    } else if kind.starts_with("application/x-www-form-urlencoded") {
        let pairs = url::form_urlencoded::parse(bytes).into_owned();
        let redacted = |name: &str| name == "token";
        pairs
            .map(|(name, value)| (name.clone(), if redacted(&name) { json!(REDACTED) } else { json!(value) }))
            .collect()
    } else {
        return None;
    };
    redact(&mut value);
    Some(value)
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
    let secret = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        SECRETS.contains(&name) || name == "token"
    };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if secret(pair) => format!("{name}=redacted"),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}
