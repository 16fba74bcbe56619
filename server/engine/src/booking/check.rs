//! Whether a start can be had: first by the provider, outside any transaction, then by the rules and all that is known,
//! inside the one that books.

use chrono::{DateTime, Utc};
use cupo_core::{
    event_type::Rules,
    interval::{Interval, normalize, subtract},
    slots::{Refusal, SlotQuery, check, claim},
};
use cupo_store::{
    Appointment, AppointmentCursor, AppointmentFilter, EventType, Schedule, Tx, appointment_list, audit_list,
    mapping_get,
};

use crate::{
    Engine, EngineError,
    audit::Subject,
    availability::{Freshness, Live, Own, open_around, without_own},
    jobs::PullChanges,
};

/// How many appointments are looked at for events that the provider still has to let go.
const LOOKED_AT: u32 = 100;

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
            Err(Refusal::Busy) if verdict(&[]).is_err() => Ok(Verdict::Taken),
            Err(Refusal::Busy) => {
                // Only the provider has the time taken: by an event of ours that it still has to let go, or by one that
                // the mirror does not know yet.
                let leftovers = normalize(self.leftovers(tx, event_type, range).await?);
                if verdict(&subtract(&live, &leftovers)).is_ok() {
                    return Ok(Verdict::Free);
                }
                for (calendar, _) in &time.calendars {
                    let pull = PullChanges { calendar_id: calendar.id.clone() };
                    self.enqueue(tx, &calendar.organization_id, &pull).await?;
                }
                Ok(Verdict::Taken)
            }
            Err(refusal) => Err(EngineError::SlotRefused(refusal)),
        }
    }

    /// The times at which the provider may still show events of ours that were cancelled or moved here, because the push
    /// that says so is under way.
    async fn leftovers(
        &self,
        tx: &mut Tx,
        event_type: &EventType,
        range: Interval,
    ) -> Result<Vec<Interval>, EngineError> {
        let (organization_id, now) = (&event_type.organization_id, self.now());
        let mut leftovers = Vec::new();
        for filter in [AppointmentFilter::Cancelled, AppointmentFilter::Upcoming] {
            // Cancelled ones are listed from the latest start on: those that start after the range need no look.
            let from = AppointmentCursor { start_at: range.end, id: self.fresh() };
            let from = (filter == AppointmentFilter::Cancelled).then_some(&from);
            for appointment in appointment_list(tx, organization_id, filter, now, LOOKED_AT, from).await? {
                if appointment.host_user_id != event_type.host_user_id {
                    continue;
                }
                let mapping = mapping_get(tx, organization_id, &appointment.id).await?;
                let is_pushed = mapping.is_none_or(|mapping| {
                    mapping.deleted_at.is_some() || mapping.pushed_sequence >= appointment.sequence
                });
                if is_pushed {
                    continue;
                }
                leftovers.extend(Interval::new(appointment.start_at, appointment.end_at));
                leftovers.extend(self.earlier_times(tx, &appointment).await?);
            }
        }
        Ok(leftovers)
    }

    /// Where an appointment was before it moved, as its history tells.
    async fn earlier_times(&self, tx: &mut Tx, appointment: &Appointment) -> Result<Vec<Interval>, EngineError> {
        let subject = Subject::Appointment(&appointment.id);
        let length = appointment.end_at - appointment.start_at;
        let history = audit_list(tx, &appointment.organization_id, subject.kind(), subject.id()).await?;
        let earlier = history.iter().filter(|entry| entry.action == "appointment.moved").filter_map(|entry| {
            let start: DateTime<Utc> = entry.detail["from"].as_str()?.parse().ok()?;
            Interval::new(start, start + length)
        });
        Ok(earlier.collect())
    }
}
