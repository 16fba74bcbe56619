//! What visitors are offered: event types, slots, and on which sites.

mod cache;
mod freshness;
mod live;
mod series;
mod situation;
mod snapshot;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use cupo_core::{
    event_type::{Assignment, Listing, Rules, WhenStale},
    ids::UserId,
    interval::Interval,
    parse::{FieldProblem, Origin, Slug},
    slots::slots,
    text::{self, Locale},
    wire::{EventTypeView, HostView, LocationView, SlotsResponse},
};
use cupo_store::{
    Appointment, BookingLink, EventType, Tx, appointment_get_by_token_hash, booking_link_get_by_token_hash,
    organization_get_by_slug, origins_of_organization,
};
use futures::future::join_all;
use sha2::{Digest, Sha256};

use crate::{Engine, EngineError, engine::digest};

pub(crate) use cache::AvailabilityCache;
use cache::{EventName, SlotsName, ViewName, good};
pub(crate) use freshness::{Freshness, channel_until};
pub(crate) use live::{Asker, Live, Silent};
pub use series::SeriesRequest;
pub(crate) use situation::{
    Booked, HostShare, HostTime, LiveBusy, OpenSession, Own, Situation, Wish, booked_of, reach, starts_around,
    whole_periods,
};
use snapshot::{Snapshot, next_minute};

/// The most days that are answered at once.
pub const MAX_DAYS: u32 = 62;
/// What the dates of a range may lie off UTC in the visitor's zone.
const BEFORE: TimeDelta = TimeDelta::hours(14);
const AFTER: TimeDelta = TimeDelta::hours(12);

/// Which slots are asked for.
#[derive(Clone, Copy)]
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
    /// The id of the one host who will do.
    pub host: Option<&'a str>,
    /// The secret of a single-use link.
    pub link: Option<&'a str>,
}

cupo_core::shown_in_debug!(SlotsRequest<'a> { org, event, from, to, duration, host });

/// An answer of slots, ready to be sent.
#[derive(Debug, Clone)]
pub struct CachedSlots {
    /// The JSON of a [`SlotsResponse`].
    pub body: Bytes,
    /// A strong entity tag (RFC 9110, section 8.8.3), quotes included.
    pub etag: String,
    /// The starts themselves.
    pub starts: Arc<[DateTime<Utc>]>,
    /// How many seats each of them has left; empty where that is nobody's business.
    pub seats_left: Arc<[u32]>,
}

impl CachedSlots {
    fn new(answer: SlotsResponse) -> Result<Self, EngineError> {
        let (starts, seats_left) = (answer.slots.as_slice().into(), answer.seats_left.as_slice().into());
        let body = serde_json::to_vec(&answer).map_err(|e| EngineError::internal("slots", e))?;
        let etag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..12]));
        Ok(Self { body: body.into(), etag, starts, seats_left })
    }
}

/// Every start from the first date to the last, wherever on Earth these dates are meant.
pub(crate) fn instants_of_dates(from: NaiveDate, to: NaiveDate) -> Result<Interval, EngineError> {
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

/// The rules for an appointment of the length that is asked for.
///
/// # Errors
/// [`EngineError::Invalid`] with `duration` for a length that is not on offer.
pub(crate) fn rules_for(event_type: &EventType, duration: Option<u32>) -> Result<Rules, EngineError> {
    let rules = event_type.rules;
    match duration {
        None => Ok(rules),
        Some(minutes) if event_type.options.durations(&rules).contains(&minutes) => {
            Ok(Rules { duration: TimeDelta::minutes(minutes.into()), ..rules })
        }
        Some(minutes) => Err(FieldProblem::new("error.duration").with("value", minutes).at("duration").into()),
    }
}

/// The host whom a visitor chose.
///
/// # Errors
/// [`EngineError::Invalid`] with `host` where there is no choice or no such host.
pub(crate) fn chosen_host(situation: &Situation, host: Option<&str>) -> Result<Option<UserId>, EngineError> {
    let Some(host) = host else { return Ok(None) };
    let options = &situation.event_type.options;
    let is_offered = options.assignment == Assignment::RoundRobin && options.host_choice;
    let known = situation.hosts.iter().map(|share| &share.host.user_id).find(|id| id.as_str() == host);
    match known.filter(|_| is_offered) {
        Some(id) => Ok(Some(id.clone())),
        None => Err(FieldProblem::new("error.host").at("host").into()),
    }
}

impl Engine {
    /// The slots of an event type on the dates from `from` to `to`; no provider is asked unless a mirror is stale, and then
    /// none is waited for longer than `stale_patience`.
    ///
    /// The dates are taken generously: the answer holds every start in
    /// `[from 00:00Z - 14 h, to 24:00Z + 12 h)`, and the asker drops what is outside the dates of their zone.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::RangeTooLong`] beyond 62 days, [`EngineError::Invalid`] with `to`,
    /// `duration` or `host`, [`EngineError::CalendarUnreachable`] when a mirror is stale and its provider does not answer.
    pub async fn slots(&self, request: &SlotsRequest<'_>) -> Result<Arc<CachedSlots>, EngineError> {
        let now = self.now();
        let SlotsRequest { org, event, from, to, duration, .. } = *request;
        let name = SlotsName { org, event, from, to, duration };
        let is_personal =
            request.hold.is_some() || request.reschedule.is_some() || request.host.is_some() || request.link.is_some();
        if !is_personal && let Some(slots) = good(&self.0.availability.slots, &name, now) {
            return Ok(slots);
        }
        let range = instants_of_dates(from, to)?;
        let snapshot = self.snapshot(org, event).await?;
        if request.reschedule.is_none() {
            self.admit(&snapshot.situation.event_type, request.link).await?;
        }
        let answer = Arc::new(CachedSlots::new(self.compute_slots(&snapshot, request, range, now).await?)?);
        if !is_personal {
            let hosts = &snapshot.situation.hosts;
            let holds = hosts.iter().flat_map(|share| &share.time.holds).map(|hold| hold.expires_at);
            let valid_until = holds.filter(|end| *end > now).fold(snapshot.valid_until, DateTime::min);
            let id = &snapshot.situation.organization.id;
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
    ) -> Result<SlotsResponse, EngineError> {
        let situation = &snapshot.situation;
        let hold_hash = request.hold.map(digest);
        let moving = match request.reschedule {
            Some(token) => {
                let hash = digest(token);
                let found = appointment_get_by_token_hash(&mut self.0.store.read().await?, &hash).await?;
                // The link opens its own appointment, not another event type that not everybody may see.
                let of_this = |moving: &Appointment| {
                    moving.organization_id == situation.organization.id
                        && moving.event_type_id == situation.event_type.id
                };
                Some(found.filter(of_this).ok_or(EngineError::NotFound("appointment"))?)
            }
            None => None,
        };
        let (rules, host) = match &moving {
            Some(moving) => (rules_of_moving(&situation.event_type, moving), self.host_of_moving(situation, moving)),
            None => (rules_for(&situation.event_type, request.duration)?, chosen_host(situation, request.host)?),
        };
        let (live, unknown) = self.live_for_stale(situation, host.as_ref(), range, now).await?;
        let own = Own { appointment: moving.as_ref(), hold_hash: hold_hash.as_deref() };
        let wish = Wish { rules: &rules, host: host.as_ref(), unknown: &unknown, own, live: &live };
        let starts = situation.ask(&wish, now, range, slots);
        let seats_left = if rules.seats > 1 && situation.event_type.options.seats_shown {
            let sessions = situation.sessions(&wish, now);
            let left = |start: &DateTime<Utc>| {
                let is_it = |open: &&OpenSession| {
                    open.session.start == *start
                        && open.session.duration == rules.duration
                        && open.session.seats_left > 0
                };
                sessions.iter().find(is_it).map_or(rules.seats, |open| open.session.seats_left)
            };
            starts.iter().map(left).collect()
        } else {
            Vec::new()
        };
        Ok(SlotsResponse { slots: starts, seats_left })
    }

    /// The live busy time of the hosts who have a calendar whose mirror cannot be trusted, without their own
    /// appointments; and the hosts of whom nothing could be learned, where others can stand in for them. Nobody is asked where
    /// the event type goes by what was last known.
    async fn live_for_stale(
        &self,
        situation: &Situation,
        host: Option<&UserId>,
        range: Interval,
        now: DateTime<Utc>,
    ) -> Result<(LiveBusy, BTreeSet<UserId>), EngineError> {
        let (mut live, mut unknown) = (BTreeMap::new(), BTreeSet::new());
        if situation.event_type.options.when_stale != WhenStale::Ask {
            return Ok((live, unknown));
        }
        let none = (BTreeMap::new(), BTreeSet::new());
        let everybody =
            Wish { rules: &situation.event_type.rules, host, unknown: &none.1, own: Own::default(), live: &none.0 };
        let rules = &situation.event_type.rules;
        let latest = situation.window(rules, now).closes.map_or(range.end, |closes| closes.min(range.end));
        let longest = situation.event_type.options.durations(rules).last().copied().unwrap_or_default();
        let asked = Interval::new(
            (range.start - rules.buffer_before).max(now),
            latest + TimeDelta::minutes(longest.into()) + rules.buffer_after,
        );
        let Some(asked) = asked else { return Ok((live, unknown)) };
        let counted: Vec<_> = situation.counted(&everybody).collect();
        let stale = counted.iter().filter(|share| share.time.stale().next().is_some());
        let asking = stale.map(|share| async move {
            (share, self.live_busy(&situation.organization.id, share.time.stale(), asked, Asker::Slots).await)
        });
        for (share, answers) in join_all(asking).await {
            let mut busy = Some(Vec::new());
            for (_, answer) in answers {
                match (answer, &mut busy) {
                    (Live::Busy(intervals), Some(busy)) => busy.extend(intervals),
                    (Live::Unknown, _) => busy = None,
                    (Live::Busy(_), None) => {}
                }
            }
            match busy {
                Some(busy) => drop(live.insert(share.host.user_id.clone(), share.time.without_own(busy))),
                None => drop(unknown.insert(share.host.user_id.clone())),
            }
        }
        let can_do_without = situation.assignment() == Assignment::RoundRobin && unknown.len() < counted.len();
        if unknown.is_empty() || can_do_without { Ok((live, unknown)) } else { Err(EngineError::CalendarUnreachable) }
    }

    async fn snapshot(&self, org: &str, event: &str) -> Result<Arc<Snapshot>, EngineError> {
        let name = EventName { org, event };
        if let Some(snapshot) = good(&self.0.availability.snapshots, &name, self.now()) {
            return Ok(snapshot);
        }
        let snapshot = Arc::new(self.read_snapshot(org, event).await?);
        let (id, valid_until) = (&snapshot.situation.organization.id, snapshot.valid_until);
        let stamped = self.0.availability.stamp(snapshot.clone(), id, snapshot.as_of, valid_until);
        self.0.availability.snapshots.insert(name.owned(), stamped);
        Ok(snapshot)
    }

    /// Lets in who may see the event type: everybody, or who has a single-use link to it that is still good.
    async fn admit(&self, event_type: &EventType, link: Option<&str>) -> Result<(), EngineError> {
        if event_type.options.listing != Listing::LinkOnly && link.is_none() {
            return Ok(());
        }
        self.booking_link(&mut self.0.store.read().await?, event_type, link).await.map(drop)
    }

    /// The single-use link of a request; `None` where none is needed and none was given.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] without a link that is needed or for an unknown one, [`EngineError::Conflict`] for one that
    /// was used or is over.
    pub(crate) async fn booking_link(
        &self,
        tx: &mut Tx,
        event_type: &EventType,
        link: Option<&str>,
    ) -> Result<Option<BookingLink>, EngineError> {
        let Some(link) = link else {
            return match event_type.options.listing {
                Listing::LinkOnly => Err(EngineError::NotFound("event type")),
                Listing::Public | Listing::Unlisted => Ok(None),
            };
        };
        let found = booking_link_get_by_token_hash(tx, &digest(link)).await?;
        let of_this = |link: &BookingLink| {
            link.event_type_id == event_type.id && link.organization_id == event_type.organization_id
        };
        let found = found.filter(of_this).ok_or(EngineError::NotFound("event type"))?;
        let is_over = found.expires_at.is_some_and(|end| end <= self.now());
        if found.used_at.is_some() || is_over {
            return Err(EngineError::Conflict("error.link_used"));
        }
        Ok(Some(found))
    }

    /// What the widget needs to know of an active event type.
    ///
    /// # Errors
    /// As for [`slots`](Self::slots).
    pub async fn event_type_view(
        &self,
        org: &str,
        slug: &str,
        locale: Locale,
        link: Option<&str>,
    ) -> Result<Arc<EventTypeView>, EngineError> {
        let now = self.now();
        let name = ViewName { org, event: slug, locale };
        if link.is_none()
            && let Some(view) = good(&self.0.availability.views, &name, now)
        {
            return Ok(view);
        }
        let snapshot = self.snapshot(org, slug).await?;
        let situation = &snapshot.situation;
        let Situation { organization, event_type, schedule, hosts, .. } = situation;
        self.admit(event_type, link).await?;
        let strings = text::section(locale, "widget");
        let options = &event_type.options;
        let window = situation.window(&event_type.rules, now);
        let mirrored = now + TimeDelta::days(self.0.settings.mirror_days.into());
        let choice = options.assignment == Assignment::RoundRobin && options.host_choice;
        let own = event_type.rules.to_input().duration_minutes;
        let mut durations = options.durations(&event_type.rules);
        // Its own length is meant where none is chosen, so it comes first.
        durations.sort_by_key(|minutes| *minutes != own);
        let view = Arc::new(EventTypeView {
            org: organization.slug.to_string(),
            slug: event_type.slug.to_string(),
            organization_name: organization.name.clone(),
            host_name: host_names(situation),
            title: event_type.title.clone(),
            description: event_type.description.clone(),
            durations,
            location: LocationView::public(&event_type.location),
            time_zone: schedule.time_zone.to_string(),
            window_end: window.closes.unwrap_or(mirrored),
            assignment: options.assignment,
            hosts: hosts
                .iter()
                .filter(|_| choice)
                .map(|share| HostView { id: share.host.user_id.to_string(), name: share.user.name.clone() })
                .collect(),
            seats: event_type.rules.seats,
            needs_approval: options.needs_approval,
            most_occurrences: options.most_occurrences,
            questions: options.questions.clone(),
            dial_code: None,
            locale: locale.as_str().to_owned(),
            strings: strings.into_iter().map(|(key, text)| (Cow::Borrowed(key), Cow::Borrowed(text))).collect(),
        });
        if link.is_none() {
            let id = &organization.id;
            let stamped = self.0.availability.stamp(view.clone(), id, snapshot.as_of, snapshot.valid_until);
            self.0.availability.views.insert(name.owned(), stamped);
        }
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

    /// The one host who will do for an appointment that moves; `None` where any will.
    pub(crate) fn host_of_moving(&self, situation: &Situation, moving: &Appointment) -> Option<UserId> {
        let options = &situation.event_type.options;
        let stays = options.assignment == Assignment::RoundRobin && !options.reschedule_to_any_host;
        stays.then(|| moving.host_user_id.clone())
    }
}

/// The rules under which an appointment moves: its length stays.
pub(crate) fn rules_of_moving(event_type: &EventType, moving: &Appointment) -> Rules {
    Rules { duration: moving.end_at - moving.start_at, ..event_type.rules }
}

/// The host of an event type, or everybody whom an appointment brings together.
fn host_names(situation: &Situation) -> String {
    let named = situation.hosts.iter().filter(|share| match situation.assignment() {
        Assignment::Collective => share.host.is_required,
        Assignment::Single => true,
        // Nobody knows yet who it will be.
        Assignment::RoundRobin => false,
    });
    named.map(|share| share.user.name.as_str()).collect::<Vec<_>>().join(", ")
}
