//! `cargo xtask run`: the whole of Cupo on this machine, with simulators in the place of Google, Microsoft and a mail server.

mod addresses;
mod configuration;
mod service;

use std::fs;
use std::io::{IsTerminal, stdout};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde::Deserialize;

use crate::build;
use crate::command::{cargo, find, succeed};
use crate::progress::{Step, say};
use crate::workspace::Workspace;
use addresses::Addresses;
use configuration::Configuration;
use service::Service;

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

/// What the simulators say when they are ready.
#[derive(Deserialize)]
struct Simulators {
    google: String,
    microsoft: String,
    mail: String,
    smtp: String,
    site: String,
}

/// What `cupo seed-demo` says it made, or found.
#[derive(Deserialize)]
struct Demo {
    organization: String,
    email: String,
    password: String,
    event: String,
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
    let addresses = Addresses::choose(options.listen, options.free_ports)?;
    let data = workspace.path(DATA);
    fs::create_dir_all(data.join("logs"))?;

    let step = Step::start("Starting the simulators of Google, Microsoft and a mail server");
    let (mut simulators, ready) = start_simulators(workspace, &data, &addresses, &interrupted)?;
    step.done("");

    let configuration = data.join("cupo.toml");
    Configuration::load(&configuration)?
        .for_run(addresses.cupo, &database(options, &data), &ready)?
        .save(&configuration)?;

    let step = Step::start("Starting cupo serve");
    let mut server = start_server(workspace, &data, &configuration, addresses.cupo, &interrupted)?;
    step.done("");

    let step = Step::start("Seeding the demo organization");
    let demo = seed(&step, workspace, &configuration, &ready.site)?;
    step.done("");

    announce(options, addresses.cupo, &ready, &demo);
    // The server first: it still talks to the simulators while it winds down.
    let died = supervise(&mut [&mut server, &mut simulators], &interrupted);
    server.stop();
    simulators.stop();
    died
}

fn start_simulators(
    workspace: &Workspace,
    data: &Path,
    addresses: &Addresses,
    interrupted: &AtomicBool,
) -> Result<(Service, Simulators)> {
    let mut command = Command::new(workspace.debug_binaries().join("cupo-simulators"));
    command.arg("all").arg("--state").arg(data.join("simulator.json")).arg("--sample-events");
    command.arg("--microsoft-state").arg(data.join("microsoft-simulator.json"));
    command.args(addresses.simulator_arguments());
    let mut service = Service::start("cupo-simulators", command.current_dir(workspace.root()), &data.join("logs"))?;
    let ready = service.wait_for(STARTUP, interrupted, |service| {
        let line = service.stdout_line()?;
        serde_json::from_str::<serde_json::Value>(&line).ok().filter(|line| line["ready"] == true)
    })?;
    Ok((service, serde_json::from_value(ready).context("the simulators' ready line lacks an address")?))
}

fn start_server(
    workspace: &Workspace,
    data: &Path,
    configuration: &Path,
    listen: SocketAddr,
    interrupted: &AtomicBool,
) -> Result<Service> {
    let mut command = Command::new(workspace.debug_binaries().join("cupo"));
    command.arg("serve").arg("--config").arg(configuration);
    let mut service = Service::start("cupo", command.current_dir(workspace.root()), &data.join("logs"))?;
    service.wait_for(STARTUP, interrupted, |_| service::answers_ok(listen, "/readyz").then_some(()))?;
    Ok(service)
}

fn seed(step: &Step, workspace: &Workspace, configuration: &Path, site: &str) -> Result<Demo> {
    let mut command = Command::new(workspace.debug_binaries().join("cupo"));
    command.arg("seed-demo").arg("--config").arg(configuration).args(["--site-origin", site]);
    command.current_dir(workspace.root());
    let outcome = succeed(step, &mut command)?;
    let line = outcome.stdout.lines().rfind(|line| line.starts_with('{'));
    let line = line.context("cupo seed-demo did not say what it made")?;
    serde_json::from_str(line).context("cupo seed-demo's line is not what is expected")
}

fn database(options: &Options, data: &Path) -> String {
    options.postgres.clone().unwrap_or_else(|| format!("sqlite://{}", data.join("cupo.db").display()))
}

fn announce(options: &Options, cupo: SocketAddr, simulators: &Simulators, demo: &Demo) {
    let cupo = format!("http://{cupo}");
    println!();
    println!("  Cupo runs. Stop it with ctrl-c; everything is kept in {DATA}/.");
    println!();
    println!("  A site with the widget     {}", simulators.site);
    println!("  The public booking page    {cupo}/{}", demo.event);
    println!("  The dashboard              {cupo}/dashboard");
    println!("    sign in with             {} / {}", demo.email, demo.password);
    println!("    organization             {}", demo.organization);
    println!("  The simulated Google       {}", simulators.google);
    println!("  The simulated Microsoft    {}", simulators.microsoft);
    println!("  The mails that were sent   {}", simulators.mail);
    println!();
    if !options.no_open && stdout().is_terminal() {
        open(&simulators.site);
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

/// Returns when the person wants to stop, or with the reason why a child died.
fn supervise(services: &mut [&mut Service], interrupted: &AtomicBool) -> Result<()> {
    while !interrupted.load(Ordering::Relaxed) {
        for service in services.iter_mut() {
            service.check_alive()?;
        }
        thread::sleep(POLL);
    }
    say("\n  Stopping.");
    Ok(())
}
