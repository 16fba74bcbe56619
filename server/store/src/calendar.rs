//! Calendars of accounts: what is checked for conflicts, and where new events go.

use chrono::{DateTime, Utc};
use cupo_core::ids::{AccountId, CalendarId, OrganizationId, UserId};

use crate::account::Provider;
use crate::row::{Fields, Record};
use crate::tx::sql;
use crate::{StoreError, Tx};

/// A calendar of an account.
#[derive(Debug, Clone)]
pub struct Calendar {
    pub id: CalendarId,
    pub organization_id: OrganizationId,
    pub account_id: AccountId,
    pub user_id: UserId,
    /// The provider's id; unique in the account.
    pub external_id: String,
    pub name: String,
    pub time_zone: Option<String>,
    pub color: Option<String>,
    pub can_write: bool,
    pub is_primary: bool,
    /// The video meetings that can be made with an event of it, by the kinds of `event_type.location_kind`.
    pub meetings: Vec<String>,
    /// The user's choice: its events block slots.
    pub checks_conflicts: bool,
    /// The user's choice: new events go here. At most one calendar per user and organization.
    pub receives_events: bool,
    /// The user's choice: tentative events block slots.
    pub tentative_blocks: bool,
    /// The user's choice: invitations that were not answered block slots.
    pub unanswered_blocks: bool,
    pub sync_cursor: Option<String>,
    /// When the last successful sync ended.
    pub synced_at: Option<DateTime<Utc>>,
    /// The end of the mirrored window: busy intervals are known up to here.
    pub mirror_until: Option<DateTime<Utc>>,
    pub sync_error: Option<String>,
}

macro_rules! columns {
    () => {
        "id, organization_id, account_id, user_id, external_id, name, time_zone, color, can_write, is_primary, \
         meetings, checks_conflicts, receives_events, tentative_blocks, unanswered_blocks, sync_cursor, synced_at, mirror_until, \
         sync_error"
    };
}

// `cross join` and the added nothing keep SQLite from going through all that is to come in the organization: the events
// of the calendar come first, of which there are none in one that nobody uses, then the appointment of each.
macro_rules! holds_appointments {
    ($now:literal) => {
        concat!(
            "exists (select 1 from appointment_external_mapping m cross join appointment a
                      where m.organization_id = calendar.organization_id and m.calendar_id = calendar.id
                        and a.organization_id = m.organization_id and a.claim_id = m.claim_id
                        and m.deleted_at is null and a.status || '' = 'confirmed' and a.end_at > ",
            $now,
            ")"
        )
    };
}

impl Record for Calendar {
    const TABLE: &'static str = "calendar";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", CalendarId::parse)?,
            organization_id: fields.parse("organization_id", OrganizationId::parse)?,
            account_id: fields.parse("account_id", AccountId::parse)?,
            user_id: fields.parse("user_id", UserId::parse)?,
            external_id: fields.text("external_id")?,
            name: fields.text("name")?,
            time_zone: fields.optional_text("time_zone")?,
            color: fields.optional_text("color")?,
            can_write: fields.flag("can_write")?,
            is_primary: fields.flag("is_primary")?,
            meetings: fields.json("meetings")?,
            checks_conflicts: fields.flag("checks_conflicts")?,
            receives_events: fields.flag("receives_events")?,
            tentative_blocks: fields.flag("tentative_blocks")?,
            unanswered_blocks: fields.flag("unanswered_blocks")?,
            sync_cursor: fields.optional_text("sync_cursor")?,
            synced_at: fields.optional_instant("synced_at")?,
            mirror_until: fields.optional_instant("mirror_until")?,
            sync_error: fields.optional_text("sync_error")?,
        })
    }
}

/// Inserts the calendar, or brings the one with this `external_id` up to date with what the provider tells (name, zone,
/// colour, rights): the user's choices and the state of the sync stay. Answers the row as it is stored, whose id is the
/// older one.
pub async fn calendar_upsert(tx: &mut Tx, calendar: &Calendar) -> Result<Calendar, StoreError> {
    let stored = sql(concat!(
        "insert into calendar (",
        columns!(),
        ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
         on conflict (account_id, external_id) do update
            set name = excluded.name, time_zone = excluded.time_zone, color = excluded.color,
                can_write = excluded.can_write, is_primary = excluded.is_primary, meetings = excluded.meetings
          where calendar.organization_id = excluded.organization_id
         returning ",
        columns!()
    ))
    .bind(&calendar.id)
    .bind(&calendar.organization_id)
    .bind(&calendar.account_id)
    .bind(&calendar.user_id)
    .bind(&calendar.external_id)
    .bind(&calendar.name)
    .bind(&calendar.time_zone)
    .bind(&calendar.color)
    .bind(calendar.can_write)
    .bind(calendar.is_primary)
    .bind(serde_json::to_string(&calendar.meetings)?)
    .bind(calendar.checks_conflicts)
    .bind(calendar.receives_events)
    .bind(calendar.tentative_blocks)
    .bind(calendar.unanswered_blocks)
    .bind(&calendar.sync_cursor)
    .bind(calendar.synced_at)
    .bind(calendar.mirror_until)
    .bind(&calendar.sync_error)
    .optional(tx)
    .await?;
    stored.ok_or_else(|| StoreError::Unique("calendar.external_id".to_owned()))
}

pub async fn calendar_get(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
) -> Result<Option<Calendar>, StoreError> {
    sql(concat!("select ", columns!(), " from calendar where organization_id = $1 and id = $2"))
        .bind(organization_id)
        .bind(calendar_id)
        .optional(tx)
        .await
}

/// The primary calendar first, then by name.
pub async fn calendar_list_by_account(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    account_id: &AccountId,
) -> Result<Vec<Calendar>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from calendar where organization_id = $1 and account_id = $2 order by is_primary desc, name, id"
    ))
    .bind(organization_id)
    .bind(account_id)
    .list(tx)
    .await
}

/// The calendars of all the user's accounts, grouped by account; the primary one of each first, then by name.
pub async fn calendar_list_by_user(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<Vec<Calendar>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from calendar where organization_id = $1 and user_id = $2 order by account_id, is_primary desc, name, id"
    ))
    .bind(organization_id)
    .bind(user_id)
    .list(tx)
    .await
}

/// Stores the user's choices. Fails with `Unique("calendar.user_id")` when another calendar of the user receives
/// events: take that choice back first.
pub async fn calendar_set_choices(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    checks_conflicts: bool,
    receives_events: bool,
    tentative_blocks: bool,
    unanswered_blocks: bool,
) -> Result<bool, StoreError> {
    let changed = sql("update calendar
            set checks_conflicts = $3, receives_events = $4, tentative_blocks = $5, unanswered_blocks = $6
          where organization_id = $1 and id = $2")
    .bind(organization_id)
    .bind(calendar_id)
    .bind(checks_conflicts)
    .bind(receives_events)
    .bind(tentative_blocks)
    .bind(unanswered_blocks)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Stores the state of the sync, whole: pass on what did not change. Of one that was read anew, its host may be told
/// again should it grow stale.
pub async fn calendar_update_sync(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    sync_cursor: Option<&str>,
    synced_at: Option<DateTime<Utc>>,
    mirror_until: Option<DateTime<Utc>>,
    sync_error: Option<&str>,
) -> Result<bool, StoreError> {
    let changed = sql("update calendar
            set sync_cursor = $3, synced_at = $4, mirror_until = $5, sync_error = $6,
                stale_told_at = case when $4 > coalesce(synced_at, 0) then null else stale_told_at end
          where organization_id = $1 and id = $2")
    .bind(organization_id)
    .bind(calendar_id)
    .bind(sync_cursor)
    .bind(synced_at)
    .bind(mirror_until)
    .bind(sync_error)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Whether the event of a confirmed appointment that ends after `now` stands in the calendar.
pub async fn calendar_holds_appointments(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let found: Option<Calendar> = sql(concat!(
        "select ",
        columns!(),
        " from calendar where organization_id = $1 and id = $2 and ",
        holds_appointments!("$3")
    ))
    .bind(organization_id)
    .bind(calendar_id)
    .bind(now)
    .optional(tx)
    .await?;
    Ok(found.is_some())
}

/// A calendar whose turn has come to be looked at: whether it has to be polled.
#[derive(Debug, Clone)]
pub struct CalendarTurn {
    pub calendar: Calendar,
    pub provider: Provider,
    /// Whether its account is active.
    pub is_reachable: bool,
    /// Whether it is checked, receives events, is looked at or written to by an event type of its user, or holds the
    /// event of an appointment that is not over.
    pub is_used: bool,
    /// The end of the subscription that lasts longest.
    pub channel_until: Option<DateTime<Utc>>,
}

impl Record for CalendarTurn {
    const TABLE: &'static str = Calendar::TABLE;

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            calendar: Calendar::decode(fields)?,
            provider: fields.choice("account_provider", Provider::parse)?,
            is_reachable: fields.flag("is_reachable")?,
            is_used: fields.flag("is_used")?,
            channel_until: fields.optional_instant("channel_until")?,
        })
    }
}

/// The calendars of all organizations whose turn came at or before `until`, the longest waiting first, at most `limit`:
/// for the worker. Those that nobody uses (at `now`) and those of accounts that do not work are among them: each is to
/// be given another turn ([`calendar_set_turn`]), so that none is come upon again and again.
pub async fn calendars_due_for_poll(
    tx: &mut Tx,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<CalendarTurn>, StoreError> {
    sql(TURNS).bind(until).bind(now).bind(limit).list(tx).await
}

/// It walks the index of turns and ends at the limit, however many calendars there are.
const TURNS: &str = concat!(
    "select ",
    columns!(),
    ", (select a.provider from calendar_provider_account a where a.id = calendar.account_id) as account_provider,
        (select cast(case when a.state = 'active' then 1 else 0 end as bigint)
           from calendar_provider_account a where a.id = calendar.account_id) as is_reachable,
        cast(case when checks_conflicts = 1 or receives_events = 1
            or exists (select 1 from event_type_host h
                        where h.organization_id = calendar.organization_id and h.user_id = calendar.user_id
                          and (h.target_calendar_id = calendar.id
                               or h.conflict_calendar_ids like '%\"' || calendar.id || '\"%'))
            or ",
    holds_appointments!("$2"),
    " then 1 else 0 end as bigint) as is_used,
        (select max(s.expires_at) from provider_subscription s
          where s.organization_id = calendar.organization_id and s.calendar_id = calendar.id) as channel_until
      from calendar
     where poll_at <= $1
     order by poll_at, id limit $3"
);

/// Says when the calendar has its next turn in [`calendars_due_for_poll`].
pub async fn calendar_set_turn(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
    poll_at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = sql("update calendar set poll_at = $3 where organization_id = $1 and id = $2")
        .bind(organization_id)
        .bind(calendar_id)
        .bind(poll_at)
        .execute(tx)
        .await?;
    Ok(changed == 1)
}

/// Deletes the calendar with its busy intervals, which leave no history, and subscriptions.
pub async fn calendar_delete(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    calendar_id: &CalendarId,
) -> Result<bool, StoreError> {
    let deleted = sql("delete from calendar where organization_id = $1 and id = $2")
        .bind(organization_id)
        .bind(calendar_id)
        .execute(tx)
        .await?;
    Ok(deleted == 1)
}

#[cfg(test)]
mod tests {
    use sqlx::Row;

    use super::*;
    use crate::Store;

    #[tokio::test]
    async fn turns_are_found_by_their_index_and_everything_else_by_that_of_one_calendar() {
        let store = Store::connect("sqlite::memory:").await.unwrap();
        store.migrate().await.unwrap();
        let Tx::Sqlite(mut connection) = store.read().await.unwrap() else { panic!("not SQLite") };
        let plan = sqlx::query(sqlx::AssertSqlSafe(format!("explain query plan {TURNS}")))
            .bind(1_i64)
            .bind(1_i64)
            .bind(500_i64)
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        assert!(steps[0].starts_with("SEARCH calendar USING INDEX calendar_by_poll (poll_at<?)"), "{steps:?}");
        assert!(!steps.iter().any(|step| step.starts_with("SCAN ") && !step.contains("CONSTANT ROW")), "{steps:?}");
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
        let by_claim = |step: &String| step.starts_with("SEARCH a USING INDEX appointment_by_claim");
        assert!(steps.iter().any(by_claim), "{steps:?}");
    }
}
