//! Cupo's dashboard and public pages.
//!
//! The dashboard is a Leptos application: rendered by the server (`ssr`), taken over by the browser (`hydrate`), usable
//! without the second step. The [`public`] pages of a visitor are plain HTML strings.

// Nested views make nested types; the compiler's default depth is not enough for whole pages.
#![recursion_limit = "512"]

pub mod api;
mod app;
mod browser;
#[cfg(test)]
mod catalogue_test;
pub mod context;
#[cfg(feature = "ssr")]
mod documents;
pub mod error;
mod escape;
mod pages;
mod parts;
#[cfg(feature = "ssr")]
pub mod public;
#[cfg(feature = "ssr")]
mod shell;
#[cfg(feature = "ssr")]
mod slug;
mod text;
#[cfg(feature = "ssr")]
mod time;

pub use app::App;
pub use context::{LANGUAGE_COOKIE, ShellAssets};
#[cfg(feature = "ssr")]
pub use context::{RequestContext, session_cookie};
#[cfg(feature = "ssr")]
pub use shell::{routes, shell};

/// Takes over the page that the server has rendered.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::server_fn::client::set_server_url(browser::base());
    leptos::mount::hydrate_body(App);
}
