//! The engine at every clock change, compared with a slow walk that shares no code with it.

#![cfg(feature = "tz")]
#![expect(clippy::unwrap_used, reason = "in what the tests share too, a broken assumption must fail the test")]

mod engine;
mod every_zone;
mod oracle;
mod rules_of_2026;
mod world;
