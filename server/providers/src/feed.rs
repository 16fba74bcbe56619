//! Files that are subscribed to by their address, such as calendars of holidays.
//!
//! The address is whatever a host typed in, and this machine may reach what the host may not. So each address on the way,
//! that of every redirect too, must lead to the public internet: a host name is resolved here, every address it has is
//! checked, and the connection goes to one of these very addresses. What is logged: the host, status and duration; never
//! the path, which is often a secret.

use std::error::Error as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::header::{ETAG, IF_NONE_MATCH, LOCATION};
use http::{HeaderValue, StatusCode};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use tokio::time::Instant;
use tracing::{Instrument, field};
use url::{Host, Url};

use crate::transport::describe;

/// A longer etag is not kept.
const LONGEST_ETAG: usize = 200;

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
    pub user_agent: String,
}

impl Default for FeedConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(15),
            max_bytes: crate::ics::MOST_BYTES,
            max_redirects: 3,
            allows_private_addresses: false,
            user_agent: concat!("Cupo/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// What a feed's server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// It is what bore the etag.
    Unchanged,
    /// The file as it is now; bytes that are no UTF-8 are replaced.
    Changed {
        text: String,
        /// To be sent with the next request.
        etag: Option<String>,
    },
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
}

impl FeedError {
    /// The `result` label of the metrics.
    fn label(&self) -> &'static str {
        match self {
            Self::PrivateAddress => "private_address",
            Self::TooLarge => "too_large",
            Self::Refused(_) => "refused",
            Self::Transient(_) => "transient",
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
            .dns_resolver(Arc::new(CheckedNames { allows_private: config.allows_private_addresses }))
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
        let url = read_address(address)?;
        let span = tracing::info_span!(
            "feed_request",
            host = url.host_str(),
            status = field::Empty,
            result = field::Empty,
            duration_ms = field::Empty,
        );
        let started = Instant::now();
        let exchange = tokio::time::timeout(self.config.total_timeout, self.follow(url, etag));
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
    async fn follow(&self, mut url: Url, etag: Option<&str>) -> Result<Feed, FeedError> {
        for _ in 0..=self.config.max_redirects {
            self.check_literal(&url)?;
            let mut request = self.client.get(url.clone());
            if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
                request = request.header(IF_NONE_MATCH, etag);
            }
            let response = request.send().await.map_err(failed)?;
            let status = response.status();
            tracing::Span::current().record("status", status.as_u16());
            match status {
                StatusCode::OK => return self.read(response).await,
                StatusCode::NOT_MODIFIED if etag.is_some() => return Ok(Feed::Unchanged),
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
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                    return Err(FeedError::Transient(status.as_str().to_owned()));
                }
                _ if status.is_server_error() => return Err(FeedError::Transient(status.as_str().to_owned())),
                _ => return Err(FeedError::Refused(status.as_str().to_owned())),
            }
        }
        Err(FeedError::Refused("too many redirects".into()))
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Feed, FeedError> {
        let etag = response.headers().get(ETAG).and_then(|etag| etag.to_str().ok());
        let etag = etag.filter(|etag| etag.len() <= LONGEST_ETAG).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > self.config.max_bytes {
                return Err(FeedError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Feed::Changed { text: String::from_utf8_lossy(&body).into_owned(), etag })
    }

    /// An address without a name is never resolved, so it is checked here.
    fn check_literal(&self, url: &Url) -> Result<(), FeedError> {
        let is_public = match url.host() {
            Some(Host::Ipv4(address)) => is_public(address.into()),
            Some(Host::Ipv6(address)) => is_public(address.into()),
            Some(Host::Domain(_)) => true,
            None => false,
        };
        if is_public || self.config.allows_private_addresses { Ok(()) } else { Err(FeedError::PrivateAddress) }
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

/// The system's resolver; a name with any address that may not be connected to is refused as a whole.
struct CheckedNames {
    allows_private: bool,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let allows_private = self.allows_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !allows_private && !found.iter().all(|address| is_public(address.ip())) {
                return Err(FeedError::PrivateAddress.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn failed(error: reqwest::Error) -> FeedError {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(refused) = cause.downcast_ref::<FeedError>() {
            return refused.clone();
        }
        source = cause.source();
    }
    FeedError::Transient(describe(error))
}

/// Whether an address may be a stranger's: none of the special-purpose blocks of RFC 6890 and its successors. An IPv6
/// address that carries an IPv4 address is as public as that.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            embedded(high, low)
        }
        // Teredo and the rest of the protocol assignments; documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // Everything else that is public is global unicast.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for public in ["93.184.216.34", "100.63.0.1", "172.32.0.1", "2606:4700::1111", "::ffff:93.184.216.34"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::1",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

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
