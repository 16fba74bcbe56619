//! Replacing the key that seals what accounts and organizations have been given.
//!
//! The first configured key seals, all of them open. [`Engine::rotate_keys`] seals with the first one what another one has
//! sealed, while servers and workers go on: it replaces a ciphertext only if it is still the one that was read, so that a
//! token that was refreshed meanwhile stays; and it leaves the token's version alone, so that a refresh that is under way
//! can store its outcome. A key can be removed once [`key_status`] says that it seals nothing.
//!
//! The verifiers of sign-ins (PKCE) are sealed, too. They live for 15 minutes and are not sealed anew: a key that still
//! seals some will seal none by then.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use cupo_store::{SealedIn, SealedText, Store, sealed_list, sealed_list_sign_ins, sealed_replace};

use crate::{
    Engine, EngineError,
    engine::transact,
    keyring::{Keyring, KeyringError, RowReference},
};

/// So many ciphertexts are read, and replaced in one transaction.
const BATCH: u32 = 100;
/// How often it is looked for what others sealed with an old key meanwhile.
const ROUNDS: u32 = 3;

/// How much a key seals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyUse {
    /// The key's id, as in [`Keyring::ids`].
    pub key_id: String,
    pub accounts: u64,
    pub credentials: u64,
    /// Sign-ins that are under way.
    pub sign_ins: u64,
}

impl KeyUse {
    /// Whether the key can be removed.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        self.accounts + self.credentials + self.sign_ins == 0
    }
}

/// A ciphertext that does not open although its key is there: it was altered, or belongs to another row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedText {
    pub table: &'static str,
    /// The row's id.
    pub id: String,
}

/// Which key seals how much.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyStatus {
    /// The configured keys, the sealing one first.
    pub configured: Vec<KeyUse>,
    /// Keys that have sealed something and are not configured: nothing of it can be opened.
    pub unknown: Vec<KeyUse>,
    pub damaged: Vec<DamagedText>,
}

impl KeyStatus {
    /// The ciphertexts of accounts and credentials that the first key has not sealed, those that do not open among them.
    #[must_use]
    pub fn left(&self) -> u64 {
        let others = self.configured.iter().skip(1).chain(&self.unknown);
        others.map(|key| key.accounts + key.credentials).sum::<u64>() + self.damaged.len() as u64
    }
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationReport {
    /// So many accounts' ciphertexts were sealed anew.
    pub accounts: u64,
    /// So many credentials of organizations were.
    pub credentials: u64,
    /// What is sealed by which key now.
    pub status: KeyStatus,
}

/// Opens every ciphertext and counts by key. Nothing is changed.
///
/// # Errors
/// [`EngineError::Store`].
pub async fn key_status(store: &Store, keyring: &Keyring, now: DateTime<Utc>) -> Result<KeyStatus, EngineError> {
    let ids = keyring.ids();
    let mut uses: BTreeMap<String, KeyUse> = BTreeMap::new();
    let mut damaged = Vec::new();
    for within in SealedIn::ALL {
        let mut after = String::new();
        loop {
            let batch = list(store, within, &after).await?;
            let Some(last) = batch.last() else { break };
            after.clone_from(&last.id);
            for text in batch {
                match keyring.open(row(within, &text), &text.ciphertext) {
                    Ok(_) | Err(KeyringError::UnknownKey) => {
                        let Ok(id) = Keyring::id_of(&text.ciphertext) else { continue };
                        let used = uses.entry(id).or_default();
                        *match within {
                            SealedIn::Accounts => &mut used.accounts,
                            SealedIn::Credentials => &mut used.credentials,
                        } += 1;
                    }
                    Err(_) => damaged.push(DamagedText { table: within.table(), id: text.id }),
                }
            }
        }
    }
    let mut tx = store.read().await?;
    for ciphertext in sealed_list_sign_ins(&mut tx, now).await? {
        if let Ok(id) = Keyring::id_of(&ciphertext) {
            uses.entry(id).or_default().sign_ins += 1;
        }
    }
    tx.commit().await?;
    let mut taken = |key_id: String| KeyUse { key_id: key_id.clone(), ..uses.remove(&key_id).unwrap_or_default() };
    let configured = ids.into_iter().map(&mut taken).collect();
    let unknown = uses.into_iter().map(|(key_id, used)| KeyUse { key_id, ..used }).collect();
    Ok(KeyStatus { configured, unknown, damaged })
}

impl Engine {
    /// Which key seals how much.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn key_status(&self) -> Result<KeyStatus, EngineError> {
        key_status(&self.0.store, &self.0.keyring, self.now()).await
    }

    /// Seals with the first key what other keys of the ring have sealed. What does not open is left as it is and told.
    /// Every process of the installation must know the first key by now. It can be repeated, and broken off at any moment.
    ///
    /// # Errors
    /// [`EngineError::Store`]; what was sealed anew until then stays so.
    pub async fn rotate_keys(&self) -> Result<RotationReport, EngineError> {
        let (mut accounts, mut credentials) = (0, 0);
        for _ in 0..ROUNDS {
            let mut lost = 0;
            for (within, resealed) in [(SealedIn::Accounts, &mut accounts), (SealedIn::Credentials, &mut credentials)] {
                let (done, missed) = self.rotate_within(within).await?;
                *resealed += done;
                lost += missed;
            }
            if lost == 0 {
                break;
            }
        }
        let status = self.key_status().await?;
        tracing::info!(accounts, credentials, left = status.left(), "ciphertexts were sealed anew");
        Ok(RotationReport { accounts, credentials, status })
    }

    /// How many were sealed anew, and how many others had been replaced meanwhile.
    async fn rotate_within(&self, within: SealedIn) -> Result<(u64, u64), EngineError> {
        let (mut done, mut missed) = (0, 0);
        let mut after = String::new();
        loop {
            let batch = list(&self.0.store, within, &after).await?;
            let Some(last) = batch.last() else { return Ok((done, missed)) };
            after.clone_from(&last.id);
            let keyring = &self.0.keyring;
            let old = batch.into_iter().filter(|text| !keyring.is_current(&text.ciphertext));
            let resealed: Vec<(SealedText, Vec<u8>)> = old
                .filter_map(|text| {
                    let row = row(within, &text);
                    // What does not open is told by the status.
                    let plain = keyring.open(row, &text.ciphertext).ok()?;
                    let sealed = keyring.seal(&*self.0.random, row, &plain);
                    Some((text, sealed))
                })
                .collect();
            if resealed.is_empty() {
                continue;
            }
            let replaced = transact!(self, tx => {
                let mut replaced = 0;
                for (old, new) in &resealed {
                    replaced += u64::from(sealed_replace(tx, within, old, new).await?);
                }
                replaced
            })?;
            done += replaced;
            missed += resealed.len() as u64 - replaced;
        }
    }
}

async fn list(store: &Store, within: SealedIn, after: &str) -> Result<Vec<SealedText>, EngineError> {
    let mut tx = store.read().await?;
    let batch = sealed_list(&mut tx, within, after, BATCH).await?;
    tx.commit().await?;
    Ok(batch)
}

fn row(within: SealedIn, text: &SealedText) -> RowReference<'_> {
    RowReference { table: within.table(), id: &text.id, organization_id: &text.organization_id }
}
