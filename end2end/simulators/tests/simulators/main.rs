//! The behaviour of the simulators, over real sockets. Every answer of the simulated Google during these tests is
//! checked against the official discovery document (see `world::World`'s `Drop`).

mod channels;
mod client_round;
mod control;
mod events;
mod faults;
mod freebusy;
mod mail;
mod oauth;
mod program;
mod recurrence;
mod site;
mod sync;
mod world;
