//! Looking at a page of another site: how often, for what, and what is told afterwards.

use reqwest::Response;
use serde_json::Value;

use crate::world::World;

const PATH: &str = "/dashboard/api/site_check";
/// An address that is not opened.
const NOWHERE: &str = "http://10.0.0.1/";

impl World {
    /// A check, as the dashboard's script asks for it, or a browser without one.
    async fn check(&self, cookie: &str, accept: &str, event: &str) -> Response {
        let fields = [("event", event), ("address", NOWHERE)];
        let request = self.client.post(self.url(PATH)).header("cookie", cookie).header("accept", accept);
        let request = request.header("origin", &self.server.base_url);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        request.body(body).send().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_looks_at_few_pages_a_minute_whoever_of_it_asks() {
    let world = World::with_limits("sign_in_per_minute = 0\nsite_checks_per_minute = 2").await;
    for _ in 0..2 {
        let cookie = world.sign_in().await;
        assert_eq!(world.check(&cookie, "application/json", "demo/intro").await.status(), 200);
    }
    let cookie = world.sign_in().await;
    let limited = world.check(&cookie, "application/json", "demo/intro").await;
    assert_eq!(limited.status(), 429);
    assert!(limited.headers().contains_key("retry-after"));
    assert_eq!(limited.json::<Value>().await.unwrap()["code"], "rate-limited");
    // Nothing else is concerned, nor is somebody who has no organization.
    assert_eq!(world.ask(&cookie, "/dashboard/embed").await.status(), 200);
    assert_ne!(world.check("", "application/json", "demo/intro").await.status(), 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_type_is_refused_and_not_repeated_in_an_address() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    for event in ["demo/intro\n", "demo/intro\r\nset-cookie: a=b", "demo/ñ", "intro"] {
        let answer = world.check(&cookie, "application/json", event).await;
        assert_eq!(answer.status(), 422, "{event:?}");
        assert_eq!(world.check(&cookie, "text/html", event).await.status(), 302, "{event:?}");
    }
    let answer = world.check(&cookie, "text/html", "demo/intro").await;
    assert_eq!(answer.headers()["location"], "/dashboard/embed?event=demo/intro#check");
}
