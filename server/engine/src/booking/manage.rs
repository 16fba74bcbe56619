//! What a visitor can do with the secret link of an appointment.

use chrono::{DateTime, Utc};
use cupo_core::{
    appointment::{CancelledBy, Transition},
    parse::{FieldErrors, optional_text},
    slots::claim,
    text::Locale,
    wire::AppointmentView,
};
use cupo_store::{Appointment, Tx, appointment_get_by_token_hash, event_type_get};

use super::{
    check::{Verdict, Wish},
    transitions::{NewTime, require_changeable},
};
use crate::{
    Engine, EngineError,
    audit::Actor,
    availability::Own,
    engine::{digest, transact},
    mail::ics::{self, Method},
};

/// The longest reason of a cancellation, in characters.
pub(crate) const REASON_LENGTH: usize = 500;

/// Reads the reason of a cancellation.
pub(crate) fn parse_reason(reason: &str) -> Result<Option<String>, FieldErrors> {
    optional_text(reason, REASON_LENGTH).map_err(|problem| problem.at("reason").into())
}

impl Engine {
    async fn appointment_of_token(&self, tx: &mut Tx, token: &str) -> Result<Appointment, EngineError> {
        appointment_get_by_token_hash(tx, &digest(token)).await?.ok_or(EngineError::NotFound("appointment"))
    }

    async fn view_of(&self, tx: &mut Tx, appointment: Appointment) -> Result<AppointmentView, EngineError> {
        Ok(self.view(&self.details(tx, appointment).await?))
    }

    /// The appointment of a secret link. Nothing in it is translated yet; `locale` is the reader's.
    pub async fn appointment_by_token(&self, token: &str, _locale: Locale) -> Result<AppointmentView, EngineError> {
        let tx = &mut self.0.store.read().await?;
        let appointment = self.appointment_of_token(tx, token).await?;
        self.view_of(tx, appointment).await
    }

    /// The visitor cancels. Cancelling again changes nothing and gives the same answer.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] once the appointment is over, [`EngineError::Invalid`] with `reason`.
    pub async fn cancel_by_token(&self, token: &str, reason: &str) -> Result<AppointmentView, EngineError> {
        let reason = parse_reason(reason)?;
        let (organization_id, view) = transact!(self, tx => {
            let mut appointment = self.appointment_of_token(tx, token).await?;
            if appointment.cancelled_by != Some(CancelledBy::Visitor) {
                require_changeable(&appointment, Transition::Cancel, self.now())?;
                appointment = self
                    .cancel_within(tx, &appointment, CancelledBy::Visitor, reason.as_deref(), Actor::Visitor)
                    .await?;
            }
            (appointment.organization_id.clone(), self.view_of(tx, appointment).await?)
        })?;
        self.committed(&organization_id);
        Ok(view)
    }

    /// The visitor moves the appointment to another offered start; its length stays.
    ///
    /// # Errors
    /// As for booking, and [`EngineError::Conflict`] for one that is over or cancelled.
    pub async fn reschedule_by_token(&self, token: &str, start: DateTime<Utc>) -> Result<AppointmentView, EngineError> {
        let (appointment, event_type) = {
            let tx = &mut self.0.store.read().await?;
            let appointment = self.appointment_of_token(tx, token).await?;
            let event_type = event_type_get(tx, &appointment.organization_id, &appointment.event_type_id).await?;
            (appointment, event_type.ok_or(EngineError::NotFound("event type"))?)
        };
        require_changeable(&appointment, Transition::Move, self.now())?;
        let mut rules = event_type.rules;
        rules.duration = appointment.end_at - appointment.start_at;
        let live = self.live_check(&event_type, &rules, start).await?;
        let moved = transact!(self, tx => {
            let appointment = self.appointment_of_token(tx, token).await?;
            require_changeable(&appointment, Transition::Move, self.now())?;
            if appointment.start_at == start {
                Some(self.view_of(tx, appointment).await?)
            } else {
                let (schedule, _) = self.schedule_and_host(tx, &event_type).await?;
                let own = Own { appointment: Some(&appointment.id), hold_hash: None };
                let wish = Wish { event_type: &event_type, schedule: &schedule, rules: &rules, start, own };
                match self.check_within(tx, &wish, &live).await? {
                    Verdict::Taken => None,
                    Verdict::Free => {
                        let claim = claim(&rules, start);
                        let to = NewTime { start_at: start, end_at: start + rules.duration, claim };
                        let moved = self.move_within(tx, &appointment, to, Actor::Visitor).await?;
                        Some(self.view_of(tx, moved).await?)
                    }
                }
            }
        })?;
        self.committed(&appointment.organization_id);
        moved.ok_or(EngineError::SlotTaken)
    }

    /// The appointment as an iCalendar file to import (RFC 5545; `METHOD:PUBLISH` of RFC 5546).
    pub async fn appointment_ics(&self, token: &str) -> Result<String, EngineError> {
        let tx = &mut self.0.store.read().await?;
        let appointment = self.appointment_of_token(tx, token).await?;
        let locale = appointment.visitor_locale;
        let details = self.details(tx, appointment).await?;
        Ok(ics::render(self, &details, Method::Publish, locale))
    }
}
