//! Rescheduling: an appointment gets another offered start, with its host or with another one; of a series, those after it
//! can come along.

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use cupo_core::{
    ids::UserId,
    interval::Interval,
    parse::FieldProblem,
    slots::claim,
    wire::{AppointmentView, RescheduleRequest, SeriesScope},
};
use cupo_store::{Appointment, EventType, Tx, organization_get};

use super::{
    ROUNDS, approval_ends,
    check::{Asked, Providers, Verdict, Want},
    transitions::Destination,
};
use crate::{
    Engine, EngineError,
    audit::Actor,
    availability::{Own, Situation, rules_of_moving, starts_around},
    engine::transact,
};

/// How an attempt to move ended.
enum Attempt {
    Moved(Box<AppointmentView>),
    Taken,
    Ask(Vec<UserId>),
}

/// An appointment and its new start.
struct Step {
    appointment: Appointment,
    start: DateTime<Utc>,
}

impl Engine {
    /// The visitor moves the appointment to another offered start; its length stays. Whether it stays with its host is the
    /// event type's decision. Where a host has to agree to appointments, they have to agree again; so they do where nobody can
    /// tell whether they are free then and the event type asks them.
    ///
    /// # Errors
    /// As for booking, and [`EngineError::Conflict`] for one that is over or ended, or when it is too late;
    /// [`EngineError::Invalid`] with `scope` when one of those after it cannot come along.
    pub async fn reschedule_by_token(
        &self,
        token: &str,
        request: &RescheduleRequest,
    ) -> Result<AppointmentView, EngineError> {
        let (appointment, event_type) = {
            let tx = &mut self.0.store.read().await?;
            let appointment = self.appointment_of_token(tx, token).await?;
            self.require_movable(tx, &appointment).await?;
            let event_type = self.event_type_of(tx, &appointment).await?;
            (appointment, event_type)
        };
        let mut asked = Asked::default();
        let (mut to_ask, range) = self.whom_to_ask_for_move(&appointment, &event_type, request).await?;
        for round in 1..=ROUNDS {
            if !to_ask.is_empty() {
                self.ask_providers(&event_type, &to_ask, range, &mut asked).await?;
            }
            let providers = if round < ROUNDS { Providers::MustBeAsked(&asked) } else { Providers::Were(&asked) };
            let attempt = transact!(self, tx => {
                let appointment = self.appointment_of_token(tx, token).await?;
                self.require_movable(tx, &appointment).await?;
                if appointment.start_at == request.start {
                    Attempt::Moved(Box::new(self.view_of(tx, appointment).await?))
                } else {
                    self.reschedule_within(tx, appointment, request, providers).await?
                }
            })?;
            self.committed(&appointment.organization_id);
            match attempt {
                Attempt::Moved(view) => return Ok(*view),
                Attempt::Taken => break,
                Attempt::Ask(hosts) => to_ask = hosts,
            }
        }
        Err(EngineError::SlotTaken)
    }

    async fn whom_to_ask_for_move(
        &self,
        appointment: &Appointment,
        event_type: &EventType,
        request: &RescheduleRequest,
    ) -> Result<(Vec<UserId>, Interval), EngineError> {
        let tx = &mut self.0.store.read().await?;
        let steps = self.steps(tx, appointment, event_type, request).await?;
        let range = steps
            .iter()
            .map(|step| claim(&rules_of_moving(event_type, &step.appointment), step.start))
            .reduce(|all, next| Interval { start: all.start.min(next.start), end: all.end.max(next.end) })
            .unwrap_or_else(|| claim(&event_type.rules, request.start));
        if appointment.start_at == request.start {
            return Ok((Vec::new(), range));
        }
        // The one that moves first: where the others go may be where it still is.
        let Some(first) = steps.first() else { return Ok((Vec::new(), range)) };
        let nobody = Asked::default();
        match self.place_of_step(tx, event_type, first, request.scope, Providers::MustBeAsked(&nobody)).await {
            Ok((_, Verdict::Free(_))) => Ok((Vec::new(), range)),
            Ok((_, Verdict::Ask(hosts))) => Ok((hosts, range)),
            Ok((_, Verdict::Taken)) | Err(EngineError::SlotRefused(_)) if first.appointment.id != appointment.id => {
                Err(cannot_follow(&first.appointment))
            }
            Ok((_, Verdict::Taken)) => Err(EngineError::SlotTaken),
            Err(error) => Err(error),
        }
    }

    /// What moves, and to where: those after the first one keep their distance from it by the local clock. In the order in
    /// which nobody comes to stand where another one still is.
    async fn steps(
        &self,
        tx: &mut Tx,
        appointment: &Appointment,
        event_type: &EventType,
        request: &RescheduleRequest,
    ) -> Result<Vec<Step>, EngineError> {
        let tz = self.schedule_of(tx, event_type).await?.time_zone.tz();
        let all = self.series_from(tx, appointment, request.scope).await?;
        let mut steps = Vec::with_capacity(all.len());
        for other in all {
            let start = if other.id == appointment.id {
                Some(request.start)
            } else {
                shifted(tz, appointment.start_at, request.start, other.start_at)
            };
            let start = start.ok_or_else(|| cannot_follow(&other))?;
            steps.push(Step { appointment: other, start });
        }
        if request.start > appointment.start_at {
            steps.reverse();
        }
        Ok(steps)
    }

    async fn place_of_step(
        &self,
        tx: &mut Tx,
        event_type: &EventType,
        step: &Step,
        scope: SeriesScope,
        providers: Providers<'_>,
    ) -> Result<(Situation, Verdict), EngineError> {
        let Step { appointment, start } = step;
        let rules = rules_of_moving(event_type, appointment);
        let organization =
            organization_get(tx, &appointment.organization_id).await?.ok_or(EngineError::NotFound("organization"))?;
        let tz = self.schedule_of(tx, event_type).await?.time_zone.tz();
        let starts = starts_around(&rules, tz, *start);
        let situation = self.situation(tx, organization, event_type.clone(), starts).await?;
        let stays = match scope {
            SeriesScope::This => self.host_of_moving(&situation, appointment),
            // A series keeps its host.
            SeriesScope::Following => Some(appointment.host_user_id.clone()),
        };
        let preferred = [appointment.host_user_id.clone()];
        let own = Own { appointment: Some(appointment), hold_hash: None };
        let want = Want { rules: &rules, start: *start, host: stays.as_ref(), preferred: &preferred, own };
        let verdict = self.check_within(tx, &situation, &want, providers).await?;
        Ok((situation, verdict))
    }

    async fn reschedule_within(
        &self,
        tx: &mut Tx,
        appointment: Appointment,
        request: &RescheduleRequest,
        providers: Providers<'_>,
    ) -> Result<Attempt, EngineError> {
        let event_type = self.event_type_of(tx, &appointment).await?;
        let mut moved = None;
        for step in self.steps(tx, &appointment, &event_type, request).await? {
            let is_first = step.appointment.id == appointment.id;
            let (situation, verdict) = match self.place_of_step(tx, &event_type, &step, request.scope, providers).await
            {
                Err(EngineError::SlotRefused(_)) if !is_first => return Err(cannot_follow(&step.appointment)),
                placed => placed?,
            };
            let place = match verdict {
                Verdict::Free(place) => place,
                Verdict::Ask(hosts) => return Ok(Attempt::Ask(hosts)),
                Verdict::Taken if is_first => return Ok(Attempt::Taken),
                Verdict::Taken => return Err(cannot_follow(&step.appointment)),
            };
            let rules = rules_of_moving(&event_type, &step.appointment);
            let (start, now) = (step.start, self.now());
            let to = Destination {
                start_at: start,
                end_at: start + rules.duration,
                claim: claim(&rules, start),
                hosts: place.hosts,
                joins: place.joins,
                seats: situation.event_type.rules.seats,
                expires_at: (event_type.options.needs_approval || place.is_unsure)
                    .then(|| approval_ends(&event_type, start, now)),
            };
            let after = self.move_within(tx, &step.appointment, to, Actor::Visitor).await?;
            if is_first {
                moved = Some(after);
            }
        }
        if let Some(moved) = &moved {
            self.tell_of_move(tx, moved).await?;
        }
        match moved {
            Some(moved) => Ok(Attempt::Moved(Box::new(self.view_of(tx, moved).await?))),
            None => Ok(Attempt::Taken),
        }
    }
}

/// Where `other` goes when `from` goes to `to`: as far by the local clock. `None` where the clocks skip that time.
fn shifted(tz: Tz, from: DateTime<Utc>, to: DateTime<Utc>, other: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let local = |at: DateTime<Utc>| at.with_timezone(&tz).naive_local();
    let wanted = local(other) + (local(to) - local(from));
    tz.from_local_datetime(&wanted).earliest().map(|at| at.to_utc())
}

fn cannot_follow(appointment: &Appointment) -> EngineError {
    let number = appointment.series_position.map_or(1, |position| position + 1);
    FieldProblem::new("error.series_taken").with("number", number).at("scope").into()
}
