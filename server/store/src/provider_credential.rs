//! What an organization's administrators have given for all its members.

use chrono::{DateTime, Utc};
use cupo_core::ids::{CredentialId, OrganizationId};

use crate::account::Provider;
use crate::row::{Fields, Record, shown_in_debug};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// The key of a Google service account, or the secret or certificate of a Microsoft application.
#[derive(Clone)]
pub struct ProviderCredential {
    pub id: CredentialId,
    pub organization_id: OrganizationId,
    pub provider: Provider,
    /// Its own name at the provider: the service account's address, the application's id. Unique in the organization.
    pub name: String,
    pub ciphertext: Vec<u8>,
    pub created_at: DateTime<Utc>,
}

shown_in_debug!(ProviderCredential { id, organization_id, provider, name, created_at });

macro_rules! columns {
    () => {
        "id, organization_id, provider, name, ciphertext, created_at"
    };
}

impl Record for ProviderCredential {
    const TABLE: &'static str = "provider_credential";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", CredentialId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            provider: fields.choice("provider", Provider::parse)?,
            name: fields.text("name")?,
            ciphertext: fields.blob("ciphertext")?,
            created_at: fields.instant("created_at")?,
        })
    }
}

/// Fails with `Unique("provider_credential.name")` when the organization has one of this name at the provider.
pub async fn provider_credential_insert(tx: &mut Tx, credential: &ProviderCredential) -> Result<(), StoreError> {
    sql(concat!("insert into provider_credential (", columns!(), ") values ($1, $2, $3, $4, $5, $6)"))
        .bind(&credential.id)
        .bind(&credential.organization_id)
        .bind(credential.provider.as_str())
        .bind(&credential.name)
        .bind(&credential.ciphertext)
        .bind(credential.created_at)
        .execute(tx)
        .await
        .map(drop)
}

/// Replaces the secret.
pub async fn provider_credential_update(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    credential_id: &CredentialId,
    ciphertext: &[u8],
) -> Result<bool, StoreError> {
    let changed = sql("update provider_credential set ciphertext = $3 where organization_id = $1 and id = $2")
        .bind(organization_id)
        .bind(credential_id)
        .bind(ciphertext)
        .execute(tx)
        .await?;
    Ok(changed == 1)
}

pub async fn provider_credential_get(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    credential_id: &CredentialId,
) -> Result<Option<ProviderCredential>, StoreError> {
    sql(concat!("select ", columns!(), " from provider_credential where organization_id = $1 and id = $2"))
        .bind(organization_id)
        .bind(credential_id)
        .optional(tx)
        .await
}

/// The oldest first.
pub async fn provider_credential_list(
    tx: &mut Tx,
    organization_id: &OrganizationId,
) -> Result<Vec<ProviderCredential>, StoreError> {
    sql(concat!("select ", columns!(), " from provider_credential where organization_id = $1 order by created_at, id"))
        .bind(organization_id)
        .list(tx)
        .await
}

/// Deletes the credential. That no account uses it any more is for the caller to see to.
pub async fn provider_credential_delete(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    credential_id: &CredentialId,
) -> Result<bool, StoreError> {
    let deleted = sql("delete from provider_credential where organization_id = $1 and id = $2")
        .bind(organization_id)
        .bind(credential_id)
        .execute(tx)
        .await?;
    Ok(deleted == 1)
}
