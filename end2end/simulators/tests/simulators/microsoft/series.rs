use serde_json::{Value, json};

use crate::microsoft::world::{ANA, World, all, id, in_zone, with};

const AUTUMN: &str = "startDateTime=2026-10-01T00:00:00Z&endDateTime=2026-12-31T00:00:00Z";

/// Every Monday at ten in Madrid, four times, over the change of the clocks.
fn weekly() -> Value {
    let recurrence = json!({
        "pattern": { "type": "weekly", "interval": 1, "daysOfWeek": ["monday"] },
        "range": { "type": "numbered", "startDate": "2026-10-12", "numberOfOccurrences": 4 },
    });
    let first = in_zone("Stand-up", "2026-10-12T10:00:00", "2026-10-12T10:30:00", "Romance Standard Time");
    with(first, json!({ "recurrence": recurrence }))
}

async fn instances(world: &World, series: &Value) -> Vec<Value> {
    let list = world.get(&format!("/me/events/{}/instances?{AUTUMN}", id(series))).await.ok();
    list["value"].as_array().unwrap().clone()
}

fn starts(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| &event["start"]["dateTime"].as_str().unwrap()[..16]).collect()
}

#[tokio::test]
async fn a_series_keeps_its_time_of_day_over_the_change_of_the_clocks() {
    let world = World::start().await;
    let series = world.create(weekly()).await;
    assert_eq!(series["type"], "seriesMaster");
    assert_eq!(series["recurrence"]["range"]["recurrenceTimeZone"], "Romance Standard Time");
    assert_eq!(series["recurrence"]["pattern"]["firstDayOfWeek"], "sunday");
    let occurrences = instances(&world, &series).await;
    let expected = ["2026-10-12T08:00", "2026-10-19T08:00", "2026-10-26T09:00", "2026-11-02T09:00"];
    assert_eq!(starts(&occurrences), expected);
    for occurrence in &occurrences {
        assert_eq!((&occurrence["type"], &occurrence["seriesMasterId"]), (&json!("occurrence"), &series["id"]));
        assert!(occurrence["occurrenceId"].as_str().unwrap().starts_with("OID."));
        assert!(occurrence["recurrence"].is_null());
    }
    assert_eq!(all(&world.get("/me/events").await.ok(), "type"), ["seriesMaster"], "a list shows no occurrences");
    let view = world.get(&format!("/me/calendarView?{AUTUMN}")).await.ok();
    assert_eq!(all(&view, "type"), ["occurrence"; 4], "a view shows no series");
}

#[tokio::test]
async fn a_changed_occurrence_is_an_exception_and_a_deleted_one_is_gone() {
    let world = World::start().await;
    let series = world.create(weekly()).await;
    let occurrences = instances(&world, &series).await;
    let moved = json!({
        "start": { "dateTime": "2026-10-20T16:00:00", "timeZone": "UTC" },
        "end": { "dateTime": "2026-10-20T17:00:00", "timeZone": "UTC" },
        "subject": "Stand-up, later",
    });
    let exception = world.patch(&format!("/me/events/{}", id(&occurrences[1])), moved).await.ok();
    assert_eq!((&exception["type"], &exception["id"]), (&json!("exception"), &occurrences[1]["id"]));
    assert_eq!(exception["originalStart"], "2026-10-19T08:00:00.0000000Z");
    world.delete(&format!("/me/events/{}", id(&occurrences[2]))).await.is(204);
    world.get(&format!("/me/events/{}", id(&occurrences[2]))).await.refused(404, "ErrorItemNotFound");
    let left = instances(&world, &series).await;
    assert_eq!(starts(&left), ["2026-10-12T08:00", "2026-10-20T16:00", "2026-11-02T09:00"]);
    let renamed = json!({ "location": { "displayName": "Room 7" } });
    world.patch(&format!("/me/events/{}", id(&series)), renamed).await.ok();
    let left = instances(&world, &series).await;
    assert!(left.iter().all(|event| event["location"]["displayName"] == "Room 7"));
    assert_eq!(left[1]["start"], exception["start"], "an exception stays where it is");
    let kinds = world.simulator.events(ANA).unwrap();
    assert_eq!(
        kinds.iter().map(|event| event["type"].as_str().unwrap()).collect::<Vec<_>>(),
        ["seriesMaster", "exception"]
    );
}

#[tokio::test]
async fn a_series_that_is_moved_loses_its_exceptions() {
    let world = World::start().await;
    let series = world.create(weekly()).await;
    let occurrences = instances(&world, &series).await;
    world.delete(&format!("/me/events/{}", id(&occurrences[0]))).await.is(204);
    let later = json!({
        "start": { "dateTime": "2026-10-12T11:00:00", "timeZone": "Romance Standard Time" },
        "end": { "dateTime": "2026-10-12T11:30:00", "timeZone": "Romance Standard Time" },
    });
    world.patch(&format!("/me/events/{}", id(&series)), later).await.ok();
    assert_eq!(starts(&instances(&world, &series).await)[..2], ["2026-10-12T09:00", "2026-10-19T09:00"]);
}

#[tokio::test]
async fn every_pattern_and_range_is_understood_over_the_wire() {
    let world = World::start().await;
    let cases = [
        (json!({ "type": "daily", "interval": 10 }), json!({ "type": "endDate", "endDate": "2026-11-02" }), 3),
        (
            json!({ "type": "absoluteMonthly", "interval": 1, "dayOfMonth": 12 }),
            json!({ "type": "numbered", "numberOfOccurrences": 2 }),
            2,
        ),
        (
            json!({ "type": "relativeMonthly", "interval": 1, "daysOfWeek": ["monday"], "index": "second" }),
            json!({ "type": "noEnd" }),
            3,
        ),
        (
            json!({ "type": "absoluteYearly", "interval": 1, "month": 10, "dayOfMonth": 12 }),
            json!({ "type": "noEnd" }),
            1,
        ),
        (
            json!({
                "type": "relativeYearly", "interval": 1, "month": 10, "daysOfWeek": ["monday"], "index": "second",
            }),
            json!({ "type": "noEnd" }),
            1,
        ),
    ];
    for (pattern, mut range, count) in cases {
        range["startDate"] = json!("2026-10-12");
        let recurrence = json!({ "recurrence": { "pattern": pattern, "range": range } });
        let series = world.create(with(weekly(), recurrence)).await;
        assert_eq!(instances(&world, &series).await.len(), count, "{pattern}");
    }
    let never =
        json!({ "recurrence": { "pattern": { "type": "hourly", "interval": 1 }, "range": { "type": "noEnd" } } });
    world.post("/me/events", with(weekly(), never)).await.refused(400, "ErrorPropertyValidationFailure");
}

#[tokio::test]
async fn a_single_event_has_no_instances_and_an_occurrence_no_pattern() {
    let world = World::start().await;
    let single = world.create(crate::microsoft::world::intro()).await;
    world.get(&format!("/me/events/{}/instances?{AUTUMN}", id(&single))).await.refused(400, "ErrorInvalidRequest");
    let series = world.create(weekly()).await;
    let occurrences = instances(&world, &series).await;
    let pattern = json!({ "recurrence": weekly()["recurrence"] });
    world.patch(&format!("/me/events/{}", id(&occurrences[0])), pattern).await.refused(400, "ErrorInvalidRequest");
}

#[tokio::test]
async fn a_deleted_series_takes_its_occurrences_along() {
    let world = World::start().await;
    let series = world.create(weekly()).await;
    let occurrences = instances(&world, &series).await;
    world.delete(&format!("/me/events/{}", id(&series))).await.is(204);
    world.get(&format!("/me/events/{}", id(&occurrences[0]))).await.refused(404, "ErrorItemNotFound");
    assert!(all(&world.get(&format!("/me/calendarView?{AUTUMN}")).await.ok(), "id").is_empty());
}
