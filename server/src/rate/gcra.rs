//! The generic cell rate algorithm: a whole history of requests in one instant.
//!
//! What is kept of a client is its theoretical arrival time: when the next request would come if they came evenly. A request
//! is admitted while that is no further ahead than a burst lasts. See ITU-T I.371, and
//! <https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm>.

use std::time::Duration;

/// The time over which a burst is spread.
const MINUTE: Duration = Duration::from_secs(60);

/// So many requests a minute, in bursts of as many. Instants are durations since some fixed moment.
#[derive(Debug, Clone, Copy)]
pub struct Gcra {
    /// Between two requests that come evenly.
    interval: Duration,
    /// How far ahead the arrival time may be: as long as a burst lasts.
    burst: Duration,
}

impl Gcra {
    /// `requests` are from 1 to 1,000,000.
    pub fn per_minute(requests: u32) -> Self {
        let interval = MINUTE / requests;
        // The minute, but for what the division has lost.
        Self { interval, burst: interval * requests }
    }

    /// The arrival time after a request at `now`.
    ///
    /// # Errors
    /// How long to wait, when the burst is used up.
    pub fn admit(&self, arrival: Duration, now: Duration) -> Result<Duration, Duration> {
        let next = arrival.max(now) + self.interval;
        if next <= now + self.burst { Ok(next) } else { Err(next - now - self.burst) }
    }

    /// The arrival time after `count` requests that others have admitted: a debt, which may exceed the burst. It grows to
    /// `bursts` at most.
    pub fn owe(&self, arrival: Duration, now: Duration, count: u32, bursts: u32) -> Duration {
        let owed = arrival.max(now) + self.interval * count;
        owed.min(now + self.burst * bursts).max(arrival)
    }

    /// Whether nothing is known of a client with this arrival time that matters at `now`.
    pub fn is_quiet(&self, arrival: Duration, now: Duration) -> bool {
        arrival <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_burst_is_admitted_at_once_and_then_one_an_interval() {
        let gcra = Gcra::per_minute(6);
        let mut arrival = Duration::ZERO;
        for _ in 0..6 {
            arrival = gcra.admit(arrival, at(100.0)).unwrap();
        }
        assert_eq!(gcra.admit(arrival, at(100.0)), Err(at(10.0)));
        assert_eq!(gcra.admit(arrival, at(109.0)), Err(at(1.0)));
        arrival = gcra.admit(arrival, at(110.0)).unwrap();
        assert_eq!(gcra.admit(arrival, at(110.0)), Err(at(10.0)));
        assert!(!gcra.is_quiet(arrival, at(169.0)));
        assert!(gcra.is_quiet(arrival, at(170.0)));
    }

    #[test]
    fn a_debt_is_paid_by_waiting() {
        let gcra = Gcra::per_minute(6);
        let arrival = gcra.owe(Duration::ZERO, at(100.0), 9, 2);
        assert_eq!(gcra.admit(arrival, at(100.0)), Err(at(40.0)));
        assert!(gcra.admit(arrival, at(140.0)).is_ok());
    }

    #[test]
    fn a_debt_is_bounded_and_never_made_smaller() {
        let gcra = Gcra::per_minute(6);
        let bounded = gcra.owe(Duration::ZERO, at(100.0), u32::MAX, 2);
        assert_eq!(bounded, at(220.0));
        assert_eq!(gcra.owe(bounded, at(100.0), 1, 1), bounded);
    }

    #[test]
    fn the_highest_rate_is_kept_too() {
        let gcra = Gcra::per_minute(1_000_000);
        let mut arrival = Duration::ZERO;
        for _ in 0..1_000_000 {
            arrival = gcra.admit(arrival, at(1.0)).unwrap();
        }
        assert!(gcra.admit(arrival, at(1.0)).is_err());
    }
}
