use chrono::TimeDelta;
use cupo_core::{
    appointment::AppointmentStatus,
    ids::{AppointmentId, OrganizationId},
};
use cupo_store::{Job, appointment_get};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Outcome, Task};
use crate::{
    Engine, EngineError,
    audit::Subject,
    details::Details,
    mail::{MailKind, Recipient, Sent},
};

/// How soon a mail that waits for a meeting link looks again.
const SOON: TimeDelta = TimeDelta::seconds(1);

/// Tells the visitor or the host of an appointment's change.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SendMail {
    pub(crate) appointment_id: AppointmentId,
    pub(crate) kind: MailKind,
    pub(crate) recipient: Recipient,
    /// The change it tells of, by the appointment's sequence.
    pub(crate) sequence: i64,
}

impl SendMail {
    /// Whether a later change has made this mail wrong or needless: that one sends its own.
    fn is_superseded(&self, details: &Details) -> bool {
        let appointment = &details.appointment;
        match (self.kind, appointment.status) {
            (MailKind::Cancellation, AppointmentStatus::Cancelled)
            | (MailKind::Declined, AppointmentStatus::Declined)
            | (MailKind::Expired, AppointmentStatus::Expired)
            | (MailKind::Confirmation, AppointmentStatus::Confirmed) => false,
            (MailKind::Request, AppointmentStatus::Pending) => self.sequence < appointment.sequence,
            (MailKind::Change | MailKind::Collision, AppointmentStatus::Confirmed) => {
                self.sequence < appointment.sequence
            }
            // They may have accepted since.
            (MailKind::GuestDeclined, AppointmentStatus::Confirmed) => {
                let mut declined = details.mapping.iter().flat_map(|mapping| &mapping.declined);
                let is_them = |email: &String| email.eq_ignore_ascii_case(appointment.visitor_email.as_str());
                self.sequence < appointment.sequence || !declined.any(is_them)
            }
            (MailKind::BecameSeries, AppointmentStatus::Confirmed) => false,
            _ => true,
        }
    }
}

impl Task for SendMail {
    const KIND: &'static str = "send_mail";
    const PATIENCE: TimeDelta = TimeDelta::days(3);

    fn coalescing_key(&self) -> String {
        let Self { appointment_id, kind, recipient, sequence } = self;
        format!("{appointment_id}:{sequence}:{}:{}", kind.as_str(), recipient.as_str())
    }

    async fn run(&self, engine: &Engine, organization_id: &OrganizationId, job: &Job) -> Result<Outcome, EngineError> {
        let mailer = engine.0.mailer.as_ref().ok_or(EngineError::NotConfigured("mail"))?;
        let details = {
            let tx = &mut engine.0.store.read().await?;
            let Some(appointment) = appointment_get(tx, organization_id, &self.appointment_id).await? else {
                return Ok(Outcome::Done);
            };
            if engine.is_mail_sent(tx, organization_id, Subject::Appointment(&self.appointment_id), job).await? {
                return Ok(Outcome::Done);
            }
            engine.details(tx, appointment).await?
        };
        if self.is_superseded(&details) {
            return Ok(Outcome::Done);
        }
        if details.meeting_pending() && engine.age(job) < engine.0.settings.meeting_link_wait {
            return Ok(Outcome::Retry(SOON, "the meeting link is not there yet".to_owned()));
        }
        let mut mail = engine.compose(&details, self.kind, self.recipient)?;
        if self.kind.is_notice() {
            // A second one of the same appointment is no repetition.
            mail.message_id = format!("<{}.{}@{}>", job.id, self.kind.as_str(), engine.installation());
        }
        match mailer.send(mail).await {
            Ok(Sent::Accepted) => {
                let Self { appointment_id, kind, recipient, sequence } = self;
                let detail = json!({ "kind": kind, "recipient": recipient, "sequence": sequence });
                engine.mail_sent(organization_id, Subject::Appointment(appointment_id), job, detail).await?;
                Ok(Outcome::Done)
            }
            Ok(Sent::Refused(why)) => Ok(Outcome::GiveUp(why)),
            Err(error) => Ok(Outcome::Retry(engine.pause(job), error.to_string())),
        }
    }
}
