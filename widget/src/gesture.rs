//! What the visitor does with mouse, finger and keyboard, as actions. One listener at the root of the widget hears all;
//! what an element is for stands in its attributes.

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, KeyboardEvent};

use crate::browser;
use crate::calendar::{Day, parse_instant};
use crate::form::Field;
use crate::json::Json;
use crate::state::{Action, Movement};

/// The events that are listened to.
pub const EVENTS: [&str; 6] = ["click", "keydown", "input", "focusout", "change", "submit"];

/// What a gesture asks for.
pub enum Gesture {
    Act(Action),
    /// Another zone, by its name.
    Relocate(String),
}

/// Reads an event; `None` when it asks for nothing. Prevents what the browser would do with an event that is ours.
pub fn read(event: &Event, week_start: i32) -> Option<Gesture> {
    let target: Element = event.target()?.unchecked_into();
    let action = match event.type_().as_str() {
        "click" => click(&target)?,
        "keydown" => {
            target.get_attribute("data-day")?;
            let movement = movement(event.unchecked_ref())?;
            event.prevent_default();
            Action::Move { movement, week_start }
        }
        "input" => {
            let (field, text) = (field(&target)?, target.text("value"));
            if target.text("type") == "checkbox" {
                Action::Tick { field, choice: text, is_ticked: target.flag("checked") }
            } else {
                Action::Type { field, text }
            }
        }
        "focusout" => Action::Leave(field(&target)?),
        "submit" => {
            event.prevent_default();
            Action::Submit { fresh_key: browser::fresh_key() }
        }
        // "change": of what is not a field.
        _ => {
            let value = target.text("value");
            match target.get_attribute("data-press")?.as_str() {
                "duration" => Action::ChooseDuration(value.parse().ok()?),
                "host" => Action::ChooseHost(value),
                _ => return Some(Gesture::Relocate(value)),
            }
        }
    };
    Some(Gesture::Act(action))
}

fn click(target: &Element) -> Option<Action> {
    let button = target.closest("button").ok()??;
    if let Some(day) = button.get_attribute("data-day") {
        return Day::parse(&day).map(Action::ShowDay);
    }
    if let Some(start) = button.get_attribute("data-start") {
        return parse_instant(&start).map(Action::Pick);
    }
    Some(match button.get_attribute("data-press")?.as_str() {
        "earlier" => Action::Turn { months: -1 },
        "later" => Action::Turn { months: 1 },
        "retry" => Action::Retry,
        "seek" => Action::Seek,
        "back" => Action::Back,
        _ => return None,
    })
}

fn field(target: &Element) -> Option<Field> {
    target.get_attribute("data-field")?.parse().ok().map(Field)
}

fn movement(event: &KeyboardEvent) -> Option<Movement> {
    let months = if event.shift_key() { 12 } else { 1 };
    Some(match event.key().as_str() {
        "ArrowLeft" => Movement::Days(-1),
        "ArrowRight" => Movement::Days(1),
        "ArrowUp" => Movement::Days(-7),
        "ArrowDown" => Movement::Days(7),
        "PageUp" => Movement::Months(-months),
        "PageDown" => Movement::Months(months),
        "Home" => Movement::WeekStart,
        "End" => Movement::WeekEnd,
        _ => return None,
    })
}
