//! What is offered and what is refused. The walk minute by minute that all of it is compared with is in
//! `tests/clock_changes`.

mod calendar;
mod explanation;
mod hosts;

use chrono::NaiveDate;

use super::*;
use crate::{
    availability::Availability,
    event_type::{Alignment, RulesInput},
    schedule::{LocalInterval, WeeklyHours},
    zone::TimeZoneName,
};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn between(from: &str, to: &str) -> Interval {
    Interval::new(at(from), at(to)).unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn tz(name: &str) -> chrono_tz::Tz {
    TimeZoneName::parse(name).unwrap().tz()
}

/// Half an hour every half hour, but for what is said.
fn rules(input: RulesInput) -> Rules {
    Rules::parse(input).unwrap()
}

/// The hours from 09:00 to 12:00 UTC on the 23rd of November 2026, a Monday, and on the days after it.
fn mornings(days: u32) -> Vec<OpenInterval> {
    let day = |number| {
        let (from, to) = (at("2026-11-23T09:00:00Z"), at("2026-11-23T12:00:00Z"));
        let later = TimeDelta::days(i64::from(number));
        OpenInterval::from_start(Interval { start: from + later, end: to + later })
    };
    (0..days).map(day).collect()
}

/// What hours of every day in a zone are open from one date to another, as `HH:MM` to `HH:MM`.
fn open(zone: &str, hours: (&str, &str), dates: (&str, &str), alignment: Alignment) -> Vec<OpenInterval> {
    let hours = LocalInterval::parse(hours.0, hours.1).unwrap();
    let weekly = WeeklyHours::new(std::array::from_fn(|_| vec![hours])).unwrap();
    let host = Availability::new(TimeZoneName::parse(zone).unwrap(), weekly);
    host.open_intervals(date(dates.0), date(dates.1), alignment)
}

/// A query for everything, of hosts of whom any will do.
fn query<'a>(rules: &'a Rules, hosts: &'a [HostTime<'a>]) -> SlotQuery<'a> {
    SlotQuery {
        rules,
        needed: Needed::Any,
        hosts,
        sessions: &[],
        limits: &[],
        days: &[],
        window: Bounds::default(),
        now: at("2009-01-01T00:00:00Z"),
        range: between("2010-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
    }
}

/// Instants as local times of a zone.
fn times(zone: &str, starts: &[DateTime<Utc>]) -> Vec<String> {
    starts.iter().map(|start| start.with_timezone(&tz(zone)).format("%d %H:%M").to_string()).collect()
}

#[test]
fn every_refusal_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> = Refusal::ALL.iter().map(|refusal| refusal.as_str()).collect();
    assert_eq!(names.len(), Refusal::ALL.len());
}

#[test]
fn each_refusal_tells_its_reason() {
    let rules = rules(RulesInput { notice_minutes: 24 * 60, ..RulesInput::default() });
    let open: Vec<_> = ["2026-11-22", "2026-11-24", "2026-11-25", "2026-12-23"]
        .map(|day| between(&format!("{day}T09:00:00Z"), &format!("{day}T17:00:00Z")))
        .map(OpenInterval::from_start)
        .into();
    let hosts = [HostTime { open: &open, busy: &[between("2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z")] }];
    let full = |period, starts| LimitReached { starts, period, count: 3, minutes: 90 };
    let session = |start, seats_left| Session { start: at(start), duration: rules.duration, seats_left };
    let query = SlotQuery {
        sessions: &[session("2026-11-24T10:00:00Z", 0), session("2026-11-24T13:15:00Z", 1)],
        limits: &[full(Period::Day, between("2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z"))],
        window: Bounds { opens: None, closes: Some(at("2026-12-22T23:00:00Z")) },
        now: at("2026-11-22T08:00:00Z"),
        ..query(&rules, &hosts)
    };
    for (start, expected) in [
        ("2026-11-24T09:00:00Z", Ok(())),
        ("2026-11-24T11:00:00Z", Ok(())),
        ("2026-11-24T13:15:00Z", Ok(())),
        ("2026-11-22T10:00:00Z", Err(Refusal::Notice)),
        ("2026-12-23T10:00:00Z", Err(Refusal::Window)),
        ("2026-11-24T08:30:00Z", Err(Refusal::OutsideHours)),
        ("2026-11-24T16:45:00Z", Err(Refusal::OutsideHours)),
        ("2026-11-24T09:10:00Z", Err(Refusal::OffGrid)),
        ("2026-11-24T09:00:00.0000001Z", Err(Refusal::OffGrid)),
        ("2026-11-24T10:00:00Z", Err(Refusal::Full)),
        ("2026-11-24T10:30:00Z", Err(Refusal::Busy)),
        ("2026-11-25T09:00:00Z", Err(Refusal::Limit(Period::Day))),
    ] {
        assert_eq!(check(&query, at(start)), expected, "{start}");
    }
}

#[test]
fn a_slot_before_the_window_opens_is_refused() {
    let rules = rules(RulesInput::default());
    let open = mornings(2);
    let hosts = [HostTime::idle(&open)];
    let window = Bounds { opens: Some(at("2026-11-24T00:00:00Z")), closes: None };
    let query = SlotQuery { window, ..query(&rules, &hosts) };
    assert_eq!(slots(&query)[0], at("2026-11-24T09:00:00Z"));
    assert_eq!(check(&query, at("2026-11-23T09:00:00Z")), Err(Refusal::Window));
}

#[test]
fn between_two_appointments_both_buffers_stand_and_they_may_reach_beyond_the_hours() {
    let rules = rules(RulesInput { buffer_before_minutes: 20, buffer_after_minutes: 10, ..RulesInput::default() });
    let open = mornings(1);
    let booked = claim(&rules, at("2026-11-23T10:00:00Z"));
    let hosts = [HostTime { open: &open, busy: &[booked] }];
    // 09:30 would be free again at 10:10, and 10:30 needs the time from 10:10 on, but 10:40 is free first.
    assert_eq!(times("UTC", &slots(&query(&rules, &hosts))), ["23 09:00", "23 11:00", "23 11:30"]);
}

#[test]
fn something_short_between_two_starts_is_seen_by_the_buffer() {
    let rules = rules(RulesInput { increment_minutes: 60, buffer_before_minutes: 20, ..RulesInput::default() });
    let open = mornings(1);
    let hosts = [HostTime { open: &open, busy: &[between("2026-11-23T09:35:00Z", "2026-11-23T09:45:00Z")] }];
    assert_eq!(times("UTC", &slots(&query(&rules, &hosts))), ["23 09:00", "23 11:00"]);
}

#[test]
fn both_of_the_doubled_hours_are_offered_once_each() {
    let open = open("Europe/Madrid", ("02:00", "03:00"), ("2026-10-25", "2026-10-25"), Alignment::Interval);
    let (rules, hosts) = (rules(RulesInput::default()), [HostTime::idle(&open)]);
    let offered = slots(&query(&rules, &hosts));
    assert_eq!(times("Europe/Madrid", &offered), ["25 02:00", "25 02:30", "25 02:00", "25 02:30"]);
    assert_eq!(times("UTC", &offered), ["25 00:00", "25 00:30", "25 01:00", "25 01:30"]);
}

#[test]
fn a_slot_in_the_spring_gap_is_not_offered() {
    let open = open("Europe/Madrid", ("01:00", "04:00"), ("2026-03-29", "2026-03-29"), Alignment::Interval);
    let rules = rules(RulesInput { duration_minutes: 60, increment_minutes: 60, ..RulesInput::default() });
    let hosts = [HostTime::idle(&open)];
    assert_eq!(times("Europe/Madrid", &slots(&query(&rules, &hosts))), ["29 01:00", "29 03:00"]);
}

#[test]
fn lord_howe_has_half_an_hour_twice() {
    let open = open("Australia/Lord_Howe", ("01:00", "02:30"), ("2026-04-05", "2026-04-05"), Alignment::Interval);
    let (rules, hosts) = (rules(RulesInput::default()), [HostTime::idle(&open)]);
    assert_eq!(
        times("Australia/Lord_Howe", &slots(&query(&rules, &hosts))),
        ["05 01:00", "05 01:30", "05 01:30", "05 02:00"]
    );
}

#[test]
fn a_date_that_did_not_take_place_has_no_slots() {
    let open = open("Pacific/Apia", ("09:00", "10:00"), ("2011-12-29", "2011-12-31"), Alignment::Interval);
    let (rules, hosts) = (rules(RulesInput::default()), [HostTime::idle(&open)]);
    assert_eq!(times("Pacific/Apia", &slots(&query(&rules, &hosts))), ["29 09:00", "29 09:30", "31 09:00", "31 09:30"]);
}

#[test]
fn starts_are_counted_from_the_hours_or_from_the_full_hour() {
    let rules = rules(RulesInput::default());
    let starts = |zone, alignment| {
        let open = open(zone, ("09:10", "11:00"), ("2026-11-23", "2026-11-23"), alignment);
        times(zone, &slots(&query(&rules, &[HostTime::idle(&open)])))
    };
    assert_eq!(starts("Europe/Madrid", Alignment::Interval), ["23 09:10", "23 09:40", "23 10:10"]);
    assert_eq!(starts("Europe/Madrid", Alignment::Hour), ["23 09:30", "23 10:00", "23 10:30"]);
    // The full hour of the clock in Kathmandu, 5:45 ahead of UTC.
    assert_eq!(starts("Asia/Kathmandu", Alignment::Hour), ["23 09:30", "23 10:00", "23 10:30"]);
}

#[test]
fn an_appointment_may_reach_over_midnight_where_hours_touch() {
    let rules = rules(RulesInput { duration_minutes: 90, increment_minutes: 60, ..RulesInput::default() });
    let open = open("UTC", ("00:00", "24:00"), ("2026-11-23", "2026-11-24"), Alignment::Interval);
    let hosts = [HostTime::idle(&open)];
    let offered = slots(&query(&rules, &hosts));
    assert_eq!(offered.len(), 24 + 23);
    assert_eq!(check(&query(&rules, &hosts), at("2026-11-23T23:00:00Z")), Ok(()));
    assert_eq!(check(&query(&rules, &hosts), at("2026-11-24T23:00:00Z")), Err(Refusal::OutsideHours));
}

#[test]
fn what_a_day_offers_does_not_depend_on_the_dates_that_were_read_with_it() {
    // 50 minutes do not go into a day: a grid that ran on over midnight would be another one every day.
    let rules = rules(RulesInput { duration_minutes: 45, increment_minutes: 50, ..RulesInput::default() });
    let of_the_24th = |dates| {
        let open = open("Europe/Madrid", ("00:00", "24:00"), dates, Alignment::Interval);
        let range = between("2026-11-23T23:00:00Z", "2026-11-24T23:00:00Z");
        slots(&SlotQuery { range, ..query(&rules, &[HostTime::idle(&open)]) })
    };
    let offered = of_the_24th(("2026-11-24", "2026-11-25"));
    assert_eq!(times("Europe/Madrid", &offered)[..2], ["24 00:00", "24 00:50"]);
    assert_eq!(of_the_24th(("2026-11-01", "2026-12-01")), offered);
}
