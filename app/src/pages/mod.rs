//! The pages, one a file.

pub(crate) mod appointment;
pub(crate) mod appointments;
pub(crate) mod availability;
pub(crate) mod calendars;
pub(crate) mod clock_change;
pub(crate) mod connect;
pub(crate) mod credentials;
pub(crate) mod docs;
pub(crate) mod embed;
pub(crate) mod event_type;
pub(crate) mod event_types;
pub(crate) mod failed_jobs;
pub(crate) mod hosts;
pub(crate) mod landing;
pub(crate) mod not_found;
pub(crate) mod overview;
pub(crate) mod schedule;
pub(crate) mod sign_in;
pub(crate) mod sign_up;
pub(crate) mod sites;
pub(crate) mod why;
