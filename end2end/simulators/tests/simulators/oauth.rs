use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::world::{ANA, Answer, World};

const REDIRECT: &str = "http://127.0.0.1:3999/oauth/google/callback";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-xyz";
const EVENTS: &str = "https://www.googleapis.com/auth/calendar.events";
const FREEBUSY: &str = "https://www.googleapis.com/auth/calendar.freebusy";

fn authorize_query(changes: &[(&str, &str)]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let scope = format!("{EVENTS} {FREEBUSY}");
    let mut pairs = vec![
        ("client_id", "cupo-demo"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", &scope),
        ("state", "the state & more"),
        ("access_type", "offline"),
        ("prompt", "consent"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        pairs.push((name, value));
    }
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// What the consent page's form sends; the answer redirects to the returned address.
async fn decide(world: &World, query: &str, decision: &str, scopes: &[&str]) -> Url {
    let mut form = vec![("account", ANA), ("request", query), ("decision", decision)];
    form.extend(scopes.iter().map(|scope| ("scope", *scope)));
    let address = format!("{}/o/oauth2/v2/auth/consent", world.simulator.base_url());
    let answer = world.http.post(address).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

async fn token(world: &World, form: &[(&str, &str)]) -> Answer {
    let credentials = [("client_id", "cupo-demo"), ("client_secret", "cupo-demo-secret")];
    let form: Vec<_> = credentials.iter().chain(form).collect();
    world.send(world.http.post(format!("{}/token", world.simulator.base_url())).form(&form)).await
}

async fn redeem(world: &World, code: &str, verifier: &str) -> Answer {
    let form =
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT), ("code_verifier", verifier)];
    token(world, &form).await
}

async fn page(world: &World, path: &str) -> (u16, String) {
    let answer = world.http.get(format!("{}{path}", world.simulator.base_url())).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn the_authorize_page_offers_the_accounts_and_the_consent_page_each_scope() {
    let world = World::start().await;
    let (status, accounts) = page(&world, &format!("/o/oauth2/v2/auth?{}", authorize_query(&[]))).await;
    assert_eq!(status, 200);
    assert!(accounts.contains("data-testid=\"account-ana@example.com\""));
    assert!(accounts.contains("data-testid=\"account-ben@example.com\""));
    let path = format!("/o/oauth2/v2/auth/consent?{}&account=ana%40example.com", authorize_query(&[]));
    let (status, consent) = page(&world, &path).await;
    assert_eq!(status, 200);
    assert!(consent.contains("data-testid=\"scope-calendar.events\""));
    assert!(consent.contains("data-testid=\"scope-calendar.freebusy\""));
}

#[tokio::test]
async fn a_code_brings_tokens_for_the_ticked_scopes_only() {
    let world = World::start().await;
    let back = decide(&world, &authorize_query(&[]), "allow", &[EVENTS]).await;
    assert_eq!(parameter(&back, "state").as_deref(), Some("the state & more"));
    let granted = redeem(&world, &parameter(&back, "code").unwrap(), VERIFIER).await.ok();
    assert_eq!(granted["scope"], EVENTS);
    assert_eq!(granted["expires_in"], 3599);
    assert_eq!(granted["token_type"], "Bearer");
    assert!(granted["refresh_token"].is_string());
}

#[tokio::test]
async fn a_denied_consent_comes_back_as_access_denied_with_the_state() {
    let world = World::start().await;
    let back = decide(&world, &authorize_query(&[]), "cancel", &[EVENTS]).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("the state & more"));
    let back = decide(&world, &authorize_query(&[]), "allow", &[]).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn a_code_is_good_once_for_its_verifier_and_redirect() {
    let world = World::start().await;
    let code = parameter(&decide(&world, &authorize_query(&[]), "allow", &[EVENTS]).await, "code").unwrap();
    redeem(&world, &code, "another-verifier-of-at-least-forty-three-characters").await.refused(400, "invalid_grant");
    redeem(&world, &code, VERIFIER).await.refused(400, "invalid_grant");
    let code = parameter(&decide(&world, &authorize_query(&[]), "allow", &[EVENTS]).await, "code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", "http://127.0.0.1/x")];
    token(&world, &form).await.refused(400, "redirect_uri_mismatch");
    let code = parameter(&decide(&world, &authorize_query(&[]), "allow", &[EVENTS]).await, "code").unwrap();
    redeem(&world, &code, VERIFIER).await.ok();
    redeem(&world, &code, VERIFIER).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_code_for_a_grant_that_is_limited_in_time_says_for_how_long() {
    let world = World::start().await;
    world.simulator.set_grant_lifetime(Some(chrono::TimeDelta::hours(2)));
    let code = parameter(&decide(&world, &authorize_query(&[]), "allow", &[EVENTS]).await, "code").unwrap();
    assert_eq!(redeem(&world, &code, VERIFIER).await.ok()["refresh_token_expires_in"], 7_200);
    world.simulator.set_grant_lifetime(None);
    let code = parameter(&decide(&world, &authorize_query(&[]), "allow", &[EVENTS]).await, "code").unwrap();
    assert!(redeem(&world, &code, VERIFIER).await.ok().get("refresh_token_expires_in").is_none());
}

#[tokio::test]
async fn a_code_expires_after_ten_minutes() {
    let world = World::start().await;
    let code = parameter(&decide(&world, &authorize_query(&[]), "allow", &[EVENTS]).await, "code").unwrap();
    world.simulator.clock().advance(chrono::TimeDelta::minutes(11));
    redeem(&world, &code, VERIFIER).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn without_a_new_consent_no_refresh_token_comes() {
    let world = World::start().await;
    decide(&world, &authorize_query(&[]), "allow", &[EVENTS, FREEBUSY]).await;
    let query = authorize_query(&[("prompt", "select_account")]);
    let path = format!("/o/oauth2/v2/auth/consent?{query}&account=ana%40example.com");
    let answer = world.http.get(format!("{}{path}", world.simulator.base_url())).send().await.unwrap();
    assert_eq!(answer.status(), 303, "all scopes were granted before, so nothing is asked");
    let back = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let granted = redeem(&world, &parameter(&back, "code").unwrap(), VERIFIER).await.ok();
    assert!(granted.get("refresh_token").is_none());
}

#[tokio::test]
async fn scopes_granted_before_are_included_when_asked_for() {
    let world = World::start().await;
    decide(&world, &authorize_query(&[]), "allow", &[FREEBUSY]).await;
    let query = authorize_query(&[("scope", EVENTS), ("include_granted_scopes", "true")]);
    let code = parameter(&decide(&world, &query, "allow", &[EVENTS]).await, "code").unwrap();
    let granted = redeem(&world, &code, VERIFIER).await.ok();
    assert_eq!(granted["scope"], format!("{EVENTS} {FREEBUSY}"));
}

#[tokio::test]
async fn a_request_that_cannot_be_trusted_gets_a_page_and_no_redirect() {
    let world = World::start().await;
    let changes = [
        (("client_id", "stranger"), "invalid_client"),
        (("redirect_uri", "https://evil.example/callback"), "redirect_uri_mismatch"),
        (("response_type", "token"), "unsupported_response_type"),
        (("scope", "everything"), "invalid_scope"),
        (("code_challenge_method", "S512"), "invalid_request"),
    ];
    for (change, code) in changes {
        let (status, text) = page(&world, &format!("/o/oauth2/v2/auth?{}", authorize_query(&[change]))).await;
        assert_eq!(status, 400, "{change:?}");
        assert!(text.contains(code), "{change:?} must be {code}");
    }
}

#[tokio::test]
async fn a_registered_redirect_must_match_to_the_letter() {
    let world = World::start().await;
    let client = json!({ "client_id": "strict", "client_secret": "s", "redirect_uris": [REDIRECT] });
    assert_eq!(world.control(Method::POST, "/clients", Some(client)).await.status, 201);
    let address = |redirect| {
        let changes = [("client_id", "strict"), ("redirect_uri", redirect)];
        format!("/o/oauth2/v2/auth?{}", authorize_query(&changes))
    };
    assert_eq!(page(&world, &address(REDIRECT)).await.0, 200);
    assert_eq!(page(&world, &address("http://127.0.0.1:3999/oauth/google/callback/")).await.0, 400);
}

#[tokio::test]
async fn refreshing_rotates_the_access_token_and_keeps_the_scopes() {
    let world = World::start().await;
    let issued = world.simulator.issue_tokens(ANA, &["calendar.events"]).unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", &issued.refresh_token)];
    let first = token(&world, &form).await.ok();
    let second = token(&world, &form).await.ok();
    assert_ne!(first["access_token"], second["access_token"]);
    assert_eq!(first["scope"], EVENTS);
    assert!(first.get("refresh_token").is_none());
}

#[tokio::test]
async fn a_wrong_client_or_grant_is_told_as_google_tells_it() {
    let world = World::start().await;
    let address = format!("{}/token", world.simulator.base_url());
    let form = |secret| [("client_id", "cupo-demo"), ("client_secret", secret), ("grant_type", "refresh_token")];
    let wrong = world.send(world.http.post(&address).form(&form("wrong"))).await;
    wrong.refused(401, "invalid_client");
    token(&world, &[("grant_type", "password")]).await.refused(400, "unsupported_grant_type");
    token(&world, &[]).await.refused(400, "invalid_request");
    let unknown = [("grant_type", "refresh_token"), ("refresh_token", "1//unknown")];
    token(&world, &unknown).await.refused(400, "invalid_grant");
    let basic = world.http.post(&address).basic_auth("cupo-demo", Some("cupo-demo-secret"));
    world.send(basic.form(&unknown)).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn revoking_a_token_ends_the_whole_grant() {
    let world = World::start().await;
    let issued = world.simulator.issue_tokens(ANA, &["calendar.events"]).unwrap();
    let address = format!("{}/revoke", world.simulator.base_url());
    let revoke = || world.send(world.http.post(&address).form(&[("token", &issued.refresh_token)]));
    assert_eq!(revoke().await.status, 200);
    revoke().await.refused(400, "invalid_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", &issued.refresh_token)];
    token(&world, &form).await.refused(400, "invalid_grant");
    world.get("/calendars/primary/events").await.refused(401, "authError");
}

#[tokio::test]
async fn access_tokens_end_by_the_clock_and_by_command() {
    let world = World::start().await;
    world.get("/calendars/primary/events").await.ok();
    world.simulator.clock().advance(chrono::TimeDelta::seconds(3600));
    world.get("/calendars/primary/events").await.refused(401, "authError");
}

#[tokio::test]
async fn the_log_keeps_no_secret() {
    let world = World::start().await;
    let issued = world.simulator.issue_tokens(ANA, &["calendar.events"]).unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", &issued.refresh_token)];
    let fresh = token(&world, &form).await.ok();
    let log = world.control(Method::GET, "/log", None).await.ok().to_string();
    assert!(log.contains("/token"));
    for secret in [issued.refresh_token.as_str(), fresh["access_token"].as_str().unwrap(), "cupo-demo-secret"] {
        assert!(!log.contains(secret), "the log tells {secret}");
    }
}
