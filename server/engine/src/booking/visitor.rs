//! What a visitor wrote.

use std::borrow::Cow;

use cupo_core::{
    parse::{EmailAddress, FieldErrors, FieldProblem, PersonName, PhoneNumber, optional_text},
    question::{Answer, judge_all},
    text::Locale,
    wire::BookingRequest,
    zone::TimeZoneName,
};
use cupo_store::EventType;

/// The longest notes, in characters.
const NOTES_LENGTH: usize = 2_000;

/// A booking form, parsed.
pub(super) struct Visitor {
    pub(super) name: PersonName,
    pub(super) email: EmailAddress,
    pub(super) phone: Option<PhoneNumber>,
    pub(super) notes: Option<String>,
    pub(super) time_zone: TimeZoneName,
    pub(super) locale: Locale,
    pub(super) answers: Vec<Answer>,
}

impl Visitor {
    /// Reads every field and answer of a request.
    ///
    /// # Errors
    /// Each field that was refused: `name`, `email`, `phone`, `notes`, `time_zone`, and `answers.` with a question's id.
    pub(super) fn parse(request: &BookingRequest, event_type: &EventType) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.collect("name", PersonName::parse(&request.name));
        let email = errors.collect("email", EmailAddress::parse(&request.email));
        let phone = match request.phone.as_deref().map(str::trim).filter(|phone| !phone.is_empty()) {
            Some(phone) => errors.collect("phone", PhoneNumber::parse(phone)),
            None if event_type.location.needs_visitor_phone() => {
                errors.collect("phone", Err(FieldProblem::new("error.required")))
            }
            None => None,
        };
        let notes = errors.collect("notes", optional_text(request.notes.as_deref().unwrap_or_default(), NOTES_LENGTH));
        let time_zone = errors.collect("time_zone", TimeZoneName::parse(&request.time_zone));
        let answers = answers(request, event_type).map_err(|more| errors.0.extend(more.0)).ok();
        match (name, email, notes, time_zone, answers) {
            (Some(name), Some(email), Some(notes), Some(time_zone), Some(answers)) if errors.is_empty() => {
                let locale = request.locale.as_deref().and_then(Locale::parse).unwrap_or_default();
                Ok(Self { name, email, phone, notes, time_zone, locale, answers })
            }
            _ => Err(errors),
        }
    }
}

fn answers(request: &BookingRequest, event_type: &EventType) -> Result<Vec<Answer>, FieldErrors> {
    let questions = &event_type.options.questions;
    if let Some(unknown) = request.answers.keys().find(|id| !questions.iter().any(|asked| asked.id == **id)) {
        return Err(FieldProblem::new("error.no_question").at(format!("answers.{unknown}")).into());
    }
    let given: Vec<(&str, Vec<Cow<'_, str>>)> =
        request.answers.iter().map(|(id, answer)| (id.as_str(), answer.texts())).collect();
    judge_all(questions, |id| {
        let texts = given.iter().find(|(known, _)| *known == id).map(|(_, texts)| texts.as_slice());
        texts.unwrap_or_default().iter().map(AsRef::as_ref).collect()
    })
}
