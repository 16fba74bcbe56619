//! The command line.

#![expect(clippy::print_stdout, reason = "a command's results are what it prints")]

mod doctor;
mod generate_secrets;
mod migrate;
mod seed_demo;
mod selftest;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::config::{Config, Environment};

pub use doctor::{Finding, Verdict, examine};
pub use seed_demo::{Demo, SeedOptions, seed};
pub use selftest::{RaceOptions, RaceReport, race};

/// Appointment scheduling on your own machine.
#[derive(Parser)]
#[command(name = "cupo", version, about)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The configuration file; without it `cupo.toml`, then `data/cupo.toml`. CUPO_* variables win over the file.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Bring the database up to date and answer requests until ctrl-c or SIGTERM.
    Serve,
    /// Bring the database up to date and end.
    Migrate,
    /// Check everything that an installation needs, and say how to mend what is wrong.
    Doctor,
    /// Make a demo organization to try Cupo with, or find the one that is there; prints one line of JSON.
    SeedDemo(SeedOptions),
    /// Try on the configured database what Cupo promises.
    #[command(subcommand)]
    Selftest(selftest::Selftest),
    /// Print fresh secrets for the configuration file.
    GenerateSecrets,
}

/// Runs a command; what went wrong goes to the standard error.
pub async fn run(arguments: Arguments) -> ExitCode {
    let Arguments { command, config } = arguments;
    let load = || Config::load(config.as_deref(), Environment::of_process());
    let outcome: Result<ExitCode> = match command {
        Command::GenerateSecrets => generate_secrets::run(),
        Command::Doctor => doctor::run(load(), config.as_deref()).await,
        Command::Serve => with(load(), serve::run).await,
        Command::Migrate => with(load(), migrate::run).await,
        Command::Selftest(test) => match load() {
            Ok(config) => selftest::run(config, test).await,
            Err(mistakes) => Err(mistakes.into()),
        },
        Command::SeedDemo(options) => with(load(), |config| seed_demo::run(config, options)).await,
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("cupo: {error:#}");
        ExitCode::FAILURE
    })
}

async fn with<F: Future<Output = Result<()>>>(
    config: Result<Config, crate::config::Mistakes>,
    command: impl FnOnce(Config) -> F,
) -> Result<ExitCode> {
    command(config?).await.map(|()| ExitCode::SUCCESS)
}
