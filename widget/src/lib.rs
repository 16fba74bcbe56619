//! The booking widget: a custom element's shadow root in which a visitor picks a slot, gives a few details and books.
//!
//! [`state`] is a pure reducer that decides everything, [`view`] a pure function from its state to [`node`]s; both know
//! nothing of a browser and are tested natively. Behind the feature `csr` stand the few parts that do: `gesture` turns
//! events into actions, `render` puts nodes into the page, `widget` holds the state as a Leptos signal and brings effects
//! about. `loader.js` fetches it all. `widget/docs/widget.md` tells what a site and a builder need to know.

pub mod calendar;
pub mod form;
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
