//! Google's quotas: requests a minute, of the whole project and of each user of it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::wire::ApiError;

/// How much is allowed, and what is answered beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuotaSettings {
    /// Requests a minute of one user; none for as many as come.
    pub per_user: Option<u32>,
    /// Requests a minute of all users together.
    pub per_project: Option<u32>,
    /// 403 with the domain `usageLimits`, or 429: Google answers either.
    pub status: u16,
}

impl Default for QuotaSettings {
    /// The quotas of a new project (guide "Manage quotas").
    fn default() -> Self {
        Self { per_user: Some(600), per_project: Some(10_000), status: 403 }
    }
}

impl QuotaSettings {
    /// Refuses a status that Google does not answer.
    pub fn check(self) -> anyhow::Result<()> {
        anyhow::ensure!(matches!(self.status, 403 | 429), "the status is 403 or 429");
        Ok(())
    }
}

/// What was spent in the current minute of the simulated clock.
#[derive(Debug)]
pub struct Quota {
    pub settings: QuotaSettings,
    minute: i64,
    of_project: u32,
    of_users: HashMap<String, u32>,
}

impl Quota {
    /// Nothing is spent yet.
    pub fn new(settings: QuotaSettings) -> Self {
        Self { settings, minute: 0, of_project: 0, of_users: HashMap::new() }
    }

    /// Counts one request of `account`, or refuses it.
    pub fn spend(&mut self, account: &str, now: DateTime<Utc>) -> Result<(), ApiError> {
        let minute = now.timestamp().div_euclid(60);
        if self.minute != minute {
            *self = Self { minute, ..Self::new(self.settings) };
        }
        self.of_project += 1;
        let of_user = self.of_users.entry(account.to_owned()).or_insert(0);
        *of_user += 1;
        let spent = *of_user;
        if self.settings.per_project.is_some_and(|limit| self.of_project > limit) {
            return Err(self.exceeded("rateLimitExceeded", "Rate Limit Exceeded"));
        }
        if self.settings.per_user.is_some_and(|limit| spent > limit) {
            return Err(self.exceeded("userRateLimitExceeded", "User Rate Limit Exceeded"));
        }
        Ok(())
    }

    fn exceeded(&self, reason: &'static str, message: &'static str) -> ApiError {
        let (status, reason) = match self.settings.status {
            429 => (StatusCode::TOO_MANY_REQUESTS, "rateLimitExceeded"),
            _ => (StatusCode::FORBIDDEN, reason),
        };
        ApiError::new(status, reason, message).in_domain("usageLimits")
    }
}
