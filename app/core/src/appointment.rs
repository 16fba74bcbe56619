//! The one state machine of an appointment; nothing else changes a status.
//!
//! ```text
//!                    Confirm                    Move
//!  (booked) ─► Pending ─────► Confirmed ◄──────────┐
//!     │           │ ▲             │  └─────────────┘
//!     │           │ └─MoveForApproval
//!     │           ├─ Decline ─► Declined
//!     │           ├─ Expire ──► Expired
//!     └─► Confirmed ─ Cancel ─► Cancelled ◄─ Cancel ─ Pending
//! ```
//!
//! A pending or confirmed appointment claims its time; the three ends are final and claim nothing.

use std::fmt;

/// Where an appointment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum AppointmentStatus {
    /// A host has still to agree; meanwhile its time belongs to it.
    Pending,
    /// It takes place; its time belongs to it.
    Confirmed,
    /// It does not take place; its time is free again.
    Cancelled,
    /// The host said no.
    Declined,
    /// Nobody said yes in time.
    Expired,
}

/// What can be done to an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transition {
    /// The host agrees.
    Confirm,
    /// The host does not agree.
    Decline,
    /// The time to agree has passed.
    Expire,
    /// Another time.
    Move,
    /// Another time, to which the host has to agree again.
    MoveForApproval,
    /// It shall not take place.
    Cancel,
}

/// Who ended an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum CancelledBy {
    /// The visitor, by their link.
    Visitor,
    /// The host, on the dashboard.
    Host,
    /// The event was cancelled or deleted in the calendar itself.
    Calendar,
}

/// The transition is not possible from this status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {from} appointment cannot be changed like this")]
pub struct IllegalTransition {
    /// The status at the time.
    pub from: AppointmentStatus,
}

impl AppointmentStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Confirmed, Self::Cancelled, Self::Declined, Self::Expired];

    /// The status after a transition.
    ///
    /// # Errors
    /// [`IllegalTransition`] for every pair that the drawing above does not show.
    pub fn apply(self, transition: Transition) -> Result<AppointmentStatus, IllegalTransition> {
        match (self, transition) {
            (Self::Pending, Transition::Confirm) => Ok(Self::Confirmed),
            (Self::Pending, Transition::Decline) => Ok(Self::Declined),
            (Self::Pending, Transition::Expire) => Ok(Self::Expired),
            (Self::Pending, Transition::Move) => Ok(Self::Pending),
            (Self::Confirmed, Transition::Move) => Ok(Self::Confirmed),
            (Self::Pending | Self::Confirmed, Transition::MoveForApproval) => Ok(Self::Pending),
            (Self::Pending | Self::Confirmed, Transition::Cancel) => Ok(Self::Cancelled),
            (Self::Confirmed, Transition::Confirm | Transition::Decline | Transition::Expire)
            | (Self::Cancelled | Self::Declined | Self::Expired, _) => Err(IllegalTransition { from: self }),
        }
    }

    /// Whether its time is taken.
    pub fn claims_time(self) -> bool {
        matches!(self, Self::Pending | Self::Confirmed)
    }

    /// `pending`, `confirmed`, `cancelled`, `declined` or `expired`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
            Self::Declined => "declined",
            Self::Expired => "expired",
        }
    }

    /// Reads what [`as_str`](Self::as_str) writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl fmt::Display for AppointmentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl CancelledBy {
    /// `visitor`, `host` or `calendar`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Host => "host",
            Self::Calendar => "calendar",
        }
    }

    /// Reads what [`as_str`](Self::as_str) writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Visitor, Self::Host, Self::Calendar].into_iter().find(|by| by.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSITIONS: [Transition; 6] = [
        Transition::Confirm,
        Transition::Decline,
        Transition::Expire,
        Transition::Move,
        Transition::MoveForApproval,
        Transition::Cancel,
    ];

    #[test]
    fn what_has_ended_cannot_change_any_more() {
        for ended in [AppointmentStatus::Cancelled, AppointmentStatus::Declined, AppointmentStatus::Expired] {
            for transition in TRANSITIONS {
                assert_eq!(ended.apply(transition), Err(IllegalTransition { from: ended }));
            }
        }
    }

    #[test]
    fn only_a_pending_appointment_can_be_confirmed_declined_or_expire() {
        for (transition, after) in [
            (Transition::Confirm, AppointmentStatus::Confirmed),
            (Transition::Decline, AppointmentStatus::Declined),
            (Transition::Expire, AppointmentStatus::Expired),
        ] {
            assert_eq!(AppointmentStatus::Pending.apply(transition), Ok(after));
            assert!(AppointmentStatus::Confirmed.apply(transition).is_err());
        }
    }

    #[test]
    fn a_move_keeps_the_status_unless_it_needs_approval() {
        for status in [AppointmentStatus::Pending, AppointmentStatus::Confirmed] {
            assert_eq!(status.apply(Transition::Move), Ok(status));
            assert_eq!(status.apply(Transition::MoveForApproval), Ok(AppointmentStatus::Pending));
        }
    }

    #[test]
    fn exactly_what_claims_time_can_be_cancelled() {
        for status in AppointmentStatus::ALL {
            assert_eq!(status.apply(Transition::Cancel).is_ok(), status.claims_time(), "{status}");
            assert_eq!(AppointmentStatus::parse(status.as_str()), Some(status));
        }
    }
}
