//! The dates of a series before it is booked: which of them are free, and why the others are not.

use chrono::{DateTime, Utc};
use cupo_core::{
    event_type::Assignment,
    recurrence::Recurrence,
    slots::{Refusal, check},
    text::{self, Locale},
    wire::{SeriesDate, SeriesResponse},
    zone::first_instant_at_or_after,
};

use super::{Booked, LiveBusy, Own, Wish, chosen_host, rules_for, starts_around};
use crate::{Engine, EngineError, booking::parse_recurrence, engine::digest};

/// Which dates are asked for.
#[derive(Clone, Copy)]
pub struct SeriesRequest<'a> {
    /// The organization's slug.
    pub org: &'a str,
    /// The event type's slug.
    pub event: &'a str,
    /// The first start.
    pub start: DateTime<Utc>,
    /// The length in minutes; the event type's own when left out.
    pub duration: Option<u32>,
    /// `weekly`, `every_two_weeks` or `monthly`.
    pub frequency: &'a str,
    /// How many dates.
    pub count: u32,
    /// The id of the one host who will do.
    pub host: Option<&'a str>,
    /// The asker's hold, which does not take its own slot away.
    pub hold: Option<&'a str>,
    /// The secret of a single-use link.
    pub link: Option<&'a str>,
}

cupo_core::shown_in_debug!(SeriesRequest<'a> { org, event, start, duration, frequency, count, host });

impl Engine {
    /// Says of each date of a series whether it is free. No provider is asked; booking does that.
    ///
    /// With several hosts any of whom will do, a series is booked with one of them for all its dates: the dates are those of
    /// whoever is free on most of them.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Invalid`] with `recurrence`, `recurrence.frequency`, `recurrence.count`,
    /// `duration` or `host`.
    pub async fn series(&self, request: &SeriesRequest<'_>, locale: Locale) -> Result<SeriesResponse, EngineError> {
        let tx = &mut self.0.store.read().await?;
        let (organization, event_type) = self.offered(tx, request.org, request.event).await?;
        self.booking_link(tx, &event_type, request.link).await?;
        let rules = rules_for(&event_type, request.duration)?;
        let recurrence = parse_recurrence(&event_type, request.frequency, request.count)?;
        let tz = self.schedule_of(tx, &event_type).await?.time_zone.tz();
        let hold_hash = request.hold.map(digest);
        let own = Own { appointment: None, hold_hash: hold_hash.as_deref() };
        let (unknown, live) = (Default::default(), LiveBusy::new());
        let starts = recurrence.starts(tz, request.start);
        // For each date, what each host who might do says; one answer where the hosts are not chosen among.
        let mut verdicts: Vec<Vec<Result<(), Refusal>>> = Vec::with_capacity(starts.len());
        // Each date counts for the limits of those after it.
        let mut planned: Vec<Booked> = Vec::new();
        for start in &starts {
            let Some(start) = *start else {
                verdicts.push(Vec::new());
                continue;
            };
            let range = starts_around(&rules, tz, start);
            let mut situation = self.situation(tx, organization.clone(), event_type.clone(), range).await?;
            situation.booked.extend(planned.iter().cloned());
            let chosen = chosen_host(&situation, request.host)?;
            let hosts: Vec<_> = match (&chosen, situation.assignment()) {
                (Some(host), _) => vec![Some(host)],
                (None, Assignment::RoundRobin) => {
                    situation.hosts.iter().map(|share| Some(&share.host.user_id)).collect()
                }
                (None, Assignment::Single | Assignment::Collective) => vec![None],
            };
            let of = |host| {
                let wish = Wish { rules: &rules, host, unknown: &unknown, own, live: &live };
                situation.ask(&wish, self.now(), range, |query| check(query, start))
            };
            let verdict: Vec<_> = hosts.into_iter().map(of).collect();
            if rules.limits.are_set() && verdict.iter().any(Result::is_ok) {
                let (id, end_at) = (self.fresh(), start + rules.duration);
                planned.push(Booked { id, start_at: start, end_at, seats_taken: 1, hosts: Vec::new() });
            }
            verdicts.push(verdict);
        }
        let host = best_host(&verdicts);
        let dates = starts.iter().zip(verdicts).enumerate().map(|(number, (start, verdicts))| {
            let verdict = match start {
                Some(_) => verdicts.get(host).copied().unwrap_or(Err(Refusal::OutsideHours)),
                None => Err(Refusal::OutsideHours),
            };
            SeriesDate {
                start: start.unwrap_or_else(|| skipped(recurrence, tz, request.start, number)),
                is_free: verdict.is_ok(),
                reason: verdict.err().map(|refusal| text::lookup(locale, refusal.key()).to_owned()),
            }
        });
        Ok(SeriesResponse { dates: dates.collect() })
    }
}

/// Of those who are free on the first date, the one who is free on most.
fn best_host(verdicts: &[Vec<Result<(), Refusal>>]) -> usize {
    let count = verdicts.iter().map(Vec::len).max().unwrap_or_default();
    let free_on = |host: usize| {
        let is_free = |date: &&Vec<Result<(), Refusal>>| date.get(host).is_some_and(Result::is_ok);
        let first = verdicts.first().is_some_and(|date| is_free(&date));
        (first, verdicts.iter().filter(is_free).count())
    };
    (0..count).rev().max_by_key(|host| free_on(*host)).unwrap_or_default()
}

/// The instant after the gap that skips the time of a date.
fn skipped(recurrence: Recurrence, tz: chrono_tz::Tz, first: DateTime<Utc>, number: usize) -> DateTime<Utc> {
    first_instant_at_or_after(tz, recurrence.local_starts(tz, first).nth(number).unwrap_or(first.naive_utc()))
}
