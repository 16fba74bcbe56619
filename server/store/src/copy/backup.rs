//! Backups: an SQLite file of the same tables, whichever kind of database they come from.
//!
//! The file carries what every table held when it was made (`_cupo_backup`), so that a file that was damaged since is not
//! restored.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::catalogue::Catalogue;
use super::{
    Checksum, Copied, CopyError, Occupied, Side, TableCopied, copy_all, measured, target_transaction, transfer,
};
use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{Store, StoreError, Tx};

/// Only whoever made it may read what visitors have told.
const MODE: u32 = 0o600;

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    Refuse,
    Replace,
}

/// Saves everything in `file` while others go on. It is written beside, proven, and renamed when it is complete.
///
/// # Errors
/// [`CopyError`]: there is no new file, and one that was there is as it was.
pub async fn backup(source: &Store, file: &Path, overwrite: Overwrite) -> Result<Copied, CopyError> {
    let failed = |problem: std::io::Error| CopyError::File { file: file.to_path_buf(), problem: problem.to_string() };
    let taken = || CopyError::File {
        file: file.to_path_buf(),
        problem: "there is a file already; --force replaces it".to_owned(),
    };
    if overwrite == Overwrite::Refuse && file.symlink_metadata().is_ok() {
        return Err(taken());
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Open to nobody else, and gone with everything in it when something fails.
    let workshop = tempfile::Builder::new().prefix(".cupo-backup-").tempdir_in(folder).map_err(failed)?;
    let made = workshop.path().join("cupo.db");
    OpenOptions::new().write(true).create_new(true).mode(MODE).open(&made).map_err(failed)?;

    let target = Store::connect_file(&made).await?;
    target.migrate().await?;
    let (mut writing, into) = target_transaction(&target, Occupied::Refuse).await?;
    let mut reading = source.read().await?;
    Catalogue::read(&mut reading, Side::Source).await?.must_equal(&into)?;
    let copied = transfer(&mut reading, &mut writing, &into.tables).await?;
    reading.commit().await?;
    write_manifest(&mut writing, &copied).await?;
    writing.commit().await?;
    target.seal().await?;

    File::open(&made).and_then(|made| made.sync_all()).map_err(failed)?;
    match overwrite {
        Overwrite::Replace => std::fs::rename(&made, file).map_err(failed)?,
        // A link, unlike a rename, is refused when somebody made the file meanwhile.
        Overwrite::Refuse => std::fs::hard_link(&made, file).map_err(|problem| match problem.kind() {
            std::io::ErrorKind::AlreadyExists => taken(),
            _ => failed(problem),
        })?,
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(copied)
}

/// Puts what a backup holds into the target. A backup of an earlier version is brought up to date on the way; the file
/// itself is only read.
///
/// # Errors
/// [`CopyError`]: the target is as it was.
pub async fn restore(file: &Path, target: &Store, occupied: Occupied) -> Result<Copied, CopyError> {
    let failed = |problem: String| CopyError::File { file: file.to_path_buf(), problem };
    let workshop = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
    let copy = workshop.path().join("cupo.db");
    std::fs::copy(file, &copy).map_err(|error| failed(error.to_string()))?;
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(MODE))
        .map_err(|error| failed(error.to_string()))?;

    let unreadable = |error: CopyError| match error {
        CopyError::NotCupo(_) => failed("this is no backup that `cupo backup` made".to_owned()),
        CopyError::Store(error) => failed(format!("this backup cannot be read: {error}")),
        other => other,
    };
    let source = Store::connect_file(&copy).await.map_err(|error| unreadable(error.into()))?;
    let damaged = check(&source).await.map_err(unreadable)?;
    if !damaged.is_empty() {
        return Err(failed(format!(
            "this backup is damaged: {} hold something else than when it was made",
            damaged.join(", ")
        )));
    }
    source.migrate().await.map_err(|error| {
        failed(format!("this backup cannot be brought up to date; was it made by a newer version of Cupo? {error}"))
    })?;
    let copied = copy_all(&source, target, occupied).await;
    source.close().await;
    copied
}

/// The tables that hold something else than when the backup was made.
async fn check(backup: &Store) -> Result<Vec<String>, CopyError> {
    let mut tx = backup.read().await?;
    let catalogue = Catalogue::read(&mut tx, Side::Source).await?;
    let tables: Vec<Present> =
        sql("select name from sqlite_master where type = 'table' and name = '_cupo_backup'").list(&mut tx).await?;
    if tables.is_empty() {
        return Err(CopyError::NotCupo(Side::Source));
    }
    let manifest: Vec<TableCopied> =
        sql("select table_name, row_count, checksum from _cupo_backup").list(&mut tx).await?;
    let held = measured(&mut tx, &catalogue.tables).await?;
    tx.commit().await?;
    let changed = held.0.iter().filter(|table| !manifest.contains(table)).map(|table| table.table.clone());
    let gone = manifest.iter().filter(|table| held.0.iter().all(|it| it.table != table.table));
    Ok(changed.chain(gone.map(|table| table.table.clone())).collect())
}

async fn write_manifest(tx: &mut Tx, copied: &Copied) -> Result<(), StoreError> {
    let table = "create table _cupo_backup
        (table_name text not null primary key, row_count integer not null, checksum text not null) strict";
    sql(table).execute(tx).await?;
    for TableCopied { table, rows, checksum } in &copied.0 {
        let rows =
            i64::try_from(*rows).map_err(|_| StoreError::Corrupt { table: "_cupo_backup", column: "row_count" })?;
        sql("insert into _cupo_backup (table_name, row_count, checksum) values ($1, $2, $3)")
            .bind(table)
            .bind(rows)
            .bind(checksum.to_string())
            .execute(tx)
            .await?;
    }
    Ok(())
}

impl Record for TableCopied {
    const TABLE: &'static str = "_cupo_backup";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            table: fields.text("table_name")?,
            rows: fields.number("row_count")?,
            checksum: fields.choice("checksum", Checksum::parse)?,
        })
    }
}

struct Present;

impl Record for Present {
    const TABLE: &'static str = "_cupo_backup";

    fn decode(_: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self)
    }
}
