use cupo_simulators::google::MeetSettings;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{ANA, World, event, eventually, ids};

const START: &str = "2026-11-23T10:00:00+01:00";
const END: &str = "2026-11-23T10:30:00+01:00";

fn intro() -> Value {
    event("Intro", START, END)
}

#[tokio::test]
async fn the_calendar_list_tells_the_account_by_its_primary_calendar() {
    let world = World::start().await;
    let list = world.get("/users/me/calendarList").await.ok();
    let primary = list["items"].as_array().unwrap().iter().find(|entry| entry["primary"] == true).unwrap();
    assert_eq!(primary["id"], ANA);
    assert_eq!(primary["timeZone"], "Europe/Madrid");
    assert_eq!(ids(&list).len(), 3);
    let roles: Vec<_> = list["items"].as_array().unwrap().iter().map(|entry| &entry["accessRole"]).collect();
    assert_eq!(roles, ["owner", "owner", "reader"]);
    let writable = world.get("/users/me/calendarList?minAccessRole=writer").await.ok();
    assert_eq!(ids(&writable).len(), 2);
}

#[tokio::test]
async fn the_calendar_list_comes_in_pages() {
    let world = World::start().await;
    let first = world.get("/users/me/calendarList?maxResults=2").await.ok();
    assert!(first.get("nextSyncToken").is_none());
    let token = first["nextPageToken"].as_str().unwrap();
    let second = world.get(&format!("/users/me/calendarList?maxResults=2&pageToken={token}")).await.ok();
    assert_eq!((ids(&first).len(), ids(&second).len()), (2, 1));
    assert!(second["nextSyncToken"].is_string());
}

#[tokio::test]
async fn a_calendar_whose_id_needs_encoding_is_found() {
    let world = World::start().await;
    let id = "en.spain%23holiday%40group.v.calendar.google.com";
    let entry = world.get(&format!("/users/me/calendarList/{id}")).await.ok();
    assert_eq!(entry["summary"], "Holidays in Spain");
    let holidays = world.get(&format!("/calendars/{id}/events")).await.ok();
    assert!(ids(&holidays).len() >= 16);
    world.post(&format!("/calendars/{id}/events"), intro()).await.refused(403, "requiredAccessLevel");
    world.get("/users/me/calendarList/nobody%40example.com").await.refused(404, "notFound");
}

#[tokio::test]
async fn an_event_keeps_its_own_id_which_is_never_free_again() {
    let world = World::start().await;
    let mut wanted = intro();
    wanted["id"] = json!("cupo0abc123");
    let made = world.insert(wanted.clone()).await;
    assert_eq!(made["id"], "cupo0abc123");
    assert_eq!(made["start"]["dateTime"], START);
    assert_eq!(made["organizer"]["email"], ANA);
    world.post("/calendars/primary/events", wanted.clone()).await.refused(409, "duplicate");
    assert_eq!(world.delete("/calendars/primary/events/cupo0abc123").await.status, 204);
    world.post("/calendars/primary/events", wanted).await.refused(409, "duplicate");
    let gone = world.get("/calendars/primary/events/cupo0abc123").await.ok();
    assert_eq!(gone["status"], "cancelled");
    world.delete("/calendars/primary/events/cupo0abc123").await.refused(410, "deleted");
}

#[tokio::test]
async fn a_malformed_event_is_refused_and_nothing_is_made() {
    let world = World::start().await;
    let cases = [
        (json!({ "summary": "no times" }), "required"),
        (event("ends before it starts", END, START), "timeRangeEmpty"),
        (json!({ "start": { "date": "2026-11-23" }, "end": { "dateTime": END } }), "invalid"),
        (json!({ "start": { "dateTime": "2026-11-23T10:00:00" }, "end": { "dateTime": END } }), "required"),
        (json!({ "start": { "dateTime": START, "timeZone": "Mars/Olympus" }, "end": { "dateTime": END } }), "invalid"),
        (json!({ "id": "UPPER", "start": { "dateTime": START }, "end": { "dateTime": END } }), "invalid"),
        (
            json!({ "start": { "dateTime": START }, "end": { "dateTime": END }, "attendees": [{ "email": "x" }] }),
            "invalid",
        ),
        (json!({ "start": { "dateTime": START }, "end": { "dateTime": END }, "transparency": "glassy" }), "invalid"),
        (
            json!({ "start": { "dateTime": START }, "end": { "dateTime": END }, "recurrence": ["RRULE:FREQ=DAILY"] }),
            "required",
        ),
    ];
    for (body, reason) in cases {
        world.post("/calendars/primary/events", body).await.refused(400, reason);
    }
    let broken = world.request(Method::POST, "/calendars/primary/events").body("{");
    world.send(broken).await.refused(400, "parseError");
    let unknown = world.request(Method::POST, "/calendars/primary/events?sendUpdates=some").json(&intro());
    world.send(unknown).await.refused(400, "invalidParameter");
    assert_eq!(world.simulator.events(ANA).unwrap(), [] as [Value; 0]);
}

#[tokio::test]
async fn a_patch_merges_and_a_put_replaces() {
    let world = World::start().await;
    let mut wanted = intro();
    wanted["description"] = json!("Bring shoes");
    wanted["attendees"] = json!([{ "email": "vis@example.org" }]);
    wanted["extendedProperties"] = json!({ "private": { "cupo": "a1", "other": "x" } });
    let made = world.insert(wanted).await;
    let path = format!("/calendars/primary/events/{}", made["id"].as_str().unwrap());
    let change = json!({ "description": null, "extendedProperties": { "private": { "other": "y" } } });
    let patched = world.patch(&path, change).await.ok();
    assert!(patched.get("description").is_none());
    assert_eq!(patched["extendedProperties"]["private"], json!({ "cupo": "a1", "other": "y" }));
    assert_eq!(patched["attendees"][0]["email"], "vis@example.org");
    assert_eq!(patched["sequence"], 0);
    let replaced = world.send(world.request(Method::PUT, &path).json(&intro())).await.ok();
    assert!(replaced.get("attendees").is_none(), "PUT drops what it does not name");
}

#[tokio::test]
async fn moving_an_event_raises_its_sequence_and_shows_in_the_asked_zone() {
    let world = World::start().await;
    let made = world.insert(intro()).await;
    let path = format!("/calendars/primary/events/{}", made["id"].as_str().unwrap());
    let times =
        json!({ "start": { "dateTime": "2026-11-23T15:00:00Z" }, "end": { "dateTime": "2026-11-23T15:30:00Z" } });
    let moved = world.patch(&path, times).await.ok();
    assert_eq!(moved["sequence"], 1);
    assert_eq!(moved["start"]["dateTime"], "2026-11-23T16:00:00+01:00");
    let seen = world.get(&format!("{path}?timeZone=America/New_York")).await.ok();
    assert_eq!(seen["start"]["dateTime"], "2026-11-23T10:00:00-05:00");
}

#[tokio::test]
async fn an_etag_guards_patch_and_delete() {
    let world = World::start().await;
    let made = world.insert(intro()).await;
    let path = format!("/calendars/primary/events/{}", made["id"].as_str().unwrap());
    let old = made["etag"].as_str().unwrap();
    let fresh = world.patch(&path, json!({ "summary": "Moved on" })).await.ok();
    assert_ne!(fresh["etag"], made["etag"]);
    let with_etag = |method: Method, etag: &str| world.request(method, &path).header("If-Match", etag);
    let patch = with_etag(Method::PATCH, old).json(&json!({ "summary": "Too late" }));
    world.send(patch).await.refused(412, "conditionNotMet");
    world.send(with_etag(Method::DELETE, old)).await.refused(412, "conditionNotMet");
    let not_modified = world.request(Method::GET, &path).header("If-None-Match", fresh["etag"].as_str().unwrap());
    assert_eq!(world.send(not_modified).await.status, 304);
    assert_eq!(world.send(with_etag(Method::DELETE, fresh["etag"].as_str().unwrap())).await.status, 204);
}

#[tokio::test]
async fn a_meet_link_is_pending_first_and_there_a_moment_later() {
    let world = World::start().await;
    world.simulator.set_meet(MeetSettings { pending_ms: 60_000, fail: false });
    let mut wanted = intro();
    let key = json!({ "type": "hangoutsMeet" });
    wanted["conferenceData"] = json!({ "createRequest": { "requestId": "r1", "conferenceSolutionKey": key } });
    let made = world.post("/calendars/primary/events?conferenceDataVersion=1", wanted.clone()).await.ok();
    let status = |event: &Value| event["conferenceData"]["createRequest"]["status"]["statusCode"].clone();
    assert_eq!(status(&made), "pending");
    assert!(made.get("hangoutLink").is_none());
    let path = format!("/calendars/primary/events/{}", made["id"].as_str().unwrap());
    let again = json!({ "conferenceData": wanted["conferenceData"] });
    let patched = world.patch(&format!("{path}?conferenceDataVersion=1"), again).await.ok();
    assert_eq!(status(&patched), "pending", "the same request does not start over");
    world.simulator.clock().advance(chrono::TimeDelta::seconds(61));
    let ready = world.get(&path).await.ok();
    assert_eq!(status(&ready), "success");
    let link = ready["hangoutLink"].as_str().unwrap();
    assert!(link.starts_with("https://meet.google.com/"), "{link}");
    assert_eq!(ready["conferenceData"]["entryPoints"][0]["uri"], link);
    assert_ne!(ready["etag"], patched["etag"]);
}

#[tokio::test]
async fn a_meet_link_needs_conference_data_version_1_and_can_fail() {
    let world = World::start().await;
    let mut wanted = intro();
    wanted["conferenceData"] = json!({ "createRequest": { "requestId": "r1" } });
    let without = world.post("/calendars/primary/events", wanted.clone()).await.ok();
    assert!(without.get("conferenceData").is_none());
    assert_eq!(world.control(Method::POST, "/meet", Some(json!({ "pending_ms": 0, "fail": true }))).await.status, 204);
    let failed = world.post("/calendars/primary/events?conferenceDataVersion=1", wanted).await.ok();
    assert_eq!(failed["conferenceData"]["createRequest"]["status"]["statusCode"], "failure");
    assert!(failed.get("hangoutLink").is_none());
}

#[tokio::test]
async fn a_pending_meet_link_settles_by_itself() {
    let world = World::start().await;
    world.simulator.set_meet(MeetSettings { pending_ms: 20, fail: false });
    let mut wanted = intro();
    wanted["conferenceData"] = json!({ "createRequest": { "requestId": "r1" } });
    world.post("/calendars/primary/events?conferenceDataVersion=1", wanted).await.ok();
    eventually("the link", || world.simulator.events(ANA).unwrap()[0].get("hangoutLink").cloned()).await;
}

#[tokio::test]
async fn guests_are_written_to_only_when_send_updates_says_so() {
    let world = World::start().await;
    let mut wanted = intro();
    wanted["attendees"] = json!([{ "email": "vis@example.org" }, { "email": "ben@example.com" }]);
    let made = world.post("/calendars/primary/events", wanted).await.ok();
    let path = format!("/calendars/primary/events/{}", made["id"].as_str().unwrap());
    assert!(world.simulator.invitations().is_empty());
    world.patch(&format!("{path}?sendUpdates=externalOnly"), json!({ "summary": "Intro 2" })).await.ok();
    assert_eq!(world.delete(&format!("{path}?sendUpdates=all")).await.status, 204);
    let sent = world.control(Method::GET, "/invitations", None).await.ok();
    let kinds: Vec<_> =
        sent["invitations"].as_array().unwrap().iter().map(|mail| (&mail["kind"], &mail["to"])).collect();
    let external = json!(["vis@example.org"]);
    let all = json!(["vis@example.org", "ben@example.com"]);
    assert_eq!(kinds, [(&json!("updated"), &external), (&json!("cancelled"), &all)]);
}

#[tokio::test]
async fn each_method_wants_one_of_its_scopes() {
    let mut world = World::start().await;
    let made = world.insert(intro()).await;
    let path = format!("/calendars/primary/events/{}", made["id"].as_str().unwrap());
    world.token = world.simulator.issue_tokens(ANA, &["calendar.events.readonly"]).unwrap().access_token;
    world.get(&path).await.ok();
    world.post("/calendars/primary/events", intro()).await.refused(403, "insufficientPermissions");
    world.patch(&path, json!({})).await.refused(403, "insufficientPermissions");
    world.delete(&path).await.refused(403, "insufficientPermissions");
    world.get("/users/me/calendarList").await.refused(403, "insufficientPermissions");
    let range = json!({ "timeMin": START, "timeMax": END, "items": [{ "id": "primary" }] });
    world.post("/freeBusy", range.clone()).await.refused(403, "insufficientPermissions");
    world.token = world.simulator.issue_tokens(ANA, &["calendar.freebusy"]).unwrap().access_token;
    world.post("/freeBusy", range).await.ok();
    world.get(&path).await.refused(403, "insufficientPermissions");
    world.token = "ya29.invented".to_owned();
    world.get(&path).await.refused(401, "authError");
    let bare = world.http.get(format!("{}/calendar/v3{path}", world.simulator.base_url()));
    world.send(bare).await.refused(401, "required");
}

#[tokio::test]
async fn another_users_calendar_and_an_unknown_event_are_not_found() {
    let world = World::start().await;
    world.get("/calendars/ben%40example.com/events").await.refused(404, "notFound");
    world.get("/calendars/primary/events/unknown0").await.refused(404, "notFound");
    world.patch("/calendars/primary/events/unknown0", json!({})).await.refused(404, "notFound");
    world.get("/nothing/here").await.refused(404, "notFound");
}
