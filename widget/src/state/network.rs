//! A network that is gone, slow or back: what is waited for, and what is asked once more.

use super::kept::SENT_AGAIN;
use super::*;

impl State {
    /// Whether the visitor waits for an answer.
    fn is_waiting(&self) -> bool {
        self.sending
            || match self.step {
                Step::Pick => self.is_loading(),
                Step::Details => matches!(self.dates, Dates::Asked(_)),
                Step::Opening => self.notice.is_none(),
                _ => false,
            }
    }

    /// The number of what is waited for: when it has not come after some seconds, [`Action::Slow`] tells.
    pub fn wait(&self) -> Option<u32> {
        self.is_waiting().then_some(self.waits)
    }

    /// Runs a change, and counts the wait that begins with it.
    pub(super) fn counting_waits(&mut self, change: impl FnOnce(&mut Self)) {
        let waited = (self.is_waiting(), self.month);
        change(self);
        if self.is_waiting() && waited != (true, self.month) {
            self.waits += 1;
            self.is_slow = false;
        }
    }

    pub(super) fn slow(&mut self, wait: u32) {
        self.is_slow = self.wait() == Some(wait);
    }

    pub(super) fn retry(&mut self, effects: &mut Vec<Effect>) {
        match self.step {
            Step::Opening => self.open(effects),
            Step::Details => self.ask_series(effects),
            _ => {
                self.read_in_sight(effects);
                effects.push(Effect::Focus(Target::Month));
            }
        }
    }

    /// With the network come the answers that could not be had, and what the visitor has sent goes out.
    pub(super) fn online(&mut self, is_online: bool, effects: &mut Vec<Effect>) {
        self.is_offline = !is_online;
        if !is_online || self.sending {
            return;
        }
        let was_unreachable = self.notice == Some(Notice::Unreachable);
        match self.step {
            Step::Pick => self.read_in_sight(effects),
            Step::Opening if was_unreachable => self.open(effects),
            Step::Moving | Step::Cancelling if was_unreachable => self.change(effects),
            Step::Details => {
                if self.dates == Dates::Failed {
                    self.ask_series(effects);
                }
                let content = self.start.map(|start| request::booking(self, start, ""));
                // What was typed since, and what is old, is sent when the visitor says so.
                let now = self.now;
                let goes_out = |sent: &mut Sent| Some(&sent.content) == content.as_ref() && now - sent.at < SENT_AGAIN;
                if was_unreachable && let Some(sent) = self.sent.take_if(goes_out) {
                    self.send(sent, effects);
                }
            }
            _ => {}
        }
    }

    pub(super) fn press(&mut self, is_pressed: bool) {
        self.is_pressed = is_pressed;
        if !is_pressed && let Some(field) = self.left.take() {
            self.leave(field);
        }
    }
}
