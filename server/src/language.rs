//! The language of an answer.

use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};
use axum::http::{HeaderMap, Uri};
use cupo_core::text::Locale;

/// The language that the address or the language switch names, if any.
#[must_use]
pub fn chosen(headers: &HeaderMap, uri: &Uri) -> Option<Locale> {
    let query = uri.query().unwrap_or("");
    url::form_urlencoded::parse(query.as_bytes())
        .find_map(|(name, value)| (name == "lang").then(|| Locale::parse(&value)).flatten())
        .or_else(|| cookie(headers, cupo_app::LANGUAGE_COOKIE).and_then(Locale::parse))
}

/// The language for a reader of whom nothing else is known: chosen, or negotiated by `Accept-Language`.
#[must_use]
pub fn of_request(headers: &HeaderMap, uri: &Uri) -> Locale {
    chosen(headers, uri).unwrap_or_else(|| negotiated(headers))
}

/// The language by `Accept-Language` alone.
#[must_use]
pub fn negotiated(headers: &HeaderMap) -> Locale {
    headers.get(ACCEPT_LANGUAGE).and_then(|it| it.to_str().ok()).map(Locale::negotiate).unwrap_or_default()
}

/// The value of a cookie (RFC 6265, section 4.2); the first one where a name comes twice.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}
