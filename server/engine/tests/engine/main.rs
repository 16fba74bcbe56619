//! The use cases against a real SQLite file, the Google simulator and the mail sink, all in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod booking;
mod changes;
mod connecting;
mod hosts;
mod mails;
mod slots;
mod world;
