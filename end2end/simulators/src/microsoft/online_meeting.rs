//! Teams meetings of events.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::behaviour::Behaviour;
use super::body;
use super::event::{Event, OnlineMeeting};
use super::graph::error::GraphError;
use super::world::Calendar;
use crate::oauth::random_text;

const PROVIDERS: [&str; 4] = ["unknown", "skypeForBusiness", "skypeForConsumer", "teamsForBusiness"];

/// Makes the meeting that `resource` asks for, if the calendar allows its provider; otherwise nothing is said and the
/// event has none. A meeting that is there stays: neither `isOnlineMeeting` nor its provider can be changed back.
pub fn write(
    event: &mut Event,
    resource: &Map<String, Value>,
    calendar: &Calendar,
    behaviour: Behaviour,
    now: DateTime<Utc>,
) -> Result<(), GraphError> {
    let provider = match resource.get("onlineMeetingProvider") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let known = value.as_str().filter(|name| PROVIDERS.contains(name));
            Some(known.ok_or_else(|| GraphError::bad_request("RequestBodyRead", "The meeting provider is unknown."))?)
        }
    };
    let wanted = resource.get("isOnlineMeeting").and_then(Value::as_bool).unwrap_or(false);
    if event.online_meeting.is_some() || !wanted {
        return Ok(());
    }
    let provider = provider.filter(|name| *name != "unknown").unwrap_or("teamsForBusiness");
    if behaviour.meetings_fail || !calendar.meeting_providers.iter().any(|allowed| allowed == provider) {
        return Ok(());
    }
    let join_url = join_url(&calendar.owner);
    let border = "_".repeat(80);
    let blob = format!(
        "<div><span>{border}</span></div>\
         <div class=\"me-email-text\"><p>Microsoft Teams meeting</p>\
         <a href=\"{join_url}\">Join the meeting now</a></div>"
    );
    let pending = TimeDelta::try_milliseconds(i64::try_from(behaviour.meeting_pending_ms).unwrap_or(i64::MAX));
    let ready_at = now + pending.unwrap_or_default();
    let html = body::with_fragment(event.text("body").unwrap_or_default(), &blob);
    event.members.insert("body".to_owned(), json!(html));
    event.online_meeting = Some(OnlineMeeting { provider: provider.to_owned(), join_url, ready_at, blob });
    Ok(())
}

/// A body that was replaced without the meeting's part ends the meeting.
pub fn check_body(event: &mut Event) {
    let html = event.text("body").unwrap_or_default();
    if event.online_meeting.as_ref().is_some_and(|meeting| !html.contains(&meeting.join_url)) {
        event.online_meeting = None;
    }
}

fn join_url(owner: &str) -> String {
    let thread = random_text(32);
    let organizer = super::world::guid(owner);
    format!(
        "https://teams.microsoft.com/l/meetup-join/19%3ameeting_{thread}%40thread.v2/0\
         ?context=%7b%22Oid%22%3a%22{organizer}%22%7d"
    )
}
