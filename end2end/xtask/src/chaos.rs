//! `cargo xtask chaos`: visitors, hosts and calendars at real processes while everything fails at random; then the
//! books are compared.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::command::{cargo, find, succeed};
use crate::install::{apt_install, has_apt, python_packages};
use crate::postgres::Postgres;
use crate::progress::{Step, say};
use crate::workspace::Workspace;

/// The CalDAV server at which some of the hosts are.
pub const RADICALE: &str = "server/providers/tests/radicale/requirements.txt";
/// Where Debian and its kin keep the library that shows a process another time.
const FAKETIME_FOLDERS: [&str; 3] = ["/usr/lib", "/usr/lib64", "/usr/local/lib"];
const FAKETIME: &str = "faketime/libfaketimeMT.so.1";

/// How much goes wrong, and where.
#[derive(Args, Clone, Copy)]
pub struct Options {
    /// How many faults.
    #[arg(long, default_value_t = 1_000)]
    pub faults: u32,
    /// What the plan is made of: the same seed gives the same plan.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The database that the product runs on.
    #[arg(long, value_enum, default_value = "sqlite")]
    pub store: Store,
}

/// Which database the product runs on.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Store {
    Sqlite,
    Postgres,
}

impl Store {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// What the driver needs beside the two programs.
pub struct Needs {
    radicale_python: Option<PathBuf>,
    faketime: Option<PathBuf>,
}

/// Runs the whole and passes the driver's words through. The driver's closing line is the last word.
pub fn chaos(workspace: &Workspace, options: Options) -> Result<()> {
    let needs = prepare(workspace)?;
    let mut command = Command::new(driver(workspace));
    let postgres = arrange(workspace, &needs, options, &mut command)?;
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot start the driver")?;
    let words = child.stdout.take().context("the driver has a standard output")?;
    let mut last = String::new();
    for line in BufReader::new(words).lines() {
        // The closing line is held back until nothing else is said.
        let line = std::mem::replace(&mut last, line?);
        if !line.is_empty() {
            println!("{line}");
        }
    }
    let status = child.wait()?;
    if let Some(postgres) = postgres {
        postgres.stop()?;
    }
    println!("{last}");
    if !status.success() {
        std::process::exit(1);
    }
    Ok(())
}

/// One run as a check: its words are an error when it fails.
pub fn check(workspace: &Workspace, needs: &Needs, options: Options) -> Result<()> {
    let mut command = Command::new(driver(workspace));
    let postgres = arrange(workspace, needs, options, &mut command)?;
    let step = Step::start(format!("{} faults, seed {}, on {}", options.faults, options.seed, options.store.name()));
    let outcome = succeed(&step, &mut command);
    if let Some(postgres) = postgres {
        postgres.stop()?;
    }
    step.done(outcome?.stdout.lines().last().unwrap_or_default());
    Ok(())
}

/// Builds both programs and installs what is missing.
pub fn prepare(workspace: &Workspace) -> Result<Needs> {
    let step = Step::start("Building the product and the driver");
    let mut build = cargo(workspace.root());
    succeed(&step, build.args(["build", "--package", "cupo-server", "--package", "cupo-chaos", "--bins"]))?;
    step.done("");
    Ok(Needs { radicale_python: radicale(workspace)?, faketime: faketime()? })
}

fn radicale(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let folder = workspace.target().join("radicale");
    python_packages(
        &folder,
        &workspace.path(RADICALE),
        "some of the hosts have their calendars at the CalDAV server Radicale",
    )?;
    Ok(Some(folder.join("bin/python")))
}

fn faketime() -> Result<Option<PathBuf>> {
    if !cfg!(target_os = "linux") {
        say("  Clocks do not jump: libfaketime is preloaded on Linux only");
        return Ok(None);
    }
    if faketime_library().is_none() && has_apt() {
        apt_install(&["faketime"], "the product's clocks are to jump")?;
    }
    let library = faketime_library();
    if library.is_none() {
        say("  Clocks do not jump: libfaketime is not installed");
    }
    Ok(library)
}

fn faketime_library() -> Option<PathBuf> {
    let folders = FAKETIME_FOLDERS.iter().map(Path::new);
    let inner = FAKETIME_FOLDERS.iter().flat_map(|folder| {
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect::<Vec<_>>()
    });
    folders.map(Path::to_path_buf).chain(inner).map(|folder| folder.join(FAKETIME)).find(|path| path.is_file())
}

fn driver(workspace: &Workspace) -> PathBuf {
    workspace.debug_binaries().join("cupo-chaos")
}

/// The arguments of a run, in a fresh folder, and the database that it needs.
fn arrange(workspace: &Workspace, needs: &Needs, options: Options, command: &mut Command) -> Result<Option<Postgres>> {
    if find("prlimit").is_none() && !cfg!(target_os = "linux") {
        bail!("this needs Linux: files are forbidden to grow by a limit that is set on a running process");
    }
    let folder = workspace.target().join("chaos").join(format!("{}-{}", options.seed, options.store.name()));
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder)?;
    // A copy: whoever builds meanwhile must not change what runs.
    let binary = folder.join("cupo");
    fs::copy(workspace.debug_binaries().join("cupo"), &binary).context("cannot copy the product")?;
    command.args(["--faults", &options.faults.to_string(), "--seed", &options.seed.to_string()]);
    command.args(["--store", options.store.name(), "--binary"]).arg(binary).arg("--folder").arg(&folder);
    if let Some(python) = &needs.radicale_python {
        command.arg("--radicale-python").arg(python);
    }
    if let Some(library) = &needs.faketime {
        command.arg("--faketime").arg(library);
    }
    if options.store == Store::Sqlite {
        return Ok(None);
    }
    // A database that is killed must keep what it committed: the careless one of the tests does not.
    let postgres = Postgres::start_durable()?.context("there is no PostgreSQL to run on")?;
    command.args(["--postgres-url", &postgres.url()]).args(postgres.restart_arguments());
    Ok(Some(postgres))
}
