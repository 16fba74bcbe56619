use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use cupo_simulators::google::ServiceAccount;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{ANA, Answer, World};

const KEY: &str = include_str!("../keys/service-account.pem");
const PUBLIC_KEY: &str = include_str!("../keys/service-account.public.pem");
const OTHER_KEY: &str = include_str!("../keys/another.pem");
const EMAIL: &str = "cupo@demo.iam.gserviceaccount.com";
const EVENTS: &str = "https://www.googleapis.com/auth/calendar.events";
const FREEBUSY: &str = "https://www.googleapis.com/auth/calendar.freebusy";

fn account() -> ServiceAccount {
    ServiceAccount {
        client_email: EMAIL.to_owned(),
        public_keys: BTreeMap::from([("key-1".to_owned(), PUBLIC_KEY.to_owned())]),
        delegated_domain: Some("example.com".to_owned()),
        delegated_scopes: BTreeSet::from([EVENTS.to_owned()]),
    }
}

async fn world() -> World {
    let world = World::start().await;
    world.simulator.add_service_account(account()).unwrap();
    world
}

/// The claims that are right for Ana; `change` is laid over them, null removes.
fn claims(world: &World, change: Value) -> Value {
    let now = world.simulator.clock().now().timestamp();
    let audience = format!("{}/token", world.simulator.base_url());
    let mut claims =
        json!({ "iss": EMAIL, "sub": ANA, "scope": EVENTS, "aud": audience, "iat": now, "exp": now + 3600 });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn signed(claims: &Value, key: &str, key_id: Option<&str>) -> String {
    let header = Header { kid: key_id.map(str::to_owned), ..Header::new(Algorithm::RS256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_rsa_pem(key.as_bytes()).unwrap()).unwrap()
}

async fn redeem(world: &World, assertion: &str) -> Answer {
    let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)];
    world.send(world.http.post(format!("{}/token", world.simulator.base_url())).form(&form)).await
}

async fn ask(world: &World, change: Value) -> Answer {
    redeem(world, &signed(&claims(world, change), KEY, Some("key-1"))).await
}

#[tokio::test]
async fn an_assertion_opens_the_calendar_of_the_user_that_it_names() {
    let mut world = world().await;
    let granted = ask(&world, json!({})).await.ok();
    let members: Vec<_> = granted.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["access_token", "expires_in", "token_type"], "no refresh token, and no scope");
    assert_eq!(granted["expires_in"], 3599);
    world.token = granted["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.get("/calendars/primary/events").await.ok()["summary"], ANA);
    world.get("/users/me/calendarList").await.refused(403, "insufficientPermissions");
}

#[tokio::test]
async fn an_assertion_without_a_user_is_the_service_account_itself() {
    let mut world = world().await;
    // Without delegation any scope may be asked for: there is nobody whose calendar it opens.
    let granted = ask(&world, json!({ "sub": null, "scope": FREEBUSY })).await.ok();
    world.token = granted["access_token"].as_str().unwrap().to_owned();
    let query = json!({
        "timeMin": "2026-11-23T00:00:00Z", "timeMax": "2026-11-24T00:00:00Z", "items": [{ "id": ANA }],
    });
    let answer = world.post("/freeBusy", query).await.ok();
    assert_eq!(answer["calendars"][ANA]["errors"][0]["reason"], "notFound");
}

#[tokio::test]
async fn what_the_administrator_did_not_delegate_is_unauthorized() {
    let world = world().await;
    ask(&world, json!({ "scope": format!("{EVENTS} {FREEBUSY}") })).await.refused(401, "unauthorized_client");
    ask(&world, json!({ "sub": "ana@elsewhere.example" })).await.refused(401, "unauthorized_client");
    world.simulator.add_service_account(ServiceAccount { delegated_domain: None, ..account() }).unwrap();
    ask(&world, json!({})).await.refused(401, "unauthorized_client");
}

#[tokio::test]
async fn an_assertion_with_wrong_claims_is_no_grant() {
    let world = world().await;
    let now = world.simulator.clock().now().timestamp();
    let cases = [
        (json!({ "iss": "stranger@demo.iam.gserviceaccount.com" }), "invalid_grant"),
        (json!({ "sub": "nobody@example.com" }), "invalid_grant"),
        (json!({ "aud": "https://oauth2.googleapis.com/token" }), "invalid_grant"),
        (json!({ "exp": now + 3700 }), "invalid_grant"),
        (json!({ "iat": now - 7200, "exp": now - 3600 }), "invalid_grant"),
        (json!({ "iat": now + 1800, "exp": now + 3600 }), "invalid_grant"),
        (json!({ "exp": null }), "invalid_grant"),
        (json!({ "scope": null }), "invalid_scope"),
        (json!({ "scope": "everything" }), "invalid_scope"),
    ];
    for (change, error) in cases {
        let answer = ask(&world, change.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.reason()), (400, error), "{change}");
    }
}

#[tokio::test]
async fn only_a_signature_by_a_registered_key_counts() {
    let world = world().await;
    let right = claims(&world, json!({}));
    redeem(&world, &signed(&right, OTHER_KEY, Some("key-1"))).await.refused(400, "invalid_grant");
    redeem(&world, &signed(&right, KEY, Some("key-2"))).await.refused(400, "invalid_grant");
    redeem(&world, &signed(&right, KEY, None)).await.ok();
    let by_secret = EncodingKey::from_secret(PUBLIC_KEY.as_bytes());
    let confused = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &right, &by_secret).unwrap();
    redeem(&world, &confused).await.refused(400, "invalid_grant");
    let assertion = signed(&right, KEY, None);
    let (unsigned, _) = assertion.rsplit_once('.').unwrap();
    redeem(&world, &format!("{unsigned}.")).await.refused(400, "invalid_grant");
    redeem(&world, "garbage").await.refused(400, "invalid_grant");
    redeem(&world, "").await.refused(400, "invalid_request");
}

#[tokio::test]
async fn the_token_of_an_assertion_ends_after_an_hour_and_is_not_logged() {
    let mut world = world().await;
    let assertion = signed(&claims(&world, json!({})), KEY, Some("key-1"));
    let granted = redeem(&world, &assertion).await.ok();
    world.token = granted["access_token"].as_str().unwrap().to_owned();
    let log = world.control(Method::GET, "/log", None).await.ok().to_string();
    assert!(!log.contains(&assertion) && !log.contains(&world.token), "{log}");
    world.simulator.clock().advance(TimeDelta::hours(1));
    world.get("/calendars/primary/events").await.refused(401, "authError");
    redeem(&world, &assertion).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn an_account_is_registered_by_the_control_api_which_tells_no_keys() {
    let world = World::start().await;
    let body = serde_json::to_value(account()).unwrap();
    assert_eq!(world.control(Method::POST, "/service-accounts", Some(body.clone())).await.status, 201);
    ask(&world, json!({})).await.ok();
    let told = world.control(Method::GET, "/service-accounts", None).await.ok();
    assert_eq!(told["service_accounts"][0]["key_ids"], json!(["key-1"]));
    let mut wrong = body;
    wrong["public_keys"]["key-1"] = json!("no key");
    assert_eq!(world.control(Method::POST, "/service-accounts", Some(wrong)).await.status, 400);
}
