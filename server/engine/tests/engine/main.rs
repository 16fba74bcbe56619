//! The use cases against a real SQLite file, the Google simulator and the mail sink, all in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod approval;
mod booking;
mod booking_links;
mod changes;
mod connecting;
mod credentials;
mod elsewhere;
mod event_types;
mod holidays;
mod hosts;
mod mails;
mod members;
mod outlook;
mod own_servers;
mod rules;
mod schedules;
mod seats;
mod series;
mod slots;
mod teams;
mod why;
mod world;
