//! Stands between Cupo and a simulated provider: it remembers every secret that passes, and it can answer in the provider's
//! place with an error that repeats what it was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::form_urlencoded;

/// What is secret wherever it stands in a form, a query or a JSON document.
const SECRET: [&str; 12] = [
    "access_token",
    "refresh_token",
    "id_token",
    "token",
    "clientState",
    "client_state",
    "code",
    "code_verifier",
    "state",
    "client_secret",
    "client_assertion",
    "assertion",
];
/// Shorter values are words, such as `S256`.
const SHORTEST: usize = 12;

#[derive(Clone)]
pub struct Relay {
    pub url: String,
    target: Arc<str>,
    client: Client,
    heard: Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>,
    echoes: Arc<Mutex<Vec<Echo>>>,
}

/// An answer in the provider's place.
struct Echo {
    path: &'static str,
    status: u16,
    left: u32,
    given: u32,
}

impl Relay {
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            target: target.into(),
            client: Client::builder().redirect(Policy::none()).build().unwrap(),
            heard: Arc::default(),
            echoes: Arc::default(),
        };
        let passing = relay.clone();
        let router = Router::new().fallback(async move |request: Request| passing.pass(request).await);
        tokio::spawn(async move { axum::serve(listener, router).await });
        relay
    }

    /// So many of the next requests to a path that ends so are answered by this status, and by what they themselves held.
    pub fn echo(&self, path: &'static str, status: u16, times: u32) {
        self.echoes.lock().unwrap().push(Echo { path, status, left: times, given: 0 });
    }

    /// The statuses that were so answered at least once.
    pub fn echoed(&self) -> BTreeSet<u16> {
        self.echoes.lock().unwrap().iter().filter(|echo| echo.given > 0).map(|echo| echo.status).collect()
    }

    /// Every secret that has passed, by what it was called.
    pub fn heard(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.heard.lock().unwrap().clone()
    }

    async fn pass(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let sent = self.listen_to(&parts, &body);
        if let Some(status) = self.taken(parts.uri.path()) {
            return echo(parts.uri.path(), status, &sent);
        }
        let path = parts.uri.path_and_query().unwrap();
        let mut headers = parts.headers.clone();
        headers.remove("host");
        let request = self.client.request(parts.method, format!("{}{path}", self.target)).headers(headers);
        let answer = request.body(body).send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = String::from_utf8(answer.bytes().await.unwrap().to_vec()).unwrap();
        if let Ok(value) = serde_json::from_str(&text) {
            self.hear_json(&value);
        }
        let location = headers.get("location").map(|it| it.to_str().unwrap().to_owned());
        if let Some(query) = location.as_deref().and_then(|it| it.split_once('?')) {
            self.hear_pairs(query.1.as_bytes());
        }
        self.answer(status, &headers, &text)
    }

    fn answer(&self, status: StatusCode, headers: &HeaderMap, text: &str) -> Response {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            if !["content-length", "transfer-encoding", "connection"].contains(&name.as_str()) {
                let value = value.to_str().unwrap().replace(&*self.target, &self.url);
                response = response.header(name, value);
            }
        }
        // Where the provider tells more of its addresses, they lead through here too.
        response.body(Body::from(text.replace(&*self.target, &self.url))).unwrap()
    }

    fn taken(&self, path: &str) -> Option<u16> {
        let mut echoes = self.echoes.lock().unwrap();
        let echo = echoes.iter_mut().find(|echo| echo.left > 0 && path.ends_with(echo.path))?;
        echo.left -= 1;
        echo.given += 1;
        Some(echo.status)
    }

    fn hear(&self, name: &str, secret: &str) {
        if secret.len() >= SHORTEST {
            self.heard.lock().unwrap().entry(name.to_owned()).or_default().insert(secret.to_owned());
        }
    }

    /// Gives all that may be secret in a request, as it was sent.
    fn listen_to(&self, parts: &Parts, body: &Bytes) -> String {
        let authorization = parts.headers.get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default();
        if let Some((_, token)) = authorization.split_once(' ') {
            self.hear("authorization", token);
        }
        self.hear_pairs(parts.uri.query().unwrap_or_default().as_bytes());
        match serde_json::from_slice(body) {
            Ok(value) => self.hear_json(&value),
            Err(_) => self.hear_pairs(body),
        }
        format!("{authorization} {}", String::from_utf8_lossy(body))
    }

    fn hear_pairs(&self, text: &[u8]) {
        for (name, value) in form_urlencoded::parse(text) {
            if SECRET.contains(&&*name) {
                self.hear(&name, &value);
            }
            // The page of consent carries the whole request on.
            if name == "request" {
                self.hear_pairs(value.as_bytes());
            }
        }
    }

    fn hear_json(&self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) if SECRET.contains(&name.as_str()) => self.hear(name, text),
                        other => self.hear_json(other),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.hear_json(item)),
            _ => {}
        }
    }
}

/// As a provider answers that logs too much, in the form in which it tells errors.
fn echo(path: &str, status: u16, sent: &str) -> Response {
    let body = if path.ends_with("/token") {
        json!({ "error": "invalid_grant", "error_description": format!("AADSTS70008: {sent}"), "error_codes": [70008] })
    } else {
        json!({ "error": { "code": status, "message": sent, "status": sent, "errors": [{ "reason": sent, "message": sent }] } })
    };
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.header("www-authenticate", "Bearer error=\"invalid_token\"").body(Body::from(body.to_string())).unwrap()
}
