//! The one state machine of an appointment; nothing else changes a status.

use std::fmt;

/// Where an appointment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum AppointmentStatus {
    /// It takes place; its time belongs to it.
    Confirmed,
    /// It does not take place; its time is free again.
    Cancelled,
}

/// What can be done to an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transition {
    /// Another time.
    Move,
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
#[error("a {from} appointment cannot be changed")]
pub struct IllegalTransition {
    /// The status at the time.
    pub from: AppointmentStatus,
}

impl AppointmentStatus {
    /// The status after a transition. A cancelled appointment stays as it is, whatever is asked.
    pub fn apply(self, transition: Transition) -> Result<AppointmentStatus, IllegalTransition> {
        match (self, transition) {
            (Self::Confirmed, Transition::Move) => Ok(Self::Confirmed),
            (Self::Confirmed, Transition::Cancel) => Ok(Self::Cancelled),
            (Self::Cancelled, _) => Err(IllegalTransition { from: self }),
        }
    }

    /// `confirmed` or `cancelled`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads what [`as_str`](Self::as_str) writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Confirmed, Self::Cancelled].into_iter().find(|status| status.as_str() == text)
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

    #[test]
    fn a_cancelled_appointment_can_neither_move_nor_be_cancelled_again() {
        let cancelled = AppointmentStatus::Confirmed.apply(Transition::Cancel).unwrap();
        assert_eq!(cancelled, AppointmentStatus::Cancelled);
        for transition in [Transition::Move, Transition::Cancel] {
            assert_eq!(cancelled.apply(transition), Err(IllegalTransition { from: cancelled }));
        }
    }

    #[test]
    fn a_moved_appointment_stays_confirmed() {
        assert_eq!(AppointmentStatus::Confirmed.apply(Transition::Move), Ok(AppointmentStatus::Confirmed));
    }
}
