//! Calendars that are gone at their provider, and the events of coming appointments that went with them.
//!
//! Whoever deletes a calendar does not mean to cancel every appointment in it. The appointments stand, and their events are written
//! anew to the calendar that receives the host's events now; where none can, the host is told so.

use std::sync::Arc;

use cupo_providers::{CalendarProvider, ProviderError};
use cupo_store::{
    Appointment, Calendar, CalendarProviderAccount, Tx, appointment_list_by_calendar, calendar_list_by_user,
};
use serde_json::json;

use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    jobs::PushEvent,
};

/// What went with a calendar.
pub(crate) struct LostCalendar {
    name: String,
    /// Whether slots, event types or appointments knew it.
    was_used: bool,
    /// Those whose events stood in it, and that are not over.
    appointments: Vec<Appointment>,
}

impl Engine {
    /// The provider does not find the calendar: when it lists it no more either, it is forgotten.
    ///
    /// # Errors
    /// [`ProviderError::NotFound`] when it is still listed.
    pub(crate) async fn calendar_not_found(&self, calendar: &Calendar) -> Result<(), EngineError> {
        let Calendar { organization_id, account_id, external_id, .. } = calendar;
        let call =
            move |provider: Arc<dyn CalendarProvider>, access| async move { provider.list_calendars(&access).await };
        let listed = self.call_provider(organization_id, account_id, call).await?;
        if listed.iter().any(|listed| listed.id == *external_id) {
            return Err(ProviderError::NotFound.into());
        }
        tracing::warn!(calendar = %calendar.id, "a calendar is gone at its provider");
        self.calendars_listed(organization_id, account_id, &listed).await
    }

    /// What will be lost with a calendar that is about to be forgotten.
    pub(crate) async fn lost_with(&self, tx: &mut Tx, calendar: &Calendar) -> Result<LostCalendar, EngineError> {
        let Calendar { id, organization_id, name, .. } = calendar;
        let was_used = self.is_in_use(tx, calendar).await?;
        let appointments = appointment_list_by_calendar(tx, organization_id, id, self.now()).await?;
        Ok(LostCalendar { name: name.clone(), was_used, appointments })
    }

    /// Has the lost events written anew, as the choices are by now, and tells the host once for each calendar.
    pub(crate) async fn note_lost(
        &self,
        tx: &mut Tx,
        account: &CalendarProviderAccount,
        lost: LostCalendar,
    ) -> Result<(), EngineError> {
        let LostCalendar { name, was_used, appointments } = lost;
        if !was_used {
            return Ok(());
        }
        let organization_id = &account.organization_id;
        let count = appointments.len();
        for appointment in &appointments {
            let to = self.target_of(tx, appointment).await?.map(|calendar| calendar.name);
            let (subject, detail) = (Subject::Appointment(&appointment.id), json!({ "calendar": name, "to": to }));
            self.audit(tx, organization_id, Actor::Calendar, "appointment.event_lost", subject, detail).await?;
            if to.is_some() {
                self.enqueue(tx, organization_id, &PushEvent { claim_id: appointment.claim_id.clone() }).await?;
            }
        }
        let calendars = calendar_list_by_user(tx, organization_id, &account.user_id).await?;
        let receives = calendars.into_iter().find(|calendar| calendar.receives_events).map(|calendar| calendar.name);
        let detail = json!({ "calendar": name, "appointments": count, "to": receives });
        self.tell_host(tx, account, Actor::Calendar, "account.calendar_lost", detail).await
    }
}
