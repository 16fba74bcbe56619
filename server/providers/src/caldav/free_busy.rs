//! The busy time of calendars.
//!
//! It is made of the events themselves by the one rule of what blocks, as the mirror is. A calendar whose events may
//! not be read, only its busy time, is asked for that (RFC 4791 §7.10); there the server decides what blocks.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use cupo_core::interval::{Interval, normalize};
use futures::future::{join_all, try_join};
use icalendar::parser::unfold;
use url::Url;

use super::owner::{Owner, owner};
use super::resource::Reading;
use super::{CaldavProvider, calendar_url, query, report, xml, zone};
use crate::access::Access;
use crate::error::ProviderError;
use crate::provider::{CalendarFreeBusy, FreeBusyProblem};

const FREE_BUSY: &str = "report.free-busy-query";

pub(super) async fn query(
    caldav: &CaldavProvider,
    access: &Access,
    calendars: &[&str],
    range: Interval,
) -> Result<Vec<CalendarFreeBusy>, ProviderError> {
    if calendars.is_empty() {
        return Ok(Vec::new());
    }
    let owner = owner(caldav, access).await?;
    let asked = calendars.iter().map(|calendar| of_calendar(caldav, access, &owner, calendar, range));
    let mut answers = Vec::with_capacity(calendars.len());
    for (calendar, busy) in calendars.iter().zip(join_all(asked).await) {
        let busy = match busy {
            Ok(busy) => Ok(normalize(busy)),
            // These concern the account, and so every calendar.
            Err(error @ (ProviderError::Reauth(_) | ProviderError::Throttled(_))) => return Err(error),
            Err(error) => Err(FreeBusyProblem { reason: reason(error) }),
        };
        answers.push(CalendarFreeBusy { calendar: (*calendar).to_owned(), busy });
    }
    Ok(answers)
}

fn reason(error: ProviderError) -> String {
    match error {
        ProviderError::NotFound => "notFound".to_owned(),
        ProviderError::Rejected(why) | ProviderError::Transient(why) => why,
        error => error.to_string(),
    }
}

async fn of_calendar(
    caldav: &CaldavProvider,
    access: &Access,
    owner: &Owner,
    calendar: &str,
    range: Interval,
) -> Result<Vec<Interval>, ProviderError> {
    let calendar = calendar_url(access, calendar)?;
    let state = query::state(caldav, access, &calendar);
    let resources = query::resources(caldav, access, &calendar, range);
    match try_join(state, resources).await {
        Ok((state, resources)) => {
            let told = zone::told(&state).map_err(|name| zone::unknown(&name))?;
            let mut reading = Reading::new(owner, zone::of_calendar(access, told));
            let mut busy = Vec::new();
            for resource in &resources {
                busy.append(&mut reading.busy(resource, range)?);
                // Many may take a while, and others wait for this thread.
                tokio::task::yield_now().await;
            }
            Ok(busy)
        }
        Err(refused @ ProviderError::Rejected(_)) => {
            told_by_server(caldav, access, &calendar, range).await.map_err(|error| match error {
                // Where that is refused too, the first refusal says more.
                ProviderError::Rejected(_) | ProviderError::NotFound => refused,
                error => error,
            })
        }
        Err(error) => Err(error),
    }
}

async fn told_by_server(
    caldav: &CaldavProvider,
    access: &Access,
    calendar: &Url,
    range: Interval,
) -> Result<Vec<Interval>, ProviderError> {
    let (start, end) = (query::utc(range.start), query::utc(range.end + TimeDelta::seconds(1)));
    let body = xml::document("C:free-busy-query", &format!(r#"<C:time-range start="{start}" end="{end}"/>"#));
    let response = caldav.send(&report(access, FREE_BUSY, calendar.clone(), "1", body)).await?;
    let text = std::str::from_utf8(&response.body).ok();
    let busy = text.and_then(busy_periods);
    let busy = busy.ok_or_else(|| ProviderError::Transient(format!("{FREE_BUSY}: the answer is not readable")))?;
    Ok(busy.into_iter().filter_map(|busy| busy.intersection(&range)).collect())
}

/// The periods of a VFREEBUSY that are not free (RFC 5545 §3.6.4); `None` when there is no such component, or a period
/// cannot be read: what is unknown is not free.
pub(crate) fn busy_periods(text: &str) -> Option<Vec<Interval>> {
    let mut busy = Vec::new();
    let mut is_told = false;
    for line in unfold(text.trim_start_matches('\u{feff}')).lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let mut parameters = name.split(';').map(|part| part.trim().to_ascii_uppercase());
        match parameters.next().as_deref() {
            Some("BEGIN") => is_told |= value.trim().eq_ignore_ascii_case("VFREEBUSY"),
            Some("FREEBUSY") if !parameters.any(|parameter| parameter == "FBTYPE=FREE") => {
                for part in value.split(',') {
                    busy.extend(period(part.trim())?);
                }
            }
            _ => {}
        }
    }
    is_told.then_some(busy)
}

/// `start/end` or `start/duration`. A period without length is `Some(None)`.
fn period(text: &str) -> Option<Option<Interval>> {
    let (start, end) = text.split_once('/')?;
    let start = instant(start)?;
    let end = match instant(end) {
        Some(end) => end,
        None => start.checked_add_signed(duration(end)?)?,
    };
    Some(Interval::new(start, end))
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    let instant = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok()?.and_utc();
    // A year of more digits would be read too.
    (text.len() == 16).then_some(instant)
}

/// RFC 5545 §3.3.6, not negative.
fn duration(text: &str) -> Option<TimeDelta> {
    let mut rest = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
    let mut seconds = 0_i64;
    let mut is_time = false;
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T').filter(|_| !is_time) {
            (rest, is_time) = (time, true);
            continue;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest[..digits].parse().ok()?;
        let unit = match (rest.as_bytes().get(digits)?, is_time) {
            (b'W', false) => 7 * 86_400,
            (b'D', false) => 86_400,
            (b'H', true) => 3_600,
            (b'M', true) => 60,
            (b'S', true) => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    TimeDelta::try_seconds(seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn interval(start: &str, end: &str) -> Interval {
        Interval::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    #[test]
    fn periods_that_are_not_free_are_busy() {
        let text = "BEGIN:VCALENDAR\r\nBEGIN:VFREEBUSY\r\nDTSTART:20261101T000000Z\r\n\
            FREEBUSY:20261102T090000Z/20261102T100000Z,\r\n 20261102T110000Z/PT1H30M\r\n\
            FREEBUSY;FBTYPE=FREE:20261102T120000Z/PT5H\r\nFREEBUSY;fbtype=busy-tentative:20261103T000000Z/P1DT1S\r\n\
            END:VFREEBUSY\r\nEND:VCALENDAR\r\n";
        assert_eq!(
            busy_periods(text).unwrap(),
            [
                interval("2026-11-02T09:00:00Z", "2026-11-02T10:00:00Z"),
                interval("2026-11-02T11:00:00Z", "2026-11-02T12:30:00Z"),
                interval("2026-11-03T00:00:00Z", "2026-11-04T00:00:01Z"),
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_unknown_and_not_free() {
        for text in [
            "",
            "<html>",
            "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
            "BEGIN:VFREEBUSY\r\nFREEBUSY:20261102T090000/PT1H\r\n",
            "BEGIN:VFREEBUSY\r\nFREEBUSY:20261102T090000Z\r\n",
            "BEGIN:VFREEBUSY\r\nFREEBUSY:20261102T090000Z/P1H\r\n",
            "BEGIN:VFREEBUSY\r\nFREEBUSY:20261102T090000Z/PT99999999999999999999S\r\n",
        ] {
            assert_eq!(busy_periods(text), None, "{text}");
        }
        assert_eq!(busy_periods("BEGIN:VFREEBUSY\r\nEND:VFREEBUSY\r\n"), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            text in "(BEGIN:VFREEBUSY\n)?(FREEBUSY(;FBTYPE=[A-Z]{0,4})?:[0-9TZPWDHMS/,+-]{0,40}\n){0,3}\\PC{0,20}"
        ) {
            let _known_or_not = busy_periods(&text);
        }
    }
}
