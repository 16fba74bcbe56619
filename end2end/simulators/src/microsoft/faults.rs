//! What the simulated Microsoft can be told to do wrong.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::graph::error::GraphError;
use super::sign_in::error::SignInError;
use crate::faults::{self, Aim, Strike};

/// A fault for the next `times` requests (or notifications) that match. It needs one effect at least.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// The HTTP method; any, when absent.
    pub method: Option<String>,
    /// A regular expression that is searched in the path (for notifications, in the webhook's address).
    pub path_pattern: Option<String>,
    /// How many matches it concerns; at least 1.
    pub times: u32,
    /// The answer has this status (400 to 599), and nothing is done.
    pub status: Option<u16>,
    /// The error's code; by default the one that goes with `status`.
    pub code: Option<String>,
    /// The header `Retry-After` beside `status`, in seconds.
    pub retry_after: Option<u64>,
    /// Graph answers with a claims challenge: these claims, as JSON text.
    pub claims_challenge: Option<String>,
    /// The token endpoint answers with this AADSTS error.
    pub sign_in_error: Option<SignInFault>,
    /// Wait before anything else, in milliseconds.
    pub delay_ms: u64,
    /// Do everything that was asked, then close the connection without an answer.
    pub drop_answer_after_effect: bool,
    /// `getSchedule` answers with an error for one mailbox.
    pub schedule_error: Option<ScheduleError>,
    /// A delta page tells an event twice, first in an older version.
    pub double_delta_events: bool,
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
            code: None,
            retry_after: None,
            claims_challenge: None,
            sign_in_error: None,
            delay_ms: 0,
            drop_answer_after_effect: false,
            schedule_error: None,
            double_delta_events: false,
            lose_notifications: false,
            double_notifications: false,
            late_notifications_ms: 0,
            overtaken_notifications_ms: 0,
        }
    }
}

/// An error of the token endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInFault {
    /// The AADSTS code, such as 50076.
    pub code: u32,
    /// The OAuth error; the one that goes with the code when absent.
    pub error: Option<String>,
    pub suberror: Option<String>,
    /// Claims that the next sign-in must ask for, as JSON text.
    pub claims: Option<String>,
}

/// The mailbox whose schedule is not told, and the response code given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleError {
    pub mailbox: String,
    pub code: String,
}

/// AADSTS90033: the service is temporarily unavailable.
const TEMPORARILY_UNAVAILABLE: u32 = 90_033;
/// AADSTS90014: the request is not as it must be.
const INVALID_REQUEST: u32 = 90_014;

/// What a fault meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Request,
    Schedule,
    Delta,
    Notification,
}

/// The faults that still wait for their match, oldest first.
pub type Faults = faults::Faults<Fault>;

impl faults::Fault for Fault {
    type Target = Target;

    fn target(&self) -> anyhow::Result<Target> {
        let answers = [self.status.is_some(), self.claims_challenge.is_some(), self.sign_in_error.is_some()];
        let count = answers.into_iter().filter(|given| *given).count();
        anyhow::ensure!(count <= 1, "one fault has one answer: a status, a claims challenge or a sign-in error");
        anyhow::ensure!(count == 0 || !self.drop_answer_after_effect, "a dropped answer has no status");
        if let Some(status) = self.status {
            anyhow::ensure!((400..=599).contains(&status), "status must be from 400 to 599");
        }
        let targets = [
            (Target::Request, count > 0 || self.delay_ms > 0 || self.drop_answer_after_effect),
            (Target::Schedule, self.schedule_error.is_some()),
            (Target::Delta, self.double_delta_events),
            (
                Target::Notification,
                self.lose_notifications
                    || self.double_notifications
                    || self.late_notifications_ms > 0
                    || self.overtaken_notifications_ms > 0,
            ),
        ];
        let mut wanted = targets.into_iter().filter(|(_, wanted)| *wanted).map(|(target, _)| target);
        match (wanted.next(), wanted.next()) {
            (Some(target), None) => Ok(target),
            (None, _) => anyhow::bail!("the fault has no effect: name status, delay_ms or another"),
            (Some(_), Some(_)) => anyhow::bail!("one fault concerns requests, schedules, deltas or notifications"),
        }
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

    /// Whether this delta page tells an event twice.
    pub fn for_delta(&mut self, path: &str) -> bool {
        self.take(Target::Delta, None, path).is_some()
    }

    /// Every schedule error for this query, each counted down: mailbox and code.
    pub fn for_schedules(&mut self) -> Vec<(String, String)> {
        let errors = self.take_all(Target::Schedule).into_iter().filter_map(|fault| fault.schedule_error);
        errors.map(|error| (error.mailbox, error.code)).collect()
    }
}

impl Fault {
    /// What it does to a request at `path`.
    pub fn strike(&self, path: &str, now: DateTime<Utc>) -> Strike {
        Strike {
            delay: Duration::from_millis(self.delay_ms),
            answer: self.answer(path, now),
            drop_answer: self.drop_answer_after_effect,
            ..Strike::default()
        }
    }

    fn answer(&self, path: &str, now: DateTime<Utc>) -> Option<Response> {
        if let Some(claims) = &self.claims_challenge {
            return Some(GraphError::claims_challenge(claims).into_response());
        }
        if let Some(fault) = &self.sign_in_error {
            let error = SignInError {
                code: fault.code,
                message: "The sign-in was refused by command.".to_owned(),
                error: fault.error.clone(),
                suberror: fault.suberror.clone(),
                claims: fault.claims.clone(),
            };
            return Some(error.answer(now));
        }
        let status = StatusCode::from_u16(self.status?).ok()?;
        let code = self.code.clone().unwrap_or_else(|| default_code(status).to_owned());
        let message = status.canonical_reason().unwrap_or("Error");
        if path.starts_with("/v1.0/") {
            return Some(GraphError::new(status, code, message).retry_after(self.retry_after).into_response());
        }
        let passes = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        let error = SignInError {
            error: Some(code),
            ..SignInError::new(if passes { TEMPORARILY_UNAVAILABLE } else { INVALID_REQUEST }, message)
        };
        let mut response = error.answer_as(status, now);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from(seconds));
        }
        Some(response)
    }
}

fn default_code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "InvalidAuthenticationToken",
        403 => "ErrorAccessDenied",
        404 => "ErrorItemNotFound",
        409 => "Conflict",
        410 => "SyncStateNotFound",
        412 => "ErrorIrresolvableConflict",
        429 => "ApplicationThrottled",
        503 => "ServiceUnavailable",
        504 => "GatewayTimeout",
        500..=599 => "InternalServerError",
        _ => "BadRequest",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_without_effect_or_with_two_targets_is_refused() {
        let mut faults = Faults::default();
        assert!(faults.add(Fault::default()).is_err());
        let both = Fault { status: Some(500), lose_notifications: true, ..Fault::default() };
        assert!(faults.add(both).is_err());
        let two_answers = Fault { status: Some(401), claims_challenge: Some("{}".to_owned()), ..Fault::default() };
        assert!(faults.add(two_answers).is_err());
        assert!(faults.add(Fault { status: Some(200), ..Fault::default() }).is_err());
        assert!(faults.add(Fault { late_notifications_ms: 5, ..Fault::default() }).is_ok());
    }
}
