//! The booking widget: a custom element's shadow root in which a visitor picks a slot, gives a few details and books.
//!
//! [`state`] is a pure reducer that knows nothing of a browser; everything that decides is in it and tested natively.
//! Behind the feature `csr` stand the view, thin, and the effects, which `loader.js` helps to bring about.

pub mod calendar;
pub mod json;
pub mod model;
pub mod node;
pub mod request;
pub mod state;
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
