//! The mirror: when the calendars of a host are busy.

use std::collections::BTreeMap;

use cupo_core::ids::{CalendarId, OrganizationId};
use cupo_core::interval::Interval;

use crate::row::{Fields, Record, text_enum};
use crate::tx::{Statement, sql};
use crate::{StoreError, Tx};

text_enum! {
    /// Why the time is not free.
    pub enum BusyKind {
        Busy = "busy",
        Tentative = "tentative",
        OutOfOffice = "out_of_office",
    }
}

/// A time that an event of a calendar blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusyInterval {
    pub calendar_id: CalendarId,
    pub organization_id: OrganizationId,
    /// The provider's id of the event, or of the instance of a recurring one; unique in the calendar.
    pub external_event_id: String,
    pub interval: Interval,
    pub kind: BusyKind,
}

impl Record for Interval {
    const TABLE: &'static str = "busy_interval";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        fields.interval("start_at", "end_at")
    }
}

/// The intervals of the calendars that overlap `range`, by start: neither merged nor clipped.
pub async fn busy_interval_list(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_ids: &[CalendarId],
    range: Interval,
) -> Result<Vec<Interval>, StoreError> {
    if calendar_ids.is_empty() {
        return Ok(Vec::new());
    }
    let placeholders: Vec<String> = (4..4 + calendar_ids.len()).map(|number| format!("${number}")).collect();
    let statement = sql(format!(
        "select start_at, end_at from busy_interval
          where organization_id = $1 and end_at > $2 and start_at < $3 and calendar_id in ({})
          order by start_at",
        placeholders.join(", ")
    ))
    .bind(organization_id)
    .bind(range.start)
    .bind(range.end);
    calendar_ids.iter().fold(statement, Statement::bind).list(tx).await
}

/// Inserts the interval or gives the one of this event its new time and kind.
pub async fn busy_interval_upsert(tx: &mut Tx, busy: &BusyInterval) -> Result<(), StoreError> {
    upsert_rows(tx, &busy.organization_id, &busy.calendar_id, &[busy]).await
}

/// Inserts or updates rows in one statement; each event may be named once.
async fn upsert_rows(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    rows: &[&BusyInterval],
) -> Result<(), StoreError> {
    let row = |at: usize| {
        let n = at * 6;
        format!("(${}, ${}, ${}, ${}, ${}, ${})", n + 1, n + 2, n + 3, n + 4, n + 5, n + 6)
    };
    let values: Vec<String> = (0..rows.len()).map(row).collect();
    let statement = sql(format!(
        "insert into busy_interval (calendar_id, organization_id, external_event_id, start_at, end_at, kind)
         values {}
         on conflict (calendar_id, external_event_id) do update
            set start_at = excluded.start_at, end_at = excluded.end_at, kind = excluded.kind
          where busy_interval.organization_id = excluded.organization_id",
        values.join(", ")
    ));
    let stored = rows
        .iter()
        .fold(statement, |statement, busy| {
            statement
                .bind(calendar_id)
                .bind(organization_id)
                .bind(&busy.external_event_id)
                .bind(busy.interval.start)
                .bind(busy.interval.end)
                .bind(busy.kind.as_str())
        })
        .execute(tx)
        .await?;
    if stored == rows.len() as u64 {
        Ok(())
    } else {
        Err(StoreError::Unique("busy_interval.external_event_id".to_owned()))
    }
}

/// Forgets an event; `false` when it blocked nothing.
pub async fn busy_interval_delete(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    external_event_id: &str,
) -> Result<bool, StoreError> {
    let deleted = sql("delete from busy_interval
          where organization_id = $1 and calendar_id = $2 and external_event_id = $3")
    .bind(organization_id)
    .bind(calendar_id)
    .bind(external_event_id)
    .execute(tx)
    .await?;
    Ok(deleted == 1)
}

/// A full resync of a busy calendar holds hundreds of rows: so many go to the database at once.
const ROWS_PER_STATEMENT: usize = 50;

/// Makes the mirror of the calendar hold exactly these intervals, whatever ids of organization and calendar they carry.
/// Readers see it before or after, never between.
pub async fn busy_intervals_replace(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    intervals: Vec<BusyInterval>,
) -> Result<(), StoreError> {
    sql("delete from busy_interval where organization_id = $1 and calendar_id = $2")
        .bind(organization_id)
        .bind(calendar_id)
        .execute(tx)
        .await?;
    // Of several intervals of one event the last counts, as if they came one by one: one statement may not name a row twice.
    let by_event: BTreeMap<&str, &BusyInterval> =
        intervals.iter().map(|busy| (busy.external_event_id.as_str(), busy)).collect();
    let rows: Vec<&BusyInterval> = by_event.into_values().collect();
    let whole = rows.len() - rows.len() % ROWS_PER_STATEMENT;
    // Two texts only, however many rows there are: the connection keeps both prepared.
    let batches = rows[..whole].chunks(ROWS_PER_STATEMENT).chain(rows[whole..].chunks(1));
    for batch in batches {
        upsert_rows(tx, organization_id, calendar_id, batch).await?;
    }
    Ok(())
}
