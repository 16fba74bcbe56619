//! Moving an appointment to the start that was picked, and cancelling it: what will become of it, before it does.

use super::details::{actions, field};
use super::{Words, fact, moment, notice, outline};
use crate::form::Field;
use crate::node::Nodes;
use crate::state::{State, Step};

pub fn step(card: &mut Nodes, state: &State, words: &impl Words) {
    let Some(appointment) = &state.appointment else { return };
    let is_moving = state.step == Step::Moving;
    let (heading, go) = if is_moving { ("move_title", "move_now") } else { ("cancel_title", "cancel_now") };
    card.element("form", &[("class", "details"), ("novalidate", "")], |form| {
        form.line("h3", &[("data-heading", ""), ("tabindex", "-1")], &words.text(heading));
        notice(form, state, words);
        form.element("div", &[("class", "facts")], |facts| {
            let class = if is_moving { "fact old" } else { "fact" };
            fact(facts, class, outline::CALENDAR, &moment(appointment.start, &state.zone, words));
            if let Some(start) = state.start.filter(|_| is_moving) {
                fact(facts, "fact chosen", outline::CALENDAR, &moment(start, &state.zone, words));
            }
        });
        if !is_moving {
            field(form, state, Field::REASON, words);
        }
        // The others stand in their order, those before and after this one.
        if appointment.series.iter().any(|(start, _)| *start > appointment.start) {
            field(form, state, Field::SCOPE, words);
        }
        actions(form, state, go, words);
    });
}
