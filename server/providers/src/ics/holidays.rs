//! Holidays out of iCalendar files (RFC 5545), wherever they come from: nothing in them is trusted.
//!
//! Events of whole days are read; what has a time of day is no holiday. A cancelled event is left out. Whether an event
//! takes time (`TRANSP`) is not asked: calendars of holidays say that theirs do not. What is unreadable in an event costs
//! that event, or its rule, alone.
//!
//! A small file can ask for endless work: it may nest, repeat each second, or repeat on dates that never come. Size, depth
//! and the number of steps of all rules together are therefore bounded.

mod recurrence;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};

use chrono::{Datelike, Days, NaiveDate};
use cupo_core::availability::Holiday;
use icalendar::parser::{Component, read_calendar_simple, unfold};

use super::IcsError;
use super::effort::Effort;
use recurrence::starts_of_rule;

/// The largest file that is read, in bytes.
pub const MOST_BYTES: usize = 1024 * 1024;
/// The most holidays that are taken out of one file.
pub const MOST_HOLIDAYS: usize = 2_000;
/// A longer event is cut.
const LONGEST_DAYS: u64 = 366;
/// A longer name is cut, in characters.
const LONGEST_NAME: usize = 200;
/// The lines that matter; all others are passed over before anything is parsed.
const READ: [&str; 10] =
    ["DTSTART", "DTEND", "DURATION", "SUMMARY", "STATUS", "UID", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"];

/// The holidays that touch the dates from `from` to `to`, both included; by date, each once, at their full length.
///
/// ```
/// use cupo_providers::ics::holidays;
/// let file = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20201225\r\nDTEND;VALUE=DATE:20201227\r\n\
///             RRULE:FREQ=YEARLY\r\nSUMMARY:Christmas\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
/// let read = holidays(file, "2026-01-01".parse().unwrap(), "2027-12-31".parse().unwrap()).unwrap();
/// let read: Vec<_> = read.iter().map(|holiday| (holiday.first.to_string(), holiday.last.to_string())).collect();
/// assert_eq!(read[0], ("2026-12-25".to_string(), "2026-12-26".to_string()));
/// assert_eq!(read.len(), 2);
/// ```
///
/// # Errors
/// [`IcsError`]; never a part of the file.
pub fn holidays(text: &str, from: NaiveDate, to: NaiveDate) -> Result<Vec<Holiday>, IcsError> {
    if text.len() > MOST_BYTES {
        return Err(IcsError::TooLarge);
    }
    let text = relevant_lines(text)?;
    let file = read_calendar_simple(&text).map_err(|_| IcsError::Unreadable)?;
    let calendars: Vec<&Component<'_>> =
        file.iter().flat_map(|root| &root.components).filter(|found| found.name == "VCALENDAR").collect();
    if calendars.is_empty() {
        return Err(IcsError::Unreadable);
    }
    let events = calendars.iter().flat_map(|calendar| &calendar.components).filter(|found| found.name == "VEVENT");
    let events: Vec<Event<'_>> = events.filter_map(Event::read).collect();
    let moved: HashSet<_> = events.iter().filter_map(|event| Some((event.uid, event.replaces?))).collect();

    let mut effort = Effort::default();
    let mut found = BTreeSet::new();
    for event in events.iter().filter(|event| !event.is_cancelled) {
        for first in event.starts(from, to, &mut effort)? {
            let last = first + Days::new(event.days - 1);
            let is_moved = event.replaces.is_none() && moved.contains(&(event.uid, first));
            if last < from || first > to || is_moved {
                continue;
            }
            found.insert((first, last, event.name.as_str()));
            if found.len() > MOST_HOLIDAYS {
                return Err(IcsError::TooMany);
            }
        }
    }
    Ok(found.into_iter().map(|(first, last, name)| Holiday { first, last, name: name.to_owned() }).collect())
}

/// The lines that are read, without parameters, in one component, so that a file may hold several calendars. The parser goes
/// down with each `BEGIN`, so the depth is bounded before it starts; it looks for `\r\n` first, so every line ends with that.
fn relevant_lines(text: &str) -> Result<String, IcsError> {
    let mut kept = String::from("BEGIN:FILE\r\n");
    let mut depth = 0_usize;
    for line in unfold(text.trim_start_matches('\u{feff}')).lines() {
        let Some((name, value)) = name_and_value(line) else { continue };
        match name.as_str() {
            "BEGIN" | "END" => {
                depth = if name == "BEGIN" { depth + 1 } else { depth.saturating_sub(1) };
                kept.extend([&name, ":", &value.to_ascii_uppercase(), "\r\n"]);
            }
            name if READ.contains(&name) => kept.extend([name, ":", value, "\r\n"]),
            _ => {}
        }
        if depth > super::DEEPEST {
            return Err(IcsError::Unreadable);
        }
    }
    kept.push_str("END:FILE\r\n");
    Ok(kept)
}

/// The name in capitals, and what follows the first colon that is not in quotes.
fn name_and_value(line: &str) -> Option<(String, &str)> {
    let mut is_quoted = false;
    let colon = line.find(|c| {
        is_quoted ^= c == '"';
        c == ':' && !is_quoted
    })?;
    let name = line[..colon].split(';').next()?.trim().to_ascii_uppercase();
    Some((name, line[colon + 1..].trim()))
}

/// An event of whole days.
struct Event<'a> {
    uid: &'a str,
    first: NaiveDate,
    /// At least one.
    days: u64,
    name: String,
    is_cancelled: bool,
    rules: Vec<&'a str>,
    added: Vec<NaiveDate>,
    left_out: Vec<NaiveDate>,
    /// It stands instead of the occurrence of its series on this date.
    replaces: Option<NaiveDate>,
}

impl<'a> Event<'a> {
    fn read(component: &'a Component<'_>) -> Option<Self> {
        let all = |name: &'static str| {
            let named = component.properties.iter().filter(move |property| property.name == name);
            named.map(|property| property.val.as_str().trim())
        };
        let one = |name| all(name).next();
        let dates = |name| all(name).flat_map(|list| list.split(',')).filter_map(leading_date).collect();
        let first = whole_day(one("DTSTART")?)?;
        let days = match (one("DTEND"), one("DURATION")) {
            (Some(end), _) => whole_day(end).map_or(1, |end| (end - first).num_days()),
            (None, Some(duration)) => whole_days(duration),
            (None, None) => 1,
        };
        Some(Self {
            uid: one("UID").unwrap_or_default(),
            first,
            days: u64::try_from(days).unwrap_or(1).clamp(1, LONGEST_DAYS),
            name: plain_name(one("SUMMARY").unwrap_or_default()),
            is_cancelled: one("STATUS").is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED")),
            rules: all("RRULE").collect(),
            added: dates("RDATE"),
            left_out: dates("EXDATE"),
            replaces: one("RECURRENCE-ID").and_then(leading_date),
        })
    }

    /// The dates on which it begins, as far as they matter for the range; the first of all is there in any case.
    fn starts(&self, from: NaiveDate, to: NaiveDate, effort: &mut Effort) -> Result<BTreeSet<NaiveDate>, IcsError> {
        let earliest = from.checked_sub_days(Days::new(self.days)).unwrap_or(from);
        let mut starts = BTreeSet::from([self.first]);
        if self.replaces.is_none() {
            for rule in &self.rules {
                starts.extend(starts_of_rule(rule, self.first, earliest, to, effort)?);
            }
            starts.extend(&self.added);
        }
        for date in &self.left_out {
            starts.remove(date);
        }
        Ok(starts)
    }
}

/// A date, or midnight of a clock that shows the local time of wherever it is read: so some programs write whole days.
fn whole_day(text: &str) -> Option<NaiveDate> {
    leading_date(text).filter(|_| matches!(&text.trim()[8..], "" | "T000000"))
}

/// The date of a date, a date with a time, or a period, in the years that have one calendar everywhere.
fn leading_date(text: &str) -> Option<NaiveDate> {
    let digits = text.trim().get(..8).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let date = NaiveDate::parse_from_str(digits, "%Y%m%d").ok()?;
    (1583..=9999).contains(&date.year()).then_some(date)
}

/// The days of a duration such as `P1D` or `P2W`; 0 for what has none.
fn whole_days(text: &str) -> i64 {
    let text = text.trim().trim_start_matches('+').trim_start_matches('P');
    let text = text.split('T').next().unwrap_or_default();
    text.split_inclusive(['W', 'D'])
        .filter_map(|part| {
            let (number, unit) = part.split_at_checked(part.len().checked_sub(1)?)?;
            let number = i64::from(number.parse::<u16>().ok()?);
            Some(if unit == "W" { number * 7 } else { number })
        })
        .sum()
}

fn plain_name(summary: &str) -> String {
    let plain = summary.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(LONGEST_NAME).collect::<String>().trim().to_owned()
}
