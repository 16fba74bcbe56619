//! What an error of a CalDAV server means (RFC 4918 §9 and §11, RFC 4791 §1.3, RFC 6578 §3.2).

use std::time::Duration;

use http::StatusCode;

use super::multistatus::failed_preconditions;
use super::xml::XmlError;
use crate::error::{ProviderError, ReauthReason};
use crate::transport::ProviderResponse;

/// The pause when a server says that there were too many requests, and not for how long.
const PAUSE: Duration = Duration::from_secs(30);
const UID_CONFLICT: &str = "no-uid-conflict";
const TOO_MANY_MATCHES: &str = "number-of-matches-within-limits";

/// Reads an answer as an error; `None` for a success.
pub(super) fn failure(response: &ProviderResponse) -> Option<ProviderError> {
    let status = response.status;
    if status.is_success() {
        return None;
    }
    Some(match status {
        StatusCode::UNAUTHORIZED => ProviderError::Reauth(ReauthReason::WrongPassword),
        StatusCode::NOT_FOUND | StatusCode::GONE => ProviderError::NotFound,
        StatusCode::PRECONDITION_FAILED => ProviderError::Conflict,
        StatusCode::TOO_MANY_REQUESTS => ProviderError::Throttled(response.retry_after().unwrap_or(PAUSE)),
        StatusCode::REQUEST_TIMEOUT | StatusCode::LOCKED | StatusCode::TOO_EARLY => {
            ProviderError::Transient(status.as_str().to_owned())
        }
        // What the server cannot do, or has no room for, it will not do the next time.
        StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED | StatusCode::INSUFFICIENT_STORAGE => {
            rejected(response)
        }
        _ if status.is_server_error() => match response.retry_after() {
            Some(after) => ProviderError::Throttled(after),
            None => ProviderError::Transient(status.as_str().to_owned()),
        },
        _ => rejected(response),
    })
}

/// As [`failure`], for `sync-collection`: a token that is not valid, or not taken, or whose changes are too many for
/// one answer, is remedied by a full round. Some servers answer 409 or 507 instead of 403, and some a bare 400 or 410.
pub(super) fn sync_failure(response: &ProviderResponse) -> Option<ProviderError> {
    let is_expired = match response.status {
        StatusCode::BAD_REQUEST | StatusCode::CONFLICT | StatusCode::GONE | StatusCode::PRECONDITION_FAILED => true,
        StatusCode::FORBIDDEN | StatusCode::INSUFFICIENT_STORAGE => {
            has_failed(response, "valid-sync-token") || has_failed(response, TOO_MANY_MATCHES)
        }
        _ => false,
    };
    if is_expired { Some(ProviderError::CursorExpired) } else { failure(response) }
}

/// As [`failure`], for `calendar-query`: that too many resources match is left to the caller, who asks for less.
pub(super) fn query_failure(response: &ProviderResponse) -> Option<ProviderError> {
    if matches_too_many(response) { None } else { failure(response) }
}

/// Whether a query was refused because too many resources match (RFC 4791 §7.8).
pub(super) fn matches_too_many(response: &ProviderResponse) -> bool {
    matches!(response.status, StatusCode::FORBIDDEN | StatusCode::CONFLICT | StatusCode::INSUFFICIENT_STORAGE)
        && has_failed(response, TOO_MANY_MATCHES)
}

/// As [`failure`], for PUT: that another resource bears the UID is left to the caller, and a 409 with no further word
/// says that the calendar is not there (RFC 4918 §9.7.1).
pub(super) fn put_failure(response: &ProviderResponse) -> Option<ProviderError> {
    if bears_known_uid(response) {
        return None;
    }
    if response.status == StatusCode::CONFLICT && failed_preconditions(&response.body).is_empty() {
        return Some(ProviderError::NotFound);
    }
    failure(response)
}

/// Whether a PUT was refused because another resource of the calendar bears the UID (RFC 4791 §5.3.2.1).
pub(super) fn bears_known_uid(response: &ProviderResponse) -> bool {
    matches!(response.status, StatusCode::FORBIDDEN | StatusCode::CONFLICT) && has_failed(response, UID_CONFLICT)
}

/// An answer that should have been a multistatus: a page instead of it passes, as a proxy's page of maintenance does.
pub(super) fn unreadable(operation: &str, error: XmlError) -> ProviderError {
    match error {
        XmlError::Unreadable => ProviderError::Transient(format!("{operation}: {error}")),
        XmlError::Refused => ProviderError::Rejected(format!("{operation}: {error}")),
    }
}

fn has_failed(response: &ProviderResponse, precondition: &str) -> bool {
    failed_preconditions(&response.body).iter().any(|failed| failed == precondition)
}

fn rejected(response: &ProviderResponse) -> ProviderError {
    let codes = failed_preconditions(&response.body);
    let told = std::iter::once(response.status.as_str()).chain(codes.iter().map(String::as_str));
    ProviderError::Rejected(told.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::header::RETRY_AFTER;
    use http::{HeaderMap, HeaderValue};

    use super::*;

    fn answer(status: u16, precondition: &str) -> ProviderResponse {
        let body = format!(
            r#"<D:error xmlns:D="DAV:" xmlns:s="http://sabredav.org/ns"><D:{precondition}/>
            <s:message>Ana may not!</s:message></D:error>"#
        );
        let body = if precondition.is_empty() { Bytes::from_static(b"<html>Ana may not") } else { body.into() };
        ProviderResponse { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body }
    }

    #[test]
    fn a_status_says_what_the_caller_must_do() {
        let transient = |code: &str| ProviderError::Transient(code.to_owned());
        let rejected = |code: &str| ProviderError::Rejected(code.to_owned());
        for (status, error) in [
            (401, ProviderError::Reauth(ReauthReason::WrongPassword)),
            (403, rejected("403")),
            (404, ProviderError::NotFound),
            (410, ProviderError::NotFound),
            (412, ProviderError::Conflict),
            (423, transient("423")),
            (429, ProviderError::Throttled(PAUSE)),
            (301, rejected("301")),
            (405, rejected("405")),
            (500, transient("500")),
            (501, rejected("501")),
            (503, transient("503")),
            (507, rejected("507")),
        ] {
            assert_eq!(failure(&answer(status, "")), Some(error), "{status}");
        }
        assert_eq!(failure(&answer(207, "")), None);
    }

    #[test]
    fn the_precondition_is_told_and_the_servers_words_are_not() {
        let refused = ProviderError::Rejected("403 need-privileges message".into());
        assert_eq!(failure(&answer(403, "need-privileges")), Some(refused));
    }

    #[test]
    fn a_pause_that_the_server_asks_for_is_kept() {
        for status in [429, 500, 503] {
            let mut busy = answer(status, "");
            busy.headers.insert(RETRY_AFTER, HeaderValue::from_static("120"));
            assert_eq!(failure(&busy), Some(ProviderError::Throttled(Duration::from_secs(120))), "{status}");
        }
    }

    #[test]
    fn a_sync_token_that_is_not_taken_has_expired_but_a_lost_right_has_not() {
        for told in [answer(403, "valid-sync-token"), answer(409, "valid-sync-token"), answer(507, "valid-sync-token")]
        {
            assert_eq!(sync_failure(&told), Some(ProviderError::CursorExpired));
        }
        for told in [answer(400, ""), answer(410, ""), answer(507, TOO_MANY_MATCHES)] {
            assert_eq!(sync_failure(&told), Some(ProviderError::CursorExpired));
        }
        assert!(matches!(sync_failure(&answer(403, "need-privileges")), Some(ProviderError::Rejected(_))));
        assert_eq!(sync_failure(&answer(404, "")), Some(ProviderError::NotFound));
        assert!(matches!(failure(&answer(403, "valid-sync-token")), Some(ProviderError::Rejected(_))));
    }

    #[test]
    fn a_put_is_refused_for_its_uid_its_calendar_or_its_content() {
        assert_eq!(put_failure(&answer(409, UID_CONFLICT)), None);
        assert_eq!(put_failure(&answer(409, "")), Some(ProviderError::NotFound));
        let content = ProviderError::Rejected("403 valid-calendar-data message".into());
        assert_eq!(put_failure(&answer(403, "valid-calendar-data")), Some(content));
    }
}
