//! `cupo-chaos`: visitors, hosts and calendars at real processes of the product, while everything fails at random;
//! then the books are compared. `cargo xtask chaos` builds what it needs and starts it.

#![expect(clippy::print_stdout, reason = "a command's results are what it prints")]

mod actors;
mod calendars;
mod checks;
mod configuration;
mod faults;
mod ledger;
mod people;
mod plan;
mod processes;
mod product;
mod radicale;
mod settle;
mod store;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::Parser;

use checks::Picture;
use plan::{Step, What};
use world::World;

/// How long a process may take to end in good order.
const GRACE: Duration = Duration::from_secs(40);

/// Lets faults strike the product at random, and checks that nothing was lost and nothing doubled.
#[derive(Debug, Clone, Parser)]
#[command(name = "cupo-chaos")]
pub struct Options {
    /// How many faults.
    #[arg(long, default_value_t = 1_000)]
    pub faults: u32,
    /// What the plan is made of.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The database that the product runs on.
    #[arg(long, value_enum, default_value = "sqlite")]
    pub store: plan::Store,
    /// The product.
    #[arg(long)]
    pub binary: PathBuf,
    /// Where logs and data of the run lie.
    #[arg(long)]
    pub folder: PathBuf,
    /// An empty PostgreSQL database.
    #[arg(long)]
    pub postgres_url: Option<String>,
    /// Restarts it.
    #[arg(long)]
    pub pg_ctl: Option<PathBuf>,
    /// Its data.
    #[arg(long)]
    pub pg_data: Option<PathBuf>,
    /// The user that it runs as, where that is not this one.
    #[arg(long)]
    pub pg_uid: Option<u32>,
    /// That user's group.
    #[arg(long)]
    pub pg_gid: Option<u32>,
    /// A Python that has Radicale; without it no host is at a CalDAV server.
    #[arg(long)]
    pub radicale_python: Option<PathBuf>,
    /// The library `libfaketimeMT.so.1`; without it clocks do not jump.
    #[arg(long)]
    pub faketime: Option<PathBuf>,
}

/// One line for whoever watches.
pub fn say(line: &str) {
    println!("{line}");
}

/// The machine's time.
#[expect(clippy::disallowed_methods, reason = "the driver lives by the machine's clock, whatever the product is shown")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<bool> {
    let started = Instant::now();
    let plan = plan::plan(options.seed, options.faults, options.store);
    let length = plan.last().map(|step| step.at).unwrap_or_default();
    say(&format!("  {} steps in {length:?}, {} of them faults", plan.len(), options.faults));
    let world = Arc::new(World::start(options).await?);
    say(&format!("  the world stands after {:.1?}", started.elapsed()));
    let failed = Arc::new(AtomicU32::new(0));
    perform(&world, &plan, &failed).await?;
    say(&format!("  the last fault struck after {:.1?}; everything runs again", started.elapsed()));
    let rest = settle::settle(&world, options.seed).await?;
    let ahead = rest.ahead.num_seconds();
    say(&format!("  at rest after {:.1?}, the product's clock {ahead} s ahead", started.elapsed()));
    let picture = Picture::take(&world, rest).await?;
    let verdict = picture.judge();
    let (booked, refused, _) = world.ledger.counts();
    say(&format!(
        "  {booked} bookings, {refused} refused; {} events of ours, {} mails; {} actions came to nothing",
        picture.events.iter().filter(|(.., event)| event.claim.is_some()).count(),
        picture.mails.len(),
        failed.load(Ordering::Relaxed)
    ));
    let mut is_clean = verdict.is_clean();
    for process in &world.processes {
        let ended = process.ended_by_itself.load(Ordering::Relaxed);
        if ended > 0 {
            say(&format!("  {} ended by itself {ended} times", process.name()));
        }
        if let Err(error) = process.stop(GRACE).await {
            say(&format!("  {error:#}"));
            is_clean = false;
        }
    }
    for (name, details) in verdict.groups() {
        for detail in details {
            say(&format!("{name}: {detail}"));
        }
    }
    if !is_clean {
        let store = if options.store == plan::Store::Sqlite { "sqlite" } else { "postgres" };
        say(&format!("  the logs lie in {}; to repeat this:", options.folder.display()));
        say(&format!("  cargo xtask chaos --faults {} --seed {} --store {store}", options.faults, options.seed));
    }
    say(&verdict.line(options.faults));
    Ok(is_clean)
}

/// Performs the plan by the clock. Actions run beside one another; a fault is injected before the next step.
async fn perform(world: &Arc<World>, plan: &[Step], failed: &Arc<AtomicU32>) -> Result<()> {
    let started = tokio::time::Instant::now();
    for (number, step) in plan.iter().copied().enumerate() {
        tokio::time::sleep_until(started + step.at).await;
        match step.what {
            What::Fault(of_faults, fault) => faults::inject(world, of_faults, fault, step.dice).await?,
            What::Act(act) => {
                let (world, failed) = (Arc::clone(world), Arc::clone(failed));
                world.busy.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    // What an action is to change may be gone, and the database may be away: then it comes to nothing.
                    if let Err(error) = actors::perform(&world, act, number, step.dice).await {
                        failed.fetch_add(1, Ordering::Relaxed);
                        say(&format!("  {act:?} came to nothing: {error:#}"));
                    }
                    world.busy.fetch_sub(1, Ordering::Relaxed);
                });
            }
        }
    }
    Ok(())
}
