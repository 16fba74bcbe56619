use cupo_simulators::microsoft::{Fault, SignInFault};
use reqwest::Method;
use serde_json::json;

use crate::microsoft::world::{ANA, SCOPES, World, id, intro};

#[tokio::test]
async fn a_status_fault_answers_in_graphs_shape_and_does_nothing() {
    let world = World::start().await;
    let fault = json!({ "method": "POST", "path_pattern": "/events$", "status": 503, "retry_after": 7 });
    world.control(Method::POST, "/faults", Some(fault)).await.is(201);
    let answer = world.post("/me/events", intro()).await;
    assert_eq!(answer.headers["retry-after"], "7");
    answer.refused(503, "ServiceUnavailable");
    assert!(world.simulator.events(ANA).unwrap().is_empty());
    world.post("/me/events", intro()).await.ok();
    world.control(Method::POST, "/faults", Some(json!({ "status": 200 }))).await.is(400);
}

#[tokio::test]
async fn a_conflict_in_passing_goes_by() {
    let world = World::start().await;
    let made = world.create(intro()).await;
    let fault = Fault {
        method: Some("PATCH".to_owned()),
        status: Some(412),
        code: Some("ErrorIrresolvableConflict".to_owned()),
        ..Fault::default()
    };
    world.simulator.add_fault(fault).unwrap();
    let path = format!("/me/events/{}", id(&made));
    world.patch(&path, json!({ "subject": "Two" })).await.refused(412, "ErrorIrresolvableConflict");
    assert_eq!(world.patch(&path, json!({ "subject": "Two" })).await.ok()["subject"], "Two");
}

#[tokio::test]
async fn a_dropped_answer_leaves_its_effect_behind() {
    let world = World::start().await;
    let fault = Fault { method: Some("POST".to_owned()), drop_answer_after_effect: true, ..Fault::default() };
    world.simulator.add_fault(fault).unwrap();
    let lost = world.request(Method::POST, "/me/events").json(&intro()).send().await;
    assert!(lost.is_err(), "the connection closes without an answer");
    assert_eq!(world.simulator.events(ANA).unwrap().len(), 1);
    assert!(world.simulator.exchanges().last().unwrap().dropped);
}

#[tokio::test]
async fn the_token_endpoint_fails_by_aadsts_code() {
    let world = World::start().await;
    let issued = world.simulator.issue_tokens(ANA, &SCOPES).unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", issued.refresh_token.as_str())];
    for (code, error) in [
        (50_076, "interaction_required"),
        (700_082, "invalid_grant"),
        (7_000_222, "invalid_client"),
        (90_094, "access_denied"),
    ] {
        let sign_in_error = Some(SignInFault { code, ..SignInFault::default() });
        let fault = Fault { path_pattern: Some("/token$".to_owned()), sign_in_error, ..Fault::default() };
        world.simulator.add_fault(fault).unwrap();
        let answer = world.token("common", &form).await;
        assert!(answer.body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{code}: ")));
        assert_eq!(answer.reason(), format!("{error} {code}"));
    }
    let sign_in_error = Some(SignInFault {
        code: 53_003,
        error: Some("invalid_grant".to_owned()),
        suberror: Some("message_only".to_owned()),
        claims: Some("{}".to_owned()),
    });
    world.simulator.add_fault(Fault { sign_in_error, ..Fault::default() }).unwrap();
    let answer = world.token("common", &form).await;
    assert_eq!((&answer.body["suberror"], &answer.body["claims"]), (&json!("message_only"), &json!("{}")));
    answer.refused(400, "invalid_grant 53003");
    world.token("common", &form).await.ok();
}
