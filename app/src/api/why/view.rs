//! What the page of a day shows.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use cupo_core::wire::{DayView, ExplanationView, ReasonView};
use cupo_core::zone::{TimeZoneName, first_instant_at_or_after};
use cupo_engine::{Engine, Principal};
use cupo_store::EventType;

use super::chart::chart;
use super::{ExplainedHost, ExplainedView, ReasonRow, WhyQuery, WhyView};
use crate::api::request::answer;
use crate::error::AppError;
use crate::text::{locale, t};
use crate::time;

/// How far back it is known what was offered.
const REACH_BACK: TimeDelta = TimeDelta::days(90);

/// A date and time as a form writes them.
const LOCAL: &str = "%Y-%m-%dT%H:%M";

/// What was asked for, read and answered.
pub(super) struct Asked {
    event_type: EventType,
    query: WhyQuery,
    as_of: Option<DateTime<Utc>>,
    problem: Option<String>,
    day: DayView,
    explanation: Option<ExplanationView>,
    tz: Tz,
    now: DateTime<Utc>,
}

impl Asked {
    /// A past moment that is none, or of which nothing is known, is told; the day is then shown as it is now.
    pub(super) async fn read(
        engine: &Engine,
        principal: &Principal,
        event_type: EventType,
        mut query: WhyQuery,
    ) -> Result<Self, AppError> {
        let (now, id) = (engine.now(), &event_type.id);
        let duration = query.duration.parse::<u32>().ok();
        let asked = query.date.parse::<NaiveDate>().ok();
        let mut day = answer(engine.day(principal, id, asked.unwrap_or(now.date_naive()), duration, None).await)?;
        let tz = TimeZoneName::parse(&day.time_zone).map_or(Tz::UTC, TimeZoneName::tz);
        let date = asked.unwrap_or(time::date_in(now, tz));
        let (mut as_of, mut problem) = (None, None);
        if !query.as_of.is_empty() {
            match day_of_then(engine, principal, &event_type, date, duration, local(&query.as_of, tz)).await {
                Ok((then, at)) => (day, as_of) = (then, Some(at)),
                Err(told) => problem = Some(told),
            }
        }
        if day.date != date {
            day = answer(engine.day(principal, id, date, duration, None).await)?;
        }
        let explanation = match start(&query.at, date, tz) {
            Some(start) => Some(answer(engine.explain(principal, id, start, duration, as_of).await)?),
            None => None,
        };
        query.date = date.to_string();
        query.duration = day.duration.to_string();
        Ok(Self { event_type, query, as_of, problem, day, explanation, tz, now })
    }

    pub(super) fn view(self) -> WhyView {
        let Self { event_type, query, as_of, problem, day, explanation, tz, now } = self;
        let locale = locale();
        let written = |at: DateTime<Utc>| at.with_timezone(&tz).format(LOCAL).to_string();
        let durations = event_type.options.durations(&event_type.rules).into_iter();
        let chart = chart(&day, query.show == "day", as_of.unwrap_or(now), tz, locale);
        let (before, after) = (day.date.checked_sub_days(Days::new(1)), day.date.checked_add_days(Days::new(1)));
        let neighbour = |date: Option<NaiveDate>| date.unwrap_or(day.date).to_string();
        WhyView {
            id: event_type.id.to_string(),
            title: event_type.title,
            date: time::date(day.date, locale),
            around: (neighbour(before), neighbour(after)),
            time_zone: time::zone(tz, day.start),
            durations: durations.map(|minutes| (minutes.to_string(), time::duration(minutes, locale))).collect(),
            as_of_bounds: (written(now - REACH_BACK), written(now)),
            as_of: as_of.map(|at| time::instant(at, tz, locale)),
            problem,
            chart,
            offered: day.offered.iter().map(|at| (address(*at), time::clock(*at, tz, locale))).collect(),
            explained: explanation.map(|explanation| explained(explanation, tz)),
            query,
        }
    }
}

/// The day as it was at a past moment, or why it is not known.
async fn day_of_then(
    engine: &Engine,
    principal: &Principal,
    event_type: &EventType,
    date: NaiveDate,
    duration: Option<u32>,
    as_of: Option<DateTime<Utc>>,
) -> Result<(DayView, DateTime<Utc>), String> {
    let as_of = as_of.ok_or_else(|| t("dashboard.as_of_unreadable").to_owned())?;
    match engine.day(principal, &event_type.id, date, duration, Some(as_of)).await {
        Ok(day) => Ok((day, as_of)),
        Err(error) => {
            let error = AppError::from(error);
            Err(error.field("as_of").unwrap_or(t("dashboard.as_of_unknown")).to_owned())
        }
    }
}

/// How the address tells an instant.
pub(super) fn address(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A local date and time; the first instant that has it.
fn local(text: &str, tz: Tz) -> Option<DateTime<Utc>> {
    let local = NaiveDateTime::parse_from_str(text.get(..16)?, LOCAL).ok()?;
    Some(first_instant_at_or_after(tz, local))
}

/// The start that is asked about: an instant, or a time of the day.
fn start(text: &str, date: NaiveDate, tz: Tz) -> Option<DateTime<Utc>> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let time = NaiveTime::parse_from_str(text.get(..5)?, "%H:%M").ok()?;
    Some(first_instant_at_or_after(tz, date.and_time(time)))
}

fn explained(explanation: ExplanationView, tz: Tz) -> ExplainedView {
    let row = |reason: ReasonView| ReasonRow { sentence: reason.sentence, appointment: reason.appointment_id };
    let rows = |reasons: Vec<ReasonView>| reasons.into_iter().map(row).collect();
    ExplainedView {
        time: time::span(explanation.start, explanation.end, tz, locale()),
        is_offered: explanation.is_offered,
        sentence: explanation.sentence,
        reasons: rows(explanation.reasons),
        hosts: explanation
            .hosts
            .into_iter()
            .map(|host| ExplainedHost {
                name: host.name,
                is_required: host.is_required,
                is_free: host.is_free,
                reasons: rows(host.reasons),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date() -> NaiveDate {
        "2026-11-23".parse().unwrap()
    }

    #[test]
    fn a_time_is_read_in_the_zone_of_the_event_type_and_an_instant_as_it_is() {
        let tz = chrono_tz::Europe::Madrid;
        for text in ["10:30", "10:30:00", "2026-11-23T09:30:00Z"] {
            assert_eq!(start(text, date(), tz).map(address).as_deref(), Some("2026-11-23T09:30:00Z"), "{text}");
        }
        for text in ["", "soon", "25:00"] {
            assert_eq!(start(text, date(), tz), None, "{text}");
        }
    }

    #[test]
    fn a_past_moment_is_read_with_or_without_seconds() {
        for text in ["2026-11-23T10:30", "2026-11-23T10:30:15"] {
            let read = local(text, chrono_tz::Europe::Madrid).map(address);
            assert_eq!(read.as_deref(), Some("2026-11-23T09:30:00Z"), "{text}");
        }
        assert_eq!(local("yesterday at noon", Tz::UTC), None);
    }
}
