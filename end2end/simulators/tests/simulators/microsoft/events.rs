use cupo_simulators::microsoft::{Behaviour, DuplicateTransaction};
use reqwest::Method;
use serde_json::{Value, json};

use crate::microsoft::world::{ANA, MARK, World, all, event, id, in_zone, intro, with};

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn an_event_is_created_read_changed_and_deleted() {
    let world = World::start().await;
    let made = world.create(intro()).await;
    assert_eq!(made["start"], json!({ "dateTime": "2026-11-23T09:00:00.0000000", "timeZone": "UTC" }));
    for (member, value) in [
        ("type", json!("singleInstance")),
        ("showAs", json!("busy")),
        ("sensitivity", json!("normal")),
        ("isOrganizer", json!(true)),
        ("isCancelled", json!(false)),
        ("isReminderOn", json!(true)),
        ("reminderMinutesBeforeStart", json!(15)),
        ("onlineMeeting", Value::Null),
        ("isOnlineMeeting", json!(false)),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    assert_eq!(made["responseStatus"]["response"], "organizer");
    assert_eq!(made["organizer"]["emailAddress"]["address"], ANA);
    let path = format!("/me/events/{}", id(&made));
    assert_eq!(world.get(&path).await.ok()["iCalUId"], made["iCalUId"]);
    let change = json!({ "subject": "Other", "showAs": "oof", "isReminderOn": false, "sensitivity": "private" });
    let changed = world.patch(&path, change).await.ok();
    assert_eq!((&changed["subject"], &changed["showAs"]), (&json!("Other"), &json!("oof")));
    assert_eq!(changed["start"], made["start"], "what was not named stays");
    assert_ne!(changed["changeKey"], made["changeKey"]);
    world.delete(&path).await.is(204);
    world.get(&path).await.refused(404, "ErrorItemNotFound");
    world.delete(&path).await.refused(404, "ErrorItemNotFound");
    world.get("/me/events/nonsense").await.refused(400, "ErrorInvalidIdMalformed");
}

#[tokio::test]
async fn every_way_to_the_default_calendar_leads_to_the_same_event() {
    let world = World::start().await;
    let made = world.post("/me/calendar/events", intro()).await.ok();
    let calendar = id(&world.get("/me/calendar").await.ok());
    for path in ["/me/events", "/me/calendar/events", &format!("/me/calendars/{calendar}/events")] {
        assert_eq!(all(&world.get(path).await.ok(), "id"), [made["id"].as_str().unwrap()], "{path}");
        world.get(&format!("{path}/{}", id(&made))).await.ok();
    }
    let other = encoded(&world.simulator.calendar_id("ana@contoso.example/Personal").unwrap());
    world.get(&format!("/me/calendars/{other}/events/{}", id(&made))).await.refused(404, "ErrorItemNotFound");
    let read_only = encoded(&world.simulator.calendar_id("ana@contoso.example/Birthdays").unwrap());
    world.post(&format!("/me/calendars/{read_only}/events"), intro()).await.refused(403, "ErrorAccessDenied");
}

#[tokio::test]
async fn times_are_told_in_the_preferred_zone_and_remembered_by_their_windows_name() {
    let world = World::start().await;
    let wanted = in_zone("Intro", "2026-11-23T10:00:00", "2026-11-23T11:00:00", "Europe/Madrid");
    let made = world.create(wanted).await;
    assert_eq!(made["start"]["dateTime"], "2026-11-23T09:00:00.0000000");
    assert_eq!(made["originalStartTimeZone"], "Romance Standard Time");
    let path = format!("/me/events/{}", id(&made));
    for zone in ["Eastern Standard Time", "America/New_York"] {
        let answer = world.get_preferring(&path, &format!("outlook.timezone=\"{zone}\"")).await;
        assert_eq!(answer.headers["preference-applied"], format!("outlook.timezone=\"{zone}\""));
        let told = answer.ok();
        assert_eq!(told["start"], json!({ "dateTime": "2026-11-23T04:00:00.0000000", "timeZone": zone }));
    }
    let unknown = world.get_preferring(&path, "outlook.timezone=\"Middle Earth\"").await;
    unknown.refused(400, "TimeZoneNotSupportedException");
    let nowhere = in_zone("Intro", "2026-11-23T10:00:00", "2026-11-23T11:00:00", "Customized Time Zone");
    world.post("/me/events", nowhere).await.refused(400, "TimeZoneNotSupportedException");
}

#[tokio::test]
async fn an_offset_in_the_query_disables_the_preferred_zone() {
    let world = World::start().await;
    world.create(intro()).await;
    let zone = "outlook.timezone=\"Romance Standard Time\"";
    let told = |path: &'static str| async { world.get_preferring(path, zone).await.ok()["value"][0]["start"].clone() };
    let with_z = told("/me/calendarView?startDateTime=2026-11-23T00:00:00Z&endDateTime=2026-11-24T00:00:00Z").await;
    assert_eq!(with_z["dateTime"], "2026-11-23T10:00:00.0000000");
    let offset = "/me/calendarView?startDateTime=2026-11-23T00:00:00%2B01:00&endDateTime=2026-11-24T00:00:00%2B01:00";
    assert_eq!(told(offset).await, json!({ "dateTime": "2026-11-23T09:00:00.0000000", "timeZone": "UTC" }));
}

#[tokio::test]
async fn immutable_ids_survive_a_move_and_regular_ones_do_not() {
    let world = World::start().await;
    let immutable = "IdType=\"ImmutableId\"";
    let request = world.request(Method::POST, "/me/events").header("prefer", immutable).json(&intro());
    let made = world.send(request).await.ok();
    let regular = world.get("/me/events").await.ok()["value"][0].clone();
    assert_ne!(made["id"], regular["id"]);
    world.get(&format!("/me/events/{}", id(&regular))).await.ok();
    let moved = world.simulator.move_event(ANA, made["id"].as_str().unwrap(), "ana@contoso.example/Personal").unwrap();
    assert_ne!(moved["id"], regular["id"]);
    world.get(&format!("/me/events/{}", id(&regular))).await.refused(404, "ErrorItemNotFound");
    let path = format!("/me/events/{}", id(&made));
    assert_eq!(world.get_preferring(&path, immutable).await.ok()["id"], made["id"]);
}

#[tokio::test]
async fn ids_are_case_sensitive() {
    let world = World::start().await;
    let made = world.create(intro()).await;
    let lower = made["id"].as_str().unwrap().to_lowercase();
    world.get(&format!("/me/events/{lower}")).await.refused(400, "ErrorInvalidIdMalformed");
}

#[tokio::test]
async fn whole_days_are_midnights_with_an_exclusive_end() {
    let world = World::start().await;
    let day = with(
        in_zone("Fair", "2026-11-24T00:00:00", "2026-11-26T00:00:00", "Romance Standard Time"),
        json!({ "isAllDay": true, "showAs": "free" }),
    );
    let made = world.create(day).await;
    assert_eq!(made["isAllDay"], true);
    let path = format!("/me/events/{}", id(&made));
    let told = world.get_preferring(&path, "outlook.timezone=\"Pacific Standard Time\"").await.ok();
    assert_eq!(told["start"]["dateTime"], "2026-11-24T00:00:00.0000000");
    assert_eq!(told["end"]["dateTime"], "2026-11-26T00:00:00.0000000");
    // In Madrid the day begins at 23:00 UTC of the day before.
    let before = "/me/calendarView?startDateTime=2026-11-23T22:00:00Z&endDateTime=2026-11-23T23:30:00Z";
    assert_eq!(all(&world.get(before).await.ok(), "subject"), ["Fair"]);
    let after = "/me/calendarView?startDateTime=2026-11-25T23:00:00Z&endDateTime=2026-11-26T12:00:00Z";
    assert!(all(&world.get(after).await.ok(), "subject").is_empty());
    let crooked = with(intro(), json!({ "isAllDay": true }));
    world.post("/me/events", crooked).await.refused(400, "ErrorPropertyValidationFailure");
    let empty = with(event("Day", "2026-11-24T00:00:00", "2026-11-24T00:00:00"), json!({ "isAllDay": true }));
    world.post("/me/events", empty).await.refused(400, "ErrorPropertyValidationFailure");
}

#[tokio::test]
async fn a_repeated_transaction_id_is_refused_in_the_way_that_was_chosen() {
    let world = World::start().await;
    let wanted = with(intro(), json!({ "transactionId": "one and the same" }));
    let made = world.create(wanted.clone()).await;
    let repeated = world.post("/me/events", wanted.clone()).await;
    assert_eq!(repeated.body["error"]["@event.existingEventId"], made["id"]);
    repeated.refused(400, "ErrorInvalidRequest");
    let duplicate_transaction = DuplicateTransaction::Conflict;
    world.simulator.set_behaviour(Behaviour { duplicate_transaction, ..world.simulator.behaviour() });
    world.post("/me/events", wanted).await.refused(409, "ErrorDuplicateTransactionId");
    assert_eq!(world.simulator.events(ANA).unwrap().len(), 1);
}

#[tokio::test]
async fn a_changed_event_is_not_overwritten_by_an_old_etag() {
    let world = World::start().await;
    let made = world.create(intro()).await;
    let path = format!("/me/events/{}", id(&made));
    let etag = made["@odata.etag"].as_str().unwrap();
    let request = |tag: &str| world.request(Method::PATCH, &path).header("if-match", tag);
    let changed = world.send(request(etag).json(&json!({ "subject": "Two" }))).await;
    assert_eq!(changed.headers["etag"], changed.body["@odata.etag"].as_str().unwrap());
    changed.ok();
    world.send(request(etag).json(&json!({ "subject": "Three" }))).await.refused(412, "ErrorIrresolvableConflict");
    let delete = world.request(Method::DELETE, &path).header("if-match", etag);
    world.send(delete).await.refused(412, "ErrorIrresolvableConflict");
    world.send(request("*").json(&json!({ "subject": "Four" }))).await.ok();
}

#[tokio::test]
async fn extended_properties_come_only_when_expanded_and_find_their_event() {
    let world = World::start().await;
    let marked = with(intro(), json!({ "singleValueExtendedProperties": [{ "id": MARK, "value": "claim-1" }] }));
    let made = world.create(marked).await;
    assert!(made.get("singleValueExtendedProperties").is_none());
    world.create(event("Other", "2026-11-24T09:00:00", "2026-11-24T10:00:00")).await;
    let expand = encoded(&format!("singleValueExtendedProperties($filter=id eq '{MARK}')"));
    let told = world.get(&format!("/me/events/{}?$expand={expand}", id(&made))).await.ok();
    assert_eq!(told["singleValueExtendedProperties"], json!([{ "id": MARK, "value": "claim-1" }]));
    let filter = |value: &str| {
        let filter = format!("singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq '{value}')");
        format!("/me/events?$filter={}", encoded(&filter))
    };
    assert_eq!(all(&world.get(&filter("claim-1")).await.ok(), "id"), [made["id"].as_str().unwrap()]);
    assert!(all(&world.get(&filter("claim-2")).await.ok(), "id").is_empty());
    world.get("/me/events?$filter=startswith(subject,'I')").await.refused(400, "ErrorInvalidUrlQueryFilter");
    world.get("/me/events?$expand=attachments").await.refused(400, "ErrorInvalidUrlQuery");
    let nameless = json!({ "singleValueExtendedProperties": [{ "id": "String Name X", "value": "1" }] });
    world.post("/me/events", with(intro(), nameless)).await.refused(400, "ErrorInvalidRequest");
}

#[tokio::test]
async fn a_body_comes_as_html_or_as_the_text_it_was() {
    let world = World::start().await;
    let body = json!({ "body": { "contentType": "text", "content": "First line\nSecond & last" } });
    let made = world.create(with(intro(), body)).await;
    assert_eq!(made["body"]["contentType"], "html");
    assert!(made["body"]["content"].as_str().unwrap().contains("Second &amp; last"));
    assert_eq!(made["bodyPreview"], "First line\r\nSecond & last");
    let path = format!("/me/events/{}", id(&made));
    let told = world.get_preferring(&path, "outlook.body-content-type=\"text\"").await.ok();
    assert_eq!(told["body"], json!({ "contentType": "text", "content": "First line\r\nSecond & last" }));
}

#[tokio::test]
async fn locations_are_kept_in_both_members() {
    let world = World::start().await;
    let made = world.create(with(intro(), json!({ "location": { "displayName": "Room 7" } }))).await;
    assert_eq!(made["location"]["displayName"], "Room 7");
    assert_eq!(made["locations"][0]["displayName"], "Room 7");
    let path = format!("/me/events/{}", id(&made));
    let cleared = world.patch(&path, json!({ "locations": [] })).await.ok();
    assert_eq!((&cleared["location"]["displayName"], &cleared["locations"]), (&json!(""), &json!([])));
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let world = World::start().await;
    let cases = [
        (with(intro(), json!({ "title": "Intro" })), "RequestBodyRead"),
        (with(intro(), json!({ "subject": 7 })), "RequestBodyRead"),
        (with(intro(), json!({ "showAs": "asleep" })), "RequestBodyRead"),
        (json!({ "subject": "No time" }), "ErrorInvalidRequest"),
        (event("Backwards", "2026-11-23T10:00:00", "2026-11-23T09:00:00"), "ErrorInvalidArgument"),
        (with(intro(), json!({ "attendees": [{ "type": "required" }] })), "ErrorInvalidRequest"),
    ];
    for (body, code) in cases {
        world.post("/me/events", body).await.refused(400, code);
    }
    let unreadable = world.request(Method::POST, "/me/events").header("content-type", "application/json").body("{");
    world.send(unreadable).await.refused(400, "BadRequest");
    assert!(world.simulator.events(ANA).unwrap().is_empty());
}

#[tokio::test]
async fn a_permanent_delete_is_a_delete() {
    let world = World::start().await;
    let made = world.create(intro()).await;
    let path = format!("/me/events/{}", id(&made));
    world.send(world.request(Method::POST, &format!("{path}/permanentDelete"))).await.is(204);
    world.get(&path).await.refused(404, "ErrorItemNotFound");
}
