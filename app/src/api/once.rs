//! What the next page tells once, where no script can show it at once: too long, or too private, for its address.

use http::request::Parts;
use http::{HeaderValue, header};
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;

/// Keeps `value` for the next page, for a minute at most. It must have no character that a cookie could not hold.
pub(super) fn tell(name: &str, value: &str) {
    set(&format!("{name}={value}; Path=/dashboard; Max-Age=60; HttpOnly; Secure; SameSite=Strict"));
}

/// What the request before has left to tell; it is forgotten with this one.
pub(super) fn told(name: &str) -> Option<String> {
    let parts = use_context::<Parts>()?;
    let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let value = cookies
        .flat_map(|cookies| cookies.split("; "))
        .find_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='))?
        .to_owned();
    set(&format!("{name}=; Path=/dashboard; Max-Age=0; HttpOnly; Secure; SameSite=Strict"));
    Some(value)
}

fn set(cookie: &str) {
    match HeaderValue::from_str(cookie) {
        Ok(value) => expect_context::<ResponseOptions>().append_header(header::SET_COOKIE, value),
        Err(error) => tracing::error!(%error, "what was to be told once fits in no cookie"),
    }
}
