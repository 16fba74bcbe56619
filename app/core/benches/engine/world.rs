//! The hosts that the benchmark asks for.

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::{
    availability::{Availability, OpenInterval},
    event_type::{Alignment, Rules, RulesInput},
    interval::Interval,
    schedule::{LocalInterval, WeeklyHours},
    slots::{Bounds, HostTime, Needed, SlotQuery},
    zone::TimeZoneName,
};

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    /// A number in `[from, to)`.
    fn between(&mut self, from: i64, to: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        from + ((self.0 >> 33) as i64) % (to - from).max(1)
    }
}

/// When the hosts can be booked.
#[derive(Clone, Copy, PartialEq)]
pub enum Hours {
    /// Monday to Friday, 09:00 to 17:00.
    Office,
    /// Every day, 00:00 to 24:00.
    Always,
}

/// How the busy intervals lie.
#[derive(Clone, Copy)]
pub enum Busy {
    /// Spread over the days, half of the time on average.
    Spread(usize),
    /// As above and alike for all hosts, but not the same: what one has free, most have free.
    Alike(usize),
    /// 500 in 30 days as above, each in so many pieces with a second between them: what is offered stays the same.
    Shattered(usize),
}

/// Hosts, and the days that are asked for.
pub struct World {
    rules: Rules,
    range: Interval,
    hosts: Vec<(Vec<OpenInterval>, Vec<Interval>)>,
}

impl World {
    /// Worlds of another number are as large, but not the same.
    pub fn new(number: usize, hosts: usize, days: i64, hours: Hours, busy: Busy) -> Self {
        let rules = Rules::parse(RulesInput { duration_minutes: 30, increment_minutes: 15, ..RulesInput::default() });
        let start: DateTime<Utc> = "2026-02-02T00:00:00Z".parse().unwrap();
        let range = Interval { start, end: start + TimeDelta::days(days) };
        let hosts = (0..hosts).map(|host| {
            let open = schedule(hours).open_around(range, Alignment::Interval);
            let own = (number * 1_000 + host) as u64;
            let seed = if matches!(busy, Busy::Alike(_)) { number as u64 } else { own };
            (open, busy_intervals(range, busy, &mut Dice(seed), &mut Dice(own)))
        });
        Self { rules: rules.unwrap(), range, hosts: hosts.collect() }
    }

    /// The hosts as the engine wants them.
    pub fn hosts(&self) -> Vec<HostTime<'_>> {
        self.hosts.iter().map(|(open, busy)| HostTime { open, busy }).collect()
    }

    pub fn query<'a>(&'a self, hosts: &'a [HostTime<'a>], needed: Needed) -> SlotQuery<'a> {
        SlotQuery {
            rules: &self.rules,
            needed,
            hosts,
            sessions: &[],
            limits: &[],
            days: &[],
            window: Bounds::default(),
            now: self.range.start - TimeDelta::days(1),
            range: self.range,
        }
    }

    pub fn range(&self) -> Interval {
        self.range
    }
}

/// The hours as rules.
pub fn schedule(hours: Hours) -> Availability {
    let always = || WeeklyHours::new(std::array::from_fn(|_| vec![LocalInterval::parse("00:00", "24:00").unwrap()]));
    let weekly_hours = match hours {
        Hours::Office => WeeklyHours::office_hours(),
        Hours::Always => always().unwrap(),
    };
    Availability::new(TimeZoneName::parse("Europe/Madrid").unwrap(), weekly_hours)
}

fn busy_intervals(range: Interval, busy: Busy, dice: &mut Dice, own: &mut Dice) -> Vec<Interval> {
    let (count, pieces) = match busy {
        Busy::Spread(count) | Busy::Alike(count) => (count as i64, 1),
        Busy::Shattered(pieces) => (range.duration().num_days() * 500 / 30, pieces as i64),
    };
    let cell = range.duration().num_seconds() / count;
    let mut found = Vec::with_capacity((count * pieces) as usize);
    for number in 0..count {
        let mut length = dice.between(cell / 4, cell * 3 / 4);
        let start = number * cell + dice.between(0, cell - length - 1);
        if matches!(busy, Busy::Alike(_)) {
            length -= own.between(0, length / 4);
        }
        for piece in 0..pieces {
            let at = |piece: i64| range.start + TimeDelta::seconds(start + length * piece / pieces);
            let end = if piece + 1 == pieces { at(pieces) } else { at(piece + 1) - TimeDelta::seconds(1) };
            found.push(Interval::new(at(piece), end).unwrap());
        }
    }
    found
}
