//! Assets, the widget's loader, and what browsers and robots look for at fixed places.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cupo_app::public::{FRAME_SCRIPT, FRAME_SCRIPT_PATH, MEETING_LINK_SCRIPT, MEETING_LINK_SCRIPT_PATH};

use crate::assets::Freshness;
use crate::problem::{Kind, Outcome};
use crate::state::AppState;

const FAVICON: &str = include_str!("favicon.svg");
/// Booking pages may be found; secret links, the dashboard and the machinery need not be.
const ROBOTS: &str = "User-agent: *\nDisallow: /dashboard\nDisallow: /manage/\nDisallow: /embed/\nDisallow: /oauth/\n";

const LOADER: &str = "/embed.js";
const TYPES: &str = "/embed.d.ts";
const FAVICONS: [&str; 2] = ["/favicon.ico", "/favicon.svg"];
const ROBOTS_PATH: &str = "/robots.txt";
/// The files that lie at the root.
pub const FILES: [&str; 7] =
    [LOADER, TYPES, MEETING_LINK_SCRIPT_PATH, FRAME_SCRIPT_PATH, FAVICONS[0], FAVICONS[1], ROBOTS_PATH];

pub fn router() -> Router<AppState> {
    Router::new()
        .route(LOADER, get(loader))
        .route(TYPES, get(types))
        .route("/assets/{*path}", get(asset))
        .route(MEETING_LINK_SCRIPT_PATH, get(async || script(MEETING_LINK_SCRIPT)))
        .route(FRAME_SCRIPT_PATH, get(async || script(FRAME_SCRIPT)))
        .route(FAVICONS[0], get(favicon))
        .route(FAVICONS[1], get(favicon))
        .route(ROBOTS_PATH, get(ROBOTS))
}

async fn loader(State(state): State<AppState>, headers: HeaderMap) -> Outcome<Response> {
    let found = state.assets.respond("embed.js", Freshness::Short, &headers);
    found.ok_or_else(|| Kind::UnknownAddress.into())
}

async fn types(State(state): State<AppState>, headers: HeaderMap) -> Outcome<Response> {
    let found = state.assets.respond("embed.d.ts", Freshness::Short, &headers);
    found.ok_or_else(|| Kind::UnknownAddress.into())
}

async fn asset(State(state): State<AppState>, Path(path): Path<String>, headers: HeaderMap) -> Outcome<Response> {
    let found = state.assets.respond(&path, Freshness::Immutable, &headers);
    found.ok_or_else(|| Kind::UnknownAddress.into())
}

async fn favicon() -> impl IntoResponse {
    ([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "public, max-age=86400")], FAVICON)
}

fn script(text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript"), (CACHE_CONTROL, "public, max-age=3600")], text)
}
