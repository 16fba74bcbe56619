use cupo_simulators::google::{Fault, FreeBusyError};
use serde_json::{Value, json};

use crate::world::{ANA, World, event};

fn query(calendars: &[&str]) -> Value {
    let items: Vec<_> = calendars.iter().map(|id| json!({ "id": id })).collect();
    json!({ "timeMin": "2026-11-23T00:00:00Z", "timeMax": "2026-11-25T00:00:00Z", "items": items })
}

async fn busy(world: &World) -> Value {
    world.post("/freeBusy", query(&["primary"])).await.ok()["calendars"]["primary"]["busy"].clone()
}

#[tokio::test]
async fn busy_times_are_merged_and_cut_to_the_range() {
    let world = World::start().await;
    world.insert(event("a", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")).await;
    world.insert(event("b", "2026-11-23T09:30:00Z", "2026-11-23T11:00:00Z")).await;
    world.insert(event("c", "2026-11-22T22:00:00Z", "2026-11-23T01:00:00Z")).await;
    let expected = json!([
        { "start": "2026-11-23T00:00:00Z", "end": "2026-11-23T01:00:00Z" },
        { "start": "2026-11-23T09:00:00Z", "end": "2026-11-23T11:00:00Z" },
    ]);
    assert_eq!(busy(&world).await, expected);
}

#[tokio::test]
async fn free_declined_cancelled_and_working_location_events_do_not_block() {
    let world = World::start().await;
    let at = |change: Value| {
        let mut event = event("x", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z");
        for (name, value) in change.as_object().unwrap() {
            event[name] = value.clone();
        }
        event
    };
    world.insert(at(json!({ "transparency": "transparent" }))).await;
    world.insert(at(json!({ "attendees": [{ "email": ANA, "responseStatus": "declined" }] }))).await;
    let location = json!({ "eventType": "workingLocation", "workingLocationProperties": { "type": "homeOffice" } });
    world.insert(at(location)).await;
    let gone = world.insert(at(json!({}))).await;
    world.delete(&format!("/calendars/primary/events/{}", gone["id"].as_str().unwrap())).await;
    assert_eq!(busy(&world).await, json!([]));
    world.insert(at(json!({ "eventType": "outOfOffice" }))).await;
    assert_eq!(busy(&world).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_whole_day_blocks_the_day_of_the_calendars_zone() {
    let world = World::start().await;
    world.insert(json!({ "start": { "date": "2026-11-24" }, "end": { "date": "2026-11-25" } })).await;
    let expected = json!([{ "start": "2026-11-23T23:00:00Z", "end": "2026-11-24T23:00:00Z" }]);
    assert_eq!(busy(&world).await, expected);
}

#[tokio::test]
async fn one_calendars_error_stands_beside_the_others_answers() {
    let world = World::start().await;
    let answer = world.post("/freeBusy", query(&["primary", "ben@example.com", "nobody@example.com"])).await.ok();
    assert!(answer["calendars"]["primary"].get("errors").is_none());
    assert_eq!(answer["calendars"]["ben@example.com"]["errors"][0]["reason"], "notFound");
    assert_eq!(answer["calendars"]["nobody@example.com"]["errors"][0]["reason"], "notFound");
    let error = FreeBusyError { calendar: ANA.to_owned(), reason: "internalError".to_owned() };
    world.simulator.add_fault(Fault { free_busy_error: Some(error), ..Fault::default() }).unwrap();
    let answer = world.post("/freeBusy", query(&["primary"])).await.ok();
    assert_eq!(answer["calendars"]["primary"]["errors"][0]["reason"], "internalError");
    let answer = world.post("/freeBusy", query(&["primary"])).await.ok();
    assert!(answer["calendars"]["primary"].get("errors").is_none(), "the fault was for one query");
}

#[tokio::test]
async fn ranges_and_numbers_of_calendars_are_limited() {
    let world = World::start().await;
    let mut long = query(&["primary"]);
    long["timeMax"] = json!("2027-02-25T00:00:00Z");
    world.post("/freeBusy", long).await.refused(400, "timeRangeTooLong");
    let mut empty = query(&["primary"]);
    empty["timeMax"] = empty["timeMin"].clone();
    world.post("/freeBusy", empty).await.refused(400, "timeRangeEmpty");
    let mut missing = query(&["primary"]);
    missing.as_object_mut().unwrap().remove("timeMin");
    world.post("/freeBusy", missing).await.refused(400, "required");
    let mut narrow = query(&["primary", "ben@example.com"]);
    narrow["calendarExpansionMax"] = json!(1);
    let answer = world.post("/freeBusy", narrow.clone()).await.ok();
    let reason = &answer["calendars"]["ben@example.com"]["errors"][0]["reason"];
    assert_eq!(reason, "tooManyCalendarsRequested");
    narrow["calendarExpansionMax"] = json!(51);
    world.post("/freeBusy", narrow).await.refused(400, "invalid");
}

#[tokio::test]
async fn busy_times_are_told_in_the_asked_zone() {
    let world = World::start().await;
    world.insert(event("a", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")).await;
    let mut asked = query(&["primary"]);
    asked["timeZone"] = json!("Europe/Madrid");
    let answer = world.post("/freeBusy", asked).await.ok();
    assert_eq!(answer["calendars"]["primary"]["busy"][0]["start"], "2026-11-23T10:00:00+01:00");
}
