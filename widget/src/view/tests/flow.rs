//! What is to be seen of the second and the third step when something goes another way than usual.

use super::*;
use crate::model::SeriesDate;
use crate::state::Done;

fn unreachable(state: &mut State) {
    state.apply(Action::BookingFailed(BookingFailure::Unknown(Notice::Unreachable)));
}

/// Everything is typed and sent.
fn sending() -> State {
    let mut state = pick(open(visit()));
    state.apply(held());
    for (field, text) in [(Field::NAME, "Zoë"), (Field::EMAIL, "zoe@example.com")] {
        state.apply(Action::Type { field, text: text.to_owned() });
    }
    state.apply(Action::Submit { fresh_key: "key".to_owned() });
    state
}

fn held() -> Action {
    Action::Held { start: at(NINE), token: "hold".to_owned(), until: at("2026-11-16T12:10:00Z") }
}

/// An appointment of the visitor's, opened by its secret.
fn opened(appointment: Appointment) -> State {
    let wishes = Wishes { manage: "secret".to_owned(), ..Wishes::default() };
    let mut state = read(open_with(visit(), wishes));
    state.apply(Action::AppointmentRead { appointment: Ok(Box::new(appointment)), reads: 0, change: 0 });
    state
}

#[test]
fn a_telephone_number_without_a_country_says_which_one_is_meant() {
    let mut state = detailing();
    assert!(!shown(&state).contains("+34"), "nobody knows");
    state.event.dial_code = "+34".to_owned();
    let hidden = |state: &State| lines(state, "span hidden").len();
    assert!(shown(&state).contains("\"+34\"") && hidden(&state) == 0);
    for (text, is_hidden) in [("600 123 456", 0), ("+44 20", 1), ("0044", 1), ("0", 0)] {
        state.apply(Action::Type { field: Field::PHONE, text: text.to_owned() });
        assert_eq!(hidden(&state), is_hidden, "{text}");
    }
}

#[test]
fn an_answer_of_the_page_is_not_asked_for() {
    let event = EventType { questions: vec![asked("plan", QuestionKind::ShortText)], ..visit() };
    let wishes = Wishes { hidden: vec![(Field::QUESTIONS, "gold".to_owned())], ..Wishes::default() };
    let mut state = pick(open_with(event, wishes));
    assert!(lines(&state, "answers.plan").is_empty());
    state.apply(Action::BookingFailed(BookingFailure::Invalid(vec![("answers.plan".to_owned(), "No.".to_owned())])));
    assert_eq!(lines(&state, "id=\"answers.plan\"").len(), 1);
    assert!(shown(&state).contains("\"No.\""));
}

#[test]
fn only_near_the_end_of_a_hold_it_is_counted_down_and_can_be_kept_longer() {
    let mut state = detailing();
    state.apply(held());
    assert!(lines(&state, "role=\"timer\"").is_empty());
    state.apply(Action::Woken(at("2026-11-16T12:08:55Z")));
    assert_eq!(lines(&state, "role=\"timer\"").len(), 1);
    assert!(shown(&state).contains("\"This time is kept for you for 1:05 more.\""));
    assert_eq!(lines(&state, "data-press=\"extend\"").len(), 1);
    state.apply(Action::Woken(at("2026-11-16T12:10:00Z")));
    assert!(shown(&state).contains("We could keep that time no longer."));
}

#[test]
fn what_takes_long_says_so_where_it_is_waited_for() {
    let slow = "This is taking longer than usual";
    for mut state in [sending(), open_with(visit(), Wishes { manage: "secret".to_owned(), ..Wishes::default() })] {
        assert!(!shown(&state).contains(slow));
        state.apply(Action::Slow(state.wait().unwrap()));
        assert!(shown(&state).contains(slow));
    }
}

#[test]
fn a_booking_that_did_not_get_through_can_be_sent_again_and_without_a_network_says_so() {
    let mut state = sending();
    unreachable(&mut state);
    assert!(shown(&state).contains("We could not reach the calendar."));
    // The one way on is called what it does now.
    assert!(shown(&state).contains("\"Try again\"") && !shown(&state).contains("\"Confirm booking\""));
    assert_eq!(lines(&state, "type=\"submit\"").len(), 1);
    state.apply(Action::Online(false));
    assert!(shown(&state).contains("You are offline.") && !shown(&state).contains("We could not reach"));
    state.apply(Action::Online(true));
    assert!(!shown(&state).contains("You are offline.") && shown(&state).contains("Sending…"));
}

#[test]
fn an_appointment_that_is_being_opened_says_so_and_one_that_is_not_there_too() {
    let mut state = open_with(visit(), Wishes { manage: "secret".to_owned(), ..Wishes::default() });
    assert!(shown(&state).contains("Loading your appointment") && shown(&state).contains("aria-busy"));
    let fail = |notice| Action::AppointmentRead { appointment: Err(notice), reads: 0, change: 0 };
    state.apply(fail(Notice::Unreachable));
    assert_eq!(lines(&state, "data-press=\"retry\"").len(), 1);
    state.apply(fail(Notice::Gone));
    assert!(shown(&state).contains("This appointment was not found."));
    assert_eq!(lines(&state, "data-press=\"anew\"").len(), 1);
}

#[test]
fn an_appointment_offers_what_may_be_done_about_it() {
    let offers = |appointment: Appointment| {
        let state = opened(appointment);
        ["reschedule", "cancel", "anew"].map(|press| lines(&state, &format!("data-press=\"{press}\"")).len())
    };
    assert_eq!(offers(booked_visit()), [1, 1, 0]);
    assert_eq!(offers(Appointment { can_cancel: false, ..booked_visit() }), [1, 0, 0]);
    assert_eq!(offers(Appointment { can_reschedule: false, ..booked_visit() }), [0, 1, 0]);
    assert_eq!(offers(Appointment { start: at("2026-11-16T11:00:00Z"), ..booked_visit() }), [0, 0, 0], "it is over");
    assert_eq!(offers(Appointment { status: AppointmentStatus::Cancelled, ..booked_visit() }), [0, 0, 1]);
}

#[test]
fn every_standing_of_an_appointment_has_its_heading() {
    for (status, heading) in [
        (AppointmentStatus::Pending, "Your request was sent"),
        (AppointmentStatus::Confirmed, "Your appointment"),
        (AppointmentStatus::Cancelled, "Your appointment is cancelled"),
        (AppointmentStatus::Declined, "Your request was declined"),
        (AppointmentStatus::Expired, "Your request was not answered in time"),
    ] {
        let state = opened(Appointment { status, ..booked_visit() });
        assert!(shown(&state).contains(&format!("{heading:?}")), "{heading}");
        let calendars = lines(&state, "google.example").len();
        assert_eq!(calendars, usize::from(status == AppointmentStatus::Confirmed), "{heading}");
    }
    let mut state = opened(booked_visit());
    state.done = Done::Moved;
    assert!(shown(&state).contains("\"Your appointment has a new time\""));
}

#[test]
fn who_has_booked_is_told_where_the_mail_goes() {
    let mut state = sending();
    state.apply(Action::Booked(Box::new(booked_visit())));
    assert!(shown(&state).contains("on its way to zoe@example.com."));
    assert!(!shown(&opened(booked_visit())).contains("on its way"));
}

#[test]
fn what_was_booked_is_told_once_with_its_city_as_everywhere_and_its_page() {
    let state = opened(booked_visit());
    let text = shown(&state);
    for said in
        ["\"2026-11-23\"", "\"10:00 – 10:30\"", "\"Madrid · GMT+1\"", "\"Google Meet\"", "\"Page of your appointment\""]
    {
        assert_eq!(text.matches(said).count(), 1, "{said}: {text}");
    }
    assert!(!text.contains("Europe/Madrid"));
}

#[test]
fn only_what_takes_an_appointment_away_looks_dangerous() {
    let dangers = |state: &State| lines(state, "main danger").len();
    let mut state = opened(booked_visit());
    state.apply(Action::Cancel);
    assert_eq!(dangers(&state), 1);
    assert_eq!(dangers(&sending()), 0);
}

#[test]
fn before_an_appointment_moves_the_old_and_the_new_time_are_told() {
    let mut state = opened(booked_visit());
    state.apply(Action::Reschedule);
    let slots = Some(vec![Slot { start: at("2026-11-26T09:00:00Z"), seats_left: None }]);
    state.apply(Action::SlotsRead { month: state.month, wish: 1, slots });
    assert!(shown(&state).contains("\"Choose a new time\"") && shown(&state).contains("\"2026-11-23, 10:00\""));
    state.apply(Action::Pick(at("2026-11-26T09:00:00Z")));
    let text = shown(&state);
    assert!(text.contains("\"Move your appointment?\""));
    assert!(text.contains("\"2026-11-23, 10:00\"") && text.contains("\"2026-11-26, 10:00\""));
    assert!(text.contains("\"Move appointment\"") && !text.contains("reason"));
}

#[test]
fn of_a_series_the_later_dates_can_come_along() {
    let later = (at("2026-11-30T09:00:00Z"), "https://cupo.example/manage/next".to_owned());
    let earlier = (at("2026-11-17T09:00:00Z"), "https://cupo.example/manage/before".to_owned());
    for (series, count) in [(vec![], 0), (vec![earlier.clone()], 0), (vec![earlier, later], 1)] {
        let mut state = opened(Appointment { series, ..booked_visit() });
        state.apply(Action::Cancel);
        assert_eq!(lines(&state, "name=\"scope\"").len(), count);
        assert_eq!(lines(&state, "id=\"reason\"").len(), 1);
        assert!(shown(&state).contains("\"Cancel this appointment?\""));
    }
}

#[test]
fn dates_that_take_long_say_so() {
    let mut state = pick(open(EventType { most_occurrences: 3, ..visit() }));
    let effects = state.apply(Action::Type { field: Field::FREQUENCY, text: "weekly".to_owned() });
    state.apply(Action::Slow(state.wait().unwrap()));
    assert!(shown(&state).contains("This is taking longer than usual"));
    let [Effect::ReadSeries(path)] = effects.as_slice() else { panic!("{effects:?}") };
    let date = SeriesDate { start: at(NINE), is_free: true, reason: String::new() };
    state.apply(Action::SeriesRead { path: path.clone(), dates: Some(vec![date]) });
    assert!(!shown(&state).contains("longer than usual"));
}
