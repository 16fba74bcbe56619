//! The weeks around the next clock change, as the host's and as the visitor's clock tell them.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use cupo_core::{
    event_type::Alignment,
    ids::EventTypeId,
    interval::Interval,
    wire::{ClockChangeView, ZoneChange, ZonedDay},
    zone::{TimeZoneName, Transition, next_transition},
};
use cupo_store::{absence_list, event_type_host_list, holiday_calendar_list, schedule_get};

use crate::{Engine, EngineError, Principal, schedules::availability_of};

const YEAR: TimeDelta = TimeDelta::days(366);
const WEEK: TimeDelta = TimeDelta::days(7);
/// Changes of two zones that lie closer together belong together: America and Europe are two or three weeks apart.
const TOGETHER: TimeDelta = TimeDelta::weeks(5);

impl Engine {
    /// What the hours of an event type's first host are around the next change of either zone's clocks, on both clocks. The
    /// days run from the week before the change to the week after it; to the week after the other zone's, where that one
    /// follows within five weeks.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Invalid`] with `zone`.
    pub async fn clock_change_preview(
        &self,
        principal: &Principal,
        event_type_id: &EventTypeId,
        visitor_zone: &str,
    ) -> Result<ClockChangeView, EngineError> {
        let visitor = TimeZoneName::parse(visitor_zone).map_err(|problem| problem.at("zone"))?;
        let tx = &mut self.0.store.read().await?;
        let event_type = self.event_type_seen(tx, principal, event_type_id).await?;
        let zone = self.schedule_of(tx, &event_type).await?.time_zone;
        let organization_id = &principal.organization_id;
        let hosts = event_type_host_list(tx, organization_id, event_type_id).await?;
        let host = hosts.first().ok_or(EngineError::NotFound("host"))?;
        let schedule =
            schedule_get(tx, organization_id, &host.schedule_id).await?.ok_or(EngineError::NotFound("schedule"))?;
        let absences = absence_list(tx, organization_id, &host.user_id).await?;
        let holidays = holiday_calendar_list(tx, organization_id, &host.user_id).await?;
        let availability = availability_of(&schedule, &absences, &holidays);
        let now = self.now();
        let (tz, visitor_tz) = (zone.tz(), visitor.tz());
        let mut view = ClockChangeView {
            host_zone: zone.to_string(),
            visitor_zone: visitor.to_string(),
            changes: Vec::new(),
            days: Vec::new(),
        };
        let next = |tz: Tz| next_transition(tz, now, now + YEAR).map(|change| change.at);
        let upcoming = [next(tz), next(visitor_tz)];
        let Some(first) = upcoming.into_iter().flatten().min() else { return Ok(view) };
        let last = upcoming.into_iter().flatten().filter(|at| *at - first < TOGETHER).max().unwrap_or(first);
        let around = Interval { start: first - WEEK, end: last + WEEK + WEEK };
        view.changes = changes_within(zone, around);
        if visitor != zone {
            view.changes.extend(changes_within(visitor, around));
        }
        view.changes.sort_by_key(|change| change.at);
        let date_of = |at: DateTime<Utc>| at.with_timezone(&tz).date_naive();
        let (from, to) = (date_of(around.start), date_of(around.end));
        let changed: Vec<NaiveDate> = view.changes.iter().map(|change| date_of(change.at)).collect();
        for date in from.iter_days().take_while(|date| *date < to) {
            let open = availability.open_intervals(date, date, Alignment::Interval);
            // Without what the evening before reaches into the date.
            let of_date = open.iter().map(|open| open.interval).filter(|hours| date_of(hours.start) == date);
            let hours: Vec<_> = of_date.collect();
            view.days.push(ZonedDay {
                date,
                changes: changed.contains(&date),
                host_hours: hours.iter().map(|hours| told(*hours, tz, date)).collect(),
                visitor_hours: hours.iter().map(|hours| told(*hours, visitor_tz, date)).collect(),
            });
        }
        Ok(view)
    }
}

fn changes_within(zone: TimeZoneName, range: Interval) -> Vec<ZoneChange> {
    let mut changes = Vec::new();
    let mut from = range.start;
    while let Some(Transition { at, before, after }) = next_transition(zone.tz(), from, range.end) {
        let minutes = |offset: TimeDelta| i32::try_from(offset.num_minutes()).unwrap_or_default();
        let (before_minutes, after_minutes) = (minutes(before), minutes(after));
        changes.push(ZoneChange { time_zone: zone.to_string(), at, before_minutes, after_minutes });
        from = at;
    }
    changes
}

/// `09:00–17:00`, with `-1` or `+1` behind a time that belongs to another date than `date`.
fn told(hours: Interval, tz: Tz, date: NaiveDate) -> String {
    let one = |at: DateTime<Utc>| {
        let local = at.with_timezone(&tz).naive_local();
        let time = local.format("%H:%M");
        match (local.date() - date).num_days() {
            0 => time.to_string(),
            days => format!("{time} {days:+}"),
        }
    };
    format!("{}–{}", one(hours.start), one(hours.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_on_another_date_say_so() {
        let at = |text: &str| text.parse().unwrap();
        let hours = Interval { start: at("2026-11-23T22:00:00Z"), end: at("2026-11-24T01:00:00Z") };
        let date = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        assert_eq!(told(hours, Tz::UTC, date), "22:00–01:00 +1");
        assert_eq!(told(hours, Tz::Asia__Tokyo, date), "07:00 +1–10:00 +1");
        assert_eq!(told(hours, Tz::America__New_York, date), "17:00–20:00");
        let eve = date.succ_opt().unwrap();
        assert_eq!(told(hours, Tz::UTC, eve), "22:00 -1–01:00");
    }

    #[test]
    fn both_zones_changes_are_told() {
        let at = |text: &str| text.parse().unwrap();
        let range = Interval { start: at("2027-03-10T00:00:00Z"), end: at("2027-04-01T00:00:00Z") };
        let of = |name| changes_within(TimeZoneName::parse(name).unwrap(), range);
        assert_eq!(of("America/New_York")[0].at.to_rfc3339(), "2027-03-14T07:00:00+00:00");
        assert_eq!(of("Europe/Madrid")[0].at.to_rfc3339(), "2027-03-28T01:00:00+00:00");
        assert!(of("Asia/Kathmandu").is_empty());
    }
}
