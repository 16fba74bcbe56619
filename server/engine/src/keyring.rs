//! Encryption at rest of provider tokens and PKCE verifiers.
//!
//! XChaCha20-Poly1305. A ciphertext reads `version (1) | key id (4) | nonce (24) | sealed text and tag`. The row that
//! holds it is the associated data, so a ciphertext that is copied into another row, table or organization does not open.

use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use cupo_core::ids::OrganizationId;
use sha2::{Digest, Sha256};

use crate::random::RandomSource;

const VERSION: u8 = 1;
const NONCE: std::ops::Range<usize> = 5..29;
const HEADER: usize = NONCE.end;

/// The row a ciphertext belongs to.
#[derive(Debug, Clone, Copy)]
pub struct RowReference<'a> {
    /// The table's name.
    pub table: &'static str,
    /// The row's id.
    pub id: &'a str,
    /// The organization the row belongs to.
    pub organization_id: &'a OrganizationId,
}

impl RowReference<'_> {
    fn associated_data(&self) -> Vec<u8> {
        [self.table, self.id, self.organization_id.as_str()].join("\0").into_bytes()
    }
}

/// Why a ciphertext does not open or a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// A key must be 32 bytes.
    #[error("an encryption key must be 32 bytes long")]
    KeyLength,
    /// There must be a key to encrypt with.
    #[error("at least one encryption key is needed")]
    Empty,
    /// The ciphertext is cut off or of an unknown version.
    #[error("the ciphertext is malformed")]
    Malformed,
    /// The key that sealed it is not in the ring.
    #[error("the ciphertext was sealed with a key that is not configured")]
    UnknownKey,
    /// It was altered, or belongs to another row.
    #[error("the ciphertext does not belong to this row or was altered")]
    Forged,
}

/// The keys: the first seals, every one opens, so that a key is replaced by putting a new one in front.
#[derive(Clone)]
pub struct Keyring(Vec<([u8; 4], XChaCha20Poly1305)>);

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({} keys)", self.0.len())
    }
}

impl Keyring {
    /// Takes 32-byte keys, the sealing one first.
    ///
    /// # Errors
    /// [`KeyringError::Empty`] without a key, [`KeyringError::KeyLength`] for one of another length.
    pub fn new<K: AsRef<[u8]>>(keys: &[K]) -> Result<Self, KeyringError> {
        if keys.is_empty() {
            return Err(KeyringError::Empty);
        }
        keys.iter()
            .map(|key| {
                let key = key.as_ref();
                let cipher = XChaCha20Poly1305::new_from_slice(key).map_err(|_| KeyringError::KeyLength)?;
                Ok((key_id(Key::from_slice(key)), cipher))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The ids of the keys, the sealing one first: eight hexadecimal digits each, which tell nothing of the keys.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.0.iter().map(|(id, _)| shown(id)).collect()
    }

    /// The id of the key that sealed a ciphertext, whether it is in the ring or not.
    ///
    /// # Errors
    /// [`KeyringError::Malformed`].
    pub fn id_of(ciphertext: &[u8]) -> Result<String, KeyringError> {
        if ciphertext.len() < HEADER || ciphertext[0] != VERSION {
            return Err(KeyringError::Malformed);
        }
        Ok(shown(&ciphertext[1..NONCE.start]))
    }

    /// Whether the first key sealed the ciphertext.
    #[must_use]
    pub fn is_current(&self, ciphertext: &[u8]) -> bool {
        let current = self.0.first().map(|(id, _)| shown(id));
        Self::id_of(ciphertext).ok() == current
    }

    /// Seals `plain` for one row.
    pub fn seal(&self, random: &dyn RandomSource, row: RowReference<'_>, plain: &[u8]) -> Vec<u8> {
        let (id, cipher) = self.0.first().expect("`new` refuses an empty ring");
        let mut nonce = XNonce::default();
        random.fill(&mut nonce);
        let sealed = cipher
            .encrypt(&nonce, Payload { msg: plain, aad: &row.associated_data() })
            .expect("sealing fails only beyond 256 GiB");
        [&[VERSION][..], id, &nonce, &sealed].concat()
    }

    /// Opens what [`Keyring::seal`] sealed for the same row.
    ///
    /// # Errors
    /// Says whether it is malformed, of an unknown key, or not of this row.
    pub fn open(&self, row: RowReference<'_>, ciphertext: &[u8]) -> Result<Vec<u8>, KeyringError> {
        if ciphertext.len() < HEADER || ciphertext[0] != VERSION {
            return Err(KeyringError::Malformed);
        }
        let (_, cipher) =
            self.0.iter().find(|(id, _)| id[..] == ciphertext[1..NONCE.start]).ok_or(KeyringError::UnknownKey)?;
        cipher
            .decrypt(
                XNonce::from_slice(&ciphertext[NONCE]),
                Payload { msg: &ciphertext[HEADER..], aad: &row.associated_data() },
            )
            .map_err(|_| KeyringError::Forged)
    }
}

fn shown(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The id says which key sealed a text without telling anything of the key.
fn key_id(key: &Key) -> [u8; 4] {
    let digest = Sha256::new().chain_update(b"cupo key id").chain_update(key).finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    fn organization(last: char) -> OrganizationId {
        OrganizationId::parse(&format!("00000000-0000-7000-8000-00000000000{last}")).unwrap()
    }

    #[test]
    fn a_text_opens_only_in_its_own_row() {
        let ring = Keyring::new(&[[1; 32]]).unwrap();
        let (one, two) = (organization('1'), organization('2'));
        let row = RowReference { table: "calendar_provider_account", id: "a", organization_id: &one };
        let sealed = ring.seal(&OsRandom, row, b"refresh");
        assert_eq!(ring.open(row, &sealed).unwrap(), b"refresh");
        for other in [
            RowReference { table: "oauth_state", ..row },
            RowReference { id: "b", ..row },
            RowReference { organization_id: &two, ..row },
        ] {
            assert_eq!(ring.open(other, &sealed), Err(KeyringError::Forged));
        }
    }

    #[test]
    fn a_replaced_key_still_opens_and_a_removed_one_does_not() {
        let one = organization('1');
        let row = RowReference { table: "t", id: "a", organization_id: &one };
        let sealed = Keyring::new(&[[1; 32]]).unwrap().seal(&OsRandom, row, b"x");
        assert_eq!(Keyring::new(&[[2; 32], [1; 32]]).unwrap().open(row, &sealed).unwrap(), b"x");
        assert_eq!(Keyring::new(&[[2; 32]]).unwrap().open(row, &sealed), Err(KeyringError::UnknownKey));
    }

    #[test]
    fn an_altered_or_cut_text_does_not_open() {
        let one = organization('1');
        let ring = Keyring::new(&[[1; 32]]).unwrap();
        let row = RowReference { table: "t", id: "a", organization_id: &one };
        let mut sealed = ring.seal(&OsRandom, row, b"x");
        assert_eq!(ring.open(row, &sealed[..20]), Err(KeyringError::Malformed));
        *sealed.last_mut().unwrap() ^= 1;
        assert_eq!(ring.open(row, &sealed), Err(KeyringError::Forged));
    }

    #[test]
    fn keys_of_a_wrong_length_are_refused() {
        assert_eq!(Keyring::new(&[&[0; 16][..]]).unwrap_err(), KeyringError::KeyLength);
        assert_eq!(Keyring::new::<[u8; 32]>(&[]).unwrap_err(), KeyringError::Empty);
    }
}
