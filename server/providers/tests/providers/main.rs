//! The adapters against running servers: the Google simulator, a CalDAV server, and servers that misbehave.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod caldav_discovery;
mod caldav_habits;
mod caldav_radicale;
mod caldav_server;
mod conformance;
mod feed;
mod fuzz;
mod google_calendar;
mod google_faults;
mod google_oauth;
mod google_service_account;
mod ics_feed;
mod microsoft_calendar;
mod microsoft_faults;
mod microsoft_oauth;
mod microsoft_receiver;
mod microsoft_scripted;
mod microsoft_world;
mod radicale;
mod redaction;
mod transport;
mod transport_limits;
mod world;
