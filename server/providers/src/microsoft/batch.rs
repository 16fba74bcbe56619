//! Several requests in one (<https://learn.microsoft.com/graph/json-batching>).

use std::time::Duration;

use bytes::Bytes;
use futures::future::{join_all, try_join_all};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{MicrosoftProvider, wire};
use crate::access::Access;
use crate::error::ProviderError;
use crate::transport::{ProviderRequest, ProviderResponse};

const BATCH: &str = "batch";
/// Graph refuses more.
const REQUESTS_A_BATCH: usize = 20;

/// A longer `Retry-After` than this is left to the caller, as the transport does.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What became of one request of several.
pub(super) type Answer = Result<ProviderResponse, ProviderError>;

/// The answers to `requests`, in their order. None of them may be conditional, and each harmless to repeat: what is
/// throttled inside a batch, or fails there in passing, is asked again alone.
///
/// # Errors
/// When a batch as a whole has no answer.
pub(super) async fn ask(
    microsoft: &MicrosoftProvider,
    access: &Access,
    requests: &[ProviderRequest],
) -> Result<Vec<Answer>, ProviderError> {
    if let [alone] = requests {
        return Ok(vec![microsoft.send(alone).await]);
    }
    let batches = requests.chunks(REQUESTS_A_BATCH).map(|batch| ask_batch(microsoft, access, batch));
    Ok(try_join_all(batches).await?.into_iter().flatten().collect())
}

async fn ask_batch(
    microsoft: &MicrosoftProvider,
    access: &Access,
    requests: &[ProviderRequest],
) -> Result<Vec<Answer>, ProviderError> {
    let base = microsoft.endpoints.graph_url.path().trim_end_matches('/');
    let parts = requests.iter().enumerate().map(|(index, request)| part(index, request, base));
    let body = json!({"requests": parts.collect::<Result<Vec<_>, _>>()?});
    let request = microsoft.service_request(access, BATCH, Method::POST, "$batch", &[])?;
    let answer: wire::BatchAnswer = microsoft.call(request.with_json(&body)).await?;
    let mut answers: Vec<Option<ProviderResponse>> = requests.iter().map(|_| None).collect();
    for response in answer.responses.unwrap_or_default() {
        let index = response.id.as_deref().and_then(|id| id.parse::<usize>().ok());
        if let Some(place) = index.and_then(|index| answers.get_mut(index)) {
            *place = read(response);
        }
    }
    let answers = requests.iter().zip(answers).map(|(request, response)| async move {
        let response = response.ok_or_else(|| wire::unreadable(BATCH, "responses"))?;
        match (request.classify)(&response) {
            None => Ok(response),
            Some(ProviderError::Throttled(pause)) if pause <= LONGEST_PAUSE => {
                tokio::time::sleep(pause).await;
                microsoft.send(request).await
            }
            Some(ProviderError::Transient(_)) => microsoft.send(request).await,
            Some(error) => Err(error),
        }
    });
    Ok(join_all(answers).await)
}

fn part(index: usize, request: &ProviderRequest, base: &str) -> Result<Value, ProviderError> {
    let path = request.url.path();
    let mut url = path.strip_prefix(base).unwrap_or(path).to_owned();
    if let Some(query) = request.url.query() {
        url = format!("{url}?{query}");
    }
    let headers: Map<String, Value> = request
        .headers
        .iter()
        .filter_map(|(name, value)| {
            let name = if *name == CONTENT_TYPE { "Content-Type" } else { name.as_str() };
            Some((name.to_owned(), value.to_str().ok()?.into()))
        })
        .collect();
    let mut part = json!({"id": index.to_string(), "method": request.method.as_str(), "url": url, "headers": headers});
    if !request.body.is_empty() {
        part["body"] = serde_json::from_slice(&request.body)
            .map_err(|_| ProviderError::Rejected(format!("{BATCH}: the body of a request is no JSON")))?;
    }
    Ok(part)
}

fn read(response: wire::BatchResponse) -> Option<ProviderResponse> {
    let headers = response.headers.unwrap_or_default();
    let headers = headers
        .into_iter()
        .filter_map(|(name, value)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?)));
    Some(ProviderResponse {
        status: StatusCode::from_u16(response.status?).ok()?,
        headers: HeaderMap::from_iter(headers),
        body: response.body.map_or_else(Bytes::new, |body| body.to_string().into()),
    })
}
