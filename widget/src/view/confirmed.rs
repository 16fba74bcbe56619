//! The last step: what was booked, and what can be done with it.

use super::{Words, fact, fill, moment, outline, place};
use crate::model::Appointment;
use crate::node::Nodes;
use crate::state::State;

pub fn step(card: &mut Nodes, state: &State, words: &impl Words) {
    let Some(appointment) = &state.appointment else { return };
    card.element("div", &[("class", "confirmed")], |confirmed| {
        let (seal, heading) = match appointment.is_pending {
            true => (outline::CLOCK, "requested"),
            false => (outline::CHECK, "confirmed"),
        };
        confirmed.element("div", &[("class", "seal")], |nodes| nodes.icon(seal));
        confirmed.line("h3", &[("data-heading", ""), ("tabindex", "-1")], &words.text(heading));
        let until = appointment.expires_at.filter(|_| appointment.is_pending);
        let until = until.map(|until| moment(until, &state.zone, words)).unwrap_or_default();
        let with = words.text(if until.is_empty() { "confirmed_with" } else { "requested_with" });
        let with = fill(&with, &[("host", &appointment.host_name), ("until", &until)]);
        confirmed.line("p", &[("class", "with")], &with);
        confirmed.element("div", &[("class", "facts")], |facts| {
            let from = moment(appointment.start, &state.zone, words);
            let when = [&from, " – ", &words.time(appointment.end, &state.zone)].concat();
            fact(facts, "fact", outline::CALENDAR, &when);
            fact(facts, "fact", outline::GLOBE, &state.zone.name.replace('_', " "));
            place(facts, &appointment.location, words);
            meeting(facts, appointment, words);
        });
        if !appointment.series.is_empty() {
            confirmed.line("p", &[("class", "label")], &words.text("others"));
            confirmed.element("ul", &[("class", "dates")], |list| {
                for (start, url) in &appointment.series {
                    list.element("li", &[], |item| link(item, url, &moment(*start, &state.zone, words)));
                }
            });
        }
        // What a host may still decline does not belong in a calendar yet.
        if !appointment.is_pending {
            confirmed.element("div", &[("class", "add")], |add| {
                add.line("p", &[], &words.text("add_to_calendar"));
                link(add, &appointment.google_url, "Google");
                link(add, &appointment.outlook_url, "Outlook");
                link(add, &appointment.ics_url, &words.text("ics_file"));
            });
        }
        confirmed.element("p", &[("class", "manage")], |manage| {
            manage.text(&words.text("plans_change"));
            manage.text(" ");
            link(manage, &appointment.manage_url, &words.text("manage"));
        });
    });
}

/// The address of the meeting once it is there.
fn meeting(facts: &mut Nodes, appointment: &Appointment, words: &impl Words) {
    if let Some(url) = &appointment.meeting_url {
        facts.element("p", &[("class", "fact meeting")], |meeting| {
            meeting.icon(outline::LINK);
            link(meeting, url, url);
        });
    } else if appointment.meeting_pending {
        fact(facts, "fact pending", outline::LINK, &words.text("meeting_pending"));
    }
}

fn link(nodes: &mut Nodes, url: &str, label: &str) {
    nodes.line("a", &[("href", url), ("target", "_blank"), ("rel", "noopener")], label);
}
