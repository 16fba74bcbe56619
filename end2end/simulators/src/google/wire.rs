//! The API's common manners: error bodies in Google's shape and strictly read query parameters.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::header::RETRY_AFTER;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

/// An error answer of the Calendar API ("Handle API errors" of its guide).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError(Box<Detail>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Detail {
    status: StatusCode,
    domain: &'static str,
    reason: String,
    message: String,
    location: Option<(&'static str, String)>,
    retry_after_seconds: Option<u64>,
}

impl ApiError {
    /// An error of domain `global`.
    pub fn new(status: StatusCode, reason: impl Into<String>, message: impl Into<String>) -> Self {
        let (reason, message) = (reason.into(), message.into());
        let domain = "global";
        Self(Box::new(Detail { status, domain, reason, message, location: None, retry_after_seconds: None }))
    }

    /// 404 `notFound`.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound", "Not Found")
    }

    /// 400 `invalid`: a value in the body that cannot be taken.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    /// 400 `required`: something that must be there is not.
    pub fn required(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "required", message)
    }

    /// 400 `invalidParameter` for the query parameter `name`.
    pub fn bad_parameter(name: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalidParameter", message).at("parameter", name)
    }

    /// 412 `conditionNotMet`: the etag in `If-Match` is no longer the event's.
    pub fn precondition_failed() -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "conditionNotMet", "Precondition Failed").at("header", "If-Match")
    }

    /// Puts the error into another domain, such as `calendar` or `usageLimits`.
    pub fn in_domain(mut self, domain: &'static str) -> Self {
        self.0.domain = domain;
        self
    }

    /// Says which parameter or header is at fault.
    pub fn at(mut self, location_type: &'static str, location: &str) -> Self {
        self.0.location = Some((location_type, location.to_owned()));
        self
    }

    /// Adds the header `Retry-After`.
    pub fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.0.retry_after_seconds = seconds;
        self
    }

    fn body(&self) -> Value {
        let mut detail = json!({ "domain": self.0.domain, "reason": self.0.reason, "message": self.0.message });
        if let Some((location_type, location)) = &self.0.location {
            detail["locationType"] = json!(location_type);
            detail["location"] = json!(location);
        }
        json!({ "error": { "code": self.0.status.as_u16(), "message": self.0.message, "errors": [detail] } })
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}: {}", self.0.status.as_u16(), self.0.reason, self.0.message)
    }
}

impl std::error::Error for ApiError {}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.0.status, Json(self.body())).into_response();
        if self.0.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                http::header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\""),
            );
        }
        if let Some(seconds) = self.0.retry_after_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The query of a request, decoded, with repeated parameters kept.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes `text`, the part after the question mark.
    pub fn parse(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The value of `name`, if it is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Every value of `name`, in order.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The parameters other than `names`, in a fixed order: equal texts mean equal queries.
    pub fn without(&self, names: &[&str]) -> String {
        let kept = self.0.iter().filter(|(key, _)| !names.contains(&key.as_str()));
        let mut pairs: Vec<String> = kept.map(|(key, value)| format!("{key}={value}")).collect();
        pairs.sort();
        pairs.join("&")
    }

    /// `true` or `false`; anything else is a 400.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(ApiError::bad_parameter(name, format!("Invalid boolean value: '{other}'."))),
        }
    }

    /// An integer within `range`; anything else is a 400.
    pub fn integer(&self, name: &str, range: std::ops::RangeInclusive<usize>) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let within = text.parse().ok().filter(|number| range.contains(number));
        within.map(Some).ok_or_else(|| {
            let message = format!("Invalid value '{text}'. Values must be within the range: {range:?}");
            ApiError::bad_parameter(name, message)
        })
    }

    /// An RFC 3339 instant with its mandatory offset; anything else is a 400.
    pub fn instant(&self, name: &str) -> Result<Option<DateTime<Utc>>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        DateTime::parse_from_rfc3339(text)
            .map(|instant| Some(instant.to_utc()))
            .map_err(|_| ApiError::bad_parameter(name, "Bad Request: an RFC3339 timestamp with offset is required"))
    }

    /// One of `allowed`; anything else is a 400.
    pub fn one_of<'a>(&'a self, name: &str, allowed: &[&str]) -> Result<Option<&'a str>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let message = || format!("Invalid value '{text}'. Allowed values: {allowed:?}");
        allowed.contains(&text).then_some(Some(text)).ok_or_else(|| ApiError::bad_parameter(name, message()))
    }

    /// An IANA time zone; anything else is a 400.
    pub fn time_zone(&self, name: &str) -> Result<Option<chrono_tz::Tz>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| ApiError::bad_parameter(name, format!("Invalid time zone '{text}'.")))
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

/// An answer of 200 with a resource, and its etag as a header too.
pub fn resource(body: Value) -> Response {
    let etag = body.get("etag").and_then(Value::as_str).and_then(|etag| HeaderValue::from_str(etag).ok());
    let mut response = Json(body).into_response();
    if let Some(etag) = etag {
        response.headers_mut().insert(http::header::ETAG, etag);
    }
    response
}

/// Reads a JSON body, or answers 400 `parseError` as Google does.
pub fn json_body(bytes: &[u8]) -> Result<serde_json::Map<String, Value>, ApiError> {
    serde_json::from_slice(bytes).map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "parseError", "Parse Error"))
}
