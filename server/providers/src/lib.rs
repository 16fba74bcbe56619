//! Calendar providers behind one narrow trait.
//!
//! An adapter only builds requests and parses answers; [`transport::Transport`] alone does the input and output: it
//! times out, honours `Retry-After`, limits, counts and redacts. What hosts subscribe to by an address of their own is read
//! by [`feed::FeedReader`], which keeps to the public internet. Nothing here reads a clock or touches a database.

pub mod access;
pub mod caldav;
pub mod clock;
pub mod error;
pub mod event;
pub mod feed;
#[doc(hidden)]
pub mod fuzzing;
pub mod google;
pub mod ics;
pub mod ics_feed;
pub mod jwt;
pub mod microsoft;
pub mod oauth;
pub mod provider;
mod public_address;
mod recurrence;
pub mod secret;
pub mod transport;
pub mod zones;

pub use access::{Access, Authorization, Target};
pub use clock::Clock;
pub use error::{NotificationError, OauthError, ProviderError, ReauthReason};
pub use event::{
    Attendee, CalendarEvent, EventKind, EventMark, EventStatus, EventTime, Meeting, MeetingKind, MeetingLink, Reminder,
    ReminderMethod, Reminders, ResponseStatus, Transparency, Visibility,
};
pub use feed::{Feed, FeedConfig, FeedError, FeedReader, Validators, WebPage};
pub use provider::{
    CalendarFreeBusy, CalendarProvider, Changes, EventChange, Expected, FreeBusyProblem, Notification,
    NotificationState, ProviderCalendar, PutOutcome, Renewal, SyncCursor, Watch, WatchRequest, instance_id,
};
pub use secret::Secret;
pub use transport::{
    Budget, Budgets, CircuitConfig, CircuitPhase, CircuitState, ProviderBudget, Transport, TransportConfig,
};
