//! `cargo xtask`: builds, runs, tests and measures Cupo, and installs what these need.

#![expect(clippy::print_stdout, reason = "a command's results are what it prints")]

mod bench;
mod build;
mod chaos;
mod command;
mod install;
mod postgres;
mod progress;
mod run;
mod size;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use progress::say;
use workspace::Workspace;

/// Builds, runs, tests and measures Cupo.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build both WASM bundles and every other asset into `target/site`.
    Build {
        /// Build the `cupo` binary too, optimised and with the assets inside it.
        #[arg(long)]
        release: bool,
    },
    /// Build everything and run it with simulators and a demo organization, until ctrl-c.
    Run(run::Options),
    /// Install what the tests need, run all of them, and end with `N passed, N failed`.
    Test {
        /// Run one group of checks only.
        #[arg(long, value_enum)]
        only: Option<test::Group>,
    },
    /// Let faults strike real processes at random while visitors book, and check that nothing was lost or doubled.
    Chaos(chaos::Options),
    /// Print what a visitor downloads before the first slot can be picked, in brotli bytes.
    Size,
    /// Measure what the design promises in figures: engine, endpoints, scale, and the widget in a browser.
    Bench {
        /// Run one benchmark only.
        #[arg(value_enum)]
        only: Option<bench::Benchmark>,
    },
}

fn main() -> ExitCode {
    match perform(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    let workspace = Workspace::locate();
    match task {
        Task::Build { release } => build::build(&workspace, release),
        Task::Run(options) => run::run(&workspace, &options),
        Task::Test { only } => test::test(&workspace, only),
        Task::Chaos(options) => chaos::chaos(&workspace, options),
        Task::Size => size::report(&workspace),
        Task::Bench { only } => bench::bench(&workspace, only),
    }
}
