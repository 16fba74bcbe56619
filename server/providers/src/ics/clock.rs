//! The zones of a file: what a local time in it means.

use std::collections::HashMap;
use std::rc::Rc;

use chrono::{DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use cupo_core::zone::{first_instant_at_or_after, offset_at};

use super::IcsError;
use super::effort::Effort;
use super::lines::{Component, Line};
use super::rule::Rule;
use super::time::{Written, read_offset};
use crate::event::EventTime;
use crate::zones::zone_named;

/// A longer name of a zone is cut where it is told, in characters.
const LONGEST_NAME: usize = 80;

/// A zone, by its name or by the rules that the file brings along.
#[derive(Debug, Clone)]
pub(super) enum Zone {
    Named(Tz),
    Custom(Rc<Observances>),
}

impl Zone {
    /// The instant of a local time: the earlier of two where the clocks went back; where they went forward over it, what a
    /// clock would show that had not been put forward (RFC 5545, section 3.3.5).
    pub(super) fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        match self {
            Self::Custom(observances) => observances.instant(local),
            Self::Named(tz) => match tz.from_local_datetime(&local) {
                MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at.to_utc(),
                MappedLocalTime::None => {
                    let end_of_gap = first_instant_at_or_after(*tz, local);
                    local.and_utc() - offset_at(*tz, end_of_gap - TimeDelta::seconds(1))
                }
            },
        }
    }

    pub(super) fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        match self {
            Self::Custom(observances) => at.naive_utc() + observances.offset(at),
            Self::Named(tz) => at.naive_utc() + offset_at(*tz, at),
        }
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Named(one), Self::Named(other)) => one == other,
            (Self::Custom(one), Self::Custom(other)) => Rc::ptr_eq(one, other),
            _ => false,
        }
    }

    fn name(&self) -> Option<String> {
        match self {
            // `Z` tells an instant, not where it was entered.
            Self::Named(Tz::UTC) | Self::Custom(_) => None,
            Self::Named(tz) => Some(tz.name().to_owned()),
        }
    }
}

/// The offsets of a `VTIMEZONE` (section 3.6.5).
#[derive(Debug, Default)]
pub(super) struct Observances {
    /// Before the first change.
    first: TimeDelta,
    /// The instants from which another offset holds, and that offset.
    changes: Vec<(DateTime<Utc>, TimeDelta)>,
}

impl Observances {
    /// `None` where an observance cannot be read, or there is none.
    fn read(component: &Component<'_>, until: NaiveDateTime, effort: &mut Effort) -> Result<Option<Self>, IcsError> {
        let mut changes = Vec::new();
        let mut first: Option<(DateTime<Utc>, TimeDelta)> = None;
        for part in component.components.iter().filter(|part| matches!(part.name.as_str(), "STANDARD" | "DAYLIGHT")) {
            let Some(observance) = Observance::read(part) else { return Ok(None) };
            for onset in observance.onsets(until, effort)? {
                let at = onset.and_utc() - observance.from;
                changes.push((at, observance.to));
                if first.is_none_or(|(earliest, _)| at < earliest) {
                    first = Some((at, observance.from));
                }
            }
        }
        changes.sort_unstable();
        Ok(first.map(|(_, first)| Self { first, changes }))
    }

    fn offset(&self, at: DateTime<Utc>) -> TimeDelta {
        let begun = self.changes.partition_point(|(change, _)| *change <= at);
        begun.checked_sub(1).map_or(self.first, |last| self.changes[last].1)
    }

    fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        // No offset is as long as a day, so the clock showed `local` at one of the offsets from a day before to a day after.
        let near = local.and_utc();
        let from = self.changes.partition_point(|(change, _)| *change <= near - TimeDelta::days(1));
        let to = self.changes.partition_point(|(change, _)| *change <= near + TimeDelta::days(1));
        let mut offset = self.offset(near - TimeDelta::days(1));
        for (change, next) in &self.changes[from..to] {
            if near - offset < *change {
                break;
            }
            // In a gap the offset before it holds on.
            if near - *next < *change {
                return near - offset;
            }
            offset = *next;
        }
        near - offset
    }
}

/// `STANDARD` or `DAYLIGHT`.
struct Observance {
    start: NaiveDateTime,
    from: TimeDelta,
    to: TimeDelta,
    rules: Vec<Rule>,
    added: Vec<NaiveDateTime>,
}

impl Observance {
    fn read(part: &Component<'_>) -> Option<Self> {
        let offset = |name| read_offset(part.one(name)?.value());
        let rules = part.all("RRULE").filter(|line| !line.value().is_empty());
        let added = part.all("RDATE").flat_map(|line| line.value().split(','));
        Some(Self {
            start: Written::read(part.one("DTSTART")?.value())?.naive(),
            from: offset("TZOFFSETFROM")?,
            to: offset("TZOFFSETTO")?,
            rules: rules.map(|line| Rule::read(line.value(), false)).collect::<Option<_>>()?,
            added: added.map(|text| Some(Written::read(text)?.naive())).collect::<Option<_>>()?,
        })
    }

    /// The local times, by the clock before the change, at which it begins.
    fn onsets(&self, until: NaiveDateTime, effort: &mut Effort) -> Result<Vec<NaiveDateTime>, IcsError> {
        let mut onsets = vec![self.start];
        for rule in &self.rules {
            let end = rule.until.map(|end| match end {
                Written::Utc(at) => at + self.from,
                Written::Local(at) => at,
                Written::Day(day) => end_of_day(day),
            });
            onsets.extend(rule.starts(self.start, end, self.start, until, effort)?);
        }
        effort.spend(i64::try_from(self.added.len()).unwrap_or(i64::MAX))?;
        onsets.extend(&self.added);
        Ok(onsets)
    }
}

/// The zones that a file's events are in.
pub(super) struct Zones<'a> {
    /// By `TZID`.
    told: HashMap<String, &'a Component<'a>>,
    known: HashMap<String, Zone>,
    /// Of floating times.
    calendar: Result<Tz, IcsError>,
    /// What happens later is not asked.
    until: NaiveDateTime,
}

impl<'a> Zones<'a> {
    pub(super) fn new(calendars: &'a [Component<'a>], calendar: Result<Tz, IcsError>, until: NaiveDateTime) -> Self {
        let mut told = HashMap::new();
        for zone in calendars.iter().flat_map(|calendar| calendar.parts("VTIMEZONE")) {
            if let Some(name) = zone.one("TZID") {
                told.entry(name.text_value()).or_insert(zone);
            }
        }
        Self { told, known: HashMap::new(), calendar, until }
    }

    /// Where the calendar is: `X-WR-TIMEZONE`, or the one zone that the file tells.
    pub(super) fn of_calendars(calendars: &[Component<'_>]) -> Option<Tz> {
        if let Some(known) = said(calendars).and_then(|said| zone_named(&said)) {
            return Some(known);
        }
        let mut told = calendars.iter().flat_map(|calendar| calendar.parts("VTIMEZONE"));
        match (told.next(), told.next()) {
            (Some(only), None) => zone_named(&only.one("TZID")?.text_value()).or_else(|| location_of(only)),
            _ => None,
        }
    }

    /// Where floating times are read when that is not known: in the other zone, unless the file names an unknown one.
    pub(super) fn otherwise(calendars: &[Component<'_>], other: Option<Tz>) -> Result<Tz, IcsError> {
        match said(calendars) {
            Some(said) => Err(unknown(&said)),
            None => other.ok_or(IcsError::FloatingTime),
        }
    }

    /// A time as the property `line` means it.
    pub(super) fn moment(
        &mut self,
        line: &Line<'_>,
        written: Written,
        effort: &mut Effort,
    ) -> Result<Moment, IcsError> {
        Ok(match written {
            Written::Day(day) => Moment::Day(day),
            Written::Utc(local) => Moment::At { local, zone: Zone::Named(Tz::UTC) },
            Written::Local(local) => {
                let zone = match line.parameter("TZID").filter(|name| !name.trim().is_empty()) {
                    Some(name) => self.named(name.trim(), effort)?,
                    None => Zone::Named(self.calendar.clone()?),
                };
                Moment::At { local, zone }
            }
        })
    }

    fn named(&mut self, name: &str, effort: &mut Effort) -> Result<Zone, IcsError> {
        if let Some(zone) = self.known.get(name) {
            return Ok(zone.clone());
        }
        let zone = match zone_named(name) {
            Some(tz) => Zone::Named(tz),
            None => {
                let told = self.told.get(name).copied();
                match told.and_then(location_of) {
                    Some(tz) => Zone::Named(tz),
                    None => {
                        let read = told.map(|zone| Observances::read(zone, self.until, effort)).transpose()?.flatten();
                        Zone::Custom(Rc::new(read.ok_or_else(|| unknown(name))?))
                    }
                }
            }
        };
        self.known.insert(name.to_owned(), zone.clone());
        Ok(zone)
    }
}

/// `X-WR-TIMEZONE`.
fn said(calendars: &[Component<'_>]) -> Option<String> {
    let said = calendars.iter().find_map(|calendar| calendar.one("X-WR-TIMEZONE")).map(Line::text_value);
    said.filter(|said| !said.is_empty())
}

/// The zone on which a program that gives zones its own names modelled one.
fn location_of(zone: &Component<'_>) -> Option<Tz> {
    zone_named(&zone.one("X-LIC-LOCATION")?.text_value())
}

fn unknown(name: &str) -> IcsError {
    IcsError::UnknownTimeZone(name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect())
}

pub(super) fn end_of_day(day: NaiveDate) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN) + TimeDelta::seconds(86_399)
}

/// A point of time of an event, with its zone.
#[derive(Debug, Clone)]
pub(super) enum Moment {
    Day(NaiveDate),
    At { local: NaiveDateTime, zone: Zone },
}

impl Moment {
    pub(super) fn event_time(&self) -> EventTime {
        match self {
            Self::Day(day) => EventTime::Day(*day),
            Self::At { local, zone } => EventTime::Instant { at: zone.instant(*local), time_zone: zone.name() },
        }
    }

    /// What the clock shows, at midnight for a day.
    pub(super) fn local(&self) -> NaiveDateTime {
        match self {
            Self::Day(day) => day.and_time(NaiveTime::MIN),
            Self::At { local, .. } => *local,
        }
    }
}
