//! The engine's errors.
//!
//! The policy: one variant for each thing the caller can do. [`EngineError::code`] is part of the public contract and
//! never changes its meaning; [`EngineError::key`] names the sentence in the catalogue that a person reads; the server
//! maps variants to statuses in one place. What a person cannot mend is logged where it happened, with its cause, and
//! shown as "something went wrong": causes may name rows and hosts, never secrets.

use cupo_core::{
    parse::{FieldError, FieldErrors},
    slots::Refusal,
};
use cupo_providers::ProviderError;
use cupo_store::StoreError;

/// How [`EngineError::ReconnectNeeded`] begins: the errors of jobs are looked for by it.
pub(crate) const RECONNECT_NEEDED: &str = "the calendar account has to be connected again";

/// Why a use case was not carried out. Nothing of it was written, unless a variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no such thing in this organization; the noun says what was looked for.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// Fields of the input are wrong; each error names its field.
    #[error("invalid input: {0:?}")]
    Invalid(FieldErrors),
    /// Somebody else booked or holds the time.
    #[error("the slot is taken")]
    SlotTaken,
    /// The rules of the event type do not allow the start.
    #[error("the slot is refused: {0:?}")]
    SlotRefused(Refusal),
    /// The idempotency key was used before with another body.
    #[error("the idempotency key was used with another request")]
    IdempotencyKeyReused,
    /// The action needs a signed-in user.
    #[error("not signed in")]
    Unauthenticated,
    /// E-mail and password do not belong together.
    #[error("wrong e-mail or password")]
    WrongCredentials,
    /// The user's role does not allow it.
    #[error("not allowed")]
    Forbidden,
    /// It contradicts what is there already; the text is the catalogue key that explains it.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// More days were asked for than are answered at once.
    #[error("the range is longer than {max_days} days")]
    RangeTooLong {
        /// The longest range, in days.
        max_days: u32,
    },
    /// Neither the provider nor a fresh mirror can tell whether the host is free.
    #[error("the host's calendar cannot be reached")]
    CalendarUnreachable,
    /// The sign-in at the provider took too long, or was begun in another session.
    #[error("the connection attempt expired")]
    StateExpired,
    /// The host said no on the provider's consent page.
    #[error("consent was denied")]
    ConsentDenied,
    /// An administrator at the provider must allow it first; the text is the provider's reason code.
    #[error("an administrator must consent: {0}")]
    ConsentNeeded(String),
    /// The provider does not accept the client or credential by which Cupo acts; the text is its reason code. There is
    /// nothing that the host could do.
    #[error("the client is not accepted: {0}")]
    OperatorNeeded(String),
    /// The account's authorization is dead: the host has to connect it again.
    #[error("{RECONNECT_NEEDED}: {0}")]
    ReconnectNeeded(String),
    /// The operator has not configured it.
    #[error("{0} is not configured")]
    NotConfigured(&'static str),
    /// Too much of the same waits already: a moment later the same request may well be answered.
    #[error("too much waits already")]
    Busy,
    /// The store failed.
    #[error("store: {0}")]
    Store(#[source] StoreError),
    /// The provider refused or could not be reached.
    #[error("provider: {0}")]
    Provider(#[source] ProviderError),
    /// A state that the code holds impossible; the text says where.
    #[error("internal: {context}")]
    Internal {
        /// What was being done.
        context: &'static str,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::ClaimTaken => Self::SlotTaken,
            other => Self::Store(other),
        }
    }
}

impl From<ProviderError> for EngineError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::ConsentNeeded(code) => Self::ConsentNeeded(code),
            ProviderError::OperatorNeeded(code) => Self::OperatorNeeded(code),
            other => Self::Provider(other),
        }
    }
}

impl From<FieldErrors> for EngineError {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}

impl From<FieldError> for EngineError {
    fn from(error: FieldError) -> Self {
        Self::Invalid(error.into())
    }
}

impl EngineError {
    pub(crate) fn internal(context: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal { context, source: source.into() }
    }

    /// A stable, kebab-case name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not-found",
            Self::Invalid(_) => "invalid-input",
            Self::SlotTaken => "slot-taken",
            Self::SlotRefused(_) => "slot-refused",
            Self::IdempotencyKeyReused => "idempotency-key-reused",
            Self::Unauthenticated => "unauthenticated",
            Self::WrongCredentials => "wrong-credentials",
            Self::Forbidden => "forbidden",
            Self::Conflict(_) => "conflict",
            Self::RangeTooLong { .. } => "range-too-long",
            Self::CalendarUnreachable => "calendar-unreachable",
            Self::StateExpired => "state-expired",
            Self::ConsentDenied => "consent-denied",
            Self::ConsentNeeded(_) => "consent-needed",
            Self::OperatorNeeded(_) => "operator-needed",
            Self::ReconnectNeeded(_) => "reconnect-needed",
            Self::NotConfigured(_) => "not-configured",
            // A transaction that loses again and again: the database is too busy.
            Self::Busy | Self::Store(StoreError::Unavailable(_) | StoreError::Retry) => "unavailable",
            Self::Store(StoreError::Moved(_)) => "moved",
            Self::Provider(_) => "provider-failed",
            Self::Store(_) | Self::Internal { .. } => "internal",
        }
    }

    /// The catalogue key of the sentence for people.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "error.not_found",
            Self::Invalid(_) => "error.invalid",
            Self::SlotTaken => "error.slot_taken",
            Self::SlotRefused(refusal) => refusal.key(),
            Self::IdempotencyKeyReused => "error.idempotency_key_reused",
            Self::Unauthenticated => "error.unauthenticated",
            Self::WrongCredentials => "error.wrong_credentials",
            Self::Forbidden => "error.forbidden",
            Self::Conflict(key) => key,
            Self::RangeTooLong { .. } => "error.range_too_long",
            Self::CalendarUnreachable => "error.calendar_unreachable",
            Self::StateExpired => "error.state_expired",
            Self::ConsentDenied => "error.consent_denied",
            Self::ConsentNeeded(_) => "error.consent_needed",
            Self::OperatorNeeded(_) => "error.operator_needed",
            Self::ReconnectNeeded(_) => "error.reconnect_needed",
            Self::NotConfigured(_) => "error.not_configured",
            Self::Busy | Self::Store(StoreError::Unavailable(_) | StoreError::Retry) => "error.unavailable",
            Self::Store(StoreError::Moved(_)) => "error.moved",
            Self::Provider(_) => "error.provider_failed",
            Self::Store(_) | Self::Internal { .. } => "error.internal",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use cupo_core::text::{self, Locale};

    use super::*;

    fn all() -> Vec<EngineError> {
        let mut all: Vec<_> = Refusal::ALL.into_iter().map(EngineError::SlotRefused).collect();
        all.extend([
            EngineError::NotFound("event type"),
            EngineError::Invalid(FieldErrors::default()),
            EngineError::SlotTaken,
            EngineError::IdempotencyKeyReused,
            EngineError::Unauthenticated,
            EngineError::WrongCredentials,
            EngineError::Forbidden,
            EngineError::Conflict("error.appointment_past"),
            EngineError::Conflict("error.appointment_cancelled"),
            EngineError::Conflict("error.appointment_declined"),
            EngineError::Conflict("error.appointment_expired"),
            EngineError::Conflict("error.appointment_confirmed"),
            EngineError::Conflict("error.cancel_deadline"),
            EngineError::Conflict("error.reschedule_deadline"),
            EngineError::Conflict("error.link_used"),
            EngineError::Conflict("error.credential_in_use"),
            EngineError::RangeTooLong { max_days: 62 },
            EngineError::CalendarUnreachable,
            EngineError::StateExpired,
            EngineError::ConsentDenied,
            EngineError::ConsentNeeded("AADSTS90094".to_owned()),
            EngineError::OperatorNeeded("AADSTS7000222".to_owned()),
            EngineError::ReconnectNeeded("grant_revoked".to_owned()),
            EngineError::NotConfigured("google"),
            EngineError::Busy,
            EngineError::Store(StoreError::Unavailable(String::new())),
            EngineError::Store(StoreError::Retry),
            EngineError::Store(StoreError::Moved(String::new())),
            EngineError::Provider(ProviderError::NotFound),
            EngineError::internal("a test", "none"),
        ]);
        all
    }

    #[test]
    fn every_error_has_a_sentence_in_every_language() {
        for error in all() {
            for locale in Locale::ALL {
                assert_ne!(text::lookup(locale, error.key()), error.key(), "{locale:?}");
            }
        }
    }

    #[test]
    fn codes_are_kebab_case_and_tell_what_callers_must_tell_apart() {
        let codes: HashSet<_> = all().iter().map(EngineError::code).collect();
        assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')));
        // Refusals, conflicts and what is to be tried again share theirs.
        assert_eq!(codes.len(), all().len() - (Refusal::ALL.len() - 1) - 8 - 2);
    }
}
