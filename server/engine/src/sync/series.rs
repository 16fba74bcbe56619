//! Events of ours that were made to recur: the first date that takes place stands for the appointment.

use cupo_providers::{Changes, EventChange};
use cupo_store::{Appointment, Calendar, Tx, audit_list, mapping_get_by_external};
use serde_json::json;

use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    jobs::SendMail,
    mail::{MailKind, Recipient},
};

const BECAME_SERIES: &str = "appointment.became_series";

impl Engine {
    /// Asks for those of our events that recur by now, where the provider tells their dates one by one. Each is told by its first
    /// date then, and that one no more by itself.
    pub(super) async fn add_own_series(&self, calendar: &Calendar, changes: &mut Changes) -> Result<(), EngineError> {
        let mut own = Vec::new();
        if !changes.series.is_empty() {
            let tx = &mut self.0.store.read().await?;
            for id in &changes.series {
                let mapping = mapping_get_by_external(tx, &calendar.organization_id, &calendar.id, id).await?;
                own.extend(
                    mapping.filter(|mapping| mapping.deleted_at.is_none()).map(|mapping| mapping.external_event_id),
                );
            }
        }
        for id in own {
            let found = self.event_at_provider(calendar, &id).await?;
            // The event by itself gave way to its dates, or none of them is left.
            let first = found.as_ref().and_then(|whole| whole.first_instance.clone());
            changes.events.retain(|change| match change {
                EventChange::Upsert(event) => event.id != id && first.as_ref() != Some(&event.id),
                EventChange::Removed { id: removed } => *removed != id,
                EventChange::Series { .. } => true,
            });
            changes.events.push(match found {
                Some(whole) => EventChange::Upsert(Box::new(whole)),
                None => EventChange::Removed { id },
            });
        }
        Ok(())
    }

    /// Tells the host, once for each appointment, that its event recurs by now.
    pub(super) async fn note_series(&self, tx: &mut Tx, confirmed: &[Appointment]) -> Result<(), EngineError> {
        for Appointment { id, organization_id, sequence, .. } in confirmed {
            let subject = Subject::Appointment(id);
            let history = audit_list(tx, organization_id, subject.kind(), subject.id()).await?;
            if history.iter().any(|entry| entry.action == BECAME_SERIES) {
                continue;
            }
            let detail = json!({ "sequence": sequence });
            self.audit(tx, organization_id, Actor::Calendar, BECAME_SERIES, subject, detail).await?;
            if self.0.mailer.is_some() {
                let mail = SendMail {
                    appointment_id: id.clone(),
                    kind: MailKind::BecameSeries,
                    recipient: Recipient::Host,
                    sequence: *sequence,
                };
                self.enqueue(tx, organization_id, &mail).await?;
            }
        }
        Ok(())
    }
}
