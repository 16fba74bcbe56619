//! What a visitor wrote.

use std::borrow::Cow;

use cupo_core::{
    parse::{EmailAddress, FieldErrors, FieldProblem, PersonName, PhoneNumber, optional_text},
    phone::NumberingPlan,
    question::{Answer, QuestionKind, judge_all},
    text::LanguageTag,
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
    pub(super) language: LanguageTag,
    pub(super) answers: Vec<Answer>,
}

impl Visitor {
    /// Reads every field and answer of a request.
    ///
    /// # Errors
    /// Each field that was refused: `name`, `email`, `phone`, `notes`, `time_zone`, and `answers.` with a question's id.
    pub(super) fn parse(request: &BookingRequest, event_type: &EventType) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        // What the form shows before a number that tells no country, it means.
        let plan = request.locale.as_deref().and_then(NumberingPlan::of_language);
        let complete = |number: PhoneNumber| match plan {
            Some(plan) => plan.complete(number),
            None => number,
        };
        let name = errors.collect("name", PersonName::parse(&request.name));
        let email = errors.collect("email", EmailAddress::parse(&request.email));
        let phone = match request.phone.as_deref().map(str::trim).filter(|phone| !phone.is_empty()) {
            Some(phone) => errors.collect("phone", PhoneNumber::parse(phone)).map(complete),
            None if event_type.location.needs_visitor_phone() => {
                errors.collect("phone", Err(FieldProblem::new("error.required")))
            }
            None => None,
        };
        let notes = errors.collect("notes", optional_text(request.notes.as_deref().unwrap_or_default(), NOTES_LENGTH));
        let time_zone = errors.collect("time_zone", TimeZoneName::parse(&request.time_zone));
        let answers = answers(request, event_type, complete).map_err(|more| errors.0.extend(more.0)).ok();
        match (name, email, notes, time_zone, answers) {
            (Some(name), Some(email), Some(notes), Some(time_zone), Some(answers)) if errors.is_empty() => {
                let language = request.locale.as_deref().and_then(LanguageTag::parse).unwrap_or_default();
                Ok(Self { name, email, phone, notes, time_zone, language, answers })
            }
            _ => Err(errors),
        }
    }
}

fn answers(
    request: &BookingRequest,
    event_type: &EventType,
    complete: impl Fn(PhoneNumber) -> PhoneNumber,
) -> Result<Vec<Answer>, FieldErrors> {
    let questions = &event_type.options.questions;
    if let Some(unknown) = request.answers.keys().find(|id| !questions.iter().any(|asked| asked.id == **id)) {
        return Err(FieldProblem::new("error.no_question").at(format!("answers.{unknown}")).into());
    }
    let given: Vec<(&str, Vec<Cow<'_, str>>)> =
        request.answers.iter().map(|(id, answer)| (id.as_str(), answer.texts())).collect();
    let mut answers = judge_all(questions, |id| {
        let texts = given.iter().find(|(known, _)| *known == id).map(|(_, texts)| texts.as_slice());
        texts.unwrap_or_default().iter().map(AsRef::as_ref).collect()
    })?;
    let is_phone = |id: &str| questions.iter().any(|asked| asked.id == id && asked.kind == QuestionKind::Phone);
    for answer in answers.iter_mut().filter(|answer| is_phone(&answer.id)) {
        for value in &mut answer.values {
            if let Ok(number) = PhoneNumber::parse(value) {
                *value = complete(number).into();
            }
        }
    }
    Ok(answers)
}
