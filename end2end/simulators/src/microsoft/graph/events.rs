//! Events: list, get, create, change, delete, and what organisers and attendees do to them.

use axum::response::IntoResponse;
use http::StatusCode;
use http::header::IF_MATCH;
use serde_json::{Value, json};

use super::super::attendance::{self, Answer as Response};
use super::super::event_writes::Write;
use super::super::ids::ItemRef;
use super::calendars::page;
use super::error::GraphError;
use super::filter::{self, Filter};
use super::{Answer, Call, resource};

const PAGE: usize = 10;

/// `GET .../events`: single events and series, without occurrences.
pub fn list(call: &Call<'_>, calendar: Option<&str>) -> Answer {
    let rendering = call.rendering()?;
    let filter = Filter::read(&call.query)?;
    let descending = filter::is_descending(&call.query)?;
    let world = call.microsoft.world();
    let calendar = call.calendar(&world, calendar)?;
    let zone = world.zone_of(calendar);
    let mut items: Vec<_> = calendar.events.values().map(super::super::event::Event::item).collect();
    items.retain(|item| filter.holds(item, zone));
    items.sort_by_key(|item| (item.event.start.instant(zone), item.id));
    if descending {
        items.reverse();
    }
    let events: Vec<Value> = items.iter().map(|item| rendering.event(calendar, item)).collect();
    let mut answer = page(call, events, PAGE)?;
    answer["@odata.context"] = json!(call.context(&world, "events"));
    Ok(resource(StatusCode::OK, answer))
}

/// `POST .../events`.
pub fn create(call: &Call<'_>, calendar: Option<&str>) -> Answer {
    let rendering = call.rendering()?;
    let body = call.json()?;
    let calendar = call.calendar(&call.microsoft.world(), calendar)?.key;
    let write = write(call, calendar);
    let key = call.microsoft.write(|world| write.create(world, &body))?;
    let world = call.microsoft.world();
    let calendar = world.calendar(calendar)?;
    let item = calendar.item(ItemRef::event(key)).ok_or_else(GraphError::not_found)?;
    let mut event = rendering.event(calendar, &item);
    event["@odata.context"] = json!(call.context(&world, "events/$entity"));
    Ok(resource(StatusCode::CREATED, event))
}

/// `GET .../events/{id}`.
pub fn get(call: &Call<'_>, calendar: Option<&str>, id: &str) -> Answer {
    let rendering = call.rendering()?;
    let world = call.microsoft.world();
    let (calendar, item) = find(call, &world, calendar, id)?;
    let mut event = rendering.event(calendar, &item);
    event["@odata.context"] = json!(call.context(&world, "events/$entity"));
    Ok(resource(StatusCode::OK, event))
}

/// `PATCH .../events/{id}`.
pub fn update(call: &Call<'_>, calendar: Option<&str>, id: &str) -> Answer {
    let body = call.json()?;
    let (key, item) = place(call, calendar, id)?;
    let write = write(call, key);
    call.microsoft.write(|world| write.update(world, item, &body))?;
    get(call, calendar, id)
}

/// `DELETE .../events/{id}` and `.../permanentDelete`.
pub fn delete(call: &Call<'_>, calendar: Option<&str>, id: &str) -> Answer {
    let (key, item) = place(call, calendar, id)?;
    let write = write(call, key);
    call.microsoft.write(|world| write.delete(world, item, None))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST .../events/{id}/{action}`: 202, without a body.
pub fn act(call: &Call<'_>, calendar: Option<&str>, id: &str, action: &str) -> Answer {
    let body = call.json()?;
    // The documentation writes `comment`, the metadata `Comment`.
    let body: serde_json::Map<String, Value> = body
        .into_iter()
        .map(|(name, value)| {
            let mut letters = name.chars();
            let name = letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect());
            (name, value)
        })
        .collect();
    let (key, item) = place(call, calendar, id)?;
    let write = write(call, key);
    let response = match action {
        "accept" => Response::Accept,
        "tentativelyAccept" => Response::TentativelyAccept,
        "decline" => Response::Decline,
        "cancel" => {
            let is_organizer = find(call, &call.microsoft.world(), calendar, id)?.1.event.is_organizer;
            if !is_organizer {
                let message = "Your request can't be completed. You need to be an organizer to cancel a meeting.";
                return Err(GraphError::bad_request("ErrorInvalidRequest", message));
            }
            let comment = body.get("comment").and_then(Value::as_str).unwrap_or_default();
            call.microsoft.write(|world| write.delete(world, item, Some(comment)))?;
            return Ok(StatusCode::ACCEPTED.into_response());
        }
        _ => return Err(super::unknown_path(call.path)),
    };
    call.microsoft.write(|world| attendance::answer(&write, world, item, response, &body))?;
    Ok(StatusCode::ACCEPTED.into_response())
}

fn find<'w>(
    call: &Call<'_>,
    world: &'w super::World,
    calendar: Option<&str>,
    id: &str,
) -> Result<(&'w super::Calendar, super::super::event::Item), GraphError> {
    let (held_in, item) = world.find(&call.mailbox, id)?;
    if let Some(calendar) = calendar
        && world.calendar_by_id(&call.mailbox, calendar)?.key != held_in.key
    {
        return Err(GraphError::not_found());
    }
    Ok((held_in, item))
}

fn place(call: &Call<'_>, calendar: Option<&str>, id: &str) -> Result<(u64, ItemRef), GraphError> {
    let world = call.microsoft.world();
    let (calendar, item) = find(call, &world, calendar, id)?;
    Ok((calendar.key, item.id))
}

fn write<'a>(call: &'a Call<'_>, calendar: u64) -> Write<'a> {
    let if_match = call.headers.get(IF_MATCH).and_then(|tag| tag.to_str().ok());
    Write { calendar, if_match, ids: call.prefer.ids, now: call.now }
}
