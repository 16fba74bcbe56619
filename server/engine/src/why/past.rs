//! A situation as it was: the rules, absences, holidays, calendar choices and busy time, appointments and holds of a past
//! moment.

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::{interval::Interval, parse::FieldProblem};
use cupo_store::{
    BusyKind, EventType, EventTypeHost, Tx, busy_interval_list_at, calendar_list_by_user, claim_list_at,
    claim_list_of_event_type_at, hold_list_at, hold_list_of_event_type_at, organization_get, user_get,
};

use super::{Named, Source, of_event, of_hold, parts_of_claim};
use crate::{
    Engine, EngineError, Principal,
    availability::{HostShare, HostTime, Situation, booked_of, reach, rules_for, whole_periods},
    history::{absences_at, calendar_choices_at, event_type_at, holiday_calendar_at, schedule_at},
    schedules::availability_of,
};
use cupo_core::slots::Taken;

/// How far back it is known what was offered.
const REACH_BACK: TimeDelta = TimeDelta::days(90);

impl Engine {
    /// Reads the situation around some starts as it was at `as_of`.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] with `as_of` for a moment that is not past, or longer ago than anything is kept;
    /// [`EngineError::NotFound`] before there was such an event type.
    pub(super) async fn named_at(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        current: &EventType,
        duration: Option<u32>,
        as_of: DateTime<Utc>,
        starts: Interval,
    ) -> Result<Named, EngineError> {
        let now = self.now();
        if as_of > now || as_of < now - REACH_BACK {
            let problem = FieldProblem::new("error.as_of").with("days", REACH_BACK.num_days());
            return Err(problem.at("as_of").into());
        }
        let organization_id = &principal.organization_id;
        let (event_type, hosts) =
            event_type_at(tx, organization_id, &current.id, as_of).await?.ok_or(EngineError::NotFound("event type"))?;
        let organization = organization_get(tx, organization_id).await?.ok_or(EngineError::NotFound("organization"))?;
        let rules = rules_for(&event_type, duration)?;
        let schedule = schedule_at(tx, organization_id, &event_type.schedule_id, as_of)
            .await?
            .ok_or(EngineError::NotFound("schedule"))?;
        let tz = schedule.time_zone.tz();
        let around = |at| crate::availability::starts_around(&rules, tz, at);
        let starts = Interval {
            start: around(starts.start).start.min(starts.start),
            end: around(starts.end).end.max(starts.end),
        };
        let reached = reach(&event_type, starts);
        let (mut shares, mut taken) = (Vec::with_capacity(hosts.len()), Vec::with_capacity(hosts.len()));
        for host in hosts {
            let (share, of_host) = self.share_at(tx, principal, &event_type, host, as_of, reached).await?;
            shares.push(share);
            taken.push(of_host);
        }
        let (limits, seats) = (event_type.rules.limits, event_type.rules.seats);
        let counted = if limits.are_set() { whole_periods(tz, starts) } else { reached };
        let id = &event_type.id;
        let booked = if limits.are_set() || seats > 1 {
            booked_of(claim_list_of_event_type_at(tx, organization_id, id, counted, as_of).await?)
        } else {
            Vec::new()
        };
        let holds = if seats > 1 {
            hold_list_of_event_type_at(tx, organization_id, id, reached, as_of).await?
        } else {
            Vec::new()
        };
        let situation = Situation { organization, event_type, schedule, hosts: shares, booked, holds };
        Ok(Named { situation, rules, taken, now: as_of })
    }

    async fn share_at(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        event_type: &EventType,
        host: EventTypeHost,
        as_of: DateTime<Utc>,
        range: Interval,
    ) -> Result<(HostShare, Vec<Taken<Source>>), EngineError> {
        let (organization_id, user_id) = (&principal.organization_id, &host.user_id);
        let user = user_get(tx, user_id).await?.ok_or(EngineError::NotFound("host"))?;
        let schedule = schedule_at(tx, organization_id, &host.schedule_id, as_of)
            .await?
            .ok_or(EngineError::NotFound("schedule"))?;
        let absences = absences_at(tx, organization_id, user_id, as_of).await?;
        let mut holidays = Vec::new();
        for id in &schedule.holiday_calendar_ids {
            holidays.extend(holiday_calendar_at(tx, organization_id, id, as_of).await?);
        }
        let availability = availability_of(&schedule, &absences, &holidays);
        let open = availability.open_around(range, event_type.rules.alignment);
        let is_owner = *user_id == principal.user_id;
        let (mut mirror, mut taken) = (Vec::new(), Vec::new());
        for calendar in calendar_list_by_user(tx, organization_id, user_id).await? {
            let Some(choices) = calendar_choices_at(tx, organization_id, &calendar.id, as_of).await? else { continue };
            let counts = match &host.conflict_calendar_ids {
                Some(chosen) => chosen.contains(&calendar.id),
                None => choices.checks_conflicts,
            };
            if !counts {
                continue;
            }
            let events =
                busy_interval_list_at(tx, organization_id, std::slice::from_ref(&calendar.id), range, as_of).await?;
            for event in events {
                let blocks = match event.kind {
                    BusyKind::Busy | BusyKind::OutOfOffice => true,
                    BusyKind::Tentative => choices.tentative_blocks,
                    BusyKind::Unanswered => choices.unanswered_blocks,
                };
                if blocks {
                    mirror.push(event.interval);
                    taken.push(of_event(event, calendar.name.clone(), is_owner));
                }
            }
        }
        let claims = claim_list_at(tx, organization_id, user_id, range, as_of).await?;
        for claim in &claims {
            let id = self.appointment_behind(tx, principal, user_id, claim).await?;
            taken.extend(parts_of_claim(claim, id));
        }
        let mut holds = hold_list_at(tx, organization_id, user_id, range, as_of).await?;
        holds.retain(|hold| hold.expires_at > as_of);
        taken.extend(holds.iter().map(of_hold));
        // What no mirror is asked for has no reach.
        let when_stale = event_type.options.when_stale;
        let time = HostTime { mirror, claims, holds, calendars: Vec::new(), when_stale };
        Ok((HostShare { host, user, open, time }, taken))
    }
}
