//! The worker: leases jobs, runs them, and does what falls due by the clock.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::TimeDelta;
use cupo_core::ids::JobId;
use cupo_store::{
    Job, account_get, calendars_due_for_poll, history_delete_before, hold_delete_expired, holiday_calendars_due,
    idempotency_delete_before, inbox_delete_before, job_bury, job_complete, job_lease, job_retry, jobs_next_run_at,
    oauth_states_delete_expired, sessions_delete_expired, subscription_delete, subscription_list_by_calendar,
    subscriptions_expiring,
};
use tokio::{
    sync::Semaphore,
    task::{self, JoinError, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Engine, EngineError,
    engine::transact,
    jobs::{OpenChannel, Outcome, PullChanges, RefreshHolidays},
    random::RandomSourceExt,
};

/// A channel that lives shorter than this is replaced.
pub(crate) const RENEWAL_MARGIN: TimeDelta = TimeDelta::hours(24);
/// How long a worker may take for a job before another one may take it over.
const LEASE: TimeDelta = TimeDelta::minutes(3);
/// A job that takes longer is stopped, well before its lease ends.
const JOB_TIMEOUT: Duration = Duration::from_secs(120);
/// Between two looks at what falls due by the clock.
const PERIOD: Duration = Duration::from_secs(30);
/// Between two looks for jobs that another process enqueued.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// How long jobs may go on after the order to stop.
const GRACE: Duration = Duration::from_secs(10);
/// When what has time is done; a later look does not bring it forward by more than this.
const UNHURRIED: TimeDelta = TimeDelta::minutes(10);
/// When a calendar that could not be read is polled again, unless its failed pull comes first.
const FAILING: TimeDelta = TimeDelta::hours(1);
/// How long answers are kept for repeated requests, and notifications for repeated deliveries.
const MEMORY: TimeDelta = TimeDelta::days(2);
/// How long it is known what was offered when.
const HISTORY: TimeDelta = TimeDelta::days(90);
/// How often a subscribed holiday calendar is read.
const HOLIDAYS: TimeDelta = TimeDelta::days(1);

/// Strikes a task that has ended off the list of leases. One that panicked keeps its lease until that runs out.
fn forget(leases: &mut HashMap<task::Id, JobId>, ended: &Result<(task::Id, ()), JoinError>) {
    match ended {
        Ok((id, ())) => leases.remove(id),
        Err(error) => {
            tracing::error!(%error, "a job panicked");
            leases.remove(&error.id())
        }
    };
}

impl Engine {
    /// Runs jobs until `stop`; then lets the running ones end within a grace period and gives back the rest.
    pub async fn run_worker(&self, stop: CancellationToken) {
        let owner = self.0.random.token();
        let slots = Arc::new(Semaphore::new(self.0.settings.worker_concurrency.max(1)));
        let mut running = JoinSet::new();
        let mut leases = HashMap::new();
        let mut next_period = Instant::now();
        while !stop.is_cancelled() {
            if Instant::now() >= next_period {
                next_period = Instant::now() + PERIOD;
                if let Err(error) = self.run_periodic().await {
                    tracing::error!(%error, "the periodic work failed");
                }
            }
            let free = u32::try_from(slots.available_permits()).unwrap_or(1);
            let leased = if free == 0 { Ok(Vec::new()) } else { self.lease(&owner, free).await };
            let leased = leased.unwrap_or_else(|error| {
                tracing::error!(%error, "no jobs could be leased");
                Vec::new()
            });
            let is_idle = leased.is_empty();
            for job in leased {
                let Ok(permit) = slots.clone().try_acquire_owned() else { break };
                let (engine, owner, id) = (self.clone(), owner.clone(), job.id.clone());
                let task = running.spawn(async move {
                    engine.run_and_settle(&job, &owner).await;
                    drop(permit);
                });
                leases.insert(task.id(), id);
            }
            if is_idle {
                let sleep = self.time_to_next_job().await.min(next_period - Instant::now());
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.0.wake.notified() => {}
                    () = tokio::time::sleep(sleep) => {}
                    Some(ended) = running.join_next_with_id() => forget(&mut leases, &ended),
                }
            }
            while let Some(ended) = running.try_join_next_with_id() {
                forget(&mut leases, &ended);
            }
        }
        let all_end = async {
            while let Some(ended) = running.join_next_with_id().await {
                forget(&mut leases, &ended);
            }
        };
        if tokio::time::timeout(GRACE, all_end).await.is_err() {
            running.shutdown().await;
            self.give_back(leases.into_values(), &owner).await;
        }
    }

    /// Gives up the leases of jobs that were stopped, so that another worker may repeat them at once.
    async fn give_back(&self, jobs: impl Iterator<Item = JobId>, owner: &str) {
        for job in jobs {
            tracing::warn!(%job, "a job was stopped at the end of the grace period");
            let given = transact!(self, tx => job_retry(tx, &job, owner, self.now(), "the worker stopped").await?);
            if let Err(error) = given {
                tracing::error!(%job, %error, "a job could not be given back: its lease will run out");
            }
        }
    }

    /// Runs every job that is due, and those that they enqueue, one after another; gives their number. For tests and
    /// for commands that want to see the end.
    pub async fn run_due_jobs(&self) -> Result<usize, EngineError> {
        let owner = self.0.random.token();
        let mut count = 0;
        loop {
            let leased = self.lease(&owner, 1).await?;
            if leased.is_empty() {
                return Ok(count);
            }
            for job in leased {
                self.run_and_settle(&job, &owner).await;
                count += 1;
            }
        }
    }

    async fn lease(&self, owner: &str, limit: u32) -> Result<Vec<Job>, EngineError> {
        let mut tx = self.0.store.write_leases().await?;
        let jobs = job_lease(&mut tx, self.now(), owner, LEASE, limit).await?;
        tx.commit().await?;
        Ok(jobs)
    }

    async fn time_to_next_job(&self) -> Duration {
        let next = async { Ok::<_, EngineError>(jobs_next_run_at(&mut self.0.store.read().await?).await?) }.await;
        match next {
            Ok(Some(at)) => {
                (at - self.now()).to_std().unwrap_or(Duration::ZERO).clamp(Duration::from_millis(20), LONGEST_SLEEP)
            }
            Ok(None) => LONGEST_SLEEP,
            Err(error) => {
                tracing::error!(%error, "the next job could not be looked up");
                LONGEST_SLEEP
            }
        }
    }

    async fn run_and_settle(&self, job: &Job, owner: &str) {
        let started = Instant::now();
        let outcome = match tokio::time::timeout(JOB_TIMEOUT, self.run_job(job)).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Retry(self.pause(job), "it took too long".to_owned()),
        };
        let label = match &outcome {
            Outcome::Done => "done",
            Outcome::Retry(..) => "retry",
            Outcome::GiveUp(_) => "failed",
        };
        let kind = job.kind.clone();
        metrics::counter!("cupo_jobs_total", "kind" => kind.clone(), "outcome" => label).increment(1);
        metrics::histogram!("cupo_job_seconds", "kind" => kind).record(started.elapsed().as_secs_f64());
        let settled = transact!(self, tx => match &outcome {
            Outcome::Done => job_complete(tx, &job.id, owner).await?,
            Outcome::Retry(after, why) => {
                tracing::debug!(job = %job.id, kind = %job.kind, %why, after = %after, "a job will run again");
                job_retry(tx, &job.id, owner, self.now() + *after, why).await?
            }
            Outcome::GiveUp(why) => {
                tracing::error!(job = %job.id, kind = %job.kind, %why, "a job was given up");
                job_bury(tx, &job.id, owner, why).await?
            }
        });
        match settled {
            Ok(true) => {}
            Ok(false) => tracing::warn!(job = %job.id, "a job's lease was lost before it ended"),
            // The lease runs out and the job is repeated; every job may be.
            Err(error) => tracing::error!(job = %job.id, %error, "a job's outcome could not be stored"),
        }
    }

    /// What falls due by the clock: the polling floor, the renewal of channels, the reading of
    /// holiday calendars, and the sweeping of what has expired.
    pub async fn run_periodic(&self) -> Result<(), EngineError> {
        let now = self.now();
        let opens_channels = |provider| self.0.settings.webhook_url(provider).is_some();
        transact!(self, tx => {
            for calendar in calendars_due_for_poll(tx, now - self.0.settings.poll_interval, now).await? {
                let organization_id = &calendar.organization_id;
                let calendar_id = calendar.id.clone();
                // A pull that failed has its own next time, which polling must not bring forward.
                let run_at = if calendar.sync_error.is_some() { now + FAILING } else { now };
                let pull = PullChanges { calendar_id: calendar_id.clone() };
                self.enqueue_at(tx, organization_id, &pull, run_at).await?;
                let account = account_get(tx, organization_id, &calendar.account_id).await?;
                if !account.is_some_and(|account| opens_channels(account.provider)) {
                    continue;
                }
                let subscriptions = subscription_list_by_calendar(tx, organization_id, &calendar_id).await?;
                if !subscriptions.iter().any(|subscription| subscription.expires_at > now) {
                    self.enqueue_at(tx, organization_id, &OpenChannel::of(calendar_id), now + UNHURRIED).await?;
                }
            }
            for subscription in subscriptions_expiring(tx, now + RENEWAL_MARGIN).await? {
                let organization_id = &subscription.organization_id;
                if subscription.expires_at <= now {
                    subscription_delete(tx, organization_id, &subscription.id).await?;
                }
                if opens_channels(subscription.provider) {
                    let calendar_id = subscription.calendar_id.clone();
                    self.enqueue_at(tx, organization_id, &OpenChannel::of(calendar_id), now + UNHURRIED).await?;
                }
            }
            for (organization_id, holiday_calendar_id) in holiday_calendars_due(tx, now - HOLIDAYS).await? {
                self.enqueue(tx, &organization_id, &RefreshHolidays { holiday_calendar_id }).await?;
            }
            hold_delete_expired(tx, now).await?;
            history_delete_before(tx, now - HISTORY).await?;
            sessions_delete_expired(tx, now).await?;
            oauth_states_delete_expired(tx, now).await?;
            idempotency_delete_before(tx, now - MEMORY).await?;
            inbox_delete_before(tx, now - MEMORY).await?;
        })?;
        self.expire_appointments().await?;
        self.0.wake.notify_one();
        Ok(())
    }
}
