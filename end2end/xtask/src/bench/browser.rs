//! What only a browser can measure: the sample site with the widget, served by optimised programs, in a Chromium that a
//! script of `end2end/bench` drives.

use std::fs;
use std::process::Command;
use std::sync::atomic::AtomicBool;

use anyhow::Result;

use super::figures;
use crate::install::npm_packages;
use crate::run::{Stage, StageOptions};
use crate::test::browser::{self, Browser};
use crate::workspace::Workspace;

const FOLDER: &str = "end2end/bench";

/// Starts everything with an empty database, lets the script measure, and gives its figures.
pub fn measure(workspace: &Workspace, script: &str, names: &[&str]) -> Result<Vec<String>> {
    npm_packages(&workspace.path(FOLDER), "they measure the widget in a browser")?;
    let chromium = browser::prepare(workspace)?;
    let data = workspace.scratch("bench");
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    let options = StageOptions {
        binaries: workspace.release_binaries(),
        database: format!("sqlite://{}", data.join("cupo.db").display()),
        data,
        listen: ([127, 0, 0, 1], 3000).into(),
        free_ports: true,
        is_connected: true,
    };
    let stage = Stage::start(workspace, &options, &AtomicBool::new(false))?;
    let mut command = Command::new("node");
    command.arg(workspace.path(FOLDER).join(script)).arg(&stage.addresses.site);
    command.arg(format!("http://{}", stage.listen));
    if let Browser::Installed(path) = chromium {
        command.env("CHROMIUM_BIN", path);
    }
    let figures = figures(&mut command, names);
    stage.stop();
    figures
}
