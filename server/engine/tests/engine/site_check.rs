//! Whether a page of a site shows the widget.

use axum::Router;
use axum::response::{Html, Redirect};
use axum::routing::get;
use cupo_engine::{EngineError, SiteFinding, SiteInput};
use cupo_providers::FeedConfig;

use crate::world::{World, fields, patient};

/// What the check of an address finds where only the public internet is open.
async fn found_by_guarded(address: &str) -> Vec<SiteFinding> {
    let world = World::new().await;
    let feeds = FeedConfig { allows_private_addresses: false, ..FeedConfig::default() };
    let guarded = world.process_with(cupo_engine::EngineSettings { feeds, ..patient() });
    guarded.site_check(&world.principal, "ruiz/first-visit", address).await.unwrap().findings
}

#[tokio::test]
async fn nothing_is_told_of_what_is_not_public_but_what_the_address_itself_says() {
    for literal in ["http://10.0.0.1/", "http://[::1]/", "localhost", "http://0x7f.1"] {
        assert_eq!(found_by_guarded(literal).await, [SiteFinding::Private], "{literal}");
    }
    // Other ports of the public internet are not asked, and names that lead nowhere are told no better.
    for silent in ["https://93.184.216.34:8443/", "http://93.184.216.34:22/", "https://no-such-host.invalid/"] {
        assert_eq!(found_by_guarded(silent).await, [SiteFinding::NoAnswer], "{silent}");
    }
}

/// A site that has pasted the code, and one page that is only on its way to another.
async fn site(cupo: &str) -> String {
    let page = format!(
        "<script async src=\"{cupo}/embed.js\"></script><cupo-booking event=\"ruiz/first-visit\"></cupo-booking>"
    );
    let large = "x".repeat(2_100_000);
    let router = Router::new()
        .route("/", get(async || Html(page)))
        .route("/moved", get(async || Redirect::to("/")))
        .route("/large", get(async || Html(large)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn a_page_that_shows_the_widget_on_an_allowed_site_is_found_after_redirects_too() {
    let world = World::new().await;
    let cupo = world.engine.settings().public_url.as_str().trim_end_matches('/').to_owned();
    let site = site(&cupo).await;
    let check = async |path: &str| {
        world.engine.site_check(&world.principal, "ruiz/first-visit", &format!("{site}{path}")).await.unwrap()
    };
    let not_allowed = SiteFinding::NotAllowed(site.clone());
    assert_eq!(check("/").await.findings, [SiteFinding::Script, SiteFinding::Event, not_allowed]);
    let input = SiteInput { name: "Site".to_owned(), origins: site.clone() };
    world.engine.site_save(&world.principal, None, input).await.unwrap();
    let found = check("/moved").await;
    assert_eq!(found.address, format!("{site}/"));
    assert_eq!(found.findings, [SiteFinding::Script, SiteFinding::Event, SiteFinding::Allowed]);
    assert_eq!(check("/large").await.findings, [SiteFinding::TooLarge]);
    assert_eq!(check("/nothing").await.findings, [SiteFinding::Status(404)]);
}

#[tokio::test]
async fn an_address_of_the_private_network_is_not_opened_and_what_is_none_is_refused() {
    let world = World::new().await;
    let feeds = FeedConfig { allows_private_addresses: false, ..FeedConfig::default() };
    let guarded = world.process_with(cupo_engine::EngineSettings { feeds, ..patient() });
    let site = site("http://127.0.0.1").await;
    let found = guarded.site_check(&world.principal, "ruiz/first-visit", &site).await.unwrap();
    assert_eq!(found.findings, [SiteFinding::Private]);
    for (event, address, field) in [
        ("ruiz/first-visit", "not an address", "address"),
        ("ruiz/first-visit", "ftp://example.com", "address"),
        ("ruiz/first-visit", "https://user:secret@example.com", "address"),
        ("ruiz", "https://example.com", "event"),
        ("ruiz/first\nvisit", "https://example.com", "event"),
    ] {
        let refused: EngineError = guarded.site_check(&world.principal, event, address).await.unwrap_err();
        assert_eq!(fields(refused), [field], "{event:?} {address}");
    }
}
