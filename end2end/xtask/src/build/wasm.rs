//! One WASM bundle: compiled, bound to JavaScript, optimised, and shown to load.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::fingerprint::Fingerprint;
use super::toolchain::{TARGET, Toolchain};
use super::tools::{self, Minify};
use crate::command::succeed;
use crate::progress::Step;
use crate::workspace::Workspace;

const PROFILE: &str = "wasm-release";
/// WASM has a target folder of its own: its features and profile never mix with those of the host.
const TARGET_FOLDER: &str = "target-wasm";

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
    Bundle { package: "cupo-widget", features: &["csr"], sources: &["widget", "app/core"], entry: "mount" };

/// The dashboard's hydration.
pub const APP: Bundle = Bundle { package: "cupo-app", features: &["hydrate"], sources: &["app"], entry: "hydrate" };

/// A bundle's files, as they will be served.
pub struct Built {
    pub js: PathBuf,
    pub wasm: PathBuf,
}

impl Bundle {
    fn title(&self) -> String {
        format!("Building {} as WebAssembly", self.package)
    }

    /// The file name that cargo and wasm-bindgen give it.
    fn stem(&self) -> String {
        self.package.replace('-', "_")
    }

    fn fingerprint(&self, workspace: &Workspace, toolchain: &Toolchain) -> Result<String> {
        let mut inputs = Fingerprint::default();
        inputs.add(toolchain.identity());
        for file in ["Cargo.toml", "Cargo.lock", "end2end/xtask/npm/package-lock.json"] {
            inputs.add_file(&workspace.path(file))?;
        }
        for folder in self.sources.iter().copied().chain(["end2end/xtask/src/build"]) {
            inputs.add_tree(&workspace.path(folder))?;
        }
        Ok(inputs.finish())
    }
}

/// Builds a bundle unless its inputs are those of the last time.
pub fn build(workspace: &Workspace, toolchain: &Toolchain, bundle: &Bundle) -> Result<Built> {
    let folder = workspace.scratch(bundle.package);
    let built = Built { js: folder.join("bundle.js"), wasm: folder.join("bundle.wasm") };
    let stamp = folder.join("inputs");
    let inputs = bundle.fingerprint(workspace, toolchain)?;
    if fs::read_to_string(&stamp).is_ok_and(|last| last == inputs) && built.js.exists() && built.wasm.exists() {
        return Ok(built);
    }
    let step = Step::start(bundle.title());
    let module = compile(workspace, &step, toolchain, bundle)?;
    // The stamp comes last: an interrupted build is built again.
    reset(&folder)?;
    let glue = bind(&step, &module, bundle, &folder.join("glue"))?;
    tools::optimize_wasm(workspace, &step, &glue.wasm, &built.wasm)?;
    tools::check_that_wasm_loads(&step, &glue.js, &built.wasm, bundle.entry)?;
    fs::write(&built.js, tools::minify(workspace, &step, Minify::Module, &public_glue(&glue.js)?)?)?;
    fs::write(stamp, inputs)?;
    step.done(format!("{} KB before compression", fs::metadata(&built.wasm)?.len() / 1000));
    Ok(built)
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

/// Writes wasm-bindgen's JavaScript glue, and the module that goes with it.
fn bind(step: &Step, module: &Path, bundle: &Bundle, folder: &Path) -> Result<Built> {
    step.note("wasm-bindgen");
    let stem = bundle.stem();
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name(&stem).typescript(false).omit_default_module_path(true);
    bindgen.remove_name_section(true).remove_producers_section(true);
    bindgen.web(true)?.generate(folder).context("wasm-bindgen failed")?;
    // Tells Node.js, which checks that the module loads, that the glue is an ES module.
    fs::write(folder.join("package.json"), r#"{"type":"module"}"#)?;
    Ok(Built { js: folder.join(&stem).with_extension("js"), wasm: folder.join(format!("{stem}_bg.wasm")) })
}

/// A module that re-exports what a page needs of the glue, so that the minifier drops the synchronous start.
fn public_glue(glue: &Path) -> Result<PathBuf> {
    let name = glue.file_name().context("the glue is a file")?.to_string_lossy();
    let exports = exported_names(&fs::read_to_string(glue)?).join(", ");
    let public = glue.with_file_name("public.js");
    fs::write(&public, format!("export {{ {exports} }} from './{name}';\n"))?;
    Ok(public)
}

/// The names that wasm-bindgen's glue exports, without `initSync`.
fn exported_names(glue: &str) -> Vec<String> {
    let mut names = vec!["default".to_owned()];
    for line in glue.lines() {
        let declared = ["export function ", "export class "].iter().find_map(|start| line.strip_prefix(start));
        if let Some(declared) = declared {
            let end = declared.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(declared.len());
            names.push(declared[..end].to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_glue_names_functions_and_classes_but_not_the_synchronous_start() {
        let glue = "export class Handle {\n}\n    export function inner() {}\nexport function mount(root) {\n}\n\
                    export { initSync, __wbg_init as default };\n";
        assert_eq!(exported_names(glue), ["default", "Handle", "mount"]);
    }
}
