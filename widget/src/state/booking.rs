//! From a picked start to an appointment: the hold, the details, the booking and what became of it.

use cupo_core::parse::FieldProblem;

use super::kept::REMEMBERED;
use super::*;

/// How often the meeting link is asked for, and the first pause, which doubles up to the last.
pub(super) const MEETING_READS: u32 = 12;
const FIRST_MEETING_PAUSE_MS: i32 = 1_000;
const LAST_MEETING_PAUSE_MS: i32 = 30_000;

impl State {
    pub(super) fn pick(&mut self, start: Instant, effects: &mut Vec<Effect>) {
        self.start = Some(start);
        self.show_day_of_slot(Some(self.zone.day(start)));
        if self.is_moving() {
            return self.show(Step::Moving, effects);
        }
        self.take(start, effects);
        effects.push(Effect::Focus(Target::Heading));
    }

    /// Holds a slot and shows the details.
    pub(super) fn take(&mut self, start: Instant, effects: &mut Vec<Effect>) {
        self.start = Some(start);
        self.step = Step::Details;
        self.notice = None;
        self.typed = None;
        self.ask_hold(start, None, effects);
        self.ask_series(effects);
    }

    pub(super) fn back(&mut self, effects: &mut Vec<Effect>) {
        if self.sending {
            return;
        }
        // Whoever may have an appointment already is not led to book another one: what became of it is asked first.
        if let Some(sent) = self.take_sent() {
            self.next = Next::Back;
            return self.send(sent, effects);
        }
        match self.step {
            Step::Details | Step::Moving => {
                // Slots read before the hold is gone would lack its slot: its release reads them.
                if !self.release(effects) {
                    self.read(self.month, effects);
                }
                self.leave_details();
                self.notice = None;
                effects.extend(self.start.map(|start| Effect::Focus(Target::Slot(start))));
            }
            Step::Pick | Step::Cancelling if self.appointment.is_some() => self.show(Step::Confirmed, effects),
            _ => {}
        }
    }

    /// Back to the slots. A press that was under way is over with what was pressed.
    pub(super) fn leave_details(&mut self) {
        self.step = Step::Pick;
        self.is_pressed = false;
        self.left = None;
    }

    /// Somebody else has the slot: back to fresh slots; what was typed stays.
    pub(super) fn lose_slot(&mut self, effects: &mut Vec<Effect>) {
        self.release(effects);
        self.leave_details();
        if let Some(taken) = self.start.take() {
            self.drop_slots(|start| start == taken);
            self.shown_month_read(effects);
        }
        self.read(self.month, effects);
        self.notify(Notice::SlotTaken, effects);
    }

    /// Says above the step what went wrong, and tells the page.
    pub(super) fn notify(&mut self, notice: Notice, effects: &mut Vec<Effect>) {
        self.notice = Some(notice);
        effects.extend([Effect::Tell(Event::Error(notice.code())), Effect::Focus(Target::Notice)]);
    }

    pub(super) fn type_text(&mut self, field: Field, text: String, effects: &mut Vec<Effect>) {
        self.details[field.0] = text;
        self.typed = Some(field);
        if matches!(field, Field::FREQUENCY | Field::COUNT) {
            self.ask_series(effects);
        }
        // A field that was wrong is judged at each stroke, so that the complaint goes as soon as it is mended.
        if self.problems[field.0].is_some() {
            self.judge(field);
        }
    }

    pub(super) fn tick(&mut self, field: Field, choice: &str, is_ticked: bool, effects: &mut Vec<Effect>) {
        let mut text = String::new();
        let lines = self.details[field.0].split('\n').filter(|line| *line != choice);
        for line in lines.chain(is_ticked.then_some(choice)) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
        }
        self.type_text(field, text, effects);
    }

    pub(super) fn leave(&mut self, field: Field) {
        // What is told beside a field moves what is below it, which may be what the visitor presses.
        if self.is_pressed {
            self.left = Some(field);
            return;
        }
        // What the server said stands until the field is changed.
        let is_told = matches!(self.problems[field.0], Some(FieldMessage::Text(_)));
        if !self.details[field.0].is_empty() && !is_told {
            self.judge(field);
        }
    }

    pub(super) fn judge(&mut self, field: Field) {
        let text = &self.details[field.0];
        let problem = if field == Field::SKIP_TAKEN && self.taken_dates() > 0 && text.is_empty() {
            Some(FieldProblem::new("error.must_be_ticked"))
        } else {
            self.event.judge(field, text)
        };
        self.problems[field.0] = problem.map(FieldMessage::Problem);
    }

    pub(super) fn submit(&mut self, fresh_key: String, effects: &mut Vec<Effect>) {
        if self.sending {
            return;
        }
        let mut fields = match self.step {
            Step::Details => self.event.fields(),
            Step::Moving | Step::Cancelling => vec![Field::REASON],
            _ => return,
        };
        fields.push(Field::SKIP_TAKEN);
        for field in &fields {
            self.judge(*field);
        }
        if let Some(field) = fields.into_iter().find(|field| self.problems[field.0].is_some()) {
            self.announcement = Announcement::FieldProblems;
            effects.push(Effect::Focus(Target::Field(field)));
        } else if self.step != Step::Details {
            self.change(effects);
        } else if matches!(self.hold, Hold::Asked(_)) {
            // A hold that comes after the booking would be in its way.
            self.sending = true;
            self.notice = None;
            self.next = Next::Book(fresh_key);
        } else {
            self.book(fresh_key, effects);
        }
    }

    pub(super) fn send_queued(&mut self, effects: &mut Vec<Effect>) {
        if let Next::Book(key) = mem::take(&mut self.next) {
            self.book(key, effects);
        }
    }

    /// Sends the booking. One of which it is not known whether it was carried out goes out again as it was, and what was changed
    /// since only when that one was refused: under another key both could be booked.
    fn book(&mut self, fresh_key: String, effects: &mut Vec<Effect>) {
        let Some(start) = self.start else { return };
        let content = request::booking(self, start, "");
        let sent = match self.take_sent() {
            Some(sent) => {
                if sent.content != content {
                    self.next = Next::Book(fresh_key);
                }
                sent
            }
            None => {
                let body = request::booking(self, start, &self.standing_hold);
                Sent { key: fresh_key, body, content, at: self.now }
            }
        };
        self.send(sent, effects);
    }

    /// What was sent and not answered, if the server still knows it by its key.
    fn take_sent(&mut self) -> Option<Sent> {
        self.sent.take().filter(|sent| self.now - sent.at < REMEMBERED)
    }

    pub(super) fn send(&mut self, sent: Sent, effects: &mut Vec<Effect>) {
        effects.push(Effect::Book { key: sent.key.clone(), body: sent.body.clone() });
        self.sent = Some(sent);
        self.sending = true;
        self.notice = None;
    }

    pub(super) fn booked(&mut self, appointment: Appointment, effects: &mut Vec<Effect>) {
        let Appointment { start, end, .. } = appointment;
        self.done = Done::Booked;
        self.arrived(appointment, Event::Booked { start, end }, effects);
    }

    pub(super) fn await_meeting(&self, appointment: &Appointment, reads: u32, effects: &mut Vec<Effect>) {
        if appointment.meeting_pending && reads < MEETING_READS {
            let after_ms = (FIRST_MEETING_PAUSE_MS << reads.min(5)).min(LAST_MEETING_PAUSE_MS);
            self.read_appointment(&appointment.token, after_ms, reads + 1, effects);
        }
    }

    pub(super) fn booking_failed(&mut self, failure: BookingFailure, effects: &mut Vec<Effect>) {
        self.sending = false;
        let next = mem::take(&mut self.next);
        if let BookingFailure::Unknown(notice) = failure {
            // Whether it was booked is unknown: the same key asks again.
            return self.notify(notice, effects);
        }
        self.sent = None;
        match (failure, next) {
            (BookingFailure::SlotTaken, _) => self.lose_slot(effects),
            // Nothing was booked, so what the visitor wanted meanwhile can be done.
            (_, Next::Back) => self.back(effects),
            (_, Next::Book(key)) => self.book(key, effects),
            _ if self.expire(effects) => {}
            (BookingFailure::Invalid(problems), _) => {
                let mut first = None;
                for (name, detail) in problems {
                    let mut fields = (0..self.details.len()).map(Field);
                    if let Some(field) = fields.find(|field| self.event.name_of(*field) == name) {
                        // Another of the dates was taken meanwhile.
                        if field == Field::FREQUENCY {
                            self.ask_series(effects);
                        }
                        self.problems[field.0] = Some(FieldMessage::Text(detail));
                        self.hidden[field.0] = false;
                        first = first.or(Some(field));
                    }
                }
                let Some(first) = first else {
                    return self.booking_failed(BookingFailure::Refused(Notice::Refused), effects);
                };
                self.announcement = Announcement::FieldProblems;
                effects.extend([Effect::Tell(Event::Error("invalid-input")), Effect::Focus(Target::Field(first))]);
            }
            (BookingFailure::Refused(notice) | BookingFailure::Unknown(notice), _) => {
                if self.appointment.is_some() && !notice.is_passing() {
                    self.change_refused(notice, effects);
                } else {
                    self.notify(notice, effects);
                }
            }
        }
    }
}
