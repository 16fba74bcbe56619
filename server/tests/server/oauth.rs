//! Connecting an account, when it goes wrong: the host ends on the calendars page with a reason.

use reqwest::Response;

use crate::world::World;

async fn ask(world: &World, cookie: &str, path: &str) -> Response {
    world.client.get(world.url(path)).header("cookie", cookie).send().await.unwrap()
}

fn location(answer: &Response) -> &str {
    assert!(answer.status().is_redirection(), "{}", answer.status());
    answer.headers()["location"].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn connecting_starts_at_google_with_a_state_and_needs_a_session() {
    let world = World::start().await;
    assert_eq!(location(&world.get("/oauth/google/start").await), "/sign-in");
    let cookie = world.sign_in().await;
    let answer = ask(&world, &cookie, "/oauth/google/start").await;
    let to: url::Url = location(&answer).parse().unwrap();
    assert!(to.as_str().starts_with(&world.google.base_url()), "{to}");
    let query: std::collections::HashMap<_, _> = to.query_pairs().into_owned().collect();
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["redirect_uri"], world.url("/oauth/google/callback"));
    assert!(query["state"].len() >= 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_consent_an_expired_state_and_a_stranger_each_end_with_their_reason() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let start = ask(&world, &cookie, "/oauth/google/start").await;
    let to: url::Url = location(&start).parse().unwrap();
    let state = to.query_pairs().find_map(|(name, it)| (name == "state").then(|| it.into_owned())).unwrap();

    let stranger = world.get(&format!("/oauth/google/callback?state={state}&code=abc")).await;
    assert_eq!(location(&stranger), "/sign-in");
    let denied = ask(&world, &cookie, &format!("/oauth/google/callback?state={state}&error=access_denied")).await;
    assert_eq!(location(&denied), "/dashboard/calendars?error=consent-denied");
    let used_up = ask(&world, &cookie, &format!("/oauth/google/callback?state={state}&code=abc")).await;
    assert_eq!(location(&used_up), "/dashboard/calendars?error=state-expired");
    let made_up = ask(&world, &cookie, "/oauth/google/callback?state=made-up&code=abc").await;
    assert_eq!(location(&made_up), "/dashboard/calendars?error=state-expired");
    let bare = ask(&world, &cookie, "/oauth/google/callback").await;
    assert_eq!(location(&bare), "/dashboard/calendars?error=state-expired");

    let page = ask(&world, &cookie, "/dashboard/calendars?error=consent-denied").await;
    assert_eq!(page.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unticked_permission_is_told() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let start = ask(&world, &cookie, "/oauth/google/start").await;
    let to: url::Url = location(&start).parse().unwrap();
    let form = [
        ("account", "ben@example.com"),
        ("request", to.query().unwrap()),
        ("decision", "allow"),
        ("scope", "https://www.googleapis.com/auth/calendar.freebusy"),
    ];
    let consent = world.client.post(format!("{}/o/oauth2/v2/auth/consent", world.google.base_url()));
    let consent = consent
        .header("content-type", "application/x-www-form-urlencoded")
        .body(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish());
    let back = consent.send().await.unwrap();
    let back: url::Url = location(&back).parse().unwrap();
    let answer = ask(&world, &cookie, &format!("{}?{}", back.path(), back.query().unwrap())).await;
    assert_eq!(location(&answer), "/dashboard/calendars?error=missing-scopes");
}
