//! Every SQL statement of Cupo, on SQLite and on PostgreSQL.
//!
//! One file per noun holds its record and its functions, named `resource_verb`. Functions take a [`Tx`] from
//! [`Store::read`] or [`Store::write`] and run the same SQL text on both databases. Business rules live in
//! `cupo-engine`; what is guarded here is what must hold under any concurrency: no two confirmed appointments of a host
//! overlap, nothing unique is doubled, and a tenant reaches its own rows only.
//!
//! Conventions:
//! - an instant is stored as microseconds since 1970 (`i64`), a duration as whole minutes, a list as JSON text, a flag
//!   as 0 or 1, an id as text;
//! - functions on a tenant's data take the `organization_id` and see no other rows. The exceptions are lookups by what
//!   only its owner knows (the hash of a secret, a channel id), by an address (slug, email), and the worker's;
//! - an update answers whether a row was changed.

mod error;
mod row;
mod store;
mod tx;

mod account;
mod appointment;
mod audit_entry;
mod busy_interval;
mod calendar;
mod event_type;
mod hold;
mod idempotency_key;
mod inbox_message;
mod job;
mod mapping;
mod membership;
mod oauth_state;
mod organization;
mod schedule;
mod session;
mod site;
mod subscription;
mod user;

pub use account::*;
pub use appointment::*;
pub use audit_entry::*;
pub use busy_interval::*;
pub use calendar::*;
pub use error::StoreError;
pub use event_type::*;
pub use hold::*;
pub use idempotency_key::*;
pub use inbox_message::*;
pub use job::*;
pub use mapping::*;
pub use membership::*;
pub use oauth_state::*;
pub use organization::*;
pub use schedule::*;
pub use session::*;
pub use site::*;
pub use store::Store;
pub use subscription::*;
pub use tx::Tx;
pub use user::*;
