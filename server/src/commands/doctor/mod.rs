//! `cupo doctor`: checks everything that an installation needs, and says how to mend what is wrong.

mod database;
mod network;
mod settings;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use cupo_engine::clock::{Clock, SystemClock};

use crate::config::{Config, Mistakes};

/// How long one address may take to answer.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it should be; the text says what was seen.
    Fine(String),
    /// It is not; what is wrong, and how to mend it, a sentence each.
    Wrong { what: String, mend: String },
    /// It cannot be checked, or is not configured; the text says why that may be fine.
    LeftOut(String),
}

/// A check and what it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub subject: &'static str,
    pub verdict: Verdict,
}

impl Finding {
    fn fine(subject: &'static str, seen: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Fine(seen.into()) }
    }

    fn wrong(subject: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Wrong { what: what.into(), mend: mend.into() } }
    }

    fn left_out(subject: &'static str, why: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::LeftOut(why.into()) }
    }

    /// Whether there is something to mend.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        matches!(self.verdict, Verdict::Wrong { .. })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Fine(seen) => write!(f, "✓ {}: {seen}", self.subject),
            Verdict::Wrong { what, mend } => write!(f, "✗ {}: {what} {mend}", self.subject),
            Verdict::LeftOut(why) => write!(f, "· {}: {why}", self.subject),
        }
    }
}

pub async fn run(config: Result<Config, Mistakes>, file: Option<&Path>) -> Result<ExitCode> {
    let findings = match config {
        Ok(config) => examine(&config, file, Arc::new(SystemClock)).await,
        Err(Mistakes(mistakes)) => mistakes
            .iter()
            .map(|it| Finding::wrong("configuration", format!("{it}."), "Mend it, then run `cupo doctor` again."))
            .collect(),
    };
    for finding in &findings {
        println!("{finding}");
    }
    let wrong = findings.iter().filter(|finding| finding.is_wrong()).count();
    println!("{}", if wrong == 0 { "All is well.".to_owned() } else { format!("{wrong} to mend.") });
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs every check. Nothing is changed but the time stamps of connections.
pub async fn examine(config: &Config, file: Option<&Path>, clock: Arc<dyn Clock>) -> Vec<Finding> {
    let mut findings = vec![settings::configuration(file), settings::secrets(config), settings::assets()];
    let store = database::examine(config, &mut findings).await;
    if let Some(store) = &store {
        findings.extend(database::keys(config, store, clock.now()).await);
    }
    findings.extend(network::examine(config, store, clock).await);
    findings.push(settings::time_zones());
    findings
}
