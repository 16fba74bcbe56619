//! A whole world in one call.

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, Utc};
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
        let rates = ["sign_in", "bookings", "holds", "slots", "webhooks", "pages"];
        let lifted: String = rates.iter().map(|rate| format!("{rate}_per_minute = 0\n")).collect();
        Self::with_limits(&lifted).await
    }

    /// As [`World::start`] with these lines in the section `limits`.
    pub async fn with_limits(limits: &str) -> Self {
        let google = GoogleSimulator::start(GoogleOptions::default()).await.unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let mail = MailSink::start(any, any).await.unwrap();
        let config = Config::from_toml(&configuration(&google.base_url(), mail.smtp_address().port(), limits)).unwrap();
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
        let answer = self.get(&slots_path("intro", today(), today() + Days::new(28))).await;
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
