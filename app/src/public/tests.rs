use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use cupo_core::appointment::{AppointmentStatus, CancelledBy};
use cupo_core::text::Locale;
use cupo_core::wire::{AddToCalendar, AppointmentView, EventTypeView, LocationView};

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn context(locale: Locale) -> PublicContext {
    let path = |name: &str| format!("/assets/{name}");
    PublicContext {
        locale,
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
            locale: "en".to_owned(),
            strings: BTreeMap::new(),
        }),
        query,
        slots: ["2026-11-23T09:00:00Z", "2026-11-23T09:30:00Z", "2026-12-01T23:30:00Z"].map(at).to_vec(),
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
        add_to_calendar: AddToCalendar {
            google: "https://google.example".to_owned(),
            outlook: "https://outlook.example".to_owned(),
            ics: "/embed/v1/appointments/t0k.ics".to_owned(),
        },
    }
}

fn manage(appointment: AppointmentView, query: ManageQuery) -> String {
    let slots = vec![at("2026-11-24T09:00:00Z")];
    let state =
        ManageState { token: "t0k".to_owned(), appointment, query, slots, problem: None, reason: String::new() };
    render_manage_page(&context(Locale::En), &state)
}

fn step(name: &str) -> ManageQuery {
    ManageQuery { step: Some(name.to_owned()), ..ManageQuery::default() }
}

#[test]
fn the_first_page_links_the_days_that_have_a_free_time() {
    let page = render_booking_page(&context(Locale::En), &state(BookingQuery::default()));
    assert!(page.contains("November 2026"));
    assert!(
        page.contains("href=\"/studio/intro?tz=Europe/Madrid&amp;month=2026-11&amp;day=2026-11-23#times\""),
        "{page}"
    );
    assert!(!page.contains("day=2026-11-24"));
}

#[test]
fn a_picked_day_lists_its_times_in_the_zone_of_the_visitor() {
    let page = render_booking_page(&context(Locale::En), &state(query(Some("2026-12-02"), Some("Asia/Tokyo"), None)));
    assert!(page.contains("Wednesday, December 2, 2026"));
    assert!(page.contains("8:30 AM"), "23:30 UTC is 08:30 of the next day in Tokyo");
    assert!(page.contains("slot=2026-12-01T23:30:00Z#details"));
}

#[test]
fn a_picked_slot_leads_to_the_form_with_the_fields_that_are_needed() {
    let page = render_booking_page(&context(Locale::Es), &state(query(None, None, Some("2026-11-23T09:00:00Z"))));
    assert!(page.contains("lang=\"es\""));
    assert!(page.contains("lunes, 23 de noviembre de 2026, 10:00 – 10:30"));
    for field in ["name=\"name\"", "name=\"email\"", "name=\"phone\"", "name=\"notes\"", "value=\"key-1\""] {
        assert!(page.contains(field), "{field}");
    }
}

#[test]
fn a_slot_that_is_not_offered_leads_back_to_the_calendar_with_a_sentence() {
    let page = render_booking_page(&context(Locale::En), &state(query(None, None, Some("2026-11-23T09:15:00Z"))));
    assert!(page.contains("This time is no longer free."));
    assert!(!page.contains("name=\"email\""));
}

#[test]
fn a_refused_form_keeps_what_was_typed_and_tells_the_problem_beside_its_field() {
    let mut state = state(query(None, None, Some("2026-11-23T09:00:00Z")));
    state.form = BookingForm {
        name: "Bea \"<script>".to_owned(),
        email: "bea@".to_owned(),
        notes: "</textarea><b>".to_owned(),
        idempotency_key: "key-1".to_owned(),
        ..BookingForm::default()
    };
    state.errors = vec![("email".to_owned(), "Enter an e-mail address.".to_owned())];
    let page = render_booking_page(&context(Locale::En), &state);
    assert!(page.contains("value=\"bea@\""));
    assert!(page.contains("aria-describedby=\"email-problem\""));
    assert!(page.contains("Enter an e-mail address."));
    assert!(page.contains("value=\"Bea &quot;") && page.contains("&lt;/textarea>&lt;b></textarea>"), "{page}");
}

#[test]
fn a_slot_that_was_lost_is_chosen_anew_within_the_form() {
    let mut state = state(query(Some("2026-11-23"), None, None));
    state.form = BookingForm {
        slot: "2026-11-23T10:00:00Z".to_owned(),
        name: "Bea".to_owned(),
        idempotency_key: "key-0".to_owned(),
        ..BookingForm::default()
    };
    state.problem = Some("Somebody was faster.".to_owned());
    let page = render_booking_page(&context(Locale::En), &state);
    assert!(page.contains("Somebody was faster."));
    assert!(page.contains("value=\"Bea\""));
    assert!(page.contains("type=\"radio\" name=\"slot\" value=\"2026-11-23T09:30:00Z\""), "{page}");
}

#[test]
fn a_frame_has_neither_head_nor_foot_nor_widget() {
    let embedded = BookingQuery { embed: Some("1".to_owned()), ..BookingQuery::default() };
    let page = render_booking_page(&context(Locale::En), &state(embedded));
    assert!(!page.contains("<footer") && !page.contains("/embed.js"));
    assert!(page.contains("embed=1&amp;month"), "links stay in the frame");
    let whole = render_booking_page(&context(Locale::En), &state(BookingQuery::default()));
    assert!(whole.contains("<footer") && whole.contains("/embed.js"));
}

#[test]
fn a_link_that_is_being_made_is_looked_for_again_until_it_is_there() {
    let pending = manage(appointment(), ManageQuery::default());
    assert!(pending.contains("http-equiv=\"refresh\"") && pending.contains("is being created"));
    assert!(pending.contains(MEETING_LINK_SCRIPT_PATH));
    let made = AppointmentView {
        meeting_url: Some("https://meet.google.com/abc".to_owned()),
        meeting_pending: false,
        ..appointment()
    };
    let made = manage(made, ManageQuery::default());
    assert!(!made.contains(MEETING_LINK_SCRIPT_PATH));
    assert!(!made.contains("http-equiv=\"refresh\"") && made.contains("href=\"https://meet.google.com/abc\""));
}

#[test]
fn a_form_is_not_taken_away_by_a_refresh() {
    assert!(!manage(appointment(), step("cancel")).contains("http-equiv=\"refresh\""));
}

#[test]
fn a_confirmed_appointment_can_be_cancelled_and_moved() {
    let page = manage(appointment(), ManageQuery::default());
    assert!(page.contains("step=cancel") && page.contains("step=reschedule"));
    assert!(manage(appointment(), step("cancel")).contains("action=\"/manage/t0k/cancel\""));
    let slot = Some("2026-11-24T09:00:00Z".to_owned());
    let picked = manage(appointment(), ManageQuery { slot, ..step("reschedule") });
    assert!(picked.contains("action=\"/manage/t0k/reschedule\"") && picked.contains("value=\"2026-11-24T09:00:00Z\""));
}

#[test]
fn a_cancelled_or_past_appointment_offers_no_change() {
    let cancelled = AppointmentView {
        status: AppointmentStatus::Cancelled,
        cancelled_by: Some(CancelledBy::Host),
        cancel_reason: Some("I am ill".to_owned()),
        meeting_pending: false,
        ..appointment()
    };
    let page = manage(cancelled, step("cancel"));
    assert!(page.contains("cancelled by the host") && page.contains("I am ill"));
    assert!(!page.contains("/cancel\"") && !page.contains("step=reschedule"));
    let past = AppointmentView { start: at("2026-11-19T09:00:00Z"), end: at("2026-11-19T09:30:00Z"), ..appointment() };
    assert!(!manage(past, ManageQuery::default()).contains("step=cancel"));
}

#[test]
fn the_doubled_hour_of_autumn_is_told_apart() {
    let mut state = state(query(Some("2027-10-31"), None, None));
    state.slots = ["2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"].map(at).to_vec();
    let page = render_booking_page(&context(Locale::En), &state);
    assert!(page.contains("2:30 AM +02:00") && page.contains("2:30 AM +01:00"), "{page}");
}

#[test]
fn a_message_tells_its_sentence() {
    let page = render_message_page(&context(Locale::Es), 404, "No existe.");
    assert!(page.contains("<h1>No existe.</h1>") && page.contains("404"));
}
