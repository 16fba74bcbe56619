//! `freebusy.query`.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, TimeDelta};
use cupo_core::interval::{Interval, normalize};
use futures::future::try_join_all;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{GoogleProvider, wire};
use crate::access::Access;
use crate::error::ProviderError;
use crate::provider::{CalendarFreeBusy, FreeBusyProblem};

/// Google's `calendarExpansionMax`.
const CALENDARS_A_REQUEST: usize = 50;
/// A longer range may be answered with 400 `timeRangeTooLong`.
const LONGEST_RANGE: TimeDelta = TimeDelta::days(60);

pub(super) async fn query(
    google: &GoogleProvider,
    access: &Access,
    calendars: &[&str],
    range: Interval,
) -> Result<Vec<CalendarFreeBusy>, ProviderError> {
    let parts = parts(range);
    let questions = calendars.chunks(CALENDARS_A_REQUEST).map(|group| {
        let parts = &parts;
        async move {
            let answers = try_join_all(parts.iter().map(|part| ask(google, access, group, *part))).await?;
            Ok::<_, ProviderError>(
                group.iter().map(move |calendar| merge(calendar, &answers, range)).collect::<Vec<_>>(),
            )
        }
    });
    Ok(try_join_all(questions).await?.into_iter().flatten().collect())
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

/// By calendar.
type Answer = HashMap<String, Value>;

async fn ask(
    google: &GoogleProvider,
    access: &Access,
    calendars: &[&str],
    part: Interval,
) -> Result<Answer, ProviderError> {
    let items: Vec<Value> = calendars.iter().map(|calendar| json!({"id": calendar})).collect();
    let body = json!({
        "timeMin": part.start.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        "timeMax": part.end.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        "calendarExpansionMax": CALENDARS_A_REQUEST,
        "items": items,
    });
    let request = google.request(access, "freebusy.query", Method::POST, "freeBusy", &[])?.with_json(&body);
    let answer: wire::FreeBusyResponse = google.call(request).await?;
    Ok(answer.calendars.unwrap_or_default())
}

/// Joins the answers of all parts; a single part that is unknown makes the calendar unknown.
fn merge(calendar: &str, answers: &[Answer], range: Interval) -> CalendarFreeBusy {
    let parts: Result<Vec<Vec<Interval>>, FreeBusyProblem> =
        answers.iter().map(|answer| busy_of(answer.get(calendar))).collect();
    let busy = parts
        .map(|parts| normalize(parts.into_iter().flatten().filter_map(|busy| busy.intersection(&range)).collect()));
    CalendarFreeBusy { calendar: calendar.to_owned(), busy }
}

fn busy_of(answer: Option<&Value>) -> Result<Vec<Interval>, FreeBusyProblem> {
    let problem = |reason: &str| FreeBusyProblem { reason: reason.to_owned() };
    let answer = answer.ok_or_else(|| problem("missing"))?;
    let calendar = wire::FreeBusyCalendar::deserialize(answer).map_err(|_| problem("unreadable"))?;
    if let Some(error) = calendar.errors.unwrap_or_default().first() {
        return Err(problem(error.reason.as_deref().unwrap_or("unknown")));
    }
    // No list is no statement.
    let periods = calendar.busy.ok_or_else(|| problem("missing"))?;
    let mut busy = Vec::with_capacity(periods.len());
    for period in periods {
        let instant = |text: &str| DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc());
        let (Ok(start), Ok(end)) = (instant(&period.start), instant(&period.end)) else {
            return Err(problem("unreadable"));
        };
        busy.extend(Interval::new(start, end));
    }
    Ok(busy)
}

/// For the test that no answer makes the adapter panic.
#[cfg(test)]
pub(super) fn read_any_answer(answer: &Value) {
    let _known_or_not = busy_of(Some(answer));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<chrono::Utc> {
        text.parse().unwrap()
    }

    fn answer(json: Value) -> Answer {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_long_range_is_cut_into_parts_of_sixty_days_without_gaps() {
        let range = Interval::new(at("2026-01-01T00:00:00Z"), at("2026-05-15T12:00:00Z")).unwrap();
        let parts = parts(range);
        assert_eq!(parts.len(), 3);
        assert_eq!(normalize(parts.clone()), [range]);
        assert!(parts.iter().all(|part| part.duration() <= LONGEST_RANGE));
    }

    #[test]
    fn busy_times_of_all_parts_are_merged_and_cut_to_the_range() {
        let range = Interval::new(at("2026-01-01T00:00:00Z"), at("2026-03-31T00:00:00Z")).unwrap();
        let border = "2026-03-02T00:00:00Z";
        let first = answer(json!({"a": {"busy": [
            {"start": "2025-12-31T23:00:00Z", "end": "2026-01-01T01:00:00Z"},
            {"start": "2026-03-01T23:00:00Z", "end": border},
        ]}}));
        let second = answer(json!({"a": {"busy": [{"start": border, "end": "2026-03-02T02:00:00+01:00"}]}}));
        let busy = merge("a", &[first, second], range).busy.unwrap();
        assert_eq!(
            busy,
            [
                Interval::new(range.start, at("2026-01-01T01:00:00Z")).unwrap(),
                Interval::new(at("2026-03-01T23:00:00Z"), at("2026-03-02T01:00:00Z")).unwrap(),
            ]
        );
    }

    #[test]
    fn an_error_of_a_calendar_in_any_part_makes_it_unknown_and_leaves_the_others_known() {
        let range = Interval::new(at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z")).unwrap();
        let answers = [
            answer(json!({"good": {"busy": []}, "bad": {"busy": []}, "odd": {"busy": "always"}, "silent": {}})),
            answer(json!({
                "good": {"busy": []}, "bad": {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []},
                "odd": {"busy": []}, "silent": {},
            })),
        ];
        let reason = |calendar| merge(calendar, &answers, range).busy.map_err(|problem| problem.reason);
        assert_eq!(reason("good"), Ok(Vec::new()));
        assert_eq!(reason("bad"), Err("notFound".into()));
        assert_eq!(reason("odd"), Err("unreadable".into()));
        assert_eq!(reason("silent"), Err("missing".into()));
        assert_eq!(reason("unmentioned"), Err("missing".into()));
    }
}
