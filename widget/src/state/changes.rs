//! An appointment that is there already: opening it by its secret, moving it, cancelling it.

use super::*;
use crate::calendar::MINUTE;
use crate::strings::concat;

impl State {
    /// Whether the slots are for moving the appointment.
    pub fn is_moving(&self) -> bool {
        matches!(self.step, Step::Pick | Step::Moving) && self.appointment.is_some()
    }

    pub(super) fn open(&mut self, effects: &mut Vec<Effect>) {
        self.notice = None;
        self.read_appointment(&self.wishes.manage, 0, 0, effects);
    }

    pub(super) fn read_appointment(&self, token: &str, after_ms: i32, reads: u32, effects: &mut Vec<Effect>) {
        effects.push(Effect::ReadAppointment { token: token.to_owned(), after_ms, reads, change: self.change });
    }

    pub(super) fn appointment_read(
        &mut self,
        read: Result<Box<Appointment>, Notice>,
        reads: u32,
        change: u32,
        effects: &mut Vec<Effect>,
    ) {
        // What was asked for before the appointment changed may tell how it was then.
        if change != self.change {
            return;
        }
        if self.step == Step::Opening {
            self.tell_ready(effects);
            match read {
                Ok(appointment) => {
                    self.step = Step::Confirmed;
                    self.await_meeting(&appointment, 0, effects);
                    self.appointment = Some(*appointment);
                }
                Err(notice) => self.notify(notice, effects),
            }
            return;
        }
        let Some(known) = &mut self.appointment else { return };
        if let Ok(appointment) = read {
            *known = *appointment;
        }
        if let Some(known) = &self.appointment {
            self.await_meeting(known, reads, effects);
        }
    }

    /// Slots for the appointment, from the day on which it stands.
    pub(super) fn reschedule(&mut self, effects: &mut Vec<Effect>) {
        let Some(appointment) = &self.appointment else { return };
        self.duration = ((appointment.end - appointment.start) / MINUTE) as u32;
        let day = self.zone.day(appointment.start);
        self.step = Step::Pick;
        self.start = None;
        if (self.first_day..=self.last_day).contains(&day) {
            self.show_month(day.month());
            self.day = Some(day);
            self.cursor = day;
        }
        self.read_anew(effects);
        effects.push(Effect::Focus(Target::Heading));
    }

    pub(super) fn cancel(&mut self, effects: &mut Vec<Effect>) {
        if self.appointment.is_some() {
            self.show(Step::Cancelling, effects);
        }
    }

    pub(super) fn show(&mut self, step: Step, effects: &mut Vec<Effect>) {
        self.step = step;
        self.notice = None;
        effects.push(Effect::Focus(Target::Heading));
    }

    /// Asks the server for the change that is in sight. To ask for it twice changes nothing more.
    pub(super) fn change(&mut self, effects: &mut Vec<Effect>) {
        let Some(appointment) = &self.appointment else { return };
        let what = if self.step == Step::Cancelling { "/cancel" } else { "/reschedule" };
        let path = concat(&["/embed/v1/appointments/", &appointment.token, what]);
        effects.push(Effect::Change { path, body: request::change(self) });
        self.sending = true;
        self.notice = None;
    }

    pub(super) fn changed(&mut self, appointment: Appointment, effects: &mut Vec<Effect>) {
        let Appointment { start, end, .. } = appointment;
        let event = if self.step == Step::Cancelling {
            self.done = Done::Cancelled;
            Event::Cancelled { start, end }
        } else {
            self.done = Done::Moved;
            Event::Rescheduled { start, end }
        };
        self.arrived(appointment, event, effects);
    }

    /// The server has what the visitor wanted.
    pub(super) fn arrived(&mut self, appointment: Appointment, event: Event, effects: &mut Vec<Effect>) {
        self.sending = false;
        self.sent = None;
        self.next = Next::Stay;
        self.hold = Hold::None;
        self.standing_hold.clear();
        self.change += 1;
        self.show(Step::Confirmed, effects);
        effects.push(Effect::Tell(event));
        self.await_meeting(&appointment, 0, effects);
        self.appointment = Some(appointment);
    }

    /// The appointment cannot be changed as it was shown: how it stands is read again.
    pub(super) fn change_refused(&mut self, notice: Notice, effects: &mut Vec<Effect>) {
        self.change += 1;
        self.step = Step::Confirmed;
        self.notify(if notice == Notice::Gone { notice } else { Notice::Unchangeable }, effects);
        if let Some(appointment) = &self.appointment {
            self.read_appointment(&appointment.token, 0, 0, effects);
        }
    }

    /// Another appointment, for which what was typed is of use.
    pub(super) fn anew(&mut self, effects: &mut Vec<Effect>) {
        self.change += 1;
        self.appointment = None;
        self.start = None;
        self.step = Step::Pick;
        self.duration = self.event.durations.first().copied().unwrap_or_default();
        self.details[Field::REASON.0].clear();
        self.details[Field::SCOPE.0].clear();
        self.read_anew(effects);
        effects.push(Effect::Focus(Target::Day(self.cursor)));
    }
}
