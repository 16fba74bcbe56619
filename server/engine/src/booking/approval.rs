//! Appointments to which a host has to agree.

use cupo_core::ids::{AppointmentId, OrganizationId};
use cupo_store::{appointment_get, appointments_expiring};

use super::{parse_reason, transitions::Ending};
use crate::{Engine, EngineError, Principal, audit::Actor, engine::transact};

/// How many pending appointments expire in one go.
const BATCH: u32 = 100;

impl Engine {
    /// The host agrees to a pending appointment. Of two who decide at the same moment one wins.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] for one that is not pending any more, [`EngineError::NotFound`].
    pub async fn appointment_confirm(&self, principal: &Principal, id: &AppointmentId) -> Result<(), EngineError> {
        transact!(self, tx => {
            let appointment = self.appointment_of(tx, principal, id).await?;
            self.confirm_within(tx, &appointment, Actor::User(&principal.user_id)).await?;
        })?;
        self.committed(&principal.organization_id);
        Ok(())
    }

    /// The host does not agree to a pending appointment; the visitor is told the reason.
    ///
    /// # Errors
    /// As for [`appointment_confirm`](Self::appointment_confirm), and [`EngineError::Invalid`] with `reason`.
    pub async fn appointment_decline(
        &self,
        principal: &Principal,
        id: &AppointmentId,
        reason: &str,
    ) -> Result<(), EngineError> {
        let reason = parse_reason(reason)?;
        transact!(self, tx => {
            let appointment = self.appointment_of(tx, principal, id).await?;
            let actor = Actor::User(&principal.user_id);
            self.end_within(tx, &appointment, Ending::Declined(reason.as_deref()), actor).await?;
        })?;
        self.committed(&principal.organization_id);
        Ok(())
    }

    /// Ends the pending appointments to which nobody has agreed in time.
    pub(crate) async fn expire_appointments(&self) -> Result<(), EngineError> {
        loop {
            let due = appointments_expiring(&mut self.0.store.read().await?, self.now(), BATCH).await?;
            for (organization_id, id) in &due {
                self.appointment_expire(organization_id, id).await?;
            }
            if due.len() < BATCH as usize {
                return Ok(());
            }
        }
    }

    /// Ends a pending appointment to which nobody has agreed in time; says whether it did.
    pub async fn appointment_expire(
        &self,
        organization_id: &OrganizationId,
        id: &AppointmentId,
    ) -> Result<bool, EngineError> {
        let expired = transact!(self, tx => {
            // Somebody may have decided meanwhile.
            let due = appointment_get(tx, organization_id, id).await?.filter(|appointment| {
                appointment.status.apply(cupo_core::appointment::Transition::Expire).is_ok()
                    && appointment.expires_at.is_some_and(|end| end <= self.now())
            });
            if let Some(appointment) = &due {
                self.end_within(tx, appointment, Ending::Expired, Actor::System).await?;
            }
            due.is_some()
        })?;
        self.committed(organization_id);
        Ok(expired)
    }
}
