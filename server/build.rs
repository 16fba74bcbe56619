//! Makes sure that the folder of built assets exists, so that the server compiles before the first `cargo xtask build`.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let manifest_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let site = manifest_dir.join("../target/site");
    fs::create_dir_all(&site)?;
    println!("cargo::rerun-if-changed=build.rs");
    // A debug build reads the assets from disk at run time; only a release build holds them.
    if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed={}", site.join("manifest.json").display());
    }
    Ok(())
}
