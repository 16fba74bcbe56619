//! Following a calendar: busy time into the mirror, changes of our own events onto their appointments.
//!
//! The provider is asked outside any transaction; one transaction then applies all it said and saves the cursor. A pull
//! that another one overtook applies nothing. The calendar wins, unless the appointment itself has a newer change that is still to
//! be pushed. What happens there to the event of an appointment that is not over has these effects, each with a line of history
//! and mails:
//!
//! | in the calendar | the appointment |
//! |---|---|
//! | it is moved, or takes longer | follows (`following`); onto another appointment it stays, and the host is told |
//! | it is deleted or cancelled | is cancelled |
//! | it is moved into another calendar of the host that is followed | stays, and is followed there (`elsewhere`) |
//! | a visitor declines | stays; both are told (`answers`) |
//! | it is made to recur | stands for the first date that takes place; the host is told (`series`) |
//! | its calendar is deleted | stays; the event is written anew where the host's events go now (`lost_calendar`) |
//! | nobody may read it any more | stays; the host is told, and all is caught up when the account is connected again |

mod answers;
mod elsewhere;
mod following;
mod lost_calendar;
mod own_events;
mod series;

use std::{collections::BTreeMap, sync::Arc};

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
    AppointmentExternalMapping, BusyInterval, BusyKind, Calendar, KnownEvent, Tx, busy_interval_delete,
    busy_interval_ids_of_event, busy_interval_upsert, busy_intervals_replace, calendar_get, calendar_update_sync,
    mapping_get_by_external, mapping_list_known, mapping_upsert, schedule_get_by_user,
};

use crate::{Engine, EngineError, engine::transact};
use elsewhere::Elsewhere;
pub(crate) use following::time_of;
use own_events::MappedEvent;
pub(crate) use own_events::{BEING_DELETED, NOTHING_PUSHED};

/// How much of the mirrored time may pass before the window is moved on by a full round.
const WINDOW_SLACK: TimeDelta = TimeDelta::days(30);
/// After so long an event that was written can be read wherever its provider answers: until then "not found" tells nothing.
const READABLE_AFTER: TimeDelta = TimeDelta::seconds(30);

/// How a pull ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pulled {
    Applied,
    /// Another pull saved its cursor first, or one of our events was written meanwhile: this one's answer is void.
    Overtaken,
}

/// Our events in a calendar, by their ids, as they were written or read last.
type Known = BTreeMap<String, KnownEvent>;

/// One round of a calendar, as the provider told it.
pub(crate) struct Round {
    pub(crate) changes: Changes,
    /// A full round tells everything that exists in `window`.
    full: Option<Full>,
    /// Our events that are here no more, and where they are now.
    elsewhere: Vec<Elsewhere>,
    /// When it was asked: the mirror is no fresher than this.
    asked_at: DateTime<Utc>,
    /// What was known of our events then.
    known: Known,
    /// The end of the mirrored time.
    mirror_until: DateTime<Utc>,
    /// The zone in which all-day events are read.
    pub(crate) tz: Tz,
}

impl Round {
    /// Whether it says something else of one of our events than what is known.
    fn tells_otherwise(&self, known: &KnownEvent) -> bool {
        let KnownEvent { external_event_id, etag, .. } = known;
        let told = self.changes.events.iter().rev().find_map(|change| match change {
            EventChange::Upsert(event) => (event.id == *external_event_id).then(|| event.etag != *etag),
            EventChange::Series { id, .. } | EventChange::Removed { id } => (id == external_event_id).then_some(true),
        });
        let is_missed = |full: &Full| full.mapped.iter().any(|mapped| mapped.external_event_id == *external_event_id);
        told.unwrap_or_else(|| self.full.as_ref().is_some_and(is_missed))
    }
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
        let round = match self.ask_for_changes(&calendar).await {
            Err(EngineError::Provider(ProviderError::NotFound)) => {
                return self.calendar_not_found(&calendar).await.map(|()| Pulled::Applied);
            }
            round => round?,
        };
        let applied = transact!(self, tx => {
            if self.is_outdated(tx, &calendar, &round).await? {
                Pulled::Overtaken
            } else {
                self.apply(tx, &calendar, &round).await?
            }
        })?;
        self.committed(organization_id);
        Ok(applied)
    }

    async fn ask_for_changes(&self, calendar: &Calendar) -> Result<Round, EngineError> {
        let now = self.now();
        let window = self.mirror_window(now);
        let known = self.known_events(&mut self.0.store.read().await?, calendar).await?;
        let reaches = calendar.mirror_until.filter(|until| *until > window.end - WINDOW_SLACK);
        if let (Some(cursor), Some(mirror_until)) = (&calendar.sync_cursor, reaches) {
            let cursor = SyncCursor::new(cursor.as_str());
            match self.call_changes(calendar, Some(&cursor), window).await {
                Err(EngineError::Provider(ProviderError::CursorExpired)) => {
                    tracing::info!(calendar = %calendar.id, "the sync cursor has expired: everything is read again");
                }
                changes => {
                    let mut changes = changes?;
                    // What is gone of a calendar that we write to is told from what was known before it was asked.
                    if !(changes.is_whole && calendar.can_write) {
                        self.add_own_series(calendar, &mut changes).await?;
                        self.add_untold(calendar, &known, &mut changes).await?;
                        let tz = self.zone_of(calendar, &changes).await?;
                        let elsewhere = self.look_elsewhere(calendar, &changes, &[]).await?;
                        let full = changes.is_whole.then(|| Full { mapped: Vec::new() });
                        return Ok(Round { changes, full, elsewhere, asked_at: now, known, mirror_until, tz });
                    }
                }
            }
        }
        self.whole_round(calendar).await
    }

    /// Everything that the calendar holds, whatever is known of it.
    pub(crate) async fn whole_round(&self, calendar: &Calendar) -> Result<Round, EngineError> {
        let now = self.now();
        let window = self.mirror_window(now);
        let known = self.known_events(&mut self.0.store.read().await?, calendar).await?;
        let mapped = self.mapped_events(calendar, window).await?;
        let mut changes = self.call_changes(calendar, None, window).await?;
        self.add_own_series(calendar, &mut changes).await?;
        self.add_unnamed(calendar, &mapped, &mut changes).await?;
        let tz = self.zone_of(calendar, &changes).await?;
        let elsewhere = self.look_elsewhere(calendar, &changes, &mapped).await?;
        let (full, mirror_until) = (Some(Full { mapped }), window.end);
        Ok(Round { changes, full, elsewhere, asked_at: now, known, mirror_until, tz })
    }

    async fn known_events(&self, tx: &mut Tx, calendar: &Calendar) -> Result<Known, EngineError> {
        let Calendar { organization_id, user_id, id, .. } = calendar;
        let known = mapping_list_known(tx, organization_id, user_id, id, self.now()).await?;
        Ok(known.into_iter().map(|event| (event.external_event_id.clone(), event)).collect())
    }

    /// Whether one of our events was written after the round was asked for, which may then tell how the event was before. What it
    /// tells must not undo what was written.
    pub(crate) async fn is_outdated(&self, tx: &mut Tx, asked: &Calendar, round: &Round) -> Result<bool, EngineError> {
        let now_known = self.known_events(tx, asked).await?;
        let was_written =
            |now: &&KnownEvent| round.known.get(&now.external_event_id).is_none_or(|before| before.etag != now.etag);
        Ok(now_known.values().filter(was_written).any(|event| round.tells_otherwise(event)))
    }

    /// The time that is mirrored.
    fn mirror_window(&self, now: DateTime<Utc>) -> Interval {
        let ahead = TimeDelta::days(self.0.settings.mirror_days.into());
        Interval { start: now - TimeDelta::days(1), end: now + ahead }
    }

    /// Asks for our own events that no round has told of since they were written, and this one does not either. One that was
    /// deleted or moved elsewhere before anybody read the calendar is gone without a word: not every provider tells the end of
    /// what it never told of.
    async fn add_untold(&self, calendar: &Calendar, known: &Known, changes: &mut Changes) -> Result<(), EngineError> {
        let is_mentioned = |id: &str| {
            changes.events.iter().any(|change| match change {
                EventChange::Upsert(event) => event.id == id,
                EventChange::Series { id: told, .. } | EventChange::Removed { id: told } => told == id,
            })
        };
        let written_before = self.now() - READABLE_AFTER;
        let untold = known.values().filter(|event| {
            event.untold_since.is_some_and(|since| since <= written_before) && !is_mentioned(&event.external_event_id)
        });
        for KnownEvent { external_event_id, .. } in untold.collect::<Vec<_>>() {
            changes.events.push(match self.event_at_provider(calendar, external_event_id).await {
                Ok(Some(event)) => EventChange::Upsert(Box::new(event)),
                Ok(None) => EventChange::Removed { id: external_event_id.clone() },
                // One event that cannot be read does not keep the others from being followed.
                Err(EngineError::Provider(ProviderError::Rejected(reason))) => {
                    tracing::warn!(calendar = %calendar.id, event = external_event_id, reason, "an event cannot be read");
                    continue;
                }
                Err(error) => return Err(error),
            });
        }
        Ok(())
    }

    pub(super) async fn event_at_provider(
        &self,
        calendar: &Calendar,
        id: &str,
    ) -> Result<Option<CalendarEvent>, EngineError> {
        let calendar_id = calendar.external_id.as_str();
        let call = move |provider: Arc<dyn CalendarProvider>, access| async move {
            provider.get_event(&access, calendar_id, id).await
        };
        self.call_provider(&calendar.organization_id, &calendar.account_id, call).await
    }

    /// Asks for our own events that a whole round did not name. One that the host moved out of the window is still there.
    async fn add_unnamed(
        &self,
        calendar: &Calendar,
        mapped: &[MappedEvent],
        changes: &mut Changes,
    ) -> Result<(), EngineError> {
        let is_unnamed = |mapped: &&MappedEvent| !is_named(&mapped.external_event_id, &changes.events);
        for unnamed in mapped.iter().filter(is_unnamed).collect::<Vec<_>>() {
            let found = self.event_at_provider(calendar, &unnamed.external_event_id).await?;
            changes.events.extend(found.map(|event| EventChange::Upsert(Box::new(event))));
        }
        Ok(())
    }

    async fn call_changes(
        &self,
        calendar: &Calendar,
        cursor: Option<&SyncCursor>,
        window: Interval,
    ) -> Result<Changes, EngineError> {
        let external_id = calendar.external_id.as_str();
        let call = move |provider: Arc<dyn CalendarProvider>, access| async move {
            provider.changes(&access, external_id, cursor, window).await
        };
        self.call_provider(&calendar.organization_id, &calendar.account_id, call).await
    }

    /// The calendar's own zone; the host's where the provider tells none that is known.
    async fn zone_of(&self, calendar: &Calendar, changes: &Changes) -> Result<Tz, EngineError> {
        self.zone_called(calendar, changes.time_zone.as_deref().or(calendar.time_zone.as_deref())).await
    }

    async fn zone_called(&self, calendar: &Calendar, told: Option<&str>) -> Result<Tz, EngineError> {
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

    /// Applies a round that was asked for with the calendar as it is in `asked`.
    pub(crate) async fn apply(&self, tx: &mut Tx, asked: &Calendar, round: &Round) -> Result<Pulled, EngineError> {
        let (organization_id, id) = (&asked.organization_id, &asked.id);
        let Some(calendar) = calendar_get(tx, organization_id, id).await? else { return Ok(Pulled::Applied) };
        if calendar.sync_cursor != asked.sync_cursor {
            return Ok(Pulled::Overtaken);
        }
        for moved in &round.elsewhere {
            self.adopt_elsewhere(tx, &calendar, moved).await?;
        }
        // A whole round says nothing of deletions: what it does not name is gone.
        let mut mirror = Vec::new();
        for change in &round.changes.events {
            let (event_id, busy) = self.busy_of(tx, &calendar, change, round.tz).await?;
            // Of two changes of one event the later holds.
            if round.full.is_some() {
                mirror.retain(|known: &BusyInterval| !is_of(&known.external_event_id, event_id));
                mirror.extend(busy);
                continue;
            }
            if let EventChange::Upsert(event) = change
                && let Some(first) = &event.first_instance
            {
                busy_interval_delete(tx, organization_id, id, first, self.now()).await?;
            }
            for known in busy_interval_ids_of_event(tx, organization_id, id, event_id).await? {
                if !busy.iter().any(|busy| busy.external_event_id == known) {
                    busy_interval_delete(tx, organization_id, id, &known, self.now()).await?;
                }
            }
            for busy in &busy {
                busy_interval_upsert(tx, busy, self.now()).await?;
            }
        }
        if let Some(full) = &round.full {
            busy_intervals_replace(tx, organization_id, id, mirror, self.now()).await?;
            for MappedEvent { external_event_id } in &full.mapped {
                if !is_named(external_event_id, &round.changes.events) {
                    self.own_event_removed(tx, &calendar, external_event_id).await?;
                }
            }
        }
        let cursor = Some(round.changes.cursor.as_str());
        let (asked_at, until) = (Some(round.asked_at), Some(round.mirror_until));
        calendar_update_sync(tx, organization_id, id, cursor, asked_at, until, None).await?;
        Ok(Pulled::Applied)
    }

    /// What a change leaves of an event in the mirror, and the event's id. Where it concerns an event of ours, its appointments
    /// follow.
    async fn busy_of<'a>(
        &self,
        tx: &mut Tx,
        calendar: &Calendar,
        change: &'a EventChange,
        tz: Tz,
    ) -> Result<(&'a str, Vec<BusyInterval>), EngineError> {
        let mut busy = Vec::new();
        let id = match change {
            EventChange::Removed { id } => {
                self.own_event_removed(tx, calendar, id).await?;
                id
            }
            EventChange::Upsert(event) => {
                let taken = self.takes_time(tx, calendar, event, tz).await?;
                busy.extend(taken.map(|interval| busy_interval(calendar, event, interval)));
                &event.id
            }
            EventChange::Series { id, instances } => {
                let mut instances: Vec<&CalendarEvent> = instances.iter().collect();
                instances.sort_by_key(|instance| instance.start.instant(tz));
                let mut instances = instances.into_iter();
                // An event of ours that was made to recur stands for its appointment with its first instance.
                if let Some(mapping) = mapping_get_by_external(tx, &calendar.organization_id, &calendar.id, id).await? {
                    let mapping = self.told(tx, mapping).await?;
                    match instances.next() {
                        Some(first) => {
                            let whole = CalendarEvent {
                                id: id.clone(),
                                first_instance: Some(first.id.clone()),
                                ..first.clone()
                            };
                            let taken = self.own_event_changed(tx, mapping, &whole, tz).await?;
                            busy.extend(taken.map(|interval| busy_interval(calendar, first, interval)));
                        }
                        None => self.own_event_removed(tx, calendar, id).await?,
                    }
                }
                for instance in instances {
                    if !self.is_copy_of_own(tx, calendar, instance).await? {
                        busy.extend(
                            instance.busy_interval(tz).map(|interval| busy_interval(calendar, instance, interval)),
                        );
                    }
                }
                id
            }
        };
        Ok((id, busy))
    }

    /// Notes that the calendar has told of one of our events.
    async fn told(
        &self,
        tx: &mut Tx,
        mapping: AppointmentExternalMapping,
    ) -> Result<AppointmentExternalMapping, EngineError> {
        if mapping.untold_since.is_none() {
            return Ok(mapping);
        }
        let told = AppointmentExternalMapping { untold_since: None, ..mapping };
        mapping_upsert(tx, &told).await?;
        Ok(told)
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
            Some(mapping) => {
                let mapping = self.told(tx, mapping).await?;
                self.own_event_changed(tx, mapping, event, tz).await
            }
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
            self.committed(organization_id);
        }
        Ok(())
    }
}

/// Whether the changes say that the event is there.
pub(crate) fn is_named(external_event_id: &str, changes: &[EventChange]) -> bool {
    changes.iter().any(|change| match change {
        EventChange::Upsert(event) => event.id == external_event_id,
        EventChange::Series { id, .. } => id == external_event_id,
        EventChange::Removed { .. } => false,
    })
}

/// Whether what is mirrored under `id` belongs to the event: is it, or an instance of it.
fn is_of(id: &str, event_id: &str) -> bool {
    id.strip_prefix(event_id).is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
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
