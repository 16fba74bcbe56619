//! `cupo migrate`.

use anyhow::{Context, Result};

use crate::assembly;
use crate::config::Config;

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
