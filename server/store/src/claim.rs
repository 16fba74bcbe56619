//! The time that is taken from hosts. No two claims on a host's time overlap, whichever event types they are of: the
//! database itself refuses a second one.
//!
//! Claims change with their appointments only: `appointment_insert`, `appointment_move`, `appointment_end` and `claim_move`.

use chrono::serde::ts_microseconds;
use chrono::{DateTime, Utc};
use cupo_core::ids::{ClaimId, EventTypeId, OrganizationId, UserId};
use cupo_core::interval::Interval;
use serde::Deserialize;

use crate::history::{HistoryEntry, HistoryKind, history_in_range};
use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// The time that a slot takes from one of its hosts, for as long as pending or confirmed appointments use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The same for all hosts of the slot.
    pub id: ClaimId,
    pub organization_id: OrganizationId,
    pub host_user_id: UserId,
    pub event_type_id: EventTypeId,
    pub start_at: DateTime<Utc>,
    pub end_at: DateTime<Utc>,
    /// What is taken: the slot and its buffers.
    pub claim: Interval,
    /// How many appointments can share it.
    pub seats: u32,
    /// How many do.
    pub seats_taken: u32,
    /// When it became as it is.
    pub recorded_at: DateTime<Utc>,
}

macro_rules! columns {
    () => {
        "id, organization_id, host_user_id, event_type_id, start_at, end_at, claim_start, claim_end, seats, seats_taken, \
         recorded_at"
    };
}

impl Record for Claim {
    const TABLE: &'static str = "claim";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", ClaimId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            host_user_id: fields.parse("host_user_id", UserId::parse)?,
            event_type_id: fields.parse("event_type_id", EventTypeId::parse)?,
            start_at: fields.instant("start_at")?,
            end_at: fields.instant("end_at")?,
            claim: fields.interval("claim_start", "claim_end")?,
            seats: fields.number("seats")?,
            seats_taken: fields.number("seats_taken")?,
            recorded_at: fields.instant("recorded_at")?,
        })
    }
}

/// The claims on the host's time that overlap `range`, by time.
pub async fn claim_list(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    host_user_id: &UserId,
    range: Interval,
) -> Result<Vec<Claim>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from claim
         where organization_id = $1 and host_user_id = $2 and claim_end > $3 and claim_start < $4
         order by claim_start, id"
    ))
    .bind(organization_id)
    .bind(host_user_id)
    .bind(range.start)
    .bind(range.end)
    .list(tx)
    .await
}

/// The claims of the event type's slots that start in `range`, by start: a row for each of their hosts.
pub async fn claim_list_of_event_type(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    event_type_id: &EventTypeId,
    range: Interval,
) -> Result<Vec<Claim>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from claim
         where organization_id = $1 and event_type_id = $2 and start_at >= $3 and start_at < $4
         order by start_at, id, host_user_id"
    ))
    .bind(organization_id)
    .bind(event_type_id)
    .bind(range.start)
    .bind(range.end)
    .list(tx)
    .await
}

/// [`claim_list`] as it was at `at`.
pub async fn claim_list_at(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    host_user_id: &UserId,
    range: Interval,
    at: DateTime<Utc>,
) -> Result<Vec<Claim>, StoreError> {
    let mut claims = claim_list(tx, organization_id, host_user_id, range).await?;
    claims.retain(|claim| claim.recorded_at <= at);
    let subject = Some(host_user_id.as_str());
    for past in history_in_range(tx, organization_id, HistoryKind::Claim, subject, range, at).await? {
        claims.push(Claim::of_history(&past)?);
    }
    claims.sort_by(|a, b| (a.claim.start, &a.id).cmp(&(b.claim.start, &b.id)));
    Ok(claims)
}

/// [`claim_list_of_event_type`] as it was at `at`.
pub async fn claim_list_of_event_type_at(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    event_type_id: &EventTypeId,
    range: Interval,
    at: DateTime<Utc>,
) -> Result<Vec<Claim>, StoreError> {
    let mut claims = claim_list_of_event_type(tx, organization_id, event_type_id, range).await?;
    claims.retain(|claim| claim.recorded_at <= at);
    for past in history_in_range(tx, organization_id, HistoryKind::Claim, None, range, at).await? {
        let claim = Claim::of_history(&past)?;
        if &claim.event_type_id == event_type_id && range.contains(claim.start_at) {
            claims.push(claim);
        }
    }
    claims.sort_by(|a, b| (a.start_at, &a.id, &a.host_user_id).cmp(&(b.start_at, &b.id, &b.host_user_id)));
    Ok(claims)
}

struct HostRow(UserId);

impl Record for HostRow {
    const TABLE: &'static str = "claim";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.parse("host_user_id", UserId::parse)?))
    }
}

/// The hosts whose time the claim takes, by id; none when nothing uses it.
pub async fn claim_hosts(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    claim_id: &ClaimId,
) -> Result<Vec<UserId>, StoreError> {
    let rows: Vec<HostRow> =
        sql("select host_user_id from claim where organization_id = $1 and id = $2 order by host_user_id")
            .bind(organization_id)
            .bind(claim_id)
            .list(tx)
            .await?;
    Ok(rows.into_iter().map(|HostRow(host)| host).collect())
}

/// What [`take`] needs to know of a slot.
pub(crate) struct Slot<'a> {
    pub organization_id: &'a OrganizationId,
    pub event_type_id: &'a EventTypeId,
    pub claim_id: &'a ClaimId,
    pub start_at: DateTime<Utc>,
    pub end_at: DateTime<Utc>,
    pub claim: Interval,
    pub seats: u32,
}

/// Takes the slot from the hosts, or one more of its seats where the claim exists already.
pub(crate) async fn take(tx: &mut Tx, slot: &Slot<'_>, hosts: &[UserId], now: DateTime<Utc>) -> Result<(), StoreError> {
    let shared: Option<Claim> =
        sql(concat!("select ", columns!(), " from claim where organization_id = $1 and id = $2 limit 1"))
            .bind(slot.organization_id)
            .bind(slot.claim_id)
            .optional(tx)
            .await?;
    if let Some(shared) = shared {
        let is_the_slot = (shared.start_at, shared.end_at) == (slot.start_at, slot.end_at);
        if !is_the_slot || shared.seats_taken >= slot.seats {
            return Err(StoreError::ClaimTaken);
        }
        remember(tx, slot.organization_id, slot.claim_id, now).await?;
        return sql("update claim set seats_taken = seats_taken + 1, seats = $3, recorded_at = $4
              where organization_id = $1 and id = $2")
        .bind(slot.organization_id)
        .bind(slot.claim_id)
        .bind(slot.seats)
        .bind(now)
        .execute(tx)
        .await
        .map(drop);
    }
    debug_assert!(!hosts.is_empty(), "a claim takes somebody's time");
    queue_up(tx, hosts).await?;
    for host in hosts {
        let inserted =
            sql(concat!("insert into claim (", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10)"))
                .bind(slot.claim_id)
                .bind(slot.organization_id)
                .bind(host)
                .bind(slot.event_type_id)
                .bind(slot.start_at)
                .bind(slot.end_at)
                .bind(slot.claim.start)
                .bind(slot.claim.end)
                .bind(slot.seats)
                .bind(now)
                .execute(tx)
                .await;
        match inserted {
            Ok(_) => {}
            // On PostgreSQL two that make the same claim at once may meet at its primary key first.
            Err(StoreError::Unique(_)) => return Err(StoreError::ClaimTaken),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Makes those wait for one another, in one order for all, who take time from the same hosts. Without it two that insert
/// overlapping claims at the same moment wait for each other at PostgreSQL's exclusion constraint, until the server notices
/// the deadlock a second later. SQLite has one writer.
async fn queue_up(tx: &mut Tx, hosts: &[UserId]) -> Result<(), StoreError> {
    if matches!(tx, Tx::Sqlite(_)) {
        return Ok(());
    }
    let mut hosts: Vec<_> = hosts.iter().collect();
    hosts.sort_unstable();
    for host in hosts {
        sql("select pg_advisory_xact_lock(hashtextextended($1, 0))").bind(host).execute(tx).await?;
    }
    Ok(())
}

/// Gives a seat back; with the last one the time is free.
pub(crate) async fn release(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    claim_id: &ClaimId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    remember(tx, organization_id, claim_id, now).await?;
    let freed = sql("delete from claim where organization_id = $1 and id = $2 and seats_taken = 1")
        .bind(organization_id)
        .bind(claim_id)
        .execute(tx)
        .await?;
    if freed == 0 {
        sql("update claim set seats_taken = seats_taken - 1, recorded_at = $3 where organization_id = $1 and id = $2")
            .bind(organization_id)
            .bind(claim_id)
            .bind(now)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// Gives the claim another time, for all of its hosts.
pub(crate) async fn shift(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    claim_id: &ClaimId,
    start_at: DateTime<Utc>,
    end_at: DateTime<Utc>,
    claim: Interval,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let hosts = claim_hosts(tx, organization_id, claim_id).await?;
    queue_up(tx, &hosts).await?;
    remember(tx, organization_id, claim_id, now).await?;
    sql("update claim set start_at = $3, end_at = $4, claim_start = $5, claim_end = $6, recorded_at = $7
          where organization_id = $1 and id = $2")
    .bind(organization_id)
    .bind(claim_id)
    .bind(start_at)
    .bind(end_at)
    .bind(claim.start)
    .bind(claim.end)
    .bind(now)
    .execute(tx)
    .await
    .map(drop)
}

/// What history keeps of a claim beside its time.
#[derive(Deserialize)]
struct Body {
    event_type_id: EventTypeId,
    #[serde(with = "ts_microseconds")]
    start: DateTime<Utc>,
    #[serde(with = "ts_microseconds")]
    end: DateTime<Utc>,
    seats: u32,
    seats_taken: u32,
}

/// Keeps the claim as it has been up to `now`.
async fn remember(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    claim_id: &ClaimId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql(r#"insert into history
             (organization_id, kind, subject_id, record_id, start_at, end_at, body, valid_from, valid_to)
         select organization_id, 'claim', host_user_id, id, claim_start, claim_end,
                '{"event_type_id":"' || event_type_id || '","start":' || start_at || ',"end":' || end_at
                || ',"seats":' || seats || ',"seats_taken":' || seats_taken || '}', recorded_at, $3
           from claim where organization_id = $1 and id = $2 and recorded_at < $3"#)
    .bind(organization_id)
    .bind(claim_id)
    .bind(now)
    .execute(tx)
    .await
    .map(drop)
}

impl Claim {
    fn of_history(entry: &HistoryEntry) -> Result<Self, StoreError> {
        let read = || {
            let body: Body = serde_json::from_str(&entry.body).ok()?;
            Some(Self {
                id: ClaimId::parse(&entry.record_id).ok()?,
                organization_id: entry.organization_id.clone(),
                host_user_id: UserId::parse(&entry.subject_id).ok()?,
                event_type_id: body.event_type_id,
                start_at: body.start,
                end_at: body.end,
                claim: Interval::new(entry.start_at?, entry.end_at?)?,
                seats: body.seats,
                seats_taken: body.seats_taken,
                recorded_at: entry.valid_from,
            })
        };
        read().ok_or(StoreError::Corrupt { table: "history", column: "body" })
    }
}
