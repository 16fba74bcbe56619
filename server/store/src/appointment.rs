//! Booked times.

use chrono::{DateTime, Utc};
use cupo_core::appointment::{AppointmentStatus, CancelledBy};
use cupo_core::event_type::Location;
use cupo_core::ids::{AppointmentId, EventTypeId, OrganizationId, UserId};
use cupo_core::interval::Interval;
use cupo_core::parse::{EmailAddress, PhoneNumber};
use cupo_core::text::Locale;
use cupo_core::zone::TimeZoneName;

use crate::event_type::location;
use crate::row::{Fields, Record, shown_in_debug};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// A time that a visitor booked with a host.
#[derive(Clone)]
pub struct Appointment {
    pub id: AppointmentId,
    pub organization_id: OrganizationId,
    pub event_type_id: EventTypeId,
    pub host_user_id: UserId,
    /// The event type's title when it was booked.
    pub title: String,
    pub status: AppointmentStatus,
    pub start_at: DateTime<Utc>,
    pub end_at: DateTime<Utc>,
    /// The time taken from the host: the appointment and its buffers. The claims of a host's confirmed appointments never
    /// overlap.
    pub claim: Interval,
    pub visitor_name: String,
    pub visitor_email: EmailAddress,
    pub visitor_phone: Option<PhoneNumber>,
    pub visitor_notes: Option<String>,
    pub visitor_time_zone: TimeZoneName,
    pub visitor_locale: Locale,
    pub location: Location,
    pub meeting_url: Option<String>,
    /// Whoever holds the token whose hash this is may cancel or move the appointment. Unique.
    pub manage_token_hash: Vec<u8>,
    /// iCalendar's `SEQUENCE` (RFC 5545, 3.8.7.4): rises with each move and with the cancellation.
    pub sequence: i64,
    pub cancel_reason: Option<String>,
    pub cancelled_by: Option<CancelledBy>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

shown_in_debug!(Appointment {
    id,
    organization_id,
    event_type_id,
    host_user_id,
    status,
    start_at,
    end_at,
    claim,
    sequence,
    created_at,
    updated_at,
});

/// Which appointments a list holds, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppointmentFilter {
    /// Confirmed ones that have not ended: the next one first.
    Upcoming,
    /// Confirmed ones that have ended: the latest first.
    Past,
    /// Cancelled ones: the latest start first.
    Cancelled,
}

/// The last appointment of a page: the next page starts behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppointmentCursor {
    pub start_at: DateTime<Utc>,
    pub id: AppointmentId,
}

/// What [`appointment_move`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveOutcome {
    /// It has the new time and this sequence.
    Moved { sequence: i64 },
    /// Nothing changed: it is gone, no longer confirmed, or its sequence is another.
    Stale,
}

macro_rules! columns {
    () => {
        "id, organization_id, event_type_id, host_user_id, title, status, start_at, end_at, claim_start, claim_end, \
         visitor_name, visitor_email, visitor_phone, visitor_notes, visitor_time_zone, visitor_locale, location_kind, \
         location_detail, meeting_url, manage_token_hash, sequence, cancel_reason, cancelled_by, created_at, updated_at"
    };
}

impl Record for Appointment {
    const TABLE: &'static str = "appointment";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", AppointmentId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            event_type_id: fields.parse("event_type_id", EventTypeId::parse)?,
            host_user_id: fields.parse("host_user_id", UserId::parse)?,
            title: fields.text("title")?,
            status: fields.choice("status", AppointmentStatus::parse)?,
            start_at: fields.instant("start_at")?,
            end_at: fields.instant("end_at")?,
            claim: fields.interval("claim_start", "claim_end")?,
            visitor_name: fields.text("visitor_name")?,
            visitor_email: fields.parse("visitor_email", EmailAddress::parse)?,
            visitor_phone: fields.optional_parse("visitor_phone", PhoneNumber::parse)?,
            visitor_notes: fields.optional_text("visitor_notes")?,
            visitor_time_zone: fields.parse("visitor_time_zone", TimeZoneName::parse)?,
            visitor_locale: fields.choice("visitor_locale", Locale::parse)?,
            location: location(fields)?,
            meeting_url: fields.optional_text("meeting_url")?,
            manage_token_hash: fields.blob("manage_token_hash")?,
            sequence: fields.int("sequence")?,
            cancel_reason: fields.optional_text("cancel_reason")?,
            cancelled_by: fields.optional_parse("cancelled_by", |by| CancelledBy::parse(by).ok_or(()))?,
            created_at: fields.instant("created_at")?,
            updated_at: fields.instant("updated_at")?,
        })
    }
}

/// Fails with [`StoreError::ClaimTaken`] when the claim overlaps that of another confirmed appointment of the host.
pub async fn appointment_insert(tx: &mut Tx, appointment: &Appointment) -> Result<(), StoreError> {
    sql(concat!(
        "insert into appointment (",
        columns!(),
        ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
         $22, $23, $24, $25)"
    ))
    .bind(&appointment.id)
    .bind(&appointment.organization_id)
    .bind(&appointment.event_type_id)
    .bind(&appointment.host_user_id)
    .bind(&appointment.title)
    .bind(appointment.status.as_str())
    .bind(appointment.start_at)
    .bind(appointment.end_at)
    .bind(appointment.claim.start)
    .bind(appointment.claim.end)
    .bind(&appointment.visitor_name)
    .bind(appointment.visitor_email.as_str())
    .bind(appointment.visitor_phone.as_ref().map(PhoneNumber::as_str))
    .bind(&appointment.visitor_notes)
    .bind(appointment.visitor_time_zone.as_str())
    .bind(appointment.visitor_locale.as_str())
    .bind(appointment.location.kind())
    .bind(appointment.location.detail())
    .bind(&appointment.meeting_url)
    .bind(&appointment.manage_token_hash)
    .bind(appointment.sequence)
    .bind(&appointment.cancel_reason)
    .bind(appointment.cancelled_by.map(CancelledBy::as_str))
    .bind(appointment.created_at)
    .bind(appointment.updated_at)
    .execute(tx)
    .await
    .map(drop)
}

pub async fn appointment_get(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    appointment_id: &AppointmentId,
) -> Result<Option<Appointment>, StoreError> {
    sql(concat!("select ", columns!(), " from appointment where organization_id = $1 and id = $2"))
        .bind(organization_id)
        .bind(appointment_id)
        .optional(tx)
        .await
}

/// The appointment of a visitor's secret link, of any organization.
pub async fn appointment_get_by_token_hash(
    tx: &mut Tx,
    manage_token_hash: &[u8],
) -> Result<Option<Appointment>, StoreError> {
    sql(concat!("select ", columns!(), " from appointment where manage_token_hash = $1"))
        .bind(manage_token_hash)
        .optional(tx)
        .await
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
                 where organization_id = $1 and status = 'cancelled' and (start_at, id) < ($2, $3)
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
        AppointmentFilter::Cancelled => statement.list(tx).await,
    }
}

struct ClaimRow(AppointmentId, Interval);

impl Record for ClaimRow {
    const TABLE: &'static str = "appointment";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.parse("id", AppointmentId::parse)?, fields.interval("claim_start", "claim_end")?))
    }
}

/// The claims of the host's confirmed appointments that overlap `range`, by time.
pub async fn appointment_list_claims(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    host_user_id: &UserId,
    range: Interval,
) -> Result<Vec<(AppointmentId, Interval)>, StoreError> {
    let rows: Vec<ClaimRow> = sql("select id, claim_start, claim_end from appointment
          where organization_id = $1 and host_user_id = $2 and status = 'confirmed'
            and claim_end > $3 and claim_start < $4
          order by claim_start")
    .bind(organization_id)
    .bind(host_user_id)
    .bind(range.start)
    .bind(range.end)
    .list(tx)
    .await?;
    Ok(rows.into_iter().map(|ClaimRow(id, claim)| (id, claim)).collect())
}

/// The confirmed appointments of the event type that have not ended at `now`, the next one first.
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
         where organization_id = $1 and event_type_id = $2 and status = 'confirmed' and end_at > $3
         order by start_at, id"
    ))
    .bind(organization_id)
    .bind(event_type_id)
    .bind(now)
    .list(tx)
    .await
}

struct SequenceRow(i64);

impl Record for SequenceRow {
    const TABLE: &'static str = "appointment";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.int("sequence")?))
    }
}

/// Gives a confirmed appointment another time, if its sequence is still `expected_sequence`, and raises the sequence.
/// Fails with [`StoreError::ClaimTaken`] when the new claim overlaps that of another confirmed appointment of the host.
#[expect(clippy::too_many_arguments, reason = "the three times are one value only together with their appointment")]
pub async fn appointment_move(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    appointment_id: &AppointmentId,
    expected_sequence: i64,
    start_at: DateTime<Utc>,
    end_at: DateTime<Utc>,
    claim: Interval,
    now: DateTime<Utc>,
) -> Result<MoveOutcome, StoreError> {
    let moved: Option<SequenceRow> = sql("update appointment
            set start_at = $4, end_at = $5, claim_start = $6, claim_end = $7, sequence = sequence + 1, updated_at = $8
          where organization_id = $1 and id = $2 and sequence = $3 and status = 'confirmed'
         returning sequence")
    .bind(organization_id)
    .bind(appointment_id)
    .bind(expected_sequence)
    .bind(start_at)
    .bind(end_at)
    .bind(claim.start)
    .bind(claim.end)
    .bind(now)
    .optional(tx)
    .await?;
    Ok(moved.map_or(MoveOutcome::Stale, |SequenceRow(sequence)| MoveOutcome::Moved { sequence }))
}

/// Cancels a confirmed appointment, if its sequence is still `expected_sequence`, and raises the sequence. Its claim is
/// free from then on.
pub async fn appointment_cancel(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    appointment_id: &AppointmentId,
    expected_sequence: i64,
    by: CancelledBy,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = sql("update appointment
            set status = 'cancelled', cancelled_by = $4, cancel_reason = $5, sequence = sequence + 1, updated_at = $6
          where organization_id = $1 and id = $2 and sequence = $3 and status = 'confirmed'")
    .bind(organization_id)
    .bind(appointment_id)
    .bind(expected_sequence)
    .bind(by.as_str())
    .bind(reason)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Stores where the visitor joins. That is no change of the appointment: sequence and `updated_at` stay.
pub async fn appointment_set_meeting_url(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    appointment_id: &AppointmentId,
    meeting_url: Option<&str>,
) -> Result<bool, StoreError> {
    let changed = sql("update appointment set meeting_url = $3 where organization_id = $1 and id = $2")
        .bind(organization_id)
        .bind(appointment_id)
        .bind(meeting_url)
        .execute(tx)
        .await?;
    Ok(changed == 1)
}
