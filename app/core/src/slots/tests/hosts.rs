//! Several hosts, and slots with seats.

use super::*;

/// What the hosts offer together, as local times of a zone.
fn offered(needed: Needed, zone: &str, open: &[Vec<OpenInterval>], rules: &Rules) -> Vec<String> {
    let hosts: Vec<_> = open.iter().map(|open| HostTime::idle(open)).collect();
    times(zone, &slots(&SlotQuery { needed, ..query(rules, &hosts) }))
}

fn on_the_23rd(zone: &str, from: &str, to: &str, alignment: Alignment) -> Vec<OpenInterval> {
    open(zone, (from, to), ("2026-11-23", "2026-11-23"), alignment)
}

#[test]
fn nobody_offers_nothing() {
    let rules = rules(RulesInput::default());
    for needed in [Needed::Any, Needed::All] {
        let query = SlotQuery { needed, ..query(&rules, &[]) };
        assert!(slots(&query).is_empty());
        assert_eq!(check(&query, at("2026-11-23T09:00:00Z")), Err(Refusal::OutsideHours));
    }
}

#[test]
fn any_of_several_offers_what_each_offers_once() {
    let rules = rules(RulesInput::default());
    let open = ["09:00", "09:15", "10:00"].map(|from| on_the_23rd("UTC", from, "11:00", Alignment::Interval));
    assert_eq!(
        offered(Needed::Any, "UTC", &open, &rules),
        ["23 09:00", "23 09:15", "23 09:30", "23 09:45", "23 10:00", "23 10:15", "23 10:30"]
    );
}

#[test]
fn one_who_is_busy_leaves_the_slot_to_another() {
    let (rules, open) = (rules(RulesInput::default()), mornings(1));
    let busy = between("2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z");
    let later = between("2026-11-23T09:30:00Z", "2026-11-23T12:00:00Z");
    let hosts = [HostTime { open: &open, busy: &[busy] }, HostTime { open: &open, busy: &[later] }];
    let any = query(&rules, &hosts);
    assert_eq!(times("UTC", &slots(&any)), ["23 09:00", "23 10:00", "23 10:30", "23 11:00", "23 11:30"]);
    assert_eq!(check(&any, at("2026-11-23T09:30:00Z")), Err(Refusal::Busy));
    let all = SlotQuery { needed: Needed::All, ..any };
    assert!(slots(&all).is_empty());
    assert_eq!(check(&all, at("2026-11-23T09:00:00Z")), Err(Refusal::Busy));
}

#[test]
fn all_of_several_have_the_hours_in_common_and_the_grid_of_who_begins_last() {
    let rules = rules(RulesInput::default());
    // 09:00 to 17:00 in Kathmandu is 04:15 to 12:15 in Madrid.
    let open = [
        on_the_23rd("Asia/Kathmandu", "09:00", "17:00", Alignment::Interval),
        on_the_23rd("Europe/Madrid", "10:00", "14:00", Alignment::Interval),
    ];
    assert_eq!(offered(Needed::All, "Europe/Madrid", &open, &rules), ["23 10:00", "23 10:30", "23 11:00", "23 11:30"]);
    let open = [
        on_the_23rd("Asia/Kathmandu", "15:00", "17:00", Alignment::Hour),
        on_the_23rd("Europe/Madrid", "10:00", "14:00", Alignment::Hour),
    ];
    assert_eq!(offered(Needed::All, "Asia/Kathmandu", &open, &rules), ["23 15:00", "23 15:30", "23 16:00", "23 16:30"]);
    let hosts: Vec<_> = open.iter().map(|open| HostTime::idle(open)).collect();
    let all = SlotQuery { needed: Needed::All, ..query(&rules, &hosts) };
    // 10:30 in Madrid: within the hours of both, but 15:15 in Kathmandu.
    assert_eq!(check(&all, at("2026-11-23T09:30:00Z")), Err(Refusal::OffGrid));
    // 13:00 in Madrid.
    assert_eq!(check(&all, at("2026-11-23T12:00:00Z")), Err(Refusal::OutsideHours));
}

#[test]
fn of_hours_that_begin_together_the_grid_is_that_of_the_host_who_is_named_first() {
    let rules = rules(RulesInput { increment_minutes: 60, ..RulesInput::default() });
    let interval = between("2026-11-23T10:00:00Z", "2026-11-23T13:00:00Z");
    let open = [
        vec![OpenInterval { interval, grid: at("2026-11-23T09:15:00Z") }],
        vec![OpenInterval { interval, grid: at("2026-11-23T09:45:00Z") }],
    ];
    assert_eq!(offered(Needed::All, "UTC", &open, &rules), ["23 10:15", "23 11:15", "23 12:15"]);
}

#[test]
fn hours_in_common_reach_over_midnight_where_they_touch() {
    let rules = rules(RulesInput { duration_minutes: 120, increment_minutes: 120, ..RulesInput::default() });
    let dates = ("2026-11-23", "2026-11-24");
    let open = [
        open("Europe/Madrid", ("00:00", "24:00"), dates, Alignment::Interval),
        open("Europe/Lisbon", ("22:00", "02:00"), dates, Alignment::Interval),
    ];
    // Madrid's date changes at 23:00 in Lisbon, and with it the grid: the hours of the 24th have begun last.
    let from_23rd = &offered(Needed::All, "Europe/Lisbon", &open, &rules)[1..3];
    assert_eq!(from_23rd, ["23 22:00", "23 23:00"]);
}

/// A session of half an hour, beside the claim with which it keeps its host busy.
fn session(start: &str, seats_left: u32) -> (Session, [Interval; 1]) {
    let (start, duration) = (at(start), TimeDelta::minutes(30));
    (Session { start, duration, seats_left }, [Interval { start, end: start + duration }])
}

#[test]
fn a_slot_with_seats_left_is_offered_although_it_keeps_its_host_busy() {
    let (rules, open) = (rules(RulesInput { seats: 5, ..RulesInput::default() }), mornings(1));
    let (with_seats, busy) = session("2026-11-23T10:00:00Z", 2);
    let hosts = [HostTime { open: &open, busy: &busy }];
    let query = SlotQuery { sessions: &[with_seats], ..query(&rules, &hosts) };
    assert_eq!(slots(&query).len(), 6);
    assert_eq!(check(&query, with_seats.start), Ok(()));
}

#[test]
fn a_slot_without_seats_is_full_unless_another_host_is_free() {
    let (rules, open) = (rules(RulesInput { seats: 5, ..RulesInput::default() }), mornings(1));
    let (full, busy) = session("2026-11-23T10:00:00Z", 0);
    let hosts = [HostTime { open: &open, busy: &busy }, HostTime::idle(&open)];
    let alone = SlotQuery { sessions: &[full], ..query(&rules, &hosts[..1]) };
    assert_eq!(slots(&alone).len(), 5);
    assert_eq!(check(&alone, full.start), Err(Refusal::Full));
    let two = SlotQuery { hosts: &hosts, ..alone };
    assert_eq!(check(&two, full.start), Ok(()));
}

#[test]
fn a_slot_with_seats_outlives_the_hours_and_the_limits_but_not_notice_and_window() {
    let (rules, open) = (rules(RulesInput { seats: 5, notice_minutes: 60, ..RulesInput::default() }), mornings(1));
    let (with_seats, _) = session("2026-11-23T15:20:00Z", 1);
    let hosts = [HostTime::idle(&open)];
    let starts = between("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z");
    let limits = [LimitReached { starts, period: Period::Day, count: 1, minutes: 30 }];
    let query = SlotQuery { sessions: &[with_seats], limits: &limits, ..query(&rules, &hosts) };
    assert_eq!(slots(&query), [with_seats.start]);
    let late = SlotQuery { now: at("2026-11-23T15:00:00Z"), ..query };
    assert_eq!((slots(&late), check(&late, with_seats.start)), (vec![], Err(Refusal::Notice)));
    let window = Bounds { opens: None, closes: Some(with_seats.start) };
    assert_eq!(check(&SlotQuery { window, ..query }, with_seats.start), Err(Refusal::Window));
}

#[test]
fn a_slot_with_seats_of_another_length_is_not_offered() {
    let (rules, open) = (rules(RulesInput { seats: 5, ..RulesInput::default() }), mornings(1));
    let (half_hour, busy) = session("2026-11-23T10:00:00Z", 4);
    let longer = Session { duration: TimeDelta::minutes(60), ..half_hour };
    let hosts = [HostTime { open: &open, busy: &busy }];
    let query = SlotQuery { sessions: &[longer], ..query(&rules, &hosts) };
    assert_eq!(check(&query, longer.start), Err(Refusal::Busy));
}

#[test]
fn of_a_day_that_offers_its_first_slot_only_one_with_seats_is_offered_too() {
    let days = local_days(tz("UTC"), between("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"));
    let open = mornings(1);
    let (with_seats, busy) = session("2026-11-23T10:00:00Z", 4);
    let hosts = [HostTime { open: &open, busy: &busy }];
    let offered = |daily| {
        let rules = rules(RulesInput { seats: 5, daily, ..RulesInput::default() });
        let query = SlotQuery { sessions: &[with_seats], days: &days, ..query(&rules, &hosts) };
        (times("UTC", &slots(&query)), check(&query, with_seats.start))
    };
    assert_eq!(offered(DailyOffer::FirstOnly), (vec!["23 09:00".to_owned(), "23 10:00".to_owned()], Ok(())));
    assert_eq!(offered(DailyOffer::FirstFree), (vec!["23 09:00".to_owned()], Err(Refusal::NotFirst)));
}
