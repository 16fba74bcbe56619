//! All that decides about the slots of one event type, read in one transaction, and the one place where it becomes a
//! question to the slot engine.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use cupo_core::{
    availability::OpenInterval,
    event_type::{Assignment, DailyOffer, Rules, WhenStale},
    ids::{ClaimId, UserId},
    interval::{Interval, normalize, subtract},
    parse::Slug,
    slots::{
        Bounds, HostTime as HostQuery, Needed, Period, Session, SlotQuery, limits_reached, local_days, period_around,
        window_bounds,
    },
};
use cupo_store::{
    Appointment, Calendar, Claim, EventType, EventTypeHost, Hold, Organization, Schedule, Tx, User, absence_list,
    busy_interval_list, calendar_list_by_user, claim_list, claim_list_of_event_type, event_type_get_by_slug,
    event_type_host_list, hold_list, hold_list_of_event_type, holiday_calendar_list, organization_get_by_slug,
    schedule_get, user_get,
};

use super::Freshness;
use crate::{Engine, EngineError, schedules::availability_of};

/// An event type, its hosts and what takes their time.
pub(crate) struct Situation {
    pub(crate) organization: Organization,
    pub(crate) event_type: EventType,
    /// The schedule whose zone is the event type's.
    pub(crate) schedule: Schedule,
    /// In the order in which the event type names them.
    pub(crate) hosts: Vec<HostShare>,
    /// What is booked of the event type, wherever a rule counts it: where there are seats or limits.
    pub(crate) booked: Vec<Booked>,
    /// The holds on slots of the event type, where there are seats.
    pub(crate) holds: Vec<Hold>,
}

/// One host of an event type.
pub(crate) struct HostShare {
    pub(crate) host: EventTypeHost,
    pub(crate) user: User,
    /// When they can be booked, as far as their calendars are known.
    pub(crate) open: Vec<OpenInterval>,
    pub(crate) time: HostTime,
}

/// What takes a host's time within a range.
pub(crate) struct HostTime {
    /// The mirror of the calendars that check conflicts.
    pub(crate) mirror: Vec<Interval>,
    /// What pending and confirmed appointments claim.
    pub(crate) claims: Vec<Claim>,
    /// The holds that had not expired.
    pub(crate) holds: Vec<Hold>,
    /// The calendars that check conflicts, each with whether its mirror can be trusted.
    pub(crate) calendars: Vec<(Calendar, Freshness)>,
    /// What a stale mirror counts for: the event type's choice.
    pub(crate) when_stale: WhenStale,
}

/// A booked slot of the event type, with everybody who hosts it.
#[derive(Debug, Clone)]
pub(crate) struct Booked {
    pub(crate) id: ClaimId,
    pub(crate) start_at: DateTime<Utc>,
    pub(crate) end_at: DateTime<Utc>,
    pub(crate) seats_taken: u32,
    pub(crate) hosts: Vec<UserId>,
}

/// Whose claim and hold do not count, because they are about to be given up.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Own<'a> {
    pub(crate) appointment: Option<&'a Appointment>,
    pub(crate) hold_hash: Option<&'a [u8]>,
}

/// What the providers say is busy beyond the mirror, by host.
pub(crate) type LiveBusy = BTreeMap<UserId, Vec<Interval>>;

/// What is asked of a situation.
#[derive(Clone, Copy)]
pub(crate) struct Wish<'a> {
    /// The event type's rules with the length that is wanted.
    pub(crate) rules: &'a Rules,
    /// The only one of several hosts who will do.
    pub(crate) host: Option<&'a UserId>,
    /// Hosts of whom nobody knows whether they are free.
    pub(crate) unknown: &'a BTreeSet<UserId>,
    pub(crate) own: Own<'a>,
    pub(crate) live: &'a LiveBusy,
}

/// A slot with seats that is booked or held, and by whom it is hosted.
pub(crate) struct OpenSession {
    pub(crate) session: Session,
    /// `None` while it is only held.
    pub(crate) claim_id: Option<ClaimId>,
    pub(crate) hosts: Vec<UserId>,
}

impl Own<'_> {
    /// Whether a claim is given up whole.
    fn gives_up(&self, claim: &Claim) -> bool {
        claim.seats_taken == 1 && self.appointment.is_some_and(|own| own.claim_id == claim.id)
    }

    fn is_hold(&self, hold: &Hold) -> bool {
        self.hold_hash == Some(&hold.token_hash[..])
    }
}

impl HostTime {
    pub(crate) fn stale(&self) -> impl Iterator<Item = &Calendar> {
        self.calendars.iter().filter(|(_, freshness)| freshness.is_stale()).map(|(calendar, _)| calendar)
    }

    /// The first instant that the mirrors do not reach. Of a stale one that counts for nothing the provider is asked.
    fn mirrored_until(&self) -> Option<DateTime<Utc>> {
        let counts = |freshness: Freshness| self.when_stale != WhenStale::Ask || !freshness.is_stale();
        let trusted = self.calendars.iter().filter(|(_, freshness)| counts(*freshness));
        trusted.filter_map(|(calendar, _)| calendar.mirror_until).min()
    }

    /// Everything that is taken at `now`, [normalized](normalize): the mirror, `also`, claims and holds but one's own.
    pub(crate) fn taken(&self, also: &[Interval], own: Own<'_>, now: DateTime<Utc>) -> Vec<Interval> {
        let mut taken = Vec::with_capacity(self.mirror.len() + also.len() + self.claims.len() + self.holds.len());
        taken.extend_from_slice(&self.mirror);
        taken.extend_from_slice(also);
        taken.extend(self.claims.iter().filter(|claim| !own.gives_up(claim)).map(|claim| claim.claim));
        let holds = self.holds.iter().filter(|hold| hold.expires_at > now && !own.is_hold(hold));
        taken.extend(holds.map(|hold| hold.claim));
        normalize(taken)
    }

    /// Live busy time without the host's own appointments, which stand in their calendars too.
    pub(crate) fn without_own(&self, live: Vec<Interval>) -> Vec<Interval> {
        let own = normalize(self.claims.iter().map(|claim| claim.claim).collect());
        subtract(&normalize(live), &own)
    }
}

impl Situation {
    /// The event type's zone.
    pub(crate) fn tz(&self) -> Tz {
        self.schedule.time_zone.tz()
    }

    pub(crate) fn assignment(&self) -> Assignment {
        self.event_type.options.assignment
    }

    fn needed(&self) -> Needed {
        match self.assignment() {
            Assignment::Single | Assignment::RoundRobin => Needed::Any,
            Assignment::Collective => Needed::All,
        }
    }

    /// The hosts that decide whether a start is offered.
    pub(crate) fn counted<'s>(&'s self, wish: &'s Wish<'_>) -> impl Iterator<Item = &'s HostShare> {
        let assignment = self.assignment();
        self.hosts.iter().filter(move |share| match assignment {
            Assignment::Collective => share.host.is_required,
            Assignment::Single | Assignment::RoundRobin => {
                let id = &share.host.user_id;
                wish.host.is_none_or(|only| only == id) && !wish.unknown.contains(id)
            }
        })
    }

    /// When starts may lie: the booking window, as far as the mirrors reach.
    pub(crate) fn window(&self, rules: &Rules, now: DateTime<Utc>) -> Bounds {
        let window = window_bounds(self.tz(), now, &rules.window);
        let reach = |share: &HostShare| share.time.mirrored_until();
        let mirrored = match self.needed() {
            // Somebody without a mirror can be booked however far.
            Needed::Any => {
                let furthest = |until: &Option<DateTime<Utc>>| until.unwrap_or(DateTime::<Utc>::MAX_UTC);
                self.hosts.iter().map(reach).max_by_key(furthest).flatten()
            }
            Needed::All => self.hosts.iter().filter(|share| share.host.is_required).filter_map(reach).min(),
        };
        let closes = window.closes.into_iter().chain(mirrored).min();
        Bounds { closes, ..window }
    }

    /// Slots with seats that are booked or held, by start.
    pub(crate) fn sessions(&self, wish: &Wish<'_>, now: DateTime<Utc>) -> Vec<OpenSession> {
        let seats = wish.rules.seats;
        if seats < 2 {
            return Vec::new();
        }
        let mut sessions: Vec<(u32, OpenSession)> = Vec::new();
        for booked in &self.booked {
            let own = u32::from(wish.own.appointment.is_some_and(|own| own.claim_id == booked.id));
            let taken = booked.seats_taken - own.min(booked.seats_taken);
            if taken > 0 {
                let session = Session {
                    start: booked.start_at,
                    duration: booked.end_at - booked.start_at,
                    seats_left: seats.saturating_sub(taken),
                };
                let (claim_id, hosts) = (Some(booked.id.clone()), booked.hosts.clone());
                sessions.push((taken, OpenSession { session, claim_id, hosts }));
            }
        }
        for hold in self.holds.iter().filter(|hold| hold.expires_at > now && !wish.own.is_hold(hold)) {
            let duration = hold.end_at - hold.start_at;
            let is_same = |session: &Session| session.start == hold.start_at && session.duration == duration;
            let met = sessions.iter_mut().find(|(_, open)| is_same(&open.session) && open.hosts == hold.host_user_ids);
            match met {
                Some((_, open)) => open.session.seats_left = open.session.seats_left.saturating_sub(1),
                None => {
                    let session = Session { start: hold.start_at, duration, seats_left: seats - 1 };
                    let hosts = hold.host_user_ids.clone();
                    sessions.push((1, OpenSession { session, claim_id: None, hosts }));
                }
            }
        }
        let mut sessions: Vec<_> = sessions.into_iter().map(|(_, session)| session).collect();
        sessions.retain(|open| wish.host.is_none_or(|host| open.hosts.contains(host)));
        sessions.sort_by_key(|open| (open.session.start, open.session.duration));
        sessions
    }

    /// Puts the wish to the slot engine, about the starts in `range`.
    pub(crate) fn ask<T>(
        &self,
        wish: &Wish<'_>,
        now: DateTime<Utc>,
        range: Interval,
        question: impl FnOnce(&SlotQuery<'_>) -> T,
    ) -> T {
        let counted: Vec<_> = self.counted(wish).collect();
        let busy: Vec<_> = counted
            .iter()
            .map(|share| {
                let live = wish.live.get(&share.host.user_id).map(Vec::as_slice).unwrap_or_default();
                share.time.taken(live, wish.own, now)
            })
            .collect();
        let hosts: Vec<_> =
            counted.iter().zip(&busy).map(|(share, busy)| HostQuery { open: &share.open, busy }).collect();
        let sessions: Vec<_> = self.sessions(wish, now).iter().map(|open| open.session).collect();
        let is_own = |booked: &&Booked| {
            booked.seats_taken == 1 && wish.own.appointment.is_some_and(|own| own.claim_id == booked.id)
        };
        let booked: Vec<_> = self
            .booked
            .iter()
            .filter(|booked| !is_own(booked))
            .map(|booked| (booked.start_at, booked.end_at - booked.start_at))
            .collect();
        let limits = limits_reached(&wish.rules.limits, wish.rules.duration, self.tz(), range, &booked);
        let days = match wish.rules.daily {
            DailyOffer::All => Vec::new(),
            DailyOffer::FirstFree | DailyOffer::FirstOnly => local_days(self.tz(), range),
        };
        question(&SlotQuery {
            rules: wish.rules,
            needed: self.needed(),
            hosts: &hosts,
            sessions: &sessions,
            limits: &limits,
            days: &days,
            window: self.window(wish.rules, now),
            now,
            range,
        })
    }
}

/// The starts that decide about one start: its whole day where a rule chooses among the slots of a day.
pub(crate) fn starts_around(rules: &Rules, tz: Tz, start: DateTime<Utc>) -> Interval {
    match rules.daily {
        DailyOffer::All => Interval { start, end: start + TimeDelta::microseconds(1) },
        DailyOffer::FirstFree | DailyOffer::FirstOnly => period_around(tz, start, Period::Day),
    }
}

/// The rows of claims, one of each host, as booked slots.
pub(crate) fn booked_of(claims: Vec<Claim>) -> Vec<Booked> {
    let mut booked: BTreeMap<ClaimId, Booked> = BTreeMap::new();
    for Claim { id, host_user_id, start_at, end_at, seats_taken, .. } in claims {
        let of = booked.entry(id.clone()).or_insert(Booked { id, start_at, end_at, seats_taken, hosts: Vec::new() });
        of.hosts.push(host_user_id);
    }
    let mut booked: Vec<_> = booked.into_values().collect();
    booked.sort_by_key(|booked| booked.start_at);
    booked
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

    /// The schedule whose zone is the event type's.
    pub(crate) async fn schedule_of(&self, tx: &mut Tx, event_type: &EventType) -> Result<Schedule, EngineError> {
        schedule_get(tx, &event_type.organization_id, &event_type.schedule_id)
            .await?
            .ok_or(EngineError::NotFound("schedule"))
    }

    /// Reads all that decides about the starts in `starts`.
    pub(crate) async fn situation(
        &self,
        tx: &mut Tx,
        organization: Organization,
        event_type: EventType,
        starts: Interval,
    ) -> Result<Situation, EngineError> {
        let hosts = event_type_host_list(tx, &event_type.organization_id, &event_type.id).await?;
        self.situation_with(tx, organization, event_type, hosts, None, starts).await
    }

    /// As [`situation`](Self::situation), for hosts and a schedule that are not what is stored.
    pub(crate) async fn situation_with(
        &self,
        tx: &mut Tx,
        organization: Organization,
        event_type: EventType,
        hosts: Vec<EventTypeHost>,
        instead: Option<&Schedule>,
        starts: Interval,
    ) -> Result<Situation, EngineError> {
        let of_event_type = self.schedule_of(tx, &event_type).await?;
        let instead_of = |stored: Schedule| match instead {
            Some(other) if other.id == stored.id => other.clone(),
            _ => stored,
        };
        let schedule = instead_of(of_event_type);
        let reach = reach(&event_type, starts);
        let mut shares = Vec::with_capacity(hosts.len());
        for host in hosts {
            let stored = schedule_get(tx, &host.organization_id, &host.schedule_id)
                .await?
                .ok_or(EngineError::NotFound("schedule"))?;
            shares.push(self.host_share(tx, &event_type, host, &instead_of(stored), reach).await?);
        }
        let Rules { limits, seats, .. } = &event_type.rules;
        let (organization_id, id) = (&event_type.organization_id, &event_type.id);
        let tz = schedule.time_zone.tz();
        let counted = if limits.are_set() { whole_periods(tz, starts) } else { reach };
        let booked = if limits.are_set() || *seats > 1 {
            booked_of(claim_list_of_event_type(tx, organization_id, id, counted).await?)
        } else {
            Vec::new()
        };
        let holds = if *seats > 1 {
            hold_list_of_event_type(tx, organization_id, id, reach, self.now()).await?
        } else {
            Vec::new()
        };
        Ok(Situation { organization, event_type, schedule, hosts: shares, booked, holds })
    }

    async fn host_share(
        &self,
        tx: &mut Tx,
        event_type: &EventType,
        host: EventTypeHost,
        schedule: &Schedule,
        reach: Interval,
    ) -> Result<HostShare, EngineError> {
        let (organization_id, user_id) = (&host.organization_id, &host.user_id);
        let user = user_get(tx, user_id).await?.ok_or(EngineError::NotFound("host"))?;
        let absences = absence_list(tx, organization_id, user_id).await?;
        let holidays = if schedule.holiday_calendar_ids.is_empty() {
            Vec::new()
        } else {
            holiday_calendar_list(tx, organization_id, user_id).await?
        };
        let time = self.host_time(tx, event_type, &host, reach).await?;
        let availability = availability_of(schedule, &absences, &holidays);
        let mut open = availability.open_around(reach, event_type.rules.alignment);
        if let Some(until) = time.mirrored_until() {
            open.retain_mut(|open| {
                open.interval.end = open.interval.end.min(until);
                open.interval.start < open.interval.end
            });
        }
        Ok(HostShare { host, user, open, time })
    }

    /// Reads what takes the host's time within `range`.
    pub(crate) async fn host_time(
        &self,
        tx: &mut Tx,
        event_type: &EventType,
        host: &EventTypeHost,
        range: Interval,
    ) -> Result<HostTime, EngineError> {
        let (organization_id, user_id) = (&host.organization_id, &host.user_id);
        let now = self.now();
        let mut calendars = Vec::new();
        let of_user = calendar_list_by_user(tx, organization_id, user_id).await?;
        // Where all that were chosen are gone, with an account that was connected anew, the usual ones count: never none.
        let chosen = host
            .conflict_calendar_ids
            .as_ref()
            .filter(|chosen| chosen.is_empty() || of_user.iter().any(|calendar| chosen.contains(&calendar.id)));
        for calendar in of_user {
            let counts = match chosen {
                Some(chosen) => chosen.contains(&calendar.id),
                None => calendar.checks_conflicts,
            };
            if counts {
                let freshness = self.freshness(tx, &calendar, now).await?;
                calendars.push((calendar, freshness));
            }
        }
        let ids: Vec<_> = calendars.iter().map(|(calendar, _)| calendar.id.clone()).collect();
        Ok(HostTime {
            mirror: busy_interval_list(tx, organization_id, &ids, range).await?,
            claims: claim_list(tx, organization_id, user_id, range).await?,
            holds: hold_list(tx, organization_id, user_id, range, now).await?,
            calendars,
            when_stale: event_type.options.when_stale,
        })
    }
}

/// The time that appointments with these starts can claim, and what can reach into it.
pub(crate) fn reach(event_type: &EventType, starts: Interval) -> Interval {
    let rules = &event_type.rules;
    let longest = event_type.options.durations(rules).last().copied().unwrap_or_default();
    Interval {
        start: starts.start - rules.buffer_before,
        end: starts.end + TimeDelta::minutes(longest.into()) + rules.buffer_after,
    }
}

/// The weeks and months that the range touches, whole.
pub(crate) fn whole_periods(tz: Tz, range: Interval) -> Interval {
    let around = |at: DateTime<Utc>| [Period::Week, Period::Month].map(|period| period_around(tz, at, period));
    let (first, last) = (around(range.start), around(range.end));
    Interval {
        start: first.iter().map(|period| period.start).fold(range.start, DateTime::min),
        end: last.iter().map(|period| period.end).fold(range.end, DateTime::max),
    }
}
