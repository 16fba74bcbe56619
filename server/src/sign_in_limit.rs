//! Guessing passwords is made slow: per client, and per e-mail address whoever asks.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};

use crate::problem::{Failure, Kind, Outcome};
use crate::rate::RateLimit;
use crate::state::AppState;

/// The server functions that take a password.
const PATHS: [&str; 2] = ["/dashboard/api/sign_in", "/dashboard/api/sign_up"];
/// The field of their forms that names the account.
const EMAIL_FIELD: &str = "form[email]";

/// The two limits of signing in.
#[derive(Clone)]
pub struct SignInLimit {
    clients: RateLimit,
    /// Keyed by the hash of the address: the limiter's memory is no list of customers.
    addresses: Option<Arc<DefaultKeyedRateLimiter<[u8; 32]>>>,
    body_bytes: usize,
}

impl SignInLimit {
    /// As many attempts a minute for an address as for a client.
    #[must_use]
    pub fn new(state: &AppState, clients: RateLimit) -> Self {
        let per_minute = NonZeroU32::new(state.limits.sign_in_per_minute);
        let addresses = per_minute.map(|rate| Arc::new(RateLimiter::keyed(Quota::per_minute(rate))));
        Self { clients, addresses, body_bytes: state.limits.body_bytes }
    }

    /// Whether a path takes a password.
    #[must_use]
    pub fn concerns(path: &str) -> bool {
        PATHS.contains(&path)
    }

    /// The request again, unless its client or its e-mail address has tried too often.
    ///
    /// # Errors
    /// [`Kind::RateLimited`] with the seconds to wait, [`Kind::BodyTooLarge`].
    pub async fn admit(&self, request: Request) -> Outcome<Request> {
        let (parts, body) = request.into_parts();
        self.clients.check(&parts)?;
        let Some(addresses) = &self.addresses else { return Ok(Request::from_parts(parts, body)) };
        let body = to_bytes(body, self.body_bytes).await;
        let body = body.map_err(|_| Failure::from(Kind::BodyTooLarge { limit: self.body_bytes }))?;
        let email = url::form_urlencoded::parse(&body).find_map(|(name, value)| (name == EMAIL_FIELD).then_some(value));
        if let Some(email) = email {
            let key: [u8; 32] = Sha256::digest(email.trim().to_lowercase()).into();
            addresses.check_key(&key).map_err(|denied| {
                let wait = denied.wait_time_from(DefaultClock::default().now());
                Failure::from(Kind::RateLimited { seconds: wait.as_secs() + 1 })
            })?;
            addresses.retain_recent();
        }
        Ok(Request::from_parts(parts, Body::from(body)))
    }
}
