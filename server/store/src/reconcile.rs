//! What the comparison of calendars with appointments reads: which calendars are due, what is to stand in one, and
//! whose a marked event is.

use chrono::{DateTime, Utc};
use cupo_core::ids::{CalendarId, ClaimId, OrganizationId, UserId};
use cupo_core::parse::Slug;
use cupo_core::zone::TimeZoneName;

use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// A calendar that was compared long ago, with the zone in which its host sleeps.
#[derive(Debug, Clone)]
pub struct CalendarToReconcile {
    pub organization_id: OrganizationId,
    pub calendar_id: CalendarId,
    /// Of the host's default schedule.
    pub time_zone: Option<TimeZoneName>,
    /// When its events were last compared; until it was for the first time, when it was first seen.
    pub reconciled_at: Option<DateTime<Utc>>,
}

impl Record for CalendarToReconcile {
    const TABLE: &'static str = "calendar";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            calendar_id: fields.parse("id", CalendarId::parse)?,
            time_zone: fields.optional_parse("time_zone", TimeZoneName::parse)?,
            reconciled_at: fields.optional_instant("reconciled_at")?,
        })
    }
}

/// Which calendars are compared: those of active accounts in which events can be written, or which are looked at.
macro_rules! to_reconcile {
    ($($condition:literal),*) => {
        concat!(
            "select c.organization_id, c.id, s.time_zone, c.reconciled_at from calendar c
               join calendar_provider_account a
                 on a.organization_id = c.organization_id and a.id = c.account_id and a.state = 'active'
               join organization o on o.id = c.organization_id
               left join schedule s
                 on s.organization_id = c.organization_id and s.user_id = c.user_id and s.is_default = 1
              where (c.can_write = 1 or c.checks_conflicts = 1
                     or exists (select 1 from event_type_host h
                                 where h.organization_id = c.organization_id and h.user_id = c.user_id
                                   and h.conflict_calendar_ids like '%\"' || c.id || '\"%'))",
            $($condition),*
        )
    };
}

/// At most `limit` calendars of all organizations that were last compared at or before `before`, the longest waiting
/// first: for the worker.
pub async fn calendars_due_for_reconcile(
    tx: &mut Tx,
    before: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<CalendarToReconcile>, StoreError> {
    sql(to_reconcile!(" and c.reconciled_at <= $1 order by c.reconciled_at, c.id limit $2"))
        .bind(before)
        .bind(limit)
        .list(tx)
        .await
}

/// Every calendar that can be compared, of one organization or of all, those of a host one after another.
pub async fn calendars_to_reconcile(
    tx: &mut Tx,
    organization: Option<&Slug>,
) -> Result<Vec<CalendarToReconcile>, StoreError> {
    match organization {
        Some(slug) => {
            sql(to_reconcile!(" and o.slug = $1 order by c.user_id, c.id")).bind(slug.as_str()).list(tx).await
        }
        None => sql(to_reconcile!(" order by c.organization_id, c.user_id, c.id")).list(tx).await,
    }
}

/// Notes when the calendar's events were compared with the appointments.
pub async fn calendar_set_reconciled(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = sql("update calendar set reconciled_at = $3 where organization_id = $1 and id = $2")
        .bind(organization_id)
        .bind(calendar_id)
        .bind(at)
        .execute(tx)
        .await?;
    Ok(changed == 1)
}

/// Counts calendars that nobody has seen yet as compared at `now`: in one that was just connected nothing is amiss.
/// Gives their number.
pub async fn calendars_note_new(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64, StoreError> {
    sql("update calendar set reconciled_at = $1 where reconciled_at is null").bind(now).execute(tx).await
}

struct Owner(OrganizationId);

impl Record for Owner {
    const TABLE: &'static str = "appointment_external_mapping";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.parse("organization_id", OrganizationId::parse)?))
    }
}

/// Whose a claim is of which no appointment is known in the organization that asks: by its external event, or by the
/// appointment that was booked with it and has another one now. For comparing calendars alone: several organizations
/// may have connected one.
pub async fn claim_owner(tx: &mut Tx, claim_id: &ClaimId) -> Result<Option<OrganizationId>, StoreError> {
    let owner = sql("select organization_id from appointment_external_mapping where claim_id = $1
         union all select organization_id from appointment where id = $1 limit 1")
    .bind(claim_id)
    .optional::<Owner>(tx)
    .await?;
    Ok(owner.map(|Owner(organization_id)| organization_id))
}

/// Whether the host's history knows a claim of this id.
pub async fn claim_is_remembered(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    host_user_id: &UserId,
    claim_id: &ClaimId,
) -> Result<bool, StoreError> {
    let found = sql("select organization_id from history
          where organization_id = $1 and kind = 'claim' and subject_id = $2 and record_id = $3 limit 1")
    .bind(organization_id)
    .bind(host_user_id)
    .bind(claim_id)
    .optional::<Owner>(tx)
    .await?;
    Ok(found.is_some())
}
