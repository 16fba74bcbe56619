//! Who can be booked by an event type.

use cupo_core::ids::{CalendarId, EventTypeId, OrganizationId, ScheduleId, UserId};

use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// A host of an event type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTypeHost {
    pub organization_id: OrganizationId,
    pub event_type_id: EventTypeId,
    pub user_id: UserId,
    /// When the host can be booked for this event type.
    pub schedule_id: ScheduleId,
    /// Where all take part: whether it cannot take place without this host.
    pub is_required: bool,
    /// A host of weight 2 gets twice as many as one of weight 1. At least 1.
    pub weight: u32,
    /// Hosts of a lower number come first.
    pub priority: u32,
    /// The calendars whose events are conflicts; `None`: those that the host chose for everything.
    pub conflict_calendar_ids: Option<Vec<CalendarId>>,
    /// Where the events go; `None`: to the calendar that the host chose for everything.
    pub target_calendar_id: Option<CalendarId>,
}

impl Record for EventTypeHost {
    const TABLE: &'static str = "event_type_host";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            event_type_id: fields.parse("event_type_id", EventTypeId::parse)?,
            user_id: fields.parse("user_id", UserId::parse)?,
            schedule_id: fields.parse("schedule_id", ScheduleId::parse)?,
            is_required: fields.flag("is_required")?,
            weight: fields.number("weight")?,
            priority: fields.number("priority")?,
            conflict_calendar_ids: fields.optional_parse("conflict_calendar_ids", |json| serde_json::from_str(json))?,
            target_calendar_id: fields.optional_parse("target_calendar_id", CalendarId::parse)?,
        })
    }
}

/// In the order in which they were stored.
pub async fn event_type_host_list(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    event_type_id: &EventTypeId,
) -> Result<Vec<EventTypeHost>, StoreError> {
    sql("select organization_id, event_type_id, user_id, schedule_id, is_required, weight, priority, conflict_calendar_ids,
                target_calendar_id
           from event_type_host where organization_id = $1 and event_type_id = $2 order by position, user_id")
    .bind(organization_id)
    .bind(event_type_id)
    .list(tx)
    .await
}

/// The user's places among the hosts of event types that look at calendars of their own, or write to one.
pub async fn event_type_hosts_with_own_calendars(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<Vec<EventTypeHost>, StoreError> {
    sql("select organization_id, event_type_id, user_id, schedule_id, is_required, weight, priority, conflict_calendar_ids,
                target_calendar_id
           from event_type_host
          where organization_id = $1 and user_id = $2 and (conflict_calendar_ids is not null or target_calendar_id is not null)
          order by event_type_id")
    .bind(organization_id)
    .bind(user_id)
    .list(tx)
    .await
}

/// Makes these the hosts of the event type, in this order, whatever ids of organization and event type they carry. Fails
/// with `Unique("event_type_host.user_id")` when one is named twice.
pub async fn event_type_hosts_replace(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    event_type_id: &EventTypeId,
    hosts: &[EventTypeHost],
) -> Result<(), StoreError> {
    sql("delete from event_type_host where organization_id = $1 and event_type_id = $2")
        .bind(organization_id)
        .bind(event_type_id)
        .execute(tx)
        .await?;
    for (position, host) in (0i64..).zip(hosts) {
        let conflicts = host.conflict_calendar_ids.as_ref().map(serde_json::to_string).transpose()?;
        sql("insert into event_type_host
                 (organization_id, event_type_id, user_id, schedule_id, is_required, weight, priority, position,
                  conflict_calendar_ids, target_calendar_id)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
        .bind(organization_id)
        .bind(event_type_id)
        .bind(&host.user_id)
        .bind(&host.schedule_id)
        .bind(host.is_required)
        .bind(host.weight)
        .bind(host.priority)
        .bind(position)
        .bind(&conflicts)
        .bind(host.target_calendar_id.as_ref())
        .execute(tx)
        .await?;
    }
    Ok(())
}
