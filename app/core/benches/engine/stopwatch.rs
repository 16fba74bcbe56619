//! Times of short calls on a machine that does other things besides.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// A batch is long enough that the clock's own cost vanishes in it.
const BATCH: Duration = Duration::from_micros(500);
const BATCHES: usize = 101;
/// Slow calls get fewer batches, but never fewer than these.
const LEAST_BATCHES: usize = 15;
const PATIENCE: Duration = Duration::from_millis(1500);

/// What one call took, in microseconds.
#[derive(Clone, Copy)]
pub struct Time {
    /// Of the batches the one in the middle.
    pub median: f64,
    /// Of the batches the one that was disturbed least.
    pub least: f64,
}

/// Times calls of `work`, batch by batch.
pub fn time<T>(mut work: impl FnMut() -> T) -> Time {
    let mut of_batch = |calls: u32| {
        let started = Instant::now();
        for _ in 0..calls {
            black_box(work());
        }
        started.elapsed()
    };
    let mut calls = 1;
    while of_batch(calls) < BATCH {
        calls *= 2;
    }
    let started = Instant::now();
    let mut batches = Vec::with_capacity(BATCHES);
    while batches.len() < LEAST_BATCHES || (batches.len() < BATCHES && started.elapsed() < PATIENCE) {
        batches.push(of_batch(calls).as_secs_f64() * 1e6 / f64::from(calls));
    }
    batches.sort_by(f64::total_cmp);
    Time { median: batches[batches.len() / 2], least: batches[0] }
}

/// The `e` of the `c * size ^ e` that is nearest to the points: the slope of a line through their logarithms, by least
/// squares.
pub fn exponent(points: &[(f64, f64)]) -> f64 {
    let logarithms: Vec<_> = points.iter().map(|(size, time)| (size.ln(), time.ln())).collect();
    let count = logarithms.len() as f64;
    let (mean_x, mean_y) =
        logarithms.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let (mut above, mut below) = (0.0, 0.0);
    for (x, y) in logarithms {
        above += (x - mean_x) * (y - mean_y);
        below += (x - mean_x) * (x - mean_x);
    }
    above / below
}
