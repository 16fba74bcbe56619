//! The browser tests: what they need, how they are started, what they came to.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Told;
use crate::command::{find, succeed};
use crate::install::{apt_install, apt_known, has_apt, npm_packages};
use crate::progress::{Step, say};
use crate::workspace::Workspace;

const FOLDER: &str = "end2end/tests";
const REPORT: &str = "end2end/tests/results/report.json";
const REASON: &str = "the browser tests run in it";
const PROGRAMS: [&str; 4] = ["chromium", "google-chrome", "google-chrome-stable", "chromium-browser"];
const MAC_PROGRAMS: [&str; 2] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// The browser to test in.
pub enum Browser {
    /// One that the machine has.
    Installed(PathBuf),
    /// The one that Playwright brings.
    Playwrights,
}

/// Sees to Playwright and to a browser.
pub fn prepare(workspace: &Workspace) -> Result<Browser> {
    npm_packages(&workspace.path(FOLDER), "the browser tests are written with Playwright")?;
    if let Some(browser) = installed() {
        return Ok(Browser::Installed(browser));
    }
    // Ubuntu's package of this name only points to a snap, which does not start everywhere.
    if has_apt() && !is_ubuntu() && apt_known(&["chromium"])?.is_some() {
        apt_install(&["chromium", "fonts-liberation"], REASON)?;
        return installed()
            .map(Browser::Installed)
            .context("the package chromium is installed and its program is not there");
    }
    playwrights(workspace)
}

fn installed() -> Option<PathBuf> {
    let chosen = env::var_os("CHROMIUM_BIN").map(PathBuf::from);
    let known = PROGRAMS.into_iter().filter_map(find).chain(MAC_PROGRAMS.map(PathBuf::from));
    chosen.into_iter().chain(known).find(|path| path.is_file())
}

fn is_ubuntu() -> bool {
    fs::read_to_string("/etc/os-release").is_ok_and(|release| release.lines().any(|line| line == "ID=ubuntu"))
}

fn playwrights(workspace: &Workspace) -> Result<Browser> {
    say(&format!("  Installing with Playwright, because {REASON}: Chromium and the libraries that it needs"));
    let step = Step::start("playwright install chromium");
    let mut command = playwright(workspace);
    command.args(["install", "--with-deps", "chromium"]);
    match succeed(&step, &mut command) {
        Ok(_) => {
            step.done("");
            Ok(Browser::Playwrights)
        }
        Err(error) => {
            bail!("there is no browser to test in: install Chromium or Chrome, or name one in CHROMIUM_BIN\n{error:#}")
        }
    }
}

fn playwright(workspace: &Workspace) -> Command {
    let folder = workspace.path(FOLDER);
    let mut command = Command::new("node");
    command.arg(folder.join("node_modules/@playwright/test/cli.js")).current_dir(folder);
    command
}

/// The whole suite.
pub fn command(workspace: &Workspace, browser: &Browser) -> Command {
    // A report of an earlier run must not speak for this one.
    let _ = fs::remove_file(report(workspace));
    let mut command = playwright(workspace);
    command.arg("test");
    if let Browser::Installed(path) = browser {
        command.env("CHROMIUM_BIN", path);
    }
    command
}

/// What the suite's own report says.
pub fn told(workspace: &Workspace) -> Told {
    // Without a report the suite has failed as a whole.
    Told::by_playwright(&fs::read_to_string(report(workspace)).unwrap_or_default())
}

fn report(workspace: &Workspace) -> PathBuf {
    workspace.path(Path::new(REPORT))
}
