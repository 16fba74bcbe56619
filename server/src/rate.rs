//! Rate limits: per client address, per account for sign-ins, and per organization for looks at other sites.
//!
//! # Accuracy
//! Each process counts by itself and decides at once, without asking anybody. Four times a second it tells the other servers on
//! the database what it has admitted, and they count that as their own: a client who spreads requests over many servers runs
//! into debt at each of them. With `R` servers, a limit of `n` requests a minute, and announcements that arrive within a second:
//! - over a longer time a client is admitted `n` requests a minute, however they are spread: what one server admitted too much
//!   is a debt of as many bursts as there are servers, which must be paid by waiting before any of them admits another;
//! - at the beginning, who comes to all servers within the same second gets the burst of each: `R * n` requests instead of `n`;
//! - at any time after that, what the servers admit before they have heard of one another is beyond the limit: `R` requests
//!   instead of one, or `R` times what the limit admits in that second where that is more;
//! - a client who stays with one server is admitted exactly `n` requests in any burst and `n` a minute.
//!
//! Of the clients of a quarter second the 1,000 that came most often are told. Where the servers cannot hear one another each
//! limits for itself: a client gets `R * n`. So it is on SQLite, on which one `cupo serve` is meant to run; nothing is told
//! there.

mod client;
mod counts;
mod gcra;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use axum::middleware::{FromFnLayer, Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use cupo_core::ids::OrganizationId;
use cupo_engine::Admissions;
use cupo_store::Admitted;
use futures::future::BoxFuture;

use crate::config::Limits;
use crate::problem::{Failure, Kind, Outcome};
use client::Client;
use counts::Counts;
use gcra::Gcra;

pub use client::{ClientAddress, ClientKey};

/// How often quiet clients are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);
/// A server that told nothing for so long is not counted any more.
const PEER: Duration = Duration::from_secs(120);
/// Of so many clients of a limit the others are told at a time.
const MOST_TOLD: usize = 1_000;

/// A limit; clones share its counts.
#[derive(Clone)]
pub struct RateLimit {
    counts: Option<Arc<Counts>>,
    key: ClientKey,
    client: ClientAddress,
    started: Instant,
}

/// The layer of a [`RateLimit`].
pub type RateLimitLayer = FromFnLayer<Enforce, RateLimit, (State<RateLimit>, Request)>;
/// What the layer does with a request.
pub type Enforce = fn(State<RateLimit>, Request, Next) -> BoxFuture<'static, Response>;

impl RateLimit {
    /// So many requests a minute, in bursts of as many; 0 is no limit.
    fn per_minute(requests: u32, of: &RateLimit, is_shared: bool) -> Self {
        let counts = (requests > 0).then(|| Arc::new(Counts::new(Gcra::per_minute(requests), is_shared)));
        Self { counts, ..of.clone() }
    }

    /// The layer that enforces it.
    pub fn layer(&self) -> RateLimitLayer {
        from_fn_with_state(self.clone(), enforce as Enforce)
    }

    /// Counts a request of whoever sent it.
    ///
    /// # Errors
    /// [`Kind::RateLimited`] when the client has used its burst.
    pub fn check(&self, request: &Parts) -> Outcome<()> {
        self.check_address(|| self.client.of(&request.headers, &request.extensions))
    }

    /// Counts a request of an organization, whoever of it sent it.
    ///
    /// # Errors
    /// [`Kind::RateLimited`] when the organization's burst is used up.
    pub fn check_organization(&self, organization_id: &OrganizationId) -> Outcome<()> {
        self.check_client(|| self.key.of_account(&organization_id.to_string()))
    }

    /// Counts a request that is about the account of an e-mail address, whoever sent it.
    ///
    /// # Errors
    /// [`Kind::RateLimited`] when the account's burst is used up.
    pub fn check_account(&self, email: &str) -> Outcome<()> {
        self.check_client(|| self.key.of_account(email))
    }

    fn check_head(&self, headers: &HeaderMap, extensions: &Extensions) -> Outcome<()> {
        self.check_address(|| self.client.of(headers, extensions))
    }

    fn check_address(&self, address: impl FnOnce() -> Option<IpAddr>) -> Outcome<()> {
        if self.counts.is_none() {
            return Ok(());
        }
        let address = address().ok_or_else(|| Kind::Panic("the address of a client is not known".to_owned()))?;
        self.check_client(|| self.key.of_address(address))
    }

    fn check_client(&self, client: impl FnOnce() -> Client) -> Outcome<()> {
        let Some(counts) = &self.counts else { return Ok(()) };
        counts.admit(client(), self.started.elapsed()).map_err(|wait| {
            // A part of a second is a second to wait.
            Failure::from(Kind::RateLimited { seconds: wait.as_secs() + 1 })
        })
    }
}

fn enforce(State(limit): State<RateLimit>, request: Request, next: Next) -> BoxFuture<'static, Response> {
    Box::pin(async move {
        match limit.check_head(request.headers(), request.extensions()) {
            Ok(()) => next.run(request).await,
            Err(failure) => failure.into_response(),
        }
    })
}

/// The limits of each group of addresses, and of each account that is signed in to.
#[derive(Clone)]
pub struct RateLimits {
    pub sign_in: RateLimit,
    pub accounts: RateLimit,
    pub bookings: RateLimit,
    pub holds: RateLimit,
    pub slots: RateLimit,
    pub webhooks: RateLimit,
    pub pages: RateLimit,
    pub site_checks: RateLimit,
    started: Instant,
    /// The other servers, and when each was heard last.
    peers: Arc<Mutex<HashMap<String, Duration>>>,
}

impl RateLimits {
    /// The limits that the configuration names; `is_shared`: other servers are told what this one admits.
    #[must_use]
    pub fn new(limits: &Limits, key: ClientKey, is_shared: bool) -> Self {
        let started = Instant::now();
        let client = ClientAddress { trust_proxy: limits.trust_proxy };
        let none = RateLimit { counts: None, key, client, started };
        let per_minute = |requests| RateLimit::per_minute(requests, &none, is_shared);
        Self {
            sign_in: per_minute(limits.sign_in_per_minute),
            accounts: per_minute(limits.sign_in_per_minute),
            bookings: per_minute(limits.bookings_per_minute),
            holds: per_minute(limits.holds_per_minute),
            slots: per_minute(limits.slots_per_minute),
            webhooks: per_minute(limits.webhooks_per_minute),
            pages: per_minute(limits.pages_per_minute),
            site_checks: per_minute(limits.site_checks_per_minute),
            started,
            peers: Arc::default(),
        }
    }

    /// Runs for ever and keeps the memory of the limits small.
    pub async fn forget_quiet_clients(self) {
        let mut tick = tokio::time::interval(FORGET_EVERY);
        loop {
            tick.tick().await;
            for (_, counts) in self.counts() {
                counts.forget_quiet_clients(self.started.elapsed());
            }
        }
    }

    /// The limits that there are, by the names under which announcements know them.
    fn counts(&self) -> impl Iterator<Item = (&'static str, &Counts)> {
        let named = [
            ("sign_in", &self.sign_in),
            ("accounts", &self.accounts),
            ("bookings", &self.bookings),
            ("holds", &self.holds),
            ("slots", &self.slots),
            ("webhooks", &self.webhooks),
            ("pages", &self.pages),
            ("site_checks", &self.site_checks),
        ];
        named.into_iter().filter_map(|(name, limit)| Some((name, limit.counts.as_deref()?)))
    }

    /// How many servers there are, this one and the one that was just heard included.
    fn servers(&self, heard: &str, now: Duration) -> u32 {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if peers.get(heard).is_none_or(|at| *at < now) {
            peers.retain(|_, at| now.saturating_sub(*at) < PEER);
            peers.insert(heard.to_owned(), now);
        }
        u32::try_from(peers.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn owe(&self, process: &str, admitted: &Admitted, now: Duration) {
        let servers = self.servers(process, now);
        let Some(client) = Client::parse(&admitted.client) else { return };
        for (_, counts) in self.counts().filter(|(name, _)| *name == admitted.limit) {
            counts.owe(client, now, admitted.count, servers);
        }
    }
}

impl Admissions for RateLimits {
    fn take(&self) -> Vec<Admitted> {
        let mut all = Vec::new();
        for (limit, counts) in self.counts() {
            let mut told = counts.take_untold();
            if told.len() > MOST_TOLD {
                told.select_nth_unstable_by_key(MOST_TOLD, |(_, count)| std::cmp::Reverse(*count));
                told.truncate(MOST_TOLD);
            }
            let admitted =
                |(client, count): (Client, u32)| Admitted { limit: limit.to_owned(), client: client.to_text(), count };
            all.extend(told.into_iter().map(admitted));
        }
        all
    }

    fn elsewhere(&self, process: &str, admitted: &Admitted) {
        self.owe(process, admitted, self.started.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So long servers do not hear of one another.
    const ROUND: Duration = Duration::from_millis(250);
    const PER_MINUTE: u32 = 120;

    /// Servers that tell one another every round.
    struct Servers(Vec<RateLimits>);

    impl Servers {
        fn new(count: usize) -> Self {
            let limits = Limits {
                sign_in_per_minute: 0,
                bookings_per_minute: 0,
                holds_per_minute: 0,
                slots_per_minute: PER_MINUTE,
                webhooks_per_minute: 0,
                pages_per_minute: 0,
                site_checks_per_minute: 0,
                request: Duration::from_secs(25),
                body_bytes: 0,
                trust_proxy: false,
                private_addresses: false,
            };
            let server = || RateLimits::new(&limits, ClientKey::of_secret("a secret"), true);
            Self((0..count).map(|_| server()).collect())
        }

        /// Asks each server for as much as it will give at this moment; gives how much that was.
        fn drain(&self, client: Client, now: Duration) -> u32 {
            let of = |server: &RateLimits| {
                let counts = server.slots.counts.as_ref().unwrap();
                u32::try_from((0..).take_while(|_| counts.admit(client, now).is_ok()).count()).unwrap()
            };
            self.0.iter().map(of).sum()
        }

        fn exchange(&self, now: Duration) {
            let told: Vec<_> = self.0.iter().map(Admissions::take).collect();
            for (from, told) in told.iter().enumerate() {
                for (_, server) in self.0.iter().enumerate().filter(|(to, _)| *to != from) {
                    told.iter().for_each(|admitted| server.owe(&from.to_string(), admitted, now));
                }
            }
        }
    }

    fn client() -> Client {
        ClientKey::of_secret("a secret").of_address("192.0.2.1".parse().unwrap())
    }

    /// What a client gets who asks for all it can get in every round of these minutes.
    fn greedy(servers: &Servers, minutes: std::ops::Range<u32>) -> u32 {
        let round = |number: u32| {
            let now = ROUND * number;
            let got = servers.drain(client(), now);
            servers.exchange(now + ROUND / 2);
            got
        };
        (minutes.start * 240..minutes.end * 240).map(round).sum()
    }

    #[test]
    fn one_server_admits_a_burst_and_then_the_rate() {
        let got = greedy(&Servers::new(1), 0..10);
        assert!((PER_MINUTE * 11 - 2..=PER_MINUTE * 11).contains(&got), "{got}");
    }

    #[test]
    fn however_many_servers_a_client_asks_the_rate_is_the_configured_one() {
        for count in [2, 3, 8] {
            let servers = Servers::new(count);
            let all = u32::try_from(count).unwrap();
            let got = greedy(&servers, 0..30);
            let burst = all * PER_MINUTE;
            // The burst of each is paid back by waiting, so that it is not on top of the rate.
            let most = 31 * PER_MINUTE + burst;
            assert!((28 * PER_MINUTE..=most).contains(&got), "{count} servers admitted {got}");
            let later = greedy(&servers, 30..60);
            let rate = 30 * PER_MINUTE;
            let error = f64::from(later.abs_diff(rate)) / f64::from(rate);
            assert!(error < 0.01, "{count} servers admitted {later} in half an hour");
        }
    }

    #[test]
    fn who_asks_all_servers_at_once_and_then_waits_gets_no_more_than_the_rate_either() {
        let (servers, minutes) = (Servers::new(6), 120);
        let mut got = 0;
        // Every two minutes all that there is.
        for number in 0..minutes * 240 {
            let now = ROUND * number;
            if u32::is_multiple_of(number, 480) {
                got += servers.drain(client(), now);
            }
            servers.exchange(now + ROUND / 2);
        }
        assert!(got <= (minutes + 6) * PER_MINUTE, "{got}");
    }

    #[test]
    fn who_stays_with_one_server_is_limited_as_by_it_alone() {
        let servers = Servers::new(3);
        let counts = servers.0[0].slots.counts.as_ref().unwrap();
        let mut got = 0;
        for number in 0..10 * 240 {
            let now = ROUND * number;
            got += (0..).take_while(|_| counts.admit(client(), now).is_ok()).count();
            servers.exchange(now + ROUND / 2);
        }
        assert!((PER_MINUTE as usize * 11 - 2..=PER_MINUTE as usize * 11).contains(&got), "{got}");
    }

    #[test]
    fn servers_that_are_gone_are_not_counted() {
        let limits = &Servers::new(1).0[0];
        assert_eq!(limits.servers("one", Duration::from_secs(1)), 2);
        assert_eq!(limits.servers("other", Duration::from_secs(60)), 3);
        assert_eq!(limits.servers("other", Duration::from_secs(150)), 2);
    }

    #[test]
    fn a_flood_of_clients_is_not_told_whole_and_those_who_came_most_are() {
        let servers = Servers::new(1);
        let counts = servers.0[0].slots.counts.as_ref().unwrap();
        let of = |number: u32| ClientKey::of_secret("a secret").of_address(IpAddr::from(number.to_be_bytes()));
        for number in 0..5_000 {
            _ = counts.admit(of(number), ROUND);
        }
        (0..3).for_each(|_| _ = counts.admit(of(1), ROUND));
        let told = servers.0[0].take();
        assert_eq!(told.len(), MOST_TOLD);
        let most = told.iter().max_by_key(|admitted| admitted.count).unwrap();
        assert_eq!((most.client.as_str(), most.count), (of(1).to_text().as_str(), 4));
        let text = format!("{told:?}");
        assert!(!text.contains("0.0.0.1"), "an address is nobody else's business");
    }
}
