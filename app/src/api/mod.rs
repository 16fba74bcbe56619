//! The dashboard's server functions, by area.
//!
//! Each asks for the principal first, works through one use case of the engine, and answers with texts that are ready to
//! show. A change ends in a redirect (`?notice=`), so that it works the same with and without JavaScript.

pub mod appointments;
pub mod availability;
pub mod calendars;
pub mod docs;
pub mod event_types;
pub mod overview;
pub mod session;
pub mod sites;

#[cfg(feature = "ssr")]
pub(crate) mod request;
