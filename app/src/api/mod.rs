//! The dashboard's server functions, by area.
//!
//! Each asks for the principal first, works through one use case of the engine, and answers with texts that are ready to
//! show. A change ends in a redirect (`?notice=`), so that it works the same with and without JavaScript.

pub mod absences;
pub mod account_test;
pub mod appointments;
pub mod availability;
pub mod booking_links;
pub mod calendars;
pub mod changes;
pub mod clock_change;
pub mod connections;
pub mod credentials;
pub mod docs;
#[cfg(feature = "ssr")]
mod draft;
pub mod embed;
pub mod event_type;
pub mod event_types;
pub mod failed_jobs;
pub mod holiday_calendars;
pub mod hosts;
#[cfg(feature = "ssr")]
mod once;
pub mod overview;
pub mod rows;
pub mod schedule;
pub mod session;
pub mod sites;
pub mod why;

#[cfg(feature = "ssr")]
pub(crate) mod request;
