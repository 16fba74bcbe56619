//! Checks of the database.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use cupo_store::Store;

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
    findings.push(migrations(&store).await);
    findings.push(writable(&store).await);
    if let Some(file) = config.database.sqlite_file() {
        findings.push(journal(file));
    }
    Some(store)
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
