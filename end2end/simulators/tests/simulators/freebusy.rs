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

#[tokio::test]
async fn fifty_calendars_are_answered_and_no_more() {
    let world = World::start().await;
    let names: Vec<String> = (0..51).map(|number| format!("nobody{number}@example.com")).collect();
    let answer = world.post("/freeBusy", query(&names.iter().map(String::as_str).collect::<Vec<_>>())).await.ok();
    let reason = |index: usize| answer["calendars"][&names[index]]["errors"][0]["reason"].clone();
    assert_eq!(reason(49), "notFound");
    assert_eq!(reason(50), "tooManyCalendarsRequested");
}

#[tokio::test]
async fn a_group_stands_for_its_members_unless_it_is_too_big() {
    let world = World::start().await;
    world.simulator.add_group("team@example.com", &[ANA, "ben@example.com"]);
    let crowd = (0..101).map(|number| format!("person{number}@example.com")).collect::<Vec<_>>();
    let body = json!({ "email": "crowd@example.com", "members": crowd });
    assert_eq!(world.control(reqwest::Method::POST, "/groups", Some(body)).await.status, 201);
    let answer = world.post("/freeBusy", query(&["team@example.com", "crowd@example.com"])).await.ok();
    assert_eq!(answer["groups"]["team@example.com"]["calendars"], json!([ANA, "ben@example.com"]));
    assert_eq!(answer["calendars"][ANA]["busy"], json!([]));
    assert_eq!(answer["groups"]["crowd@example.com"]["errors"][0]["reason"], "groupTooBig");
    assert_eq!(answer["calendars"].as_object().unwrap().len(), 2);
    let mut narrow = query(&["team@example.com"]);
    narrow["groupExpansionMax"] = json!(1);
    let answer = world.post("/freeBusy", narrow).await.ok();
    assert_eq!(answer["groups"]["team@example.com"]["errors"][0]["reason"], "groupTooBig");
    let mut wide = query(&["primary"]);
    wide["groupExpansionMax"] = json!(101);
    world.post("/freeBusy", wide).await.refused(400, "invalid");
}
