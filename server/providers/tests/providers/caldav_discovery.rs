//! Finding a calendar home on servers of every kind.

use axum::response::Response;
use cupo_providers::caldav::{Discovered, DiscoveryError, DiscoveryInput, discover};
use cupo_providers::{Secret, Transport, TransportConfig};

use crate::caldav_server::{
    Asked, StandIn, error, multistatus, redirect, resource, status, transport, with_headers, with_status,
};

const CALENDAR: &str = "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>";

async fn discover_at(server: &str) -> Result<Discovered, DiscoveryError> {
    discover_with(&transport(), server).await
}

async fn discover_with(transport: &Transport, server: &str) -> Result<Discovered, DiscoveryError> {
    let password = Secret::new("app-password");
    let input = DiscoveryInput { server_or_email: server.into(), username: "ana".into(), password };
    discover(transport, &input).await
}

fn principal(href: &str) -> String {
    format!("<D:current-user-principal><D:href>{href}</D:href></D:current-user-principal>")
}

fn home_set(href: &str) -> String {
    format!("<C:calendar-home-set><D:href>{href}</D:href></C:calendar-home-set>")
}

/// A server below `/dav/` whose user is at `principal`, and has one calendar.
fn server(asked: &Asked) -> Response {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("PROPFIND", "/.well-known/caldav") => redirect("/dav/"),
        ("PROPFIND", "/dav/") => multistatus(resource("/dav/", &principal("principals/ana/"))),
        ("PROPFIND", "/dav/principals/ana/") => {
            let addresses = "<C:calendar-user-address-set><D:href>mailto:a@x.example</D:href><D:href preferred=\"1\">\
                             mailto:ana@example.com</D:href></C:calendar-user-address-set>";
            let properties =
                [&home_set("/dav/calendars/ana"), addresses, "<D:displayname>Ana</D:displayname>"].concat();
            multistatus(resource("/dav/principals/ana/", &properties))
        }
        ("PROPFIND", "/dav/calendars/ana/") => {
            let home = resource("/dav/calendars/ana/", "<D:resourcetype><D:collection/></D:resourcetype>");
            multistatus(home + &resource("/dav/calendars/ana/work/", CALENDAR))
        }
        _ => status(404),
    }
}

#[tokio::test]
async fn the_well_known_address_leads_to_the_home_whatever_form_the_addresses_have() {
    let stand_in = StandIn::start(server).await;
    let found = discover_at(stand_in.url().as_str()).await.unwrap();
    assert_eq!(found.home.as_str(), stand_in.at("/dav/calendars/ana/"));
    assert_eq!(found.principal.as_str(), stand_in.at("/dav/principals/ana/"));
    assert_eq!(found.addresses, ["ana@example.com", "a@x.example"]);
    assert_eq!(found.display_name.as_deref(), Some("Ana"));
    let asked = stand_in.asked();
    assert!(asked.iter().all(|asked| asked.header("authorization") == Some("Basic YW5hOmFwcC1wYXNzd29yZA==")));
    let depths: Vec<_> = asked.iter().map(|asked| asked.header("depth").unwrap()).collect();
    assert_eq!(depths, ["0", "0", "0", "1"]);
}

#[tokio::test]
async fn a_cloud_without_a_well_known_address_is_found_where_clouds_are() {
    for (below, typed) in [("", ""), ("/nextcloud", "/nextcloud"), ("/nextcloud", "/nextcloud/")] {
        let dav = format!("{below}/remote.php/dav/");
        let stand_in = StandIn::start(move |asked| match asked.path.strip_prefix(&dav) {
            Some("") => multistatus(resource(&dav, &principal(&format!("{dav}principals/users/ana/")))),
            Some("principals/users/ana/") => {
                multistatus(resource(&asked.path, &home_set(&format!("{dav}calendars/ana/"))))
            }
            Some("calendars/ana/") => multistatus(resource(&format!("{dav}calendars/ana/personal/"), CALENDAR)),
            // The page of the cloud.
            _ => with_status(200, "<!DOCTYPE html><html></html>"),
        })
        .await;
        let found = discover_at(&stand_in.at(typed)).await.unwrap();
        assert_eq!(found.home.as_str(), stand_in.at(&format!("{below}/remote.php/dav/calendars/ana/")));
    }
}

#[tokio::test]
async fn a_home_on_another_host_is_taken_and_the_password_goes_along() {
    let calendars = StandIn::start(|asked| match asked.path.as_str() {
        "/123/calendars/" => multistatus(resource("/123/calendars/home/", CALENDAR)),
        _ => status(404),
    })
    .await;
    let home = calendars.at("/123/calendars/");
    let front = StandIn::start(move |asked| match asked.path.as_str() {
        "/.well-known/caldav" => multistatus(resource("/.well-known/caldav", &principal("/123/principal/"))),
        "/123/principal/" => multistatus(resource("/123/principal/", &home_set(&home))),
        _ => status(404),
    })
    .await;
    let found = discover_at(front.url().as_str()).await.unwrap();
    assert_eq!(found.home.as_str(), calendars.at("/123/calendars/"));
    assert!(calendars.asked()[0].header("authorization").is_some());
}

#[tokio::test]
async fn a_redirect_to_another_server_is_followed_and_one_to_an_unencrypted_address_is_not() {
    let there = StandIn::start(server).await;
    let location = there.at("/dav/");
    let here = StandIn::start(move |_| redirect(&location)).await;
    assert_eq!(discover_at(here.url().as_str()).await.unwrap().home.as_str(), there.at("/dav/calendars/ana/"));

    let before = there.asked().len();
    for insecure in ["http://dav.example/", "http://192.0.2.1/dav/"] {
        let here = StandIn::start(move |_| redirect(insecure)).await;
        assert_eq!(discover_at(here.url().as_str()).await, Err(DiscoveryError::InsecureAddress), "{insecure}");
        assert_eq!(here.asked().len(), 1);
    }
    // A home is told just as a redirect is.
    let here = StandIn::start(|asked| match asked.path.as_str() {
        "/" => multistatus(resource("/", &(principal("/") + &home_set("http://dav.example/")))),
        _ => status(404),
    })
    .await;
    assert_eq!(discover_at(here.url().as_str()).await, Err(DiscoveryError::InsecureAddress));
    assert_eq!(there.asked().len(), before);
}

#[tokio::test]
async fn redirects_without_end_and_redirects_to_nowhere_are_given_up() {
    let stand_in = StandIn::start(|asked| redirect(&format!("{}x", asked.path))).await;
    let DiscoveryError::NotFound { tried } = discover_at(stand_in.url().as_str()).await.unwrap_err() else { panic!() };
    // Six addresses for each of the three that are tried.
    assert_eq!((stand_in.asked().len(), tried.len()), (18, 18));
    let stand_in = StandIn::start(|_| status(302)).await;
    assert!(matches!(discover_at(stand_in.url().as_str()).await, Err(DiscoveryError::NotFound { .. })));
}

#[tokio::test]
async fn what_was_tried_is_told_when_nothing_is_found() {
    let stand_in = StandIn::start(|_| status(404)).await;
    let told = discover_at(&stand_in.at("/calendar")).await.unwrap_err();
    let DiscoveryError::NotFound { tried } = &told else { panic!("{told:?}") };
    let paths = ["/calendar", "/calendar/remote.php/dav/", "/.well-known/caldav", "/", "/remote.php/dav/"];
    assert_eq!(*tried, paths.map(|path| format!("127.0.0.1{path}")));
    assert!(!told.to_string().contains("app-password"));
}

#[tokio::test]
async fn a_refused_sign_in_says_whether_another_password_would_help() {
    for offered in [r#"Basic realm="Nextcloud""#, r#"Bearer, basic realm="x""#] {
        let stand_in = StandIn::start(move |_| with_headers(401, &[("www-authenticate", offered)], "")).await;
        assert_eq!(discover_at(stand_in.url().as_str()).await, Err(DiscoveryError::WrongPassword), "{offered}");
        // The password is not tried at one address after another.
        assert_eq!(stand_in.asked().len(), 1);
    }
    let stand_in = StandIn::start(|_| with_headers(401, &[("www-authenticate", r#"Digest realm="x""#)], "")).await;
    assert_eq!(discover_at(stand_in.url().as_str()).await, Err(DiscoveryError::UnsupportedSignIn));
    let nobody = "<D:current-user-principal><D:unauthenticated/></D:current-user-principal>";
    let stand_in = StandIn::start(move |_| multistatus(resource("/", nobody))).await;
    assert_eq!(discover_at(stand_in.url().as_str()).await, Err(DiscoveryError::WrongPassword));
}

#[tokio::test]
async fn a_private_address_is_refused_where_the_operator_has_not_allowed_such() {
    let stand_in = StandIn::start(server).await;
    let config = TransportConfig { allows_private_addresses: false, ..TransportConfig::default() };
    let guarded = Transport::new(config).unwrap();
    let by_name = stand_in.url().as_str().replace("127.0.0.1", "localhost");
    for typed in [stand_in.url().as_str(), &by_name] {
        let refused = discover_with(&guarded, typed).await;
        assert_eq!(refused, Err(DiscoveryError::PrivateAddress), "{typed}");
    }
    assert!(stand_in.asked().is_empty());
    assert!(discover_at(&by_name).await.is_ok());
}

#[tokio::test]
async fn a_server_that_is_not_there_or_broken_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(discover_at(&nobody).await, Err(DiscoveryError::Unreachable("127.0.0.1".into())));
    let stand_in = StandIn::start(|_| with_headers(503, &[("retry-after", "60")], "")).await;
    assert_eq!(discover_at(stand_in.url().as_str()).await, Err(DiscoveryError::Unreachable("127.0.0.1".into())));
}

#[tokio::test]
async fn xml_that_is_built_to_be_expensive_is_refused() {
    let laughs =
        "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><D:multistatus xmlns:D=\"DAV:\">&b;</D:multistatus>";
    let deep = format!("<D:multistatus xmlns:D=\"DAV:\">{}", "<D:response>".repeat(100_000));
    let wide: String = (0..100_000).map(|index| format!(" a{index}=\"\"")).collect();
    let wide = format!("<D:multistatus xmlns:D=\"DAV:\"{wide}/>");
    for hostile in [laughs.to_owned(), deep, wide] {
        let stand_in = StandIn::start(move |_| with_status(207, hostile.clone())).await;
        let refused = discover_at(stand_in.url().as_str()).await;
        assert!(matches!(refused, Err(DiscoveryError::Refused(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn an_account_that_may_not_look_at_its_home_has_nothing_found() {
    let stand_in = StandIn::start(|asked| match asked.path.as_str() {
        "/dav/calendars/ana/" => error(403, "D:need-privileges"),
        _ => server(asked),
    })
    .await;
    let told = discover_at(stand_in.url().as_str()).await;
    assert!(matches!(told, Err(DiscoveryError::NotFound { .. })), "{told:?}");
}
