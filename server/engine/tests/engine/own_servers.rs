//! Accounts at servers of people's own: CalDAV by a password, feeds by their address.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use cupo_core::{appointment::AppointmentStatus, ids::AccountId, text::Locale};
use cupo_engine::{AccountCondition, CaldavInput, EngineError, EventTypeInput, FeedInput};
use cupo_simulators::mail::Message;
use cupo_store::{AccountState, Calendar, Provider, account_get};

use crate::world::{World, at, because, fields, first_visit};

/// A calendar of the stand-in: the last part of its path, and its name.
type Listed = (&'static str, &'static str);

/// What the stand-in for a server holds.
struct Held {
    username: &'static str,
    password: &'static str,
    calendars: Vec<Listed>,
    /// The iCalendar objects by their paths.
    objects: BTreeMap<String, String>,
    /// The answer to whoever asks for the feed.
    feed: (StatusCode, &'static str),
}

/// A stand-in for a CalDAV server with one user, and for a server of feeds. Every report
/// is answered with all that it holds.
#[derive(Clone)]
struct OwnServer {
    held: Arc<Mutex<Held>>,
    address: SocketAddr,
}

const FEED: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nX-WR-CALNAME:Club\r\nBEGIN:VEVENT\r\n\
    UID:1@club.example\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261125T090000Z\r\nDTEND:20261125T100000Z\r\n\
    SUMMARY:Training\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

impl OwnServer {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let held = Held {
            username: "ana",
            password: "app-password",
            calendars: vec![("personal", "Personal"), ("work", "Work")],
            objects: BTreeMap::new(),
            feed: (StatusCode::OK, FEED),
        };
        let server = Self { held: Arc::new(Mutex::new(held)), address: listener.local_addr().unwrap() };
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    fn change(&self, change: impl FnOnce(&mut Held)) {
        change(&mut self.held.lock().unwrap());
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn input(&self, password: &str) -> CaldavInput {
        CaldavInput {
            preset: "generic".to_owned(),
            server: self.url("/dav/"),
            username: "ana".to_owned(),
            password: password.to_owned(),
        }
    }

    fn feed(&self, name: &str, path: &str) -> FeedInput {
        FeedInput { name: name.to_owned(), address: self.url(path) }
    }
}

async fn answer(State(server): State<OwnServer>, request: Request<Body>) -> Response {
    let (request, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let mut held = server.held.lock().unwrap();
    let path = request.uri.path();
    if request.method == "GET" && !path.starts_with("/dav/") {
        return (held.feed.0, [(header::CONTENT_TYPE, "text/calendar")], held.feed.1).into_response();
    }
    let expected = format!("Basic {}", STANDARD.encode(format!("{}:{}", held.username, held.password)));
    if request.headers.get(header::AUTHORIZATION).is_none_or(|given| given.as_bytes() != expected.as_bytes()) {
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"dav\"")];
        return (StatusCode::UNAUTHORIZED, challenge).into_response();
    }
    if !path.starts_with("/dav/") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let text = || String::from_utf8(body.to_vec()).unwrap();
    match request.method.as_str() {
        "PROPFIND" => properties(&held, &request.headers),
        "REPORT" => {
            let all = held.objects.iter().map(|(path, text)| {
                let data = text.replace('&', "&amp;").replace('<', "&lt;");
                let etag = etag_of(text);
                let told = format!("<D:getetag>{etag}</D:getetag><C:calendar-data>{data}</C:calendar-data>");
                resource(path, "", &told)
            });
            multistatus(&all.collect::<String>())
        }
        "GET" => match held.objects.get(path) {
            Some(text) => ([(header::ETAG, etag_of(text))], text.clone()).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        "PUT" if request.headers.contains_key(header::IF_NONE_MATCH) && held.objects.contains_key(path) => {
            StatusCode::PRECONDITION_FAILED.into_response()
        }
        "PUT" => {
            held.objects.insert(path.to_owned(), text());
            (StatusCode::CREATED, [(header::ETAG, etag_of(&text()))]).into_response()
        }
        "DELETE" if held.objects.remove(path).is_some() => StatusCode::NO_CONTENT.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn etag_of(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("\"{:x}\"", hasher.finish())
}

fn properties(held: &Held, headers: &HeaderMap) -> Response {
    let mut body = resource("/dav/ana/", "<D:collection/>", &user());
    if is_deep(headers) {
        for (path, name) in &held.calendars {
            let properties = format!("<D:displayname>{name}</D:displayname>");
            body.push_str(&resource(&format!("/dav/ana/{path}/"), "<D:collection/><C:calendar/>", &properties));
        }
    }
    multistatus(&body)
}

fn multistatus(body: &str) -> Response {
    let namespaces = r#"xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav""#;
    let body = format!(r#"<?xml version="1.0" encoding="utf-8"?><D:multistatus {namespaces}>{body}</D:multistatus>"#);
    (StatusCode::MULTI_STATUS, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

fn is_deep(headers: &HeaderMap) -> bool {
    headers.get("depth").is_some_and(|depth| depth == "1")
}

fn user() -> String {
    let home = "<D:href>/dav/ana/</D:href>";
    format!(
        "<D:current-user-principal>{home}</D:current-user-principal><C:calendar-home-set>{home}</C:calendar-home-set>"
    )
}

fn resource(href: &str, kinds: &str, properties: &str) -> String {
    format!(
        "<D:response><D:href>{href}</D:href><D:propstat><D:prop><D:resourcetype>{kinds}</D:resourcetype>{properties}\
         </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )
}

/// Names and what the calendars are used for: whether they check conflicts, and whether they receive events.
async fn choices(world: &World) -> Vec<(String, bool, bool)> {
    let calendars = world.the_account().await.calendars;
    let of = |calendar: Calendar| (calendar.name, calendar.checks_conflicts, calendar.receives_events);
    let mut choices: Vec<_> = calendars.into_iter().map(of).collect();
    choices.sort();
    choices
}

fn chosen(name: &str, checks: bool, receives: bool) -> (String, bool, bool) {
    (name.to_owned(), checks, receives)
}

#[tokio::test]
async fn a_caldav_account_is_found_and_its_primary_calendar_is_used() {
    let (world, server) = (World::new().await, OwnServer::start().await);
    world.engine.connect_caldav(&world.principal, server.input("app-password")).await.unwrap();
    let overview = world.the_account().await;
    assert_eq!(overview.account.provider, Provider::Caldav);
    assert_eq!((overview.account.email.as_str(), overview.server.as_deref()), ("ana@127.0.0.1", Some("127.0.0.1")));
    assert_eq!(choices(&world).await, [chosen("Personal", true, true), chosen("Work", false, false)]);
    assert_eq!(overview.condition, AccountCondition::Polled);
    let sealed = overview.account.token_ciphertext.unwrap();
    assert!(!sealed.windows(12).any(|window| window == b"app-password"), "the password can be read");
}

#[tokio::test]
async fn what_is_wrong_with_a_caldav_account_is_told_at_its_field() {
    let (world, server) = (World::new().await, OwnServer::start().await);
    let good = server.input("app-password");
    for (input, refused) in [
        (server.input("wrong"), "password"),
        (CaldavInput { server: server.url("/nothing/"), ..good.clone() }, "server"),
        (CaldavInput { server: "http://dav.example/".into(), ..good.clone() }, "server"),
        (CaldavInput { server: "http://127.0.0.1:9/".into(), ..good.clone() }, "server"),
        (CaldavInput { server: String::new(), ..good.clone() }, "server"),
        (CaldavInput { username: " ".into(), ..good.clone() }, "username"),
        (CaldavInput { password: String::new(), ..good.clone() }, "password"),
        (CaldavInput { preset: "zebra".into(), ..good.clone() }, "preset"),
    ] {
        let outcome = world.engine.connect_caldav(&world.principal, input.clone()).await;
        assert_eq!(fields(outcome.unwrap_err()), [refused], "{input:?}");
    }
    assert!(world.engine.accounts(&world.principal).await.unwrap().is_empty());
    assert!(!format!("{good:?}").contains("app-password"));
}

#[tokio::test]
async fn a_changed_password_asks_the_host_and_the_new_one_goes_on_where_the_old_one_ended() {
    let (world, server) = (World::new().await, OwnServer::start().await);
    let id = world.engine.connect_caldav(&world.principal, server.input("app-password")).await.unwrap();
    server.change(|held| held.password = "another");
    let refused = world.engine.account_refresh(&world.principal, &id).await;
    assert!(matches!(refused, Err(EngineError::ReconnectNeeded(code)) if code == "wrong_password"));
    let condition = AccountCondition::ReconnectNeeded { code: "wrong_password".to_owned() };
    assert_eq!(world.the_account().await.condition, condition);

    let replace = |password: &str| world.engine.account_password_replace(&world.principal, &id, password.to_owned());
    assert_eq!(fields(replace("wrong").await.unwrap_err()), ["password"]);
    assert_eq!(world.the_account().await.account.state, AccountState::ReconnectNeeded);
    replace("another").await.unwrap();
    assert_eq!(world.the_account().await.account.state, AccountState::Active);
    world.engine.account_refresh(&world.principal, &id).await.unwrap();

    // Connecting it again does the same.
    server.change(|held| held.password = "a third");
    let again = world.engine.connect_caldav(&world.principal, server.input("a third")).await.unwrap();
    assert_eq!(again, id);
    world.engine.account_refresh(&world.principal, &id).await.unwrap();
}

#[tokio::test]
async fn two_services_with_one_login_are_two_accounts() {
    for (username, names) in [
        ("ana", ["ana@127.0.0.1", "ana@localhost"]),
        ("ana@mail.example", ["ana@mail.example", "ana@mail.example (localhost)"]),
    ] {
        let (world, here, there) = (World::new().await, OwnServer::start().await, OwnServer::start().await);
        for server in [&here, &there] {
            server.change(|held| held.username = username);
        }
        there.change(|held| held.calendars = vec![("choir", "Choir")]);
        let first = CaldavInput { username: username.to_owned(), ..here.input("app-password") };
        // Another name of this machine.
        let at_localhost = there.url("/dav/").replace("127.0.0.1", "localhost");
        let second = CaldavInput { server: at_localhost, ..first.clone() };
        let mut ids = Vec::new();
        for input in [&first, &second, &first, &second] {
            ids.push(world.engine.connect_caldav(&world.principal, input.clone()).await.unwrap());
        }
        assert_ne!(ids[0], ids[1]);
        assert_eq!((&ids[0], &ids[1]), (&ids[2], &ids[3]), "each is known again");
        let mut accounts = world.engine.accounts(&world.principal).await.unwrap();
        accounts.sort_by(|a, b| a.account.email.cmp(&b.account.email));
        assert_eq!(accounts.iter().map(|it| it.account.email.as_str()).collect::<Vec<_>>(), names);
        let calendars = |id: &AccountId| {
            let account = accounts.iter().find(|it| it.account.id == *id).unwrap();
            account.calendars.iter().map(|calendar| calendar.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(
            (calendars(&ids[0]), calendars(&ids[1])),
            (vec!["Personal".into(), "Work".into()], vec!["Choir".into()])
        );
        // The password of one says nothing to the other.
        there.change(|held| held.password = "another");
        world.engine.account_refresh(&world.principal, &ids[0]).await.unwrap();
        assert!(world.engine.account_refresh(&world.principal, &ids[1]).await.is_err());
    }
}

#[tokio::test]
async fn nobody_else_replaces_a_password() {
    let (world, server) = (World::new().await, OwnServer::start().await);
    let id = world.engine.connect_caldav(&world.principal, server.input("app-password")).await.unwrap();
    let (bea, _) = world.colleague("Bea", "bea@clinic.example").await;
    let refused = world.engine.account_password_replace(&bea, &id, "app-password".to_owned()).await;
    assert!(matches!(refused, Err(EngineError::NotFound("account"))));
}

#[tokio::test]
async fn a_refresh_finds_new_and_renamed_calendars_and_drops_those_that_are_gone() {
    let (world, server) = (World::new().await, OwnServer::start().await);
    let id = world.engine.connect_caldav(&world.principal, server.input("app-password")).await.unwrap();
    server.change(|held| held.calendars = vec![("personal", "Private"), ("choir", "Choir")]);
    world.engine.account_refresh(&world.principal, &id).await.unwrap();
    assert_eq!(choices(&world).await, [chosen("Choir", false, false), chosen("Private", true, true)]);
}

#[tokio::test]
async fn when_the_calendar_that_received_events_is_gone_the_primary_one_does() {
    let (world, server) = (World::new().await, OwnServer::start().await);
    let id = world.engine.connect_caldav(&world.principal, server.input("app-password")).await.unwrap();
    server.change(|held| held.calendars = vec![("work", "Work"), ("choir", "Choir")]);
    world.engine.account_refresh(&world.principal, &id).await.unwrap();
    assert_eq!(choices(&world).await, [chosen("Choir", false, false), chosen("Work", true, true)]);
}

#[tokio::test]
async fn what_nobody_ticked_stays_so_when_calendars_are_listed_anew() {
    let (world, server) = (World::new().await, OwnServer::start().await);
    let id = world.engine.connect_caldav(&world.principal, server.input("app-password")).await.unwrap();
    world.engine.calendar_choices_save(&world.principal, Vec::new(), None).await.unwrap();
    world.engine.account_refresh(&world.principal, &id).await.unwrap();
    assert_eq!(choices(&world).await, [chosen("Personal", false, false), chosen("Work", false, false)]);
}

#[tokio::test]
async fn a_second_account_does_not_take_the_appointments_of_the_first() {
    let (world, server) = (World::new().await, OwnServer::start().await);
    world.connect().await;
    let id = world.engine.connect_caldav(&world.principal, server.input("app-password")).await.unwrap();
    let accounts = world.engine.accounts(&world.principal).await.unwrap();
    let second = accounts.iter().find(|overview| overview.account.id == id).unwrap();
    assert!(second.calendars.iter().any(|calendar| calendar.checks_conflicts));
    assert!(second.calendars.iter().all(|calendar| !calendar.receives_events));
}

#[tokio::test]
async fn a_feed_blocks_its_times_and_receives_nothing() {
    let (world, server) = (World::new().await, OwnServer::start().await);
    world.offer(first_visit()).await;
    world.engine.connect_feed(&world.principal, server.feed("", "/club.ics")).await.unwrap();
    let overview = world.the_account().await;
    assert_eq!((overview.account.provider, overview.account.email.as_str()), (Provider::Ics, "Club"));
    assert_eq!(choices(&world).await, [chosen("Club", true, false)]);
    let sealed = overview.account.token_ciphertext.unwrap();
    assert!(!sealed.windows(9).any(|window| window == b"/club.ics"), "the address can be read");
    world.engine.run_due_jobs().await.unwrap();
    assert!(!world.is_offered("2026-11-25T09:00:00Z").await);
    assert!(world.is_offered("2026-11-25T10:00:00Z").await);
}

#[tokio::test]
async fn what_is_wrong_with_a_feed_is_told_at_its_field() {
    let (world, server) = (World::new().await, OwnServer::start().await);
    let connect = |input: FeedInput| world.engine.connect_feed(&world.principal, input);
    for address in ["", "not an address", "ftp://club.example/club.ics", "http://127.0.0.1:9/club.ics"] {
        let outcome = connect(FeedInput { name: "Club".into(), address: address.into() }).await;
        assert_eq!(fields(outcome.unwrap_err()), ["address"], "{address}");
    }
    server.change(|held| held.feed = (StatusCode::NOT_FOUND, ""));
    assert_eq!(fields(connect(server.feed("Club", "/club.ics")).await.unwrap_err()), ["address"]);
    server.change(|held| held.feed = (StatusCode::OK, "<html>Please sign in</html>"));
    assert_eq!(fields(connect(server.feed("Club", "/club.ics")).await.unwrap_err()), ["address"]);
    assert!(world.engine.accounts(&world.principal).await.unwrap().is_empty());
}

#[tokio::test]
async fn two_feeds_of_one_name_are_not_mixed_up() {
    let (world, server) = (World::new().await, OwnServer::start().await);
    let connect = |input: FeedInput| world.engine.connect_feed(&world.principal, input);
    let first = connect(server.feed("Club", "/club.ics")).await.unwrap();
    assert_eq!(fields(connect(server.feed("Club", "/other.ics")).await.unwrap_err()), ["name"]);
    assert_eq!(connect(server.feed("Club", "/club.ics")).await.unwrap(), first, "the same feed again");
    connect(server.feed("Choir", "/other.ics")).await.unwrap();
    assert_eq!(world.engine.accounts(&world.principal).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_name_that_a_host_gave_a_feed_stays_when_it_is_listed_anew() {
    let (world, server) = (World::new().await, OwnServer::start().await);
    let id = world.engine.connect_feed(&world.principal, server.feed("My club", "/club.ics")).await.unwrap();
    world.engine.account_refresh(&world.principal, &id).await.unwrap();
    assert_eq!(choices(&world).await, [chosen("My club", true, false)]);
}

#[tokio::test]
async fn disconnected_accounts_of_own_servers_are_forgotten() {
    let (world, server) = (World::new().await, OwnServer::start().await);
    let caldav = world.engine.connect_caldav(&world.principal, server.input("app-password")).await.unwrap();
    let feed = world.engine.connect_feed(&world.principal, server.feed("Club", "/club.ics")).await.unwrap();
    for id in [&caldav, &feed] {
        world.engine.account_disconnect(&world.principal, id).await.unwrap();
    }
    assert!(world.engine.accounts(&world.principal).await.unwrap().is_empty());
    world.engine.run_due_jobs().await.unwrap();
    let tx = &mut world.store.read().await.unwrap();
    for id in [&caldav, &feed] {
        assert!(account_get(tx, &world.principal.organization_id, id).await.unwrap().is_none());
    }
}

fn invitation(mail: &Message) -> String {
    let part = mail.attachments.iter().find(|part| part.content_type.starts_with("text/calendar")).unwrap();
    part.text.clone().unwrap()
}

#[tokio::test]
async fn an_appointment_in_a_caldav_calendar_is_one_object_and_our_mails_invite_to_it() {
    const START: &str = "2026-11-25T09:00:00Z";
    let (world, server) = (World::new().await, OwnServer::start().await);
    world.engine.connect_caldav(&world.principal, server.input("app-password")).await.unwrap();
    world.offer(EventTypeInput { location_kind: "phone".into(), ..first_visit() }).await;
    world.run().await;
    let view = world.book("key", START).await;
    world.run().await;
    let objects = || server.held.lock().unwrap().objects.clone();
    let written = objects();
    assert_eq!(written.len(), 1);
    let (path, text) = written.first_key_value().unwrap();
    assert!(path.starts_with("/dav/ana/personal/") && text.contains("SUMMARY:First visit: Leo Pérez"), "{path} {text}");
    let mails = world.mails_to("leo@visitor.example");
    assert_eq!(mails.len(), 1);
    assert!(invitation(&mails[0]).contains("METHOD:REQUEST"), "nobody else invites");

    // The calendar is read: the event is ours.
    world.pass(TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.run().await;
    let read = world.engine.appointment_by_token(&view.token, Locale::En).await.unwrap();
    assert_eq!((read.status, read.start, read.sequence), (AppointmentStatus::Confirmed, at(START), 0));
    assert!(world.is_offered("2026-11-25T09:30:00Z").await && !world.is_offered(START).await);
    assert_eq!(objects(), written, "it is not written again");

    world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    world.run().await;
    assert!(objects().is_empty());
    assert!(invitation(&world.mails_to("leo@visitor.example")[1]).contains("METHOD:CANCEL"));
    assert!(world.engine.failed_jobs(&world.principal).await.unwrap().is_empty());
}
