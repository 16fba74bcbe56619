use chrono::TimeDelta;
use cupo_simulators::google::{GoogleOptions, QuotaSettings};
use reqwest::Method;
use serde_json::json;

use crate::world::World;

const LIST: &str = "/users/me/calendarList";

async fn with(quota: QuotaSettings) -> World {
    World::start_with(GoogleOptions { quota, ..GoogleOptions::default() }).await
}

#[tokio::test]
async fn beyond_the_quota_of_a_user_requests_are_refused_until_the_next_minute() {
    let mut world = with(QuotaSettings { per_user: Some(2), ..QuotaSettings::default() }).await;
    world.get(LIST).await.ok();
    world.get(LIST).await.ok();
    let refused = world.get(LIST).await;
    assert_eq!(refused.body["error"]["errors"][0]["domain"], "usageLimits");
    refused.refused(403, "userRateLimitExceeded");
    let of_ana = world.token.clone();
    world.token = world.simulator.issue_tokens("ben@example.com", &["calendar.calendarlist"]).unwrap().access_token;
    world.get(LIST).await.ok();
    world.token = of_ana;
    world.simulator.clock().advance(TimeDelta::minutes(1));
    world.get(LIST).await.ok();
}

#[tokio::test]
async fn the_quota_of_the_project_is_shared_by_its_users() {
    let mut world = with(QuotaSettings { per_project: Some(2), ..QuotaSettings::default() }).await;
    world.get(LIST).await.ok();
    world.token = world.simulator.issue_tokens("ben@example.com", &["calendar.calendarlist"]).unwrap().access_token;
    world.get(LIST).await.ok();
    world.get(LIST).await.refused(403, "rateLimitExceeded");
}

#[tokio::test]
async fn an_excess_is_answered_by_either_of_two_statuses() {
    let world = World::start().await;
    let settings = json!({ "per_user": 1, "status": 429 });
    assert_eq!(world.control(Method::POST, "/quota", Some(settings)).await.status, 204);
    world.get(LIST).await.ok();
    world.get(LIST).await.refused(429, "rateLimitExceeded");
    assert_eq!(world.control(Method::POST, "/quota", Some(json!({ "status": 418 }))).await.status, 400);
}

#[test]
fn the_quotas_are_googles_own_unless_told_otherwise() {
    let quota = GoogleOptions::default().quota;
    assert_eq!((quota.per_user, quota.per_project, quota.status), (Some(600), Some(10_000), 403));
}
