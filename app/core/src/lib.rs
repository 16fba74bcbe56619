//! The pure domain of Cupo: what an appointment is, when a host is free, which slots that leaves.
//!
//! Nothing here does I/O, reads a clock or draws a random number: the present moment is always a parameter, and ids
//! arrive from outside. The same code runs in the server, in the dashboard and (without the `tz` feature) in the
//! widget's WASM.
//!
//! Conventions: an instant is a [`chrono::DateTime<chrono::Utc>`]; a local time is naive and travels with its zone; an
//! [`interval::Interval`] is half-open, `[start, end)`.

pub mod appointment;
#[cfg(feature = "tz")]
pub mod availability;
#[cfg(feature = "dates")]
pub mod dates;
pub mod event_type;
pub mod ids;
pub mod interval;
#[cfg(feature = "text")]
pub mod language;
pub mod parse;
pub mod phone;
pub mod question;
#[cfg(feature = "tz")]
pub mod recurrence;
pub mod schedule;
mod shown;
#[cfg(feature = "tz")]
pub mod slots;
#[cfg(feature = "text")]
pub mod text;
#[cfg(feature = "serde")]
pub mod theme;
pub mod tracking;
#[cfg(feature = "serde")]
pub mod wire;
#[cfg(feature = "tz")]
pub mod zone;
