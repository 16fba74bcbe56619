//! Keys in the sources and texts in the catalogues belong together.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cupo_core::text::{Locale, section};

/// Keys that are put together at run time: see `text_of`.
const COMPOSED: &[&str] = &[
    "dashboard.done_",
    "dashboard.audit_",
    "dashboard.error_",
    "dashboard.job_",
    "dashboard.reconnect_",
    "dashboard.test_of_",
    "dashboard.trouble_",
    "public.location_",
];

fn keys_in(folder: &Path, keys: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            keys_in(&path, keys);
        } else if path.file_name().is_some_and(|name| name != "catalogue_test.rs") {
            let source = fs::read_to_string(&path).unwrap();
            let quoted = source.split('"');
            let is_key = |text: &&str| {
                text.split_once('.').is_some_and(|(section, name)| {
                    ["dashboard", "public"].contains(&section)
                        && !name.is_empty()
                        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                })
            };
            keys.extend(quoted.filter(is_key).map(str::to_owned));
        }
    }
}

fn keys_used() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    keys_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut keys);
    keys.retain(|key| !COMPOSED.contains(&key.as_str()));
    keys
}

/// The keys of the catalogue, those of a text that counts without their plural categories.
fn keys_there() -> BTreeSet<String> {
    let name_of = |key: &'static str| match key.rsplit_once('.') {
        Some((name, "one" | "other")) => name,
        _ => key,
    };
    let of = move |name: &'static str| {
        section(Locale::En, name).into_keys().map(move |key| format!("{name}.{}", name_of(key)))
    };
    of("dashboard").chain(of("public")).collect()
}

#[test]
fn every_key_of_the_sources_has_a_text() {
    let missing: Vec<_> = keys_used().difference(&keys_there()).cloned().collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_text_is_used() {
    let unused: Vec<_> = keys_there()
        .difference(&keys_used())
        .filter(|key| !COMPOSED.iter().any(|prefix| key.starts_with(prefix)))
        .cloned()
        .collect();
    assert_eq!(unused, Vec::<String>::new());
}
