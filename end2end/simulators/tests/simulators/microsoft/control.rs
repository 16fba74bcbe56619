use cupo_simulators::microsoft::{MicrosoftOptions, MicrosoftSimulator};
use reqwest::Method;
use serde_json::json;

use crate::microsoft::world::{ANA, World, all, intro};

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn an_added_user_has_a_mailbox_and_can_be_given_tokens() {
    let mut world = World::start().await;
    let user = json!({
        "email": "eva@fabrikam.example", "name": "Eva", "time_zone": "America/Mexico_City",
        "tenant": "11111111-2222-4333-8444-555555555555",
        "calendars": [{ "name": "Consultas", "color": "#aa3344" }],
    });
    world.control(Method::POST, "/users", Some(user.clone())).await.is(201);
    world.control(Method::POST, "/users", Some(user)).await.is(400);
    for wrong in [
        json!({ "email": "x@example.com", "time_zone": "Nowhere" }),
        json!({ "email": "nobody", "time_zone": "UTC" }),
        json!({ "email": "y@example.com", "time_zone": "UTC", "personal": true, "tenant": "t" }),
    ] {
        world.control(Method::POST, "/users", Some(wrong)).await.is(400);
    }
    let asked = json!({ "email": "eva@fabrikam.example", "scopes": ["Calendars.ReadWrite"] });
    let issued = world.control(Method::POST, "/token", Some(asked)).await.ok();
    world.token = issued["access_token"].as_str().unwrap().to_owned();
    let list = world.get("/me/calendars").await.ok();
    assert_eq!(all(&list, "name"), ["Calendar", "Consultas"]);
    assert_eq!(list["value"][1]["hexColor"], "#aa3344");
    let unknown = json!({ "email": "eva@fabrikam.example", "scopes": ["Everything"] });
    world.control(Method::POST, "/token", Some(unknown)).await.is(400);
}

#[tokio::test]
async fn events_are_changed_by_hand_in_wall_clock_time() {
    let world = World::start().await;
    let wanted = json!({
        "calendar": ANA, "subject": "By hand",
        "start": { "dateTime": "2026-11-23T10:00:00", "timeZone": "Europe/Madrid" },
        "end": { "dateTime": "2026-11-23T11:00:00", "timeZone": "Europe/Madrid" },
    });
    let made = world.control(Method::POST, "/events", Some(wanted)).await.ok();
    let path = format!("/events/{ANA}/{}", encoded(made["id"].as_str().unwrap()));
    let moved = json!({
        "start": { "dateTime": "2026-11-24T16:15:00", "timeZone": "Europe/Madrid" },
        "end": { "dateTime": "2026-11-24T17:15:00", "timeZone": "Europe/Madrid" },
    });
    world.control(Method::PATCH, &path, Some(moved)).await.ok();
    let week = world.control(Method::GET, &format!("/events?calendar={ANA}&from=2026-11-23&to=2026-11-30"), None).await;
    let week = week.ok();
    assert_eq!(week["items"][0]["local"]["start"], "2026-11-24T16:15:00");
    assert_eq!(week["items"][0]["event"]["summary"], "By hand");
    assert_eq!((&week["time_zone"], &week["now"]), (&json!("Europe/Madrid"), &json!("2026-11-20T09:00:00")));
    let to = json!({ "calendar": "ana@contoso.example/Personal" });
    let moved = world.control(Method::POST, &format!("{path}/move"), Some(to)).await.ok();
    let personal = encoded("ana@contoso.example/Personal");
    let path = format!("/events/{personal}/{}", encoded(moved["id"].as_str().unwrap()));
    world.control(Method::DELETE, &path, None).await.is(204);
    let stored = world.control(Method::GET, &format!("/events?calendar={personal}"), None).await.ok();
    assert_eq!(stored["items"], json!([]));
    world.control(Method::GET, "/events?calendar=nobody", None).await.refused(404, "ErrorItemNotFound");
}

#[tokio::test]
async fn tokens_and_claims_are_ended_by_command() {
    let world = World::start().await;
    let issued = world.simulator.issue_tokens(ANA, &["Calendars.ReadWrite"]).unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", issued.refresh_token.as_str())];
    let account = || Some(json!({ "email": ANA }));
    world.control(Method::POST, "/require-claims", Some(json!({ "email": ANA, "claims": "{}" }))).await.is(204);
    world.get("/me").await.refused(401, "InvalidAuthenticationToken");
    world.control(Method::POST, "/require-claims", account()).await.is(204);
    world.get("/me").await.ok();
    world.control(Method::POST, "/expire-access-tokens", None).await.is(204);
    world.get("/me").await.refused(401, "InvalidAuthenticationToken");
    world.token("common", &form).await.ok();
    world.control(Method::POST, "/expire-refresh-tokens", account()).await.is(204);
    world.token("common", &form).await.refused(400, "invalid_grant 700082");
    world.control(Method::POST, "/revoke", account()).await.is(204);
    world.token("common", &form).await.refused(400, "invalid_grant 50173");
    let issued = world.control(Method::POST, "/application-token", None).await.ok();
    assert!(issued["access_token"].is_string());
}

#[tokio::test]
async fn switches_clock_and_log_are_there() {
    let world = World::start().await;
    let behaviour = world.control(Method::GET, "/behaviour", None).await.ok();
    assert_eq!(behaviour["used_refresh_tokens_work"], true);
    let changed = json!({ "duplicate_transaction": "conflict" });
    world.control(Method::POST, "/behaviour", Some(changed)).await.is(204);
    let set = world.control(Method::POST, "/clock", Some(json!({ "now": "2027-01-01T00:00:00Z" }))).await.ok();
    assert!(set["now"].as_str().unwrap().starts_with("2027-01-01T00:00:0"));
    world.simulator.clear_exchanges();
    world.simulator.clock().set("2026-11-20T08:00:00Z".parse().unwrap());
    let request = world.request(Method::POST, "/me/events").header("prefer", "IdType=\"ImmutableId\"").json(&intro());
    world.send(request).await.ok();
    let log = world.control(Method::GET, "/log", None).await.ok();
    let exchange = &log["exchanges"][0];
    assert_eq!((&exchange["path"], &exchange["account"]), (&json!("/v1.0/me/events"), &json!(ANA)));
    assert_eq!(exchange["headers"]["prefer"], "IdType=\"ImmutableId\"");
    assert_eq!((&exchange["body"]["subject"], &exchange["answer"]["subject"]), (&json!("Intro"), &json!("Intro")));
    world.control(Method::DELETE, "/log", None).await.is(204);
    world.control(Method::POST, "/expire-sync-tokens", None).await.is(204);
    assert_eq!(world.control(Method::GET, "/log", None).await.ok()["exchanges"], json!([]));
}

#[tokio::test]
async fn a_reset_brings_the_first_world_back() {
    let world = World::start().await;
    world.create(intro()).await;
    world.control(Method::POST, "/reset", None).await.is(204);
    assert!(world.simulator.events(ANA).unwrap().is_empty());
    world.get("/me").await.refused(401, "InvalidAuthenticationToken");
}

#[tokio::test]
async fn the_state_file_keeps_the_world_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("microsoft.json");
    let options = MicrosoftOptions { state_file: Some(file.clone()), ..MicrosoftOptions::default() };
    let first = MicrosoftSimulator::start(options.clone()).await.unwrap();
    let made = first.insert_event(ANA, intro()).unwrap();
    first.stop().await;
    let second = MicrosoftSimulator::start(options.clone()).await.unwrap();
    assert_eq!(second.events(ANA).unwrap()[0]["changeKey"], made["changeKey"]);
    let another = second.insert_event(ANA, intro()).unwrap();
    assert_ne!(another["id"], made["id"], "keys go on where they were");
    second.stop().await;
    std::fs::write(&file, "nonsense").unwrap();
    let error = MicrosoftSimulator::start(options).await.unwrap_err();
    assert!(format!("{error:#}").contains("remove it to start afresh"), "{error:#}");
}

#[tokio::test]
async fn the_sample_week_and_the_page_are_there() {
    let options = MicrosoftOptions { sample_events: true, ..MicrosoftOptions::default() };
    let world = World::start_with(options).await;
    assert_eq!(world.simulator.events(ANA).unwrap().len(), 12);
    let page = world.http.get(world.simulator.base_url()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Simulated Outlook Calendar") && page.contains("data-title-member=\"subject\""));
    for asset in ["week.js", "week.css"] {
        let answer = world.http.get(format!("{}/{asset}", world.simulator.base_url())).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{asset}");
    }
    let users = world.control(Method::GET, "/users", None).await.ok();
    assert_eq!(users["users"][0]["calendars"][0]["primary"], true);
}

#[tokio::test]
async fn a_deleted_calendar_is_neither_listed_nor_found() {
    let world = World::start().await;
    let list = world.get("/me/calendars").await.ok();
    let personal = list["value"][1]["id"].as_str().unwrap().to_owned();
    let path = format!("/calendars/{}", encoded(&format!("{ANA}/Personal")));
    world.control(Method::DELETE, &path, None).await.is(204);
    assert_eq!(all(&world.get("/me/calendars").await.ok(), "name"), ["Calendar", "Birthdays"]);
    let window = "startDateTime=2026-11-23T00:00:00Z&endDateTime=2026-11-24T00:00:00Z";
    world.get(&format!("/me/calendars/{personal}/calendarView/delta?{window}")).await.is(404);
    world.control(Method::DELETE, &format!("/calendars/{}", encoded(ANA)), None).await.is(403);
}
