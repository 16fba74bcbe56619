//! Booked times.

mod change;
mod list;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use cupo_core::appointment::{AppointmentStatus, CancelledBy};
use cupo_core::event_type::Location;
use cupo_core::ids::{AppointmentId, ClaimId, EventTypeId, OrganizationId, SeriesId, UserId};
use cupo_core::interval::Interval;
use cupo_core::parse::{EmailAddress, PhoneNumber};
use cupo_core::question::Answer;
use cupo_core::text::LanguageTag;
use cupo_core::zone::TimeZoneName;

use crate::claim::{self, Slot};
use crate::event_type::location;
use crate::row::{Fields, Record, shown_in_debug};
use crate::tx::sql;
use crate::{StoreError, Tx};

pub use change::*;
pub use list::*;

/// A time that a visitor booked with a host.
#[derive(Clone)]
pub struct Appointment {
    pub id: AppointmentId,
    pub organization_id: OrganizationId,
    pub event_type_id: EventTypeId,
    /// Its one host, or the first of several: [`claim_hosts`](crate::claim_hosts) tells all.
    pub host_user_id: UserId,
    /// The event type's title when it was booked.
    pub title: String,
    pub status: AppointmentStatus,
    pub start_at: DateTime<Utc>,
    pub end_at: DateTime<Utc>,
    /// The time that it takes, or took, from each of its hosts: the appointment and its buffers.
    pub claim: Interval,
    /// Of the [`Claim`](crate::Claim) by which a pending or confirmed appointment takes it. Appointments that share a slot's
    /// seats have one.
    pub claim_id: ClaimId,
    pub series_id: Option<SeriesId>,
    /// Where in its series it stands, from 0.
    pub series_position: Option<u32>,
    pub visitor_name: String,
    pub visitor_email: EmailAddress,
    pub visitor_phone: Option<PhoneNumber>,
    pub visitor_notes: Option<String>,
    pub visitor_time_zone: TimeZoneName,
    pub visitor_language: LanguageTag,
    pub answers: Vec<Answer>,
    /// Where the visitor came from, by the names of [`tracking::NAMES`](cupo_core::tracking::NAMES).
    pub tracking: BTreeMap<String, String>,
    pub location: Location,
    pub meeting_url: Option<String>,
    /// Whoever holds the token whose hash this is may cancel or move the appointment. Unique.
    pub manage_token_hash: Vec<u8>,
    /// iCalendar's `SEQUENCE` (RFC 5545, 3.8.7.4): rises with each change of time or status.
    pub sequence: i64,
    pub cancel_reason: Option<String>,
    pub cancelled_by: Option<CancelledBy>,
    /// Until when a host may think about a pending one.
    pub expires_at: Option<DateTime<Utc>>,
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
    claim_id,
    series_id,
    series_position,
    sequence,
    expires_at,
    created_at,
    updated_at,
});

macro_rules! columns {
    () => {
        "id, organization_id, event_type_id, host_user_id, title, status, start_at, end_at, claim_start, claim_end, \
         claim_id, series_id, series_position, visitor_name, visitor_email, visitor_phone, visitor_notes, \
         visitor_time_zone, visitor_locale, answers, tracking, location_kind, location_detail, meeting_url, \
         manage_token_hash, sequence, cancel_reason, cancelled_by, expires_at, created_at, updated_at"
    };
}
use columns;

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
            claim_id: fields.parse("claim_id", ClaimId::parse)?,
            series_id: fields.optional_parse("series_id", SeriesId::parse)?,
            series_position: fields
                .optional_int("series_position")?
                .map(|position| fields.present("series_position", u32::try_from(position).ok()))
                .transpose()?,
            visitor_name: fields.text("visitor_name")?,
            visitor_email: fields.parse("visitor_email", EmailAddress::parse)?,
            visitor_phone: fields.optional_parse("visitor_phone", PhoneNumber::parse)?,
            visitor_notes: fields.optional_text("visitor_notes")?,
            visitor_time_zone: fields.parse("visitor_time_zone", TimeZoneName::parse)?,
            visitor_language: fields.choice("visitor_locale", LanguageTag::parse)?,
            answers: fields.json("answers")?,
            tracking: fields.json("tracking")?,
            location: location(fields)?,
            meeting_url: fields.optional_text("meeting_url")?,
            manage_token_hash: fields.blob("manage_token_hash")?,
            sequence: fields.int("sequence")?,
            cancel_reason: fields.optional_text("cancel_reason")?,
            cancelled_by: fields.optional_parse("cancelled_by", |by| CancelledBy::parse(by).ok_or(()))?,
            expires_at: fields.optional_instant("expires_at")?,
            created_at: fields.instant("created_at")?,
            updated_at: fields.instant("updated_at")?,
        })
    }
}

/// A pending or confirmed one takes its time from the hosts: a claim of its own, or, where the claim that it names exists at
/// this very time, one more of its seats, of which there are `seats` from now on (`hosts` counts for nothing then).
///
/// Fails with [`StoreError::ClaimTaken`] when the claim overlaps another one on a host's time, or no seat is left. Where a
/// slot has seats that also happens to those who lost the race for its first one: in a new transaction they find the claim.
pub async fn appointment_insert(
    tx: &mut Tx,
    appointment: &Appointment,
    hosts: &[UserId],
    seats: u32,
) -> Result<(), StoreError> {
    if appointment.status.claims_time() {
        let slot = Slot {
            organization_id: &appointment.organization_id,
            event_type_id: &appointment.event_type_id,
            claim_id: &appointment.claim_id,
            start_at: appointment.start_at,
            end_at: appointment.end_at,
            claim: appointment.claim,
            seats,
        };
        claim::take(tx, &slot, hosts, appointment.created_at).await?;
    }
    sql(concat!(
        "insert into appointment (",
        columns!(),
        ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
         $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)"
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
    .bind(&appointment.claim_id)
    .bind(appointment.series_id.as_ref())
    .bind(appointment.series_position)
    .bind(&appointment.visitor_name)
    .bind(appointment.visitor_email.as_str())
    .bind(appointment.visitor_phone.as_ref().map(PhoneNumber::as_str))
    .bind(&appointment.visitor_notes)
    .bind(appointment.visitor_time_zone.as_str())
    .bind(appointment.visitor_language.to_string())
    .bind(serde_json::to_string(&appointment.answers)?)
    .bind(serde_json::to_string(&appointment.tracking)?)
    .bind(appointment.location.kind())
    .bind(appointment.location.detail())
    .bind(&appointment.meeting_url)
    .bind(&appointment.manage_token_hash)
    .bind(appointment.sequence)
    .bind(&appointment.cancel_reason)
    .bind(appointment.cancelled_by.map(CancelledBy::as_str))
    .bind(appointment.expires_at)
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
