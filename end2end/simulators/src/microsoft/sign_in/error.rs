//! Errors of sign-in: an OAuth error with AADSTS codes.

use axum::Json;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An error of the sign-in service by its AADSTS code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInError {
    pub code: u32,
    pub message: String,
    /// The OAuth error; the one that goes with the code when absent.
    pub error: Option<String>,
    pub suberror: Option<String>,
    /// Claims that the next sign-in must ask for, as JSON text.
    pub claims: Option<String>,
}

impl SignInError {
    /// The error of an AADSTS code.
    pub fn new(code: u32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), error: None, suberror: None, claims: None }
    }

    /// The OAuth error (RFC 6749, section 5.2, and what Microsoft adds to it).
    pub fn error(&self) -> &str {
        self.error.as_deref().unwrap_or_else(|| oauth_error(self.code))
    }

    /// `error_description` at `now`.
    pub fn description(&self, now: DateTime<Utc>) -> String {
        let id = uuid::Uuid::new_v4();
        format!(
            "AADSTS{}: {} Trace ID: {id} Correlation ID: {id} Timestamp: {}",
            self.code,
            self.message,
            now.format("%Y-%m-%d %H:%M:%SZ")
        )
    }

    /// The answer of the token endpoint at `now`.
    pub fn answer(&self, now: DateTime<Utc>) -> Response {
        let status = match self.error() {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        self.answer_as(status, now)
    }

    /// As [`Self::answer`], with another status.
    pub fn answer_as(&self, status: StatusCode, now: DateTime<Utc>) -> Response {
        let mut body = json!({
            "error": self.error(),
            "error_description": self.description(now),
            "error_codes": [self.code],
            "timestamp": now.format("%Y-%m-%d %H:%M:%SZ").to_string(),
            "trace_id": uuid::Uuid::new_v4().to_string(),
            "correlation_id": uuid::Uuid::new_v4().to_string(),
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        });
        for (name, value) in [("suberror", &self.suberror), ("claims", &self.claims)] {
            if let Some(value) = value {
                body[name] = Value::from(value.as_str());
            }
        }
        (status, Json(body)).into_response()
    }
}

/// The OAuth error that goes with an AADSTS code.
fn oauth_error(code: u32) -> &'static str {
    match code {
        7_000_215 | 7_000_222 | 7_000_218 | 700_021 | 700_023 | 700_024 | 700_027 | 50_027 | 500_112 => {
            "invalid_client"
        }
        700_016 | 7_000_229 | 50_105 => "unauthorized_client",
        65_004 | 90_094 => "access_denied",
        65_001 | 50_076 | 50_079 | 50_158 | 53_000..=53_003 | 50_020 | 500_208 => "interaction_required",
        70_011 | 1_002_012 => "invalid_scope",
        70_003 => "unsupported_grant_type",
        900_144 | 90_002 | 9_001_023 | 50_059 | 50_011 | 90_014 | 501_461 => "invalid_request",
        90_033 | 50_196 => "temporarily_unavailable",
        _ => "invalid_grant",
    }
}
