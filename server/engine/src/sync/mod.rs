//! Following a calendar: busy time into the mirror, changes of our own events onto their appointments.
//!
//! The provider is asked outside any transaction; one transaction then applies all it said and saves the cursor. A pull
//! that another one overtook applies nothing. The calendar wins: what a host moves or deletes there happens to the
//! appointment, unless the appointment itself has a newer change that is still to be pushed.

mod own_events;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use cupo_core::{
    ids::{CalendarId, OrganizationId},
    interval::Interval,
    zone::TimeZoneName,
};
use cupo_providers::{
    CalendarEvent, CalendarProvider, Changes, EventChange, EventKind, EventStatus, ProviderError, SyncCursor,
};
use cupo_store::{
    BusyInterval, BusyKind, Calendar, Tx, busy_interval_delete, busy_interval_upsert, busy_intervals_replace,
    calendar_get, calendar_update_sync, schedule_get_by_user,
};

use crate::{Engine, EngineError, engine::transact};
use own_events::MappedEvent;

/// How much of the mirrored time may pass before the window is moved on by a full round.
const WINDOW_SLACK: TimeDelta = TimeDelta::days(30);

/// How a pull ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pulled {
    Applied,
    /// Another pull saved its cursor first: this one's answer is void.
    Overtaken,
}

/// One round of a calendar, as the provider told it.
struct Round {
    changes: Changes,
    /// A full round tells everything that exists in `window`.
    full: Option<Full>,
    /// When it was asked: the mirror is no fresher than this.
    asked_at: DateTime<Utc>,
    /// The end of the mirrored time.
    mirror_until: DateTime<Utc>,
    /// The zone in which all-day events are read.
    tz: Tz,
}

struct Full {
    /// Our events that were in the calendar before the provider was asked.
    mapped: Vec<MappedEvent>,
}

impl Engine {
    /// Brings a calendar's mirror and appointments up to date.
    pub(crate) async fn pull(
        &self,
        organization_id: &OrganizationId,
        calendar_id: &CalendarId,
    ) -> Result<Pulled, EngineError> {
        let calendar = {
            let tx = &mut self.0.store.read().await?;
            let Some(calendar) = calendar_get(tx, organization_id, calendar_id).await? else {
                return Ok(Pulled::Applied);
            };
            if !self.is_in_use(tx, &calendar).await? {
                return Ok(Pulled::Applied);
            }
            calendar
        };
        let round = self.ask_for_changes(&calendar).await?;
        let applied = transact!(self, tx => self.apply(tx, &calendar, &round).await?)?;
        self.committed(organization_id);
        Ok(applied)
    }

    async fn ask_for_changes(&self, calendar: &Calendar) -> Result<Round, EngineError> {
        let now = self.now();
        let ahead = TimeDelta::days(self.0.settings.mirror_days.into());
        let window = Interval { start: now - TimeDelta::days(1), end: now + ahead };
        let reaches = calendar.mirror_until.filter(|until| *until > window.end - WINDOW_SLACK);
        if let (Some(cursor), Some(mirror_until)) = (&calendar.sync_cursor, reaches) {
            let cursor = SyncCursor::new(cursor.as_str());
            match self.call_changes(calendar, Some(&cursor), window).await {
                Err(EngineError::Provider(ProviderError::CursorExpired)) => {
                    tracing::info!(calendar = %calendar.id, "the sync cursor has expired: everything is read again");
                }
                changes => {
                    let changes = changes?;
                    let tz = self.zone_of(calendar, &changes).await?;
                    return Ok(Round { changes, full: None, asked_at: now, mirror_until, tz });
                }
            }
        }
        let mapped = self.mapped_events(calendar, window).await?;
        let changes = self.call_changes(calendar, None, window).await?;
        let tz = self.zone_of(calendar, &changes).await?;
        Ok(Round { changes, full: Some(Full { mapped }), asked_at: now, mirror_until: window.end, tz })
    }

    async fn call_changes(
        &self,
        calendar: &Calendar,
        cursor: Option<&SyncCursor>,
        window: Interval,
    ) -> Result<Changes, EngineError> {
        let provider = &self.google()?.provider;
        let external_id = calendar.external_id.as_str();
        let call = move |token| async move { provider.changes(&token, external_id, cursor, window).await };
        self.call_provider(&calendar.organization_id, &calendar.account_id, call).await
    }

    /// The calendar's own zone; the host's where the provider tells none that is known.
    async fn zone_of(&self, calendar: &Calendar, changes: &Changes) -> Result<Tz, EngineError> {
        let told = changes.time_zone.as_deref().or(calendar.time_zone.as_deref());
        if let Some(zone) = told.and_then(|name| TimeZoneName::parse(name).ok()) {
            return Ok(zone.tz());
        }
        if let Some(name) = told {
            tracing::warn!(calendar = %calendar.id, zone = name, "the calendar's zone is unknown: the host's is taken");
        }
        let tx = &mut self.0.store.read().await?;
        let schedule = schedule_get_by_user(tx, &calendar.organization_id, &calendar.user_id).await?;
        Ok(schedule.ok_or(EngineError::NotFound("schedule"))?.time_zone.tz())
    }

    async fn apply(&self, tx: &mut Tx, asked: &Calendar, round: &Round) -> Result<Pulled, EngineError> {
        let (organization_id, id) = (&asked.organization_id, &asked.id);
        let Some(calendar) = calendar_get(tx, organization_id, id).await? else { return Ok(Pulled::Applied) };
        if calendar.sync_cursor != asked.sync_cursor {
            return Ok(Pulled::Overtaken);
        }
        // A full round of a calendar says nothing of deletions: what it does not name is gone.
        let mut mirror = Vec::new();
        for change in &round.changes.events {
            let busy = match change {
                EventChange::Removed { id: event_id } => {
                    self.own_event_removed(tx, &calendar, event_id).await?;
                    None
                }
                EventChange::Upsert(event) => self
                    .takes_time(tx, &calendar, event, round.tz)
                    .await?
                    .map(|interval| busy_interval(&calendar, event, interval)),
            };
            let event_id = match change {
                EventChange::Removed { id } => id,
                EventChange::Upsert(event) => &event.id,
            };
            match (round.full.is_some(), busy) {
                // Of two changes of one event the later holds.
                (true, busy) => {
                    mirror.retain(|known: &BusyInterval| known.external_event_id != *event_id);
                    mirror.extend(busy);
                }
                (false, Some(busy)) => busy_interval_upsert(tx, &busy, self.now()).await?,
                (false, None) => {
                    busy_interval_delete(tx, organization_id, id, event_id, self.now()).await?;
                }
            }
        }
        if let Some(full) = &round.full {
            busy_intervals_replace(tx, organization_id, id, mirror, self.now()).await?;
            let is_named = |mapped: &MappedEvent| {
                round.changes.events.iter().any(|change| match change {
                    EventChange::Upsert(event) => event.id == mapped.external_event_id,
                    EventChange::Removed { .. } => false,
                })
            };
            for gone in full.mapped.iter().filter(|mapped| !is_named(mapped)) {
                self.own_event_removed(tx, &calendar, &gone.external_event_id).await?;
            }
        }
        let cursor = Some(round.changes.cursor.as_str());
        let (asked_at, until) = (Some(round.asked_at), Some(round.mirror_until));
        calendar_update_sync(tx, organization_id, id, cursor, asked_at, until, None).await?;
        Ok(Pulled::Applied)
    }

    /// The time that an event takes beyond the claims of appointments.
    async fn takes_time(
        &self,
        tx: &mut Tx,
        calendar: &Calendar,
        event: &CalendarEvent,
        tz: Tz,
    ) -> Result<Option<Interval>, EngineError> {
        match self.own_mapping(tx, calendar, event).await? {
            Some(mapping) => self.own_event_changed(tx, mapping, event, tz).await,
            None if self.is_copy_of_own(tx, calendar, event).await? => Ok(None),
            None => Ok(event.busy_interval(tz)),
        }
    }

    /// Says on the calendar why it could not be read; slots then trust its mirror only until it is stale.
    pub(crate) async fn note_sync_error(
        &self,
        organization_id: &OrganizationId,
        calendar_id: &CalendarId,
        error: &EngineError,
    ) -> Result<(), EngineError> {
        let why = match error {
            EngineError::Provider(ProviderError::NotFound) => "calendar_gone",
            other => other.code(),
        };
        let changed = transact!(self, tx => {
            match calendar_get(tx, organization_id, calendar_id).await? {
                Some(calendar) if calendar.sync_error.as_deref() != Some(why) => {
                    let Calendar { sync_cursor, synced_at, mirror_until, .. } = &calendar;
                    let cursor = sync_cursor.as_deref();
                    calendar_update_sync(tx, organization_id, calendar_id, cursor, *synced_at, *mirror_until, Some(why))
                        .await?
                }
                _ => false,
            }
        })?;
        if changed {
            self.invalidate(organization_id);
        }
        Ok(())
    }
}

fn busy_interval(calendar: &Calendar, event: &CalendarEvent, interval: Interval) -> BusyInterval {
    let kind = match (&event.kind, event.status) {
        (EventKind::OutOfOffice, _) => BusyKind::OutOfOffice,
        _ if event.is_unanswered() => BusyKind::Unanswered,
        (_, EventStatus::Tentative) => BusyKind::Tentative,
        _ => BusyKind::Busy,
    };
    BusyInterval {
        calendar_id: calendar.id.clone(),
        organization_id: calendar.organization_id.clone(),
        external_event_id: event.id.clone(),
        interval,
        kind,
        title: Some(event.title.clone()).filter(|title| !title.is_empty()),
    }
}
