use cupo_simulators::microsoft::Behaviour;
use serde_json::json;

use crate::microsoft::world::{CARLA, World, id, intro, with};

fn teams() -> serde_json::Value {
    with(intro(), json!({ "isOnlineMeeting": true, "onlineMeetingProvider": "teamsForBusiness" }))
}

#[tokio::test]
async fn a_teams_meeting_has_a_link_to_join_and_cannot_be_undone() {
    let world = World::start().await;
    let made = world.create(teams()).await;
    let link = made["onlineMeeting"]["joinUrl"].as_str().unwrap().to_owned();
    assert!(link.starts_with("https://teams.microsoft.com/l/meetup-join/"), "{link}");
    assert_eq!((&made["isOnlineMeeting"], &made["onlineMeetingProvider"]), (&json!(true), &json!("teamsForBusiness")));
    let undo = json!({ "isOnlineMeeting": false, "onlineMeetingProvider": "unknown" });
    let changed = world.patch(&format!("/me/events/{}", id(&made)), undo).await.ok();
    assert_eq!(changed["onlineMeeting"]["joinUrl"], link.as_str());
    assert_eq!(changed["isOnlineMeeting"], true);
}

#[tokio::test]
async fn a_body_without_the_meetings_part_ends_the_meeting() {
    let world = World::start().await;
    let made = world.create(teams()).await;
    let path = format!("/me/events/{}", id(&made));
    let kept = made["body"]["content"].as_str().unwrap().replace("<body>", "<body><p>Bring the papers</p>");
    let changed = world.patch(&path, json!({ "body": { "contentType": "html", "content": kept } })).await.ok();
    assert_eq!(changed["isOnlineMeeting"], true);
    let changed = world.patch(&path, json!({ "body": { "contentType": "text", "content": "Only this" } })).await.ok();
    assert_eq!((&changed["isOnlineMeeting"], changed["onlineMeeting"].is_null()), (&json!(false), true));
}

#[tokio::test]
async fn where_the_calendar_does_not_allow_it_nothing_is_said_and_no_meeting_made() {
    let mut world = World::start().await;
    world.sign_in(CARLA);
    let made = world.create(teams()).await;
    assert_eq!((&made["isOnlineMeeting"], &made["onlineMeetingProvider"]), (&json!(false), &json!("unknown")));
    assert!(made["onlineMeeting"].is_null());
}

#[tokio::test]
async fn a_meeting_can_be_long_in_coming_or_fail() {
    let world = World::start().await;
    let behaviour = world.simulator.behaviour();
    world.simulator.set_behaviour(Behaviour { meeting_pending_ms: 60_000, ..behaviour });
    let made = world.create(teams()).await;
    assert_eq!((&made["isOnlineMeeting"], made["onlineMeeting"].is_null()), (&json!(true), true));
    world.simulator.clock().advance(chrono::TimeDelta::minutes(1));
    let later = world.get(&format!("/me/events/{}", id(&made))).await.ok();
    assert!(later["onlineMeeting"]["joinUrl"].is_string());
    world.simulator.set_behaviour(Behaviour { meetings_fail: true, ..behaviour });
    assert_eq!(world.create(teams()).await["isOnlineMeeting"], false);
}
