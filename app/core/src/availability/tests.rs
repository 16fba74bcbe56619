use proptest::prelude::*;

use super::*;
use crate::schedule::WeeklyHours;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn hours(start: &str, end: &str) -> LocalInterval {
    LocalInterval::parse(start, end).unwrap()
}

fn daily(zone: &str, intervals: &[LocalInterval]) -> Availability {
    let days = std::array::from_fn(|_| intervals.to_vec());
    Availability::new(TimeZoneName::parse(zone).unwrap(), WeeklyHours::new(days).unwrap())
}

/// The open intervals as UTC texts.
fn opened(availability: &Availability, first: &str, last: &str) -> Vec<(String, String)> {
    let text = |at: DateTime<Utc>| at.format("%m-%d %H:%M").to_string();
    let open = availability.open_intervals(date(first), date(last), Alignment::Interval);
    open.iter().map(|open| (text(open.interval.start), text(open.interval.end))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(start, end)| ((*start).to_owned(), (*end).to_owned())).collect()
}

#[test]
fn an_override_stands_instead_of_the_weekly_hours_and_of_a_holiday() {
    let mut host = daily("UTC", &[hours("09:00", "17:00")]);
    host.overrides = vec![
        DateOverride::new(date("2026-12-24"), vec![hours("10:00", "12:00")]).unwrap(),
        DateOverride::new(date("2026-12-26"), Vec::new()).unwrap(),
    ];
    host.holidays = vec![Holiday { first: date("2026-12-24"), last: date("2026-12-25"), name: "Christmas".to_owned() }];
    assert_eq!(
        opened(&host, "2026-12-23", "2026-12-27"),
        pairs(&[("12-23 09:00", "12-23 17:00"), ("12-24 10:00", "12-24 12:00"), ("12-27 09:00", "12-27 17:00")])
    );
}

#[test]
fn an_absence_closes_what_it_covers_and_keeps_the_grid() {
    let mut host = daily("Europe/Madrid", &[hours("09:00", "17:00")]);
    host.absences = vec![Absence {
        from: date("2026-11-23").and_hms_opt(10, 10, 0).unwrap(),
        to: date("2026-11-23").and_hms_opt(12, 0, 0).unwrap(),
    }];
    let open = host.open_intervals(date("2026-11-23"), date("2026-11-23"), Alignment::Interval);
    assert_eq!(
        opened(&host, "2026-11-23", "2026-11-23"),
        pairs(&[("11-23 08:00", "11-23 09:10"), ("11-23 11:00", "11-23 16:00")])
    );
    assert_eq!(open[0].grid, open[1].grid);
}

#[test]
fn whole_days_off_run_from_midnight_to_midnight_of_their_zone() {
    let mut host = daily("America/New_York", &[hours("00:00", "24:00")]);
    let midnight = |text| date(text).and_time(NaiveTime::MIN);
    host.absences = vec![Absence { from: midnight("2026-11-01"), to: midnight("2026-11-02") }];
    assert!(host.absences[0].is_whole_days());
    // The day of the autumn change has 25 hours.
    assert_eq!(host.absent()[0].duration(), TimeDelta::hours(25));
}

#[test]
fn an_evening_that_crosses_midnight_goes_with_its_own_date() {
    let mut host = daily("UTC", &[hours("22:00", "02:00")]);
    host.overrides = vec![DateOverride::new(date("2026-11-24"), Vec::new()).unwrap()];
    assert_eq!(
        opened(&host, "2026-11-24", "2026-11-25"),
        pairs(&[("11-23 22:00", "11-24 02:00"), ("11-25 22:00", "11-26 02:00")])
    );
}

#[test]
fn hours_that_touch_at_midnight_stay_apart_and_cover_an_appointment_together() {
    let host = daily("UTC", &[hours("00:00", "24:00")]);
    assert_eq!(
        opened(&host, "2026-11-23", "2026-11-24"),
        pairs(&[("11-23 00:00", "11-24 00:00"), ("11-24 00:00", "11-25 00:00")])
    );
    let open = host.open_intervals(date("2026-11-23"), date("2026-11-24"), Alignment::Interval);
    let appointment = |from: &str, to: &str| Interval::new(from.parse().unwrap(), to.parse().unwrap()).unwrap();
    assert!(covers(&open, appointment("2026-11-23T23:30:00Z", "2026-11-24T00:30:00Z")));
    assert!(!covers(&open, appointment("2026-11-24T23:30:00Z", "2026-11-25T00:30:00Z")));
    assert!(!covers(&open, appointment("2026-11-22T23:30:00Z", "2026-11-23T00:30:00Z")));
    assert!(!covers(&[], appointment("2026-11-22T23:30:00Z", "2026-11-23T00:30:00Z")));
}

#[test]
fn a_late_evening_goes_on_into_an_override_of_the_next_date() {
    let mut host = daily("UTC", &[hours("22:00", "02:00")]);
    host.overrides = vec![DateOverride::new(date("2026-11-24"), vec![hours("01:10", "05:00")]).unwrap()];
    let open = host.open_intervals(date("2026-11-24"), date("2026-11-24"), Alignment::Interval);
    assert_eq!(
        opened(&host, "2026-11-24", "2026-11-24"),
        pairs(&[("11-23 22:00", "11-24 02:00"), ("11-24 02:00", "11-24 05:00")])
    );
    assert_eq!(open[1].grid.format("%R").to_string(), "01:10");
}

#[test]
fn a_day_off_ends_with_its_own_midnight_where_midnight_happens_twice() {
    // Havana goes from 01:00 back to 00:00: the 1st of November begins at 04:00Z and again at 05:00Z.
    let mut host = daily("America/Havana", &[hours("00:00", "24:00")]);
    let midnight = |text| date(text).and_time(NaiveTime::MIN);
    host.absences = vec![Absence { from: midnight("2026-10-31"), to: midnight("2026-11-01") }];
    assert_eq!(opened(&host, "2026-10-31", "2026-11-01"), pairs(&[("11-01 04:00", "11-02 05:00")]));
    host.absences = vec![Absence { from: midnight("2026-11-01"), to: midnight("2026-11-02") }];
    assert_eq!(opened(&host, "2026-10-31", "2026-11-01"), pairs(&[("10-31 04:00", "11-01 04:00")]));
}

#[test]
fn an_absence_over_a_journey_lasts_without_a_break() {
    let mut host = daily("Europe/Madrid", &[hours("00:00", "24:00")]);
    let time_zone = TimeZoneName::parse("America/New_York").unwrap();
    host.travels = vec![Travel { first: date("2026-11-24"), last: date("2026-11-30"), time_zone }];
    let at = |text: &str, hour| date(text).and_hms_opt(hour, 0, 0).unwrap();
    host.absences = vec![Absence { from: at("2026-11-23", 12), to: at("2026-11-25", 12) }];
    let absent = host.absent();
    assert_eq!((absent.len(), absent[0].duration()), (1, TimeDelta::hours(48 + 6)));
}

#[test]
fn what_is_open_around_a_range_decides_about_all_of_it() {
    // Kiritimati is a day ahead of Pago Pago.
    let mut host = daily("Pacific/Pago_Pago", &[hours("20:00", "04:00"), hours("10:00", "12:00")]);
    let time_zone = TimeZoneName::parse("Pacific/Kiritimati").unwrap();
    host.travels = vec![Travel { first: date("2026-11-24"), last: date("2026-11-25"), time_zone }];
    let more = host.open_intervals(date("2026-11-01"), date("2026-12-20"), Alignment::Interval);
    for hour in 0..96 {
        let start = date("2026-11-22").and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(hour);
        let range = Interval { start, end: start + TimeDelta::hours(1) };
        let reach = Interval { end: range.end + TimeDelta::hours(12), ..range };
        let within = |open: Vec<OpenInterval>| -> Vec<_> {
            open.into_iter().filter(|open| open.interval.overlaps(&reach)).collect()
        };
        assert_eq!(within(host.open_around(range, Alignment::Interval)), within(more.clone()), "{start}");
    }
}

#[test]
fn a_travelling_host_is_booked_by_the_clock_of_where_they_are() {
    let mut host = daily("Europe/Madrid", &[hours("09:00", "17:00")]);
    let time_zone = TimeZoneName::parse("America/New_York").unwrap();
    host.travels = vec![Travel { first: date("2026-11-24"), last: date("2026-11-24"), time_zone }];
    assert_eq!(
        opened(&host, "2026-11-23", "2026-11-25"),
        pairs(&[("11-23 08:00", "11-23 16:00"), ("11-24 14:00", "11-24 22:00"), ("11-25 08:00", "11-25 16:00")])
    );
}

#[test]
fn flying_west_never_makes_an_instant_open_twice() {
    let mut host = daily("Pacific/Auckland", &[hours("00:00", "24:00")]);
    let time_zone = TimeZoneName::parse("Pacific/Honolulu").unwrap();
    host.travels = vec![Travel { first: date("2026-11-24"), last: date("2026-11-30"), time_zone }];
    let open = host.open_intervals(date("2026-11-20"), date("2026-12-02"), Alignment::Interval);
    assert!(open.windows(2).all(|pair| pair[0].interval.end <= pair[1].interval.start));
}

#[test]
fn a_grid_by_the_hour_follows_the_local_clock() {
    let at = |zone, start| {
        let host = daily(zone, &[hours(start, "17:00")]);
        let open = host.open_intervals(date("2026-11-23"), date("2026-11-23"), Alignment::Hour);
        open[0].grid.format("%H:%M").to_string()
    };
    assert_eq!(at("Europe/Madrid", "09:10"), "08:00");
    // 09:00 in Kathmandu is 03:15Z.
    assert_eq!(at("Asia/Kathmandu", "09:10"), "03:15");
    assert_eq!(at("UTC", "09:00"), "09:00");
}

#[test]
fn a_date_named_twice_and_travels_that_overlap_are_refused() {
    let closed = |text| DateOverride::new(date(text), Vec::new()).unwrap();
    let twice = Availability::checked_overrides(vec![closed("2026-12-24"), closed("2026-12-24")]);
    assert_eq!(twice.unwrap_err().0[0].field, "overrides");
    let time_zone = TimeZoneName::parse("UTC").unwrap();
    let travel = |first, last| Travel { first: date(first), last: date(last), time_zone };
    let key = |travels| Availability::checked_travels(travels).unwrap_err().0[0].problem.key;
    assert_eq!(key(vec![travel("2026-12-24", "2026-12-23")]), "error.date_order");
    assert_eq!(
        key(vec![travel("2026-12-20", "2026-12-23"), travel("2026-12-23", "2026-12-24")]),
        "error.travels_overlap"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    /// A random schedule, against a walk over every minute that asks each rule by itself.
    #[test]
    fn the_open_instants_are_those_of_a_walk_minute_by_minute(
        zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
        away in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
        around in 0i64..16_000,
        (start, length, other_start, other_length) in (0u16..1440, 30u16..1439, 0u16..1440, 30u16..1439),
        (overridden, holiday, travel) in (0i64..6, 0i64..6, 0i64..6),
        (absent_from, absent_minutes) in (0i64..6 * 1440, 1i64..2000),
    ) {
        let first = date("1990-01-05") + TimeDelta::days(around);
        let weekly = LocalInterval { start_minute: start, end_minute: start + length };
        let other = LocalInterval { start_minute: other_start, end_minute: other_start + other_length };
        let mut host = daily(zone.name(), &[weekly]);
        host.overrides = vec![DateOverride::new(first + TimeDelta::days(overridden), vec![other]).unwrap()];
        let day = first + TimeDelta::days(holiday);
        host.holidays = vec![Holiday { first: day, last: day, name: String::new() }];
        let gone = first + TimeDelta::days(travel);
        let time_zone = TimeZoneName::parse(away.name()).unwrap();
        host.travels = vec![Travel { first: gone, last: gone, time_zone }];
        let from = first.and_time(NaiveTime::MIN) + TimeDelta::minutes(absent_from);
        host.absences = vec![Absence { from, to: from + TimeDelta::minutes(absent_minutes) }];
        let last = first + TimeDelta::days(5);
        let absent = host.absent();

        let open = host.open_intervals(first, last, Alignment::Interval);
        // Whether a minute belongs to the hours of a date, asked of that date's rules and clock alone.
        let belongs = |date: NaiveDate, local: NaiveDateTime| {
            let minute = (local - date.and_time(NaiveTime::MIN)).num_minutes();
            let is_in = |at: &LocalInterval| i64::from(at.start_minute) <= minute && minute < i64::from(at.end_minute);
            let hours: Vec<_> = match host.overrides.iter().find(|of| of.date == date) {
                Some(of) => of.hours().to_vec(),
                None if date == day => Vec::new(),
                None => vec![weekly],
            };
            hours.iter().any(|hours| (date >= first || hours.crosses_midnight()) && is_in(hours))
        };
        let (mut instant, end) = (first.and_time(NaiveTime::MIN).and_utc() - TimeDelta::hours(60), last.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(72));
        let mut at = 0;
        while instant < end {
            // Offsets of whole minutes only: before 1972 some zones had seconds, since then none.
            let mut expected = false;
            for tz in [zone, away] {
                let local = instant.with_timezone(&tz).naive_local();
                for date in [local.date(), local.date() - Days::new(1)] {
                    let is_walked = first - Days::new(1) <= date && date <= last;
                    expected |= is_walked && host.zone_on(date) == tz && belongs(date, local);
                }
            }
            expected &= !absent.iter().any(|absent| absent.contains(instant));
            while at < open.len() && open[at].interval.end <= instant {
                at += 1;
            }
            let is_open = open.get(at).is_some_and(|open| open.interval.contains(instant));
            prop_assert_eq!(is_open, expected, "{} {}", instant, zone.name());
            instant += TimeDelta::minutes(1);
        }
    }
}
