//! Busy times: `getSchedule` for the default calendar of a work mailbox, `calendarView` for every other calendar and
//! for personal accounts, which have no `getSchedule`. One `$batch` asks all of it.
//!
//! `getSchedule` goes by the mailbox's address and answers for its default calendar alone. Which calendar that is and
//! whose, one request tells, once in the life of the process.

use std::sync::{Arc, PoisonError};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use cupo_core::interval::{Interval, normalize};
use http::Method;
use serde_json::json;

use super::calendars::is_personal;
use super::failure::is_code;
use super::{MicrosoftProvider, batch, mapping, wire};
use crate::access::{Access, Target};
use crate::error::ProviderError;
use crate::provider::{CalendarFreeBusy, FreeBusyProblem};
use crate::transport::ProviderRequest;
use crate::zones::zone_named;

const SCHEDULE: &str = "calendar.getSchedule";
const VIEW: &str = "calendars.calendarView";
/// A longer range is refused by `getSchedule`.
const LONGEST_RANGE: TimeDelta = TimeDelta::days(62);
/// The width of the digits of `availabilityView`, which is not read; a range must not be shorter.
const VIEW_INTERVAL: TimeDelta = TimeDelta::minutes(60);
const PAGE_SIZE: &str = "500";
const FIELDS: &str = "id,type,start,end,showAs,isAllDay,isCancelled,isOrganizer,responseStatus,\
                      originalStartTimeZone,originalEndTimeZone";

/// The calendar that `getSchedule` answers for.
#[derive(Debug)]
pub(super) struct DefaultCalendar {
    id: String,
    /// Of the mailbox, where it is told.
    address: Option<String>,
}

/// What a request of the batch asks for.
#[derive(Debug, Clone, Copy)]
enum Question<'a> {
    /// A calendar's events.
    View(&'a str),
    /// The busy times of the default calendar.
    Schedule(&'a str),
    /// The zone of the mailbox, in which the all-day events of its other calendars are read.
    Zone,
}

/// What was told of a part of the range.
type Told<T> = Result<T, FreeBusyProblem>;

pub(super) async fn query(
    microsoft: &MicrosoftProvider,
    access: &Access,
    calendars: &[&str],
    range: Interval,
) -> Result<Vec<CalendarFreeBusy>, ProviderError> {
    if calendars.is_empty() {
        return Ok(Vec::new());
    }
    let default = if is_personal(access) { None } else { Some(default_calendar(microsoft, access).await?) };
    let scheduled = default.as_ref().and_then(|default| Some((default.id.as_str(), default.address.as_deref()?)));
    let mut questions = Vec::new();
    for part in parts(range) {
        for &calendar in calendars {
            questions.push(match scheduled {
                Some((id, address)) if id == calendar => {
                    (Question::Schedule(calendar), schedule_request(microsoft, access, address, part)?)
                }
                _ => (Question::View(calendar), view_request(microsoft, access, calendar, part)?),
            });
        }
    }
    if let Some((_, address)) = scheduled.filter(|(id, _)| !calendars.contains(id)) {
        let now = Interval { start: range.start, end: range.start + VIEW_INTERVAL };
        questions.push((Question::Zone, schedule_request(microsoft, access, address, now)?));
    }
    let (questions, requests): (Vec<_>, Vec<_>) = questions.into_iter().unzip();
    let answers = batch::ask(microsoft, access, &requests).await?;
    if let Some(error) = error_of_all(&answers) {
        return Err(error);
    }
    let mut schedules = Vec::new();
    let mut views = Vec::new();
    for (question, answer) in questions.into_iter().zip(answers) {
        match question {
            Question::View(calendar) => views.push((calendar, all_events(microsoft, access, answer).await?)),
            Question::Schedule(calendar) => schedules.push((Some(calendar), schedule_in(answer))),
            Question::Zone => schedules.push((None, schedule_in(answer))),
        }
    }
    let zone = schedules.iter().find_map(|(_, schedule)| zone_of(schedule.as_ref().ok()?));
    let mut parts: Vec<(&str, Told<Vec<Interval>>)> = Vec::new();
    for (calendar, schedule) in schedules {
        parts.extend(calendar.map(|calendar| (calendar, schedule.and_then(busy_of_schedule))));
    }
    for (calendar, events) in views {
        parts.push((calendar, events.and_then(|events| busy_of_events(events, zone))));
    }
    Ok(calendars.iter().map(|calendar| merge(calendar, &parts, range)).collect())
}

/// What concerns the whole account, or passes and has struck every calendar. Other failures make single calendars
/// unknown.
fn error_of_all(answers: &[batch::Answer]) -> Option<ProviderError> {
    let errors: Vec<&ProviderError> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    let is_passing = |error: &ProviderError| matches!(error, ProviderError::Throttled(_) | ProviderError::Transient(_));
    if let Some(error) = errors.iter().find(|error| is_of_account(error)) {
        return Some((*error).clone());
    }
    let all_pass = errors.len() == answers.len() && errors.iter().all(|error| is_passing(error));
    errors.first().filter(|_| all_pass).map(|error| (*error).clone())
}

fn is_of_account(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Reauth(_) | ProviderError::ConsentNeeded(_) | ProviderError::OperatorNeeded(_))
}

fn problem(reason: impl Into<String>) -> FreeBusyProblem {
    FreeBusyProblem { reason: reason.into() }
}

/// A failure that leaves one calendar unknown.
fn unknown(error: ProviderError) -> FreeBusyProblem {
    match error {
        ProviderError::NotFound => problem("notFound"),
        ProviderError::Rejected(why) | ProviderError::Transient(why) => problem(why),
        other => problem(other.label()),
    }
}

/// The range in pieces of at most [`LONGEST_RANGE`].
fn parts(range: Interval) -> Vec<Interval> {
    let mut parts = Vec::new();
    let mut start = range.start;
    while let Some(part) = Interval::new(start, range.end.min(start + LONGEST_RANGE)) {
        parts.push(part);
        start = part.end;
    }
    parts
}

/// Joins what was told of the parts of a calendar's range; a single part that is unknown makes the calendar unknown.
fn merge(calendar: &str, parts: &[(&str, Told<Vec<Interval>>)], range: Interval) -> CalendarFreeBusy {
    let of_calendar = parts.iter().filter(|(of, _)| *of == calendar);
    let parts: Told<Vec<Vec<Interval>>> = of_calendar.map(|(_, busy)| busy.clone()).collect();
    let busy = parts
        .map(|parts| normalize(parts.into_iter().flatten().filter_map(|busy| busy.intersection(&range)).collect()));
    CalendarFreeBusy { calendar: calendar.to_owned(), busy }
}

/// Which calendar is the mailbox's default one, remembered for the life of the process.
async fn default_calendar(
    microsoft: &MicrosoftProvider,
    access: &Access,
) -> Result<Arc<DefaultCalendar>, ProviderError> {
    const DEFAULT: &str = "calendar.get";
    let address = match access.target() {
        Target::Mailbox(address) => Some(address.clone()),
        _ => None,
    };
    let mailbox = (access.account().clone(), address.clone());
    let known = microsoft.default_calendars.lock().unwrap_or_else(PoisonError::into_inner).get(&mailbox).cloned();
    if let Some(known) = known {
        return Ok(known);
    }
    let mut request = microsoft.request(access, DEFAULT, Method::GET, "calendar", &[])?;
    request.url.query_pairs_mut().append_pair("$select", "id,owner");
    let calendar: wire::Calendar = microsoft.call(request).await?;
    let owner = calendar.owner.and_then(|owner| owner.address).filter(|address| !address.is_empty());
    let default = Arc::new(DefaultCalendar {
        id: calendar.id.ok_or_else(|| wire::unreadable(DEFAULT, "id"))?,
        address: owner.or(address.map(|address| address.to_string())),
    });
    let mut remembered = microsoft.default_calendars.lock().unwrap_or_else(PoisonError::into_inner);
    remembered.insert(mailbox, default.clone());
    Ok(default)
}

fn view_request(
    microsoft: &MicrosoftProvider,
    access: &Access,
    calendar: &str,
    part: Interval,
) -> Result<ProviderRequest, ProviderError> {
    const PATH: &str = "calendars/{calendar-id}/calendarView";
    let mut request = microsoft.request(access, VIEW, Method::GET, PATH, &[calendar])?;
    request
        .url
        .query_pairs_mut()
        .append_pair("startDateTime", &query_time(part.start))
        .append_pair("endDateTime", &query_time(part.end))
        .append_pair("$select", FIELDS)
        .append_pair("$top", PAGE_SIZE);
    Ok(request)
}

/// With `Z`: an offset in the query would disable the preferred zone.
pub(super) fn query_time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn schedule_request(
    microsoft: &MicrosoftProvider,
    access: &Access,
    address: &str,
    part: Interval,
) -> Result<ProviderRequest, ProviderError> {
    let request = microsoft.request(access, SCHEDULE, Method::POST, "calendar/getSchedule", &[])?;
    let time = |at: DateTime<Utc>| json!({"dateTime": at.format("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": "UTC"});
    Ok(request.with_json(&json!({
        "schedules": [address],
        "startTime": time(part.start),
        "endTime": time(part.end.max(part.start + VIEW_INTERVAL)),
        "availabilityViewInterval": VIEW_INTERVAL.num_minutes(),
    })))
}

/// What `getSchedule` tells of one address.
pub(super) async fn schedule(
    microsoft: &MicrosoftProvider,
    access: &Access,
    address: &str,
    range: Interval,
) -> Result<wire::Schedule, ProviderError> {
    let response = microsoft.send(&schedule_request(microsoft, access, address, range)?).await?;
    schedule_in(Ok(response)).map_err(|problem| ProviderError::Rejected(format!("{SCHEDULE}: {}", problem.reason)))
}

fn schedule_in(answer: batch::Answer) -> Told<wire::Schedule> {
    let response = answer.map_err(unknown)?;
    let page: wire::Page<wire::Schedule> = wire::parse(SCHEDULE, &response.body).map_err(unknown)?;
    let schedule = page.value.unwrap_or_default().into_iter().next().ok_or_else(|| problem("missing"))?;
    match schedule.error {
        // Within a good answer.
        Some(error) => {
            Err(problem(error.response_code.filter(|code| is_code(code)).unwrap_or_else(|| "unknown".to_owned())))
        }
        None => Ok(schedule),
    }
}

/// The zone of a mailbox's working hours; `None` for one that the owner made up.
pub(super) fn zone_of(schedule: &wire::Schedule) -> Option<Tz> {
    zone_named(schedule.working_hours.as_ref()?.time_zone.as_ref()?.name.as_deref()?)
}

fn busy_of_schedule(schedule: wire::Schedule) -> Told<Vec<Interval>> {
    // No list is no statement.
    let items = schedule.schedule_items.ok_or_else(|| problem("missing"))?;
    let mut busy = Vec::with_capacity(items.len());
    for item in items {
        if matches!(item.status.as_deref(), Some("free" | "workingElsewhere")) {
            continue;
        }
        let at = |time: &Option<wire::DateTimeTimeZone>| time.as_ref().and_then(mapping::instant);
        let (Some(start), Some(end)) = (at(&item.start), at(&item.end)) else { return Err(problem("unreadable")) };
        busy.extend(Interval::new(start, end));
    }
    Ok(busy)
}

/// The events of the first page of a view and of those that follow it.
///
/// # Errors
/// What concerns the whole account; the rest leaves the calendar unknown.
async fn all_events(
    microsoft: &MicrosoftProvider,
    access: &Access,
    first: batch::Answer,
) -> Result<Told<Vec<wire::Event>>, ProviderError> {
    let all = async {
        let page: wire::Page<wire::Event> = wire::parse(VIEW, &first?.body)?;
        let mut events = page.value.ok_or_else(|| wire::unreadable(VIEW, "value"))?;
        if let Some(next) = page.next_link {
            let url = microsoft.checked_link(&next, VIEW)?;
            let request = microsoft.request_to(access, VIEW, Method::GET, "{next-link}", url);
            events.extend(microsoft.all_pages::<wire::Event>(request).await?);
        }
        Ok(events)
    };
    match all.await {
        Err(error) if is_of_account(&error) => Err(error),
        other => Ok(other.map_err(unknown)),
    }
}

/// All-day events are read in the mailbox's zone; where it is not told, each in the zone it was entered in.
fn busy_of_events(events: Vec<wire::Event>, zone: Option<Tz>) -> Told<Vec<Interval>> {
    let mut busy = Vec::with_capacity(events.len());
    for event in events {
        let zone = zone.or_else(|| mapping::original_zone(&event)).unwrap_or(Tz::UTC);
        let event = mapping::event(event, None).map_err(|_| problem("unreadable"))?;
        busy.extend(event.busy_interval(zone));
    }
    Ok(busy)
}

/// For the test that no answer makes the adapter panic.
#[cfg(test)]
pub(super) fn read_any_answer(body: &[u8]) {
    if let Ok(page) = wire::parse::<wire::Page<wire::Schedule>>(SCHEDULE, body) {
        for schedule in page.value.unwrap_or_default() {
            zone_of(&schedule);
            let _known_or_not = busy_of_schedule(schedule);
        }
    }
    if let Ok(page) = wire::parse::<wire::Page<wire::Event>>(VIEW, body) {
        let _known_or_not = busy_of_events(page.value.unwrap_or_default(), None);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use serde_json::Value;

    use super::*;
    use crate::error::ReauthReason;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn interval(start: &str, end: &str) -> Interval {
        Interval::new(at(start), at(end)).unwrap()
    }

    fn answer(body: &Value) -> batch::Answer {
        let body = Bytes::from(body.to_string());
        Ok(crate::transport::ProviderResponse { status: StatusCode::OK, headers: HeaderMap::new(), body })
    }

    fn utc(text: &str) -> Value {
        json!({"dateTime": text, "timeZone": "UTC"})
    }

    fn busy_of(items: &Value) -> Told<Vec<Interval>> {
        schedule_in(answer(&json!({"value": [{"scheduleId": "a", "scheduleItems": items}]}))).and_then(busy_of_schedule)
    }

    #[test]
    fn a_long_range_is_cut_into_parts_of_62_days_without_gaps() {
        let range = interval("2026-01-01T00:00:00Z", "2026-05-15T12:00:00Z");
        let parts = parts(range);
        assert_eq!(parts.len(), 3);
        assert_eq!(normalize(parts.clone()), [range]);
        assert!(parts.iter().all(|part| part.duration() <= LONGEST_RANGE));
    }

    #[test]
    fn what_is_free_or_elsewhere_does_not_block_and_what_is_unknown_does() {
        for (status, blocks) in [
            ("free", false),
            ("workingElsewhere", false),
            ("busy", true),
            ("tentative", true),
            ("oof", true),
            ("unknown", true),
            ("holodeck", true),
        ] {
            let (start, end) = (utc("2026-11-02T09:00:00.0000000"), utc("2026-11-02T10:00:00.0000000"));
            let item = json!([{"status": status, "start": start, "end": end}]);
            let expected = if blocks { vec![interval("2026-11-02T09:00:00Z", "2026-11-02T10:00:00Z")] } else { vec![] };
            assert_eq!(busy_of(&item), Ok(expected), "{status}");
        }
    }

    #[test]
    fn a_schedule_that_is_in_error_silent_or_unreadable_is_unknown() {
        let reason = |told: Told<Vec<Interval>>| told.unwrap_err().reason;
        let of = |schedule: Value| schedule_in(answer(&json!({"value": [schedule]}))).and_then(busy_of_schedule);
        let error =
            json!({"error": {"message": "no ana@contoso.example", "responseCode": "ErrorMailRecipientNotFound"}});
        assert_eq!(reason(of(error)), "ErrorMailRecipientNotFound");
        assert_eq!(reason(of(json!({"error": {"responseCode": "no ana@contoso.example"}}))), "unknown");
        assert_eq!(reason(of(json!({"scheduleId": "a"}))), "missing");
        assert_eq!(reason(schedule_in(answer(&json!({"value": []}))).and_then(busy_of_schedule)), "missing");
        let odd = json!([{"status": "busy", "start": utc("tomorrow"), "end": utc("2026-11-02T10:00:00")}]);
        assert_eq!(reason(busy_of(&odd)), "unreadable");
        let zone = json!({"dateTime": "2026-11-02T09:00:00", "timeZone": "Customized Time Zone"});
        let unknown_zone = json!([{"status": "busy", "start": zone, "end": utc("2026-11-02T10:00:00")}]);
        assert_eq!(reason(busy_of(&unknown_zone)), "unreadable");
    }

    #[test]
    fn an_unknown_part_makes_the_calendar_unknown_and_leaves_the_others_known() {
        let range = interval("2026-01-01T00:00:00Z", "2026-03-31T00:00:00Z");
        let border = "2026-03-04T00:00:00Z";
        let parts = [
            ("good", Ok(vec![interval("2025-12-31T23:00:00Z", "2026-01-01T01:00:00Z")])),
            ("bad", Ok(vec![])),
            ("good", Ok(vec![interval("2026-03-03T23:00:00Z", border), interval(border, "2026-03-04T01:00:00Z")])),
            ("bad", Err(problem("notFound"))),
        ];
        let expected = [
            interval("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"),
            interval("2026-03-03T23:00:00Z", "2026-03-04T01:00:00Z"),
        ];
        assert_eq!(merge("good", &parts, range).busy.unwrap(), expected);
        assert_eq!(merge("bad", &parts, range).busy.unwrap_err().reason, "notFound");
    }

    #[test]
    fn what_concerns_the_account_fails_the_whole_and_what_passes_only_if_nothing_is_known() {
        let expired = ProviderError::Reauth(ReauthReason::AccessTokenExpired);
        let throttled = ProviderError::Throttled(std::time::Duration::from_secs(1));
        let good = || answer(&json!({"value": []}));
        assert_eq!(error_of_all(&[good(), Err(expired.clone())]), Some(expired));
        assert_eq!(error_of_all(&[good(), Err(throttled.clone())]), None);
        assert_eq!(error_of_all(&[Err(throttled.clone())]), Some(throttled.clone()));
        assert_eq!(error_of_all(&[Err(ProviderError::NotFound)]), None);
        assert_eq!(error_of_all(&[Err(throttled), Err(ProviderError::NotFound)]), None);
        assert_eq!(error_of_all(&[]), None);
    }

    #[test]
    fn all_day_events_of_a_view_are_read_in_the_mailboxs_zone_or_in_their_own() {
        let away = json!({"value": [{
            "id": "a", "isAllDay": true, "showAs": "oof", "originalStartTimeZone": "Eastern Standard Time",
            "start": utc("2026-11-23T00:00:00.0000000"), "end": utc("2026-11-24T00:00:00.0000000"),
        }]});
        let events =
            || wire::parse::<wire::Page<wire::Event>>(VIEW, away.to_string().as_bytes()).unwrap().value.unwrap();
        let madrid = busy_of_events(events(), Some(Tz::Europe__Madrid)).unwrap();
        assert_eq!(madrid, [interval("2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z")]);
        let own = busy_of_events(events(), None).unwrap();
        assert_eq!(own, [interval("2026-11-23T05:00:00Z", "2026-11-24T05:00:00Z")]);
    }

    #[test]
    fn the_zone_of_a_mailbox_is_that_of_its_working_hours() {
        let zone = |name: &str| {
            let hours = json!({"startTime": "08:00:00.0000000", "timeZone": {"name": name}});
            zone_of(&schedule_in(answer(&json!({"value": [{"workingHours": hours}]}))).unwrap())
        };
        assert_eq!(zone("Pacific Standard Time"), Some(Tz::America__Los_Angeles));
        assert_eq!(zone("Europe/Madrid"), Some(Tz::Europe__Madrid));
        assert_eq!(zone("Customized Time Zone"), None);
    }
}
