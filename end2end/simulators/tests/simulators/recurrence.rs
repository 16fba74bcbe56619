use serde_json::{Value, json};

use crate::world::{World, event, ids};

const EVENTS: &str = "/calendars/primary/events";

/// Every Monday at 10:00 in Madrid, four times from 2026-11-23.
async fn weekly(world: &World) -> String {
    let mut wanted = event("Weekly", "2026-11-23T10:00:00+01:00", "2026-11-23T11:00:00+01:00");
    wanted["recurrence"] = json!(["RRULE:FREQ=WEEKLY;COUNT=4"]);
    world.insert(wanted).await["id"].as_str().unwrap().to_owned()
}

async fn single_events(world: &World) -> Value {
    world.get(&format!("{EVENTS}?singleEvents=true&orderBy=startTime")).await.ok()
}

fn starts(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter().filter(|item| item["status"] != "cancelled");
    items.map(|item| item["start"]["dateTime"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_recurring_event_is_one_item_or_its_instances() {
    let world = World::start().await;
    let id = weekly(&world).await;
    assert_eq!(ids(&world.get(EVENTS).await.ok()), [id.as_str()]);
    let single = single_events(&world).await;
    assert_eq!(ids(&single)[0], format!("{id}_20261123T090000Z"));
    assert_eq!(ids(&single).len(), 4);
    assert_eq!(single["items"][1]["recurringEventId"], id);
    assert_eq!(single["items"][1]["originalStartTime"]["dateTime"], "2026-11-30T10:00:00+01:00");
    assert!(single["items"][1].get("recurrence").is_none());
    let instances = world.get(&format!("{EVENTS}/{id}/instances")).await.ok();
    assert_eq!(ids(&instances).len(), 4);
}

#[tokio::test]
async fn a_window_expands_only_what_overlaps_it() {
    let world = World::start().await;
    let id = weekly(&world).await;
    let window = "timeMin=2026-11-30T09:30:00Z&timeMax=2026-12-07T09:00:00Z";
    let list = world.get(&format!("{EVENTS}?singleEvents=true&{window}")).await.ok();
    assert_eq!(ids(&list), [format!("{id}_20261130T090000Z")]);
    assert_eq!(ids(&world.get(&format!("{EVENTS}?{window}")).await.ok()), [id.as_str()]);
    let later = "timeMin=2027-01-30T00:00:00Z&timeMax=2027-02-07T00:00:00Z";
    assert!(ids(&world.get(&format!("{EVENTS}?{later}")).await.ok()).is_empty());
}

#[tokio::test]
async fn a_moved_instance_stands_by_itself_and_keeps_its_original_start() {
    let world = World::start().await;
    let id = weekly(&world).await;
    let instance = format!("{id}_20261130T090000Z");
    let times = json!({
        "start": { "dateTime": "2026-12-01T15:00:00+01:00" },
        "end": { "dateTime": "2026-12-01T16:00:00+01:00" },
    });
    let moved = world.patch(&format!("{EVENTS}/{instance}"), times).await.ok();
    assert_eq!(moved["originalStartTime"]["dateTime"], "2026-11-30T10:00:00+01:00");
    let expected = [
        "2026-11-23T10:00:00+01:00",
        "2026-12-01T15:00:00+01:00",
        "2026-12-07T10:00:00+01:00",
        "2026-12-14T10:00:00+01:00",
    ];
    assert_eq!(starts(&single_events(&world).await), expected);
    assert_eq!(ids(&world.get(EVENTS).await.ok()), [id.as_str(), instance.as_str()]);
}

#[tokio::test]
async fn a_cancelled_instance_is_gone_and_the_plain_list_says_so() {
    let world = World::start().await;
    let id = weekly(&world).await;
    let instance = format!("{id}_20261207T090000Z");
    let token = world.get(EVENTS).await.ok()["nextSyncToken"].as_str().unwrap().to_owned();
    assert_eq!(world.delete(&format!("{EVENTS}/{instance}")).await.status, 204);
    world.delete(&format!("{EVENTS}/{instance}")).await.refused(410, "deleted");
    assert_eq!(ids(&single_events(&world).await).len(), 3);
    for query in ["", &format!("?syncToken={token}")] {
        let list = world.get(&format!("{EVENTS}{query}")).await.ok();
        let item = list["items"].as_array().unwrap().iter().find(|item| item["id"] == instance).unwrap();
        assert_eq!(item["status"], "cancelled");
        assert_eq!(item["recurringEventId"], id);
        assert_eq!(item["originalStartTime"]["dateTime"], "2026-12-07T10:00:00+01:00");
        assert!(item.get("start").is_none());
    }
}

#[tokio::test]
async fn an_instance_outside_the_rule_is_not_found() {
    let world = World::start().await;
    let id = weekly(&world).await;
    world.get(&format!("{EVENTS}/{id}_20261124T090000Z")).await.refused(404, "notFound");
    world.get(&format!("{EVENTS}/{id}_20261123T090000Z")).await.ok();
}

#[tokio::test]
async fn a_sync_of_instances_cancels_those_that_a_changed_rule_no_longer_has() {
    let world = World::start().await;
    let id = weekly(&world).await;
    let full = world.get(&format!("{EVENTS}?singleEvents=true")).await.ok();
    let token = full["nextSyncToken"].as_str().unwrap();
    world.patch(&format!("{EVENTS}/{id}"), json!({ "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=2"] })).await.ok();
    let delta = world.get(&format!("{EVENTS}?singleEvents=true&syncToken={token}")).await.ok();
    let of_status = |status: &str| {
        let items = delta["items"].as_array().unwrap().iter().filter(|item| item["status"] == status);
        items.map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of_status("confirmed"), [format!("{id}_20261123T090000Z"), format!("{id}_20261130T090000Z")]);
    assert_eq!(of_status("cancelled"), [format!("{id}_20261207T090000Z"), format!("{id}_20261214T090000Z")]);
}

#[tokio::test]
async fn deleting_the_series_cancels_its_instances_and_its_exceptions() {
    let world = World::start().await;
    let id = weekly(&world).await;
    world.patch(&format!("{EVENTS}/{id}_20261130T090000Z"), json!({ "summary": "Special" })).await.ok();
    let full = world.get(&format!("{EVENTS}?singleEvents=true")).await.ok();
    assert_eq!(ids(&full).len(), 4);
    assert_eq!(world.delete(&format!("{EVENTS}/{id}")).await.status, 204);
    assert!(ids(&single_events(&world).await).is_empty());
    let token = full["nextSyncToken"].as_str().unwrap();
    let delta = world.get(&format!("{EVENTS}?singleEvents=true&syncToken={token}")).await.ok();
    let gone = delta["items"].as_array().unwrap().iter().filter(|item| item["status"] == "cancelled");
    let gone: Vec<_> = gone.map(|item| item["id"].as_str().unwrap()).collect();
    for instance in ids(&full) {
        assert!(gone.contains(&instance), "{instance} must be told as cancelled");
    }
}

#[tokio::test]
async fn a_whole_day_series_repeats_in_days() {
    let world = World::start().await;
    let wanted = json!({
        "summary": "Closed",
        "start": { "date": "2026-11-24" },
        "end": { "date": "2026-11-26" },
        "recurrence": ["RRULE:FREQ=WEEKLY;UNTIL=20261201"],
    });
    let id = world.insert(wanted).await["id"].as_str().unwrap().to_owned();
    let list = single_events(&world).await;
    assert_eq!(ids(&list), [format!("{id}_20261124"), format!("{id}_20261201")]);
    assert_eq!(list["items"][1]["end"]["date"], "2026-12-03");
}

#[tokio::test]
async fn an_instance_is_found_by_its_original_start_wherever_it_moved() {
    let world = World::start().await;
    let id = weekly(&world).await;
    let moved = format!("{id}_20261130T090000Z");
    let times =
        json!({ "start": { "dateTime": "2026-12-02T09:00:00Z" }, "end": { "dateTime": "2026-12-02T10:00:00Z" } });
    world.patch(&format!("{EVENTS}/{moved}"), times).await.ok();
    let found = world.get(&format!("{EVENTS}/{id}/instances?originalStart=2026-11-30T09:00:00Z")).await.ok();
    assert_eq!(ids(&found), [moved.as_str()]);
    world.delete(&format!("{EVENTS}/{moved}")).await;
    let instances = async |query: &str| world.get(&format!("{EVENTS}/{id}/instances{query}")).await.ok();
    assert_eq!(ids(&instances("").await).len(), 3);
    let all = instances("?showDeleted=true").await;
    let cancelled = all["items"].as_array().unwrap().iter().find(|item| item["id"] == moved).unwrap();
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["originalStartTime"]["dateTime"], "2026-11-30T10:00:00+01:00");
}
