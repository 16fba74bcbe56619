use serde_json::{Value, json};

use crate::world::{ANA, World, event};

const EVENTS: &str = "/calendars/primary/events";

fn timed(change: Value) -> Value {
    over(event("x", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"), change)
}

fn all_day(end: &str, change: Value) -> Value {
    over(json!({ "summary": "x", "start": { "date": "2026-11-23" }, "end": { "date": end } }), change)
}

fn over(mut event: Value, change: Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

#[tokio::test]
async fn each_type_of_event_comes_with_what_it_implies() {
    let world = World::start().await;
    let away = world.insert(timed(json!({ "eventType": "outOfOffice" }))).await;
    assert_eq!(away["outOfOfficeProperties"]["autoDeclineMode"], "declineNone");
    let focus = world.insert(timed(json!({ "eventType": "focusTime" }))).await;
    assert!(focus["focusTimeProperties"].is_object());
    let home = json!({ "eventType": "workingLocation", "workingLocationProperties": { "type": "homeOffice" } });
    let home = world.insert(all_day("2026-11-24", home)).await;
    assert_eq!((&home["transparency"], &home["visibility"]), (&json!("transparent"), &json!("public")));
    let birthday = json!({ "eventType": "birthday", "recurrence": ["RRULE:FREQ=YEARLY"] });
    let birthday = world.insert(all_day("2026-11-24", birthday)).await;
    assert_eq!((&birthday["transparency"], &birthday["visibility"]), (&json!("transparent"), &json!("private")));
    let types = |query: &'static str| {
        let world = &world;
        async move {
            let list = world.get(&format!("{EVENTS}{query}")).await.ok();
            let items = list["items"].as_array().unwrap().iter();
            let mut types: Vec<_> = items.map(|item| item["eventType"].as_str().unwrap().to_owned()).collect();
            types.sort();
            types
        }
    };
    assert_eq!(types("").await, ["birthday", "focusTime", "outOfOffice", "workingLocation"]);
    assert_eq!(types("?eventTypes=focusTime&eventTypes=default").await, ["focusTime"]);
}

#[tokio::test]
async fn only_out_of_office_and_focus_time_make_busy() {
    let world = World::start().await;
    let home = json!({ "eventType": "workingLocation", "workingLocationProperties": { "type": "homeOffice" } });
    world.insert(timed(home)).await;
    let birthday = json!({ "eventType": "birthday", "recurrence": ["RRULE:FREQ=YEARLY"] });
    world.insert(all_day("2026-11-24", birthday)).await;
    let busy = async || {
        let query = json!({
            "timeMin": "2026-11-23T00:00:00Z", "timeMax": "2026-11-24T00:00:00Z", "items": [{ "id": "primary" }],
        });
        let answer = world.post("/freeBusy", query).await.ok();
        answer["calendars"]["primary"]["busy"].as_array().unwrap().len()
    };
    assert_eq!(busy().await, 0);
    world.insert(timed(json!({ "eventType": "focusTime" }))).await;
    assert_eq!(busy().await, 1);
}

#[tokio::test]
async fn an_event_that_its_type_does_not_allow_is_refused() {
    let world = World::start().await;
    let cases = [
        (timed(json!({ "eventType": "fromGmail" })), "eventTypeRestriction"),
        (all_day("2026-11-24", json!({ "eventType": "outOfOffice" })), "malformedOutOfOfficeEvent"),
        (timed(json!({ "eventType": "focusTime", "transparency": "transparent" })), "malformedFocusTimeEvent"),
        (timed(json!({ "eventType": "workingLocation" })), "malformedWorkingLocationEvent"),
        (
            all_day(
                "2026-11-25",
                json!({ "eventType": "workingLocation", "workingLocationProperties": { "type": "homeOffice" } }),
            ),
            "malformedWorkingLocationEvent",
        ),
        (all_day("2026-11-24", json!({ "eventType": "birthday" })), "malformedBirthdayEvent"),
        (timed(json!({ "eventType": "focusTime", "attendees": [{ "email": "vis@example.org" }] })), "invalid"),
    ];
    for (body, reason) in cases {
        world.post(EVENTS, body).await.refused(400, reason);
    }
    let list = world.get("/users/me/calendarList").await.ok();
    let second = list["items"][1]["id"].as_str().unwrap().replace('@', "%40");
    let away = timed(json!({ "eventType": "outOfOffice" }));
    world.post(&format!("/calendars/{second}/events"), away).await.refused(400, "eventTypeRestriction");
    assert_eq!(world.simulator.events(ANA).unwrap(), [] as [Value; 0]);
}

#[tokio::test]
async fn an_event_keeps_its_type() {
    let world = World::start().await;
    let made = world.insert(timed(json!({ "eventType": "focusTime" }))).await;
    let path = format!("{EVENTS}/{}", made["id"].as_str().unwrap());
    let away = json!({ "eventType": "outOfOffice" });
    world.patch(&path, away).await.refused(400, "eventTypeRestriction");
    let renamed = world.patch(&path, json!({ "summary": "Deep work" })).await.ok();
    assert_eq!(renamed["eventType"], "focusTime");
}
