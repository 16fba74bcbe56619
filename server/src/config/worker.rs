//! `worker`: who runs the jobs, and how many at once.

use std::net::SocketAddr;

use super::reader::{Reader, Show, parse_bool};

/// Who runs the jobs, and how many at once.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Whether `cupo serve` runs jobs too. Without, at least one `cupo worker` must run.
    pub in_server: bool,
    /// How many jobs a process runs at once.
    pub concurrency: usize,
    /// Where `cupo worker` listens, for its health and figures alone; `None`: nowhere.
    pub metrics_listen: Option<SocketAddr>,
}

pub fn read(reader: &Reader) -> Option<Worker> {
    let in_server = reader.or("worker.in_server", true, "give true or false", parse_bool);
    let concurrency = reader.or("worker.concurrency", 8, "give jobs at once from 1 to 64", |text| {
        text.parse().ok().filter(|jobs| (1..=64).contains(jobs))
    });
    let right = "give an IP address and a port, such as 127.0.0.1:9464, or leave it out";
    let metrics_listen = reader.optional("worker.metrics_listen", right, Show::Value, |text| text.parse().ok());
    Some(Worker { in_server: in_server?, concurrency: concurrency?, metrics_listen: metrics_listen? })
}
