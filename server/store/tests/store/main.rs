//! The contract of the store: every test runs on SQLite, in a file of its own, and on PostgreSQL, in a database of its
//! own, when `CUPO_TEST_POSTGRES_URL` names a server whose user may create databases. Without it the PostgreSQL half of
//! each test says that it was left out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

mod accounts;
mod announcements;
mod appointments;
mod availability;
mod booking_links;
mod claims;
mod connection;
mod copying;
mod credentials;
mod dialect;
mod event_types;
mod history;
mod holds;
mod jobs;
mod leases;
mod migration;
mod one_file;
mod operator_alerts;
mod other_tenants;
mod people;
mod reconcile;
mod redaction;
mod requests;
mod schedules;
mod schema;
mod seats;
mod subscriptions;
mod tenancy;
