//! One event as an iCalendar object (RFC 5545), as a CalDAV server keeps it (RFC 4791, section 4.1).

use chrono::{DateTime, NaiveDate, SubsecRound, TimeDelta, Utc};
use chrono_tz::Tz;
use cupo_core::interval::Interval;

use super::clock::{Moment, Zone, Zones};
use super::effort::Effort;
use super::event::address;
use super::lines::{Component, Line, Unfolded};
use super::time::Written;
use super::{CLAIM, CONFERENCES, INSTALLATION, IcsError, MOST_EVENT_BYTES, vtimezone};
use crate::event::{
    Attendee, CalendarEvent, EventKind, EventStatus, EventTime, Meeting, Reminder, ReminderMethod, Reminders,
    ResponseStatus, Transparency, Visibility,
};
use crate::recurrence::{Begun, day_of, rule_from};
use crate::zones::zone_named;

const PRODUCT: &str = "-//Cupo//Cupo//EN";
const FORM: &str = "%Y%m%dT%H%M%S";

/// What becomes of the attendees of an event that is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttendeeChange<'a> {
    /// They stay as they are, with their answers.
    Keep,
    /// Who is `gone` (e-mail addresses) is no longer invited, those of the event who are missing are; everybody else stays with
    /// their answer. `organizer` is written where the event has none yet.
    Invite { gone: &'a [String], organizer: Option<&'a str> },
}

/// Writes a new event, with the zones that its times are in. `organizer` (an e-mail address) invites the attendees; `stamp` is
/// the time of writing.
///
/// Attendees who do not see one another are not told by the server (RFC 6638, section 7.1), since it would send each of them the list
/// of all. A meeting that is only requested is not written: no CalDAV server makes one.
pub fn write_event(event: &CalendarEvent, uid: &str, organizer: Option<&str>, stamp: DateTime<Utc>) -> String {
    let mut written = Component::new("VEVENT");
    let lines = &mut written.lines;
    lines.push(Line::text("UID", uid));
    for name in ["DTSTAMP", "CREATED", "LAST-MODIFIED"] {
        lines.push(Line::new(name, &utc(stamp)));
    }
    lines.push(Line::new("SEQUENCE", "0"));
    lines.push(time_line("DTSTART", &event.start));
    lines.push(time_line("DTEND", &event.end));
    let texts = [
        ("SUMMARY", Some(&event.title)),
        ("DESCRIPTION", event.description.as_ref()),
        ("LOCATION", event.location.as_ref()),
    ];
    for (name, text) in texts {
        lines.extend(text.filter(|text| !text.is_empty()).map(|text| Line::text(name, text)));
    }
    lines.push(Line::new("STATUS", status(event.status)));
    lines.push(Line::new("TRANSP", transparency(event.transparency)));
    lines.extend(class(event.visibility).map(|class| Line::new("CLASS", class)));
    lines.extend(busy_status(&event.kind).map(|status| Line::new("X-MICROSOFT-CDO-BUSYSTATUS", status)));
    lines.extend(conference(event));
    lines.extend(mark(event));
    if !event.attendees.is_empty() {
        lines.extend(organizer.map(organizer_line));
        lines.extend(event.attendees.iter().map(|attendee| attendee_line(attendee, event)));
    }
    if let Reminders::Own(own) = &event.reminders {
        written.components.extend(own.iter().map(|reminder| alarm(reminder, event, organizer)));
    }

    let mut calendar = Component::new("VCALENDAR");
    for (name, value) in [("VERSION", "2.0"), ("PRODID", PRODUCT), ("CALSCALE", "GREGORIAN")] {
        calendar.lines.push(Line::new(name, value));
    }
    calendar.components.extend(zones_of(event).into_iter().map(|zone| vtimezone::component(zone, around(event))));
    calendar.components.push(written);
    let mut text = String::new();
    calendar.write(&mut text);
    text
}

/// Writes into `existing` what an appointment decides: title, description, location, times, link and mark, and who is
/// invited. All else stays as it stands there: alarms, answers, colours, the properties of other programs.
///
/// # Errors
/// [`IcsError`], when `existing` holds no event.
pub fn rewrite_event(
    existing: &str,
    event: &CalendarEvent,
    attendees: AttendeeChange<'_>,
    stamp: DateTime<Utc>,
) -> Result<String, IcsError> {
    if existing.len() > MOST_EVENT_BYTES {
        return Err(IcsError::TooLarge);
    }
    let unfolded = Unfolded::new(existing);
    let calendars = unfolded.read()?;
    let is_master = |part: &Component<'_>| part.name == "VEVENT" && part.one("RECURRENCE-ID").is_none();
    let calendar = calendars.iter().find(|calendar| calendar.components.iter().any(is_master));
    let mut calendar = calendar.ok_or(IcsError::Unreadable)?.clone();
    // A resource is no message (RFC 4791, section 4.1).
    calendar.remove("METHOD");
    let (keeps_start, keeps_end) = has_times(&calendars, event)?;
    let keeps_times = keeps_start && keeps_end;
    let master = calendar.components.iter_mut().find(|part| is_master(part)).ok_or(IcsError::Unreadable)?;

    set_text(master, "SUMMARY", &event.title, &[]);
    set_text(master, "DESCRIPTION", event.description.as_deref().unwrap_or_default(), &["X-ALT-DESC"]);
    set_text(
        master,
        "LOCATION",
        event.location.as_deref().unwrap_or_default(),
        &["X-APPLE-STRUCTURED-LOCATION", "GEO"],
    );
    if !keeps_times {
        master.set(time_line("DTSTART", &event.start));
        master.set(time_line("DTEND", &event.end));
        master.remove("DURATION");
    }
    if !keeps_start {
        move_rules(master, day_of(&event.start));
    }
    for line in conference(event).into_iter().chain(mark(event)) {
        master.set(line);
    }
    if let AttendeeChange::Invite { gone, organizer } = attendees {
        invite(master, event, gone, organizer);
    }
    let sequence = master.one("SEQUENCE").and_then(|line| line.value().parse::<u32>().ok()).unwrap_or(0);
    master.set(Line::new("SEQUENCE", &sequence.saturating_add(1).to_string()));
    master.set(Line::new("DTSTAMP", &utc(stamp)));
    master.set(Line::new("LAST-MODIFIED", &utc(stamp)));

    for zone in zones_of(event).into_iter().filter(|_| !keeps_times) {
        let is_same = |part: &Component<'_>| {
            part.name == "VTIMEZONE" && part.one("TZID").is_some_and(|line| line.text_value() == zone.name())
        };
        // One that tells its changes one by one, as ours does, may not reach to the new time.
        let reaches = |part: &Component<'_>| part.components.iter().any(|observance| observance.one("RRULE").is_some());
        if !calendar.components.iter().any(|part| is_same(part) && reaches(part)) {
            calendar.components.retain(|part| !is_same(part));
            calendar.components.insert(0, vtimezone::component(zone, around(event)));
        }
    }
    if !keeps_start {
        // Instances that were changed by themselves are known by their old times.
        calendar.components.retain(|part| part.name != "VEVENT" || is_master(part));
    }
    let mut text = String::new();
    calendar.write(&mut text);
    Ok(text)
}

/// A recurring event moves as a whole. What its rules left out or added belongs to the old times.
fn move_rules(master: &mut Component<'_>, day: NaiveDate) {
    for name in ["EXDATE", "RDATE", "EXRULE"] {
        master.remove(name);
    }
    let old = std::mem::take(&mut master.lines);
    master.lines = old
        .into_iter()
        .filter_map(|line| match rule_from(line.value(), day) {
            _ if !line.is("RRULE") => Some(line),
            Begun::AsItIs => Some(line),
            Begun::Becomes(rule) => Some(Line::new("RRULE", &rule)),
            Begun::Ends => None,
        })
        .collect();
}

/// Whether the event of a resource begins and ends as `event` does already, however that is written.
fn has_times(calendars: &[Component<'_>], event: &CalendarEvent) -> Result<(bool, bool), IcsError> {
    let mut zones = Zones::new(calendars, Err(IcsError::FloatingTime), around(event).end.naive_utc());
    let mut events = calendars.iter().flat_map(|calendar| calendar.parts("VEVENT"));
    let Some(master) = events.find(|event| event.one("RECURRENCE-ID").is_none()) else { return Ok((false, false)) };
    let mut has = |name: &str, wanted: &EventTime| {
        let found = master.one(name).and_then(|line| Some((line, Written::read(line.value())?)));
        let Some((line, written)) = found else { return Ok(false) };
        Ok(match (zones.moment(line, written, &mut Effort::default()), wanted) {
            (Ok(Moment::Day(found)), EventTime::Day(wanted)) => found == *wanted,
            (Ok(Moment::At { local, zone }), EventTime::Instant { at, .. }) => {
                zone.instant(local) == at.trunc_subsecs(0)
            }
            (Err(IcsError::TooMany), _) => return Err(IcsError::TooMany),
            _ => false,
        })
    };
    Ok((has("DTSTART", &event.start)?, has("DTEND", &event.end)?))
}

/// Sets a text; what says the same in another form is no longer true then.
fn set_text(event: &mut Component<'_>, name: &str, text: &str, also: &[&str]) {
    if event.one(name).map(Line::text_value).unwrap_or_default() == text.trim() {
        return;
    }
    for other in also {
        event.remove(other);
    }
    if text.is_empty() { event.remove(name) } else { event.set(Line::text(name, text)) }
}

fn invite(master: &mut Component<'_>, event: &CalendarEvent, gone: &[String], organizer: Option<&str>) {
    let is_gone = |line: &Line<'_>| gone.iter().any(|email| email.eq_ignore_ascii_case(&address(line)));
    master.lines.retain(|line| !(line.is("ATTENDEE") && is_gone(line)));
    for attendee in &event.attendees {
        if !master.all("ATTENDEE").any(|line| address(line).eq_ignore_ascii_case(&attendee.email)) {
            master.lines.push(attendee_line(attendee, event));
        }
    }
    if master.one("ORGANIZER").is_none() && master.one("ATTENDEE").is_some() {
        master.lines.extend(organizer.map(organizer_line));
    }
}

fn utc(at: DateTime<Utc>) -> String {
    format!("{}Z", at.format(FORM))
}

/// The zone that a time is told in; none where an instant of UTC says it better.
fn zone_of(time: &EventTime) -> Option<Tz> {
    let EventTime::Instant { at, time_zone } = time else { return None };
    let tz = zone_named(time_zone.as_deref()?).filter(|tz| !matches!(tz, Tz::UTC | Tz::Etc__UTC))?;
    // The second of two equal hours has no local time of its own (RFC 5545, section 3.3.5).
    let (zone, at) = (Zone::Named(tz), at.trunc_subsecs(0));
    (zone.instant(zone.local(at)) == at).then_some(tz)
}

fn zones_of(event: &CalendarEvent) -> Vec<Tz> {
    let mut zones: Vec<Tz> = [&event.start, &event.end].into_iter().filter_map(zone_of).collect();
    zones.dedup();
    zones
}

/// The time that the event's zones must be told for.
fn around(event: &CalendarEvent) -> Interval {
    let instant = |time: &EventTime| time.instant(Tz::UTC);
    let (start, end) = (instant(&event.start), instant(&event.end));
    Interval { start, end: end.max(start) + TimeDelta::days(1) }
}

fn time_line(name: &str, time: &EventTime) -> Line<'static> {
    match (time, zone_of(time)) {
        (EventTime::Day(day), _) => Line::with(name, &[("VALUE", "DATE")], &day.format("%Y%m%d").to_string()),
        (EventTime::Instant { at, .. }, None) => Line::new(name, &utc(*at)),
        (EventTime::Instant { at, .. }, Some(tz)) => {
            let local = Zone::Named(tz).local(*at);
            Line::with(name, &[("TZID", tz.name())], &local.format(FORM).to_string())
        }
    }
}

fn status(status: EventStatus) -> &'static str {
    match status {
        EventStatus::Confirmed => "CONFIRMED",
        EventStatus::Tentative => "TENTATIVE",
        EventStatus::Cancelled => "CANCELLED",
    }
}

fn transparency(transparency: Transparency) -> &'static str {
    match transparency {
        Transparency::Opaque => "OPAQUE",
        Transparency::Transparent => "TRANSPARENT",
    }
}

fn class(visibility: Visibility) -> Option<&'static str> {
    match visibility {
        Visibility::Default => None,
        Visibility::Public => Some("PUBLIC"),
        Visibility::Private => Some("PRIVATE"),
        Visibility::Confidential => Some("CONFIDENTIAL"),
    }
}

fn busy_status(kind: &EventKind) -> Option<&'static str> {
    match kind {
        EventKind::OutOfOffice => Some("OOF"),
        EventKind::WorkingLocation => Some("WORKINGELSEWHERE"),
        EventKind::Default | EventKind::FocusTime | EventKind::Birthday | EventKind::Other(_) => None,
    }
}

/// RFC 7986, section 5.11.
fn conference(event: &CalendarEvent) -> Option<Line<'static>> {
    let Meeting::Ready { url } = &event.meeting else { return None };
    Some(Line::with(CONFERENCES[0], &[("VALUE", "URI"), ("FEATURE", "VIDEO")], url))
}

fn mark(event: &CalendarEvent) -> Vec<Line<'static>> {
    let Some(mark) = &event.mark else { return Vec::new() };
    vec![Line::text(CLAIM, mark.claim_id.as_str()), Line::text(INSTALLATION, &mark.installation)]
}

fn organizer_line(email: &str) -> Line<'static> {
    Line::new("ORGANIZER", &format!("mailto:{email}"))
}

fn attendee_line(attendee: &Attendee, event: &CalendarEvent) -> Line<'static> {
    let mut parameters = Vec::new();
    parameters.extend(attendee.name.as_deref().filter(|name| !name.is_empty()).map(|name| ("CN", name)));
    parameters.push(("ROLE", "REQ-PARTICIPANT"));
    let response = match attendee.response {
        ResponseStatus::NeedsAction => "NEEDS-ACTION",
        ResponseStatus::Accepted => "ACCEPTED",
        ResponseStatus::Tentative => "TENTATIVE",
        ResponseStatus::Declined => "DECLINED",
    };
    parameters.push(("PARTSTAT", response));
    if attendee.response == ResponseStatus::NeedsAction {
        parameters.push(("RSVP", "TRUE"));
    }
    // RFC 6638, section 7.1: Cupo's own mails invite, for what a server does of itself differs from one to the next. Who may
    // not see the others is told by none of them.
    parameters.push(("SCHEDULE-AGENT", if event.guests_see_each_other { "CLIENT" } else { "NONE" }));
    Line::with("ATTENDEE", &parameters, &format!("mailto:{}", attendee.email))
}

/// Section 3.6.6. An alarm by mail needs somebody who gets it.
fn alarm(reminder: &Reminder, event: &CalendarEvent, organizer: Option<&str>) -> Component<'static> {
    let mut alarm = Component::new("VALARM");
    let title = if event.title.is_empty() { "-" } else { &event.title };
    match (reminder.method, organizer) {
        (ReminderMethod::Email, Some(organizer)) => {
            alarm.lines.push(Line::new("ACTION", "EMAIL"));
            alarm.lines.push(Line::text("SUMMARY", title));
            alarm.lines.push(Line::new("ATTENDEE", &format!("mailto:{organizer}")));
        }
        _ => alarm.lines.push(Line::new("ACTION", "DISPLAY")),
    }
    alarm.lines.push(Line::text("DESCRIPTION", title));
    alarm.lines.push(Line::new("TRIGGER", &format!("-PT{}M", reminder.minutes_before)));
    alarm
}

#[cfg(test)]
mod tests;
