//! A simulated Microsoft with a client, in one call.

use cupo_simulators::contract::MicrosoftContract;
use cupo_simulators::microsoft::{MicrosoftOptions, MicrosoftSimulator};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

pub const ANA: &str = "ana@contoso.example";
pub const BEN: &str = "ben@contoso.example";
pub const CARLA: &str = "carla@outlook.example";
/// The scopes that Cupo asks for.
pub const SCOPES: [&str; 2] = ["Calendars.ReadWrite", "User.Read"];
/// An extended property such as the one by which Cupo marks its events.
pub const MARK: &str = "String {5f4d2c1b-0a9e-4d8c-b7a6-958473625140} Name CupoClaim";

/// A simulator whose clock says 2026-11-20T08:00:00Z (a Friday), and Ana's access token.
pub struct World {
    pub simulator: MicrosoftSimulator,
    pub http: reqwest::Client,
    pub token: String,
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    /// `error.code`, or the OAuth `error` with its AADSTS code.
    pub fn reason(&self) -> String {
        let error = &self.body["error"];
        match error["code"].as_str() {
            Some(code) => code.to_owned(),
            None => format!("{} {}", error.as_str().unwrap_or_default(), self.body["error_codes"][0]),
        }
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.body);
        self.body
    }

    #[track_caller]
    pub fn is(self, status: u16) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
    }

    #[track_caller]
    pub fn refused(self, status: u16, reason: &str) {
        assert_eq!((self.status.as_u16(), self.reason().as_str()), (status, reason), "{}", self.body);
    }
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(MicrosoftOptions::default()).await
    }

    pub async fn start_with(options: MicrosoftOptions) -> Self {
        let simulator = MicrosoftSimulator::start(options).await.expect("the simulator starts");
        simulator.clock().set("2026-11-20T08:00:00Z".parse().expect("an instant"));
        let tokens = simulator.issue_tokens(ANA, &SCOPES).expect("Ana exists");
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { simulator, http, token: tokens.access_token }
    }

    /// The token of another account from now on.
    pub fn sign_in(&mut self, email: &str) {
        self.token = self.simulator.issue_tokens(email, &SCOPES).expect("the account exists").access_token;
    }

    /// A request with the token to a path under `/v1.0`, or to a whole link.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let address = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/v1.0{path}", self.simulator.base_url())
        };
        self.http.request(method, address).bearer_auth(&self.token)
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await.expect("a body");
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// A GET with a `Prefer` header.
    pub async fn get_preferring(&self, path: &str, prefer: &str) -> Answer {
        self.send(self.request(Method::GET, path).header("prefer", prefer)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.http.request(method, format!("{}/control{path}", self.simulator.base_url()));
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request).await
    }

    /// Creates an event in Ana's default calendar and returns it.
    pub async fn create(&self, event: Value) -> Value {
        self.post("/me/events", event).await.ok()
    }

    /// A request to the token endpoint of a tenant, as the demo application.
    pub async fn token(&self, tenant: &str, form: &[(&str, &str)]) -> Answer {
        let credentials = [("client_id", "cupo-demo"), ("client_secret", "cupo-demo-secret")];
        self.token_as(tenant, &credentials.iter().chain(form).copied().collect::<Vec<_>>()).await
    }

    /// A request to the token endpoint with exactly these fields.
    pub async fn token_as(&self, tenant: &str, form: &[(&str, &str)]) -> Answer {
        let address = format!("{}/{tenant}/oauth2/v2.0/token", self.simulator.base_url());
        self.send(self.http.post(address).form(form)).await
    }
}

/// An event from `start` to `end`, wall-clock times of UTC.
pub fn event(subject: &str, start: &str, end: &str) -> Value {
    in_zone(subject, start, end, "UTC")
}

/// An event from `start` to `end`, wall-clock times of `zone`.
pub fn in_zone(subject: &str, start: &str, end: &str, zone: &str) -> Value {
    json!({
        "subject": subject,
        "start": { "dateTime": start, "timeZone": zone },
        "end": { "dateTime": end, "timeZone": zone },
    })
}

/// An hour in the morning of Monday, 2026-11-23.
pub fn intro() -> Value {
    event("Intro", "2026-11-23T09:00:00", "2026-11-23T10:00:00")
}

/// `event` with other members.
pub fn with(mut event: Value, members: Value) -> Value {
    for (name, value) in members.as_object().expect("members").clone() {
        event[name] = value;
    }
    event
}

/// An attendee of a request.
pub fn guest(address: &str) -> Value {
    json!({ "emailAddress": { "address": address }, "type": "required" })
}

/// A member of every event of a list.
pub fn all<'a>(list: &'a Value, member: &str) -> Vec<&'a str> {
    let items = list["value"].as_array().expect("a list");
    items.iter().map(|item| item[member].as_str().unwrap_or("nothing")).collect()
}

/// An id, ready for a path.
pub fn id(resource: &Value) -> String {
    url::form_urlencoded::byte_serialize(resource["id"].as_str().expect("an id").as_bytes()).collect()
}

impl Drop for World {
    #[expect(clippy::print_stdout, reason = "a check that is left out is told")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let Some(contract) = MicrosoftContract::load() else {
            println!("contract check left out: the description of Graph is not there (set CUPO_CONTRACT_DIR)");
            return;
        };
        for exchange in &self.simulator.exchanges() {
            let (method, path) = (exchange.method.as_str(), exchange.path.as_str());
            let (body, answer) = (exchange.body.as_ref(), exchange.answer.as_ref());
            if path.ends_with("/oauth2/v2.0/token") {
                let answer = answer.expect("the token endpoint answers JSON");
                assert_eq!(contract.validate_token_answer(exchange.status, answer), Ok(()), "{answer}");
            } else if path.starts_with("/v1.0/") && path != "/v1.0/$batch" {
                let checked = contract.validate_answer(method, path, exchange.status, answer);
                assert_eq!(checked, Ok(()), "the answer to {method} {path}: {answer:?}");
                let sent =
                    if exchange.query.is_empty() { path.to_owned() } else { format!("{path}?{}", exchange.query) };
                if exchange.status < 300 && !is_http_webhook(body) {
                    let request = contract.validate_request(method, &sent, body);
                    assert_eq!(request, Ok(()), "a request that was accepted: {method} {sent} {body:?}");
                }
            }
        }
        for delivery in self.simulator.deliveries() {
            assert_eq!(contract.validate_notification(&delivery.body), Ok(()), "{}", delivery.body);
        }
    }
}

/// Webhooks of tests have no certificate; the contract wants one.
fn is_http_webhook(body: Option<&Value>) -> bool {
    body.is_some_and(|body| body["notificationUrl"].as_str().is_some_and(|address| address.starts_with("http://")))
}
