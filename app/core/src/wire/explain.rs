//! Why a start is offered or not, what was offered, and what a change would bring: for hosts, under `/api/v1/...`.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Why a start is offered or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplanationView {
    /// The start that was asked about.
    pub start: DateTime<Utc>,
    /// When an appointment with this start would end.
    pub end: DateTime<Utc>,
    /// Whether it is offered.
    pub is_offered: bool,
    /// The strongest reason against it, a stable name: `notice`, `window`, `limit_day`, `limit_week`, `limit_month`,
    /// `outside_hours`, `off_grid`, `not_first`, `full`, `busy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// All of it in one sentence, in the reader's language.
    pub sentence: String,
    /// What concerns no single host, the strongest first.
    pub reasons: Vec<ReasonView>,
    /// What concerns each host.
    pub hosts: Vec<HostExplanationView>,
}

/// One host and a start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostExplanationView {
    /// The host.
    pub id: String,
    /// The host's name.
    pub name: String,
    /// Whether the appointment needs this host; of several that any may stand for, each is.
    pub is_required: bool,
    /// Whether the host can be booked.
    pub is_free: bool,
    /// Why not, in the order of time.
    pub reasons: Vec<ReasonView>,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonView {
    /// A refusal's name as above, or `calendar_event`, `appointment`, `hold`, `seats_left`, `stale_calendar` (nobody could read it
    /// lately; `from` is when it was last read).
    pub kind: String,
    /// The reason in the reader's language.
    pub sentence: String,
    /// From when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// Of an obstacle: `appointment`, `buffer_before` or `buffer_after`, whichever it is in the way of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The name of the calendar that has the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// The event's title, for the owner of the calendar alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The appointment that is in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment_id: Option<String>,
}

/// A day of an event type as bands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayView {
    /// The date in the event type's zone.
    pub date: NaiveDate,
    /// That zone, an IANA name.
    pub time_zone: String,
    /// The first instant of the day.
    pub start: DateTime<Utc>,
    /// The first instant after it; a day of a clock change has 23 or 25 hours.
    pub end: DateTime<Utc>,
    /// The length that is looked at, in minutes.
    pub duration: u32,
    /// The starts that are offered.
    pub offered: Vec<DateTime<Utc>>,
    /// What each host does on this day.
    pub hosts: Vec<HostDayView>,
    /// A sentence for every five minutes of the day.
    pub moments: Vec<MomentView>,
}

/// What one host does on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostDayView {
    /// The host.
    pub id: String,
    /// The host's name.
    pub name: String,
    /// Whether an appointment needs this host.
    pub is_required: bool,
    /// The hours in which the host can be booked.
    pub hours: Vec<BandView>,
    /// What takes the host's time; bands of different kinds may overlap.
    pub busy: Vec<BandView>,
}

/// A stretch of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BandView {
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub to: DateTime<Utc>,
    /// `hours`, `calendar`, `appointment`, `hold`, or `buffer` (around an appointment or hold).
    pub kind: String,
    /// What it is, in the reader's language.
    pub label: String,
}

/// A moment of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MomentView {
    /// When.
    pub at: DateTime<Utc>,
    /// Whether a slot starts here.
    pub is_offered: bool,
    /// What is said about it, in the reader's language.
    pub sentence: String,
}

/// What a change would bring for one event type, before it is saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImpactView {
    /// The event type's title.
    pub title: String,
    /// The first date that was looked at.
    pub from: NaiveDate,
    /// The last date.
    pub to: NaiveDate,
    /// The zone of the dates, an IANA name.
    pub time_zone: String,
    /// Slots that would be offered and are not now.
    pub gained: Vec<DateTime<Utc>>,
    /// Slots that are offered now and would not be.
    pub lost: Vec<DateTime<Utc>>,
    /// Appointments that would lie outside the hours, or with a host who is none any more. They stay as they are.
    pub outside: Vec<AffectedAppointment>,
}

/// An appointment that a change would leave outside the hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffectedAppointment {
    /// The appointment.
    pub id: String,
    /// When it starts.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// Who booked it.
    pub visitor_name: String,
}

/// The weeks around the next clock change, in the host's and in the visitor's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockChangeView {
    /// The event type's zone, an IANA name.
    pub host_zone: String,
    /// The visitor's zone, an IANA name.
    pub visitor_zone: String,
    /// The changes of either zone within the weeks, by time; empty where neither changes within a year.
    pub changes: Vec<ZoneChange>,
    /// The days from the week before the first of the changes to the week after the last.
    pub days: Vec<ZonedDay>,
}

/// A change of a zone's clocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneChange {
    /// The zone.
    pub time_zone: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Local time less UTC before, in minutes.
    pub before_minutes: i32,
    /// Local time less UTC from then on, in minutes.
    pub after_minutes: i32,
}

/// The hours of a day in two zones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZonedDay {
    /// The date in the event type's zone.
    pub date: NaiveDate,
    /// Whether a clock of either zone changes on it.
    pub changes: bool,
    /// When slots can start and appointments must end, as local times of the event type's zone: `09:00–17:00`.
    pub host_hours: Vec<String>,
    /// The same instants as local times of the visitor's zone, with `-1` or `+1` behind a time of another date.
    pub visitor_hours: Vec<String>,
}
