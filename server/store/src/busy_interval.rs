//! The mirror: when the calendars of a host are busy.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use cupo_core::ids::{CalendarId, OrganizationId};
use cupo_core::interval::Interval;

use crate::row::{Fields, Record, text_enum};
use crate::tx::{Statement, sql};
use crate::{StoreError, Tx};

text_enum! {
    /// Why the time is not free.
    pub enum BusyKind {
        Busy = "busy",
        /// Blocks by choice: [`Calendar::tentative_blocks`](crate::Calendar::tentative_blocks).
        Tentative = "tentative",
        OutOfOffice = "out_of_office",
        /// An invitation that the host has not answered. Blocks by choice:
        /// [`Calendar::unanswered_blocks`](crate::Calendar::unanswered_blocks).
        Unanswered = "unanswered",
    }
}

/// A time that an event of a calendar blocks, or would block by choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusyInterval {
    pub calendar_id: CalendarId,
    pub organization_id: OrganizationId,
    /// The provider's id of the event, or of the instance of a recurring one; unique in the calendar.
    pub external_event_id: String,
    pub interval: Interval,
    pub kind: BusyKind,
    /// For the calendar's owner only. The past does not keep it.
    pub title: Option<String>,
}

impl BusyInterval {
    /// Whether the other one blocks the same time for the same reason.
    fn blocks_like(&self, other: &Self) -> bool {
        (self.interval, self.kind) == (other.interval, other.kind)
    }
}

impl Record for BusyInterval {
    const TABLE: &'static str = "busy_interval";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            calendar_id: fields.parse("calendar_id", CalendarId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            external_event_id: fields.text("external_event_id")?,
            interval: fields.interval("start_at", "end_at")?,
            kind: fields.choice("kind", BusyKind::parse)?,
            title: fields.optional_text("title")?,
        })
    }
}

impl Record for Interval {
    const TABLE: &'static str = "busy_interval";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        fields.interval("start_at", "end_at")
    }
}

/// `$4, $5, $6` for three values whose first is the fourth.
fn placeholders(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// The intervals of the calendars that overlap `range` and block, by start: neither merged nor clipped.
pub async fn busy_interval_list(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_ids: &[CalendarId],
    range: Interval,
) -> Result<Vec<Interval>, StoreError> {
    list_blocking(tx, "b.start_at, b.end_at", organization_id, calendar_ids, range).await
}

/// [`busy_interval_list`] with the events.
pub async fn busy_interval_list_detailed(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_ids: &[CalendarId],
    range: Interval,
) -> Result<Vec<BusyInterval>, StoreError> {
    let columns = "b.calendar_id, b.organization_id, b.external_event_id, b.start_at, b.end_at, b.kind, b.title";
    list_blocking(tx, columns, organization_id, calendar_ids, range).await
}

async fn list_blocking<T: Record>(
    tx: &mut Tx,
    columns: &str,
    organization_id: &OrganizationId,
    calendar_ids: &[CalendarId],
    range: Interval,
) -> Result<Vec<T>, StoreError> {
    if calendar_ids.is_empty() {
        return Ok(Vec::new());
    }
    // `cross join` keeps SQLite from asking for the calendar of each interval instead of the intervals of each calendar.
    let statement = sql(format!(
        "select {columns} from calendar c cross join busy_interval b
          where c.organization_id = $1 and c.id in ({})
            and b.organization_id = $1 and b.calendar_id = c.id and b.end_at > $2 and b.start_at < $3
            and (b.kind in ('busy', 'out_of_office') or (b.kind = 'tentative' and c.tentative_blocks = 1)
                 or (b.kind = 'unanswered' and c.unanswered_blocks = 1))
          order by b.start_at",
        placeholders(4, calendar_ids.len())
    ))
    .bind(organization_id)
    .bind(range.start)
    .bind(range.end);
    calendar_ids.iter().fold(statement, Statement::bind).list(tx).await
}

/// Everything that is mirrored of the calendar and overlaps `range`, of every kind, by event.
pub async fn busy_interval_list_all(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    range: Interval,
) -> Result<Vec<BusyInterval>, StoreError> {
    sql("select calendar_id, organization_id, external_event_id, start_at, end_at, kind, title from busy_interval
          where organization_id = $1 and calendar_id = $2 and end_at > $3 and start_at < $4
          order by external_event_id")
    .bind(organization_id)
    .bind(calendar_id)
    .bind(range.start)
    .bind(range.end)
    .list(tx)
    .await
}

/// The intervals of the calendars that overlap `range` as they were known at `at`, by start: of every kind, whatever the
/// calendars say about it now. Those that are not any more have no title.
pub async fn busy_interval_list_at(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_ids: &[CalendarId],
    range: Interval,
    at: DateTime<Utc>,
) -> Result<Vec<BusyInterval>, StoreError> {
    if calendar_ids.is_empty() {
        return Ok(Vec::new());
    }
    let calendars = placeholders(5, calendar_ids.len());
    let statement = sql(format!(
        "select calendar_id, organization_id, external_event_id, start_at, end_at, kind, title from busy_interval
          where organization_id = $1 and calendar_id in ({calendars}) and end_at > $2 and start_at < $3
            and recorded_at <= $4
         union all
         select subject_id, organization_id, record_id, start_at, end_at, body, null from history
          where organization_id = $1 and kind = 'busy' and subject_id in ({calendars}) and valid_to > $4
            and valid_from <= $4 and end_at > $2 and start_at < $3
          order by start_at, end_at, calendar_id, external_event_id"
    ))
    .bind(organization_id)
    .bind(range.start)
    .bind(range.end)
    .bind(at);
    calendar_ids.iter().fold(statement, Statement::bind).list(tx).await
}

/// Inserts the interval or gives the one of this event its new time, kind and title.
pub async fn busy_interval_upsert(tx: &mut Tx, busy: &BusyInterval, now: DateTime<Utc>) -> Result<(), StoreError> {
    let known: Option<BusyInterval> =
        sql("select calendar_id, organization_id, external_event_id, start_at, end_at, kind, title from busy_interval
              where organization_id = $1 and calendar_id = $2 and external_event_id = $3")
        .bind(&busy.organization_id)
        .bind(&busy.calendar_id)
        .bind(&busy.external_event_id)
        .optional(tx)
        .await?;
    if known.is_some_and(|known| !known.blocks_like(busy)) {
        remember(tx, &busy.organization_id, &busy.calendar_id, &[busy.external_event_id.as_str()], now).await?;
    }
    upsert_rows(tx, &busy.organization_id, &busy.calendar_id, &[busy], now).await
}

/// Inserts or updates rows in one statement; each event may be named once.
async fn upsert_rows(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    rows: &[&BusyInterval],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    const COLUMNS: usize = 8;
    let row = |at: usize| format!("({})", placeholders(at * COLUMNS + 1, COLUMNS));
    let values: Vec<String> = (0..rows.len()).map(row).collect();
    // What blocks as it did has been known since it was.
    let statement = sql(format!(
        "insert into busy_interval
             (calendar_id, organization_id, external_event_id, start_at, end_at, kind, title, recorded_at)
         values {}
         on conflict (calendar_id, external_event_id) do update
            set recorded_at =
                    case when busy_interval.start_at = excluded.start_at and busy_interval.end_at = excluded.end_at
                              and busy_interval.kind = excluded.kind
                         then busy_interval.recorded_at else excluded.recorded_at end,
                start_at = excluded.start_at, end_at = excluded.end_at, kind = excluded.kind, title = excluded.title
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
                .bind(&busy.title)
                .bind(now)
        })
        .execute(tx)
        .await?;
    if stored == rows.len() as u64 {
        Ok(())
    } else {
        Err(StoreError::Unique("busy_interval.external_event_id".to_owned()))
    }
}

/// Keeps the events as they have been up to `now`.
async fn remember(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    external_event_ids: &[&str],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let statement = sql(format!(
        "insert into history
             (organization_id, kind, subject_id, record_id, start_at, end_at, body, valid_from, valid_to)
         select organization_id, 'busy', calendar_id, external_event_id, start_at, end_at, kind, recorded_at, $3
           from busy_interval
          where organization_id = $1 and calendar_id = $2 and recorded_at < $3 and external_event_id in ({})",
        placeholders(4, external_event_ids.len())
    ))
    .bind(organization_id)
    .bind(calendar_id)
    .bind(now);
    external_event_ids.iter().copied().fold(statement, Statement::bind).execute(tx).await.map(drop)
}

/// Forgets an event; `false` when it blocked nothing.
pub async fn busy_interval_delete(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    external_event_id: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    remember(tx, organization_id, calendar_id, &[external_event_id], now).await?;
    let deleted = delete_rows(tx, organization_id, calendar_id, &[external_event_id]).await?;
    Ok(deleted == 1)
}

/// The ids of what is mirrored of an event: its own, and those of its instances, which are the event's, `#` and more.
pub async fn busy_interval_ids_of_event(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    external_event_id: &str,
) -> Result<Vec<String>, StoreError> {
    let rows: Vec<EventId> = sql("select external_event_id from busy_interval
          where organization_id = $1 and calendar_id = $2
            and (external_event_id = $3 or substr(external_event_id, 1, length($4)) = $4)
          order by external_event_id")
    .bind(organization_id)
    .bind(calendar_id)
    .bind(external_event_id)
    .bind(format!("{external_event_id}#"))
    .list(tx)
    .await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

struct EventId(String);

impl Record for EventId {
    const TABLE: &'static str = "busy_interval";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.text("external_event_id")?))
    }
}

async fn delete_rows(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    external_event_ids: &[&str],
) -> Result<u64, StoreError> {
    let statement = sql(format!(
        "delete from busy_interval where organization_id = $1 and calendar_id = $2 and external_event_id in ({})",
        placeholders(3, external_event_ids.len())
    ))
    .bind(organization_id)
    .bind(calendar_id);
    external_event_ids.iter().copied().fold(statement, Statement::bind).execute(tx).await
}

/// A full resync of a busy calendar holds hundreds of rows: so many go to the database at once.
const ROWS_PER_STATEMENT: usize = 50;

/// Whole batches and then one by one. Two texts only, however many rows there are: the connection keeps both prepared.
fn batches<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let (whole, rest) = rows.split_at(rows.len() - rows.len() % ROWS_PER_STATEMENT);
    whole.chunks(ROWS_PER_STATEMENT).chain(rest.chunks(1))
}

/// Makes the mirror of the calendar hold exactly these intervals, whatever ids of organization and calendar they carry.
/// Readers see it before or after, never between. What stays as it was is not written.
pub async fn busy_intervals_replace(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    intervals: Vec<BusyInterval>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let known: Vec<BusyInterval> =
        sql("select calendar_id, organization_id, external_event_id, start_at, end_at, kind, title from busy_interval
              where organization_id = $1 and calendar_id = $2")
        .bind(organization_id)
        .bind(calendar_id)
        .list(tx)
        .await?;
    let known: BTreeMap<&str, &BusyInterval> =
        known.iter().map(|busy| (busy.external_event_id.as_str(), busy)).collect();
    // Of several intervals of one event the last counts, as if they came one by one: one statement may not name a row twice.
    let fresh: BTreeMap<&str, &BusyInterval> =
        intervals.iter().map(|busy| (busy.external_event_id.as_str(), busy)).collect();
    let gone: Vec<&str> = known.keys().copied().filter(|event| !fresh.contains_key(event)).collect();
    let moved = |(event, busy): (&&str, &&BusyInterval)| known.get(event).is_some_and(|known| !known.blocks_like(busy));
    let outdated: Vec<&str> =
        fresh.iter().filter(|row| moved(*row)).map(|(event, _)| *event).chain(gone.iter().copied()).collect();
    let as_known = |busy: &BusyInterval| {
        let known = known.get(busy.external_event_id.as_str());
        known.is_some_and(|known| known.blocks_like(busy) && known.title == busy.title)
    };
    let changed: Vec<&BusyInterval> = fresh.values().copied().filter(|busy| !as_known(busy)).collect();
    for batch in batches(&outdated) {
        remember(tx, organization_id, calendar_id, batch, now).await?;
    }
    for batch in batches(&gone) {
        delete_rows(tx, organization_id, calendar_id, batch).await?;
    }
    for batch in batches(&changed) {
        upsert_rows(tx, organization_id, calendar_id, batch, now).await?;
    }
    Ok(())
}
