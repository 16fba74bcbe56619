//! A situation that is kept: the whole booking window of an event type.

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::{event_type::Window, interval::Interval};

use super::{cache::Epoch, situation::Situation};
use crate::{Engine, EngineError};

/// Around the booking window, for zones and buffers.
const MARGIN_DAYS: u32 = 2;

/// What is known of an event type, and until when it is good.
pub(crate) struct Snapshot {
    pub(crate) situation: Situation,
    pub(crate) valid_until: DateTime<Utc>,
    /// When the reading began; what is computed of a snapshot is no fresher than it.
    pub(super) as_of: Epoch,
}

/// The end of what is cached: slots and notices are whole minutes, so that what is offered changes by itself at a full
/// minute only; and what another process wrote, should its announcement be lost, is seen within the minute.
pub(super) fn next_minute(now: DateTime<Utc>) -> DateTime<Utc> {
    let minutes = now.timestamp().div_euclid(60) + 1;
    DateTime::from_timestamp(minutes * 60, 0).unwrap_or(now)
}

impl Engine {
    /// Every start that the window can hold.
    pub(crate) fn window_range(&self, window: &Window, now: DateTime<Utc>) -> Interval {
        let days = match *window {
            Window::RollingDays { days } => days,
            // Five of seven days count.
            Window::BusinessDays { days } => days / 5 * 7 + 7,
            Window::Dates { last, .. } => {
                let ahead = (last - now.date_naive()).num_days().clamp(0, i64::from(self.0.settings.mirror_days));
                u32::try_from(ahead).unwrap_or_default()
            }
            Window::Open => self.0.settings.mirror_days,
        };
        Interval { start: now - TimeDelta::days(1), end: now + TimeDelta::days(i64::from(days + MARGIN_DAYS)) }
    }

    /// Reads a snapshot in one transaction.
    pub(super) async fn read_snapshot(&self, org: &str, event: &str) -> Result<Snapshot, EngineError> {
        let as_of = self.0.availability.begin();
        let tx = &mut self.0.store.read().await?;
        let (organization, event_type) = self.offered(tx, org, event).await?;
        let now = self.now();
        let starts = self.window_range(&event_type.rules.window, now);
        let situation = self.situation(tx, organization, event_type, starts).await?;
        let calendars = situation.hosts.iter().flat_map(|share| &share.time.calendars);
        let trusted = calendars.filter_map(|(_, freshness)| freshness.trusted_until());
        let valid_until = trusted.fold(next_minute(now), DateTime::min);
        Ok(Snapshot { situation, valid_until, as_of })
    }
}
