//! Errors in the shape of Graph: `{error: {code, message, innerError}}`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

/// An error answer of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphError(Box<Detail>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Detail {
    status: StatusCode,
    code: String,
    message: String,
    /// Members of the error beside code and message.
    members: Map<String, Value>,
    retry_after_seconds: Option<u64>,
    challenge: Option<String>,
}

impl GraphError {
    /// Any error.
    pub fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        let (code, message) = (code.into(), message.into());
        let (retry_after_seconds, challenge) = (None, None);
        Self(Box::new(Detail { status, code, message, members: Map::new(), retry_after_seconds, challenge }))
    }

    /// 400.
    pub fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 404 `ErrorItemNotFound`.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "ErrorItemNotFound", "The specified object was not found in the store.")
    }

    /// 400 `ErrorInvalidIdMalformed`.
    pub fn malformed_id() -> Self {
        Self::bad_request("ErrorInvalidIdMalformed", "Id is malformed.")
    }

    /// 403 `ErrorAccessDenied`.
    pub fn access_denied() -> Self {
        Self::new(StatusCode::FORBIDDEN, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    }

    /// 400 `TimeZoneNotSupportedException`.
    pub fn unknown_zone(name: &str) -> Self {
        let message = format!(
            "A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'."
        );
        Self::bad_request("TimeZoneNotSupportedException", message)
    }

    /// 400 `ErrorInvalidUrlQuery`: a query parameter that cannot be, or not here.
    pub fn bad_query(message: impl Into<String>) -> Self {
        Self::bad_request("ErrorInvalidUrlQuery", message)
    }

    /// 412 `ErrorIrresolvableConflict`: the change key is no longer the event's.
    pub fn irresolvable_conflict() -> Self {
        let message = "The send or update operation could not be performed because the change key passed in the \
                       request does not match the current change key for the item.";
        Self::new(StatusCode::PRECONDITION_FAILED, "ErrorIrresolvableConflict", message)
    }

    /// 401 `InvalidAuthenticationToken`.
    pub fn unauthenticated(message: &str) -> Self {
        let mut error = Self::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message);
        error.0.challenge = Some("Bearer realm=\"\", error=\"invalid_token\"".to_owned());
        error
    }

    /// 401 with a claims challenge: the person must sign in again, with these claims.
    pub fn claims_challenge(claims: &str) -> Self {
        let message = "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: \
                       LocationConditionEvaluationSatisfied";
        let mut error = Self::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message);
        error.0.challenge = Some(format!(
            "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
             client_id=\"00000003-0000-0000-c000-000000000000\", error=\"insufficient_claims\", claims=\"{}\"",
            STANDARD.encode(claims)
        ));
        error
    }

    /// Adds the header `Retry-After`, in seconds.
    pub fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.0.retry_after_seconds = seconds;
        self
    }

    /// Adds a member beside code and message.
    pub fn with_member(mut self, name: &str, value: &str) -> Self {
        self.0.members.insert(name.to_owned(), json!(value));
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    fn body(&self) -> Value {
        let mut error = self.0.members.clone();
        error.insert("code".to_owned(), json!(self.0.code));
        error.insert("message".to_owned(), json!(self.0.message));
        let id = uuid::Uuid::new_v4().to_string();
        error.insert("innerError".to_owned(), json!({ "request-id": id, "client-request-id": id }));
        json!({ "error": error })
    }
}

impl std::fmt::Display for GraphError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}: {}", self.0.status.as_u16(), self.0.code, self.0.message)
    }
}

impl std::error::Error for GraphError {}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        let mut response = (self.0.status, Json(self.body())).into_response();
        if let Some(challenge) = self.0.challenge.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.0.retry_after_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Reads a JSON body, or answers 400 as Graph does.
pub fn json_body(bytes: &[u8]) -> Result<Map<String, Value>, GraphError> {
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    let unreadable = |_| GraphError::bad_request("BadRequest", "Unable to read JSON request payload.");
    serde_json::from_slice(bytes).map_err(unreadable)
}
