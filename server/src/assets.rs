//! The built assets: inside the binary in a release build, read from `target/site` at start in a debug build.

use std::borrow::Cow;
use std::collections::HashMap;

use axum::http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use cupo_app::ShellAssets;
use rust_embed::Embed;
use serde::Deserialize;

#[derive(Embed)]
#[folder = "../target/site"]
struct Files;

/// What `cargo xtask build` says it has built.
#[derive(Deserialize)]
struct Manifest {
    #[serde(rename = "embed.js")]
    embed_js: String,
    #[serde(rename = "app.js")]
    app_js: String,
    #[serde(rename = "app.wasm")]
    app_wasm: String,
    #[serde(rename = "app.css")]
    app_css: String,
}

/// The codings that `cargo xtask build` leaves beside each file, with their names over HTTP, the smallest first.
const CODINGS: [(&str, &str); 3] = [("br", "br"), ("zst", "zstd"), ("gz", "gzip")];

/// One file with the forms in which it can be sent.
struct Asset {
    plain: Bytes,
    /// The codings in which it is there, in their order.
    coded: Vec<(&'static str, Bytes)>,
    content_type: HeaderValue,
    etag: HeaderValue,
}

/// How long a client may keep a file without asking.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// For ever: the name holds a hash of the content.
    Immutable,
    /// Five minutes, then it asks whether the file has changed.
    Short,
}

/// All files by their path.
pub struct Assets(HashMap<String, Asset>);

/// Why the assets cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the assets are not built ({0}): run `cargo xtask build`")]
pub struct AssetsMissing(String);

impl Assets {
    /// Takes every file into memory; in a release build they are there already.
    #[must_use]
    pub fn load() -> Self {
        let is_coded = |path: &str| {
            path.rsplit_once('.').is_some_and(|(_, last)| CODINGS.iter().any(|(extension, _)| *extension == last))
        };
        let files = Files::iter().filter(|path| !is_coded(path)).filter_map(|path| {
            let file = Files::get(&path)?;
            let coded = CODINGS.iter().filter_map(|(extension, coding)| {
                Some((*coding, bytes_of(Files::get(&format!("{path}.{extension}"))?.data)))
            });
            let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
            let asset = Asset {
                plain: bytes_of(file.data),
                coded: coded.collect(),
                content_type: HeaderValue::from_static(content_type(&path)),
                etag: HeaderValue::from_str(&etag).expect("hexadecimal digits are visible ASCII"),
            };
            Some((path.into_owned(), asset))
        });
        Self(files.collect())
    }

    /// The addresses that the pages name.
    ///
    /// # Errors
    /// When there is no manifest, or it names a file that is not there.
    pub fn shell(&self) -> Result<ShellAssets, AssetsMissing> {
        let manifest = self.0.get("manifest.json").ok_or_else(|| AssetsMissing("no manifest.json".to_owned()))?;
        let manifest: Manifest =
            serde_json::from_slice(&manifest.plain).map_err(|error| AssetsMissing(error.to_string()))?;
        let address = |path: &str| {
            if self.0.contains_key(path) {
                Ok(format!("/assets/{path}"))
            } else {
                Err(AssetsMissing(format!("no {path}")))
            }
        };
        address(&manifest.embed_js)?;
        Ok(ShellAssets {
            app_js: address(&manifest.app_js)?,
            app_wasm: address(&manifest.app_wasm)?,
            app_css: address(&manifest.app_css)?,
            embed_js: "/embed.js".to_owned(),
        })
    }

    /// The answer for a file; `None` when there is no such file.
    #[must_use]
    pub fn respond(&self, path: &str, freshness: Freshness, request: &HeaderMap) -> Option<Response> {
        let asset = self.0.get(path)?;
        let unchanged = request.get(IF_NONE_MATCH).is_some_and(|it| crate::etag::matches(it, &asset.etag));
        let (body, encoding) = asset.best(request);
        let mut response = if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { body.into_response() };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, asset.content_type.clone());
        headers.insert(ETAG, asset.etag.clone());
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        // Any site may load the widget; nothing here is about a person.
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static(match freshness {
                Freshness::Immutable => "public, max-age=31536000, immutable",
                Freshness::Short => "public, max-age=300",
            }),
        );
        if let (Some(encoding), false) = (encoding, unchanged) {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        Some(response)
    }
}

impl Asset {
    fn best(&self, request: &HeaderMap) -> (Bytes, Option<&'static str>) {
        let accepted = request.get(ACCEPT_ENCODING).and_then(|it| it.to_str().ok()).unwrap_or("");
        match self.coded.iter().find(|(coding, _)| accepts(accepted, coding)) {
            Some((coding, bytes)) => (bytes.clone(), Some(coding)),
            None => (self.plain.clone(), None),
        }
    }
}

fn bytes_of(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(inside) => Bytes::from_static(inside),
        Cow::Owned(read) => Bytes::from(read),
    }
}

/// Whether `Accept-Encoding` (RFC 9110, section 12.5.3) names the coding with a weight above zero.
fn accepts(header: &str, coding: &str) -> bool {
    header.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        named && weight.is_none_or(|weight| weight > 0.0)
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        // The registered type of this extension is a video's.
        Some("ts") => "text/plain; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::accepts;

    #[test]
    fn a_coding_counts_only_with_a_weight_above_zero() {
        assert!(accepts("gzip, deflate, br", "br"));
        assert!(accepts("BR;q=0.5", "br"));
        assert!(!accepts("br;q=0, gzip", "br"));
        assert!(!accepts("brotli", "br"));
        assert!(!accepts("", "gzip"));
    }
}
