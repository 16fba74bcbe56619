//! How grants end: by number, by age, by the administrator.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use crate::world::{ANA, Answer, World};

const EVENTS: &str = "https://www.googleapis.com/auth/calendar.events";
const FREEBUSY: &str = "https://www.googleapis.com/auth/calendar.freebusy";

fn issue(world: &World) -> String {
    world.simulator.issue_tokens(ANA, &["calendar.events"]).unwrap().refresh_token
}

async fn refresh(world: &World, refresh_token: &str) -> Answer {
    let form = [
        ("client_id", "cupo-demo"),
        ("client_secret", "cupo-demo-secret"),
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ];
    world.send(world.http.post(format!("{}/token", world.simulator.base_url())).form(&form)).await
}

#[tokio::test]
async fn the_oldest_of_more_than_a_hundred_grants_ends_without_a_word() {
    // Ana's world has one grant already.
    let world = World::start().await;
    let (first, second) = (issue(&world), issue(&world));
    for _ in 0..97 {
        issue(&world);
    }
    refresh(&world, &first).await.ok();
    let last = [issue(&world), issue(&world)];
    refresh(&world, &first).await.refused(400, "invalid_grant");
    refresh(&world, &second).await.ok();
    refresh(&world, &last[1]).await.ok();
    let of_ben = world.simulator.issue_tokens("ben@example.com", &["calendar.events"]).unwrap().refresh_token;
    refresh(&world, &second).await.ok();
    refresh(&world, &of_ben).await.ok();
}

#[tokio::test]
async fn a_grant_that_is_limited_in_time_says_so_and_ends_then() {
    let world = World::start().await;
    let unlimited = issue(&world);
    let week = json!({ "seconds": 604_800 });
    assert_eq!(world.control(Method::POST, "/grant-lifetime", Some(week)).await.status, 204);
    let limited = issue(&world);
    let answer = refresh(&world, &limited).await.ok();
    let left = answer["refresh_token_expires_in"].as_i64().unwrap();
    assert!((604_700..=604_800).contains(&left), "{left}");
    assert!(refresh(&world, &unlimited).await.ok().get("refresh_token_expires_in").is_none());
    world.simulator.clock().advance(TimeDelta::days(7) + TimeDelta::seconds(1));
    refresh(&world, &limited).await.refused(400, "invalid_grant");
    refresh(&world, &unlimited).await.ok();
}

#[tokio::test]
async fn a_grant_that_nobody_uses_for_six_months_ends() {
    let world = World::start().await;
    let (used, unused) = (issue(&world), issue(&world));
    world.simulator.clock().advance(TimeDelta::days(100));
    refresh(&world, &used).await.ok();
    world.simulator.clock().advance(TimeDelta::days(100));
    refresh(&world, &used).await.ok();
    refresh(&world, &unused).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn what_an_administrator_restricts_can_be_neither_granted_nor_refreshed() {
    let world = World::start().await;
    let refresh_token = issue(&world);
    let policy = json!({ "email": ANA, "restricted_scopes": [EVENTS] });
    assert_eq!(world.control(Method::POST, "/admin-policy", Some(policy)).await.status, 204);
    let refused = refresh(&world, &refresh_token).await;
    assert!(refused.body["error_description"].as_str().unwrap().contains("admin_policy_enforced"));
    refused.refused(400, "invalid_grant");

    let consent = async |scope: &str, account: &str| {
        let query = [
            ("client_id", "cupo-demo"),
            ("redirect_uri", "http://127.0.0.1:9/callback"),
            ("response_type", "code"),
            ("scope", scope),
            ("account", account),
        ];
        let address = format!("{}/o/oauth2/v2/auth/consent", world.simulator.base_url());
        let answer = world.http.get(address).query(&query).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, page) = consent(EVENTS, ANA).await;
    assert!(status == 400 && page.contains("admin_policy_enforced"), "{status} {page}");
    assert_eq!(consent(FREEBUSY, ANA).await.0, 200);
    assert_eq!(consent(EVENTS, "ben@example.com").await.0, 200);
    world.simulator.restrict_scopes(ANA, &[]);
    refresh(&world, &refresh_token).await.ok();
}
