//! `cargo xtask size`: what a visitor downloads before the first slot can be picked.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::build::assets::read_manifest;
use crate::build::compress::{BEST, ON_THE_FLY, brotli};
use crate::workspace::Workspace;

/// 64 KiB, promised by the design.
pub const BUDGET: usize = 65_536;

/// The parts with their sizes in brotli bytes.
pub struct Sizes(Vec<(&'static str, usize)>);

impl Sizes {
    pub fn total(&self) -> usize {
        self.0.iter().map(|(_, bytes)| bytes).sum()
    }
}

/// Measures the files of `target/site`, and answers such as the server gives.
pub fn measure(workspace: &Workspace) -> Result<Sizes> {
    let manifest = read_manifest(workspace)?;
    let asset = |role: &str| -> Result<usize> {
        let path = manifest.get(role).with_context(|| format!("the manifest lacks {role}"))?;
        Ok(brotli(&fs::read(workspace.site().join(path))?, BEST)?.len())
    };
    let answer =
        |json: &serde_json::Value| -> Result<usize> { Ok(brotli(json.to_string().as_bytes(), ON_THE_FLY)?.len()) };
    Ok(Sizes(vec![
        ("loader", asset("embed.js")?),
        ("glue", asset("widget.js")?),
        ("wasm", asset("widget.wasm")?),
        ("css", asset("widget.css")?),
        ("strings", largest_strings(workspace)?),
        ("event type", answer(&event_type())?),
        ("first slots", answer(&month_of_slots())?),
    ]))
}

/// Prints each part and the total; fails above the budget.
pub fn report(workspace: &Workspace) -> Result<()> {
    let sizes = measure(workspace)?;
    for (part, bytes) in &sizes.0 {
        println!("{part:<12} {bytes:>7}");
    }
    let total = sizes.total();
    println!("{:<12} {BUDGET:>7}", "budget");
    println!("widget_total_brotli_bytes={total}");
    if total > BUDGET {
        bail!("the widget is {} bytes over its budget", total - BUDGET);
    }
    Ok(())
}

/// The widget's strings in the language that needs the most.
fn largest_strings(workspace: &Workspace) -> Result<usize> {
    let locales = workspace.path("app/core/locales");
    let mut largest = None;
    for locale in fs::read_dir(&locales).with_context(|| format!("cannot read {}", locales.display()))? {
        let strings = locale?.path().join("widget.json");
        if strings.exists() {
            let strings: serde_json::Value = serde_json::from_slice(&fs::read(&strings)?)?;
            largest = largest.max(Some(brotli(strings.to_string().as_bytes(), ON_THE_FLY)?.len()));
        }
    }
    largest.with_context(|| format!("no language below {} has a widget.json", locales.display()))
}

/// Half-hour slots from nine to five on each of 31 days: the fullest month that is usual.
fn month_of_slots() -> serde_json::Value {
    let instants = (1..=31).flat_map(|day| {
        (9..17).flat_map(move |hour| [0, 30].map(|minute| format!("2026-12-{day:02}T{hour:02}:{minute:02}:00Z")))
    });
    serde_json::json!({ "slots": instants.collect::<Vec<_>>() })
}

/// What the widget asks about an event type, without the strings, with a description of the usual length.
fn event_type() -> serde_json::Value {
    serde_json::json!({
        "org": "demo",
        "slug": "intro",
        "organization_name": "Estudio Ana Ríos",
        "host_name": "Ana Ríos",
        "title": "First conversation",
        "description": "Half an hour to get to know each other, to look at what you have and what you need, and to \
                        agree on what comes next. Nothing to prepare; bring your questions and, if you like, drawings \
                        or photographs of the place.",
        "durations": [30],
        "location": { "kind": "meet", "needs_phone": false },
        "time_zone": "Europe/Madrid",
        "window_end": "2027-01-20T23:00:00Z",
        "locale": "en"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_representative_month_has_sixteen_slots_a_day() {
        let month = month_of_slots();
        let slots = month["slots"].as_array().unwrap();
        assert_eq!(slots.len(), 31 * 16);
        assert_eq!(slots[0], "2026-12-01T09:00:00Z");
        assert_eq!(slots[495], "2026-12-31T16:30:00Z");
    }
}
