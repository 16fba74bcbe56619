//! Three statements about every world: the slots are those of the walk; what is offered can be booked, and nothing else;
//! and the explanation says the same.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use cupo_core::{
    interval::Interval,
    slots::{HostExplanation, HostReason, Needed, Reason, SlotQuery, check, explain, slots},
    zone::TimeZoneName,
};
use proptest::{
    prelude::*,
    test_runner::{TestCaseError, TestRunner},
};

use crate::{
    oracle::Oracle,
    world::{World, at, changes, worlds},
};

/// Few enough that the tests stay quick; `PROPTEST_CASES` says otherwise.
fn cases(few: u32) -> ProptestConfig {
    let more = std::env::var("PROPTEST_CASES").ok().and_then(|number| number.parse().ok());
    ProptestConfig { cases: more.unwrap_or(few), failure_persistence: None, ..ProptestConfig::default() }
}

fn minutes_of(range: Interval) -> impl Iterator<Item = DateTime<Utc>> {
    (0..range.duration().num_minutes()).map(move |minute| range.start + TimeDelta::minutes(minute))
}

fn slots_are_those_of_the_walk(world: &World, oracle: &Oracle) -> Result<(), TestCaseError> {
    let prepared = world.prepare();
    let hosts = prepared.hosts();
    let query = prepared.query(world, &hosts);
    prop_assert_eq!(slots(&query), oracle.starts(world.range));
    // A part of the range has the slots of that part.
    let third = world.range.duration() / 3;
    let part = Interval { start: world.range.start + third, end: world.range.end - third };
    prop_assert_eq!(slots(&SlotQuery { range: part, ..query }), oracle.starts(part));
    Ok(())
}

fn what_is_offered_can_be_booked_and_nothing_else(world: &World, oracle: &Oracle) -> Result<(), TestCaseError> {
    let prepared = world.prepare();
    let hosts = prepared.hosts();
    let query = prepared.query(world, &hosts);
    for start in minutes_of(world.range) {
        prop_assert_eq!(check(&query, start).is_ok(), oracle.offers(start), "{}", start);
    }
    Ok(())
}

fn the_explanation_says_the_same(world: &World, oracle: &Oracle) -> Result<(), TestCaseError> {
    let prepared = world.prepare();
    let hosts = prepared.hosts();
    let query = prepared.query(world, &hosts);
    for start in minutes_of(world.range) {
        let explained = explain(&query, prepared.taken(), start);
        prop_assert_eq!(explained.verdict, check(&query, start), "{}", start);
        let is_against = |reason: &Reason| !matches!(reason, Reason::SeatsLeft { .. } | Reason::Full);
        let is_joined = explained.reasons.iter().any(|reason| matches!(reason, Reason::SeatsLeft { .. }));
        let free = explained.hosts.iter().filter(|host| host.is_free()).count();
        let enough = match world.needed {
            Needed::Any => free > 0,
            Needed::All => free == world.hosts.len(),
        };
        let speaks_for_it = !explained.reasons.iter().any(is_against) && (is_joined || enough);
        prop_assert_eq!(explained.is_offered(), speaks_for_it, "{}: {:?}", start, explained);
        // Of each host the reasons are those of the walk.
        let own_grid = world.needed == Needed::Any || world.hosts.len() == 1;
        for (host, minute) in explained.hosts.iter().zip(oracle.hosts_at(start)) {
            let has = |is: fn(&HostReason<usize>) -> bool| host.reasons.iter().any(is);
            prop_assert_eq!(has(|reason| matches!(reason, HostReason::Taken { .. })), !minute.is_free, "{}", start);
            prop_assert_eq!(
                has(|reason| matches!(reason, HostReason::OutsideHours { .. })),
                !minute.is_open,
                "{}",
                start
            );
            let off_grid = own_grid && minute.is_open && !minute.is_on_grid;
            prop_assert_eq!(has(|reason| matches!(reason, HostReason::OffGrid { .. })), off_grid, "{}", start);
            prop_assert_eq!(HostExplanation::is_free(host), host.reasons.is_empty());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(400))]
    #[test]
    fn the_slots_of_any_zone_are_those_of_a_walk_minute_by_minute(world in worlds(changes())) {
        slots_are_those_of_the_walk(&world, &Oracle::of(&world))?;
    }
}

proptest! {
    #![proptest_config(cases(120))]
    #[test]
    fn in_any_zone_every_minute_can_be_booked_that_the_walk_offers(world in worlds(changes())) {
        what_is_offered_can_be_booked_and_nothing_else(&world, &Oracle::of(&world))?;
    }
}

proptest! {
    #![proptest_config(cases(60))]
    #[test]
    fn in_any_zone_every_minute_is_explained_as_it_is(world in worlds(changes())) {
        the_explanation_says_the_same(&world, &Oracle::of(&world))?;
    }
}

/// Clock changes that are odd in one way or another, and those of 2026 that most people see.
const NAMED: [(&str, &str); 16] = [
    // Half an hour.
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    // 12:45 and 13:45 ahead of UTC.
    ("Pacific/Chatham", "2026-04-04T14:00:00Z"),
    ("Pacific/Chatham", "2026-09-26T14:00:00Z"),
    // 5:45 ahead of UTC, all year.
    ("Asia/Kathmandu", "2026-03-28T18:15:00Z"),
    // A date that did not take place.
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    // Summer time but for Ramadan.
    ("Africa/Casablanca", "2026-02-15T02:00:00Z"),
    ("Africa/Casablanca", "2026-03-22T02:00:00Z"),
    // At midnight: 00:00 is skipped, or happens twice.
    ("America/Santiago", "2026-09-06T04:00:00Z"),
    ("America/Havana", "2026-11-01T05:00:00Z"),
    // Two hours.
    ("Antarctica/Troll", "2026-03-29T01:00:00Z"),
    // Back over midnight by a minute: the same date begins twice.
    ("America/St_Johns", "2010-11-07T02:31:00Z"),
    ("Europe/Madrid", "2026-03-29T01:00:00Z"),
    ("Europe/Madrid", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
];

#[test]
fn at_the_odd_clock_changes_slots_bookings_and_explanations_are_those_of_the_walk() {
    for (zone, change) in NAMED {
        let around: (Tz, DateTime<Utc>) = (TimeZoneName::parse(zone).unwrap().tz(), at(change));
        let few = ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() };
        let held = TestRunner::new(few).run(&worlds(Just(around)), |world| {
            let oracle = Oracle::of(&world);
            slots_are_those_of_the_walk(&world, &oracle)?;
            what_is_offered_can_be_booked_and_nothing_else(&world, &oracle)?;
            the_explanation_says_the_same(&world, &oracle)
        });
        held.unwrap_or_else(|failure| panic!("{zone} at {change}: {failure}"));
    }
}
