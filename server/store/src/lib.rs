//! Every SQL statement of Cupo, on SQLite and on PostgreSQL.
//!
//! One file per noun holds its record and its functions, named `resource_verb`. Functions take a [`Tx`] from
//! [`Store::read`] or [`Store::write`] and run the same SQL text on both databases. Business rules live in
//! `cupo-engine`; what is guarded here is what must hold under any concurrency: no two claims on a host's time overlap, no
//! slot has more appointments than seats, nothing unique is doubled, and a tenant reaches its own rows only.
//!
//! Conventions:
//! - an instant is stored as microseconds since 1970 (`i64`), a duration as whole minutes, a list as JSON text, a flag
//!   as 0 or 1, an id as text;
//! - what decides about slots leaves its past behind in [`HistoryEntry`]: busy time, claims and holds do so by themselves,
//!   from when they became known to the `now` that a function is given;
//! - functions on a tenant's data take the `organization_id` and see no other rows. The exceptions are lookups by what
//!   only its owner knows (the hash of a secret, a channel id), by an address (slug, email), and the worker's;
//! - an update answers whether a row was changed.

pub mod copy;
mod error;
mod row;
mod store;
mod tx;

mod absence;
mod account;
mod announcement;
mod appointment;
mod audit_entry;
mod booking_link;
mod busy_interval;
mod calendar;
mod claim;
mod event_type;
mod event_type_host;
mod history;
mod hold;
mod holiday_calendar;
mod idempotency_key;
mod inbox_message;
mod job;
mod lease;
mod mapping;
mod membership;
mod oauth_state;
mod operator_alert;
mod organization;
mod provider_credential;
mod reconcile;
mod schedule;
mod sealed;
mod session;
mod site;
mod staleness;
mod subscription;
mod user;

pub use absence::*;
pub use account::*;
pub use announcement::{Admitted, Announcement, Announcements, DEAF, Heard};
pub use appointment::*;
pub use audit_entry::*;
pub use booking_link::*;
pub use busy_interval::*;
pub use calendar::*;
pub use claim::*;
pub use error::StoreError;
pub use event_type::*;
pub use event_type_host::*;
pub use history::*;
pub use hold::*;
pub use holiday_calendar::*;
pub use idempotency_key::*;
pub use inbox_message::*;
pub use job::*;
pub use lease::*;
pub use mapping::*;
pub use membership::*;
pub use oauth_state::*;
pub use operator_alert::*;
pub use organization::*;
pub use provider_credential::*;
pub use reconcile::*;
pub use schedule::*;
pub use sealed::*;
pub use session::*;
pub use site::*;
pub use staleness::*;
pub use store::Store;
pub use subscription::*;
pub use tx::Tx;
pub use user::*;
