//! The clocks of 2026, as the rules in force say; a database without them is too old.

use chrono::{NaiveDate, TimeDelta};
use cupo_core::{
    availability::Availability,
    event_type::Alignment,
    schedule::{LocalInterval, WeeklyHours},
    zone::{TimeZoneName, next_transition},
};

use crate::world::at;

/// The changes of a zone's clocks in 2026, with the offset from then on in minutes.
fn changes(zone: &str) -> Vec<(String, i64)> {
    let tz = TimeZoneName::parse(zone).unwrap().tz();
    let (mut since, until) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    let mut found = Vec::new();
    while let Some(change) = next_transition(tz, since, until) {
        found.push((change.at.format("%m-%dT%H:%MZ").to_string(), change.after.num_minutes()));
        since = change.at;
    }
    found
}

#[test]
fn the_clocks_change_when_the_rules_say() {
    for (zone, expected) in [
        ("Europe/Madrid", &[("03-29T01:00Z", 120), ("10-25T01:00Z", 60)][..]),
        ("Europe/London", &[("03-29T01:00Z", 60), ("10-25T01:00Z", 0)]),
        ("America/New_York", &[("03-08T07:00Z", -240), ("11-01T06:00Z", -300)]),
        ("America/Santiago", &[("04-05T03:00Z", -240), ("09-06T04:00Z", -180)]),
        ("America/Havana", &[("03-08T05:00Z", -240), ("11-01T05:00Z", -300)]),
        ("America/Nuuk", &[("03-29T01:00Z", -60), ("10-25T01:00Z", -120)]),
        ("Africa/Cairo", &[("04-23T22:00Z", 180), ("10-29T21:00Z", 120)]),
        // Ramadan.
        ("Africa/Casablanca", &[("02-15T02:00Z", 0), ("03-22T02:00Z", 60)]),
        ("Asia/Jerusalem", &[("03-27T00:00Z", 180), ("10-24T23:00Z", 120)]),
        ("Asia/Beirut", &[("03-28T22:00Z", 180), ("10-24T21:00Z", 120)]),
        ("Australia/Lord_Howe", &[("04-04T15:00Z", 630), ("10-03T15:30Z", 660)]),
        ("Pacific/Chatham", &[("04-04T14:00Z", 765), ("09-26T14:00Z", 825)]),
        ("Antarctica/Troll", &[("03-29T01:00Z", 120), ("10-25T01:00Z", 0)]),
        // They have given it up.
        ("America/Mexico_City", &[]),
        ("America/Asuncion", &[]),
        ("Asia/Tehran", &[]),
        ("Asia/Amman", &[]),
        ("Asia/Almaty", &[]),
        ("Asia/Kathmandu", &[]),
        ("Pacific/Apia", &[]),
    ] {
        let expected: Vec<_> = expected.iter().map(|(at, minutes)| ((*at).to_owned(), *minutes)).collect();
        assert_eq!(changes(zone), expected, "{zone}");
    }
}

#[test]
fn office_hours_begin_at_nine_and_last_for_eight_hours_on_every_date_of_every_zone() {
    let hours = LocalInterval { start_minute: 9 * 60, end_minute: 17 * 60 };
    let weekly = WeeklyHours::new(std::array::from_fn(|_| vec![hours])).unwrap();
    let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day).unwrap();
    for name in TimeZoneName::all() {
        let zone = TimeZoneName::parse(name).unwrap();
        let open = Availability::new(zone, weekly.clone()).open_intervals(day(1, 1), day(12, 31), Alignment::Hour);
        assert_eq!(open.len(), 365, "{name}");
        for open in open {
            let local = open.interval.start.with_timezone(&zone.tz()).time();
            assert_eq!(local.to_string(), "09:00:00", "{name} {}", open.interval.start);
            assert_eq!(open.interval.duration(), TimeDelta::hours(8), "{name} {}", open.interval.start);
            assert_eq!(open.grid, open.interval.start, "{name}");
        }
    }
}
