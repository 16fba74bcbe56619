//! The use cases of Cupo: what hosts and visitors can do, and what the worker does for them afterwards.
//!
//! [`Engine`] is the one door. It reads and writes through `cupo-store`, talks to calendars through
//! `cupo-providers`, and leaves every rule about time to `cupo-core`. Two laws hold throughout:
//! no network call happens inside a transaction, and a duty that outlives a request is a job that was enqueued in
//! the transaction that made it necessary.

mod absences;
mod access;
mod accounts;
mod announcements;
mod appointments;
mod audit;
mod availability;
mod booking;
mod booking_links;
mod channel_token;
pub mod clock;
mod connect;
mod credentials;
mod details;
mod engine;
mod error;
mod event_types;
mod failed_jobs;
mod health;
mod history;
mod holiday_calendars;
mod hosts;
mod jobs;
mod key_rotation;
pub mod keyring;
pub mod mail;
mod members;
mod operator_alerts;
pub mod passwords;
mod polling;
mod provider_credentials;
mod providers;
pub mod random;
mod reconcile;
mod schedules;
mod site_check;
mod sites;
mod staleness;
mod sync;
mod theme;
mod webhooks;
mod why;
mod worker;

pub use absences::AbsenceInput;
pub use accounts::{AccountCondition, AccountOverview, AccountTest, CalendarChoice, TestStep, TestWhat};
pub use announcements::{ADMISSIONS_EVERY, Admissions};
pub use appointments::{AppointmentDetail, AppointmentSummary, Page};
pub use availability::{CachedSlots, MAX_DAYS, SeriesRequest, SlotsRequest};
pub use booking::Booked;
pub use booking_links::BookingLinkMade;
pub use connect::{CaldavInput, ConnectOutcome, ConnectStart, FeedInput, MailboxInput, OauthCallback};
pub use engine::{Engine, EngineParts, EngineSettings, SessionSecret};
pub use error::EngineError;
pub use event_types::{EventTypeHostInput, EventTypeInput, PublicEventTypes};
pub use failed_jobs::{FailedJob, FailedWork};
pub use health::Check;
pub use hosts::{Principal, SignUp, SignedIn};
pub use jobs::JOB_KINDS;
pub use key_rotation::{DamagedText, KeyStatus, KeyUse, RotationReport, key_status};
pub use mail::Mailer;
pub use members::{Member, MemberInput};
pub use provider_credentials::{CredentialInput, CredentialMailbox, CredentialOverview};
pub use providers::{
    Caldav, Google, GoogleServiceAccounts, Ics, Microsoft, MicrosoftApplications, Providers, ProvidersParts,
};
pub use reconcile::{FailedCalendar, Finding, FindingKind, FindingOutcome, Mending, ReconcileReport, ReconcileScope};
pub use schedules::{
    DateOverrideInput, LocalIntervalInput, ScheduleInput, ScheduleOverview, TravelInput, WeeklyHoursInput,
};
pub use site_check::{SiteCheck, SiteFinding};
pub use sites::SiteInput;
pub use theme::ThemeInput;
pub use webhooks::NotificationOutcome;
