//! The product as browsers and widgets meet it: over HTTP, at any of its servers.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, NaiveDate, Utc};
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::plan::Dice;

/// The organization of the run.
pub const ORGANIZATION: &str = "chaos";
/// Nobody is as patient; so a request without an answer has met a dead server, and can have no effect any more.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a person waits before asking again.
const AGAIN: Duration = Duration::from_millis(300);

/// The servers of an installation.
#[derive(Debug)]
pub struct Product {
    client: Client,
    /// Where each server listens.
    servers: Vec<String>,
}

/// The answer to a booking.
#[derive(Debug)]
pub enum Told {
    /// The secret of the visitor's link.
    Yes(String),
    No(StatusCode),
}

impl Product {
    pub fn new(servers: Vec<String>) -> Result<Self> {
        let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(PATIENCE).build()?;
        Ok(Self { client, servers })
    }

    /// The address that the product is known by: that of its first server.
    pub fn public_url(&self) -> &str {
        &self.servers[0]
    }

    fn at(&self, dice: Dice, path: &str) -> String {
        let server = dice.choose(100, &self.servers).map_or("", String::as_str);
        format!("{server}{path}")
    }

    pub async fn is_ready(&self) -> bool {
        for server in &self.servers {
            let answer = self.client.get(format!("{server}/readyz")).send().await;
            if !answer.is_ok_and(|answer| answer.status().is_success()) {
                return false;
            }
        }
        true
    }

    /// A form of the dashboard, as a browser without a script sends it. Gives where it leads.
    pub async fn form(&self, cookie: &str, path: &str, fields: &[(String, String)]) -> Result<Response> {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let answer = self
            .client
            .post(format!("{}/dashboard/api/{path}", self.public_url()))
            .header("origin", self.public_url())
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", cookie)
            .body(body)
            .send()
            .await?;
        let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
        ensure!(
            answer.status().is_redirection() && !to.contains("error"),
            "the form {path} was answered {} and led to {to:?}",
            answer.status()
        );
        Ok(answer)
    }

    /// Signs somebody in, or up, and gives their cookie.
    pub async fn enter(&self, path: &str, fields: &[(String, String)]) -> Result<String> {
        let answer = self.form("", path, fields).await?;
        let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
        let session = cookies.map(str::to_owned).find(|cookie| cookie.starts_with("cupo_session="));
        let session = session.context("no session was begun")?;
        Ok(session.split(';').next().unwrap_or_default().to_owned())
    }

    /// Connects an account, or signs it in again: there, through the provider's pages, and back.
    pub async fn consent(&self, cookie: &str, provider: &str, account: &str, dice: Dice) -> Result<()> {
        let start = self.at(dice, &format!("/oauth/{provider}/start"));
        let mut page: Url = self.led(self.client.get(start).header("cookie", cookie)).await?.parse()?;
        let scopes: Vec<String> = page
            .query_pairs()
            .find_map(|(name, value)| (name == "scope").then(|| value.into_owned()))
            .map(|scopes| scopes.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default();
        let request = page.query().unwrap_or_default().to_owned();
        let mut fields = vec![("account", account), ("request", &request), ("decision", "allow")];
        fields.extend(scopes.iter().map(|scope| ("scope", scope.as_str())));
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        page.set_path(&format!("{}/consent", page.path()));
        page.set_query(None);
        let consented = self.client.post(page).header("content-type", "application/x-www-form-urlencoded").body(body);
        let back: Url = self.led(consented).await?.parse()?;
        let path = format!("{}?{}", back.path(), back.query().unwrap_or_default());
        let end = self.led(self.client.get(self.at(dice, &path)).header("cookie", cookie)).await?;
        ensure!(end.contains("notice=connected"), "connecting {account} ended at {end}");
        Ok(())
    }

    async fn led(&self, request: reqwest::RequestBuilder) -> Result<String> {
        let answer = request.send().await?;
        let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
        to.map(str::to_owned).with_context(|| format!("{} leads nowhere", answer.status()))
    }

    /// The starts on offer. Empty where there is no answer.
    pub async fn slots(&self, event: &str, from: NaiveDate, to: NaiveDate, dice: Dice) -> Vec<DateTime<Utc>> {
        #[derive(Deserialize)]
        struct Slots {
            slots: Vec<DateTime<Utc>>,
        }
        let path = format!("/embed/v1/slots?org={ORGANIZATION}&event={event}&from={from}&to={to}");
        let Ok(answer) = self.client.get(self.at(dice, &path)).send().await else { return Vec::new() };
        answer.json::<Slots>().await.map(|slots| slots.slots).unwrap_or_default()
    }

    /// Books, and asks again with the same key until there is an answer, as the widget does.
    ///
    /// # Errors
    /// When the visitor's own patience ended: then it is not known what became of it.
    pub async fn book(&self, key: &str, body: &Value, dice: Dice) -> Result<Told> {
        for attempt in 0.. {
            // Whoever got no answer may get to another server.
            let url = self.at(Dice::new(attempt ^ dice.below(1, usize::MAX) as u64), "/embed/v1/appointments");
            let request = self.client.post(url).header("idempotency-key", key).json(body);
            match read(request.send().await).await? {
                Some((StatusCode::CREATED, body)) => {
                    let token = body["token"].as_str().context("a booking has a token")?;
                    return Ok(Told::Yes(token.to_owned()));
                }
                Some((status, _)) if status.is_client_error() => return Ok(Told::No(status)),
                _ => tokio::time::sleep(AGAIN).await,
            }
        }
        bail!("a visitor asked for ever")
    }

    /// What a visitor asks of their appointment: `cancel`, `reschedule`. Repeated until there is an answer.
    pub async fn of_visitor(&self, token: &str, what: &str, body: &Value, dice: Dice) -> Result<StatusCode> {
        self.repeat(&format!("/embed/v1/appointments/{token}/{what}"), "", body, dice).await
    }

    /// What a host asks of the API of hosts, such as `appointments/{id}/confirm`.
    pub async fn of_host(&self, cookie: &str, path: &str, dice: Dice) -> Result<StatusCode> {
        self.repeat(&format!("/api/v1/{path}"), cookie, &json!({}), dice).await
    }

    async fn repeat(&self, path: &str, cookie: &str, body: &Value, dice: Dice) -> Result<StatusCode> {
        for attempt in 0.. {
            let url = self.at(Dice::new(attempt ^ dice.below(1, usize::MAX) as u64), path);
            let request = self.client.post(url).header("origin", self.public_url()).header("cookie", cookie).json(body);
            match read(request.send().await).await? {
                Some((status, _)) if status.is_success() || status.is_client_error() => return Ok(status),
                _ => tokio::time::sleep(AGAIN).await,
            }
        }
        bail!("somebody asked for ever")
    }
}

/// The status and the body; none where the connection broke. A request that its own patience ended is an error.
async fn read(answer: reqwest::Result<Response>) -> Result<Option<(StatusCode, Value)>> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if error.is_timeout() => return Err(error.into()),
        Err(_) => return Ok(None),
    };
    let status = answer.status();
    match answer.bytes().await {
        Ok(body) => Ok(Some((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))),
        // The server died while it answered: nothing was read.
        Err(error) if error.is_timeout() => Err(error.into()),
        Err(_) => Ok(None),
    }
}
