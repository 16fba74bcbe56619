//! From the form of an event type to the engine's input, and back.

use std::collections::HashSet;

use chrono::NaiveDate;
use cupo_core::event_type::{
    Alignment, Assignment, DailyOffer, Limit, Limits, Listing, Options, RulesInput, WhenStale, Window,
};
use cupo_core::parse::{FieldErrors, FieldProblem};
use cupo_core::question::{Question, QuestionKind};
use cupo_engine::{Engine, EngineError, EventTypeHostInput, EventTypeInput, Member, Principal};
use cupo_store::{Calendar, EventType, EventTypeHost};

use super::{EventTypeForm, HostRow, MemberCalendar, MemberView, QuestionRow};
use crate::api::changes::{self, ChangesView};
use crate::api::draft::Draft;
use crate::api::request::{answer, id_or_new};
use crate::api::rows::{self, Rows};
use crate::error::AppError;
use crate::slug::slug_of;

/// The key of a user's row: an id may begin with a digit, a key may not.
fn host_key(user_id: &str) -> String {
    format!("h-{user_id}")
}

fn user_of(key: &str) -> &str {
    key.strip_prefix("h-").unwrap_or(key)
}

fn ticked(is_ticked: bool) -> String {
    if is_ticked { "on".to_owned() } else { String::new() }
}

pub(super) fn member(member: Member) -> MemberView {
    MemberView {
        key: host_key(member.user_id.as_str()),
        name: member.name,
        schedules: member.schedules.into_iter().map(|(id, name)| (id.to_string(), name)).collect(),
        calendars: member.calendars.into_iter().map(calendar).collect(),
    }
}

fn calendar(calendar: Calendar) -> MemberCalendar {
    MemberCalendar {
        id: calendar.id.to_string(),
        name: calendar.name,
        can_write: calendar.can_write,
        receives_events: calendar.receives_events,
        meetings: calendar.meetings,
    }
}

pub(super) fn new_form(principal: &Principal) -> EventTypeForm {
    let own = host_key(principal.user_id.as_str());
    EventTypeForm {
        is_active: ticked(true),
        seats_shown: ticked(true),
        hosts: Rows::from([(own.clone(), HostRow { takes_part: ticked(true), ..HostRow::default() })]),
        single_host: own,
        ..EventTypeForm::default()
    }
}

pub(super) fn form(stored: &EventType, hosts: &[EventTypeHost]) -> EventTypeForm {
    let rules = stored.rules.to_input();
    let options = &stored.options;
    let (notice, notice_unit) = split_notice(rules.notice_minutes);
    let (cancel_notice, cancel_notice_unit) = split_notice(options.cancel_notice_minutes);
    let (reschedule_notice, reschedule_notice_unit) = split_notice(options.reschedule_notice_minutes);
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let mut form = EventTypeForm {
        id: stored.id.to_string(),
        title: stored.title.clone(),
        slug: stored.slug.to_string(),
        description: stored.description.clone(),
        duration_minutes: rules.duration_minutes.to_string(),
        other_durations: options.other_durations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        increment_minutes: rules.increment_minutes.to_string(),
        alignment: alignment_name(rules.alignment).to_owned(),
        buffer_before_minutes: rules.buffer_before_minutes.to_string(),
        buffer_after_minutes: rules.buffer_after_minutes.to_string(),
        notice: notice.to_string(),
        notice_unit: notice_unit.to_owned(),
        limit_day_count: number(rules.limits.day.count),
        limit_day_minutes: number(rules.limits.day.minutes),
        limit_week_count: number(rules.limits.week.count),
        limit_week_minutes: number(rules.limits.week.minutes),
        limit_month_count: number(rules.limits.month.count),
        limit_month_minutes: number(rules.limits.month.minutes),
        daily: daily_name(rules.daily).to_owned(),
        seats: rules.seats.to_string(),
        seats_shown: ticked(options.seats_shown),
        most_occurrences: options.most_occurrences.to_string(),
        needs_approval: ticked(options.needs_approval),
        approval_hours: options.approval_hours.to_string(),
        when_stale: options.when_stale.as_str().to_owned(),
        listing: options.listing.as_str().to_owned(),
        cancel_notice: cancel_notice.to_string(),
        cancel_notice_unit: cancel_notice_unit.to_owned(),
        reschedule_notice: reschedule_notice.to_string(),
        reschedule_notice_unit: reschedule_notice_unit.to_owned(),
        assignment: options.assignment.as_str().to_owned(),
        single_host: host_key(hosts.first().map_or(&stored.host_user_id, |host| &host.user_id).as_str()),
        host_choice: ticked(options.host_choice),
        reschedule_to_any_host: ticked(options.reschedule_to_any_host),
        hosts: hosts.iter().map(|host| (host_key(host.user_id.as_str()), host_row(host))).collect(),
        questions: rows::rows_of(options.questions.iter().map(question_row)),
        location_kind: stored.location.kind().to_owned(),
        location_detail: stored.location.detail().to_owned(),
        is_active: ticked(stored.is_active),
        ..EventTypeForm::default()
    };
    set_window(&mut form, rules.window);
    renumber(&mut form);
    form
}

fn set_window(form: &mut EventTypeForm, window: Window) {
    let kind = match window {
        Window::RollingDays { days } => {
            form.window_days = days.to_string();
            "rolling_days"
        }
        Window::BusinessDays { days } => {
            form.window_days = days.to_string();
            "business_days"
        }
        Window::Dates { first, last } => {
            (form.window_first, form.window_last) = (first.to_string(), last.to_string());
            "dates"
        }
        Window::Open => "open",
    };
    kind.clone_into(&mut form.window_kind);
}

fn host_row(host: &EventTypeHost) -> HostRow {
    let own = host.conflict_calendar_ids.as_ref();
    HostRow {
        takes_part: ticked(true),
        presence: if host.is_required { "required" } else { "optional" }.to_owned(),
        weight: host.weight.to_string(),
        priority: host.priority.to_string(),
        schedule_id: host.schedule_id.to_string(),
        own_calendars: ticked(own.is_some()),
        calendar_ids: own.into_iter().flatten().map(ToString::to_string).collect(),
        target_calendar_id: host.target_calendar_id.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

fn question_row(question: &Question) -> QuestionRow {
    let mut row = QuestionRow {
        id: question.id.clone(),
        kind: question.kind.as_str().to_owned(),
        label: question.label.clone(),
        help: question.help.clone(),
        is_required: ticked(question.is_required),
        ..QuestionRow::default()
    };
    match &question.kind {
        QuestionKind::Choice { choices } | QuestionKind::Choices { choices } => row.choices = choices.join("\n"),
        QuestionKind::Number { least, most } => {
            let text = |bound: &Option<i64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
            (row.least, row.most) = (text(least), text(most));
        }
        _ => {}
    }
    row
}

/// The places of the questions, without gaps.
fn renumber(form: &mut EventTypeForm) {
    for (place, (key, mut row)) in form.questions_in_order().into_iter().enumerate() {
        row.place = place.to_string();
        form.questions.insert(key, row);
    }
}

/// The form after a step without a script.
pub(super) fn after_step(draft: Draft<EventTypeForm>) -> EventTypeForm {
    let mut form = draft.form.clone();
    renumber(&mut form);
    let ordered = form.questions_in_order();
    let place = |key: &str| ordered.iter().position(|(other, _)| other == key);
    let (list, verb, key) = draft.parts();
    match (list, verb, place(key)) {
        ("questions", "add", _) => rows::add(&mut form.questions),
        ("questions", "remove", Some(_)) => drop(form.questions.remove(key)),
        ("questions", "up", Some(place)) if place > 0 => swap(&mut form, key, &ordered[place - 1].0),
        ("questions", "down", Some(place)) if place + 1 < ordered.len() => swap(&mut form, key, &ordered[place + 1].0),
        _ => {}
    }
    renumber(&mut form);
    form
}

fn swap(form: &mut EventTypeForm, first: &str, second: &str) {
    let place = |form: &EventTypeForm, key: &str| form.questions.get(key).map(|row| row.place.clone());
    let (of_first, of_second) = (place(form, first), place(form, second));
    for (key, place) in [(first, of_second), (second, of_first)] {
        if let (Some(row), Some(place)) = (form.questions.get_mut(key), place) {
            row.place = place;
        }
    }
}

/// The keys of the rows that the engine counts.
pub(super) struct Keys {
    hosts: Vec<String>,
    questions: Vec<String>,
}

impl Keys {
    /// The error with the names that the form's fields have.
    pub(super) fn name(&self, error: AppError) -> AppError {
        error
            .with_rows_named("hosts", &self.hosts)
            .with_rows_named("questions", &self.questions)
            .with_field_renamed("notice_minutes", "notice")
            .with_field_renamed("cancel_notice_minutes", "cancel_notice")
            .with_field_renamed("reschedule_notice_minutes", "reschedule_notice")
    }
}

/// What was read of a form.
pub(super) struct Read {
    pub(super) input: Result<EventTypeInput, FieldErrors>,
    pub(super) keys: Keys,
}

/// Reads texts as numbers and dates, and remembers which were none.
struct Reader(FieldErrors);

impl Reader {
    fn number(&mut self, field: &str, text: &str) -> u32 {
        let read = text.trim().parse::<u32>().map_err(|_| FieldProblem::new("dashboard.whole_number"));
        self.0.collect(field.to_owned(), read).unwrap_or(0)
    }

    fn optional_number(&mut self, field: &str, text: &str) -> Option<u32> {
        if text.trim().is_empty() { None } else { Some(self.number(field, text)) }
    }

    fn date(&mut self, field: &'static str, text: &str) -> Option<NaiveDate> {
        self.0.collect(field, text.trim().parse().map_err(|_| FieldProblem::new("error.date")))
    }

    fn bound(&mut self, field: String, text: &str) -> Option<i64> {
        if text.trim().is_empty() {
            return None;
        }
        self.0.collect(field, text.trim().parse().map_err(|_| FieldProblem::new("error.whole_number")))
    }
}

pub(super) fn read(form: &EventTypeForm) -> Read {
    let reader = &mut Reader(FieldErrors::default());
    let slug = if form.slug.trim().is_empty() { slug_of(&form.title) } else { form.slug.trim().to_owned() };
    let rules = rules(form, reader);
    let (question_keys, questions) = questions(form, reader);
    let options = options(form, questions, reader);
    let (host_keys, hosts) = hosts(form, reader);
    let input = EventTypeInput {
        title: form.title.clone(),
        slug,
        description: form.description.clone(),
        rules,
        options,
        location_kind: form.location_kind.clone(),
        location_detail: form.location_detail.clone(),
        is_active: form.is_active == "on",
        hosts,
    };
    let errors = std::mem::take(&mut reader.0);
    Read { input: errors.into_result().map(|()| input), keys: Keys { hosts: host_keys, questions: question_keys } }
}

fn rules(form: &EventTypeForm, reader: &mut Reader) -> RulesInput {
    let window = match form.window_kind.as_str() {
        "dates" => {
            let (first, last) =
                (reader.date("window_first", &form.window_first), reader.date("window_last", &form.window_last));
            Window::Dates { first: first.unwrap_or_default(), last: last.unwrap_or_default() }
        }
        "open" => Window::Open,
        "business_days" => Window::BusinessDays { days: reader.number("window_days", &form.window_days) },
        _ => Window::RollingDays { days: reader.number("window_days", &form.window_days) },
    };
    let mut limit = |period: &str, count: &str, minutes: &str| Limit {
        count: reader.optional_number(&format!("limit_{period}_count"), count),
        minutes: reader.optional_number(&format!("limit_{period}_minutes"), minutes),
    };
    let limits = Limits {
        day: limit("day", &form.limit_day_count, &form.limit_day_minutes),
        week: limit("week", &form.limit_week_count, &form.limit_week_minutes),
        month: limit("month", &form.limit_month_count, &form.limit_month_minutes),
    };
    RulesInput {
        duration_minutes: reader.number("duration_minutes", &form.duration_minutes),
        increment_minutes: reader.number("increment_minutes", &form.increment_minutes),
        alignment: if form.alignment == "hour" { Alignment::Hour } else { Alignment::Interval },
        buffer_before_minutes: reader.number("buffer_before_minutes", &form.buffer_before_minutes),
        buffer_after_minutes: reader.number("buffer_after_minutes", &form.buffer_after_minutes),
        notice_minutes: notice(reader, "notice", &form.notice, &form.notice_unit),
        window,
        limits,
        daily: match form.daily.as_str() {
            "first_free" => DailyOffer::FirstFree,
            "first_only" => DailyOffer::FirstOnly,
            _ => DailyOffer::All,
        },
        seats: reader.number("seats", &form.seats),
    }
}

fn options(form: &EventTypeForm, questions: Vec<Question>, reader: &mut Reader) -> Options {
    let others = form.other_durations.split([',', ';', ' ']).filter(|text| !text.trim().is_empty());
    Options {
        other_durations: others.map(|text| reader.number("other_durations", text)).collect(),
        assignment: Assignment::parse(&form.assignment).unwrap_or_default(),
        host_choice: form.host_choice == "on",
        reschedule_to_any_host: form.reschedule_to_any_host == "on",
        seats_shown: form.seats_shown == "on",
        needs_approval: form.needs_approval == "on",
        approval_hours: reader.number("approval_hours", &form.approval_hours),
        when_stale: WhenStale::parse(&form.when_stale).unwrap_or_default(),
        most_occurrences: reader.number("most_occurrences", &form.most_occurrences),
        listing: Listing::parse(&form.listing).unwrap_or_default(),
        cancel_notice_minutes: notice(reader, "cancel_notice", &form.cancel_notice, &form.cancel_notice_unit),
        reschedule_notice_minutes: notice(
            reader,
            "reschedule_notice",
            &form.reschedule_notice,
            &form.reschedule_notice_unit,
        ),
        questions,
    }
}

/// The hosts who take part, with their keys.
fn hosts(form: &EventTypeForm, reader: &mut Reader) -> (Vec<String>, Vec<EventTypeHostInput>) {
    let is_single = Assignment::parse(&form.assignment).unwrap_or_default() == Assignment::Single;
    let chosen: Vec<_> = form.hosts.iter().filter(|(key, row)| form.takes_part(key, row)).collect();
    // The engine would keep the hosts that are stored.
    if !is_single && chosen.is_empty() {
        reader.0.0.push(FieldProblem::new("error.required").at("hosts"));
    }
    chosen
        .into_iter()
        .map(|(key, row)| {
            let host = EventTypeHostInput {
                user_id: user_of(key).to_owned(),
                schedule_id: row.schedule_id.clone(),
                is_required: row.presence != "optional",
                weight: reader.number(&format!("hosts.{key}.weight"), &row.weight),
                priority: reader.number(&format!("hosts.{key}.priority"), &row.priority),
                conflict_calendar_ids: (row.own_calendars == "on").then(|| row.calendar_ids.clone()),
                target_calendar_id: (!row.target_calendar_id.is_empty()).then(|| row.target_calendar_id.clone()),
            };
            (key.clone(), host)
        })
        .unzip()
}

/// The questions in their order, with their keys. A new one is named after what it asks.
fn questions(form: &EventTypeForm, reader: &mut Reader) -> (Vec<String>, Vec<Question>) {
    let ordered = form.questions_in_order();
    let mut taken: HashSet<String> = ordered.iter().map(|(_, row)| row.id.clone()).collect();
    let mut question = |key: &str, row: QuestionRow| {
        let id = if row.id.is_empty() { free_id(&row.label, &taken) } else { row.id };
        taken.insert(id.clone());
        let choices = || row.choices.lines().map(str::to_owned).collect();
        let kind = match row.kind.as_str() {
            "long_text" => QuestionKind::LongText,
            "choice" => QuestionKind::Choice { choices: choices() },
            "choices" => QuestionKind::Choices { choices: choices() },
            "number" => QuestionKind::Number {
                least: reader.bound(format!("questions.{key}.least"), &row.least),
                most: reader.bound(format!("questions.{key}.most"), &row.most),
            },
            "phone" => QuestionKind::Phone,
            "checkbox" => QuestionKind::Checkbox,
            _ => QuestionKind::ShortText,
        };
        Question { id, label: row.label, help: row.help, is_required: row.is_required == "on", kind }
    };
    ordered.into_iter().map(|(key, row)| (key.clone(), question(&key, row))).unzip()
}

fn free_id(label: &str, taken: &HashSet<String>) -> String {
    let slug = slug_of(label);
    let base = if slug.is_empty() { "question" } else { &slug };
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    std::iter::once(base.to_owned()).chain(numbered).find(|id| !taken.contains(id)).unwrap_or_default()
}

pub(super) async fn preview(
    engine: &Engine,
    principal: &Principal,
    form: &EventTypeForm,
) -> Result<Vec<ChangesView>, AppError> {
    let id = id_or_new(&form.id, "event type")?;
    let Read { input, keys } = read(form);
    let impact = match input {
        Ok(input) => engine.event_type_preview(principal, id.as_ref(), input).await,
        Err(errors) => Err(EngineError::Invalid(errors)),
    };
    let impact = answer(impact).map_err(|error| keys.name(error))?;
    Ok(vec![changes::convert::changes(impact)])
}

fn notice(reader: &mut Reader, field: &'static str, text: &str, unit: &str) -> u32 {
    reader.number(field, text).saturating_mul(minutes_in(unit))
}

pub(super) fn minutes_in(unit: &str) -> u32 {
    match unit {
        "days" => 1440,
        "hours" => 60,
        _ => 1,
    }
}

/// The notice in the largest unit that needs no fraction.
fn split_notice(minutes: u32) -> (u32, &'static str) {
    match minutes {
        0 => (0, "hours"),
        minutes if minutes % 1440 == 0 => (minutes / 1440, "days"),
        minutes if minutes % 60 == 0 => (minutes / 60, "hours"),
        minutes => (minutes, "minutes"),
    }
}

fn alignment_name(alignment: Alignment) -> &'static str {
    match alignment {
        Alignment::Interval => "interval",
        Alignment::Hour => "hour",
    }
}

fn daily_name(daily: DailyOffer) -> &'static str {
    match daily {
        DailyOffer::All => "all",
        DailyOffer::FirstFree => "first_free",
        DailyOffer::FirstOnly => "first_only",
    }
}

#[cfg(test)]
mod tests;
