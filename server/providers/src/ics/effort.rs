//! What reading a file may cost, however small the file is.

use super::IcsError;

/// What the rules of a file may cost together, in steps of the crate `rrule`.
const MOST_STEPS: i64 = 1_000_000;
/// What the rules of the resources of a calendar may cost together.
const MOST_STEPS_OF_CALENDAR: i64 = 5_000_000;
/// What the events of a file may weigh together, in bytes: a recurring event repeats its texts with each instance.
const MOST_WEIGHT: usize = 64 * 1024 * 1024;

/// What a file, or a calendar of many, has already cost, and what it may.
#[derive(Debug)]
pub(crate) struct Effort {
    steps: i64,
    weight: usize,
    most_steps: i64,
}

impl Default for Effort {
    /// For one file.
    fn default() -> Self {
        Self { steps: 0, weight: 0, most_steps: MOST_STEPS }
    }
}

impl Effort {
    /// For all resources of a calendar, one after the other.
    pub(crate) fn of_calendar() -> Self {
        Self { most_steps: MOST_STEPS_OF_CALENDAR, ..Self::default() }
    }

    pub(super) fn spend(&mut self, steps: i64) -> Result<(), IcsError> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > self.most_steps { Err(IcsError::TooMany) } else { Ok(()) }
    }

    pub(super) fn hold(&mut self, weight: usize) -> Result<(), IcsError> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > MOST_WEIGHT { Err(IcsError::TooMany) } else { Ok(()) }
    }
}
