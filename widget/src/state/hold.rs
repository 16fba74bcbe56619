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
    Asked,
    /// With its secret, until this moment by the visitor's clock.
    Held(String, Instant),
}

impl State {
    /// The secret of the hold that may stand; empty without one.
    pub fn standing_hold(&self) -> &str {
        match &self.hold {
            Hold::Held(token, _) => token,
            _ => self.last_hold.as_deref().unwrap_or_default(),
        }
    }

    /// For how many seconds the slot is still kept, once they are few.
    pub fn seconds_left(&self) -> Option<u32> {
        let Hold::Held(_, until) = self.hold else { return None };
        let left = until - self.now;
        (self.step == Step::Details && left <= TOLD_BEFORE).then_some(((left + SECOND - 1) / SECOND) as u32)
    }

    pub(super) fn held(&mut self, start: Instant, token: String, until: Instant, effects: &mut Vec<Effect>) {
        if self.step == Step::Details && self.start == Some(start) && self.hold == Hold::Asked {
            self.hold = Hold::Held(token, until);
            self.wake_at(until - TOLD_BEFORE, effects);
            self.send_queued(effects);
        } else {
            effects.push(Effect::Release(token));
        }
    }

    pub(super) fn hold_failed(&mut self, start: Instant, failure: HoldFailure, effects: &mut Vec<Effect>) {
        if self.step != Step::Details || self.start != Some(start) || self.hold != Hold::Asked {
            return;
        }
        self.hold = Hold::None;
        if failure == HoldFailure::SlotTaken {
            self.sending = false;
            self.queued = None;
            self.lose_slot(effects);
        } else {
            self.send_queued(effects);
        }
    }

    /// The same slot for the whole time once more.
    pub(super) fn extend(&mut self, effects: &mut Vec<Effect>) {
        if let (Some(start), Hold::Held(token, _), false) = (self.start, &self.hold, self.sending) {
            self.last_hold = Some(token.clone());
            self.hold = Hold::Asked;
            effects.extend([Effect::Hold { start, replaces: self.last_hold.clone() }, Effect::Focus(Target::Heading)]);
        }
    }

    /// Whether there was a hold to release.
    pub(super) fn release(&mut self, effects: &mut Vec<Effect>) -> bool {
        let Hold::Held(token, _) = mem::replace(&mut self.hold, Hold::None) else { return false };
        self.last_hold = Some(token.clone());
        effects.push(Effect::Release(token));
        true
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
        let Hold::Held(_, until) = self.hold else { return };
        let left = until - now;
        if left > EARLY {
            if !was_told && let Some(seconds) = self.seconds_left() {
                self.announcement = Announcement::KeptFor(seconds);
            }
            self.wake_at(now + (left - 1) % SECOND + 1, effects);
        } else if !self.sending {
            // The slot is free for everybody again. Its release reads the slots.
            self.release(effects);
            self.step = Step::Pick;
            self.notify(Notice::Expired, effects);
        }
    }
}
