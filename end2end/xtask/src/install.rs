//! Installs what the machine lacks. Everything is announced first, and nothing asks.

use std::fs;
use std::io::{IsTerminal, stdin};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::build::fingerprint::Fingerprint;
use crate::command::{find, outcome, succeed};
use crate::progress::{Step, say};

/// Whether this is Debian or one of its kin.
pub fn has_apt() -> bool {
    find("apt-get").is_some()
}

/// The first of these packages that the machine's package lists know, after refreshing the lists if they know none.
pub fn apt_known<'a>(packages: &[&'a str]) -> Result<Option<&'a str>> {
    let known = || packages.iter().copied().find(|package| apt_knows(package));
    if let Some(package) = known() {
        return Ok(Some(package));
    }
    apt_update()?;
    Ok(known())
}

fn apt_knows(package: &str) -> bool {
    let shown = Command::new("apt-cache").args(["show", "--no-all-versions", package]).output();
    shown.is_ok_and(|shown| shown.status.success() && !shown.stdout.is_empty())
}

/// Installs Debian packages; `reason` completes "… is installed, because …".
pub fn apt_install(packages: &[&str], reason: &str) -> Result<()> {
    say(&format!("  Installing with apt, because {reason}: {}", packages.join(" ")));
    if !packages.iter().all(|package| apt_knows(package)) {
        apt_update()?;
    }
    let step = Step::start(format!("apt-get install {}", packages.join(" ")));
    let mut command = as_root("apt-get")?;
    command.args(["install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]).args(packages);
    succeed(&step, &mut command)?;
    step.done("");
    Ok(())
}

fn apt_update() -> Result<()> {
    let step = Step::start("apt-get update");
    let mut command = as_root("apt-get")?;
    succeed(&step, command.args(["update", "-o", "DPkg::Lock::Timeout=300"]))?;
    step.done("");
    Ok(())
}

fn as_root(program: &str) -> Result<Command> {
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new(program)
    } else {
        let sudo =
            find("sudo").context("installing packages needs root, and there is no sudo: run this once as root")?;
        // Asked for here, where no spinner would draw over the question.
        if stdin().is_terminal() && !Command::new(&sudo).arg("--validate").status()?.success() {
            bail!("sudo refused: the packages above have to be installed by hand");
        }
        let mut command = Command::new(sudo);
        command.args(["--non-interactive", "DEBIAN_FRONTEND=noninteractive", program]);
        command
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}

/// Sees to Node.js and npm, which the build's tools and the browser tests run on.
pub fn node() -> Result<()> {
    if find("node").is_some() && find("npm").is_some() {
        return Ok(());
    }
    if !has_apt() {
        bail!("Node.js is missing: install version 18 or newer (on macOS: `brew install node`) and run this again");
    }
    let missing: Vec<&str> = [("node", "nodejs"), ("npm", "npm")]
        .into_iter()
        .filter(|(program, _)| find(program).is_none())
        .map(|p| p.1)
        .collect();
    apt_install(&missing, "wasm-opt, esbuild and the browser tests run on Node.js")
}

/// `npm ci` in a folder, unless its packages are already those of its lock file.
pub fn npm_packages(folder: &Path, reason: &str) -> Result<()> {
    node()?;
    let mut lock = Fingerprint::default();
    lock.add_file(&folder.join("package-lock.json"))?;
    let lock = lock.finish();
    let stamp = folder.join("node_modules/.installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    say(&format!("  Installing with npm, because {reason}: {}", npm_names(folder)?.join(" ")));
    let step = Step::start("npm ci");
    let mut npm = Command::new("npm");
    succeed(
        &step,
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder),
    )?;
    fs::write(stamp, lock)?;
    step.done("");
    Ok(())
}

fn npm_names(folder: &Path) -> Result<Vec<String>> {
    let package: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("package.json"))?)?;
    let sections = ["dependencies", "devDependencies"].into_iter().filter_map(|section| package[section].as_object());
    Ok(sections.flat_map(|section| section.keys().cloned()).collect())
}

/// A Python of its own in `folder`, with the packages of a requirements file, unless it has them already.
pub fn python_packages(folder: &Path, requirements: &Path, reason: &str) -> Result<()> {
    let wanted = fs::read_to_string(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    // The tests install in the same way, into the same place and under the same lock.
    let lock = fs::File::create(folder.with_extension("lock"))
        .with_context(|| format!("cannot make the lock beside {}", folder.display()))?;
    lock.lock()?;
    let stamp = folder.join(".installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    python_with_venv()?;
    say(&format!(
        "  Installing with pip, because {reason}: {}",
        wanted.split_whitespace().collect::<Vec<_>>().join(" ")
    ));
    let step = Step::start("pip install");
    succeed(&step, Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements);
    succeed(&step, &mut pip)?;
    fs::write(stamp, wanted)?;
    step.done("");
    Ok(())
}

/// Sees to a Python 3 that can make environments; Debian keeps that part in a package of its own.
fn python_with_venv() -> Result<()> {
    let works = || {
        let imported = Command::new("python3").args(["-c", "import venv, ensurepip"]).output();
        imported.is_ok_and(|imported| imported.status.success())
    };
    if works() {
        return Ok(());
    }
    if !has_apt() {
        bail!("Python 3 with `venv` is missing: install it (on macOS: `brew install python`) and run this again");
    }
    apt_install(&["python3", "python3-venv"], "a test runs the CalDAV server Radicale, which is written in Python")?;
    if works() {
        Ok(())
    } else {
        bail!("`python3 -m venv` does not work: the first `python3` of PATH has no `ensurepip`")
    }
}

/// Whether `cargo nextest` is there to run the tests.
pub fn has_nextest(step: &Step, root: &Path) -> bool {
    let mut command = crate::command::cargo(root);
    outcome(step, command.args(["nextest", "--version"])).is_ok_and(|version| version.status.success())
}
