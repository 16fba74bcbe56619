//! Signed-in browsers.

use chrono::{DateTime, Utc};
use cupo_core::ids::{OrganizationId, UserId};

use crate::row::{Fields, Record, shown_in_debug};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// A signed-in browser: whoever holds the token whose hash this is acts as the user in the organization.
#[derive(Clone)]
pub struct Session {
    pub token_hash: Vec<u8>,
    pub user_id: UserId,
    pub organization_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

shown_in_debug!(Session { user_id, organization_id, created_at, expires_at });

impl Record for Session {
    const TABLE: &'static str = "session";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            token_hash: fields.blob("token_hash")?,
            user_id: fields.parse("user_id", UserId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            created_at: fields.instant("created_at")?,
            expires_at: fields.instant("expires_at")?,
        })
    }
}

pub async fn session_insert(tx: &mut Tx, session: &Session) -> Result<(), StoreError> {
    sql("insert into session (token_hash, user_id, organization_id, created_at, expires_at)
         values ($1, $2, $3, $4, $5)")
    .bind(&session.token_hash)
    .bind(&session.user_id)
    .bind(&session.organization_id)
    .bind(session.created_at)
    .bind(session.expires_at)
    .execute(tx)
    .await
    .map(drop)
}

/// The session of the token, unless it has expired at `now`.
pub async fn session_get(tx: &mut Tx, token_hash: &[u8], now: DateTime<Utc>) -> Result<Option<Session>, StoreError> {
    sql("select token_hash, user_id, organization_id, created_at, expires_at
           from session where token_hash = $1 and expires_at > $2")
    .bind(token_hash)
    .bind(now)
    .optional(tx)
    .await
}

pub async fn session_delete(tx: &mut Tx, token_hash: &[u8]) -> Result<bool, StoreError> {
    Ok(sql("delete from session where token_hash = $1").bind(token_hash).execute(tx).await? == 1)
}

/// Deletes at most `limit`; answers how many.
pub async fn sessions_delete_expired(tx: &mut Tx, now: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
    sql("delete from session where token_hash in (
           select token_hash from session where expires_at <= $1 order by expires_at limit $2)")
    .bind(now)
    .bind(limit)
    .execute(tx)
    .await
}
