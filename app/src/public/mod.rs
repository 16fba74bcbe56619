//! The pages of a visitor: plain HTML strings, complete without JavaScript.
//!
//! The server loads the data, calls one `render_` function and sends the string. Nothing here is hydrated.

mod address;
mod booking;
mod changes;
mod details;
mod document;
mod fields;
mod forms;
mod manage;
mod message;
mod month;
mod organization;
mod picks;
mod preview;
mod query;
mod questions;
mod series;
mod wishes;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use cupo_core::text::LanguageTag;
use cupo_core::wire::{AppointmentView, EventTypeView, LocationView, SeriesResponse, SeriesScope};

use crate::context::ShellAssets;

pub use booking::render_booking_page;
pub use document::{FRAME_SCRIPT, FRAME_SCRIPT_PATH, MEETING_LINK_SCRIPT, MEETING_LINK_SCRIPT_PATH};
pub use forms::{BookingForm, CancelForm, RescheduleForm};
pub use manage::render_manage_page;
pub use message::{render_link_over_page, render_message_page};
pub use organization::render_organization_page;
pub use picks::SlotsRange;
pub use preview::{PreviewQuery, render_preview_page};
pub use query::{BookingQuery, ManageQuery, OrganizationQuery};

/// What every public page needs.
#[derive(Debug, Clone)]
pub struct PublicContext {
    /// The language of the page, with the region by whose customs dates are written.
    pub language: LanguageTag,
    /// Addresses of the style sheet and of the widget's loader.
    pub assets: ShellAssets,
    /// The instant of the request.
    pub now: DateTime<Utc>,
}

/// The booking page `/{org}/{slug}` in one of its steps.
#[derive(Clone)]
pub struct BookingState {
    /// The organization's slug, from the path.
    pub org: String,
    /// What is booked.
    pub event: Arc<EventTypeView>,
    /// What the visitor has picked so far.
    pub query: BookingQuery,
    /// The answer of the engine for [`BookingQuery::slots_range`]; may hold slots outside the shown month.
    pub slots: Vec<DateTime<Utc>>,
    /// How many seats each slot has left; empty where that is not told.
    pub seats_left: Vec<u32>,
    /// The dates of the series that the form asks for, if it does and its slot is free.
    pub series: Option<SeriesResponse>,
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

cupo_core::shown_in_debug!(BookingState { org, event, query, problem, errors });

/// The page `/manage/{token}`.
#[derive(Clone)]
pub struct ManageState {
    /// The visitor's secret, from the path.
    pub token: String,
    /// The appointment as it stands.
    pub appointment: AppointmentView,
    /// Step and picks.
    pub query: ManageQuery,
    /// Slots for another time, where the step asks for them (see [`ManageQuery::slots_range`]).
    pub slots: Vec<DateTime<Utc>>,
    /// As in [`BookingState`].
    pub seats_left: Vec<u32>,
    /// One sentence about what went wrong.
    pub problem: Option<String>,
    /// The typed reason, kept after an error.
    pub reason: String,
    /// How far a change shall reach, kept after an error.
    pub scope: SeriesScope,
    /// Whether anybody can book this event type, so that another time can be offered instead.
    pub can_book_again: bool,
}

cupo_core::shown_in_debug!(ManageState { appointment, problem, scope });

/// The list page `/{org}`.
#[derive(Debug, Clone)]
pub struct OrganizationState {
    /// The organization's slug, from the path.
    pub org: String,
    /// The organization's name.
    pub organization_name: String,
    /// What anybody may book, in the order in which it is shown.
    pub event_types: Vec<ListedEventType>,
    /// Frame and language.
    pub query: OrganizationQuery,
}

/// An event type as it stands in a list.
#[derive(Debug, Clone)]
pub struct ListedEventType {
    /// Its slug.
    pub slug: String,
    /// What is booked.
    pub title: String,
    /// What it is about; may be empty.
    pub description: String,
    /// The lengths on offer, in minutes.
    pub durations: Vec<u32>,
    /// Where it takes place.
    pub location: LocationView,
}

impl BookingState {
    /// The length of the appointment, in minutes.
    fn minutes(&self) -> u32 {
        let only = || self.event.durations.first().copied().unwrap_or_default();
        self.query.duration(&self.event).unwrap_or_else(only)
    }
}

#[cfg(test)]
mod tests;
