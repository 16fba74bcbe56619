//! When a user can be booked.

use chrono::{DateTime, Utc};
use cupo_core::availability::Travel;
use cupo_core::ids::{HolidayCalendarId, OrganizationId, ScheduleId, UserId};
use cupo_core::schedule::{DateOverride, WeeklyHours};
use cupo_core::zone::TimeZoneName;

use crate::row::{Fields, Record};
use crate::tx::{Statement, sql};
use crate::{StoreError, Tx};

/// Weekly hours of a user in a zone, and what stands instead of them on some dates.
#[derive(Debug, Clone)]
pub struct Schedule {
    pub id: ScheduleId,
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    pub name: String,
    pub time_zone: TimeZoneName,
    pub weekly_hours: WeeklyHours,
    pub overrides: Vec<DateOverride>,
    pub travels: Vec<Travel>,
    /// One that is gone counts for nothing.
    pub holiday_calendar_ids: Vec<HolidayCalendarId>,
    /// Whether it serves where no other one was chosen. One of the user's schedules is.
    pub is_default: bool,
    pub updated_at: DateTime<Utc>,
}

/// What [`schedule_delete`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleRemoval {
    /// It is gone.
    Deleted,
    /// It is the default, or an event type uses it: it stays.
    InUse,
    /// There is no such schedule.
    NotFound,
}

macro_rules! columns {
    () => {
        "id, organization_id, user_id, name, time_zone, weekly_hours, overrides, travels, holiday_calendar_ids, \
         is_default, updated_at"
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
            overrides: fields.json("overrides")?,
            travels: fields.json("travels")?,
            holiday_calendar_ids: fields.json("holiday_calendar_ids")?,
            is_default: fields.flag("is_default")?,
            updated_at: fields.instant("updated_at")?,
        })
    }
}

/// Fails with `Unique("schedule.user_id")` when it is a default and the user has one already.
pub async fn schedule_insert(tx: &mut Tx, schedule: &Schedule) -> Result<(), StoreError> {
    sql(concat!("insert into schedule (", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"))
        .bind(&schedule.id)
        .bind(&schedule.organization_id)
        .bind(&schedule.user_id)
        .bind(&schedule.name)
        .bind(schedule.time_zone.as_str())
        .bind(serde_json::to_string(&schedule.weekly_hours)?)
        .bind(serde_json::to_string(&schedule.overrides)?)
        .bind(serde_json::to_string(&schedule.travels)?)
        .bind(serde_json::to_string(&schedule.holiday_calendar_ids)?)
        .bind(schedule.is_default)
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

/// The user's default one.
pub async fn schedule_get_by_user(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<Option<Schedule>, StoreError> {
    sql(concat!("select ", columns!(), " from schedule where organization_id = $1 and user_id = $2 and is_default = 1"))
        .bind(organization_id)
        .bind(user_id)
        .optional(tx)
        .await
}

/// The user's schedules, or those of all members, grouped by member: the default first, then by name.
pub async fn schedule_list(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    user_id: Option<&UserId>,
) -> Result<Vec<Schedule>, StoreError> {
    let text = match user_id {
        Some(_) => concat!(
            "select ",
            columns!(),
            " from schedule where organization_id = $1 and user_id = $2 order by is_default desc, name, id"
        ),
        None => concat!(
            "select ",
            columns!(),
            " from schedule where organization_id = $1 order by user_id, is_default desc, name, id"
        ),
    };
    user_id.into_iter().fold(sql(text).bind(organization_id), Statement::bind).list(tx).await
}

/// Stores everything but the id, the organization, the user and whether it is the default.
pub async fn schedule_update(tx: &mut Tx, schedule: &Schedule) -> Result<bool, StoreError> {
    let changed = sql("update schedule
            set name = $3, time_zone = $4, weekly_hours = $5, overrides = $6, travels = $7, holiday_calendar_ids = $8,
                updated_at = $9
          where organization_id = $1 and id = $2")
    .bind(&schedule.organization_id)
    .bind(&schedule.id)
    .bind(&schedule.name)
    .bind(schedule.time_zone.as_str())
    .bind(serde_json::to_string(&schedule.weekly_hours)?)
    .bind(serde_json::to_string(&schedule.overrides)?)
    .bind(serde_json::to_string(&schedule.travels)?)
    .bind(serde_json::to_string(&schedule.holiday_calendar_ids)?)
    .bind(schedule.updated_at)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Makes it the user's default instead of the one that was. `false`: it is none of the user's, and nothing changed.
pub async fn schedule_make_default(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
    schedule_id: &ScheduleId,
) -> Result<bool, StoreError> {
    sql("update schedule set is_default = 0
          where organization_id = $1 and user_id = $2 and is_default = 1 and id <> $3
            and exists (select 1 from schedule s where s.organization_id = $1 and s.user_id = $2 and s.id = $3)")
    .bind(organization_id)
    .bind(user_id)
    .bind(schedule_id)
    .execute(tx)
    .await?;
    let changed = sql("update schedule set is_default = 1 where organization_id = $1 and user_id = $2 and id = $3")
        .bind(organization_id)
        .bind(user_id)
        .bind(schedule_id)
        .execute(tx)
        .await?;
    Ok(changed == 1)
}

/// Deletes the schedule unless it is the default or in use.
pub async fn schedule_delete(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    schedule_id: &ScheduleId,
) -> Result<ScheduleRemoval, StoreError> {
    let deleted = sql("delete from schedule
          where organization_id = $1 and id = $2 and is_default = 0
            and not exists (select 1 from event_type_host h where h.organization_id = $1 and h.schedule_id = $2)
            and not exists (select 1 from event_type e where e.organization_id = $1 and e.schedule_id = $2)")
    .bind(organization_id)
    .bind(schedule_id)
    .execute(tx)
    .await?;
    if deleted == 1 {
        return Ok(ScheduleRemoval::Deleted);
    }
    let kept = schedule_get(tx, organization_id, schedule_id).await?;
    Ok(if kept.is_some() { ScheduleRemoval::InUse } else { ScheduleRemoval::NotFound })
}
