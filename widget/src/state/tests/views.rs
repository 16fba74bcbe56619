//! Month, week and list, and what is soonest.

use super::*;

fn wishing(wishes: Wishes) -> State {
    let now = at("2026-11-16T12:00:00Z");
    State::new(visit(), "en-GB".to_owned(), zone("Etc/UTC", 0), now, wishes)
}

/// The week of Monday 23 November is in sight, with two free days.
fn weekly() -> State {
    let mut state = wishing(Wishes { view: "week".to_owned(), ..Wishes::default() });
    read(&mut state, november(), &[NINE, TEN, LATE, "2026-11-30T09:00:00Z"]);
    state
}

#[test]
fn the_page_chooses_the_view_and_without_a_choice_it_is_the_month() {
    assert_eq!((fresh().view, weekly().view), (View::Month, View::Week));
    for (name, view) in [("list", View::List), ("month", View::Month), ("year", View::Month)] {
        assert_eq!(View::parse(name), view);
    }
}

#[test]
fn the_first_week_in_sight_is_the_one_with_the_first_free_day() {
    let state = weekly();
    assert_eq!(state.week()[0], day("2026-11-23"));
    assert_eq!(state.day, Some(day("2026-11-23")));
}

#[test]
fn a_week_begins_on_the_day_of_the_locale() {
    for (week_start, first) in [(0, "2026-11-16"), (5, "2026-11-14"), (6, "2026-11-15")] {
        let state = wishing(Wishes { week_start, ..Wishes::default() });
        assert_eq!(state.week()[0], day(first));
    }
}

#[test]
fn weeks_are_turned_one_by_one_over_the_end_of_a_month() {
    let mut state = weekly();
    assert_eq!(state.apply(Action::Turn(1)), []);
    assert_eq!((state.week()[0], state.day), (day("2026-11-30"), Some(day("2026-11-30"))));
    // The next one lies in December alone, of which nothing is known yet.
    state.apply(Action::Turn(1));
    assert_eq!((state.week()[0], state.day), (day("2026-12-07"), None));
    assert_eq!(state.month, november().next());
    assert!(state.is_loading());
    read(&mut state, november().next(), &["2026-12-01T09:00:00Z", "2026-12-09T09:00:00Z"]);
    assert_eq!((state.week()[0], state.day), (day("2026-12-07"), Some(day("2026-12-09"))), "the week stays in sight");
    state.apply(Action::Turn(-1));
    assert_eq!(state.day, Some(day("2026-11-30")), "the first of the days of both months");
}

#[test]
fn weeks_outside_the_window_are_not_turned_to() {
    let mut state = weekly();
    state.apply(Action::Turn(-1));
    assert_eq!(state.week()[0], day("2026-11-16"));
    assert!(!state.can_turn(-1));
    state.apply(Action::Turn(-1));
    assert_eq!(state.week()[0], day("2026-11-16"));
    for _ in 0..20 {
        state.apply(Action::Turn(1));
    }
    assert_eq!(state.week()[0], day("2027-01-18"), "the window ends on the 20th");
    assert!(!state.can_turn(1));
}

#[test]
fn a_week_without_free_times_says_so_and_the_next_free_time_is_found_from_there() {
    let mut state = fresh();
    read(&mut state, november(), &["2026-11-16T15:00:00Z", "2026-11-30T09:00:00Z"]);
    state.apply(Action::ChooseView(View::Week));
    state.apply(Action::Turn(1));
    assert_eq!((state.day, state.announcement), (None, Announcement::NoTimes(november())));
    let effects = state.apply(Action::Seek);
    assert_eq!(effects, [Effect::Focus(Target::Month)]);
    let monday = day("2026-11-30");
    assert_eq!((state.day, state.announcement), (Some(monday), Announcement::Times { day: monday, count: 1 }));
    state.apply(Action::Turn(-1));
    state.apply(Action::Turn(1));
    assert_eq!(state.announcement, Announcement::Nothing);
}

/// The week from 30 November to 6 December is in sight, of which November has no free time.
fn between() -> State {
    let mut state = fresh();
    read(&mut state, november(), &[NINE]);
    state.apply(Action::ChooseView(View::Week));
    state.apply(Action::Turn(1));
    assert_eq!((state.week()[0], state.month), (day("2026-11-30"), november()));
    state
}

#[test]
fn a_week_of_two_months_is_without_free_times_only_when_both_are_known() {
    let mut state = between();
    assert!(state.is_loading());
    assert_eq!((state.day, state.announcement), (None, Announcement::Nothing));
    let mut full = state.clone();
    read(&mut full, november().next(), &["2026-12-09T09:00:00Z"]);
    assert_eq!((full.is_loading(), full.announcement), (false, Announcement::NoTimes(november())));
    read(&mut state, november().next(), &["2026-12-03T09:00:00Z"]);
    assert_eq!((state.day, state.week()[0]), (Some(day("2026-12-03")), day("2026-11-30")));
}

#[test]
fn a_month_of_a_week_that_could_not_be_had_can_be_asked_for_again() {
    let mut state = between();
    fail(&mut state, november().next());
    assert!(state.has_failed() && state.announcement == Announcement::Nothing);
    assert_eq!(state.clone().apply(Action::Online(true)), [reads(november().next())]);
    let effects = state.apply(Action::Retry);
    assert_eq!(effects, [reads(november().next()), Effect::Focus(Target::Month)]);
    assert!(!state.has_failed());
}

#[test]
fn a_week_of_a_month_that_is_not_read_yet_is_not_called_empty() {
    let mut state = between();
    state.apply(Action::Turn(1));
    assert_eq!((state.month, state.announcement), (november().next(), Announcement::Nothing));
}

#[test]
fn a_free_time_that_is_sought_in_a_later_month_brings_its_week_into_sight() {
    let mut state = weekly();
    read(&mut state, november().next(), &["2026-12-16T09:00:00Z"]);
    state.apply(Action::Turn(1));
    state.apply(Action::Turn(1));
    assert_eq!(state.week()[0], day("2026-12-07"));
    state.apply(Action::Seek);
    assert_eq!((state.week()[0], state.day), (day("2026-12-14"), Some(day("2026-12-16"))));
}

#[test]
fn the_keys_for_up_and_down_turn_weeks_and_a_free_day_of_the_week_is_chosen() {
    let mut state = weekly();
    state.apply(Action::ShowDay(day("2026-11-24")));
    let effects = state.apply(Action::Move(Movement::Weeks(-1)));
    assert_eq!(effects, [Effect::Focus(Target::Day(day("2026-11-17")))]);
    assert_eq!((state.cursor, state.day), (day("2026-11-17"), None));
    state.apply(Action::Move(Movement::Weeks(1)));
    assert_eq!((state.cursor, state.day), (day("2026-11-24"), Some(day("2026-11-23"))));
}

#[test]
fn in_a_week_the_ends_may_lie_in_another_month_and_in_a_month_they_do_not() {
    let mut state = weekly();
    state.apply(Action::ShowDay(day("2026-11-30")));
    state.apply(Action::Move(Movement::WeekEnd));
    assert_eq!((state.cursor, state.month), (day("2026-12-06"), november().next()));
    let mut state = picking();
    state.apply(Action::ShowDay(day("2026-11-30")));
    state.apply(Action::Move(Movement::WeekEnd));
    assert_eq!(state.cursor, day("2026-11-30"));
}

#[test]
fn right_is_later_in_most_languages_and_earlier_where_one_writes_from_right_to_left() {
    for (language, expected) in [("en-GB", "2026-11-24"), ("ar-EG", "2026-11-22")] {
        let mut state = picking();
        state.language = language.to_owned();
        state.apply(Action::Move(Movement::Sideways(1)));
        assert_eq!(state.cursor, day(expected));
        state.apply(Action::Move(Movement::Sideways(-1)));
        assert_eq!(state.cursor, day("2026-11-23"));
    }
}

#[test]
fn another_view_keeps_the_chosen_day_in_sight() {
    let mut state = weekly();
    read(&mut state, november().next(), &["2026-12-01T09:00:00Z"]);
    state.apply(Action::ShowDay(day("2026-11-30")));
    state.apply(Action::ShowDay(day("2026-12-01")));
    for view in [View::Month, View::List, View::Week] {
        state.apply(Action::ChooseView(view));
        assert_eq!((state.view, state.day), (view, Some(day("2026-12-01"))));
        assert_eq!((state.month, state.cursor), (november().next(), day("2026-12-01")));
    }
}

#[test]
fn a_list_grows_by_some_days_at_a_time_and_the_first_of_them_gets_the_focus() {
    let starts: Vec<String> = (17..29).map(|date| format!("2026-11-{date}T09:00:00Z")).collect();
    let mut state = wishing(Wishes { view: "list".to_owned(), ..Wishes::default() });
    read(&mut state, november(), &starts.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(state.listed_days().len(), 5);
    let effects = state.apply(Action::ListMore);
    assert_eq!(effects, [Effect::Focus(Target::Slot(at("2026-11-22T09:00:00Z")))]);
    assert_eq!(state.listed_days().len(), 10);
    state.apply(Action::ListMore);
    assert_eq!(state.listed_days().len(), 12);
    read(&mut state, november().next(), &["2026-12-01T09:00:00Z"]);
    state.apply(Action::Turn(1));
    state.apply(Action::Turn(-1));
    assert_eq!(state.listed_days().len(), 5, "a month begins anew");
}

#[test]
fn only_so_many_months_are_looked_into_at_first_sight_and_all_when_the_visitor_asks() {
    let mut event = visit();
    event.window_end = at("2027-12-20T12:00:00Z");
    let now = at("2026-11-16T12:00:00Z");
    let mut state = State::new(event, "en-GB".to_owned(), zone("Etc/UTC", 0), now, Wishes::default());
    let mut month = november();
    let mut look = |state: &mut State| {
        while state.is_loading() {
            month = state.month;
            read(state, month, &[]);
        }
        Month(month.0 - november().0)
    };
    assert_eq!(look(&mut state), Month(2));
    assert_eq!(state.announcement, Announcement::NoTimes(state.month));
    state.apply(Action::Seek);
    assert_eq!(look(&mut state), Month(13), "to the end of the window");
}

#[test]
fn the_soonest_free_time_is_told_as_soon_as_everything_before_it_is_known() {
    let mut state = fresh();
    assert_eq!(state.soonest(), None);
    read(&mut state, november(), &[]);
    assert_eq!(state.soonest(), None, "December is not known yet");
    read(&mut state, november().next(), &["2026-12-03T09:00:00Z", "2026-12-03T10:00:00Z"]);
    assert_eq!(state.soonest(), Some(slot("2026-12-03T09:00:00Z")));
}

#[test]
fn a_start_that_is_picked_from_afar_stands_where_going_back_leads() {
    let mut state = picking();
    read(&mut state, november().next(), &["2026-12-03T09:00:00Z"]);
    state.apply(Action::Turn(1));
    state.apply(Action::Pick(at(NINE)));
    let effects = state.apply(Action::Back);
    assert!(effects.contains(&Effect::Focus(Target::Slot(at(NINE)))));
    assert_eq!((state.month, state.day), (november(), Some(day("2026-11-23"))));
}
