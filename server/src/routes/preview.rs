//! `/dashboard/embed/preview`: the page in the frame of the dashboard's embed page.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cupo_app::public::render_preview_page;

use crate::session::SignedIn;
use crate::state::AppState;
use crate::{language, pages};

pub fn router() -> Router<AppState> {
    Router::new().route("/dashboard/embed/preview", get(show))
}

async fn show(State(state): State<AppState>, SignedIn(_): SignedIn, uri: Uri, headers: HeaderMap) -> Response {
    let query = Query::try_from_uri(&uri).map(|Query(query)| query).unwrap_or_default();
    let mut bytes = [0; 18];
    state.random.fill(&mut bytes);
    let nonce = URL_SAFE_NO_PAD.encode(bytes);
    let context = pages::context(&state, language::tag_of_request(&headers, &uri));
    let mut response = Html(render_preview_page(&context, &query, &nonce)).into_response();
    let policy = format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    );
    let policy = HeaderValue::from_str(&policy).expect("a nonce is visible ASCII");
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
