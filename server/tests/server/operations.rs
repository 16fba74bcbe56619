//! What operators and browsers find at fixed places.

use cupo_server::Server;
use cupo_server::config::Config;
use serde_json::Value;

use crate::world::{World, configuration, problem, slots_path, today};

#[tokio::test(flavor = "multi_thread")]
async fn health_and_readiness_are_told() {
    let world = World::start().await;
    assert_eq!(world.get("/healthz").await.text().await.unwrap(), "ok");
    let ready = world.get("/readyz").await;
    assert_eq!(ready.status(), 200);
    let ready: Value = ready.json().await.unwrap();
    for part in ["database", "migrations", "worker"] {
        assert_eq!(ready[part], "ok", "{ready}");
    }
    assert_eq!(ready["time_zone_database"], cupo_core::zone::TZDB_VERSION);
    assert!(cupo_core::zone::TZDB_VERSION.starts_with("20"), "a version such as 2026a");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_for_the_operator_alone() {
    let text = configuration("http://127.0.0.1:9", 9, "");
    let start =
        async |metrics: &str| Server::start(Config::from_toml(&format!("{text}{metrics}")).unwrap()).await.unwrap();
    let client = reqwest::Client::builder().build().unwrap();
    let off = start("").await;
    problem(client.get(format!("{}/metrics", off.base_url)).send().await.unwrap(), 404, "unknown-address").await;

    let local = start("[metrics]\nenabled = true\n").await;
    let url = format!("{}/metrics", local.base_url);
    client.get(format!("{}/healthz", local.base_url)).send().await.unwrap();
    let figures = client.get(&url).send().await.unwrap().text().await.unwrap();
    for figure in [
        "cupo_http_requests_total",
        "cupo_jobs{state=\"waiting\"}",
        "cupo_jobs{state=\"running\"}",
        "cupo_jobs{state=\"dead\"}",
        "cupo_oldest_due_job_seconds",
    ] {
        assert!(figures.contains(figure), "{figure}: {figures}");
    }
    let proxied = client.get(&url).header("x-forwarded-for", "127.0.0.1").send().await.unwrap();
    problem(proxied, 403, "forbidden").await;

    let with_token = start("[metrics]\nenabled = true\ntoken = \"a token for figures\"\n").await;
    let url = format!("{}/metrics", with_token.base_url);
    problem(client.get(&url).send().await.unwrap(), 403, "forbidden").await;
    let answer = client.get(&url).bearer_auth("a token for figures").send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_told_with_the_seconds_to_wait() {
    let world = World::with_limits("slots_per_minute = 2\nholds_per_minute = 0").await;
    let path = slots_path("intro", today(), today());
    for _ in 0..2 {
        assert_eq!(world.get(&path).await.status(), 200);
    }
    let limited = world.get(&path).await;
    let wait: u64 = limited.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=31).contains(&wait), "{wait}");
    problem(limited, 429, "rate-limited").await;
    assert_eq!(world.get("/healthz").await.status(), 200, "other addresses are not concerned");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_stops_when_told_and_can_be_started_again() {
    let text = configuration("http://127.0.0.1:9", 9, "");
    let folder = tempfile::tempdir().unwrap();
    let text = text.replace("sqlite::memory:", &format!("sqlite://{}", folder.path().join("cupo.db").display()));
    for _ in 0..2 {
        let server = Server::start(Config::from_toml(&text).unwrap()).await.unwrap();
        let url = format!("{}/healthz", server.base_url);
        assert!(reqwest::get(&url).await.is_ok());
        server.stop().await;
        assert!(reqwest::get(&url).await.is_err(), "nobody answers after the stop");
    }
}
