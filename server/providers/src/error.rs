//! The errors of this crate, one variant for each thing that the caller does about it.
//!
//! No variant carries a token, an e-mail address or a provider's free text: the texts name the operation, the status,
//! the provider's reason code and the field, and may be logged and shown to the host.

use std::time::Duration;

use thiserror::Error;

/// Why a call to a provider failed, told as what the caller must do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProviderError {
    /// The token was not accepted: refresh it, or ask the host to connect again, as the reason says.
    #[error("authorization is needed again: {0}")]
    Reauth(ReauthReason),
    /// The cursor is too old: forget the mirror and begin a full round.
    #[error("the sync cursor has expired")]
    CursorExpired,
    /// The event has changed since the etag was read, or another event bears the id: read it again and decide.
    #[error("the event was changed by someone else")]
    Conflict,
    /// Too many requests: call again after this time, with jitter.
    #[error("the provider asks to wait {} s", .0.as_secs())]
    Throttled(Duration),
    /// A fault that passes (no answer, a time-out, a 5xx): call again with backoff. The call may have had its effect.
    #[error("the provider did not answer properly: {0}")]
    Transient(String),
    /// The same call will fail again: give up and show the reason.
    #[error("the provider refused: {0}")]
    Rejected(String),
    /// The calendar or the event does not exist, or no longer.
    #[error("not found at the provider")]
    NotFound,
    /// The administrator of the host's organization must allow it at the provider; then the same call will succeed.
    #[error("an administrator must consent: {0}")]
    ConsentNeeded(String),
    /// The operator must mend the installation's client at the provider (its secret has expired, its key is refused): an alert for
    /// the operator; there is nothing that the host could do.
    #[error("the installation's client is not accepted: {0}")]
    OperatorNeeded(String),
}

impl ProviderError {
    /// The `result` label of the metrics.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Reauth(_) => "reauth",
            Self::CursorExpired => "cursor_expired",
            Self::Conflict => "conflict",
            Self::Throttled(_) => "throttled",
            Self::Transient(_) => "transient",
            Self::Rejected(_) => "rejected",
            Self::NotFound => "not_found",
            Self::ConsentNeeded(_) => "consent_needed",
            Self::OperatorNeeded(_) => "operator_needed",
        }
    }
}

/// Why a token was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReauthReason {
    /// The access token has expired or was revoked: refresh it and call once more.
    #[error("the access token has expired")]
    AccessTokenExpired,
    /// The refresh token is dead: only the host can connect again.
    #[error("the grant was revoked")]
    GrantRevoked,
    /// The grant lacks a scope that the call needs: the host must connect again and allow it.
    #[error("a permission was not granted")]
    MissingScope,
    /// The password is not accepted, or no longer: the host must enter one that is.
    #[error("the password is not accepted")]
    WrongPassword,
    /// A policy demands a sign-in with these claims (JSON): the host must sign in again, and the request for it carry them
    /// (<https://learn.microsoft.com/entra/identity-platform/claims-challenge>).
    #[error("a sign-in with further claims is demanded")]
    ClaimsChallenge(String),
}

/// Why an OAuth request failed. The texts hold the authorization server's error code only.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OauthError {
    /// The authorization code or refresh token is dead (`invalid_grant`): the host must connect again; do not retry.
    #[error("the grant is no longer valid: {0}")]
    InvalidGrant(String),
    /// The operator's client id or secret is wrong: an alert for the operator, not for the host.
    #[error("the OAuth client is not accepted: {0}")]
    InvalidClient(String),
    /// The administrator of the host's organization must consent first: the host shows them how.
    #[error("an administrator must consent: {0}")]
    ConsentNeeded(String),
    /// The host or their administrator does not allow it.
    #[error("access was denied: {0}")]
    Denied(String),
    /// No proper answer: try again later.
    #[error("the authorization server did not answer properly: {0}")]
    Transient(String),
    /// The same request will fail again.
    #[error("the authorization server refused: {0}")]
    Rejected(String),
}

impl From<OauthError> for ProviderError {
    fn from(error: OauthError) -> Self {
        match error {
            OauthError::InvalidGrant(_) | OauthError::Denied(_) => Self::Reauth(ReauthReason::GrantRevoked),
            OauthError::Transient(why) => Self::Transient(why),
            OauthError::ConsentNeeded(why) => Self::ConsentNeeded(why),
            OauthError::InvalidClient(why) => Self::OperatorNeeded(why),
            OauthError::Rejected(why) => Self::Rejected(why),
        }
    }
}

/// Why a request is not a provider's notification.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotificationError {
    #[error("header {0} is missing")]
    Missing(&'static str),
    #[error("header {0} is not readable")]
    Invalid(&'static str),
    /// Of a provider that tells in the body: the part that is not readable.
    #[error("the body is not readable: {0}")]
    Body(&'static str),
}
