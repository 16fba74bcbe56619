//! The history that hosts can read: who did what, when.

use cupo_core::ids::{AccountId, AppointmentId, AuditEntryId, JobId, OrganizationId, UserId};
use cupo_store::{AuditEntry, Tx, audit_insert};
use serde_json::Value;

use crate::{Engine, EngineError};

/// Who did it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Actor<'a> {
    User(&'a UserId),
    Visitor,
    /// Somebody, in the provider's calendar.
    Calendar,
    /// Cupo itself.
    System,
}

/// What it was done to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    Appointment(&'a AppointmentId),
    Account(&'a AccountId),
    Job(&'a JobId),
    Organization(&'a OrganizationId),
}

impl Subject<'_> {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Appointment(_) => "appointment",
            Self::Account(_) => "account",
            Self::Job(_) => "job",
            Self::Organization(_) => "organization",
        }
    }

    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Appointment(id) => id.as_str(),
            Self::Account(id) => id.as_str(),
            Self::Job(id) => id.as_str(),
            Self::Organization(id) => id.as_str(),
        }
    }
}

impl Engine {
    /// Writes a line of history in the transaction that makes it true. `detail` holds no secret.
    pub(crate) async fn audit(
        &self,
        tx: &mut Tx,
        organization_id: &OrganizationId,
        actor: Actor<'_>,
        action: &'static str,
        subject: Subject<'_>,
        detail: Value,
    ) -> Result<(), EngineError> {
        self.audit_entry(tx, organization_id, actor, action, subject, detail).await.map(drop)
    }

    /// As [`Self::audit`], for a line that somebody is told of: gives its id.
    pub(crate) async fn audit_entry(
        &self,
        tx: &mut Tx,
        organization_id: &OrganizationId,
        actor: Actor<'_>,
        action: &'static str,
        subject: Subject<'_>,
        detail: Value,
    ) -> Result<AuditEntryId, EngineError> {
        let actor = match actor {
            Actor::User(id) => format!("user:{id}"),
            Actor::Visitor => "visitor".to_owned(),
            Actor::Calendar => "calendar".to_owned(),
            Actor::System => "system".to_owned(),
        };
        let entry = AuditEntry {
            id: self.fresh(),
            organization_id: organization_id.clone(),
            actor,
            action: action.to_owned(),
            subject_kind: subject.kind().to_owned(),
            subject_id: subject.id().to_owned(),
            detail,
            at: self.now(),
        };
        audit_insert(tx, &entry).await?;
        Ok(entry.id)
    }
}
