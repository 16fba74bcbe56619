//! `cupo reconcile`: compares the calendars with the appointments now.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use cupo_core::parse::Slug;
use cupo_engine::clock::SystemClock;
use cupo_engine::{Mending, ReconcileScope};

use crate::assembly;
use crate::config::Config;

/// Whose calendars are compared, and what is done about what differs.
#[derive(Debug, Clone, Args)]
pub struct ReconcileOptions {
    /// Change nothing.
    #[arg(long, conflicts_with = "delete_unknown")]
    report_only: bool,
    /// The calendars of this organization alone, by the name in its addresses.
    #[arg(long, value_name = "SLUG", value_parser = slug)]
    organization: Option<Slug>,
    /// Also delete events with the mark of this installation of which nothing is known here. After an old backup was
    /// restored they may be all that is left of appointments: look at what is reported first.
    #[arg(long)]
    delete_unknown: bool,
}

fn slug(text: &str) -> Result<Slug, String> {
    Slug::parse(text).map_err(|_| "it is made of a-z, 0-9 and hyphens".to_owned())
}

/// Prints a line for each finding, one for each calendar that could not be compared, and the sum. Events are written
/// and deleted by the workers, which are told. Fails when something is left.
pub async fn run(config: Config, options: ReconcileOptions) -> Result<ExitCode> {
    let store = assembly::open_store(&config).await?;
    let public_url = config.address.public_url(config.address.listen);
    let engine = assembly::engine(&config, store.clone(), &public_url, Arc::new(SystemClock))?;
    let mending = match (options.report_only, options.delete_unknown) {
        (true, _) => Mending::Report,
        (false, true) => Mending::MendUnknown,
        (false, false) => Mending::Mend,
    };
    let scope = options.organization.map_or(ReconcileScope::All, ReconcileScope::Organization);
    let report = engine.reconcile(scope, mending).await.context("the calendars cannot be compared")?;
    store.close().await;
    for finding in &report.findings {
        println!("{finding}");
    }
    for failed in &report.failed {
        println!("{failed}");
    }
    println!("{report}");
    Ok(if report.is_settled() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
