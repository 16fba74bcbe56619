//! What visitors are asked: one judgement of an answer, for the widget, the public page and the server alike.
//!
//! An answer is a list of texts: one for most kinds, any number for several choices, `["on"]` or nothing for a checkbox.
//!
//! ```
//! use cupo_core::question::{Question, QuestionKind, judge};
//! let team = Question {
//!     id: "team-size".to_owned(),
//!     label: "How many are you?".to_owned(),
//!     help: String::new(),
//!     is_required: true,
//!     kind: QuestionKind::Number { least: Some(1), most: Some(50) },
//! };
//! assert_eq!(judge(&team, &[" 7 "]).unwrap(), ["7"]);
//! assert_eq!(judge(&team, &["70"]).unwrap_err().key, "error.out_of_range");
//! assert_eq!(judge(&team, &[]).unwrap_err().key, "error.required");
//! ```

use std::collections::BTreeSet;

use crate::parse::{FieldErrors, FieldProblem, PhoneNumber, Slug, optional_text, required_text};

/// The most questions of one event type.
pub const MOST_QUESTIONS: usize = 20;
/// The most choices of one question.
pub const MOST_CHOICES: usize = 50;
const LONGEST_SHORT: usize = 300;
const LONGEST_LONG: usize = 2_000;

/// One question of an event type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Question {
    /// Names the answer; of a slug's form, and unique in its event type.
    pub id: String,
    /// What is asked.
    pub label: String,
    /// What helps to answer; may be empty.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "String::is_empty"))]
    pub help: String,
    /// Whether nobody books without an answer.
    #[cfg_attr(feature = "serde", serde(default))]
    pub is_required: bool,
    /// What an answer looks like.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub kind: QuestionKind,
}

/// What an answer looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case"))]
pub enum QuestionKind {
    /// One line of at most 300 characters.
    ShortText,
    /// Several lines, at most 2,000 characters.
    LongText,
    /// One of the choices.
    Choice {
        /// In the order in which they are shown.
        choices: Vec<String>,
    },
    /// Any number of the choices; at least one where it is required.
    Choices {
        /// In the order in which they are shown.
        choices: Vec<String>,
    },
    /// A whole number within bounds.
    Number {
        /// The least that is accepted.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        least: Option<i64>,
        /// The most that is accepted.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        most: Option<i64>,
    },
    /// A telephone number.
    Phone,
    /// Yes or no; where it is required, only yes will do.
    Checkbox,
}

/// What a visitor answered, with the question as it read then.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Answer {
    /// The question's id.
    pub id: String,
    /// The question's label at the time.
    pub label: String,
    /// The answer as [`judge`] gave it; never empty.
    pub values: Vec<String>,
}

impl QuestionKind {
    /// `short_text`, `long_text`, `choice`, `choices`, `number`, `phone` or `checkbox`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::ShortText => "short_text",
            Self::LongText => "long_text",
            Self::Choice { .. } => "choice",
            Self::Choices { .. } => "choices",
            Self::Number { .. } => "number",
            Self::Phone => "phone",
            Self::Checkbox => "checkbox",
        }
    }
}

impl Question {
    /// The question with its texts trimmed, if it can be asked.
    ///
    /// # Errors
    /// The fields `id`, `label`, `help`, `choices` and `least`.
    pub fn checked(self) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let id = errors.collect("id", Slug::parse(&self.id));
        let label = errors.collect("label", required_text(&self.label, LONGEST_SHORT));
        let help = errors.collect("help", optional_text(&self.help, LONGEST_SHORT));
        let kind = match self.kind {
            QuestionKind::Choice { choices } => {
                errors.collect("choices", checked_choices(&choices)).map(|choices| QuestionKind::Choice { choices })
            }
            QuestionKind::Choices { choices } => {
                errors.collect("choices", checked_choices(&choices)).map(|choices| QuestionKind::Choices { choices })
            }
            QuestionKind::Number { least: Some(least), most: Some(most) } if least > most => {
                errors.collect("least", Err(FieldProblem::new("error.number_order")))
            }
            kind => Some(kind),
        };
        match (id, label, help, kind) {
            (Some(id), Some(label), Some(help), Some(kind)) => Ok(Self {
                id: id.as_str().to_owned(),
                label,
                help: help.unwrap_or_default(),
                is_required: self.is_required,
                kind,
            }),
            _ => Err(errors),
        }
    }
}

fn checked_choices(choices: &[String]) -> Result<Vec<String>, FieldProblem> {
    let given: Vec<&str> = choices.iter().map(|choice| choice.trim()).filter(|choice| !choice.is_empty()).collect();
    if given.is_empty() {
        return Err(FieldProblem::new("error.choices_missing"));
    }
    if given.len() > MOST_CHOICES {
        return Err(FieldProblem::new("error.choices_many").with("max", MOST_CHOICES));
    }
    let mut seen = BTreeSet::new();
    for choice in &given {
        if !seen.insert(*choice) {
            return Err(FieldProblem::new("error.choice_twice").with("value", choice));
        }
    }
    given.into_iter().map(|choice| required_text(choice, LONGEST_SHORT)).collect()
}

/// Every question checked, and their ids told apart.
///
/// # Errors
/// The fields of each question, such as `questions.2.label` (counted from 0).
pub fn checked_questions(questions: Vec<Question>) -> Result<Vec<Question>, FieldErrors> {
    let mut errors = FieldErrors::default();
    if questions.len() > MOST_QUESTIONS {
        return Err(FieldProblem::new("error.questions_many").with("max", MOST_QUESTIONS).at("questions").into());
    }
    let mut kept: Vec<Question> = Vec::with_capacity(questions.len());
    for (number, question) in questions.into_iter().enumerate() {
        match question.checked() {
            Ok(question) if kept.iter().any(|other| other.id == question.id) => {
                let problem = FieldProblem::new("error.question_twice").with("value", &question.id);
                errors.0.push(problem.at(format!("questions.{number}.id")));
            }
            Ok(question) => kept.push(question),
            Err(more) => errors.0.extend(
                more.0.into_iter().map(|error| error.problem.at(format!("questions.{number}.{}", error.field))),
            ),
        }
    }
    errors.into_result().map(|()| kept)
}

/// Reads an answer: its texts as they are kept, empty where an optional question was left alone.
///
/// # Errors
/// What would be right instead, for the field beside the question.
pub fn judge(question: &Question, given: &[&str]) -> Result<Vec<String>, FieldProblem> {
    let given: Vec<&str> = given.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    let Some(first) = given.first().copied() else {
        let is_checkbox = question.kind == QuestionKind::Checkbox;
        return match question.is_required {
            true if is_checkbox => Err(FieldProblem::new("error.must_be_ticked")),
            true => Err(FieldProblem::new("error.required")),
            false => Ok(Vec::new()),
        };
    };
    if given.len() > 1 && !matches!(question.kind, QuestionKind::Choices { .. }) {
        return Err(FieldProblem::new("error.one_answer"));
    }
    let one = |text: String| vec![text];
    match &question.kind {
        QuestionKind::ShortText => required_text(first, LONGEST_SHORT).map(one),
        QuestionKind::LongText => optional_text(first, LONGEST_LONG).map(|text| text.into_iter().collect()),
        QuestionKind::Choice { choices } | QuestionKind::Choices { choices } => {
            match given.iter().find(|text| !choices.iter().any(|choice| choice == *text)) {
                Some(unknown) => Err(FieldProblem::new("error.no_choice").with("value", unknown)),
                // In the order of the question, each once.
                None => Ok(choices.iter().filter(|choice| given.contains(&choice.as_str())).cloned().collect()),
            }
        }
        QuestionKind::Number { least, most } => {
            let number = first.parse::<i64>().map_err(|_| FieldProblem::new("error.whole_number"))?;
            let (low, high) = (least.unwrap_or(i64::MIN), most.unwrap_or(i64::MAX));
            match (low <= number && number <= high, least, most) {
                (true, _, _) => Ok(one(number.to_string())),
                (false, Some(_), None) => Err(FieldProblem::new("error.at_least").with("min", low)),
                (false, None, Some(_)) => Err(FieldProblem::new("error.at_most").with("max", high)),
                (false, _, _) => Err(FieldProblem::new("error.out_of_range").with("min", low).with("max", high)),
            }
        }
        QuestionKind::Phone => PhoneNumber::parse(first).map(|number| one(number.as_str().to_owned())),
        QuestionKind::Checkbox if matches!(first, "on" | "true") => Ok(one("on".to_owned())),
        QuestionKind::Checkbox => Err(FieldProblem::new("error.checkbox")),
    }
}

/// Reads all answers; `given` finds the texts for a question's id.
///
/// # Errors
/// The field `answers.` and the question's id, for each that was refused.
pub fn judge_all<'a>(questions: &[Question], given: impl Fn(&str) -> Vec<&'a str>) -> Result<Vec<Answer>, FieldErrors> {
    let mut errors = FieldErrors::default();
    let mut answers = Vec::new();
    for question in questions {
        let judged = judge(question, &given(&question.id));
        let values = errors.collect(format!("answers.{}", question.id), judged).unwrap_or_default();
        if !values.is_empty() {
            answers.push(Answer { id: question.id.clone(), label: question.label.clone(), values });
        }
    }
    errors.into_result().map(|()| answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(kind: QuestionKind) -> Question {
        Question { id: "q".to_owned(), label: "Q?".to_owned(), help: String::new(), is_required: true, kind }
    }

    fn colours() -> Vec<String> {
        ["red", "green", "blue"].map(str::to_owned).to_vec()
    }

    #[test]
    fn each_kind_accepts_what_fits_and_says_what_would() {
        let number = |least, most| QuestionKind::Number { least, most };
        type Case<'a> = (QuestionKind, &'a [&'a str], Result<&'a [&'a str], &'a str>);
        let cases: &[Case<'_>] = &[
            (QuestionKind::ShortText, &["  Acme "], Ok(&["Acme"])),
            (QuestionKind::ShortText, &["a\nb"], Err("error.control_character")),
            (QuestionKind::ShortText, &["a", "b"], Err("error.one_answer")),
            (QuestionKind::LongText, &["a\nb"], Ok(&["a\nb"])),
            (QuestionKind::Choice { choices: colours() }, &["green"], Ok(&["green"])),
            (QuestionKind::Choice { choices: colours() }, &["pink"], Err("error.no_choice")),
            (QuestionKind::Choices { choices: colours() }, &["blue", "red", "blue"], Ok(&["red", "blue"])),
            (QuestionKind::Choices { choices: colours() }, &[], Err("error.required")),
            (number(None, None), &["-3"], Ok(&["-3"])),
            (number(None, None), &["3.5"], Err("error.whole_number")),
            (number(Some(1), None), &["0"], Err("error.at_least")),
            (number(None, Some(9)), &["10"], Err("error.at_most")),
            (QuestionKind::Phone, &["+34 600 123 456"], Ok(&["+34600123456"])),
            (QuestionKind::Phone, &["me"], Err("error.phone")),
            (QuestionKind::Checkbox, &["on"], Ok(&["on"])),
            (QuestionKind::Checkbox, &[], Err("error.must_be_ticked")),
            (QuestionKind::Checkbox, &["maybe"], Err("error.checkbox")),
        ];
        for (kind, given, expected) in cases {
            let judged = judge(&question(kind.clone()), given);
            let judged = judged.as_ref().map(|texts| texts.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(judged.as_deref().map_err(|problem| problem.key), *expected, "{kind:?} {given:?}");
        }
    }

    #[test]
    fn an_optional_question_may_be_left_alone() {
        let optional = Question { is_required: false, ..question(QuestionKind::Phone) };
        assert_eq!(judge(&optional, &["  "]), Ok(Vec::new()));
        assert_eq!(judge_all(&[optional], |_| vec![""]), Ok(Vec::new()));
    }

    #[test]
    fn a_refused_answer_names_its_question() {
        let errors = judge_all(&[question(QuestionKind::Phone)], |_| vec!["me"]).unwrap_err();
        assert_eq!(errors.0[0].field, "answers.q");
    }

    #[test]
    fn a_question_that_cannot_be_asked_is_told_by_its_number_and_field() {
        let no_choices = question(QuestionKind::Choice { choices: vec![" ".to_owned()] });
        let wrong = Question { id: "A b".to_owned(), label: String::new(), ..no_choices };
        let twice = vec![question(QuestionKind::Phone), wrong, question(QuestionKind::Checkbox)];
        let errors = checked_questions(twice).unwrap_err();
        let fields: Vec<_> = errors.0.iter().map(|error| error.field.as_ref()).collect();
        assert_eq!(fields, ["questions.1.id", "questions.1.label", "questions.1.choices", "questions.2.id"]);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_question_survives_json() {
        let asked = question(QuestionKind::Choices { choices: colours() });
        let json = serde_json::to_string(&asked).unwrap();
        assert!(json.contains(r#""kind":"choices","choices":["red""#), "{json}");
        assert_eq!(serde_json::from_str::<Question>(&json).unwrap(), asked);
    }
}
