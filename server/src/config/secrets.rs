//! `secrets`: the keys that encrypt provider tokens and sign links.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cupo_providers::Secret;

use super::reader::{Reader, Show};

/// Bytes of an encryption key.
const KEY_BYTES: usize = 32;
/// The fewest characters of a session secret.
const SESSION_SECRET_CHARACTERS: usize = 32;

/// One key of the keyring.
#[derive(Debug, Clone)]
pub struct EncryptionKey {
    /// Its name, which is stored with every ciphertext.
    pub id: String,
    /// Standard base64 of 32 random bytes.
    pub base64: Secret,
}

impl EncryptionKey {
    /// The bytes of the key.
    #[must_use]
    pub fn bytes(&self) -> [u8; KEY_BYTES] {
        decode(self.base64.expose()).expect("the length was checked when the key was read")
    }
}

/// The secrets of an installation.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// The first one encrypts; all decrypt.
    pub encryption_keys: Vec<EncryptionKey>,
    /// Keys the visitors' links.
    pub session_secret: Secret,
}

pub fn read(reader: &Reader) -> Option<Secrets> {
    let session_secret = reader.required(
        "secrets.session_secret",
        "give at least 32 random characters; `cupo generate-secrets` prints some",
        Show::Nothing,
        |text| (text.len() >= SESSION_SECRET_CHARACTERS).then(|| Secret::new(text)),
    );
    let encryption_keys = read_keys(reader);
    Some(Secrets { encryption_keys: encryption_keys?, session_secret: session_secret? })
}

fn read_keys(reader: &Reader) -> Option<Vec<EncryptionKey>> {
    const KEY: &str = "secrets.encryption_keys";
    let right = "give a list of \"name:base64 of 32 bytes\", the newest first; `cupo generate-secrets` prints one";
    let written = reader.list(KEY);
    if written.is_empty() {
        reader.mistake(KEY, "is missing", right);
        return None;
    }
    let keys: Option<Vec<EncryptionKey>> = written.iter().map(|text| parse_key(text)).collect();
    let Some(keys) = keys else {
        reader.mistake(KEY, "has an entry that is not usable", right);
        return None;
    };
    let names: BTreeSet<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    if names.len() < keys.len() {
        reader.mistake(KEY, "names a key twice", right);
        return None;
    }
    Some(keys)
}

fn parse_key(text: &str) -> Option<EncryptionKey> {
    let (id, base64) = text.trim().split_once(':')?;
    let named = !id.is_empty() && id.len() <= 32 && id.chars().all(|it| it.is_ascii_alphanumeric());
    (named && decode(base64).is_some()).then(|| EncryptionKey { id: id.to_owned(), base64: Secret::new(base64) })
}

fn decode(base64: &str) -> Option<[u8; KEY_BYTES]> {
    STANDARD.decode(base64).ok()?.try_into().ok()
}
