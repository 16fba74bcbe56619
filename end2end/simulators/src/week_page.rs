//! The page for people that every simulated calendar has: a week by hand. Only its words differ.

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::html::escape;

/// What differs from calendar to calendar.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The page's title.
    pub title: &'static str,
    /// The member of an event that the API calls its title.
    pub title_member: &'static str,
    /// What its online meetings are called.
    pub meeting: &'static str,
}

/// The page's style and script.
pub fn assets<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/week.css", get(|| async { asset("text/css", include_str!("page/week.css")) }))
        .route("/week.js", get(|| async { asset("text/javascript", include_str!("page/week.js")) }))
}

/// The page.
pub fn page(words: &Words) -> String {
    include_str!("page/week.html")
        .replace("{title}", &escape(words.title))
        .replace("{title_member}", &escape(words.title_member))
        .replace("{meeting}", &escape(words.meeting))
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, format!("{kind}; charset=utf-8")), (CACHE_CONTROL, "no-cache".to_owned())], text)
}
