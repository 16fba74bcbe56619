//! The answers of those who are invited to our events.

use cupo_providers::{CalendarEvent, ResponseStatus};
use cupo_store::{Appointment, AppointmentExternalMapping, Tx};
use serde_json::json;

use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    mail::MailKind,
};

impl Engine {
    /// Notes on the mapping which visitors have declined, and tells of those who did lately. Their appointments stand: a decline in
    /// a mail program is often a slip, and to cancel is one click. Says whether anything is new.
    pub(super) async fn note_answers(
        &self,
        tx: &mut Tx,
        mapping: &mut AppointmentExternalMapping,
        confirmed: &[Appointment],
        event: &CalendarEvent,
    ) -> Result<bool, EngineError> {
        let before = mapping.declined.len();
        let answer_of = |email: &str| {
            let answers = event.attendees.iter().filter(|attendee| !attendee.is_self);
            let mut of_them = answers.filter(|attendee| attendee.email.eq_ignore_ascii_case(email));
            of_them.next().map(|attendee| attendee.response)
        };
        // Who answers otherwise later may decline once more.
        mapping.declined.retain(|email| answer_of(email).is_none_or(|answer| answer == ResponseStatus::Declined));
        let mut is_new = mapping.declined.len() != before;
        for appointment in confirmed {
            let email = appointment.visitor_email.as_str();
            let is_told = mapping.declined.iter().any(|told| told.eq_ignore_ascii_case(email));
            if is_told || answer_of(email) != Some(ResponseStatus::Declined) {
                continue;
            }
            mapping.declined.push(email.to_owned());
            is_new = true;
            let Appointment { id, organization_id, sequence, .. } = appointment;
            let (subject, detail) = (Subject::Appointment(id), json!({ "sequence": sequence }));
            self.audit(tx, organization_id, Actor::Calendar, "appointment.guest_declined", subject, detail).await?;
            self.enqueue_mails(tx, appointment, MailKind::GuestDeclined).await?;
        }
        Ok(is_new)
    }
}
