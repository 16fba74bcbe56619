//! Answers that were given, so that a repeated request gets the same one.

use chrono::{DateTime, Utc};
use cupo_core::ids::OrganizationId;

use crate::row::{Fields, Record, shown_in_debug};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// A request that was carried out, and its answer. It is written in the transaction of the request's effect.
#[derive(Clone)]
pub struct IdempotencyKey {
    pub organization_id: OrganizationId,
    /// Chosen by the client; unique in the organization.
    pub key: String,
    /// Of the request: the same key with another request is a mistake of the client.
    pub request_hash: Vec<u8>,
    pub status: i32,
    pub body: String,
    pub created_at: DateTime<Utc>,
}

shown_in_debug!(IdempotencyKey { organization_id, key, status, created_at });

impl Record for IdempotencyKey {
    const TABLE: &'static str = "idempotency_key";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            key: fields.text("key")?,
            request_hash: fields.blob("request_hash")?,
            status: fields.number("status")?,
            body: fields.text("body")?,
            created_at: fields.instant("created_at")?,
        })
    }
}

pub async fn idempotency_get(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    key: &str,
) -> Result<Option<IdempotencyKey>, StoreError> {
    sql("select organization_id, key, request_hash, status, body, created_at from idempotency_key
          where organization_id = $1 and key = $2")
    .bind(organization_id)
    .bind(key)
    .optional(tx)
    .await
}

/// Fails with `Unique("idempotency_key.key")` when the same request was carried out meanwhile: read its answer.
pub async fn idempotency_insert(tx: &mut Tx, answer: &IdempotencyKey) -> Result<(), StoreError> {
    sql("insert into idempotency_key (organization_id, key, request_hash, status, body, created_at)
         values ($1, $2, $3, $4, $5, $6)")
    .bind(&answer.organization_id)
    .bind(&answer.key)
    .bind(&answer.request_hash)
    .bind(i64::from(answer.status))
    .bind(&answer.body)
    .bind(answer.created_at)
    .execute(tx)
    .await
    .map(drop)
}

/// Forgets the answers of all organizations from before `before`, at most `limit` of them; answers how many.
pub async fn idempotency_delete_before(tx: &mut Tx, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
    sql("delete from idempotency_key where (organization_id, key) in (
           select organization_id, key from idempotency_key where created_at < $1 order by created_at limit $2)")
    .bind(before)
    .bind(limit)
    .execute(tx)
    .await
}
