//! Secret addresses that book once.

use chrono::{DateTime, Utc};
use cupo_core::ids::{AppointmentId, BookingLinkId, EventTypeId, OrganizationId, UserId};

use crate::row::{Fields, Record, shown_in_debug};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// An address of an event type that serves for one booking.
#[derive(Clone)]
pub struct BookingLink {
    pub id: BookingLinkId,
    pub organization_id: OrganizationId,
    pub event_type_id: EventTypeId,
    /// Of the token in the address. Unique.
    pub token_hash: Vec<u8>,
    pub created_by: UserId,
    pub created_at: DateTime<Utc>,
    /// It serves before this instant; always, where there is none.
    pub expires_at: Option<DateTime<Utc>>,
    pub used_at: Option<DateTime<Utc>>,
    /// What it was used for.
    pub appointment_id: Option<AppointmentId>,
}

shown_in_debug!(BookingLink {
    id,
    organization_id,
    event_type_id,
    created_by,
    created_at,
    expires_at,
    used_at,
    appointment_id,
});

macro_rules! columns {
    () => {
        "id, organization_id, event_type_id, token_hash, created_by, created_at, expires_at, used_at, appointment_id"
    };
}

impl Record for BookingLink {
    const TABLE: &'static str = "booking_link";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", BookingLinkId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            event_type_id: fields.parse("event_type_id", EventTypeId::parse)?,
            token_hash: fields.blob("token_hash")?,
            created_by: fields.parse("created_by", UserId::parse)?,
            created_at: fields.instant("created_at")?,
            expires_at: fields.optional_instant("expires_at")?,
            used_at: fields.optional_instant("used_at")?,
            appointment_id: fields.optional_parse("appointment_id", AppointmentId::parse)?,
        })
    }
}

pub async fn booking_link_insert(tx: &mut Tx, link: &BookingLink) -> Result<(), StoreError> {
    sql(concat!("insert into booking_link (", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"))
        .bind(&link.id)
        .bind(&link.organization_id)
        .bind(&link.event_type_id)
        .bind(&link.token_hash)
        .bind(&link.created_by)
        .bind(link.created_at)
        .bind(link.expires_at)
        .bind(link.used_at)
        .bind(link.appointment_id.as_ref())
        .execute(tx)
        .await
        .map(drop)
}

/// The link of a visitor's token, of any organization, used or expired or not.
pub async fn booking_link_get_by_token_hash(tx: &mut Tx, token_hash: &[u8]) -> Result<Option<BookingLink>, StoreError> {
    sql(concat!("select ", columns!(), " from booking_link where token_hash = $1")).bind(token_hash).optional(tx).await
}

/// The latest first.
pub async fn booking_link_list(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    event_type_id: &EventTypeId,
) -> Result<Vec<BookingLink>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from booking_link where organization_id = $1 and event_type_id = $2 order by created_at desc, id desc"
    ))
    .bind(organization_id)
    .bind(event_type_id)
    .list(tx)
    .await
}

/// Uses the link up, once: `false` when it was used already or has expired at `now`.
pub async fn booking_link_use(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    booking_link_id: &BookingLinkId,
    appointment_id: &AppointmentId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = sql("update booking_link set used_at = $4, appointment_id = $3
          where organization_id = $1 and id = $2 and used_at is null and (expires_at is null or expires_at > $4)")
    .bind(organization_id)
    .bind(booking_link_id)
    .bind(appointment_id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

pub async fn booking_link_delete(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    booking_link_id: &BookingLinkId,
) -> Result<bool, StoreError> {
    let deleted = sql("delete from booking_link where organization_id = $1 and id = $2")
        .bind(organization_id)
        .bind(booking_link_id)
        .execute(tx)
        .await?;
    Ok(deleted == 1)
}
