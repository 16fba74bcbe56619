//! What the widget reads from the embed API (the types of `cupo_core::wire`) and keeps.

use cupo_core::parse::{EmailAddress, FieldProblem, PersonName, PhoneNumber, optional_text};

use crate::calendar::{Instant, parse_instant};
use crate::json::Json;
use crate::state::Notice;

/// The longest notes that the API takes, in characters.
const LONGEST_NOTES: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    pub org: String,
    pub slug: String,
    pub organization_name: String,
    pub host_name: String,
    pub title: String,
    pub description: String,
    pub duration_minutes: u32,
    pub location: Location,
    /// The last instant at which a slot may start.
    pub window_end: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub kind: String,
    pub detail: Option<String>,
    pub needs_phone: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    pub token: String,
    pub manage_url: String,
    pub title: String,
    pub host_name: String,
    pub start: Instant,
    pub end: Instant,
    pub location: Location,
    pub meeting_url: Option<String>,
    pub meeting_pending: bool,
    pub google_url: String,
    pub outlook_url: String,
    pub ics_url: String,
}

/// A field of the details form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Name,
    Email,
    Phone,
    Notes,
}

/// What is wrong with a field: by our own rules, or in the server's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldMessage {
    Problem(FieldProblem),
    Text(String),
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
    Invalid(Vec<(Field, FieldMessage)>),
    /// It was not booked.
    Refused(Notice),
    /// No answer came: it may or may not have been booked.
    Unknown(Notice),
}

impl EventType {
    /// Reads `cupo_core::wire::EventTypeView`; `None` when the answer is none.
    pub fn read(json: &impl Json) -> Option<Self> {
        Some(Self {
            org: json.optional_text("org")?,
            slug: json.optional_text("slug")?,
            organization_name: json.text("organization_name"),
            host_name: json.text("host_name"),
            title: json.text("title"),
            description: json.text("description"),
            duration_minutes: json.get("durations")?.items().first()?.as_number()? as u32,
            location: Location::read(&json.get("location")?),
            window_end: parse_instant(&json.text("window_end"))?,
        })
    }
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
            title: json.text("title"),
            host_name: json.text("host_name"),
            start: parse_instant(&json.text("start"))?,
            end: parse_instant(&json.text("end"))?,
            location: Location::read(&json.get("location")?),
            meeting_url: json.optional_text("meeting_url"),
            meeting_pending: json.flag("meeting_pending"),
            google_url: add_to_calendar.text("google"),
            outlook_url: add_to_calendar.text("outlook"),
            ics_url: add_to_calendar.text("ics"),
        })
    }
}

/// Reads `cupo_core::wire::SlotsResponse`; `None` when the answer is none.
pub fn read_slots(json: &impl Json) -> Option<Vec<Instant>> {
    json.get("slots")?.items().iter().map(|start| parse_instant(&start.as_text()?)).collect()
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
        let errors = json.get("errors").map(|errors| errors.items()).unwrap_or_default();
        let problems: Vec<_> = errors
            .iter()
            .filter_map(|error| {
                let name = error.text("field");
                let field = Field::ALL.into_iter().find(|field| field.name() == name)?;
                Some((field, FieldMessage::Text(error.text("detail"))))
            })
            .collect();
        match status {
            _ if !problems.is_empty() => Self::Invalid(problems),
            404 | 410 => Self::Refused(Notice::Gone),
            429 => Self::Unknown(Notice::TooMany),
            400..=499 => Self::Refused(Notice::Refused),
            _ => Self::Unknown(Notice::Unreachable),
        }
    }
}

fn is_slot_lost(json: &impl Json) -> bool {
    matches!(json.text("code").as_str(), "slot-taken" | "slot-refused")
}

impl Field {
    pub const COUNT: usize = 4;
    pub const ALL: [Self; Self::COUNT] = [Self::Name, Self::Email, Self::Phone, Self::Notes];

    pub fn index(self) -> usize {
        self as usize
    }

    /// Its name in `cupo_core::wire::BookingRequest`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Notes => "notes",
        }
    }

    /// What is wrong with a text, by the very rules of the server.
    pub fn judge(self, text: &str, phone_needed: bool) -> Option<FieldMessage> {
        match self {
            Self::Name => PersonName::parse(text).err(),
            Self::Email => EmailAddress::parse(text).err(),
            Self::Phone if !phone_needed => None,
            Self::Phone => PhoneNumber::parse(text).err(),
            Self::Notes => optional_text(text, LONGEST_NOTES).err(),
        }
        .map(FieldMessage::Problem)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use cupo_core::appointment::AppointmentStatus;
    use cupo_core::wire;
    use serde_json::{Value, json};

    use super::*;
    use crate::calendar::format_instant;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn location() -> wire::LocationView {
        wire::LocationView { kind: "phone".to_owned(), detail: None, needs_phone: true }
    }

    fn as_json(value: impl serde::Serialize) -> Value {
        serde_json::to_value(value).unwrap()
    }

    #[test]
    fn the_servers_event_type_is_read() {
        let view = wire::EventTypeView {
            org: "clinic".to_owned(),
            slug: "visit".to_owned(),
            organization_name: "Clinic".to_owned(),
            host_name: "Ana".to_owned(),
            title: "Visit".to_owned(),
            description: "Bring\nyour papers".to_owned(),
            durations: vec![45, 90],
            location: location(),
            time_zone: "Europe/Madrid".to_owned(),
            window_end: at("2027-01-20T12:00:00Z"),
            locale: "en".to_owned(),
            strings: Default::default(),
        };
        let read = EventType::read(&as_json(&view)).unwrap();
        assert_eq!((read.org, read.slug, read.title), (view.org, view.slug, view.title));
        assert_eq!((read.organization_name, read.host_name), (view.organization_name, view.host_name));
        assert_eq!((read.description, read.duration_minutes), (view.description, 45));
        assert_eq!(read.location, Location { kind: "phone".to_owned(), detail: None, needs_phone: true });
        assert_eq!(format_instant(read.window_end), "2027-01-20T12:00:00Z");
    }

    #[test]
    fn the_servers_appointment_is_read() {
        let view = wire::AppointmentView {
            token: "secret".to_owned(),
            manage_url: "https://cupo.example/manage/secret".to_owned(),
            status: AppointmentStatus::Confirmed,
            title: "Visit".to_owned(),
            org: "clinic".to_owned(),
            event: "visit".to_owned(),
            organization_name: "Clinic".to_owned(),
            host_name: "Ana".to_owned(),
            start: at("2026-11-23T09:00:00Z"),
            end: at("2026-11-23T09:45:00Z"),
            time_zone: "Europe/Madrid".to_owned(),
            visitor_name: "Zoë".to_owned(),
            visitor_email: "zoe@example.com".to_owned(),
            location: location(),
            meeting_url: Some("https://meet.example/x".to_owned()),
            meeting_pending: true,
            cancel_reason: None,
            cancelled_by: None,
            sequence: 0,
            add_to_calendar: wire::AddToCalendar {
                google: "g".to_owned(),
                outlook: "o".to_owned(),
                ics: "i".to_owned(),
            },
        };
        let read = Appointment::read(&as_json(&view)).unwrap();
        assert_eq!((read.token, read.manage_url, read.host_name), (view.token, view.manage_url, view.host_name));
        assert_eq!(format_instant(read.start), "2026-11-23T09:00:00Z");
        assert_eq!(format_instant(read.end), "2026-11-23T09:45:00Z");
        assert_eq!((read.meeting_url, read.meeting_pending), (view.meeting_url, true));
        assert_eq!((read.google_url, read.outlook_url, read.ics_url), ("g".into(), "o".into(), "i".into()));
    }

    #[test]
    fn the_servers_slots_are_read_and_another_answer_is_none() {
        let response = wire::SlotsResponse { slots: vec![at("2026-11-23T09:00:00Z"), at("2026-11-23T09:30:00Z")] };
        let read = read_slots(&as_json(&response)).unwrap();
        assert_eq!(
            read.into_iter().map(format_instant).collect::<Vec<_>>(),
            ["2026-11-23T09:00:00Z", "2026-11-23T09:30:00Z"]
        );
        assert_eq!(read_slots(&json!({ "slots": [] })), Some(Vec::new()));
        for wrong in [json!(null), json!({ "code": "internal" }), json!({ "slots": ["soon"] })] {
            assert_eq!(read_slots(&wrong), None);
        }
    }

    fn problem(code: &str, status: u16, errors: Vec<wire::ProblemField>) -> BookingFailure {
        let problem = wire::Problem {
            kind: ["urn:cupo:problem:", code].concat(),
            code: code.to_owned(),
            title: String::new(),
            status,
            detail: None,
            errors,
            slots: None,
        };
        BookingFailure::read(status, &as_json(problem))
    }

    #[test]
    fn each_refusal_of_a_booking_is_told_apart() {
        assert_eq!(problem("slot-taken", 409, vec![]), BookingFailure::SlotTaken);
        assert_eq!(problem("slot-refused", 422, vec![]), BookingFailure::SlotTaken);
        assert_eq!(problem("not-found", 404, vec![]), BookingFailure::Refused(Notice::Gone));
        assert_eq!(problem("idempotency-key-reused", 422, vec![]), BookingFailure::Refused(Notice::Refused));
        assert_eq!(problem("too-many-requests", 429, vec![]), BookingFailure::Unknown(Notice::TooMany));
        assert_eq!(problem("internal", 500, vec![]), BookingFailure::Unknown(Notice::Unreachable));
        assert_eq!(BookingFailure::read(0, &Value::Null), BookingFailure::Unknown(Notice::Unreachable));
        let error = |field: &str| wire::ProblemField { field: field.to_owned(), detail: "No.".to_owned() };
        assert_eq!(
            problem("invalid-input", 422, vec![error("email"), error("start")]),
            BookingFailure::Invalid(vec![(Field::Email, FieldMessage::Text("No.".to_owned()))])
        );
        assert_eq!(problem("invalid-input", 422, vec![error("start")]), BookingFailure::Refused(Notice::Refused));
    }
}
