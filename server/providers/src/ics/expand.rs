//! The events and instances of a file in a window of time.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use cupo_core::interval::Interval;
use cupo_core::zone::offset_at;
use sha2::{Digest, Sha256};

use super::clock::{Moment, Zones, end_of_day};
use super::effort::Effort;
use super::event::{address, describe, is_cancelled, weight};
use super::lines::{Component, Line, Unfolded};
use super::rule::Rule;
use super::time::{Lasting, Written};
use super::{IcsError, IcsEvent, IcsEvents, MOST_EVENT_BYTES};
use crate::event::{CalendarEvent, EventTime};
use crate::provider::instance_id;

/// The most events of a file, overrides of instances included.
const MOST_EVENTS: usize = 50_000;
/// The most instances that come out of a file.
const MOST_INSTANCES: usize = 50_000;
/// The most dates that the events of a file add or leave out, as they are written.
const MOST_DATES: i64 = 200_000;
/// No zone is further from UTC, nor from another zone.
const FURTHEST_ZONE: TimeDelta = TimeDelta::days(2);
/// The longest `UID` that is an id, in bytes: each instance repeats it.
const LONGEST_UID: usize = 1_000;
/// A calendar's name is cut, in characters.
const LONGEST_NAME: usize = 200;

/// Where floating times are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CalendarZone {
    Given(Tz),
    /// Where the file says that the calendar is; where it does not say, in the other zone. Without either a floating time is
    /// [`IcsError::FloatingTime`].
    OfFileOr(Option<Tz>),
}

/// The events of a file that overlap `window`, in the order of the file.
///
/// A cancelled event is left out, as is one that lies outside the window; a recurring event is told even when no instance of it
/// lies there. Floating times and whole days are read in `calendar_zone`. `own_address` is the e-mail address of the
/// calendar's owner, by which the attendee that is [`is_self`](crate::Attendee::is_self) is known; without it the file is asked.
///
/// ```
/// use cupo_providers::ics::{IcsEvent, events};
/// let file = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/Madrid:20261019T090000\r\nDURATION:PT1H\r\n\
///             RRULE:FREQ=WEEKLY\r\nSUMMARY:Standup\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
/// let window = cupo_core::interval::Interval::new(
///     "2026-10-19T00:00:00Z".parse().unwrap(), "2026-10-27T00:00:00Z".parse().unwrap()).unwrap();
/// let read = events(file, window, chrono_tz::Tz::Europe__Madrid, None).unwrap();
/// let [IcsEvent::Series { instances, .. }] = read.events.as_slice() else { panic!() };
/// // The clocks go back in between; it stays at nine.
/// let starts: Vec<_> = instances.iter().map(|event| event.start.instant(chrono_tz::Tz::UTC).to_rfc3339()).collect();
/// assert_eq!(starts, ["2026-10-19T07:00:00+00:00", "2026-10-26T08:00:00+00:00"]);
/// ```
///
/// # Errors
/// [`IcsError`], of the first event that cannot be read.
pub fn events(
    text: &str,
    window: Interval,
    calendar_zone: Tz,
    own_address: Option<&str>,
) -> Result<IcsEvents, IcsError> {
    events_in(text, window, CalendarZone::Given(calendar_zone), own_address)
}

/// [`events`], wherever the calendar is.
pub(crate) fn events_in(
    text: &str,
    window: Interval,
    calendar_zone: CalendarZone,
    own_address: Option<&str>,
) -> Result<IcsEvents, IcsError> {
    events_within(text, window, calendar_zone, own_address, &mut Effort::default())
}

/// [`events_in`], of one of several files that share what reading them may cost.
pub(crate) fn events_within(
    text: &str,
    window: Interval,
    calendar_zone: CalendarZone,
    own_address: Option<&str>,
    effort: &mut Effort,
) -> Result<IcsEvents, IcsError> {
    if text.len() > MOST_EVENT_BYTES {
        return Err(IcsError::TooLarge);
    }
    let unfolded = Unfolded::new(text);
    let calendars = unfolded.read()?;
    let owner = owner_of(&calendars);
    let own_address = own_address.or(owner.as_deref());
    let until = window.end.naive_utc().checked_add_signed(FURTHEST_ZONE).unwrap_or(NaiveDateTime::MAX);
    let mut reading = Reading::new(&calendars, window, calendar_zone, until, own_address);
    std::mem::swap(&mut reading.effort, effort);
    let mut groups = Groups::default();
    let mut position = 0;
    for component in calendars.iter().flat_map(|calendar| &calendar.components) {
        let is_event = component.name == "VEVENT";
        if !is_event && component.name != "VFREEBUSY" {
            continue;
        }
        position += 1;
        if position > MOST_EVENTS {
            return Err(IcsError::TooMany);
        }
        if is_event && !reading.is_far(component) {
            let entry = reading.entry(component, position)?;
            groups.add(uid_of(component), entry);
        } else if !is_event {
            groups.add_free_busy(uid_of(component), reading.busy_periods(component, position)?);
        }
    }
    let mut events = Vec::new();
    for group in groups.in_order {
        events.extend(reading.event_of(group)?);
    }
    std::mem::swap(&mut reading.effort, effort);
    Ok(IcsEvents { events, time_zone: Zones::of_calendars(&calendars), name: name_of(&calendars) })
}

/// The event of a resource, whenever it takes place; of a recurring one its first instance. It may be cancelled. `None` when
/// there is no event.
///
/// # Errors
/// [`IcsError`].
pub fn event(text: &str, calendar_zone: Tz, own_address: Option<&str>) -> Result<Option<CalendarEvent>, IcsError> {
    event_in(text, None, CalendarZone::Given(calendar_zone), own_address)
}

/// [`event`], of this `UID` and wherever the calendar is.
pub(crate) fn event_in(
    text: &str,
    uid: Option<&str>,
    calendar_zone: CalendarZone,
    own_address: Option<&str>,
) -> Result<Option<CalendarEvent>, IcsError> {
    if text.len() > MOST_EVENT_BYTES {
        return Err(IcsError::TooLarge);
    }
    let unfolded = Unfolded::new(text);
    let calendars = unfolded.read()?;
    let is_meant = |event: &Component<'_>| uid.is_none_or(|uid| uid_of(event) == uid);
    let all = || calendars.iter().flat_map(|calendar| calendar.parts("VEVENT")).enumerate();
    let mut meant = all().filter(|(_, event)| is_meant(event));
    let master = meant.find(|(_, event)| event.one("RECURRENCE-ID").is_none());
    let Some((place, component)) = master.or_else(|| all().find(|(_, event)| is_meant(event))) else { return Ok(None) };
    let start = component.one("DTSTART").and_then(|line| Written::read(line.value()));
    let until = start.map_or(DateTime::UNIX_EPOCH.naive_utc(), Written::naive) + TimeDelta::days(366);
    let everything = Interval { start: DateTime::<Utc>::MIN_UTC, end: DateTime::<Utc>::MAX_UTC };
    let owner = owner_of(&calendars);
    let own_address = own_address.or(owner.as_deref());
    let mut reading = Reading::new(&calendars, everything, calendar_zone, until, own_address);
    let entry = reading.entry(component, place + 1)?;
    let (start, end) = entry.length.times(&entry.start);
    let recurs = ["RRULE", "RDATE"].iter().any(|name| component.one(name).is_some());
    let first_instance = recurs.then(|| instance_id(&uid_of(component), start.instant(Tz::UTC)));
    Ok(Some(CalendarEvent { id: uid_of(component), start, end, first_instance, ..describe(component, own_address) }))
}

/// What a file says of the calendar itself: its name and where it is.
pub(crate) fn calendar_of(text: &str) -> Result<(Option<String>, Option<Tz>), IcsError> {
    if text.len() > MOST_EVENT_BYTES {
        return Err(IcsError::TooLarge);
    }
    let unfolded = Unfolded::new(text);
    let calendars = unfolded.read()?;
    Ok((name_of(&calendars), Zones::of_calendars(&calendars)))
}

fn name_of(calendars: &[Component<'_>]) -> Option<String> {
    let said = |name| calendars.iter().find_map(|calendar| calendar.one(name)).map(Line::text_value);
    let name = said("X-WR-CALNAME").or_else(|| said("NAME"))?;
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_NAME).collect();
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The e-mail address of whom the file says to be the owner: `X-OWNER`, or a name of the calendar that is an address, as Google's are.
fn owner_of(calendars: &[Component<'_>]) -> Option<String> {
    let said = calendars.iter().find_map(|calendar| calendar.one("X-OWNER")).map(address);
    let said = said.filter(|address| !address.is_empty());
    said.or_else(|| name_of(calendars).filter(|name| name.contains('@') && !name.contains(char::is_whitespace)))
}

/// The `UID`; for an event that has none, one that is the same as long as the event is. One that is very long is shortened.
fn uid_of(component: &Component<'_>) -> String {
    let uid = component.one("UID").map(Line::text_value).unwrap_or_default();
    if !uid.is_empty() && uid.len() <= LONGEST_UID {
        return uid;
    }
    let mut digest = Sha256::new();
    let names: &[&str] = if uid.is_empty() { &["DTSTART", "DTEND", "DURATION", "RRULE", "SUMMARY"] } else { &["UID"] };
    for name in names {
        digest.update(component.one(name).map_or("", Line::value));
        digest.update("\n");
    }
    format!("made-{:x}", digest.finalize())
}

/// The time that is asked about.
struct Window {
    interval: Interval,
    calendar: Option<Tz>,
}

impl Window {
    /// Where it is not known when the calendar's days begin, it reaches a day further.
    fn new(interval: Interval, calendar: Option<Tz>) -> Self {
        let margin = if calendar.is_some() { TimeDelta::zero() } else { TimeDelta::days(1) };
        let start = interval.start.checked_sub_signed(margin).unwrap_or(interval.start);
        let end = interval.end.checked_add_signed(margin).unwrap_or(interval.end);
        let interval = Interval { start, end };
        Self { interval, calendar }
    }

    fn instant(&self, time: &EventTime) -> DateTime<Utc> {
        time.instant(self.calendar.unwrap_or(Tz::UTC))
    }

    /// What has no length is where it begins.
    fn holds(&self, start: &EventTime, end: &EventTime) -> bool {
        let (start, end) = (self.instant(start), self.instant(end));
        start < self.interval.end && (end > self.interval.start || start >= self.interval.start)
    }

    /// The local times that may lie in it, whatever the zone, of what lasts `length`.
    fn local(&self, length: TimeDelta) -> (NaiveDateTime, NaiveDateTime) {
        let start = self.interval.start.naive_utc().checked_sub_signed(length + FURTHEST_ZONE);
        let end = self.interval.end.naive_utc().checked_add_signed(FURTHEST_ZONE);
        (start.unwrap_or(NaiveDateTime::MIN), end.unwrap_or(NaiveDateTime::MAX))
    }
}

/// How long an event lasts.
#[derive(Debug, Clone, Copy)]
enum Length {
    /// Of an event of whole days.
    Days(u64),
    /// With `DTEND`: each instance takes as long as the first (RFC 5545, section 3.8.5.3).
    Exact(TimeDelta),
    /// With `DURATION`: its days are days by the clock.
    Nominal(Lasting),
}

impl Length {
    fn times(self, start: &Moment) -> (EventTime, EventTime) {
        let begins = start.event_time();
        let ends = match (start, self) {
            (Moment::Day(day), length) => EventTime::Day(*day + Days::new(length.days())),
            (Moment::At { local, zone }, Self::Nominal(lasting)) if lasting.days > 0 => {
                let at = zone.instant(*local + TimeDelta::days(lasting.days)) + lasting.time;
                return (begins.clone(), at_instant(&begins, at));
            }
            (Moment::At { .. }, length) => at_instant(&begins, instant_of(&begins) + length.most()),
        };
        (begins, ends)
    }

    fn days(self) -> u64 {
        let days = self.most().num_seconds().div_euclid(86_400) + i64::from(self.most().num_seconds() % 86_400 > 0);
        u64::try_from(days).unwrap_or(1).max(1)
    }

    fn most(self) -> TimeDelta {
        match self {
            Self::Days(days) => TimeDelta::days(i64::try_from(days).unwrap_or(1)),
            Self::Exact(time) => time,
            Self::Nominal(lasting) => lasting.total(),
        }
    }
}

fn instant_of(time: &EventTime) -> DateTime<Utc> {
    time.instant(Tz::UTC)
}

fn at_instant(like: &EventTime, at: DateTime<Utc>) -> EventTime {
    match like {
        EventTime::Instant { time_zone, .. } => EventTime::Instant { at, time_zone: time_zone.clone() },
        EventTime::Day(_) => EventTime::Instant { at, time_zone: None },
    }
}

/// By which the instances of a series are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Day(NaiveDate),
    At(DateTime<Utc>),
}

impl Key {
    fn of(moment: &Moment) -> Self {
        match moment {
            Moment::Day(day) => Self::Day(*day),
            Moment::At { local, zone } => Self::At(zone.instant(*local)),
        }
    }
}

/// An event as it stands in the file: one that takes place once, a recurring one, or an override of an instance.
#[derive(Clone)]
struct Entry<'a> {
    position: usize,
    component: &'a Component<'a>,
    sequence: u32,
    start: Moment,
    length: Length,
    /// `RECURRENCE-ID`.
    replaces: Option<Moment>,
    /// `RANGE=THISANDFUTURE`: it holds for all later instances too.
    is_open_ended: bool,
}

impl Entry<'_> {
    fn recurs(&self) -> bool {
        ["RRULE", "RDATE"].iter().any(|name| self.component.all(name).any(|line| !line.value().is_empty()))
    }

    fn wrong(&self, property: &'static str) -> IcsError {
        IcsError::UnreadableEvent { position: self.position, property }
    }
}

/// What bears one `UID`.
struct Group<'a> {
    uid: String,
    masters: Vec<Entry<'a>>,
    overrides: Vec<Entry<'a>>,
    /// Of a `VFREEBUSY`.
    busy: Option<Vec<(Moment, Length)>>,
}

#[derive(Default)]
struct Groups<'a> {
    in_order: Vec<Group<'a>>,
    places: HashMap<String, usize>,
}

impl<'a> Groups<'a> {
    fn group(&mut self, uid: String) -> &mut Group<'a> {
        let place = *self.places.entry(uid).or_insert_with_key(|uid| {
            self.in_order.push(Group { uid: uid.clone(), masters: Vec::new(), overrides: Vec::new(), busy: None });
            self.in_order.len() - 1
        });
        &mut self.in_order[place]
    }

    fn add(&mut self, uid: String, entry: Entry<'a>) {
        let group = self.group(uid);
        if entry.replaces.is_some() {
            group.overrides.push(entry);
            return;
        }
        // A later version replaces an earlier one; what claims the same id and version is told beside it. So all have one.
        let newest = group.masters.first().map(|known| known.sequence);
        if newest.is_some_and(|newest| newest < entry.sequence) {
            group.masters.clear();
        }
        if newest.is_none_or(|newest| newest <= entry.sequence) {
            group.masters.push(entry);
        }
    }

    fn add_free_busy(&mut self, uid: String, busy: Vec<(Moment, Length)>) {
        self.group(uid).busy.get_or_insert_default().extend(busy);
    }
}

/// An instance before it is described.
struct Instance {
    original: Moment,
    start: Moment,
    length: Length,
}

struct Reading<'a> {
    zones: Zones<'a>,
    window: Window,
    own_address: Option<&'a str>,
    effort: Effort,
    dates: i64,
    instances: usize,
}

impl<'a> Reading<'a> {
    /// `until` is the last local time at which a zone is asked.
    fn new(
        calendars: &'a [Component<'a>],
        window: Interval,
        calendar_zone: CalendarZone,
        until: NaiveDateTime,
        own_address: Option<&'a str>,
    ) -> Self {
        let (zone, of_floating) = match calendar_zone {
            CalendarZone::Given(zone) => (Some(zone), Ok(zone)),
            CalendarZone::OfFileOr(other) => {
                let of_file = Zones::of_calendars(calendars);
                (of_file.or(other), of_file.map_or_else(|| Zones::otherwise(calendars, other), Ok))
            }
        };
        Self {
            zones: Zones::new(calendars, of_floating, until),
            window: Window::new(window, zone),
            own_address,
            effort: Effort::default(),
            dates: 0,
            instances: 0,
        }
    }

    /// Whether an event that takes place once cannot touch the window, whatever its zone is: then it is not read any further.
    fn is_far(&self, component: &Component<'_>) -> bool {
        let is_one = ["RRULE", "RDATE", "RECURRENCE-ID"].iter().all(|name| component.one(name).is_none());
        let read = |name| Written::read(component.one(name)?.value()).map(Written::naive);
        let Some(start) = read("DTSTART").filter(|_| is_one) else { return false };
        let lasts = component
            .one("DURATION")
            .map_or(Some(TimeDelta::zero()), |line| Lasting::read(line.value()).map(Lasting::total));
        let ends = if component.one("DTEND").is_some() { read("DTEND") } else { lasts.map(|lasts| start + lasts) };
        let Some(end) = ends.filter(|end| *end >= start) else { return false };
        let (earliest, latest) = self.window.local(TimeDelta::days(1));
        end < earliest || start > latest
    }

    fn entry(&mut self, component: &'a Component<'a>, position: usize) -> Result<Entry<'a>, IcsError> {
        let wrong = |property| IcsError::UnreadableEvent { position, property };
        let start = self.moment(component, position, "DTSTART")?.ok_or(wrong("DTSTART"))?;
        let length = match (self.moment(component, position, "DTEND")?, component.one("DURATION")) {
            (Some(end), _) => between(&start, &end).ok_or(wrong("DTEND"))?,
            (None, Some(line)) => {
                let lasting = Lasting::read(line.value()).filter(|lasting| lasting.total() >= TimeDelta::zero());
                Length::Nominal(lasting.ok_or(wrong("DURATION"))?)
            }
            (None, None) => Length::Nominal(Lasting::default()),
        };
        let range = component.one("RECURRENCE-ID");
        Ok(Entry {
            position,
            component,
            sequence: component.one("SEQUENCE").and_then(|line| line.value().parse().ok()).unwrap_or(0),
            start,
            length,
            replaces: self.moment(component, position, "RECURRENCE-ID")?,
            is_open_ended: range.is_some_and(|line| line.has_parameter("RANGE", "THISANDFUTURE")),
        })
    }

    /// The time of a property, if it is there.
    fn moment(
        &mut self,
        component: &Component<'_>,
        position: usize,
        property: &'static str,
    ) -> Result<Option<Moment>, IcsError> {
        let Some(line) = component.one(property) else { return Ok(None) };
        let written = Written::read(line.value()).ok_or(IcsError::UnreadableEvent { position, property })?;
        self.zones.moment(line, written, &mut self.effort).map(Some)
    }

    /// What of a group lies in the window.
    fn event_of(&mut self, group: Group<'a>) -> Result<Option<IcsEvent>, IcsError> {
        let Group { uid, masters, overrides, busy } = group;
        if let Some(busy) = busy {
            return self.free_busy_of(uid, busy).map(Some);
        }
        match masters.as_slice() {
            [only] if overrides.is_empty() && !only.recurs() => {
                let (start, end) = only.length.times(&only.start);
                if is_cancelled(only.component) || !self.window.holds(&start, &end) {
                    return Ok(None);
                }
                let event = describe(only.component, self.own_address);
                self.count(&event, &uid)?;
                Ok(Some(IcsEvent::Single(CalendarEvent { id: uid, start, end, ..event })))
            }
            _ => Ok(Some(IcsEvent::Series { instances: self.series_of(&uid, &masters, overrides)?, uid })),
        }
    }

    fn series_of(
        &mut self,
        uid: &str,
        masters: &[Entry<'a>],
        overrides: Vec<Entry<'a>>,
    ) -> Result<Vec<CalendarEvent>, IcsError> {
        let is_of_days = masters.first().is_some_and(|master| matches!(master.start, Moment::Day(_)));
        let overrides = Overrides::new(overrides, is_of_days, &self.window, self.own_address);
        let mut series = Series { uid, ids: HashMap::new(), found: BTreeMap::new() };
        for master in masters.iter().filter(|master| !is_cancelled(master.component)) {
            let description = describe(master.component, self.own_address);
            for instance in self.instances_of(master, overrides.furthest)? {
                if overrides.replace(&instance.original) {
                    continue;
                }
                match overrides.later(&instance.original, &self.window) {
                    Some(later) if is_cancelled(later.entry.component) => {}
                    Some(later) => {
                        let start = moved(&instance.original, later.shift);
                        let length = later.entry.length;
                        self.tell(&mut series, &Instance { start, length, ..instance }, &later.description)?;
                    }
                    None => self.tell(&mut series, &instance, &description)?,
                }
            }
        }
        for entry in overrides.all().filter(|entry| !is_cancelled(entry.component)) {
            let Some(original) = &entry.replaces else { continue };
            let instance = Instance { original: original.clone(), start: entry.start.clone(), length: entry.length };
            self.tell(&mut series, &instance, &describe(entry.component, self.own_address))?;
        }
        Ok(series.found.into_values().collect())
    }

    /// The instances of a recurring event that may lie in the window, or be moved into it by no more than `furthest`.
    fn instances_of(&mut self, master: &Entry<'a>, furthest: TimeDelta) -> Result<Vec<Instance>, IcsError> {
        let component = master.component;
        let (earliest, latest) = self.window.local(master.length.most() + furthest);
        let latest = latest.checked_add_signed(furthest).unwrap_or(latest);
        let is_of_days = matches!(master.start, Moment::Day(_));
        let mut found = BTreeMap::new();
        let mut add = |start: Moment, length: Length| {
            found.insert(Key::of(&start), Instance { original: start.clone(), start, length });
        };
        add(master.start.clone(), master.length);
        for line in component.all("RRULE").filter(|line| !line.value().is_empty()) {
            let rule = Rule::read(line.value(), is_of_days).ok_or_else(|| master.wrong("RRULE"))?;
            let until = self.end_of(&rule, &master.start);
            for local in rule.starts(master.start.local(), until, earliest, latest, &mut self.effort)? {
                add(at_local(&master.start, local), master.length);
            }
        }
        for line in component.all("RDATE") {
            for text in line.value().split(',').map(str::trim).filter(|text| !text.is_empty()) {
                let (start, length) = self.period(line, text)?.ok_or_else(|| master.wrong("RDATE"))?;
                add(like(&master.start, start), length.unwrap_or(master.length));
            }
        }
        let mut days_left_out = HashSet::new();
        for line in component.all("EXDATE") {
            for text in line.value().split(',').map(str::trim).filter(|text| !text.is_empty()) {
                let (left_out, _) = self.period(line, text)?.ok_or_else(|| master.wrong("EXDATE"))?;
                match (&left_out, is_of_days) {
                    (Moment::Day(day), false) => drop(days_left_out.insert(*day)),
                    _ => drop(found.remove(&Key::of(&like(&master.start, left_out)))),
                }
            }
        }
        if !days_left_out.is_empty() {
            found.retain(|_, known| !days_left_out.contains(&known.original.local().date()));
        }
        Ok(found.into_values().collect())
    }

    /// The last local time at which a rule may repeat. Between a date and a time the later is taken: an instance too many takes
    /// time, one too few is missed.
    fn end_of(&self, rule: &Rule, start: &Moment) -> Option<NaiveDateTime> {
        Some(match (start, rule.until?) {
            (Moment::Day(_), Written::Day(day)) => end_of_day(day),
            (Moment::Day(_), Written::Local(at)) => end_of_day(at.date()),
            (Moment::Day(_), Written::Utc(at)) => {
                let here = at + offset_at(self.window.calendar.unwrap_or(Tz::UTC), at.and_utc());
                end_of_day(at.date().max(here.date()))
            }
            (Moment::At { .. }, Written::Day(day)) => end_of_day(day),
            (Moment::At { .. }, Written::Local(at)) => at,
            (Moment::At { zone, .. }, Written::Utc(at)) => zone.local(at.and_utc()),
        })
    }

    /// Reads a date, a date with a time, or a period (RFC 5545, section 3.3.9).
    fn period(&mut self, line: &Line<'_>, text: &str) -> Result<Option<(Moment, Option<Length>)>, IcsError> {
        self.dates += 1;
        if self.dates > MOST_DATES {
            return Err(IcsError::TooMany);
        }
        let (start, end) = text.split_once('/').map_or((text, None), |(start, end)| (start, Some(end)));
        let Some(written) = Written::read(start) else { return Ok(None) };
        let start = self.zones.moment(line, written, &mut self.effort)?;
        let Some(end) = end else { return Ok(Some((start, None))) };
        let length = if let Some(lasting) = Lasting::read(end) {
            Some(Length::Nominal(lasting)).filter(|_| lasting.total() >= TimeDelta::zero())
        } else if let Some(written) = Written::read(end) {
            between(&start, &self.zones.moment(line, written, &mut self.effort)?)
        } else {
            None
        };
        Ok(length.map(|length| (start, Some(length))))
    }

    /// What a `VFREEBUSY` says of time that is taken (section 3.6.4).
    fn busy_periods(&mut self, component: &Component<'_>, position: usize) -> Result<Vec<(Moment, Length)>, IcsError> {
        let mut busy = Vec::new();
        for line in component.all("FREEBUSY").filter(|line| !line.has_parameter("FBTYPE", "FREE")) {
            for text in line.value().split(',').map(str::trim).filter(|text| !text.is_empty()) {
                let wrong = IcsError::UnreadableEvent { position, property: "FREEBUSY" };
                match self.period(line, text)? {
                    Some((start, Some(length))) => busy.push((start, length)),
                    _ => return Err(wrong),
                }
            }
        }
        Ok(busy)
    }

    fn free_busy_of(&mut self, uid: String, busy: Vec<(Moment, Length)>) -> Result<IcsEvent, IcsError> {
        let nowhere = EventTime::Day(NaiveDate::MIN);
        let nameless = CalendarEvent::draft("", nowhere.clone(), nowhere);
        let mut series = Series { uid: &uid, ids: HashMap::new(), found: BTreeMap::new() };
        for (start, length) in busy {
            self.tell(&mut series, &Instance { original: start.clone(), start, length }, &nameless)?;
        }
        let instances = series.found.into_values().collect();
        Ok(IcsEvent::Series { uid, instances })
    }

    /// Adds an instance that lies in the window.
    fn tell(
        &mut self,
        series: &mut Series<'_>,
        instance: &Instance,
        description: &CalendarEvent,
    ) -> Result<(), IcsError> {
        let (start, end) = instance.length.times(&instance.start);
        if !self.window.holds(&start, &end) {
            return Ok(());
        }
        self.count(description, series.uid)?;
        let original_start = instance.original.event_time();
        let mut id = instance_id(series.uid, self.window.instant(&original_start));
        // Several that claim to be one are all told.
        let namesakes = series.ids.entry(id.clone()).or_insert(0);
        if *namesakes > 0 {
            id = format!("{id}+{namesakes}");
        }
        *namesakes += 1;
        let place = (self.window.instant(&start), id.clone());
        let event = CalendarEvent {
            id,
            start,
            end,
            recurring_event_id: Some(series.uid.to_owned()),
            original_start: Some(original_start),
            ..description.clone()
        };
        series.found.insert(place, event);
        Ok(())
    }

    fn count(&mut self, event: &CalendarEvent, uid: &str) -> Result<(), IcsError> {
        self.instances += 1;
        if self.instances > MOST_INSTANCES {
            return Err(IcsError::TooMany);
        }
        // The ids of an instance and of its series begin with it.
        self.effort.hold(weight(event) + 2 * uid.len())
    }
}

/// The instances of a `UID` that were found.
struct Series<'u> {
    uid: &'u str,
    /// How often each id was taken.
    ids: HashMap<String, u32>,
    /// By their beginning.
    found: BTreeMap<(DateTime<Utc>, String), CalendarEvent>,
}

/// The overrides of a series.
struct Overrides<'a> {
    by_key: BTreeMap<Key, Entry<'a>>,
    /// Those of a date only, of a series whose instances have a time of day.
    days: HashSet<NaiveDate>,
    /// Those that hold on, by the instant from which they do.
    open_ended: BTreeMap<DateTime<Utc>, OpenEnded<'a>>,
    /// How far the latter move an instance at most.
    furthest: TimeDelta,
}

struct OpenEnded<'a> {
    entry: Entry<'a>,
    shift: TimeDelta,
    description: CalendarEvent,
}

impl<'a> Overrides<'a> {
    fn new(entries: Vec<Entry<'a>>, is_of_days: bool, window: &Window, own_address: Option<&str>) -> Self {
        let mut overrides = Self {
            by_key: BTreeMap::new(),
            days: HashSet::new(),
            open_ended: BTreeMap::new(),
            furthest: TimeDelta::zero(),
        };
        for entry in entries {
            let Some(original) = &entry.replaces else { continue };
            let key = match original {
                Moment::At { local, .. } if is_of_days => Key::Day(local.date()),
                moment => Key::of(moment),
            };
            if overrides.by_key.get(&key).is_some_and(|known| known.sequence > entry.sequence) {
                continue;
            }
            if let (Key::Day(day), false) = (key, is_of_days) {
                overrides.days.insert(day);
            }
            if entry.is_open_ended {
                let shift = match (&entry.start, original) {
                    (Moment::At { local, zone }, Moment::At { .. }) => {
                        *local - zone.local(instant_of(&original.event_time()))
                    }
                    (start, original) => start.local() - original.local(),
                };
                overrides.furthest = overrides.furthest.max(shift.abs());
                let later =
                    OpenEnded { entry: entry.clone(), shift, description: describe(entry.component, own_address) };
                overrides.open_ended.insert(window.instant(&original.event_time()), later);
            }
            overrides.by_key.insert(key, entry);
        }
        overrides
    }

    fn all(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.by_key.values()
    }

    /// Whether one of them stands instead of the instance.
    fn replace(&self, original: &Moment) -> bool {
        self.by_key.contains_key(&Key::of(original)) || self.days.contains(&original.local().date())
    }

    /// What an earlier one says of the instance.
    fn later(&self, original: &Moment, window: &Window) -> Option<&OpenEnded<'a>> {
        if self.open_ended.is_empty() {
            return None;
        }
        self.open_ended.range(..=window.instant(&original.event_time())).next_back().map(|(_, later)| later)
    }
}

fn moved(moment: &Moment, shift: TimeDelta) -> Moment {
    at_local(moment, moment.local().checked_add_signed(shift).unwrap_or(moment.local()))
}

/// `local` in the way that `start` is told.
fn at_local(start: &Moment, local: NaiveDateTime) -> Moment {
    match start {
        Moment::Day(_) => Moment::Day(local.date()),
        Moment::At { zone, .. } => Moment::At { local, zone: zone.clone() },
    }
}

/// A date of a series that begins with `start`: of whole days, or at the same time of day where none is told.
fn like(start: &Moment, date: Moment) -> Moment {
    match (start, date) {
        (Moment::Day(_), Moment::At { local, .. }) => Moment::Day(local.date()),
        (Moment::At { local, zone }, Moment::Day(day)) => {
            Moment::At { local: day.and_time(local.time()), zone: zone.clone() }
        }
        (_, date) => date,
    }
}

/// From `start` to `end`, if that is no way back.
fn between(start: &Moment, end: &Moment) -> Option<Length> {
    let midnight = |day: &NaiveDate| day.and_time(NaiveTime::MIN);
    match (start, end) {
        (Moment::Day(first), end) => {
            let time = end.local() - midnight(first);
            // Some programs write the last day where the day after it belongs.
            let days = Length::Exact(time).days();
            (time >= TimeDelta::zero()).then_some(Length::Days(days))
        }
        (Moment::At { zone, .. }, Moment::Day(day)) => {
            between(start, &Moment::At { local: midnight(day), zone: zone.clone() })
        }
        (Moment::At { local: from, zone: from_zone }, Moment::At { local: to, zone: to_zone }) => {
            let exact = to_zone.instant(*to) - from_zone.instant(*from);
            // From within a gap of the clocks to right behind it: as long as the clock says.
            let by_clock = Some(*to - *from).filter(|_| from_zone.is(to_zone));
            let exact = if exact > TimeDelta::zero() { exact } else { by_clock.unwrap_or(exact) };
            (exact >= TimeDelta::zero()).then_some(Length::Exact(exact))
        }
    }
}

#[cfg(test)]
mod tests;
