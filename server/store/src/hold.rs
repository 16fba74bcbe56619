//! Slots that are kept while a visitor fills in the form.

use std::collections::BTreeSet;

use chrono::serde::ts_microseconds;
use chrono::{DateTime, Utc};
use cupo_core::ids::{ClaimId, EventTypeId, HoldId, OrganizationId, UserId};
use cupo_core::interval::Interval;
use serde::{Deserialize, Serialize};

use crate::history::{HistoryEntry, HistoryKind, history_in_range, history_insert};
use crate::row::{Fields, Record, shown_in_debug};
use crate::tx::{Statement, sql};
use crate::{StoreError, Tx};

/// A slot, or one of its seats, kept for a visitor until it expires.
#[derive(Clone)]
pub struct Hold {
    pub id: HoldId,
    pub organization_id: OrganizationId,
    pub event_type_id: EventTypeId,
    /// Those whose time is kept, in the caller's order.
    pub host_user_ids: Vec<UserId>,
    /// Of the token that the visitor shows to book the slot. Unique. The past does not keep it.
    pub token_hash: Vec<u8>,
    pub start_at: DateTime<Utc>,
    pub end_at: DateTime<Utc>,
    pub claim: Interval,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

shown_in_debug!(Hold {
    id,
    organization_id,
    event_type_id,
    host_user_ids,
    start_at,
    end_at,
    claim,
    created_at,
    expires_at,
});

macro_rules! columns {
    () => {
        "id, organization_id, event_type_id, token_hash, start_at, end_at, claim_start, claim_end, created_at, expires_at, \
         (select string_agg(h.host_user_id, ',' order by h.position) from hold_host h
           where h.organization_id = hold.organization_id and h.hold_id = hold.id) as host_user_ids"
    };
}

impl Record for Hold {
    const TABLE: &'static str = "hold";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", HoldId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            event_type_id: fields.parse("event_type_id", EventTypeId::parse)?,
            host_user_ids: fields
                .parse("host_user_ids", |hosts| hosts.split(',').map(UserId::parse).collect::<Result<_, _>>())?,
            token_hash: fields.blob("token_hash")?,
            start_at: fields.instant("start_at")?,
            end_at: fields.instant("end_at")?,
            claim: fields.interval("claim_start", "claim_end")?,
            created_at: fields.instant("created_at")?,
            expires_at: fields.instant("expires_at")?,
        })
    }
}

/// Fails with [`StoreError::ClaimTaken`] when a claim on the time of one of the hosts overlaps, other than the one whose
/// seat shall be taken (`joins`). Whether that one has a seat left, and other holds, are the caller's to check
/// ([`hold_list`]), in the same transaction.
pub async fn hold_insert(tx: &mut Tx, hold: &Hold, joins: Option<&ClaimId>) -> Result<(), StoreError> {
    let hosts: Vec<String> = (0..hold.host_user_ids.len()).map(|number| format!("${}", number + 12)).collect();
    let statement = sql(format!(
        "insert into hold
             (id, organization_id, event_type_id, token_hash, start_at, end_at, claim_start, claim_end, created_at,
              expires_at)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
          where not exists (
              select 1 from claim
               where organization_id = $2 and host_user_id in ({}) and claim_end > $7 and claim_start < $8
                 and id <> $11)",
        hosts.join(", ")
    ))
    .bind(&hold.id)
    .bind(&hold.organization_id)
    .bind(&hold.event_type_id)
    .bind(&hold.token_hash)
    .bind(hold.start_at)
    .bind(hold.end_at)
    .bind(hold.claim.start)
    .bind(hold.claim.end)
    .bind(hold.created_at)
    .bind(hold.expires_at)
    .bind(joins.map_or("", ClaimId::as_str));
    let inserted = hold.host_user_ids.iter().fold(statement, Statement::bind).execute(tx).await?;
    if inserted == 0 {
        return Err(StoreError::ClaimTaken);
    }
    for (position, host) in (0i64..).zip(&hold.host_user_ids) {
        sql("insert into hold_host (hold_id, organization_id, host_user_id, position) values ($1, $2, $3, $4)")
            .bind(&hold.id)
            .bind(&hold.organization_id)
            .bind(host)
            .bind(position)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// The hold of a visitor's token, of any organization, expired or not.
pub async fn hold_get_by_token_hash(tx: &mut Tx, token_hash: &[u8]) -> Result<Option<Hold>, StoreError> {
    sql(concat!("select ", columns!(), " from hold where token_hash = $1")).bind(token_hash).optional(tx).await
}

/// The holds on the host's time that overlap `range` and have not expired at `now`, by time.
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
         where organization_id = $1 and claim_end > $3 and claim_start < $4 and expires_at > $5
           and id in (select hold_id from hold_host where organization_id = $1 and host_user_id = $2)
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

/// The holds of the event type's slots that start in `range`, if they have not expired at `now`, by start.
pub async fn hold_list_of_event_type(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    event_type_id: &EventTypeId,
    range: Interval,
    now: DateTime<Utc>,
) -> Result<Vec<Hold>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from hold
         where organization_id = $1 and event_type_id = $2 and start_at >= $3 and start_at < $4 and expires_at > $5
         order by start_at, id"
    ))
    .bind(organization_id)
    .bind(event_type_id)
    .bind(range.start)
    .bind(range.end)
    .bind(now)
    .list(tx)
    .await
}

/// [`hold_list`] as it was at `at`.
pub async fn hold_list_at(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    host_user_id: &UserId,
    range: Interval,
    at: DateTime<Utc>,
) -> Result<Vec<Hold>, StoreError> {
    let mut holds = hold_list(tx, organization_id, host_user_id, range, at).await?;
    holds.retain(|hold| hold.created_at <= at);
    let subject = Some(host_user_id.as_str());
    for past in history_in_range(tx, organization_id, HistoryKind::Hold, subject, range, at).await? {
        holds.push(Hold::of_history(&past)?);
    }
    holds.sort_by(|a, b| (a.claim.start, &a.id).cmp(&(b.claim.start, &b.id)));
    Ok(holds)
}

/// [`hold_list_of_event_type`] as it was at `at`.
pub async fn hold_list_of_event_type_at(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    event_type_id: &EventTypeId,
    range: Interval,
    at: DateTime<Utc>,
) -> Result<Vec<Hold>, StoreError> {
    let mut holds = hold_list_of_event_type(tx, organization_id, event_type_id, range, at).await?;
    holds.retain(|hold| hold.created_at <= at);
    // It is remembered once for each of its hosts.
    let mut seen = BTreeSet::new();
    for past in history_in_range(tx, organization_id, HistoryKind::Hold, None, range, at).await? {
        let hold = Hold::of_history(&past)?;
        let is_asked_for = &hold.event_type_id == event_type_id && range.contains(hold.start_at);
        if is_asked_for && seen.insert(hold.id.clone()) {
            holds.push(hold);
        }
    }
    holds.sort_by(|a, b| (a.start_at, &a.id).cmp(&(b.start_at, &b.id)));
    Ok(holds)
}

pub async fn hold_delete(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    hold_id: &HoldId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let hold: Option<Hold> = sql(concat!("select ", columns!(), " from hold where organization_id = $1 and id = $2"))
        .bind(organization_id)
        .bind(hold_id)
        .optional(tx)
        .await?;
    let Some(hold) = hold else { return Ok(false) };
    remember(tx, &hold, now).await?;
    let deleted = sql("delete from hold where organization_id = $1 and id = $2")
        .bind(organization_id)
        .bind(hold_id)
        .execute(tx)
        .await?;
    Ok(deleted == 1)
}

/// Deletes holds of all organizations that have expired, at most `limit`; answers how many.
pub async fn hold_delete_expired(tx: &mut Tx, now: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
    let text = concat!("select ", columns!(), " from hold where expires_at <= $1 order by expires_at, id limit $2");
    let expired: Vec<Hold> = sql(text).bind(now).bind(limit).list(tx).await?;
    let mut deleted = 0;
    for hold in &expired {
        remember(tx, hold, now).await?;
        deleted += sql("delete from hold where id = $1").bind(&hold.id).execute(tx).await?;
    }
    Ok(deleted)
}

/// What history keeps of a hold beside its time.
#[derive(Serialize, Deserialize)]
struct Body {
    event_type_id: EventTypeId,
    hosts: Vec<UserId>,
    #[serde(with = "ts_microseconds")]
    start: DateTime<Utc>,
    #[serde(with = "ts_microseconds")]
    end: DateTime<Utc>,
    #[serde(with = "ts_microseconds")]
    expires: DateTime<Utc>,
}

/// Keeps the hold as it has been up to `now`, or to its end if that came first.
async fn remember(tx: &mut Tx, hold: &Hold, now: DateTime<Utc>) -> Result<(), StoreError> {
    let body = serde_json::to_string(&Body {
        event_type_id: hold.event_type_id.clone(),
        hosts: hold.host_user_ids.clone(),
        start: hold.start_at,
        end: hold.end_at,
        expires: hold.expires_at,
    })?;
    for host in &hold.host_user_ids {
        let entry = HistoryEntry {
            organization_id: hold.organization_id.clone(),
            kind: HistoryKind::Hold,
            subject_id: host.to_string(),
            record_id: hold.id.to_string(),
            start_at: Some(hold.claim.start),
            end_at: Some(hold.claim.end),
            body: body.clone(),
            valid_from: hold.created_at,
            valid_to: now.min(hold.expires_at),
        };
        history_insert(tx, &entry).await?;
    }
    Ok(())
}

impl Hold {
    fn of_history(entry: &HistoryEntry) -> Result<Self, StoreError> {
        let read = || {
            let body: Body = serde_json::from_str(&entry.body).ok()?;
            Some(Self {
                id: HoldId::parse(&entry.record_id).ok()?,
                organization_id: entry.organization_id.clone(),
                event_type_id: body.event_type_id,
                host_user_ids: body.hosts,
                token_hash: Vec::new(),
                start_at: body.start,
                end_at: body.end,
                claim: Interval::new(entry.start_at?, entry.end_at?)?,
                created_at: entry.valid_from,
                expires_at: body.expires,
            })
        };
        read().ok_or(StoreError::Corrupt { table: "history", column: "body" })
    }
}
