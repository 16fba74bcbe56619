//! The server with its simulators and the demo organization, from programs that are built already.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::addresses::Addresses;
use super::configuration::Configuration;
use super::service::{self, Service};
use super::{POLL, STARTUP};
use crate::command::succeed;
use crate::progress::{Step, say};
use crate::workspace::Workspace;

/// How a stage is set up.
pub struct StageOptions {
    /// Where the programs are.
    pub binaries: PathBuf,
    /// The configuration with its secrets, the simulators' state and the logs.
    pub data: PathBuf,
    pub database: String,
    pub listen: SocketAddr,
    /// Take a free port wherever the usual one is taken.
    pub free_ports: bool,
    /// Whether the demo's host has connected the simulated Google already.
    pub is_connected: bool,
}

/// What the simulators say when they are ready.
#[derive(Deserialize)]
pub struct Simulators {
    pub google: String,
    pub microsoft: String,
    pub mail: String,
    pub smtp: String,
    pub site: String,
}

/// What `cupo seed-demo` says it made, or found.
#[derive(Deserialize)]
pub struct Demo {
    pub organization: String,
    pub email: String,
    pub password: String,
    pub event: String,
}

/// Everything, running.
pub struct Stage {
    pub listen: SocketAddr,
    pub addresses: Simulators,
    pub demo: Demo,
    server: Service,
    simulators: Service,
}

impl Stage {
    /// Starts everything, in an order in which each finds what it needs.
    pub fn start(workspace: &Workspace, options: &StageOptions, interrupted: &AtomicBool) -> Result<Self> {
        let (data, listens) = (&options.data, Addresses::choose(options.listen, options.free_ports)?);
        fs::create_dir_all(data.join("logs"))?;
        let program = |name: &str| {
            let mut command = Command::new(options.binaries.join(name));
            command.current_dir(workspace.root());
            command
        };

        let step = Step::start("Starting the simulators of Google, Microsoft and a mail server");
        let (simulators, addresses) = start_simulators(program("cupo-simulators"), data, &listens, interrupted)?;
        step.done("");

        let configuration = data.join("cupo.toml");
        Configuration::load(&configuration)?
            .for_run(listens.cupo, &options.database, &addresses)?
            .save(&configuration)?;

        let step = Step::start("Starting cupo serve");
        let server = start_server(program("cupo"), data, &configuration, listens.cupo, interrupted)?;
        step.done("");

        let step = Step::start("Seeding the demo organization");
        let mut seed = program("cupo");
        seed.arg("seed-demo").arg("--config").arg(&configuration).args(["--site-origin", &addresses.site]);
        if options.is_connected {
            seed.args(["--simulator", &addresses.google]);
        }
        let outcome = succeed(&step, &mut seed)?;
        let line = outcome.stdout.lines().rfind(|line| line.starts_with('{'));
        let line = line.context("cupo seed-demo did not say what it made")?;
        let demo = serde_json::from_str(line).context("cupo seed-demo's line is not what is expected")?;
        step.done("");
        Ok(Self { listen: listens.cupo, addresses, demo, server, simulators })
    }

    /// Returns when the person wants to stop, or with the reason why a child died.
    pub fn supervise(&mut self, interrupted: &AtomicBool) -> Result<()> {
        while !interrupted.load(Ordering::Relaxed) {
            self.server.check_alive()?;
            self.simulators.check_alive()?;
            thread::sleep(POLL);
        }
        say("\n  Stopping.");
        Ok(())
    }

    /// Stops the server first: it still talks to the simulators while it winds down.
    pub fn stop(mut self) {
        self.server.stop();
        self.simulators.stop();
    }
}

fn start_simulators(
    mut command: Command,
    data: &Path,
    addresses: &Addresses,
    interrupted: &AtomicBool,
) -> Result<(Service, Simulators)> {
    command.arg("all").arg("--state").arg(data.join("simulator.json")).arg("--sample-events");
    command.arg("--microsoft-state").arg(data.join("microsoft-simulator.json"));
    command.args(addresses.simulator_arguments());
    let mut service = Service::start("cupo-simulators", &mut command, &data.join("logs"))?;
    let ready = service.wait_for(STARTUP, interrupted, |service| {
        let line = service.stdout_line()?;
        serde_json::from_str::<serde_json::Value>(&line).ok().filter(|line| line["ready"] == true)
    })?;
    Ok((service, serde_json::from_value(ready).context("the simulators' ready line lacks an address")?))
}

fn start_server(
    mut command: Command,
    data: &Path,
    configuration: &Path,
    listen: SocketAddr,
    interrupted: &AtomicBool,
) -> Result<Service> {
    command.arg("serve").arg("--config").arg(configuration);
    let mut service = Service::start("cupo", &mut command, &data.join("logs"))?;
    service.wait_for(STARTUP, interrupted, |_| service::answers_ok(listen, "/readyz").then_some(()))?;
    Ok(service)
}
