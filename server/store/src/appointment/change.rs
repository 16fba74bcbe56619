//! What changes an appointment once it is booked. Its claim changes with it, in the same transaction.

use chrono::{DateTime, Utc};
use cupo_core::appointment::{AppointmentStatus, CancelledBy};
use cupo_core::ids::{AppointmentId, ClaimId, OrganizationId, UserId};
use cupo_core::interval::Interval;

use super::{Appointment, columns};
use crate::claim::{self, Slot};
use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// Where an appointment moves to.
#[derive(Debug, Clone)]
pub struct Moved {
    pub host_user_id: UserId,
    pub start_at: DateTime<Utc>,
    pub end_at: DateTime<Utc>,
    pub claim: Interval,
    /// Its own, or that of a slot whose seats it shares. One that others go on using at another time is taken.
    pub claim_id: ClaimId,
    /// Pending or confirmed.
    pub status: AppointmentStatus,
    pub expires_at: Option<DateTime<Utc>>,
}

/// What [`appointment_move`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveOutcome {
    /// It has the new time and this sequence.
    Moved { sequence: i64 },
    /// Nothing changed: it is gone, neither pending nor confirmed any more, or its sequence is another.
    Stale,
}

struct SequenceRow(i64);

impl Record for SequenceRow {
    const TABLE: &'static str = "appointment";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.int("sequence")?))
    }
}

/// Gives a pending or confirmed appointment another time, and other hosts maybe, if its sequence is still that of `old`;
/// raises the sequence. It gives its old claim back, or its seat of it, before it takes the new one as
/// [`appointment_insert`](crate::appointment_insert) does: it never stands in its own way.
///
/// Fails with [`StoreError::ClaimTaken`] when the new claim overlaps another one on a host's time, or no seat is left: the
/// transaction must not be committed then.
pub async fn appointment_move(
    tx: &mut Tx,
    old: &Appointment,
    to: &Moved,
    hosts: &[UserId],
    seats: u32,
    now: DateTime<Utc>,
) -> Result<MoveOutcome, StoreError> {
    debug_assert!(to.status.claims_time(), "a move ends nothing");
    let moved: Option<SequenceRow> = sql("update appointment
            set host_user_id = $4, start_at = $5, end_at = $6, claim_start = $7, claim_end = $8, claim_id = $9,
                status = $10, expires_at = $11, sequence = sequence + 1, updated_at = $12
          where organization_id = $1 and id = $2 and sequence = $3 and status in ('pending', 'confirmed')
         returning sequence")
    .bind(&old.organization_id)
    .bind(&old.id)
    .bind(old.sequence)
    .bind(&to.host_user_id)
    .bind(to.start_at)
    .bind(to.end_at)
    .bind(to.claim.start)
    .bind(to.claim.end)
    .bind(&to.claim_id)
    .bind(to.status.as_str())
    .bind(to.expires_at)
    .bind(now)
    .optional(tx)
    .await?;
    let Some(SequenceRow(sequence)) = moved else { return Ok(MoveOutcome::Stale) };
    claim::release(tx, &old.organization_id, &old.claim_id, now).await?;
    let slot = Slot {
        organization_id: &old.organization_id,
        event_type_id: &old.event_type_id,
        claim_id: &to.claim_id,
        start_at: to.start_at,
        end_at: to.end_at,
        claim: to.claim,
        seats,
    };
    claim::take(tx, &slot, hosts, now).await?;
    Ok(MoveOutcome::Moved { sequence })
}

/// Gives the claim and all pending and confirmed appointments that use it another time; answers these, oldest first, with
/// their sequences raised. None: nothing uses it.
///
/// Fails with [`StoreError::ClaimTaken`] when it overlaps another claim on the time of one of its hosts.
pub async fn claim_move(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    claim_id: &ClaimId,
    start_at: DateTime<Utc>,
    end_at: DateTime<Utc>,
    claim: Interval,
    now: DateTime<Utc>,
) -> Result<Vec<Appointment>, StoreError> {
    claim::shift(tx, organization_id, claim_id, start_at, end_at, claim, now).await?;
    let mut moved: Vec<Appointment> = sql(concat!(
        "update appointment
            set start_at = $3, end_at = $4, claim_start = $5, claim_end = $6, sequence = sequence + 1, updated_at = $7
          where organization_id = $1 and claim_id = $2 and status in ('pending', 'confirmed')
         returning ",
        columns!()
    ))
    .bind(organization_id)
    .bind(claim_id)
    .bind(start_at)
    .bind(end_at)
    .bind(claim.start)
    .bind(claim.end)
    .bind(now)
    .list(tx)
    .await?;
    moved.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(moved)
}

struct ClaimIdRow(ClaimId);

impl Record for ClaimIdRow {
    const TABLE: &'static str = "appointment";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.parse("claim_id", ClaimId::parse)?))
    }
}

/// Ends a pending or confirmed appointment as cancelled, declined or expired, if its sequence is still `expected_sequence`,
/// and raises the sequence. Its claim, or its seat of it, is free from then on.
#[expect(clippy::too_many_arguments, reason = "who ended it and why is told by the status together with both")]
pub async fn appointment_end(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    appointment_id: &AppointmentId,
    expected_sequence: i64,
    status: AppointmentStatus,
    by: Option<CancelledBy>,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    debug_assert!(!status.claims_time(), "an end frees the time");
    let ended: Option<ClaimIdRow> = sql("update appointment
            set status = $4, cancelled_by = $5, cancel_reason = $6, sequence = sequence + 1, updated_at = $7
          where organization_id = $1 and id = $2 and sequence = $3 and status in ('pending', 'confirmed')
         returning claim_id")
    .bind(organization_id)
    .bind(appointment_id)
    .bind(expected_sequence)
    .bind(status.as_str())
    .bind(by.map(CancelledBy::as_str))
    .bind(reason)
    .bind(now)
    .optional(tx)
    .await?;
    let Some(ClaimIdRow(claim_id)) = ended else { return Ok(false) };
    claim::release(tx, organization_id, &claim_id, now).await?;
    Ok(true)
}

/// Confirms a pending appointment, if its sequence is still `expected_sequence`, and raises the sequence.
pub async fn appointment_confirm(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    appointment_id: &AppointmentId,
    expected_sequence: i64,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = sql("update appointment
            set status = 'confirmed', expires_at = null, sequence = sequence + 1, updated_at = $4
          where organization_id = $1 and id = $2 and sequence = $3 and status = 'pending'")
    .bind(organization_id)
    .bind(appointment_id)
    .bind(expected_sequence)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}
