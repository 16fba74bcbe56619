//! What every provider does alike: one suite over Google, Microsoft 365, CalDAV and calendar feeds.
//!
//! Each subject is an adapter in front of a server that keeps state: the simulators, a real Radicale, a real HTTP server with
//! ETags. What a person does in the calendar by hand happens at the server and not through the adapter.

mod caldav;
mod diary;
mod feed;
mod google;
mod microsoft;
mod reading;
mod writing;

use async_trait::async_trait;
use cupo_providers::{Access, CalendarProvider};

pub use diary::{Diary, Entry, Repeats, Shows};

/// A provider with a calendar, and somebody who uses that calendar by hand.
#[async_trait]
pub trait Subject: Send + Sync {
    fn provider(&self) -> &dyn CalendarProvider;

    fn access(&self) -> &Access;

    /// The id of the calendar that the suite works on. Its zone is Europe/Madrid.
    fn calendar(&self) -> &str;

    /// The address of its owner.
    fn owner(&self) -> &'static str;

    /// Makes the calendar hold exactly the entries, as their owner would: those that are new are added, those that differ
    /// changed, those that are missing deleted.
    async fn keep(&mut self, diary: &Diary);

    /// Makes every cursor that was given too old, where the provider has such.
    async fn expire_cursors(&self);
}

/// Runs every case for a subject; those of writing only where it can be written to.
macro_rules! conforms {
    ($start:expr, $($part:ident::$case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                $crate::conformance::$part::$case(&mut $start.await).await;
            }
        )*
    };
}

macro_rules! reads {
    ($start:expr) => {
        $crate::conformance::conforms!(
            $start,
            reading::its_calendars_are_listed,
            reading::a_whole_round_tells_what_the_window_holds,
            reading::free_busy_and_the_mirror_agree_after_every_change_by_hand,
            reading::a_series_keeps_its_local_time_and_its_exceptions,
            reading::nothing_is_told_twice_and_nothing_changed_is_told_as_nothing,
            reading::an_expired_cursor_leads_to_a_whole_round,
            reading::an_unknown_calendar_is_never_free,
        );
    };
}

macro_rules! writes {
    ($start:expr) => {
        $crate::conformance::conforms!(
            $start,
            writing::an_event_is_read_as_it_was_written,
            writing::a_repeated_creation_finds_the_first_one,
            writing::a_change_keeps_what_others_did_and_a_stale_one_is_refused,
            writing::guests_come_and_go,
            writing::a_written_event_comes_back_as_an_echo_with_its_mark,
            writing::a_deleted_event_is_gone_and_can_be_made_again,
            writing::days_are_written_as_days,
        );
    };
}

pub(crate) use {conforms, reads, writes};
