//! Guessing passwords is made slow: per client, and per e-mail address whoever asks.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use cupo_core::parse::FieldErrors;

use crate::problem::{Failure, Kind, Outcome};
use crate::rate::RateLimit;
use crate::state::AppState;

/// The server functions that take a password.
const PATHS: [&str; 2] = ["/dashboard/api/sign_in", "/dashboard/api/sign_up"];
/// Part of the name of the field of their forms that names the account.
const EMAIL_FIELD: &str = "email";

/// The two limits of signing in.
#[derive(Clone)]
pub struct SignInLimit {
    clients: RateLimit,
    accounts: RateLimit,
    body_bytes: usize,
}

impl SignInLimit {
    /// As many attempts a minute for an address as for a client.
    #[must_use]
    pub fn new(state: &AppState, clients: RateLimit) -> Self {
        Self { clients, accounts: state.rates.accounts.clone(), body_bytes: state.limits.body_bytes }
    }

    /// Whether a path takes a password.
    #[must_use]
    pub fn concerns(path: &str) -> bool {
        PATHS.contains(&path)
    }

    /// The request again, unless its client or its e-mail address has tried too often.
    ///
    /// # Errors
    /// [`Kind::RateLimited`] with the seconds to wait, [`Kind::BodyTooLarge`], [`Kind::Malformed`] for a form of two addresses.
    pub async fn admit(&self, request: Request) -> Outcome<Request> {
        let (parts, body) = request.into_parts();
        self.clients.check(&parts)?;
        let body = to_bytes(body, self.body_bytes).await;
        let body = body.map_err(|_| Failure::from(Kind::BodyTooLarge { limit: self.body_bytes }))?;
        let mut emails = url::form_urlencoded::parse(&body).filter(|(name, _)| name.contains(EMAIL_FIELD));
        let (email, another) = (emails.next(), emails.next());
        if another.is_some() {
            // The form's own parser might read another one than was counted.
            return Err(Kind::Malformed(FieldErrors::default()).into());
        }
        if let Some((_, email)) = email {
            self.accounts.check_account(&email)?;
        }
        Ok(Request::from_parts(parts, Body::from(body)))
    }
}
