use cupo_simulators::microsoft::Fault;
use serde_json::{Value, json};

use crate::microsoft::world::{ANA, World, id, intro};

fn answer<'a>(batch: &'a Value, id: &str) -> &'a Value {
    let answers = batch["responses"].as_array().expect("responses");
    answers.iter().find(|answer| answer["id"] == id).expect("the answer")
}

fn insert(id: &str) -> Value {
    let headers = json!({ "Content-Type": "application/json", "Prefer": "IdType=\"ImmutableId\"" });
    json!({ "id": id, "method": "POST", "url": "/me/events", "headers": headers, "body": intro() })
}

#[tokio::test]
async fn each_request_of_a_batch_has_a_status_of_its_own() {
    let world = World::start().await;
    let made = world.create(intro()).await;
    let requests = json!([
        { "id": "1", "method": "GET", "url": format!("/me/events/{}?$select=subject", id(&made)) },
        { "id": "2", "method": "GET", "url": "/me/events/nonsense" },
        insert("3"),
        { "id": "4", "method": "DELETE", "url": format!("/me/events/{}", id(&made)), "dependsOn": ["3"] },
    ]);
    let batch = world.post("/$batch", json!({ "requests": requests })).await.ok();
    assert_eq!(answer(&batch, "1")["body"]["subject"], "Intro");
    assert_eq!(answer(&batch, "2")["status"], 400);
    assert_eq!(answer(&batch, "2")["body"]["error"]["code"], "ErrorInvalidIdMalformed");
    assert_eq!(answer(&batch, "3")["status"], 201);
    assert!(answer(&batch, "3")["headers"]["Content-Type"].as_str().unwrap().starts_with("application/json"));
    assert_eq!(answer(&batch, "4")["status"], 204);
    assert!(answer(&batch, "4").get("body").is_none());
    assert_ne!(batch["responses"][0]["id"], "1", "the order of the answers is another");
    assert_eq!(world.simulator.events(ANA).unwrap().len(), 1);
}

#[tokio::test]
async fn a_request_is_not_run_when_one_that_it_depends_on_failed() {
    let world = World::start().await;
    let mut second = insert("2");
    second["dependsOn"] = json!(["1"]);
    let requests = json!([{ "id": "1", "method": "GET", "url": "/me/events/nonsense" }, second]);
    let batch = world.post("/$batch", json!({ "requests": requests })).await.ok();
    assert_eq!(answer(&batch, "2")["status"], 424);
    assert!(world.simulator.events(ANA).unwrap().is_empty());
}

#[tokio::test]
async fn faults_strike_single_requests_of_a_batch() {
    let world = World::start().await;
    let fault = Fault {
        path_pattern: Some("/me/calendars$".to_owned()),
        status: Some(429),
        retry_after: Some(7),
        ..Fault::default()
    };
    world.simulator.add_fault(fault).unwrap();
    let requests = json!([
        { "id": "a", "method": "GET", "url": "me/calendars" },
        { "id": "b", "method": "GET", "url": "me/calendar" },
    ]);
    let batch = world.post("/$batch", json!({ "requests": requests })).await.ok();
    assert_eq!((&answer(&batch, "a")["status"], &answer(&batch, "b")["status"]), (&json!(429), &json!(200)));
    assert_eq!(answer(&batch, "a")["headers"]["Retry-After"], "7");
    let paths: Vec<String> = world.simulator.exchanges().into_iter().map(|exchange| exchange.path).collect();
    assert_eq!(paths, ["/v1.0/me/calendars", "/v1.0/me/calendar", "/v1.0/$batch"]);
}

#[tokio::test]
async fn a_batch_that_cannot_be_is_refused_as_a_whole() {
    let mut world = World::start().await;
    let get = |id: usize| json!({ "id": id.to_string(), "method": "GET", "url": "/me/calendar" });
    let many: Vec<Value> = (0..21).map(get).collect();
    let unknown = json!([{ "id": "1", "method": "GET", "url": "/me/calendar", "dependsOn": ["9"] }]);
    for requests in [json!(many), json!([get(1), get(1)]), json!([]), unknown] {
        world.post("/$batch", json!({ "requests": requests })).await.refused(400, "BadRequest");
    }
    let mut bare = insert("1");
    bare["headers"] = json!({});
    let batch = world.post("/$batch", json!({ "requests": [bare] })).await.ok();
    assert_eq!(answer(&batch, "1")["status"], 400, "a body without its type");
    world.token = "stranger".to_owned();
    world.post("/$batch", json!({ "requests": [get(1)] })).await.refused(401, "InvalidAuthenticationToken");
}
