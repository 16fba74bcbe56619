//! Every address of the running server, as the server itself tells them.

use std::collections::BTreeSet;

use leptos::server_fn::axum::server_fn_paths;
use reqwest::Method;

use crate::world::World;

/// The patterns of the router's paths, such as `/manage/{token}`. The router's `Debug` output shows them after `paths:`,
/// each as `RouteId(1): "/manage/{token}"`.
pub fn patterns(world: &World) -> BTreeSet<String> {
    let shown = format!("{:?}", world.server.application);
    let (_, own) = shown.split_once("path_router:").expect("a router shows its paths");
    let (own, _) = own.split_once("fallback_router:").expect("a router shows its fallback after its paths");
    let (_, paths) = own.split_once("paths: {").expect("a path router shows its paths");
    let patterns: BTreeSet<String> = paths
        .split("RouteId(")
        .skip(1)
        .map(|route| route.split('"').nth(1).expect("each route shows its path in quotes").to_owned())
        .collect();
    assert!(patterns.len() > 80 && patterns.iter().all(|path| path.starts_with('/')), "{patterns:?}");
    patterns
}

/// Every method and pattern, such as `GET /manage/{token}`.
///
/// Which methods there are is asked of the server: it answers one that nobody knows by `Allow`. `HEAD` is `GET` without a
/// body, and `OPTIONS` is the preflight, which knows no organization.
pub async fn addresses(world: &World) -> BTreeSet<String> {
    let unknown = Method::from_bytes(b"ASK").unwrap();
    let mut addresses = BTreeSet::new();
    for pattern in patterns(world) {
        let path: Vec<_> = pattern.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        let request = world.client.request(unknown.clone(), world.url(&path.join("/")));
        let answer = request.header("sec-fetch-site", "same-origin").send().await.unwrap();
        assert_eq!(answer.status(), 405, "{pattern}: an address that takes every method must be told apart by hand");
        let allowed = answer.headers()["allow"].to_str().unwrap().to_owned();
        for method in allowed.split(',').map(str::trim).filter(|method| !["HEAD", "OPTIONS"].contains(method)) {
            addresses.insert(format!("{method} {pattern}"));
        }
    }
    addresses
}

/// Every server function that is linked in.
pub fn server_functions() -> BTreeSet<String> {
    server_fn_paths().map(|(path, method)| format!("{method} {path}")).collect()
}
