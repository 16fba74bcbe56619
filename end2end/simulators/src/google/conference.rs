//! Meet conferences: asked for with an event, pending for a while, then there or failed.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng as _;
use serde_json::{Map, Value, json};

use super::wire::ApiError;
use super::world::{Event, MeetSettings, World};

/// Reads `conferenceData` of a write and begins, keeps or removes the event's conference.
///
/// Without `conferenceDataVersion=1` the member is ignored. The same `requestId` again changes nothing.
pub fn write(
    event: &mut Event,
    resource: &Map<String, Value>,
    supported: bool,
    meet: MeetSettings,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let Some(wanted) = resource.get("conferenceData").filter(|_| supported) else { return Ok(()) };
    if wanted.is_null() {
        (event.conference, event.conference_ready_at) = (None, None);
        return Ok(());
    }
    let Some(request) = wanted.get("createRequest") else { return Ok(()) };
    let request_id = request["requestId"].as_str().filter(|id| !id.is_empty());
    let request_id = request_id.ok_or_else(|| ApiError::required("Missing conference request id."))?;
    let solution = request["conferenceSolutionKey"]["type"].as_str().unwrap_or("hangoutsMeet");
    if solution != "hangoutsMeet" {
        return Err(ApiError::invalid("Invalid conference type value."));
    }
    let current = event.conference.as_ref().and_then(|current| current["createRequest"]["requestId"].as_str());
    if current == Some(request_id) {
        return Ok(());
    }
    event.conference = Some(json!({
        "createRequest": {
            "requestId": request_id,
            "conferenceSolutionKey": { "type": solution },
            "status": { "statusCode": "pending" },
        },
    }));
    let pending = TimeDelta::milliseconds(i64::try_from(meet.pending_ms).unwrap_or(i64::MAX / 2));
    event.conference_ready_at = now.checked_add_signed(pending);
    if meet.pending_ms == 0 {
        settle_event(event, meet);
    }
    Ok(())
}

/// Settles every conference that is due, and returns the calendars that changed by it.
pub fn settle(world: &mut World, now: DateTime<Utc>) -> Vec<String> {
    let meet = world.meet;
    let mut changed = Vec::new();
    for calendar in world.calendars.values_mut() {
        let due = |event: &Event| event.conference_ready_at.is_some_and(|ready_at| ready_at <= now);
        let ids: Vec<_> = calendar.events.iter().filter(|(_, event)| due(event)).map(|(id, _)| id.clone()).collect();
        for id in ids {
            let change = calendar.next_change();
            if let Some(event) = calendar.events.get_mut(&id) {
                settle_event(event, meet);
                (event.change, event.updated) = (change, now);
                changed.push(calendar.id.clone());
            }
        }
    }
    changed
}

fn settle_event(event: &mut Event, meet: MeetSettings) {
    event.conference_ready_at = None;
    let Some(conference) = event.conference.as_mut() else { return };
    if meet.fail {
        conference["createRequest"]["status"]["statusCode"] = json!("failure");
        return;
    }
    let code = meeting_code();
    conference["createRequest"]["status"]["statusCode"] = json!("success");
    conference["conferenceId"] = json!(code);
    conference["conferenceSolution"] = json!({
        "key": { "type": "hangoutsMeet" },
        "name": "Google Meet",
        "iconUri": "https://fonts.gstatic.com/s/i/productlogos/meet_2020q4/v6/web-512dp/logo_meet_2020q4_color_2x_web_512dp.png",
    });
    conference["entryPoints"] = json!([{
        "entryPointType": "video",
        "uri": format!("https://meet.google.com/{code}"),
        "label": format!("meet.google.com/{code}"),
    }]);
}

fn meeting_code() -> String {
    let mut random = rand::rng();
    let mut letters = |count: usize| -> String { (0..count).map(|_| random.random_range('a'..='z')).collect() };
    format!("{}-{}-{}", letters(3), letters(4), letters(3))
}
