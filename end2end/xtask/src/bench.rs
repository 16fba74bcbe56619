//! `cargo xtask bench`: what the design promises in figures, measured.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

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
}

impl Benchmark {
    const ALL: [Self; 4] = [Self::Engine, Self::Slots, Self::Webhooks, Self::Scale];

    /// How cargo builds it in the release profile.
    fn build(self) -> &'static [&'static str] {
        match self {
            Self::Engine => &["bench", "--package", "cupo-core", "--bench", "engine", "--no-run"],
            Self::Slots => &["build", "--release", "--package", "cupo-server", "--example", "slots_http"],
            Self::Webhooks => &["build", "--release", "--package", "cupo-server", "--example", "webhooks_http"],
            Self::Scale => &["build", "--release", "--package", "cupo-server", "--bin", "cupo", "--example", "scale"],
        }
    }

    /// How cargo runs it.
    fn run(self) -> &'static [&'static str] {
        match self {
            Self::Engine => &["bench", "--quiet", "--package", "cupo-core", "--bench", "engine"],
            Self::Slots => &["run", "--quiet", "--release", "--package", "cupo-server", "--example", "slots_http"],
            Self::Webhooks => {
                &["run", "--quiet", "--release", "--package", "cupo-server", "--example", "webhooks_http"]
            }
            Self::Scale => &["run", "--quiet", "--release", "--package", "cupo-server", "--example", "scale"],
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
    let step = Step::start("Building the benchmark, optimised");
    succeed(&step, cargo(workspace.root()).args(benchmark.build()))?;
    step.done("");

    let mut command = cargo(workspace.root());
    command.args(benchmark.run()).stdin(Stdio::null()).stdout(Stdio::piped());
    let postgres = if benchmark.wants_postgres() { Postgres::start_durable()? } else { None };
    if let Some(postgres) = &postgres {
        command.env("CUPO_TEST_POSTGRES_URL", postgres.url());
    }
    let mut child = command.spawn().context("cannot start cargo")?;
    let stdout = child.stdout.take().context("the benchmark has a standard output")?;
    let mut figures: Vec<Option<String>> = vec![None; benchmark.figures().len()];
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        match benchmark.figures().iter().position(|name| line.starts_with(name)) {
            Some(index) => figures[index] = Some(line),
            None => println!("{line}"),
        }
    }
    let status = child.wait()?;
    if let Some(postgres) = postgres {
        postgres.stop()?;
    }
    if !status.success() {
        bail!("the benchmark ended with {status}");
    }
    let named = figures.into_iter().zip(benchmark.figures());
    named.map(|(line, name)| line.with_context(|| format!("the benchmark printed no {name}"))).collect()
}
