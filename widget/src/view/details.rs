//! The second step: who the visitor is.

use super::{Words, message, notice, outline};
use crate::model::Field;
use crate::node::{Nodes, only_if};
use crate::state::State;

pub fn step(card: &mut Nodes, state: &State, words: &impl Words) {
    card.element("form", &[("class", "details"), ("novalidate", "")], |form| {
        form.line("h3", &[("data-heading", ""), ("tabindex", "-1")], &words.text("your_details"));
        notice(form, state, words);
        for field in Field::ALL {
            if field != Field::Phone || state.event.location.needs_phone {
                form.element("div", &[("class", "field")], |nodes| self::field(nodes, state, field, words));
            }
        }
        form.element("div", &[("class", "actions")], |actions| {
            let back = [("type", "button"), ("class", "plain back"), ("data-press", "back")];
            actions.element("button", &back, |back| {
                back.icon(outline::BACK);
                back.text(&words.text("back"));
            });
            let book = [("type", "submit"), ("class", "main"), only_if(state.sending, "aria-disabled", "true")];
            actions.line("button", &book, &words.text(if state.sending { "booking" } else { "book" }));
        });
    });
}

/// A field, its label, and beside it what is wrong with it.
fn field(nodes: &mut Nodes, state: &State, field: Field, words: &impl Words) {
    let name = field.name();
    let (tag, kind, autocomplete) = match field {
        Field::Name => ("input", "text", "name"),
        Field::Email => ("input", "email", "email"),
        Field::Phone => ("input", "tel", "tel"),
        Field::Notes => ("textarea", "", "off"),
    };
    let (typed, problem) = (&state.details[field.index()], &state.problems[field.index()]);
    let problem_id = [name, "-problem"].concat();
    nodes.element("label", &[("for", name)], |label| {
        label.text(&words.text(name));
        if field == Field::Notes {
            label.line("span", &[("class", "optional")], &words.text("optional"));
        }
    });
    let attributes = [
        ("id", name),
        ("name", name),
        ("type", kind),
        ("autocomplete", autocomplete),
        ("value", typed),
        only_if(field != Field::Notes, "aria-required", "true"),
        only_if(problem.is_some(), "aria-invalid", "true"),
        ("aria-describedby", &problem_id),
    ];
    nodes.element(tag, &attributes, |area| {
        if field == Field::Notes {
            area.text(typed);
        }
    });
    let problem = problem.as_ref().map(|problem| message(problem, words)).unwrap_or_default();
    nodes.line("p", &[("class", "problem"), ("id", &problem_id)], &problem);
}
