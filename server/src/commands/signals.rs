//! The orders to stop that a process gets.

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and ctrl-c. None is lost from when this was made.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn listen() -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for ctrl-c")?,
        })
    }

    /// Waits for the next order.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Carries an orderly end through, unless a second order comes first: then the process ends at once.
    pub async fn unless_repeated(&mut self, end: impl Future<Output = ()>) {
        tokio::select! {
            () = end => {}
            () = self.next() => {
                tracing::warn!("a second order to stop: unfinished jobs run again when their leases end");
                std::process::exit(1);
            }
        }
    }
}
