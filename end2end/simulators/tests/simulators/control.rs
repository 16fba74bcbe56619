use cupo_simulators::google::{GoogleOptions, GoogleSimulator};
use reqwest::Method;
use serde_json::json;

use crate::world::{ANA, World, event, ids};

#[tokio::test]
async fn an_added_user_has_calendars_and_can_be_given_tokens() {
    let mut world = World::start().await;
    let user = json!({
        "email": "eva@example.com", "time_zone": "America/Mexico_City",
        "calendars": [{ "summary": "Consultas", "color": "#aa3344", "time_zone": "America/Tijuana" }],
    });
    assert_eq!(world.control(Method::POST, "/users", Some(user.clone())).await.status, 201);
    assert_eq!(world.control(Method::POST, "/users", Some(user)).await.status, 400, "twice is a mistake");
    let zone = json!({ "email": "x@example.com", "time_zone": "Nowhere" });
    assert_eq!(world.control(Method::POST, "/users", Some(zone)).await.status, 400);
    let asked = json!({ "email": "eva@example.com", "scopes": ["calendar.readonly"] });
    let issued = world.control(Method::POST, "/token", Some(asked)).await.ok();
    world.token = issued["access_token"].as_str().unwrap().to_owned();
    let list = world.get("/users/me/calendarList").await.ok();
    assert_eq!(ids(&list)[0], "eva@example.com");
    assert_eq!(list["items"][1]["timeZone"], "America/Tijuana");
    assert_eq!(list["items"][1]["backgroundColor"], "#aa3344");
}

#[tokio::test]
async fn events_are_changed_by_hand_in_wall_clock_time() {
    let world = World::start().await;
    let wanted = json!({
        "calendar": ANA, "summary": "By hand",
        "start": { "dateTime": "2026-11-23T10:00:00", "timeZone": "Europe/Madrid" },
        "end": { "dateTime": "2026-11-23T11:00:00", "timeZone": "Europe/Madrid" },
    });
    let made = world.control(Method::POST, "/events", Some(wanted)).await.ok();
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["start"]["dateTime"], "2026-11-23T10:00:00+01:00");
    let path = format!("/events/{ANA}/{id}");
    let moved = json!({
        "start": { "dateTime": "2026-11-24T16:15:00", "timeZone": "Europe/Madrid" },
        "end": { "dateTime": "2026-11-24T17:15:00", "timeZone": "Europe/Madrid" },
    });
    world.control(Method::PATCH, &path, Some(moved)).await.ok();
    let week = world.control(Method::GET, &format!("/events?calendar={ANA}&from=2026-11-23&to=2026-11-30"), None).await;
    let week = week.ok();
    assert_eq!(week["items"][0]["local"]["start"], "2026-11-24T16:15:00");
    assert_eq!(week["time_zone"], "Europe/Madrid");
    assert_eq!(week["now"], "2026-11-20T09:00:00");
    assert_eq!(world.control(Method::DELETE, &path, None).await.status, 204);
    let stored = world.control(Method::GET, &format!("/events?calendar={ANA}"), None).await.ok();
    assert_eq!(stored["items"][0]["status"], "cancelled");
    world.control(Method::GET, "/events?calendar=nobody", None).await.refused(404, "notFound");
}

#[tokio::test]
async fn revoking_and_expiring_by_command_are_different_things() {
    let mut world = World::start().await;
    let issued = world.simulator.issue_tokens(ANA, &["calendar.readonly"]).unwrap();
    world.token = issued.access_token;
    let refresh = || {
        let form = [
            ("client_id", "cupo-demo"),
            ("client_secret", "cupo-demo-secret"),
            ("grant_type", "refresh_token"),
            ("refresh_token", &issued.refresh_token),
        ];
        world.http.post(format!("{}/token", world.simulator.base_url())).form(&form)
    };
    assert_eq!(world.control(Method::POST, "/expire-access-tokens", None).await.status, 204);
    world.get("/users/me/calendarList").await.refused(401, "authError");
    world.send(refresh()).await.ok();
    assert_eq!(world.control(Method::POST, "/revoke", Some(json!({ "email": ANA }))).await.status, 204);
    world.send(refresh()).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn the_clock_can_be_set_and_advanced() {
    let world = World::start().await;
    let set = world.control(Method::POST, "/clock", Some(json!({ "now": "2027-01-01T00:00:00Z" }))).await.ok();
    assert!(set["now"].as_str().unwrap().starts_with("2027-01-01T00:00:0"));
    let later = world.control(Method::POST, "/clock", Some(json!({ "advance_seconds": 3600 }))).await.ok();
    assert!(later["now"].as_str().unwrap().starts_with("2027-01-01T01:00:0"));
}

#[tokio::test]
async fn the_log_tells_requests_with_their_answers_until_it_is_cleared() {
    let world = World::start().await;
    world.insert(event("Intro", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")).await;
    let log = world.control(Method::GET, "/log", None).await.ok();
    let exchange = &log["exchanges"][0];
    assert_eq!(exchange["method"], "POST");
    assert_eq!(exchange["path"], "/calendar/v3/calendars/primary/events");
    assert_eq!(exchange["account"], ANA);
    assert_eq!(exchange["body"]["summary"], "Intro");
    assert_eq!(exchange["answer"]["kind"], "calendar#event");
    assert_eq!(world.control(Method::DELETE, "/log", None).await.status, 204);
    assert_eq!(world.control(Method::GET, "/log", None).await.ok()["exchanges"], json!([]));
}

#[tokio::test]
async fn a_reset_brings_the_first_world_back() {
    let world = World::start().await;
    world.insert(event("Intro", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")).await;
    assert_eq!(world.control(Method::POST, "/reset", None).await.status, 204);
    assert!(world.simulator.events(ANA).unwrap().is_empty());
    world.get("/users/me/calendarList").await.refused(401, "authError");
}

#[tokio::test]
async fn the_state_file_keeps_the_world_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let options = GoogleOptions { state_file: Some(directory.path().join("google.json")), ..GoogleOptions::default() };
    let first = GoogleSimulator::start(options.clone()).await.unwrap();
    let tokens = first.issue_tokens(ANA, &["calendar.events"]).unwrap();
    let made = first.insert_event(ANA, event("Kept", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")).unwrap();
    first.stop().await;
    let second = GoogleSimulator::start(options.clone()).await.unwrap();
    assert_eq!(second.events(ANA).unwrap()[0]["etag"], made["etag"]);
    let address = format!("{}/calendar/v3/calendars/primary/events", second.base_url());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(address).bearer_auth(tokens.access_token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    second.stop().await;
    std::fs::write(options.state_file.clone().unwrap(), "nonsense").unwrap();
    let error = GoogleSimulator::start(options).await.unwrap_err();
    assert!(format!("{error:#}").contains("remove it to start afresh"), "{error:#}");
}

#[tokio::test]
async fn the_sample_week_stands_in_the_first_users_calendars() {
    let simulator =
        GoogleSimulator::start(GoogleOptions { sample_events: true, ..GoogleOptions::default() }).await.unwrap();
    assert_eq!(simulator.events(ANA).unwrap().len(), 12);
    simulator.stop().await;
}

#[tokio::test]
async fn the_page_and_the_link_of_an_event_are_served() {
    let world = World::start().await;
    let made = world.insert(event("Intro", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")).await;
    let page = world.http.get(world.simulator.base_url()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("/week.js"));
    let link = world.http.get(made["htmlLink"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(link.status(), 303);
    let expected = format!("/?calendar=ana%40example.com&day=2026-11-23&event={}", made["id"].as_str().unwrap());
    assert_eq!(link.headers()["location"], expected);
}

#[tokio::test]
async fn an_event_that_is_moved_into_another_calendar_keeps_its_id_and_is_cancelled_where_it_was() {
    let world = World::start().await;
    let made = world.insert(event("Intro", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")).await;
    let id = made["id"].as_str().unwrap();
    let personal = world.simulator.calendar_named(ANA, "Personal").unwrap();
    let path = format!("/events/{ANA}/{id}/move");
    let moved = world.control(Method::POST, &path, Some(json!({ "to": personal }))).await.ok();
    assert_eq!((&moved["id"], &moved["iCalUID"]), (&made["id"], &made["iCalUID"]));
    let there = world.get(&format!("/calendars/{personal}/events/{id}")).await.ok();
    assert_eq!(there["status"], "confirmed");
    let left = world.get(&format!("/calendars/primary/events/{id}")).await.ok();
    assert_eq!(left["status"], "cancelled");
    world.control(Method::POST, &path, Some(json!({ "to": personal }))).await.refused(404, "notFound");
    let to_ben = json!({ "to": "ben@example.com" });
    let path = format!("/events/{personal}/{id}/move");
    assert_eq!(world.control(Method::POST, &path, Some(to_ben)).await.status, 400);
}

#[tokio::test]
async fn a_deleted_calendar_is_neither_listed_nor_found() {
    let world = World::start().await;
    let personal = world.simulator.calendar_named(ANA, "Personal").unwrap();
    assert_eq!(world.control(Method::DELETE, &format!("/calendars/{personal}"), None).await.status, 204);
    assert!(!ids(&world.get("/users/me/calendarList").await.ok()).contains(&personal.as_str()));
    world.get(&format!("/calendars/{personal}/events")).await.refused(404, "notFound");
    assert_eq!(world.control(Method::DELETE, &format!("/calendars/{ANA}"), None).await.status, 400);
}
