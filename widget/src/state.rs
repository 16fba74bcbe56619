//! What the widget knows and how it changes: a pure reducer. [`State::apply`] takes an [`Action`], changes the
//! state and says which [`Effect`]s the browser has to bring about; their outcomes come back as actions.

use std::mem;

use crate::calendar::{Day, Instant, Month};
use crate::model::{Appointment, BookingFailure, EventType, Field, FieldMessage, HoldFailure};
use crate::request::{self, Booking};
use crate::zone::Zone;

#[cfg(test)]
mod tests;

/// How many empty months are skipped at first sight, and how many when the visitor asks for the next free time.
const SKIPPED_AT_FIRST: u8 = 2;
const SKIPPED_WHEN_ASKED: u8 = 14;

/// How often the meeting link is asked for, and the first pause, which doubles up to the last.
const MEETING_READS: u32 = 12;
const FIRST_MEETING_PAUSE_MS: i32 = 1_000;
const LAST_MEETING_PAUSE_MS: i32 = 30_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Pick,
    Details,
    Confirmed,
}

/// The slots of a month as far as they are known. Slots once read stay in sight while they are read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthSlots {
    pub month: Month,
    pub starts: Option<Vec<Instant>>,
    pub loading: bool,
    pub failed: bool,
}

/// A slot kept for the visitor while the details are typed. A booking without a hold is checked all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    None,
    Asked,
    Held(String),
}

/// A sentence above the step: a key of the catalogue's `widget` section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    SlotTaken,
    Unreachable,
    Refused,
    TooMany,
    Gone,
}

impl Notice {
    pub fn key(self) -> &'static str {
        match self {
            Self::SlotTaken => "slot_taken",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::TooMany => "too_many",
            Self::Gone => "gone",
        }
    }
}

/// What the live region says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    Nothing,
    Times { day: Day, count: usize },
    NoTimes(Month),
    FieldProblems,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    Days(i32),
    Months(i32),
    WeekStart,
    WeekEnd,
}

/// What gets the keyboard's focus after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Heading,
    Notice,
    Field(Field),
    Day(Day),
    Slot(Instant),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    SlotsRead {
        month: Month,
        starts: Vec<Instant>,
    },
    SlotsFailed {
        month: Month,
    },
    Turn {
        months: i32,
    },
    Seek,
    Retry,
    Move {
        movement: Movement,
        week_start: i32,
    },
    ShowDay(Day),
    ListZones(Vec<String>),
    Relocate(Zone),
    Pick(Instant),
    Held {
        start: Instant,
        token: String,
    },
    HoldFailed {
        start: Instant,
        failure: HoldFailure,
    },
    Back,
    Type {
        field: Field,
        text: String,
    },
    Leave(Field),
    Submit {
        fresh_key: String,
    },
    Booked(Box<Appointment>),
    BookingFailed(BookingFailure),
    AppointmentRead {
        appointment: Option<Box<Appointment>>,
        reads: u32,
    },
    /// A hold is gone, so that its slot is free for everybody again.
    Released,
    Close,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    ReadSlots(Month),
    Hold {
        start: Instant,
        replaces: Option<String>,
    },
    Release(String),
    Book {
        key: String,
        body: String,
    },
    ReadAppointment {
        token: String,
        after_ms: i32,
        reads: u32,
    },
    Focus(Target),
    /// Bring the times of the chosen day into sight, where they stand below the calendar.
    Reveal,
    /// Tell the page: the widget can be used.
    Ready,
    /// Tell the page: the visitor has booked.
    Booked,
}

/// A booking as it was sent, kept so that a retry of the same content repeats it byte by byte under the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    key: String,
    content: String,
    body: String,
}

#[derive(Debug, Clone)]
pub struct State {
    pub event: EventType,
    /// The visitor's language as a BCP 47 tag, sent with the booking.
    pub language: String,
    pub zone: Zone,
    /// The zones that can be chosen.
    pub zone_names: Vec<String>,
    pub now: Instant,
    pub step: Step,
    pub month: Month,
    pub today: Day,
    pub first_day: Day,
    pub last_day: Day,
    /// The day that has the calendar's one tab stop.
    pub cursor: Day,
    pub day: Option<Day>,
    pub months: Vec<MonthSlots>,
    pub start: Option<Instant>,
    pub details: [String; Field::COUNT],
    pub problems: [Option<FieldMessage>; Field::COUNT],
    pub sending: bool,
    pub notice: Option<Notice>,
    pub announcement: Announcement,
    pub appointment: Option<Appointment>,
    hold: Hold,
    /// The hold before this one, which the next replaces even if its release got lost.
    last_hold: Option<String>,
    sent: Option<Sent>,
    /// How many further empty months may be skipped to find a free time.
    seeking: u8,
    ready: bool,
}

impl State {
    /// The first view: the month of `now` in the visitor's zone, whose slots are being read.
    pub fn new(event: EventType, language: String, zone: Zone, now: Instant) -> Self {
        let first_day = zone.day(now);
        let last_day = zone.day(event.window_end).max(first_day);
        let month = first_day.month();
        Self {
            event,
            language,
            zone,
            zone_names: Vec::new(),
            now,
            step: Step::Pick,
            month,
            today: first_day,
            first_day,
            last_day,
            cursor: first_day,
            day: None,
            months: vec![MonthSlots { month, starts: None, loading: true, failed: false }],
            start: None,
            details: Default::default(),
            problems: Default::default(),
            sending: false,
            notice: None,
            announcement: Announcement::Nothing,
            appointment: None,
            hold: Hold::None,
            last_hold: None,
            sent: None,
            seeking: SKIPPED_AT_FIRST,
            ready: false,
        }
    }

    /// What is known of the month in sight.
    pub fn shown(&self) -> Option<&MonthSlots> {
        self.months.iter().find(|known| known.month == self.month)
    }

    /// The starts of a day in the visitor's zone, in order.
    pub fn starts_of(&self, day: Day) -> Vec<Instant> {
        let known = self.months.iter().find(|known| known.month == day.month());
        let starts = known.and_then(|known| known.starts.as_deref()).unwrap_or_default();
        starts.iter().copied().filter(|start| self.zone.day(*start) == day).collect()
    }

    /// The days of a month that have a free slot in the visitor's zone, in order.
    pub fn free_days(&self, month: Month) -> Vec<Day> {
        let known = self.months.iter().find(|known| known.month == month);
        let starts = known.and_then(|known| known.starts.as_deref()).unwrap_or_default();
        let mut days: Vec<Day> = starts.iter().map(|start| self.zone.day(*start)).collect();
        days.retain(|day| day.month() == month);
        days.dedup();
        days
    }

    /// Whether there is a month that can be booked before (-1) or after (1) the one in sight.
    pub fn can_turn(&self, months: i32) -> bool {
        let month = Month(self.month.0 + months);
        (self.first_day.month()..=self.last_day.month()).contains(&month)
    }

    /// Whether nothing is known yet of the month in sight.
    pub fn is_loading(&self) -> bool {
        self.shown().is_none_or(|known| known.loading && known.starts.is_none())
    }

    /// Changes the state by an action and gives the effects that follow, in their order.
    pub fn apply(&mut self, action: Action) -> Vec<Effect> {
        let mut effects = Vec::new();
        match action {
            Action::SlotsRead { month, starts } => self.slots_read(month, starts, &mut effects),
            Action::SlotsFailed { month } => self.slots_failed(month, &mut effects),
            Action::Turn { months } => self.turn(months, &mut effects),
            Action::Seek => {
                self.seeking = SKIPPED_WHEN_ASKED;
                self.turn_while_seeking(&mut effects);
            }
            Action::Retry => self.read(self.month, &mut effects),
            Action::Move { movement, week_start } => self.move_cursor(movement, week_start, &mut effects),
            Action::ShowDay(day) => self.show_day(day, &mut effects),
            Action::ListZones(names) => self.zone_names = names,
            Action::Relocate(zone) => self.relocate(zone, &mut effects),
            Action::Pick(start) => self.pick(start, &mut effects),
            Action::Held { start, token } => self.held(start, token, &mut effects),
            Action::HoldFailed { start, failure } => self.hold_failed(start, failure, &mut effects),
            Action::Back => self.back(&mut effects),
            Action::Type { field, text } => self.type_text(field, text),
            Action::Leave(field) => self.leave(field),
            Action::Submit { fresh_key } => self.submit(fresh_key, &mut effects),
            Action::Booked(appointment) => self.booked(*appointment, &mut effects),
            Action::BookingFailed(failure) => self.booking_failed(failure, &mut effects),
            Action::AppointmentRead { appointment, reads } => self.appointment_read(appointment, reads, &mut effects),
            Action::Released => {
                if self.step == Step::Pick {
                    self.read(self.month, &mut effects);
                }
            }
            Action::Close => {
                self.release(&mut effects);
            }
        }
        effects
    }

    fn slots_read(&mut self, month: Month, starts: Vec<Instant>, effects: &mut Vec<Effect>) {
        let known = self.known(month);
        known.starts = Some(starts);
        known.loading = false;
        known.failed = false;
        if month == self.month {
            self.shown_month_read(effects);
        }
        self.tell_ready(effects);
    }

    fn slots_failed(&mut self, month: Month, effects: &mut Vec<Effect>) {
        let known = self.known(month);
        known.loading = false;
        known.failed = known.starts.is_none();
        self.tell_ready(effects);
    }

    fn tell_ready(&mut self, effects: &mut Vec<Effect>) {
        if !mem::replace(&mut self.ready, true) {
            effects.push(Effect::Ready);
        }
    }

    /// The month in sight has its slots: choose a day, or look for one in a later month.
    fn shown_month_read(&mut self, effects: &mut Vec<Effect>) {
        let free = self.free_days(self.month);
        let Some(first) = free.first().copied() else {
            self.day = None;
            if self.seeking > 0 && self.can_turn(1) {
                self.turn_while_seeking(effects);
            } else {
                self.seeking = 0;
                self.announcement = Announcement::NoTimes(self.month);
            }
            return;
        };
        self.seeking = 0;
        if !self.day.is_some_and(|day| free.contains(&day)) {
            // The day that was in sight has become full: its neighbour is nearer to the visitor's wish than the first.
            let next = self.day.and_then(|day| free.iter().copied().find(|free| *free > day)).unwrap_or(first);
            self.day = Some(next);
            self.cursor = next;
        }
        for months in [1, -1] {
            if self.can_turn(months) {
                self.read_if_unknown(Month(self.month.0 + months), effects);
            }
        }
    }

    fn turn_while_seeking(&mut self, effects: &mut Vec<Effect>) {
        while self.seeking > 0 && self.can_turn(1) {
            self.seeking -= 1;
            self.show_month(self.month.next());
            if self.shown().is_none_or(|known| known.starts.is_none()) {
                self.seeking += 1;
                self.read_if_unknown(self.month, effects);
                return;
            }
            if !self.free_days(self.month).is_empty() {
                break;
            }
        }
        self.seeking = 0;
        self.shown_month_read(effects);
    }

    fn turn(&mut self, months: i32, effects: &mut Vec<Effect>) {
        if self.can_turn(months) {
            self.seeking = 0;
            self.show_month(Month(self.month.0 + months));
            self.arrive(effects);
        }
    }

    /// A month has come into sight: show what is known of it, or read it.
    fn arrive(&mut self, effects: &mut Vec<Effect>) {
        if self.shown().is_some_and(|known| known.starts.is_some()) {
            self.shown_month_read(effects);
        } else {
            self.read_if_unknown(self.month, effects);
        }
    }

    fn show_month(&mut self, month: Month) {
        self.month = month;
        self.day = None;
        self.cursor = month.first().max(self.first_day);
    }

    fn move_cursor(&mut self, movement: Movement, week_start: i32, effects: &mut Vec<Effect>) {
        let column = (self.cursor.weekday() - week_start).rem_euclid(7);
        let wanted = match movement {
            Movement::Days(days) => Day(self.cursor.0 + days),
            Movement::Months(months) => self.cursor.plus_months(months),
            Movement::WeekStart => Day(self.cursor.0 - column),
            Movement::WeekEnd => Day(self.cursor.0 + 6 - column),
        };
        let mut cursor = wanted.clamp(self.first_day, self.last_day);
        if matches!(movement, Movement::WeekStart | Movement::WeekEnd) {
            // The ends of the week within the month in sight.
            cursor = cursor.clamp(self.month.first(), self.month.last());
        }
        if cursor.month() != self.month {
            self.seeking = 0;
            self.show_month(cursor.month());
            self.arrive(effects);
        }
        self.cursor = cursor;
        effects.push(Effect::Focus(Target::Day(cursor)));
    }

    fn show_day(&mut self, day: Day, effects: &mut Vec<Effect>) {
        let count = self.starts_of(day).len();
        self.cursor = day;
        if count > 0 {
            self.day = Some(day);
            self.notice = None;
            self.announcement = Announcement::Times { day, count };
            effects.push(Effect::Reveal);
        }
    }

    fn relocate(&mut self, zone: Zone, effects: &mut Vec<Effect>) {
        // The same free time stays in sight, on whichever day it falls now.
        let anchor = self.day.and_then(|day| self.starts_of(day).first().copied());
        self.zone = zone;
        if let Some(day) = anchor.map(|start| self.zone.day(start)) {
            self.first_day = self.first_day.min(day);
            self.last_day = self.last_day.max(day);
            self.month = day.month();
            self.cursor = day;
            self.day = Some(day);
        }
        self.arrive(effects);
    }

    fn pick(&mut self, start: Instant, effects: &mut Vec<Effect>) {
        self.step = Step::Details;
        self.start = Some(start);
        self.hold = Hold::Asked;
        self.notice = None;
        effects.extend([Effect::Hold { start, replaces: self.last_hold.clone() }, Effect::Focus(Target::Heading)]);
    }

    fn held(&mut self, start: Instant, token: String, effects: &mut Vec<Effect>) {
        if self.step == Step::Details && self.start == Some(start) && self.hold == Hold::Asked {
            self.hold = Hold::Held(token);
        } else {
            effects.push(Effect::Release(token));
        }
    }

    fn hold_failed(&mut self, start: Instant, failure: HoldFailure, effects: &mut Vec<Effect>) {
        // While a booking is under way it is the booking that tells: its own claim may be what refused the hold.
        if self.step != Step::Details || self.start != Some(start) || self.sending {
            return;
        }
        self.hold = Hold::None;
        if failure == HoldFailure::SlotTaken {
            self.lose_slot(effects);
        }
    }

    fn back(&mut self, effects: &mut Vec<Effect>) {
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
    fn release(&mut self, effects: &mut Vec<Effect>) -> bool {
        let Hold::Held(token) = mem::replace(&mut self.hold, Hold::None) else { return false };
        self.last_hold = Some(token.clone());
        effects.push(Effect::Release(token));
        true
    }

    /// Somebody else has the slot: back to fresh slots; what was typed stays.
    fn lose_slot(&mut self, effects: &mut Vec<Effect>) {
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

    fn type_text(&mut self, field: Field, text: String) {
        self.details[field.index()] = text;
        // A field that was wrong is judged at each stroke, so that the complaint goes as soon as it is mended.
        if self.problems[field.index()].is_some() {
            self.judge(field);
        }
    }

    fn leave(&mut self, field: Field) {
        if !self.details[field.index()].is_empty() {
            self.judge(field);
        }
    }

    fn judge(&mut self, field: Field) {
        let needed = field != Field::Phone || self.event.location.needs_phone;
        self.problems[field.index()] = field.judge(&self.details[field.index()], needed);
    }

    fn submit(&mut self, fresh_key: String, effects: &mut Vec<Effect>) {
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

    fn booked(&mut self, appointment: Appointment, effects: &mut Vec<Effect>) {
        self.sending = false;
        self.step = Step::Confirmed;
        self.hold = Hold::None;
        self.notice = None;
        effects.extend([Effect::Focus(Target::Heading), Effect::Booked]);
        self.await_meeting(&appointment, 0, effects);
        self.appointment = Some(appointment);
    }

    fn await_meeting(&self, appointment: &Appointment, reads: u32, effects: &mut Vec<Effect>) {
        if appointment.meeting_pending && reads < MEETING_READS {
            let after_ms = (FIRST_MEETING_PAUSE_MS << reads.min(5)).min(LAST_MEETING_PAUSE_MS);
            effects.push(Effect::ReadAppointment { token: appointment.token.clone(), after_ms, reads: reads + 1 });
        }
    }

    fn appointment_read(&mut self, read: Option<Box<Appointment>>, reads: u32, effects: &mut Vec<Effect>) {
        if let Some(appointment) = read {
            self.appointment = Some(*appointment);
        }
        if let Some(appointment) = &self.appointment {
            self.await_meeting(appointment, reads, effects);
        }
    }

    fn booking_failed(&mut self, failure: BookingFailure, effects: &mut Vec<Effect>) {
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

    fn read_if_unknown(&mut self, month: Month, effects: &mut Vec<Effect>) {
        if self.months.iter().all(|known| known.month != month || known.failed) {
            self.read(month, effects);
        }
    }

    fn read(&mut self, month: Month, effects: &mut Vec<Effect>) {
        let known = self.known(month);
        if !known.loading {
            known.loading = true;
            known.failed = false;
            effects.push(Effect::ReadSlots(month));
        }
    }

    fn known(&mut self, month: Month) -> &mut MonthSlots {
        let index = self.months.iter().position(|known| known.month == month).unwrap_or_else(|| {
            self.months.push(MonthSlots { month, starts: None, loading: false, failed: false });
            self.months.len() - 1
        });
        &mut self.months[index]
    }
}
