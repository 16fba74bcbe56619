//! When a calendar is compared: once in an interval, in the night of its host, and not all at once.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use cupo_core::{ids::CalendarId, zone::first_instant_at_or_after};
use cupo_store::{CalendarToReconcile, calendars_due_for_reconcile, calendars_note_new};
use sha2::{Digest, Sha256};

use crate::{Engine, EngineError, engine::transact, jobs::Reconcile};

/// From when on, by the host's clock.
const NIGHT_BEGINS: NaiveTime = NaiveTime::from_hms_opt(2, 0, 0).expect("02:00 is a time");
/// Until when.
const NIGHT: TimeDelta = TimeDelta::hours(3);
/// Over how long the turns are spread: the last ones have some minutes, too.
const TURNS: TimeDelta = TimeDelta::minutes(165);
/// Clocks change, and one night's turn comes later than another's.
const SLACK: TimeDelta = TimeDelta::hours(2);
const DAY: TimeDelta = TimeDelta::days(1);
/// How many are looked at in one go. Who was compared longest ago is whose night is next.
const LOOKED_AT: u32 = 2_000;
/// How many jobs one transaction enqueues: a booking never waits long for it.
const BATCH: usize = 200;

impl Engine {
    /// Enqueues the comparison of calendars whose turn has come.
    pub(crate) async fn enqueue_reconciles(&self) -> Result<(), EngineError> {
        let (now, interval) = (self.now(), self.0.settings.reconcile_interval);
        let slack = if interval < DAY { TimeDelta::zero() } else { SLACK };
        let before = now - interval + slack;
        let mut due = calendars_due_for_reconcile(&mut self.0.store.read().await?, before, LOOKED_AT).await?;
        due.retain(|calendar| is_due(calendar, interval, now));
        transact!(self, tx => calendars_note_new(tx, now).await?)?;
        for batch in due.chunks(BATCH) {
            transact!(self, tx => {
                for CalendarToReconcile { organization_id, calendar_id, .. } in batch {
                    self.enqueue(tx, organization_id, &Reconcile { calendar_id: calendar_id.clone() }).await?;
                }
            })?;
        }
        Ok(())
    }
}

/// Whether a calendar's turn has come: within its host's night, from its own minute on. One that missed a whole night
/// is due at any time, as is every one where the interval is shorter than a day.
fn is_due(calendar: &CalendarToReconcile, interval: TimeDelta, now: DateTime<Utc>) -> bool {
    let Some(reconciled_at) = calendar.reconciled_at else { return false };
    let age = now - reconciled_at;
    if interval < DAY {
        return age >= interval;
    }
    if age >= interval + DAY {
        return true;
    }
    let tz = calendar.time_zone.map_or(Tz::UTC, |zone| zone.tz());
    let (turn, ends) = night_of(&calendar.calendar_id, tz, now);
    (turn..ends).contains(&now) && reconciled_at < turn
}

/// The calendar's turn in the night of the local date of `now`, and the end of that night.
fn night_of(calendar_id: &CalendarId, tz: Tz, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let date = now.with_timezone(&tz).date_naive();
    let begins = first_instant_at_or_after(tz, date.and_time(NIGHT_BEGINS));
    let digest = Sha256::digest(calendar_id.as_str());
    let spread =
        i64::from(u16::from_be_bytes([digest[0], digest[1]])) * TURNS.num_seconds() / (i64::from(u16::MAX) + 1);
    (begins + TimeDelta::seconds(spread), begins + NIGHT)
}

#[cfg(test)]
mod tests {
    use cupo_core::{ids::OrganizationId, zone::TimeZoneName};

    use super::*;

    fn calendar(last: u32, reconciled_at: &str) -> CalendarToReconcile {
        CalendarToReconcile {
            organization_id: OrganizationId::parse("00000000-0000-7000-8000-000000000001").unwrap(),
            calendar_id: CalendarId::parse(&format!("00000000-0000-7000-8000-{last:012}")).unwrap(),
            time_zone: Some(TimeZoneName::parse("Europe/Madrid").unwrap()),
            reconciled_at: Some(at(reconciled_at)),
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The minutes of a day, in UTC, at which the calendar is due.
    fn due_minutes(calendar: &CalendarToReconcile, day: &str) -> Vec<i64> {
        let midnight = at(&format!("{day}T00:00:00Z"));
        let is_due = |minute: &i64| is_due(calendar, DAY, midnight + TimeDelta::minutes(*minute));
        (0..24 * 60).filter(is_due).collect()
    }

    #[test]
    fn every_calendar_has_its_turn_between_two_and_five_by_its_hosts_clock() {
        for last in 0..200 {
            let minutes = due_minutes(&calendar(last, "2026-11-22T02:30:00Z"), "2026-11-23");
            // Madrid is an hour ahead of UTC.
            assert!(minutes.iter().all(|minute| (60..240).contains(minute)), "{minutes:?}");
            assert!(minutes.len() >= 14, "{minutes:?}");
        }
    }

    #[test]
    fn calendars_do_not_all_begin_at_once() {
        let turns: std::collections::BTreeSet<_> = (0..200)
            .map(|last| {
                night_of(&calendar(last, "2026-11-22T02:30:00Z").calendar_id, Tz::UTC, at("2026-11-23T00:00:00Z")).0
            })
            .collect();
        assert!(turns.len() > 150, "{}", turns.len());
    }

    #[test]
    fn a_calendar_that_had_its_turn_tonight_is_not_due_again() {
        let (turn, _) =
            night_of(&calendar(7, "2026-11-22T02:30:00Z").calendar_id, Tz::Europe__Madrid, at("2026-11-23T02:00:00Z"));
        let done = CalendarToReconcile {
            reconciled_at: Some(turn + TimeDelta::seconds(30)),
            ..calendar(7, "2026-11-22T02:30:00Z")
        };
        assert_eq!(due_minutes(&done, "2026-11-23"), Vec::<i64>::new());
        assert!(!due_minutes(&done, "2026-11-24").is_empty());
    }

    #[test]
    fn who_missed_a_whole_night_is_due_by_day() {
        let missed = calendar(7, "2026-11-20T02:30:00Z");
        assert!(is_due(&missed, DAY, at("2026-11-23T12:00:00Z")));
        assert!(!is_due(&missed, DAY, at("2026-11-21T12:00:00Z")));
    }

    #[test]
    fn an_interval_shorter_than_a_day_knows_no_night() {
        let hour = TimeDelta::hours(1);
        let calendar = calendar(7, "2026-11-23T10:00:00Z");
        assert!(!is_due(&calendar, hour, at("2026-11-23T10:59:59Z")));
        assert!(is_due(&calendar, hour, at("2026-11-23T11:00:00Z")));
    }
}
