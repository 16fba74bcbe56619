//! `cargo xtask size`: what a visitor downloads before the first slot can be picked.

use anyhow::{Context, Result, bail};

use crate::build;
use crate::build::compress::{BEST, ON_THE_FLY, brotli};
use crate::command::{cargo, succeed};
use crate::progress::Step;
use crate::workspace::Workspace;

/// Prints what the server answers at first, a line for each language.
const FIRST_VIEWS: [&str; 8] =
    ["run", "--quiet", "--package", "cupo-widget", "--features", "ssr", "--example", "first_view"];

/// 64 KiB, promised by the design.
const BUDGET: usize = 65_536;
/// What stands in the page before anything can begin: 4 KiB.
const LOADER_BUDGET: usize = 4_096;

/// The parts with their sizes in brotli bytes.
pub struct Sizes(Vec<(&'static str, usize)>);

impl Sizes {
    pub fn total(&self) -> usize {
        self.0.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Fails above a budget.
    pub fn check(&self) -> Result<()> {
        let total = self.total();
        if total > BUDGET {
            bail!("the widget is {} bytes over its budget of {BUDGET}", total - BUDGET);
        }
        match self.0.iter().find(|(part, _)| *part == "loader") {
            Some((_, bytes)) if *bytes <= LOADER_BUDGET => Ok(()),
            Some((_, bytes)) => {
                bail!("the loader is {} bytes over its budget of {LOADER_BUDGET}", bytes - LOADER_BUDGET)
            }
            None => bail!("there is no loader"),
        }
    }
}

/// What is downloaded until then, by the roles of the files.
const PARTS: [(&str, &str); 4] =
    [("loader", "embed.js"), ("glue", "widget.js"), ("wasm", "widget.wasm"), ("css", "widget.css")];

/// Builds the widget and measures its files, and the first answer of the server.
pub fn measure(workspace: &Workspace) -> Result<Sizes> {
    let assets = build::widget(workspace)?;
    let mut sizes = Vec::new();
    for (part, role) in PARTS {
        let asset = assets.iter().find(|asset| asset.role == role).with_context(|| format!("there is no {role}"))?;
        sizes.push((part, brotli(&asset.bytes, BEST)?.len()));
    }
    sizes.push(("first view", largest_first_view(workspace)?));
    Ok(Sizes(sizes))
}

/// Prints each part and the total; fails above a budget.
pub fn report(workspace: &Workspace) -> Result<()> {
    let sizes = measure(workspace)?;
    for (part, bytes) in &sizes.0 {
        println!("{part:<12} {bytes:>7}");
    }
    println!("{:<12} {BUDGET:>7}", "budget");
    println!("widget_total_brotli_bytes={}", sizes.total());
    sizes.check()
}

/// The first answer (event type, texts, slots of a full month, markup) in the language that needs the most, as the server
/// compresses it while a visitor waits.
fn largest_first_view(workspace: &Workspace) -> Result<usize> {
    let step = Step::start("Writing the first view in each language");
    let answers = succeed(&step, cargo(workspace.root()).args(FIRST_VIEWS))?.stdout;
    let sizes: Vec<usize> =
        answers.lines().map(|answer| Ok(brotli(answer.as_bytes(), ON_THE_FLY)?.len())).collect::<Result<_>>()?;
    step.done(format!("{} languages", sizes.len()));
    sizes.into_iter().max().context("no first view was written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_a_budget_is_an_error_that_says_by_how_much() {
        let of =
            |loader, wasm| Sizes(vec![("loader", loader), ("wasm", wasm)]).check().map_err(|error| error.to_string());
        assert_eq!(of(LOADER_BUDGET, BUDGET - LOADER_BUDGET), Ok(()));
        assert!(of(LOADER_BUDGET, BUDGET).unwrap_err().starts_with("the widget is 4096 bytes over"));
        assert!(of(LOADER_BUDGET + 2, 0).unwrap_err().starts_with("the loader is 2 bytes over"));
    }
}
