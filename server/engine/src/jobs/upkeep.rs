use chrono::{DateTime, TimeDelta, Utc};
use cupo_store::{
    Job, NewJob, history_delete_before, hold_delete_expired, holiday_calendars_due, idempotency_delete_before,
    inbox_delete_before, job_enqueue, jobs_dead_of_installation_delete_before, leases_delete_expired,
    oauth_states_delete_expired, sessions_delete_expired, subscription_delete, subscriptions_expiring,
};
use serde::{Deserialize, Serialize};

use super::{InstallationTask, OpenChannel, Outcome, RefreshHolidays};
use crate::{Engine, EngineError, engine::transact, polling::first_place_after, worker::RENEWAL_MARGIN};

/// Between two looks at what falls due by the clock.
pub(crate) const PERIOD: TimeDelta = TimeDelta::seconds(30);
/// How many jobs one transaction enqueues, and how many rows it deletes: a booking never waits long for it.
const BATCH: usize = 200;
/// The same, as a statement takes it.
const LIMIT: u32 = BATCH as u32;
/// When what has time is done; a later look does not bring it forward by more than this.
pub(crate) const UNHURRIED: TimeDelta = TimeDelta::minutes(10);
/// The time over which the renewals of many channels that end together are spread.
const RENEWALS_SPREAD: TimeDelta = TimeDelta::hours(2);
/// How long answers are kept for repeated requests, and notifications for repeated deliveries.
const MEMORY: TimeDelta = TimeDelta::days(2);
/// How long it is known what was offered when.
const HISTORY: TimeDelta = TimeDelta::days(90);
/// How often a subscribed holiday calendar is read.
const HOLIDAYS: TimeDelta = TimeDelta::days(1);
/// How long the operator can see what was given up.
const OPERATORS_DEAD: TimeDelta = TimeDelta::days(30);

/// Does what falls due by the clock, again and again: one job for the whole installation, so that of all workers one
/// does it, and another one when that one dies.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Upkeep {}

impl InstallationTask for Upkeep {
    const KIND: &'static str = "upkeep";
    const PATIENCE: TimeDelta = TimeDelta::MAX;

    async fn run(&self, engine: &Engine, _: &Job) -> Result<Outcome, EngineError> {
        match engine.run_periodic().await {
            Ok(()) => Ok(Outcome::Again(PERIOD)),
            // What has gone well need not wait for what has not.
            Err(error) => Ok(Outcome::Retry(PERIOD, error.to_string())),
        }
    }
}

impl Upkeep {
    /// See [`Job`]; any two are one.
    pub(crate) fn to_job(&self, engine: &Engine, run_at: DateTime<Utc>) -> NewJob {
        NewJob {
            id: engine.fresh(),
            organization_id: None,
            kind: Self::KIND.to_owned(),
            payload: serde_json::json!({}),
            coalescing_key: Some(Self::KIND.to_owned()),
            run_at,
            created_at: engine.now(),
        }
    }
}

/// Deletes in batches, a transaction each, until nothing is left.
macro_rules! sweep {
    ($engine:expr, $tx:ident => $delete:expr) => {
        while transact!($engine, $tx => $delete.await?)? >= u64::from(LIMIT) {}
    };
}

impl Engine {
    /// Sees to it that upkeep is done at `run_at` at the latest, by whichever worker.
    pub(crate) async fn enqueue_upkeep(&self, run_at: DateTime<Utc>) -> Result<(), EngineError> {
        let job = Upkeep {}.to_job(self, run_at);
        transact!(self, tx => job_enqueue(tx, &job).await?)
    }

    /// What falls due by the clock: the polling floor, the renewal of channels, the reading of holiday calendars, the
    /// comparing of calendars with appointments, and the sweeping of what has expired; all at once. Workers do it by
    /// themselves, each part in small transactions.
    ///
    /// # Errors
    /// The first error, after everything else was done.
    pub async fn run_periodic(&self) -> Result<(), EngineError> {
        let parts = [
            ("polling", self.poll_calendars().await),
            ("renewing channels", self.enqueue_renewals().await),
            ("reading holiday calendars", self.enqueue_holidays().await),
            ("comparing calendars", self.enqueue_reconciles().await),
            ("telling of stale calendars", self.enqueue_stale_tells().await),
            ("ending requests", self.expire_appointments().await),
            ("sweeping", self.sweep().await),
        ];
        self.enqueued();
        let mut first = Ok(());
        for (part, outcome) in parts {
            if let Err(error) = outcome {
                tracing::error!(%error, part, "a part of the periodic work failed");
                first = first.and(Err(error));
            }
        }
        first
    }

    async fn enqueue_renewals(&self) -> Result<(), EngineError> {
        let now = self.now();
        let ending = subscriptions_expiring(&mut self.0.store.read().await?, now + RENEWAL_MARGIN).await?;
        for (number, batch) in ending.chunks(BATCH).enumerate() {
            transact!(self, tx => {
                for subscription in batch {
                    let organization_id = &subscription.organization_id;
                    if subscription.expires_at <= now {
                        subscription_delete(tx, organization_id, &subscription.id).await?;
                    }
                    if self.0.settings.webhook_url(subscription.provider).is_some() {
                        let calendar_id = &subscription.calendar_id;
                        let soon = now + UNHURRIED;
                        // Those that end first; many more, which were opened together, need not be renewed together.
                        let run_at =
                            if number == 0 { soon } else { first_place_after(calendar_id, soon, RENEWALS_SPREAD) };
                        self.enqueue_at(tx, organization_id, &OpenChannel::of(calendar_id.clone()), run_at).await?;
                    }
                }
            })?;
        }
        Ok(())
    }

    async fn enqueue_holidays(&self) -> Result<(), EngineError> {
        let due = holiday_calendars_due(&mut self.0.store.read().await?, self.now() - HOLIDAYS).await?;
        for batch in due.chunks(BATCH) {
            transact!(self, tx => {
                for (organization_id, holiday_calendar_id) in batch {
                    let refresh = RefreshHolidays { holiday_calendar_id: holiday_calendar_id.clone() };
                    self.enqueue(tx, organization_id, &refresh).await?;
                }
            })?;
        }
        Ok(())
    }

    /// Deletes what has expired.
    async fn sweep(&self) -> Result<(), EngineError> {
        let now = self.now();
        sweep!(self, tx => hold_delete_expired(tx, now, LIMIT));
        sweep!(self, tx => history_delete_before(tx, now - HISTORY, LIMIT));
        sweep!(self, tx => sessions_delete_expired(tx, now, LIMIT));
        sweep!(self, tx => oauth_states_delete_expired(tx, now, LIMIT));
        sweep!(self, tx => idempotency_delete_before(tx, now - MEMORY, LIMIT));
        sweep!(self, tx => inbox_delete_before(tx, now - MEMORY, LIMIT));
        transact!(self, tx => leases_delete_expired(tx, now).await?)?;
        transact!(self, tx => jobs_dead_of_installation_delete_before(tx, now - OPERATORS_DEAD).await?)?;
        Ok(())
    }
}
