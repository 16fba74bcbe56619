//! Tells whether work must be done again: a hash of everything that goes into it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Folders that hold results, not inputs.
const RESULTS: [&str; 3] = ["node_modules", "target", "results"];

/// Accumulates inputs; equal inputs in equal order give equal fingerprints.
#[derive(Default)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    pub fn add(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        // The length keeps "ab" + "c" apart from "a" + "bc".
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    pub fn add_file(&mut self, path: &Path) -> Result<()> {
        self.add(fs::read(path).with_context(|| format!("cannot read {}", path.display()))?);
        Ok(())
    }

    /// Adds a file, or every file below a folder with its name.
    pub fn add_tree(&mut self, path: &Path) -> Result<()> {
        let mut files = Vec::new();
        list(path, &mut files).with_context(|| format!("cannot read {}", path.display()))?;
        files.sort();
        for file in files {
            self.add(file.strip_prefix(path).unwrap_or(&file).to_string_lossy().as_bytes());
            self.add_file(&file)?;
        }
        Ok(())
    }

    /// The fingerprint in hexadecimal.
    pub fn finish(self) -> String {
        hex::encode(self.0.finalize())
    }
}

fn list(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if !RESULTS.iter().any(|name| entry.file_name() == *name) {
            list(&entry.path(), files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[&str]) -> String {
        let mut fingerprint = Fingerprint::default();
        parts.iter().for_each(|part| fingerprint.add(part));
        fingerprint.finish()
    }

    #[test]
    fn the_borders_between_inputs_count() {
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
    }

    #[test]
    fn a_renamed_or_changed_file_changes_the_fingerprint_of_its_folder_and_a_result_does_not() {
        let folder = std::env::temp_dir().join(format!("cupo-fingerprint-{}", std::process::id()));
        let of_folder = || {
            let mut fingerprint = Fingerprint::default();
            fingerprint.add_tree(&folder).unwrap();
            fingerprint.finish()
        };
        fs::create_dir_all(folder.join("node_modules")).unwrap();
        fs::write(folder.join("a"), "1").unwrap();
        let first = of_folder();
        fs::write(folder.join("node_modules/x"), "1").unwrap();
        assert_eq!(of_folder(), first);
        fs::write(folder.join("a"), "2").unwrap();
        let changed = of_folder();
        assert_ne!(changed, first);
        fs::rename(folder.join("a"), folder.join("b")).unwrap();
        assert_ne!(of_folder(), changed);
        fs::remove_dir_all(&folder).unwrap();
    }
}
