//! The npm programs that shrink WASM, JavaScript and CSS.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::succeed;
use crate::progress::Step;
use crate::workspace::Workspace;

/// Where their `package.json` and lock file lie.
pub const FOLDER: &str = "end2end/xtask/npm";

/// What rustc's `wasm32-unknown-unknown` emits and every browser since 2022 reads. `--all-features` would let wasm-opt
/// emit what browsers refuse.
const WASM_FEATURES: [&str; 8] = [
    "--mvp-features",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// The oldest browsers that the product is for.
const BROWSERS: &str = "--target=chrome109,firefox115,safari16.4";

/// Instantiates a bundle as a browser does; optimisers have made modules that only fail when loaded.
const LOAD_CHECK: &str = "
    import { readFileSync } from 'node:fs';
    import { pathToFileURL } from 'node:url';
    const [glue, wasm, entry] = process.argv.slice(1);
    const bundle = await import(pathToFileURL(glue));
    bundle.initSync({ module: readFileSync(wasm) });
    if (typeof bundle[entry] !== 'function') throw new Error(`the bundle exports no function ${entry}`);
";

const LIST_IMPORTS: &str = "
    import { readFileSync } from 'node:fs';
    const module = new WebAssembly.Module(readFileSync(process.argv[1]));
    console.log(JSON.stringify(WebAssembly.Module.imports(module).map(({ name }) => name)));
";

fn node_program(workspace: &Workspace, program: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(workspace.path(FOLDER).join("node_modules").join(program));
    command
}

/// `wasm-opt -Oz` from one file into another.
pub fn optimize_wasm(workspace: &Workspace, step: &Step, from: &Path, to: &Path) -> Result<()> {
    let mut command = node_program(workspace, "binaryen/bin/wasm-opt");
    command.arg(from).arg("-o").arg(to).args(WASM_FEATURES);
    command.args(["-Oz", "--converge", "--strip-debug", "--strip-producers", "--strip-target-features"]);
    succeed(step, &mut command)?;
    Ok(())
}

/// Fails unless the module loads with its glue and offers the entry function.
pub fn check_that_wasm_loads(step: &Step, glue: &Path, wasm: &Path, entry: &str) -> Result<()> {
    let mut command = Command::new("node");
    command.args(["--input-type=module", "--eval", LOAD_CHECK]).arg(glue).arg(wasm).arg(entry);
    succeed(step, &mut command).context("the optimised module does not load")?;
    Ok(())
}

/// The names that a module imports.
pub fn imports_of_wasm(step: &Step, wasm: &Path) -> Result<BTreeSet<String>> {
    let mut command = Command::new("node");
    command.args(["--input-type=module", "--eval", LIST_IMPORTS]).arg(wasm);
    serde_json::from_str(&succeed(step, &mut command)?.stdout).context("node printed no list of imports")
}

/// What a minified file is loaded as.
#[derive(Clone, Copy)]
pub enum Minify {
    Module,
    Script,
    Style,
}

/// Minifies a file with what it imports.
pub fn minify(workspace: &Workspace, step: &Step, kind: Minify, from: &Path) -> Result<Vec<u8>> {
    let to = workspace.scratch("minified");
    let mut command = node_program(workspace, "esbuild/bin/esbuild");
    command.arg(from).arg(format!("--outfile={}", to.display())).args(["--bundle", "--minify", "--log-level=warning"]);
    command.args([BROWSERS, "--legal-comments=none", "--allow-overwrite", "--charset=utf8"]);
    match kind {
        Minify::Module => command.arg("--format=esm"),
        Minify::Script => command.arg("--format=iife"),
        // An address such as `/assets/…` is the server's, not a file of this repository. A pattern that also matched the
        // repository's own absolute path would leave its imports out.
        Minify::Style => command.args(["--loader:.css=css", "--external:/assets/*"]),
    };
    succeed(step, &mut command)?;
    fs::read(&to).with_context(|| format!("esbuild left no {}", to.display()))
}
