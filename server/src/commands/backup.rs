//! `cupo backup` and `cupo restore`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use cupo_engine::clock::{Clock, SystemClock};
use cupo_engine::key_status;
use cupo_store::copy::{Occupied, Overwrite, backup, restore};

use super::migrate;
use crate::assembly;
use crate::config::Config;

/// Where to.
#[derive(Debug, Clone, Args)]
pub struct BackupOptions {
    /// The file to make: an SQLite database of all tables, whichever kind the configured database is.
    file: PathBuf,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

/// Where from.
#[derive(Debug, Clone, Args)]
pub struct RestoreOptions {
    /// A file that `cupo backup` made, of this version of Cupo or an earlier one.
    file: PathBuf,
    /// Delete what the configured database holds, in the transaction that writes what was saved.
    #[arg(long)]
    replace: bool,
}

/// Saves the configured database; servers and workers go on.
pub async fn save(config: Config, options: BackupOptions) -> Result<()> {
    let store = assembly::open_store(&config).await?;
    let overwrite = if options.force { Overwrite::Replace } else { Overwrite::Refuse };
    let copied = backup(&store, &options.file, overwrite).await.context("there is no new backup")?;
    migrate::print("saved", &copied);
    store.close().await;
    Ok(())
}

/// Puts what was saved into the configured database, which is brought up to date first.
pub async fn bring_back(config: Config, options: RestoreOptions) -> Result<()> {
    let store = assembly::open_store(&config).await?;
    store.migrate().await.context("the database cannot be brought up to date")?;
    let occupied = if options.replace { Occupied::Replace } else { Occupied::Refuse };
    let copied = restore(&options.file, &store, occupied).await.context("nothing was restored")?;
    let keyring = assembly::keyring(&config)?;
    let status = key_status(&store, &keyring, SystemClock.now()).await.context("the keys cannot be compared")?;
    for key in &status.unknown {
        eprintln!(
            "cupo: {} accounts and {} credentials were sealed with the key {}, which secrets.encryption_keys does not have: \
             add it, or those accounts have to be connected again",
            key.accounts, key.credentials, key.key_id
        );
    }
    migrate::print("restored", &copied);
    store.close().await;
    Ok(())
}
