//! `cargo xtask bench`: the slots endpoint against a bare handler that returns the same bytes.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, succeed};
use crate::progress::Step;
use crate::workspace::Workspace;

/// What the last lines must say.
const RATIOS: [&str; 2] = ["slots_http_ratio_warm=", "slots_http_ratio_cold="];

/// Runs the benchmark in the release profile and passes its words through, the ratios last.
pub fn bench(workspace: &Workspace) -> Result<()> {
    let selection = ["--release", "--package", "cupo-server", "--example", "slots_http"];
    let step = Step::start("Building the benchmark, optimised");
    succeed(&step, cargo(workspace.root()).arg("build").args(selection))?;
    step.done("");

    let mut command = cargo(workspace.root());
    command.args(["run", "--quiet"]).args(selection).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot start cargo")?;
    let stdout = child.stdout.take().context("the benchmark has a standard output")?;
    let mut ratios: [Option<String>; 2] = Default::default();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        match RATIOS.iter().position(|name| line.starts_with(name)) {
            Some(index) => ratios[index] = Some(line),
            None => println!("{line}"),
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("the benchmark ended with {status}");
    }
    for (ratio, name) in ratios.into_iter().zip(RATIOS) {
        println!("{}", ratio.with_context(|| format!("the benchmark printed no {name}"))?);
    }
    Ok(())
}
