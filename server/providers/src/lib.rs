//! Calendar providers behind one narrow trait.
//!
//! An adapter only builds requests and parses answers; [`transport::Transport`] alone does the input and output: it
//! times out, honours `Retry-After`, limits, counts and redacts. What hosts subscribe to by an address of their own is read
//! by [`feed::FeedReader`], which keeps to the public internet. Nothing here reads a clock or touches a database.

pub mod error;
pub mod event;
pub mod feed;
pub mod google;
pub mod ics;
pub mod provider;
pub mod secret;
pub mod transport;

pub use error::{NotificationError, OauthError, ProviderError, ReauthReason};
pub use event::{
    Attendee, CalendarEvent, EventKind, EventMark, EventStatus, EventTime, Meeting, MeetingLink, Reminder,
    ReminderMethod, Reminders, ResponseStatus, Transparency, Visibility,
};
pub use feed::{Feed, FeedConfig, FeedError, FeedReader};
pub use provider::{
    CalendarFreeBusy, CalendarProvider, Changes, EventChange, Expected, FreeBusyProblem, Notification,
    NotificationState, ProviderCalendar, PutOutcome, SyncCursor, Watch, WatchRequest,
};
pub use secret::{AccessToken, Secret};
pub use transport::{Transport, TransportConfig};
