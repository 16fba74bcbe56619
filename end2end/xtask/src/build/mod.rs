//! `cargo xtask build`: Rust, JavaScript and CSS into the folder that the server embeds.

pub mod assets;
pub mod compress;
pub mod fingerprint;
mod glue;
mod toolchain;
mod tools;
mod wasm;

use std::fs::{self, File};

use anyhow::Result;

use crate::command::{cargo, succeed};
use crate::install::npm_packages;
use crate::progress::{Step, say};
use crate::workspace::Workspace;
use assets::Asset;
use wasm::{APP, WIDGET};

/// Builds the assets and, for `release`, the optimised binary that holds them.
pub fn build(workspace: &Workspace, release: bool) -> Result<()> {
    assets(workspace)?;
    if release {
        let step = Step::start("Building the cupo binary, optimised, with its assets inside");
        succeed(&step, cargo(workspace.root()).args(["build", "--release", "--package", "cupo-server"]))?;
        step.done("target/release/cupo");
    }
    Ok(())
}

/// Brings `target/site` up to date; unchanged inputs cost a second.
pub fn assets(workspace: &Workspace) -> Result<()> {
    let _lock = lock(workspace)?;
    npm_packages(&workspace.path(tools::FOLDER), "they shrink WASM, JavaScript and CSS")?;
    let toolchain = toolchain::select(workspace)?;
    let widget = wasm::build(workspace, &toolchain, &WIDGET)?;
    let app = wasm::build(workspace, &toolchain, &APP)?;
    if assets::write(workspace, &widget, &app)? {
        say("  ✓ target/site is up to date");
    }
    Ok(())
}

/// What a site loads of the widget, built anew where its sources have changed; the dashboard is left alone.
pub fn widget(workspace: &Workspace) -> Result<Vec<Asset>> {
    let _lock = lock(workspace)?;
    npm_packages(&workspace.path(tools::FOLDER), "they shrink WASM, JavaScript and CSS")?;
    let built = wasm::build(workspace, &toolchain::select(workspace)?, &WIDGET)?;
    let step = Step::start("Minifying the widget's files");
    let assets = assets::widget(workspace, &step, &built)?;
    step.done("");
    Ok(assets)
}

/// Held while `target/xtask` and `target/site` change: two builds at once would take each other's files away.
fn lock(workspace: &Workspace) -> Result<File> {
    fs::create_dir_all(workspace.scratch(""))?;
    let lock = File::create(workspace.scratch("lock"))?;
    if lock.try_lock().is_err() {
        let step = Step::start("Waiting for another build");
        lock.lock()?;
        step.done("");
    }
    Ok(lock)
}
