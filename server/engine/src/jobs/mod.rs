//! Durable background work: one file, one struct for each kind of job.
//!
//! A task is enqueued in the transaction that makes it necessary, carries ids only, and may run twice: what it finds
//! when it runs decides what it does. [`Outcome`] is all the worker needs to know. A task that fails is tried again
//! after about as long as it has waited already, at most an hour, until its patience ends; then it is kept as failed
//! for the host to see. Work of an account that has to be connected again, or that waits for an administrator or the
//! operator, waits without end: it is their turn.

mod delete_orphan;
mod open_channel;
mod pull_changes;
mod push_event;
mod read_meeting_link;
mod reconcile;
mod refresh_holidays;
mod revoke_token;
mod send_mail;
mod stop_channel;
mod stop_orphan;
mod tell_host;
mod tell_operator;
mod tell_stale;
mod upkeep;
mod why;

use std::{panic::AssertUnwindSafe, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::ids::OrganizationId;
use cupo_providers::ProviderError;
use cupo_store::{Job, NewJob, StoreError, Tx, job_enqueue};
use futures::FutureExt;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Engine, EngineError, random::RandomSourceExt, worker::JOB_TIMEOUT};

pub(crate) use delete_orphan::DeleteOrphan;
pub(crate) use open_channel::OpenChannel;
pub(crate) use pull_changes::PullChanges;
pub(crate) use push_event::PushEvent;
pub(crate) use read_meeting_link::ReadMeetingLink;
pub(crate) use reconcile::Reconcile;
pub(crate) use refresh_holidays::RefreshHolidays;
pub(crate) use revoke_token::RevokeToken;
pub(crate) use send_mail::SendMail;
pub(crate) use stop_channel::StopChannel;
pub(crate) use stop_orphan::StopOrphan;
pub(crate) use tell_host::TellHost;
pub(crate) use tell_operator::TellOperator;
pub(crate) use tell_stale::TellStale;
pub(crate) use upkeep::{PERIOD, UNHURRIED, Upkeep};
pub(crate) use why::told;

/// What the worker does with a job that has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is done: forget it.
    Done,
    /// It is done for now: a job of the same kind begins anew after this time.
    Again(TimeDelta),
    /// Run it again after this time; the text says why.
    Retry(TimeDelta, String),
    /// Run it, and whatever is enqueued of its key, no earlier than after this time: somebody has asked for that. The
    /// text says why.
    Defer(TimeDelta, String),
    /// It will never succeed: keep it for people to see, with the reason.
    GiveUp(String),
}

/// Work for later.
pub(crate) trait Task: Serialize + DeserializeOwned + Send + Sync {
    /// The name in the table.
    const KIND: &'static str;
    /// How long it is tried.
    const PATIENCE: TimeDelta;

    /// One task of a key waits at most, and one runs at most.
    fn coalescing_key(&self) -> String;

    /// Does the work, as far as it is still to be done.
    fn run(
        &self,
        engine: &Engine,
        organization_id: &OrganizationId,
        job: &Job,
    ) -> impl Future<Output = Result<Outcome, EngineError>> + Send;
}

/// Work for later that concerns no organization.
pub(crate) trait InstallationTask: Serialize + DeserializeOwned + Send + Sync {
    /// The name in the table.
    const KIND: &'static str;
    /// How long it is tried.
    const PATIENCE: TimeDelta;

    /// Does the work, as far as it is still to be done.
    fn run(&self, engine: &Engine, job: &Job) -> impl Future<Output = Result<Outcome, EngineError>> + Send;
}

/// Names each kind of job once.
macro_rules! kinds {
    (organizations: $($task:ident),+; installation: $($installation:ident),+) => {
        /// The kinds of jobs that concern an organization, by their names in the table.
        pub const JOB_KINDS: &[&str] = &[$($task::KIND),+];

        impl Engine {
            /// Runs a leased job.
            pub(crate) async fn run_job(&self, job: &Job) -> Outcome {
                match job.kind.as_str() {
                    // In boxes: one that could hold any of them would be as large as the largest, on the stack too.
                    $($task::KIND => Box::pin(self.run_task::<$task>(job)).await,)+
                    $($installation::KIND => Box::pin(self.run_of_installation::<$installation>(job)).await,)+
                    unknown => Outcome::GiveUp(format!("this version knows no job `{unknown}`")),
                }
            }
        }
    };
}

kinds! {
    organizations:
        PushEvent, PullChanges, OpenChannel, StopChannel, StopOrphan,
        RevokeToken, SendMail, TellHost, RefreshHolidays, ReadMeetingLink,
        Reconcile, TellStale, DeleteOrphan;
    installation: TellOperator, Upkeep
}

/// The first pause after a failure.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(5);
/// The longest pause.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);
/// How often, in the long run, a job looks whether its account was connected again, or works again.
const RECONNECT_PAUSE: TimeDelta = TimeDelta::minutes(5);

/// A task that panics or takes longer than [`JOB_TIMEOUT`] has failed like any other. What the panic says may hold
/// anything and goes to the standard error alone, where the process writes it.
async fn caught(task: impl Future<Output = Result<Outcome, EngineError>> + Send) -> Result<Outcome, EngineError> {
    match tokio::time::timeout(JOB_TIMEOUT, AssertUnwindSafe(task).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(EngineError::internal("the work panicked", "the standard error says where")),
        Err(elapsed) => Err(EngineError::internal("the work took too long", elapsed)),
    }
}

impl Engine {
    /// Enqueues a task, to run as soon as the transaction is committed.
    pub(crate) async fn enqueue<T: Task>(
        &self,
        tx: &mut Tx,
        organization_id: &OrganizationId,
        task: &T,
    ) -> Result<(), EngineError> {
        self.enqueue_at(tx, organization_id, task, self.now()).await
    }

    /// Enqueues a task for later.
    pub(crate) async fn enqueue_at<T: Task>(
        &self,
        tx: &mut Tx,
        organization_id: &OrganizationId,
        task: &T,
        run_at: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        let job = NewJob {
            id: self.fresh(),
            organization_id: Some(organization_id.clone()),
            kind: T::KIND.to_owned(),
            payload: serde_json::to_value(task).map_err(|e| EngineError::internal("writing a job", e))?,
            coalescing_key: Some(format!("{}:{}", T::KIND, task.coalescing_key())),
            run_at,
            created_at: self.now(),
        };
        Ok(job_enqueue(tx, &job).await?)
    }

    async fn run_task<T: Task>(&self, job: &Job) -> Outcome {
        let Some(organization_id) = &job.organization_id else {
            return Outcome::GiveUp("the job names no organization".to_owned());
        };
        let task = match serde_json::from_value::<T>(job.payload.clone()) {
            Ok(task) => task,
            Err(error) => return Outcome::GiveUp(format!("the payload is not readable: {error}")),
        };
        let outcome = match caught(Box::pin(task.run(self, organization_id, job))).await {
            Ok(outcome) => outcome,
            // However long that takes.
            Err(
                error @ (EngineError::ReconnectNeeded(_)
                | EngineError::ConsentNeeded(_)
                | EngineError::OperatorNeeded(_)),
            ) => return Outcome::Retry(self.pause(job).min(RECONNECT_PAUSE), error.to_string()),
            Err(error) => self.after_failure(job, error),
        };
        self.give_up_after(T::PATIENCE, job, outcome)
    }

    async fn run_of_installation<T: InstallationTask>(&self, job: &Job) -> Outcome {
        let task = match serde_json::from_value::<T>(job.payload.clone()) {
            Ok(task) => task,
            Err(error) => return Outcome::GiveUp(format!("the payload is not readable: {error}")),
        };
        let outcome =
            caught(Box::pin(task.run(self, job))).await.unwrap_or_else(|error| self.after_failure(job, error));
        self.give_up_after(T::PATIENCE, job, outcome)
    }

    fn give_up_after(&self, patience: TimeDelta, job: &Job, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Retry(_, why) | Outcome::Defer(_, why) if self.age(job) > patience => Outcome::GiveUp(why),
            outcome => outcome,
        }
    }

    fn age(&self, job: &Job) -> TimeDelta {
        self.now() - job.created_at
    }

    /// What a failure means for a job, where the task has no opinion of its own.
    fn after_failure(&self, job: &Job, error: EngineError) -> Outcome {
        let why = error.to_string();
        match error {
            EngineError::Provider(ProviderError::Throttled(after)) => {
                let after = after + self.0.random.jittered(Duration::from_secs(2));
                Outcome::Defer(TimeDelta::from_std(after).unwrap_or(LONGEST_PAUSE), why)
            }
            EngineError::Provider(ProviderError::Rejected(_) | ProviderError::NotFound)
            | EngineError::Store(StoreError::Corrupt { .. })
            | EngineError::Invalid(_)
            | EngineError::Conflict(_) => Outcome::GiveUp(why),
            // What the work was for is gone.
            EngineError::NotFound(_) => Outcome::Done,
            EngineError::NotConfigured(_) => Outcome::Retry(LONGEST_PAUSE, why),
            _ => Outcome::Retry(self.pause(job), why),
        }
    }

    /// The pause after a failure: it grows with the job's age and is not in step with other jobs'.
    pub(crate) fn pause(&self, job: &Job) -> TimeDelta {
        let pause = self.age(job).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        let jittered = self.0.random.jittered(pause.to_std().unwrap_or_default());
        TimeDelta::from_std(jittered).unwrap_or(LONGEST_PAUSE)
    }
}
