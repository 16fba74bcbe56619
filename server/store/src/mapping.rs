//! Where an appointment lives in the host's calendar.

use chrono::{DateTime, Utc};
use cupo_core::ids::{CalendarId, ClaimId, OrganizationId, UserId};

use crate::row::{Fields, Record, text_enum};
use crate::tx::sql;
use crate::{StoreError, Tx};

text_enum! {
    /// How far the provider's meeting link is.
    pub enum MeetingState {
        /// None was asked for.
        None = "none",
        Pending = "pending",
        Ready = "ready",
        Failed = "failed",
    }
}

/// The external event of a claim, which its appointments share: one at most. It outlives its claim and its calendar, so
/// that no second event is made.
#[derive(Debug, Clone)]
pub struct AppointmentExternalMapping {
    pub claim_id: ClaimId,
    pub organization_id: OrganizationId,
    pub calendar_id: CalendarId,
    pub external_event_id: String,
    pub etag: Option<String>,
    /// RFC 5545 `UID`, by which copies of the event in other calendars are known.
    pub ical_uid: Option<String>,
    pub html_link: Option<String>,
    pub meeting_state: MeetingState,
    /// The [`sequence`](crate::Appointment::sequence) that the provider has.
    pub pushed_sequence: i64,
    /// The start that the provider was last told; `None` where that is not known.
    pub pushed_start: Option<DateTime<Utc>>,
    /// The e-mail addresses of everybody whom the provider was told to invite.
    pub guests: Vec<String>,
    /// The e-mail addresses of the visitors who declined in their calendar, as far as people were told.
    pub declined: Vec<String>,
    /// When the event was written, as long as no round of the calendar has told of it since: it may be gone without a word.
    pub untold_since: Option<DateTime<Utc>>,
    /// When the external event was found or made to be gone.
    pub deleted_at: Option<DateTime<Utc>>,
}

macro_rules! columns {
    () => {
        "claim_id, organization_id, calendar_id, external_event_id, etag, ical_uid, html_link, \
         meeting_state, pushed_sequence, pushed_start, guests, declined, untold_since, deleted_at"
    };
}

impl Record for AppointmentExternalMapping {
    const TABLE: &'static str = "appointment_external_mapping";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            claim_id: fields.parse("claim_id", ClaimId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            calendar_id: fields.parse("calendar_id", CalendarId::parse)?,
            external_event_id: fields.text("external_event_id")?,
            etag: fields.optional_text("etag")?,
            ical_uid: fields.optional_text("ical_uid")?,
            html_link: fields.optional_text("html_link")?,
            meeting_state: fields.choice("meeting_state", MeetingState::parse)?,
            pushed_sequence: fields.int("pushed_sequence")?,
            pushed_start: fields.optional_instant("pushed_start")?,
            guests: fields.json("guests")?,
            declined: fields.json("declined")?,
            untold_since: fields.optional_instant("untold_since")?,
            deleted_at: fields.optional_instant("deleted_at")?,
        })
    }
}

/// Inserts the claim's mapping or replaces it. Fails with
/// `Unique("appointment_external_mapping.external_event_id")` when the external event belongs to another claim.
pub async fn mapping_upsert(tx: &mut Tx, mapping: &AppointmentExternalMapping) -> Result<(), StoreError> {
    let stored = sql(concat!(
        "insert into appointment_external_mapping (",
        columns!(),
        ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         on conflict (claim_id) do update
            set calendar_id = excluded.calendar_id, external_event_id = excluded.external_event_id,
                etag = excluded.etag, ical_uid = excluded.ical_uid, html_link = excluded.html_link,
                meeting_state = excluded.meeting_state, pushed_sequence = excluded.pushed_sequence,
                pushed_start = excluded.pushed_start, guests = excluded.guests, declined = excluded.declined,
                untold_since = excluded.untold_since, deleted_at = excluded.deleted_at
          where appointment_external_mapping.organization_id = excluded.organization_id"
    ))
    .bind(&mapping.claim_id)
    .bind(&mapping.organization_id)
    .bind(&mapping.calendar_id)
    .bind(&mapping.external_event_id)
    .bind(&mapping.etag)
    .bind(&mapping.ical_uid)
    .bind(&mapping.html_link)
    .bind(mapping.meeting_state.as_str())
    .bind(mapping.pushed_sequence)
    .bind(mapping.pushed_start)
    .bind(serde_json::to_string(&mapping.guests)?)
    .bind(serde_json::to_string(&mapping.declined)?)
    .bind(mapping.untold_since)
    .bind(mapping.deleted_at)
    .execute(tx)
    .await?;
    if stored == 1 { Ok(()) } else { Err(StoreError::Unique("appointment_external_mapping.claim_id".to_owned())) }
}

pub async fn mapping_get(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    claim_id: &ClaimId,
) -> Result<Option<AppointmentExternalMapping>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from appointment_external_mapping where organization_id = $1 and claim_id = $2"
    ))
    .bind(organization_id)
    .bind(claim_id)
    .optional(tx)
    .await
}

/// The mapping of an event that a calendar told of; also when it is marked as deleted.
pub async fn mapping_get_by_external(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    external_event_id: &str,
) -> Result<Option<AppointmentExternalMapping>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from appointment_external_mapping
         where organization_id = $1 and calendar_id = $2 and external_event_id = $3"
    ))
    .bind(organization_id)
    .bind(calendar_id)
    .bind(external_event_id)
    .optional(tx)
    .await
}

/// The mappings of an event in any calendar, by its id there or its UID: it may have been moved from one to another, and those
/// who are invited have copies of it. Also when they are marked as deleted.
pub async fn mapping_list_by_event(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    external_event_id: &str,
    ical_uid: Option<&str>,
) -> Result<Vec<AppointmentExternalMapping>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from appointment_external_mapping
         where organization_id = $1 and (external_event_id = $2 or ical_uid = $3) order by calendar_id"
    ))
    .bind(organization_id)
    .bind(external_event_id)
    .bind(ical_uid)
    .list(tx)
    .await
}

/// The mappings into the calendar of confirmed appointments that are not over at `now`: the events that are to stand there.
pub async fn mapping_list_standing(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    now: DateTime<Utc>,
) -> Result<Vec<AppointmentExternalMapping>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from appointment_external_mapping
         where organization_id = $1 and calendar_id = $2 and deleted_at is null
           and exists (select 1 from appointment a
                        where a.organization_id = appointment_external_mapping.organization_id
                          and a.claim_id = appointment_external_mapping.claim_id
                          and a.status = 'confirmed' and a.end_at > $3)
         order by claim_id"
    ))
    .bind(organization_id)
    .bind(calendar_id)
    .bind(now)
    .list(tx)
    .await
}

/// The external event of a coming appointment, as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEvent {
    pub external_event_id: String,
    pub etag: Option<String>,
    /// As in [`AppointmentExternalMapping`].
    pub untold_since: Option<DateTime<Utc>>,
}

impl Record for KnownEvent {
    const TABLE: &'static str = "appointment_external_mapping";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            external_event_id: fields.text("external_event_id")?,
            etag: fields.optional_text("etag")?,
            untold_since: fields.optional_instant("untold_since")?,
        })
    }
}

/// The events in a calendar of the host that are to stand there for confirmed appointments which are not over at `now`.
pub async fn mapping_list_known(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    host_user_id: &UserId,
    calendar_id: &CalendarId,
    now: DateTime<Utc>,
) -> Result<Vec<KnownEvent>, StoreError> {
    sql("select distinct m.external_event_id, m.etag, m.untold_since
           from appointment a join appointment_external_mapping m on m.claim_id = a.claim_id
          where a.organization_id = $1 and a.status = 'confirmed' and a.end_at > $4 and a.host_user_id = $2
            and m.organization_id = $1 and m.calendar_id = $3 and m.deleted_at is null")
    .bind(organization_id)
    .bind(host_user_id)
    .bind(calendar_id)
    .bind(now)
    .list(tx)
    .await
}

/// Marks the external event as gone, once: `false` when it was marked already.
pub async fn mapping_mark_deleted(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    claim_id: &ClaimId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = sql("update appointment_external_mapping set deleted_at = $3
          where organization_id = $1 and claim_id = $2 and deleted_at is null")
    .bind(organization_id)
    .bind(claim_id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}
