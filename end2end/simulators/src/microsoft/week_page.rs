//! The page for people: the week of a calendar, at `/`.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use chrono::NaiveDate;
use serde_json::{Value, json};

use std::sync::Arc;

use super::body;
use super::by_hand;
use super::event::Item;
use super::event_time::{EventTime, ShownZone};
use super::graph::error::GraphError;
use super::graph::render::{Rendering, wall_clock};
use super::simulation::Microsoft;
use super::view::{self, Window};
use super::world::Calendar;
use crate::week_page::{self, Words};

/// `/`, its style and script.
pub fn router() -> Router<Arc<Microsoft>> {
    let words = Words { title: "Simulated Outlook Calendar", title_member: "subject", meeting: "Microsoft Teams" };
    week_page::assets().route("/", get(move || async move { Html(week_page::page(&words)) }))
}

/// What the page shows from the day `from` to the day `to`, in wall-clock times of the mailbox.
pub fn week(microsoft: &Microsoft, calendar: &str, from: &str, to: &str) -> Result<Value, GraphError> {
    let world = microsoft.world();
    let calendar = by_hand::calendar(&world, calendar)?;
    let zone = world.zone_of(calendar);
    let midnight = |text: &str| {
        let invalid = |_| GraphError::bad_query("from and to are days, such as 2026-11-23.");
        let date: NaiveDate = text.parse().map_err(invalid)?;
        Ok::<_, GraphError>(EventTime::AllDay { date, zone }.instant(zone))
    };
    let window = Window { from: midnight(from)?, to: midnight(to)? };
    let now = microsoft.clock.now();
    let rendering = Rendering { zone: ShownZone { name: zone.name().to_owned(), zone }, now, ..Rendering::default() };
    let shown = |time: EventTime| match time {
        EventTime::Timed { at, .. } => json!(wall_clock(at, zone)),
        EventTime::AllDay { date, .. } => json!(date),
    };
    let items = view::items(calendar, window, zone).into_iter().map(|item| {
        let event = &item.event;
        let local = json!({
            "start": shown(event.start),
            "end": shown(event.end),
            "all_day": event.start.is_all_day(),
        });
        json!({ "local": local, "event": told(&rendering, calendar, &item) })
    });
    let items: Vec<Value> = items.collect();
    Ok(json!({ "items": items, "time_zone": zone.name(), "now": wall_clock(now, zone) }))
}

/// An event in the members that the page knows.
fn told(rendering: &Rendering, calendar: &Calendar, item: &Item) -> Value {
    let event = &item.event;
    let guests = event.attendees.iter().map(|guest| {
        let response = match guest.response.kind.as_str() {
            "accepted" | "declined" => guest.response.kind.as_str(),
            "tentativelyAccepted" => "tentative",
            _ => "needsAction",
        };
        json!({ "email": guest.person.address, "displayName": guest.person.name, "responseStatus": response })
    });
    let guests: Vec<Value> = guests.collect();
    let meeting = event.online_meeting.as_ref().filter(|meeting| meeting.ready_at <= rendering.now);
    json!({
        "id": rendering.id(calendar, item.id),
        "summary": event.text("subject"),
        "transparency": if event.text("showAs") == Some("free") { "transparent" } else { "opaque" },
        "location": event.members["location"]["displayName"],
        "description": body::text(event.text("body").unwrap_or_default()),
        "attendees": guests,
        "hangoutLink": meeting.map(|meeting| &meeting.join_url),
    })
}
