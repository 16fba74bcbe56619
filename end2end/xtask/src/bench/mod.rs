//! `cargo xtask bench`: what the design promises in figures, measured.

mod browser;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::command::{cargo, succeed};
use crate::postgres::Postgres;
use crate::progress::Step;
use crate::workspace::Workspace;

/// A benchmark.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Benchmark {
    /// The pure slot engine: how long a call takes, and how that grows.
    Engine,
    /// The slots endpoint against a bare handler that returns the same bytes.
    Slots,
    /// The webhook endpoint at 500 notifications a second, and against a bare handler that answers 202.
    Webhooks,
    /// Slots and bookings per second with one and two servers, and with 1,000 to 100,000 hosts in a PostgreSQL.
    Scale,
    /// The widget on the sample site, on a slow machine behind a slow network, with the first view of the server and without.
    Widget,
    /// Lighthouse's four scores of the sample site, as on a phone.
    Lighthouse,
}

impl Benchmark {
    const ALL: [Self; 6] = [Self::Engine, Self::Slots, Self::Webhooks, Self::Scale, Self::Widget, Self::Lighthouse];

    /// How cargo builds it in the release profile.
    fn build(self) -> &'static [&'static str] {
        match self {
            Self::Engine => &["bench", "--package", "cupo-core", "--bench", "engine", "--no-run"],
            Self::Slots => &["build", "--release", "--package", "cupo-server", "--example", "slots_http"],
            Self::Webhooks => &["build", "--release", "--package", "cupo-server", "--example", "webhooks_http"],
            Self::Scale => &["build", "--release", "--package", "cupo-server", "--bin", "cupo", "--example", "scale"],
            Self::Widget | Self::Lighthouse => {
                &["build", "--release", "--package", "cupo-server", "--package", "cupo-simulators", "--bins"]
            }
        }
    }

    /// How cargo runs it; what a browser measures is run by Node.js.
    fn run(self) -> &'static [&'static str] {
        match self {
            Self::Engine => &["bench", "--quiet", "--package", "cupo-core", "--bench", "engine"],
            Self::Slots => &["run", "--quiet", "--release", "--package", "cupo-server", "--example", "slots_http"],
            Self::Webhooks => {
                &["run", "--quiet", "--release", "--package", "cupo-server", "--example", "webhooks_http"]
            }
            Self::Scale => &["run", "--quiet", "--release", "--package", "cupo-server", "--example", "scale"],
            Self::Widget | Self::Lighthouse => &[],
        }
    }

    /// The script of `end2end/bench` that measures in a browser.
    fn script(self) -> Option<&'static str> {
        match self {
            Self::Widget => Some("widget.mjs"),
            Self::Lighthouse => Some("lighthouse.mjs"),
            _ => None,
        }
    }

    /// What its last lines must say.
    fn figures(self) -> &'static [&'static str] {
        match self {
            Self::Engine => {
                &["engine_us_single=", "engine_us_single_10k=", "engine_ms_collective_100=", "engine_exponent="]
            }
            Self::Slots => &["slots_http_ratio_warm=", "slots_http_ratio_cold="],
            Self::Webhooks => &[
                "webhooks_p50_ms=",
                "webhooks_p99_ms=",
                "webhooks_accepted=",
                "webhooks_per_second=",
                "webhooks_http_ratio=",
            ],
            Self::Scale => &["scale_p99_ratio_100k_vs_1k="],
            Self::Widget => &["first_slots_ms=", "interactive_ms=", "requests=", "layout_shift=", "long_tasks="],
            Self::Lighthouse => &[
                "lighthouse_performance=",
                "lighthouse_accessibility=",
                "lighthouse_best_practices=",
                "lighthouse_seo=",
            ],
        }
    }

    /// Whether it measures on PostgreSQL.
    fn wants_postgres(self) -> bool {
        matches!(self, Self::Webhooks | Self::Scale)
    }
}

/// Runs one benchmark, or all, and passes their words through, the figures last.
pub fn bench(workspace: &Workspace, only: Option<Benchmark>) -> Result<()> {
    let mut figures = Vec::new();
    for benchmark in Benchmark::ALL {
        if only.is_none_or(|only| only == benchmark) {
            figures.extend(measure(workspace, benchmark)?);
        }
    }
    for figure in figures {
        println!("{figure}");
    }
    Ok(())
}

/// Runs a benchmark and returns its figures.
fn measure(workspace: &Workspace, benchmark: Benchmark) -> Result<Vec<String>> {
    if benchmark.script().is_some() {
        // The optimised server holds them.
        crate::build::assets(workspace)?;
    }
    let step = Step::start("Building the benchmark, optimised");
    succeed(&step, cargo(workspace.root()).args(benchmark.build()))?;
    step.done("");

    if let Some(script) = benchmark.script() {
        return browser::measure(workspace, script, benchmark.figures());
    }
    let mut command = cargo(workspace.root());
    command.args(benchmark.run());
    let postgres = if benchmark.wants_postgres() { Postgres::start_durable()? } else { None };
    if let Some(postgres) = &postgres {
        command.env("CUPO_TEST_POSTGRES_URL", postgres.url());
    }
    let figures = figures(&mut command, benchmark.figures());
    if let Some(postgres) = postgres {
        postgres.stop()?;
    }
    figures
}

/// Runs a program to its end, passes its words through, and keeps back the lines that begin with these names, in their order.
fn figures(command: &mut Command, names: &[&str]) -> Result<Vec<String>> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("the benchmark does not start")?;
    let stdout = child.stdout.take().context("the benchmark has a standard output")?;
    let mut figures: Vec<Option<String>> = vec![None; names.len()];
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        match names.iter().position(|name| line.starts_with(name)) {
            Some(index) => figures[index] = Some(line),
            None => println!("{line}"),
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("the benchmark ended with {status}");
    }
    let named = figures.into_iter().zip(names);
    named.map(|(line, name)| line.with_context(|| format!("the benchmark printed no {name}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn figures_come_last_in_the_order_of_their_names() {
        let mut command = shell("echo b=2; echo words; echo a=1");
        assert_eq!(figures(&mut command, &["a=", "b="]).unwrap(), ["a=1", "b=2"]);
    }

    #[test]
    fn a_figure_that_is_not_told_and_a_program_that_fails_are_errors() {
        let told = |script: &str| figures(&mut shell(script), &["a="]).unwrap_err().to_string();
        assert!(told("echo b=2").contains("printed no a="));
        assert!(told("echo a=1; exit 3").contains("exit status: 3"));
    }
}
