//! Provider notifications: hints that a calendar changed, never what.
//!
//! Deliveries that arrive together are taken together: whatever waits is looked up in one query, checked, and written
//! in one transaction, before any of it is answered. A flood is therefore as cheap as the work that it makes, which is
//! coalesced: one pull waits for each calendar, and a notification that finds it waiting leaves nothing but its number.

mod batch;
mod intake;

use cupo_providers::Notification;
use cupo_store::Provider;
use http::HeaderMap;

use crate::{Engine, EngineError};

pub(crate) use intake::Intake;

/// What became of a notification. Either way the provider is told that it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationOutcome {
    /// The calendar will be read.
    Accepted,
    /// Nothing was done; the text says why.
    Ignored(&'static str),
}

/// The notifications of one request.
struct Delivery {
    provider: Provider,
    notifications: Vec<Notification>,
}

impl Engine {
    /// Takes the notifications of one delivery of a provider. One of an unknown channel, with a wrong token, or one
    /// that came before does nothing; an unknown channel with a token of ours is closed. What is answered is on disk.
    ///
    /// # Errors
    /// [`EngineError::Busy`] when too many wait already; whatever keeps the store from writing.
    pub async fn notifications(
        &self,
        provider: Provider,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Vec<NotificationOutcome>, EngineError> {
        let outcomes = match self.provider(provider).read_notifications(headers, body) {
            Ok(notifications) if notifications.is_empty() => Vec::new(),
            Ok(notifications) => self.take_in(Delivery { provider, notifications }).await?,
            Err(_) => vec![NotificationOutcome::Ignored("malformed")],
        };
        for outcome in &outcomes {
            let label = match outcome {
                NotificationOutcome::Accepted => "accepted",
                NotificationOutcome::Ignored(why) => why,
            };
            let labels = [("provider", provider.as_str()), ("outcome", label)];
            metrics::counter!("cupo_notifications_total", &labels).increment(1);
        }
        Ok(outcomes)
    }
}
