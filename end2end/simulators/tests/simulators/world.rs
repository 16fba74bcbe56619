//! A simulated Google with a client, in one call.

use cupo_simulators::contract::GoogleContract;
use cupo_simulators::google::{GoogleOptions, GoogleSimulator};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

pub const ANA: &str = "ana@example.com";
/// The scopes that Cupo asks for.
pub const SCOPES: [&str; 3] = ["calendar.events", "calendar.freebusy", "calendar.calendarlist.readonly"];

/// A simulator whose clock says 2026-11-20T08:00:00Z (a Friday), and Ana's access token.
pub struct World {
    pub simulator: GoogleSimulator,
    pub http: reqwest::Client,
    pub token: String,
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl Answer {
    /// `error.errors[0].reason`, or the OAuth `error`.
    pub fn reason(&self) -> &str {
        let error = &self.body["error"];
        error["errors"][0]["reason"].as_str().or_else(|| error.as_str()).unwrap_or("no reason given")
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.body);
        self.body
    }

    #[track_caller]
    pub fn refused(self, status: u16, reason: &str) {
        assert_eq!((self.status.as_u16(), self.reason()), (status, reason), "{}", self.body);
    }
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(GoogleOptions::default()).await
    }

    pub async fn start_with(options: GoogleOptions) -> Self {
        let simulator = GoogleSimulator::start(options).await.expect("the simulator starts");
        simulator.clock().set("2026-11-20T08:00:00Z".parse().expect("an instant"));
        let tokens = simulator.issue_tokens(ANA, &SCOPES).expect("Ana exists");
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { simulator, http, token: tokens.access_token }
    }

    /// A request with Ana's token to a path under `/calendar/v3`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let address = format!("{}/calendar/v3{path}", self.simulator.base_url());
        self.http.request(method, address).bearer_auth(&self.token)
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
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

    /// Inserts an event into Ana's calendar and returns it.
    pub async fn insert(&self, event: Value) -> Value {
        self.post("/calendars/primary/events", event).await.ok()
    }
}

/// An event from `start` to `end`, both in RFC 3339.
pub fn event(summary: &str, start: &str, end: &str) -> Value {
    json!({
        "summary": summary,
        "start": { "dateTime": start, "timeZone": "Europe/Madrid" },
        "end": { "dateTime": end, "timeZone": "Europe/Madrid" },
    })
}

/// The ids of a list.
pub fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().expect("items").iter().map(|item| item["id"].as_str().expect("an id")).collect()
}

/// Tries `check` until it holds, for two seconds.
pub async fn eventually<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    for _ in 0..200 {
        if let Some(found) = check() {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{what} did not happen within two seconds");
}

impl Drop for World {
    #[expect(clippy::print_stdout, reason = "a check that is left out is told")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let Some(contract) = GoogleContract::load() else {
            println!("contract check left out: the discovery document is not there (set CUPO_CONTRACT_DIR)");
            return;
        };
        let exchanges = self.simulator.exchanges();
        for exchange in exchanges.iter().filter(|exchange| exchange.path == "/token") {
            let answer = exchange.answer.as_ref().expect("the token endpoint answers JSON");
            assert_eq!(contract.validate_token_answer(exchange.status, answer), Ok(()), "{answer}");
            if let Some(form) = exchange.body.as_ref().filter(|_| exchange.status < 300) {
                assert_eq!(contract.validate_token_request(form), Ok(()), "a request that was accepted: {form}");
            }
        }
        for exchange in exchanges.iter().filter(|exchange| exchange.path.starts_with("/calendar/")) {
            let (method, path) = (exchange.method.as_str(), exchange.path.as_str());
            let answer = contract.validate_answer(method, path, exchange.status, exchange.answer.as_ref());
            assert_eq!(answer, Ok(()), "the answer to {method} {path}: {:?}", exchange.answer);
            if exchange.status < 300 {
                let sent =
                    if exchange.query.is_empty() { path.to_owned() } else { format!("{path}?{}", exchange.query) };
                let request = contract.validate_request(method, &sent, exchange.body.as_ref());
                assert_eq!(request, Ok(()), "a request that was accepted: {method} {sent} {:?}", exchange.body);
            }
        }
    }
}
