//! A slot that is kept for the visitor while the details are typed: until when, and what happens then.

use super::*;
use crate::calendar::MINUTE;

/// How long before its end the visitor is told that the slot is kept no longer.
pub(super) const TOLD_BEFORE: Instant = 2 * MINUTE;
const SECOND: Instant = 1_000;
/// A timer and the clock may disagree by as much.
const EARLY: Instant = 100;

/// A booking without a hold is checked all the same.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Hold {
    None,
    /// The end of the one that stands until the answer comes, if there is one.
    Asked(Option<Instant>),
    /// Until this moment by the visitor's clock. Its secret is the last one.
    Held(Instant),
}

impl State {
    /// For how many seconds the slot is still kept, once they are few. What was sent does not wait for their end.
    pub fn seconds_left(&self) -> Option<u32> {
        let Hold::Held(until) = self.hold else { return None };
        let left = until - self.now;
        let is_told = self.step == Step::Details && self.sent.is_none() && (1..=TOLD_BEFORE).contains(&left);
        is_told.then_some(((left + SECOND - 1) / SECOND) as u32)
    }

    /// Asks for a hold, unless the answer to the same question is under way: a second one would meet the first.
    pub(super) fn ask_hold(&mut self, start: Instant, stands_until: Option<Instant>, effects: &mut Vec<Effect>) {
        self.hold = Hold::Asked(stands_until);
        if self.awaited.replace(start) != Some(start) {
            effects.push(Effect::Hold { start, replaces: self.standing_hold.clone() });
        }
    }

    /// Whether the answer to a hold is wanted, and until when the one before it stands. The answer is there in any case.
    fn hold_answered(&mut self, start: Instant) -> Option<Option<Instant>> {
        self.awaited.take_if(|awaited| *awaited == start);
        match self.hold {
            Hold::Asked(stands_until) if self.step == Step::Details && self.start == Some(start) => Some(stands_until),
            _ => None,
        }
    }

    pub(super) fn held(&mut self, start: Instant, token: String, until: Instant, effects: &mut Vec<Effect>) {
        if self.hold_answered(start).is_some() {
            self.standing_hold = token;
            self.hold_until(until, effects);
            self.send_queued(effects);
        } else {
            effects.push(Effect::Release(token));
        }
    }

    pub(super) fn hold_failed(&mut self, start: Instant, failure: HoldFailure, effects: &mut Vec<Effect>) {
        let Some(stands_until) = self.hold_answered(start) else { return };
        if failure == HoldFailure::SlotTaken {
            self.sending = false;
            self.next = Next::Stay;
            return self.lose_slot(effects);
        }
        self.hold = Hold::None;
        // A hold that cannot be extended stands until its own end.
        if let Some(until) = stands_until {
            self.hold_until(until, effects);
        }
        self.send_queued(effects);
    }

    fn hold_until(&mut self, until: Instant, effects: &mut Vec<Effect>) {
        self.hold = Hold::Held(until);
        self.wake_at(until - TOLD_BEFORE, effects);
    }

    /// The same slot for the whole time once more. Who typed goes on typing.
    pub(super) fn extend(&mut self, effects: &mut Vec<Effect>) {
        if let (Some(start), Hold::Held(until), None) = (self.start, &self.hold, &self.sent) {
            self.ask_hold(start, Some(*until), effects);
            effects.push(Effect::Focus(self.typed.map_or(Target::Heading, Target::Field)));
        }
    }

    /// Whether there was a hold to release.
    pub(super) fn release(&mut self, effects: &mut Vec<Effect>) -> bool {
        let is_held = matches!(mem::replace(&mut self.hold, Hold::None), Hold::Held(_) | Hold::Asked(Some(_)));
        if is_held {
            effects.push(Effect::Release(self.standing_hold.clone()));
        }
        is_held
    }

    fn wake_at(&mut self, at: Instant, effects: &mut Vec<Effect>) {
        self.alarm = Some(at);
        effects.push(Effect::WakeAt(at));
    }

    /// Counts down, each second, once the end is near. An alarm for a hold that was replaced comes to nothing.
    pub(super) fn woken(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.alarm.is_none_or(|alarm| now + EARLY < alarm) {
            return;
        }
        self.alarm = None;
        let was_told = self.seconds_left().is_some();
        self.now = now;
        let Hold::Held(until) = self.hold else { return };
        let left = until - now;
        if left > EARLY {
            if !was_told && let Some(seconds) = self.seconds_left() {
                self.announcement = Announcement::KeptFor(seconds);
            }
            self.wake_at(now + (left - 1) % SECOND + 1, effects);
        } else {
            self.expire(effects);
        }
    }

    /// When the hold is over, the slot is free for everybody again; but what became of a booking is waited for. Says whether
    /// it led back.
    pub(super) fn expire(&mut self, effects: &mut Vec<Effect>) -> bool {
        let is_over = matches!(self.hold, Hold::Held(until) if until - self.now <= EARLY);
        let leads_back = is_over && !self.sending && self.sent.is_none();
        if leads_back {
            // Its release reads the slots.
            self.release(effects);
            self.leave_details();
            self.notify(Notice::Expired, effects);
        }
        leads_back
    }
}
