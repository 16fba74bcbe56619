//! Chooses how Rust becomes WASM on this machine.
//!
//! The standard library is built with the bundle wherever its source can be had: what nobody calls goes, and the widget
//! is 16 % smaller after brotli than with rustup's ready-made target. The source is rustup's component `rust-src`;
//! where rustup's server is out of reach it is Debian's own Rust.

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

/// rustup was seen to hang on a machine without a network.
const RUSTUP_PATIENCE: Duration = Duration::from_secs(60);
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_SYSROOT: &str = "/usr";
/// Where the standard library's source lies below a sysroot.
const SOURCE: &str = "lib/rustlib/src/rust/library/std";

/// Panics stop at once, without a message or a place: formatting them would be a sixth of the widget.
const FLAGS: [&str; 3] = ["-Zunstable-options", "-Cpanic=immediate-abort", "-Zlocation-detail=none"];
const BUILD_STD: [&str; 2] = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];

/// A way to compile for [`TARGET`], with the compiler's version.
pub enum Toolchain {
    /// The server's toolchain, with the standard library built from source.
    Source { version: String },
    /// The server's toolchain, with rustup's ready-made standard library.
    ReadyMade { version: String },
    /// Debian's packages, with the standard library built from source.
    Debian { version: String, linker: PathBuf },
}

impl Toolchain {
    /// Changes whenever the compiler or the way it is used does.
    pub fn identity(&self) -> String {
        match self {
            Self::Source { version } => format!("source {version}"),
            Self::ReadyMade { version } => format!("ready-made {version}"),
            Self::Debian { version, linker } => format!("debian {version} {}", linker.display()),
        }
    }

    /// `cargo build` for [`TARGET`], ready for the package's own arguments.
    pub fn cargo_build(&self, workspace: &Workspace) -> Command {
        let mut command = match self {
            Self::Source { .. } | Self::ReadyMade { .. } => cargo(workspace.root()),
            Self::Debian { linker, .. } => debian_cargo(workspace, linker),
        };
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR"] {
            command.env_remove(name);
        }
        command.args(["build", "--target", TARGET]);
        if !matches!(self, Self::ReadyMade { .. }) {
            // Building the standard library is not stable yet, and this is how a stable compiler is told to do it.
            command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f")).args(BUILD_STD);
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
    command.env("RUSTC", DEBIAN_RUSTC).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    command
}

/// Finds a toolchain, or installs one.
pub fn select(workspace: &Workspace) -> Result<Toolchain> {
    let version = print("rustc", workspace, &["-vV"])?;
    if has_source(workspace)? || add_source(workspace, &version)? {
        return Ok(Toolchain::Source { version });
    }
    if Path::new(&print("rustc", workspace, &["--print", "target-libdir", "--target", TARGET])?).is_dir() {
        return Ok(Toolchain::ReadyMade { version });
    }
    debian(workspace)
}

/// Whether the toolchain has the source. Debian's has it too, but lacks the linker that rustup's brings.
fn has_source(workspace: &Workspace) -> Result<bool> {
    let sysroot = print("rustc", workspace, &["--print", "sysroot"])?;
    Ok(sysroot != DEBIAN_SYSROOT && Path::new(&sysroot).join(SOURCE).is_dir())
}

/// Asks rustup for the source, once for each version where it has none to give.
fn add_source(workspace: &Workspace, version: &str) -> Result<bool> {
    let refused = workspace.scratch("rustup-has-no-source");
    if find("rustup").is_none() || fs::read_to_string(&refused).is_ok_and(|of| of == version) {
        return Ok(false);
    }
    say("  Installing with rustup, because the widget is WebAssembly and has to be small: rust-src");
    let step = Step::start("rustup component add rust-src");
    let mut rustup = Command::new("rustup");
    rustup.current_dir(workspace.root()).args(["component", "add", "rust-src"]).env("RUSTUP_MAX_RETRIES", "1");
    match succeed_within(&step, &mut rustup, RUSTUP_PATIENCE) {
        Ok(_) => {
            step.done("");
            has_source(workspace)
        }
        Err(error) => {
            step.failed("not to be had; there are other ways");
            say_reason(&error);
            remember(&refused, version)?;
            Ok(false)
        }
    }
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

/// What a compiler says about itself.
fn print(rustc: &str, workspace: &Workspace, arguments: &[&str]) -> Result<String> {
    let output = Command::new(rustc).current_dir(workspace.root()).args(arguments).output();
    let output = output.with_context(|| format!("{rustc} does not run"))?;
    if !output.status.success() {
        bail!("{rustc} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn debian(workspace: &Workspace) -> Result<Toolchain> {
    if !has_apt() {
        bail!(
            "there is no way to compile for {TARGET} here: install rustup and run `rustup target add {TARGET}`, \
             then run this again"
        );
    }
    let source = Path::new(DEBIAN_SYSROOT).join(SOURCE);
    let complete = [Path::new(DEBIAN_RUSTC), Path::new(DEBIAN_CARGO), &source].iter().all(|path| path.exists());
    if !complete || linker().is_none() {
        install_debian()?;
    }
    let version = print(DEBIAN_RUSTC, workspace, &["-vV"])?;
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
