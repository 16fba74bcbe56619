//! What the widget knows and how it changes: a pure reducer. [`State::apply`] takes an [`Action`], changes the
//! state and says which [`Effect`]s the browser has to bring about; their outcomes come back as actions.

use std::mem;

use crate::calendar::{Day, Instant, Month};
use crate::form::{Field, FieldMessage};
use crate::model::{Appointment, BookingFailure, EventType, HoldFailure, SeriesDate, Slot};
use crate::request;
use crate::strings::list;
use crate::zone::{Zone, ZoneChoice};

mod booking;
mod changes;
mod first;
mod hold;
mod kept;
mod months;
mod network;
mod series;
#[cfg(test)]
mod tests;
mod views;
mod wishes;
mod zones;

pub use first::{Visitor, open};
use hold::Hold;
pub use kept::Kept;
use months::{SOUGHT_AT_FIRST, SOUGHT_WHEN_ASKED};
pub use views::View;
pub use wishes::{Event, Wishes};
pub use zones::ZoneSearch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Pick,
    Details,
    /// An appointment, with what can be done about it.
    Confirmed,
    /// The appointment of the page's secret is being read, or could not be.
    Opening,
    /// It is to move to the start that was picked.
    Moving,
    Cancelling,
}

/// What became of the appointment in sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It was opened by its secret.
    Opened,
    Booked,
    Moved,
    Cancelled,
}

/// The slots of a month as far as they are known. Slots once read stay in sight while they are read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthSlots {
    pub month: Month,
    pub slots: Option<Vec<Slot>>,
    pub loading: bool,
    pub failed: bool,
    /// The answer that is under way may be older than what has become free since.
    is_old: bool,
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
    /// The time for which the slot was kept is over.
    Expired,
    /// The appointment can no longer be moved or cancelled.
    Unchangeable,
}

impl Notice {
    /// What a status that is no success means; it is 0 when no answer came.
    pub fn of(status: u16) -> Self {
        match status {
            404 | 410 => Self::Gone,
            429 => Self::TooMany,
            400..=499 => Self::Refused,
            _ => Self::Unreachable,
        }
    }

    pub fn key(self) -> &'static str {
        match self {
            Self::SlotTaken => "slot_taken",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::TooMany => "too_many",
            Self::Gone => "gone",
            Self::Expired => "expired",
            Self::Unchangeable => "unchangeable",
        }
    }

    /// For programs, as the server's problems are named.
    fn code(self) -> &'static str {
        match self {
            Self::SlotTaken => "slot-taken",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::TooMany => "rate-limited",
            Self::Gone => "not-found",
            Self::Expired => "hold-expired",
            Self::Unchangeable => "conflict",
        }
    }

    /// Whether asking once more may help.
    pub fn is_passing(self) -> bool {
        matches!(self, Self::Unreachable | Self::TooMany)
    }
}

/// What the live region says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    Nothing,
    Times {
        day: Day,
        count: usize,
    },
    NoTimes(Month),
    FieldProblems,
    /// For so many seconds the slot is still kept.
    KeptFor(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    Weeks(i32),
    /// To the right (1) or to the left (-1): which is later depends on the language.
    Sideways(i32),
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
    /// What of the calendar is in sight, by name.
    Month,
    /// What opens the list of zones, and what searches it.
    Zone,
    ZoneSearch,
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
    ChooseView(View),
    /// To the month or week after (1) or before (-1).
    Turn(i32),
    Seek,
    ListMore,
    Retry,
    Move(Movement),
    ShowDay(Day),
    OpenZones(Instant),
    ZonesRead(Vec<ZoneChoice>),
    SearchZone(String),
    MoveZone(i32),
    /// By name; empty for the one that is pointed at.
    ChooseZone(String),
    CloseZones,
    /// The focus has gone elsewhere.
    LeaveZones,
    Relocate(Zone),
    Pick(Instant),
    /// By the visitor's clock it is held until then.
    Held {
        start: Instant,
        token: String,
        until: Instant,
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
        appointment: Result<Box<Appointment>, Notice>,
        reads: u32,
        change: u32,
    },
    /// A hold is gone, so that its slot is free for everybody again.
    Released,
    /// The widget is in the page.
    Begin,
    /// The moment for which the state asked to be woken.
    Woken(Instant),
    /// At this moment the page is in sight.
    Look(Instant),
    /// The visitor wants to keep the slot for longer.
    Extend,
    /// What is waited for, by its number, takes long.
    Slow(u32),
    Online(bool),
    /// The visitor presses, or lets go; until then nothing moves.
    Press(bool),
    /// The appointment is to get another start.
    Reschedule,
    Cancel,
    /// The appointment was moved or cancelled.
    Changed(Box<Appointment>),
    /// Another appointment is wanted.
    Anew,
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
    /// Find out which zones there are, and their offsets at an instant.
    ReadZones(Instant),
    /// Find out about the zone of a name and show the times in it.
    LearnZone(String),
    Hold {
        start: Instant,
        /// The secret of the hold before; empty without one.
        replaces: String,
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
        /// How often the appointment had changed.
        change: u32,
    },
    /// Move or cancel an appointment: the address and the body.
    Change {
        path: String,
        body: String,
    },
    /// Give word when this moment has come.
    WakeAt(Instant),
    Focus(Target),
    /// Bring the times of the chosen day into sight, where they stand below the calendar.
    Reveal,
    /// Bring the zone that is pointed at into sight.
    RevealZone,
    /// Tell the page.
    Tell(Event),
}

/// A booking as it was sent, kept so that a retry of the same content repeats it byte by byte under the same key.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
struct Sent {
    key: String,
    content: String,
    body: String,
    at: Instant,
}

/// What happens when an answer has come for which the visitor waits, unless that is an appointment.
#[derive(Clone, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
enum Next {
    #[default]
    Stay,
    Back,
    /// The booking goes out, under this key.
    Book(String),
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
    /// The zones that can be chosen, as soon as they were asked for.
    pub zones: Vec<ZoneChoice>,
    /// There is one while the list of zones is open.
    pub zone_search: Option<ZoneSearch>,
    pub now: Instant,
    pub step: Step,
    pub view: View,
    pub month: Month,
    pub today: Day,
    pub first_day: Day,
    pub last_day: Day,
    /// The day that has the calendar's one tab stop.
    pub cursor: Day,
    pub day: Option<Day>,
    /// How many free days a list shows.
    listed: usize,
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
    /// What became of the appointment.
    pub done: Done,
    pub wishes: Wishes,
    pub is_offline: bool,
    /// What is waited for takes long.
    pub is_slow: bool,
    /// Counts what is waited for.
    waits: u32,
    is_pressed: bool,
    /// The field that was left while the visitor presses, and is judged afterwards.
    left: Option<Field>,
    /// The field in which something was typed last.
    typed: Option<Field>,
    /// Whether the page has answered a field in the visitor's stead, so that it is not shown.
    pub hidden: Vec<bool>,
    hold: Hold,
    /// The secret of the hold that may stand, which the next one replaces even if its release got lost; empty without one.
    pub standing_hold: String,
    /// The start for which a hold was asked last, until the answer is there.
    awaited: Option<Instant>,
    /// When to be woken.
    alarm: Option<Instant>,
    /// There is one while it is not known whether it was carried out.
    sent: Option<Sent>,
    next: Next,
    /// Counts how often the appointment changed.
    change: u32,
    /// When all slots were read again.
    read_at: Instant,
    /// Counts the choices of a length or a host: slots that an earlier one asked for are not wanted any more.
    wish: u32,
    /// Into how many months is still looked for a free time, the one in sight among them; 0 when none is sought.
    seeking: u8,
    ready: bool,
}

impl State {
    /// The first view: the month of `now` in the visitor's zone, whose slots are being read.
    pub fn new(event: EventType, language: String, zone: Zone, now: Instant, wishes: Wishes) -> Self {
        let first_day = zone.day(now);
        let last_day = zone.day(event.window_end).max(first_day);
        let month = first_day.month();
        let fields = Field::QUESTIONS.0 + event.questions.len();
        let mut state = Self {
            duration: event.durations.first().copied().unwrap_or_default(),
            host: String::new(),
            event,
            language,
            zone,
            zones: Vec::new(),
            zone_search: None,
            now,
            step: if wishes.manage.is_empty() { Step::Pick } else { Step::Opening },
            view: View::parse(&wishes.view),
            month,
            today: first_day,
            first_day,
            last_day,
            cursor: first_day,
            day: None,
            listed: views::LISTED,
            months: vec![MonthSlots { month, slots: None, loading: true, failed: false, is_old: false }],
            start: None,
            details: vec![String::new(); fields],
            problems: vec![None; fields],
            dates: Dates::Single,
            sending: false,
            notice: None,
            announcement: Announcement::Nothing,
            appointment: None,
            done: Done::Opened,
            wishes,
            is_offline: false,
            is_slow: false,
            waits: 0,
            is_pressed: false,
            left: None,
            typed: None,
            hidden: vec![false; fields],
            hold: Hold::None,
            standing_hold: String::new(),
            awaited: None,
            alarm: None,
            sent: None,
            next: Next::Stay,
            change: 0,
            read_at: now,
            wish: 0,
            seeking: SOUGHT_AT_FIRST,
            ready: false,
        };
        state.fill_in();
        state
    }

    /// Changes the state by an action and gives the effects that follow, in their order.
    pub fn apply(&mut self, action: Action) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.counting_waits(|state| state.act(action, &mut effects));
        effects
    }

    fn act(&mut self, action: Action, effects: &mut Vec<Effect>) {
        match action {
            Action::SlotsRead { month, wish, slots } => self.slots_read(month, wish, slots, effects),
            Action::ChooseDuration(minutes) => {
                self.duration = minutes;
                self.read_anew(effects);
            }
            Action::ChooseHost(id) => {
                self.host = id;
                self.read_anew(effects);
            }
            Action::ChooseView(view) => self.choose_view(view, effects),
            Action::Turn(by) => self.turn(by, effects),
            Action::Seek => self.seek(effects),
            Action::ListMore => self.list_more(effects),
            Action::Retry => self.retry(effects),
            Action::Move(movement) => self.move_cursor(movement, effects),
            Action::ShowDay(day) => self.show_day(day, effects),
            Action::OpenZones(now) => self.open_zones(now, effects),
            Action::ZonesRead(zones) => self.zones_read(zones, effects),
            Action::SearchZone(text) => self.search_zone(text, effects),
            Action::MoveZone(by) => self.move_zone(by, effects),
            Action::ChooseZone(name) => self.choose_zone(name, effects),
            Action::CloseZones => self.close_zones(effects),
            Action::LeaveZones => self.zone_search = None,
            Action::Relocate(zone) => self.relocate(zone, effects),
            Action::Pick(start) => {
                effects.push(Effect::Tell(Event::SlotSelected(start)));
                self.pick(start, effects);
            }
            Action::Held { start, token, until } => self.held(start, token, until, effects),
            Action::HoldFailed { start, failure } => self.hold_failed(start, failure, effects),
            Action::Back => self.back(effects),
            Action::Type { field, text } => self.type_text(field, text, effects),
            Action::Tick { field, choice, is_ticked } => self.tick(field, &choice, is_ticked, effects),
            Action::Leave(field) => self.leave(field),
            Action::SeriesRead { path, dates } => self.series_read(path, dates),
            Action::Submit { fresh_key } => self.submit(fresh_key, effects),
            Action::Booked(appointment) => self.booked(*appointment, effects),
            Action::BookingFailed(failure) => self.booking_failed(failure, effects),
            Action::AppointmentRead { appointment, reads, change } => {
                self.appointment_read(appointment, reads, change, effects);
            }
            Action::Released => {
                if self.step == Step::Pick {
                    self.read_once_more(self.month, effects);
                }
            }
            Action::Begin => self.begin(effects),
            Action::Woken(now) => self.woken(now, effects),
            Action::Look(now) => self.look(now, effects),
            Action::Extend => self.extend(effects),
            Action::Slow(wait) => self.slow(wait),
            Action::Online(is_online) => self.online(is_online, effects),
            Action::Press(is_pressed) => self.press(is_pressed),
            Action::Reschedule => self.reschedule(effects),
            Action::Cancel => self.cancel(effects),
            Action::Changed(appointment) => self.changed(*appointment, effects),
            Action::Anew => self.anew(effects),
            Action::Close => {
                self.release(effects);
            }
        }
    }
}
