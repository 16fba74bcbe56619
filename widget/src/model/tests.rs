use chrono::{DateTime, Utc};
use cupo_core::appointment::AppointmentStatus;
use cupo_core::event_type::Assignment;
use cupo_core::wire;
use serde_json::{Value, json};

use super::*;
use crate::calendar::format_instant;

/// A visit of half an hour at a clinic, on Google Meet.
pub fn visit() -> EventType {
    EventType {
        org: "clinic".to_owned(),
        slug: "visit".to_owned(),
        organization_name: "Clinic".to_owned(),
        title: "Visit".to_owned(),
        description: String::new(),
        durations: vec![30],
        hosts: Vec::new(),
        needs_approval: false,
        most_occurrences: 1,
        questions: Vec::new(),
        location: Location { kind: "meet".to_owned(), detail: None, needs_phone: false },
        time_zone: "Europe/Madrid".to_owned(),
        window_end: parse_instant("2027-01-20T12:00:00Z").unwrap(),
        link: String::new(),
        dial_code: String::new(),
    }
}

/// A visit that is booked, at nine.
pub fn booked_visit() -> Appointment {
    Appointment {
        token: "secret".to_owned(),
        manage_url: "https://cupo.example/manage/secret".to_owned(),
        status: AppointmentStatus::Confirmed,
        expires_at: None,
        org: "clinic".to_owned(),
        event: "visit".to_owned(),
        title: "Visit".to_owned(),
        organization_name: "Clinic".to_owned(),
        host_name: "Ana".to_owned(),
        visitor_email: "zoe@example.com".to_owned(),
        start: parse_instant("2026-11-23T09:00:00Z").unwrap(),
        end: parse_instant("2026-11-23T09:30:00Z").unwrap(),
        can_cancel: true,
        can_reschedule: true,
        location: visit().location,
        meeting_url: None,
        meeting_pending: false,
        series: Vec::new(),
        google_url: "https://google.example".to_owned(),
        outlook_url: "https://outlook.example".to_owned(),
        ics_url: "https://cupo.example/x.ics".to_owned(),
    }
}

/// A question that must be answered.
pub fn asked(id: &str, kind: QuestionKind) -> Question {
    Question { id: id.to_owned(), label: ["What is ", id, "?"].concat(), help: String::new(), is_required: true, kind }
}

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
    let choices = || vec!["red".to_owned(), "blue".to_owned()];
    let kinds = [
        QuestionKind::ShortText,
        QuestionKind::LongText,
        QuestionKind::Choice { choices: choices() },
        QuestionKind::Choices { choices: choices() },
        QuestionKind::Number { least: Some(-1), most: None },
        QuestionKind::Phone,
        QuestionKind::Checkbox,
    ];
    let mut questions: Vec<Question> = kinds.into_iter().map(|kind| asked(kind.as_str(), kind.clone())).collect();
    questions[0].help = "Only one line.".to_owned();
    questions[1].is_required = false;
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
        assignment: Assignment::RoundRobin,
        hosts: vec![wire::HostView { id: "u1".to_owned(), name: "Ana".to_owned() }],
        seats: 3,
        needs_approval: true,
        most_occurrences: 12,
        questions: questions.clone(),
        dial_code: Some("+34".to_owned()),
        locale: "en".to_owned(),
        strings: Default::default(),
    };
    let read = EventType::read(&as_json(&view)).unwrap();
    assert_eq!((read.org, read.slug, read.title), (view.org, view.slug, view.title));
    assert_eq!((read.organization_name, read.description), (view.organization_name, view.description));
    assert_eq!((read.durations, read.needs_approval, read.most_occurrences), (vec![45, 90], true, 12));
    assert_eq!(read.hosts, [Host { id: "u1".to_owned(), name: "Ana".to_owned() }]);
    assert_eq!((read.questions, read.dial_code.as_str()), (questions, "+34"));
    assert_eq!(read.location, Location { kind: "phone".to_owned(), detail: None, needs_phone: true });
    assert_eq!(read.time_zone, "Europe/Madrid");
    assert_eq!(format_instant(read.window_end), "2027-01-20T12:00:00Z");
}

#[test]
fn a_question_of_a_kind_that_is_not_known_is_left_out() {
    let json = json!({ "id": "size", "label": "Size?", "kind": "slider" });
    assert_eq!(read_question(&json), None);
}

#[test]
fn the_servers_appointment_is_read() {
    let view = wire::AppointmentView {
        token: "secret".to_owned(),
        manage_url: "https://cupo.example/manage/secret".to_owned(),
        status: AppointmentStatus::Pending,
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
        expires_at: Some(at("2026-11-20T09:00:00Z")),
        can_cancel: false,
        can_reschedule: true,
        answers: Vec::new(),
        series: vec![wire::SeriesEntry { start: at("2026-11-30T09:00:00Z"), manage_url: "next".to_owned() }],
        add_to_calendar: wire::AddToCalendar { google: "g".to_owned(), outlook: "o".to_owned(), ics: "i".to_owned() },
    };
    let read = Appointment::read(&as_json(&view)).unwrap();
    assert_eq!((read.token, read.manage_url, read.host_name), (view.token, view.manage_url, view.host_name));
    assert_eq!(format_instant(read.start), "2026-11-23T09:00:00Z");
    assert_eq!(format_instant(read.end), "2026-11-23T09:45:00Z");
    assert_eq!((read.meeting_url, read.meeting_pending), (view.meeting_url, true));
    assert_eq!((read.status, read.can_cancel, read.can_reschedule), (view.status, false, true));
    assert_eq!((read.org, read.event, read.organization_name), (view.org, view.event, view.organization_name));
    assert_eq!(read.visitor_email, view.visitor_email);
    assert_eq!(read.expires_at.map(format_instant).as_deref(), Some("2026-11-20T09:00:00Z"));
    assert_eq!(read.series, [(parse_instant("2026-11-30T09:00:00Z").unwrap(), "next".to_owned())]);
    assert_eq!((read.google_url, read.outlook_url, read.ics_url), ("g".into(), "o".into(), "i".into()));
}

#[test]
fn the_servers_slots_are_read_with_the_seats_that_are_told_and_another_answer_is_none() {
    let slots = vec![at("2026-11-23T09:00:00Z"), at("2026-11-23T09:30:00Z")];
    let starts = slots.iter().map(|start| parse_instant(&wire_text(start)).unwrap()).collect::<Vec<_>>();
    for (seats_left, told) in [(vec![], [None, None]), (vec![3, 1], [Some(3), Some(1)])] {
        let response = wire::SlotsResponse { slots: slots.clone(), seats_left };
        let read = read_slots(&as_json(&response)).unwrap();
        assert_eq!(read.iter().map(|slot| slot.start).collect::<Vec<_>>(), starts);
        assert_eq!(read.iter().map(|slot| slot.seats_left).collect::<Vec<_>>(), told);
    }
    assert_eq!(read_slots(&json!({ "slots": [] })), Some(Vec::new()));
    for wrong in [json!(null), json!({ "code": "internal" }), json!({ "slots": ["soon"] })] {
        assert_eq!(read_slots(&wrong), None);
    }
}

fn wire_text(at: &DateTime<Utc>) -> String {
    as_json(at).as_str().unwrap().to_owned()
}

#[test]
fn the_servers_series_is_read_and_another_answer_is_none() {
    let date = |start: &str, is_free, reason: Option<&str>| wire::SeriesDate {
        start: at(start),
        is_free,
        reason: reason.map(str::to_owned),
    };
    let dates = vec![date("2026-11-23T09:00:00Z", true, None), date("2026-11-30T09:00:00Z", false, Some("Away."))];
    let read = read_series(&as_json(wire::SeriesResponse { dates })).unwrap();
    assert_eq!((read[0].is_free, read[0].reason.as_str()), (true, ""));
    assert_eq!((read[1].is_free, read[1].reason.as_str()), (false, "Away."));
    assert_eq!(format_instant(read[1].start), "2026-11-30T09:00:00Z");
    assert_eq!(read_series(&json!({ "code": "invalid-input" })), None);
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
    let error = wire::ProblemField { field: "email".to_owned(), detail: "No.".to_owned() };
    assert_eq!(
        problem("invalid-input", 422, vec![error]),
        BookingFailure::Invalid(vec![("email".to_owned(), "No.".to_owned())])
    );
    assert_eq!(problem("invalid-input", 422, vec![]), BookingFailure::Refused(Notice::Refused));
}
