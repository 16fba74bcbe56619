//! `target/site`: every asset under a name that holds its hash, compressed beside itself, and their manifest.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::compress::{BEST, brotli, gzip, zstd};
use super::fingerprint::Fingerprint;
use super::tools::{self, Minify};
use super::wasm::Built;
use crate::progress::Step;
use crate::workspace::Workspace;

/// Where the server serves `target/site`.
const SERVED_AT: &str = "/assets/";
const LOADER: &str = "widget/loader.js";
/// What the loader loads only for popups, the floating button and frames.
const WAYS: &str = "widget/loader/ways.js";
/// The types of what the loader gives to pages.
const TYPES: &str = "widget/embed.d.ts";
const WIDGET_STYLE: &str = "style/widget.css";
const APP_STYLE: &str = "style/app.css";
/// How the loader names what it loads.
const PLACEHOLDERS: [(&str, &str); 4] = [
    ("__CUPO_WAYS_JS__", "ways.js"),
    ("__CUPO_WIDGET_JS__", "widget.js"),
    ("__CUPO_WIDGET_WASM__", "widget.wasm"),
    ("__CUPO_WIDGET_CSS__", "widget.css"),
];

/// From an asset's role (`widget.js`) to its path below `target/site`.
pub type Manifest = BTreeMap<String, String>;

/// Writes `target/site`; `true` when it was up to date already.
pub fn write(workspace: &Workspace, widget: &Built, app: &Built) -> Result<bool> {
    let mut inputs = Fingerprint::default();
    for file in [&widget.js, &widget.wasm, &app.js, &app.wasm] {
        inputs.add_file(file)?;
    }
    for tree in [LOADER, WAYS, TYPES, "style", "end2end/xtask/src/build", "end2end/xtask/npm/package-lock.json"] {
        inputs.add_tree(&workspace.path(tree))?;
    }
    let (inputs, stamp) = (inputs.finish(), workspace.scratch("site-inputs"));
    let site = workspace.site();
    if fs::read_to_string(&stamp).is_ok_and(|last| last == inputs) && site.join("manifest.json").exists() {
        return Ok(true);
    }

    let step = Step::start("Minifying and compressing the assets");
    let mut next = NewSite::create(workspace)?;
    for asset in self::widget(workspace, &step, widget)? {
        next.add(&asset)?;
    }
    next.add(&Asset::hashed("app.js", "app/cupo-app", "js", fs::read(&app.js)?))?;
    next.add(&Asset::hashed("app.wasm", "app/cupo-app", "wasm", fs::read(&app.wasm)?))?;
    let style = tools::minify(workspace, &step, Minify::Style, &workspace.path(APP_STYLE))?;
    next.add(&Asset::hashed("app.css", "app/style", "css", style))?;
    let (count, site) = (next.manifest.len(), next.publish(&site)?);
    fs::write(stamp, inputs)?;
    step.done(format!("{count} assets in {}", site.display()));
    Ok(false)
}

/// What a site loads of the widget, as it will be served.
pub fn widget(workspace: &Workspace, step: &Step, built: &Built) -> Result<Vec<Asset>> {
    let minify = |kind, file: &str| tools::minify(workspace, step, kind, &workspace.path(file));
    let mut assets = vec![
        Asset::hashed("widget.js", "widget/cupo-widget", "js", fs::read(&built.js)?),
        Asset::hashed("widget.wasm", "widget/cupo-widget", "wasm", fs::read(&built.wasm)?),
        Asset::hashed("widget.css", "widget/cupo-widget", "css", minify(Minify::Style, WIDGET_STYLE)?),
        Asset::hashed("ways.js", "widget/cupo-ways", "js", minify(Minify::Module, WAYS)?),
    ];
    let manifest = assets.iter().map(|asset| (asset.role.to_owned(), asset.path.clone())).collect();
    let loader = fill_in(&String::from_utf8(minify(Minify::Script, LOADER)?)?, &manifest)?;
    // The addresses that never change: they are in the pages of the sites, and in their editors.
    let fixed = |role: &'static str, bytes| Asset { role, path: role.to_owned(), bytes };
    assets.extend([fixed("embed.js", loader.into_bytes()), fixed("embed.d.ts", fs::read(workspace.path(TYPES))?)]);
    Ok(assets)
}

/// A file to be served.
pub struct Asset {
    pub role: &'static str,
    /// Below `target/site`.
    path: String,
    pub bytes: Vec<u8>,
}

impl Asset {
    /// Under a name that holds the content's hash.
    fn hashed(role: &'static str, stem: &str, extension: &str, bytes: Vec<u8>) -> Self {
        let hash = hex::encode(&Sha256::digest(&bytes)[..8]);
        Self { role, path: format!("{stem}.{hash}.{extension}"), bytes }
    }
}

/// Puts the addresses of the hashed files where the loader names them.
fn fill_in(loader: &str, manifest: &Manifest) -> Result<String> {
    let mut filled = loader.to_owned();
    for (placeholder, role) in PLACEHOLDERS {
        let path = manifest.get(role).with_context(|| format!("the manifest lacks {role}"))?;
        filled = filled.replace(placeholder, &format!("{SERVED_AT}{path}"));
    }
    if filled.contains("__CUPO_") {
        bail!("{LOADER} names a placeholder that nothing is put for; known are {PLACEHOLDERS:?}");
    }
    Ok(filled)
}

/// The next `target/site`, beside the present one until it is whole.
struct NewSite {
    folder: PathBuf,
    present: PathBuf,
    manifest: Manifest,
}

impl NewSite {
    fn create(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.scratch("site");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        Ok(Self { folder, present: workspace.site(), manifest: Manifest::new() })
    }

    fn add(&mut self, asset: &Asset) -> Result<()> {
        let Asset { role, path, bytes } = asset;
        let file = self.folder.join(path);
        fs::create_dir_all(file.parent().context("an asset lies in a folder")?)?;
        fs::write(&file, bytes)?;
        self.add_compressed(path, bytes, ".br", |bytes| brotli(bytes, BEST))?;
        self.add_compressed(path, bytes, ".zst", zstd)?;
        self.add_compressed(path, bytes, ".gz", gzip)?;
        self.manifest.insert((*role).to_owned(), path.clone());
        Ok(())
    }

    /// Takes the present site's compressed file where the asset is the same: the best compression is slow.
    fn add_compressed(
        &self,
        path: &str,
        bytes: &[u8],
        suffix: &str,
        compress: impl Fn(&[u8]) -> Result<Vec<u8>>,
    ) -> Result<()> {
        let compressed_path = format!("{path}{suffix}");
        let unchanged = fs::read(self.present.join(path)).is_ok_and(|present| present == bytes);
        let compressed = match fs::read(self.present.join(&compressed_path)) {
            Ok(compressed) if unchanged => compressed,
            _ => compress(bytes)?,
        };
        Ok(fs::write(self.folder.join(compressed_path), compressed)?)
    }

    fn publish(self, site: &Path) -> Result<&Path> {
        fs::write(self.folder.join("manifest.json"), serde_json::to_vec_pretty(&self.manifest)?)?;
        if site.exists() {
            fs::remove_dir_all(site)?;
        }
        fs::rename(&self.folder, site)?;
        Ok(site)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        PLACEHOLDERS.iter().map(|(_, role)| ((*role).to_owned(), format!("widget/x.{role}"))).collect()
    }

    #[test]
    fn the_loader_names_the_hashed_files() {
        let filled = fill_in(r#"import("__CUPO_WIDGET_JS__")"#, &manifest()).unwrap();
        assert_eq!(filled, r#"import("/assets/widget/x.widget.js")"#);
    }

    #[test]
    fn a_placeholder_that_nothing_is_put_for_is_an_error() {
        assert!(fill_in("__CUPO_WIDGET_JSON__", &manifest()).is_err());
    }
}
