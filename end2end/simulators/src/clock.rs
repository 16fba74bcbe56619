//! The time of a simulated world: the machine's clock, moved by as much as a test asks.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, TimeDelta, Utc};

/// A running clock with an adjustable offset to the machine's clock.
#[derive(Debug, Default)]
pub struct SimClock {
    offset_micros: AtomicI64,
}

impl SimClock {
    /// The present instant of the simulated world, to the microsecond.
    pub fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(machine_micros() + self.offset_micros.load(Ordering::Relaxed))
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Moves the world forward (or back, when negative).
    pub fn advance(&self, by: TimeDelta) {
        self.offset_micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::Relaxed);
    }

    /// Makes it `instant` now; the clock runs on from there.
    pub fn set(&self, instant: DateTime<Utc>) {
        self.offset_micros.store(instant.timestamp_micros() - machine_micros(), Ordering::Relaxed);
    }

    /// Goes back to the machine's time.
    pub fn reset(&self) {
        self.offset_micros.store(0, Ordering::Relaxed);
    }
}

fn machine_micros() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the one place where the simulators read the machine's clock")]
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.map_or(0, |elapsed| i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX))
}
