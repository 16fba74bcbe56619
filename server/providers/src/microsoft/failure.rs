//! What an error of Microsoft Graph means (<https://learn.microsoft.com/graph/errors>,
//! <https://learn.microsoft.com/graph/throttling>).

use std::time::Duration;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use serde_json::Value;

use crate::access::{Access, Target};
use crate::error::{ProviderError, ReauthReason};
use crate::transport::ProviderResponse;

/// The pause when there are too many requests and Graph does not say for how long.
const UNTOLD_PAUSE: Duration = Duration::from_secs(30);
/// Errors are nested a few levels deep.
const MAX_DEPTH: usize = 8;

/// What is asked, where the same answer means another thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Plain,
    /// A delta link, which may be too old.
    Delta,
    /// A create, whose `transactionId` may be known already: such an answer is handed to the adapter.
    Create,
    /// A subscription by its id, of which `ResourceNotFound` tells that it has ended.
    Subscription,
}

/// Reads the answers to the requests of `access`.
pub(super) fn classifier(access: &Access, reading: Reading) -> fn(&ProviderResponse) -> Option<ProviderError> {
    match (access.target(), reading) {
        (_, Reading::Subscription) => |response| match response.status {
            StatusCode::NOT_FOUND => Some(ProviderError::NotFound),
            _ => failure(response),
        },
        (Target::Mailbox(_), Reading::Plain) => application_failure,
        (Target::Mailbox(_), Reading::Delta) => {
            |response| expired_cursor(response).or_else(|| application_failure(response))
        }
        (Target::Mailbox(_), Reading::Create) => {
            |response| if is_duplicate(response) { None } else { application_failure(response) }
        }
        (_, Reading::Plain) => failure,
        (_, Reading::Delta) => |response| expired_cursor(response).or_else(|| failure(response)),
        (_, Reading::Create) => |response| if is_duplicate(response) { None } else { failure(response) },
    }
}

/// Reads an answer as an error; `None` for a success.
fn failure(response: &ProviderResponse) -> Option<ProviderError> {
    if response.status.is_success() {
        return None;
    }
    let status = response.status;
    let codes = codes(response);
    Some(match status {
        _ if has(&codes, &["ErrorItemNotFound", "ErrorInvalidIdMalformed", "ErrorCalendarFolderNotFound"]) => {
            ProviderError::NotFound
        }
        // There is no such mailbox, or none that Graph reaches: other than of a calendar that is gone, the host must
        // hear.
        _ if has(
            &codes,
            &[
                "MailboxNotEnabledForRESTAPI",
                "MailboxNotSupportedForRESTAPI",
                "MailboxNotHostedInExchangeOnline",
                "ErrorMailboxNotFound",
                "ErrorNonExistentMailbox",
                "ErrorInvalidUser",
                "Request_ResourceNotFound",
                "ResourceNotFound",
            ],
        ) =>
        {
            rejected(status, &codes)
        }
        StatusCode::UNAUTHORIZED => ProviderError::Reauth(match demanded_claims(response) {
            Some(claims) => ReauthReason::ClaimsChallenge(claims),
            None => ReauthReason::AccessTokenExpired,
        }),
        StatusCode::FORBIDDEN
            if has(
                &codes,
                &[
                    "Authorization_RequestDenied",
                    "ErrorInsufficientPermissionsInAccessToken",
                    "NoPermissionsInAccessToken",
                ],
            ) =>
        {
            ProviderError::Reauth(ReauthReason::MissingScope)
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => ProviderError::NotFound,
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => ProviderError::Conflict,
        StatusCode::TOO_MANY_REQUESTS => ProviderError::Throttled(response.retry_after().unwrap_or(UNTOLD_PAUSE)),
        StatusCode::REQUEST_TIMEOUT | StatusCode::LOCKED => ProviderError::Transient(status.as_str().to_owned()),
        _ if status.is_server_error() => match response.retry_after() {
            Some(after) => ProviderError::Throttled(after),
            None => ProviderError::Transient(status.as_str().to_owned()),
        },
        _ => rejected(status, &codes),
    })
}

/// As [`failure`], by application access: what is denied there, the administrator has not granted, or not for this
/// mailbox (Exchange RBAC for Applications).
fn application_failure(response: &ProviderResponse) -> Option<ProviderError> {
    let is_denied = response.status == StatusCode::FORBIDDEN
        || response.status == StatusCode::UNAUTHORIZED && has(&codes(response), &["NoPermissionsInAccessToken"]);
    match failure(response)? {
        ProviderError::Rejected(why) if is_denied => Some(ProviderError::ConsentNeeded(why)),
        ProviderError::Reauth(ReauthReason::MissingScope | ReauthReason::AccessTokenExpired) if is_denied => {
            Some(ProviderError::ConsentNeeded(text(response.status, &codes(response))))
        }
        other => Some(other),
    }
}

/// A delta link that is too old or unknown, so that a full round is needed.
fn expired_cursor(response: &ProviderResponse) -> Option<ProviderError> {
    let is_expired = response.status == StatusCode::GONE
        || response.status.is_client_error()
            && has(&codes(response), &["SyncStateNotFound", "SyncStateInvalid", "ResyncRequired"]);
    is_expired.then_some(ProviderError::CursorExpired)
}

/// Whether a create was refused because its `transactionId` is known already.
pub(super) fn is_duplicate(response: &ProviderResponse) -> bool {
    response.status == StatusCode::CONFLICT
        || response.status == StatusCode::BAD_REQUEST
            && (existing_event(response).is_some() || has(&codes(response), &["ErrorDuplicateTransactionId"]))
}

/// The event that bears the `transactionId`, if the refusal tells it.
pub(super) fn existing_event(response: &ProviderResponse) -> Option<String> {
    let body: Value = serde_json::from_slice(&response.body).ok()?;
    Some(body.pointer("/error/@event.existingEventId")?.as_str().filter(|id| !id.is_empty())?.to_owned())
}

fn has(codes: &[String], wanted: &[&str]) -> bool {
    codes.iter().any(|code| wanted.iter().any(|wanted| code.eq_ignore_ascii_case(wanted)))
}

fn rejected(status: StatusCode, codes: &[String]) -> ProviderError {
    ProviderError::Rejected(text(status, codes))
}

fn text(status: StatusCode, codes: &[String]) -> String {
    std::iter::once(status.as_str()).chain(codes.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
}

/// The error's code and the more detailed ones within it.
fn codes(response: &ProviderResponse) -> Vec<String> {
    let Ok(body) = serde_json::from_slice::<Value>(&response.body) else { return Vec::new() };
    let mut codes = Vec::new();
    let mut error = body.get("error");
    for _ in 0..MAX_DEPTH {
        let Some(object) = error.and_then(Value::as_object) else { break };
        codes.extend(object.get("code").and_then(Value::as_str).filter(|code| is_code(code)).map(str::to_owned));
        error = object.get("innerError").or_else(|| object.get("innererror"));
    }
    codes.dedup();
    codes
}

/// A code, not a sentence: what is logged holds no free text of others.
pub(super) fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// The claims of a challenge, decoded (<https://learn.microsoft.com/entra/identity-platform/claims-challenge>).
fn demanded_claims(response: &ProviderResponse) -> Option<String> {
    // Both alphabets are seen, with and without padding.
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let url_safe = GeneralPurpose::new(&alphabet::URL_SAFE, lenient);
    let standard = GeneralPurpose::new(&alphabet::STANDARD, lenient);
    let challenges = response.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let challenge = challenges.into_iter().find(|challenge| challenge.contains("insufficient_claims"))?;
    let (_, claims) = challenge.split_once("claims=\"")?;
    let (claims, _) = claims.split_once('"')?;
    let bytes = url_safe.decode(claims).or_else(|_| standard.decode(claims)).ok()?;
    let claims = String::from_utf8(bytes).ok()?;
    serde_json::from_str::<Value>(&claims).is_ok_and(|claims| claims.is_object()).then_some(claims)
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
    use bytes::Bytes;
    use http::header::RETRY_AFTER;
    use http::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;

    fn answer(status: u16, code: &str) -> ProviderResponse {
        let body = json!({"error": {
            "code": code, "message": "ana@contoso.example may not", "innerError": {"request-id": "r", "date": "d"},
        }});
        ProviderResponse {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from(body.to_string()),
        }
    }

    fn with_header(mut response: ProviderResponse, name: http::HeaderName, value: &str) -> ProviderResponse {
        response.headers.append(name, HeaderValue::from_str(value).unwrap());
        response
    }

    #[test]
    fn what_throttles_says_for_how_long() {
        for status in [429, 503, 504] {
            let throttled = with_header(answer(status, "ApplicationThrottled"), RETRY_AFTER, "5");
            assert_eq!(failure(&throttled), Some(ProviderError::Throttled(Duration::from_secs(5))));
        }
        assert_eq!(failure(&answer(429, "TooManyRequests")), Some(ProviderError::Throttled(UNTOLD_PAUSE)));
        assert_eq!(failure(&answer(503, "ServiceUnavailable")), Some(ProviderError::Transient("503".into())));
        assert_eq!(failure(&answer(500, "InternalServerError")), Some(ProviderError::Transient("500".into())));
    }

    #[test]
    fn an_expired_token_and_a_claims_challenge_are_told_apart() {
        let expired = answer(401, "InvalidAuthenticationToken");
        assert_eq!(failure(&expired), Some(ProviderError::Reauth(ReauthReason::AccessTokenExpired)));
        let claims = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}},"x":"\u00fb??>"}"#;
        for encoded in [BASE64_STANDARD.encode(claims), BASE64_URL_SAFE_NO_PAD.encode(claims)] {
            let value = format!(
                "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
                 client_id=\"c\", error=\"insufficient_claims\", claims=\"{encoded}\""
            );
            let challenged = with_header(answer(401, "InvalidAuthenticationToken"), WWW_AUTHENTICATE, "Negotiate");
            let challenged = with_header(challenged, WWW_AUTHENTICATE, &value);
            let demanded = ProviderError::Reauth(ReauthReason::ClaimsChallenge(claims.to_owned()));
            assert_eq!(failure(&challenged), Some(demanded.clone()));
            assert_eq!(application_failure(&challenged), Some(demanded));
        }
        let unreadable = "Bearer error=\"insufficient_claims\", claims=\"%%%\"";
        let unreadable = with_header(answer(401, "InvalidAuthenticationToken"), WWW_AUTHENTICATE, unreadable);
        assert_eq!(failure(&unreadable), Some(ProviderError::Reauth(ReauthReason::AccessTokenExpired)));
    }

    #[test]
    fn what_is_denied_to_an_application_its_administrator_must_grant() {
        let denied = answer(403, "ErrorAccessDenied");
        assert_eq!(failure(&denied), Some(ProviderError::Rejected("403 ErrorAccessDenied".into())));
        let consent = ProviderError::ConsentNeeded("403 ErrorAccessDenied".into());
        assert_eq!(application_failure(&denied), Some(consent));
        let denied = answer(403, "Authorization_RequestDenied");
        assert_eq!(failure(&denied), Some(ProviderError::Reauth(ReauthReason::MissingScope)));
        let consent = ProviderError::ConsentNeeded("403 Authorization_RequestDenied".into());
        assert_eq!(application_failure(&denied), Some(consent));
        let expired = answer(401, "InvalidAuthenticationToken");
        let refresh = ProviderError::Reauth(ReauthReason::AccessTokenExpired);
        assert_eq!(application_failure(&expired), Some(refresh));
    }

    #[test]
    fn what_is_gone_and_a_mailbox_that_graph_does_not_reach_are_told_apart() {
        assert_eq!(failure(&answer(404, "ErrorItemNotFound")), Some(ProviderError::NotFound));
        assert_eq!(failure(&answer(400, "ErrorInvalidIdMalformed")), Some(ProviderError::NotFound));
        for code in ["MailboxNotEnabledForRESTAPI", "Request_ResourceNotFound"] {
            let told = ProviderError::Rejected(format!("404 {code}"));
            assert_eq!(failure(&answer(404, code)), Some(told));
        }
    }

    #[test]
    fn a_subscription_that_is_not_found_has_ended() {
        let own = Access::bearer("account", crate::secret::Secret::new("token"));
        let told = classifier(&own, Reading::Subscription)(&answer(404, "ResourceNotFound"));
        assert_eq!(told, Some(ProviderError::NotFound));
    }

    #[test]
    fn a_cursor_expires_by_its_status_or_its_code() {
        let own = Access::bearer("account", crate::secret::Secret::new("token"));
        let is_expired = |response: &ProviderResponse| {
            classifier(&own, Reading::Delta)(response) == Some(ProviderError::CursorExpired)
        };
        assert!(is_expired(&answer(410, "SyncStateNotFound")));
        assert!(is_expired(&answer(410, "")));
        for code in ["syncStateInvalid", "resyncRequired", "SyncStateNotFound"] {
            assert!(is_expired(&answer(400, code)), "{code}");
        }
        assert!(!is_expired(&answer(400, "ErrorInvalidRequest")));
        assert!(!is_expired(&answer(404, "ErrorItemNotFound")));
    }

    #[test]
    fn a_duplicate_is_known_in_each_form_and_tells_the_event_where_it_can() {
        let mut body = json!({"error": {"code": "ErrorInvalidRequest", "@event.existingEventId": "AAMk="}});
        let seen = ProviderResponse { body: body.to_string().into(), ..answer(400, "") };
        assert!(is_duplicate(&seen));
        assert_eq!(existing_event(&seen).as_deref(), Some("AAMk="));
        body["error"]["@event.existingEventId"] = "".into();
        let empty = ProviderResponse { body: body.to_string().into(), ..answer(400, "") };
        assert!(!is_duplicate(&empty));
        assert!(is_duplicate(&answer(409, "ErrorDuplicateTransactionId")));
        assert!(is_duplicate(&answer(400, "ErrorDuplicateTransactionId")));
        assert!(!is_duplicate(&answer(400, "ErrorInvalidRequest")));
        assert_eq!(existing_event(&answer(409, "ErrorDuplicateTransactionId")), None);
    }

    #[test]
    fn an_error_tells_its_codes_and_not_its_message() {
        let body = json!({"error": {"code": "BadRequest", "message": "ana@contoso.example", "innerError": {
            "code": "ErrorPropertyValidationFailure", "message": "dinner with eve",
            "innererror": {"code": "a sentence of its own"},
        }}});
        let nested = ProviderResponse { body: body.to_string().into(), ..answer(400, "") };
        let told = "400 BadRequest ErrorPropertyValidationFailure";
        assert_eq!(failure(&nested), Some(ProviderError::Rejected(told.into())));
        let broken = ProviderResponse { body: Bytes::from_static(b"<html>"), ..answer(400, "") };
        assert_eq!(failure(&broken), Some(ProviderError::Rejected("400".into())));
    }

    #[test]
    fn a_failed_precondition_is_a_conflict() {
        assert_eq!(failure(&answer(412, "ErrorIrresolvableConflict")), Some(ProviderError::Conflict));
    }
}
