//! Which sites may use the embed API.

use chrono::Days;
use reqwest::{Method, Response};

use crate::world::{FOREIGN, SITE, World, booking, problem, slots_path, today};

fn allowed(answer: &Response) -> Option<&str> {
    answer.headers().get("access-control-allow-origin").map(|it| it.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_site_and_the_own_pages_may_read_and_a_foreign_one_may_not() {
    let world = World::start().await;
    let first = "/embed/v1/first?org=demo&event=intro&zone=UTC".to_owned();
    for path in [slots_path("intro", today(), today()), "/embed/v1/event-types/demo/intro".to_owned(), first] {
        let ask = |origin: &str| world.client.get(world.url(&path)).header("origin", origin).send();
        for origin in [SITE, &world.server.base_url] {
            let answer = ask(origin).await.unwrap();
            assert_eq!((answer.status().as_u16(), allowed(&answer)), (200, Some(origin)), "{path}");
            let vary: Vec<_> = answer.headers().get_all("vary").iter().collect();
            assert!(vary.iter().any(|it| *it == "Origin"), "{vary:?}");
            assert!(!answer.headers().contains_key("access-control-allow-credentials"));
        }
        for origin in [FOREIGN, "null", "https://studio.example.foreign.example", "http://studio.example"] {
            let answer = ask(origin).await.unwrap();
            assert_eq!(allowed(&answer), None, "{path} {origin}");
            let told = problem(answer, 403, "origin-not-allowed").await;
            assert!(told["title"].as_str().unwrap().contains(origin), "{told}");
        }
        let without = world.get(&path).await;
        assert_eq!((without.status().as_u16(), allowed(&without)), (200, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_site_changes_nothing() {
    let world = World::start().await;
    let start = world.slots().await[0];
    let foreign = |method: Method, path: &str| world.client.request(method, world.url(path)).header("origin", FOREIGN);
    let booked =
        foreign(Method::POST, "/embed/v1/appointments").header("idempotency-key", "from-afar").json(&booking(start));
    problem(booked.send().await.unwrap(), 403, "origin-not-allowed").await;
    let hold = serde_json::json!({ "org": "demo", "event": "intro", "start": start });
    let held = foreign(Method::POST, "/embed/v1/holds").json(&hold).send().await.unwrap();
    problem(held, 403, "origin-not-allowed").await;
    assert!(world.slots().await.contains(&start));

    let view = world.booked().await;
    let path = format!("/embed/v1/appointments/{}", view["token"].as_str().unwrap());
    let cancel = foreign(Method::POST, &format!("{path}/cancel")).json(&serde_json::json!({})).send().await.unwrap();
    problem(cancel, 403, "origin-not-allowed").await;
    let after: serde_json::Value = world.get(&path).await.json().await.unwrap();
    assert_eq!(after["status"], "confirmed");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_can_be_read_by_the_site_that_caused_them() {
    let world = World::start().await;
    let body = booking(world.slots().await[0]);
    let keyless = world.client.post(world.url("/embed/v1/appointments")).header("origin", SITE).json(&body);
    let answer = keyless.send().await.unwrap();
    assert_eq!(allowed(&answer), Some(SITE));
    problem(answer, 400, "missing-header").await;
    let unknown = world.client.get(world.url("/embed/v1/event-types/nobody/intro")).header("origin", SITE);
    let answer = unknown.send().await.unwrap();
    assert_eq!(allowed(&answer), Some(SITE));
    problem(answer, 404, "not-found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_lets_json_and_the_idempotency_key_through() {
    let world = World::start().await;
    let answer = world
        .client
        .request(Method::OPTIONS, world.url("/embed/v1/appointments"))
        .header("origin", SITE)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,idempotency-key")
        .send()
        .await
        .unwrap();
    assert_eq!((answer.status().as_u16(), allowed(&answer)), (204, Some(SITE)));
    assert!(answer.headers()["access-control-allow-methods"].to_str().unwrap().contains("POST"));
    let headers = answer.headers()["access-control-allow-headers"].to_str().unwrap();
    assert!(headers.contains("content-type") && headers.contains("idempotency-key"), "{headers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_visitor_downloads_before_the_first_slot_is_compressed() {
    let world = World::start().await;
    let month = slots_path("intro", today(), today() + Days::new(31));
    let first = "/embed/v1/first?org=demo&event=intro&zone=UTC&markup=1";
    for path in [&month, "/embed/v1/event-types/demo/intro", first] {
        let plain = world.get(path).await.bytes().await.unwrap().len();
        let answer = world.client.get(world.url(path)).header("accept-encoding", "gzip, br").send().await.unwrap();
        assert_eq!(answer.headers().get("content-encoding").map(|it| it.to_str().unwrap()), Some("br"), "{path}");
        let compressed = answer.bytes().await.unwrap().len();
        assert!(compressed * 3 < plain * 2, "{path}: {compressed} of {plain} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_secret_is_not_known_can_be_read_by_any_page() {
    let world = World::start().await;
    let secret = "/embed/v1/appointments/unknown";
    for (method, path) in [(Method::GET, ""), (Method::POST, "/cancel"), (Method::POST, "/reschedule")] {
        let body = serde_json::json!({ "start": "2027-01-04T09:00:00Z" });
        let body = if path == "/reschedule" { body } else { serde_json::json!({}) };
        let ask = world.client.request(method, world.url(&[secret, path].concat())).header("origin", FOREIGN);
        let answer = ask.json(&body).send().await.unwrap();
        assert_eq!(allowed(&answer), Some(FOREIGN), "{path}");
        problem(answer, 404, "not-found").await;
    }
}
