//! A whole world in one call.

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, Utc};
use cupo_engine::{EventTypeInput, Principal};
use cupo_server::commands::{Demo, SeedOptions, seed};
use cupo_server::config::Config;
use cupo_server::{Running, Server};
use cupo_simulators::google::{DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, GoogleOptions, GoogleSimulator};
use cupo_simulators::mail::MailSink;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

/// The site that embeds the demo's widget.
pub const SITE: &str = "https://studio.example";
/// A site that nobody has named.
pub const FOREIGN: &str = "https://foreign.example";
const PATIENCE: Duration = Duration::from_secs(20);

pub struct World {
    pub server: Running,
    pub google: GoogleSimulator,
    pub mail: MailSink,
    pub demo: Demo,
    pub config: Config,
    pub client: Client,
}

impl World {
    /// The demo organization with Ana's account connected, and no rate limits.
    pub async fn start() -> Self {
        Self::configured(configuration).await
    }

    /// As [`World::start`] with another configuration, of Google's address, the mail server's port and the section `limits`.
    pub async fn configured(write: impl FnOnce(&str, u16, &str) -> String) -> Self {
        let rates = ["sign_in", "bookings", "holds", "slots", "webhooks", "pages", "site_checks"];
        let lifted: String = rates.iter().map(|rate| format!("{rate}_per_minute = 0\n")).collect();
        Self::made(&lifted, write).await
    }

    /// As [`World::start`] with these lines in the section `limits`.
    pub async fn with_limits(limits: &str) -> Self {
        Self::made(limits, configuration).await
    }

    async fn made(limits: &str, write: impl FnOnce(&str, u16, &str) -> String) -> Self {
        let google = GoogleSimulator::start(GoogleOptions::default()).await.unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let mail = MailSink::start(any, any).await.unwrap();
        let config = Config::from_toml(&write(&google.base_url(), mail.smtp_address().port(), limits)).unwrap();
        let server = Server::start(config.clone()).await.unwrap();
        let options = SeedOptions { site_origin: SITE.to_owned(), simulator: Some(google.base_url().parse().unwrap()) };
        let demo = seed(&server.engine, &config, &options).await.unwrap();
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { server, google, mail, demo, config, client }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.base_url)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    /// As a browser asks for a page.
    pub async fn browse(&self, path: &str) -> Response {
        self.client.get(self.url(path)).header("accept", "text/html").send().await.unwrap()
    }

    /// Waits until no job is due and nothing is asked of the simulator any more.
    pub async fn settle(&self) {
        let mut asked = usize::MAX;
        self.until("quiet", async || {
            let ran = self.server.engine.run_due_jobs().await.unwrap();
            let before = std::mem::replace(&mut asked, self.google.exchanges().len());
            tokio::time::sleep(Duration::from_millis(300)).await;
            (ran == 0 && before == self.google.exchanges().len()).then_some(())
        })
        .await;
    }

    /// The offered starts of the demo's `intro` over the next four weeks.
    pub async fn slots(&self) -> Vec<DateTime<Utc>> {
        self.slots_of("intro", "").await
    }

    /// The offered starts of an event type of the demo over the next four weeks; `more` is added to the query.
    pub async fn slots_of(&self, event: &str, more: &str) -> Vec<DateTime<Utc>> {
        let path = slots_path(event, today(), today() + Days::new(28));
        // Before a calendar was read for the first time its provider is asked, and on a busy machine too slow for visitors.
        let answer = self
            .until("an answer of slots", async || {
                let answer = self.get(&format!("{path}{more}")).await;
                (answer.status() != StatusCode::SERVICE_UNAVAILABLE).then_some(answer)
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
        starts(&answer.json::<Value>().await.unwrap()["slots"])
    }

    pub async fn book(&self, key: &str, body: &Value) -> Response {
        self.client
            .post(self.url("/embed/v1/appointments"))
            .header("idempotency-key", key)
            .json(body)
            .send()
            .await
            .unwrap()
    }

    /// An appointment at the first offered start.
    pub async fn booked(&self) -> Value {
        let start = self.slots().await[0];
        let answer = self.book("a-key-of-this-world", &booking(start)).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json().await.unwrap()
    }

    /// As [`World::booked`], of any event type of the demo and with more fields.
    pub async fn booked_with(&self, key: &str, event: &str, start: DateTime<Utc>, more: Value) -> Value {
        let answer = self.book(key, &booking_of(event, start, more)).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json().await.unwrap()
    }

    /// Ana, as the use cases know her.
    pub async fn ana(&self) -> Principal {
        self.server.engine.sign_in("ana@example.com", &self.demo.password).await.unwrap().principal
    }

    /// Makes an event type of Ana's at an address of its own, by her default schedule, and gives its id.
    pub async fn offer(&self, slug: &str, input: EventTypeInput) -> String {
        let (title, slug) = (slug.to_owned(), slug.to_owned());
        let (location_kind, location_detail) = ("address".to_owned(), "Calle Mayor 1".to_owned());
        let input = EventTypeInput { title, slug, location_kind, location_detail, ..input };
        let made = self.server.engine.event_type_save(&self.ana().await, None, input).await.unwrap();
        made.id.to_string()
    }

    /// Asks the API for hosts as whoever has the cookie.
    pub async fn ask(&self, cookie: &str, path: &str) -> Response {
        self.client.get(self.url(path)).header("cookie", cookie).send().await.unwrap()
    }

    /// Sends JSON to the API for hosts, as Cupo's own pages do.
    pub async fn send(&self, cookie: &str, path: &str, body: &Value) -> Response {
        let request = self.client.post(self.url(path)).header("cookie", cookie);
        request.header("origin", &self.server.base_url).json(body).send().await.unwrap()
    }

    /// The id of an event type of whoever has the cookie.
    pub async fn event_type_id(&self, cookie: &str, slug: &str) -> String {
        let listed: Value = self.ask(cookie, "/api/v1/event-types").await.json().await.unwrap();
        let listed = listed["event_types"].as_array().unwrap();
        let found = listed.iter().find(|event_type| event_type["slug"] == slug).unwrap();
        found["id"].as_str().unwrap().to_owned()
    }

    /// The events of Ana's calendar that stand.
    pub fn events(&self) -> Vec<Value> {
        let events = self.google.events("ana@example.com").unwrap();
        events.into_iter().filter(|event| event["status"] != "cancelled").collect()
    }

    /// Waits until a question is answered with something.
    pub async fn until<T>(&self, what: &str, mut question: impl AsyncFnMut() -> Option<T>) -> T {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(answer) = question().await {
                return answer;
            }
            assert!(tokio::time::Instant::now() < deadline, "{what} did not come");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A form of the dashboard, sent as a browser without JavaScript sends it from Cupo's own page.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.client
            .post(self.url(path))
            .header("origin", &self.server.base_url)
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
            .send()
            .await
            .unwrap()
    }

    /// Signs Ana in and gives her `Cookie` header.
    pub async fn sign_in(&self) -> String {
        let answer = self.form("/dashboard/api/sign_in", &sign_in_fields(&self.demo.password)).await;
        let cookie = set_cookie(&answer).expect("signing in sets the session's cookie");
        cookie.split(';').next().unwrap().to_owned()
    }
}

pub fn configuration(google: &str, smtp_port: u16, limits: &str) -> String {
    format!(
        r#"
listen = "127.0.0.1:0"
[database]
url = "sqlite::memory:"
[secrets]
encryption_keys = ["k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]
session_secret = "a session secret of more than 32 characters"
[google]
client_id = "{DEMO_CLIENT_ID}"
client_secret = "{DEMO_CLIENT_SECRET}"
auth_url = "{google}/o/oauth2/v2/auth"
token_url = "{google}/token"
revoke_url = "{google}/revoke"
api_url = "{google}"
[smtp]
host = "127.0.0.1"
port = {smtp_port}
tls = "none"
from = "Cupo <cupo@example.com>"
[limits]
{limits}
"#
    )
}

/// As [`configuration`], with a simulated Microsoft.
pub fn configuration_with_microsoft(google: &str, microsoft: &str, smtp_port: u16, limits: &str) -> String {
    let id = cupo_simulators::microsoft::DEMO_CLIENT_ID;
    let secret = cupo_simulators::microsoft::DEMO_CLIENT_SECRET;
    let basics = configuration(google, smtp_port, limits);
    format!(
        r#"{basics}
[microsoft]
client_id = "{id}"
client_secret = "{secret}"
login_url = "{microsoft}"
graph_url = "{microsoft}"
"#
    )
}

pub fn sign_in_fields(password: &str) -> [(&'static str, &str); 2] {
    [("form[email]", "ana@example.com"), ("form[password]", password)]
}

pub fn set_cookie(answer: &Response) -> Option<String> {
    let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|it| it.to_str().ok());
    cookies.map(str::to_owned).find(|it| it.starts_with("cupo_session="))
}

pub fn slots_path(event: &str, from: NaiveDate, to: NaiveDate) -> String {
    format!("/embed/v1/slots?org=demo&event={event}&from={from}&to={to}")
}

#[expect(clippy::disallowed_methods, reason = "the server of these tests runs by the machine's clock")]
pub fn today() -> NaiveDate {
    Utc::now().date_naive()
}

pub fn starts(slots: &Value) -> Vec<DateTime<Utc>> {
    slots.as_array().expect("slots are a list").iter().map(|it| it.as_str().unwrap().parse().unwrap()).collect()
}

pub fn booking(start: DateTime<Utc>) -> Value {
    json!({
        "org": "demo",
        "event": "intro",
        "start": start,
        "name": "Vera Visitor",
        "email": "vera@example.com",
        "time_zone": "Europe/Madrid",
        "locale": "en",
    })
}

/// As [`booking`], of any event type of the demo and with more fields.
pub fn booking_of(event: &str, start: DateTime<Utc>, more: Value) -> Value {
    let mut body = booking(start);
    body["event"] = json!(event);
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// The names of the refused fields of a problem.
pub fn refused_fields(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().into_iter().flatten().map(|error| error["field"].as_str().unwrap()).collect()
}

/// Asserts that an answer is a problem of this status and code, and gives its body.
pub async fn problem(answer: Response, status: u16, code: &str) -> Value {
    let told = (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap().to_owned());
    let body: Value = answer.json().await.unwrap();
    assert_eq!((told.0, body["code"].as_str()), (status, Some(code)), "{body}");
    assert_eq!(told.1, "application/problem+json");
    assert_eq!(body["status"], status);
    assert_eq!(body["type"], format!("urn:cupo:problem:{code}"));
    body
}
