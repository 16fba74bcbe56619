//! Answers that are HTML documents of the visitor's pages.

use std::fmt::Write as _;

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use cupo_app::public::{PublicContext, render_message_page};
use cupo_core::parse::Origin;
use cupo_core::text::LanguageTag;

use crate::state::AppState;

/// What every visitor's page needs.
#[must_use]
pub fn context(state: &AppState, language: LanguageTag) -> PublicContext {
    PublicContext { language, assets: state.shell_assets.clone(), now: state.clock.now() }
}

/// A page that says one thing.
#[must_use]
pub fn message(state: &AppState, language: LanguageTag, status: StatusCode, sentence: &str) -> Response {
    let page = render_message_page(&context(state, language), status.as_u16(), sentence);
    document(status, page, &[])
}

/// A visitor's page, which the sites of its organization may show in a frame.
#[must_use]
pub fn document(status: StatusCode, html: String, framed_by: &[Origin]) -> Response {
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy(framed_by));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The widget inside the page needs its script, its WebAssembly and the embed API; the page itself has no inline script.
fn policy(framed_by: &[Origin]) -> HeaderValue {
    let mut policy = String::from(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:; object-src 'none'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
    );
    for origin in framed_by {
        write!(policy, " {origin}").expect("writing to a string does not fail");
    }
    HeaderValue::from_str(&policy).expect("an origin is visible ASCII")
}
