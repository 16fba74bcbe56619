//! `cupo keys`: which encryption key seals what, and sealing everything with the newest.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Subcommand;
use cupo_engine::clock::SystemClock;
use cupo_engine::{KeyStatus, KeyUse};

use crate::assembly;
use crate::config::Config;

/// What is done with the keys.
#[derive(Subcommand, Debug, Clone, Copy)]
pub enum Keys {
    /// Tell how much each key of `secrets.encryption_keys` seals. One that seals nothing can be removed.
    Status,
    /// Seal with the first key of `secrets.encryption_keys` what the others have sealed. Servers and workers go on; all of
    /// them must have been started with the new key among theirs.
    Rotate,
}

/// Fails when something is left that the first key has not sealed.
pub async fn run(config: Config, keys: Keys) -> Result<ExitCode> {
    let store = assembly::open_store(&config).await?;
    let public_url = config.address.public_url(config.address.listen);
    let engine = assembly::engine(&config, store.clone(), &public_url, Arc::new(SystemClock))?;
    let (status, rotated) = match keys {
        Keys::Status => (engine.key_status().await.context("the keys cannot be told")?, None),
        Keys::Rotate => {
            let report = engine.rotate_keys().await.context("not everything was sealed anew")?;
            (report.status, Some((report.accounts, report.credentials)))
        }
    };
    store.close().await;
    let names: Vec<&str> = config.secrets.encryption_keys.iter().map(|key| key.id.as_str()).collect();
    print!("{}", told(&status, &names));
    let left = status.left();
    if let Some((accounts, credentials)) = rotated {
        println!("rotated accounts={accounts} credentials={credentials} left={left}");
    }
    Ok(if rotated.is_some() && left > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A line for each key, and for what none of them opens.
fn told(status: &KeyStatus, names: &[&str]) -> String {
    let seals = |key: &KeyUse| {
        format!("seals accounts={} credentials={} sign_ins={}", key.accounts, key.credentials, key.sign_ins)
    };
    let mut lines = Vec::new();
    for (number, (key, name)) in status.configured.iter().zip(names).enumerate() {
        let note = match (number, key.is_unused()) {
            (0, _) => "; it seals what is new",
            (_, true) => "; it can be removed",
            (_, false) => "",
        };
        lines.push(format!("{name} ({}) {}{note}", key.key_id, seals(key)));
    }
    for key in &status.unknown {
        lines.push(format!("a key that is not configured ({}) {}; add it to open them", key.key_id, seals(key)));
    }
    for text in &status.damaged {
        lines.push(format!("damaged: {} {} does not open with its key", text.table, text.id));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use cupo_engine::DamagedText;

    use super::*;

    fn key(key_id: &str, accounts: u64, credentials: u64, sign_ins: u64) -> KeyUse {
        KeyUse { key_id: key_id.to_owned(), accounts, credentials, sign_ins }
    }

    #[test]
    fn the_status_names_every_key_and_what_none_opens() {
        let status = KeyStatus {
            configured: vec![key("aa", 2, 1, 0), key("bb", 1, 0, 0), key("cc", 0, 0, 1), key("dd", 0, 0, 0)],
            unknown: vec![key("ee", 0, 3, 0)],
            damaged: vec![DamagedText { table: "provider_credential", id: "7".to_owned() }],
        };
        assert_eq!(
            told(&status, &["k4", "k3", "k2", "k1"]),
            "k4 (aa) seals accounts=2 credentials=1 sign_ins=0; it seals what is new\n\
             k3 (bb) seals accounts=1 credentials=0 sign_ins=0\n\
             k2 (cc) seals accounts=0 credentials=0 sign_ins=1\n\
             k1 (dd) seals accounts=0 credentials=0 sign_ins=0; it can be removed\n\
             a key that is not configured (ee) seals accounts=0 credentials=3 sign_ins=0; add it to open them\n\
             damaged: provider_credential 7 does not open with its key\n"
        );
        assert_eq!(status.left(), 1 + 3 + 1);
    }
}
