//! All that decides about the slots of one event type, read in one transaction.

use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;
use cupo_core::{
    event_type::Rules,
    ids::AppointmentId,
    interval::{Interval, normalize},
    parse::Slug,
    slots::{SlotQuery, open_intervals, window_end},
};
use cupo_store::{
    Calendar, EventType, Hold, Organization, Schedule, Tx, User, appointment_list_claims, busy_interval_list,
    calendar_list_by_user, event_type_get_by_slug, hold_list, organization_get_by_slug, schedule_get,
    subscription_list_by_calendar, user_get,
};

use super::cache::Epoch;
use crate::{Engine, EngineError};

/// Around the booking window, for zones and buffers.
const MARGIN_DAYS: u32 = 2;

/// An event type, its host and what takes the host's time.
pub(crate) struct Snapshot {
    pub(crate) organization: Organization,
    pub(crate) event_type: EventType,
    pub(crate) host: User,
    pub(crate) schedule: Schedule,
    pub(crate) open: Vec<Interval>,
    pub(crate) time: HostTime,
    pub(crate) valid_until: DateTime<Utc>,
    /// When the reading began; what is computed of a snapshot is no fresher than it.
    pub(super) as_of: Epoch,
}

/// The end of what is cached: slots and notices are whole minutes, so that what is offered changes by itself at a full
/// minute only; and what another process wrote, which invalidates nothing here, is seen within the minute.
pub(super) fn next_minute(now: DateTime<Utc>) -> DateTime<Utc> {
    let minutes = now.timestamp().div_euclid(60) + 1;
    DateTime::from_timestamp(minutes * 60, 0).unwrap_or(now)
}

/// What takes a host's time within a range.
pub(crate) struct HostTime {
    /// The mirror of the calendars that check conflicts.
    pub(crate) mirror: Vec<Interval>,
    /// The claims of confirmed appointments.
    pub(crate) claims: Vec<(AppointmentId, Interval)>,
    /// The holds that had not expired.
    pub(crate) holds: Vec<Hold>,
    /// The calendars that check conflicts, each with whether its mirror can be trusted.
    pub(crate) calendars: Vec<(Calendar, Freshness)>,
}

/// Whether a calendar's mirror can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Until this instant, if nothing else happens.
    Until(DateTime<Utc>),
    /// Its channel is gone, or nothing could be read through it, and its last synchronization is too old.
    Stale,
}

/// Whose claim and hold do not count, because they are about to be given up.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Own<'a> {
    pub(crate) appointment: Option<&'a AppointmentId>,
    pub(crate) hold_hash: Option<&'a [u8]>,
}

impl HostTime {
    /// The first instant at which nothing is offered any more: the end of the booking window, or of the mirror.
    pub(crate) fn offered_until(&self, tz: Tz, window_days: u32, now: DateTime<Utc>) -> DateTime<Utc> {
        let mirrored = self.calendars.iter().filter(|(_, freshness)| *freshness != Freshness::Stale);
        let mirrored = mirrored.filter_map(|(calendar, _)| calendar.mirror_until);
        mirrored.fold(window_end(tz, now, window_days), DateTime::min)
    }

    pub(crate) fn stale(&self) -> impl Iterator<Item = &Calendar> {
        self.calendars.iter().filter(|(_, freshness)| *freshness == Freshness::Stale).map(|(calendar, _)| calendar)
    }

    /// The claims of appointments, but the one of `own`.
    pub(crate) fn claims_but(&self, own: Own<'_>) -> impl Iterator<Item = Interval> {
        self.claims.iter().filter(move |(id, _)| own.appointment != Some(id)).map(|(_, claim)| *claim)
    }

    /// Everything that is taken at `now`, [normalized](normalize): the mirror, `also`, claims and holds but one's own.
    pub(crate) fn taken(&self, also: &[Interval], own: Own<'_>, now: DateTime<Utc>) -> Vec<Interval> {
        let mut taken = Vec::with_capacity(self.mirror.len() + also.len() + self.claims.len() + self.holds.len());
        taken.extend_from_slice(&self.mirror);
        taken.extend_from_slice(also);
        taken.extend(self.claims_but(own));
        let holds = self.holds.iter().filter(|hold| hold.expires_at > now);
        let holds = holds.filter(|hold| own.hold_hash != Some(&hold.token_hash[..]));
        taken.extend(holds.map(|hold| hold.claim));
        normalize(taken)
    }
}

impl Snapshot {
    pub(crate) fn offered_until(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.time.offered_until(self.schedule.time_zone.tz(), self.event_type.rules.window_days, now)
    }

    pub(crate) fn query<'a>(
        &'a self,
        busy: &'a [Interval],
        rules: &'a Rules,
        now: DateTime<Utc>,
        range: Interval,
    ) -> SlotQuery<'a> {
        SlotQuery { open: &self.open, busy, rules, window_end: self.offered_until(now), now, range }
    }
}

/// The open hours of a schedule from the day before `range` to the day after it.
pub(crate) fn open_around(schedule: &Schedule, range: Interval) -> Vec<Interval> {
    let tz = schedule.time_zone.tz();
    let day = |instant: DateTime<Utc>| instant.with_timezone(&tz).date_naive();
    let first = day(range.start).checked_sub_days(Days::new(1)).unwrap_or(chrono::NaiveDate::MIN);
    let last = day(range.end).checked_add_days(Days::new(1)).unwrap_or(chrono::NaiveDate::MAX);
    open_intervals(&schedule.weekly_hours, tz, first, last)
}

impl Engine {
    /// The active event type of a public address, with its organization.
    pub(crate) async fn offered(
        &self,
        tx: &mut Tx,
        org: &str,
        event: &str,
    ) -> Result<(Organization, EventType), EngineError> {
        let org = Slug::parse(org).map_err(|_| EngineError::NotFound("organization"))?;
        let event = Slug::parse(event).map_err(|_| EngineError::NotFound("event type"))?;
        let organization = organization_get_by_slug(tx, &org).await?.ok_or(EngineError::NotFound("organization"))?;
        let event_type = event_type_get_by_slug(tx, &organization.id, &event)
            .await?
            .filter(|event_type| event_type.is_active)
            .ok_or(EngineError::NotFound("event type"))?;
        Ok((organization, event_type))
    }

    pub(crate) async fn schedule_and_host(
        &self,
        tx: &mut Tx,
        event_type: &EventType,
    ) -> Result<(Schedule, User), EngineError> {
        let schedule = schedule_get(tx, &event_type.organization_id, &event_type.schedule_id)
            .await?
            .ok_or(EngineError::NotFound("schedule"))?;
        let host = user_get(tx, &event_type.host_user_id).await?.ok_or(EngineError::NotFound("host"))?;
        Ok((schedule, host))
    }

    /// Reads what takes the host's time within `range`.
    pub(crate) async fn host_time(
        &self,
        tx: &mut Tx,
        event_type: &EventType,
        range: Interval,
    ) -> Result<HostTime, EngineError> {
        let (organization_id, host) = (&event_type.organization_id, &event_type.host_user_id);
        let now = self.now();
        let mut calendars = Vec::new();
        for calendar in calendar_list_by_user(tx, organization_id, host).await? {
            if calendar.checks_conflicts {
                let freshness = self.freshness(tx, &calendar, now).await?;
                calendars.push((calendar, freshness));
            }
        }
        let ids: Vec<_> = calendars.iter().map(|(calendar, _)| calendar.id.clone()).collect();
        Ok(HostTime {
            mirror: busy_interval_list(tx, organization_id, &ids, range).await?,
            claims: appointment_list_claims(tx, organization_id, host, range).await?,
            holds: hold_list(tx, organization_id, host, range, now).await?,
            calendars,
        })
    }

    async fn freshness(&self, tx: &mut Tx, calendar: &Calendar, now: DateTime<Utc>) -> Result<Freshness, EngineError> {
        let Some(synced_at) = calendar.synced_at else { return Ok(Freshness::Stale) };
        let until = synced_at + self.0.settings.stale_after;
        if until > now {
            return Ok(Freshness::Until(until));
        }
        if calendar.sync_error.is_some() {
            return Ok(Freshness::Stale);
        }
        let subscriptions = subscription_list_by_calendar(tx, &calendar.organization_id, &calendar.id).await?;
        let live = subscriptions.iter().map(|subscription| subscription.expires_at).max().filter(|end| *end > now);
        Ok(live.map_or(Freshness::Stale, Freshness::Until))
    }

    /// Reads a snapshot in one transaction.
    pub(super) async fn read_snapshot(&self, org: &str, event: &str) -> Result<Snapshot, EngineError> {
        let as_of = self.0.availability.begin();
        let tx = &mut self.0.store.read().await?;
        let (organization, event_type) = self.offered(tx, org, event).await?;
        let (schedule, host) = self.schedule_and_host(tx, &event_type).await?;
        let now = self.now();
        let days = i64::from(event_type.rules.window_days + MARGIN_DAYS);
        let range = Interval { start: now - TimeDelta::days(1), end: now + TimeDelta::days(days) };
        let time = self.host_time(tx, &event_type, range).await?;
        let trusted = time.calendars.iter().filter_map(|(_, freshness)| match freshness {
            Freshness::Until(until) => Some(*until),
            Freshness::Stale => None,
        });
        let valid_until = trusted.fold(next_minute(now), DateTime::min);
        let open = open_around(&schedule, range);
        Ok(Snapshot { organization, event_type, host, schedule, open, time, valid_until, as_of })
    }
}
