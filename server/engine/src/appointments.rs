//! A host's appointments on the dashboard.

use chrono::DateTime;
use cupo_core::{appointment::CancelledBy, ids::AppointmentId, parse::FieldProblem};
use cupo_store::{
    Appointment, AppointmentCursor, AppointmentExternalMapping, AppointmentFilter, AuditEntry, Role, Tx,
    appointment_get, appointment_list, appointment_list_by_claim, appointment_list_by_series, audit_list, calendar_get,
    claim_hosts, mapping_get,
};

use crate::{
    Engine, EngineError, Principal,
    audit::{Actor, Subject},
    booking::{parse_reason, transitions::Ending},
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
    /// The names of everybody who is there for the visitor.
    pub host_names: String,
    /// The others of its series, in any status, by position.
    pub series: Vec<Appointment>,
    /// Those who have another seat of the same slot.
    pub sharing: Vec<Appointment>,
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
    /// One appointment of the organization that the user may see: their own, those at which they are a host too, all for
    /// those who run the organization.
    pub(crate) async fn appointment_of(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        id: &AppointmentId,
    ) -> Result<Appointment, EngineError> {
        let organization_id = &principal.organization_id;
        let found = appointment_get(tx, organization_id, id).await?.ok_or(EngineError::NotFound("appointment"))?;
        let is_seen = principal.may_see(&found)
            || claim_hosts(tx, organization_id, &found.claim_id).await?.contains(&principal.user_id);
        if is_seen { Ok(found) } else { Err(EngineError::NotFound("appointment")) }
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
        for appointment in listed {
            let is_seen = principal.may_see(&appointment)
                || claim_hosts(tx, organization_id, &appointment.claim_id).await?.contains(&principal.user_id);
            if !is_seen {
                continue;
            }
            let mapping = mapping_get(tx, organization_id, &appointment.claim_id).await?;
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
        let appointment = self.appointment_of(tx, principal, id).await?;
        let mapping = mapping_get(tx, organization_id, &appointment.claim_id).await?;
        let calendar = match &mapping {
            Some(mapping) => calendar_get(tx, organization_id, &mapping.calendar_id).await?,
            None => None,
        };
        let subject = Subject::Appointment(id);
        let audit = audit_list(tx, organization_id, subject.kind(), subject.id()).await?;
        let mut series = match &appointment.series_id {
            Some(series_id) => appointment_list_by_series(tx, organization_id, series_id).await?,
            None => Vec::new(),
        };
        series.retain(|other| other.id != *id);
        series.sort_by_key(|other| other.series_position);
        let mut sharing = appointment_list_by_claim(tx, organization_id, &appointment.claim_id).await?;
        sharing.retain(|other| other.id != *id && other.status.claims_time());
        let host_names = self.details(tx, appointment.clone()).await?.host_names();
        let calendar_name = calendar.map(|calendar| calendar.name);
        Ok(AppointmentDetail { appointment, mapping, calendar_name, audit, host_names, series, sharing })
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
            let appointment = self.appointment_of(tx, principal, id).await?;
            let actor = Actor::User(&principal.user_id);
            let ending = Ending::Cancelled(CancelledBy::Host, reason.as_deref());
            self.end_within(tx, &appointment, ending, actor).await?;
        })?;
        self.committed(&principal.organization_id);
        Ok(())
    }
}
