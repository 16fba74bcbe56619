//! A day of an event type: what is offered, what is not, and why.

#[cfg(feature = "ssr")]
mod chart;
#[cfg(feature = "ssr")]
mod view;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// What the address of the page asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WhyQuery {
    /// The date in the event type's zone; today when empty.
    pub date: String,
    /// The length in minutes; the event type's own when empty.
    pub duration: String,
    /// A past date and time in the event type's zone, whose offer is looked at; the present one when empty.
    pub as_of: String,
    /// The time that is explained: `HH:MM` in the event type's zone, or an instant.
    pub at: String,
    /// `day` where the whole day is drawn, not only the hours in which something happens.
    pub show: String,
}

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhyView {
    /// The event type's id.
    pub id: String,
    /// The event type's title.
    pub title: String,
    /// What was asked for, with everything filled in.
    pub query: WhyQuery,
    /// The date in words.
    pub date: String,
    /// The day before and the day after.
    pub around: (String, String),
    /// The event type's zone with its offset on the day.
    pub time_zone: String,
    /// The lengths on offer: minutes and words.
    pub durations: Vec<(String, String)>,
    /// The earliest and the latest moment that can be looked back to, as the form writes them.
    pub as_of_bounds: (String, String),
    /// The past moment in words.
    pub as_of: Option<String>,
    /// What is wrong with what was asked for.
    pub problem: Option<String>,
    /// The drawing.
    pub chart: ChartView,
    /// The offered slots: what the address says of each, and its time.
    pub offered: Vec<(String, String)>,
    /// The explanation of the time that was asked for.
    pub explained: Option<ExplainedView>,
}

/// A day as bands. Places are hundredths of its drawn width.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChartView {
    /// How many hours are drawn.
    pub hours: f64,
    /// The full hours: place and text.
    pub ticks: Vec<(f64, String)>,
    /// The present or looked-at moment, if it is drawn.
    pub now: Option<f64>,
    /// The offered slots: place, width and time.
    pub offered: Vec<(f64, f64, String)>,
    /// One row a host.
    pub rows: Vec<ChartRow>,
    /// What is said of each moment, in rising order.
    pub moments: Vec<ChartMoment>,
}

/// What a host does on the day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChartRow {
    /// The host's name.
    pub name: String,
    /// Whether an appointment needs this host.
    pub is_required: bool,
    /// When the host can be booked, and what takes the host's time.
    pub bands: Vec<ChartBand>,
}

/// A stretch of a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChartBand {
    /// `hours`, `calendar`, `appointment`, `hold` or `buffer`.
    pub kind: String,
    /// Where it begins.
    pub place: f64,
    /// How wide it is.
    pub width: f64,
    /// What it is, with its times.
    pub label: String,
}

/// A moment of the day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChartMoment {
    /// Where it is.
    pub place: f64,
    /// Its time.
    pub time: String,
    /// What the address says of it.
    pub at: String,
    /// Whether a slot starts here.
    pub is_offered: bool,
    /// What is said of it.
    pub sentence: String,
}

/// Why one time is offered or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedView {
    /// The start and the end.
    pub time: String,
    /// Whether it is offered.
    pub is_offered: bool,
    /// All of it in one sentence.
    pub sentence: String,
    /// What concerns no single host.
    pub reasons: Vec<ReasonRow>,
    /// What concerns each host.
    pub hosts: Vec<ExplainedHost>,
}

/// One host and the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedHost {
    /// The host's name.
    pub name: String,
    /// Whether an appointment needs this host.
    pub is_required: bool,
    /// Whether the host can be booked.
    pub is_free: bool,
    /// Why not.
    pub reasons: Vec<ReasonRow>,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonRow {
    /// The reason.
    pub sentence: String,
    /// The appointment that is in the way.
    pub appointment: Option<String>,
}

/// A day of an event type.
#[server(prefix = "/dashboard/api", endpoint = "why")]
pub async fn why(id: String, #[server(default)] query: WhyQuery) -> Result<WhyView, AppError> {
    use super::request::{answer, host};

    let (engine, principal) = host()?;
    let id = super::request::id(&id, "event type")?;
    let event_type = answer(engine.event_type(&principal, &id).await)?;
    Ok(view::Asked::read(&engine, &principal, event_type, query).await?.view())
}
