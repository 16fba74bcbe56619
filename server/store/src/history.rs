//! What was true at a past moment: the versions that are not any more.

use chrono::{DateTime, Utc};
use cupo_core::ids::OrganizationId;
use cupo_core::interval::Interval;

use crate::row::{Fields, Record, text_enum};
use crate::tx::{Statement, sql};
use crate::{StoreError, Tx};

text_enum! {
    /// What a version tells of.
    pub enum HistoryKind {
        /// Of a calendar, one external event each.
        Busy = "busy",
        /// Of a host, one claim each.
        Claim = "claim",
        /// Of a host, one hold each.
        Hold = "hold",
        EventType = "event_type",
        Schedule = "schedule",
        /// All absences of a user.
        Absences = "absences",
        HolidayCalendar = "holiday_calendar",
        /// What a calendar blocks.
        Calendar = "calendar",
    }
}

/// What was true in `[valid_from, valid_to)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    pub organization_id: OrganizationId,
    pub kind: HistoryKind,
    /// Whose versions are read together.
    pub subject_id: String,
    /// Tells the records of one subject apart.
    pub record_id: String,
    /// Of a record that takes time: from when.
    pub start_at: Option<DateTime<Utc>>,
    pub end_at: Option<DateTime<Utc>>,
    pub body: String,
    pub valid_from: DateTime<Utc>,
    pub valid_to: DateTime<Utc>,
}

macro_rules! columns {
    () => {
        "organization_id, kind, subject_id, record_id, start_at, end_at, body, valid_from, valid_to"
    };
}

impl Record for HistoryEntry {
    const TABLE: &'static str = "history";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            kind: fields.choice("kind", HistoryKind::parse)?,
            subject_id: fields.text("subject_id")?,
            record_id: fields.text("record_id")?,
            start_at: fields.optional_instant("start_at")?,
            end_at: fields.optional_instant("end_at")?,
            body: fields.text("body")?,
            valid_from: fields.instant("valid_from")?,
            valid_to: fields.instant("valid_to")?,
        })
    }
}

/// Keeps a version; one that was never true (`valid_from` is not before `valid_to`) is left out.
pub async fn history_insert(tx: &mut Tx, entry: &HistoryEntry) -> Result<(), StoreError> {
    if entry.valid_from >= entry.valid_to {
        return Ok(());
    }
    sql(concat!("insert into history (", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"))
        .bind(&entry.organization_id)
        .bind(entry.kind.as_str())
        .bind(&entry.subject_id)
        .bind(&entry.record_id)
        .bind(entry.start_at)
        .bind(entry.end_at)
        .bind(&entry.body)
        .bind(entry.valid_from)
        .bind(entry.valid_to)
        .execute(tx)
        .await
        .map(drop)
}

/// The subject's versions that were true at `at`, by record. What is still true is not among them.
pub async fn history_at(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    kind: HistoryKind,
    subject_id: &str,
    at: DateTime<Utc>,
) -> Result<Vec<HistoryEntry>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from history
         where organization_id = $1 and kind = $2 and subject_id = $3 and valid_to > $4 and valid_from <= $4
         order by record_id, valid_from"
    ))
    .bind(organization_id)
    .bind(kind.as_str())
    .bind(subject_id)
    .bind(at)
    .list(tx)
    .await
}

/// Those of [`history_at`] that overlap `range`, of one subject or of all.
pub(crate) async fn history_in_range(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    kind: HistoryKind,
    subject_id: Option<&str>,
    range: Interval,
    at: DateTime<Utc>,
) -> Result<Vec<HistoryEntry>, StoreError> {
    let text = match subject_id {
        Some(_) => concat!(
            "select ",
            columns!(),
            " from history
             where organization_id = $1 and kind = $2 and valid_to > $3 and valid_from <= $3
               and end_at > $4 and start_at < $5 and subject_id = $6
             order by start_at, record_id, subject_id"
        ),
        None => concat!(
            "select ",
            columns!(),
            " from history
             where organization_id = $1 and kind = $2 and valid_to > $3 and valid_from <= $3
               and end_at > $4 and start_at < $5
             order by start_at, record_id, subject_id"
        ),
    };
    let statement = sql(text).bind(organization_id).bind(kind.as_str()).bind(at).bind(range.start).bind(range.end);
    subject_id.into_iter().fold(statement, Statement::bind).list(tx).await
}

/// Deletes the oldest versions of all organizations that had ended before `at`: `limit` of them, and those that ended at
/// the same instant as the last of these; answers how many.
pub async fn history_delete_before(tx: &mut Tx, at: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
    sql("delete from history
          where valid_to < $1 and valid_to <= coalesce(
            (select last.valid_to from history last where last.valid_to < $1 order by last.valid_to limit 1 offset $2), $1)")
    .bind(at)
    .bind(limit.saturating_sub(1))
    .execute(tx)
    .await
}
