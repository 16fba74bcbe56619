use std::time::{Duration, Instant};

use cupo_simulators::front::{Fault, Front};
use cupo_simulators::google::{GoogleOptions, GoogleSimulator};
use cupo_simulators::mail::MailSink;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// A front before a server that keeps something: the mail sink's page.
async fn world() -> (Front, MailSink, Client) {
    let any = "127.0.0.1:0".parse().unwrap();
    let sink = MailSink::start(any, any).await.unwrap();
    let front = Front::start(any, &sink.base_url()).await.unwrap();
    (front, sink, Client::builder().no_proxy().build().unwrap())
}

#[tokio::test]
async fn a_request_goes_through_with_its_body_and_comes_back_as_it_was() {
    let (front, sink, http) = world().await;
    let straight = http.get(format!("{}/messages", sink.base_url())).send().await.unwrap();
    let through = http.get(format!("{}/messages", front.base_url())).send().await.unwrap();
    assert_eq!(through.headers()["content-type"], straight.headers()["content-type"]);
    assert_eq!(through.json::<Value>().await.unwrap(), json!([]));
    let faults = format!("{}/control/faults", front.base_url());
    let refused = http.post(&faults).json(&json!({ "code": 250 })).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "the body arrived");
    let absent = http.get(format!("{}/messages/7", front.base_url())).send().await.unwrap();
    assert_eq!(absent.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn faults_strike_what_they_aim_at_and_nothing_else() {
    let (front, _sink, http) = world().await;
    let aim =
        || Fault { method: Some("GET".to_owned()), path_pattern: Some("^/messages$".to_owned()), ..Fault::default() };
    front.add_fault(Fault { status: Some(429), retry_after: Some(7), ..aim() }).unwrap();
    front.add_fault(Fault { delay_ms: 40, ..aim() }).unwrap();
    let ask = |path: &str| http.request(Method::GET, format!("{}{path}", front.base_url())).send();
    assert_eq!(ask("/messages/7").await.unwrap().status(), StatusCode::NOT_FOUND);
    let refused = ask("/messages").await.unwrap();
    assert_eq!(
        (refused.status(), &refused.headers()["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &"7".parse().unwrap())
    );
    let asked_at = Instant::now();
    assert_eq!(ask("/messages").await.unwrap().status(), StatusCode::OK);
    assert!(asked_at.elapsed() >= Duration::from_millis(40));
    assert!(front.add_fault(Fault::default()).is_err(), "a fault without an effect");
}

#[tokio::test]
async fn an_answer_is_lost_after_the_effect() {
    let google = GoogleSimulator::start(GoogleOptions::default()).await.unwrap();
    let front = Front::start("127.0.0.1:0".parse().unwrap(), &google.base_url()).await.unwrap();
    let http = Client::builder().no_proxy().build().unwrap();
    front.add_fault(Fault { drop_answer_after_effect: true, ..Fault::default() }).unwrap();
    let users = format!("{}/control/users", front.base_url());
    let carla = json!({ "email": "carla@example.com", "time_zone": "Europe/Madrid", "calendars": [] });
    assert!(http.post(&users).json(&carla).send().await.is_err());
    let told = http.get(&users).send().await.unwrap().text().await.unwrap();
    assert!(told.contains("carla@example.com"), "{told}");
}
