//! A day of an event type as bands: when its hosts can be booked, what takes their time, which slots that leaves.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use cupo_core::{
    ids::EventTypeId,
    interval::Interval,
    wire::{BandView, DayView, HostDayView, MomentView},
    zone::first_instant_at_or_after,
};
use cupo_store::event_type_get;

use super::{Named, Source, sentences::Words};
use crate::{Engine, EngineError, Principal};

/// From one moment that is explained to the next.
const STEP: TimeDelta = TimeDelta::minutes(5);

impl Engine {
    /// A date of an event type's zone: now, or as it was at a past moment.
    ///
    /// # Errors
    /// As for [`explain`](Engine::explain).
    pub async fn day(
        &self,
        principal: &Principal,
        event_type_id: &EventTypeId,
        date: NaiveDate,
        duration: Option<u32>,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<DayView, EngineError> {
        let tz = {
            let tx = &mut self.0.store.read().await?;
            let event_type = event_type_get(tx, &principal.organization_id, event_type_id)
                .await?
                .ok_or(EngineError::NotFound("event type"))?;
            self.schedule_of(tx, &event_type).await?.time_zone.tz()
        };
        let midnight = |date: NaiveDate| first_instant_at_or_after(tz, date.and_time(NaiveTime::MIN));
        let day = Interval::new(midnight(date), midnight(date.succ_opt().unwrap_or(date)))
            .ok_or_else(|| cupo_core::parse::FieldProblem::new("error.date").at("date"))?;
        let named = self.named(principal, event_type_id, duration, as_of, day).await?;
        let words = Words { locale: principal.locale, tz };
        let offered = named.slots(day);
        let moments = std::iter::successors(Some(day.start), |at| Some(*at + STEP)).take_while(|at| *at < day.end);
        let mut moments: Vec<_> = moments.chain(offered.iter().copied()).collect();
        moments.sort_unstable();
        moments.dedup();
        let counted = named.counted();
        let hosts = named.situation.hosts.iter().enumerate().map(|(at, share)| HostDayView {
            id: share.host.user_id.to_string(),
            name: share.user.name.clone(),
            is_required: counted.contains(&at),
            hours: share
                .open
                .iter()
                .filter_map(|open| open.interval.intersection(&day))
                .map(|hours| band(hours, "hours", String::new()))
                .collect(),
            busy: busy_bands(&named, &words, at, day),
        });
        Ok(DayView {
            date,
            time_zone: tz.name().to_owned(),
            start: day.start,
            end: day.end,
            duration: u32::try_from(named.rules.duration.num_minutes()).unwrap_or_default(),
            hosts: hosts.collect(),
            moments: moments
                .into_iter()
                .map(|at| {
                    let explanation = named.explain(at);
                    MomentView {
                        at,
                        is_offered: explanation.is_offered(),
                        sentence: words.verdict(&named, &explanation, at),
                    }
                })
                .collect(),
            offered,
        })
    }
}

fn band(interval: Interval, kind: &str, label: String) -> BandView {
    BandView { from: interval.start, to: interval.end, kind: kind.to_owned(), label }
}

fn busy_bands(named: &Named, words: &Words, host: usize, day: Interval) -> Vec<BandView> {
    let mut bands: Vec<_> = named.taken[host]
        .iter()
        .filter_map(|taken| {
            let shown = taken.interval.intersection(&day)?;
            let kind = match taken.source {
                Source::Calendar { .. } => "calendar",
                Source::Appointment { .. } => "appointment",
                Source::Buffer { .. } => "buffer",
                Source::Hold => "hold",
            };
            Some(band(shown, kind, words.obstacle(&taken.source, taken.interval, day.start)))
        })
        .collect();
    bands.sort_by_key(|band| (band.from, band.to));
    bands
}
