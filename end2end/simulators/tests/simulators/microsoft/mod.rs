//! The behaviour of the simulated Microsoft. Every answer during these tests, and every request that was accepted, is
//! checked against Microsoft's own description of Graph (see `world::World`'s `Drop`).

mod applications;
mod attendance;
mod batch;
mod calendars;
mod claims;
mod control;
mod delta;
mod events;
mod faults;
mod meetings;
mod schedule;
mod series;
mod sign_in;
mod subscriptions;
mod throttle;
mod tls;
mod tokens;
mod view;
mod world;
