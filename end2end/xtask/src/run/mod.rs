//! `cargo xtask run`: the whole of Cupo on this machine, with simulators in the place of Google, Microsoft and a mail server.

mod addresses;
mod configuration;
mod service;
mod stage;

use std::io::{IsTerminal, stdout};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use crate::build;
use crate::command::{cargo, find, succeed};
use crate::progress::{Step, say};
use crate::workspace::Workspace;
pub use stage::{Stage, StageOptions};

/// Everything that a run keeps: the configuration with its secrets, the database, the simulators' state, the logs.
const DATA: &str = "data";
const STARTUP: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);

#[derive(Args)]
pub struct Options {
    /// Where the server listens.
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Take a free port wherever the usual one is taken.
    #[arg(long)]
    free_ports: bool,
    /// Use this PostgreSQL database instead of SQLite in `data/`.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// Do not open the sample site in a browser.
    #[arg(long)]
    no_open: bool,
}

/// Builds, starts and supervises everything, until ctrl-c or until a child dies.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let interrupted = Arc::new(AtomicBool::new(false));
    build::assets(workspace)?;
    let step = Step::start("Building the server and the simulators");
    succeed(
        &step,
        cargo(workspace.root()).args(["build", "--package", "cupo-server", "--package", "cupo-simulators"]),
    )?;
    step.done("");

    ctrlc::set_handler({
        let interrupted = Arc::clone(&interrupted);
        move || interrupted.store(true, Ordering::Relaxed)
    })
    .context("cannot listen for ctrl-c")?;
    let data = workspace.path(DATA);
    let stage = StageOptions {
        binaries: workspace.debug_binaries(),
        database: database(options, &data),
        data,
        listen: options.listen,
        free_ports: options.free_ports,
        // Connecting is what there is to be tried.
        is_connected: false,
    };
    let mut stage = Stage::start(workspace, &stage, &interrupted)?;
    announce(options, &stage);
    let died = stage.supervise(&interrupted);
    stage.stop();
    died
}

fn database(options: &Options, data: &Path) -> String {
    options.postgres.clone().unwrap_or_else(|| format!("sqlite://{}", data.join("cupo.db").display()))
}

fn announce(options: &Options, stage: &Stage) {
    let Stage { listen, addresses, demo, .. } = stage;
    let cupo = format!("http://{listen}");
    println!();
    println!("  Cupo runs. Stop it with ctrl-c; everything is kept in {DATA}/.");
    println!();
    println!("  A site with the widget     {}", addresses.site);
    println!("  The public booking page    {cupo}/{}", demo.event);
    println!("  The dashboard              {cupo}/dashboard");
    println!("    sign in with             {} / {}", demo.email, demo.password);
    println!("    organization             {}", demo.organization);
    println!("  The simulated Google       {}", addresses.google);
    println!("  The simulated Microsoft    {}", addresses.microsoft);
    println!("  The mails that were sent   {}", addresses.mail);
    println!();
    if !options.no_open && stdout().is_terminal() {
        open(&addresses.site);
    }
}

/// Opens a page in the browser of the desktop, where there is one.
fn open(url: &str) {
    let desktop =
        cfg!(target_os = "macos") || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|n| std::env::var_os(n).is_some());
    let opener = ["xdg-open", "open"].into_iter().find_map(find);
    if let (true, Some(opener)) = (desktop, opener)
        && let Err(error) = Command::new(opener).arg(url).spawn()
    {
        say(&format!("  The browser did not open: {error}"));
    }
}
