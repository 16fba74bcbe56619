//! Work that was given up, for those who look after the organization: what it was to do, why it failed, and once more
//! or never.

use chrono::{DateTime, Utc};
use cupo_core::ids::{AccountId, AppointmentId, CalendarId, ClaimId, HolidayCalendarId, JobId, OrganizationId};
use cupo_store::{
    Appointment, Job, Tx, account_get, appointment_get, appointment_list_by_claim, calendar_get, holiday_calendar_get,
    job_count_dead, job_discard, job_get_dead, job_list_dead, job_retry_dead,
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Engine, EngineError, Principal,
    audit::{Actor, Subject},
    engine::transact,
    jobs::told,
};

/// How many are told at once, the latest first.
const SHOWN: u32 = 100;

/// Work that was given up.
#[derive(Debug, Clone)]
pub struct FailedJob {
    /// Of the job.
    pub id: JobId,
    /// What it was to do, such as `push_event`.
    pub kind: String,
    /// What it was to do it to, as far as that is still there.
    pub work: FailedWork,
    /// When it was given up.
    pub given_up_at: DateTime<Utc>,
    /// Why: the last error, without secrets.
    pub why: String,
    /// How often it was tried.
    pub attempts: u32,
}

/// What a failed job was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailedWork {
    /// An appointment.
    Appointment {
        /// Its id.
        id: AppointmentId,
        /// Its title.
        title: String,
        /// The visitor's name; of several who share the slot, the first one's.
        visitor: String,
        /// When it starts.
        start_at: DateTime<Utc>,
    },
    /// A calendar: its name.
    Calendar(String),
    /// An account: whose it is, by its address or name at the provider.
    Account(String),
    /// A holiday calendar: its name.
    HolidayCalendar(String),
    /// Something that is not there any more.
    Gone,
}

/// The ids that payloads hold, whatever their kind.
#[derive(Deserialize)]
struct Named {
    appointment_id: Option<AppointmentId>,
    claim_id: Option<ClaimId>,
    calendar_id: Option<CalendarId>,
    account_id: Option<AccountId>,
    holiday_calendar_id: Option<HolidayCalendarId>,
}

impl Engine {
    /// The organization's work that was given up, the latest first, a hundred at most.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`] for who does not look after the organization.
    pub async fn failed_jobs(&self, principal: &Principal) -> Result<Vec<FailedJob>, EngineError> {
        principal.require_admin()?;
        let tx = &mut self.0.store.read().await?;
        let mut failed = Vec::new();
        for job in job_list_dead(tx, &principal.organization_id, SHOWN).await? {
            let work = work_of(tx, &principal.organization_id, &job).await?;
            failed.push(FailedJob {
                work,
                given_up_at: job.run_at,
                // What an earlier version stored was not looked through.
                why: told(job.last_error.as_deref().unwrap_or_default()),
                attempts: u32::try_from(job.attempts).unwrap_or_default(),
                id: job.id,
                kind: job.kind,
            });
        }
        Ok(failed)
    }

    /// How many there are of [`Engine::failed_jobs`]; none for who does not look after the organization.
    pub async fn failed_job_count(&self, principal: &Principal) -> Result<u64, EngineError> {
        if principal.require_admin().is_err() {
            return Ok(0);
        }
        Ok(job_count_dead(&mut self.0.store.read().await?, &principal.organization_id).await?)
    }

    /// Lets failed work begin anew. Where the same work waits or runs already, it is only forgotten.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when there is no such failed work; [`EngineError::Forbidden`] for who does not look
    /// after the organization.
    pub async fn failed_job_retry(&self, principal: &Principal, id: &JobId) -> Result<(), EngineError> {
        principal.require_admin()?;
        transact!(self, tx => self.retry_within(tx, principal, id).await?)?;
        self.committed(&principal.organization_id);
        Ok(())
    }

    /// [`Engine::failed_job_retry`] of all that [`Engine::failed_jobs`] tells; gives their number.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`] for who does not look after the organization.
    pub async fn failed_jobs_retry(&self, principal: &Principal) -> Result<usize, EngineError> {
        principal.require_admin()?;
        let retried = transact!(self, tx => {
            let failed = job_list_dead(tx, &principal.organization_id, SHOWN).await?;
            for job in &failed {
                self.retry_within(tx, principal, &job.id).await?;
            }
            failed.len()
        })?;
        self.committed(&principal.organization_id);
        Ok(retried)
    }

    /// Forgets failed work.
    ///
    /// # Errors
    /// As [`Engine::failed_job_retry`].
    pub async fn failed_job_discard(&self, principal: &Principal, id: &JobId) -> Result<(), EngineError> {
        principal.require_admin()?;
        transact!(self, tx => {
            let job = dead(tx, &principal.organization_id, id).await?;
            job_discard(tx, &principal.organization_id, id).await?;
            self.audit_job(tx, principal, "job.discarded", &job).await?;
        })
    }

    async fn retry_within(&self, tx: &mut Tx, principal: &Principal, id: &JobId) -> Result<(), EngineError> {
        let job = dead(tx, &principal.organization_id, id).await?;
        job_retry_dead(tx, &principal.organization_id, id, self.now()).await?;
        self.audit_job(tx, principal, "job.retried", &job).await
    }

    async fn audit_job(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        action: &'static str,
        job: &Job,
    ) -> Result<(), EngineError> {
        let (actor, detail) = (Actor::User(&principal.user_id), json!({ "kind": job.kind, "payload": job.payload }));
        self.audit(tx, &principal.organization_id, actor, action, Subject::Job(&job.id), detail).await
    }
}

async fn dead(tx: &mut Tx, organization_id: &OrganizationId, id: &JobId) -> Result<Job, EngineError> {
    job_get_dead(tx, organization_id, id).await?.ok_or(EngineError::NotFound("failed work"))
}

async fn work_of(tx: &mut Tx, organization_id: &OrganizationId, job: &Job) -> Result<FailedWork, EngineError> {
    let Ok(named) = serde_json::from_value::<Named>(job.payload.clone()) else { return Ok(FailedWork::Gone) };
    if let Some(appointment) = appointment_of(tx, organization_id, &named).await? {
        return Ok(FailedWork::Appointment {
            id: appointment.id,
            title: appointment.title,
            visitor: appointment.visitor_name,
            start_at: appointment.start_at,
        });
    }
    if let Some(id) = &named.calendar_id
        && let Some(calendar) = calendar_get(tx, organization_id, id).await?
    {
        return Ok(FailedWork::Calendar(calendar.name));
    }
    if let Some(id) = &named.account_id
        && let Some(account) = account_get(tx, organization_id, id).await?
    {
        return Ok(FailedWork::Account(account.email));
    }
    if let Some(id) = &named.holiday_calendar_id
        && let Some(calendar) = holiday_calendar_get(tx, organization_id, id).await?
    {
        return Ok(FailedWork::HolidayCalendar(calendar.name));
    }
    Ok(FailedWork::Gone)
}

/// Of several who share a claim, the first.
async fn appointment_of(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    named: &Named,
) -> Result<Option<Appointment>, EngineError> {
    if let Some(claim_id) = &named.claim_id {
        let sharing = appointment_list_by_claim(tx, organization_id, claim_id).await?;
        if let Some(first) = sharing.into_iter().next() {
            return Ok(Some(first));
        }
    }
    match &named.appointment_id {
        Some(id) => Ok(appointment_get(tx, organization_id, id).await?),
        None => Ok(None),
    }
}
