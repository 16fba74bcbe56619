//! Appointments by status, event type, claim, series and expiry.

use chrono::{DateTime, Utc};
use cupo_core::ids::{AppointmentId, CalendarId, ClaimId, EventTypeId, OrganizationId, SeriesId, UserId};

use super::{Appointment, columns};
use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// Which appointments a list holds, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppointmentFilter {
    /// Those that a host has to decide about: the next one first.
    Pending,
    /// Confirmed ones that have not ended: the next one first.
    Upcoming,
    /// Confirmed ones that have ended: the latest first.
    Past,
    /// Cancelled, declined and expired ones: the latest start first.
    Cancelled,
}

/// The last appointment of a page: the next page starts behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppointmentCursor {
    pub start_at: DateTime<Utc>,
    pub id: AppointmentId,
}

/// At most `limit` appointments of the organization, in the order of the filter, from behind `after` on.
pub async fn appointment_list(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    filter: AppointmentFilter,
    now: DateTime<Utc>,
    limit: u32,
    after: Option<&AppointmentCursor>,
) -> Result<Vec<Appointment>, StoreError> {
    // Without a cursor, the position before every row in the order of the filter.
    let (text, first) = match filter {
        AppointmentFilter::Pending => (
            concat!(
                "select ",
                columns!(),
                " from appointment
                 where organization_id = $1 and status = 'pending' and (start_at, id) > ($2, $3)
                 order by start_at, id limit $4"
            ),
            i64::MIN,
        ),
        // Materialized, so that only what lies ahead is read and sorted: by its order the planner would walk through all
        // of the past instead.
        AppointmentFilter::Upcoming => (
            concat!(
                "with coming as materialized (
                   select ",
                columns!(),
                "  from appointment where organization_id = $1 and status = 'confirmed' and end_at > $5)
                 select ",
                columns!(),
                " from coming where (start_at, id) > ($2, $3) order by start_at, id limit $4"
            ),
            i64::MIN,
        ),
        AppointmentFilter::Past => (
            concat!(
                "select ",
                columns!(),
                " from appointment
                 where organization_id = $1 and status = 'confirmed' and (start_at, id) < ($2, $3)
                   and end_at <= $5
                 order by start_at desc, id desc limit $4"
            ),
            i64::MAX,
        ),
        AppointmentFilter::Cancelled => (
            concat!(
                "select ",
                columns!(),
                " from appointment
                 where organization_id = $1 and status in ('cancelled', 'declined', 'expired')
                   and (start_at, id) < ($2, $3)
                 order by start_at desc, id desc limit $4"
            ),
            i64::MAX,
        ),
    };
    let statement = sql(text)
        .bind(organization_id)
        .bind(after.map_or(first, |cursor| cursor.start_at.timestamp_micros()))
        .bind(after.map_or("", |cursor| cursor.id.as_str()))
        .bind(limit);
    match filter {
        AppointmentFilter::Upcoming | AppointmentFilter::Past => statement.bind(now).list(tx).await,
        AppointmentFilter::Pending | AppointmentFilter::Cancelled => statement.list(tx).await,
    }
}

/// The pending and confirmed appointments of the event type that have not ended at `now`, the next one first.
pub async fn appointment_list_upcoming_for_event_type(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    event_type_id: &EventTypeId,
    now: DateTime<Utc>,
) -> Result<Vec<Appointment>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from appointment
         where organization_id = $1 and event_type_id = $2 and status in ('pending', 'confirmed') and end_at > $3
         order by start_at, id"
    ))
    .bind(organization_id)
    .bind(event_type_id)
    .bind(now)
    .list(tx)
    .await
}

/// The host's confirmed appointments that have not ended at `now`, the next one first.
pub async fn appointment_list_upcoming_for_host(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    host_user_id: &UserId,
    now: DateTime<Utc>,
) -> Result<Vec<Appointment>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from appointment
         where organization_id = $1 and status = 'confirmed' and end_at > $3 and host_user_id = $2
         order by start_at, id"
    ))
    .bind(organization_id)
    .bind(host_user_id)
    .bind(now)
    .list(tx)
    .await
}

/// The appointments that use the claim, and those that did when they ended; oldest first.
pub async fn appointment_list_by_claim(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    claim_id: &ClaimId,
) -> Result<Vec<Appointment>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from appointment where organization_id = $1 and claim_id = $2 order by created_at, id"
    ))
    .bind(organization_id)
    .bind(claim_id)
    .list(tx)
    .await
}

/// The confirmed appointments that have not ended at `now` and whose event stands in the calendar, the next one first.
pub async fn appointment_list_by_calendar(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    now: DateTime<Utc>,
) -> Result<Vec<Appointment>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from appointment
         where organization_id = $1 and status = 'confirmed' and end_at > $3
           and claim_id in (select claim_id from appointment_external_mapping
                             where organization_id = $1 and calendar_id = $2 and deleted_at is null)
         order by start_at, id"
    ))
    .bind(organization_id)
    .bind(calendar_id)
    .bind(now)
    .list(tx)
    .await
}

/// Every appointment of the series, in its order.
pub async fn appointment_list_by_series(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    series_id: &SeriesId,
) -> Result<Vec<Appointment>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from appointment where organization_id = $1 and series_id = $2 order by series_position, id"
    ))
    .bind(organization_id)
    .bind(series_id)
    .list(tx)
    .await
}

struct ExpiringRow(OrganizationId, AppointmentId);

impl Record for ExpiringRow {
    const TABLE: &'static str = "appointment";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.parse("organization_id", OrganizationId::parse)?, fields.parse("id", AppointmentId::parse)?))
    }
}

/// At most `limit` pending appointments of all organizations about which nobody decided in time: for the worker. The longest
/// waiting first.
pub async fn appointments_expiring(
    tx: &mut Tx,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<(OrganizationId, AppointmentId)>, StoreError> {
    let rows: Vec<ExpiringRow> = sql("select organization_id, id from appointment
          where status = 'pending' and expires_at <= $1 order by expires_at, id limit $2")
    .bind(now)
    .bind(limit)
    .list(tx)
    .await?;
    Ok(rows.into_iter().map(|ExpiringRow(organization_id, id)| (organization_id, id)).collect())
}

/// What a host was given lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostLoad {
    pub user_id: UserId,
    pub count: u32,
    pub last_given: DateTime<Utc>,
}

impl Record for HostLoad {
    const TABLE: &'static str = "appointment";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            user_id: fields.parse("host_user_id", UserId::parse)?,
            count: fields.number("given")?,
            last_given: fields.instant("last_given")?,
        })
    }
}

/// How many of the event type's pending and confirmed appointments each host got that were booked at `since` or later.
pub async fn appointment_loads(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    event_type_id: &EventTypeId,
    since: DateTime<Utc>,
) -> Result<Vec<HostLoad>, StoreError> {
    sql("select host_user_id, count(*) as given, max(created_at) as last_given from appointment
          where organization_id = $1 and event_type_id = $2 and created_at >= $3 and status in ('pending', 'confirmed')
          group by host_user_id order by host_user_id")
    .bind(organization_id)
    .bind(event_type_id)
    .bind(since)
    .list(tx)
    .await
}
