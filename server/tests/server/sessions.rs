//! Signing in and out, and who may send forms.

use crate::world::{FOREIGN, World, set_cookie, sign_in_fields};

#[tokio::test(flavor = "multi_thread")]
async fn the_session_cookie_is_for_the_server_alone_and_ends_with_the_session() {
    let world = World::start().await;
    let answer = world.form("/dashboard/api/sign_in", &sign_in_fields(&world.demo.password)).await;
    let cookie = set_cookie(&answer).unwrap();
    for flag in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.split("; ").any(|part| part == flag), "{flag} in {cookie}");
    }
    assert!(answer.status().is_redirection());
    assert_eq!(answer.headers()["location"], "/dashboard");

    let cookie = cookie.split(';').next().unwrap().to_owned();
    let dashboard =
        || world.client.get(world.url("/dashboard")).header("accept", "text/html").header("cookie", &cookie).send();
    assert_eq!(dashboard().await.unwrap().status(), 200);
    let out = world.client.post(world.url("/dashboard/api/sign_out")).header("cookie", &cookie);
    let out = out.header("origin", &world.server.base_url).header("accept", "text/html").send().await.unwrap();
    assert!(out.status().is_redirection());
    assert!(dashboard().await.unwrap().status().is_redirection(), "the stolen cookie is worth nothing now");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_the_dashboard_leads_to_signing_in() {
    let world = World::start().await;
    for path in ["/dashboard", "/dashboard/calendars", "/dashboard/appointments", "/dashboard/sites"] {
        let answer = world.browse(path).await;
        assert!(answer.status().is_redirection(), "{path}: {}", answer.status());
        assert_eq!(answer.headers()["location"], "/sign-in", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_starts_no_session() {
    let world = World::start().await;
    let answer = world.form("/dashboard/api/sign_in", &sign_in_fields("not the password")).await;
    assert_eq!(set_cookie(&answer), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_is_refused() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let post = |headers: &[(&str, &str)]| {
        let mut request = world.client.post(world.url("/dashboard/api/sign_out")).header("cookie", &cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send()
    };
    for headers in [
        &[("origin", FOREIGN)][..],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site"), ("origin", &world.server.base_url)],
        &[("sec-fetch-site", "same-site")],
        &[],
    ] {
        assert_eq!(post(headers).await.unwrap().status(), 403, "{headers:?}");
    }
    let still = world.client.get(world.url("/dashboard")).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(still.status(), 200, "nobody was signed out");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_passwords_is_limited_per_client() {
    let world = World::with_limits("sign_in_per_minute = 3").await;
    let mut statuses = Vec::new();
    for number in 0..4 {
        let email = format!("somebody{number}@example.com");
        let fields = [("form[email]", email.as_str()), ("form[password]", "a guess of mine")];
        statuses.push(world.form("/dashboard/api/sign_in", &fields).await);
    }
    let last = statuses.pop().unwrap();
    assert!(statuses.iter().all(|answer| answer.status() != 429));
    assert_eq!(last.status(), 429);
    let wait: u64 = last.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=21).contains(&wait), "{wait}");
    assert!(last.text().await.unwrap().contains("<html"), "a browser gets a page");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_one_accounts_password_is_limited_whoever_asks() {
    let world = World::with_limits("sign_in_per_minute = 3\ntrust_proxy = true").await;
    let mut last = None;
    for number in 0..4 {
        let fields = sign_in_fields("a guess of mine");
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = world.client.post(world.url("/dashboard/api/sign_in"));
        let request =
            request.header("origin", &world.server.base_url).header("x-forwarded-for", format!("192.0.2.{number}"));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        last = Some(request.send().await.unwrap().status().as_u16());
    }
    assert_eq!(last, Some(429));
}
