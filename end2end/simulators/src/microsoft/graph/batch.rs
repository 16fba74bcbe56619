//! `$batch`: up to 20 requests in one, each answered with a status of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::super::simulation::Microsoft;
use super::caller::Caller;
use super::error::GraphError;

const MOST: usize = 20;

#[derive(Deserialize)]
struct Batch {
    requests: Vec<Inner>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inner {
    id: String,
    method: String,
    /// Relative to `/v1.0`.
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// `POST /v1.0/$batch`. The inner requests go through `inner`, which is all of Graph but this.
pub async fn batch(microsoft: &Arc<Microsoft>, inner: Router, headers: &HeaderMap, body: &Bytes) -> Response {
    if let Err(error) = Caller::read(&microsoft.world(), headers, microsoft.clock.now()) {
        return error.into_response();
    }
    let batch = match read(body) {
        Ok(batch) => batch,
        Err(error) => return error.into_response(),
    };
    let mut statuses: HashMap<String, StatusCode> = HashMap::new();
    let mut responses = Vec::new();
    for request in batch.requests {
        let met = |id: &String| statuses.get(id).is_some_and(StatusCode::is_success);
        let answer = if request.depends_on.iter().all(met) {
            send(inner.clone(), headers, &request).await
        } else {
            let message = "The request was not run: one that it depends on failed.";
            let error = GraphError::new(StatusCode::FAILED_DEPENDENCY, "FailedDependency", message);
            told(&request.id, error.into_response()).await
        };
        statuses.insert(request.id, answer.0);
        responses.push(answer.1);
    }
    // The order of the answers is not that of the requests.
    responses.reverse();
    axum::Json(json!({ "responses": responses })).into_response()
}

fn read(body: &Bytes) -> Result<Batch, GraphError> {
    let invalid = |message: String| GraphError::bad_request("BadRequest", message);
    let batch: Batch =
        serde_json::from_slice(body).map_err(|error| invalid(format!("Invalid batch payload: {error}")))?;
    if batch.requests.is_empty() || batch.requests.len() > MOST {
        return Err(invalid(format!("Number of batch request steps must be from 1 to {MOST}.")));
    }
    for (index, request) in batch.requests.iter().enumerate() {
        let before = &batch.requests[..index];
        if before.iter().any(|other| other.id == request.id) {
            return Err(invalid(format!("Request Id: {} is not unique in the batch.", request.id)));
        }
        if let Some(unknown) = request.depends_on.iter().find(|id| !before.iter().any(|other| other.id == **id)) {
            return Err(invalid(format!("dependsOn names {unknown}, which is no earlier request.")));
        }
    }
    Ok(batch)
}

async fn send(inner: Router, headers: &HeaderMap, request: &Inner) -> (StatusCode, Value) {
    let path = format!("/v1.0/{}", request.url.trim_start_matches('/'));
    let mut sent = Request::builder().method(request.method.to_uppercase().as_str()).uri(path);
    if let Some(authorization) = headers.get(AUTHORIZATION) {
        sent = sent.header(AUTHORIZATION, authorization);
    }
    for (name, value) in &request.headers {
        if !name.eq_ignore_ascii_case("authorization") {
            sent = sent.header(name, value);
        }
    }
    let has_kind = request.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
    let body = match &request.body {
        Some(_) if !has_kind => {
            let error = GraphError::bad_request("BadRequest", "A body needs the header Content-Type.");
            return told(&request.id, error.into_response()).await;
        }
        Some(body) => Body::from(body.to_string()),
        None => Body::empty(),
    };
    let response = match sent.body(body) {
        Ok(sent) => inner.oneshot(sent).await.unwrap_or_else(|never| match never {}),
        Err(_) => GraphError::bad_request("BadRequest", "The inner request is malformed.").into_response(),
    };
    told(&request.id, response).await
}

/// Status and JSON form of an inner answer.
async fn told(id: &str, response: Response) -> (StatusCode, Value) {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let headers: BTreeMap<String, String> = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((capitalised(name.as_str()), value.to_str().ok()?.to_owned())))
        .collect();
    let mut answer = json!({ "id": id, "status": parts.status.as_u16(), "headers": headers });
    if !bytes.is_empty() {
        let is_json =
            parts.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        let parsed = is_json.then(|| serde_json::from_slice(&bytes).ok()).flatten();
        answer["body"] = parsed.unwrap_or_else(|| json!(STANDARD.encode(&bytes)));
    }
    (parts.status, answer)
}

/// A header's name as Graph writes it in a batch, where clients look for it letter by letter.
fn capitalised(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    });
    words.collect::<Vec<_>>().join("-")
}
