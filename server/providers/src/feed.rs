//! Files that are subscribed to by their address, such as calendars of holidays.
//!
//! The address is whatever a host typed in, and this machine may reach what the host may not. So each address on the way,
//! that of every redirect too, must lead to the public internet: a host name is resolved here, every address it has is
//! checked, and the connection goes to one of these very addresses. What is logged: the host, status, duration and the
//! request's id, which the server is told too; never the path, which is often a secret.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_SECURITY_POLICY, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::time::Instant;
use tracing::{Instrument, field};
use url::Url;

use crate::public_address::{CheckedNames, PrivateAddress, is_public_literal};
use crate::transport::{REQUEST_ID, describe, new_request_id, retry_after};

/// A longer etag or date is not kept.
const LONGEST_VALIDATOR: usize = 200;

/// How feeds are read.
#[derive(Debug, Clone)]
pub struct FeedConfig {
    pub connect_timeout: Duration,
    /// From the first byte sent to the last byte read, redirects included.
    pub total_timeout: Duration,
    /// A larger file is refused.
    pub max_bytes: usize,
    pub max_redirects: u32,
    /// Whether a feed may lie on this machine or in its private network: for development, and for an operator who trusts
    /// every host.
    pub allows_private_addresses: bool,
    /// Whether only the ports of `http` and `https` are asked, by redirects too: at others there may be servers that were never
    /// meant for strangers.
    pub usual_ports_only: bool,
    pub user_agent: String,
}

impl Default for FeedConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(15),
            max_bytes: crate::ics::MOST_EVENT_BYTES,
            max_redirects: 3,
            allows_private_addresses: false,
            usual_ports_only: false,
            user_agent: concat!("Cupo/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// What a feed's server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// It is what bore the validators.
    Unchanged,
    /// The file as it is now; bytes that are no UTF-8 are replaced.
    Changed {
        text: String,
        /// To be sent with the next request.
        validators: Validators,
    },
}

/// A page of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebPage {
    /// Where it was found in the end.
    pub address: Url,
    /// Each `Content-Security-Policy` that came with it.
    pub policies: Vec<String>,
    /// Its HTML; bytes that are no UTF-8 are replaced.
    pub html: String,
}

/// An answer that was read.
struct Found {
    /// Where it was found in the end.
    address: Url,
    headers: HeaderMap,
    text: String,
}

/// By which a server tells whether a file is still the one that was read (RFC 9110, section 8.8); not every server has any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    pub etag: Option<String>,
    /// As the server wrote it: many compare it letter by letter.
    pub last_modified: Option<String>,
}

impl Validators {
    fn told(headers: &HeaderMap) -> Self {
        let told = |name: HeaderName| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.filter(|value| value.len() <= LONGEST_VALIDATOR).map(str::to_owned)
        };
        Self { etag: told(ETAG), last_modified: told(LAST_MODIFIED) }
    }

    /// The headers that ask for the file only if it has changed.
    fn conditions(&self) -> HeaderMap {
        let told = [(IF_NONE_MATCH, &self.etag), (IF_MODIFIED_SINCE, &self.last_modified)];
        let valid =
            told.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::from_str(value.as_deref()?).ok()?)));
        valid.collect()
    }
}

/// Why a feed could not be read, told as what the caller must do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FeedError {
    /// An address on the way is not public: give up, and say that such addresses are not read.
    #[error("the address is not on the public internet")]
    PrivateAddress,
    /// The file is larger than allowed: give up.
    #[error("the file is too large")]
    TooLarge,
    /// The same request will fail again: give up and show the reason.
    #[error("the server refused: {0}")]
    Refused(String),
    /// A fault that passes: try again later.
    #[error("the server did not answer properly: {0}")]
    Transient(String),
    /// The server asks not to be asked again so soon: try again after this pause.
    #[error("the server wants to be left alone for {} s", .0.as_secs())]
    Throttled(Duration),
}

impl FeedError {
    /// The `result` label of the metrics.
    fn label(&self) -> &'static str {
        match self {
            Self::PrivateAddress => "private_address",
            Self::TooLarge => "too_large",
            Self::Refused(_) => "refused",
            Self::Transient(_) => "transient",
            Self::Throttled(_) => "throttled",
        }
    }
}

/// Reads feeds. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FeedReader {
    client: reqwest::Client,
    config: Arc<FeedConfig>,
}

impl FeedReader {
    /// Fails when the machine's TLS cannot be set up or the user agent is no header value.
    pub fn new(config: FeedConfig) -> Result<Self, FeedError> {
        // A proxy would resolve the names itself, behind the check.
        let client = reqwest::Client::builder()
            .no_proxy()
            .dns_resolver(Arc::new(CheckedNames::new(config.allows_private_addresses)))
            .connect_timeout(config.connect_timeout)
            .timeout(config.total_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .user_agent(&config.user_agent)
            .build()
            .map_err(|error| FeedError::Refused(describe(error)))?;
        Ok(Self { client, config: Arc::new(config) })
    }

    /// Gets the file, unless it still bears `etag`. `webcal://` is read as `https://`.
    pub async fn get(&self, address: &str, etag: Option<&str>) -> Result<Feed, FeedError> {
        let known = Validators { etag: etag.map(str::to_owned), last_modified: None };
        self.get_unless(address, &known).await
    }

    /// Gets the file, unless it is still the one that bore `known`. `webcal://` is read as `https://`.
    pub async fn get_unless(&self, address: &str, known: &Validators) -> Result<Feed, FeedError> {
        Ok(match self.exchange(address, known).await? {
            None => Feed::Unchanged,
            Some(Found { headers, text, .. }) => Feed::Changed { text, validators: Validators::told(&headers) },
        })
    }

    /// Gets a page of the web.
    pub async fn page(&self, address: &str) -> Result<WebPage, FeedError> {
        let found = self.exchange(address, &Validators::default()).await?;
        let Found { address, headers, text } = found.ok_or_else(|| FeedError::Transient("304".into()))?;
        let policies = headers.get_all(CONTENT_SECURITY_POLICY).iter();
        let policies = policies.filter_map(|policy| policy.to_str().ok().map(str::to_owned)).collect();
        Ok(WebPage { address, policies, html: text })
    }

    /// Asks for an address and reads the answer, limited, logged and counted as a whole; `None` is one that did not change.
    async fn exchange(&self, address: &str, known: &Validators) -> Result<Option<Found>, FeedError> {
        let url = read_address(address)?;
        let request_id = new_request_id();
        let span = tracing::info_span!(
            "feed_request",
            host = url.host_str(),
            request_id,
            status = field::Empty,
            result = field::Empty,
            duration_ms = field::Empty,
        );
        let started = Instant::now();
        let mut headers = known.conditions();
        let is_conditional = !headers.is_empty();
        headers.insert(REQUEST_ID, HeaderValue::from_str(&request_id).expect("hexadecimal digits are a header value"));
        let exchange = tokio::time::timeout(self.config.total_timeout, self.follow(url, headers, is_conditional));
        let outcome = async { exchange.await.unwrap_or_else(|_| Err(FeedError::Transient("time-out".into()))) };
        let outcome = outcome.instrument(span.clone()).await;
        let elapsed = started.elapsed();
        let result = outcome.as_ref().map_or_else(FeedError::label, |_| "ok");
        span.record("result", result);
        span.record("duration_ms", elapsed.as_millis());
        span.in_scope(|| match &outcome {
            Err(error) => tracing::info!(%error, "a feed could not be read"),
            Ok(_) => tracing::debug!("a feed was read"),
        });
        let labels = [("provider", "ics"), ("operation", "get")];
        metrics::counter!("provider_requests_total", &[labels[0], labels[1], ("result", result)]).increment(1);
        metrics::histogram!("provider_request_duration_seconds", &labels).record(elapsed.as_secs_f64());
        outcome
    }

    /// Goes where the server sends to, a few times.
    async fn follow(&self, mut url: Url, headers: HeaderMap, is_conditional: bool) -> Result<Option<Found>, FeedError> {
        for _ in 0..=self.config.max_redirects {
            if !self.config.allows_private_addresses && !is_public_literal(&url) {
                return Err(FeedError::PrivateAddress);
            }
            if self.config.usual_ports_only && !matches!(url.port_or_known_default(), Some(80 | 443)) {
                return Err(FeedError::Refused("a port that is not the web's".into()));
            }
            let request = self.client.get(url.clone()).headers(headers.clone());
            let response = request.send().await.map_err(failed)?;
            let status = response.status();
            tracing::Span::current().record("status", status.as_u16());
            match status {
                StatusCode::OK => return self.read(url, response).await.map(Some),
                StatusCode::NOT_MODIFIED if is_conditional => return Ok(None),
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
                    let location = location.ok_or_else(|| FeedError::Refused("a redirect to nowhere".into()))?;
                    let next = url.join(location).map_err(|_| FeedError::Refused("a redirect to nowhere".into()))?;
                    url = read_address(next.as_str())?;
                }
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                    let pause = retry_after(response.headers()).map(FeedError::Throttled);
                    return Err(pause.unwrap_or_else(|| FeedError::Transient(status.as_str().to_owned())));
                }
                StatusCode::REQUEST_TIMEOUT => return Err(FeedError::Transient(status.as_str().to_owned())),
                _ if status.is_server_error() => return Err(FeedError::Transient(status.as_str().to_owned())),
                _ => return Err(FeedError::Refused(status.as_str().to_owned())),
            }
        }
        Err(FeedError::Refused("too many redirects".into()))
    }

    async fn read(&self, address: Url, mut response: reqwest::Response) -> Result<Found, FeedError> {
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > self.config.max_bytes {
                return Err(FeedError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Found { address, headers, text: String::from_utf8_lossy(&body).into_owned() })
    }
}

fn read_address(address: &str) -> Result<Url, FeedError> {
    let refused = |_| FeedError::Refused("no address of the web".into());
    let address = address.trim();
    let url = match address.get(..9) {
        Some(scheme) if scheme.eq_ignore_ascii_case("webcal://") => Url::parse(&format!("https://{}", &address[9..])),
        _ => Url::parse(address),
    };
    let url = url.map_err(refused)?;
    if matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err(FeedError::Refused("no address of the web".into()))
    }
}

fn failed(error: reqwest::Error) -> FeedError {
    if PrivateAddress::caused(&error) { FeedError::PrivateAddress } else { FeedError::Transient(describe(error)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_are_read() {
        for (given, read) in [
            ("webcal://example.com/a.ics", "https://example.com/a.ics"),
            (" WEBCAL://example.com/a.ics ", "https://example.com/a.ics"),
            ("http://example.com", "http://example.com/"),
            // However it is written, it is loopback and will be checked as such.
            ("http://0x7f.1/", "http://127.0.0.1/"),
        ] {
            assert_eq!(read_address(given).unwrap().as_str(), read);
        }
        for wrong in ["", "file:///etc/passwd", "ftp://example.com", "https://user:secret@example.com", "example.com"] {
            assert!(matches!(read_address(wrong), Err(FeedError::Refused(_))), "{wrong}");
        }
    }
}
