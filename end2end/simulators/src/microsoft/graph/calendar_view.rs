//! `calendarView` and `instances`: events and occurrences within a window.

use http::StatusCode;
use serde_json::{Value, json};

use super::super::event::{EventKind, Item};
use super::super::view;
use super::calendars::page;
use super::error::GraphError;
use super::filter::{self, Filter};
use super::{Answer, Call, resource};

const PAGE: usize = 10;

/// `GET .../calendarView`, in pages by `$top` and `$skip`.
pub fn list(call: &Call<'_>, calendar: Option<&str>) -> Answer {
    let window = call.query.window()?;
    let rendering = call.rendering()?;
    let filter = Filter::read(&call.query)?;
    let descending = filter::is_descending(&call.query)?;
    let world = call.microsoft.world();
    let calendar = call.calendar(&world, calendar)?;
    let zone = world.zone_of(calendar);
    let mut items = view::items(calendar, window, zone);
    items.retain(|item| filter.holds(item, zone));
    if descending {
        items.reverse();
    }
    let events: Vec<Value> = items.iter().map(|item| rendering.event(calendar, item)).collect();
    let mut answer = page(call, events, PAGE)?;
    answer["@odata.context"] = json!(call.context(&world, "calendarView"));
    Ok(resource(StatusCode::OK, answer))
}

/// `GET .../events/{id}/instances`.
pub fn instances(call: &Call<'_>, calendar: Option<&str>, id: &str) -> Answer {
    let window = call.query.window()?;
    let rendering = call.rendering()?;
    let world = call.microsoft.world();
    let (held_in, series) = world.find(&call.mailbox, id)?;
    if let Some(calendar) = calendar
        && world.calendar_by_id(&call.mailbox, calendar)?.key != held_in.key
    {
        return Err(GraphError::not_found());
    }
    if series.kind != EventKind::SeriesMaster {
        return Err(GraphError::bad_request("ErrorInvalidRequest", "The event is not a series."));
    }
    let of_series = |item: &&Item| item.id.event == series.id.event;
    let items = view::items(held_in, window, world.zone_of(held_in));
    let events: Vec<Value> = items.iter().filter(of_series).map(|item| rendering.event(held_in, item)).collect();
    let mut answer = page(call, events, PAGE)?;
    answer["@odata.context"] = json!(call.context(&world, "events"));
    Ok(resource(StatusCode::OK, answer))
}
