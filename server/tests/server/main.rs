//! A real server on a real socket, with SQLite, the Google simulator and the mail sink, in one process.

#![expect(clippy::unwrap_used, reason = "a broken world ends its test")]

mod api;
mod bad_input;
mod booking;
mod booking_rules;
mod budgets;
mod caldav_stand_in;
mod calendars;
mod commands;
mod configuration;
mod counting_server;
mod cross_origin;
mod debug_output;
mod doctor;
mod failed_jobs;
mod first;
mod installation;
mod key_rotation;
mod languages;
mod microsoft;
mod moving;
mod oauth;
mod one_file;
mod operations;
mod pages;
mod private_addresses;
mod reconcile;
mod replicas;
mod secrets;
mod security_document;
mod seed_demo;
mod selftest;
mod series;
mod sessions;
mod site_checks;
mod sources;
mod tenancy;
mod time_limit;
mod visitor_pages;
mod webhooks;
mod worker;
mod world;
