//! What is offered, found by a walk minute by minute that asks each rule by itself and shares no code with the engine.
//!
//! Everything happens on full minutes but the present moment: since 1972 every offset of the database is whole minutes.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use cupo_core::{
    availability::Availability,
    event_type::{Alignment, DailyOffer, Limit, Window},
    interval::Interval,
    slots::Needed,
};

use crate::world::{Host, World};

/// How far the walk begins before the range, in minutes: the day has begun by then, and the hours that reach into it.
const BEFORE: i64 = 56 * 60;
/// How far it goes on after the range: an appointment and the time kept free after it.
const AFTER: i64 = 22 * 60;

/// The minutes that are walked, each by its number.
struct Walk {
    first: i64,
    count: usize,
}

impl Walk {
    fn instant(&self, index: usize) -> DateTime<Utc> {
        DateTime::from_timestamp((self.first + index as i64) * 60, 0).unwrap()
    }

    /// The number of an instant, which may lie outside the walk; a part of a minute counts as the next one.
    fn index(&self, instant: DateTime<Utc>) -> i64 {
        -(-instant.timestamp()).div_euclid(60) - self.first
    }

    /// The local time of each minute, in minutes since 1970.
    fn local(&self, tz: Tz) -> Vec<i64> {
        (0..self.count).map(|index| local_minute(tz, self.instant(index))).collect()
    }
}

fn local_minute(tz: Tz, instant: DateTime<Utc>) -> i64 {
    let offset = tz.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc();
    assert_eq!(offset % 60, 0, "{tz} at {instant}");
    instant.timestamp().div_euclid(60) + i64::from(offset / 60)
}

fn day_number(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days())
}

fn date_of(day: i64) -> NaiveDate {
    NaiveDate::from_epoch_days(day.try_into().unwrap()).unwrap()
}

fn minute_number(local: NaiveDateTime) -> i64 {
    local.and_utc().timestamp().div_euclid(60)
}

/// What a host could do with an appointment that starts in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    /// The appointment lies within the hours.
    pub is_open: bool,
    /// The hours have a start here.
    pub is_on_grid: bool,
    /// Nothing is in the way.
    pub is_free: bool,
    /// From where the starts are counted, and when the hours that it belongs to began.
    grid: i64,
    begun: i64,
}

/// What is offered in the world's range.
pub struct Oracle {
    walk: Walk,
    offered: Vec<bool>,
    hosts: Vec<Vec<Minute>>,
}

impl Oracle {
    pub fn of(world: &World) -> Self {
        let first = world.range.start.timestamp().div_euclid(60) - BEFORE;
        let walk = Walk { first, count: (world.range.duration().num_minutes() + BEFORE + AFTER) as usize };
        let hosts: Vec<_> = world.hosts.iter().map(|host| minutes_of(world, host, &walk)).collect();
        let offered = offered(world, &walk, &hosts);
        Self { walk, offered, hosts }
    }

    /// Whether a start is offered; only full minutes are.
    pub fn offers(&self, start: DateTime<Utc>) -> bool {
        self.offered[self.walk.index(start) as usize]
    }

    /// What each host could do.
    pub fn hosts_at(&self, start: DateTime<Utc>) -> impl Iterator<Item = Minute> {
        let index = self.walk.index(start) as usize;
        self.hosts.iter().map(move |host| host[index])
    }

    /// Everything that is offered within a range.
    pub fn starts(&self, range: Interval) -> Vec<DateTime<Utc>> {
        let all = (0..self.walk.count).map(|index| (index, self.walk.instant(index)));
        all.filter(|(index, at)| self.offered[*index] && range.contains(*at)).map(|(_, at)| at).collect()
    }
}

/// An interval of a date's hours, or the part of it before or after a clock change.
struct Piece {
    from: i64,
    to: i64,
    zone: Tz,
}

/// The zone of a date, and its hours as minutes from midnight.
fn rules_on(availability: &Availability, date: NaiveDate) -> (Tz, Vec<(i64, i64)>) {
    let travel = availability.travels.iter().find(|travel| travel.first <= date && date <= travel.last);
    let zone = travel.map_or(availability.time_zone, |travel| travel.time_zone).tz();
    let is_holiday = availability.holidays.iter().any(|holiday| holiday.first <= date && date <= holiday.last);
    let hours = match availability.overrides.iter().find(|of| of.date == date) {
        Some(of) => of.hours(),
        None if is_holiday => &[],
        None => &availability.weekly_hours.days()[date.weekday().num_days_from_monday() as usize],
    };
    (zone, hours.iter().map(|at| (at.start_minute.into(), at.end_minute.into())).collect())
}

/// The pieces of the hours by their beginning: rows of minutes that belong to the same interval of the same date.
fn pieces(availability: &Availability, walk: &Walk) -> Vec<Piece> {
    let mut zones = vec![availability.time_zone.tz()];
    zones.extend(availability.travels.iter().map(|travel| travel.time_zone.tz()));
    zones.sort_by_key(|zone| zone.name());
    zones.dedup();
    let mut pieces: Vec<Piece> = Vec::new();
    for zone in zones {
        let local = walk.local(zone);
        let first = local.iter().min().unwrap().div_euclid(1440) - 1;
        let last = local.iter().max().unwrap().div_euclid(1440);
        // Of each date its rules, and the piece that each of its intervals is at.
        let mut dates: Vec<_> = (first..=last)
            .map(|day| rules_on(availability, date_of(day)))
            .map(|(its_zone, hours)| {
                (its_zone, hours.into_iter().map(|hours| (hours, None::<usize>)).collect::<Vec<_>>())
            })
            .collect();
        for (index, local) in local.into_iter().enumerate() {
            let index = index as i64;
            for day in [local.div_euclid(1440) - 1, local.div_euclid(1440)] {
                let (its_zone, hours) = &mut dates[(day - first) as usize];
                let minute = local - day * 1440;
                for ((from, to), at) in hours.iter_mut().filter(|_| *its_zone == zone) {
                    if *from <= minute && minute < *to {
                        match at {
                            Some(piece) if pieces[*piece].to == index => pieces[*piece].to += 1,
                            _ => {
                                *at = Some(pieces.len());
                                pieces.push(Piece { from: index, to: index + 1, zone });
                            }
                        }
                    }
                }
            }
        }
    }
    pieces.sort_by_key(|piece| (piece.from, piece.to));
    pieces
}

/// The minutes at which the host is away.
fn absent(availability: &Availability, walk: &Walk) -> Vec<bool> {
    let mut absent = vec![false; walk.count];
    for absence in &availability.absences {
        let (away, _) = rules_on(availability, absence.from.date());
        let (back, _) = rules_on(availability, absence.to.date());
        let (from, to) = (minute_number(absence.from), minute_number(absence.to));
        let (leaving, returning) = (walk.local(away), walk.local(back));
        if away == back {
            for (absent, local) in absent.iter_mut().zip(&leaving) {
                *absent |= from <= *local && *local < to;
            }
        } else {
            let first = leaving.iter().position(|local| *local >= from).unwrap_or(walk.count);
            let last = returning.iter().rposition(|local| *local < to).map_or(0, |last| last + 1);
            absent.iter_mut().take(last).skip(first).for_each(|absent| *absent = true);
        }
    }
    absent
}

fn minutes_of(world: &World, host: &Host, walk: &Walk) -> Vec<Minute> {
    let rules = &world.rules;
    let minutes = |duration: TimeDelta| duration.num_minutes();
    let (duration, increment) = (minutes(rules.duration), minutes(rules.increment));
    let absent = absent(&host.availability, walk);
    // To which piece a minute belongs: of several the first.
    let pieces = pieces(&host.availability, walk);
    let mut owner: Vec<Option<usize>> = vec![None; walk.count];
    for (number, piece) in pieces.iter().enumerate() {
        for owner in &mut owner[piece.from as usize..piece.to as usize] {
            owner.get_or_insert(number);
        }
    }
    let mut taken = vec![false; walk.count];
    for busy in &host.taken {
        for index in walk.index(busy.interval.start)..walk.index(busy.interval.end) {
            if let Some(taken) = usize::try_from(index).ok().and_then(|index| taken.get_mut(index)) {
                *taken = true;
            }
        }
    }
    let is_open = |index: usize| owner[index].filter(|_| !absent[index]);
    let open_for = row_lengths(walk.count, |index| is_open(index).is_some());
    let free_for = row_lengths(walk.count, |index| !taken[index]);
    let mut begun = vec![0; walk.count];
    (0..walk.count)
        .map(|index| {
            let piece = is_open(index);
            let goes_on = index > 0 && piece.is_some() && is_open(index - 1) == piece;
            begun[index] = if goes_on { begun[index - 1] } else { index as i64 };
            let grid = piece.map_or(0, |piece| grid(&pieces[piece], rules.alignment, walk));
            let before = index as i64 - minutes(rules.buffer_before);
            let claim = minutes(rules.buffer_before) + duration + minutes(rules.buffer_after);
            Minute {
                is_open: open_for[index] >= duration,
                is_on_grid: piece.is_some() && (index as i64 - grid).rem_euclid(increment) == 0,
                is_free: usize::try_from(before).is_ok_and(|before| free_for[before] >= claim),
                grid,
                begun: begun[index],
            }
        })
        .collect()
}

fn grid(piece: &Piece, alignment: Alignment, walk: &Walk) -> i64 {
    match alignment {
        Alignment::Interval => piece.from,
        Alignment::Hour => piece.from - local_minute(piece.zone, walk.instant(piece.from as usize)).rem_euclid(60),
    }
}

/// For how many minutes from each on something goes on to hold.
fn row_lengths(count: usize, holds: impl Fn(usize) -> bool) -> Vec<i64> {
    let mut lengths = vec![0; count + 1];
    for index in (0..count).rev() {
        lengths[index] = if holds(index) { lengths[index + 1] + 1 } else { 0 };
    }
    lengths
}

/// Whether enough hosts would be there, were they idle, and whether they are free.
fn enough(world: &World, hosts: &[Minute]) -> (bool, bool) {
    match world.needed {
        Needed::All if hosts.len() > 1 => {
            let mut last = hosts[0];
            for host in &hosts[1..] {
                if host.begun > last.begun {
                    last = *host;
                }
            }
            let idle = hosts.iter().all(|host| host.is_open) && last.is_on_grid;
            (idle, idle && hosts.iter().all(|host| host.is_free))
        }
        _ => {
            let idle = |host: &Minute| host.is_open && host.is_on_grid;
            (hosts.iter().any(idle), hosts.iter().any(|host| idle(host) && host.is_free))
        }
    }
}

fn offered(world: &World, walk: &Walk, hosts: &[Vec<Minute>]) -> Vec<bool> {
    let calendar = Calendar::of(world, walk);
    let rules = &world.rules;
    let earliest = walk.index(world.now + rules.notice);
    let mut offered = vec![false; walk.count];
    let mut first_of_hours: HashMap<i64, usize> = HashMap::new();
    for (index, offered) in offered.iter_mut().enumerate() {
        let at: Vec<_> = hosts.iter().map(|host| host[index]).collect();
        let day = calendar.days[index];
        let (is_there, is_free) = enough(world, &at);
        if is_there {
            first_of_hours.entry(day).or_insert(index);
        }
        let is_chosen = rules.daily != DailyOffer::FirstOnly || first_of_hours.get(&day) == Some(&index);
        let is_session = world.sessions.iter().any(|session| {
            walk.index(session.start) == index as i64 && session.duration == rules.duration && session.seats_left > 0
        });
        let is_bookable = index as i64 >= earliest && calendar.is_in_window(world, day);
        *offered = is_bookable && (is_session || is_free && is_chosen && !calendar.is_full(world, day));
    }
    if rules.daily == DailyOffer::FirstFree {
        let mut seen = None;
        for (index, offered) in offered.iter_mut().enumerate() {
            let day = Some(calendar.days[index]);
            *offered &= seen != day;
            seen = if *offered { day } else { seen };
        }
    }
    offered
}

/// The event type's own days.
struct Calendar {
    /// The day of each minute: the latest date that has begun, also where the clock went back over midnight.
    days: Vec<i64>,
    /// Of each appointment its day and its minutes.
    booked: Vec<(i64, i64)>,
    today: i64,
}

impl Calendar {
    fn of(world: &World, walk: &Walk) -> Self {
        let mut latest = i64::MIN;
        let days = walk.local(world.zone).into_iter().map(|local| {
            latest = latest.max(local.div_euclid(1440));
            latest
        });
        let day = |instant| local_minute(world.zone, instant).div_euclid(1440);
        let settled = |instant| (0..=240).map(|minutes| day(instant - TimeDelta::minutes(minutes))).max().unwrap();
        let booked = world.booked.iter().map(|(start, length)| (settled(*start), length.num_minutes()));
        Self { days: days.collect(), booked: booked.collect(), today: day(world.now) }
    }

    fn is_in_window(&self, world: &World, day: i64) -> bool {
        let is_business_day = |day: &i64| !matches!(date_of(*day).weekday(), Weekday::Sat | Weekday::Sun);
        match world.rules.window {
            Window::RollingDays { days } => day < self.today + i64::from(days),
            Window::BusinessDays { days } => {
                let last = (self.today..).filter(is_business_day).nth(days as usize - 1).unwrap();
                day <= last
            }
            Window::Dates { first, last } => day_number(first) <= day && day <= day_number(last),
            Window::Open => true,
        }
    }

    fn is_full(&self, world: &World, day: i64) -> bool {
        // The first of January 1970 was a Thursday.
        let week = |day: i64| (day + 3).div_euclid(7);
        let month = |day: i64| (date_of(day).year(), date_of(day).month());
        let limits = &world.rules.limits;
        self.reaches(world, limits.day, |other| other == day)
            || self.reaches(world, limits.week, |other| week(other) == week(day))
            || self.reaches(world, limits.month, |other| month(other) == month(day))
    }

    fn reaches(&self, world: &World, limit: Limit, is_same: impl Fn(i64) -> bool) -> bool {
        let same: Vec<_> = self.booked.iter().filter(|(day, _)| is_same(*day)).map(|(_, minutes)| minutes).collect();
        let minutes = same.iter().copied().sum::<i64>() + world.rules.duration.num_minutes();
        limit.count.is_some_and(|most| same.len() >= most as usize)
            || limit.minutes.is_some_and(|most| minutes > i64::from(most))
    }
}
