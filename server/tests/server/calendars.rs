//! The calendars area of the dashboard, as a browser without JavaScript uses it.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use cupo_engine::MemberInput;
use reqwest::Response;
use url::form_urlencoded;

use crate::world::{World, configuration_with_microsoft, set_cookie};

/// A form of the dashboard, sent from one of its pages.
async fn send(world: &World, cookie: &str, page: &str, action: &str, fields: &[(&str, &str)]) -> Response {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = world.client.post(world.url(&format!("/dashboard/api/{action}")));
    let request = request.header("cookie", cookie).header("accept", "text/html").header("referer", world.url(page));
    let request = request.header("origin", &world.server.base_url);
    request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap()
}

fn location(answer: &Response) -> String {
    assert!(answer.status().is_redirection(), "{}", answer.status());
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// The refusal that the address of a plain form's answer carries, with what was typed.
fn refusal(address: &str) -> String {
    let address: url::Url = address.parse().unwrap();
    let carried = address.query_pairs().find(|(name, _)| name == "__err").expect("it carries a refusal");
    String::from_utf8(BASE64_URL_SAFE.decode(carried.1.as_bytes()).unwrap()).unwrap()
}

/// What an answer keeps in a cookie for the next page.
fn kept(answer: &Response, name: &str) -> Option<String> {
    let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|it| it.to_str().ok());
    cookies.map(str::to_owned).find(|it| it.starts_with(name))
}

async fn page(world: &World, cookie: &str, address: &str) -> String {
    let address = address.strip_prefix(&world.server.base_url).unwrap_or(address);
    let answer = world.ask(cookie, address).await;
    assert_eq!(answer.status(), 200, "{address}");
    answer.text().await.unwrap()
}

async fn account(world: &World) -> String {
    let accounts = world.server.engine.accounts(&world.ana().await).await.unwrap();
    accounts[0].account.id.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_complete_without_a_script() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    for (path, texts) in [
        ("", &["ana@example.com", "read and write events", "Test the connection", "Disconnect"][..]),
        ("/connect", &["Google Calendar", "Microsoft 365 / Outlook.com", "/docs/registering-microsoft", "Fastmail"]),
        ("/connect/nextcloud", &["form[server]", "form[username]", "form[password]"]),
        ("/connect/icloud", &["account.apple.com", "form[password]"]),
        ("/connect/fastmail", &["app.fastmail.com", "form[password]"]),
        ("/connect/caldav", &["form[server]", "generic"]),
        ("/connect/feed", &["form[name]", "form[address]"]),
    ] {
        let html = page(&world, &cookie, &format!("/dashboard/calendars{path}")).await;
        for text in texts {
            assert!(html.contains(text), "{path}: {text}");
        }
    }
    let html = page(&world, &cookie, "/dashboard/credentials").await;
    assert!(html.contains("form[key_json]") && html.contains("form[client_secret]"));
    assert!(!page(&world, &cookie, "/dashboard/calendars/connect/icloud").await.contains("form[server]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_an_account_is_told_once() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let id = account(&world).await;
    let answer = send(&world, &cookie, "/dashboard/calendars", "account_test", &[("id", &id)]).await;
    assert_eq!(location(&answer), format!("/dashboard/calendars#test-{id}"));
    let found = kept(&answer, "cupo_account_test=").unwrap();
    let both = format!("{cookie}; {}", found.split(';').next().unwrap());

    let answer = world.ask(&both, "/dashboard/calendars").await;
    assert!(kept(&answer, "cupo_account_test=").unwrap().contains("Max-Age=0"), "it is forgotten");
    let html = answer.text().await.unwrap();
    for text in ["Get access", "List the calendars", "See busy times", " ms"] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!page(&world, &cookie, "/dashboard/calendars").await.contains("Get access"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_comes_back_but_the_password_is_in_no_address_and_on_no_page() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let fields = [
        ("form[preset]", "generic"),
        ("form[server]", "https://127.0.0.1:1/dav"),
        ("form[username]", "ana-at-home"),
        ("form[password]", "very-secret-indeed"),
    ];
    let from = "/dashboard/calendars/connect/caldav";
    let answer = send(&world, &cookie, from, "caldav_connect", &fields).await;
    let back = location(&answer);
    let told = refusal(&back);
    assert!(back.contains(from) && told.contains("ana-at-home") && !told.contains("very-secret-indeed"), "{told}");
    let html = page(&world, &cookie, &back).await;
    assert!(html.contains("ana-at-home") && html.contains("https://127.0.0.1:1/dav"));
    assert!(html.contains("id=\"server-problem\""), "the problem stands beside its field");
    assert!(!html.contains("very-secret-indeed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_the_organization_is_never_given_back() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let from = "/dashboard/credentials";
    let key = [("form[key_json]", r#"{"private_key": "very-secret-indeed"}"#)];
    let application = [
        ("form[tenant]", "not a tenant"),
        ("form[client_id]", "client"),
        ("form[proof]", "secret"),
        ("form[client_secret]", "very-secret-indeed"),
    ];
    for (action, fields, problem) in
        [("service_account_add", &key[..], "key_json-problem"), ("application_add", &application[..], "tenant-problem")]
    {
        let back = location(&send(&world, &cookie, from, action, fields).await);
        assert!(!refusal(&back).contains("very-secret-indeed"), "{back}");
        let html = page(&world, &cookie, &back).await;
        assert!(html.contains(&format!("id=\"{problem}\"")), "{action}");
        assert!(!html.contains("very-secret-indeed"), "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_looks_after_the_organization_sees_its_credentials() {
    let world = World::start().await;
    let password = "a long and quiet passphrase";
    let input = MemberInput {
        name: "Ben Host".to_owned(),
        email: "ben@host.example".to_owned(),
        password: password.to_owned(),
        time_zone: "Europe/Madrid".to_owned(),
    };
    world.server.engine.member_add(&world.ana().await, input).await.unwrap();
    let answer = world
        .form("/dashboard/api/sign_in", &[("form[email]", "ben@host.example"), ("form[password]", password)])
        .await;
    let cookie = set_cookie(&answer).unwrap();
    let cookie = cookie.split(';').next().unwrap();

    let answer = world.ask(cookie, "/dashboard/credentials").await;
    assert_eq!(answer.status(), 403);
    assert!(!answer.text().await.unwrap().contains("form[key_json]"));
    assert!(!page(&world, cookie, "/dashboard/calendars").await.contains("/dashboard/credentials"));
    let fields = [("form[key_json]", "{}")];
    let back = location(&send(&world, cookie, "/dashboard/calendars", "service_account_add", &fields).await);
    assert!(refusal(&back).contains("forbidden"), "{back}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_not_to_be_found_by_others() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let unknown = "0190f0a0-0000-7000-8000-000000000000";
    for action in ["account_test", "account_refresh", "account_disconnect"] {
        let back = location(&send(&world, &cookie, "/dashboard/calendars", action, &[("id", unknown)]).await);
        assert!(refusal(&back).contains("not-found"), "{action}: {back}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whom_only_an_administrator_can_let_in_gets_the_link_for_them() {
    let microsoft = "http://127.0.0.1:1";
    let world =
        World::configured(|google, smtp, limits| configuration_with_microsoft(google, microsoft, smtp, limits)).await;
    let cookie = world.sign_in().await;
    let html = page(&world, &cookie, "/dashboard/calendars?error=consent-needed").await;
    assert!(html.contains("/organizations/v2.0/adminconsent?client_id="), "{html}");
    for other in ["", "?error=consent-denied", "?error=consent-needed&provider=google"] {
        let html = page(&world, &cookie, &format!("/dashboard/calendars{other}")).await;
        assert!(!html.contains("id=\"consent-new\""), "{other}");
    }
}
