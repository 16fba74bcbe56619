//! The web site of a small business that has pasted Cupo's script tag: another origin, another hand's CSS.
//!
//! `/` and `/es` are the believable page. `/hostile`, `/two`, `/csp` and `/tag` are for browser tests. All take
//! `?event=org/slug` and `?lang=en|es`.

mod texts;

use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use self::texts::Language;
use crate::html::escape;
use crate::http_server::{BoundListener, HttpServer};

/// How the site starts.
#[derive(Debug, Clone)]
pub struct SiteOptions {
    /// Port 0 asks the system for a free one.
    pub listen: SocketAddr,
    /// Where Cupo is: what stands before `/embed.js`.
    pub cupo_url: String,
    /// The event type that the tags name, as `org/slug`.
    pub event: String,
}

/// The running site.
#[derive(Debug)]
pub struct SampleSite {
    server: HttpServer,
}

impl SampleSite {
    /// Checks the options, binds and serves.
    pub async fn start(options: SiteOptions) -> anyhow::Result<Self> {
        let cupo = url::Url::parse(&options.cupo_url).with_context(|| format!("{:?} is no URL", options.cupo_url))?;
        let event = EventName::parse(&options.event).with_context(|| format!("{:?} is no org/slug", options.event))?;
        let origin = cupo.origin().ascii_serialization();
        let site = Site { cupo: format!("{origin}{}", cupo.path().trim_end_matches('/')), origin, event };
        let router = Router::new()
            .route("/", get(business))
            .route("/es", get(business_in_spanish))
            .route("/hostile", get(hostile))
            .route("/two", get(two))
            .route("/csp", get(strict_policy))
            .route("/tag", get(tag_alone))
            .route("/site.css", get(|| async { css(include_str!("site.css")) }))
            .route("/hostile.css", get(|| async { css(include_str!("hostile.css")) }))
            .with_state(site);
        Ok(Self { server: BoundListener::bind(options.listen).await?.serve(router) })
    }

    /// The site's origin.
    pub fn base_url(&self) -> String {
        self.server.base_url()
    }

    /// Answers what is under way and ends.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

#[derive(Debug, Clone)]
struct Site {
    /// The address of Cupo without a slash at its end.
    cupo: String,
    /// The origin of that address.
    origin: String,
    event: EventName,
}

/// `org/slug`, both of lower-case letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq)]
struct EventName(String);

impl EventName {
    fn parse(text: &str) -> Option<Self> {
        let (organization, slug) = text.split_once('/')?;
        let is_slug = |part: &str| {
            (1..=63).contains(&part.len())
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        (is_slug(organization) && is_slug(slug)).then(|| Self(text.to_owned()))
    }
}

#[derive(Debug, Default, Deserialize)]
struct Choice {
    event: Option<String>,
    lang: Option<String>,
    a: Option<String>,
    b: Option<String>,
}

/// 400: what the address asks for is malformed.
struct Malformed(&'static str);

impl IntoResponse for Malformed {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, self.0).into_response()
    }
}

impl Choice {
    fn language(&self) -> Result<Option<Language>, Malformed> {
        let code = self.lang.as_deref();
        code.map(|code| Language::parse(code).ok_or(Malformed("lang must be en or es"))).transpose()
    }

    fn event(&self, site: &Site) -> Result<EventName, Malformed> {
        named(self.event.as_deref(), &site.event)
    }
}

fn named(text: Option<&str>, default: &EventName) -> Result<EventName, Malformed> {
    match text {
        Some(text) => EventName::parse(text).ok_or(Malformed("an event must be org/slug")),
        None => Ok(default.clone()),
    }
}

async fn business(State(site): State<Site>, Query(choice): Query<Choice>) -> Result<Html<String>, Malformed> {
    let language = choice.language()?.unwrap_or(Language::English);
    Ok(Html(business_page(&site, language, &element(&choice.event(&site)?))))
}

async fn business_in_spanish(
    State(site): State<Site>,
    Query(choice): Query<Choice>,
) -> Result<Html<String>, Malformed> {
    let language = choice.language()?.unwrap_or(Language::Spanish);
    Ok(Html(business_page(&site, language, &element(&choice.event(&site)?))))
}

async fn strict_policy(State(site): State<Site>, Query(choice): Query<Choice>) -> Result<Response, Malformed> {
    let page = business(State(site.clone()), Query(choice)).await?;
    let cupo = &site.origin;
    let policy = format!(
        "default-src 'self'; script-src {cupo}; connect-src {cupo}; frame-src {cupo}; \
         style-src 'self' {cupo} 'unsafe-inline'; img-src * data:"
    );
    Ok(([(CONTENT_SECURITY_POLICY, policy)], page).into_response())
}

async fn hostile(State(site): State<Site>, Query(choice): Query<Choice>) -> Result<Html<String>, Malformed> {
    let body = format!("<h1>A page with CSS that spares nothing</h1>{}", element(&choice.event(&site)?));
    Ok(Html(plain_page(&site, choice.language()?, "/hostile.css", &script(&site.cupo), &body)))
}

async fn two(State(site): State<Site>, Query(choice): Query<Choice>) -> Result<Html<String>, Malformed> {
    let first = named(choice.a.as_deref(), &site.event)?;
    let second = named(choice.b.as_deref(), &site.event)?;
    let body = format!(
        "<main class=\"plain\"><h1>Two widgets</h1><section id=\"a\">{}</section><section id=\"b\">{}</section></main>",
        element(&first),
        element(&second)
    );
    Ok(Html(plain_page(&site, choice.language()?, "/site.css", &script(&site.cupo), &body)))
}

async fn tag_alone(State(site): State<Site>, Query(choice): Query<Choice>) -> Result<Html<String>, Malformed> {
    let event = choice.event(&site)?;
    let script = format!("<script async src=\"{}/embed.js\" data-event=\"{}\"></script>", escape(&site.cupo), event.0);
    let body = format!("<main class=\"plain\"><h1>The script tag alone</h1>{script}</main>");
    Ok(Html(plain_page(&site, choice.language()?, "/site.css", "", &body)))
}

fn script(cupo: &str) -> String {
    format!("<script async src=\"{}/embed.js\"></script>", escape(cupo))
}

fn element(event: &EventName) -> String {
    format!("<cupo-booking event=\"{}\"></cupo-booking>", event.0)
}

fn plain_page(site: &Site, language: Option<Language>, style: &str, head: &str, body: &str) -> String {
    let code = language.unwrap_or(Language::English).code();
    format!(
        "<!doctype html><html lang=\"{code}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{}</title>\
         <link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"{style}\">{head}</head>\
         <body>{body}</body></html>",
        escape(&site.event.0)
    )
}

fn business_page(site: &Site, language: Language, widget: &str) -> String {
    let filled = texts::fill(include_str!("business.html"), language);
    filled.replace("{{script}}", &script(&site.cupo)).replace("{{widget}}", widget)
}

fn css(text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "no-cache")], text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_name_is_two_slugs() {
        assert!(EventName::parse("demo/intro").is_some());
        for wrong in ["demo", "demo/", "/intro", "Demo/intro", "demo/in\"tro", "a/b/c"] {
            assert_eq!(EventName::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_text_of_the_page_is_there_in_both_languages() {
        let cupo = "http://127.0.0.1:3000".to_owned();
        let site = Site { origin: cupo.clone(), cupo, event: EventName("demo/intro".to_owned()) };
        for language in [Language::English, Language::Spanish] {
            let page = business_page(&site, language, "");
            assert!(!page.contains("{{"), "a placeholder is left in {}", language.code());
        }
    }
}
