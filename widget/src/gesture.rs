//! What the visitor does with mouse, finger and keyboard, as actions. One listener at the root of the widget hears all;
//! what an element is for stands in its attributes.

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, KeyboardEvent};

use crate::browser;
use crate::calendar::{Day, parse_instant};
use crate::form::Field;
use crate::json::Json;
use crate::state::{Action, Movement, View};

/// The events that are listened to.
pub const EVENTS: [&str; 7] = ["click", "keydown", "input", "focusout", "change", "submit", "mousedown"];

/// The events of the window that are listened to, on their way to their targets.
pub const WINDOW_EVENTS: [&str; 5] = ["mousedown", "mouseup", "online", "offline", "visibilitychange"];

/// Reads an event; `None` when it asks for nothing. Prevents what the browser would do with an event that is ours.
pub fn read(event: &Event) -> Option<Action> {
    match event.type_().as_str() {
        "mousedown" if event.event_phase() == Event::CAPTURING_PHASE => return Some(Action::Press(true)),
        "mouseup" => return Some(Action::Press(false)),
        "online" => return Some(Action::Online(true)),
        "offline" => return Some(Action::Online(false)),
        "visibilitychange" => return (!event.target()?.flag("hidden")).then(|| Action::Look(browser::present())),
        _ => {}
    }
    let target: Element = event.target()?.unchecked_into();
    let is_search = is_search(&target);
    Some(match event.type_().as_str() {
        "click" => click(event, &target)?,
        "keydown" => {
            let key: &KeyboardEvent = event.unchecked_ref();
            let action = if is_search { search_key(key)? } else { day_key(&target, key)? };
            event.prevent_default();
            action
        }
        "input" if is_search => Action::SearchZone(target.text("value")),
        "focusout" if is_search => Action::LeaveZones,
        "input" => {
            let (field, text) = (field(&target)?, target.text("value"));
            if target.text("type") == "checkbox" {
                Action::Tick { field, choice: text, is_ticked: target.flag("checked") }
            } else {
                Action::Type { field, text }
            }
        }
        "focusout" => Action::Leave(field(&target)?),
        "mousedown" => {
            // The search keeps the focus while a zone is pressed, or what closes the list.
            if let Ok(Some(_)) = target.closest("[data-zone],button[aria-expanded=true]") {
                event.prevent_default();
            }
            return None;
        }
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
                "view" => Action::ChooseView(View::parse(&value)),
                _ => return None,
            }
        }
    })
}

/// The zone of an option of the list of zones.
fn option_of(target: &Element) -> Option<String> {
    target.closest("[data-zone]").ok()??.get_attribute("data-zone")
}

fn is_search(target: &Element) -> bool {
    target.get_attribute("role").as_deref() == Some("combobox")
}

fn click(event: &Event, target: &Element) -> Option<Action> {
    if let Some(zone) = option_of(target) {
        return Some(Action::ChooseZone(zone));
    }
    let button = target.closest("button,a").ok()??;
    let press = button.get_attribute("data-press");
    // The second click of a doubled one meets what the first has brought there. Only months are turned in a hurry.
    if event.number("detail") > Some(1.0) && !matches!(press.as_deref(), Some("earlier" | "later")) {
        event.prevent_default();
        return None;
    }
    if let Some(day) = button.get_attribute("data-day") {
        return Day::parse(&day).map(Action::ShowDay);
    }
    if let Some(start) = button.get_attribute("data-start") {
        return parse_instant(&start).map(Action::Pick);
    }
    Some(match press?.as_str() {
        "earlier" => Action::Turn(-1),
        "later" => Action::Turn(1),
        "soonest" => Action::Pick(parse_instant(&button.get_attribute("value")?)?),
        "more" => Action::ListMore,
        "zones" => Action::OpenZones(browser::present()),
        "retry" => Action::Retry,
        "seek" => Action::Seek,
        "back" => Action::Back,
        "extend" => Action::Extend,
        "reschedule" => Action::Reschedule,
        "cancel" => Action::Cancel,
        "anew" => Action::Anew,
        _ => return None,
    })
}

fn field(target: &Element) -> Option<Field> {
    target.get_attribute("data-field")?.parse().ok().map(Field)
}

/// A key in the search for a zone.
fn search_key(event: &KeyboardEvent) -> Option<Action> {
    Some(match event.key().as_str() {
        "ArrowUp" => Action::MoveZone(-1),
        "ArrowDown" => Action::MoveZone(1),
        "Enter" => Action::ChooseZone(String::new()),
        "Escape" => Action::CloseZones,
        _ => return None,
    })
}

/// A key on a day of the grid.
fn day_key(target: &Element, event: &KeyboardEvent) -> Option<Action> {
    target.get_attribute("data-day")?;
    let months = if event.shift_key() { 12 } else { 1 };
    Some(Action::Move(match event.key().as_str() {
        "ArrowLeft" => Movement::Sideways(-1),
        "ArrowRight" => Movement::Sideways(1),
        "ArrowUp" => Movement::Weeks(-1),
        "ArrowDown" => Movement::Weeks(1),
        "PageUp" => Movement::Months(-months),
        "PageDown" => Movement::Months(months),
        "Home" => Movement::WeekStart,
        "End" => Movement::WeekEnd,
        _ => return None,
    }))
}
