//! The pages of a visitor: plain HTML strings, complete without JavaScript.
//!
//! The server loads the data, calls one `render_` function and sends the string. Nothing here is hydrated.

mod booking;
mod document;
mod manage;
mod message;
mod month;
mod query;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use cupo_core::text::Locale;
use cupo_core::wire::{AppointmentView, EventTypeView};

use crate::context::ShellAssets;

pub use booking::render_booking_page;
pub use document::{MEETING_LINK_SCRIPT, MEETING_LINK_SCRIPT_PATH};
pub use manage::render_manage_page;
pub use message::render_message_page;
pub use query::{BookingForm, BookingQuery, CancelForm, ManageQuery, RescheduleForm, SlotsRange};

/// What every public page needs.
#[derive(Debug, Clone)]
pub struct PublicContext {
    /// The language of the page.
    pub locale: Locale,
    /// Addresses of the style sheet and of the widget's loader.
    pub assets: ShellAssets,
    /// The instant of the request.
    pub now: DateTime<Utc>,
}

/// The booking page `/{org}/{slug}` in one of its steps.
#[derive(Debug, Clone)]
pub struct BookingState {
    /// The organization's slug, from the path.
    pub org: String,
    /// What is booked.
    pub event: Arc<EventTypeView>,
    /// Month, day, zone and slot that the visitor has picked so far.
    pub query: BookingQuery,
    /// The answer of the engine for [`BookingQuery::slots_range`]; may hold slots outside the shown month.
    pub slots: Vec<DateTime<Utc>>,
    /// What was typed; after an error the same again.
    pub form: BookingForm,
    /// Field name and sentence, in the page's language.
    pub errors: Vec<(String, String)>,
    /// One sentence for the whole page, such as "somebody was faster".
    pub problem: Option<String>,
    /// Sent back by the form as the idempotency key: a fresh random text for each `GET`, the posted one after an error of
    /// a field, a fresh one after the slot was refused.
    pub idempotency_key: String,
}

/// The page `/manage/{token}`.
#[derive(Debug, Clone)]
pub struct ManageState {
    /// The visitor's secret, from the path.
    pub token: String,
    /// The appointment as it stands.
    pub appointment: AppointmentView,
    /// Step and picks.
    pub query: ManageQuery,
    /// Slots for another time, where the step asks for them (see [`ManageQuery::slots_range`]).
    pub slots: Vec<DateTime<Utc>>,
    /// One sentence about what went wrong.
    pub problem: Option<String>,
    /// The typed reason, kept after an error.
    pub reason: String,
}

#[cfg(test)]
mod tests;
