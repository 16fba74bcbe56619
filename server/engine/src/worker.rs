//! The worker: leases jobs, runs them, and tells the store what became of them.
//!
//! Of all workers of all processes one has a job, for as long as its lease lasts; a job that takes longer than that
//! allows is stopped before. A worker that ends lets its jobs finish for a while, then gives the rest back; the leases
//! of one that dies end by themselves. Either way another worker repeats the job, so a job may always run twice, but
//! never twice at once.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::ids::JobId;
use cupo_store::{
    Job, NewJob, StoreError, job_bury, job_complete, job_counts, job_defer, job_enqueue, job_lease, job_release,
    job_retry, jobs_next_run_at,
};
use tokio::{
    sync::Semaphore,
    task::{self, JoinError, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Engine, EngineError,
    engine::TRANSACTION_ATTEMPTS,
    jobs::{Outcome, PERIOD, told},
    random::RandomSourceExt,
};

/// A channel that lives shorter than this is replaced.
pub(crate) const RENEWAL_MARGIN: TimeDelta = TimeDelta::hours(24);
/// How long a worker may take for a job before another one may take it over.
const LEASE: TimeDelta = TimeDelta::minutes(3);
/// A job that takes longer is stopped, well before its lease ends.
pub(crate) const JOB_TIMEOUT: Duration = Duration::from_secs(120);
/// How long an outcome is kept for a database that does not answer; together with [`JOB_TIMEOUT`] shorter than
/// [`LEASE`].
const SETTLE_PATIENCE: Duration = Duration::from_secs(45);
/// Between two tries to store an outcome.
const SETTLE_PAUSE: Duration = Duration::from_secs(1);
/// A job that was lost more often than this in a row is given up: it may be what ends the processes that run it.
const MOST_LOST_LEASES: i32 = 20;
/// Between two looks at whether upkeep is enqueued: it may have been given up, or be due at a time that a clock showed
/// which was wrong.
const UPKEEP_LOOK: Duration = Duration::from_secs(120);
/// Between two looks for jobs that another process enqueued.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// How a lease ends.
enum End<'a> {
    /// The job is done.
    Done,
    /// The job is done for now, and this one comes after it.
    Next(NewJob),
    /// The job is due again then; the text says why.
    Retry(DateTime<Utc>, &'a str),
    /// The job, and whatever is enqueued of its key, is due no earlier than then; the text says why.
    Defer(DateTime<Utc>, &'a str),
    /// The job is given up; the text says why.
    GiveUp(&'a str),
    /// The job was not carried through, and nothing is known against it.
    Release,
}

/// The jobs that a worker has leased, by the task that runs them.
#[derive(Default)]
struct Running {
    tasks: JoinSet<()>,
    jobs: HashMap<task::Id, JobId>,
}

impl Running {
    fn has(&self, job: &Job) -> bool {
        self.jobs.values().any(|id| *id == job.id)
    }

    /// Waits until a task ends; at once where none runs.
    async fn one_ends(&mut self) {
        if let Some(ended) = self.tasks.join_next_with_id().await {
            self.forget(&ended);
        }
    }

    fn sweep(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.forget(&ended);
        }
    }

    /// What a task panics with was caught in it; a panic of the worker's own code leaves a lease to its end.
    fn forget(&mut self, ended: &Result<(task::Id, ()), JoinError>) {
        match ended {
            Ok((id, ())) => self.jobs.remove(id),
            Err(error) => {
                tracing::error!(%error, "the task of a job ended badly");
                self.jobs.remove(&error.id())
            }
        };
    }
}

impl Engine {
    /// Runs jobs until `stop`; then lets the running ones end within a grace period
    /// ([`EngineSettings::worker_grace`](crate::EngineSettings::worker_grace)) and gives back the rest, which another
    /// worker may run at once. Any number of workers may run, in any number of processes.
    pub async fn run_worker(&self, stop: CancellationToken) {
        let owner = self.0.random.token();
        let slots = Arc::new(Semaphore::new(self.0.settings.worker_concurrency.max(1)));
        let mut running = Running::default();
        let mut next_upkeep_look = Instant::now();
        let mut has_upkeep = false;
        while !stop.is_cancelled() {
            if Instant::now() >= next_upkeep_look {
                // At the start at once: whoever has just started everything waits for nothing.
                let run_at = if has_upkeep { self.now() + PERIOD } else { self.now() };
                let enqueued = self.enqueue_upkeep(run_at).await;
                next_upkeep_look = Instant::now() + if enqueued.is_ok() { UPKEEP_LOOK } else { LONGEST_SLEEP };
                has_upkeep |= enqueued.is_ok();
                if let Err(error) = enqueued {
                    tracing::error!(%error, "upkeep could not be enqueued");
                }
            }
            let free = u32::try_from(slots.available_permits()).unwrap_or(u32::MAX);
            if free == 0 {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = running.one_ends() => {}
                }
                running.sweep();
                continue;
            }
            let leased = self.lease(&owner, free).await.unwrap_or_else(|error| {
                tracing::error!(%error, "no jobs could be leased");
                Vec::new()
            });
            let is_idle = leased.is_empty();
            for job in leased {
                // By this machine's clock its lease had ended before the job did: the clock was put on.
                if running.has(&job) {
                    continue;
                }
                let Ok(permit) = slots.clone().try_acquire_owned() else { break };
                let (engine, owner, id) = (self.clone(), owner.clone(), job.id.clone());
                let task = running.tasks.spawn(async move {
                    engine.run_and_settle(&job, &owner).await;
                    drop(permit);
                });
                running.jobs.insert(task.id(), id);
            }
            if is_idle {
                let sleep = self.time_to_next_job().await.min(next_upkeep_look - Instant::now());
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.0.wake.notified() => {}
                    () = tokio::time::sleep(sleep) => {}
                    () = running.one_ends(), if !running.jobs.is_empty() => {}
                }
            }
            running.sweep();
        }
        let all_end = async {
            while !running.jobs.is_empty() {
                running.one_ends().await;
            }
        };
        if tokio::time::timeout(self.0.settings.worker_grace, all_end).await.is_err() {
            running.tasks.shutdown().await;
            self.give_back(running.jobs.into_values(), &owner).await;
        }
    }

    /// Gives up the leases of jobs that were stopped, so that another worker may repeat them at once.
    async fn give_back(&self, jobs: impl Iterator<Item = JobId>, owner: &str) {
        for job in jobs {
            tracing::warn!(%job, "a job was stopped at the end of the grace period");
            if let Err(error) = self.end_lease(&job, owner, &End::Release).await {
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
        let outcome = if job.lost_leases > MOST_LOST_LEASES {
            Outcome::GiveUp(format!("{} times in a row whoever ran it ended without a word", job.lost_leases))
        } else {
            self.run_job(job).await
        };
        let label = match &outcome {
            Outcome::Done | Outcome::Again(_) => "done",
            Outcome::Retry(..) | Outcome::Defer(..) => "retry",
            Outcome::GiveUp(_) => "failed",
        };
        let kind = job.kind.clone();
        metrics::counter!("cupo_jobs_total", "kind" => kind.clone(), "outcome" => label).increment(1);
        metrics::histogram!("cupo_job_seconds", "kind" => kind).record(started.elapsed().as_secs_f64());
        self.settle(job, owner, &outcome).await;
    }

    /// Stores what became of a job. A database that does not answer is asked again while the lease lasts: otherwise the
    /// job would be repeated.
    async fn settle(&self, job: &Job, owner: &str, outcome: &Outcome) {
        let told = match outcome {
            Outcome::Done | Outcome::Again(_) => String::new(),
            Outcome::Retry(_, why) | Outcome::Defer(_, why) | Outcome::GiveUp(why) => told(why),
        };
        let end = match outcome {
            Outcome::Done => End::Done,
            Outcome::Again(after) => End::Next(self.next_of(job, self.now() + *after)),
            Outcome::Retry(after, _) | Outcome::Defer(after, _) => {
                tracing::debug!(job = %job.id, kind = %job.kind, why = told, %after, "a job will run again");
                let then = self.now() + *after;
                if matches!(outcome, Outcome::Defer(..)) { End::Defer(then, &told) } else { End::Retry(then, &told) }
            }
            Outcome::GiveUp(_) => {
                tracing::error!(job = %job.id, kind = %job.kind, why = told, "a job was given up");
                End::GiveUp(&told)
            }
        };
        let deadline = Instant::now() + SETTLE_PATIENCE;
        let settled = loop {
            match self.end_lease(&job.id, owner, &end).await {
                Err(EngineError::Store(StoreError::Unavailable(_))) if Instant::now() < deadline => {
                    tokio::time::sleep(SETTLE_PAUSE).await;
                }
                settled => break settled,
            }
        };
        match settled {
            Ok(true) => {}
            Ok(false) => tracing::warn!(job = %job.id, "a job's lease was lost before it ended"),
            // The lease runs out and the job is repeated; every job may be.
            Err(error) => tracing::error!(job = %job.id, %error, "a job's outcome could not be stored"),
        }
    }

    /// The job that comes after one that is done for now.
    fn next_of(&self, job: &Job, run_at: DateTime<Utc>) -> NewJob {
        NewJob {
            id: self.fresh(),
            organization_id: job.organization_id.clone(),
            kind: job.kind.clone(),
            payload: job.payload.clone(),
            coalescing_key: job.coalescing_key.clone(),
            run_at,
            created_at: self.now(),
        }
    }

    /// `false`: the lease was lost before.
    async fn end_lease(&self, job_id: &JobId, owner: &str, end: &End<'_>) -> Result<bool, EngineError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.try_end_lease(job_id, owner, end).await {
                Err(EngineError::Store(StoreError::Retry)) if attempt < TRANSACTION_ATTEMPTS => {
                    self.pause_before_retry(attempt).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn try_end_lease(&self, job_id: &JobId, owner: &str, end: &End<'_>) -> Result<bool, EngineError> {
        let mut tx = self.0.store.write_leases().await?;
        let is_ours = match end {
            End::Done => job_complete(&mut tx, job_id, owner).await?,
            End::Next(next) => {
                let is_ours = job_complete(&mut tx, job_id, owner).await?;
                if is_ours {
                    job_enqueue(&mut tx, next).await?;
                }
                is_ours
            }
            End::Retry(run_at, why) => job_retry(&mut tx, job_id, owner, *run_at, why).await?,
            End::Defer(then, why) => job_defer(&mut tx, job_id, owner, *then, why).await?,
            End::GiveUp(why) => job_bury(&mut tx, job_id, owner, self.now(), why).await?,
            End::Release => job_release(&mut tx, job_id, owner).await?,
        };
        tx.commit().await?;
        Ok(is_ours)
    }

    /// Brings the gauges of the jobs of the whole installation up to date: `cupo_jobs` by state, and
    /// `cupo_oldest_due_job_seconds`, how long the longest due job has waited.
    pub async fn measure_jobs(&self) -> Result<(), EngineError> {
        let counts = job_counts(&mut self.0.store.read().await?).await?;
        #[expect(clippy::cast_precision_loss, reason = "nobody has so many jobs")]
        for (state, number) in [("waiting", counts.waiting), ("running", counts.running), ("dead", counts.dead)] {
            metrics::gauge!("cupo_jobs", "state" => state).set(number as f64);
        }
        let waited = counts.oldest_run_at.map_or(TimeDelta::zero(), |run_at| self.now() - run_at);
        metrics::gauge!("cupo_oldest_due_job_seconds").set(waited.max(TimeDelta::zero()).as_seconds_f64());
        Ok(())
    }
}
