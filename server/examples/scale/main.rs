//! Measures how Cupo grows: slots and bookings per second with one and two `cupo serve` processes on one PostgreSQL, with
//! 1,000, 10,000 and 100,000 hosts in the database.
//!
//! `CUPO_TEST_POSTGRES_URL` names a server on which databases may be made; each population gets one of its own. The servers
//! are real processes, started anew for every figure, so that their caches are empty; every slots request asks for another
//! host. The hosts of the bookings have accounts at the Google simulator, which answers the live check. The last line is
//! `scale_p99_ratio_100k_vs_1k=`: the 99th percentile with the largest population over that with the smallest, of slots or of
//! bookings, whichever grew more.

#![expect(clippy::print_stdout, reason = "a benchmark's results are what it prints")]

mod load;
mod population;
mod processes;

use std::env;
use std::time::Duration;

use anyhow::{Context, Result};
use cupo_simulators::google::{GoogleOptions, GoogleSimulator, QuotaSettings, UserSeed};

use load::Figures;
use population::Population;
use processes::Servers;

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
/// Of each figure the median of so many rounds is taken.
const ROUNDS: usize = 3;

#[tokio::main]
async fn main() -> Result<()> {
    let url = env::var("CUPO_TEST_POSTGRES_URL").context("CUPO_TEST_POSTGRES_URL names the server to measure on")?;
    let largest = env::var("SCALE_HOSTS").ok().map(|hosts| hosts.parse()).transpose()?;
    let sizes: Vec<u32> = SIZES.into_iter().filter(|size| largest.is_none_or(|largest| *size <= largest)).collect();
    let mut p99 = Vec::new();
    for hosts in sizes {
        // Of its own, so that nothing stands in a calendar that its population does not know.
        let google = empty_calendars().await?;
        let population = Population::make(&url, hosts, &google).await?;
        println!(
            "{hosts} hosts: {:.1} KB a host, filled in {:.0} s",
            population.bytes_per_host / 1024.0,
            population.filled_in.as_secs_f64()
        );
        for processes in [1, 2] {
            let slots = rounds(&population, &google, processes, load::slots).await?;
            let bookings = rounds(&population, &google, processes, load::bookings).await?;
            println!("{hosts} hosts, {processes} processes: slots {slots}; bookings {bookings}");
            if processes == 1 {
                p99.push([slots.p99, bookings.p99]);
            }
        }
        population.remove().await?;
        google.stop().await;
    }
    let (first, last) = (p99.first().context("a first size")?, p99.last().context("a last size")?);
    let ratios = first.iter().zip(last).map(|(first, last)| last.as_secs_f64() / first.as_secs_f64());
    println!("scale_p99_ratio_100k_vs_1k={:.2}", ratios.fold(0.0, f64::max));
    Ok(())
}

/// The simulator with the mailboxes of the connected hosts, and as many requests as they please.
async fn empty_calendars() -> Result<GoogleSimulator> {
    let users = population::CONNECTED.map(|number| UserSeed {
        email: population::mailbox(number),
        time_zone: "Europe/Madrid".to_owned(),
        calendars: Vec::new(),
    });
    let unlimited = QuotaSettings { per_user: None, per_project: None, ..QuotaSettings::default() };
    let options = GoogleOptions { users: users.collect(), quota: unlimited, ..GoogleOptions::default() };
    GoogleSimulator::start(options).await
}

/// The median figures of some rounds, each with processes of its own.
async fn rounds<L>(population: &Population, google: &GoogleSimulator, processes: usize, load: L) -> Result<Figures>
where
    L: AsyncFn(&Population, &Servers, usize) -> Result<Vec<Duration>>,
{
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        let servers = Servers::start(population.url(), google, processes).await?;
        let started = std::time::Instant::now();
        let answers = load(population, &servers, round).await?;
        all.push(Figures::of(answers, started.elapsed()));
        servers.stop().await?;
    }
    Ok(Figures::median(&all))
}
