//! The booking widget: a custom element's shadow root in which a visitor picks a slot, gives a few details and books.
//!
//! [`state`] is a pure reducer that decides everything, [`view`] a pure function from its state to [`node`]s; both know
//! nothing of a browser and are tested natively. Behind the feature `csr` stand the few parts that do: `gesture` turns
//! events into actions, `render` puts nodes into the page, `widget` holds the state and brings effects about. Behind `ssr`
//! stand `first_view` and `html`, by which the server writes what is seen first. `loader.js` fetches it all.
//! `widget/docs/widget.md` tells what a site and a builder need to know.

pub mod calendar;
#[cfg(any(test, feature = "ssr"))]
pub mod first_view;
pub mod form;
#[cfg(any(test, feature = "ssr"))]
pub mod html;
pub mod json;
pub mod model;
pub mod node;
pub mod request;
pub mod state;
mod strings;
pub mod view;
pub mod zone;

#[cfg(feature = "csr")]
mod browser;
#[cfg(feature = "csr")]
mod gesture;
#[cfg(feature = "csr")]
mod render;
#[cfg(feature = "csr")]
mod widget;

#[cfg(test)]
mod texts;

/// The standard library's takes several times the code.
#[cfg(all(feature = "csr", target_arch = "wasm32"))]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
