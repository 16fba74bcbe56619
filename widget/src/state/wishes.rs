//! What the page wishes of the widget beside the event type, and what it is told.

use cupo_core::tracking;

use super::kept::Kept;
use crate::calendar::{Day, Instant};
use crate::form::Field;
use crate::json::Json;
use crate::model::EventType;
use crate::strings::list;
use crate::zone::Zone;

/// What the page, or the tab's earlier visit of it, wishes; by default nothing.
#[derive(Clone, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
pub struct Wishes {
    /// How the first step shows the free times: `month`, `week` or `list`; empty for the usual one.
    pub view: String,
    /// The first day of the week: 0 is Monday, 6 is Sunday.
    pub week_start: i32,
    /// The zone in which the host is.
    pub host_zone: Option<Zone>,
    /// What stands in the fields at first.
    pub prefill: Vec<(Field, String)>,
    /// The questions that the page answers out of sight.
    pub hidden: Vec<(Field, String)>,
    /// Where the visitor came from, by the names of [`tracking::NAMES`].
    pub tracking: Vec<(&'static str, String)>,
    /// The secret of an appointment that is to be seen, moved or cancelled instead; empty for booking one.
    pub manage: String,
    /// What the tab's session kept of an earlier visit.
    pub kept: Option<Kept>,
}

impl Wishes {
    /// Reads the options of a page: `{ view, prefill: { name, email, phone, notes, answers: { id: text } }, hidden: { name,
    /// …, id: text }, tracking: { utm_source, … }, manage }`. Each may be missing; an answer is a text, or several in an array.
    pub fn read(options: &impl Json, event: &EventType) -> Self {
        let mut wishes = Self { view: options.text("view"), manage: options.text("manage"), ..Self::default() };
        if let Some(prefill) = options.get("prefill") {
            wishes.prefill = own_fields(&prefill, event);
            wishes.prefill.extend(answers(prefill.get("answers"), event));
        }
        if let Some(hidden) = options.get("hidden") {
            wishes.hidden = own_fields(&hidden, event);
            wishes.hidden.extend(answers(Some(hidden), event));
        }
        if let Some(given) = options.get("tracking") {
            for name in tracking::NAMES {
                wishes.tracking.extend(given.optional_text(name).map(|text| (name, text)));
            }
        }
        wishes
    }
}

/// What an object says to the fields that every event type has.
fn own_fields(given: &impl Json, event: &EventType) -> Vec<(Field, String)> {
    let fields = [Field::NAME, Field::EMAIL, Field::PHONE, Field::NOTES];
    list(fields.into_iter().filter_map(|field| Some((field, given.optional_text(&event.name_of(field))?))))
}

/// Several texts as lines.
fn lines(texts: &[impl Json]) -> String {
    let mut lines = String::new();
    for text in texts.iter().filter_map(Json::as_text) {
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(&text);
    }
    lines
}

/// What an object says to the questions of an event type, by their ids.
fn answers(given: Option<impl Json>, event: &EventType) -> Vec<(Field, String)> {
    let mut answers = Vec::new();
    for (number, question) in event.questions.iter().enumerate() {
        if let Some(answer) = given.as_ref().and_then(|given| given.get(&question.id)) {
            let text = answer.as_text().unwrap_or_else(|| lines(&answer.items()));
            answers.push((Field(Field::QUESTIONS.0 + number), text));
        }
    }
    answers
}

/// What the page is told, without anything personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The widget can be used.
    Ready,
    DaySelected(Day),
    SlotSelected(Instant),
    /// Booked, or asked for where a host has to agree.
    Booked {
        start: Instant,
        end: Instant,
    },
    Rescheduled {
        start: Instant,
        end: Instant,
    },
    Cancelled {
        start: Instant,
        end: Instant,
    },
    /// What went wrong, as a code for programs.
    Error(&'static str),
}

impl Event {
    /// Its name on the page without the prefix `cupo:`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::DaySelected(_) => "day-selected",
            Self::SlotSelected(_) => "slot-selected",
            Self::Booked { .. } => "booked",
            Self::Rescheduled { .. } => "rescheduled",
            Self::Cancelled { .. } => "cancelled",
            Self::Error(_) => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use cupo_core::question::QuestionKind;
    use serde_json::json;

    use super::*;
    use crate::model::tests::{asked, visit};

    #[test]
    fn a_page_that_wishes_nothing_is_read_as_such() {
        assert_eq!(Wishes::read(&json!({}), &visit()), Wishes::default());
    }

    #[test]
    fn the_wishes_of_a_page_are_read_and_what_nobody_asks_is_left_out() {
        let mut event = visit();
        let choices = QuestionKind::Choices { choices: vec!["red".to_owned(), "blue".to_owned()] };
        event.questions = vec![
            asked("size", QuestionKind::ShortText),
            asked("colours", choices),
            asked("plan", QuestionKind::Choice { choices: vec!["gold".to_owned()] }),
        ];
        let wishes = Wishes::read(
            &json!({
                "view": "week",
                "prefill": { "name": "Zoë", "email": 5, "answers": { "size": "L", "colours": ["red", "blue"], "shoe": "44" } },
                "hidden": { "plan": "gold", "notes": "From the blog", "other": "x" },
                "tracking": { "utm_source": "letter", "fbclid": "secret", "utm_term": "spring" },
                "manage": "token",
            }),
            &event,
        );
        let question = |number: usize| Field(Field::QUESTIONS.0 + number);
        assert_eq!((wishes.view.as_str(), wishes.manage.as_str()), ("week", "token"));
        assert_eq!(
            wishes.prefill,
            [(Field::NAME, "Zoë".to_owned()), (question(0), "L".to_owned()), (question(1), "red\nblue".to_owned())]
        );
        assert_eq!(wishes.hidden, [(Field::NOTES, "From the blog".to_owned()), (question(2), "gold".to_owned())]);
        assert_eq!(wishes.tracking, [("utm_source", "letter".to_owned()), ("utm_term", "spring".to_owned())]);
    }
}
