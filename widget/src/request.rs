//! The bodies that the widget sends and the addresses that it asks, as `cupo_core::wire` has them.

use crate::calendar::{Instant, Month, format_instant};
use crate::form::{Field, answers};
use crate::json::ObjectWriter;
use crate::state::{State, Step};
use crate::strings::{concat, decimal};

/// `cupo_core::wire::BookingRequest`. A telephone number goes along only where it is asked for.
pub fn booking(state: &State, start: Instant, hold: &str) -> String {
    let text = |field: Field| state.details[field.0].trim();
    let event = &state.event;
    let mut body = slot(state, start);
    body.text("name", text(Field::NAME))
        .text("email", text(Field::EMAIL))
        .optional("phone", if event.location.needs_phone { text(Field::PHONE) } else { "" })
        .optional("notes", text(Field::NOTES))
        .text("time_zone", &state.zone.name)
        .text("locale", &state.language)
        .optional("hold", hold);
    if !event.questions.is_empty() {
        let mut given = ObjectWriter::begin();
        for (question, text) in event.questions.iter().zip(&state.details[Field::QUESTIONS.0..]) {
            given.texts(&question.id, &answers(question, text));
        }
        body.member("answers", &given.finish());
    }
    if state.repeats() {
        let mut recurrence = ObjectWriter::begin();
        recurrence
            .text("frequency", text(Field::FREQUENCY))
            .member("count", text(Field::COUNT))
            .member("skip_taken", if text(Field::SKIP_TAKEN).is_empty() { "false" } else { "true" });
        body.member("recurrence", &recurrence.finish());
    }
    if !state.wishes.tracking.is_empty() {
        let mut tracking = ObjectWriter::begin();
        for (name, value) in &state.wishes.tracking {
            tracking.text(name, value);
        }
        body.member("tracking", &tracking.finish());
    }
    body.finish()
}

/// `cupo_core::wire::CancelRequest` and `RescheduleRequest`, by the step.
pub fn change(state: &State) -> String {
    let mut body = ObjectWriter::begin();
    match state.start {
        Some(start) if state.step == Step::Moving => body.text("start", &format_instant(start)),
        _ => body.optional("reason", state.details[Field::REASON.0].trim()),
    };
    body.optional("scope", if state.details[Field::SCOPE.0].is_empty() { "" } else { "following" });
    body.finish()
}

/// `cupo_core::wire::HoldRequest`.
pub fn hold(state: &State, start: Instant, replaces: &str) -> String {
    let mut body = slot(state, start);
    body.optional("replaces", replaces);
    body.finish()
}

fn slot(state: &State, start: Instant) -> ObjectWriter {
    let event = &state.event;
    let mut body = ObjectWriter::begin();
    body.text("org", &event.org)
        .text("event", &event.slug)
        .text("start", &format_instant(start))
        .optional("host", &state.host)
        .optional("link", &event.link);
    if let Some(duration) = chosen_duration(state) {
        body.member("duration", &duration);
    }
    body
}

/// The slots of a month: the answer reaches far enough at both ends for every zone. The visitor's own hold goes along, so
/// that it hides no slot from them.
pub fn slots_path(state: &State, month: Month) -> String {
    let (first, last) = (month.first().iso(), month.last().iso());
    path(state, "slots", &[("from", &first), ("to", &last)])
}

/// The dates of the series that is wished for.
pub fn series_path(state: &State, start: Instant) -> String {
    let (frequency, count) = (&state.details[Field::FREQUENCY.0], &state.details[Field::COUNT.0]);
    let start = format_instant(start);
    path(state, "series", &[("start", &start), ("frequency", frequency), ("count", count), ("lang", &state.language)])
}

fn path(state: &State, what: &str, parameters: &[(&str, &str)]) -> String {
    let event = &state.event;
    let duration = chosen_duration(state).unwrap_or_default();
    let mut always =
        [("duration", duration.as_str()), ("host", &state.host), ("hold", &state.standing_hold), ("reschedule", "")];
    let (mut org, mut slug) = (&event.org, &event.slug);
    // Length and host of an appointment that moves are its own.
    if let Some(appointment) = &state.appointment {
        (org, slug) = (&appointment.org, &appointment.event);
        always = [("", ""), ("", ""), ("", ""), ("reschedule", &appointment.token)];
    }
    let mut path = concat(&["/embed/v1/", what, "?org=", org, "&event=", slug]);
    for (name, value) in parameters.iter().chain(&always) {
        if !value.is_empty() {
            path.extend(["&", name, "=", value]);
        }
    }
    path
}

/// The length, where there is a choice.
fn chosen_duration(state: &State) -> Option<String> {
    (state.event.durations.len() > 1).then(|| decimal(state.duration))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::parse_instant;
    use crate::model::tests::{asked, visit};
    use crate::state::{Action, Wishes};
    use crate::zone::Zone;
    use cupo_core::question::QuestionKind;
    use cupo_core::wire::{AnswerInput, BookingRequest, HoldRequest, RecurrenceRequest};

    const NINE: &str = "2026-11-23T09:00:00Z";

    fn nine() -> Instant {
        parse_instant(NINE).unwrap()
    }

    /// The details of a visit by telephone are typed.
    fn typed() -> State {
        let mut event = visit();
        event.location.needs_phone = true;
        let zone = Zone::learn("Europe/Madrid".to_owned(), 0, 0, |_| 60);
        let mut state = State::new(event, "es-MX".to_owned(), zone, 0, Wishes::default());
        let details = [" Zoë \"Z\" O'Hara ", "zoe@example.com", "+34 600 123 456", "one\ntwo\t\\"];
        for (index, text) in details.into_iter().enumerate() {
            state.details[index] = text.to_owned();
        }
        state
    }

    /// The same where there are choices of everything, and all are made.
    fn choosing() -> State {
        let mut state = typed();
        state.event.durations = vec![30, 60];
        state.event.link = "one&time".to_owned();
        state.apply(Action::ChooseDuration(60));
        state.apply(Action::ChooseHost("u1".to_owned()));
        state
    }

    fn read_booking(state: &State, hold: &str) -> BookingRequest {
        serde_json::from_str(&booking(state, nine(), hold)).unwrap()
    }

    #[test]
    fn a_booking_is_what_the_server_reads() {
        let request = read_booking(&typed(), "secret");
        assert_eq!((request.org.as_str(), request.event.as_str()), ("clinic", "visit"));
        assert_eq!(request.start.to_rfc3339(), "2026-11-23T09:00:00+00:00");
        assert_eq!(request.name, "Zoë \"Z\" O'Hara");
        assert_eq!(request.phone.as_deref(), Some("+34 600 123 456"));
        assert_eq!(request.notes.as_deref(), Some("one\ntwo\t\\"));
        assert_eq!(request.locale.as_deref(), Some("es-MX"));
        assert_eq!(request.hold.as_deref(), Some("secret"));
        assert_eq!((request.duration, request.host, request.link), (None, None, None));
        assert_eq!((request.answers.len(), request.recurrence), (0, None));
    }

    #[test]
    fn a_telephone_number_that_nobody_asked_for_is_not_sent() {
        let mut state = typed();
        state.event.location.needs_phone = false;
        let request = read_booking(&state, "");
        assert_eq!((request.phone, request.hold), (None, None));
    }

    #[test]
    fn what_was_chosen_goes_into_hold_and_booking() {
        let state = choosing();
        let request = read_booking(&state, "");
        assert_eq!(request.duration, Some(60));
        assert_eq!((request.host.as_deref(), request.link.as_deref()), (Some("u1"), Some("one&time")));
        let request: HoldRequest = serde_json::from_str(&hold(&state, nine(), "before")).unwrap();
        assert_eq!(request.start.to_rfc3339(), "2026-11-23T09:00:00+00:00");
        assert_eq!((request.duration, request.replaces.as_deref()), (Some(60), Some("before")));
        assert_eq!((request.host.as_deref(), request.link.as_deref()), (Some("u1"), Some("one&time")));
    }

    #[test]
    fn answers_go_by_the_ids_of_their_questions() {
        let choices = QuestionKind::Choices { choices: vec!["red".to_owned(), "blue".to_owned()] };
        let mut state = typed();
        for (id, kind, text) in [
            ("story", QuestionKind::LongText, "one\ntwo"),
            ("colours", choices, "red\nblue"),
            ("terms", QuestionKind::Checkbox, "on"),
            ("size", QuestionKind::Number { least: None, most: None }, ""),
        ] {
            state.event.questions.push(asked(id, kind));
            state.details.push(text.to_owned());
        }
        let answers = read_booking(&state, "").answers;
        let texts = |texts: &[&str]| AnswerInput::Texts(texts.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(answers["story"], texts(&["one\ntwo"]));
        assert_eq!(answers["colours"], texts(&["red", "blue"]));
        assert_eq!(answers["terms"], texts(&["on"]));
        assert_eq!(answers["size"], texts(&[]));
    }

    #[test]
    fn several_dates_go_along_as_a_recurrence() {
        let mut state = typed();
        state.event.most_occurrences = 12;
        for (field, text) in [(Field::FREQUENCY, "every_two_weeks"), (Field::COUNT, "6")] {
            state.details[field.0] = text.to_owned();
        }
        let recurrence =
            |skip_taken| Some(RecurrenceRequest { frequency: "every_two_weeks".to_owned(), count: 6, skip_taken });
        assert_eq!(read_booking(&state, "").recurrence, recurrence(false));
        state.details[Field::SKIP_TAKEN.0] = "on".to_owned();
        assert_eq!(read_booking(&state, "").recurrence, recurrence(true));
    }

    #[test]
    fn the_slots_of_a_month_are_asked_by_its_first_and_last_day() {
        let path = slots_path(&typed(), Month(2028 * 12 + 1));
        assert_eq!(path, "/embed/v1/slots?org=clinic&event=visit&from=2028-02-01&to=2028-02-29");
    }

    #[test]
    fn slots_are_asked_for_with_what_was_chosen_and_with_the_visitors_own_hold() {
        let mut state = choosing();
        state.apply(Action::Pick(nine()));
        state.apply(Action::Held { start: nine(), token: "mine".to_owned(), until: 600_000 });
        let path = slots_path(&state, Month(2028 * 12 + 1));
        assert!(path.ends_with("&to=2028-02-29&duration=60&host=u1&hold=mine"), "{path}");
        state.apply(Action::Back);
        assert!(slots_path(&state, Month(0)).ends_with("&hold=mine"), "its release may get lost");
    }

    #[test]
    fn a_series_is_asked_for_by_its_first_start() {
        let mut state = choosing();
        (state.details[Field::FREQUENCY.0], state.details[Field::COUNT.0]) = ("weekly".to_owned(), "4".to_owned());
        let expected = [
            "/embed/v1/series?org=clinic&event=visit&start=",
            NINE,
            "&frequency=weekly&count=4&lang=es-MX&duration=60&host=u1",
        ];
        assert_eq!(series_path(&state, nine()), expected.concat());
    }
}
