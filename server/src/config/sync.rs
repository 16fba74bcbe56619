//! `sync`: how calendars are followed.

use chrono::TimeDelta;

use super::reader::Reader;

/// How calendars are followed.
#[derive(Debug, Clone)]
pub struct Sync {
    /// A calendar that was not read for so long is polled, notifications or not.
    pub poll: TimeDelta,
    /// A mirror without notifications that is older than this is stale.
    pub stale_after: TimeDelta,
    /// How often a calendar's events are compared with the appointments.
    pub reconcile: TimeDelta,
}

pub fn read(reader: &Reader) -> Option<Sync> {
    let seconds = |key: &'static str, default: u32, right: &'static str| {
        let parse = |text: &str| text.parse().ok().filter(|seconds| (1..=604_800).contains(seconds));
        reader.or(key, default, right, parse).map(|seconds| TimeDelta::seconds(seconds.into()))
    };
    let right = "give seconds from 1 to 604800 (a week)";
    let poll = seconds("sync.poll_seconds", 600, right);
    let stale_after = seconds("sync.stale_after_seconds", 1_800, right);
    let reconcile = seconds("sync.reconcile_seconds", 86_400, right);
    Some(Sync { poll: poll?, stale_after: stale_after?, reconcile: reconcile? })
}
