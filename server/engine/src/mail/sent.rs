//! The mark of a mail that the server has taken: a line of history, by which it can be seen that everybody was told. A job that is
//! repeated because only its end was lost finds the mark, and sends nothing again.

use cupo_core::ids::OrganizationId;
use cupo_store::{Job, Tx, audit_list};
use serde_json::{Value, json};

use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    engine::transact,
};

const MAIL_SENT: &str = "mail.sent";

impl Engine {
    /// Whether the server took the mail of this job before.
    pub(crate) async fn is_mail_sent(
        &self,
        tx: &mut Tx,
        organization_id: &OrganizationId,
        subject: Subject<'_>,
        job: &Job,
    ) -> Result<bool, EngineError> {
        let history = audit_list(tx, organization_id, subject.kind(), subject.id()).await?;
        Ok(history.iter().any(|entry| entry.action == MAIL_SENT && entry.detail["job"] == job.id.as_str()))
    }

    /// Marks the mail as taken. `detail` says which one it is.
    pub(crate) async fn mail_sent(
        &self,
        organization_id: &OrganizationId,
        subject: Subject<'_>,
        job: &Job,
        mut detail: Value,
    ) -> Result<(), EngineError> {
        detail["job"] = json!(job.id);
        transact!(self, tx => {
            self.audit(tx, organization_id, Actor::System, MAIL_SENT, subject, detail.clone()).await?;
        })?;
        self.committed(organization_id);
        Ok(())
    }
}
