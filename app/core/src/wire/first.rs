//! What a widget needs to be seen.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{EventTypeView, SlotsResponse};
use crate::theme::ThemeView;

/// Everything that a widget shows at first: the answer of `GET /embed/v1/first`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FirstView {
    /// The event type, with the texts of the visitor's language.
    pub event_type: EventTypeView,
    /// The first of the dates whose slots are told, the first of a month.
    pub from: NaiveDate,
    /// The last of them, the last of the same month, or of the next one where nothing is free in the first.
    pub to: NaiveDate,
    /// The day with which a week begins in the visitor's region, 0 for Monday.
    pub week_start: u32,
    /// The slots on these dates, as `GET /embed/v1/slots` has them; absent where they cannot be had now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<SlotsResponse>,
    /// How the organization's widgets look; absent where they look as they come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<ThemeView>,
    /// The language by whose customs dates and numbers are written, as a BCP 47 tag, where it is not the one that was asked for:
    /// one by which the server and the visitor's browser write alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<String>,
    /// The first view as HTML, as the widget itself will show it; absent unless it was asked for, and where the visitor's zone
    /// is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub markup: Option<String>,
}
