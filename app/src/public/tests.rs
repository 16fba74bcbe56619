use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use cupo_core::appointment::{AppointmentStatus, CancelledBy};
use cupo_core::event_type::Assignment;
use cupo_core::question::{Answer, Question, QuestionKind};
use cupo_core::text::Locale;
use cupo_core::wire::{AddToCalendar, AppointmentView, EventTypeView, HostView, LocationView, SeriesDate, SeriesEntry};

use super::*;

mod booking;
mod elsewhere;
mod languages;
mod manage;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn context(locale: Locale) -> PublicContext {
    let path = |name: &str| format!("/assets/{name}");
    PublicContext {
        language: locale.into(),
        assets: ShellAssets {
            app_js: path("app.js"),
            app_wasm: path("app.wasm"),
            app_css: path("app.css"),
            embed_js: "/embed.js".to_owned(),
        },
        now: at("2026-11-20T10:00:00Z"),
    }
}

fn state(query: BookingQuery) -> BookingState {
    BookingState {
        org: "studio".to_owned(),
        event: Arc::new(EventTypeView {
            org: "studio".to_owned(),
            slug: "intro".to_owned(),
            organization_name: "Studio Luz".to_owned(),
            host_name: "Ana".to_owned(),
            title: "First visit".to_owned(),
            description: String::new(),
            durations: vec![30],
            location: LocationView { kind: "phone".to_owned(), detail: None, needs_phone: true },
            time_zone: "Europe/Madrid".to_owned(),
            window_end: at("2027-01-15T10:00:00Z"),
            assignment: Assignment::Single,
            hosts: Vec::new(),
            seats: 1,
            needs_approval: false,
            most_occurrences: 1,
            questions: Vec::new(),
            dial_code: None,
            locale: "en".to_owned(),
            strings: BTreeMap::new(),
        }),
        query,
        slots: ["2026-11-23T09:00:00Z", "2026-11-23T09:30:00Z", "2026-12-01T23:30:00Z"].map(at).to_vec(),
        seats_left: Vec::new(),
        series: None,
        form: BookingForm::default(),
        errors: Vec::new(),
        problem: None,
        idempotency_key: "key-1".to_owned(),
    }
}

fn query(day: Option<&str>, tz: Option<&str>, slot: Option<&str>) -> BookingQuery {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    BookingQuery { day: owned(day), tz: owned(tz), slot: owned(slot), ..BookingQuery::default() }
}

fn appointment() -> AppointmentView {
    AppointmentView {
        token: "t0k".to_owned(),
        manage_url: "https://cupo.example/manage/t0k".to_owned(),
        status: AppointmentStatus::Confirmed,
        title: "First visit".to_owned(),
        org: "studio".to_owned(),
        event: "intro".to_owned(),
        organization_name: "Studio Luz".to_owned(),
        host_name: "Ana".to_owned(),
        start: at("2026-11-23T09:00:00Z"),
        end: at("2026-11-23T09:30:00Z"),
        time_zone: "Europe/Madrid".to_owned(),
        visitor_name: "Bea".to_owned(),
        visitor_email: "bea@example.com".to_owned(),
        location: LocationView { kind: "meet".to_owned(), detail: None, needs_phone: false },
        meeting_url: None,
        meeting_pending: true,
        cancel_reason: None,
        cancelled_by: None,
        sequence: 0,
        expires_at: None,
        can_cancel: true,
        can_reschedule: true,
        answers: Vec::new(),
        series: Vec::new(),
        add_to_calendar: AddToCalendar {
            google: "https://google.example".to_owned(),
            outlook: "https://outlook.example".to_owned(),
            ics: "/embed/v1/appointments/t0k.ics".to_owned(),
        },
    }
}
