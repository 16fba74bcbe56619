//! Durable work: enqueued in the transaction that makes it necessary, leased by workers, repeated until it is done.
//!
//! A job *waits* (pending, no owner), *runs* (pending, leased by an owner) or is *dead* (given up, kept for people to
//! see). A job that is done is deleted. For each coalescing key at most one job waits and at most one runs: what
//! happens while a job runs makes it run once more, later, never at the same time. Two unique indices hold this. Of the
//! dead ones of a key the last is kept, until work of that key succeeds.

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::ids::{JobId, OrganizationId};
use serde_json::Value;

use crate::row::{Fields, Record, text_enum};
use crate::tx::sql;
use crate::{StoreError, Tx};

text_enum! {
    /// Whether a job will be tried again.
    pub enum JobState {
        Pending = "pending",
        Dead = "dead",
    }
}

/// A unit of durable work.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: JobId,
    pub organization_id: Option<OrganizationId>,
    pub kind: String,
    /// Ids only: no secret, and nothing that may have changed until the job runs.
    pub payload: Value,
    pub coalescing_key: Option<String>,
    /// When it is due; of a dead one, when it was given up.
    pub run_at: DateTime<Utc>,
    /// How often the job was leased, the present lease included.
    pub attempts: i32,
    /// How many leases in a row ended by their time, without a word of their owner.
    pub lost_leases: i32,
    pub leased_until: Option<DateTime<Utc>>,
    pub lease_owner: Option<String>,
    pub state: JobState,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// A job to enqueue.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Used unless the job joins one that waits.
    pub id: JobId,
    pub organization_id: Option<OrganizationId>,
    pub kind: String,
    pub payload: Value,
    pub coalescing_key: Option<String>,
    pub run_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
}

/// How many jobs there are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobCounts {
    pub waiting: u64,
    pub running: u64,
    pub dead: u64,
    /// When the longest waiting job was due.
    pub oldest_run_at: Option<DateTime<Utc>>,
}

macro_rules! columns {
    () => {
        "id, organization_id, kind, payload, coalescing_key, run_at, attempts, lost_leases, leased_until, lease_owner, \
         state, last_error, created_at"
    };
}

impl Record for Job {
    const TABLE: &'static str = "job";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: fields.parse("id", JobId::parse)?,
            organization_id: fields.optional_parse("organization_id", OrganizationId::parse)?,
            kind: fields.text("kind")?,
            payload: fields.json("payload")?,
            coalescing_key: fields.optional_text("coalescing_key")?,
            run_at: fields.instant("run_at")?,
            attempts: fields.number("attempts")?,
            lost_leases: fields.number("lost_leases")?,
            leased_until: fields.optional_instant("leased_until")?,
            lease_owner: fields.optional_text("lease_owner")?,
            state: fields.choice("state", JobState::parse)?,
            last_error: fields.optional_text("last_error")?,
            created_at: fields.instant("created_at")?,
        })
    }
}

impl Record for JobCounts {
    const TABLE: &'static str = "job";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            waiting: fields.number("waiting")?,
            running: fields.number("running")?,
            dead: fields.number("dead")?,
            oldest_run_at: fields.optional_instant("oldest_run_at")?,
        })
    }
}

/// Enqueues a job. If one with the same coalescing key waits, that one stays and takes the earlier `run_at`, though
/// none before what [`job_defer`] said.
pub async fn job_enqueue(tx: &mut Tx, job: &NewJob) -> Result<(), StoreError> {
    sql("insert into job (id, organization_id, kind, payload, coalescing_key, run_at, attempts, state, created_at)
         values ($1, $2, $3, $4, $5, $6, 0, 'pending', $7)
         on conflict (coalescing_key) where state = 'pending' and lease_owner is null do update
            set run_at = case when excluded.run_at >= job.run_at then job.run_at
                              when excluded.run_at < job.not_before then job.not_before
                              else excluded.run_at end")
    .bind(&job.id)
    .bind(job.organization_id.as_ref())
    .bind(&job.kind)
    .bind(serde_json::to_string(&job.payload)?)
    .bind(&job.coalescing_key)
    .bind(job.run_at)
    .bind(job.created_at)
    .execute(tx)
    .await
    .map(drop)
}

/// A pending job may be leased when it is due, nobody's unexpired lease is on it, and no other job of its key runs. One
/// whose lease has expired counts as running until it is leased again: it goes before the one that waits for it.
macro_rules! lease {
    ($locking:literal) => {
        concat!(
            "with free as materialized (
                select due.id from job due
                 where due.state = 'pending' and due.run_at <= $3
                   and (due.leased_until is null or due.leased_until <= $3)
                   and not exists (
                     select 1 from job other
                      where other.coalescing_key = due.coalescing_key and other.state = 'pending'
                        and other.lease_owner is not null and other.id <> due.id)
                 order by due.run_at, due.id limit $4",
            $locking,
            ")
             update job set lease_owner = $1, leased_until = $2, attempts = attempts + 1,
                            lost_leases = case when lease_owner is null then lost_leases else lost_leases + 1 end
              where id in (select free.id from free)
             returning ",
            columns!()
        )
    };
}

/// Leases at most `limit` due jobs to `owner` until `now + lease`, the longest due first, and raises their `attempts`,
/// and their `lost_leases` where a lease has expired. No job is leased to two owners at once. Call it in a transaction
/// of [`Store::write_leases`](crate::Store::write_leases).
pub async fn job_lease(
    tx: &mut Tx,
    now: DateTime<Utc>,
    owner: &str,
    lease: TimeDelta,
    limit: u32,
) -> Result<Vec<Job>, StoreError> {
    let text = if tx.is_postgres() { lease!(" for update skip locked") } else { lease!("") };
    let mut jobs: Vec<Job> = sql(text).bind(owner).bind(now + lease).bind(now).bind(limit).list(tx).await?;
    jobs.sort_by(|a, b| (a.run_at, a.id.as_str()).cmp(&(b.run_at, b.id.as_str())));
    Ok(jobs)
}

/// Deletes a job that is done, and the failure that was kept of its key: it needs nobody's attention any more. `false`:
/// `owner` has lost its lease to another one.
pub async fn job_complete(tx: &mut Tx, job_id: &JobId, owner: &str) -> Result<bool, StoreError> {
    let done = delete_leased(tx, job_id, owner).await?;
    if let Some(KeyRow(Some(key))) = &done {
        delete_dead_of_key(tx, key).await?;
    }
    Ok(done.is_some())
}

async fn delete_leased(tx: &mut Tx, job_id: &JobId, owner: &str) -> Result<Option<KeyRow>, StoreError> {
    sql("delete from job where id = $1 and lease_owner = $2 returning coalescing_key")
        .bind(job_id)
        .bind(owner)
        .optional(tx)
        .await
}

async fn delete_dead_of_key(tx: &mut Tx, key: &str) -> Result<(), StoreError> {
    sql("delete from job where coalescing_key = $1 and state = 'dead'").bind(key).execute(tx).await.map(drop)
}

/// Another transaction has enqueued work of the same key since this one looked: the second look joins it.
fn or_again(error: StoreError) -> StoreError {
    match error {
        StoreError::Unique(index) if matches!(index.as_str(), "job.waiting" | "job.coalescing_key") => {
            StoreError::Retry
        }
        other => other,
    }
}

/// Gives a job back, to be tried again at `run_at`. If one with the same key waits already, that one does the work: it
/// takes over the attempts and the error, and stays due when it is. `false`: `owner` has lost its lease.
pub async fn job_retry(
    tx: &mut Tx,
    job_id: &JobId,
    owner: &str,
    run_at: DateTime<Utc>,
    error: &str,
) -> Result<bool, StoreError> {
    give_back(tx, job_id, owner, run_at, None, error).await
}

/// As [`job_retry`], for somebody who asked to be left alone until `not_before`: the one that waits for it is due no
/// earlier either, and nothing that is enqueued brings it forward.
pub async fn job_defer(
    tx: &mut Tx,
    job_id: &JobId,
    owner: &str,
    not_before: DateTime<Utc>,
    error: &str,
) -> Result<bool, StoreError> {
    give_back(tx, job_id, owner, not_before, Some(not_before), error).await
}

async fn give_back(
    tx: &mut Tx,
    job_id: &JobId,
    owner: &str,
    run_at: DateTime<Utc>,
    not_before: Option<DateTime<Utc>>,
    error: &str,
) -> Result<bool, StoreError> {
    let joined = sql("update job
            set attempts = (select failed.attempts from job failed where failed.id = $1), last_error = $3,
                not_before = $4, run_at = case when run_at < $4 then $4 else run_at end
          where state = 'pending' and lease_owner is null
            and coalescing_key = (
              select failed.coalescing_key from job failed where failed.id = $1 and failed.lease_owner = $2)")
    .bind(job_id)
    .bind(owner)
    .bind(error)
    .bind(not_before)
    .execute(tx)
    .await?;
    if joined == 1 {
        return Ok(delete_leased(tx, job_id, owner).await?.is_some());
    }
    let changed = sql("update job
            set run_at = $3, not_before = $4, last_error = $5, lease_owner = null, leased_until = null, lost_leases = 0
          where id = $1 and lease_owner = $2")
    .bind(job_id)
    .bind(owner)
    .bind(run_at)
    .bind(not_before)
    .bind(error)
    .execute(tx)
    .await
    .map_err(or_again)?;
    Ok(changed == 1)
}

/// Gives a job back that was not carried through: it is due as it was, and has not been tried. If one with the same key
/// waits already, that one does the work, no later than this one would have. `false`: `owner` has lost its lease.
pub async fn job_release(tx: &mut Tx, job_id: &JobId, owner: &str) -> Result<bool, StoreError> {
    let joined = sql("update job
            set run_at = case when run_at < (select given.run_at from job given where given.id = $1) then run_at
                              else (select given.run_at from job given where given.id = $1) end
          where state = 'pending' and lease_owner is null
            and coalescing_key = (
              select given.coalescing_key from job given where given.id = $1 and given.lease_owner = $2)")
    .bind(job_id)
    .bind(owner)
    .execute(tx)
    .await?;
    if joined == 1 {
        return Ok(delete_leased(tx, job_id, owner).await?.is_some());
    }
    let changed =
        sql("update job set attempts = attempts - 1, lease_owner = null, leased_until = null, lost_leases = 0
          where id = $1 and lease_owner = $2")
        .bind(job_id)
        .bind(owner)
        .execute(tx)
        .await
        .map_err(or_again)?;
    Ok(changed == 1)
}

/// Gives a job up at `now`: it is kept for people to see, in the place of an earlier failure of its key. `false`:
/// `owner` has lost its lease.
pub async fn job_bury(
    tx: &mut Tx,
    job_id: &JobId,
    owner: &str,
    now: DateTime<Utc>,
    error: &str,
) -> Result<bool, StoreError> {
    sql("delete from job
          where state = 'dead' and coalescing_key = (
            select failed.coalescing_key from job failed where failed.id = $1 and failed.lease_owner = $2)")
    .bind(job_id)
    .bind(owner)
    .execute(tx)
    .await?;
    let changed = sql("update job
            set state = 'dead', run_at = $3, last_error = $4, lease_owner = null, leased_until = null
          where id = $1 and lease_owner = $2")
    .bind(job_id)
    .bind(owner)
    .bind(now)
    .bind(error)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// The organization's dead job of this id.
pub async fn job_get_dead(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    job_id: &JobId,
) -> Result<Option<Job>, StoreError> {
    sql(concat!("select ", columns!(), " from job where organization_id = $1 and id = $2 and state = 'dead'"))
        .bind(organization_id)
        .bind(job_id)
        .optional(tx)
        .await
}

/// Lets a dead job begin anew at `now`. If one with the same key waits or runs, that one does the work, and the dead
/// one is gone. `false`: the organization has no such dead job.
pub async fn job_retry_dead(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    job_id: &JobId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let needless = sql("delete from job
          where organization_id = $1 and id = $2 and state = 'dead'
            and exists (select 1 from job other
                         where other.coalescing_key = job.coalescing_key and other.state = 'pending')")
    .bind(organization_id)
    .bind(job_id)
    .execute(tx)
    .await?;
    if needless == 1 {
        return Ok(true);
    }
    let changed = sql("update job
            set state = 'pending', attempts = 0, lost_leases = 0, run_at = $3, not_before = null, created_at = $3,
                last_error = null
          where organization_id = $1 and id = $2 and state = 'dead'")
    .bind(organization_id)
    .bind(job_id)
    .bind(now)
    .execute(tx)
    .await
    .map_err(or_again)?;
    Ok(changed == 1)
}

/// Forgets a dead job. `false`: the organization has no such dead job.
pub async fn job_discard(tx: &mut Tx, organization_id: &OrganizationId, job_id: &JobId) -> Result<bool, StoreError> {
    let deleted = sql("delete from job where organization_id = $1 and id = $2 and state = 'dead'")
        .bind(organization_id)
        .bind(job_id)
        .execute(tx)
        .await?;
    Ok(deleted == 1)
}

/// The counts over all organizations.
pub async fn job_counts(tx: &mut Tx) -> Result<JobCounts, StoreError> {
    let counts = sql("select count(case when state = 'pending' and lease_owner is null then 1 end) as waiting,
                count(case when state = 'pending' and lease_owner is not null then 1 end) as running,
                count(case when state = 'dead' then 1 end) as dead,
                min(case when state = 'pending' and lease_owner is null then run_at end) as oldest_run_at
           from job")
    .optional(tx)
    .await?;
    Ok(counts.unwrap_or_default())
}

/// Makes the organization's waiting jobs due whose last error begins so, as far as nobody asked to be left alone. Gives
/// their number.
pub async fn jobs_bring_forward(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    error: &str,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    sql("update job set run_at = $3
          where organization_id = $1 and state = 'pending' and lease_owner is null and run_at > $3
            and (not_before is null or not_before <= $3) and substr(last_error, 1, length($2)) = $2")
    .bind(organization_id)
    .bind(error)
    .bind(now)
    .execute(tx)
    .await
}

/// When the organization's waiting job of this coalescing key is due; `None` when none waits.
pub async fn job_run_at(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    coalescing_key: &str,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let next = sql("select min(run_at) as next_at from job
         where organization_id = $1 and coalescing_key = $2 and state = 'pending' and lease_owner is null")
    .bind(organization_id)
    .bind(coalescing_key)
    .optional::<NextRow>(tx)
    .await?;
    Ok(next.and_then(|NextRow(run_at)| run_at))
}

/// What there is of a coalescing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobStanding {
    /// Whether one waits or runs.
    pub is_pending: bool,
    /// Whether one was given up and is kept.
    pub is_dead: bool,
}

impl Record for JobStanding {
    const TABLE: &'static str = "job";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self { is_pending: fields.int("pending")? > 0, is_dead: fields.int("dead")? > 0 })
    }
}

/// Whether the organization has jobs of this coalescing key, and of which kind.
pub async fn job_standing(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    coalescing_key: &str,
) -> Result<JobStanding, StoreError> {
    // Each condition is that of an index.
    let standing = sql("select
            (select count(*) from job
              where coalescing_key = $2 and state = 'pending' and lease_owner is null and organization_id = $1)
          + (select count(*) from job
              where coalescing_key = $2 and state = 'pending' and lease_owner is not null and organization_id = $1)
                as pending,
            (select count(*) from job
              where coalescing_key = $2 and state = 'dead' and organization_id = $1) as dead")
    .bind(organization_id)
    .bind(coalescing_key)
    .optional(tx)
    .await?;
    Ok(standing.unwrap_or_default())
}

/// The organization's dead jobs, the latest first, at most `limit`.
pub async fn job_list_dead(tx: &mut Tx, organization_id: &OrganizationId, limit: u32) -> Result<Vec<Job>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from job where organization_id = $1 and state = 'dead' order by run_at desc, id desc limit $2"
    ))
    .bind(organization_id)
    .bind(limit)
    .list(tx)
    .await
}

/// How many dead jobs the organization has.
pub async fn job_count_dead(tx: &mut Tx, organization_id: &OrganizationId) -> Result<u64, StoreError> {
    let count = sql("select count(*) as number from job where organization_id = $1 and state = 'dead'")
        .bind(organization_id)
        .optional::<CountRow>(tx)
        .await?;
    Ok(count.map_or(0, |CountRow(count)| count))
}

/// The dead jobs that concern no organization, the latest first: for the operator.
pub async fn jobs_dead_of_installation(tx: &mut Tx) -> Result<Vec<Job>, StoreError> {
    sql(concat!(
        "select ",
        columns!(),
        " from job where organization_id is null and state = 'dead' order by run_at desc, id desc"
    ))
    .list(tx)
    .await
}

/// Forgets those of [`jobs_dead_of_installation`] that were given up before `before`; answers how many.
pub async fn jobs_dead_of_installation_delete_before(tx: &mut Tx, before: DateTime<Utc>) -> Result<u64, StoreError> {
    sql("delete from job where organization_id is null and state = 'dead' and run_at < $1")
        .bind(before)
        .execute(tx)
        .await
}

struct KeyRow(Option<String>);

impl Record for KeyRow {
    const TABLE: &'static str = "job";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.optional_text("coalescing_key")?))
    }
}

struct CountRow(u64);

impl Record for CountRow {
    const TABLE: &'static str = "job";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.number("number")?))
    }
}

struct NextRow(Option<DateTime<Utc>>);

impl Record for NextRow {
    const TABLE: &'static str = "job";

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self(fields.optional_instant("next_at")?))
    }
}

/// When [`job_lease`] may next find something: the earliest `run_at` of a job that waits for no other, or the earliest
/// end of a lease. `None`: nothing is pending.
pub async fn jobs_next_run_at(tx: &mut Tx) -> Result<Option<DateTime<Utc>>, StoreError> {
    // Each half walks an index and ends early: many may wait for a later time.
    let waiting = sql("select due.run_at as next_at from job due
          where due.state = 'pending' and due.lease_owner is null
            and not exists (
              select 1 from job other
               where other.coalescing_key = due.coalescing_key and other.state = 'pending'
                 and other.lease_owner is not null and other.id <> due.id)
          order by due.run_at limit 1")
    .optional::<NextRow>(tx)
    .await?;
    let leased =
        sql("select min(leased_until) as next_at from job where state = 'pending' and lease_owner is not null")
            .optional::<NextRow>(tx)
            .await?;
    Ok([waiting, leased].into_iter().flatten().filter_map(|NextRow(at)| at).min())
}
