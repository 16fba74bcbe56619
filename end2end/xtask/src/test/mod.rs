//! `cargo xtask test`: every check of the project, and one closing line.

pub mod browser;
mod failing;
mod totals;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::build;
use crate::chaos::{self, RADICALE};
use crate::command::{Outcome, cargo, outcome, succeed, without_chatter};
use crate::install::{has_nextest, npm_packages, python_packages};
use crate::postgres::Postgres;
use crate::progress::{Step, say, seconds};
use crate::size;
use crate::workspace::Workspace;
use totals::Totals;

/// The providers' own npm clients that tests run on the simulators.
const CLIENTS: [(&str, &str); 2] =
    [("Google", "end2end/simulators/clients/google"), ("Microsoft", "end2end/simulators/clients/microsoft")];

/// The stores on which faults strike, each with its seed.
const CHAOS: [(chaos::Store, u64); 2] = [(chaos::Store::Sqlite, 1), (chaos::Store::Postgres, 2)];
const CHAOS_FAULTS: u32 = 100;

/// Checks that are run together.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// Format, clippy and the documentation's warnings.
    Lint,
    /// Unit, integration and documentation tests, on SQLite and PostgreSQL.
    Rust,
    /// Both bundles build and load, and the widget keeps its budget.
    Wasm,
    /// The story in Chromium.
    Browser,
    /// A hundred faults at random on each store, and nothing lost or doubled.
    Chaos,
}

/// What one check came to.
struct Check {
    name: String,
    totals: Totals,
    /// The names of the tests that failed, as far as their runner tells them.
    failing: Vec<String>,
    elapsed: Duration,
}

/// Runs the checks of a group, or all, and fails when one of them does.
pub fn test(workspace: &Workspace, only: Option<Group>) -> Result<()> {
    let wanted = |group| only.is_none_or(|only| only == group);
    let started = Instant::now();
    let mut run = Run { workspace, checks: Vec::new() };
    if wanted(Group::Lint) {
        run.lint();
    }
    // The server's tests and the browser's need the assets, whichever group they belong to.
    if !matches!(only, Some(Group::Lint | Group::Chaos)) {
        run.wasm();
    }
    if wanted(Group::Rust) {
        run.rust();
    }
    if wanted(Group::Browser) {
        run.browser();
    }
    if wanted(Group::Chaos) {
        run.chaos();
    }
    run.summarize(started.elapsed())
}

struct Run<'a> {
    workspace: &'a Workspace,
    checks: Vec<Check>,
}

impl Run<'_> {
    fn lint(&mut self) {
        self.command_passes("format", self.cargo(&["fmt", "--all", "--", "--check"]));
        self.command_passes("clippy", self.cargo(&["clippy", "--all-targets", "--", "-D", "warnings"]));
        let widget =
            ["clippy", "--package", "cupo-widget", "--features", "csr,ssr", "--all-targets", "--", "-D", "warnings"];
        self.command_passes("clippy of the widget", self.cargo(&widget));
        let mut doc = self.cargo(&["doc", "--no-deps"]);
        doc.env("RUSTDOCFLAGS", "-Dwarnings");
        self.command_passes("documentation builds without warnings", doc);
    }

    fn wasm(&mut self) {
        let workspace = self.workspace;
        self.passes("both WASM bundles build and load", || build::assets(workspace));
        self.passes("the widget keeps its budget", || {
            let sizes = size::measure(workspace)?;
            say(&format!("  The widget takes {} bytes of brotli", sizes.total()));
            sizes.check()
        });
    }

    fn rust(&mut self) {
        for (provider, path) in CLIENTS {
            let client = self.workspace.path(path);
            if client.exists() {
                self.prepares(&format!("the {provider} client of npm"), || {
                    npm_packages(&client, &format!("a test runs {provider}'s client on the simulator"))
                });
            }
        }
        let requirements = self.workspace.path(RADICALE);
        if requirements.exists() {
            let folder = self.workspace.target().join("radicale");
            self.prepares("the CalDAV server Radicale", || {
                python_packages(&folder, &requirements, "tests run CalDAV against the server Radicale")
            });
        }
        let mut postgres = None;
        self.prepares("a PostgreSQL for the tests", || {
            postgres = Postgres::start()?;
            Ok(())
        });
        let with_postgres = |mut command: Command| {
            if let Some(postgres) = &postgres {
                command.env("CUPO_TEST_POSTGRES_URL", postgres.url());
            }
            command
        };
        let step = Step::start("Looking for cargo nextest");
        let nextest = has_nextest(&step, self.workspace.root());
        step.done(if nextest { "found" } else { "not there: cargo test runs the tests" });
        let (arguments, parse): (&[&str], Parse) = if nextest {
            (
                &["nextest", "run", "--no-fail-fast", "--status-level=fail", "--final-status-level=fail"],
                Told::by_nextest,
            )
        } else {
            (&["test", "--lib", "--bins", "--tests", "--examples", "--no-fail-fast"], Told::by_cargo_test)
        };
        self.counts("Rust tests", with_postgres(self.cargo(arguments)), parse);
        let mut widget = self.cargo(arguments);
        widget.args(["--package", "cupo-widget"]);
        self.counts("widget tests", widget, parse);
        self.counts("documentation tests", self.cargo(&["test", "--doc", "--no-fail-fast"]), Told::by_cargo_test);
        if let Some(postgres) = postgres {
            self.prepares("stopping PostgreSQL", || postgres.stop());
        }
    }

    fn browser(&mut self) {
        let workspace = self.workspace;
        let mut chromium = None;
        self.prepares("what the browser tests need", || {
            chromium = Some(browser::prepare(workspace)?);
            Ok(())
        });
        let Some(chromium) = chromium else { return };
        self.prepares("the server and the simulators for the browser", || {
            let step = Step::start("Building the server and the simulators");
            // The browser tests look for them below the repository.
            succeed(&step, cargo(workspace.root()).env_remove("CARGO_TARGET_DIR").args(["build", "--bins"]))?;
            step.done("");
            Ok(())
        });
        self.counts("browser tests", browser::command(workspace, &chromium), |_| browser::told(workspace));
    }

    fn chaos(&mut self) {
        let workspace = self.workspace;
        let mut needs = None;
        self.prepares("what the faults need", || {
            needs = Some(chaos::prepare(workspace)?);
            Ok(())
        });
        let Some(needs) = needs else { return };
        for (store, seed) in CHAOS {
            let options = chaos::Options { faults: CHAOS_FAULTS, seed, store };
            let name = format!("{CHAOS_FAULTS} faults on {}", store.name());
            self.passes(&name, || chaos::check(workspace, &needs, options));
        }
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo(self.workspace.root());
        command.args(arguments);
        command
    }

    /// A preparation counts only when it fails.
    fn prepares(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        let started = Instant::now();
        if let Err(error) = work() {
            say(&format!("{name}: {error:#}"));
            self.push(name, Totals::failure(), Vec::new(), started.elapsed());
        }
    }

    /// One check that passes or fails, and shows its own steps.
    fn passes(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        let before = self.checks.len();
        let started = Instant::now();
        self.prepares(name, work);
        if self.checks.len() == before {
            self.push(name, Totals::success(), Vec::new(), started.elapsed());
        }
    }

    /// One check that passes when a program succeeds.
    fn command_passes(&mut self, name: &str, mut command: Command) {
        self.passes(name, || {
            let step = Step::start(name);
            let Outcome { status, output, .. } = outcome(&step, &mut command)?;
            if !status.success() {
                step.failed("");
                bail!("{}", without_chatter(&output));
            }
            step.done("");
            Ok(())
        });
    }

    /// A runner that counts its own tests; what it printed is shown when one fails.
    fn counts(&mut self, name: &str, mut command: Command, parse: impl FnOnce(&str) -> Told) {
        let step = Step::start(name);
        command.stdin(Stdio::null());
        let (totals, failing, words) = match outcome(&step, &mut command) {
            Ok(Outcome { status, output, .. }) => {
                let Told { totals, failing } = parse(&output);
                (Totals::of_runner(totals, status.success()), failing, output)
            }
            Err(error) => (Totals::failure(), Vec::new(), format!("{error:#}")),
        };
        let elapsed = step.elapsed();
        if totals.failed == 0 {
            step.done(totals.to_string());
        } else {
            step.failed(totals.to_string());
            say(&without_chatter(&words));
        }
        self.push(name, totals, failing, elapsed);
    }

    fn push(&mut self, name: &str, totals: Totals, failing: Vec<String>, elapsed: Duration) {
        self.checks.push(Check { name: name.to_owned(), totals, failing, elapsed });
    }

    fn summarize(self, elapsed: Duration) -> Result<()> {
        println!();
        for Check { name, totals, failing, elapsed } in &self.checks {
            let mark = if totals.failed == 0 { "✓" } else { "✗" };
            println!("{mark} {name:<42} {totals:<36} {:>12}", seconds(*elapsed));
            // The runner's words may be long and lost: the names stand here once more.
            failing.iter().for_each(|test| println!("    {test}"));
        }
        let totals: Totals = self.checks.iter().map(|check| check.totals).sum();
        println!("in {}", seconds(elapsed));
        println!();
        println!("{} passed, {} failed", totals.passed, totals.failed);
        // The closing line is the last word: an error would print another after it.
        if totals.failed > 0 {
            std::process::exit(1);
        }
        Ok(())
    }
}

/// What a runner tells of itself.
pub struct Told {
    totals: Option<Totals>,
    failing: Vec<String>,
}

impl Told {
    fn by_nextest(output: &str) -> Self {
        Self { totals: totals::nextest(output), failing: failing::nextest(output) }
    }

    fn by_cargo_test(output: &str) -> Self {
        Self { totals: totals::cargo_test(output), failing: failing::cargo_test(output) }
    }

    fn by_playwright(report: &str) -> Self {
        Self { totals: totals::playwright(report), failing: failing::playwright(report) }
    }
}

type Parse = fn(&str) -> Told;
