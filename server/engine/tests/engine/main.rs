//! The use cases against a real SQLite file, the Google simulator and the mail sink, all in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod approval;
mod booking;
mod booking_links;
mod changes;
mod channels;
mod connecting;
mod credentials;
mod elsewhere;
mod event_types;
mod failed_jobs;
mod freshness;
mod holidays;
mod hosts;
mod jobs;
mod keys;
mod mails;
mod members;
mod notifications;
mod outlook;
mod outside;
mod own_servers;
mod polling;
mod reconcile;
mod replicas;
mod rules;
mod schedules;
mod seats;
mod series;
mod site_check;
mod slots;
mod teams;
mod theme;
mod why;
mod world;
