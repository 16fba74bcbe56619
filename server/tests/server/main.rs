//! A real server on a real socket, with SQLite, the Google simulator and the mail sink, in one process.

#![expect(clippy::unwrap_used, reason = "a broken world ends its test")]

mod api;
mod bad_input;
mod booking;
mod booking_rules;
mod budgets;
mod calendars;
mod configuration;
mod counting_server;
mod cross_origin;
mod doctor;
mod logs;
mod microsoft;
mod oauth;
mod operations;
mod pages;
mod private_addresses;
mod seed_demo;
mod selftest;
mod series;
mod sessions;
mod tenancy;
mod visitor_pages;
mod webhooks;
mod world;
