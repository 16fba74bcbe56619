use chrono::TimeDelta;
use cupo_core::ids::{AccountId, AuditEntryId, OrganizationId};
use cupo_store::{AccountState, AuditEntry, CalendarProviderAccount, Job, Tx, account_get, audit_get, user_get};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Outcome, Task};
use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    mail::Sent,
};

/// Tells a host what happened to one of their calendar accounts, as a line of its history says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TellHost {
    /// The line.
    pub(crate) entry_id: AuditEntryId,
}

/// Whether what the line tells of is mended by now.
fn is_over(entry: &AuditEntry, account: &CalendarProviderAccount) -> bool {
    match account.state {
        AccountState::Disconnected => true,
        AccountState::ReconnectNeeded => false,
        AccountState::Active => entry.action == "account.reconnect_needed",
    }
}

impl Task for TellHost {
    const KIND: &'static str = "tell_host";
    const PATIENCE: TimeDelta = TimeDelta::days(3);

    fn coalescing_key(&self) -> String {
        self.entry_id.to_string()
    }

    async fn run(&self, engine: &Engine, organization_id: &OrganizationId, job: &Job) -> Result<Outcome, EngineError> {
        let mailer = engine.0.mailer.as_ref().ok_or(EngineError::NotConfigured("mail"))?;
        let (entry, account, host) = {
            let tx = &mut engine.0.store.read().await?;
            let Some(entry) = audit_get(tx, organization_id, &self.entry_id).await? else { return Ok(Outcome::Done) };
            let account_id = AccountId::parse(&entry.subject_id)
                .map_err(|e| EngineError::internal("the account of a line of history", e))?;
            let account = account_get(tx, organization_id, &account_id).await?;
            let Some(account) = account.filter(|account| !is_over(&entry, account)) else { return Ok(Outcome::Done) };
            if engine.is_mail_sent(tx, organization_id, Subject::Account(&account.id), job).await? {
                return Ok(Outcome::Done);
            }
            let Some(host) = user_get(tx, &account.user_id).await? else { return Ok(Outcome::Done) };
            (entry, account, host)
        };
        match mailer.send(engine.compose_of_account(&entry, &account, &host)?).await {
            Ok(Sent::Accepted) => {
                let kind = entry.action.strip_prefix("account.").unwrap_or(&entry.action);
                let detail = json!({ "kind": kind, "recipient": "host" });
                engine.mail_sent(organization_id, Subject::Account(&account.id), job, detail).await?;
                Ok(Outcome::Done)
            }
            Ok(Sent::Refused(why)) => Ok(Outcome::GiveUp(why)),
            Err(error) => Ok(Outcome::Retry(engine.pause(job), error.to_string())),
        }
    }
}

impl Engine {
    /// Writes a line of history of an account, and has its host told of it by mail.
    pub(crate) async fn tell_host(
        &self,
        tx: &mut Tx,
        account: &CalendarProviderAccount,
        actor: Actor<'_>,
        action: &'static str,
        detail: Value,
    ) -> Result<(), EngineError> {
        let CalendarProviderAccount { id, organization_id, .. } = account;
        let entry_id = self.audit_entry(tx, organization_id, actor, action, Subject::Account(id), detail).await?;
        if self.0.mailer.is_some() {
            self.enqueue(tx, organization_id, &TellHost { entry_id }).await?;
        }
        Ok(())
    }
}
