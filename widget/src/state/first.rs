//! First sight: a state from everything that comes with the first answer, in the browser and on the server, which writes what
//! is seen first.

use super::*;
use crate::calendar::DAY;
use crate::json::Json;
use crate::model::read_slots;
use crate::zone::BEYOND_THE_WINDOW;

/// Who comes to the widget, and when.
pub struct Visitor {
    /// The language as a BCP 47 tag.
    pub language: String,
    /// The zone's IANA name.
    pub zone: String,
    /// The secret of a single-use link; empty without one.
    pub link: String,
    pub now: Instant,
}

/// The state at first sight and the effects that follow. `first` is `cupo_core::wire::FirstView`, and `None` comes of anything
/// else; `learn` learns a zone of this name between two instants.
pub fn open(
    first: &impl Json,
    visitor: Visitor,
    learn: impl Fn(&str, Instant, Instant) -> Zone,
    wishes: impl FnOnce(&EventType) -> Wishes,
) -> Option<(State, Vec<Effect>)> {
    let event = EventType { link: visitor.link, ..EventType::read(&first.get("event_type")?)? };
    let mut wishes = wishes(&event);
    let learn = |name: &str| learn(name, visitor.now - DAY, event.window_end + BEYOND_THE_WINDOW);
    let zone = learn(&visitor.zone);
    wishes.week_start = first.number("week_start")? as i32;
    wishes.host_zone = Some(if zone.name == event.time_zone { zone.clone() } else { learn(&event.time_zone) });
    let mut state = State::new(event, visitor.language, zone, visitor.now, wishes);
    let effects = state.first_read(first);
    Some((state, effects))
}

impl State {
    /// Takes in the slots that came along, of whole months. A month in sight that did not, because the clocks of visitor and
    /// server disagree, is read. An appointment that is opened needs none of them.
    fn first_read(&mut self, first: &impl Json) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.step != Step::Pick {
            return effects;
        }
        let slots = first.get("slots").and_then(|slots| read_slots(&slots));
        let months = |key| Day::parse(&first.text(key)).map(Day::month);
        if let (Some(from), Some(to)) = (months("from"), months("to")) {
            for month in (from.0..=to.0).map(Month) {
                effects.extend(self.apply(Action::SlotsRead { month, wish: 0, slots: slots.clone() }));
            }
        }
        // What came along after it was asked for is not asked for any more; what is read besides comes last.
        let (mut needed, mut reads, mut is_asked) = (Vec::new(), Vec::new(), false);
        for effect in effects {
            match effect {
                Effect::ReadSlots { month, .. } if !self.slots_are_unknown(month) => {}
                Effect::ReadSlots { month, .. } => {
                    is_asked |= month == self.month;
                    reads.push(effect);
                }
                _ => needed.push(effect),
            }
        }
        if self.is_awaited(self.month) && !is_asked {
            reads.push(Effect::ReadSlots { month: self.month, wish: 0 });
        }
        needed.append(&mut reads);
        needed
    }

    fn slots_are_unknown(&self, month: Month) -> bool {
        self.months.iter().all(|known| known.month != month || known.slots.is_none())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::calendar::parse_instant;
    use crate::model::tests::visit;

    fn reads(month: &str) -> Effect {
        Effect::ReadSlots { month: Day::parse(month).unwrap().month(), wish: 0 }
    }

    /// The state on the evening of 29 November in UTC, which is the 30th in a zone eight hours further east.
    fn read(offset: i32, first: Value) -> (State, Vec<Effect>) {
        let now = parse_instant("2026-11-29T20:00:00Z").unwrap();
        let zone = Zone::learn("Etc/GMT".to_owned(), now, now, |_| offset);
        let mut state = State::new(visit(), "en".to_owned(), zone, now, Wishes::default());
        let effects = state.first_read(&first);
        (state, effects)
    }

    fn first(from: &str, to: &str, slots: &[&str]) -> Value {
        json!({ "from": from, "to": to, "slots": { "slots": slots } })
    }

    #[test]
    fn slots_that_came_along_are_not_read_again() {
        let (state, effects) = read(0, first("2026-11-01", "2026-11-30", &["2026-11-30T09:00:00Z"]));
        assert_eq!(state.day, Day::parse("2026-11-30"));
        assert_eq!(effects, [Effect::Tell(Event::Ready), reads("2026-12-01")]);
    }

    #[test]
    fn a_month_without_free_times_gives_way_to_the_next_if_that_came_along() {
        let two = first("2026-11-01", "2026-12-31", &["2026-12-01T09:00:00Z"]);
        let (state, effects) = read(0, two);
        assert_eq!((state.day, state.is_loading()), (Day::parse("2026-12-01"), false));
        assert_eq!(effects, [Effect::Tell(Event::Ready), reads("2027-01-01")]);
    }

    #[test]
    fn a_month_in_sight_that_did_not_come_along_is_read() {
        let (state, effects) = read(0, first("2026-10-01", "2026-10-31", &[]));
        assert_eq!((state.month, state.is_loading()), (Day::new(2026, 11, 1).month(), true));
        assert!(effects.contains(&reads("2026-11-01")), "{effects:?}");
        let (_, effects) = read(0, json!({}));
        assert_eq!(effects, [reads("2026-11-01")]);
    }

    #[test]
    fn an_appointment_that_is_opened_needs_no_slots() {
        let zone = Zone::learn("Etc/GMT".to_owned(), 0, 0, |_| 0);
        let wishes = Wishes { manage: "secret".to_owned(), ..Wishes::default() };
        let mut state = State::new(visit(), "en".to_owned(), zone, 0, wishes);
        assert_eq!(state.first_read(&json!({})), []);
    }

    #[test]
    fn slots_that_could_not_be_had_are_told_as_such() {
        let (state, effects) = read(0, json!({ "from": "2026-11-01", "to": "2026-11-30" }));
        assert!(state.has_failed());
        assert_eq!(effects, [Effect::Tell(Event::Ready)]);
    }
}
