//! `cupo selftest`: tries what Cupo promises, on the configured database.

mod race;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::config::Config;

pub use race::{RaceOptions, RaceReport, race};

/// What is tried.
#[derive(Subcommand, Debug, Clone)]
pub enum Selftest {
    /// Send many requests for the same few slots at once, and check that nothing is booked twice and nothing is lost. It
    /// happens in an organization of its own, which is removed afterwards.
    Race(RaceOptions),
}

pub async fn run(config: Config, test: Selftest) -> Result<ExitCode> {
    match test {
        Selftest::Race(options) => race::run(config, options).await,
    }
}
