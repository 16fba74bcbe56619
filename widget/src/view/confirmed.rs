//! The last step: how an appointment stands, and what can be done with it.

use cupo_core::appointment::AppointmentStatus;

use super::{Words, button, fact, fill, moment, notice, outline, place};
use crate::model::Appointment;
use crate::node::{Nodes, only_if};
use crate::state::{Done, State};
use crate::strings::concat;
use crate::zone::{city, offset_label};

pub fn step(card: &mut Nodes, state: &State, words: &impl Words) {
    let Some(appointment) = &state.appointment else { return };
    let status = appointment.status;
    let is_pending = status == AppointmentStatus::Pending;
    let is_over = !status.claims_time();
    let (seal, heading) = match (status, state.done) {
        (AppointmentStatus::Pending, _) => (outline::CLOCK, "requested"),
        (AppointmentStatus::Cancelled, _) => (outline::CROSS, "cancelled"),
        (AppointmentStatus::Declined, _) => (outline::CROSS, "declined"),
        (AppointmentStatus::Expired, _) => (outline::CROSS, "lapsed"),
        (AppointmentStatus::Confirmed, Done::Moved) => (outline::CHECK, "moved"),
        (AppointmentStatus::Confirmed, Done::Opened) => (outline::CALENDAR, "opened"),
        (AppointmentStatus::Confirmed, _) => (outline::CHECK, "confirmed"),
    };
    card.element("div", &[("class", "confirmed")], |confirmed| {
        notice(confirmed, state, words);
        confirmed.element("div", &[("class", if is_over { "seal over" } else { "seal" })], |nodes| nodes.icon(seal));
        confirmed.line("h3", &[("data-heading", ""), ("tabindex", "-1")], &words.text(heading));
        let until = appointment.expires_at.filter(|_| is_pending);
        let until = until.map(|until| moment(until, &state.zone, words)).unwrap_or_default();
        let with = words.text(if until.is_empty() { "confirmed_with" } else { "requested_with" });
        let with = fill(&with, &[("host", &appointment.host_name), ("until", &until)]);
        confirmed.line("p", &[("class", "with")], &with);
        confirmed.element("div", &[("class", if is_over { "facts over" } else { "facts" })], |facts| {
            let zone = &state.zone;
            facts.line("p", &[("class", "date")], &words.day(zone.day(appointment.start)));
            let [from, to] = [appointment.start, appointment.end].map(|at| words.time(at, zone));
            facts.line("p", &[("class", "hours")], &concat(&[&from, " – ", &to]));
            let offset = offset_label(zone.offset(appointment.start));
            fact(facts, "fact", outline::GLOBE, &concat(&[&city(&zone.name), " · ", &offset]));
            place(facts, &appointment.location, words);
            if !is_over {
                meeting(facts, appointment, words);
            }
        });
        if state.done == Done::Booked && !is_over {
            let sent = fill(&words.text("mail_sent"), &[("email", &appointment.visitor_email)]);
            confirmed.line("p", &[("class", "sent")], &sent);
        }
        if !appointment.series.is_empty() {
            confirmed.line("p", &[("class", "label")], &words.text("others"));
            confirmed.element("ul", &[("class", "dates")], |list| {
                for (start, url) in &appointment.series {
                    list.element("li", &[], |item| link(item, url, &moment(*start, &state.zone, words)));
                }
            });
        }
        // What a host may still decline does not belong in a calendar yet.
        if status == AppointmentStatus::Confirmed {
            confirmed.element("div", &[("class", "add")], |add| {
                add.line("p", &[("class", "label")], &words.text("add_to_calendar"));
                link(add, &appointment.google_url, "Google");
                link(add, &appointment.outlook_url, "Outlook");
                link(add, &appointment.ics_url, &words.text("ics_file"));
            });
        }
        if is_over {
            button(confirmed, "main", "anew", &words.text("anew"));
        } else if appointment.start > state.now {
            changes(confirmed, appointment, words);
        }
    });
}

/// What can still be changed, here and on the page of the appointment.
fn changes(confirmed: &mut Nodes, appointment: &Appointment, words: &impl Words) {
    confirmed.element("div", &[("class", "add changes")], |changes| {
        if appointment.can_reschedule || appointment.can_cancel {
            changes.line("p", &[("class", "label")], &words.text("plans_change"));
        }
        if appointment.can_reschedule {
            button(changes, "plain", "reschedule", &words.text("reschedule"));
        }
        if appointment.can_cancel {
            button(changes, "plain", "cancel", &words.text("cancel"));
        }
        changes.element("p", &[], |page| link(page, &appointment.manage_url, &words.text("manage")));
    });
}

/// The address of the meeting once it is there.
fn meeting(facts: &mut Nodes, appointment: &Appointment, words: &impl Words) {
    if let Some(url) = &appointment.meeting_url {
        facts.element("p", &[("class", "fact meeting")], |meeting| {
            meeting.icon(outline::LINK);
            link(meeting, url, url.strip_prefix("https://").unwrap_or(url));
        });
    } else if appointment.meeting_pending {
        fact(facts, "fact pending", outline::LINK, &words.text("meeting_pending"));
    }
}

fn link(nodes: &mut Nodes, url: &str, label: &str) {
    nodes.line("a", &[("href", url), ("target", "_blank"), ("rel", "noopener")], label);
}

/// In place of an appointment that is being read, or could not be.
pub fn opening(card: &mut Nodes, state: &State, words: &impl Words) {
    card.element("div", &[("class", "confirmed"), only_if(state.notice.is_none(), "aria-busy", "true")], |opening| {
        opening.element("div", &[("class", "hint"), ("role", "status")], |hint| {
            let key = match state.notice {
                _ if state.is_offline => "offline",
                None if state.is_slow => "slow",
                None => "opening",
                Some(notice) if notice.is_passing() => notice.key(),
                Some(_) => "not_found",
            };
            hint.line("p", &[("class", "notice"), ("tabindex", "-1")], &words.text(key));
            if let Some(notice) = state.notice {
                let press = if notice.is_passing() { "retry" } else { "anew" };
                button(hint, "plain", press, &words.text(press));
            }
        });
    });
}
