//! The details form: which fields an event type asks for, and how each is judged.
//!
//! What stands in a field is one text: the ticked choices are its lines, and a box that is ticked alone reads `on`. So all
//! fields are kept, typed, judged and told alike.

use cupo_core::parse::{EmailAddress, FieldProblem, PersonName, PhoneNumber, optional_text};
use cupo_core::question::{self, Question, QuestionKind};

use crate::model::EventType;
use crate::strings::concat;

/// The longest notes that the API takes, in characters.
const LONGEST_NOTES: usize = 2_000;

/// A field of the details form, by its place among what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field(pub usize);

/// The longest reason of a cancellation that the API takes, in characters.
const LONGEST_REASON: usize = 500;

/// The names of the fields that every event type has, in the bodies of `cupo_core::wire`.
const NAMES: [&str; Field::QUESTIONS.0] =
    ["name", "email", "phone", "notes", "recurrence", "recurrence.count", "recurrence.skip_taken", "reason", "scope"];

impl Field {
    pub const NAME: Self = Self(0);
    pub const EMAIL: Self = Self(1);
    pub const PHONE: Self = Self(2);
    pub const NOTES: Self = Self(3);
    /// How often the appointment is to repeat; empty for once. Beside it stands what is wrong with the whole series.
    pub const FREQUENCY: Self = Self(4);
    /// On how many dates.
    pub const COUNT: Self = Self(5);
    /// Whether the dates that are not free are left out.
    pub const SKIP_TAKEN: Self = Self(6);
    /// Why an appointment is cancelled.
    pub const REASON: Self = Self(7);
    /// Whether a change reaches the appointments of the series that come after it.
    pub const SCOPE: Self = Self(8);
    /// The first of the event type's questions.
    pub const QUESTIONS: Self = Self(9);
}

/// What is wrong with a field: by our own rules, or in the server's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldMessage {
    Problem(FieldProblem),
    Text(String),
}

impl EventType {
    /// The fields that are asked for in any case, in their order.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = vec![Field::NAME, Field::EMAIL];
        if self.location.needs_phone {
            fields.push(Field::PHONE);
        }
        fields.extend((0..self.questions.len()).map(|number| Field(Field::QUESTIONS.0 + number)));
        fields.push(Field::NOTES);
        fields
    }

    /// The question that a field answers.
    pub fn question(&self, field: Field) -> Option<&Question> {
        self.questions.get(field.0.checked_sub(Field::QUESTIONS.0)?)
    }

    /// A field's name in the bodies of `cupo_core::wire`.
    pub fn name_of(&self, field: Field) -> String {
        match self.question(field) {
            Some(question) => concat(&["answers.", &question.id]),
            None => NAMES[field.0].to_owned(),
        }
    }

    /// What is wrong with the text of a field, by the very rules of the server.
    pub fn judge(&self, field: Field, text: &str) -> Option<FieldProblem> {
        match field {
            Field::NAME => PersonName::parse(text).err(),
            Field::EMAIL => EmailAddress::parse(text).err(),
            Field::PHONE => PhoneNumber::parse(text).err(),
            Field::NOTES => optional_text(text, LONGEST_NOTES).err(),
            Field::REASON => optional_text(text, LONGEST_REASON).err(),
            _ => self.question(field).and_then(|question| question::judge(question, &answers(question, text)).err()),
        }
    }
}

/// The answers that a field's text holds.
pub fn answers<'a>(question: &Question, text: &'a str) -> Vec<&'a str> {
    match question.kind {
        _ if text.is_empty() => Vec::new(),
        QuestionKind::Choices { .. } => text.split('\n').collect(),
        _ => vec![text],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::{asked, visit};

    #[test]
    fn a_telephone_number_is_asked_for_only_where_the_host_calls() {
        let mut event = visit();
        assert_eq!(event.fields(), [Field::NAME, Field::EMAIL, Field::NOTES]);
        event.location.needs_phone = true;
        assert_eq!(event.fields(), [Field::NAME, Field::EMAIL, Field::PHONE, Field::NOTES]);
    }

    #[test]
    fn questions_stand_before_the_notes_and_are_named_as_the_server_names_them() {
        let mut event = visit();
        event.questions = vec![asked("size", QuestionKind::ShortText), asked("terms", QuestionKind::Checkbox)];
        let names: Vec<_> = event.fields().into_iter().map(|field| event.name_of(field)).collect();
        assert_eq!(names, ["name", "email", "answers.size", "answers.terms", "notes"]);
    }

    #[test]
    fn only_several_choices_have_an_answer_on_each_line() {
        let choices = QuestionKind::Choices { choices: Vec::new() };
        for (kind, given) in [
            (choices, ["one", "two"].as_slice()),
            (QuestionKind::LongText, &["one\ntwo"]),
            (QuestionKind::Checkbox, &["one\ntwo"]),
        ] {
            assert_eq!(answers(&asked("q", kind), "one\ntwo"), given);
        }
        assert!(answers(&asked("q", QuestionKind::ShortText), "").is_empty());
    }
}
