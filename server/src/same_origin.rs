//! Guards everything that a browser does with a cookie against forms of other sites.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{Failure, Kind};
use crate::state::AppState;

/// Refuses unsafe methods unless the browser says that the page is Cupo's own.
pub async fn check(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_same_origin(request.headers(), &state.public_origin) {
        next.run(request).await
    } else {
        Failure::from(Kind::CrossSite).into_response()
    }
}

/// `Sec-Fetch-Site` cannot be set by a page, and holds under any name by which Cupo is reached; where a browser does not
/// send it, `Origin` decides. A request with neither comes from no browser that could hold a session.
fn is_same_origin(headers: &HeaderMap, public_origin: &str) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => headers.get(ORIGIN).is_some_and(|origin| origin == public_origin),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_the_own_origin_counts_as_the_same() {
        let own = "https://book.example.com";
        for (site, origin, same) in [
            (Some("same-origin"), Some(own), true),
            (Some("same-origin"), None, true),
            (Some("same-site"), Some(own), false),
            (Some("cross-site"), Some("https://evil.example"), false),
            (Some("none"), None, false),
            (None, Some(own), true),
            (None, Some("null"), false),
            (None, Some("https://book.example.com.evil.example"), false),
            (None, None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(site) = site {
                headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(is_same_origin(&headers, own), same, "{site:?} {origin:?}");
        }
    }
}
