//! The second step: who the visitor is, and what the host wants to know.

use cupo_core::question::QuestionKind;

use super::{Words, button, countdown, fill, message, notice, outline, series};
use crate::form::Field;
use crate::node::{Nodes, only_if};
use crate::state::{State, Step};
use crate::strings::{concat, decimal};

/// So many choices can be seen at a glance; more are a select.
const MOST_IN_SIGHT: usize = 6;

/// The texts that name the fields of every event type.
const LABELS: [&str; Field::QUESTIONS.0] =
    ["name", "email", "phone", "notes", "repeat", "dates", "skip_taken", "reason", "scope"];

pub fn step(card: &mut Nodes, state: &State, words: &impl Words) {
    card.element("form", &[("class", "details"), ("novalidate", "")], |form| {
        form.line("h3", &[("data-heading", ""), ("tabindex", "-1")], &words.text("your_details"));
        notice(form, state, words);
        for field in state.event.fields() {
            if !state.hidden[field.0] {
                self::field(form, state, field, words);
            }
        }
        if state.event.most_occurrences > 1 {
            series::choice(form, state, words);
        }
        actions(form, state, if state.event.needs_approval { "request" } else { "book" }, words);
        if let Some(seconds) = state.seconds_left() {
            form.element("div", &[("class", "kept"), ("role", "timer")], |kept| {
                kept.line("p", &[], &fill(&words.text("kept_for"), &[("time", &countdown(seconds, words))]));
                button(kept, "plain", "extend", &words.text("extend"));
            });
        }
    });
}

/// The ways back and on, and below them that the answer takes long. Where asking once more may help, the way on says so.
pub fn actions(form: &mut Nodes, state: &State, go: &str, words: &impl Words) {
    let go = match state.notice {
        _ if state.sending => "sending",
        Some(notice) if notice.is_passing() => "retry",
        _ => go,
    };
    let class = if state.step == Step::Cancelling { "main danger" } else { "main" };
    form.element("div", &[("class", "actions")], |actions| {
        let back = [("type", "button"), ("class", "plain back"), ("data-press", "back")];
        actions.element("button", &back, |back| {
            back.icon(outline::BACK);
            back.text(&words.text("back"));
        });
        let attributes = [("type", "submit"), ("class", class), only_if(state.sending, "aria-disabled", "true")];
        actions.line("button", &attributes, &words.text(go));
    });
    let slow = if state.sending && state.is_slow { words.text("slow") } else { String::new() };
    form.line("p", &[("class", "slow"), ("role", "status")], &slow);
}

/// What a field is filled in with.
#[derive(Clone, Copy, PartialEq)]
enum Control {
    /// One line, and what the browser may fill in.
    Line(&'static str),
    Area,
    Select,
    /// A button for each choice; the group of them has the label.
    Group,
    /// A box beside its label.
    Box,
}

/// The control of a field and its type.
fn control(field: Field, kind: Option<&QuestionKind>) -> (Control, &'static str) {
    match (field, kind) {
        (Field::NAME, _) => (Control::Line("name"), "text"),
        (Field::EMAIL, _) => (Control::Line("email"), "email"),
        (Field::PHONE, _) | (_, Some(QuestionKind::Phone)) => (Control::Line("tel"), "tel"),
        (Field::NOTES | Field::REASON, _) | (_, Some(QuestionKind::LongText)) => (Control::Area, ""),
        (Field::SKIP_TAKEN | Field::SCOPE, _) | (_, Some(QuestionKind::Checkbox)) => (Control::Box, "checkbox"),
        (_, Some(QuestionKind::Choices { .. })) => (Control::Group, "checkbox"),
        (_, Some(QuestionKind::Choice { choices })) if choices.len() <= MOST_IN_SIGHT => (Control::Group, "radio"),
        (_, Some(QuestionKind::ShortText | QuestionKind::Number { .. })) => (Control::Line("off"), "text"),
        _ => (Control::Select, ""),
    }
}

/// The options of a select.
fn options(state: &State, field: Field, choices: &[String], words: &impl Words) -> Nodes {
    let mut options = Nodes::default();
    let chosen = &state.details[field.0];
    if field == Field::FREQUENCY {
        for (value, key) in series::FREQUENCIES {
            options.option(value, &words.text(key), chosen);
        }
    } else if field == Field::COUNT {
        for count in 2..=state.event.most_occurrences {
            let count = decimal(count);
            options.option(&count, &count, chosen);
        }
    } else {
        options.option("", "", chosen);
        for choice in choices {
            options.option(choice, choice, chosen);
        }
    }
    options
}

/// A field, its label, and beside it what is wrong with it.
pub fn field(form: &mut Nodes, state: &State, field: Field, words: &impl Words) {
    let question = state.event.question(field);
    let kind = question.map(|question| &question.kind);
    let (label, help, is_required) = match question {
        Some(question) => (question.label.clone(), question.help.as_str(), question.is_required),
        None => {
            let is_optional = matches!(field, Field::NOTES | Field::REASON | Field::SCOPE);
            (words.text(LABELS[field.0]), "", !is_optional)
        }
    };
    let choices = match kind {
        Some(QuestionKind::Choice { choices } | QuestionKind::Choices { choices }) => choices.as_slice(),
        _ => &[],
    };
    let text = &state.details[field.0];
    let problem = state.problems[field.0].as_ref().map(|problem| message(problem, words)).unwrap_or_default();
    let (control, input_type) = control(field, kind);
    // Of several radio buttons none is needed or wrong by itself: their group is.
    let is_group = control == Control::Group;
    let is_radio = input_type == "radio";

    let (name, index) = (state.event.name_of(field), decimal(field.0 as u32));
    let with = |suffix: &str| concat(&[&name, suffix]);
    let (label_id, help_id, problem_id) = (with("-label"), with("-help"), with("-problem"));
    let described_by = if help.is_empty() { problem_id.clone() } else { concat(&[&help_id, " ", &problem_id]) };
    let shared = [
        only_if(!is_group, "id", &name),
        ("name", &name),
        ("data-field", &index),
        ("aria-describedby", &described_by),
        only_if(is_required && !is_group, "aria-required", "true"),
        only_if(!problem.is_empty() && !is_radio, "aria-invalid", "true"),
    ];
    let row = |nodes: &mut Nodes, value: &str, label: &str| {
        let is_ticked = only_if(text.split('\n').any(|line| line == value), "checked", "");
        nodes.element("label", &[("class", "row")], |row| {
            row.push("input", &shared, &[("type", input_type), ("value", value), is_ticked], Nodes::default());
            row.line("span", &[], label);
        });
    };
    let group = [
        ("class", "field"),
        only_if(is_group, "role", if is_radio { "radiogroup" } else { "group" }),
        only_if(is_group, "aria-labelledby", &label_id),
        only_if(is_required && is_radio, "aria-required", "true"),
        only_if(!problem.is_empty() && is_radio, "aria-invalid", "true"),
    ];
    form.element("div", &group, |nodes| {
        if control != Control::Box {
            let (tag, attribute) = if is_group { ("p", ("id", &label_id)) } else { ("label", ("for", &name)) };
            nodes.element(tag, &[("class", "label"), (attribute.0, attribute.1)], |nodes| {
                nodes.text(&label);
                if !is_required {
                    nodes.text(" ");
                    nodes.line("span", &[("class", "optional")], &words.text("optional"));
                }
            });
        }
        if !help.is_empty() {
            nodes.line("p", &[("class", "help"), ("id", &help_id)], help);
        }
        match control {
            Control::Line(autocomplete) => {
                let is_count = matches!(kind, Some(QuestionKind::Number { least: Some(0..), .. }));
                let own = [
                    ("type", input_type),
                    ("autocomplete", autocomplete),
                    ("value", text),
                    only_if(is_count, "inputmode", "numeric"),
                ];
                let dial_code = state.event.dial_code.as_str();
                if input_type == "tel" {
                    nodes.element("div", &[("class", "tel"), ("dir", "ltr")], |tel| {
                        // What is taken to stand before a number that tells no country.
                        let is_told = text.starts_with('+') || text.starts_with("00") || dial_code.is_empty();
                        tel.line("span", &[only_if(is_told, "hidden", "")], dial_code);
                        tel.push("input", &shared, &own, Nodes::default());
                    });
                } else {
                    nodes.push("input", &shared, &own, Nodes::default());
                }
            }
            Control::Area => nodes.line("textarea", &shared, text),
            Control::Select => {
                nodes.push("select", &shared, &[], options(state, field, choices, words));
                nodes.icon(outline::FORTH);
            }
            Control::Group => {
                for choice in choices {
                    row(nodes, choice, choice);
                }
            }
            Control::Box => row(nodes, "on", &label),
        }
        nodes.line("p", &[("class", "problem"), ("id", &problem_id)], &problem);
    });
}
