//! Moves everything from one database into another, of either kind, and proves that it arrived.
//!
//! The tables and their columns are those that both databases describe, and must be the same. The source is read in one
//! snapshot and the target written in one transaction, a batch of rows at a time. Before that transaction ends, the rows of
//! every table are counted and summed ([`Checksum`]) on both sides, read back from each; where they differ, nothing was
//! written.
//!
//! [`copy_all`] leaves the source as it is, [`move_all`] closes it, [`backup`] makes a file and [`restore`] reads one.

mod backup;
mod catalogue;
mod checksum;
mod closing;
mod rows;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use catalogue::{Catalogue, Table};
use chrono::{DateTime, Utc};

pub use backup::{Overwrite, backup, restore};
pub use checksum::Checksum;

use crate::tx::sql;
use crate::{Lease, Store, StoreError, Tx};

/// What a table held when it was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableCopied {
    pub table: String,
    pub rows: u64,
    pub checksum: Checksum,
}

/// What was copied, table by table in the order of the copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied(pub Vec<TableCopied>);

impl Copied {
    /// The rows of all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.0.iter().map(|table| table.rows).sum()
    }

    /// The sum of all tables' checksums.
    #[must_use]
    pub fn checksum(&self) -> Checksum {
        self.0.iter().fold(Checksum::default(), |mut sum, table| {
            sum.add(table.checksum);
            sum
        })
    }
}

/// The two databases of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Source,
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

/// What becomes of rows that are in the target already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occupied {
    /// The copy is refused.
    Refuse,
    /// They are deleted, in the transaction that writes the copy. A database that was closed is open again afterwards.
    Replace,
}

/// Why nothing was copied. Unless a variant says otherwise both databases are as they were.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    #[error("source and target are the same database")]
    SameDatabase,
    #[error("the {0} is no database of Cupo: no migration was ever applied to it; check the address")]
    NotCupo(Side),
    /// One side has migrations that the other one lacks.
    #[error(
        "the {side} lacks the migrations {migrations}: run `cupo migrate` with DATABASE_URL set to the {side} first"
    )]
    Behind { side: Side, migrations: String },
    #[error("these columns are on one side only, or of different types: {0}")]
    Tables(String),
    #[error("{table}.{column} of the {side} has the type {type_name}, which is none of Cupo's")]
    Type { side: Side, table: String, column: String, type_name: String },
    #[error("the tables of the {0} refer to one another in a circle")]
    Circle(Side),
    #[error("the target is not empty: there are rows in the table {0}")]
    NotEmpty(String),
    /// Everything in the source went to the named database before.
    #[error("the source is closed: everything in it has moved to {0} before")]
    SourceMoved(String),
    /// For minutes there was no moment without a lease by name.
    #[error("somebody is at work that must not be broken off ({0}): try again, or stop servers and workers first")]
    Leased(String),
    /// The target does not take rows that the source holds.
    #[error("the table {table} does not take its rows over: {error}")]
    Refused {
        table: String,
        #[source]
        error: StoreError,
    },
    #[error(
        "the table {table} arrived differently: {} rows with the checksum {} were read from the source, {} with {} from \
         the target", source_side.rows, source_side.checksum, target_side.rows, target_side.checksum
    )]
    Differs { table: String, source_side: TableCopied, target_side: TableCopied },
    /// The target was written, the source could not be closed, and the target was emptied again.
    #[error("the source could not be closed, so that it stays in use and the target was emptied again: {0}")]
    NotClosed(#[source] StoreError),
    /// The connection to the source went at the moment it was closed, and it does not answer. The target is complete.
    #[error(
        "the target is complete, but whether the source was closed is not known: {0}. Once it answers again, `cupo doctor` \
         with DATABASE_URL set to the source says so. If it is closed, use the target; if not, run the move again with \
         --replace"
    )]
    Unknown(#[source] StoreError),
    /// A file that is read or written.
    #[error("{}: {problem}", file.display())]
    File { file: PathBuf, problem: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How often a lock is asked for that another transaction stands in the way of.
const LOCK_ATTEMPTS: u32 = 6;
const LOCK_PAUSE: Duration = Duration::from_millis(250);
/// How often and after which pause it is looked whether a lease has ended; in all longer than any lease lasts.
const LEASE_ATTEMPTS: u32 = 400;
const LEASE_PAUSE: Duration = Duration::from_millis(250);

/// Copies everything into the target while others go on with the source.
///
/// # Errors
/// [`CopyError`]: nothing was copied.
pub async fn copy_all(source: &Store, target: &Store, occupied: Occupied) -> Result<Copied, CopyError> {
    must_differ(source, target).await?;
    let (mut writing, into) = target_transaction(target, occupied).await?;
    let mut reading = source.read().await?;
    let from = Catalogue::read(&mut reading, Side::Source).await?;
    from.must_equal(&into)?;
    let copied = transfer(&mut reading, &mut writing, &into.tables).await?;
    writing.commit().await?;
    reading.commit().await?;
    Ok(copied)
}

/// Moves everything into the target: nobody can write to the source while it is copied (readers go on), and nobody can
/// afterwards. Whoever tries reads [`StoreError::Moved`] with `address`, which must hold no password.
///
/// The target's transaction ends first, then the source's: at no moment do both take changes, and none is lost between
/// them, because the source's lock outlasts the target's commit. A [lease by name](crate::Lease) that stands at `now` is
/// waited for: its owner may be getting a token that it could not store any more.
///
/// # Errors
/// [`CopyError`]: nothing was moved, and the source stays in use.
pub async fn move_all(
    source: &Store,
    target: &Store,
    address: &str,
    occupied: Occupied,
    now: &(dyn Fn() -> DateTime<Utc> + Sync),
) -> Result<Copied, CopyError> {
    must_differ(source, target).await?;
    if let Some(elsewhere) = source.moved_to().await? {
        return Err(CopyError::SourceMoved(elsewhere));
    }
    let (mut writing, into) = target_transaction(target, occupied).await?;
    // Last of all, because from here on those who want to write are waiting.
    let mut leaving = quiet(source, &into, now).await?;
    let copied = transfer(&mut leaving, &mut writing, &into.tables).await?;
    closing::close(&mut leaving, &into.tables, address).await?;
    writing.commit().await?;
    if let Err(error) = leaving.commit().await {
        after_failed_close(source, target, error).await?;
    }
    Ok(copied)
}

/// A transaction in which nobody else can write to the source, at a moment at which no lease by name stands.
async fn quiet(source: &Store, into: &Catalogue, now: &(dyn Fn() -> DateTime<Utc> + Sync)) -> Result<Tx, CopyError> {
    let mut attempt = 1;
    loop {
        let (mut tx, from) = locked(source, Side::Source).await?;
        from.must_equal(into)?;
        let standing = sql("select name, owner, until from lease where until > $1 limit 1").bind(now());
        let Some(Lease { name, .. }) = standing.optional(&mut tx).await? else { return Ok(tx) };
        // Its owner needs the lock to give it back.
        tx.rollback().await?;
        if attempt == LEASE_ATTEMPTS {
            return Err(CopyError::Leased(name));
        }
        attempt += 1;
        tokio::time::sleep(LEASE_PAUSE).await;
    }
}

/// Counts and sums every table of a database in one snapshot.
///
/// # Errors
/// [`CopyError::NotCupo`], [`CopyError::Type`] or [`CopyError::Store`].
pub async fn measure_all(store: &Store) -> Result<Copied, CopyError> {
    let mut tx = store.read().await?;
    let catalogue = Catalogue::read(&mut tx, Side::Source).await?;
    let measured = measured(&mut tx, &catalogue.tables).await?;
    tx.commit().await?;
    Ok(measured)
}

async fn measured(tx: &mut Tx, tables: &[Table]) -> Result<Copied, StoreError> {
    let mut measured = Vec::with_capacity(tables.len());
    for table in tables {
        measured.push(rows::measure(tx, table).await?);
    }
    Ok(Copied(measured))
}

async fn must_differ(source: &Store, target: &Store) -> Result<(), CopyError> {
    if source.identity().await? == target.identity().await? { Err(CopyError::SameDatabase) } else { Ok(()) }
}

/// A transaction in which nobody else can write to the target, whose tables are empty.
async fn target_transaction(target: &Store, occupied: Occupied) -> Result<(Tx, Catalogue), CopyError> {
    let (mut tx, catalogue) = locked(target, Side::Target).await?;
    if occupied == Occupied::Replace {
        closing::open(&mut tx, &catalogue.tables).await?;
        rows::delete(&mut tx, &catalogue.tables).await?;
    } else if let Some(table) = rows::first_filled(&mut tx, &catalogue.tables).await? {
        return Err(CopyError::NotEmpty(table.name.clone()));
    }
    Ok((tx, catalogue))
}

/// A transaction in which nobody else can write to any table, while readers go on.
async fn locked(store: &Store, side: Side) -> Result<(Tx, Catalogue), CopyError> {
    let mut looking = store.read().await?;
    let seen = Catalogue::read(&mut looking, side).await?;
    looking.commit().await?;
    let mut attempt = 1;
    loop {
        match lock(store, &seen.tables).await {
            // Waited for too long, or stood in another one's way.
            Err(StoreError::Retry) if attempt < LOCK_ATTEMPTS => {
                tokio::time::sleep(LOCK_PAUSE * attempt).await;
                attempt += 1;
            }
            Err(error) => return Err(error.into()),
            Ok(mut tx) => {
                let catalogue = Catalogue::read(&mut tx, side).await?;
                return Ok((tx, catalogue));
            }
        }
    }
}

async fn lock(store: &Store, tables: &[Table]) -> Result<Tx, StoreError> {
    let mut tx = store.copying().await?;
    if tx.is_postgres() && !tables.is_empty() {
        let names = tables.iter().map(Table::quoted).collect::<Vec<_>>().join(", ");
        sql(format!("lock table {names} in exclusive mode")).execute(&mut tx).await?;
    }
    Ok(tx)
}

/// Copies the tables and proves it.
async fn transfer(source: &mut Tx, target: &mut Tx, tables: &[Table]) -> Result<Copied, CopyError> {
    for table in tables {
        rows::copy(source, target, table).await?;
    }
    let (sent, arrived) = (measured(source, tables).await?, measured(target, tables).await?);
    for (source_side, target_side) in sent.0.iter().zip(arrived.0) {
        if *source_side != target_side {
            let (table, source_side) = (target_side.table.clone(), source_side.clone());
            return Err(CopyError::Differs { table, source_side, target_side });
        }
    }
    Ok(sent)
}

/// The target holds everything, and the commit that closes the source failed. Either it is closed all the same (the answer
/// was lost), or the source stays in use: two databases that both take changes must not be.
async fn after_failed_close(source: &Store, target: &Store, error: StoreError) -> Result<(), CopyError> {
    match source.moved_to().await {
        Ok(Some(_)) => return Ok(()),
        Ok(None) => {}
        Err(_) => return Err(CopyError::Unknown(error)),
    }
    let (mut tx, catalogue) = locked(target, Side::Target).await?;
    rows::delete(&mut tx, &catalogue.tables).await?;
    tx.commit().await?;
    Err(CopyError::NotClosed(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn filled() -> Store {
        let store = Store::connect("sqlite::memory:").await.unwrap();
        store.migrate().await.unwrap();
        let mut tx = store.write().await.unwrap();
        sql("insert into organization (id, slug, name, created_at) values ('1', 'acme', 'Acme', 0)")
            .execute(&mut tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        store
    }

    #[tokio::test]
    async fn a_source_that_could_not_be_closed_stays_the_only_one_in_use() {
        let (source, target) = (filled().await, filled().await);
        let outcome = after_failed_close(&source, &target, StoreError::Retry).await;
        assert!(matches!(outcome, Err(CopyError::NotClosed(StoreError::Retry))), "{outcome:?}");
        assert_eq!(measure_all(&target).await.unwrap().rows(), 0);
        assert_eq!(measure_all(&source).await.unwrap().rows(), 1);
    }

    #[tokio::test]
    async fn a_source_that_was_closed_although_the_answer_was_lost_leaves_the_target_in_use() {
        let (source, target) = (filled().await, filled().await);
        let (mut tx, catalogue) = locked(&source, Side::Source).await.unwrap();
        closing::close(&mut tx, &catalogue.tables, "there").await.unwrap();
        tx.commit().await.unwrap();
        after_failed_close(&source, &target, StoreError::Retry).await.unwrap();
        assert_eq!(measure_all(&target).await.unwrap().rows(), 1);
    }

    #[tokio::test]
    async fn a_target_that_changes_what_it_is_given_gets_nothing() {
        let (source, target) = (filled().await, Store::connect("sqlite::memory:").await.unwrap());
        target.migrate().await.unwrap();
        let mut tx = target.write().await.unwrap();
        sql("create trigger damages after insert on organization begin update organization set name = 'other'; end")
            .execute(&mut tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let outcome = move_all(&source, &target, "there", Occupied::Refuse, &|| DateTime::UNIX_EPOCH).await;
        let told = outcome.unwrap_err().to_string();
        assert!(told.starts_with("the table organization arrived differently: 1 rows"), "{told}");
        assert_eq!(measure_all(&target).await.unwrap().rows(), 0);
        assert_eq!(source.moved_to().await.unwrap(), None);
    }
}
