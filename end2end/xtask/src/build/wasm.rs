//! One WASM bundle: compiled, bound to JavaScript, optimised, and shown to load.

use std::fs;
use std::mem;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::fingerprint::Fingerprint;
use super::glue::{Glue, has_hash, names, short_name};
use super::toolchain::{TARGET, Toolchain};
use super::tools;
use crate::command::succeed;
use crate::progress::Step;
use crate::workspace::Workspace;

const PROFILE: &str = "wasm-release";
/// WASM has a target folder of its own: its features and profile never mix with those of the host.
const TARGET_FOLDER: &str = "target-wasm";

/// What happens to a module after its compilation is decided here.
const TOOLS: [&str; 2] = ["end2end/xtask/src/build", "end2end/xtask/npm/package-lock.json"];

/// A crate that becomes WASM.
pub struct Bundle {
    package: &'static str,
    features: &'static [&'static str],
    /// The folders whose files it is made of.
    sources: &'static [&'static str],
    /// The function that its JavaScript must export.
    entry: &'static str,
}

/// The booking widget.
pub const WIDGET: Bundle =
    Bundle { package: "cupo-widget", features: &["csr"], sources: &["widget", "app/core"], entry: "prepare" };

/// The dashboard's hydration.
pub const APP: Bundle = Bundle { package: "cupo-app", features: &["hydrate"], sources: &["app"], entry: "hydrate" };

/// A bundle's files, as they will be served.
pub struct Built {
    pub js: PathBuf,
    pub wasm: PathBuf,
}

impl Bundle {
    /// The file name that cargo and wasm-bindgen give it.
    fn stem(&self) -> String {
        self.package.replace('-', "_")
    }

    /// What the compiler is given.
    fn sources(&self, workspace: &Workspace, toolchain: &Toolchain) -> Result<String> {
        let mut sources = Fingerprint::default();
        sources.add(toolchain.identity());
        for path in ["Cargo.toml", "Cargo.lock"].iter().chain(self.sources).chain(&TOOLS) {
            sources.add_tree(&workspace.path(path))?;
        }
        Ok(sources.finish())
    }
}

/// Builds a bundle unless its sources are those of the last time.
pub fn build(workspace: &Workspace, toolchain: &Toolchain, bundle: &Bundle) -> Result<Built> {
    let folder = workspace.scratch(bundle.package);
    let built = Built { js: folder.join("bundle.js"), wasm: folder.join("bundle.wasm") };
    let is_built_from = |stamp: &str, fingerprint: &str| {
        fs::read_to_string(folder.join(stamp)).is_ok_and(|last| last == fingerprint) && built.js.exists()
    };
    let sources = bundle.sources(workspace, toolchain)?;
    if is_built_from("sources", &sources) {
        return Ok(built);
    }
    let step = Step::start(format!("Building {} as WebAssembly", bundle.package));
    let module = compile(workspace, &step, toolchain, bundle)?;
    // Many a changed source, above all the lock file, leaves the module as it was.
    let compiled = after_compilation(workspace, &module)?;
    if !is_built_from("compiled", &compiled) {
        // The stamps come last: an interrupted build is built again.
        reset(&folder)?;
        let glue = bind(workspace, &step, &module, bundle, &folder.join("glue"))?;
        tools::optimize_wasm(workspace, &step, &glue.wasm, &built.wasm)?;
        glue.drop_imports_except(&tools::imports_of_wasm(&step, &built.wasm)?)?;
        tools::check_that_wasm_loads(&step, &glue.js, &built.wasm, bundle.entry)?;
        fs::write(&built.js, glue.minify(workspace, &step)?)?;
        fs::write(folder.join("compiled"), compiled)?;
    }
    fs::write(folder.join("sources"), sources)?;
    step.done(format!("{} KB before compression", fs::metadata(&built.wasm)?.len() / 1000));
    Ok(built)
}

/// What the steps after the compiler are given.
fn after_compilation(workspace: &Workspace, module: &Path) -> Result<String> {
    let mut inputs = Fingerprint::default();
    inputs.add_file(module)?;
    for path in TOOLS {
        inputs.add_tree(&workspace.path(path))?;
    }
    Ok(inputs.finish())
}

fn compile(workspace: &Workspace, step: &Step, toolchain: &Toolchain, bundle: &Bundle) -> Result<PathBuf> {
    let mut command = toolchain.cargo_build(workspace);
    command.args(["--profile", PROFILE, "--target-dir", TARGET_FOLDER, "--package", bundle.package, "--lib"]);
    command.args(["--no-default-features", "--features", &bundle.features.join(",")]);
    succeed(step, &mut command)?;
    Ok(workspace.path(TARGET_FOLDER).join(TARGET).join(PROFILE).join(bundle.stem()).with_extension("wasm"))
}

fn reset(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir_all(folder)?)
}

/// Runs wasm-bindgen, and drops what the module exports for JavaScript that no page of ours can reach: crates deep
/// below export whole classes, and what is exported cannot be optimised away.
fn bind(workspace: &Workspace, step: &Step, module: &Path, bundle: &Bundle, folder: &Path) -> Result<Glue> {
    step.note("wasm-bindgen");
    let stem = bundle.stem();
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name(&stem).typescript(false).omit_default_module_path(true);
    bindgen.remove_name_section(true).remove_producers_section(true);
    let mut output = bindgen.web(true)?.generate_output().context("wasm-bindgen failed")?;
    output.emit(folder)?;
    let glue = Glue::prepare(folder, &stem, bundle.entry)?;
    glue.unbind_classes()?;

    let javascript = String::from_utf8(glue.minify(workspace, step)?)?;
    let exports = &mut output.wasm_mut().exports;
    let unreachable = exports.iter().filter(|export| !names(&javascript, &export.name));
    for export in unreachable.map(|export| export.id()).collect::<Vec<_>>() {
        exports.delete(export);
    }
    // The names of what page and module call in each other end in hashes, which no compression makes smaller.
    let module = output.wasm_mut();
    let (imports, exports) = (module.imports.iter_mut(), module.exports.iter_mut());
    let names = imports.map(|import| &mut import.name).chain(exports.map(|export| &mut export.name));
    let mut renamed = Vec::new();
    for name in names.filter(|name| has_hash(name)) {
        let short = short_name(renamed.len());
        renamed.push((mem::replace(name, short.clone()), short));
    }
    output.emit(folder)?;
    glue.unbind_classes()?;
    glue.rename(&renamed)?;
    Ok(glue)
}
