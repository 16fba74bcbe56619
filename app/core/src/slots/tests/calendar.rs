//! Days, windows and limits.

use super::*;
use crate::event_type::{Limit, Limits, Window};

const MADRID: &str = "Europe/Madrid";

fn half_hours(starts: &[&str]) -> Vec<(DateTime<Utc>, TimeDelta)> {
    starts.iter().map(|start| (at(start), TimeDelta::minutes(30))).collect()
}

/// What a limit closes of December 2026, as the local dates at which it begins and ends.
fn closed(limits: Limits, booked: &[(DateTime<Utc>, TimeDelta)]) -> Vec<(Period, String, String)> {
    let range = between("2026-11-30T23:00:00Z", "2026-12-31T23:00:00Z");
    let local = |instant: DateTime<Utc>| instant.with_timezone(&tz(MADRID)).format("%m-%d %H:%M").to_string();
    let reached = limits_reached(&limits, TimeDelta::minutes(30), tz(MADRID), range, booked);
    reached.iter().map(|of| (of.period, local(of.starts.start), local(of.starts.end))).collect()
}

fn texts(period: Period, from: &str, to: &str) -> (Period, String, String) {
    (period, from.to_owned(), to.to_owned())
}

#[test]
fn a_limit_by_number_closes_its_day_week_or_month() {
    let booked = half_hours(&["2026-12-09T09:00:00Z", "2026-12-09T22:30:00Z"]);
    let most = |count| Limit { count: Some(count), minutes: None };
    let day = Limits { day: most(2), ..Limits::default() };
    assert_eq!(closed(day, &booked), [texts(Period::Day, "12-09 00:00", "12-10 00:00")]);
    let week = Limits { week: most(2), ..Limits::default() };
    assert_eq!(closed(week, &booked), [texts(Period::Week, "12-07 00:00", "12-14 00:00")]);
    let month = Limits { month: most(2), ..Limits::default() };
    assert_eq!(closed(month, &booked), [texts(Period::Month, "12-01 00:00", "01-01 00:00")]);
    assert_eq!(closed(Limits { day: most(3), week: most(3), month: most(3) }, &booked), []);
}

#[test]
fn a_limit_by_minutes_closes_the_day_in_which_another_appointment_would_be_too_much() {
    let booked = half_hours(&["2026-12-09T09:00:00Z"]);
    let most = |minutes| Limits { day: Limit { count: None, minutes: Some(minutes) }, ..Limits::default() };
    assert_eq!(closed(most(60), &booked), []);
    assert_eq!(closed(most(59), &booked).len(), 1);
    // An appointment of half an hour is too much for any day.
    assert_eq!(closed(most(29), &[]).len(), 31);
}

#[test]
fn a_booking_counts_for_the_local_date_of_its_start() {
    let booked = half_hours(&["2026-12-09T23:15:00Z"]);
    let day = Limits { day: Limit { count: Some(1), minutes: None }, ..Limits::default() };
    assert_eq!(closed(day, &booked), [texts(Period::Day, "12-10 00:00", "12-11 00:00")]);
}

#[test]
fn a_limit_that_is_reached_closes_its_starts_only() {
    let rules = rules(RulesInput { increment_minutes: 720, ..RulesInput::default() });
    let open = open("UTC", ("00:00", "24:00"), ("2026-11-22", "2026-11-26"), Alignment::Interval);
    let hosts = [HostTime::idle(&open)];
    let reached = |period, from, to| LimitReached { starts: between(from, to), period, count: 1, minutes: 30 };
    let limits = [
        reached(Period::Week, "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"),
        reached(Period::Day, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"),
    ];
    let query = SlotQuery { limits: &limits, ..query(&rules, &hosts) };
    assert_eq!(times("UTC", &slots(&query)), ["23 00:00", "23 12:00", "25 00:00", "25 12:00", "26 00:00", "26 12:00"]);
    assert_eq!(check(&query, at("2026-11-22T12:00:00Z")), Err(Refusal::Limit(Period::Week)));
    assert_eq!(check(&query, at("2026-11-24T00:00:00Z")), Err(Refusal::Limit(Period::Day)));
}

#[test]
fn a_window_is_counted_in_dates_of_the_event_types_zone() {
    let window = |now, window: Window| {
        let bounds = window_bounds(tz(MADRID), at(now), &window);
        (bounds.opens.map(|at| at.to_rfc3339()), bounds.closes.map(|at| at.to_rfc3339()))
    };
    let until = |text: &str| (None, Some(text.to_owned()));
    // It is the 23rd already in Madrid.
    assert_eq!(window("2026-11-22T23:30:00Z", Window::RollingDays { days: 1 }), until("2026-11-23T23:00:00+00:00"));
    // Over a clock change a day is a day.
    assert_eq!(window("2026-10-24T10:00:00Z", Window::RollingDays { days: 2 }), until("2026-10-25T23:00:00+00:00"));
    // From Saturday: Monday and Tuesday.
    assert_eq!(window("2026-11-28T10:00:00Z", Window::BusinessDays { days: 2 }), until("2026-12-01T23:00:00+00:00"));
    let december = Window::Dates { first: date("2026-12-01"), last: date("2026-12-24") };
    let (opens, closes) = window("2026-11-22T10:00:00Z", december);
    assert_eq!(opens.as_deref(), Some("2026-11-30T23:00:00+00:00"));
    assert_eq!(closes.as_deref(), Some("2026-12-24T23:00:00+00:00"));
    assert_eq!(window("2026-11-22T10:00:00Z", Window::Open), (None, None));
}

#[test]
fn dates_at_the_end_of_time_make_a_window_like_any_other() {
    let forever = Window::Dates { first: NaiveDate::MIN, last: NaiveDate::MAX };
    for tz in chrono_tz::TZ_VARIANTS {
        let bounds = window_bounds(tz, at("2026-11-22T10:00:00Z"), &forever);
        assert!(
            bounds.opens.unwrap() < at("0002-01-01T00:00:00Z") && bounds.closes.unwrap() > at("9999-12-30T00:00:00Z")
        );
    }
}

#[test]
fn a_period_holds_its_instant_where_the_clock_goes_back_over_midnight() {
    // St John's went from 00:01 on the 7th back to 23:01 on the 6th.
    let st_johns = tz("America/St_Johns");
    let again = at("2010-11-07T02:45:00Z");
    assert_eq!(again.with_timezone(&st_johns).format("%d %H:%M").to_string(), "06 23:15");
    for period in Period::ALL {
        assert!(period_around(st_johns, again, period).contains(again), "{period:?}");
    }
    let range = Interval { start: again, end: again + TimeDelta::minutes(1) };
    let days = local_days(st_johns, range);
    assert_eq!(days.iter().filter(|day| day.contains(again)).count(), 1);
}

#[test]
fn the_earliest_free_slot_of_each_day_is_the_only_one() {
    let rules = rules(RulesInput { daily: DailyOffer::FirstFree, ..RulesInput::default() });
    let (open, busy) = (mornings(3), [between("2026-11-24T08:00:00Z", "2026-11-24T10:00:00Z")]);
    let hosts = [HostTime { open: &open, busy: &busy }];
    let days = local_days(tz("UTC"), between("2026-11-23T00:00:00Z", "2026-11-26T00:00:00Z"));
    let query = SlotQuery { days: &days, now: at("2026-11-23T09:10:00Z"), ..query(&rules, &hosts) };
    assert_eq!(times("UTC", &slots(&query)), ["23 09:30", "24 10:00", "25 09:00"]);
    assert_eq!(check(&query, at("2026-11-24T10:00:00Z")), Ok(()));
    assert_eq!(check(&query, at("2026-11-24T10:30:00Z")), Err(Refusal::NotFirst));
    assert_eq!(check(&query, at("2026-11-24T09:30:00Z")), Err(Refusal::Busy));
}

#[test]
fn the_first_slot_of_the_hours_is_offered_or_none() {
    let rules = rules(RulesInput { daily: DailyOffer::FirstOnly, ..RulesInput::default() });
    let (open, busy) = (mornings(3), [between("2026-11-24T08:00:00Z", "2026-11-24T10:00:00Z")]);
    let hosts = [HostTime { open: &open, busy: &busy }];
    let days = local_days(tz("UTC"), between("2026-11-23T00:00:00Z", "2026-11-26T00:00:00Z"));
    let query = SlotQuery { days: &days, now: at("2026-11-23T09:10:00Z"), ..query(&rules, &hosts) };
    assert_eq!(times("UTC", &slots(&query)), ["25 09:00"]);
    assert_eq!(check(&query, at("2026-11-23T09:30:00Z")), Err(Refusal::NotFirst));
    assert_eq!(check(&query, at("2026-11-24T09:00:00Z")), Err(Refusal::Busy));
}

#[test]
fn a_range_that_cuts_the_day_does_not_make_another_slot_the_first() {
    for daily in [DailyOffer::FirstFree, DailyOffer::FirstOnly] {
        let (rules, open) = (rules(RulesInput { daily, ..RulesInput::default() }), mornings(1));
        let hosts = [HostTime::idle(&open)];
        let days = local_days(tz("UTC"), between("2026-11-23T10:00:00Z", "2026-11-23T12:00:00Z"));
        let whole = SlotQuery { days: &days, ..query(&rules, &hosts) };
        let cut = |from, to| slots(&SlotQuery { range: between(from, to), ..whole });
        assert!(cut("2026-11-23T10:00:00Z", "2026-11-23T12:00:00Z").is_empty());
        assert_eq!(cut("2026-11-23T09:00:00Z", "2026-11-23T09:01:00Z"), [at("2026-11-23T09:00:00Z")]);
        assert_eq!(check(&whole, at("2026-11-23T10:00:00Z")), Err(Refusal::NotFirst));
    }
}
