//! `cupo migrate`: brings the database up to date, or moves everything in one database into another.

use anyhow::{Context, Result};
use clap::Args;
use cupo_engine::clock::{Clock, SystemClock};
use cupo_store::Store;
use cupo_store::copy::{Copied, Occupied, copy_all, move_all};

use crate::assembly;
use crate::config::{Config, Database};

/// Where from and where to; without both the configured database is brought up to date.
#[derive(Debug, Clone, Args)]
pub struct MigrateOptions {
    /// Move everything from this database, such as `sqlite:///var/lib/cupo/cupo.db`; servers and workers may run on it. It is
    /// closed for writing as soon as everything is in the other one.
    #[arg(long, value_name = "ADDRESS", requires = "to", value_parser = address)]
    from: Option<Database>,
    /// The database to move everything to, such as `postgres://cupo@db.example.com/cupo`. It must be empty.
    #[arg(long, value_name = "ADDRESS", requires = "from", value_parser = address)]
    to: Option<Database>,
    /// A rehearsal: everything is copied and proven, and the source stays in use.
    #[arg(long, requires = "from")]
    keep_source: bool,
    /// Delete what the target holds, in the transaction that writes the copy.
    #[arg(long, requires = "from")]
    replace: bool,
}

fn address(text: &str) -> Result<Database, String> {
    Database::parse(text).ok_or_else(|| "it must start with sqlite: or postgres:".to_owned())
}

impl MigrateOptions {
    /// The databases to move between.
    pub(super) fn between(&self) -> Option<(&Database, &Database)> {
        self.from.as_ref().zip(self.to.as_ref())
    }
}

/// Brings the configured database up to date.
pub async fn run(config: Config) -> Result<()> {
    let store = assembly::open_store(&config).await?;
    let pending = store.pending_migrations().await.context("the state of the database cannot be read")?;
    store.migrate().await.context("the database cannot be brought up to date")?;
    for migration in &pending {
        println!("applied {migration}");
    }
    println!("The database is up to date.");
    Ok(())
}

/// Moves everything from one database into another. It needs no configuration: nothing is opened that is sealed.
pub async fn run_move(from: &Database, to: &Database, options: &MigrateOptions) -> Result<()> {
    let source = existing(from).await?;
    let target = assembly::open_database(to).await?;
    target.migrate().await.with_context(|| format!("the database {to:?} cannot be brought up to date"))?;
    let occupied = if options.replace { Occupied::Replace } else { Occupied::Refuse };
    let copied = if options.keep_source {
        copy_all(&source, &target, occupied).await
    } else {
        move_all(&source, &target, &format!("{to:?}"), occupied, &|| SystemClock.now()).await
    };
    let copied = copied.with_context(|| format!("nothing was moved from {from:?} to {to:?}"))?;
    print(if options.keep_source { "copied" } else { "moved" }, &copied);
    source.close().await;
    target.close().await;
    Ok(())
}

/// A database to read from: a mistyped path must not make a new file.
async fn existing(database: &Database) -> Result<Store> {
    if let Some(file) = database.sqlite_file() {
        std::fs::metadata(file).with_context(|| format!("the file {} cannot be read", file.display()))?;
    }
    assembly::open_database(database).await
}

/// A line for each table, and the sum.
pub(super) fn print(done: &str, copied: &Copied) {
    let width = copied.0.iter().map(|it| it.table.len()).max().unwrap_or_default();
    for table in &copied.0 {
        println!("{:width$} {} {}", table.table, table.rows, table.checksum);
    }
    println!("{done} tables={} rows={} checksum={}", copied.0.len(), copied.rows(), copied.checksum());
}
