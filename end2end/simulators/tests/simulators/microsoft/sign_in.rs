use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cupo_simulators::microsoft::{CONTOSO_TENANT, Client, MicrosoftOptions, PERSONAL_TENANT, UserSeed};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::microsoft::world::{ANA, Answer, CARLA, World};

pub const REDIRECT: &str = "http://127.0.0.1:3999/oauth/microsoft/callback";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-xyz";
const SCOPE: &str = "openid offline_access User.Read Calendars.ReadWrite";

fn query(changes: &[(&str, &str)]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut pairs = vec![
        ("client_id", "cupo-demo"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", SCOPE),
        ("state", "the state & more"),
        ("nonce", "n0nce"),
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
async fn decide(world: &World, tenant: &str, account: &str, query: &str, decision: &str) -> Url {
    let form = [("account", account), ("request", query), ("decision", decision)];
    let address = format!("{}/{tenant}/oauth2/v2.0/authorize/consent", world.simulator.base_url());
    let answer = world.http.post(address).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
    Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A code for Ana.
pub async fn code(world: &World, tenant: &str, changes: &[(&str, &str)]) -> String {
    parameter(&decide(world, tenant, ANA, &query(changes), "allow").await, "code").unwrap()
}

pub async fn redeem(world: &World, tenant: &str, code: &str) -> Answer {
    redeem_with(world, tenant, code, VERIFIER).await
}

async fn redeem_with(world: &World, tenant: &str, code: &str, verifier: &str) -> Answer {
    let form =
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT), ("code_verifier", verifier)];
    world.token(tenant, &form).await
}

async fn page(world: &World, tenant: &str, query: &str) -> (u16, String) {
    let address = format!("{}/{tenant}/oauth2/v2.0/authorize?{query}", world.simulator.base_url());
    let answer = world.http.get(address).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn claims(id_token: &Value) -> Value {
    let parts: Vec<&str> = id_token.as_str().unwrap().split('.').collect();
    assert_eq!(parts.len(), 3, "a JWT has three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap()
}

#[tokio::test]
async fn a_person_picks_an_account_and_sees_what_is_asked_for() {
    let world = World::start().await;
    let (status, accounts) = page(&world, "common", &query(&[])).await;
    assert_eq!(status, 200);
    assert!(accounts.contains("data-testid=\"account-ana@contoso.example\""));
    assert!(accounts.contains("data-testid=\"account-carla@outlook.example\""));
    let address = format!(
        "{}/common/oauth2/v2.0/authorize/consent?{}&account=ana%40contoso.example",
        world.simulator.base_url(),
        query(&[])
    );
    let consent = world.http.get(address).send().await.unwrap().text().await.unwrap();
    assert!(consent.contains("data-testid=\"scope-Calendars.ReadWrite\""));
    assert!(consent.contains("data-testid=\"allow\""));
}

#[tokio::test]
async fn a_code_brings_tokens_and_says_who_signed_in() {
    let world = World::start().await;
    let back = decide(&world, "common", ANA, &query(&[]), "allow").await;
    assert_eq!(parameter(&back, "state").as_deref(), Some("the state & more"));
    let granted = redeem(&world, "common", &parameter(&back, "code").unwrap()).await.ok();
    assert_eq!(granted["scope"], "Calendars.ReadWrite User.Read openid");
    assert_eq!((&granted["expires_in"], &granted["token_type"]), (&3599.into(), &"Bearer".into()));
    let claims = claims(&granted["id_token"]);
    assert_eq!((&claims["tid"], &claims["aud"]), (&CONTOSO_TENANT.into(), &"cupo-demo".into()));
    assert_eq!((&claims["preferred_username"], &claims["nonce"]), (&ANA.into(), &"n0nce".into()));
    let back = decide(&world, "common", CARLA, &query(&[]), "allow").await;
    let granted = redeem(&world, "common", &parameter(&back, "code").unwrap()).await.ok();
    assert_eq!(crate::microsoft::sign_in::claims(&granted["id_token"])["tid"], PERSONAL_TENANT);
    assert!(granted["scope"].as_str().unwrap().contains("https://graph.microsoft.com/Calendars.ReadWrite"));
}

#[tokio::test]
async fn the_decision_can_be_posted_to_the_authorize_address_too() {
    let world = World::start().await;
    let form = [("account", ANA), ("request", &query(&[])), ("decision", "allow")];
    let address = format!("{}/common/oauth2/v2.0/authorize", world.simulator.base_url());
    assert_eq!(world.http.post(address).form(&form).send().await.unwrap().status(), 303);
}

#[tokio::test]
async fn without_offline_access_there_is_no_refresh_token_and_without_openid_no_id_token() {
    let world = World::start().await;
    let code = code(&world, "common", &[("scope", "https://graph.microsoft.com/Calendars.Read")]).await;
    let granted = redeem(&world, "common", &code).await.ok();
    assert!(granted.get("refresh_token").is_none() && granted.get("id_token").is_none());
}

#[tokio::test]
async fn a_code_is_good_once_in_time_for_its_verifier_redirect_and_tenant() {
    let world = World::start().await;
    let first = code(&world, "common", &[]).await;
    redeem_with(&world, "common", &first, "another-verifier-of-at-least-forty-three-chars")
        .await
        .refused(400, "invalid_grant 501481");
    redeem(&world, "common", &first).await.refused(400, "invalid_grant 54005");
    let second = code(&world, "common", &[]).await;
    redeem(&world, "organizations", &second).await.refused(400, "invalid_grant 700005");
    let third = code(&world, "common", &[]).await;
    let form = [("grant_type", "authorization_code"), ("code", &third), ("redirect_uri", "http://127.0.0.1/x")];
    world.token("common", &form).await.refused(401, "invalid_client 500112");
    let fourth = code(&world, "common", &[]).await;
    world.simulator.clock().advance(chrono::TimeDelta::minutes(11));
    redeem(&world, "common", &fourth).await.refused(400, "invalid_grant 70008");
    redeem(&world, "common", "unknown").await.refused(400, "invalid_grant 70000");
}

#[tokio::test]
async fn each_tenant_lets_its_own_accounts_in() {
    let world = World::start().await;
    let address = |tenant: &str| format!("{}/{tenant}/oauth2/v2.0/authorize/consent", world.simulator.base_url());
    let cases = [
        ("consumers", ANA, Some("AADSTS500208")),
        ("organizations", CARLA, Some("AADSTS500208")),
        (CONTOSO_TENANT, CARLA, Some("AADSTS50020")),
        ("contoso.example", ANA, None),
        (CONTOSO_TENANT, ANA, None),
        ("organizations", ANA, None),
        ("consumers", CARLA, None),
    ];
    for (tenant, account, refusal) in cases {
        let form = [("account", account), ("request", &query(&[])), ("decision", "allow")];
        let answer = world.http.post(address(tenant)).form(&form).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        match refusal {
            Some(code) => assert!(status == 400 && text.contains(code), "{tenant} {account}: {text}"),
            None => assert_eq!(status, 303, "{tenant} {account}"),
        }
    }
    let (status, text) = page(&world, "fabrikam.example", &query(&[])).await;
    assert!(status == 400 && text.contains("AADSTS90002"));
}

#[tokio::test]
async fn who_says_no_comes_back_with_access_denied() {
    let world = World::start().await;
    let back = decide(&world, "common", ANA, &query(&[]), "cancel").await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert!(parameter(&back, "error_description").unwrap().starts_with("AADSTS65004: "));
    assert_eq!(parameter(&back, "error_subcode").as_deref(), Some("cancel"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("the state & more"));
}

#[tokio::test]
async fn where_an_administrator_must_consent_nobody_else_can() {
    let dora = UserSeed {
        email: "dora@contoso.example".to_owned(),
        time_zone: "Europe/Madrid".to_owned(),
        admin_consent_needed: true,
        ..UserSeed::default()
    };
    let world =
        World::start_with(MicrosoftOptions { users: vec![user(ANA), dora], ..MicrosoftOptions::default() }).await;
    let path = format!("consent?{}&account=dora%40contoso.example", query(&[]));
    let address = format!("{}/common/oauth2/v2.0/authorize/{path}", world.simulator.base_url());
    let text = world.http.get(address).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("Need admin approval"));
    let back = decide(&world, "common", "dora@contoso.example", &query(&[]), "allow").await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert!(parameter(&back, "error_description").unwrap().starts_with("AADSTS90094: "));
}

fn user(email: &str) -> UserSeed {
    UserSeed { email: email.to_owned(), time_zone: "Europe/Madrid".to_owned(), ..UserSeed::default() }
}

#[tokio::test]
async fn hints_and_prompts_shorten_or_lengthen_the_way() {
    let world = World::start().await;
    let location = |query: String| {
        let address = format!("{}/common/oauth2/v2.0/authorize?{query}", world.simulator.base_url());
        let request = world.http.get(address);
        async move {
            let answer = request.send().await.unwrap();
            answer.headers().get("location").map(|location| location.to_str().unwrap().to_owned())
        }
    };
    let hint = ("login_hint", ANA);
    assert!(location(query(&[hint])).await.unwrap().contains("/consent?"));
    assert_eq!(location(query(&[hint, ("prompt", "select_account")])).await, None, "the picker is shown");
    assert!(location(query(&[("prompt", "none")])).await.unwrap().contains("error=login_required"));
    let silent = location(query(&[("prompt", "none"), hint])).await.unwrap();
    assert!(silent.contains("error=interaction_required") && silent.contains("AADSTS65001"), "{silent}");
    code(&world, "common", &[]).await;
    assert!(location(query(&[("prompt", "none"), hint])).await.unwrap().contains("code="));
    let address = format!("{}/common/oauth2/v2.0/authorize/consent?", world.simulator.base_url());
    let consent = |query: String| world.http.get(format!("{address}{query}&account=ana%40contoso.example")).send();
    assert_eq!(consent(query(&[])).await.unwrap().status(), 303, "all was granted before");
    assert_eq!(consent(query(&[("prompt", "consent")])).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_request_that_cannot_be_trusted_gets_a_page_and_no_redirect() {
    let world = World::start().await;
    let cases = [
        (("client_id", "stranger"), "AADSTS700016"),
        (("redirect_uri", "https://evil.example/callback"), "AADSTS50011"),
        (("response_type", "token"), "AADSTS70005"),
        (("scope", "everything"), "AADSTS70011"),
        (("code_challenge_method", "S512"), "AADSTS501461"),
        (("claims", "{"), "AADSTS90014"),
    ];
    for (change, code) in cases {
        let (status, text) = page(&world, "common", &query(&[change])).await;
        assert_eq!(status, 400, "{change:?}");
        assert!(text.contains(code), "{change:?} must be {code}: {text}");
    }
    let strict = Client {
        client_id: "strict".to_owned(),
        client_secret: Some("s".to_owned()),
        redirect_uris: vec![REDIRECT.to_owned()],
        ..Client::default()
    };
    world.simulator.add_client(strict);
    let client = ("client_id", "strict");
    assert_eq!(page(&world, "common", &query(&[client])).await.0, 200);
    let other = format!("{REDIRECT}/");
    assert_eq!(page(&world, "common", &query(&[client, ("redirect_uri", &other)])).await.0, 400);
}
