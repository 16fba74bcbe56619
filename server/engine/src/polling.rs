//! The poll floor: a calendar that was not read for the interval is read, whether its provider tells of changes or not.
//!
//! Polls are spread by the calendars' ids. Each id has a place in half an interval, and the calendar's turns are at
//! that place of every half interval. One that was read within the last half interval is passed over, so no calendar
//! waits longer than an interval, one whose notifications arrive is rarely polled, and ten thousand that were
//! connected, or could not be read, at the same moment are polled at as many moments.

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::ids::CalendarId;
use cupo_store::{CalendarTurn, Tx, calendar_set_turn, calendars_due_for_poll, subscription_list_by_calendar};
use sha2::{Digest, Sha256};

use crate::{
    Engine, EngineError,
    engine::transact,
    jobs::{OpenChannel, PERIOD, PullChanges, StopChannel, UNHURRIED},
};

/// A turn that is missed by more than this: nobody looked for a while.
const LATE: TimeDelta = TimeDelta::minutes(1);
/// So many that are late are polled at once, the longest waiting; the others at their next place.
const AT_ONCE: usize = 100;
/// So many turns in one transaction: whoever wants to write meanwhile, such as a notification of one of these calendars,
/// waits for no more than that.
const BATCH: u32 = 50;
/// When a calendar that could not be read is polled again, unless its failed pull comes first.
const FAILING: TimeDelta = TimeDelta::hours(1);

/// Where the calendar's turns are in a span of so many microseconds.
fn place(id: &CalendarId, span: i64) -> i64 {
    let digest = Sha256::digest(id.as_str().as_bytes());
    let (head, _) = digest.split_first_chunk().expect("a digest is longer than that");
    i64::from_be_bytes(*head).rem_euclid(span)
}

/// The first turn of the calendar after `after`, if it has one in each `span`.
pub(crate) fn first_place_after(id: &CalendarId, after: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
    let micros = span.num_microseconds().unwrap_or(i64::MAX).max(1);
    let since = (after.timestamp_micros() - place(id, micros)).rem_euclid(micros);
    after + TimeDelta::microseconds(micros - since)
}

/// When a calendar that was read at `read_at` is polled: after more than half of the interval and within the whole of
/// it.
pub(crate) fn next_poll(id: &CalendarId, read_at: DateTime<Utc>, interval: TimeDelta) -> DateTime<Utc> {
    first_place_after(id, read_at + interval / 2, interval / 2)
}

impl Engine {
    /// Looks at the calendars whose turn has come, and enqueues a pull for each that has to be polled. Those that are
    /// in use without a channel, although their provider has some, get one; the channels of those that nobody uses any
    /// more are closed.
    pub(crate) async fn poll_calendars(&self) -> Result<(), EngineError> {
        let mut at_once = AT_ONCE;
        loop {
            let (turns, late) = transact!(self, tx => self.poll_some(tx, at_once).await?)?;
            at_once -= late;
            if turns < BATCH as usize {
                return Ok(());
            }
        }
    }

    /// Gives the number of turns that were due, and of those late ones that are polled at once.
    async fn poll_some(&self, tx: &mut Tx, at_once: usize) -> Result<(usize, usize), EngineError> {
        let now = self.now();
        let mut late = 0;
        // A look ahead, so that each poll is at its own moment and not at that of the look.
        let turns = calendars_due_for_poll(tx, now + PERIOD, now, BATCH).await?;
        for turn in &turns {
            let next = self.take_turn(tx, turn, now, at_once, &mut late).await?;
            calendar_set_turn(tx, &turn.calendar.organization_id, &turn.calendar.id, next).await?;
        }
        Ok((turns.len(), late))
    }

    /// Does what is to be done for the calendar, and says when its next turn is.
    async fn take_turn(
        &self,
        tx: &mut Tx,
        turn: &CalendarTurn,
        now: DateTime<Utc>,
        at_once: usize,
        late: &mut usize,
    ) -> Result<DateTime<Utc>, EngineError> {
        let CalendarTurn { calendar, channel_until, .. } = turn;
        let (organization_id, id) = (&calendar.organization_id, &calendar.id);
        let interval = self.0.settings.poll_interval;
        if !turn.is_reachable {
            return Ok(next_poll(id, now, interval));
        }
        if !turn.is_used {
            if channel_until.is_some_and(|until| until > now) {
                for channel in subscription_list_by_calendar(tx, organization_id, id).await? {
                    let stop = StopChannel { account_id: calendar.account_id.clone(), subscription_id: channel.id };
                    self.enqueue(tx, organization_id, &stop).await?;
                }
            }
            return Ok(next_poll(id, now, interval));
        }
        if self.0.settings.webhook_url(turn.provider).is_some() && channel_until.is_none_or(|until| until <= now) {
            self.enqueue_at(tx, organization_id, &OpenChannel::of(id.clone()), now + UNHURRIED).await?;
        }
        let due = calendar.synced_at.map(|at| next_poll(id, at, interval));
        if let Some(due) = due.filter(|due| *due > now + PERIOD) {
            return Ok(due);
        }
        let is_late = due.is_none_or(|due| due < now - LATE);
        // A pull that failed has its own next time, which polling must not bring forward.
        if calendar.sync_error.is_some() {
            let pull = PullChanges { calendar_id: id.clone() };
            self.enqueue_at(tx, organization_id, &pull, now + FAILING).await?;
            return Ok(next_poll(id, now, interval));
        }
        let run_at = if is_late && *late == at_once {
            first_place_after(id, now, interval / 2)
        } else {
            *late += usize::from(is_late);
            due.map_or(now, |due| due.max(now))
        };
        self.enqueue_at(tx, organization_id, &PullChanges { calendar_id: id.clone() }, run_at).await?;
        Ok(next_poll(id, run_at, interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: TimeDelta = TimeDelta::minutes(10);

    fn calendars(count: u128) -> impl Iterator<Item = CalendarId> {
        // Of one moment: in UUIDs of version 7 the time comes first.
        let id = |number: u128| uuid::Uuid::from_u128((0x018f_4e9e_7a3b_7c21 << 64) | number).to_string();
        (0..count).map(move |number| CalendarId::try_from(id(number)).unwrap())
    }

    fn now() -> DateTime<Utc> {
        "2026-11-23T08:00:00Z".parse().unwrap()
    }

    #[test]
    fn no_calendar_waits_longer_than_the_interval_or_is_read_again_within_half_of_it() {
        for (id, seconds) in calendars(2_000).zip((0..).step_by(7)) {
            let read_at = now() + TimeDelta::seconds(seconds);
            let waits = next_poll(&id, read_at, INTERVAL) - read_at;
            assert!(waits > INTERVAL / 2 && waits <= INTERVAL, "{waits}");
        }
    }

    #[test]
    fn a_calendar_that_is_read_at_its_turns_has_one_in_each_interval() {
        for id in calendars(100) {
            let first = next_poll(&id, now(), INTERVAL);
            assert_eq!(next_poll(&id, first, INTERVAL), first + INTERVAL);
            // It is asked a moment after its turn.
            assert_eq!(next_poll(&id, first + TimeDelta::seconds(9), INTERVAL), first + INTERVAL);
        }
    }

    #[test]
    fn ten_thousand_calendars_of_one_moment_are_polled_evenly_over_half_an_interval() {
        let of_seconds = |due: fn(&CalendarId) -> DateTime<Utc>| {
            let mut seconds = [0_u32; 600];
            for id in calendars(10_000) {
                let after = (due(&id) - now()).num_seconds();
                seconds[usize::try_from(after).unwrap()] += 1;
            }
            seconds
        };
        let connected = of_seconds(|id| next_poll(id, now(), INTERVAL));
        let after_an_outage = of_seconds(|id| first_place_after(id, now(), INTERVAL / 2));
        // 33 a second on the average.
        assert!(connected[..300].iter().all(|polls| *polls == 0));
        assert!(connected[300..].iter().all(|polls| (5..80).contains(polls)), "{connected:?}");
        assert!(after_an_outage[..300].iter().all(|polls| (5..80).contains(polls)), "{after_an_outage:?}");
        assert!(after_an_outage[300..].iter().all(|polls| *polls == 0));
    }

    #[test]
    fn the_shortest_interval_has_its_turns_too() {
        for id in calendars(100) {
            let wait = next_poll(&id, now(), TimeDelta::seconds(1)) - now();
            assert!(wait > TimeDelta::milliseconds(500) && wait <= TimeDelta::seconds(1));
        }
    }
}
