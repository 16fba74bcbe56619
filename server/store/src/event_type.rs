//! What can be booked.

use chrono::{DateTime, Utc};
use cupo_core::event_type::{Location, Options, Rules};
use cupo_core::ids::{EventTypeId, OrganizationId, ScheduleId, UserId};
use cupo_core::parse::Slug;

use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// A kind of appointment that visitors can book with its [hosts](crate::EventTypeHost).
#[derive(Debug, Clone)]
pub struct EventType {
    pub id: EventTypeId,
    pub organization_id: OrganizationId,
    /// Whose event type it is.
    pub host_user_id: UserId,
    /// Its zone is the event type's.
    pub schedule_id: ScheduleId,
    /// Unique in the organization: the last part of the public address.
    pub slug: Slug,
    pub title: String,
    pub description: String,
    pub rules: Rules,
    pub options: Options,
    pub location: Location,
    pub is_active: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What [`event_type_delete`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventTypeRemoval {
    /// It is gone.
    Deleted,
    /// It has appointments: it was made inactive and keeps its slug.
    Deactivated,
    /// There is no such event type.
    NotFound,
}

macro_rules! columns {
    () => {
        "id, organization_id, host_user_id, schedule_id, slug, title, description, rules, options, location_kind, \
         location_detail, is_active, created_at, updated_at"
    };
}

impl Record for EventType {
    const TABLE: &'static str = "event_type";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", EventTypeId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            host_user_id: fields.parse("host_user_id", UserId::parse)?,
            schedule_id: fields.parse("schedule_id", ScheduleId::parse)?,
            slug: fields.parse("slug", Slug::parse)?,
            title: fields.text("title")?,
            description: fields.text("description")?,
            rules: fields.present("rules", Rules::parse(fields.json("rules")?).ok())?,
            options: fields.json("options")?,
            location: location(fields)?,
            is_active: fields.flag("is_active")?,
            created_at: fields.instant("created_at")?,
            updated_at: fields.instant("updated_at")?,
        })
    }
}

/// Reads the pair of columns that hold a location.
pub(crate) fn location(fields: &Fields<'_>) -> Result<Location, StoreError> {
    let detail = fields.text("location_detail")?;
    fields.parse("location_kind", |kind| Location::parse(kind, &detail))
}

/// Inserts no hosts: [`event_type_hosts_replace`](crate::event_type_hosts_replace) does. Fails with
/// `Unique("event_type.slug")` when the organization uses the slug already.
pub async fn event_type_insert(tx: &mut Tx, event_type: &EventType) -> Result<(), StoreError> {
    sql(concat!(
        "insert into event_type (",
        columns!(),
        ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
    ))
    .bind(&event_type.id)
    .bind(&event_type.organization_id)
    .bind(&event_type.host_user_id)
    .bind(&event_type.schedule_id)
    .bind(event_type.slug.as_str())
    .bind(&event_type.title)
    .bind(&event_type.description)
    .bind(serde_json::to_string(&event_type.rules.to_input())?)
    .bind(serde_json::to_string(&event_type.options)?)
    .bind(event_type.location.kind())
    .bind(event_type.location.detail())
    .bind(event_type.is_active)
    .bind(event_type.created_at)
    .bind(event_type.updated_at)
    .execute(tx)
    .await
    .map(drop)
}

pub async fn event_type_get(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    event_type_id: &EventTypeId,
) -> Result<Option<EventType>, StoreError> {
    sql(concat!("select ", columns!(), " from event_type where organization_id = $1 and id = $2"))
        .bind(organization_id)
        .bind(event_type_id)
        .optional(tx)
        .await
}

/// Inactive ones too: the caller tells a page that is switched off from one that never was.
pub async fn event_type_get_by_slug(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    slug: &Slug,
) -> Result<Option<EventType>, StoreError> {
    sql(concat!("select ", columns!(), " from event_type where organization_id = $1 and slug = $2"))
        .bind(organization_id)
        .bind(slug.as_str())
        .optional(tx)
        .await
}

/// Oldest first, inactive ones too.
pub async fn event_type_list(tx: &mut Tx, organization_id: &OrganizationId) -> Result<Vec<EventType>, StoreError> {
    sql(concat!("select ", columns!(), " from event_type where organization_id = $1 order by created_at, id"))
        .bind(organization_id)
        .list(tx)
        .await
}

/// The event types of which any host uses the schedule, oldest first.
pub async fn event_types_of_schedule(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    schedule_id: &ScheduleId,
) -> Result<Vec<EventType>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from event_type
         where organization_id = $1 and id in (
             select event_type_id from event_type_host where organization_id = $1 and schedule_id = $2)
         order by created_at, id"
    ))
    .bind(organization_id)
    .bind(schedule_id)
    .list(tx)
    .await
}

/// Stores everything but the id, the organization, the hosts and `created_at`. Fails with `Unique("event_type.slug")`.
pub async fn event_type_update(tx: &mut Tx, event_type: &EventType) -> Result<bool, StoreError> {
    let changed = sql("update event_type
            set host_user_id = $3, schedule_id = $4, slug = $5, title = $6, description = $7, rules = $8, options = $9,
                location_kind = $10, location_detail = $11, is_active = $12, updated_at = $13
          where organization_id = $1 and id = $2")
    .bind(&event_type.organization_id)
    .bind(&event_type.id)
    .bind(&event_type.host_user_id)
    .bind(&event_type.schedule_id)
    .bind(event_type.slug.as_str())
    .bind(&event_type.title)
    .bind(&event_type.description)
    .bind(serde_json::to_string(&event_type.rules.to_input())?)
    .bind(serde_json::to_string(&event_type.options)?)
    .bind(event_type.location.kind())
    .bind(event_type.location.detail())
    .bind(event_type.is_active)
    .bind(event_type.updated_at)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Deletes the event type if nobody ever booked it, with its hosts, links and holds; otherwise makes it inactive.
pub async fn event_type_delete(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    event_type_id: &EventTypeId,
    now: DateTime<Utc>,
) -> Result<EventTypeRemoval, StoreError> {
    let deleted = sql("delete from event_type
          where organization_id = $1 and id = $2
            and not exists (select 1 from appointment a where a.organization_id = $1 and a.event_type_id = $2)")
    .bind(organization_id)
    .bind(event_type_id)
    .execute(tx)
    .await?;
    if deleted == 1 {
        return Ok(EventTypeRemoval::Deleted);
    }
    let deactivated =
        sql("update event_type set is_active = 0, updated_at = $3 where organization_id = $1 and id = $2")
            .bind(organization_id)
            .bind(event_type_id)
            .bind(now)
            .execute(tx)
            .await?;
    Ok(if deactivated == 1 { EventTypeRemoval::Deactivated } else { EventTypeRemoval::NotFound })
}
