//! Forms as they are sent, and what becomes of them.

use super::*;

fn fields(form: &EventTypeForm) -> Vec<String> {
    read(form).input.unwrap_err().0.into_iter().map(|error| error.field.into_owned()).collect()
}

fn asked(labels: &[&str]) -> EventTypeForm {
    let mut form = EventTypeForm::default();
    for label in labels {
        form = after_step(Draft { form, step: "questions.add".to_owned() });
        let key = rows::key(rows::next_number(&form.questions) - 1);
        form.questions.get_mut(&key).unwrap().label = (*label).to_owned();
    }
    form
}

fn labels(form: &EventTypeForm) -> Vec<String> {
    form.questions_in_order().into_iter().map(|(_, row)| row.label).collect()
}

#[test]
fn a_notice_is_shown_in_the_largest_whole_unit_and_read_back() {
    for (minutes, shown) in [(0, (0, "hours")), (45, (45, "minutes")), (240, (4, "hours")), (2880, (2, "days"))] {
        let (number, unit) = split_notice(minutes);
        assert_eq!((number, unit), shown);
        assert_eq!(number * minutes_in(unit), minutes);
    }
}

#[test]
fn an_address_comes_from_the_title_unless_one_is_typed() {
    let mut form = EventTypeForm { title: "Primera reunión".to_owned(), ..EventTypeForm::default() };
    assert_eq!(read(&form).input.unwrap().slug, "primera-reunion");
    form.slug = "hola".to_owned();
    assert_eq!(read(&form).input.unwrap().slug, "hola");
}

#[test]
fn what_is_no_number_is_told_beside_its_field() {
    let form = EventTypeForm {
        window_days: "soon".to_owned(),
        notice: "-1".to_owned(),
        other_durations: "15, x".to_owned(),
        limit_week_count: "few".to_owned(),
        ..EventTypeForm::default()
    };
    assert_eq!(fields(&form), ["window_days", "limit_week_count", "notice", "other_durations"]);
}

#[test]
fn what_is_left_empty_limits_nothing() {
    let form = EventTypeForm { limit_day_count: "3".to_owned(), ..EventTypeForm::default() };
    let limits = read(&form).input.unwrap().rules.limits;
    assert_eq!(limits.day, Limit { count: Some(3), minutes: None });
    assert!(!limits.week.is_set() && !limits.month.is_set());
}

#[test]
fn dates_are_asked_for_only_where_the_window_has_some() {
    let form = EventTypeForm { window_first: "soon".to_owned(), ..EventTypeForm::default() };
    assert_eq!(read(&form).input.unwrap().rules.window, Window::RollingDays { days: 60 });
    let form = EventTypeForm { window_kind: "dates".to_owned(), ..form };
    assert_eq!(fields(&form), ["window_first", "window_last"]);
}

#[test]
fn an_unticked_box_makes_it_inactive() {
    assert!(!read(&EventTypeForm::default()).input.unwrap().is_active);
}

#[test]
fn of_one_host_or_of_several_those_who_were_chosen_take_part() {
    let row = |takes_part| HostRow { takes_part: ticked(takes_part), ..HostRow::default() };
    let mut form = EventTypeForm {
        single_host: host_key("2"),
        hosts: Rows::from([(host_key("1"), row(true)), (host_key("2"), row(false)), (host_key("3"), row(true))]),
        ..EventTypeForm::default()
    };
    let users =
        |form: &EventTypeForm| read(form).input.unwrap().hosts.into_iter().map(|host| host.user_id).collect::<Vec<_>>();
    assert_eq!(users(&form), ["2"]);
    form.assignment = "round_robin".to_owned();
    assert_eq!(users(&form), ["1", "3"]);
    assert_eq!(read(&form).keys.hosts, [host_key("1"), host_key("3")]);
}

#[test]
fn several_hosts_of_whom_nobody_takes_part_are_refused() {
    let form = EventTypeForm { assignment: "collective".to_owned(), ..EventTypeForm::default() };
    assert_eq!(fields(&form), ["hosts"]);
}

#[test]
fn calendars_of_its_own_count_only_where_they_were_asked_for() {
    let mut row = HostRow { calendar_ids: vec!["c".to_owned()], ..HostRow::default() };
    let ids = |row: &HostRow| {
        let form = EventTypeForm {
            single_host: host_key("1"),
            hosts: Rows::from([(host_key("1"), row.clone())]),
            ..EventTypeForm::default()
        };
        read(&form).input.unwrap().hosts[0].conflict_calendar_ids.clone()
    };
    assert_eq!(ids(&row), None);
    row.own_calendars = ticked(true);
    assert_eq!(ids(&row), Some(vec!["c".to_owned()]));
}

#[test]
fn what_happens_while_a_calendar_cannot_be_read_is_one_of_three_and_asks_where_nothing_is_said() {
    let chosen = |when_stale: &str| {
        let form = EventTypeForm { when_stale: when_stale.to_owned(), ..EventTypeForm::default() };
        read(&form).input.unwrap().options.when_stale
    };
    for when_stale in WhenStale::ALL {
        assert_eq!(chosen(when_stale.as_str()), when_stale);
    }
    assert_eq!((chosen(""), chosen("never")), (WhenStale::Ask, WhenStale::Ask));
    assert_eq!(EventTypeForm::default().when_stale, "ask");
}

#[test]
fn events_go_where_the_host_has_chosen_unless_a_calendar_is_named() {
    let target = |id: &str| {
        let row = HostRow { target_calendar_id: id.to_owned(), ..HostRow::default() };
        let form = EventTypeForm {
            single_host: host_key("1"),
            hosts: Rows::from([(host_key("1"), row)]),
            ..EventTypeForm::default()
        };
        read(&form).input.unwrap().hosts[0].target_calendar_id.clone()
    };
    assert_eq!(target(""), None);
    assert_eq!(target("c"), Some("c".to_owned()));
}

#[test]
fn questions_move_up_and_down_and_go_without_a_script() {
    let step = |form: &EventTypeForm, step: &str| after_step(Draft { form: form.clone(), step: step.to_owned() });
    let form = asked(&["a", "b", "c"]);
    assert_eq!(labels(&form), ["a", "b", "c"]);
    let moved = step(&form, "questions.up.r002");
    assert_eq!(labels(&moved), ["a", "c", "b"]);
    assert_eq!(labels(&step(&moved, "questions.down.r000")), ["c", "a", "b"]);
    assert_eq!(labels(&step(&moved, "questions.up.r000")), ["a", "c", "b"]);
    assert_eq!(labels(&step(&moved, "questions.remove.r000")), ["c", "b"]);
}

#[test]
fn a_new_question_is_named_after_what_it_asks_and_an_old_one_keeps_its_name() {
    let mut form = asked(&["Team size?", "Team size!", "予約"]);
    form.questions.get_mut("r000").unwrap().id = "size".to_owned();
    let ids: Vec<_> = read(&form).input.unwrap().options.questions.into_iter().map(|question| question.id).collect();
    assert_eq!(ids, ["size", "team-size", "question"]);
}

#[test]
fn a_question_survives_the_form() {
    let question =
        |kind| Question { id: "q".to_owned(), label: "Q?".to_owned(), help: "H".to_owned(), is_required: true, kind };
    let choices = || vec!["red".to_owned(), "green".to_owned()];
    for kind in [
        QuestionKind::ShortText,
        QuestionKind::LongText,
        QuestionKind::Choice { choices: choices() },
        QuestionKind::Choices { choices: choices() },
        QuestionKind::Number { least: Some(-1), most: None },
        QuestionKind::Phone,
        QuestionKind::Checkbox,
    ] {
        let stored = question(kind);
        let form = EventTypeForm { questions: rows::rows_of([question_row(&stored)]), ..EventTypeForm::default() };
        assert_eq!(read(&form).input.unwrap().options.questions, [stored]);
    }
}

#[test]
fn a_refused_row_is_told_by_the_key_of_its_fields() {
    let form = asked(&["a", "b"]);
    let moved = after_step(Draft { form, step: "questions.up.r001".to_owned() });
    let error = AppError {
        fields: vec![crate::error::FieldMessage { field: "questions.0.label".to_owned(), message: "no".to_owned() }],
        ..AppError::default()
    };
    assert_eq!(read(&moved).keys.name(error).field("questions.r001.label"), Some("no"));
}
