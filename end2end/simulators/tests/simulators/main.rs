//! The behaviour of the simulators, over real sockets. Every answer of the simulated Google during these tests is
//! checked against the official discovery document (see `world::World`'s `Drop`).

#![expect(clippy::unwrap_used, reason = "in the helpers too, a broken assumption must fail the test")]

mod channels;
mod client_round;
mod control;
mod event_types;
mod events;
mod faults;
mod freebusy;
mod front;
mod grants;
mod mail;
mod microsoft;
mod oauth;
mod program;
mod quota;
mod recurrence;
mod service_accounts;
mod site;
mod sync;
mod world;
