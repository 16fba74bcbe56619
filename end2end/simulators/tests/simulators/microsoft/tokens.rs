use cupo_simulators::microsoft::{Behaviour, Client};
use reqwest::Method;

use crate::microsoft::sign_in;
use crate::microsoft::world::{ANA, CARLA, SCOPES, World};

fn refresh(token: &str) -> [(&str, &str); 2] {
    [("grant_type", "refresh_token"), ("refresh_token", token)]
}

#[tokio::test]
async fn each_refresh_brings_another_refresh_token() {
    let world = World::start().await;
    let issued = world.simulator.issue_tokens(ANA, &SCOPES).unwrap();
    let first = world.token("common", &refresh(&issued.refresh_token)).await.ok();
    assert_ne!(first["refresh_token"], issued.refresh_token.as_str());
    let newest = first["refresh_token"].as_str().unwrap();
    let second = world.token("common", &refresh(newest)).await.ok();
    assert_ne!(second["access_token"], first["access_token"]);
    world.token("common", &refresh(&issued.refresh_token)).await.ok();
    let behaviour = world.simulator.behaviour();
    world.simulator.set_behaviour(Behaviour { used_refresh_tokens_work: false, ..behaviour });
    world.token("common", &refresh(&issued.refresh_token)).await.refused(400, "invalid_grant 50173");
    world.token("common", &refresh(second["refresh_token"].as_str().unwrap())).await.ok();
}

#[tokio::test]
async fn a_scope_in_the_refresh_can_only_narrow_the_grant() {
    let world = World::start().await;
    let issued = world.simulator.issue_tokens(ANA, &SCOPES).unwrap();
    let with_scope = |scope| [refresh(&issued.refresh_token).as_slice(), &[("scope", scope)]].concat();
    let narrowed = world.token("common", &with_scope("Calendars.ReadWrite offline_access")).await.ok();
    assert!(!narrowed["scope"].as_str().unwrap().contains("User.Read"));
    let refused = world.token("common", &with_scope("MailboxSettings.Read")).await;
    assert_eq!(refused.body["suberror"], "consent_required");
    refused.refused(400, "interaction_required 65001");
}

#[tokio::test]
async fn revoked_unused_and_unknown_refresh_tokens_are_told_apart() {
    let world = World::start().await;
    let of = |email| world.simulator.issue_tokens(email, &SCOPES).unwrap().refresh_token;
    let (anas, carlas) = (of(ANA), of(CARLA));
    world.simulator.revoke(ANA);
    world.token("common", &refresh(&anas)).await.refused(400, "invalid_grant 50173");
    world.get("/me").await.refused(401, "InvalidAuthenticationToken");
    world.simulator.expire_refresh_tokens(CARLA);
    world.token("common", &refresh(&carlas)).await.refused(400, "invalid_grant 700082");
    let unused = of(ANA);
    world.simulator.clock().advance(chrono::TimeDelta::days(91));
    world.token("common", &refresh(&unused)).await.refused(400, "invalid_grant 700082");
    world.token("common", &refresh("stranger")).await.refused(400, "invalid_grant 70000");
}

#[tokio::test]
async fn a_refresh_is_of_the_accounts_tenant() {
    let world = World::start().await;
    let issued = world.simulator.issue_tokens(CARLA, &SCOPES).unwrap();
    world.token("organizations", &refresh(&issued.refresh_token)).await.refused(400, "interaction_required 500208");
    world.token("consumers", &refresh(&issued.refresh_token)).await.ok();
}

#[tokio::test]
async fn access_tokens_end_by_the_clock_and_by_command() {
    let mut world = World::start().await;
    world.get("/me").await.ok();
    world.simulator.clock().advance(chrono::TimeDelta::hours(1));
    world.get("/me").await.refused(401, "InvalidAuthenticationToken");
    world.sign_in(ANA);
    world.get("/me").await.ok();
    world.simulator.expire_access_tokens();
    world.get("/me").await.refused(401, "InvalidAuthenticationToken");
}

#[tokio::test]
async fn what_is_wrong_with_the_application_is_told_by_its_code() {
    let world = World::start().await;
    let grant = ("grant_type", "refresh_token");
    let token = ("refresh_token", "x");
    let as_client = |id, secret| [("client_id", id), ("client_secret", secret), grant, token];
    world.token_as("common", &as_client("stranger", "s")).await.refused(400, "unauthorized_client 700016");
    world.token_as("common", &as_client("cupo-demo", "wrong")).await.refused(401, "invalid_client 7000215");
    let bare = [("client_id", "cupo-demo"), grant, token];
    world.token_as("common", &bare).await.refused(401, "invalid_client 7000218");
    let expired = Client {
        client_id: "late".to_owned(),
        client_secret: Some("s".to_owned()),
        secret_expired: true,
        ..Client::default()
    };
    world.simulator.add_client(expired);
    world.token_as("common", &as_client("late", "s")).await.refused(401, "invalid_client 7000222");
    world.token_as("nowhere.example", &as_client("cupo-demo", "s")).await.refused(400, "invalid_request 90002");
    world.token("common", &[("grant_type", "password")]).await.refused(400, "unsupported_grant_type 70003");
    world.token("common", &[]).await.refused(400, "invalid_request 900144");
    let address = format!("{}/common/oauth2/v2.0/token", world.simulator.base_url());
    let basic = world.http.post(address).basic_auth("cupo-demo", Some("cupo-demo-secret")).form(&[grant, token]);
    world.send(basic).await.refused(400, "invalid_grant 70000");
}

#[tokio::test]
async fn the_log_keeps_no_secret() {
    let world = World::start().await;
    let code = sign_in::code(&world, "common", &[]).await;
    let granted = sign_in::redeem(&world, "common", &code).await.ok();
    let log = world.control(Method::GET, "/log", None).await.ok().to_string();
    assert!(log.contains("/common/oauth2/v2.0/token"));
    let member = |name: &str| granted[name].as_str().unwrap().to_owned();
    let secrets =
        [code, member("access_token"), member("refresh_token"), member("id_token"), "cupo-demo-secret".to_owned()];
    for secret in secrets {
        assert!(!log.contains(&secret), "the log tells {secret}");
    }
}
