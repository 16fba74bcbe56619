//! What is sealed with the installation's encryption keys, of all organizations: for whoever replaces a key.

use chrono::{DateTime, Utc};
use cupo_core::ids::OrganizationId;

use crate::row::{Fields, Record, shown_in_debug};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// Where ciphertexts stand that stay: the verifiers of sign-ins go by themselves within minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SealedIn {
    /// `calendar_provider_account.token_ciphertext`
    Accounts,
    /// `provider_credential.ciphertext`
    Credentials,
}

impl SealedIn {
    pub const ALL: [Self; 2] = [Self::Accounts, Self::Credentials];

    /// The table's name.
    #[must_use]
    pub fn table(self) -> &'static str {
        match self {
            Self::Accounts => "calendar_provider_account",
            Self::Credentials => "provider_credential",
        }
    }
}

/// A ciphertext and the row that it belongs to.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedText {
    /// The row's id.
    pub id: String,
    pub organization_id: OrganizationId,
    pub ciphertext: Vec<u8>,
}

shown_in_debug!(SealedText { id, organization_id });

impl Record for SealedText {
    const TABLE: &'static str = "calendar_provider_account";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.text("id")?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            ciphertext: fields.blob("ciphertext")?,
        })
    }
}

/// The first `limit` ciphertexts by the id of their row, behind `after` (empty: from the beginning).
pub async fn sealed_list(
    tx: &mut Tx,
    within: SealedIn,
    after: &str,
    limit: u32,
) -> Result<Vec<SealedText>, StoreError> {
    sql(match within {
        SealedIn::Accounts => {
            "select id, organization_id, token_ciphertext as ciphertext from calendar_provider_account
              where id > $1 and token_ciphertext is not null order by id limit $2"
        }
        SealedIn::Credentials => {
            "select id, organization_id, ciphertext from provider_credential where id > $1 order by id limit $2"
        }
    })
    .bind(after)
    .bind(limit)
    .list(tx)
    .await
}

/// Puts another ciphertext of the same text in the place of `old`. `false`: something else stands there by now, or nothing.
///
/// It changes no `token_version`: a process that refreshes the account's token at this moment must still be able to store
/// what it gets, because the old refresh token may be used up.
pub async fn sealed_replace(
    tx: &mut Tx,
    within: SealedIn,
    old: &SealedText,
    ciphertext: &[u8],
) -> Result<bool, StoreError> {
    let changed = sql(match within {
        SealedIn::Accounts => {
            "update calendar_provider_account set token_ciphertext = $4
              where organization_id = $1 and id = $2 and token_ciphertext = $3"
        }
        SealedIn::Credentials => {
            "update provider_credential set ciphertext = $4 where organization_id = $1 and id = $2 and ciphertext = $3"
        }
    })
    .bind(&old.organization_id)
    .bind(&old.id)
    .bind(&old.ciphertext)
    .bind(ciphertext)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

struct Verifier(Vec<u8>);

impl Record for Verifier {
    const TABLE: &'static str = "oauth_state";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.blob("pkce_verifier_ciphertext")?))
    }
}

/// The sealed verifiers of sign-ins that are under way at `now`.
pub async fn sealed_list_sign_ins(tx: &mut Tx, now: DateTime<Utc>) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows: Vec<Verifier> =
        sql("select pkce_verifier_ciphertext from oauth_state where expires_at > $1").bind(now).list(tx).await?;
    Ok(rows.into_iter().map(|Verifier(ciphertext)| ciphertext).collect())
}
