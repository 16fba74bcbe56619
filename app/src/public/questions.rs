//! What the event type asks, each question by the control that fits its answers.

use cupo_core::question::{Question, QuestionKind};
use leptos::prelude::*;

use super::fields::{Field, Line, Need};
use crate::text::t;

/// More choices than this are folded into a list that opens.
const IN_SIGHT: usize = 6;

/// A question with what was answered so far.
pub(super) fn control(question: &Question, given: &[String], problem: Option<String>) -> AnyView {
    let field = Field {
        name: format!("answers.{}", question.id),
        label: question.label.clone(),
        help: question.help.clone(),
        need: Need::of(question.is_required),
        problem,
    };
    let first = given.first().map_or("", String::as_str);
    match &question.kind {
        QuestionKind::ShortText => field.line(first, Line { maxlength: Some("300"), ..Line::of("text") }),
        QuestionKind::LongText => field.lines(first, "2000"),
        QuestionKind::Number { least, most } => {
            let bound = |number: &Option<i64>| number.map(|number| number.to_string());
            field.line(first, Line { min: bound(least), max: bound(most), ..Line::of("number") })
        }
        QuestionKind::Phone => field.line(first, Line { autocomplete: Some("tel"), ..Line::of("tel") }),
        QuestionKind::Checkbox => field.tick(!first.is_empty()),
        QuestionKind::Choices { choices } => field.checkboxes(choices, given),
        // A radio button that was chosen cannot be let go of again, so only what must be answered has them.
        QuestionKind::Choice { choices } if question.is_required && choices.len() <= IN_SIGHT => {
            field.radios(choices, given)
        }
        QuestionKind::Choice { choices } => {
            let nothing = (String::new(), t("public.choose").to_owned());
            let options = choices.iter().map(|choice| (choice.clone(), choice.clone()));
            field.select(std::iter::once(nothing).chain(options).collect(), first)
        }
    }
}
