//! Dates on which nobody works, from a file or from an address that is asked again.

use chrono::{DateTime, Utc};
use cupo_core::availability::Holiday;
use cupo_core::ids::{HolidayCalendarId, OrganizationId, UserId};
use cupo_core::parse::HttpUrl;

use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// A user's list of holidays; a [`Schedule`](crate::Schedule) names those that it keeps.
#[derive(Debug, Clone)]
pub struct HolidayCalendar {
    pub id: HolidayCalendarId,
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    pub name: String,
    /// Where it is fetched from; `None` when it was uploaded.
    pub source_url: Option<HttpUrl>,
    pub holidays: Vec<Holiday>,
    /// What the source called the version that was fetched last.
    pub etag: Option<String>,
    /// When the source was last asked, with or without success.
    pub fetched_at: Option<DateTime<Utc>>,
    /// Why the source could not be read when it was last asked.
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

macro_rules! columns {
    () => {
        "id, organization_id, user_id, name, source_url, holidays, etag, fetched_at, error, created_at, updated_at"
    };
}

impl Record for HolidayCalendar {
    const TABLE: &'static str = "holiday_calendar";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", HolidayCalendarId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            user_id: fields.parse("user_id", UserId::parse)?,
            name: fields.text("name")?,
            source_url: fields.optional_parse("source_url", HttpUrl::parse)?,
            holidays: fields.json("holidays")?,
            etag: fields.optional_text("etag")?,
            fetched_at: fields.optional_instant("fetched_at")?,
            error: fields.optional_text("error")?,
            created_at: fields.instant("created_at")?,
            updated_at: fields.instant("updated_at")?,
        })
    }
}

pub async fn holiday_calendar_insert(tx: &mut Tx, calendar: &HolidayCalendar) -> Result<(), StoreError> {
    sql(concat!(
        "insert into holiday_calendar (",
        columns!(),
        ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    ))
    .bind(&calendar.id)
    .bind(&calendar.organization_id)
    .bind(&calendar.user_id)
    .bind(&calendar.name)
    .bind(calendar.source_url.as_ref().map(HttpUrl::as_str))
    .bind(serde_json::to_string(&calendar.holidays)?)
    .bind(&calendar.etag)
    .bind(calendar.fetched_at)
    .bind(&calendar.error)
    .bind(calendar.created_at)
    .bind(calendar.updated_at)
    .execute(tx)
    .await
    .map(drop)
}

pub async fn holiday_calendar_get(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    holiday_calendar_id: &HolidayCalendarId,
) -> Result<Option<HolidayCalendar>, StoreError> {
    sql(concat!("select ", columns!(), " from holiday_calendar where organization_id = $1 and id = $2"))
        .bind(organization_id)
        .bind(holiday_calendar_id)
        .optional(tx)
        .await
}

/// By name.
pub async fn holiday_calendar_list(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<Vec<HolidayCalendar>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from holiday_calendar where organization_id = $1 and user_id = $2 order by name, id"
    ))
    .bind(organization_id)
    .bind(user_id)
    .list(tx)
    .await
}

/// Stores everything but the id, the organization, the user and `created_at`.
pub async fn holiday_calendar_update(tx: &mut Tx, calendar: &HolidayCalendar) -> Result<bool, StoreError> {
    let changed = sql("update holiday_calendar
            set name = $3, source_url = $4, holidays = $5, etag = $6, fetched_at = $7, error = $8, updated_at = $9
          where organization_id = $1 and id = $2")
    .bind(&calendar.organization_id)
    .bind(&calendar.id)
    .bind(&calendar.name)
    .bind(calendar.source_url.as_ref().map(HttpUrl::as_str))
    .bind(serde_json::to_string(&calendar.holidays)?)
    .bind(&calendar.etag)
    .bind(calendar.fetched_at)
    .bind(&calendar.error)
    .bind(calendar.updated_at)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Schedules that name it go on without it.
pub async fn holiday_calendar_delete(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
    holiday_calendar_id: &HolidayCalendarId,
) -> Result<bool, StoreError> {
    let deleted = sql("delete from holiday_calendar where organization_id = $1 and user_id = $2 and id = $3")
        .bind(organization_id)
        .bind(user_id)
        .bind(holiday_calendar_id)
        .execute(tx)
        .await?;
    Ok(deleted == 1)
}

struct DueRow(OrganizationId, HolidayCalendarId);

impl Record for DueRow {
    const TABLE: &'static str = "holiday_calendar";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.parse("organization_id", OrganizationId::parse)?, fields.parse("id", HolidayCalendarId::parse)?))
    }
}

/// Those of all organizations that have a source and asked it at or before `before`, or never: for the worker. The longest
/// waiting first.
pub async fn holiday_calendars_due(
    tx: &mut Tx,
    before: DateTime<Utc>,
) -> Result<Vec<(OrganizationId, HolidayCalendarId)>, StoreError> {
    let rows: Vec<DueRow> = sql("select organization_id, id from holiday_calendar
          where source_url is not null and coalesce(fetched_at, 0) <= $1 order by coalesce(fetched_at, 0), id")
    .bind(before)
    .list(tx)
    .await?;
    Ok(rows.into_iter().map(|DueRow(organization_id, id)| (organization_id, id)).collect())
}
