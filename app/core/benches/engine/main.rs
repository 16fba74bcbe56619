//! Measures the slot engine: `cargo xtask bench engine`.
//!
//! One core, no input or output. The hosts' hours are those of an office or all of the day, their busy time takes half of
//! it; a slot of 30 minutes may start every 15 minutes. Times are of one call: the median of many batches, and the least
//! beside it for a machine that is busy. The last four lines are what the design holds the engine to.

#![expect(clippy::print_stdout, reason = "a benchmark's results are what it prints")]
#![expect(clippy::unwrap_used, reason = "a broken assumption must end the benchmark")]

mod allocations;
mod stopwatch;
mod world;

use std::hint::black_box;

use chrono::TimeDelta;
use cupo_core::event_type::Alignment;
use cupo_core::slots::{Needed, check, slots};

use crate::allocations::Counting;
use crate::stopwatch::{Time, exponent, time};
use crate::world::{Busy, Hours, World, schedule};

#[global_allocator]
static ALLOCATIONS: Counting = Counting::new();

fn main() {
    // `cargo test --benches` only wants to know that this starts.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("{:44} {:>7} {:>11} {:>11} {:>6}", "", "slots", "median us", "least us", "allocs");
    let (mut single, mut single_10k, mut hundred) = (0.0_f64, 0.0_f64, 0.0_f64);
    println!("one host, 30 days");
    for (name, hours) in HOURS {
        let worlds = |busy, size: usize| worlds(100 / size, |number| World::new(number, 1, 30, hours, busy));
        let time = report(&format!("  {name}, 500 busy"), &worlds(Busy::Spread(500), 1), Needed::Any);
        single = single.max(time.median);
        for (how, busy) in [("spread", Busy::Spread(10_000)), ("in groups", Busy::Shattered(20))] {
            let time = report(&format!("  {name}, 10,000 busy, {how}"), &worlds(busy, 20), Needed::Any);
            single_10k = single_10k.max(time.median);
        }
    }
    println!("100 hosts, 60 days, 500 busy each");
    for (name, hours) in HOURS {
        for (who, needed, busy) in
            [("any of them", Needed::Any, Busy::Spread(500)), ("all of them", Needed::All, Busy::Alike(500))]
        {
            let worlds = worlds(1, |number| World::new(number, 100, 60, hours, busy));
            hundred = hundred.max(report(&format!("  {name}, {who}"), &worlds, needed).median);
        }
    }
    println!("besides");
    of_a_single_start();
    of_a_schedule();
    let exponent = growth();
    println!("engine_us_single={single:.1}");
    println!("engine_us_single_10k={single_10k:.1}");
    println!("engine_ms_collective_100={:.2}", hundred / 1000.0);
    println!("engine_exponent={exponent:.2}");
}

const HOURS: [(&str, Hours); 2] = [("office hours", Hours::Office), ("all day", Hours::Always)];

/// So many worlds of a kind. They are asked in turns: the processor learns a single small one by heart, which no real one
/// would allow it.
fn worlds(count: usize, world: impl Fn(usize) -> World) -> Vec<World> {
    (0..count.max(1)).map(world).collect()
}

/// Times the slots of the worlds and prints a line.
fn report(name: &str, worlds: &[World], needed: Needed) -> Time {
    let hosts: Vec<_> = worlds.iter().map(World::hosts).collect();
    let queries: Vec<_> = worlds.iter().zip(&hosts).map(|(world, hosts)| world.query(hosts, needed)).collect();
    let mut turns = queries.iter().cycle();
    let time = time(|| turns.next().map(|query| slots(black_box(query))));
    line(name, slots(&queries[0]).len(), time, ALLOCATIONS.during(|| slots(&queries[0])));
    time
}

fn line(name: &str, found: usize, time: Time, allocations: u64) {
    println!("{name:44} {found:>7} {:>11.2} {:>11.2} {allocations:>6}", time.median, time.least);
}

/// What booking costs: the check of one start.
fn of_a_single_start() {
    for count in [1, 100] {
        let world = World::new(0, count, 60, Hours::Always, Busy::Alike(500));
        let hosts = world.hosts();
        let query = world.query(&hosts, Needed::All);
        let start = world.range().start + TimeDelta::days(30);
        let work = || check(black_box(&query), start);
        line(&format!("  check of one start, hosts: {count}"), 1, time(work), ALLOCATIONS.during(work));
    }
}

/// What it costs to make instants of a schedule's rules.
fn of_a_schedule() {
    for (name, hours) in HOURS {
        let (schedule, world) = (schedule(hours), World::new(0, 1, 60, hours, Busy::Spread(1)));
        let work = || schedule.open_around(black_box(world.range()), Alignment::Interval);
        line(&format!("  a schedule of 60 days, {name}"), work().len(), time(work), ALLOCATIONS.during(work));
    }
}

/// How the times grow with busy intervals, hosts and days; the largest exponent. Of the small sizes there are as many
/// worlds as make the same amount of data.
fn growth() -> f64 {
    type Sized = fn(usize, usize) -> World;
    const ALWAYS: Hours = Hours::Always;
    let measured: [(&str, Needed, Sized); 6] = [
        ("busy, spread", Needed::Any, |number, size| World::new(number, 1, 30, ALWAYS, Busy::Spread(500 * size))),
        ("busy, in groups", Needed::Any, |number, size| World::new(number, 1, 30, ALWAYS, Busy::Shattered(size))),
        ("hosts, any", Needed::Any, |number, size| World::new(number, size, 60, ALWAYS, Busy::Spread(500))),
        ("hosts, all", Needed::All, |number, size| World::new(number, size, 60, ALWAYS, Busy::Alike(500))),
        ("days", Needed::Any, |number, size| World::new(number, 1, 30 * size as i64, ALWAYS, Busy::Spread(500 * size))),
        ("days, all of 10 hosts", Needed::All, |number, size| {
            World::new(number, 10, 30 * size as i64, ALWAYS, Busy::Alike(500 * size))
        }),
    ];
    println!("growth, all day");
    let mut largest = f64::MIN;
    for (name, needed, world) in measured {
        let mut points = Vec::new();
        for size in [1, 10, 100] {
            let worlds = worlds(100 / size, |number| world(number, size));
            let time = report(&format!("  {size:>3} x {name}"), &worlds, needed);
            points.push((size as f64, time.least));
        }
        let exponent = exponent(&points);
        println!("      {name}: exponent {exponent:.2}");
        largest = largest.max(exponent);
    }
    largest
}
