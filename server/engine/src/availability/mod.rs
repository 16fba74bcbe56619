//! What visitors are offered: event types, slots, and on which sites.

mod cache;
mod live;
mod snapshot;

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use cupo_core::{
    interval::{Interval, normalize, subtract},
    parse::{FieldProblem, Origin, Slug},
    slots::slots,
    text::{self, Locale},
    wire::{EventTypeView, LocationView, SlotsResponse},
};
use cupo_store::{appointment_get_by_token_hash, organization_get_by_slug, origins_of_organization};
use sha2::{Digest, Sha256};

use crate::{Engine, EngineError, engine::digest};

pub(crate) use cache::AvailabilityCache;
use cache::{EventName, SlotsName, ViewName, good};
pub(crate) use live::Live;
pub(crate) use snapshot::{Freshness, HostTime, Own, open_around};
use snapshot::{Snapshot, next_minute};

/// The most days that are answered at once.
pub const MAX_DAYS: u32 = 62;
/// What the dates of a range may lie off UTC in the visitor's zone.
const BEFORE: TimeDelta = TimeDelta::hours(14);
const AFTER: TimeDelta = TimeDelta::hours(12);

/// Which slots are asked for.
#[derive(Debug, Clone, Copy)]
pub struct SlotsRequest<'a> {
    /// The organization's slug.
    pub org: &'a str,
    /// The event type's slug.
    pub event: &'a str,
    /// The first date, in whichever zone the asker lives.
    pub from: NaiveDate,
    /// The last date.
    pub to: NaiveDate,
    /// The length in minutes; the event type's own when left out.
    pub duration: Option<u32>,
    /// The asker's hold, which does not take its own slot away.
    pub hold: Option<&'a str>,
    /// The manage token of the appointment that is to move, which does not take its own slot away.
    pub reschedule: Option<&'a str>,
}

/// An answer of slots, ready to be sent.
#[derive(Debug, Clone)]
pub struct CachedSlots {
    /// The JSON of a [`SlotsResponse`].
    pub body: Bytes,
    /// A strong entity tag (RFC 9110, section 8.8.3), quotes included.
    pub etag: String,
    /// The starts themselves.
    pub starts: Arc<[DateTime<Utc>]>,
}

impl CachedSlots {
    fn new(slots: Vec<DateTime<Utc>>) -> Result<Self, EngineError> {
        let starts: Arc<[_]> = slots.as_slice().into();
        let body = serde_json::to_vec(&SlotsResponse { slots }).map_err(|e| EngineError::internal("slots", e))?;
        let etag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..12]));
        Ok(Self { body: body.into(), etag, starts })
    }
}

/// Every start from the first date to the last, wherever on Earth these dates are meant.
fn instants_of_dates(from: NaiveDate, to: NaiveDate) -> Result<Interval, EngineError> {
    let days = to.signed_duration_since(from).num_days() + 1;
    if days > i64::from(MAX_DAYS) {
        return Err(EngineError::RangeTooLong { max_days: MAX_DAYS });
    }
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
    let start = midnight(from).checked_sub_signed(BEFORE);
    let end = midnight(to).checked_add_signed(TimeDelta::days(1) + AFTER);
    let range = start.zip(end).and_then(|(start, end)| Interval::new(start, end)).filter(|_| days > 0);
    range.ok_or_else(|| FieldProblem::new("error.date_order").at("to").into())
}

impl Engine {
    /// The slots of an event type on the dates from `from` to `to`; no provider is asked unless a mirror is stale.
    ///
    /// The dates are taken generously: the answer holds every start in
    /// `[from 00:00Z - 14 h, to 24:00Z + 12 h)`, and the asker drops what is outside the dates of their zone.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::RangeTooLong`] beyond 62 days, [`EngineError::Invalid`] with `to` or
    /// `duration`, [`EngineError::CalendarUnreachable`] when a mirror is stale and its provider does not answer.
    pub async fn slots(&self, request: &SlotsRequest<'_>) -> Result<Arc<CachedSlots>, EngineError> {
        let now = self.now();
        let SlotsRequest { org, event, from, to, .. } = *request;
        let name = SlotsName { org, event, from, to };
        let is_personal = request.hold.is_some() || request.reschedule.is_some();
        let is_cacheable = !is_personal && request.duration.is_none();
        if is_cacheable && let Some(slots) = good(&self.0.availability.slots, &name, now) {
            return Ok(slots);
        }
        let range = instants_of_dates(from, to)?;
        let snapshot = self.snapshot(org, event).await?;
        check_duration(snapshot.event_type.rules.duration, request.duration)?;
        let answer = Arc::new(CachedSlots::new(self.compute_slots(&snapshot, request, range, now).await?)?);
        if is_cacheable {
            let holds = snapshot.time.holds.iter().map(|hold| hold.expires_at).filter(|end| *end > now);
            let valid_until = holds.fold(snapshot.valid_until, DateTime::min);
            let id = &snapshot.organization.id;
            let stamped = self.0.availability.stamp(answer.clone(), id, snapshot.as_of, valid_until);
            self.0.availability.slots.insert(name.owned(), stamped);
        }
        Ok(answer)
    }

    async fn compute_slots(
        &self,
        snapshot: &Snapshot,
        request: &SlotsRequest<'_>,
        range: Interval,
        now: DateTime<Utc>,
    ) -> Result<Vec<DateTime<Utc>>, EngineError> {
        let hold_hash = request.hold.map(digest);
        let moving = match request.reschedule {
            Some(token) => {
                let hash = digest(token);
                let found = appointment_get_by_token_hash(&mut self.0.store.read().await?, &hash).await?;
                Some(found.ok_or(EngineError::NotFound("appointment"))?)
            }
            None => None,
        };
        let own = Own { appointment: moving.as_ref().map(|moving| &moving.id), hold_hash: hold_hash.as_deref() };
        let mut rules = snapshot.event_type.rules;
        if let Some(moving) = &moving {
            rules.duration = moving.end_at - moving.start_at;
        }
        let live = self.live_for_stale(snapshot, range, now).await?;
        let taken = snapshot.time.taken(&live, own, now);
        Ok(slots(&snapshot.query(&taken, &rules, now, range)))
    }

    /// The live busy time of the calendars whose mirror cannot be trusted, without the host's own appointments.
    async fn live_for_stale(
        &self,
        snapshot: &Snapshot,
        range: Interval,
        now: DateTime<Utc>,
    ) -> Result<Vec<Interval>, EngineError> {
        let rules = &snapshot.event_type.rules;
        let latest = range.end.min(snapshot.offered_until(now)) + rules.duration + rules.buffer_after;
        let asked = Interval::new((range.start - rules.buffer_before).max(now), latest);
        let (Some(asked), Some(_)) = (asked, snapshot.time.stale().next()) else { return Ok(Vec::new()) };
        let mut busy = Vec::new();
        for (_, live) in self.live_busy(&snapshot.organization.id, snapshot.time.stale(), asked).await {
            match live {
                Live::Busy(intervals) => busy.extend(intervals),
                Live::Unknown => return Err(EngineError::CalendarUnreachable),
            }
        }
        Ok(without_own(busy, &snapshot.time))
    }

    async fn snapshot(&self, org: &str, event: &str) -> Result<Arc<Snapshot>, EngineError> {
        let name = EventName { org, event };
        if let Some(snapshot) = good(&self.0.availability.snapshots, &name, self.now()) {
            return Ok(snapshot);
        }
        let snapshot = Arc::new(self.read_snapshot(org, event).await?);
        let (id, valid_until) = (&snapshot.organization.id, snapshot.valid_until);
        let stamped = self.0.availability.stamp(snapshot.clone(), id, snapshot.as_of, valid_until);
        self.0.availability.snapshots.insert(name.owned(), stamped);
        Ok(snapshot)
    }

    /// What the widget needs to know of an active event type.
    pub async fn event_type_view(
        &self,
        org: &str,
        slug: &str,
        locale: Locale,
    ) -> Result<Arc<EventTypeView>, EngineError> {
        let now = self.now();
        let name = ViewName { org, event: slug, locale };
        if let Some(view) = good(&self.0.availability.views, &name, now) {
            return Ok(view);
        }
        let snapshot = self.snapshot(org, slug).await?;
        let Snapshot { organization, event_type, host, schedule, .. } = &*snapshot;
        let strings = text::section(locale, "widget");
        let view = Arc::new(EventTypeView {
            org: organization.slug.to_string(),
            slug: event_type.slug.to_string(),
            organization_name: organization.name.clone(),
            host_name: host.name.clone(),
            title: event_type.title.clone(),
            description: event_type.description.clone(),
            durations: vec![event_type.rules.to_input().duration_minutes],
            location: LocationView::public(&event_type.location),
            time_zone: schedule.time_zone.to_string(),
            window_end: snapshot.offered_until(now),
            locale: locale.as_str().to_owned(),
            strings: strings.into_iter().map(|(key, text)| (Cow::Borrowed(key), Cow::Borrowed(text))).collect(),
        });
        let stamped = self.0.availability.stamp(view.clone(), &organization.id, snapshot.as_of, snapshot.valid_until);
        self.0.availability.views.insert(name.owned(), stamped);
        Ok(view)
    }

    /// The origins on which the organization's widget may be embedded.
    pub async fn allowed_origins(&self, org: &str) -> Result<Arc<[Origin]>, EngineError> {
        let now = self.now();
        if let Some(origins) = good(&self.0.availability.origins, org, now) {
            return Ok(origins);
        }
        let as_of = self.0.availability.begin();
        let tx = &mut self.0.store.read().await?;
        let slug = Slug::parse(org).map_err(|_| EngineError::NotFound("organization"))?;
        let organization = organization_get_by_slug(tx, &slug).await?.ok_or(EngineError::NotFound("organization"))?;
        let origins: Arc<[Origin]> = origins_of_organization(tx, &organization.id).await?.into();
        let stamped = self.0.availability.stamp(origins.clone(), &organization.id, as_of, next_minute(now));
        self.0.availability.origins.insert(org.to_owned(), stamped);
        Ok(origins)
    }
}

/// Live busy time without the host's own appointments, which stand in their calendars too.
pub(crate) fn without_own(live: Vec<Interval>, time: &HostTime) -> Vec<Interval> {
    let own = normalize(time.claims.iter().map(|(_, claim)| *claim).collect());
    subtract(&normalize(live), &own)
}

/// An event type has one length so far; another one is not on offer.
pub(crate) fn check_duration(offered: TimeDelta, asked: Option<u32>) -> Result<(), EngineError> {
    match asked {
        Some(minutes) if TimeDelta::minutes(minutes.into()) != offered => {
            Err(FieldProblem::new("error.duration").with("value", minutes).at("duration").into())
        }
        _ => Ok(()),
    }
}
