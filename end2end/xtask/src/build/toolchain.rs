//! Chooses how Rust becomes WASM on this machine.
//!
//! A toolchain that has the target is used as it is. Otherwise rustup is asked for it, which cannot work where its
//! server is out of reach; there, Debian's own Rust builds the standard library from source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, find, succeed_within};
use crate::install::{apt_install, apt_known, has_apt};
use crate::progress::{Step, say};
use crate::workspace::Workspace;

pub const TARGET: &str = "wasm32-unknown-unknown";

/// `rustup target add` was seen to hang on a machine without a network.
const RUSTUP_PATIENCE: Duration = Duration::from_secs(60);
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/std";

/// What Debian's Rust is told beyond the profile. The standard library is built with the crate, so that what nobody
/// calls goes; panics carry no place, and the features are those that every browser of the last years has.
const DEBIAN_FLAGS: [&str; 2] = ["-Zlocation-detail=none", "-Zfmt-debug=none"];

/// A way to compile for [`TARGET`].
pub enum Toolchain {
    /// The toolchain that also builds the server.
    Rustup { version: String },
    /// Debian's packages, with the standard library built from source.
    Debian { version: String, linker: PathBuf },
}

impl Toolchain {
    /// Changes whenever the compiler or its flags do.
    pub fn identity(&self) -> String {
        match self {
            Self::Rustup { version } => version.clone(),
            Self::Debian { version, linker } => format!("{version} {} {DEBIAN_FLAGS:?}", linker.display()),
        }
    }

    /// `cargo build` for [`TARGET`], ready for the package's own arguments.
    pub fn cargo_build(&self, workspace: &Workspace) -> Command {
        let mut command = match self {
            Self::Rustup { .. } => cargo(workspace.root()),
            Self::Debian { linker, .. } => debian_cargo(workspace, linker),
        };
        command.env_remove("RUSTFLAGS").env_remove("CARGO_TARGET_DIR").args(["build", "--target", TARGET]);
        if matches!(self, Self::Debian { .. }) {
            command.args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"]);
        }
        command
    }
}

fn debian_cargo(workspace: &Workspace, linker: &Path) -> Command {
    let scrubbed = cargo(workspace.root());
    let mut command = Command::new(DEBIAN_CARGO);
    command.current_dir(workspace.root());
    for (name, value) in scrubbed.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    // `cargo run` points these at rustup's toolchain, whose libraries are not this compiler's.
    for name in ["RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH", "CARGO", "RUSTDOC", "RUSTC_WRAPPER"] {
        command.env_remove(name);
    }
    command
        .env("RUSTC", DEBIAN_RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
        .env("CARGO_ENCODED_RUSTFLAGS", DEBIAN_FLAGS.join("\x1f"));
    command
}

/// Finds a toolchain, or installs one.
pub fn select(workspace: &Workspace) -> Result<Toolchain> {
    let version = version_of(Path::new("rustc"), workspace)?;
    if has_target(workspace) {
        return Ok(Toolchain::Rustup { version });
    }
    let refused = workspace.scratch("rustup-cannot-add-wasm");
    let refused_before = fs::read_to_string(&refused).is_ok_and(|of| of == version);
    if !refused_before && find("rustup").is_some() {
        say(&format!("  Installing with rustup, because the widget is WebAssembly: target {TARGET}"));
        let step = Step::start(format!("rustup target add {TARGET}"));
        let mut rustup = Command::new("rustup");
        rustup.current_dir(workspace.root()).args(["target", "add", TARGET]).env("RUSTUP_MAX_RETRIES", "1");
        match succeed_within(&step, &mut rustup, RUSTUP_PATIENCE) {
            Ok(_) if has_target(workspace) => {
                step.done("");
                return Ok(Toolchain::Rustup { version });
            }
            Ok(_) => step.failed("rustup says it is installed, and it is not there"),
            Err(error) if has_apt() => {
                step.failed("not to be had here; Debian's packages are next");
                remember(&refused, &version)?;
                say_reason(&error);
            }
            Err(error) => return Err(error.context(format!("this machine needs rustup's target {TARGET}"))),
        }
    }
    debian(workspace)
}

fn say_reason(error: &anyhow::Error) {
    if let Some(line) = error.to_string().lines().rfind(|line| line.starts_with("error")) {
        say(&format!("    {line}"));
    }
}

fn remember(stamp: &Path, version: &str) -> Result<()> {
    if let Some(folder) = stamp.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(stamp, version)?)
}

/// Whether the toolchain of `rust-toolchain.toml` has a standard library for [`TARGET`].
fn has_target(workspace: &Workspace) -> bool {
    let mut rustc = Command::new("rustc");
    let libraries = rustc.current_dir(workspace.root()).args(["--print", "target-libdir", "--target", TARGET]).output();
    libraries.is_ok_and(|output| {
        output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
    })
}

fn version_of(rustc: &Path, workspace: &Workspace) -> Result<String> {
    let output = Command::new(rustc).current_dir(workspace.root()).arg("-vV").output();
    let output = output.with_context(|| format!("{} does not run", rustc.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn debian(workspace: &Workspace) -> Result<Toolchain> {
    if !has_apt() {
        bail!(
            "there is no way to compile for {TARGET} here: install rustup and run `rustup target add {TARGET}`, \
             then run this again"
        );
    }
    let complete = [DEBIAN_RUSTC, DEBIAN_CARGO, DEBIAN_SOURCE].iter().all(|path| Path::new(path).exists());
    if !complete || linker().is_none() {
        install_debian()?;
    }
    let version = version_of(Path::new(DEBIAN_RUSTC), workspace)?;
    let linker = linker().context("the package lld is installed and there is no wasm-ld in /usr/bin")?;
    Ok(Toolchain::Debian { version, linker })
}

fn install_debian() -> Result<()> {
    let missing = "rustup cannot add the target, and the machine's package lists lack";
    let lld = apt_known(&["lld-22", "lld"])?.with_context(|| format!("{missing} lld"))?;
    apt_known(&["rustc-web"])?
        .with_context(|| format!("{missing} rustc-web: connect to the network, or see to rustup"))?;
    apt_install(
        &["rustc-web", "cargo-web", "rust-web-src", lld],
        "the widget is WebAssembly, and rustup cannot add its target",
    )
}

/// The newest `wasm-ld` among Debian's.
fn linker() -> Option<PathBuf> {
    let entries = fs::read_dir("/usr/bin").ok()?.filter_map(Result::ok);
    let candidates = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let version = name.strip_prefix("wasm-ld")?.trim_start_matches('-');
        let version: u32 = if version.is_empty() { 0 } else { version.parse().ok()? };
        Some((version, entry.path()))
    });
    candidates.max().map(|(_, path)| path)
}
