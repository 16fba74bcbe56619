//! iCalendar (RFC 5545), read and written. What is read comes from anybody: nothing in it is trusted.
//!
//! [`events`] reads what a feed or a resource of a CalDAV server holds in a window of time, [`event`] the one event of a
//! resource, [`holidays`] the whole days of a calendar of holidays. [`write_event`] and [`rewrite_event`] write one event.
//!
//! An event that cannot be read might block time, so it is an error that says what is wrong: it is never left out, and an unknown
//! zone is never taken for UTC. Only holidays are read more leniently.
//!
//! A small file can ask for endless work: it may nest, repeat each second, or repeat on dates that never come. Size, depth,
//! the number of events, the number of steps of all rules together and the weight of what comes out are therefore bounded.

mod clock;
mod effort;
mod event;
mod expand;
mod holidays;
mod lines;
mod rule;
mod time;
mod vtimezone;
mod write;

use chrono_tz::Tz;
use thiserror::Error;

pub(crate) use effort::Effort;
pub(crate) use expand::{CalendarZone, calendar_of, event_in, events_in, events_within};
pub use expand::{event, events};
pub use holidays::{MOST_BYTES, MOST_HOLIDAYS, holidays};
pub use write::{AttendeeChange, rewrite_event, write_event};

use crate::event::CalendarEvent;

/// The largest file that [`events`] reads, in bytes.
pub const MOST_EVENT_BYTES: usize = 5 * 1024 * 1024;
/// A calendar holds events, which hold alarms: nothing needs more than three.
const DEEPEST: usize = 8;

/// The properties that mark Cupo's own events.
const CLAIM: &str = "X-CUPO-CLAIM";
const INSTALLATION: &str = "X-CUPO-INSTALLATION";
/// The properties that hold the link to an event's video meeting: that of RFC 7986, and those of before.
const CONFERENCES: [&str; 3] = ["CONFERENCE", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL"];

/// What one iCalendar object, a feed or a resource of a CalDAV server, holds in a window.
#[derive(Debug, Clone, PartialEq)]
pub struct IcsEvents {
    pub events: Vec<IcsEvent>,
    /// `X-WR-TIMEZONE`, where it names a zone that is known.
    pub time_zone: Option<Tz>,
    /// `X-WR-CALNAME`, or `NAME` of RFC 7986.
    pub name: Option<String>,
}

/// What bears one `UID`.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "most are single events")]
pub enum IcsEvent {
    /// An event that takes place once. Its id is the `UID`.
    Single(CalendarEvent),
    /// A recurring event and its instances in the window, by their beginning: overrides are applied, what is cancelled is left
    /// out. There may be none. The id of each is made by [`instance_id`](crate::instance_id) of the `UID`.
    Series { uid: String, instances: Vec<CalendarEvent> },
}

/// Why a file could not be read. The texts name a zone or a property and where in the file the event stands; nothing else
/// comes out of the file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IcsError {
    /// The file is larger than is read.
    #[error("the file is too large")]
    TooLarge,
    /// It is no iCalendar file.
    #[error("the file is no calendar")]
    Unreadable,
    /// It has more events or dates in the range than are read, or its rules take too many steps.
    #[error("the file has too many dates")]
    TooMany,
    /// An event is in this zone, which neither its name nor a `VTIMEZONE` tells.
    #[error("unknown time zone `{0}`")]
    UnknownTimeZone(String),
    /// An event has a time of day without a zone, and it is not known where the calendar is.
    #[error("an event has no time zone, nor has the calendar")]
    FloatingTime,
    /// This property of an event is missing or not readable, or it repeats in a way that is not read.
    #[error("{property} of event {position} is missing or not readable")]
    UnreadableEvent {
        /// The event's place among those of the file, from 1.
        position: usize,
        property: &'static str,
    },
}
