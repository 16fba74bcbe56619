//! After the last fault: everything runs again, and the product is given time until nothing is left to do.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::faults;
use crate::plan::Dice;
use crate::store::{Calendar, Job};
use crate::world::World;
use crate::{now, say};

/// How long it may take by the driver's own clock.
const PATIENCE: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(500);
/// What is left is told in every so many rounds.
const TELL: u64 = 10;
/// Where nothing has changed for so long, nobody is waited for whose time has not come: the product's clock is set
/// ahead.
const STILL: Duration = Duration::from_secs(2);
/// How far the product's clock may be set ahead in all. Appointments begin four hours from now at the earliest.
const FURTHEST: TimeDelta = TimeDelta::minutes(150);
/// How often a quiet product is looked at before it is believed.
const LOOKS: u32 = 4;

/// How it came to rest.
#[derive(Debug)]
pub struct Rest {
    /// How far the product's clock is ahead of the machine's.
    pub ahead: TimeDelta,
    /// What was still to be done when patience ended; empty when everything was done.
    pub left: Vec<String>,
}

/// What is still to be done.
#[derive(Debug)]
struct Agenda {
    left: Vec<String>,
    /// When the next of it falls due, or the lease of a dead worker ends.
    next: Option<DateTime<Utc>>,
}

/// Waits until nothing is to be done any more.
pub async fn settle(world: &World, seed: u64) -> Result<Rest> {
    faults::end(world).await?;
    let started = Instant::now();
    let has_clock = world.processes.iter().all(|process| process.launch.clock.is_some());
    let mut ahead = TimeDelta::zero();
    let mut quiet_since: Option<DateTime<Utc>> = None;
    let (mut looks, mut round) = (0, 0);
    let (mut last, mut last_change) = (Vec::new(), Instant::now());
    loop {
        round += 1;
        // A revoked account waits for its host and for nobody else.
        if let Err(error) = world.sign_in_where_needed(Dice::new(seed ^ round)).await {
            say(&format!("  a host could not sign in yet: {error:#}"));
        }
        let product_now = now() + ahead;
        let mut agenda = agenda(world, product_now).await.context("reading what is to be done")?;
        if agenda.left.is_empty() {
            let since = *quiet_since.get_or_insert(product_now);
            agenda.left = unread(world, since).await?;
        } else {
            quiet_since = None;
        }
        looks = if agenda.left.is_empty() { looks + 1 } else { 0 };
        if round % TELL == 0 && !agenda.left.is_empty() {
            say(&format!("  still to be done, first of {}: {}", agenda.left.len(), agenda.left[0]));
        }
        if looks >= LOOKS {
            return Ok(Rest { ahead, left: Vec::new() });
        }
        if started.elapsed() > PATIENCE {
            return Ok(Rest { ahead, left: agenda.left });
        }
        if last != agenda.left {
            last_change = Instant::now();
            last.clone_from(&agenda.left);
        }
        let wait = agenda.next.map(|next| next - product_now);
        if let Some(wait) = wait.filter(|_| has_clock && looks == 0 && last_change.elapsed() > STILL) {
            ahead += TimeDelta::seconds(wait.num_seconds() + 1);
            if ahead > FURTHEST {
                bail!("after {} min something still waits: {}", ahead.num_minutes(), agenda.left.join("; "));
            }
            for process in &world.processes {
                process.set_clock(ahead.num_seconds())?;
            }
            last_change = Instant::now();
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The jobs, beside those that come again and again by the clock, and the visitors and hosts who wait for an answer.
async fn agenda(world: &World, now: DateTime<Utc>) -> Result<Agenda> {
    let jobs: Vec<Job> = world.reader.those("state = 'pending'").await?;
    let mut left: Vec<String> = jobs.iter().filter(|job| !is_routine(job)).map(describe).collect();
    // Calendars are read by routine: where nothing else is left, the next of that is waited for. What is due and is
    // not done waits for another job of its key, which a dead worker holds.
    let awaited = jobs.iter().filter(|job| left.is_empty() || !is_routine(job));
    let times = awaited.map(|job| job.leased_until.unwrap_or(job.run_at));
    let next = times.filter(|at| *at > now + TimeDelta::seconds(1)).min();
    let (_, _, asking) = world.ledger.counts();
    let busy = world.busy.load(std::sync::atomic::Ordering::Relaxed);
    if asking > 0 || busy > 0 {
        left.push(format!("{asking} visitors wait for an answer, {busy} people are busy"));
    }
    Ok(Agenda { left, next })
}

pub fn describe(job: &Job) -> String {
    let Job { kind, payload, attempts, run_at, last_error, .. } = job;
    let error = last_error.as_deref().unwrap_or("no error");
    format!("{kind} {payload} (attempt {attempts}, due {}): {error}", run_at.format("%H:%M:%S"))
}

/// Whether it is there at any time, and says nothing of what is left to do.
fn is_routine(job: &Job) -> bool {
    match job.kind.as_str() {
        "upkeep" | "reconcile" => true,
        "pull_changes" => job.last_error.is_none(),
        _ => false,
    }
}

/// The calendars that were not read since.
async fn unread(world: &World, since: DateTime<Utc>) -> Result<Vec<String>> {
    let calendars: Vec<Calendar> = world.reader.those("checks_conflicts = 1 or receives_events = 1").await?;
    let unread = calendars
        .into_iter()
        .filter(|calendar| calendar.sync_error.is_some() || calendar.synced_at.is_none_or(|synced| synced <= since));
    Ok(unread
        .map(|calendar| format!("the calendar {} is to be read: {:?}", calendar.id, calendar.sync_error))
        .collect())
}
