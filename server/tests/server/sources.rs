//! The sources and documents of the repository, for tests that read them.

use std::fs;
use std::path::{Path, PathBuf};

/// The folders of what the product is built of.
pub const PRODUCT: [&str; 7] = [
    "app/core/src",
    "app/src",
    "widget/src",
    "server/store/src",
    "server/providers/src",
    "server/engine/src",
    "server/src",
];

/// The repository's own folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the server lies in a folder of the repository").to_owned()
}

/// Every Rust file below some folders, by its path from the repository's.
pub fn rust_files(folders: &[&str]) -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}
