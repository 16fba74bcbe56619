//! From a picked start to an appointment: the hold, the details, the booking and what became of it.

use super::*;

/// How often the meeting link is asked for, and the first pause, which doubles up to the last.
pub(super) const MEETING_READS: u32 = 12;
const FIRST_MEETING_PAUSE_MS: i32 = 1_000;
const LAST_MEETING_PAUSE_MS: i32 = 30_000;

impl State {
    pub(super) fn pick(&mut self, start: Instant, effects: &mut Vec<Effect>) {
        self.step = Step::Details;
        self.start = Some(start);
        self.hold = Hold::Asked;
        self.notice = None;
        effects.extend([Effect::Hold { start, replaces: self.last_hold.clone() }, Effect::Focus(Target::Heading)]);
    }

    pub(super) fn held(&mut self, start: Instant, token: String, effects: &mut Vec<Effect>) {
        if self.step == Step::Details && self.start == Some(start) && self.hold == Hold::Asked {
            self.hold = Hold::Held(token);
        } else {
            effects.push(Effect::Release(token));
        }
    }

    pub(super) fn hold_failed(&mut self, start: Instant, failure: HoldFailure, effects: &mut Vec<Effect>) {
        // While a booking is under way it is the booking that tells: its own claim may be what refused the hold.
        if self.step != Step::Details || self.start != Some(start) || self.sending {
            return;
        }
        self.hold = Hold::None;
        if failure == HoldFailure::SlotTaken {
            self.lose_slot(effects);
        }
    }

    pub(super) fn back(&mut self, effects: &mut Vec<Effect>) {
        if self.sending || self.step != Step::Details {
            return;
        }
        // Slots read before the hold is gone would lack its slot: its release reads them.
        if !self.release(effects) {
            self.read(self.month, effects);
        }
        self.step = Step::Pick;
        self.notice = None;
        effects.extend(self.start.map(|start| Effect::Focus(Target::Slot(start))));
    }

    /// Whether there was a hold to release.
    pub(super) fn release(&mut self, effects: &mut Vec<Effect>) -> bool {
        let Hold::Held(token) = mem::replace(&mut self.hold, Hold::None) else { return false };
        self.last_hold = Some(token.clone());
        effects.push(Effect::Release(token));
        true
    }

    /// Somebody else has the slot: back to fresh slots; what was typed stays.
    pub(super) fn lose_slot(&mut self, effects: &mut Vec<Effect>) {
        self.release(effects);
        self.step = Step::Pick;
        self.notice = Some(Notice::SlotTaken);
        if let Some(taken) = self.start.take() {
            for starts in self.months.iter_mut().filter_map(|known| known.starts.as_mut()) {
                starts.retain(|start| *start != taken);
            }
            self.shown_month_read(effects);
        }
        self.read(self.month, effects);
        effects.push(Effect::Focus(Target::Notice));
    }

    pub(super) fn type_text(&mut self, field: Field, text: String) {
        self.details[field.index()] = text;
        // A field that was wrong is judged at each stroke, so that the complaint goes as soon as it is mended.
        if self.problems[field.index()].is_some() {
            self.judge(field);
        }
    }

    pub(super) fn leave(&mut self, field: Field) {
        if !self.details[field.index()].is_empty() {
            self.judge(field);
        }
    }

    pub(super) fn judge(&mut self, field: Field) {
        let needed = field != Field::Phone || self.event.location.needs_phone;
        self.problems[field.index()] = field.judge(&self.details[field.index()], needed);
    }

    pub(super) fn submit(&mut self, fresh_key: String, effects: &mut Vec<Effect>) {
        let (Some(start), Step::Details, false) = (self.start, self.step, self.sending) else { return };
        for field in Field::ALL {
            self.judge(field);
        }
        if let Some(field) = Field::ALL.into_iter().find(|field| self.problems[field.index()].is_some()) {
            self.announcement = Announcement::FieldProblems;
            effects.push(Effect::Focus(Target::Field(field)));
            return;
        }
        let mut booking = Booking {
            event: &self.event,
            start,
            details: &self.details,
            time_zone: &self.zone.name,
            language: &self.language,
            hold: None,
        };
        let content = request::booking(&booking);
        if let Hold::Held(token) = &self.hold {
            booking.hold = Some(token);
        }
        let sent = match self.sent.take() {
            Some(sent) if sent.content == content => sent,
            _ => Sent { key: fresh_key, body: request::booking(&booking), content },
        };
        effects.push(Effect::Book { key: sent.key.clone(), body: sent.body.clone() });
        self.sent = Some(sent);
        self.sending = true;
        self.notice = None;
    }

    pub(super) fn booked(&mut self, appointment: Appointment, effects: &mut Vec<Effect>) {
        self.sending = false;
        self.step = Step::Confirmed;
        self.hold = Hold::None;
        self.notice = None;
        effects.extend([Effect::Focus(Target::Heading), Effect::Booked]);
        self.await_meeting(&appointment, 0, effects);
        self.appointment = Some(appointment);
    }

    pub(super) fn await_meeting(&self, appointment: &Appointment, reads: u32, effects: &mut Vec<Effect>) {
        if appointment.meeting_pending && reads < MEETING_READS {
            let after_ms = (FIRST_MEETING_PAUSE_MS << reads.min(5)).min(LAST_MEETING_PAUSE_MS);
            effects.push(Effect::ReadAppointment { token: appointment.token.clone(), after_ms, reads: reads + 1 });
        }
    }

    pub(super) fn appointment_read(&mut self, read: Option<Box<Appointment>>, reads: u32, effects: &mut Vec<Effect>) {
        if let Some(appointment) = read {
            self.appointment = Some(*appointment);
        }
        if let Some(appointment) = &self.appointment {
            self.await_meeting(appointment, reads, effects);
        }
    }

    pub(super) fn booking_failed(&mut self, failure: BookingFailure, effects: &mut Vec<Effect>) {
        self.sending = false;
        match failure {
            BookingFailure::SlotTaken => {
                self.sent = None;
                self.lose_slot(effects);
            }
            BookingFailure::Invalid(problems) => {
                self.sent = None;
                let first = problems.first().map(|(field, _)| *field);
                for (field, message) in problems {
                    self.problems[field.index()] = Some(message);
                }
                self.announcement = Announcement::FieldProblems;
                effects.extend(first.map(|field| Effect::Focus(Target::Field(field))));
            }
            BookingFailure::Refused(notice) => {
                self.sent = None;
                self.notice = Some(notice);
                effects.push(Effect::Focus(Target::Notice));
            }
            // Whether it was booked is unknown: the same key asks again.
            BookingFailure::Unknown(notice) => {
                self.notice = Some(notice);
                effects.push(Effect::Focus(Target::Notice));
            }
        }
    }
}
