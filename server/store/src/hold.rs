//! Slots that are kept while a visitor fills in the form.

use chrono::{DateTime, Utc};
use cupo_core::ids::{EventTypeId, HoldId, OrganizationId, UserId};
use cupo_core::interval::Interval;

use crate::row::{Fields, Record, shown_in_debug};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// A slot kept for a visitor until it expires.
#[derive(Clone)]
pub struct Hold {
    pub id: HoldId,
    pub organization_id: OrganizationId,
    pub event_type_id: EventTypeId,
    pub host_user_id: UserId,
    /// Of the token that the visitor shows to book the slot. Unique.
    pub token_hash: Vec<u8>,
    pub start_at: DateTime<Utc>,
    pub claim: Interval,
    pub expires_at: DateTime<Utc>,
}

shown_in_debug!(Hold { id, organization_id, event_type_id, host_user_id, start_at, claim, expires_at });

macro_rules! columns {
    () => {
        "id, organization_id, event_type_id, host_user_id, token_hash, start_at, claim_start, claim_end, expires_at"
    };
}

impl Record for Hold {
    const TABLE: &'static str = "hold";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", HoldId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            event_type_id: fields.parse("event_type_id", EventTypeId::parse)?,
            host_user_id: fields.parse("host_user_id", UserId::parse)?,
            token_hash: fields.blob("token_hash")?,
            start_at: fields.instant("start_at")?,
            claim: fields.interval("claim_start", "claim_end")?,
            expires_at: fields.instant("expires_at")?,
        })
    }
}

/// Fails with [`StoreError::ClaimTaken`] when the claim overlaps that of a confirmed appointment of the host. Other holds
/// are the caller's to check ([`hold_list`]), in the same transaction.
pub async fn hold_insert(tx: &mut Tx, hold: &Hold) -> Result<(), StoreError> {
    let inserted = sql(concat!(
        "insert into hold (",
        columns!(),
        ") select $1, $2, $3, $4, $5, $6, $7, $8, $9
            where not exists (
              select 1 from appointment
               where organization_id = $2 and host_user_id = $4 and status = 'confirmed'
                 and claim_end > $7 and claim_start < $8)"
    ))
    .bind(&hold.id)
    .bind(&hold.organization_id)
    .bind(&hold.event_type_id)
    .bind(&hold.host_user_id)
    .bind(&hold.token_hash)
    .bind(hold.start_at)
    .bind(hold.claim.start)
    .bind(hold.claim.end)
    .bind(hold.expires_at)
    .execute(tx)
    .await?;
    if inserted == 1 { Ok(()) } else { Err(StoreError::ClaimTaken) }
}

/// The hold of a visitor's token, of any organization, expired or not.
pub async fn hold_get_by_token_hash(tx: &mut Tx, token_hash: &[u8]) -> Result<Option<Hold>, StoreError> {
    sql(concat!("select ", columns!(), " from hold where token_hash = $1")).bind(token_hash).optional(tx).await
}

/// The host's holds that overlap `range` and have not expired at `now`, by time.
pub async fn hold_list(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    host_user_id: &UserId,
    range: Interval,
    now: DateTime<Utc>,
) -> Result<Vec<Hold>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from hold
         where organization_id = $1 and host_user_id = $2 and claim_end > $3 and claim_start < $4 and expires_at > $5
         order by claim_start, id"
    ))
    .bind(organization_id)
    .bind(host_user_id)
    .bind(range.start)
    .bind(range.end)
    .bind(now)
    .list(tx)
    .await
}

pub async fn hold_delete(tx: &mut Tx, organization_id: &OrganizationId, hold_id: &HoldId) -> Result<bool, StoreError> {
    let deleted = sql("delete from hold where organization_id = $1 and id = $2")
        .bind(organization_id)
        .bind(hold_id)
        .execute(tx)
        .await?;
    Ok(deleted == 1)
}

/// Deletes the holds of all organizations that have expired; answers how many.
pub async fn hold_delete_expired(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64, StoreError> {
    sql("delete from hold where expires_at <= $1").bind(now).execute(tx).await
}
