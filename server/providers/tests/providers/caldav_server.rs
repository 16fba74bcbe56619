//! A stand-in for CalDAV servers with habits that Radicale does not have.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use cupo_providers::caldav::CaldavProvider;
use cupo_providers::clock::Clock;
use cupo_providers::{Access, Secret, Transport, TransportConfig};
use http::{HeaderMap, StatusCode};
use url::Url;

use crate::world::hour;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Asked {
    pub fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }

    /// Whether the body names this element or property.
    pub fn names(&self, element: &str) -> bool {
        self.body.contains(&format!(":{element}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Answers by a function, and remembers what it was asked.
pub struct StandIn {
    url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    pub async fn start(answer: impl Fn(&Asked) -> Response + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (list, answer) = (asked.clone(), Arc::new(answer));
        let server = Router::new().fallback(async move |request: Request| {
            let (head, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let asked = Asked {
                method: head.method.to_string(),
                path: head.uri.path_and_query().unwrap().to_string(),
                headers: head.headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            };
            list.lock().unwrap().push(asked.clone());
            answer(&asked)
        });
        tokio::spawn(async move { axum::serve(listener, server).await.unwrap() });
        Self { url, asked }
    }

    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The address of a path.
    pub fn at(&self, path: &str) -> String {
        self.url.join(path).unwrap().to_string()
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The methods and paths so far, without what is asked about the account's owner.
    pub fn calls(&self) -> Vec<String> {
        let asked = self.asked().into_iter().filter(|asked| !asked.names("calendar-user-address-set"));
        asked.map(|asked| format!("{} {}", asked.method, asked.path)).collect()
    }

    /// Ana's account, whose home is `/ana/`.
    pub fn ana(&self) -> Access {
        Access::basic("account of ana", self.url.join("/ana/").unwrap(), "ana@example.com", Secret::new("app-password"))
    }
}

pub fn transport() -> Transport {
    Transport::new(TransportConfig::default()).unwrap()
}

pub fn provider() -> CaldavProvider {
    CaldavProvider::new(transport(), Clock::new(|| hour(-24)))
}

pub fn status(code: u16) -> Response {
    with_status(code, "")
}

pub fn with_status(code: u16, body: impl Into<String>) -> Response {
    Response::builder().status(StatusCode::from_u16(code).unwrap()).body(Body::from(body.into())).unwrap()
}

pub fn with_headers(code: u16, headers: &[(&str, &str)], body: impl Into<String>) -> Response {
    let mut response = Response::builder().status(StatusCode::from_u16(code).unwrap());
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(body.into())).unwrap()
}

pub fn redirect(to: &str) -> Response {
    with_headers(301, &[("location", to)], "")
}

const NAMESPACES: &str = "xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\" \
                          xmlns:CS=\"http://calendarserver.org/ns/\" xmlns:A=\"http://apple.com/ns/ical/\"";

pub fn multistatus(inside: impl AsRef<str>) -> Response {
    with_status(207, format!("<?xml version=\"1.0\"?><D:multistatus {NAMESPACES}>{}</D:multistatus>", inside.as_ref()))
}

/// A resource that has these properties.
pub fn resource(href: &str, properties: &str) -> String {
    format!(
        "<D:response><D:href>{href}</D:href><D:propstat><D:prop>{properties}</D:prop>\
         <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )
}

/// A resource, or the collection itself, of which only a status is told.
pub fn told(href: &str, status: &str) -> String {
    format!("<D:response><D:href>{href}</D:href><D:status>HTTP/1.1 {status}</D:status></D:response>")
}

pub fn error(code: u16, precondition: &str) -> Response {
    with_status(code, format!("<?xml version=\"1.0\"?><D:error {NAMESPACES}><{precondition}/></D:error>"))
}

/// The properties of a resource that holds an event of one hour on 2 November 2026.
pub fn event(uid: &str, etag: &str, hour: u32) -> String {
    format!("<D:getetag>{etag}</D:getetag><C:calendar-data>{}</C:calendar-data>", text(uid, hour))
}

pub fn text(uid: &str, hour: u32) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n\
         DTSTART:20261102T{hour:02}0000Z\r\nDTEND:20261102T{:02}0000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        hour + 1
    )
}
