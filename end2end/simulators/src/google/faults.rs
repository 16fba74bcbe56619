//! Faults on demand: what goes wrong, for which requests, and how often.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::wire::ApiError;
use crate::faults::{self, Aim, Strike};

/// A fault for the next `times` requests (or notifications) that match.
///
/// It needs one effect at least: `status`, `delay_ms`, `drop_answer_after_effect`, `free_busy_error`, or one of
/// those for notifications.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// The HTTP method; any, when absent.
    pub method: Option<String>,
    /// A regular expression that is searched in the path (for notifications, in the webhook's address).
    pub path_pattern: Option<String>,
    /// How many matches it concerns; at least 1.
    pub times: u32,
    /// Answer with this status (400 to 599) and do nothing.
    pub status: Option<u16>,
    /// The error's reason; by default the one that goes with `status`.
    pub body_reason: Option<String>,
    /// Wait before anything else, in milliseconds.
    pub delay_ms: u64,
    /// Do everything that was asked, then close the connection without an answer.
    pub drop_answer_after_effect: bool,
    /// Do everything that was asked, then wait with the answer, in milliseconds.
    pub late_answer_ms: u64,
    /// The header `Retry-After` beside `status`, in seconds.
    pub retry_after: Option<u64>,
    /// A free/busy query answers with an error for one calendar.
    pub free_busy_error: Option<FreeBusyError>,
    /// A notification is never sent.
    pub lose_notifications: bool,
    /// A notification is sent twice.
    pub double_notifications: bool,
    /// A notification is sent so much later, in milliseconds, and those after it wait.
    pub late_notifications_ms: u64,
    /// A notification is sent so much later, in milliseconds, and those after it overtake it.
    pub overtaken_notifications_ms: u64,
}

impl Default for Fault {
    fn default() -> Self {
        Self {
            method: None,
            path_pattern: None,
            times: 1,
            status: None,
            body_reason: None,
            delay_ms: 0,
            drop_answer_after_effect: false,
            late_answer_ms: 0,
            retry_after: None,
            free_busy_error: None,
            lose_notifications: false,
            double_notifications: false,
            late_notifications_ms: 0,
            overtaken_notifications_ms: 0,
        }
    }
}

/// The calendar whose free/busy is not told, and the reason given (`notFound`, `internalError`...).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreeBusyError {
    pub calendar: String,
    pub reason: String,
}

/// What a fault of the simulated Google meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Request,
    FreeBusy,
    Notification,
}

/// The faults that still wait for their match, oldest first.
pub type Faults = faults::Faults<Fault>;

impl faults::Fault for Fault {
    type Target = Target;

    fn target(&self) -> anyhow::Result<Target> {
        let for_notifications = self.lose_notifications
            || self.double_notifications
            || self.late_notifications_ms > 0
            || self.overtaken_notifications_ms > 0;
        let for_requests =
            self.status.is_some() || self.delay_ms > 0 || self.late_answer_ms > 0 || self.drop_answer_after_effect;
        let target = match (for_requests, self.free_busy_error.is_some(), for_notifications) {
            (true, false, false) => Target::Request,
            (false, true, false) => Target::FreeBusy,
            (false, false, true) => Target::Notification,
            (false, false, false) => anyhow::bail!("the fault has no effect: name status, delay_ms or another"),
            _ => anyhow::bail!("one fault concerns requests, free/busy or notifications; send several"),
        };
        if let Some(status) = self.status {
            anyhow::ensure!((400..=599).contains(&status), "status must be from 400 to 599");
            anyhow::ensure!(!self.drop_answer_after_effect, "a dropped answer has no status");
        }
        Ok(target)
    }

    fn aim(&self) -> Aim<'_> {
        Aim { method: self.method.as_deref(), path_pattern: self.path_pattern.as_deref(), times: self.times }
    }
}

impl Faults {
    /// The first fault for this request, counted down.
    pub fn for_request(&mut self, method: &str, path: &str) -> Option<Fault> {
        self.take(Target::Request, Some(method), path)
    }

    /// The first fault for a notification to `address`, counted down.
    pub fn for_notification(&mut self, address: &str) -> Option<Fault> {
        self.take(Target::Notification, None, address)
    }

    /// Every free/busy error for this query, each counted down: calendar and reason.
    pub fn for_free_busy(&mut self) -> Vec<(String, String)> {
        let errors = self.take_all(Target::FreeBusy).into_iter().filter_map(|fault| fault.free_busy_error);
        errors.map(|error| (error.calendar, error.reason)).collect()
    }
}

impl Fault {
    /// What it does to a request at `path`.
    pub fn strike(&self, path: &str) -> Strike {
        Strike {
            delay: Duration::from_millis(self.delay_ms),
            answer: self.answer(path),
            drop_answer: self.drop_answer_after_effect,
            answer_delay: Duration::from_millis(self.late_answer_ms),
        }
    }

    /// The answer in place of the real one, in the shape of the API or of the token endpoint.
    fn answer(&self, path: &str) -> Option<Response> {
        let status = StatusCode::from_u16(self.status?).ok()?;
        let reason = self.body_reason.clone().unwrap_or_else(|| default_reason(status).to_owned());
        if path.starts_with("/calendar/") {
            let limits = ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"];
            let domain = if limits.contains(&reason.as_str()) { "usageLimits" } else { "global" };
            let message = status.canonical_reason().unwrap_or("Error");
            let error = ApiError::new(status, reason, message).in_domain(domain).retry_after(self.retry_after);
            return Some(error.into_response());
        }
        let body = json!({ "error": reason, "error_description": status.canonical_reason().unwrap_or("Error") });
        let mut response = (status, axum::Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from(seconds));
        }
        Some(response)
    }
}

fn default_reason(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "badRequest",
        401 => "authError",
        403 | 429 => "rateLimitExceeded",
        404 => "notFound",
        409 => "conflict",
        410 => "gone",
        412 => "conditionNotMet",
        500..=599 => "backendError",
        _ => "invalid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_its_requests_as_often_as_it_says_and_no_others() {
        let mut faults = Faults::default();
        let fault = Fault {
            method: Some("POST".to_owned()),
            path_pattern: Some("/events$".to_owned()),
            times: 2,
            status: Some(503),
            ..Fault::default()
        };
        faults.add(fault).unwrap();
        assert!(faults.for_request("GET", "/calendar/v3/calendars/a/events").is_none());
        assert!(faults.for_request("POST", "/calendar/v3/calendars/a/events/watch").is_none());
        assert!(faults.for_request("POST", "/calendar/v3/calendars/a/events").is_some());
        assert!(faults.for_request("POST", "/calendar/v3/calendars/a/events").is_some());
        assert!(faults.for_request("POST", "/calendar/v3/calendars/a/events").is_none());
    }

    #[test]
    fn a_fault_without_effect_or_with_two_targets_is_refused() {
        let mut faults = Faults::default();
        assert!(faults.add(Fault::default()).is_err());
        let both = Fault { status: Some(500), lose_notifications: true, ..Fault::default() };
        assert!(faults.add(both).is_err());
        assert!(faults.add(Fault { status: Some(200), ..Fault::default() }).is_err());
    }
}
