//! What the error codes of the identity platform mean
//! (<https://learn.microsoft.com/entra/identity-platform/reference-error-codes>). `error_codes` says more than `error`,
//! and the description is free text: of it only a code at its beginning is read, where nothing else tells.

use serde::Deserialize;

use crate::error::OauthError;

/// Who must do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// The host signs in again.
    Host,
    /// The host's administrator consents or assigns them to the application.
    Administrator,
    /// The operator mends the application.
    Operator,
}

/// The codes that decide, in the order of who.
const CODES: [(u32, Who); 32] = [
    (50173, Who::Host),              // the grant was revoked, by a new password for one
    (700_082, Who::Host),            // the refresh token has expired for want of use
    (70008, Who::Host),              // the code or refresh token has expired
    (70043, Who::Host),              // a policy limits how often one signs in
    (70044, Who::Host),              // the session has expired by policy
    (70000, Who::Host),              // the grant is not valid
    (50076, Who::Host),              // a second factor is demanded
    (50079, Who::Host),              // a second factor is to be registered
    (50158, Who::Host),              // an external check is demanded
    (53000, Who::Host),              // the device does not comply
    (53001, Who::Host),              // the device is not joined to the domain
    (53002, Who::Host),              // the application is not approved by policy
    (53003, Who::Host),              // a policy blocks
    (65001, Who::Host),              // the host has not consented
    (50055, Who::Host),              // the password has expired
    (50057, Who::Host),              // the account is disabled
    (50089, Who::Host),              // the flow token has expired
    (54005, Who::Host),              // the code was used already
    (90094, Who::Administrator),     // an administrator must consent
    (90095, Who::Administrator),     // an administrator must review the request for consent
    (50105, Who::Administrator),     // the host is not assigned to the application
    (7_000_229, Who::Administrator), // the application is not installed in the tenant
    (7_000_215, Who::Operator),      // the secret is wrong
    (7_000_222, Who::Operator),      // the secret has expired
    (7_000_218, Who::Operator),      // a secret or assertion is missing
    (700_016, Who::Operator),        // the application is unknown in the tenant
    (700_024, Who::Operator),        // the assertion is outside its time: the clock is wrong
    (700_027, Who::Operator),        // the assertion's signature or certificate is wrong
    (50011, Who::Operator),          // the redirect address is not registered
    (50194, Who::Operator),          // the application is of one tenant, but `common` was asked
    (90002, Who::Operator),          // there is no such tenant
    (900_023, Who::Operator),        // the tenant's name is malformed
];

#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
    error_codes: Option<Vec<u32>>,
}

/// Reads an error answer of the token endpoint; `None` when it is none.
pub(super) fn read(body: &[u8]) -> Option<OauthError> {
    let answer: ErrorAnswer = serde_json::from_slice(body).ok()?;
    Some(sort(&answer.error, &answer.error_codes.unwrap_or_default()))
}

/// What it means that the host came back from the consent page with `error` instead of a code. The consent page gives
/// the code of the platform only as the beginning of `description` (`AADSTS65004: ...`).
pub fn refused(error: &str, description: Option<&str>) -> OauthError {
    let number = description.and_then(|text| text.strip_prefix("AADSTS"));
    let number =
        number.map(|text| text.split(|character: char| !character.is_ascii_digit()).next().unwrap_or_default());
    let codes: Vec<u32> = number.and_then(|number| number.parse().ok()).into_iter().collect();
    sort(error, &codes)
}

/// An application has no host who could consent or sign in: what they would do, its administrator must.
pub(super) fn of_application(error: OauthError) -> OauthError {
    match error {
        OauthError::InvalidGrant(code) | OauthError::Denied(code) => OauthError::ConsentNeeded(code),
        other => other,
    }
}

fn sort(error: &str, codes: &[u32]) -> OauthError {
    let known = codes.iter().find_map(|code| CODES.iter().find(|(known, _)| known == code));
    if let Some((code, who)) = known {
        let text = format!("AADSTS{code}");
        return match who {
            Who::Host => OauthError::InvalidGrant(text),
            Who::Administrator => OauthError::ConsentNeeded(text),
            Who::Operator => OauthError::InvalidClient(text),
        };
    }
    // RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6. A code, not a sentence: what is logged holds no free
    // text.
    let is_code = error.len() <= 64 && error.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let mut text = if is_code { error.to_owned() } else { "an unreadable code".to_owned() };
    if let Some(code) = codes.first() {
        text = format!("{text} AADSTS{code}");
    }
    match error {
        "invalid_grant" | "interaction_required" | "login_required" => OauthError::InvalidGrant(text),
        "consent_required" | "access_denied" => OauthError::Denied(text),
        "invalid_client" | "unauthorized_client" | "invalid_resource" => OauthError::InvalidClient(text),
        "temporarily_unavailable" | "server_error" => OauthError::Transient(text),
        _ => OauthError::Rejected(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(error: &str, codes: &[u32]) -> OauthError {
        let body = json!({
            "error": error, "error_codes": codes, "error_description": "AADSTS1: ana@contoso.example may not",
            "timestamp": "2026-11-02 09:00:00Z", "trace_id": "t", "correlation_id": "c",
        });
        read(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn the_numbers_decide_who_must_do_something() {
        for code in
            [50173, 700_082, 70008, 70043, 70044, 50076, 50079, 50158, 53000, 53001, 53002, 53003, 65001, 50055, 50057]
        {
            assert_eq!(answer("invalid_grant", &[code]), OauthError::InvalidGrant(format!("AADSTS{code}")));
            let required = answer("interaction_required", &[code]);
            assert_eq!(required, OauthError::InvalidGrant(format!("AADSTS{code}")));
        }
        for code in [7_000_215, 7_000_222, 700_016, 50011] {
            assert_eq!(answer("invalid_client", &[code]), OauthError::InvalidClient(format!("AADSTS{code}")));
            assert_eq!(answer("unauthorized_client", &[code]), OauthError::InvalidClient(format!("AADSTS{code}")));
        }
        for code in [90094, 50105] {
            assert_eq!(answer("invalid_grant", &[code]), OauthError::ConsentNeeded(format!("AADSTS{code}")));
        }
    }

    #[test]
    fn a_number_that_is_known_wins_over_those_that_are_not() {
        assert_eq!(answer("invalid_grant", &[1, 7_000_222]), OauthError::InvalidClient("AADSTS7000222".into()));
    }

    #[test]
    fn without_a_known_number_the_name_decides() {
        assert_eq!(answer("invalid_grant", &[]), OauthError::InvalidGrant("invalid_grant".into()));
        assert_eq!(answer("invalid_grant", &[9]), OauthError::InvalidGrant("invalid_grant AADSTS9".into()));
        assert_eq!(answer("invalid_client", &[]), OauthError::InvalidClient("invalid_client".into()));
        assert_eq!(answer("temporarily_unavailable", &[]), OauthError::Transient("temporarily_unavailable".into()));
        assert_eq!(answer("invalid_request", &[]), OauthError::Rejected("invalid_request".into()));
        assert_eq!(read(b"<html>"), None);
    }

    #[test]
    fn no_free_text_is_kept() {
        let told = answer("ana@contoso.example may not", &[]);
        assert_eq!(told, OauthError::Rejected("an unreadable code".into()));
    }

    #[test]
    fn a_refusal_at_the_consent_page_is_sorted_by_the_number_before_its_text() {
        let needed = refused("access_denied", Some("AADSTS90094: An administrator of Contoso has set a policy"));
        assert_eq!(needed, OauthError::ConsentNeeded("AADSTS90094".into()));
        let declined = refused("access_denied", Some("AADSTS65004: User declined to consent"));
        assert_eq!(declined, OauthError::Denied("access_denied AADSTS65004".into()));
        assert_eq!(refused("access_denied", None), OauthError::Denied("access_denied".into()));
        let odd = refused("access_denied", Some("AADSTS99999999999999999999"));
        assert_eq!(odd, OauthError::Denied("access_denied".into()));
    }

    #[test]
    fn what_a_host_would_mend_an_administrator_must_for_an_application() {
        let consent = OauthError::ConsentNeeded("AADSTS65001".into());
        assert_eq!(of_application(answer("invalid_grant", &[65001])), consent);
        let secret = OauthError::InvalidClient("AADSTS7000222".into());
        assert_eq!(of_application(answer("invalid_client", &[7_000_222])), secret);
    }

    #[test]
    fn no_code_stands_twice_in_the_table() {
        let mut codes = CODES.map(|(code, _)| code);
        codes.sort_unstable();
        assert!(codes.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
