//! What a visitor can do with the secret link of an appointment.

use cupo_core::{
    appointment::{AppointmentStatus, CancelledBy, Transition},
    parse::{FieldErrors, optional_text},
    text::Locale,
    wire::{AppointmentView, CancelRequest, SeriesScope},
};
use cupo_store::{
    Appointment, EventType, Tx, appointment_get_by_token_hash, appointment_list_by_series, event_type_get,
};

use super::transitions::{Ending, require_changeable};
use crate::{
    Engine, EngineError,
    audit::Actor,
    details::{is_too_late_to_cancel, is_too_late_to_reschedule},
    engine::{digest, transact},
    mail::{
        MailKind,
        ics::{self, Method},
    },
};

/// The longest reason of a cancellation, in characters.
pub(crate) const REASON_LENGTH: usize = 500;

/// Reads the reason of a cancellation.
pub(crate) fn parse_reason(reason: &str) -> Result<Option<String>, FieldErrors> {
    optional_text(reason, REASON_LENGTH).map_err(|problem| problem.at("reason").into())
}

impl Engine {
    pub(super) async fn appointment_of_token(&self, tx: &mut Tx, token: &str) -> Result<Appointment, EngineError> {
        appointment_get_by_token_hash(tx, &digest(token)).await?.ok_or(EngineError::NotFound("appointment"))
    }

    pub(super) async fn view_of(&self, tx: &mut Tx, appointment: Appointment) -> Result<AppointmentView, EngineError> {
        Ok(self.view(&self.details(tx, appointment).await?))
    }

    pub(super) async fn event_type_of(&self, tx: &mut Tx, of: &Appointment) -> Result<EventType, EngineError> {
        event_type_get(tx, &of.organization_id, &of.event_type_id).await?.ok_or(EngineError::NotFound("event type"))
    }

    /// The appointments of a series from this one on that still stand, in their order; this one alone without a series.
    pub(super) async fn series_from(
        &self,
        tx: &mut Tx,
        appointment: &Appointment,
        scope: SeriesScope,
    ) -> Result<Vec<Appointment>, EngineError> {
        let (SeriesScope::Following, Some(series_id)) = (scope, &appointment.series_id) else {
            return Ok(vec![appointment.clone()]);
        };
        let mut all = appointment_list_by_series(tx, &appointment.organization_id, series_id).await?;
        all.retain(|other| {
            other.id == appointment.id
                || (other.series_position > appointment.series_position && other.status.claims_time())
        });
        all.sort_by_key(|other| other.series_position);
        Ok(all)
    }

    /// The appointment of a secret link. Nothing in it is translated yet; `locale` is the reader's.
    pub async fn appointment_by_token(&self, token: &str, _locale: Locale) -> Result<AppointmentView, EngineError> {
        let tx = &mut self.0.store.read().await?;
        let appointment = self.appointment_of_token(tx, token).await?;
        self.view_of(tx, appointment).await
    }

    /// The visitor cancels, one of a series alone or from here on. Cancelling again changes nothing and gives the same
    /// answer.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] once the appointment is over or it is too late to cancel, [`EngineError::Invalid`] with
    /// `reason`.
    pub async fn cancel_by_token(&self, token: &str, request: &CancelRequest) -> Result<AppointmentView, EngineError> {
        let reason = parse_reason(request.reason.as_deref().unwrap_or_default())?;
        let (organization_id, view) = transact!(self, tx => {
            let mut appointment = self.appointment_of_token(tx, token).await?;
            let is_again = appointment.status == AppointmentStatus::Cancelled
                && appointment.cancelled_by == Some(CancelledBy::Visitor);
            if !is_again {
                require_changeable(&appointment, Transition::Cancel, self.now())?;
                let event_type = self.event_type_of(tx, &appointment).await?;
                if is_too_late_to_cancel(&event_type, &appointment, self.now()) {
                    return Err(EngineError::Conflict("error.cancel_deadline"));
                }
                let ending = Ending::Cancelled(CancelledBy::Visitor, reason.as_deref());
                let now = self.now();
                for other in self.series_from(tx, &appointment, request.scope).await?.iter().skip(1) {
                    self.end_quietly(tx, other, ending, Actor::Visitor, now).await?;
                }
                appointment = self.end_quietly(tx, &appointment, ending, Actor::Visitor, now).await?;
                self.enqueue_mails(tx, &appointment, MailKind::Cancellation).await?;
            }
            (appointment.organization_id.clone(), self.view_of(tx, appointment).await?)
        })?;
        self.committed(&organization_id);
        Ok(view)
    }

    /// Refuses to move what cannot be moved any more.
    pub(super) async fn require_movable(&self, tx: &mut Tx, appointment: &Appointment) -> Result<(), EngineError> {
        require_changeable(appointment, Transition::Move, self.now())?;
        let event_type = self.event_type_of(tx, appointment).await?;
        if is_too_late_to_reschedule(&event_type, appointment, self.now()) {
            return Err(EngineError::Conflict("error.reschedule_deadline"));
        }
        Ok(())
    }

    /// The appointment as an iCalendar file to import (RFC 5545; `METHOD:PUBLISH` of RFC 5546).
    pub async fn appointment_ics(&self, token: &str) -> Result<String, EngineError> {
        let tx = &mut self.0.store.read().await?;
        let appointment = self.appointment_of_token(tx, token).await?;
        let locale = appointment.visitor_language.locale();
        let details = self.details(tx, appointment).await?;
        Ok(ics::render(self, &details, Method::Publish, locale))
    }
}
