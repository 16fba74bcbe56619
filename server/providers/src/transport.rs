//! The one place that talks to providers: it times out, limits, repeats, counts, traces and redacts.
//!
//! Adapters hand it a `ProviderRequest` with a classifier that reads an answer as an error or not; they never see a
//! connection. What is logged: the method, host, path template, status and duration; never a token, an address or a
//! calendar's id, which is an e-mail address as often as not.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, IF_MATCH, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tracing::{Instrument, field};
use url::Url;

use crate::error::ProviderError;
use crate::secret::AccessToken;

/// A longer `Retry-After` than this is left to the caller, who can wait without holding anything.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The pause before the first repetition; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// A `Retry-After` beyond a day is read as a day.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How the transport behaves.
#[derive(Debug, Clone)]
pub struct TransportConfig {
    pub connect_timeout: Duration,
    /// From the first byte sent to the last byte read, for one attempt.
    pub total_timeout: Duration,
    /// A larger answer is refused.
    pub max_response_bytes: usize,
    /// Requests under way with the tokens of one mailbox; the others wait.
    pub max_concurrent_per_mailbox: usize,
    /// Repetitions of an idempotent request after its first attempt.
    pub max_retries: u32,
    pub user_agent: String,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(10),
            max_response_bytes: 32 * 1024 * 1024,
            max_concurrent_per_mailbox: 4,
            max_retries: 2,
            user_agent: concat!("Cupo/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// A request as an adapter builds it.
#[derive(Debug, Clone)]
pub(crate) struct ProviderRequest {
    pub(crate) provider: &'static str,
    /// The provider's name of the method, such as `events.insert`.
    pub(crate) operation: &'static str,
    /// The path with placeholders instead of ids.
    pub(crate) path_template: &'static str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) token: Option<AccessToken>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether sending it twice has the effect of sending it once.
    pub(crate) is_idempotent: bool,
    /// Reads an answer as an error; `None` hands it to the adapter.
    pub(crate) classify: fn(&ProviderResponse) -> Option<ProviderError>,
}

impl ProviderRequest {
    pub(crate) fn with_json(mut self, body: &serde_json::Value) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = body.to_string().into();
        self
    }

    /// Makes the request conditional. One that may have had its effect already would fail the second time, so a
    /// conditional request is not repeated.
    pub(crate) fn with_if_match(mut self, etag: &str) -> Result<Self, ProviderError> {
        let etag =
            HeaderValue::from_str(etag).map_err(|_| ProviderError::Rejected("the etag is not readable".into()))?;
        self.headers.insert(IF_MATCH, etag);
        self.is_idempotent = false;
        Ok(self)
    }
}

/// An answer as an adapter parses it.
#[derive(Debug)]
pub(crate) struct ProviderResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl ProviderResponse {
    /// `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), which is measured from the answer's own `Date`.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        let pause = text.parse().map(Duration::from_secs).ok().or_else(|| {
            let sent = DateTime::parse_from_rfc2822(self.headers.get(DATE)?.to_str().ok()?).ok()?;
            Some((DateTime::parse_from_rfc2822(text).ok()? - sent).to_std().unwrap_or_default())
        })?;
        Some(pause.min(LONGEST_RETRY_AFTER))
    }
}

/// The HTTP client of every adapter. Cheap to clone; one per process, so that the limits hold.
#[derive(Debug, Clone)]
pub struct Transport(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: reqwest::Client,
    config: TransportConfig,
    /// One semaphore for each mailbox with requests under way or waiting.
    mailboxes: Mutex<HashMap<Arc<str>, Weak<Semaphore>>>,
}

impl Transport {
    /// Fails when the machine's TLS cannot be set up or the user agent is no header value.
    pub fn new(config: TransportConfig) -> Result<Self, ProviderError> {
        let client = reqwest::Client::builder()
            .connect_timeout(config.connect_timeout)
            .timeout(config.total_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(&config.user_agent)
            .build()
            .map_err(|error| ProviderError::Rejected(describe(error)))?;
        Ok(Self(Arc::new(Inner { client, config, mailboxes: Mutex::default() })))
    }

    /// Sends the request, again if that is harmless and may help.
    pub(crate) async fn send(&self, request: &ProviderRequest) -> Result<ProviderResponse, ProviderError> {
        let request_id = format!("{:032x}", rand::random::<u128>());
        let mut attempt = 0;
        loop {
            let outcome = self.attempt(request, &request_id, attempt).await;
            let pause = match &outcome {
                Err(error) if request.is_idempotent && attempt < self.0.config.max_retries => pause(error, attempt),
                _ => None,
            };
            let Some(pause) = pause else { return outcome };
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// One attempt, counted and traced.
    async fn attempt(
        &self,
        request: &ProviderRequest,
        request_id: &str,
        attempt: u32,
    ) -> Result<ProviderResponse, ProviderError> {
        let mailbox = request.token.as_ref().map(|token| self.mailbox(token.mailbox()));
        let _permit = match &mailbox {
            Some(semaphore) => Some(acquire(semaphore).await),
            None => None,
        };
        let span = tracing::info_span!(
            "provider_request",
            provider = request.provider,
            operation = request.operation,
            method = %request.method,
            host = request.url.host_str(),
            path = request.path_template,
            request_id,
            attempt,
            status = field::Empty,
            result = field::Empty,
            duration_ms = field::Empty,
        );
        let started = Instant::now();
        let answer = self.exchange(request, request_id).instrument(span.clone()).await;
        let elapsed = started.elapsed();
        if let Ok(response) = &answer {
            span.record("status", response.status.as_u16());
        }
        let outcome = answer.and_then(|response| match (request.classify)(&response) {
            Some(error) => Err(error),
            None => Ok(response),
        });
        let result = outcome.as_ref().map_or_else(ProviderError::label, |_| "ok");
        span.record("result", result);
        span.record("duration_ms", elapsed.as_millis());
        span.in_scope(|| match &outcome {
            Err(error) => tracing::info!(%error, "a provider request failed"),
            Ok(_) => tracing::debug!("a provider answered"),
        });
        let labels = [("provider", request.provider), ("operation", request.operation)];
        metrics::counter!("provider_requests_total", &[labels[0], labels[1], ("result", result)]).increment(1);
        metrics::histogram!("provider_request_duration_seconds", &labels).record(elapsed.as_secs_f64());
        outcome
    }

    async fn exchange(&self, request: &ProviderRequest, request_id: &str) -> Result<ProviderResponse, ProviderError> {
        let mut headers = request.headers.clone();
        if let Some(token) = &request.token {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                .map_err(|_| ProviderError::Rejected("the access token is no header value".into()))?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        headers.insert(REQUEST_ID, HeaderValue::from_str(request_id).expect("hexadecimal digits are a header value"));
        let mut response = self
            .0
            .client
            .request(request.method.clone(), request.url.clone())
            .headers(headers)
            .body(request.body.clone())
            .send()
            .await
            .map_err(transient)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transient)? {
            if body.len() + chunk.len() > self.0.config.max_response_bytes {
                return Err(ProviderError::Rejected("the answer is too large".into()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(ProviderResponse {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: body.into(),
        })
    }

    fn mailbox(&self, mailbox: &Arc<str>) -> Arc<Semaphore> {
        let mut mailboxes = self.0.mailboxes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(semaphore) = mailboxes.get(mailbox).and_then(Weak::upgrade) {
            return semaphore;
        }
        mailboxes.retain(|_, semaphore| semaphore.strong_count() > 0);
        let semaphore = Arc::new(Semaphore::new(self.0.config.max_concurrent_per_mailbox.max(1)));
        mailboxes.insert(mailbox.clone(), Arc::downgrade(&semaphore));
        semaphore
    }
}

async fn acquire(semaphore: &Semaphore) -> SemaphorePermit<'_> {
    semaphore.acquire().await.expect("a mailbox's semaphore is never closed")
}

/// How long to wait before the next attempt; `None` when there should be none.
fn pause(error: &ProviderError, attempt: u32) -> Option<Duration> {
    let backoff = (FIRST_PAUSE * 2u32.saturating_pow(attempt)).mul_f64(rand::random_range(0.5..1.5));
    match error {
        ProviderError::Transient(_) => Some(backoff),
        ProviderError::Throttled(after) if *after <= LONGEST_PAUSE => Some(*after + backoff),
        _ => None,
    }
}

fn transient(error: reqwest::Error) -> ProviderError {
    ProviderError::Transient(describe(error))
}

/// The error and its causes without the address, which holds calendar ids.
pub(crate) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(headers: &[(HeaderName, &str)]) -> ProviderResponse {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        ProviderResponse { status: StatusCode::OK, headers: headers.collect(), body: Bytes::new() }
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        assert_eq!(response(&[(RETRY_AFTER, "7")]).retry_after(), Some(Duration::from_secs(7)));
        let dated = [(RETRY_AFTER, "Sun, 06 Nov 1994 08:50:37 GMT"), (DATE, "Sun, 06 Nov 1994 08:49:37 GMT")];
        assert_eq!(response(&dated).retry_after(), Some(Duration::from_secs(60)));
        let past = [(RETRY_AFTER, "Sun, 06 Nov 1994 08:49:00 GMT"), (DATE, "Sun, 06 Nov 1994 08:49:37 GMT")];
        assert_eq!(response(&past).retry_after(), Some(Duration::ZERO));
        assert_eq!(response(&[(RETRY_AFTER, "soon")]).retry_after(), None);
        assert_eq!(response(&[(RETRY_AFTER, "18446744073709551615")]).retry_after(), Some(LONGEST_RETRY_AFTER));
    }

    #[test]
    fn only_what_may_pass_soon_is_repeated() {
        assert!(pause(&ProviderError::Transient(String::new()), 0).is_some());
        assert!(pause(&ProviderError::Throttled(Duration::from_secs(1)), 0).unwrap() > Duration::from_secs(1));
        assert_eq!(pause(&ProviderError::Throttled(Duration::from_secs(3)), 0), None);
        assert_eq!(pause(&ProviderError::Conflict, 0), None);
        assert_eq!(pause(&ProviderError::Rejected(String::new()), 0), None);
    }

    #[test]
    fn a_mailbox_has_one_semaphore_while_it_is_in_use() {
        let transport = Transport::new(TransportConfig::default()).unwrap();
        let (ana, bob) = (Arc::from("ana"), Arc::from("bob"));
        let first = transport.mailbox(&ana);
        assert!(Arc::ptr_eq(&first, &transport.mailbox(&ana)));
        assert!(!Arc::ptr_eq(&first, &transport.mailbox(&bob)));
        drop(first);
        transport.mailbox(&bob);
        assert_eq!(transport.0.mailboxes.lock().unwrap().len(), 1);
    }
}
