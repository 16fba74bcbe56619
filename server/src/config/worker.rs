//! `worker`: who runs the jobs, and how many at once.

use super::reader::{Reader, parse_bool};

/// Who runs the jobs, and how many at once.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Whether `cupo serve` runs jobs too. Without, at least one `cupo worker` must run.
    pub in_server: bool,
    /// How many jobs a process runs at once.
    pub concurrency: usize,
}

pub fn read(reader: &Reader) -> Option<Worker> {
    let in_server = reader.or("worker.in_server", true, "give true or false", parse_bool);
    let concurrency = reader.or("worker.concurrency", 8, "give jobs at once from 1 to 64", |text| {
        text.parse().ok().filter(|jobs| (1..=64).contains(jobs))
    });
    Some(Worker { in_server: in_server?, concurrency: concurrency? })
}
