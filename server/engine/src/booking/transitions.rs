//! The changes of an appointment and the duties that each of them brings: one transaction for all of it.

use chrono::{DateTime, Utc};
use cupo_core::{
    appointment::{AppointmentStatus, CancelledBy, Transition},
    interval::Interval,
};
use cupo_store::{
    Appointment, MoveOutcome, StoreError, Tx, appointment_cancel, appointment_move, calendar_list_by_user, mapping_get,
    mapping_mark_deleted,
};
use serde_json::json;

use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    jobs::{PushEvent, SendMail},
    mail::{MailKind, Recipient},
};

/// An appointment's new time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewTime {
    pub(crate) start_at: DateTime<Utc>,
    pub(crate) end_at: DateTime<Utc>,
    pub(crate) claim: Interval,
}

/// Refuses a change of what cannot be changed any more, in words for people.
pub(crate) fn require_changeable(
    appointment: &Appointment,
    transition: Transition,
    now: DateTime<Utc>,
) -> Result<AppointmentStatus, EngineError> {
    if appointment.end_at <= now {
        return Err(EngineError::Conflict("error.appointment_past"));
    }
    appointment.status.apply(transition).map_err(|_| EngineError::Conflict("error.appointment_cancelled"))
}

impl Engine {
    /// Enqueues what an appointment's change asks for: the event, unless the change came from there, and the mails.
    pub(crate) async fn enqueue_duties(
        &self,
        tx: &mut Tx,
        appointment: &Appointment,
        kind: MailKind,
        actor: Actor<'_>,
    ) -> Result<(), EngineError> {
        let Appointment { id, organization_id, host_user_id, sequence, .. } = appointment;
        if !matches!(actor, Actor::Calendar) {
            let calendars = calendar_list_by_user(tx, organization_id, host_user_id).await?;
            let has_target = calendars.iter().any(|calendar| calendar.receives_events);
            if has_target || mapping_get(tx, organization_id, id).await?.is_some() {
                self.enqueue(tx, organization_id, &PushEvent { appointment_id: id.clone() }).await?;
            }
        }
        if self.0.mailer.is_some() {
            for recipient in [Recipient::Visitor, Recipient::Host] {
                let mail = SendMail { appointment_id: id.clone(), kind, recipient, sequence: *sequence };
                self.enqueue(tx, organization_id, &mail).await?;
            }
        }
        Ok(())
    }

    /// Moves a confirmed appointment; the store refuses a claim that overlaps another one's.
    pub(crate) async fn move_within(
        &self,
        tx: &mut Tx,
        appointment: &Appointment,
        to: NewTime,
        actor: Actor<'_>,
    ) -> Result<Appointment, EngineError> {
        let Appointment { id, organization_id, sequence, .. } = appointment;
        let now = self.now();
        let outcome =
            appointment_move(tx, organization_id, id, *sequence, to.start_at, to.end_at, to.claim, now).await?;
        let MoveOutcome::Moved { sequence } = outcome else { return Err(StoreError::Retry.into()) };
        let NewTime { start_at, end_at, claim } = to;
        let moved = Appointment { start_at, end_at, claim, sequence, updated_at: now, ..appointment.clone() };
        let detail = json!({ "from": appointment.start_at, "to": start_at, "sequence": sequence });
        self.audit(tx, organization_id, actor, "appointment.moved", Subject::Appointment(id), detail).await?;
        self.enqueue_duties(tx, &moved, MailKind::Change, actor).await?;
        Ok(moved)
    }

    /// Cancels a confirmed appointment.
    pub(crate) async fn cancel_within(
        &self,
        tx: &mut Tx,
        appointment: &Appointment,
        by: CancelledBy,
        reason: Option<&str>,
        actor: Actor<'_>,
    ) -> Result<Appointment, EngineError> {
        let Appointment { id, organization_id, sequence, .. } = appointment;
        let now = self.now();
        if !appointment_cancel(tx, organization_id, id, *sequence, by, reason, now).await? {
            return Err(StoreError::Retry.into());
        }
        if by == CancelledBy::Calendar {
            mapping_mark_deleted(tx, organization_id, id, now).await?;
        }
        let cancelled = Appointment {
            status: AppointmentStatus::Cancelled,
            cancelled_by: Some(by),
            cancel_reason: reason.map(str::to_owned),
            sequence: sequence + 1,
            updated_at: now,
            ..appointment.clone()
        };
        let detail = json!({ "by": by.as_str(), "reason": reason, "sequence": cancelled.sequence });
        self.audit(tx, organization_id, actor, "appointment.cancelled", Subject::Appointment(id), detail).await?;
        self.enqueue_duties(tx, &cancelled, MailKind::Cancellation, actor).await?;
        Ok(cancelled)
    }
}
