use std::time::{Duration, Instant};

use cupo_simulators::google::Fault;
use reqwest::Method;
use serde_json::json;

use crate::world::{ANA, World, event};

fn intro() -> serde_json::Value {
    let mut intro = event("Intro", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z");
    intro["id"] = json!("cupo0abc");
    intro
}

#[tokio::test]
async fn a_status_fault_answers_in_googles_shape_and_does_nothing() {
    let world = World::start().await;
    let fault = json!({
        "method": "POST", "path_pattern": "/events$", "times": 2, "status": 403,
        "body_reason": "rateLimitExceeded", "retry_after": 7,
    });
    assert_eq!(world.control(Method::POST, "/faults", Some(fault)).await.status, 201);
    let answer = world.request(Method::POST, "/calendars/primary/events").json(&intro()).send().await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "7");
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(body["error"]["errors"][0]["domain"], "usageLimits");
    world.get("/calendars/primary/events").await.ok();
    world.post("/calendars/primary/events", intro()).await.refused(403, "rateLimitExceeded");
    assert!(world.simulator.events(ANA).unwrap().is_empty());
    world.post("/calendars/primary/events", intro()).await.ok();
}

#[tokio::test]
async fn a_dropped_answer_leaves_its_effect_behind() {
    let world = World::start().await;
    let fault = Fault { method: Some("POST".to_owned()), drop_answer_after_effect: true, ..Fault::default() };
    world.simulator.add_fault(fault).unwrap();
    let lost = world.request(Method::POST, "/calendars/primary/events").json(&intro()).send().await;
    assert!(lost.is_err(), "the connection closes without an answer");
    assert_eq!(world.simulator.events(ANA).unwrap().len(), 1);
    assert!(world.simulator.exchanges().last().unwrap().dropped);
    world.post("/calendars/primary/events", intro()).await.refused(409, "duplicate");
}

#[tokio::test]
async fn a_delay_comes_before_the_effect() {
    let world = World::start().await;
    world.simulator.add_fault(Fault { delay_ms: 150, ..Fault::default() }).unwrap();
    let begin = Instant::now();
    world.get("/calendars/primary/events").await.ok();
    assert!(begin.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_fault_of_the_token_endpoint_speaks_oauth() {
    let world = World::start().await;
    let fault = Fault {
        path_pattern: Some("^/token$".to_owned()),
        status: Some(400),
        body_reason: Some("admin_policy_enforced".to_owned()),
        ..Fault::default()
    };
    world.simulator.add_fault(fault).unwrap();
    let request = world.http.post(format!("{}/token", world.simulator.base_url())).form(&[("grant_type", "x")]);
    world.send(request).await.refused(400, "admin_policy_enforced");
}

#[tokio::test]
async fn faults_are_checked_and_can_be_cleared() {
    let world = World::start().await;
    for wrong in [
        json!({}),
        json!({ "status": 200 }),
        json!({ "status": 500, "path_pattern": "(" }),
        json!({ "status": 500, "times": 0 }),
        json!({ "status": 500, "drop_answer_after_effect": true }),
    ] {
        assert_eq!(world.control(Method::POST, "/faults", Some(wrong.clone())).await.status, 400, "{wrong}");
    }
    assert_eq!(world.control(Method::POST, "/faults", Some(json!({ "satus": 500 }))).await.status, 422);
    world.simulator.add_fault(Fault { status: Some(503), times: 100, ..Fault::default() }).unwrap();
    world.get("/calendars/primary/events").await.refused(503, "backendError");
    assert_eq!(world.control(Method::DELETE, "/faults", None).await.status, 204);
    world.get("/calendars/primary/events").await.ok();
}
