//! Logs name no visitor and hold no secret.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::world::{World, booking};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_story_leaves_no_token_password_or_visitor_in_the_logs() {
    let captured = Captured::default();
    // Each test has a process of its own under nextest; this is the only one that sets the subscriber.
    tracing_subscriber::fmt().with_writer(captured.clone()).with_max_level(tracing::Level::DEBUG).init();
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let connected = world.client.get(world.url("/dashboard/calendars")).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(connected.status(), 200);
    world
        .form("/dashboard/api/sign_in", &[("form[email]", "ana@example.com"), ("form[password]", "my wrong guess")])
        .await;
    let view = world.booked().await;
    let token = view["token"].as_str().unwrap().to_owned();
    world.until("the event", async || world.events().into_iter().next()).await;
    world.until("the mail", async || (!world.mail.messages().is_empty()).then_some(())).await;
    world.book("another-key-of-hers", &json!({ "org": "demo" })).await;
    world.book("another-key-of-hers", &booking(world.slots().await[0] + chrono::TimeDelta::minutes(1))).await;
    world.get(&format!("/manage/{token}")).await;
    let cancel = world.client.post(world.url(&format!("/embed/v1/appointments/{token}/cancel"))).json(&json!({}));
    cancel.send().await.unwrap();
    world.until("the deletion", async || world.events().is_empty().then_some(())).await;

    let spoken: Vec<String> = world
        .google
        .exchanges()
        .iter()
        .filter(|it| it.path == "/token")
        .filter_map(|it| it.answer.clone())
        .flat_map(|answer| {
            ["access_token", "refresh_token"]
                .into_iter()
                .filter_map(move |name| answer[name].as_str().map(str::to_owned))
        })
        .collect();
    assert!(!spoken.is_empty(), "the simulator gave tokens");
    let session = cookie.split_once('=').unwrap().1;
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("request"), "something was logged");
    let secrets = [&token, session, &world.demo.password, "my wrong guess", "vera@example.com", "Vera Visitor"];
    for secret in spoken.iter().map(String::as_str).chain(secrets) {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}
