//! A CalDAV server on this machine: one account with one empty calendar.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::net::TcpListener;

const NAMESPACES: &str = r#"xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav""#;

pub struct CaldavStandIn {
    pub url: String,
    password: Arc<Mutex<String>>,
}

impl CaldavStandIn {
    /// It lets anybody in who has the password. Whom it does not let in it tells what they have sent.
    pub async fn start(password: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let password = Arc::new(Mutex::new(password.to_owned()));
        let wanted = password.clone();
        let router = Router::new().fallback(async move |request: Request| {
            let wanted = wanted.lock().unwrap().clone();
            answer(&request, &wanted)
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, password }
    }

    /// From now on only this password opens it.
    pub fn set_password(&self, password: &str) {
        password.clone_into(&mut self.password.lock().unwrap());
    }
}

fn answer(request: &Request, wanted: &str) -> Response {
    let sent = request.headers().get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let plain = sent.strip_prefix("Basic ").and_then(|it| BASE64_STANDARD.decode(it).ok()).unwrap_or_default();
    let plain = String::from_utf8_lossy(&plain).into_owned();
    let built = if plain.rsplit_once(':').is_none_or(|(_, password)| password != wanted) {
        let echo = format!("{sent} is not accepted: {plain}");
        Response::builder().status(401).header("www-authenticate", "Basic realm=\"dav\"").body(Body::from(echo))
    } else {
        let inside = match (request.method().as_str(), request.uri().path()) {
            ("PROPFIND", "/ana/") => [resource("/ana/", HOME), resource("/ana/work/", CALENDAR)].concat(),
            ("PROPFIND", "/ana/work/") => resource("/ana/work/", CALENDAR),
            ("PROPFIND", _) => resource("/", HOME),
            _ => String::new(),
        };
        let body = format!("<?xml version=\"1.0\"?><D:multistatus {NAMESPACES}>{inside}</D:multistatus>");
        Response::builder().status(207).header("dav", "1, calendar-access").body(Body::from(body))
    };
    built.unwrap()
}

const HOME: &str = "<D:resourcetype><D:collection/></D:resourcetype>\
     <D:current-user-principal><D:href>/ana/</D:href></D:current-user-principal>\
     <C:calendar-home-set><D:href>/ana/</D:href></C:calendar-home-set>";
const CALENDAR: &str =
    "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype><D:displayname>Work</D:displayname>";

fn resource(href: &str, properties: &str) -> String {
    format!(
        "<D:response><D:href>{href}</D:href><D:propstat><D:prop>{properties}</D:prop>\
         <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )
}
