//! The adapters against running servers: the Google simulator, and servers that misbehave.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod feed;
mod google_calendar;
mod google_faults;
mod google_oauth;
mod transport;
mod world;
