//! Everything HTTP of Cupo, and its command line.
//!
//! [`Server::start`] makes a whole running server of a [`config::Config`]. Rules live in `cupo-engine`; here are addresses,
//! sessions, limits and the words of HTTP. See `server/docs/http.md` for the layers and what each address promises.

// Routes of pages nest deep types.
#![recursion_limit = "512"]

pub mod assembly;
pub mod assets;
mod body;
pub mod commands;
pub mod config;
mod etag;
mod language;
mod pages;
mod prefix;
pub mod problem;
mod query;
mod rate;
mod routes;
mod same_origin;
mod security_headers;
mod server;
mod session;
mod sign_in_limit;
mod state;
pub mod telemetry;
mod time_limit;

pub use server::{Running, Server};
