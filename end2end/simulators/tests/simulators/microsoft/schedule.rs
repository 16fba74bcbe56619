use cupo_simulators::microsoft::{Fault, ScheduleError};
use reqwest::Method;
use serde_json::{Value, json};

use crate::microsoft::world::{ANA, BEN, CARLA, World, event, in_zone, intro, with};

fn query(members: Value) -> Value {
    let query = json!({
        "schedules": [ANA, BEN],
        "startTime": { "dateTime": "2026-11-23T09:00:00", "timeZone": "Romance Standard Time" },
        "endTime": { "dateTime": "2026-11-23T14:00:00", "timeZone": "Romance Standard Time" },
        "availabilityViewInterval": 60,
    });
    with(query, members)
}

#[tokio::test]
async fn busy_times_are_told_as_items_and_as_digits() {
    let world = World::start().await;
    for (hour, show_as) in [(8, "tentative"), (9, "busy"), (10, "free"), (11, "oof"), (12, "workingElsewhere")] {
        let slot = event(show_as, &format!("2026-11-23T{hour:02}:00:00"), &format!("2026-11-23T{hour:02}:30:00"));
        world.create(with(slot, json!({ "showAs": show_as }))).await;
    }
    let answer = world.post("/me/calendar/getSchedule", query(json!({}))).await.ok();
    let (ana, ben) = (&answer["value"][0], &answer["value"][1]);
    assert_eq!(ana["availabilityView"], "12034");
    let statuses: Vec<&Value> = ana["scheduleItems"].as_array().unwrap().iter().map(|item| &item["status"]).collect();
    assert_eq!(statuses, ["tentative", "busy", "oof", "workingElsewhere"]);
    let busy = &ana["scheduleItems"][1];
    assert_eq!(
        busy["start"],
        json!({ "dateTime": "2026-11-23T10:00:00.0000000", "timeZone": "Romance Standard Time" })
    );
    assert_eq!(busy["subject"], "busy", "one's own items have subjects");
    assert_eq!((&ben["scheduleId"], &ben["availabilityView"]), (&json!(BEN), &json!("00000")));
    assert_eq!(ben["workingHours"]["timeZone"]["name"], "Eastern Standard Time");
}

#[tokio::test]
async fn the_strongest_of_what_overlaps_an_interval_counts() {
    let world = World::start().await;
    world.create(with(intro(), json!({ "showAs": "tentative" }))).await;
    world.create(intro()).await;
    let cancelled = with(event("Off", "2026-11-23T11:00:00", "2026-11-23T12:00:00"), json!({ "isCancelled": true }));
    world.simulator.insert_event(ANA, cancelled).unwrap();
    let answer = world.post("/me/calendar/getSchedule", query(json!({}))).await.ok();
    assert_eq!(answer["value"][0]["availabilityView"], "02000");
}

#[tokio::test]
async fn whole_days_are_busy_from_midnight_to_midnight_of_their_owner() {
    let world = World::start().await;
    let day = in_zone("Holiday", "2026-11-24T00:00:00", "2026-11-25T00:00:00", "UTC");
    world.create(with(day, json!({ "isAllDay": true, "showAs": "oof" }))).await;
    let window = json!({
        "schedules": [ANA],
        "startTime": { "dateTime": "2026-11-23T22:00:00", "timeZone": "UTC" },
        "endTime": { "dateTime": "2026-11-24T01:00:00", "timeZone": "UTC" },
    });
    let answer = world.post("/me/calendar/getSchedule", query(window)).await.ok();
    assert_eq!(answer["value"][0]["availabilityView"], "033");
    assert_eq!(answer["value"][0]["scheduleItems"][0]["start"]["dateTime"], "2026-11-23T23:00:00.0000000");
}

#[tokio::test]
async fn an_unknown_mailbox_is_an_error_among_answers() {
    let world = World::start().await;
    let asked = query(json!({ "schedules": ["nobody@contoso.example", ANA, CARLA] }));
    let answer = world.post("/me/calendar/getSchedule", asked).await.ok();
    assert_eq!(answer["value"][0]["error"]["responseCode"], "ErrorMailRecipientNotFound");
    assert!(answer["value"][1].get("error").is_none());
    assert!(answer["value"][2]["error"]["responseCode"].is_string(), "a personal account is of no organisation");
    let error = ScheduleError { mailbox: ANA.to_owned(), code: "ErrorServerBusy".to_owned() };
    world.simulator.add_fault(Fault { schedule_error: Some(error), ..Fault::default() }).unwrap();
    let answer = world.post("/me/calendar/getSchedule", query(json!({}))).await.ok();
    assert_eq!(answer["value"][0]["error"]["responseCode"], "ErrorServerBusy");
}

#[tokio::test]
async fn the_metadata_s_member_names_are_understood_too() {
    let world = World::start().await;
    world.create(intro()).await;
    let mut pascal = serde_json::Map::new();
    for (name, value) in query(json!({})).as_object().unwrap() {
        let name = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        pascal.insert(name, value.clone());
    }
    let answer = world.post("/me/calendar/getSchedule", Value::Object(pascal)).await.ok();
    assert_eq!(answer["value"][0]["availabilityView"], "02000");
}

#[tokio::test]
async fn limits_are_kept() {
    let mut world = World::start().await;
    let many: Vec<String> = (0..21).map(|number| format!("p{number}@contoso.example")).collect();
    let end = json!({ "dateTime": "2027-01-25T14:00:00", "timeZone": "UTC" });
    let cases = [
        (json!({ "schedules": many }), "ErrorInvalidParameter"),
        (json!({ "schedules": [] }), "ErrorInvalidRequest"),
        (json!({ "availabilityViewInterval": 4 }), "ErrorInvalidMergedFreeBusyInterval"),
        (json!({ "availabilityViewInterval": 1441 }), "ErrorInvalidMergedFreeBusyInterval"),
        (json!({ "endTime": end }), "ErrorInvalidTimeInterval"),
        (json!({ "endTime": query(json!({}))["startTime"] }), "ErrorInvalidTimeInterval"),
    ];
    for (members, code) in cases {
        world.post("/me/calendar/getSchedule", query(members)).await.refused(400, code);
    }
    world.sign_in(CARLA);
    let own = query(json!({ "schedules": [CARLA] }));
    world.post("/me/calendar/getSchedule", own).await.refused(403, "ErrorAccessDenied");
    world.send(world.request(Method::GET, "/me/calendar/getSchedule")).await.refused(400, "BadRequest");
}
