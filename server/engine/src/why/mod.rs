//! Why a start is offered or not, what was offered at a past moment, what a change would bring: for hosts.
//!
//! All of it asks the very [`Situation`] and the very slot engine that offer slots and book them; what is added here are
//! the names of things and the sentences.

mod clock_change;
mod day;
mod impact;
mod past;
mod sentences;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use cupo_core::{
    event_type::{Assignment, Rules},
    ids::{AppointmentId, EventTypeId, UserId},
    interval::Interval,
    slots::{Explanation, HostExplanation, HostReason, Part, Taken, explain, explain_host, slots},
    wire::{ExplanationView, HostExplanationView, ReasonView, SlotsResponse},
};
use cupo_store::{
    BusyInterval, Claim, EventType, Hold, Tx, appointment_list_by_claim, busy_interval_list_detailed, event_type_get,
    event_type_host_list, organization_get,
};

use crate::{
    Engine, EngineError, Principal,
    availability::{HostShare, HostTime, LiveBusy, Own, Situation, Wish, instants_of_dates, rules_for, starts_around},
};
use sentences::Words;

/// What takes a host's time, as far as a host may know.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// An event of a calendar; its title for the owner alone.
    Calendar { name: String, title: Option<String> },
    /// An appointment, and when it is.
    Appointment { id: Option<AppointmentId>, start: DateTime<Utc>, end: DateTime<Utc> },
    /// What is kept free around it.
    Buffer { id: Option<AppointmentId> },
    /// A visitor fills in the form.
    Hold,
}

/// A situation of which every obstacle is known by name.
struct Named {
    situation: Situation,
    rules: Rules,
    /// What takes the time of each host of the situation, in their order.
    taken: Vec<Vec<Taken<Source>>>,
    /// The present moment, or the past one that is asked about.
    now: DateTime<Utc>,
}

impl Named {
    /// Which hosts decide, by their place in the situation.
    fn counted(&self) -> Vec<usize> {
        let decides = |share: &HostShare| match self.situation.assignment() {
            Assignment::Collective => share.host.is_required,
            Assignment::Single | Assignment::RoundRobin => true,
        };
        (0..self.situation.hosts.len()).filter(|at| decides(&self.situation.hosts[*at])).collect()
    }

    fn ask<T>(&self, range: Interval, question: impl FnOnce(&cupo_core::slots::SlotQuery<'_>) -> T) -> T {
        let (unknown, live) = (BTreeSet::new(), LiveBusy::new());
        let wish = Wish { rules: &self.rules, host: None, unknown: &unknown, own: Own::default(), live: &live };
        self.situation.ask(&wish, self.now, range, question)
    }

    /// Every start that is offered within the range.
    fn slots(&self, range: Interval) -> Vec<DateTime<Utc>> {
        self.ask(range, slots)
    }

    fn explain(&self, start: DateTime<Utc>) -> Explanation<Source> {
        let counted = self.counted();
        let taken: Vec<_> = counted.iter().map(|at| self.taken[*at].clone()).collect();
        let range = starts_around(&self.rules, self.situation.tz(), start);
        self.ask(range, |query| explain(query, &taken, start))
    }

    /// The calendars of those who decide that nobody could read lately, each with what that means here.
    fn stale(&self, words: &Words) -> Vec<ReasonView> {
        let when_stale = self.situation.event_type.options.when_stale;
        let deciding = self.counted().into_iter().map(|at| &self.situation.hosts[at].time);
        deciding.flat_map(HostTime::stale).map(|calendar| words.stale(calendar, when_stale)).collect()
    }

    /// What a start means for somebody who need not be there.
    fn explain_optional(&self, at: usize, start: DateTime<Utc>) -> HostExplanation<Source> {
        explain_host(&self.rules, &self.situation.hosts[at].open, None, &self.taken[at], start)
    }

    fn view(&self, words: &Words, start: DateTime<Utc>) -> ExplanationView {
        let explanation = self.explain(start);
        let stale = self.stale(words);
        let verdict = words.verdict(self, &explanation, start);
        let told = std::iter::once(verdict).chain(stale.iter().map(|reason| reason.sentence.clone()));
        let sentence = told.collect::<Vec<_>>().join(" ");
        let counted = self.counted();
        let hosts = self.situation.hosts.iter().enumerate().map(|(at, share)| {
            let place = counted.iter().position(|counted| *counted == at);
            let host = match place.and_then(|place| explanation.hosts.get(place)) {
                Some(host) => host.clone(),
                None => self.explain_optional(at, start),
            };
            HostExplanationView {
                id: share.host.user_id.to_string(),
                name: share.user.name.clone(),
                is_required: place.is_some(),
                is_free: host.is_free(),
                reasons: host.reasons.iter().map(|reason| reason_view(words, reason, start)).collect(),
            }
        });
        ExplanationView {
            start,
            end: start + self.rules.duration,
            is_offered: explanation.is_offered(),
            refusal: explanation.verdict.err().map(|refusal| refusal.as_str().to_owned()),
            sentence,
            reasons: explanation.reasons.iter().map(|reason| words.reason(reason, start)).chain(stale).collect(),
            hosts: hosts.collect(),
        }
    }
}

/// A reason that names nothing.
fn plain(kind: &str, sentence: String) -> ReasonView {
    ReasonView {
        kind: kind.to_owned(),
        sentence,
        from: None,
        to: None,
        part: None,
        calendar: None,
        title: None,
        appointment_id: None,
    }
}

fn reason_view(words: &Words, reason: &HostReason<Source>, start: DateTime<Utc>) -> ReasonView {
    let sentence = words.host_reason(reason, start);
    let plain = |kind: &str| plain(kind, sentence.clone());
    match reason {
        HostReason::OutsideHours { .. } => plain("outside_hours"),
        HostReason::OffGrid { .. } => plain("off_grid"),
        HostReason::Taken { source, interval, part } => {
            let part = match part {
                Part::Appointment => "appointment",
                Part::BufferBefore => "buffer_before",
                Part::BufferAfter => "buffer_after",
            };
            let (kind, calendar, title, appointment_id) = match source {
                Source::Calendar { name, title } => ("calendar_event", Some(name.clone()), title.clone(), None),
                Source::Appointment { id, .. } => ("appointment", None, None, id.as_ref()),
                Source::Buffer { id } => ("buffer", None, None, id.as_ref()),
                Source::Hold => ("hold", None, None, None),
            };
            ReasonView {
                from: Some(interval.start),
                to: Some(interval.end),
                part: Some(part.to_owned()),
                calendar,
                title,
                appointment_id: appointment_id.map(ToString::to_string),
                ..plain(kind)
            }
        }
    }
}

/// A claim as what it is made of: the appointment and the time kept free around it.
fn parts_of_claim(claim: &Claim, id: Option<AppointmentId>) -> Vec<Taken<Source>> {
    let Claim { start_at, end_at, .. } = *claim;
    let around = [
        Interval::new(claim.claim.start, start_at).map(|interval| (interval, Source::Buffer { id: id.clone() })),
        Interval::new(start_at, end_at)
            .map(|interval| (interval, Source::Appointment { id: id.clone(), start: start_at, end: end_at })),
        Interval::new(end_at, claim.claim.end).map(|interval| (interval, Source::Buffer { id: id.clone() })),
    ];
    around.into_iter().flatten().map(|(interval, source)| Taken { interval, source }).collect()
}

fn of_hold(hold: &Hold) -> Taken<Source> {
    Taken { interval: hold.claim, source: Source::Hold }
}

impl Engine {
    /// Why a start of an event type is offered or not: now, or as of a past moment.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Invalid`] with `duration` or `as_of`.
    pub async fn explain(
        &self,
        principal: &Principal,
        event_type_id: &EventTypeId,
        start: DateTime<Utc>,
        duration: Option<u32>,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<ExplanationView, EngineError> {
        let around = Interval { start, end: start + chrono::TimeDelta::microseconds(1) };
        let named = self.named(principal, event_type_id, duration, as_of, around).await?;
        let words = Words { locale: principal.locale, tz: named.situation.tz() };
        Ok(named.view(&words, start))
    }

    /// What an event type offered on some dates, asked at a past moment: by the rules, calendars, appointments and holds of
    /// then.
    ///
    /// # Errors
    /// As for [`explain`](Self::explain), and [`EngineError::RangeTooLong`].
    pub async fn replay(
        &self,
        principal: &Principal,
        event_type_id: &EventTypeId,
        as_of: DateTime<Utc>,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<SlotsResponse, EngineError> {
        let range = instants_of_dates(from, to)?;
        let named = self.named(principal, event_type_id, None, Some(as_of), range).await?;
        Ok(SlotsResponse { slots: named.slots(range), seats_left: Vec::new() })
    }

    /// An event type that the user may look into: one they may edit, or one at which they are a host.
    async fn event_type_seen(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        id: &EventTypeId,
    ) -> Result<EventType, EngineError> {
        let organization_id = &principal.organization_id;
        let event_type = event_type_get(tx, organization_id, id).await?.ok_or(EngineError::NotFound("event type"))?;
        let hosts = event_type_host_list(tx, organization_id, id).await?;
        let is_host = hosts.iter().any(|host| host.user_id == principal.user_id);
        if principal.may_edit(&event_type) || is_host {
            Ok(event_type)
        } else {
            Err(EngineError::NotFound("event type"))
        }
    }

    /// Reads the situation around some starts with every obstacle named.
    async fn named(
        &self,
        principal: &Principal,
        event_type_id: &EventTypeId,
        duration: Option<u32>,
        as_of: Option<DateTime<Utc>>,
        starts: Interval,
    ) -> Result<Named, EngineError> {
        let tx = &mut self.0.store.read().await?;
        let event_type = self.event_type_seen(tx, principal, event_type_id).await?;
        if let Some(as_of) = as_of {
            return self.named_at(tx, principal, &event_type, duration, as_of, starts).await;
        }
        let rules = rules_for(&event_type, duration)?;
        let organization =
            organization_get(tx, &principal.organization_id).await?.ok_or(EngineError::NotFound("organization"))?;
        let tz = self.schedule_of(tx, &event_type).await?.time_zone.tz();
        let first = starts_around(&rules, tz, starts.start);
        let last = starts_around(&rules, tz, starts.end);
        let starts = Interval { start: first.start.min(starts.start), end: last.end.max(starts.end) };
        let situation = self.situation(tx, organization, event_type, starts).await?;
        let mut taken = Vec::with_capacity(situation.hosts.len());
        for share in &situation.hosts {
            taken.push(self.taken_by(tx, principal, &rules, share, starts).await?);
        }
        Ok(Named { situation, rules, taken, now: self.now() })
    }

    async fn taken_by(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        rules: &Rules,
        share: &HostShare,
        starts: Interval,
    ) -> Result<Vec<Taken<Source>>, EngineError> {
        let organization_id = &principal.organization_id;
        let range = Interval {
            start: starts.start - rules.buffer_before,
            end: starts.end + rules.duration + rules.buffer_after,
        };
        let calendars = share.time.calendars.iter().map(|(calendar, _)| calendar);
        let names: BTreeMap<_, _> =
            calendars.clone().map(|calendar| (calendar.id.clone(), calendar.name.clone())).collect();
        let ids: Vec<_> = calendars.map(|calendar| calendar.id.clone()).collect();
        let events = busy_interval_list_detailed(tx, organization_id, &ids, range).await?;
        let is_owner = share.host.user_id == principal.user_id;
        let mut taken: Vec<_> = events
            .into_iter()
            .map(|event| {
                let name = names.get(&event.calendar_id).cloned().unwrap_or_default();
                of_event(event, name, is_owner)
            })
            .collect();
        for claim in &share.time.claims {
            let id = self.appointment_behind(tx, principal, &share.host.user_id, claim).await?;
            taken.extend(parts_of_claim(claim, id));
        }
        let now = self.now();
        taken.extend(share.time.holds.iter().filter(|hold| hold.expires_at > now).map(of_hold));
        Ok(taken)
    }

    /// The appointment of a claim, if the user may open it.
    async fn appointment_behind(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        host: &UserId,
        claim: &Claim,
    ) -> Result<Option<AppointmentId>, EngineError> {
        let sharing = appointment_list_by_claim(tx, &claim.organization_id, &claim.id).await?;
        let first = sharing.into_iter().find(|appointment| appointment.status.claims_time());
        let is_seen = principal.role != cupo_store::Role::Host || *host == principal.user_id;
        Ok(first.filter(|_| is_seen).map(|appointment| appointment.id))
    }
}

fn of_event(event: BusyInterval, name: String, is_owner: bool) -> Taken<Source> {
    let title = event.title.filter(|_| is_owner);
    Taken { interval: event.interval, source: Source::Calendar { name, title } }
}
