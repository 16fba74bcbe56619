//! Leases by name: work that one process at a time does, such as refreshing an account's token.
//!
//! A lease ends by itself, so that a process that died holds nobody up for longer. Its end is told by the clock of whoever
//! looks: processes whose clocks differ may both believe to hold it for as long as that difference. What a lease protects
//! therefore has a last guard of its own, such as a version that is compared.

use chrono::{DateTime, Utc};

use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// Who does the work of a name, and until when nobody else may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub name: String,
    pub owner: String,
    pub until: DateTime<Utc>,
}

impl Record for Lease {
    const TABLE: &'static str = "lease";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self { name: fields.text("name")?, owner: fields.text("owner")?, until: fields.instant("until")? })
    }
}

/// Takes the lease, if nobody has it, or whoever had it has it no longer at `now`, or `owner` has it already; then its end is
/// moved to `until`. `false`: another one has it. Call it in a transaction of
/// [`Store::write_leases`](crate::Store::write_leases), in which two who want it at once do not collide: one waits for the
/// other's commit.
pub async fn lease_take(
    tx: &mut Tx,
    name: &str,
    owner: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let taken = sql("insert into lease (name, owner, until) values ($1, $2, $4)
         on conflict (name) do update set owner = excluded.owner, until = excluded.until
          where lease.owner = excluded.owner or lease.until <= $3")
    .bind(name)
    .bind(owner)
    .bind(now)
    .bind(until)
    .execute(tx)
    .await?;
    Ok(taken == 1)
}

/// The lease of the name, if somebody has it at `now`.
pub async fn lease_get(tx: &mut Tx, name: &str, now: DateTime<Utc>) -> Result<Option<Lease>, StoreError> {
    sql("select name, owner, until from lease where name = $1 and until > $2").bind(name).bind(now).optional(tx).await
}

/// Gives the lease back. `false`: `owner` has it no longer.
pub async fn lease_release(tx: &mut Tx, name: &str, owner: &str) -> Result<bool, StoreError> {
    Ok(sql("delete from lease where name = $1 and owner = $2").bind(name).bind(owner).execute(tx).await? == 1)
}

/// Deletes the leases that are over; answers how many.
pub async fn leases_delete_expired(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64, StoreError> {
    sql("delete from lease where until <= $1").bind(now).execute(tx).await
}
