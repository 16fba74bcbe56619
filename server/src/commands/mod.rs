//! The command line.

#![expect(clippy::print_stdout, reason = "a command's results are what it prints")]

mod backup;
mod doctor;
mod generate_secrets;
mod keys;
mod migrate;
mod reconcile;
mod seed_demo;
mod selftest;
mod serve;
mod signals;
mod worker;

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
    /// Bring the database up to date, answer requests and run jobs until ctrl-c or SIGTERM; a second one ends at once.
    Serve(serve::ServeOptions),
    /// Bring the database up to date and run jobs, beside any number of `cupo serve` and `cupo worker` on the same database.
    Worker,
    /// Bring the database up to date and end; or, with --from and --to, move everything in one database into another.
    Migrate(migrate::MigrateOptions),
    /// Save everything in the database in a file, while servers and workers go on.
    Backup(backup::BackupOptions),
    /// Put what a backup holds into the database, which must be empty.
    Restore(backup::RestoreOptions),
    /// Which encryption key seals what; seal everything with the newest.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Compare the calendars with the appointments now, and mend what differs.
    Reconcile(reconcile::ReconcileOptions),
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
        Command::Serve(options) => with(load(), |config| serve::run(config, options)).await,
        Command::Worker => with(load(), worker::run).await,
        Command::Migrate(options) => match options.between() {
            Some((from, to)) => migrate::run_move(from, to, &options).await.map(|()| ExitCode::SUCCESS),
            None => with(load(), migrate::run).await,
        },
        Command::Backup(options) => with(load(), |config| backup::save(config, options)).await,
        Command::Restore(options) => with(load(), |config| backup::bring_back(config, options)).await,
        Command::Keys(command) => match load() {
            Ok(config) => keys::run(config, command).await,
            Err(mistakes) => Err(mistakes.into()),
        },
        Command::Reconcile(options) => match load() {
            Ok(config) => reconcile::run(config, options).await,
            Err(mistakes) => Err(mistakes.into()),
        },
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
