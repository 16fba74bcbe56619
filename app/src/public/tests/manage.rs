use super::*;

fn manage_state(appointment: AppointmentView, query: ManageQuery) -> ManageState {
    ManageState {
        token: "t0k".to_owned(),
        appointment,
        query,
        slots: vec![at("2026-11-24T09:00:00Z")],
        seats_left: Vec::new(),
        problem: None,
        reason: String::new(),
        scope: SeriesScope::This,
        can_book_again: false,
    }
}

fn manage(appointment: AppointmentView, query: ManageQuery) -> String {
    render_manage_page(&context(Locale::En), &manage_state(appointment, query))
}

fn step(name: &str) -> ManageQuery {
    ManageQuery { step: Some(name.to_owned()), ..ManageQuery::default() }
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

fn ended(status: AppointmentStatus) -> AppointmentView {
    AppointmentView { status, can_cancel: false, can_reschedule: false, meeting_pending: false, ..appointment() }
}

#[test]
fn a_request_says_until_when_it_waits_and_can_be_changed_meanwhile() {
    let pending = AppointmentView {
        status: AppointmentStatus::Pending,
        expires_at: Some(at("2026-11-22T10:00:00Z")),
        meeting_pending: false,
        ..appointment()
    };
    let page = manage(pending.clone(), ManageQuery { booked: Some("1".to_owned()), ..ManageQuery::default() });
    assert!(page.contains("Your request has been sent"));
    assert!(page.contains("Studio Luz has until Sunday, November 22, 2026, 11:00 AM to confirm it."), "{page}");
    assert!(page.contains("step=cancel") && page.contains("step=reschedule"));
    assert!(!page.contains("https://google.example"), "nothing to put into a calendar yet");
    assert!(manage(pending.clone(), ManageQuery::default()).contains("Waiting for an answer"));
    assert!(manage(pending, step("reschedule")).contains("The host has to confirm the new time too."));
}

#[test]
fn a_declined_or_expired_request_says_so_and_leads_to_another_time_where_there_is_one() {
    for (status, title) in [
        (AppointmentStatus::Declined, "Your request was declined"),
        (AppointmentStatus::Expired, "Your request was not answered in time"),
    ] {
        let declined = AppointmentView { cancel_reason: Some("On leave".to_owned()), ..ended(status) };
        let mut state = manage_state(declined, ManageQuery::default());
        let page = render_manage_page(&context(Locale::En), &state);
        assert!(page.contains(title) && page.contains("<q>On leave</q>") && page.contains("is-cancelled"), "{page}");
        assert!(!page.contains("step=") && !page.contains("Choose another time"), "{page}");
        state.can_book_again = true;
        let page = render_manage_page(&context(Locale::En), &state);
        assert!(page.contains("href=\"/studio/intro\" class=\"button button-primary\">Choose another time"), "{page}");
    }
}

#[test]
fn what_was_answered_is_shown() {
    let answer = |id: &str, label: &str, values: &[&str]| Answer {
        id: id.to_owned(),
        label: label.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let answers = vec![answer("topics", "Topics", &["Tax", "Law"]), answer("terms", "I agree", &["on"])];
    let page = manage(AppointmentView { answers, ..appointment() }, ManageQuery::default());
    assert!(
        page.contains("<dt>Topics</dt>") && page.contains(">Tax, Law</dd>") && page.contains(">Yes</dd>"),
        "{page}"
    );
}

#[test]
fn what_it_is_too_late_for_is_not_offered_and_said() {
    let late = |can_cancel, can_reschedule| AppointmentView { can_cancel, can_reschedule, ..appointment() };
    let both = manage(late(false, false), step("cancel"));
    assert!(
        both.contains("too late to change or cancel this appointment online. Please contact Studio Luz."),
        "{both}"
    );
    assert!(!both.contains("step=") && !both.contains("/cancel\""));
    let cancel = manage(late(false, true), ManageQuery::default());
    assert!(cancel.contains("too late to cancel online") && cancel.contains("step=reschedule"));
    let reschedule = manage(late(true, false), step("reschedule"));
    assert!(reschedule.contains("too late to change the time online") && reschedule.contains("step=cancel"));
    let past = AppointmentView { start: at("2026-11-19T09:00:00Z"), ..late(false, false) };
    assert!(!manage(past, ManageQuery::default()).contains("too late"), "what is over is not late");
}

fn in_a_series() -> AppointmentView {
    let entry = |token: &str, start: &str| SeriesEntry {
        start: at(start),
        manage_url: format!("https://cupo.example/manage/{token}"),
    };
    let series = vec![
        entry("before", "2026-11-16T09:00:00Z"),
        entry("after", "2026-11-30T09:00:00Z"),
        entry("last", "2026-12-07T09:00:00Z"),
    ];
    AppointmentView { series, ..appointment() }
}

#[test]
fn the_other_dates_of_a_series_are_linked_within_frame_and_language() {
    let query = ManageQuery { embed: Some("1".to_owned()), lang: Some("en".to_owned()), ..ManageQuery::default() };
    let page = manage(in_a_series(), query);
    let link = "<a href=\"/manage/after?embed=1&amp;lang=en\">Monday, November 30, 2026, 10:00 AM</a>";
    assert!(page.contains(link), "{page}");
}

#[test]
fn a_change_of_a_series_reaches_as_far_as_the_visitor_says() {
    for query in [step("cancel"), ManageQuery { slot: Some("2026-11-24T09:00:00Z".to_owned()), ..step("reschedule") }] {
        let page = manage(in_a_series(), query.clone());
        assert!(page.contains("name=\"scope\" value=\"this\" checked"), "{page}");
        assert!(page.contains("This one and the 2 dates after it"), "{page}");
        assert!(!manage(appointment(), query.clone()).contains("name=\"scope\""), "one that stands alone");
        let mut state = manage_state(in_a_series(), query);
        state.scope = SeriesScope::Following;
        let page = render_manage_page(&context(Locale::En), &state);
        assert!(page.contains("name=\"scope\" value=\"following\" checked"), "kept after an error");
    }
    let last = AppointmentView { start: at("2026-12-14T09:00:00Z"), end: at("2026-12-14T09:30:00Z"), ..in_a_series() };
    assert!(!manage(last, step("cancel")).contains("name=\"scope\""), "nothing comes after the last one");
}

#[test]
fn the_page_speaks_spanish_to_one_person() {
    let state = manage_state(in_a_series(), step("cancel"));
    let page = render_manage_page(&context(Locale::Es), &state);
    assert!(page.contains("¿Qué fechas?") && page.contains("Esta y las 2 fechas siguientes"), "{page}");
}

#[test]
fn who_is_called_reads_at_which_number() {
    let phone =
        |needs_phone| LocationView { kind: "phone".to_owned(), detail: Some("+34600123456".to_owned()), needs_phone };
    let page = |location| manage(AppointmentView { location, meeting_pending: false, ..appointment() }, step(""));
    assert!(page(phone(true)).contains("you are called at +34600123456"));
    assert!(page(phone(false)).contains("you call +34600123456"));
}
