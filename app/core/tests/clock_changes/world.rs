//! Random hosts and rules around the moment at which a zone changes its clocks.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use cupo_core::{
    availability::{Absence, Availability, Holiday, OpenInterval, Travel},
    event_type::{Alignment, DailyOffer, Limit, Limits, Rules, RulesInput, Window},
    interval::{Interval, normalize},
    schedule::{DateOverride, LocalInterval, WeeklyHours},
    slots::{
        Bounds, HostTime, LimitReached, Needed, Session, SlotQuery, Taken, limits_reached, local_days, window_bounds,
    },
    zone::{TimeZoneName, next_transition},
};
use proptest::{collection::vec, option::weighted, prelude::*, sample::select};

/// A host: rules, and what makes up the busy time, in any order.
#[derive(Debug, Clone)]
pub struct Host {
    pub availability: Availability,
    pub taken: Vec<Taken<usize>>,
}

/// Everything that decides about slots, as people said it.
#[derive(Debug, Clone)]
pub struct World {
    pub zone: Tz,
    pub rules: Rules,
    pub needed: Needed,
    pub hosts: Vec<Host>,
    pub sessions: Vec<Session>,
    pub booked: Vec<(DateTime<Utc>, TimeDelta)>,
    pub now: DateTime<Utc>,
    pub range: Interval,
}

/// What the engine is given instead, made by the functions that make it in the product.
pub struct Prepared {
    open: Vec<Vec<OpenInterval>>,
    busy: Vec<Vec<Interval>>,
    taken: Vec<Vec<Taken<usize>>>,
    limits: Vec<LimitReached>,
    days: Vec<Interval>,
    window: Bounds,
}

impl World {
    pub fn prepare(&self) -> Prepared {
        let Self { zone, rules, hosts, .. } = self;
        let busy = |host: &Host| normalize(host.taken.iter().map(Interval::from).collect());
        Prepared {
            open: hosts.iter().map(|host| host.availability.open_around(self.range, rules.alignment)).collect(),
            busy: hosts.iter().map(busy).collect(),
            taken: hosts.iter().map(|host| host.taken.clone()).collect(),
            limits: limits_reached(&rules.limits, rules.duration, *zone, self.range, &self.booked),
            days: local_days(*zone, self.range),
            window: window_bounds(*zone, self.now, &rules.window),
        }
    }
}

impl Prepared {
    pub fn hosts(&self) -> Vec<HostTime<'_>> {
        self.open.iter().zip(&self.busy).map(|(open, busy)| HostTime { open, busy }).collect()
    }

    pub fn taken(&self) -> &[Vec<Taken<usize>>] {
        &self.taken
    }

    pub fn query<'a>(&'a self, world: &'a World, hosts: &'a [HostTime<'a>]) -> SlotQuery<'a> {
        SlotQuery {
            rules: &world.rules,
            needed: world.needed,
            hosts,
            sessions: &world.sessions,
            limits: &self.limits,
            days: &self.days,
            window: self.window,
            now: world.now,
            range: world.range,
        }
    }
}

/// A zone of the database, and a moment at which its clocks change; of a zone that has none, any moment.
pub fn changes() -> impl Strategy<Value = (Tz, DateTime<Utc>)> {
    let (from, until) = (at("1990-01-01T00:00:00Z"), at("2038-01-01T00:00:00Z"));
    let minutes = (until - from).num_minutes();
    (select(chrono_tz::TZ_VARIANTS.as_slice()), 0..minutes).prop_map(move |(tz, minute)| {
        let since = from + TimeDelta::minutes(minute);
        (tz, next_transition(tz, since, until).map_or(since, |change| change.at))
    })
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Worlds around such a moment.
pub fn worlds(changes: impl Strategy<Value = (Tz, DateTime<Utc>)>) -> impl Strategy<Value = World> {
    (changes, -1800i64..300, prop_oneof![1i64..600, 600i64..2000], -400i64..3600).prop_flat_map(
        |((zone, change), from, minutes, ago)| {
            let start = whole_minute(change) + TimeDelta::minutes(from);
            let range = Interval { start, end: start + TimeDelta::minutes(minutes) };
            // Not on a full minute, and sometimes in the middle of the range.
            let now = start - TimeDelta::minutes(ago) + TimeDelta::seconds(37);
            let needed = select(vec![Needed::Any, Needed::Any, Needed::All]);
            let hosts = vec(host(zone, change), 1..=4);
            let sessions = vec((stretch(change, 2000, 2), any::<bool>(), 0u32..3), 0..4);
            let booked = vec(stretch(change, 5 * 1440, 90), 0..8);
            let rules = rules(now.with_timezone(&zone).date_naive());
            (rules, needed, hosts, sessions, booked).prop_map(move |(rules, needed, hosts, sessions, booked)| World {
                zone,
                rules,
                needed,
                hosts,
                sessions: sessions_of(rules, sessions),
                booked: booked.iter().map(|booked| (booked.start, booked.duration())).collect(),
                now,
                range,
            })
        },
    )
}

/// The slots with seats that somebody has booked, if there are any seats; some are of another length.
fn sessions_of(rules: Rules, starts: Vec<(Interval, bool, u32)>) -> Vec<Session> {
    if rules.seats == 1 {
        return Vec::new();
    }
    let session = |(at, is_other, seats_left): (Interval, bool, u32)| {
        let duration = if is_other { rules.duration + TimeDelta::minutes(5) } else { rules.duration };
        Session { start: at.start, duration, seats_left }
    };
    let mut sessions: Vec<_> = starts.into_iter().map(session).collect();
    sessions.sort_by_key(|session| session.start);
    sessions.dedup_by_key(|session| session.start);
    sessions
}

fn whole_minute(instant: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(instant.timestamp() - instant.timestamp().rem_euclid(60), 0).unwrap()
}

/// An interval of whole minutes that begins up to so many minutes before or after a moment.
fn stretch(around: DateTime<Utc>, away: i64, longest: i64) -> impl Strategy<Value = Interval> {
    (-away..away, 1..longest).prop_map(move |(from, length)| {
        let start = whole_minute(around) + TimeDelta::minutes(from);
        Interval { start, end: start + TimeDelta::minutes(length) }
    })
}

fn rules(today: NaiveDate) -> impl Strategy<Value = Rules> {
    let limit =
        || (weighted(0.3, 1u32..4), weighted(0.3, 60u32..300)).prop_map(|(count, minutes)| Limit { count, minutes });
    let limits = (limit(), limit(), limit()).prop_map(|(day, week, month)| Limits { day, week, month });
    let window = prop_oneof![
        3 => Just(Window::Open),
        1 => (1u32..8).prop_map(|days| Window::RollingDays { days }),
        1 => (1u32..6).prop_map(|days| Window::BusinessDays { days }),
        1 => (0u64..3, 0u64..6).prop_map(move |(later, days)| Window::Dates {
            first: today + Days::new(later),
            last: today + Days::new(later + days),
        }),
    ];
    let alignment = select(vec![Alignment::Interval, Alignment::Hour]);
    let daily = prop_oneof![
        5 => Just(DailyOffer::All),
        1 => Just(DailyOffer::FirstFree),
        1 => Just(DailyOffer::FirstOnly),
    ];
    (
        (prop_oneof![6 => 5u32..60, 1 => 60u32..=720], 5u32..60),
        (prop_oneof![Just(0), 0u32..60], prop_oneof![Just(0), 0u32..60], prop_oneof![3 => Just(0), 1 => 0u32..3000]),
        (window, weighted(0.25, limits), alignment, daily, select(vec![1, 3])),
    )
        .prop_map(|((duration, increment), (before, after, notice), (window, limits, alignment, daily, seats))| {
            let input = RulesInput {
                duration_minutes: duration,
                increment_minutes: increment,
                alignment,
                buffer_before_minutes: before,
                buffer_after_minutes: after,
                notice_minutes: notice,
                window,
                limits: limits.unwrap_or_default(),
                daily,
                seats,
            };
            Rules::parse(input).unwrap()
        })
}

/// A host in the zone or in any other.
fn host(zone: Tz, change: DateTime<Utc>) -> impl Strategy<Value = Host> {
    let zones = || select(chrono_tz::TZ_VARIANTS.as_slice());
    let day = move |offset: i64| change.with_timezone(&zone).date_naive() + TimeDelta::days(offset);
    let overrides = vec((-4i64..4, hours(0..3)), 0..3);
    let travels = vec((-4i64..4, 0i64..3, zones()), 0..3);
    let holidays = weighted(0.3, (-3i64..3, 0i64..2));
    let absences = vec((-5000i64..5000, 1i64..900, weighted(0.2, Just(()))), 0..3);
    let taken = vec(stretch(change, 3600, 180), 0..12);
    (prop_oneof![Just(zone), zones()], vec(hours(1..4), 7), overrides, travels, holidays, absences, taken).prop_map(
        move |(home, week, overrides, travels, holidays, absences, taken)| {
            let mut availability = Availability::new(name(home), weekly_hours(week));
            for (offset, hours) in overrides {
                availability.overrides.push(DateOverride::new(day(offset), apart(hours)).unwrap());
            }
            availability.overrides.sort_by_key(|of| of.date);
            availability.overrides.dedup_by_key(|of| of.date);
            for (offset, days, zone) in travels {
                let travel = Travel { first: day(offset), last: day(offset + days), time_zone: name(zone) };
                let with_it = [availability.travels.clone(), vec![travel]].concat();
                availability.travels = Availability::checked_travels(with_it).unwrap_or(availability.travels);
            }
            let of = |(offset, days)| Holiday { first: day(offset), last: day(offset + days), name: String::new() };
            availability.holidays = holidays.map(of).into_iter().collect();
            availability.absences = absences.into_iter().map(|it| absence(day(0), it)).collect();
            let taken = taken.into_iter().enumerate().map(|(source, interval)| Taken { interval, source }).collect();
            Host { availability, taken }
        },
    )
}

fn name(tz: Tz) -> TimeZoneName {
    TimeZoneName::parse(tz.name()).unwrap()
}

fn absence(day: NaiveDate, (from, minutes, whole_days): (i64, i64, Option<()>)) -> Absence {
    let minute = |number: i64| day.and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(number);
    let midnight = |at: NaiveDateTime| at.date().and_time(chrono::NaiveTime::MIN);
    let (from, to) = (minute(from), minute(from + minutes));
    if whole_days.is_some() {
        Absence { from: midnight(from), to: midnight(to + TimeDelta::days(1)) }
    } else {
        Absence { from, to }
    }
}

/// Hours that may overlap.
fn hours(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<LocalInterval>> {
    let some = (0u16..1440, prop_oneof![1u16..600, 600u16..1440]);
    let touching_midnight = select(vec![(0, 1440), (0, 600), (900, 540), (1380, 120), (0, 1)]);
    vec(prop_oneof![2 => some, 1 => touching_midnight, 1 => Just((0, 1440))], count).prop_map(|hours| {
        let made = |(start_minute, length)| LocalInterval { start_minute, end_minute: start_minute + length };
        hours.into_iter().map(made).collect()
    })
}

/// Those that do not overlap one before them.
fn apart(hours: Vec<LocalInterval>) -> Vec<LocalInterval> {
    let mut kept: Vec<LocalInterval> = Vec::new();
    for next in hours {
        if kept.iter().all(|of| next.end_minute <= of.start_minute || of.end_minute <= next.start_minute) {
            kept.push(next);
        }
    }
    kept
}

/// A week of those hours that go together.
fn weekly_hours(week: Vec<Vec<LocalInterval>>) -> WeeklyHours {
    let mut days: [Vec<LocalInterval>; 7] = Default::default();
    for (day, hours) in week.into_iter().enumerate() {
        for next in hours {
            let mut with_it = days.clone();
            with_it[day].push(next);
            if WeeklyHours::new(with_it.clone()).is_ok() {
                days = with_it;
            }
        }
    }
    WeeklyHours::new(days).unwrap()
}
