//! What an error of the Calendar API means (<https://developers.google.com/workspace/calendar/api/guides/errors>).

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::error::{ProviderError, ReauthReason};
use crate::transport::ProviderResponse;

/// The pause when the quota is used up and Google does not say for how long: quotas are counted by the minute.
const QUOTA_PAUSE: Duration = Duration::from_secs(30);

/// Reads an answer as an error; `None` for a success.
pub(super) fn failure(response: &ProviderResponse) -> Option<ProviderError> {
    if response.status.is_success() {
        return None;
    }
    let status = response.status;
    Some(match status {
        StatusCode::UNAUTHORIZED => ProviderError::Reauth(ReauthReason::AccessTokenExpired),
        StatusCode::FORBIDDEN => forbidden(response),
        StatusCode::NOT_FOUND | StatusCode::GONE => ProviderError::NotFound,
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => ProviderError::Conflict,
        StatusCode::TOO_MANY_REQUESTS => throttled(response),
        StatusCode::REQUEST_TIMEOUT => ProviderError::Transient(status.as_str().to_owned()),
        _ if status.is_server_error() => match response.retry_after() {
            Some(after) => ProviderError::Throttled(after),
            None => ProviderError::Transient(status.as_str().to_owned()),
        },
        _ => rejected(status, &reasons(response)),
    })
}

/// As [`failure`], for `events.list`: there 410 says that the sync token is too old, not that the calendar is gone.
pub(super) fn list_failure(response: &ProviderResponse) -> Option<ProviderError> {
    if response.status == StatusCode::GONE { Some(ProviderError::CursorExpired) } else { failure(response) }
}

fn forbidden(response: &ProviderResponse) -> ProviderError {
    let reasons = reasons(response);
    let has = |wanted: &[&str]| reasons.iter().any(|reason| wanted.contains(&reason.as_str()));
    // The domain `usageLimits` also holds `accessNotConfigured` (the operator has not enabled the API), which no
    // waiting mends: the reason decides.
    if has(&[
        "rateLimitExceeded",
        "userRateLimitExceeded",
        "quotaExceeded",
        "dailyLimitExceeded",
        "calendarUsageLimitsExceeded",
        "RATE_LIMIT_EXCEEDED",
    ]) {
        throttled(response)
    } else if has(&["insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"]) {
        ProviderError::Reauth(ReauthReason::MissingScope)
    } else {
        rejected(response.status, &reasons)
    }
}

fn throttled(response: &ProviderResponse) -> ProviderError {
    ProviderError::Throttled(response.retry_after().unwrap_or(QUOTA_PAUSE))
}

fn rejected(status: StatusCode, reasons: &[String]) -> ProviderError {
    ProviderError::Rejected(
        std::iter::once(status.as_str()).chain(reasons.iter().map(String::as_str)).collect::<Vec<_>>().join(" "),
    )
}

/// The reason codes of an error body, in the classic form (`errors[].reason`) and the newer one (`details[].reason`).
fn reasons(response: &ProviderResponse) -> Vec<String> {
    let Ok(body) = serde_json::from_slice::<Value>(&response.body) else { return Vec::new() };
    ["/error/errors", "/error/details"]
        .iter()
        .filter_map(|pointer| body.pointer(pointer)?.as_array())
        .flatten()
        .filter_map(|error| error.get("reason")?.as_str())
        // A code, not a sentence: what is logged holds no free text of others.
        .filter(|reason| reason.len() <= 64 && reason.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::header::RETRY_AFTER;
    use http::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;

    fn answer(status: u16, domain: &str, reason: &str) -> ProviderResponse {
        let body = json!({"error": {
            "code": status, "message": "ana@example.com may not", "errors": [{"domain": domain, "reason": reason, "message": "no"}],
        }});
        ProviderResponse {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from(body.to_string()),
        }
    }

    #[test]
    fn an_exceeded_quota_throttles_whether_it_comes_as_403_or_429() {
        for reason in ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "calendarUsageLimitsExceeded"] {
            assert_eq!(failure(&answer(403, "usageLimits", reason)), Some(ProviderError::Throttled(QUOTA_PAUSE)));
        }
        let mut throttled = answer(429, "usageLimits", "rateLimitExceeded");
        throttled.headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        assert_eq!(failure(&throttled), Some(ProviderError::Throttled(Duration::from_secs(5))));
    }

    #[test]
    fn an_api_that_is_not_enabled_is_not_waited_for() {
        let refused = failure(&answer(403, "usageLimits", "accessNotConfigured"));
        assert_eq!(refused, Some(ProviderError::Rejected("403 accessNotConfigured".into())));
    }

    #[test]
    fn a_missing_scope_asks_the_host_and_an_expired_token_asks_for_a_refresh() {
        let missing = Some(ProviderError::Reauth(ReauthReason::MissingScope));
        assert_eq!(failure(&answer(403, "global", "insufficientPermissions")), missing);
        let newer = json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"},
        ]}});
        let newer = ProviderResponse { body: newer.to_string().into(), ..answer(403, "", "") };
        assert_eq!(failure(&newer), missing);
        let expired = Some(ProviderError::Reauth(ReauthReason::AccessTokenExpired));
        assert_eq!(failure(&answer(401, "global", "authError")), expired);
    }

    #[test]
    fn another_403_is_final_and_tells_the_reason_but_not_the_message() {
        let refused = failure(&answer(403, "calendar", "forbiddenForNonOrganizer"));
        assert_eq!(refused, Some(ProviderError::Rejected("403 forbiddenForNonOrganizer".into())));
    }

    #[test]
    fn gone_is_an_expired_cursor_for_a_list_only() {
        let gone = answer(410, "calendar", "fullSyncRequired");
        assert_eq!(list_failure(&gone), Some(ProviderError::CursorExpired));
        assert_eq!(failure(&answer(410, "global", "deleted")), Some(ProviderError::NotFound));
        assert_eq!(list_failure(&answer(404, "global", "notFound")), Some(ProviderError::NotFound));
    }

    #[test]
    fn a_server_error_passes_and_a_body_that_is_no_json_does_not_matter() {
        let broken = ProviderResponse { body: Bytes::from_static(b"<html>"), ..answer(502, "", "") };
        assert_eq!(failure(&broken), Some(ProviderError::Transient("502".into())));
        let mut asked_to_wait = answer(503, "global", "backendError");
        asked_to_wait.headers.insert(RETRY_AFTER, HeaderValue::from_static("120"));
        assert_eq!(failure(&asked_to_wait), Some(ProviderError::Throttled(Duration::from_secs(120))));
    }

    #[test]
    fn a_failed_precondition_and_a_duplicate_are_conflicts() {
        assert_eq!(failure(&answer(412, "global", "conditionNotMet")), Some(ProviderError::Conflict));
        assert_eq!(failure(&answer(409, "global", "duplicate")), Some(ProviderError::Conflict));
    }
}
