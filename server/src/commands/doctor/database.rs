//! Checks of the database.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use chrono::{DateTime, Utc};
use cupo_engine::{KeyUse, key_status};
use cupo_store::{Job, JobCounts, Store, StoreError, job_counts, jobs_dead_of_installation};

use super::Finding;
use crate::assembly;
use crate::config::Config;

/// Where an SQLite file says how it is written and read: 2 is WAL (<https://www.sqlite.org/fileformat2.html>, 1.3.3).
const FORMAT_VERSIONS: std::ops::RangeInclusive<usize> = 18..=19;
const WAL: u8 = 2;

/// The open database, if there is one.
pub async fn examine(config: &Config, findings: &mut Vec<Finding>) -> Option<Store> {
    const SUBJECT: &str = "database";
    let store = match assembly::open_store(config).await {
        Ok(store) => store,
        Err(error) => {
            findings.push(Finding::wrong(
                SUBJECT,
                format!("{error:#}."),
                "Check database.url, that the server runs, and that Cupo's user may write there.",
            ));
            return None;
        }
    };
    findings.push(Finding::fine(SUBJECT, format!("{:?} answers", config.database)));
    findings.extend(moved(&store).await);
    findings.push(migrations(&store).await);
    findings.push(writable(&store).await);
    findings.extend(jobs(&store).await);
    if let Some(file) = config.database.sqlite_file() {
        findings.push(journal(file));
    }
    Some(store)
}

/// A database that was closed when everything in it moved away.
async fn moved(store: &Store) -> Option<Finding> {
    let address = store.moved_to().await.ok().flatten()?;
    Some(Finding::wrong(
        "moved",
        format!("this database is closed: everything in it has moved to {address}."),
        "Set database.url to that one and start Cupo again.",
    ))
}

/// What the configured keys open of what is sealed in the database.
pub async fn keys(config: &Config, store: &Store, now: DateTime<Utc>) -> Option<Finding> {
    const SUBJECT: &str = "sealed tokens";
    let keyring = assembly::keyring(config).ok()?;
    // A database that is not up to date has its own finding.
    let status = key_status(store, &keyring, now).await.ok()?;
    let count = |keys: &[KeyUse]| keys.iter().map(|key| key.accounts + key.credentials).sum::<u64>();
    let (opened, unknown) = (count(&status.configured), count(&status.unknown));
    let ids: Vec<&str> = status.unknown.iter().map(|key| key.key_id.as_str()).collect();
    Some(match (unknown, status.damaged.as_slice()) {
        (0, []) => Finding::fine(SUBJECT, format!("the configured keys open all {opened}")),
        (0, damaged) => Finding::wrong(
            SUBJECT,
            format!("{} were altered and do not open; `cupo keys status` names their rows.", damaged.len()),
            "Let their owners connect those accounts again, or restore a backup.",
        ),
        _ => Finding::wrong(
            SUBJECT,
            format!("{unknown} were sealed with keys that are not configured ({}).", ids.join(", ")),
            "Add those keys to secrets.encryption_keys, behind the first; otherwise those accounts have to be connected again.",
        ),
    })
}

async fn migrations(store: &Store) -> Finding {
    const SUBJECT: &str = "migrations";
    match store.pending_migrations().await {
        Ok(pending) if pending.is_empty() => Finding::fine(SUBJECT, "the database is up to date"),
        Ok(pending) => Finding::wrong(
            SUBJECT,
            format!("{} are missing.", pending.join(", ")),
            "Run `cupo migrate`; `cupo serve` does it too.",
        ),
        Err(error) => Finding::wrong(
            SUBJECT,
            format!("the state of the database cannot be read ({error})."),
            "Check that this database is Cupo's alone and that Cupo's user may change it.",
        ),
    }
}

async fn writable(store: &Store) -> Finding {
    const SUBJECT: &str = "writing";
    let written = async { store.write().await?.rollback().await };
    match written.await {
        Ok(()) => Finding::fine(SUBJECT, "transactions can be written"),
        Err(error) => Finding::wrong(
            SUBJECT,
            format!("no transaction can be started ({error})."),
            "Check the rights of Cupo's user, the free space on the disk, and that no other program locks the file.",
        ),
    }
}

/// The jobs of the whole installation. Those that an organization's people can see to are theirs; what concerns no
/// organization is told here alone.
async fn jobs(store: &Store) -> Vec<Finding> {
    const SUBJECT: &str = "jobs";
    let asked = async {
        let tx = &mut store.read().await?;
        Ok::<(JobCounts, Vec<Job>), StoreError>((job_counts(tx).await?, jobs_dead_of_installation(tx).await?))
    };
    // A database that is not up to date has its own finding.
    let Ok((counts, dead)) = asked.await else { return Vec::new() };
    let JobCounts { waiting, running, .. } = counts;
    let others = counts.dead.saturating_sub(u64::try_from(dead.len()).unwrap_or_default());
    let given_up = dead.iter().map(|job| {
        let at = job.run_at.format("%Y-%m-%d %H:%M UTC");
        let why = job.last_error.as_deref().unwrap_or("no reason is known");
        let mend = match job.kind.as_str() {
            "tell_operator" => "Check the section smtp: this was a mail to operator.email.",
            _ => "See the log of that time; workers begin it anew by themselves.",
        };
        let what = format!(
            "`{}` was given up at {at}, after {} tries: {}.",
            job.kind,
            job.attempts,
            why.trim_end_matches('.')
        );
        Finding::wrong("given-up job", what, format!("{mend} It is forgotten 30 days after it was given up."))
    });
    let seen =
        format!("{waiting} waiting, {running} running, {others} given up (on the dashboards of their organizations)");
    std::iter::once(Finding::fine(SUBJECT, seen)).chain(given_up).collect()
}

fn journal(file: &Path) -> Finding {
    const SUBJECT: &str = "journal";
    let mut header = [0; 20];
    match File::open(file).and_then(|mut it| it.read_exact(&mut header)) {
        Ok(()) if header[FORMAT_VERSIONS].iter().all(|version| *version == WAL) => {
            Finding::fine(SUBJECT, "SQLite writes ahead (WAL)")
        }
        Ok(()) => Finding::wrong(
            SUBJECT,
            "SQLite does not write ahead, so that reading waits for writing.",
            "Move the file to a local disk: network file systems cannot do it.",
        ),
        Err(error) => Finding::wrong(
            SUBJECT,
            format!("{} cannot be read ({error}).", file.display()),
            "Give the file to Cupo's user.",
        ),
    }
}
