//! What the widget reads from the embed API (the types of `cupo_core::wire`) and keeps.

use cupo_core::appointment::AppointmentStatus;
use cupo_core::question::{Question, QuestionKind};

use crate::calendar::{Instant, parse_instant};
use crate::json::Json;
use crate::state::Notice;
use crate::strings::list;

#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct EventType {
    pub org: String,
    pub slug: String,
    pub organization_name: String,
    pub title: String,
    pub description: String,
    /// The lengths on offer in minutes; slots that are asked for without a length are of the first.
    pub durations: Vec<u32>,
    /// The hosts among whom the visitor may choose.
    pub hosts: Vec<Host>,
    pub needs_approval: bool,
    /// How many dates can be booked at once.
    pub most_occurrences: u32,
    pub questions: Vec<Question>,
    pub location: Location,
    /// The host's zone, an IANA name.
    pub time_zone: String,
    /// The last instant at which a slot may start.
    pub window_end: Instant,
    /// The secret of the single-use link by which it is booked; empty without one.
    pub link: String,
    /// What the visitor's country code is taken to be where a telephone number has none, such as `+34`; empty where that is
    /// not known.
    pub dial_code: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub kind: String,
    pub detail: Option<String>,
    pub needs_phone: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub start: Instant,
    /// Told only where several can book the same slot.
    pub seats_left: Option<u32>,
}

/// A date of a series that could be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesDate {
    pub start: Instant,
    pub is_free: bool,
    /// Why it is not.
    pub reason: String,
}

#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Appointment {
    pub token: String,
    pub manage_url: String,
    pub status: AppointmentStatus,
    /// Until when a host may agree to a pending one.
    pub expires_at: Option<Instant>,
    /// The organization and the event type, by their slugs.
    pub org: String,
    pub event: String,
    pub title: String,
    pub organization_name: String,
    pub host_name: String,
    pub visitor_email: String,
    pub start: Instant,
    pub end: Instant,
    /// What the visitor may do, as far as the event type is asked.
    pub can_cancel: bool,
    pub can_reschedule: bool,
    pub location: Location,
    pub meeting_url: Option<String>,
    pub meeting_pending: bool,
    /// The starts of the others of its series, each with its own page.
    pub series: Vec<(Instant, String)>,
    pub google_url: String,
    pub outlook_url: String,
    pub ics_url: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldFailure {
    SlotTaken,
    /// The slot could not be held for another reason: the booking itself will tell.
    Unavailable,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookingFailure {
    SlotTaken,
    /// The names of the refused fields, and what is wrong with them.
    Invalid(Vec<(String, String)>),
    /// It was not booked.
    Refused(Notice),
    /// No answer came: it may or may not have been booked.
    Unknown(Notice),
}

impl EventType {
    /// Reads `cupo_core::wire::EventTypeView`; `None` when the answer is none.
    pub fn read(json: &impl Json) -> Option<Self> {
        let durations: Vec<u32> = list(json.list("durations").iter().filter_map(Json::as_number).map(|it| it as u32));
        durations.first()?;
        Some(Self {
            org: json.optional_text("org")?,
            slug: json.optional_text("slug")?,
            organization_name: json.text("organization_name"),
            title: json.text("title"),
            description: json.text("description"),
            durations,
            hosts: json
                .list("hosts")
                .iter()
                .map(|host| Host { id: host.text("id"), name: host.text("name") })
                .collect(),
            needs_approval: json.flag("needs_approval"),
            most_occurrences: json.number("most_occurrences").unwrap_or_default() as u32,
            questions: list(json.list("questions").iter().filter_map(read_question)),
            location: Location::read(&json.get("location")?),
            time_zone: json.text("time_zone"),
            window_end: parse_instant(&json.text("window_end"))?,
            link: String::new(),
            dial_code: json.text("dial_code"),
        })
    }
}

/// A question of a kind that is not known is not asked.
fn read_question(json: &impl Json) -> Option<Question> {
    let choices = || list(json.list("choices").iter().filter_map(Json::as_text));
    let number = |key| json.number(key).map(|number| number as i64);
    Some(Question {
        id: json.optional_text("id")?,
        label: json.text("label"),
        help: json.text("help"),
        is_required: json.flag("is_required"),
        kind: match json.text("kind").as_str() {
            "short_text" => QuestionKind::ShortText,
            "long_text" => QuestionKind::LongText,
            "choice" => QuestionKind::Choice { choices: choices() },
            "choices" => QuestionKind::Choices { choices: choices() },
            "number" => QuestionKind::Number { least: number("least"), most: number("most") },
            "phone" => QuestionKind::Phone,
            "checkbox" => QuestionKind::Checkbox,
            _ => return None,
        },
    })
}

impl Location {
    fn read(json: &impl Json) -> Self {
        Self { kind: json.text("kind"), detail: json.optional_text("detail"), needs_phone: json.flag("needs_phone") }
    }
}

impl Appointment {
    /// Reads `cupo_core::wire::AppointmentView`; `None` when the answer is none.
    pub fn read(json: &impl Json) -> Option<Self> {
        let add_to_calendar = json.get("add_to_calendar")?;
        Some(Self {
            token: json.optional_text("token")?,
            manage_url: json.text("manage_url"),
            status: match json.text("status").as_str() {
                "pending" => AppointmentStatus::Pending,
                "cancelled" => AppointmentStatus::Cancelled,
                "declined" => AppointmentStatus::Declined,
                "expired" => AppointmentStatus::Expired,
                _ => AppointmentStatus::Confirmed,
            },
            expires_at: read_instant(json, "expires_at"),
            org: json.text("org"),
            event: json.text("event"),
            title: json.text("title"),
            organization_name: json.text("organization_name"),
            host_name: json.text("host_name"),
            visitor_email: json.text("visitor_email"),
            start: read_instant(json, "start")?,
            end: read_instant(json, "end")?,
            can_cancel: json.flag("can_cancel"),
            can_reschedule: json.flag("can_reschedule"),
            location: Location::read(&json.get("location")?),
            meeting_url: json.optional_text("meeting_url"),
            meeting_pending: json.flag("meeting_pending"),
            series: list(
                json.list("series")
                    .iter()
                    .filter_map(|other| Some((read_instant(other, "start")?, other.text("manage_url")))),
            ),
            google_url: add_to_calendar.text("google"),
            outlook_url: add_to_calendar.text("outlook"),
            ics_url: add_to_calendar.text("ics"),
        })
    }
}

fn read_instant(json: &impl Json, key: &str) -> Option<Instant> {
    parse_instant(&json.text(key))
}

/// Reads `cupo_core::wire::SlotsResponse`; `None` when the answer is none.
pub fn read_slots(json: &impl Json) -> Option<Vec<Slot>> {
    let starts = json.get("slots")?.items();
    let mut seats = json.list("seats_left").into_iter();
    let mut slots = Vec::new();
    for start in starts {
        let seats_left = seats.next().and_then(|seats| seats.as_number()).map(|seats| seats as u32);
        slots.push(Slot { start: parse_instant(&start.as_text()?)?, seats_left });
    }
    Some(slots)
}

/// Reads `cupo_core::wire::SeriesResponse`; `None` when the answer is none.
pub fn read_series(json: &impl Json) -> Option<Vec<SeriesDate>> {
    let date = |date: &_| {
        let start = read_instant(date, "start")?;
        Some(SeriesDate { start, is_free: Json::flag(date, "is_free"), reason: Json::text(date, "reason") })
    };
    Some(list(json.get("dates")?.items().iter().filter_map(date)))
}

impl HoldFailure {
    /// What the answer to a refused hold means.
    pub fn read(json: &impl Json) -> Self {
        if is_slot_lost(json) { Self::SlotTaken } else { Self::Unavailable }
    }
}

impl BookingFailure {
    /// What a refused booking means; `status` is 0 when no answer came.
    pub fn read(status: u16, json: &impl Json) -> Self {
        if is_slot_lost(json) {
            return Self::SlotTaken;
        }
        let errors = json.list("errors");
        match Notice::of(status) {
            // The host's calendar cannot be read, so that nothing was written; the same times may do later.
            notice if json.text("code") == "calendar-unreachable" => Self::Refused(notice),
            _ if !errors.is_empty() => {
                Self::Invalid(list(errors.iter().map(|error| (error.text("field"), error.text("detail")))))
            }
            notice if notice.is_passing() => Self::Unknown(notice),
            notice => Self::Refused(notice),
        }
    }
}

fn is_slot_lost(json: &impl Json) -> bool {
    matches!(json.text("code").as_str(), "slot-taken" | "slot-refused")
}

#[cfg(test)]
pub mod tests;
