//! Cupo below a path: `public_url = "https://example.com/cupo"`.
//!
//! Everything within speaks of itself from the root. Here the path is taken from what arrives, whether or not a proxy has done so
//! already, and put before what leaves: redirects, the paths of cookies, and the addresses in HTML. What a script makes of a page
//! later is seen to by the page itself ([`cupo_app::shell`]), which finds the path in the attribute `data-base` of its root.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, Entry, LOCATION, SET_COOKIE};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use cupo_engine::EngineError;
use lol_html::errors::RewritingError;
use lol_html::{RewriteStrSettings, element, rewrite_str};
use url::Url;

use crate::problem::Failure;

/// No page of Cupo comes near it.
const MOST_HTML: usize = 32 * 1024 * 1024;
/// The attributes that hold an address of Cupo's own.
const ADDRESSES: [&str; 4] = ["href", "src", "action", "formaction"];

/// The path below which Cupo is reached, without a slash at its end; empty at the root of its host.
#[must_use]
pub fn of(public_url: &Url) -> &str {
    public_url.path().trim_end_matches('/')
}

/// The application below a path. At the root it stays what it is.
pub fn below(prefix: &str, application: Router) -> Router {
    if prefix.is_empty() {
        return application;
    }
    let prefix: Arc<str> = prefix.into();
    Router::new().fallback_service(application).layer(from_fn_with_state(prefix, translate))
}

async fn translate(State(prefix): State<Arc<str>>, mut request: Request, next: Next) -> Response {
    if let Some(uri) = without(&prefix, request.uri()) {
        *request.uri_mut() = uri;
    }
    let mut response = next.run(request).await;
    if let Some(location) = response.headers().get(LOCATION).and_then(|location| with(&prefix, location)) {
        response.headers_mut().insert(LOCATION, location);
    }
    move_cookies(&prefix, response.headers_mut());
    let is_html = response.headers().get(CONTENT_TYPE).is_some_and(|it| it.as_bytes().starts_with(b"text/html"));
    if is_html { rewritten(&prefix, response).await } else { response }
}

/// The address without the path; `None` where it does not lie below it.
fn without(prefix: &str, uri: &Uri) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(prefix)?;
    let rest = match rest.as_bytes().first() {
        Some(b'/') => rest.to_owned(),
        None | Some(b'?') => format!("/{rest}"),
        Some(_) => return None,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(rest).ok()?);
    Uri::from_parts(parts).ok()
}

/// Where a redirect leads within Cupo; `None` of one that leads elsewhere.
fn with(prefix: &str, location: &HeaderValue) -> Option<HeaderValue> {
    let path = location.to_str().ok().filter(|it| is_own(it))?;
    HeaderValue::from_str(&format!("{prefix}{path}")).ok()
}

/// Brings cookies that are for a part of Cupo below the path. Those for all of the host stay: the prefix `__Host-` demands it.
fn move_cookies(prefix: &str, headers: &mut HeaderMap) {
    let Entry::Occupied(mut cookies) = headers.entry(SET_COOKIE) else { return };
    for cookie in cookies.iter_mut() {
        if let Some(moved) = cookie.to_str().ok().and_then(|cookie| moved_cookie(prefix, cookie)) {
            *cookie = moved;
        }
    }
}

fn moved_cookie(prefix: &str, cookie: &str) -> Option<HeaderValue> {
    let (before, path) = cookie.split_once("; Path=/")?;
    let is_of_a_part = !path.is_empty() && !path.starts_with(';');
    is_of_a_part.then(|| HeaderValue::from_str(&format!("{before}; Path={prefix}/{path}")).ok())?
}

/// Whether an address counts from the root of Cupo's own host.
fn is_own(address: &str) -> bool {
    address.starts_with('/') && !address.starts_with("//")
}

async fn rewritten(prefix: &str, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = match to_bytes(body, MOST_HTML).await {
        Ok(bytes) => bytes,
        Err(error) => return unwritten("reading a page", error),
    };
    let html = String::from_utf8_lossy(&bytes);
    match with_addresses(prefix, &html) {
        Ok(html) => {
            parts.headers.remove(CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(html))
        }
        Err(error) => unwritten("rewriting a page", error),
    }
}

fn unwritten(context: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> Response {
    Failure::from(EngineError::Internal { context, source: Box::new(error) }).into_response()
}

/// The page with its own addresses below the path, and the path at its root.
fn with_addresses(prefix: &str, html: &str) -> Result<String, RewritingError> {
    let settings = RewriteStrSettings {
        element_content_handlers: vec![
            element!("html", |root| {
                root.set_attribute("data-base", prefix)?;
                Ok(())
            }),
            element!("[href], [src], [action], [formaction]", |found| {
                for name in ADDRESSES {
                    if let Some(address) = found.get_attribute(name).filter(|address| is_own(address)) {
                        found.set_attribute(name, &format!("{prefix}{address}"))?;
                    }
                }
                Ok(())
            }),
        ],
        ..RewriteStrSettings::new()
    };
    rewrite_str(html, settings)
}

#[cfg(test)]
mod tests {
    use axum::response::{Html, Redirect};
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    #[test]
    fn what_lies_below_the_path_is_found_and_what_a_proxy_has_cut_off_too() {
        let cut = |address: &str| without("/cupo", &address.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(cut("/cupo/demo/intro?lang=es").as_deref(), Some("/demo/intro?lang=es"));
        assert_eq!(cut("/cupo").as_deref(), Some("/"));
        assert_eq!(cut("/cupo?lang=es").as_deref(), Some("/?lang=es"));
        assert_eq!(cut("/cupola/visit"), None);
        assert_eq!(cut("/demo/intro"), None);
    }

    #[test]
    fn redirects_within_stay_within_and_others_go_where_they_went() {
        let led = |location: &'static str| with("/cupo", &HeaderValue::from_static(location));
        assert_eq!(led("/manage/t0k?booked=1").unwrap(), "/cupo/manage/t0k?booked=1");
        assert_eq!(led("https://accounts.google.com/o"), None);
        assert_eq!(led("//elsewhere.example"), None);
    }

    #[test]
    fn a_cookie_of_a_part_moves_below_the_path_and_one_of_the_host_stays() {
        let mut headers = HeaderMap::new();
        for cookie in ["told=x; Path=/dashboard; HttpOnly", "__Host-a=b; Path=/; Secure", "c=; Path=/", "d=e; HttpOnly"]
        {
            headers.append(SET_COOKIE, HeaderValue::from_static(cookie));
        }
        move_cookies("/cupo", &mut headers);
        let set: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        assert_eq!(
            set,
            ["told=x; Path=/cupo/dashboard; HttpOnly", "__Host-a=b; Path=/; Secure", "c=; Path=/", "d=e; HttpOnly"]
        );
    }

    #[tokio::test]
    async fn an_application_below_a_path_answers_there_and_leads_there() {
        let application = Router::new()
            .route("/visit", get(async || Html("<html><a href=\"/visit\">again</a></html>")))
            .route("/old", get(async || Redirect::to("/visit")));
        let ask = async |path: &str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let answer = below("/cupo", application.clone()).oneshot(request).await.unwrap();
            let location = answer.headers().get(LOCATION).map(|it| it.to_str().unwrap().to_owned());
            let body = to_bytes(answer.into_body(), 1_000).await.unwrap();
            (location, String::from_utf8(body.to_vec()).unwrap())
        };
        let page = "<html data-base=\"/cupo\"><a href=\"/cupo/visit\">again</a></html>";
        // A proxy may take the path away, or leave it.
        assert_eq!(ask("/cupo/visit").await, (None, page.to_owned()));
        assert_eq!(ask("/visit").await, (None, page.to_owned()));
        assert_eq!(ask("/cupo/old").await.0.as_deref(), Some("/cupo/visit"));
    }

    #[test]
    fn the_addresses_of_a_page_gain_the_path_and_nothing_else_changes() {
        let page = r##"<!DOCTYPE html><html lang=en><body><a href="/cupo/intro?a=1&amp;b=2">x</a><a href="#top">y</a>
            <form method="post" action="/demo/intro"><button formaction="/sign-out">z</button></form><img src="//cdn.example/a">
            <a href="https://example.com/">href="/no"</a><script src="/embed.js"></script></body></html>"##;
        let expected = r##"<!DOCTYPE html><html lang=en data-base="/cupo"><body><a href="/cupo/cupo/intro?a=1&amp;b=2">x</a><a href="#top">y</a>
            <form method="post" action="/cupo/demo/intro"><button formaction="/cupo/sign-out">z</button></form><img src="//cdn.example/a">
            <a href="https://example.com/">href="/no"</a><script src="/cupo/embed.js"></script></body></html>"##;
        assert_eq!(with_addresses("/cupo", page).unwrap(), expected);
    }
}
