//! Whether a start can be had: first by the provider, outside any transaction, then by the rules and all that is known,
//! inside the one that books.

use chrono::{DateTime, Utc};
use cupo_core::{
    event_type::Rules,
    interval::Interval,
    slots::{Refusal, SlotQuery, check, claim},
};
use cupo_store::{EventType, Schedule, Tx};

use crate::{
    Engine, EngineError,
    availability::{Freshness, Live, Own, open_around, without_own},
    jobs::PullChanges,
};

/// What is asked: this start, by these rules, but for one's own claim and hold.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) event_type: &'a EventType,
    pub(super) schedule: &'a Schedule,
    pub(super) rules: &'a Rules,
    pub(super) start: DateTime<Utc>,
    pub(super) own: Own<'a>,
}

/// The answer of the check inside the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Free,
    /// Somebody or something has the time.
    Taken,
}

impl Engine {
    /// Asks the providers for the busy time around the start. A calendar that does not answer is left to its mirror
    /// while that is fresh.
    ///
    /// # Errors
    /// [`EngineError::CalendarUnreachable`] when a calendar neither answers nor has a fresh mirror.
    pub(super) async fn live_check(
        &self,
        event_type: &EventType,
        rules: &Rules,
        start: DateTime<Utc>,
    ) -> Result<Vec<Interval>, EngineError> {
        let range = claim(rules, start);
        let time = {
            let tx = &mut self.0.store.read().await?;
            self.host_time(tx, event_type, range).await?
        };
        let calendars = time.calendars.iter().map(|(calendar, _)| calendar);
        let mut busy = Vec::new();
        for (id, live) in self.live_busy(&event_type.organization_id, calendars, range).await {
            let is_stale =
                time.calendars.iter().any(|(calendar, freshness)| calendar.id == id && *freshness == Freshness::Stale);
            match live {
                Live::Busy(intervals) => busy.extend(intervals),
                Live::Unknown if is_stale => return Err(EngineError::CalendarUnreachable),
                Live::Unknown => {}
            }
        }
        Ok(busy)
    }

    /// Checks the start by the very engine that offers slots, against everything that is on disk and `live`. Where only
    /// `live` takes the time the mirror is behind: it is read again.
    ///
    /// # Errors
    /// [`EngineError::SlotRefused`] for a start that the rules do not offer.
    pub(super) async fn check_within(
        &self,
        tx: &mut Tx,
        wish: &Wish<'_>,
        live: &[Interval],
    ) -> Result<Verdict, EngineError> {
        let Wish { event_type, schedule, rules, start, own } = *wish;
        let now = self.now();
        let range = claim(rules, start);
        let time = self.host_time(tx, event_type, range).await?;
        let live = without_own(live.to_vec(), &time);
        let open = open_around(schedule, range);
        let window_end = time.offered_until(schedule.time_zone.tz(), rules.window_days, now);
        let verdict = |also: &[Interval]| {
            let busy = time.taken(also, own, now);
            check(&SlotQuery { open: &open, busy: &busy, rules, window_end, now, range }, start)
        };
        match verdict(&live) {
            Ok(()) => Ok(Verdict::Free),
            Err(Refusal::Busy) => {
                if verdict(&[]).is_ok() {
                    for (calendar, _) in &time.calendars {
                        let pull = PullChanges { calendar_id: calendar.id.clone() };
                        self.enqueue(tx, &calendar.organization_id, &pull).await?;
                    }
                }
                Ok(Verdict::Taken)
            }
            Err(refusal) => Err(EngineError::SlotRefused(refusal)),
        }
    }
}
