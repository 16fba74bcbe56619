//! Requests as adapters build them and answers as they parse them.

use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use http::header::{CONTENT_TYPE, DATE, IF_MATCH, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::{Position, Url};

use crate::access::Access;
use crate::error::ProviderError;

/// A `Retry-After` beyond a day is read as a day.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A request as an adapter builds it.
#[derive(Clone)]
pub(crate) struct ProviderRequest {
    pub(crate) provider: &'static str,
    /// The provider's name of the method, such as `events.insert`.
    pub(crate) operation: &'static str,
    /// The path with placeholders instead of ids.
    pub(crate) path_template: &'static str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) access: Option<Access>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether sending it twice has the effect of sending it once.
    pub(crate) is_idempotent: bool,
    /// Reads an answer as an error; `None` hands it to the adapter.
    pub(crate) classify: fn(&ProviderResponse) -> Option<ProviderError>,
}

cupo_core::shown_in_debug!(ProviderRequest { provider, operation, path_template, method });

impl ProviderRequest {
    pub(crate) fn with_json(mut self, body: &serde_json::Value) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = body.to_string().into();
        self
    }

    /// The server: its name and, where it is not the scheme's own, its port.
    pub(super) fn host(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    /// Makes the request conditional. One that may have had its effect already would fail the second time, so a
    /// conditional request is not repeated.
    pub(crate) fn with_if_match(mut self, etag: &str) -> Result<Self, ProviderError> {
        let etag =
            HeaderValue::from_str(etag).map_err(|_| ProviderError::Rejected("the etag is not readable".into()))?;
        self.headers.insert(IF_MATCH, etag);
        self.is_idempotent = false;
        Ok(self)
    }
}

/// An answer as an adapter parses it.
pub(crate) struct ProviderResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

cupo_core::shown_in_debug!(ProviderResponse { status });

impl ProviderResponse {
    /// See [`retry_after`].
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }
}

/// `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), which is measured from the answer's own `Date`.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = text.parse().map(Duration::from_secs).ok().or_else(|| {
        let sent = DateTime::parse_from_rfc2822(headers.get(DATE)?.to_str().ok()?).ok()?;
        Some((DateTime::parse_from_rfc2822(text).ok()? - sent).to_std().unwrap_or_default())
    })?;
    Some(pause.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn response(headers: &[(HeaderName, &str)]) -> ProviderResponse {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        ProviderResponse { status: StatusCode::OK, headers: headers.collect(), body: Bytes::new() }
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        assert_eq!(response(&[(RETRY_AFTER, "7")]).retry_after(), Some(Duration::from_secs(7)));
        let dated = [(RETRY_AFTER, "Sun, 06 Nov 1994 08:50:37 GMT"), (DATE, "Sun, 06 Nov 1994 08:49:37 GMT")];
        assert_eq!(response(&dated).retry_after(), Some(Duration::from_secs(60)));
        let past = [(RETRY_AFTER, "Sun, 06 Nov 1994 08:49:00 GMT"), (DATE, "Sun, 06 Nov 1994 08:49:37 GMT")];
        assert_eq!(response(&past).retry_after(), Some(Duration::ZERO));
        assert_eq!(response(&[(RETRY_AFTER, "soon")]).retry_after(), None);
        assert_eq!(response(&[(RETRY_AFTER, "18446744073709551615")]).retry_after(), Some(LONGEST_RETRY_AFTER));
    }
}
