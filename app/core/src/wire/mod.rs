//! The JSON of the public embed API (`/embed/v1/...`), version 1.
//!
//! These types are a public contract: a field may be added, none may change its meaning or go away. Instants are RFC 3339
//! in UTC with whole seconds (`2026-11-23T09:00:00Z`); durations are whole minutes.

mod explain;
mod first;

use std::{borrow::Cow, collections::BTreeMap};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    appointment::{AppointmentStatus, CancelledBy},
    event_type::{Assignment, Location},
    question::{Answer, Question},
};

pub use explain::{
    AffectedAppointment, BandView, ClockChangeView, DayView, ExplanationView, HostDayView, HostExplanationView,
    ImpactView, MomentView, ReasonView, ZoneChange, ZonedDay,
};
pub use first::FirstView;

/// What the widget needs to know of an event type: the answer of `GET /embed/v1/event-types/{org}/{slug}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventTypeView {
    /// The organization's slug.
    pub org: String,
    /// The event type's slug.
    pub slug: String,
    /// The organization's name.
    pub organization_name: String,
    /// The host's name.
    pub host_name: String,
    /// What is booked.
    pub title: String,
    /// What it is about; may be empty, may have line breaks.
    pub description: String,
    /// The lengths on offer; the first is meant where none is chosen.
    pub durations: Vec<u32>,
    /// Where it takes place.
    pub location: LocationView,
    /// The host's zone, an IANA name.
    pub time_zone: String,
    /// The last instant at which a slot may start.
    pub window_end: DateTime<Utc>,
    /// Which of its hosts an appointment needs.
    #[serde(default)]
    pub assignment: Assignment,
    /// The hosts among whom the visitor may choose; empty where there is no choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostView>,
    /// How many can book the same slot.
    #[serde(default = "one")]
    pub seats: u32,
    /// Whether a host has to agree to each appointment.
    #[serde(default)]
    pub needs_approval: bool,
    /// How many dates may be booked at once; 1 means no series.
    #[serde(default = "one")]
    pub most_occurrences: u32,
    /// What visitors are asked besides name and e-mail address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// The country calling code that is meant where a telephone number has none, such as `+34`; absent where the visitor's
    /// region is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dial_code: Option<String>,
    /// The language of `strings`.
    pub locale: String,
    /// The widget's texts by name.
    pub strings: BTreeMap<Cow<'static, str>, Cow<'static, str>>,
}

fn one() -> u32 {
    1
}

/// A host among whom the visitor may choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostView {
    /// Names the host in requests.
    pub id: String,
    /// The host's name.
    pub name: String,
}

/// Where an appointment takes place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationView {
    /// `meet`, `teams`, `phone`, `address` or `link`.
    pub kind: String,
    /// The number, place or address. Of a meeting or a link it is known once the appointment is booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Whether the visitor's telephone number is asked for.
    pub needs_phone: bool,
}

impl LocationView {
    /// What anybody may see: the address of a link is told to those who have booked.
    pub fn public(location: &Location) -> Self {
        let hidden = matches!(location, Location::Link(_) | Location::GoogleMeet | Location::MicrosoftTeams);
        let detail = Some(location.detail()).filter(|detail| !hidden && !detail.is_empty()).map(str::to_owned);
        Self { kind: location.kind().to_owned(), detail, needs_phone: location.needs_visitor_phone() }
    }
}

/// The answer of `GET /embed/v1/slots`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotsResponse {
    /// The offered starts in rising order.
    pub slots: Vec<DateTime<Utc>>,
    /// How many seats each of them has left; only where there are several and visitors may know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seats_left: Vec<u32>,
}

/// The body of `POST /embed/v1/holds`: keep this slot while the form is filled in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// The organization's slug.
    pub org: String,
    /// The event type's slug.
    pub event: String,
    /// The start to keep.
    pub start: DateTime<Utc>,
    /// The length; the event type's own when left out.
    #[serde(default)]
    pub duration: Option<u32>,
    /// A hold of the same visitor, which the new one replaces.
    #[serde(default)]
    pub replaces: Option<String>,
    /// The host whom the visitor chose.
    #[serde(default)]
    pub host: Option<String>,
    /// The secret of a single-use link.
    #[serde(default)]
    pub link: Option<String>,
}

crate::shown_in_debug!(HoldRequest { org, event, start, duration, host });

/// A slot is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldResponse {
    /// The visitor's secret by which the hold is used and released.
    pub hold: String,
    /// Until when it is kept.
    pub expires_at: DateTime<Utc>,
    /// For how many seconds that is, for whoever's clock is wrong.
    #[serde(default)]
    pub expires_in: i64,
}

crate::shown_in_debug!(HoldResponse { expires_at, expires_in });

/// The body of `POST /embed/v1/appointments`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookingRequest {
    /// The organization's slug.
    pub org: String,
    /// The event type's slug.
    pub event: String,
    /// One of the offered starts.
    pub start: DateTime<Utc>,
    /// The length; the event type's own when left out.
    #[serde(default)]
    pub duration: Option<u32>,
    /// The visitor's name.
    pub name: String,
    /// The visitor's e-mail address.
    pub email: String,
    /// The visitor's telephone number; required where the host calls.
    #[serde(default)]
    pub phone: Option<String>,
    /// What the host should know, up to 2,000 characters.
    #[serde(default)]
    pub notes: Option<String>,
    /// The visitor's zone, an IANA name.
    pub time_zone: String,
    /// The visitor's language.
    #[serde(default)]
    pub locale: Option<String>,
    /// The visitor's hold on this slot.
    #[serde(default)]
    pub hold: Option<String>,
    /// The host whom the visitor chose.
    #[serde(default)]
    pub host: Option<String>,
    /// The secret of a single-use link.
    #[serde(default)]
    pub link: Option<String>,
    /// The answers by the ids of their questions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, AnswerInput>,
    /// Several dates at once.
    #[serde(default)]
    pub recurrence: Option<RecurrenceRequest>,
    /// Where the visitor came from: UTM parameters by their names ([`tracking::NAMES`](crate::tracking::NAMES)).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tracking: BTreeMap<String, String>,
}

crate::shown_in_debug!(BookingRequest { org, event, start, duration, host, recurrence });

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AnswerInput {
    /// Yes or no, for a checkbox.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
    /// Several choices.
    Texts(Vec<String>),
}

impl AnswerInput {
    /// The texts that [`question::judge`](crate::question::judge) reads.
    pub fn texts(&self) -> Vec<Cow<'_, str>> {
        match self {
            Self::Flag(true) => vec![Cow::Borrowed("on")],
            Self::Flag(false) => Vec::new(),
            Self::Number(number) => vec![Cow::Owned(number.to_string())],
            Self::Text(text) => vec![Cow::Borrowed(text)],
            Self::Texts(texts) => texts.iter().map(|text| Cow::Borrowed(text.as_str())).collect(),
        }
    }
}

/// Several dates at once, the first of which is the request's `start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecurrenceRequest {
    /// `weekly`, `every_two_weeks` or `monthly` (the same weekday of the same week).
    pub frequency: String,
    /// How many dates: 2 to 24, and no more than the event type allows.
    pub count: u32,
    /// Whether dates that are not free are left out. Otherwise one that is not free refuses them all.
    #[serde(default)]
    pub skip_taken: bool,
}

/// The answer of `GET /embed/v1/series?org=&event=&start=&frequency=&count=`: the dates of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesResponse {
    /// In rising order, the asked start first.
    pub dates: Vec<SeriesDate>,
}

/// A date of a series that could be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesDate {
    /// When it would start. A date on which the clocks skip this time has the instant after the gap.
    pub start: DateTime<Utc>,
    /// Whether it is free.
    pub is_free: bool,
    /// Why it is not, in the reader's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An appointment as its visitor sees it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentView {
    /// The visitor's secret: the last part of `manage_url`.
    pub token: String,
    /// The visitor's page to cancel or reschedule.
    pub manage_url: String,
    /// `pending` until a host has agreed, where that is needed; then `confirmed`, or an end.
    pub status: AppointmentStatus,
    /// What was booked.
    pub title: String,
    /// The organization's slug.
    pub org: String,
    /// The event type's slug.
    pub event: String,
    /// The organization's name.
    pub organization_name: String,
    /// The host's name.
    pub host_name: String,
    /// When it starts.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// The visitor's zone.
    pub time_zone: String,
    /// The visitor's name.
    pub visitor_name: String,
    /// The visitor's e-mail address.
    pub visitor_email: String,
    /// Where it takes place; of a link the address too.
    pub location: LocationView,
    /// The conference's address once it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meeting_url: Option<String>,
    /// Whether a conference's address is still being made.
    pub meeting_pending: bool,
    /// Why it was cancelled, if a reason was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
    /// Who cancelled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_by: Option<CancelledBy>,
    /// Rises with each change.
    pub sequence: i64,
    /// Until when a host may agree to a pending one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether the visitor can cancel it now.
    #[serde(default = "yes")]
    pub can_cancel: bool,
    /// Whether the visitor can reschedule it now.
    #[serde(default = "yes")]
    pub can_reschedule: bool,
    /// What the visitor answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// The other appointments of its series that still stand, by start; empty for one booked alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<SeriesEntry>,
    /// Addresses that add it to the visitor's own calendar.
    pub add_to_calendar: AddToCalendar,
}

crate::shown_in_debug!(AppointmentView { org, event, status, start, end, sequence, series });

fn yes() -> bool {
    true
}

/// Another appointment of the same series.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesEntry {
    /// When it starts.
    pub start: DateTime<Utc>,
    /// The visitor's page of it.
    pub manage_url: String,
}

crate::shown_in_debug!(SeriesEntry { start });

/// How far a change of an appointment of a series reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesScope {
    /// This one alone.
    #[default]
    This,
    /// This one and those that come after it.
    Following,
}

/// Addresses that add an appointment to the visitor's own calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddToCalendar {
    /// Google Calendar's form.
    pub google: String,
    /// Outlook's form.
    pub outlook: String,
    /// An iCalendar file (RFC 5545).
    pub ics: String,
}

/// The body of `POST /embed/v1/appointments/{token}/cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {
    /// Why, up to 500 characters.
    #[serde(default)]
    pub reason: Option<String>,
    /// How far it reaches, for one of a series.
    #[serde(default)]
    pub scope: SeriesScope,
}

/// The body of `POST /embed/v1/appointments/{token}/reschedule`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RescheduleRequest {
    /// One of the offered starts.
    pub start: DateTime<Utc>,
    /// How far it reaches, for one of a series: those after it keep their distance by the local clock.
    #[serde(default)]
    pub scope: SeriesScope,
}

/// An error (RFC 9457), served as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `urn:cupo:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code: stable, kebab-case, for programs.
    pub code: String,
    /// What went wrong, in the reader's language.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What would be right, in the reader's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The refused fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemField>,
    /// Of `slot-taken`: what is still free on the days around.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<Vec<DateTime<Utc>>>,
}

/// A refused field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemField {
    /// Its name in the request.
    pub field: String,
    /// What would be right, in the reader's language.
    pub detail: String,
}
