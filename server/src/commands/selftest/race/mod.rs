//! `cupo selftest race`: requests of every kind at once for the same starts, then a look at the database itself.
//!
//! The requests go through the engine, as those of visitors do. What they have left is then read plainly and judged by
//! arithmetic of its own ([`verdict`]), which shares nothing with the code that books. Several processes may race on one
//! PostgreSQL database at the same time, each in an organization of its own.

mod plan;
mod records;
mod scene;
mod verdict;
mod volley;

use std::fmt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use cupo_core::parse::Slug;
use cupo_engine::random::{OsRandom, RandomSource};
use cupo_store::{Store, StoreError, organization_delete, organization_get_by_slug};
use tokio::signal::unix::{SignalKind, signal};

use crate::assembly;
use crate::config::Config;
use plan::Kind;
use scene::Scene;
use verdict::Violation;
use volley::{Answer, Shot};

/// How often removing is tried against others who write, and how long it waits in between.
const REMOVALS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// How hard is tried.
#[derive(Args, Debug, Clone)]
pub struct RaceOptions {
    /// How many requests are sent at once.
    #[arg(long, value_name = "REQUESTS", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub concurrency: u32,
    /// For how many starts they contend; each is of one kind, the kinds take turns.
    #[arg(long, value_name = "STARTS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub slots: u32,
    /// Sends the requests in the order of an earlier run, which has told its seed.
    #[arg(long)]
    pub seed: Option<u64>,
}

/// What happened.
#[derive(Debug, Clone)]
pub struct RaceReport {
    /// By which the order of the requests was drawn.
    pub seed: u64,
    /// Requests that got what they asked for.
    pub wins: usize,
    /// Requests that were refused, as they may be.
    pub refusals: usize,
    /// What must not be, a sentence each.
    pub violations: Vec<String>,
    kinds: Vec<Row>,
    took: Duration,
}

/// The requests of one kind.
#[derive(Debug, Clone)]
struct Row {
    kind: Kind,
    starts: usize,
    requests: usize,
    wins: usize,
    /// The same key sent again and answered again; they are among the wins.
    repeats: usize,
    refusals: usize,
    slowest: Duration,
}

pub async fn run(config: Config, options: RaceOptions) -> Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for ctrl-c")?;
    let interrupted = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    println!("{} requests at once for {} starts on {:?}", options.concurrency, options.slots, config.database);
    let report = race(&config, &options, interrupted).await?;
    print!("{report}");
    Ok(if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Races in an organization of its own and removes that, whatever happens; `interrupted` ends it early.
///
/// # Errors
/// When the database cannot be used, a preparation fails, it was interrupted, or something could not be removed. What the
/// race finds wrong is no error but part of the report.
pub async fn race(config: &Config, options: &RaceOptions, interrupted: impl Future<Output = ()>) -> Result<RaceReport> {
    let store = assembly::open_store(config).await?;
    store.migrate().await.context("the database cannot be brought up to date")?;
    let slug = format!("selftest-{}", hex::encode(random::<6>()));
    let seed = options.seed.unwrap_or_else(|| u64::from_le_bytes(random()));
    // A task of its own, so that not even a panic keeps anything from being removed.
    let mut running = tokio::spawn(run_in(config.clone(), store.clone(), slug.clone(), options.clone(), seed));
    let outcome = tokio::select! {
        ended = &mut running => ended.unwrap_or_else(|error| Err(anyhow!("the race broke: {error}"))),
        () = interrupted => {
            running.abort();
            match running.await {
                Ok(ended) => ended,
                Err(_) => Err(anyhow!("stopped before the end; everything was removed")),
            }
        }
    };
    let removed = remove(&store, &slug).await.with_context(|| format!("the organization {slug} could not be removed"));
    store.close().await;
    let report = outcome?;
    removed?;
    Ok(report)
}

async fn run_in(config: Config, store: Store, slug: String, options: RaceOptions, seed: u64) -> Result<RaceReport> {
    let scene = Scene::set(&config, store, slug).await.context("the organization could not be made")?;
    let plan = plan::draw_up(&scene, &options, seed).await.context("the requests could not be prepared")?;
    let started = Instant::now();
    let mut shots = volley::fire(&scene, &plan.prepared, plan.requests).await?;
    let took = started.elapsed();
    // Whoever was kept a slot now books it: nobody else may have got it.
    let kept = plan::bookings_of_holds(&shots);
    shots.extend(volley::fire(&scene, &plan.prepared, kept).await?);
    let records = records::read(&scene).await.context("the database could not be read")?;
    let violations = verdict::judge(&scene.offers, &plan.prepared, &shots, &records);
    Ok(RaceReport::new(seed, &shots, took, &violations))
}

/// Removes the organization with its users; none by that name is no failure.
async fn remove(store: &Store, slug: &str) -> Result<()> {
    let slug = Slug::parse(slug).map_err(|problem| anyhow!("{slug} is no slug: {}", problem.key))?;
    for _ in 0..REMOVALS {
        let removed = async {
            let mut tx = store.write().await?;
            if let Some(organization) = organization_get_by_slug(&mut tx, &slug).await? {
                organization_delete(&mut tx, &organization.id).await?;
            }
            tx.commit().await
        };
        match removed.await {
            Err(StoreError::Retry) => tokio::time::sleep(PAUSE).await,
            outcome => return Ok(outcome?),
        }
    }
    bail!("others write all the time")
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRandom.fill(&mut bytes);
    bytes
}

impl RaceReport {
    fn new(seed: u64, shots: &[Shot], took: Duration, violations: &[Violation]) -> Self {
        let kinds: Vec<Row> = Kind::ALL.into_iter().filter_map(|kind| Row::of(kind, shots)).collect();
        Self {
            seed,
            wins: kinds.iter().map(|row| row.wins).sum(),
            refusals: kinds.iter().map(|row| row.refusals).sum(),
            violations: violations.iter().map(ToString::to_string).collect(),
            kinds,
            took,
        }
    }
}

impl Row {
    fn of(kind: Kind, shots: &[Shot]) -> Option<Self> {
        let shots: Vec<_> = shots.iter().filter(|shot| shot.request.kind == kind).collect();
        let count = |is_it: fn(&Answer) -> bool| shots.iter().filter(|shot| is_it(&shot.answer)).count();
        let mut places: Vec<_> = shots.iter().map(|shot| shot.request.place).collect();
        places.sort_unstable();
        places.dedup();
        Some(Self {
            kind,
            starts: places.len(),
            requests: shots.len(),
            wins: count(Answer::is_win),
            repeats: count(|answer| matches!(answer, Answer::Booked { replayed: true, .. })),
            refusals: count(|answer| matches!(answer, Answer::Refused(_))),
            slowest: shots.iter().map(|shot| shot.took).max()?,
        })
    }
}

impl fmt::Display for RaceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ("", "starts", "requests", "wins", "repeats", "refusals", "slowest");
        writeln!(f, "{:<34}{:>8}{:>10}{:>8}{:>9}{:>10}{:>11}", head.0, head.1, head.2, head.3, head.4, head.5, head.6)?;
        for Row { kind, starts, requests, wins, repeats, refusals, slowest } in &self.kinds {
            let slowest = format!("{} ms", slowest.as_millis());
            let kind = kind.name();
            writeln!(f, "{kind:<34}{starts:>8}{requests:>10}{wins:>8}{repeats:>9}{refusals:>10}{slowest:>11}")?;
        }
        writeln!(f, "All were answered after {} ms. The seed was {}.", self.took.as_millis(), self.seed)?;
        for violation in &self.violations {
            writeln!(f, "violation: {violation}")?;
        }
        writeln!(f, "wins={} refusals={} violations={}", self.wins, self.refusals, self.violations.len())
    }
}
