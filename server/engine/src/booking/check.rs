//! Whether a start can be had, and of whom: by the rules and all that is known inside the transaction that books, and by
//! what the providers said before it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::{
    event_type::{Assignment, DailyOffer, Rules, WhenStale},
    ids::{ClaimId, UserId},
    interval::{Interval, normalize, subtract},
    slots::{Candidate, Refusal, check, choose, claim, explain_host},
};
use cupo_store::{
    Appointment, AppointmentCursor, AppointmentFilter, EventType, Tx, appointment_list, appointment_list_by_claim,
    appointment_loads, audit_list, claim_hosts, event_type_host_list, mapping_get,
};

use crate::{
    Engine, EngineError,
    audit::Subject,
    availability::{Asker, HostShare, Live, LiveBusy, Own, Situation, Wish, starts_around},
    details::version_of,
    jobs::PullChanges,
};

/// How many appointments are looked at for events that the provider still has to let go.
const LOOKED_AT: u32 = 100;
/// How far back the appointments count by which hosts take turns.
const RECENT: TimeDelta = TimeDelta::days(30);

/// What is wanted: this start, by these rules, but for one's own claim and hold.
#[derive(Clone, Copy)]
pub(super) struct Want<'a> {
    pub(super) rules: &'a Rules,
    pub(super) start: DateTime<Utc>,
    /// The only one of several hosts who will do.
    pub(super) host: Option<&'a UserId>,
    /// Of several hosts that would do, these come first: who had it already, or keeps it for the visitor.
    pub(super) preferred: &'a [UserId],
    pub(super) own: Own<'a>,
}

/// What the providers said of the hosts that were asked about.
#[derive(Debug, Default)]
pub(super) struct Asked {
    live: LiveBusy,
    unknown: BTreeSet<UserId>,
}

/// Whether providers have to agree.
#[derive(Clone, Copy)]
pub(super) enum Providers<'a> {
    /// They are not asked: holding a slot promises less than booking it.
    LeftAlone,
    /// A host is taken only after their provider was asked.
    MustBeAsked(&'a Asked),
    /// Among the hosts that were asked one is to be found: there is no more time to ask.
    Were(&'a Asked),
}

/// What an appointment gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Its hosts; the first one's calendar gets the event.
    pub(super) hosts: Vec<UserId>,
    /// The booked slot of which it takes a seat.
    pub(super) joins: Option<ClaimId>,
    /// Whether nobody knows if one of the hosts is free, so that a host has to agree.
    pub(super) is_unsure: bool,
}

/// The answer of the check inside the transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Free(Place),
    /// Somebody or something has the time.
    Taken,
    /// It is free as far as is known here: the providers of these hosts are to be asked first.
    Ask(Vec<UserId>),
}

impl Asked {
    fn knows(&self, share: &HostShare) -> bool {
        let id = &share.host.user_id;
        share.time.calendars.is_empty() || self.live.contains_key(id) || self.unknown.contains(id)
    }
}

impl<'a> Providers<'a> {
    fn asked(self) -> Option<&'a Asked> {
        match self {
            Self::LeftAlone => None,
            Self::MustBeAsked(asked) | Self::Were(asked) => Some(asked),
        }
    }

    fn must_ask(self, share: &HostShare) -> bool {
        matches!(self, Self::MustBeAsked(asked) if !asked.knows(share))
    }
}

impl Engine {
    /// Asks the providers of `hosts` for the busy time within `range`. A calendar that does not answer is left to its
    /// mirror while that is fresh, and where the event type goes by what was last known.
    ///
    /// # Errors
    /// [`EngineError::CalendarUnreachable`] when a calendar neither answers nor has a fresh mirror, the event type wants an
    /// answer, and nobody can stand in for its host.
    pub(super) async fn ask_providers(
        &self,
        event_type: &EventType,
        hosts: &[UserId],
        range: Interval,
        asked: &mut Asked,
    ) -> Result<(), EngineError> {
        let mut times = Vec::new();
        {
            let tx = &mut self.0.store.read().await?;
            let organization_id = &event_type.organization_id;
            for host in event_type_host_list(tx, organization_id, &event_type.id).await? {
                if hosts.contains(&host.user_id) {
                    let time = self.host_time(tx, event_type, &host, range).await?;
                    times.push((host, time));
                }
            }
        }
        let answers = times.iter().map(|(host, time)| async move {
            let calendars = time.calendars.iter().map(|(calendar, _)| calendar);
            (host, time, self.live_busy(&event_type.organization_id, calendars, range, Asker::Booking).await)
        });
        for (host, time, answers) in futures::future::join_all(answers).await {
            let mut busy = Vec::new();
            let mut is_known = true;
            for (id, live) in answers {
                let is_stale =
                    time.calendars.iter().any(|(calendar, freshness)| calendar.id == id && freshness.is_stale());
                match live {
                    Live::Busy(intervals) => busy.extend(intervals),
                    Live::Unknown => is_known &= !is_stale,
                }
            }
            let can_do_without = match event_type.options.assignment {
                Assignment::Single => false,
                Assignment::RoundRobin => true,
                Assignment::Collective => !host.is_required,
            };
            let (is_known, can_do_without) = match event_type.options.when_stale {
                // What was last known is good enough.
                WhenStale::Offer => (true, can_do_without),
                WhenStale::Ask => (is_known, can_do_without),
                // A host is asked to agree.
                WhenStale::Approve => (is_known, true),
            };
            match (is_known, can_do_without) {
                (true, _) => drop(asked.live.insert(host.user_id.clone(), busy)),
                (false, true) => drop(asked.unknown.insert(host.user_id.clone())),
                (false, false) => return Err(EngineError::CalendarUnreachable),
            }
        }
        Ok(())
    }

    /// Checks the start by the very engine that offers slots, against everything that is on disk and what the providers
    /// said, and finds the hosts. Where only a provider has the time taken the mirror is behind: it is read again.
    ///
    /// # Errors
    /// [`EngineError::SlotRefused`] for a start that the rules do not offer.
    pub(super) async fn check_within(
        &self,
        tx: &mut Tx,
        situation: &Situation,
        want: &Want<'_>,
        providers: Providers<'_>,
    ) -> Result<Verdict, EngineError> {
        let nobody = BTreeSet::new();
        let unknown = providers.asked().map_or(&nobody, |asked| &asked.unknown);
        let verdict = self.check_without(tx, situation, want, providers, unknown).await;
        let is_refused = matches!(verdict, Ok(Verdict::Taken) | Err(EngineError::SlotRefused(_)));
        let approves = situation.event_type.options.when_stale == WhenStale::Approve;
        let verdict = if is_refused && approves && !unknown.is_empty() {
            // Nobody is known to be free: somebody who may be is asked to agree.
            self.check_without(tx, situation, want, providers, &nobody).await
        } else {
            verdict
        };
        Ok(match verdict? {
            Verdict::Free(place) => {
                let is_unsure = place.hosts.iter().any(|host| unknown.contains(host));
                Verdict::Free(Place { is_unsure, ..place })
            }
            other => other,
        })
    }

    /// As [`check_within`](Self::check_within), without the hosts of whom nothing is known.
    async fn check_without(
        &self,
        tx: &mut Tx,
        situation: &Situation,
        want: &Want<'_>,
        providers: Providers<'_>,
        unknown: &BTreeSet<UserId>,
    ) -> Result<Verdict, EngineError> {
        let said = providers.asked().map(|asked| live_of(situation, asked)).unwrap_or_default();
        let nothing = LiveBusy::new();
        let free = |live: &LiveBusy| self.verdict(situation, want, unknown, live);
        let mut live = said;
        match free(&live) {
            Ok(()) => {}
            Err(Refusal::Busy | Refusal::Full) if free(&nothing).is_err() => return Ok(Verdict::Taken),
            Err(Refusal::Busy | Refusal::Full) => {
                // Only the provider has the time taken: by an event of ours that it still has to let go, or by one that
                // the mirror does not know yet.
                let range = claim(want.rules, want.start);
                for (host, busy) in &mut live {
                    let leftovers = normalize(self.leftovers(tx, &situation.event_type, host, range).await?);
                    *busy = subtract(busy, &leftovers);
                }
                if free(&live).is_err() {
                    self.read_mirrors_again(tx, situation, &live).await?;
                    return Ok(Verdict::Taken);
                }
            }
            Err(refusal) => return Err(EngineError::SlotRefused(refusal)),
        }
        let wish = Wish { rules: want.rules, host: want.host, unknown, own: want.own, live: &live };
        self.place(tx, situation, want, &wish, providers).await
    }

    fn verdict(
        &self,
        situation: &Situation,
        want: &Want<'_>,
        unknown: &BTreeSet<UserId>,
        live: &LiveBusy,
    ) -> Result<(), Refusal> {
        let wish = Wish { rules: want.rules, host: want.host, unknown, own: want.own, live };
        let starts = starts_around(want.rules, situation.tz(), want.start);
        situation.ask(&wish, self.now(), starts, |query| check(query, want.start))
    }

    async fn read_mirrors_again(&self, tx: &mut Tx, situation: &Situation, live: &LiveBusy) -> Result<(), EngineError> {
        for share in situation.hosts.iter().filter(|share| live.contains_key(&share.host.user_id)) {
            for (calendar, _) in &share.time.calendars {
                let pull = PullChanges { calendar_id: calendar.id.clone() };
                self.enqueue(tx, &calendar.organization_id, &pull).await?;
            }
        }
        Ok(())
    }

    /// Who hosts a start that is offered.
    async fn place(
        &self,
        tx: &mut Tx,
        situation: &Situation,
        want: &Want<'_>,
        wish: &Wish<'_>,
        providers: Providers<'_>,
    ) -> Result<Verdict, EngineError> {
        let open = situation.sessions(wish, self.now()).into_iter().find(|open| {
            let session = open.session;
            session.start == want.start && session.duration == want.rules.duration && session.seats_left > 0
        });
        if let Some(open) = open {
            // The slot takes place anyway, and its event stands in the calendar.
            return Ok(Verdict::Free(Place { hosts: open.hosts, joins: open.claim_id, is_unsure: false }));
        }
        let hosts = match situation.assignment() {
            Assignment::RoundRobin => return self.place_with_one(tx, situation, want, wish, providers).await,
            Assignment::Single => situation.counted(wish).collect::<Vec<_>>(),
            Assignment::Collective => {
                let joins = |share: &&HostShare| {
                    share.host.is_required
                        || (!wish.unknown.contains(&share.host.user_id) && self.is_free(share, want, wish))
                };
                let mut hosts: Vec<_> = situation.hosts.iter().filter(joins).collect();
                hosts.sort_by_key(|share| !share.host.is_required);
                hosts
            }
        };
        let to_ask: Vec<_> = hosts.iter().filter(|share| providers.must_ask(share)).collect();
        if !to_ask.is_empty() {
            return Ok(Verdict::Ask(to_ask.into_iter().map(|share| share.host.user_id.clone()).collect()));
        }
        let hosts = hosts.into_iter().map(|share| share.host.user_id.clone()).collect();
        Ok(Verdict::Free(Place { hosts, joins: None, is_unsure: false }))
    }

    /// The one of several free hosts whose turn it is.
    async fn place_with_one(
        &self,
        tx: &mut Tx,
        situation: &Situation,
        want: &Want<'_>,
        wish: &Wish<'_>,
        providers: Providers<'_>,
    ) -> Result<Verdict, EngineError> {
        // Which slot of a day is offered was decided over all hosts.
        let rules = Rules { daily: DailyOffer::All, ..*want.rules };
        let starts = starts_around(&rules, situation.tz(), want.start);
        let is_free = |share: &&HostShare| {
            let alone = Wish { rules: &rules, host: Some(&share.host.user_id), ..*wish };
            situation.ask(&alone, self.now(), starts, |query| check(query, want.start)).is_ok()
        };
        let may = |share: &&HostShare| match providers {
            Providers::Were(asked) => asked.knows(share),
            Providers::LeftAlone | Providers::MustBeAsked(_) => true,
        };
        let free: Vec<_> = situation.counted(wish).filter(may).filter(is_free).collect();
        let preferred = want.preferred.iter().find_map(|id| free.iter().find(|share| share.host.user_id == *id));
        let chosen = match preferred {
            Some(share) => *share,
            None => {
                let event_type = &situation.event_type;
                let since = self.now() - RECENT;
                let loads = appointment_loads(tx, &event_type.organization_id, &event_type.id, since).await?;
                let candidates: Vec<_> = free
                    .iter()
                    .map(|share| {
                        let load = loads.iter().find(|load| load.user_id == share.host.user_id);
                        Candidate {
                            id: &share.host.user_id,
                            priority: share.host.priority,
                            weight: share.host.weight,
                            load: load.map_or(0, |load| load.count),
                            last_given: load.map(|load| load.last_given),
                        }
                    })
                    .collect();
                let chosen = choose(&candidates).map(|id| (*id).clone());
                match free.iter().find(|share| chosen.as_ref() == Some(&share.host.user_id)) {
                    Some(share) => *share,
                    None => return Ok(Verdict::Taken),
                }
            }
        };
        let id = chosen.host.user_id.clone();
        if providers.must_ask(chosen) {
            return Ok(Verdict::Ask(vec![id]));
        }
        Ok(Verdict::Free(Place { hosts: vec![id], joins: None, is_unsure: false }))
    }

    /// Whether somebody who need not be there is free all the same.
    fn is_free(&self, share: &HostShare, want: &Want<'_>, wish: &Wish<'_>) -> bool {
        let live = wish.live.get(&share.host.user_id).map(Vec::as_slice).unwrap_or_default();
        let taken: Vec<_> = share
            .time
            .taken(live, wish.own, self.now())
            .into_iter()
            .map(|interval| cupo_core::slots::Taken { interval, source: () })
            .collect();
        explain_host(want.rules, &share.open, None, &taken, want.start).is_free()
    }

    /// The times at which the provider may still show events of ours that were cancelled or moved here, because the push
    /// that says so is under way.
    async fn leftovers(
        &self,
        tx: &mut Tx,
        event_type: &EventType,
        host: &UserId,
        range: Interval,
    ) -> Result<Vec<Interval>, EngineError> {
        let (organization_id, now) = (&event_type.organization_id, self.now());
        let mut leftovers = Vec::new();
        for filter in [AppointmentFilter::Cancelled, AppointmentFilter::Upcoming, AppointmentFilter::Pending] {
            // Ended ones are listed from the latest start on: those that start after the range need no look.
            let from = AppointmentCursor { start_at: range.end, id: self.fresh() };
            let from = (filter == AppointmentFilter::Cancelled).then_some(&from);
            for appointment in appointment_list(tx, organization_id, filter, now, LOOKED_AT, from).await? {
                // Of an appointment that has ended nobody knows any more who else was to be there.
                let was_shared = appointment.event_type_id == event_type.id
                    && event_type.options.assignment == Assignment::Collective;
                if appointment.host_user_id != *host
                    && !was_shared
                    && !claim_hosts(tx, organization_id, &appointment.claim_id).await?.contains(host)
                {
                    continue;
                }
                if self.is_pushed(tx, &appointment).await? {
                    continue;
                }
                leftovers.extend(Interval::new(appointment.start_at, appointment.end_at));
                leftovers.extend(self.earlier_times(tx, &appointment).await?);
            }
        }
        Ok(leftovers)
    }

    /// Whether the provider has what there is of an appointment's event.
    async fn is_pushed(&self, tx: &mut Tx, appointment: &Appointment) -> Result<bool, EngineError> {
        let Appointment { organization_id, claim_id, .. } = appointment;
        let Some(mapping) = mapping_get(tx, organization_id, claim_id).await? else { return Ok(true) };
        let sharing = appointment_list_by_claim(tx, organization_id, claim_id).await?;
        Ok(mapping.deleted_at.is_some() || mapping.pushed_sequence == version_of(&sharing))
    }

    /// Where an appointment was before it moved, as its history tells.
    pub(crate) async fn earlier_times(
        &self,
        tx: &mut Tx,
        appointment: &Appointment,
    ) -> Result<Vec<Interval>, EngineError> {
        let subject = Subject::Appointment(&appointment.id);
        let length = appointment.end_at - appointment.start_at;
        let history = audit_list(tx, &appointment.organization_id, subject.kind(), subject.id()).await?;
        let earlier = history.iter().filter(|entry| entry.action == "appointment.moved").filter_map(|entry| {
            let start: DateTime<Utc> = entry.detail["from"].as_str()?.parse().ok()?;
            Interval::new(start, start + length)
        });
        Ok(earlier.collect())
    }
}

/// What the providers said, without the hosts' own appointments.
fn live_of(situation: &Situation, asked: &Asked) -> LiveBusy {
    let said = situation.hosts.iter().filter_map(|share| {
        let busy = asked.live.get(&share.host.user_id)?;
        Some((share.host.user_id.clone(), share.time.without_own(busy.clone())))
    });
    said.collect::<BTreeMap<_, _>>()
}
