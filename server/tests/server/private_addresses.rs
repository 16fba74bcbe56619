//! Addresses that hosts type in: none leads into the operator's network, unless the operator says so.

use axum::http::StatusCode;
use cupo_engine::{CaldavInput, EngineError, FeedInput};

use crate::counting_server::CountingServer;
use crate::world::{World, configuration};

const FILE: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nEND:VCALENDAR\r\n";

fn feed_at(host: &str, port: u16) -> FeedInput {
    FeedInput { name: "Team".to_owned(), address: format!("http://{host}:{port}/calendar.ics") }
}

/// The fields that are refused, each with its problem.
fn refusals<T>(outcome: Result<T, EngineError>) -> Vec<(String, String)> {
    match outcome {
        Err(EngineError::Invalid(errors)) => {
            errors.0.into_iter().map(|error| (error.field.to_string(), error.problem.key.to_string())).collect()
        }
        Err(other) => panic!("it was refused otherwise: {other:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}

fn private(field: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), "error.feed_private_address".to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_and_a_caldav_server_on_this_machine_are_refused_and_never_asked() {
    let world = World::start().await;
    let ana = world.ana().await;
    let feed = CountingServer::start(StatusCode::OK, FILE).await;
    let dav = CountingServer::start(StatusCode::MULTI_STATUS, "<multistatus xmlns=\"DAV:\"/>").await;
    // A literal address and a name that leads to one are refused in different places.
    for host in ["127.0.0.1", "localhost"] {
        let outcome = world.server.engine.connect_feed(&ana, feed_at(host, feed.port)).await;
        assert_eq!(refusals(outcome), private("address"), "{host}");
        let input = CaldavInput {
            preset: "generic".to_owned(),
            server: format!("http://{host}:{}/", dav.port),
            username: "ana".to_owned(),
            password: "app-password".to_owned(),
        };
        let outcome = world.server.engine.connect_caldav(&ana, input).await;
        assert_eq!(refusals(outcome), private("server"), "{host}");
    }
    assert_eq!((feed.requests(), dav.requests()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_who_allows_private_addresses_has_them_read() {
    let world = World::configured(|google, smtp, limits| {
        configuration(google, smtp, &format!("{limits}private_addresses = true\n"))
    })
    .await;
    let feed = CountingServer::start(StatusCode::OK, FILE).await;
    let ana = world.ana().await;
    let id = world.server.engine.connect_feed(&ana, feed_at("127.0.0.1", feed.port)).await.unwrap();
    assert!(feed.requests() > 0);
    let accounts = world.server.engine.accounts(&ana).await.unwrap();
    assert!(accounts.iter().any(|overview| overview.account.id == id));
}
