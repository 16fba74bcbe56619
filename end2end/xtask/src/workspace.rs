//! Where things lie in the repository.

use std::env;
use std::path::{Path, PathBuf};

/// The repository that `cargo run` found this xtask in.
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace two levels above this crate's manifest.
    pub fn locate() -> Self {
        let manifest_dir = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let manifest_dir = Path::new(&manifest_dir);
        let root = manifest_dir.ancestors().nth(2).unwrap_or(manifest_dir);
        Self { root: root.to_path_buf() }
    }

    /// A path below the repository's root.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that the server embeds and serves below `/assets`.
    pub fn site(&self) -> PathBuf {
        self.path("target/site")
    }

    /// Intermediate results and stamps of xtask itself.
    pub fn scratch(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.path("target/xtask").join(relative)
    }

    /// The target folder of `cargo`.
    pub fn target(&self) -> PathBuf {
        self.path(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
    }

    /// Where `cargo build` leaves the programs of the debug profile.
    pub fn debug_binaries(&self) -> PathBuf {
        self.target().join("debug")
    }

    /// Where `cargo build --release` leaves the optimised programs.
    pub fn release_binaries(&self) -> PathBuf {
        self.target().join("release")
    }
}
