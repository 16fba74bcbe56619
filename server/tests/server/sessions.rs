//! Signing in and out, and who may send forms.

use std::net::TcpListener;

use cupo_core::text::Locale;
use cupo_engine::SignUp;
use cupo_server::Server;
use cupo_server::config::Config;
use reqwest::Client;
use reqwest::redirect::Policy;
use url::form_urlencoded;

use crate::world::{FOREIGN, World, configuration, set_cookie, sign_in_fields};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_names_two_accounts_is_refused_before_either_is_tried() {
    let world = World::start().await;
    let password = world.demo.password.clone();
    let right = [("form[email]", "ana@example.com"), ("form[password]", password.as_str())];
    for another in ["form[email]", "form[email][]", "email", "x[email]"] {
        let mut fields = vec![(another, "somebody@example.com")];
        fields.extend(right);
        let answer = world.form("/dashboard/api/sign_in", &fields).await;
        assert_eq!((answer.status().as_u16(), set_cookie(&answer)), (400, None), "{another}");
    }
    assert!(set_cookie(&world.form("/dashboard/api/sign_in", &right).await).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invented_host_name_stands_in_no_address_that_cupo_writes() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    for path in ["/", "/demo", "/demo/intro", "/sign-in", "/dashboard/event-types", "/oauth/google/start", "/embed.js"]
    {
        let request = world.client.get(world.url(path)).header("cookie", &cookie).header("host", "evil.example");
        let answer = request.header("x-forwarded-host", "evil.example").send().await.unwrap();
        let headers = format!("{:?}", answer.headers());
        assert!(!headers.contains("evil.example"), "{path}: {headers}");
        assert!(!answer.text().await.unwrap().contains("evil.example"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_https_the_session_cookie_is_taken_from_this_very_host_alone() {
    // Nobody else takes a port that has just been given back. What ends TLS stands before Cupo.
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = configuration("http://127.0.0.1:1", 1, "").replace("127.0.0.1:0", &listen.to_string());
    let config = Config::from_toml(&format!("public_url = \"https://book.example\"\n{text}")).unwrap();
    let server = Server::start(config).await.unwrap();
    let form = SignUp {
        email: "olga@example.com".to_owned(),
        password: "a password of Olga's".to_owned(),
        name: "Olga Other".to_owned(),
        organization_name: "Other".to_owned(),
        organization_slug: "other".to_owned(),
        time_zone: "Europe/Madrid".to_owned(),
        locale: Locale::En,
    };
    server.engine.sign_up(form).await.unwrap();
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let fields = [("form[email]", "olga@example.com"), ("form[password]", "a password of Olga's")];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request =
        client.post(format!("http://{listen}/dashboard/api/sign_in")).header("origin", "https://book.example");
    let request = request.header("content-type", "application/x-www-form-urlencoded").header("accept", "text/html");
    let answer = request.body(body).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    // Browsers take a name with this prefix only so, and from no other host.
    assert!(cookie.starts_with("__Host-cupo_session="), "{cookie}");
    assert!(cookie.contains("; Path=/;") && cookie.contains("; Secure;") && !cookie.contains("Domain"), "{cookie}");
    let token = cookie.split([';', '=']).nth(1).unwrap();
    for (name, status) in [("__Host-cupo_session", 200), ("cupo_session", 302)] {
        let request = client.get(format!("http://{listen}/dashboard")).header("accept", "text/html");
        let answer = request.header("cookie", format!("{name}={token}")).send().await.unwrap();
        assert_eq!(answer.status(), status, "{name}");
    }
    server.stop().await;
}
