//! When a user can be booked.

use chrono::{DateTime, Utc};
use cupo_core::ids::{OrganizationId, ScheduleId, UserId};
use cupo_core::schedule::WeeklyHours;
use cupo_core::zone::TimeZoneName;

use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// Weekly hours of a user in a zone. One per user and organization.
#[derive(Debug, Clone)]
pub struct Schedule {
    pub id: ScheduleId,
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    pub name: String,
    pub time_zone: TimeZoneName,
    pub weekly_hours: WeeklyHours,
    pub updated_at: DateTime<Utc>,
}

macro_rules! columns {
    () => {
        "id, organization_id, user_id, name, time_zone, weekly_hours, updated_at"
    };
}

impl Record for Schedule {
    const TABLE: &'static str = "schedule";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", ScheduleId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            user_id: fields.parse("user_id", UserId::parse)?,
            name: fields.text("name")?,
            time_zone: fields.parse("time_zone", TimeZoneName::parse)?,
            weekly_hours: fields.json("weekly_hours")?,
            updated_at: fields.instant("updated_at")?,
        })
    }
}

/// Fails with `Unique("schedule.user_id")` when the user has one already.
pub async fn schedule_insert(tx: &mut Tx, schedule: &Schedule) -> Result<(), StoreError> {
    sql(concat!("insert into schedule (", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7)"))
        .bind(&schedule.id)
        .bind(&schedule.organization_id)
        .bind(&schedule.user_id)
        .bind(&schedule.name)
        .bind(schedule.time_zone.as_str())
        .bind(serde_json::to_string(&schedule.weekly_hours)?)
        .bind(schedule.updated_at)
        .execute(tx)
        .await
        .map(drop)
}

pub async fn schedule_get(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    schedule_id: &ScheduleId,
) -> Result<Option<Schedule>, StoreError> {
    sql(concat!("select ", columns!(), " from schedule where organization_id = $1 and id = $2"))
        .bind(organization_id)
        .bind(schedule_id)
        .optional(tx)
        .await
}

pub async fn schedule_get_by_user(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<Option<Schedule>, StoreError> {
    sql(concat!("select ", columns!(), " from schedule where organization_id = $1 and user_id = $2"))
        .bind(organization_id)
        .bind(user_id)
        .optional(tx)
        .await
}

/// Stores name, zone, hours and `updated_at`.
pub async fn schedule_update(tx: &mut Tx, schedule: &Schedule) -> Result<bool, StoreError> {
    let changed = sql("update schedule set name = $3, time_zone = $4, weekly_hours = $5, updated_at = $6
          where organization_id = $1 and id = $2")
    .bind(&schedule.organization_id)
    .bind(&schedule.id)
    .bind(&schedule.name)
    .bind(schedule.time_zone.as_str())
    .bind(serde_json::to_string(&schedule.weekly_hours)?)
    .bind(schedule.updated_at)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}
