use super::*;

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
fn a_form_tells_the_script_of_a_frame_whether_it_has_been_filled_in() {
    let mut state = state(query(None, None, Some("2026-11-23T09:00:00Z")));
    assert!(!render_booking_page(&context(Locale::En), &state).contains("data-typed"));
    state.form = BookingForm { idempotency_key: "key-1".to_owned(), ..BookingForm::default() };
    assert!(render_booking_page(&context(Locale::En), &state).contains("id=\"details\" data-typed"));
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
fn the_doubled_hour_of_autumn_is_told_apart() {
    let mut state = state(query(Some("2027-10-31"), None, None));
    state.slots = ["2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"].map(at).to_vec();
    let page = render_booking_page(&context(Locale::En), &state);
    assert!(page.contains("2:30 AM +02:00") && page.contains("2:30 AM +01:00"), "{page}");
}

/// The event type of [`state`] with something changed.
fn with(mut state: BookingState, change: impl FnOnce(&mut EventTypeView)) -> BookingState {
    change(Arc::make_mut(&mut state.event));
    state
}

fn picked() -> BookingState {
    state(query(None, None, Some("2026-11-23T09:00:00Z")))
}

fn render(state: &BookingState) -> String {
    render_booking_page(&context(Locale::En), state)
}

fn two_lengths(event: &mut EventTypeView) {
    event.durations = vec![30, 60];
}

fn two_hosts(event: &mut EventTypeView) {
    let host = |id: &str, name: &str| HostView { id: id.to_owned(), name: name.to_owned() };
    event.assignment = Assignment::RoundRobin;
    event.host_name = String::new();
    event.hosts = vec![host("u-ana", "Ana"), host("u-luz", "Luz")];
}

#[test]
fn a_length_is_chosen_by_a_link_that_keeps_the_day_and_every_later_link_keeps_the_length() {
    let first = with(state(query(Some("2026-11-23"), None, None)), two_lengths);
    let page = render(&first);
    let other = "/studio/intro?tz=Europe/Madrid&amp;duration=60&amp;month=2026-11&amp;day=2026-11-23\"";
    assert!(page.contains(other), "{page}");
    assert!(page.contains("aria-current=\"true\">30 min"), "the first length is meant where none is chosen");
    let chosen = BookingQuery { duration: Some("60".to_owned()), ..first.query.clone() };
    let page = render(&BookingState { query: chosen, ..first });
    assert!(page.contains("duration=60&amp;month=2026-11&amp;day=2026-11-23&amp;slot=2026-11-23T09:00:00Z"), "{page}");
}

#[test]
fn the_form_is_about_the_chosen_length_and_the_chosen_host() {
    let mut state = with(with(picked(), two_lengths), two_hosts);
    state.query.duration = Some("60".to_owned());
    state.query.host = Some("u-luz".to_owned());
    let page = render(&state);
    assert!(page.contains("10:00 AM – 11:00 AM") && page.contains("With Luz"), "{page}");
    assert!(
        page.contains("name=\"duration\" value=\"60\"") && page.contains("name=\"host\" value=\"u-luz\""),
        "{page}"
    );
}

#[test]
fn a_length_or_a_host_that_is_not_on_offer_counts_as_not_given() {
    let mut state = with(with(picked(), two_lengths), two_hosts);
    state.query.duration = Some("45".to_owned());
    state.query.host = Some("u-nobody".to_owned());
    assert_eq!((state.query.duration(&state.event), state.query.host(&state.event)), (Some(30), None));
    let page = render(&state);
    assert!(page.contains("name=\"duration\" value=\"30\"") && !page.contains("name=\"host\""), "{page}");
}

#[test]
fn a_visitor_chooses_among_few_hosts_by_links_and_among_many_in_a_list() {
    let page = render(&with(state(BookingQuery::default()), two_hosts));
    assert!(page.contains("aria-current=\"true\">Anyone") && page.contains("host=u-luz&amp;month"), "{page}");
    let many = with(state(BookingQuery::default()), |event| {
        two_hosts(event);
        event.hosts =
            (0..9).map(|number| HostView { id: format!("u-{number}"), name: format!("Host {number}") }).collect();
    });
    assert!(render(&many).contains("<option value=\"u-8\">Host 8</option>"), "{}", render(&many));
}

#[test]
fn seats_left_stand_beside_their_times_where_they_are_told() {
    let mut state = state(query(Some("2026-11-23"), None, None));
    assert!(!render(&state).contains("seats left"));
    state.seats_left = vec![5, 1, 3];
    let page = render(&state);
    assert!(page.contains("<small>5 seats left</small>") && page.contains("<small>1 seat left</small>"), "{page}");
}

#[test]
fn the_secret_of_a_link_goes_through_every_step() {
    let mut state = state(BookingQuery { link: Some("s3cret".to_owned()), ..BookingQuery::default() });
    let page = render(&state);
    assert!(page.contains("link=s3cret&amp;month=2026-11&amp;day=2026-11-23#times"), "{page}");
    assert!(page.contains("<input type=\"hidden\" name=\"link\" value=\"s3cret\">"), "the zone's form keeps it");
    assert!(page.contains("link=s3cret&amp;month=2026-11&amp;day=2026-11-23&amp;lang=es"), "so does the language");
    state.query.slot = Some("2026-11-23T09:00:00Z".to_owned());
    assert!(render(&state).contains("<input type=\"hidden\" name=\"link\" value=\"s3cret\">"));
}

#[test]
fn where_a_host_has_to_agree_the_visitor_requests() {
    let page = render(&with(picked(), |event| event.needs_approval = true));
    assert!(page.contains("The host confirms each request"));
    assert!(page.contains("Request the appointment") && !page.contains("Book the appointment"));
}

fn question(id: &str, is_required: bool, kind: QuestionKind) -> Question {
    Question { id: id.to_owned(), label: format!("Label of {id}"), help: String::new(), is_required, kind }
}

fn choices(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn each_question_is_asked_by_the_control_that_fits_its_answers() {
    let colours = || choices(&["Red", "Green"]);
    let state = with(picked(), |event| {
        event.questions = vec![
            question("firm", true, QuestionKind::ShortText),
            question("story", false, QuestionKind::LongText),
            question("size", true, QuestionKind::Number { least: Some(1), most: Some(50) }),
            question("mobile", false, QuestionKind::Phone),
            question("terms", true, QuestionKind::Checkbox),
            question("colour", true, QuestionKind::Choice { choices: colours() }),
            question("second", false, QuestionKind::Choice { choices: colours() }),
            question("all", true, QuestionKind::Choices { choices: colours() }),
        ];
    });
    let page = render(&state);
    for control in [
        "<input id=\"answers-firm\" name=\"answers.firm\" type=\"text\" value=\"\" required maxlength=\"300\">",
        "<textarea id=\"answers-story\" name=\"answers.story\" rows=\"3\" maxlength=\"2000\">",
        "type=\"number\" value=\"\" required inputmode=\"numeric\" step=\"1\" min=\"1\" max=\"50\">",
        "<input id=\"answers-mobile\" name=\"answers.mobile\" type=\"tel\" value=\"\" autocomplete=\"tel\">",
        "<input type=\"checkbox\" name=\"answers.terms\" value=\"on\" required>",
        "<input type=\"radio\" name=\"answers.colour\" value=\"Green\" required>",
        "<select id=\"answers-second\" name=\"answers.second\">",
        "<input type=\"checkbox\" name=\"answers.all\" value=\"Green\">",
    ] {
        assert!(page.contains(control), "{control}\n{page}");
    }
}

#[test]
fn a_refused_answer_keeps_what_was_given_and_tells_the_problem_beside_its_question() {
    let mut state = with(picked(), |event| {
        let topics = question("topics", true, QuestionKind::Choices { choices: choices(&["Tax", "Law"]) });
        event.questions = vec![
            Question { help: "With the country code.".to_owned(), ..question("mobile", true, QuestionKind::Phone) },
            topics,
        ];
    });
    state.form.answers.insert("mobile".to_owned(), choices(&["call me"]));
    state.form.answers.insert("topics".to_owned(), choices(&["Law"]));
    state.errors = vec![("answers.mobile".to_owned(), "No number.".to_owned())];
    let page = render(&state);
    assert!(page.contains("value=\"call me\""));
    assert!(page.contains("aria-describedby=\"answers-mobile-help answers-mobile-problem\""), "{page}");
    assert!(page.contains("id=\"answers-mobile-problem\"") && page.contains("No number."));
    assert!(page.contains("name=\"answers.topics\" value=\"Law\" checked"), "{page}");
}

fn series(state: BookingState, free: &[bool]) -> BookingState {
    let dates = free.iter().enumerate().map(|(week, is_free)| SeriesDate {
        start: at("2026-11-23T09:00:00Z") + chrono::TimeDelta::weeks(week as i64),
        is_free: *is_free,
        reason: (!is_free).then(|| "This time is taken.".to_owned()),
    });
    let series = Some(SeriesResponse { dates: dates.collect() });
    let form = BookingForm {
        slot: "2026-11-23T09:00:00Z".to_owned(),
        frequency: "weekly".to_owned(),
        count: free.len().to_string(),
        name: "Bea".to_owned(),
        idempotency_key: "key-1".to_owned(),
        ..BookingForm::default()
    };
    with(BookingState { series, form, ..state }, |event| event.most_occurrences = 8)
}

#[test]
fn only_where_a_series_is_allowed_it_is_asked_how_often() {
    assert!(!render(&picked()).contains("name=\"frequency\""));
    let page = render(&with(picked(), |event| event.most_occurrences = 8));
    assert!(page.contains("<option value=\"every_two_weeks\">Every two weeks</option>"), "{page}");
    assert!(page.contains("value=\"4\" inputmode=\"numeric\" step=\"1\" min=\"2\" max=\"8\""), "{page}");
    assert!(!page.contains("name=\"dates_seen\""));
}

#[test]
fn the_dates_of_a_series_are_shown_with_reasons_and_the_free_ones_can_be_booked() {
    let page = render(&series(picked(), &[true, false, true]));
    assert!(page.contains("Nothing is booked yet."));
    assert!(page.contains("2 of 3 dates are free.") && page.contains("This time is taken."), "{page}");
    assert!(page.contains("Monday, November 30, 2026, 10:00 AM – 10:30 AM"), "{page}");
    assert!(page.contains("name=\"dates_seen\" value=\"2026-11-23T09:00:00Z weekly 3\""), "{page}");
    assert!(
        page.contains("name=\"skip_taken\" value=\"1\" class=\"button button-primary\">Book the 2 free dates"),
        "{page}"
    );
    assert!(
        page.contains("value=\"Bea\"") && page.contains("<option value=\"weekly\" selected>"),
        "what was typed is kept"
    );
}

#[test]
fn a_series_whose_dates_are_all_free_is_booked_whole() {
    let page = render(&series(picked(), &[true, true]));
    assert!(page.contains("All 2 dates are free.") && page.contains(">Book all 2 dates</button>"), "{page}");
    assert!(!page.contains("skip_taken"));
    let requested = with(series(picked(), &[true, false]), |event| event.needs_approval = true);
    assert!(render(&requested).contains(">Request the free date</button>"));
}

#[test]
fn a_series_without_its_first_date_cannot_be_booked() {
    let page = render(&series(picked(), &[false, true]));
    assert!(page.contains("The first date has just been taken.") && !page.contains("button-primary"));
}

#[test]
fn the_zone_in_which_a_series_keeps_its_time_is_named_to_visitors_of_another_one() {
    assert!(!render(&series(picked(), &[true, true])).contains("keep their time of day"));
    let abroad = state(query(None, Some("America/New_York"), Some("2026-11-23T09:00:00Z")));
    assert!(render(&series(abroad, &[true, true])).contains("keep their time of day in Europe/Madrid"));
}

#[test]
fn a_number_of_dates_that_is_too_large_is_told_beside_its_field() {
    let mut state = BookingState { series: None, ..series(picked(), &[true]) };
    state.form.count = "80".to_owned();
    state.errors = vec![("recurrence.count".to_owned(), "At most 8.".to_owned())];
    let page = render(&state);
    assert!(page.contains("aria-describedby=\"count-problem\"") && page.contains("value=\"80\""), "{page}");
    assert!(page.contains(">Book the appointment</button>"));
}
