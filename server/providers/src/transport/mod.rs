//! The one place that talks to providers: it times out, limits, repeats, counts, traces and redacts.
//!
//! Before a request is sent it waits for its turn among those of its mailbox, the circuit of its host must not be
//! open, and there must be room for it in the budgets of its account and of the installation.
//!
//! Adapters hand it a `ProviderRequest` with a classifier that reads an answer as an error or not; they never see a
//! connection. What is logged: the method, host, path template, status and duration; never a token, an address or a
//! calendar's id, which is an e-mail address as often as not.

mod budget;
mod circuit;
mod request;
mod script;

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, StatusCode};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tracing::{Instrument, field};

use crate::access::Authorization;
use crate::error::ProviderError;
use crate::public_address::{CheckedNames, PrivateAddress, is_public_literal};

use budget::Buckets;
pub use budget::{Budget, Budgets, ProviderBudget};
pub use circuit::{CircuitConfig, CircuitPhase, CircuitState};
use circuit::{Circuits, Sign};
pub(crate) use request::{ProviderRequest, ProviderResponse, retry_after};
use script::Script;

/// A longer `Retry-After` than this is left to the caller, who can wait without holding anything.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The pause before the first repetition; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

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
    pub budgets: Budgets,
    pub circuit: CircuitConfig,
    /// Whether requests may go to this machine or its private network: the operator's own endpoints may lie there, an address
    /// that a user has typed in must not lead there.
    pub allows_private_addresses: bool,
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
            budgets: Budgets::default(),
            circuit: CircuitConfig::default(),
            allows_private_addresses: true,
            user_agent: concat!("Cupo/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// The HTTP client of every adapter. Cheap to clone. There is one of a kind in a process, so that the limits hold: one for the
/// operator's endpoints, and one for those that users type in.
#[derive(Debug, Clone)]
pub struct Transport(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    line: Line,
    config: TransportConfig,
    /// One semaphore for each mailbox with requests under way or waiting.
    mailboxes: Mutex<HashMap<Arc<str>, Weak<Semaphore>>>,
    buckets: Buckets,
    circuits: Circuits,
}

/// Where answers come from.
#[derive(Debug)]
enum Line {
    Network(reqwest::Client),
    Script(Script),
}

/// Why a request was not sent.
#[derive(Debug, Clone, Copy)]
enum Unsent {
    CircuitOpen,
    OverBudget(Duration),
    PrivateAddress,
}

/// Why there is no answer, and what that says of the host.
struct Unanswered {
    error: ProviderError,
    sign: Option<Sign>,
}

impl Transport {
    /// Fails when the machine's TLS cannot be set up or the user agent is no header value.
    pub fn new(config: TransportConfig) -> Result<Self, ProviderError> {
        let mut client = reqwest::Client::builder()
            .connect_timeout(config.connect_timeout)
            .timeout(config.total_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(&config.user_agent);
        if !config.allows_private_addresses {
            // A proxy would resolve the names itself, behind the check.
            client = client.no_proxy().dns_resolver(Arc::new(CheckedNames::new(false)));
        }
        let client = client.build().map_err(|error| ProviderError::Rejected(describe(error)))?;
        Ok(Self::over(Line::Network(client), config))
    }

    /// A transport that sends nothing: it gives the answers of `script` ([`Script::read`]) and, when these have run out, none.
    pub(crate) fn scripted(script: &[u8], status: StatusCode) -> Self {
        let config = TransportConfig { max_retries: 0, budgets: Budgets::unlimited(), ..TransportConfig::default() };
        Self::over(Line::Script(Script::read(script, status)), config)
    }

    /// The first answer of such a script.
    pub(crate) fn first_of_script(script: &[u8]) -> ProviderResponse {
        Script::read(script, StatusCode::OK).next().expect("a script without a separator is one answer")
    }

    fn over(line: Line, config: TransportConfig) -> Self {
        let (buckets, circuits) = (Buckets::new(&config.budgets), Circuits::new(config.circuit.clone()));
        Self(Arc::new(Inner { line, config, mailboxes: Mutex::default(), buckets, circuits }))
    }

    /// The hosts that do not answer properly, those that are left alone for it among them.
    pub fn circuits(&self) -> Vec<CircuitState> {
        self.0.circuits.states()
    }

    /// Sends the request, again if that is harmless and may help.
    pub(crate) async fn send(&self, request: &ProviderRequest) -> Result<ProviderResponse, ProviderError> {
        let request_id = new_request_id();
        let mut attempt = 0;
        loop {
            let outcome = match self.attempt(request, &request_id, attempt).await {
                Ok(outcome) => outcome,
                Err(unsent) => return Err(unsent.into()),
            };
            let pause = match &outcome {
                Err(error) if request.is_idempotent && attempt < self.0.config.max_retries => pause(error, attempt),
                _ => None,
            };
            let Some(pause) = pause else { return outcome };
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// One attempt, counted and traced. The outer error says that it was not made.
    async fn attempt(
        &self,
        request: &ProviderRequest,
        request_id: &str,
        attempt: u32,
    ) -> Result<Result<ProviderResponse, ProviderError>, Unsent> {
        let account = request.access.as_ref().map(|access| access.account());
        let mailbox = account.map(|account| self.mailbox(account));
        let _turn = match &mailbox {
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
        let labels = [("provider", request.provider), ("operation", request.operation)];
        let count = |result: &'static str| {
            span.record("result", result);
            metrics::counter!("provider_requests_total", &[labels[0], labels[1], ("result", result)]).increment(1);
        };
        let permit = match self.permit(request).await {
            Ok(permit) => permit,
            Err(unsent) => {
                count(unsent.label());
                span.in_scope(|| tracing::info!("a provider request was not sent"));
                return Err(unsent);
            }
        };
        let started = Instant::now();
        let under_way = UnderWay::new(request.provider);
        let answer = self.exchange(request, request_id).instrument(span.clone()).await;
        drop(under_way);
        let elapsed = started.elapsed();
        if let Ok(response) = &answer {
            span.record("status", response.status.as_u16());
        }
        match answer.as_ref().map_or_else(|unanswered| unanswered.sign, |response| Some(sign(response))) {
            Some(sign) => span.in_scope(|| permit.settle(sign, account)),
            None => drop(permit),
        }
        let answer = answer.map_err(|unanswered| unanswered.error);
        let outcome = answer.and_then(|response| match (request.classify)(&response) {
            Some(error) => Err(error),
            None => Ok(response),
        });
        count(outcome.as_ref().map_or_else(ProviderError::label, |_| "ok"));
        span.record("duration_ms", elapsed.as_millis());
        span.in_scope(|| match &outcome {
            Err(error) => tracing::info!(%error, "a provider request failed"),
            Ok(_) => tracing::debug!("a provider answered"),
        });
        metrics::histogram!("provider_request_duration_seconds", &labels).record(elapsed.as_secs_f64());
        Ok(outcome)
    }

    /// Whether the request may be sent now, or in a moment.
    async fn permit(&self, request: &ProviderRequest) -> Result<circuit::Permit<'_>, Unsent> {
        if !self.0.config.allows_private_addresses && !is_public_literal(&request.url) {
            return Err(Unsent::PrivateAddress);
        }
        let host = request.host();
        let permit = self.0.circuits.admit(request.provider, host).ok_or(Unsent::CircuitOpen)?;
        let account = request.access.as_ref().map(|access| access.account());
        self.0.buckets.take(request.provider, account, host).await.map_err(Unsent::OverBudget)?;
        Ok(permit)
    }

    async fn exchange(&self, request: &ProviderRequest, request_id: &str) -> Result<ProviderResponse, Unanswered> {
        let mut headers = request.headers.clone();
        if let Some(authorization) = request.access.as_ref().and_then(|access| header_of(access.authorization())) {
            let mut value = HeaderValue::from_str(&authorization)
                .map_err(|_| Unanswered::rejected("the access token is no header value", None))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        headers.insert(REQUEST_ID, HeaderValue::from_str(request_id).expect("hexadecimal digits are a header value"));
        let client = match &self.0.line {
            Line::Network(client) => client,
            Line::Script(script) => return script.next().ok_or_else(Unanswered::out_of_script),
        };
        let mut response = client
            .request(request.method.clone(), request.url.clone())
            .headers(headers)
            .body(request.body.clone())
            .send()
            .await
            .map_err(Unanswered::from)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Unanswered::from)? {
            if body.len() + chunk.len() > self.0.config.max_response_bytes {
                return Err(Unanswered::rejected("the answer is too large", Some(Sign::Alive)));
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

/// By which a request is found in the logs, ours and the server's: 128 random bits in hexadecimal digits.
pub(crate) fn new_request_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The value of `Authorization`.
fn header_of(authorization: &Authorization) -> Option<String> {
    match authorization {
        Authorization::Anonymous => None,
        Authorization::Bearer(token) => Some(format!("Bearer {}", token.expose())),
        Authorization::Basic { username, password } => {
            Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{}", password.expose()))))
        }
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

/// What an answer says of the host. A server that says when to come back is alive.
fn sign(response: &ProviderResponse) -> Sign {
    match response.status {
        StatusCode::INTERNAL_SERVER_ERROR
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT
            if response.retry_after().is_none() =>
        {
            Sign::Failed
        }
        _ => Sign::Alive,
    }
}

impl Unsent {
    /// The `result` label of the metrics.
    fn label(self) -> &'static str {
        match self {
            Self::CircuitOpen => "circuit_open",
            Self::OverBudget(_) => "over_budget",
            Self::PrivateAddress => "private_address",
        }
    }
}

impl From<Unsent> for ProviderError {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::CircuitOpen => Self::Transient("circuit open".into()),
            Unsent::OverBudget(after) => Self::Throttled(after),
            Unsent::PrivateAddress => Self::Rejected(PrivateAddress.to_string()),
        }
    }
}

impl Unanswered {
    fn out_of_script() -> Self {
        Self { error: ProviderError::Transient("the script has ended".into()), sign: None }
    }

    fn rejected(why: &str, sign: Option<Sign>) -> Self {
        Self { error: ProviderError::Rejected(why.to_owned()), sign }
    }
}

impl From<reqwest::Error> for Unanswered {
    fn from(error: reqwest::Error) -> Self {
        if PrivateAddress::caused(&error) {
            return Self::rejected(&PrivateAddress.to_string(), None);
        }
        let sign = if error.is_connect() { Sign::Unreachable } else { Sign::Failed };
        Self { error: ProviderError::Transient(describe(error)), sign: Some(sign) }
    }
}

/// Counts a request for as long as it is under way, however it ends.
struct UnderWay(&'static str);

impl UnderWay {
    fn new(provider: &'static str) -> Self {
        metrics::gauge!("provider_requests_in_flight", "provider" => provider).increment(1.0);
        Self(provider)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        metrics::gauge!("provider_requests_in_flight", "provider" => self.0).decrement(1.0);
    }
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
