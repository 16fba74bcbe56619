//! What the real service does one way or the other, by choice of the test.

use serde::{Deserialize, Serialize};

/// Switches; they hold until they are changed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Whether a refresh token goes on working after it was used. It does at Microsoft, for work accounts at least.
    pub used_refresh_tokens_work: bool,
    /// How a second create with the same `transactionId` is refused.
    pub duplicate_transaction: DuplicateTransaction,
    /// How long a new Teams meeting has no `joinUrl`, in milliseconds.
    pub meeting_pending_ms: u64,
    /// Whether Teams meetings come about at all where the calendar allows them.
    pub meetings_fail: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            used_refresh_tokens_work: true,
            duplicate_transaction: DuplicateTransaction::BadRequest,
            meeting_pending_ms: 0,
            meetings_fail: false,
        }
    }
}

/// The two answers that were seen in the wild.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateTransaction {
    /// 400 with `@event.existingEventId` in the error.
    BadRequest,
    /// 409 `ErrorDuplicateTransactionId`.
    Conflict,
}
