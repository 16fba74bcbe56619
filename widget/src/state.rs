//! What the widget knows and how it changes: a pure reducer. [`State::apply`] takes an [`Action`], changes the
//! state and says which [`Effect`]s the browser has to bring about; their outcomes come back as actions.

use std::mem;

use crate::calendar::{Day, Instant, Month};
use crate::form::{Field, FieldMessage};
use crate::model::{Appointment, BookingFailure, EventType, HoldFailure, SeriesDate, Slot};
use crate::request;
use crate::zone::Zone;

mod booking;
mod months;
mod series;
#[cfg(test)]
mod tests;

use months::{SKIPPED_AT_FIRST, SKIPPED_WHEN_ASKED};

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
    pub slots: Option<Vec<Slot>>,
    pub loading: bool,
    pub failed: bool,
}

/// A slot kept for the visitor while the details are typed. A booking without a hold is checked all the same.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Hold {
    None,
    Asked,
    Held(String),
}

/// The dates on which the appointment would repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dates {
    /// It happens once.
    Single,
    /// Asked for at this address.
    Asked(String),
    Failed,
    Known(Vec<SeriesDate>),
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

#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Action {
    /// Without slots they could not be had.
    SlotsRead {
        month: Month,
        wish: u32,
        slots: Option<Vec<Slot>>,
    },
    ChooseDuration(u32),
    /// Empty for anyone.
    ChooseHost(String),
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
    Tick {
        field: Field,
        choice: String,
        is_ticked: bool,
    },
    Leave(Field),
    SeriesRead {
        path: String,
        dates: Option<Vec<SeriesDate>>,
    },
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

#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Effect {
    ReadSlots {
        month: Month,
        wish: u32,
    },
    ReadSeries(String),
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
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
struct Sent {
    key: String,
    content: String,
    body: String,
}

#[derive(Clone)]
#[cfg_attr(test, derive(Debug))]
pub struct State {
    pub event: EventType,
    /// The chosen length in minutes.
    pub duration: u32,
    /// The id of the chosen host; empty for anyone.
    pub host: String,
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
    /// What stands in each field.
    pub details: Vec<String>,
    pub problems: Vec<Option<FieldMessage>>,
    pub dates: Dates,
    pub sending: bool,
    pub notice: Option<Notice>,
    pub announcement: Announcement,
    pub appointment: Option<Appointment>,
    hold: Hold,
    /// The hold before this one, which the next replaces even if its release got lost.
    last_hold: Option<String>,
    sent: Option<Sent>,
    /// Counts the choices of a length or a host: slots that an earlier one asked for are not wanted any more.
    wish: u32,
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
        let fields = Field::QUESTIONS.0 + event.questions.len();
        Self {
            duration: event.durations.first().copied().unwrap_or_default(),
            host: String::new(),
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
            months: vec![MonthSlots { month, slots: None, loading: true, failed: false }],
            start: None,
            details: vec![String::new(); fields],
            problems: vec![None; fields],
            dates: Dates::Single,
            sending: false,
            notice: None,
            announcement: Announcement::Nothing,
            appointment: None,
            hold: Hold::None,
            last_hold: None,
            sent: None,
            wish: 0,
            seeking: SKIPPED_AT_FIRST,
            ready: false,
        }
    }

    /// What is known of the month in sight.
    pub fn shown(&self) -> Option<&MonthSlots> {
        self.months.iter().find(|known| known.month == self.month)
    }

    /// The slots of a month as far as they are known.
    fn slots_of_month(&self, month: Month) -> &[Slot] {
        let known = self.months.iter().find(|known| known.month == month);
        known.and_then(|known| known.slots.as_deref()).unwrap_or_default()
    }

    /// The slots of a day in the visitor's zone, in order.
    pub fn slots_of(&self, day: Day) -> Vec<Slot> {
        self.slots_of_month(day.month()).iter().copied().filter(|slot| self.zone.day(slot.start) == day).collect()
    }

    /// The days of a month that have a free slot in the visitor's zone, in order.
    pub fn free_days(&self, month: Month) -> Vec<Day> {
        let mut days: Vec<Day> = self.slots_of_month(month).iter().map(|slot| self.zone.day(slot.start)).collect();
        days.retain(|day| day.month() == month);
        days.dedup();
        days
    }

    /// The token of the hold that may stand; empty without one.
    pub fn standing_hold(&self) -> &str {
        match &self.hold {
            Hold::Held(token) => token,
            _ => self.last_hold.as_deref().unwrap_or_default(),
        }
    }

    /// Whether there is a month that can be booked before (-1) or after (1) the one in sight.
    pub fn can_turn(&self, months: i32) -> bool {
        let month = Month(self.month.0 + months);
        (self.first_day.month()..=self.last_day.month()).contains(&month)
    }

    /// Whether nothing is known yet of the month in sight.
    pub fn is_loading(&self) -> bool {
        self.shown().is_none_or(|known| known.loading && known.slots.is_none())
    }

    /// Changes the state by an action and gives the effects that follow, in their order.
    pub fn apply(&mut self, action: Action) -> Vec<Effect> {
        let mut effects = Vec::new();
        match action {
            Action::SlotsRead { month, wish, slots } => self.slots_read(month, wish, slots, &mut effects),
            Action::ChooseDuration(minutes) => {
                self.duration = minutes;
                self.read_anew(&mut effects);
            }
            Action::ChooseHost(id) => {
                self.host = id;
                self.read_anew(&mut effects);
            }
            Action::Turn { months } => self.turn(months, &mut effects),
            Action::Seek => {
                self.seeking = SKIPPED_WHEN_ASKED;
                self.turn_while_seeking(&mut effects);
            }
            Action::Retry if self.step == Step::Details => self.ask_series(&mut effects),
            Action::Retry => self.read(self.month, &mut effects),
            Action::Move { movement, week_start } => self.move_cursor(movement, week_start, &mut effects),
            Action::ShowDay(day) => self.show_day(day, &mut effects),
            Action::ListZones(names) => self.zone_names = names,
            Action::Relocate(zone) => self.relocate(zone, &mut effects),
            Action::Pick(start) => self.pick(start, &mut effects),
            Action::Held { start, token } => self.held(start, token, &mut effects),
            Action::HoldFailed { start, failure } => self.hold_failed(start, failure, &mut effects),
            Action::Back => self.back(&mut effects),
            Action::Type { field, text } => self.type_text(field, text, &mut effects),
            Action::Tick { field, choice, is_ticked } => self.tick(field, &choice, is_ticked, &mut effects),
            Action::Leave(field) => self.leave(field),
            Action::SeriesRead { path, dates } => self.series_read(path, dates),
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
}
