//! The changes of an appointment and the duties that each of them brings: one transaction for all of it.

use chrono::{DateTime, Utc};
use cupo_core::{
    appointment::{AppointmentStatus, CancelledBy, Transition},
    ids::{ClaimId, UserId},
    interval::Interval,
};
use cupo_store::{
    Appointment, MoveOutcome, Moved, StoreError, Tx, appointment_confirm, appointment_end, appointment_move,
    claim_hosts, claim_move, mapping_get, mapping_mark_deleted,
};
use serde_json::json;

use super::look_again;
use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    jobs::{PushEvent, SendMail},
    mail::{MailKind, Recipient},
};

/// Where an appointment goes.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) start_at: DateTime<Utc>,
    pub(crate) end_at: DateTime<Utc>,
    pub(crate) claim: Interval,
    pub(crate) hosts: Vec<UserId>,
    /// The booked slot of which it takes a seat.
    pub(crate) joins: Option<ClaimId>,
    pub(crate) seats: u32,
    /// Until when a host may agree to it, where that is needed.
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// How an appointment ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending<'a> {
    /// Somebody cancels it.
    Cancelled(CancelledBy, Option<&'a str>),
    /// The host does not agree to it.
    Declined(Option<&'a str>),
    /// The time to agree has passed.
    Expired,
}

impl<'a> Ending<'a> {
    fn transition(self) -> Transition {
        match self {
            Self::Cancelled(..) => Transition::Cancel,
            Self::Declined(_) => Transition::Decline,
            Self::Expired => Transition::Expire,
        }
    }

    fn by(self) -> Option<CancelledBy> {
        match self {
            Self::Cancelled(by, _) => Some(by),
            Self::Declined(_) | Self::Expired => None,
        }
    }

    fn reason(self) -> Option<&'a str> {
        match self {
            Self::Cancelled(_, reason) | Self::Declined(reason) => reason,
            Self::Expired => None,
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Cancelled(..) => "appointment.cancelled",
            Self::Declined(_) => "appointment.declined",
            Self::Expired => "appointment.expired",
        }
    }

    fn mail(self) -> MailKind {
        match self {
            Self::Cancelled(..) => MailKind::Cancellation,
            Self::Declined(_) => MailKind::Declined,
            Self::Expired => MailKind::Expired,
        }
    }
}

/// Refuses a change of what cannot be changed any more, in words for people; else the status after it.
pub(crate) fn require_changeable(
    appointment: &Appointment,
    transition: Transition,
    now: DateTime<Utc>,
) -> Result<AppointmentStatus, EngineError> {
    if appointment.end_at <= now && transition != Transition::Expire {
        return Err(EngineError::Conflict("error.appointment_past"));
    }
    appointment.status.apply(transition).map_err(|illegal| {
        EngineError::Conflict(match illegal.from {
            AppointmentStatus::Cancelled => "error.appointment_cancelled",
            AppointmentStatus::Declined => "error.appointment_declined",
            AppointmentStatus::Expired => "error.appointment_expired",
            AppointmentStatus::Pending | AppointmentStatus::Confirmed => "error.appointment_confirmed",
        })
    })
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
        if !matches!(actor, Actor::Calendar) {
            self.enqueue_push(tx, appointment).await?;
        }
        self.enqueue_mails(tx, appointment, kind).await
    }

    /// Enqueues the writing of the event, where there is a calendar to write it to.
    pub(crate) async fn enqueue_push(&self, tx: &mut Tx, appointment: &Appointment) -> Result<(), EngineError> {
        let Appointment { organization_id, claim_id, .. } = appointment;
        let has_target = self.target_of(tx, appointment).await?.is_some();
        if has_target || mapping_get(tx, organization_id, claim_id).await?.is_some() {
            self.enqueue(tx, organization_id, &PushEvent { claim_id: claim_id.clone() }).await?;
        }
        Ok(())
    }

    /// Enqueues the mails to the visitor and to the host.
    pub(crate) async fn enqueue_mails(
        &self,
        tx: &mut Tx,
        appointment: &Appointment,
        kind: MailKind,
    ) -> Result<(), EngineError> {
        if self.0.mailer.is_none() {
            return Ok(());
        }
        let Appointment { id, organization_id, sequence, .. } = appointment;
        for recipient in [Recipient::Visitor, Recipient::Host] {
            let mail = SendMail { appointment_id: id.clone(), kind, recipient, sequence: *sequence };
            self.enqueue(tx, organization_id, &mail).await?;
        }
        Ok(())
    }

    /// Moves an appointment, without a word to anybody; the store refuses a claim that overlaps another one's. With other hosts, or out of a slot that
    /// it shared, it gets a claim of its own: the old event goes, a new one comes.
    pub(crate) async fn move_within(
        &self,
        tx: &mut Tx,
        appointment: &Appointment,
        to: Destination,
        actor: Actor<'_>,
    ) -> Result<Appointment, EngineError> {
        let claim_id = &appointment.claim_id;
        let now = self.now();
        let transition = match to.expires_at {
            Some(_) => Transition::MoveForApproval,
            None => Transition::Move,
        };
        let status = require_changeable(appointment, transition, now)?;
        let host_user_id = to.hosts.first().unwrap_or(&appointment.host_user_id).clone();
        let keeps_claim = host_user_id == appointment.host_user_id && !self.shares(tx, appointment).await?;
        let new_claim = match &to.joins {
            Some(joined) => joined.clone(),
            None if keeps_claim => claim_id.clone(),
            None => self.fresh(),
        };
        let moved = Moved {
            host_user_id: host_user_id.clone(),
            start_at: to.start_at,
            end_at: to.end_at,
            claim: to.claim,
            claim_id: new_claim.clone(),
            status,
            expires_at: to.expires_at,
        };
        let outcome = appointment_move(tx, appointment, &moved, &to.hosts, to.seats, now).await.map_err(look_again)?;
        let MoveOutcome::Moved { sequence } = outcome else { return Err(StoreError::Retry.into()) };
        let Destination { start_at, end_at, claim, expires_at, .. } = to;
        let moved = Appointment {
            host_user_id,
            start_at,
            end_at,
            claim,
            claim_id: new_claim,
            status,
            expires_at,
            sequence,
            updated_at: now,
            ..appointment.clone()
        };
        if moved.claim_id != *claim_id {
            self.enqueue_push(tx, appointment).await?;
        }
        self.note_move(tx, appointment, &moved, actor).await?;
        self.enqueue_push(tx, &moved).await?;
        Ok(moved)
    }

    /// Tells visitor and host that an appointment moved; of a series the mail names those that follow.
    pub(crate) async fn tell_of_move(&self, tx: &mut Tx, moved: &Appointment) -> Result<(), EngineError> {
        let is_pending = moved.status == AppointmentStatus::Pending;
        self.enqueue_mails(tx, moved, if is_pending { MailKind::Request } else { MailKind::Change }).await
    }

    /// Moves a claim with every appointment that shares it, as its event was moved in the calendar.
    pub(crate) async fn follow_within(
        &self,
        tx: &mut Tx,
        appointments: &[Appointment],
        time: Interval,
        claim: Interval,
    ) -> Result<Vec<Appointment>, EngineError> {
        let Some(first) = appointments.first() else { return Ok(Vec::new()) };
        let Appointment { organization_id, claim_id, .. } = first;
        for appointment in appointments {
            require_changeable(appointment, Transition::Move, self.now())?;
        }
        let moved = claim_move(tx, organization_id, claim_id, time.start, time.end, claim, self.now()).await?;
        for appointment in &moved {
            let Some(old) = appointments.iter().find(|old| old.id == appointment.id) else { continue };
            self.note_move(tx, old, appointment, Actor::Calendar).await?;
            self.enqueue_duties(tx, appointment, MailKind::Change, Actor::Calendar).await?;
        }
        Ok(moved)
    }

    async fn note_move(
        &self,
        tx: &mut Tx,
        from: &Appointment,
        to: &Appointment,
        actor: Actor<'_>,
    ) -> Result<(), EngineError> {
        let mut detail = json!({ "from": from.start_at, "to": to.start_at, "sequence": to.sequence });
        if from.host_user_id != to.host_user_id {
            detail["from_host"] = json!(from.host_user_id);
            detail["to_host"] = json!(to.host_user_id);
        }
        let subject = Subject::Appointment(&to.id);
        self.audit(tx, &to.organization_id, actor, "appointment.moved", subject, detail).await
    }

    /// Whether others have a seat of the same slot.
    async fn shares(&self, tx: &mut Tx, appointment: &Appointment) -> Result<bool, EngineError> {
        let Appointment { organization_id, claim_id, .. } = appointment;
        let sharing = cupo_store::appointment_list_by_claim(tx, organization_id, claim_id).await?;
        Ok(sharing.iter().any(|other| other.id != appointment.id && other.status.claims_time()))
    }

    /// The host agrees to a pending appointment.
    pub(crate) async fn confirm_within(
        &self,
        tx: &mut Tx,
        appointment: &Appointment,
        actor: Actor<'_>,
    ) -> Result<Appointment, EngineError> {
        let Appointment { id, organization_id, sequence, .. } = appointment;
        let now = self.now();
        let status = require_changeable(appointment, Transition::Confirm, now)?;
        if !appointment_confirm(tx, organization_id, id, *sequence, now).await? {
            return Err(StoreError::Retry.into());
        }
        let confirmed =
            Appointment { status, expires_at: None, sequence: sequence + 1, updated_at: now, ..appointment.clone() };
        let detail = json!({ "sequence": confirmed.sequence });
        self.audit(tx, organization_id, actor, "appointment.confirmed", Subject::Appointment(id), detail).await?;
        self.enqueue_duties(tx, &confirmed, MailKind::Confirmation, actor).await?;
        Ok(confirmed)
    }

    /// Ends an appointment; its time is free again.
    pub(crate) async fn end_within(
        &self,
        tx: &mut Tx,
        appointment: &Appointment,
        ending: Ending<'_>,
        actor: Actor<'_>,
    ) -> Result<Appointment, EngineError> {
        let ended = self.end_quietly(tx, appointment, ending, actor, self.now()).await?;
        self.enqueue_mails(tx, &ended, ending.mail()).await?;
        Ok(ended)
    }

    /// Ends an appointment without a word to anybody: where one mail tells of all that ended at the same `now`.
    pub(crate) async fn end_quietly(
        &self,
        tx: &mut Tx,
        appointment: &Appointment,
        ending: Ending<'_>,
        actor: Actor<'_>,
        now: DateTime<Utc>,
    ) -> Result<Appointment, EngineError> {
        let Appointment { id, organization_id, claim_id, sequence, .. } = appointment;
        let status = require_changeable(appointment, ending.transition(), now)?;
        let (by, reason) = (ending.by(), ending.reason());
        if !appointment_end(tx, organization_id, id, *sequence, status, by, reason, now).await? {
            return Err(StoreError::Retry.into());
        }
        let hosts_left = claim_hosts(tx, organization_id, claim_id).await?;
        if by == Some(CancelledBy::Calendar) && hosts_left.is_empty() {
            mapping_mark_deleted(tx, organization_id, claim_id, now).await?;
        }
        let ended = Appointment {
            status,
            cancelled_by: by,
            cancel_reason: reason.map(str::to_owned),
            sequence: sequence + 1,
            updated_at: now,
            ..appointment.clone()
        };
        let detail = json!({ "by": by.map(CancelledBy::as_str), "reason": reason, "sequence": ended.sequence });
        self.audit(tx, organization_id, actor, ending.action(), Subject::Appointment(id), detail).await?;
        if !matches!(actor, Actor::Calendar) {
            self.enqueue_push(tx, &ended).await?;
        }
        Ok(ended)
    }
}
