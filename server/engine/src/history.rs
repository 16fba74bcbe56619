//! What hosts had decided at a past moment: of each change, the version before it is kept.
//!
//! A version is written in the transaction that ends it, and holds from its own `updated_at` until then. What has not changed
//! since is what the store has now. Claims, holds and busy time keep their versions in the store.

use chrono::{DateTime, Utc};
use cupo_core::{
    availability::{Absence, Holiday, Travel},
    event_type::{Location, Options, Rules, RulesInput},
    ids::{AbsenceId, CalendarId, EventTypeId, HolidayCalendarId, OrganizationId, ScheduleId, UserId},
    parse::Slug,
    schedule::{DateOverride, WeeklyHours},
    zone::TimeZoneName,
};
use cupo_store::{
    AbsenceRow, Calendar, EventType, EventTypeHost, HistoryEntry, HistoryKind, HolidayCalendar, Schedule, Tx,
    absence_list, calendar_get, event_type_get, event_type_host_list, history_at, history_insert, holiday_calendar_get,
    schedule_get,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::EngineError;

/// What a host uses a calendar for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CalendarChoices {
    pub(crate) checks_conflicts: bool,
    pub(crate) receives_events: bool,
    pub(crate) tentative_blocks: bool,
    pub(crate) unanswered_blocks: bool,
}

impl CalendarChoices {
    pub(crate) fn of(calendar: &Calendar) -> Self {
        let Calendar { checks_conflicts, receives_events, tentative_blocks, unanswered_blocks, .. } = *calendar;
        Self { checks_conflicts, receives_events, tentative_blocks, unanswered_blocks }
    }
}

#[derive(Serialize, Deserialize)]
struct EventTypeVersion {
    host_user_id: UserId,
    schedule_id: ScheduleId,
    slug: Slug,
    title: String,
    description: String,
    rules: RulesInput,
    options: Options,
    location_kind: String,
    location_detail: String,
    is_active: bool,
    created_at: DateTime<Utc>,
    hosts: Vec<HostVersion>,
}

#[derive(Serialize, Deserialize)]
struct HostVersion {
    user_id: UserId,
    schedule_id: ScheduleId,
    is_required: bool,
    weight: u32,
    priority: u32,
    conflict_calendar_ids: Option<Vec<CalendarId>>,
}

#[derive(Serialize, Deserialize)]
struct ScheduleVersion {
    user_id: UserId,
    name: String,
    time_zone: TimeZoneName,
    weekly_hours: WeeklyHours,
    overrides: Vec<DateOverride>,
    travels: Vec<Travel>,
    holiday_calendar_ids: Vec<HolidayCalendarId>,
    is_default: bool,
}

#[derive(Serialize, Deserialize)]
struct AbsenceVersion {
    absence: Absence,
    note: String,
}

#[derive(Serialize, Deserialize)]
struct HolidayCalendarVersion {
    user_id: UserId,
    name: String,
    holidays: Vec<Holiday>,
    created_at: DateTime<Utc>,
}

/// Whose version it is, and when it held.
struct Held<'a> {
    organization_id: &'a OrganizationId,
    kind: HistoryKind,
    subject_id: &'a str,
    record_id: &'a str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

async fn keep(tx: &mut Tx, held: Held<'_>, version: &impl Serialize) -> Result<(), EngineError> {
    let entry = HistoryEntry {
        organization_id: held.organization_id.clone(),
        kind: held.kind,
        subject_id: held.subject_id.to_owned(),
        record_id: held.record_id.to_owned(),
        start_at: None,
        end_at: None,
        body: serde_json::to_string(version).map_err(|e| EngineError::internal("writing a version", e))?,
        valid_from: held.from,
        valid_to: held.to,
    };
    Ok(history_insert(tx, &entry).await?)
}

fn read<T: DeserializeOwned>(entry: &HistoryEntry) -> Result<T, EngineError> {
    serde_json::from_str(&entry.body).map_err(|e| EngineError::internal("reading a version", e))
}

/// Keeps an event type as it was until now, with its hosts.
pub(crate) async fn event_type_changed(
    tx: &mut Tx,
    old: &EventType,
    hosts: &[EventTypeHost],
    now: DateTime<Utc>,
) -> Result<(), EngineError> {
    let hosts = hosts.iter().map(|host| HostVersion {
        user_id: host.user_id.clone(),
        schedule_id: host.schedule_id.clone(),
        is_required: host.is_required,
        weight: host.weight,
        priority: host.priority,
        conflict_calendar_ids: host.conflict_calendar_ids.clone(),
    });
    let version = EventTypeVersion {
        host_user_id: old.host_user_id.clone(),
        schedule_id: old.schedule_id.clone(),
        slug: old.slug.clone(),
        title: old.title.clone(),
        description: old.description.clone(),
        rules: old.rules.to_input(),
        options: old.options.clone(),
        location_kind: old.location.kind().to_owned(),
        location_detail: old.location.detail().to_owned(),
        is_active: old.is_active,
        created_at: old.created_at,
        hosts: hosts.collect(),
    };
    let held = Held {
        organization_id: &old.organization_id,
        kind: HistoryKind::EventType,
        subject_id: old.id.as_str(),
        record_id: old.id.as_str(),
        from: old.updated_at,
        to: now,
    };
    keep(tx, held, &version).await
}

/// An event type and its hosts as they were; `None` before there was one.
pub(crate) async fn event_type_at(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    id: &EventTypeId,
    at: DateTime<Utc>,
) -> Result<Option<(EventType, Vec<EventTypeHost>)>, EngineError> {
    if let Some(current) = event_type_get(tx, organization_id, id).await?.filter(|current| current.updated_at <= at) {
        let hosts = event_type_host_list(tx, organization_id, id).await?;
        return Ok(Some((current, hosts)));
    }
    let entries = history_at(tx, organization_id, HistoryKind::EventType, id.as_str(), at).await?;
    let Some(entry) = entries.first() else { return Ok(None) };
    let version: EventTypeVersion = read(entry)?;
    let unreadable = || EngineError::internal("reading a version of an event type", "its rules or its location");
    let event_type = EventType {
        id: id.clone(),
        organization_id: organization_id.clone(),
        host_user_id: version.host_user_id,
        schedule_id: version.schedule_id,
        slug: version.slug,
        title: version.title,
        description: version.description,
        rules: Rules::parse(version.rules).map_err(|_| unreadable())?,
        options: version.options,
        location: Location::parse(&version.location_kind, &version.location_detail).map_err(|_| unreadable())?,
        is_active: version.is_active,
        created_at: version.created_at,
        updated_at: entry.valid_from,
    };
    let hosts = version.hosts.into_iter().map(|host| EventTypeHost {
        organization_id: organization_id.clone(),
        event_type_id: id.clone(),
        user_id: host.user_id,
        schedule_id: host.schedule_id,
        is_required: host.is_required,
        weight: host.weight,
        priority: host.priority,
        conflict_calendar_ids: host.conflict_calendar_ids,
        // Where events went decided about no slot.
        target_calendar_id: None,
    });
    Ok(Some((event_type, hosts.collect())))
}

/// Keeps a schedule as it was until now.
pub(crate) async fn schedule_changed(tx: &mut Tx, old: &Schedule, now: DateTime<Utc>) -> Result<(), EngineError> {
    let version = ScheduleVersion {
        user_id: old.user_id.clone(),
        name: old.name.clone(),
        time_zone: old.time_zone,
        weekly_hours: old.weekly_hours.clone(),
        overrides: old.overrides.clone(),
        travels: old.travels.clone(),
        holiday_calendar_ids: old.holiday_calendar_ids.clone(),
        is_default: old.is_default,
    };
    let held = Held {
        organization_id: &old.organization_id,
        kind: HistoryKind::Schedule,
        subject_id: old.id.as_str(),
        record_id: old.id.as_str(),
        from: old.updated_at,
        to: now,
    };
    keep(tx, held, &version).await
}

/// A schedule as it was; `None` before there was one.
pub(crate) async fn schedule_at(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    id: &ScheduleId,
    at: DateTime<Utc>,
) -> Result<Option<Schedule>, EngineError> {
    if let Some(current) = schedule_get(tx, organization_id, id).await?.filter(|current| current.updated_at <= at) {
        return Ok(Some(current));
    }
    let entries = history_at(tx, organization_id, HistoryKind::Schedule, id.as_str(), at).await?;
    let Some(entry) = entries.first() else { return Ok(None) };
    let version: ScheduleVersion = read(entry)?;
    Ok(Some(Schedule {
        id: id.clone(),
        organization_id: organization_id.clone(),
        user_id: version.user_id,
        name: version.name,
        time_zone: version.time_zone,
        weekly_hours: version.weekly_hours,
        overrides: version.overrides,
        travels: version.travels,
        holiday_calendar_ids: version.holiday_calendar_ids,
        is_default: version.is_default,
        updated_at: entry.valid_from,
    }))
}

/// Keeps an absence that is called off now. None is ever changed.
pub(crate) async fn absence_called_off(tx: &mut Tx, old: &AbsenceRow, now: DateTime<Utc>) -> Result<(), EngineError> {
    let version = AbsenceVersion { absence: old.absence, note: old.note.clone() };
    let held = Held {
        organization_id: &old.organization_id,
        kind: HistoryKind::Absences,
        subject_id: old.user_id.as_str(),
        record_id: old.id.as_str(),
        from: old.created_at,
        to: now,
    };
    keep(tx, held, &version).await
}

/// The absences that a member had entered by then, in any order.
pub(crate) async fn absences_at(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
    at: DateTime<Utc>,
) -> Result<Vec<AbsenceRow>, EngineError> {
    let mut absences = absence_list(tx, organization_id, user_id).await?;
    absences.retain(|row| row.created_at <= at);
    for entry in history_at(tx, organization_id, HistoryKind::Absences, user_id.as_str(), at).await? {
        let version: AbsenceVersion = read(&entry)?;
        absences.push(AbsenceRow {
            id: AbsenceId::parse(&entry.record_id).map_err(|e| EngineError::internal("an absence's id", e))?,
            organization_id: organization_id.clone(),
            user_id: user_id.clone(),
            absence: version.absence,
            note: version.note,
            created_at: entry.valid_from,
        });
    }
    Ok(absences)
}

/// Keeps the dates of a holiday calendar as they were until now.
pub(crate) async fn holiday_calendar_changed(
    tx: &mut Tx,
    old: &HolidayCalendar,
    now: DateTime<Utc>,
) -> Result<(), EngineError> {
    let version = HolidayCalendarVersion {
        user_id: old.user_id.clone(),
        name: old.name.clone(),
        holidays: old.holidays.clone(),
        created_at: old.created_at,
    };
    let held = Held {
        organization_id: &old.organization_id,
        kind: HistoryKind::HolidayCalendar,
        subject_id: old.id.as_str(),
        record_id: old.id.as_str(),
        from: old.updated_at,
        to: now,
    };
    keep(tx, held, &version).await
}

/// A holiday calendar with the dates that it had; `None` before there was one. Of one that has changed since, nothing is told
/// of where it came from.
pub(crate) async fn holiday_calendar_at(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    id: &HolidayCalendarId,
    at: DateTime<Utc>,
) -> Result<Option<HolidayCalendar>, EngineError> {
    let current = holiday_calendar_get(tx, organization_id, id).await?;
    if let Some(current) = current.filter(|current| current.updated_at <= at) {
        return Ok(Some(current));
    }
    let entries = history_at(tx, organization_id, HistoryKind::HolidayCalendar, id.as_str(), at).await?;
    let Some(entry) = entries.first() else { return Ok(None) };
    let version: HolidayCalendarVersion = read(entry)?;
    Ok(Some(HolidayCalendar {
        id: id.clone(),
        organization_id: organization_id.clone(),
        user_id: version.user_id,
        name: version.name,
        source_url: None,
        holidays: version.holidays,
        etag: None,
        fetched_at: None,
        error: None,
        created_at: version.created_at,
        updated_at: entry.valid_from,
    }))
}

/// Keeps what a calendar was used for until now. When that began is not known, so each version reaches back to the
/// beginning, and the one that ended first after a moment is the one that held then.
pub(crate) async fn calendar_choices_changed(
    tx: &mut Tx,
    old: &Calendar,
    now: DateTime<Utc>,
) -> Result<(), EngineError> {
    let held = Held {
        organization_id: &old.organization_id,
        kind: HistoryKind::Calendar,
        subject_id: old.id.as_str(),
        record_id: old.id.as_str(),
        from: DateTime::UNIX_EPOCH,
        to: now,
    };
    keep(tx, held, &CalendarChoices::of(old)).await
}

/// What a calendar was used for; `None` where there is none any more, or never was one.
pub(crate) async fn calendar_choices_at(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    id: &CalendarId,
    at: DateTime<Utc>,
) -> Result<Option<CalendarChoices>, EngineError> {
    let entries = history_at(tx, organization_id, HistoryKind::Calendar, id.as_str(), at).await?;
    match entries.iter().min_by_key(|entry| entry.valid_to) {
        Some(entry) => Ok(Some(read(entry)?)),
        None => Ok(calendar_get(tx, organization_id, id).await?.as_ref().map(CalendarChoices::of)),
    }
}
