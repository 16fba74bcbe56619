//! Several dates at once: the choice of them in the details, and which of them are free.

use super::{Words, button, details::field, moment};
use crate::form::Field;
use crate::node::{Nodes, only_if};
use crate::state::{Dates, State};

/// How often an appointment repeats, and the texts of it.
pub const FREQUENCIES: [(&str, &str); 4] =
    [("", "once"), ("weekly", "weekly"), ("every_two_weeks", "every_two_weeks"), ("monthly", "monthly")];

pub fn choice(form: &mut Nodes, state: &State, words: &impl Words) {
    form.element("div", &[("class", "series")], |series| {
        series.element("div", &[("class", "pair")], |pair| {
            field(pair, state, Field::FREQUENCY, words);
            if state.repeats() {
                field(pair, state, Field::COUNT, words);
            }
        });
        series.element("div", &[("aria-live", "polite")], |nodes| dates(nodes, state, words));
        if state.taken_dates() > 0 {
            field(series, state, Field::SKIP_TAKEN, words);
        }
    });
}

fn dates(nodes: &mut Nodes, state: &State, words: &impl Words) {
    match &state.dates {
        Dates::Single => {}
        Dates::Asked(_) => {
            nodes.line("p", &[("class", "help")], &words.text(if state.is_slow { "slow" } else { "loading" }));
        }
        Dates::Failed => {
            nodes.line("p", &[("class", "help")], &words.text("slots_failed"));
            button(nodes, "plain", "retry", &words.text("retry"));
        }
        Dates::Known(dates) => nodes.element("ul", &[("class", "dates")], |list| {
            let free = words.text("free");
            for date in dates {
                list.element("li", &[only_if(!date.is_free, "class", "taken")], |item| {
                    item.line("span", &[], &moment(date.start, &state.zone, words));
                    item.text(" ");
                    item.line("small", &[], if date.is_free { &free } else { &date.reason });
                });
            }
        }),
    }
}
