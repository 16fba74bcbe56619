//! Calendars that nobody could read for long, and whose hosts are to be told.

use chrono::{DateTime, Utc};
use cupo_core::ids::{CalendarId, OrganizationId, UserId};

use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// A host, in one of their organizations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleHost {
    pub organization_id: OrganizationId,
    pub user_id: UserId,
}

impl Record for StaleHost {
    const TABLE: &'static str = "calendar";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            user_id: fields.parse("user_id", UserId::parse)?,
        })
    }
}

/// At most `limit` hosts of all organizations who have a calendar that was not read since `before` (never: whose
/// account is older than that) and of which they were not told: calendars of active accounts that decide about slots or
/// receive events, without a live channel through which nothing has failed. For the worker.
pub async fn hosts_to_tell_of_stale_calendars(
    tx: &mut Tx,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<StaleHost>, StoreError> {
    sql("select distinct c.organization_id, c.user_id from calendar c
           join calendar_provider_account a
             on a.organization_id = c.organization_id and a.id = c.account_id and a.state = 'active'
          where c.stale_told_at is null and coalesce(c.synced_at, 0) <= $1 and coalesce(c.synced_at, a.created_at) <= $1
            and (c.checks_conflicts = 1 or c.receives_events = 1
                 or exists (select 1 from event_type_host h
                             where h.organization_id = c.organization_id and h.user_id = c.user_id
                               and (h.target_calendar_id = c.id
                                    or h.conflict_calendar_ids like '%\"' || c.id || '\"%')))
            and (c.synced_at is null or c.sync_error is not null
                 or not exists (select 1 from provider_subscription p
                                 where p.organization_id = c.organization_id and p.calendar_id = c.id
                                   and p.expires_at > $2))
          order by c.organization_id, c.user_id limit $3")
    .bind(before)
    .bind(now)
    .bind(limit)
    .list(tx)
    .await
}

/// Notes that their host is told of the calendars.
pub async fn calendars_set_stale_told(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_ids: &[CalendarId],
    at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let mut changed = 0;
    for id in calendar_ids {
        changed += sql("update calendar set stale_told_at = $3 where organization_id = $1 and id = $2")
            .bind(organization_id)
            .bind(id)
            .bind(at)
            .execute(tx)
            .await?;
    }
    Ok(changed)
}
