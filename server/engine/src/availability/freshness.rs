//! How far a calendar's mirror can be trusted: the contract of `server/docs/freshness.md`.

use chrono::{DateTime, TimeDelta, Utc};
use cupo_store::{Calendar, ProviderSubscription, Tx, subscription_list_by_calendar};

use crate::{Engine, EngineError};

/// Whether a calendar's mirror can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// It was read within `stale_after`. It counts as fresh until this instant, if nothing else happens.
    Fresh(DateTime<Utc>),
    /// It was read longer ago, but it has a live channel that has told nothing, and nothing has failed: until the channel
    /// ends, it is trusted all the same. The poll floor reads it again long before.
    Aged(DateTime<Utc>),
    /// It was never read; or it was read too long ago and its channel is gone, or nothing could be read through it.
    Stale,
}

impl Freshness {
    /// Of a calendar whose longest channel ends at `channel_until`.
    pub(crate) fn of(
        calendar: &Calendar,
        channel_until: Option<DateTime<Utc>>,
        stale_after: TimeDelta,
        now: DateTime<Utc>,
    ) -> Self {
        let Some(synced_at) = calendar.synced_at else { return Self::Stale };
        let until = synced_at + stale_after;
        if until > now {
            return Self::Fresh(until);
        }
        if calendar.sync_error.is_some() {
            return Self::Stale;
        }
        channel_until.filter(|end| *end > now).map_or(Self::Stale, Self::Aged)
    }

    /// Until when the mirror is trusted, if it is.
    pub(crate) fn trusted_until(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Fresh(until) | Self::Aged(until) => Some(until),
            Self::Stale => None,
        }
    }

    pub(crate) fn is_stale(self) -> bool {
        self == Self::Stale
    }
}

/// The end of the channel that lasts longest.
pub(crate) fn channel_until(subscriptions: &[ProviderSubscription]) -> Option<DateTime<Utc>> {
    subscriptions.iter().map(|subscription| subscription.expires_at).max()
}

impl Engine {
    /// How far the calendar's mirror can be trusted at `now`.
    pub(crate) async fn freshness(
        &self,
        tx: &mut Tx,
        calendar: &Calendar,
        now: DateTime<Utc>,
    ) -> Result<Freshness, EngineError> {
        let stale_after = self.0.settings.stale_after;
        let without_channels = Freshness::of(calendar, None, stale_after, now);
        if !without_channels.is_stale() {
            return Ok(without_channels);
        }
        let subscriptions = subscription_list_by_calendar(tx, &calendar.organization_id, &calendar.id).await?;
        Ok(Freshness::of(calendar, channel_until(&subscriptions), stale_after, now))
    }
}
