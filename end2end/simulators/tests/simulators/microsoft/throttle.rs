use std::sync::Arc;

use cupo_simulators::microsoft::{Fault, MicrosoftOptions};
use reqwest::Method;

use crate::microsoft::world::{BEN, SCOPES, World};

#[tokio::test]
async fn beyond_the_limit_requests_wait_until_the_ten_minutes_are_over() {
    let options = MicrosoftOptions { requests_per_ten_minutes: Some(3), ..MicrosoftOptions::default() };
    let mut world = World::start_with(options).await;
    for _ in 0..3 {
        world.get("/me/calendar").await.ok();
    }
    let refused = world.get("/me/calendar").await;
    let seconds: i64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((590..=601).contains(&seconds), "{seconds}");
    refused.refused(429, "ApplicationThrottled");
    let anas = std::mem::replace(&mut world.token, world.simulator.issue_tokens(BEN, &SCOPES).unwrap().access_token);
    world.get("/me/calendar").await.ok();
    world.token = anas;
    world.simulator.clock().advance(chrono::TimeDelta::seconds(seconds));
    world.get("/me/calendar").await.ok();
}

#[tokio::test]
async fn a_mailbox_takes_four_requests_at_the_same_time() {
    let world = Arc::new(World::start().await);
    // The four wait for their delay, and the fifth comes meanwhile.
    let path_pattern = Some("/me/calendar$".to_owned());
    let fault = Fault { path_pattern, delay_ms: 1_500, times: 4, ..Fault::default() };
    world.simulator.add_fault(fault).unwrap();
    let slow: Vec<_> = (0..4)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.get("/me/calendar").await.status })
        })
        .collect();
    let fifth = loop {
        let answer = world.send(world.request(Method::GET, "/me/events")).await;
        if answer.status == 429 || slow.iter().any(tokio::task::JoinHandle::is_finished) {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    assert!(fifth.headers.contains_key("retry-after"));
    assert!(fifth.body["error"]["message"].as_str().unwrap().contains("MailboxConcurrency"));
    fifth.refused(429, "ApplicationThrottled");
    for request in slow {
        assert!(request.await.unwrap().is_success());
    }
    world.get("/me/calendar").await.ok();
}
