//! Rate limits per client address.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Request};
use axum::response::IntoResponse;
use governor::clock::{Clock as _, DefaultClock, QuantaInstant};
use governor::middleware::NoOpMiddleware;
use tower::util::Either;
use tower::util::option_layer;
use tower_governor::governor::{GovernorConfig, GovernorConfigBuilder};
use tower_governor::key_extractor::KeyExtractor;
use tower_governor::{GovernorError, GovernorLayer};

use crate::config::Limits;
use crate::problem::{Failure, Kind, Outcome};

/// How often quiet clients are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Finds out who asks.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress {
    /// Whether `X-Forwarded-For` is written by a proxy that can be trusted.
    pub trust_proxy: bool,
}

impl ClientAddress {
    /// The client's address; `None` without a socket, which happens in no server.
    pub fn of(self, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
        if self.trust_proxy
            && let Some(forwarded) = last_forwarded(headers)
        {
            return Some(forwarded);
        }
        extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
    }
}

/// The last address is the one that the trusted proxy itself has seen; those before it are hearsay.
fn last_forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let header = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    header.rsplit(',').next()?.trim().parse().ok()
}

/// One subscriber of IPv6 has a whole /64.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
    }
}

impl KeyExtractor for ClientAddress {
    type Key = IpAddr;

    fn extract<B>(&self, request: &Request<B>) -> Result<IpAddr, GovernorError> {
        self.of(request.headers(), request.extensions()).map(network).ok_or(GovernorError::UnableToExtractKey)
    }
}

type Config = GovernorConfig<ClientAddress, NoOpMiddleware<QuantaInstant>>;

/// A limit of a group of addresses; clones share their counts.
#[derive(Clone)]
pub struct RateLimit {
    config: Option<Arc<Config>>,
    client: ClientAddress,
}

/// The layer of a [`RateLimit`].
pub type RateLimitLayer =
    Either<GovernorLayer<ClientAddress, NoOpMiddleware<QuantaInstant>, Body>, tower::layer::util::Identity>;

impl RateLimit {
    /// So many requests a minute, in bursts of as many; 0 is no limit.
    #[must_use]
    pub fn per_minute(requests: u32, client: ClientAddress) -> Self {
        if requests == 0 {
            return Self { config: None, client };
        }
        let config = GovernorConfigBuilder::default()
            .period(Duration::from_secs(60) / requests)
            .burst_size(requests)
            .key_extractor(client)
            .finish()
            .expect("a minute divided by 1 to 1,000,000 is not zero, nor is the burst");
        Self { config: Some(Arc::new(config)), client }
    }

    /// The layer that enforces it.
    #[must_use]
    pub fn layer(&self) -> RateLimitLayer {
        option_layer(
            self.config
                .clone()
                .map(|config| GovernorLayer::new(config).error_handler(|error| refusal(&error).into_response())),
        )
    }

    /// Counts a request where the layer would not fit.
    ///
    /// # Errors
    /// [`Kind::RateLimited`] when the client has used its burst.
    pub fn check(&self, request: &Parts) -> Outcome<()> {
        let Some(config) = &self.config else { return Ok(()) };
        let client = self.client.of(&request.headers, &request.extensions).map(network);
        let client = client.ok_or_else(|| refusal(&GovernorError::UnableToExtractKey))?;
        config.limiter().check_key(&client).map_err(|denied| {
            let wait = denied.wait_time_from(DefaultClock::default().now());
            Failure::from(Kind::RateLimited { seconds: wait.as_secs() + 1 })
        })
    }

    /// Forgets clients that have been quiet long enough to have their whole burst again.
    pub fn forget_quiet_clients(&self) {
        if let Some(config) = &self.config {
            config.limiter().retain_recent();
        }
    }
}

/// The limits of each group of addresses.
#[derive(Clone)]
pub struct RateLimits {
    pub sign_in: RateLimit,
    pub bookings: RateLimit,
    pub holds: RateLimit,
    pub slots: RateLimit,
    pub webhooks: RateLimit,
    pub pages: RateLimit,
}

impl RateLimits {
    /// The limits that the configuration names.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        let client = ClientAddress { trust_proxy: limits.trust_proxy };
        Self {
            sign_in: RateLimit::per_minute(limits.sign_in_per_minute, client),
            bookings: RateLimit::per_minute(limits.bookings_per_minute, client),
            holds: RateLimit::per_minute(limits.holds_per_minute, client),
            slots: RateLimit::per_minute(limits.slots_per_minute, client),
            webhooks: RateLimit::per_minute(limits.webhooks_per_minute, client),
            pages: RateLimit::per_minute(limits.pages_per_minute, client),
        }
    }

    /// Runs for ever and keeps the memory of the limits bounded.
    pub async fn forget_quiet_clients(self) {
        let mut tick = tokio::time::interval(FORGET_EVERY);
        loop {
            tick.tick().await;
            for limit in [&self.sign_in, &self.bookings, &self.holds, &self.slots, &self.webhooks, &self.pages] {
                limit.forget_quiet_clients();
            }
        }
    }
}

fn refusal(error: &GovernorError) -> Failure {
    match error {
        GovernorError::TooManyRequests { wait_time, .. } => Kind::RateLimited { seconds: wait_time + 1 }.into(),
        other => Kind::Panic(other.to_string()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(forwarded: &[&str]) -> Request<()> {
        let mut builder = Request::builder();
        for value in forwarded {
            builder = builder.header("x-forwarded-for", *value);
        }
        let mut request = builder.body(()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 9))));
        request
    }

    #[test]
    fn a_forwarded_address_counts_only_from_a_trusted_proxy_and_only_the_last() {
        let spoofed = request(&["203.0.113.9, 198.51.100.7"]);
        let of = |trust_proxy: bool, request: &Request<()>| {
            ClientAddress { trust_proxy }.extract(request).unwrap().to_string()
        };
        assert_eq!(of(false, &spoofed), "192.0.2.1");
        assert_eq!(of(true, &spoofed), "198.51.100.7");
        assert_eq!(of(true, &request(&["203.0.113.9", "198.51.100.8"])), "198.51.100.8");
        assert_eq!(of(true, &request(&["nonsense"])), "192.0.2.1");
    }

    #[test]
    fn a_subscriber_of_ipv6_is_one_client() {
        let one: IpAddr = "2001:db8:1:2:3:4:5:6".parse().unwrap();
        let same: IpAddr = "2001:db8:1:2:ffff::".parse().unwrap();
        let other: IpAddr = "2001:db8:1:3::".parse().unwrap();
        assert_eq!(network(one), network(same));
        assert_ne!(network(one), network(other));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()).to_string(), "192.0.2.1");
    }
}
