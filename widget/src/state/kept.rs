//! What the tab's session keeps, so that a reload loses nothing that was typed and books nothing twice.

use super::*;
use crate::calendar::{DAY, MINUTE, format_instant, parse_instant};
use crate::json::{Json, ObjectWriter};
use crate::strings::{decimal, list};

/// A booking under way goes out again by itself only for so long after it was sent; later the visitor decides, who sees again
/// what was typed.
pub(super) const SENT_AGAIN: Instant = 15 * MINUTE;
/// For so long the server certainly knows a booking by its key; under an older one it could be booked once more.
pub(super) const REMEMBERED: Instant = DAY;

/// What was kept of an earlier visit of the page.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Kept {
    fields: Vec<(Field, String)>,
    /// The start that was picked, its length and the chosen host.
    start: Option<Instant>,
    duration: Option<u32>,
    host: String,
    hold: String,
    /// The booking that was under way, and when it was sent; key and body are empty without one.
    key: String,
    body: String,
    at: Instant,
}

impl Kept {
    /// Reads what [`State::kept`] wrote.
    pub fn read(json: &impl Json, event: &EventType) -> Option<Self> {
        let typed = json.get("fields")?;
        let fields = (0..Field::QUESTIONS.0 + event.questions.len()).map(Field);
        Some(Self {
            fields: list(fields.filter_map(|field| Some((field, typed.optional_text(&event.name_of(field))?)))),
            start: parse_instant(&json.text("start")),
            duration: json.text("duration").parse().ok().filter(|minutes| event.durations.contains(minutes)),
            host: json.text("host"),
            hold: json.text("hold"),
            key: json.text("key"),
            body: json.text("body"),
            at: parse_instant(&json.text("at")).unwrap_or_default(),
        })
    }
}

impl State {
    /// What is to be kept in the tab's session, as JSON; empty when nothing is. It is personal, and to be kept nowhere else.
    pub fn kept(&self) -> String {
        if self.appointment.is_some() || self.step == Step::Opening {
            return String::new();
        }
        let mut fields = ObjectWriter::begin();
        for (index, text) in self.details.iter().enumerate() {
            if text != self.prefilled(Field(index)) {
                fields.text(&self.event.name_of(Field(index)), text);
            }
        }
        let fields = fields.finish();
        if fields == "{}" && self.step == Step::Pick {
            return String::new();
        }
        let mut kept = ObjectWriter::begin();
        kept.member("fields", &fields).optional("hold", &self.standing_hold);
        if let (Step::Details, Some(start)) = (self.step, self.start) {
            kept.text("start", &format_instant(start))
                .text("duration", &decimal(self.duration))
                .text("host", &self.host);
            if let Some(sent) = &self.sent {
                kept.text("key", &sent.key).text("body", &sent.body).text("at", &format_instant(sent.at));
            }
        }
        kept.finish()
    }

    /// What the page put into a field.
    fn prefilled(&self, field: Field) -> &str {
        let mut given = self.wishes.prefill.iter().chain(&self.wishes.hidden);
        given.rfind(|(filled, _)| *filled == field).map_or("", |(_, text)| text)
    }

    /// Fills in what the page and an earlier visit know.
    pub(super) fn fill_in(&mut self) {
        let Wishes { prefill, hidden, kept, .. } = &self.wishes;
        let typed = kept.iter().flat_map(|kept| &kept.fields);
        // What the visitor has mended is the last word.
        for (field, text) in prefill.iter().chain(hidden).chain(typed) {
            self.details[field.0].clone_from(text);
        }
        for (field, text) in hidden {
            // An answer that is refused is shown, so that it can be mended.
            self.hidden[field.0] = *text == self.details[field.0] && self.event.judge(*field, text).is_none();
        }
        if let Some(kept) = kept {
            self.standing_hold.clone_from(&kept.hold);
        }
    }

    /// Opens the appointment of the page, or goes on where an earlier visit ended: a booking that was under way is asked for
    /// again under its key, so that it comes out whether it was booked, and after a while only when the visitor says so.
    pub(super) fn begin(&mut self, effects: &mut Vec<Effect>) {
        if self.step == Step::Opening {
            return self.open(effects);
        }
        let Some(kept) = self.wishes.kept.take() else { return };
        let is_fresh = !kept.key.is_empty() && self.now - kept.at < SENT_AGAIN;
        let Some(start) = kept.start.filter(|start| *start > self.now || is_fresh) else { return };
        let duration = kept.duration.unwrap_or(self.duration);
        let is_known = self.event.hosts.iter().any(|host| host.id == kept.host);
        let host = if is_known { kept.host } else { String::new() };
        if (self.duration, &self.host) != (duration, &host) {
            (self.duration, self.host) = (duration, host);
            self.read_anew(effects);
        }
        self.show_day_of_slot(Some(self.zone.day(start)));
        if kept.key.is_empty() {
            // Without taking the focus: the page has just been loaded, and where it stands is the visitor's choice.
            self.take(start, effects);
        } else {
            self.step = Step::Details;
            self.start = Some(start);
            let content = request::booking(self, start, "");
            let sent = Sent { key: kept.key, content, body: kept.body, at: kept.at };
            if is_fresh {
                self.send(sent, effects);
            } else {
                self.sent = Some(sent);
                self.notice = Some(Notice::Unreachable);
            }
        }
    }
}
