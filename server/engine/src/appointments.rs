//! A host's appointments on the dashboard.

use chrono::DateTime;
use cupo_core::{
    appointment::{CancelledBy, Transition},
    ids::AppointmentId,
    parse::FieldProblem,
};
use cupo_store::{
    Appointment, AppointmentCursor, AppointmentExternalMapping, AppointmentFilter, AuditEntry, Role, appointment_get,
    appointment_list, audit_list, calendar_get, mapping_get,
};

use crate::{
    Engine, EngineError, Principal,
    audit::{Actor, Subject},
    booking::{parse_reason, transitions::require_changeable},
    engine::transact,
};

const PAGE_SIZE: u32 = 50;

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// In the list's order.
    pub items: Vec<T>,
    /// What to ask the next page with; `None` at the end.
    pub next: Option<String>,
}

/// An appointment and its external event.
#[derive(Debug, Clone)]
pub struct AppointmentSummary {
    /// The appointment.
    pub appointment: Appointment,
    /// Its event in the host's calendar, once it was asked for.
    pub mapping: Option<AppointmentExternalMapping>,
}

/// An appointment with its history.
#[derive(Debug, Clone)]
pub struct AppointmentDetail {
    /// The appointment.
    pub appointment: Appointment,
    /// Its event in the host's calendar, once it was asked for.
    pub mapping: Option<AppointmentExternalMapping>,
    /// The name of the calendar that holds the event.
    pub calendar_name: Option<String>,
    /// What happened to it, oldest first.
    pub audit: Vec<AuditEntry>,
}

fn write_cursor(last: &Appointment) -> String {
    format!("{}.{}", last.start_at.timestamp_micros(), last.id)
}

fn parse_cursor(text: &str) -> Result<AppointmentCursor, FieldProblem> {
    let parsed = text.split_once('.').and_then(|(start, id)| {
        let start_at = DateTime::from_timestamp_micros(start.parse().ok()?)?;
        Some(AppointmentCursor { start_at, id: AppointmentId::parse(id).ok()? })
    });
    parsed.ok_or_else(|| FieldProblem::new("error.page"))
}

impl Principal {
    fn may_see(&self, appointment: &Appointment) -> bool {
        self.role != Role::Host || appointment.host_user_id == self.user_id
    }
}

impl Engine {
    /// A page of the organization's appointments, from behind the cursor `before` on.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] with `before` for a cursor that is none.
    pub async fn appointments(
        &self,
        principal: &Principal,
        filter: AppointmentFilter,
        before: Option<&str>,
    ) -> Result<Page<AppointmentSummary>, EngineError> {
        let cursor = before.map(parse_cursor).transpose().map_err(|problem| problem.at("before"))?;
        let organization_id = &principal.organization_id;
        let tx = &mut self.0.store.read().await?;
        let listed = appointment_list(tx, organization_id, filter, self.now(), PAGE_SIZE, cursor.as_ref()).await?;
        let next = (listed.len() == PAGE_SIZE as usize).then(|| listed.last().map(write_cursor)).flatten();
        let mut items = Vec::with_capacity(listed.len());
        for appointment in listed.into_iter().filter(|appointment| principal.may_see(appointment)) {
            let mapping = mapping_get(tx, organization_id, &appointment.id).await?;
            items.push(AppointmentSummary { appointment, mapping });
        }
        Ok(Page { items, next })
    }

    /// One appointment with its history.
    pub async fn appointment(
        &self,
        principal: &Principal,
        id: &AppointmentId,
    ) -> Result<AppointmentDetail, EngineError> {
        let organization_id = &principal.organization_id;
        let tx = &mut self.0.store.read().await?;
        let appointment = appointment_get(tx, organization_id, id)
            .await?
            .filter(|appointment| principal.may_see(appointment))
            .ok_or(EngineError::NotFound("appointment"))?;
        let mapping = mapping_get(tx, organization_id, id).await?;
        let calendar = match &mapping {
            Some(mapping) => calendar_get(tx, organization_id, &mapping.calendar_id).await?,
            None => None,
        };
        let subject = Subject::Appointment(id);
        let audit = audit_list(tx, organization_id, subject.kind(), subject.id()).await?;
        Ok(AppointmentDetail { appointment, mapping, calendar_name: calendar.map(|calendar| calendar.name), audit })
    }

    /// The host cancels; the visitor is told the reason.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] for one that is over or cancelled, [`EngineError::Invalid`] with `reason`.
    pub async fn appointment_cancel(
        &self,
        principal: &Principal,
        id: &AppointmentId,
        reason: &str,
    ) -> Result<(), EngineError> {
        let reason = parse_reason(reason)?;
        transact!(self, tx => {
            let appointment = appointment_get(tx, &principal.organization_id, id)
                .await?
                .filter(|appointment| principal.may_see(appointment))
                .ok_or(EngineError::NotFound("appointment"))?;
            require_changeable(&appointment, Transition::Cancel, self.now())?;
            let actor = Actor::User(&principal.user_id);
            self.cancel_within(tx, &appointment, CancelledBy::Host, reason.as_deref(), actor).await?;
        })?;
        self.committed(&principal.organization_id);
        Ok(())
    }
}
