//! Why.

use super::*;

fn taken(from: &str, to: &str, source: &'static str) -> Taken<&'static str> {
    Taken { interval: between(from, to), source }
}

#[test]
fn everything_that_speaks_against_a_start_is_listed_the_strongest_first() {
    let rules = rules(RulesInput { notice_minutes: 60, buffer_before_minutes: 15, ..RulesInput::default() });
    let open = mornings(1);
    let obstacles = vec![
        taken("2026-11-23T10:40:00Z", "2026-11-23T11:30:00Z", "a meeting"),
        taken("2026-11-23T10:00:00Z", "2026-11-23T10:30:00Z", "a call"),
        taken("2026-11-23T11:20:00Z", "2026-11-23T11:30:00Z", "later"),
    ];
    let busy = [
        between("2026-11-23T10:00:00Z", "2026-11-23T10:30:00Z"),
        between("2026-11-23T10:40:00Z", "2026-11-23T11:30:00Z"),
    ];
    let hosts = [HostTime { open: &open, busy: &busy }];
    let reached = LimitReached {
        starts: between("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"),
        period: Period::Day,
        count: 1,
        minutes: 30,
    };
    let start = at("2026-11-23T10:35:00Z");
    let window = Bounds { opens: None, closes: Some(at("2026-11-23T00:00:00Z")) };
    let now = at("2026-11-23T10:00:00Z");
    let query = SlotQuery { limits: &[reached], window, now, ..query(&rules, &hosts) };
    let explained = explain(&query, &[obstacles], start);
    assert_eq!(explained.verdict, Err(Refusal::Notice));
    assert!(!explained.is_offered());
    assert_eq!(
        explained.reasons,
        [
            Reason::Notice { earliest: at("2026-11-23T11:00:00Z") },
            Reason::Window { opens: None, closes: window.closes },
            Reason::Limit(reached),
        ]
    );
    let HostReason::OffGrid { before, after } = explained.hosts[0].reasons[0] else { panic!("{explained:?}") };
    assert_eq!((before, after), (Some(at("2026-11-23T10:30:00Z")), Some(at("2026-11-23T11:00:00Z"))));
    let told: Vec<_> = explained.hosts[0].reasons[1..]
        .iter()
        .map(|reason| match reason {
            HostReason::Taken { source, part, .. } => (*source, *part),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, [("a call", Part::BufferBefore), ("a meeting", Part::Appointment)]);
}

#[test]
fn a_start_outside_the_hours_is_told_with_the_hours_around_it() {
    let (rules, open) = (rules(RulesInput::default()), mornings(2));
    let hosts = [HostTime::idle(&open)];
    let explained = explain::<()>(&query(&rules, &hosts), &[vec![]], at("2026-11-23T11:45:00Z"));
    assert_eq!(explained.verdict, Err(Refusal::OutsideHours));
    assert_eq!(
        explained.hosts[0].reasons,
        [HostReason::OutsideHours { before: Some(open[0].interval), after: Some(open[1].interval) }]
    );
}

#[test]
fn an_obstacle_that_only_the_buffer_after_meets_is_told_so() {
    let (rules, open) = (rules(RulesInput { buffer_after_minutes: 10, ..RulesInput::default() }), mornings(1));
    let event = taken("2026-11-23T09:35:00Z", "2026-11-23T09:50:00Z", "a walk");
    let explained = explain_host(&rules, &open, Some(&open), std::slice::from_ref(&event), at("2026-11-23T09:00:00Z"));
    assert_eq!(
        explained.reasons,
        [HostReason::Taken { source: event.source, interval: event.interval, part: Part::BufferAfter }]
    );
    assert!(!explained.is_free());
}

#[test]
fn hosts_who_are_all_needed_have_one_grid() {
    let rules = rules(RulesInput { increment_minutes: 60, ..RulesInput::default() });
    let dates = ("2026-11-23", "2026-11-23");
    let open = [
        open("UTC", ("09:00", "12:00"), dates, Alignment::Interval),
        open("UTC", ("09:30", "12:00"), dates, Alignment::Interval),
    ];
    let hosts = [HostTime::idle(&open[0]), HostTime::idle(&open[1])];
    let all = SlotQuery { needed: Needed::All, ..query(&rules, &hosts) };
    let explained = explain::<()>(&all, &[vec![], vec![]], at("2026-11-23T10:00:00Z"));
    assert_eq!(explained.verdict, Err(Refusal::OffGrid));
    let (before, after) = (Some(at("2026-11-23T09:30:00Z")), Some(at("2026-11-23T10:30:00Z")));
    assert_eq!(explained.reasons, [Reason::OffGrid { before, after }]);
    assert!(explained.hosts.iter().all(HostExplanation::is_free));
    assert!(explain::<()>(&all, &[vec![], vec![]], at("2026-11-23T10:30:00Z")).is_offered());
}

#[test]
fn of_a_day_with_one_slot_the_others_are_told_which_it_is() {
    let rules = rules(RulesInput { daily: DailyOffer::FirstFree, ..RulesInput::default() });
    let open = mornings(1);
    let hosts = [HostTime::idle(&open)];
    let days = local_days(tz("UTC"), between("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"));
    let query = SlotQuery { days: &days, ..query(&rules, &hosts) };
    let explained = explain::<()>(&query, &[vec![]], at("2026-11-23T10:00:00Z"));
    assert_eq!(explained.reasons, [Reason::NotFirst { first: Some(at("2026-11-23T09:00:00Z")) }]);
}

#[test]
fn seats_speak_for_a_start_and_against_it() {
    let (rules, open) = (rules(RulesInput { seats: 4, ..RulesInput::default() }), mornings(1));
    let start = at("2026-11-23T10:00:00Z");
    let own = [taken("2026-11-23T10:00:00Z", "2026-11-23T10:30:00Z", "the session itself")];
    let busy = own.each_ref().map(Interval::from);
    let hosts = [HostTime { open: &open, busy: &busy }];
    let starts = between("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z");
    let limits = [LimitReached { starts, period: Period::Day, count: 1, minutes: 30 }];
    let explained = |seats_left| {
        let sessions = [Session { start, duration: rules.duration, seats_left }];
        let query = SlotQuery { sessions: &sessions, limits: &limits, ..query(&rules, &hosts) };
        let explained = explain(&query, &[own.to_vec()], start);
        (explained.verdict, explained.reasons)
    };
    assert_eq!(explained(3), (Ok(()), vec![Reason::SeatsLeft { seats_left: 3 }]));
    assert_eq!(explained(0), (Err(Refusal::Full), vec![Reason::Full, Reason::Limit(limits[0])]));
}
