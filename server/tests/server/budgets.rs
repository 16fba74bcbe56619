//! The budgets of the configuration reach what sends: a request beyond them is never sent.

use axum::http::StatusCode;
use cupo_engine::{CaldavInput, EngineError};
use cupo_providers::ProviderError;
use cupo_store::Provider;

use crate::counting_server::CountingServer;
use crate::world::{World, configuration};

fn listings(world: &World) -> usize {
    let exchanges = world.google.exchanges().into_iter();
    exchanges.filter(|it| it.method == "GET" && it.path.ends_with("/users/me/calendarList")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_beyond_the_configured_budget_of_google_is_not_sent() {
    let world = World::configured(|google, smtp, limits| {
        let of_google = "[google]\nrequests_per_minute_per_account = 2\n";
        configuration(google, smtp, limits).replace("[google]\n", of_google)
    })
    .await;
    let ana = world.ana().await;
    let engine = &world.server.engine;
    let accounts = engine.accounts(&ana).await.unwrap();
    let google = accounts.iter().find(|overview| overview.account.provider == Provider::Google).unwrap();
    let (mut answered, mut throttled) = (0, 0);
    let before = listings(&world);
    for _ in 0..4 {
        match engine.account_refresh(&ana, &google.account.id).await {
            Ok(()) => answered += 1,
            Err(EngineError::Provider(ProviderError::Throttled(_))) => throttled += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(throttled > 0, "two a minute are not four at once");
    assert_eq!(listings(&world) - before, answered, "what was throttled was not sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_beyond_the_configured_budget_of_caldav_is_not_sent() {
    let world = World::configured(|google, smtp, limits| {
        let limits = format!("{limits}private_addresses = true\n[caldav]\nrequests_per_minute_per_account = 2\n");
        configuration(google, smtp, &limits)
    })
    .await;
    // Calendars are looked for in three places, of which one may be asked at once.
    let dav = CountingServer::start(StatusCode::NOT_FOUND, "").await;
    let input = CaldavInput {
        preset: "generic".to_owned(),
        server: format!("http://127.0.0.1:{}/", dav.port),
        username: "ana".to_owned(),
        password: "app-password".to_owned(),
    };
    let refused = world.server.engine.connect_caldav(&world.ana().await, input).await.unwrap_err();
    assert!(matches!(refused, EngineError::Invalid(_)), "{refused:?}");
    assert_eq!(dav.requests(), 1);
}
