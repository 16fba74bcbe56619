//! The adapters against running servers: the Google simulator, and servers that misbehave.

mod google_calendar;
mod google_faults;
mod google_oauth;
mod transport;
mod world;
